// The package itself: what is in it, how it resolves, and what importing it does.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createAuthVital, createSessions, describeDevice, fails, installed, project, SessionsError } from "./support.mjs";

const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((file) => file.isFile()).map((file) => path.relative(installed, path.join(file.parentPath ?? file.path, file.name)));
const read = (file) => readFileSync(path.join(installed, file), "utf8");
const manifest = JSON.parse(read("package.json"));

/** What a program of the scratch project prints, as JSON; no warning may come with it. */
async function run(source, type = "module") {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [`--input-type=${type}`, "-e", source], { cwd: project, timeout: 20_000 });
  return { result: JSON.parse(stdout), stderr };
}

test("it holds what it needs and nothing else", () => {
  assert.deepEqual(files.filter((file) => file.endsWith(".wasm")).sort(), ["auth_sessions.wasm", "auth_sessions_edge.wasm"]);
  for (const needed of ["package.json", "index.js", "index.d.ts", "sbom.cdx.json"]) assert.ok(files.includes(needed), needed);
  for (const file of files) assert.match(file, /^(package\.json|sbom\.cdx\.json|[A-Z]+\.md|docs\/(images\/)?[\w-]+\.(md|png|svg|webp)|LICENSE[-A-Z.]*|[\w./-]+\.(js|d\.ts|wasm))$/);
});

test("its README links to and shows nothing that is not there", () => {
  const named = [...read("README.md").matchAll(/\]\(([\w./-]+)\)|\b(?:src|href)="([\w./-]+)"/g)].map(([, link, attribute]) => link ?? attribute);
  assert.ok(named.some((file) => file.startsWith("docs/images/")));
  for (const file of named) assert.ok(existsSync(path.join(installed, file)), file);
});

test("its manifest", () => {
  assert.equal(manifest.name, "auth-sessions");
  assert.equal(manifest.type, "module");
  // Only that one does something when it is imported: it defines the element.
  assert.deepEqual(manifest.sideEffects, ["./element.js"]);
  assert.equal(manifest.license, "MIT OR Apache-2.0");
  for (const field of ["dependencies", "peerDependencies", "scripts", "bin"]) assert.equal(manifest[field], undefined, field);
});

test("every target of its exports exists", () => {
  const targets = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(targets));
  for (const target of targets(manifest.exports)) assert.ok(files.includes(target.replace("./", "")), target);
  assert.equal(Object.keys(manifest.exports["."])[0], "types", "before the rest, or nobody finds them");
  assert.ok(manifest.exports["./package.json"]);
});

test("it says nothing to the console, makes no code from text, and waits for nothing when imported", () => {
  for (const file of files.filter((file) => /\.(m|c)?js$/.test(file))) {
    const text = read(file);
    assert.doesNotMatch(text, /\bconsole\./, file);
    assert.doesNotMatch(text, /\beval\(|new Function\(/, file);
    assert.doesNotMatch(text, /^(?:(?:export )?(?:const|let|var) [^=]+= )?await /m, `${file}: no top-level await`);
  }
});

test("the element: nothing happens on a server, and there is no wasm in it", async () => {
  const { result, stderr } = await run('import * as all from "auth-sessions/element"; console.log(JSON.stringify([Object.keys(all).sort(), Object.keys(all.texts), typeof customElements]))');
  assert.deepEqual(result, [["AuthSessionList", "texts"], ["en", "pl", "de"], "undefined"]);
  assert.equal(stderr, "");
  const text = read("element.js");
  assert.doesNotMatch(text, /WebAssembly|\bfetch\(|innerHTML|insertAdjacentHTML|document\.write|\.style\b|setAttribute\("style/);
});

test("it keeps nothing in the browser's storage", () => {
  for (const file of files.filter((file) => /\.(m|c)?js$/.test(file))) assert.doesNotMatch(read(file), /\b(?:localStorage|sessionStorage|indexedDB|caches)\b/, file);
});

test("it names no path of the machine that built it", () => {
  for (const file of files) assert.doesNotMatch(readFileSync(path.join(installed, file), "latin1"), /\/(?:root|home|Users)\/|\/\.cargo\//, file);
});

test("import and require give the same functions, by name", async () => {
  const names = ["SessionsError", "createAuthVital", "createSessions", "describeDevice"];
  const imported = await run('import * as all from "auth-sessions"; console.log(JSON.stringify(Object.keys(all).sort()))');
  assert.deepEqual(imported, { result: names, stderr: "" });
  const required = await run(
    'const { createSessions, ...all } = require("auth-sessions"); createSessions({ provider: "authvital", baseUrl: "https://a.example.com", token: "t" }).capabilities().then(({ provider }) => console.log(JSON.stringify([provider, ...Object.keys(all).sort()])))',
    "commonjs",
  );
  assert.deepEqual(required.result, ["authvital", ...names.filter((name) => name !== "createSessions")]);
});

test("auth-sessions/monitoring is had by import and require, without WebAssembly, and does nothing by itself", async () => {
  const names = ["auditEvent", "findings", "remember", "subscribe", "watch"];
  const say = "console.log(JSON.stringify(Object.keys(all).sort()))";
  // Without what it would need for anything.
  const bare = "for (const name of ['WebAssembly', 'fetch', 'setTimeout', 'BroadcastChannel', 'crypto']) Object.defineProperty(globalThis, name, { value: undefined });";
  assert.deepEqual(await run(`${bare} const all = await import("auth-sessions/monitoring"); ${say}`), { result: names, stderr: "" });
  assert.deepEqual((await run(`const all = require("auth-sessions/monitoring"); ${say}`, "commonjs")).result, names);
  assert.doesNotMatch(read("monitoring.js"), /WebAssembly|\.wasm/);
});

test("the manifest can be read through the exports; other files can't", async () => {
  const { result } = await run(`
    import manifest from "auth-sessions/package.json" with { type: "json" };
    const inner = await import("auth-sessions/index.js").catch(({ code }) => code);
    process.stdout.write(JSON.stringify([manifest.name, inner]));
  `);
  assert.deepEqual(result, ["auth-sessions", "ERR_PACKAGE_PATH_NOT_EXPORTED"]);
});

test("nothing is compiled before the first call, and then once, however many calls there are at first", async () => {
  const { result } = await run(`
    // Node's own fetch compiles its parser when it is first used.
    await fetch("data:,");
    const counts = [];
    let n = 0;
    for (const name of ["compile", "instantiate", "compileStreaming", "instantiateStreaming"]) {
      const real = WebAssembly[name];
      WebAssembly[name] = (...args) => (n += args[0] instanceof WebAssembly.Module ? 0 : 1, real(...args));
    }
    WebAssembly.Module = new Proxy(WebAssembly.Module, { construct: (Module, args) => (n++, new Module(...args)) });
    const { createSessions, createAuthVital, describeDevice } = await import("auth-sessions");
    counts.push(n);
    const options = { provider: "authvital", baseUrl: "https://a.example.com", token: "t", fetch: async () => Response.json({ sessions: [], count: 0 }) };
    const [a, b] = [createSessions(options), createAuthVital(options).sessions];
    await new Promise((resolve) => setImmediate(resolve));
    await describeDevice("curl/8");
    counts.push(n);
    await Promise.all([a.list(), b.list(), a.capabilities(), b.list(), ...Array.from({ length: 20 }, () => createSessions(options).list())]);
    counts.push(n);
    await a.list();
    counts.push(n);
    process.stdout.write(JSON.stringify(counts));
  `);
  assert.deepEqual(result, [0, 0, 1, 1]);
});

test("a refused compilation is told, and tried again by the next call", async () => {
  const { result } = await run(`
    import { createSessions } from "auth-sessions";
    await fetch("data:,");
    const sessions = createSessions({ provider: "authvital", baseUrl: "https://a.example.com" });
    const { Module } = WebAssembly;
    WebAssembly.Module = class { constructor() { throw new WebAssembly.CompileError("refused"); } };
    const error = await sessions.capabilities().catch((error) => error);
    WebAssembly.Module = Module;
    const { provider } = await sessions.capabilities();
    process.stdout.write(JSON.stringify([error.code, error.cause.message, /wasm-unsafe-eval/.test(error.message), provider]));
  `);
  assert.deepEqual(result, ["internal", "refused", true, "authvital"]);
});

test("after a trap the next call has a fresh instance", async () => {
  const { result } = await run(`
    import { createSessions } from "auth-sessions";
    const { Instance } = WebAssembly;
    let made = 0;
    // The first instance traps in the middle of its second step.
    WebAssembly.Instance = function (module, imports) {
      const { exports } = new Instance(module, imports);
      if (++made > 1) return { exports };
      let steps = 0;
      return { exports: { ...exports, step: (...args) => { if (++steps === 2) throw new WebAssembly.RuntimeError("unreachable"); return exports.step(...args); } } };
    };
    const options = { provider: "authvital", baseUrl: "https://a.example.com", token: "t", fetch: async () => Response.json({ sessions: [], count: 0 }) };
    const sessions = createSessions(options);
    const error = await sessions.get("x").catch((error) => error);
    const { code } = await sessions.get("x").catch((error) => error);
    process.stdout.write(JSON.stringify([error.code, error.cause instanceof WebAssembly.RuntimeError, code, made]));
  `);
  assert.deepEqual(result, ["internal", true, "not_found", 2]);
});

test("memory that an enormous answer took is given back", async () => {
  const { result } = await run(`
    import { createSessions } from "auth-sessions";
    const { Instance } = WebAssembly;
    const memories = [];
    WebAssembly.Instance = function (module) {
      const instance = new Instance(module);
      memories.push(instance.exports.memory);
      return instance;
    };
    const many = { message: "no", errors: Array(3_000_000).fill(1) };
    const sessions = createSessions({ provider: "authvital", baseUrl: "https://a.example.com", token: "t", fetch: async () => Response.json(many, { status: 422 }) });
    const { code, details } = await sessions.list().catch((error) => error);
    await sessions.capabilities();
    process.stdout.write(JSON.stringify([code, details, memories.length, memories[0].buffer.byteLength > 64 * 1024 * 1024, memories[1].buffer.byteLength < 4 * 1024 * 1024]));
  `);
  assert.deepEqual(result, ["rejected", null, 2, true, true]);
});

test("creating a client does nothing, not even with wrong options", async () => {
  for (const options of [undefined, null, {}, { provider: "nobody" }]) {
    await fails(createSessions(options).capabilities(), "invalid_options");
  }
  await fails(createSessions({ provider: { list: {}, revoke: {} }, baseUrl: "https://a.example.com" }).list(), "invalid_options");
});

test("createAuthVital gives the same sessions object", async () => {
  const config = { baseUrl: "https://a.example.com" };
  const { sessions } = createAuthVital(config);
  assert.deepEqual(Object.keys(sessions), Object.keys(createSessions({ provider: "authvital", ...config })));
  assert.equal((await sessions.capabilities()).provider, "authvital");
  const { list } = sessions;
  assert.equal((await fails(list(), "unauthenticated")).operation, "list", "methods can be taken off the object");
});

test("a later change of the options object changes nothing", async () => {
  const options = { provider: "authvital", baseUrl: "https://a.example.com", token: "t" };
  const sessions = createSessions(options);
  options.provider = "nobody";
  assert.equal((await sessions.capabilities()).provider, "authvital");
});

test("describeDevice", async () => {
  for (const [agent, label, kind] of [
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "Chrome on macOS", "desktop"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1", "Safari on iPhone", "mobile"],
    ["Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1", "Safari on iPad", "tablet"],
    ["Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:151.0) Gecko/20100101 Firefox/151.0", "Firefox on Linux", "desktop"],
    ["Gmail/6.0.250210 CFNetwork/3826.400.120 Darwin/24.3.0", "Gmail app on iOS", "app"],
    ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Bot", "bot"],
    ["curl/8.5.0", "curl", "app"],
  ]) {
    const device = await describeDevice(agent);
    assert.deepEqual([device.label, device.kind], [label, kind]);
    assert.deepEqual(Object.keys(device), ["label", "browser", "os", "kind"]);
  }
  for (const unknown of [null, "", "something else", "\0".repeat(100_000), "e x ".repeat(25_000), "\uD800"]) {
    const device = await describeDevice(unknown);
    assert.deepEqual([device.browser, device.os, device.kind], [null, null, "unknown"]);
  }
  for (const wrong of [undefined, 1, {}, ["curl"]]) assert.equal((await fails(describeDevice(wrong), "invalid_argument")).operation, "describeDevice");
});

test("SessionsError is a class that applications can use", () => {
  const error = new SessionsError({ message: "m", code: "network" });
  assert.ok(error instanceof Error);
  assert.equal(`${error}`, "SessionsError: m");
  assert.deepEqual([error.provider, error.operation, error.status, error.retryAfter, error.transient, error.cause], [null, null, null, null, false, undefined]);
});
