// The fault matrix: every operation of every back-end × every fault of the sandbox × runtimes. Each call has to settle, with the code that the fault stands for. All that comes out of
// it (errors, results, hook events, URLs, abort reasons, what the runtime logs) is searched for all that is secret.
//
//     node tests/matrix/faults.mjs [RUNTIME…]        env PACKAGE_TARBALL, SANDBOX_BIN, CHROMIUM
//
// The cases are made of the tables in fixtures/faults/faults.mjs, which runs in each of the runtimes. Better Auth's real server has no faults of its own: they are played in front of it.
import { build } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { Browsers } from "./browsers.mjs";
import { faulty } from "./faulty.mjs";
import { NEWEST, workerd } from "./runtimes.mjs";
import { CannotRun, folderOf, here, makeProject, serve, target, within, work } from "./support.mjs";

const { PACKAGE_TARBALL, SANDBOX_BIN } = process.env;
if (!PACKAGE_TARBALL || !SANDBOX_BIN) throw new Error("set PACKAGE_TARBALL and SANDBOX_BIN; `cargo xtask test faults` does");
const WIRES = ["authvital", "authvital-g2", "rest", "ksef", "clerk", "better-auth"];
/** Seconds for the cases of one back-end in one runtime. */
const LIMIT = 240;

await makeProject(path.resolve(PACKAGE_TARBALL));
const folder = await folderOf("faults", ["faults/faults.mjs", "faults/search.mjs", "faults/page.js", "faults/worker.mjs"], { "entry.js": 'export * from "auth-sessions";\n', "entry.mjs": 'export * from "auth-sessions";\n' });
const pages = path.join(work, "faults-page");
await build({ entryPoints: [path.join(folder, "page.js")], outdir: pages, bundle: true, format: "esm", target: "es2022", logLevel: "error" });
await writeFile(path.join(pages, "index.html"), '<!doctype html><meta charset="utf-8"><title>faults</title><script type="module" src="page.js"></script>\n');
// Each its own: sessions of one don't disturb the other.
const sandbox = (name) => serve(path.resolve(SANDBOX_BIN), ["--db", path.join(work, `faults-${name}.sqlite3`), "--reset", "--listen", "127.0.0.1:0", "--page", pages], { cwd: work });
const betterAuth = await serve(process.execPath, [path.join(here, "../better-auth/server.mjs"), "--port", 0], { cwd: work });
const inFront = await faulty(betterAuth.url);
const basesOf = ({ url }) => ({ sandbox: url, "better-auth": inFront.url });
const browsers = new Browsers();

/** Each gives the functions of the fixture, and what its program said since the last time. */
const RUNTIMES = {
  async node() {
    const bases = basesOf(await sandbox("node"));
    const [fixture, api] = await Promise.all(["faults.mjs", "entry.mjs"].map((file) => import(pathToFileURL(path.join(folder, file)))));
    // What is said here goes through `console`, which the fixture watches.
    return { faults: (wires) => fixture.faults(api, bases, wires, { inspect }), selfTest: () => fixture.selfTest(api, bases), lookAround: fixture.lookAround, said: () => [] };
  },
  async workerd() {
    const bases = basesOf(await sandbox("workerd"));
    const worker = await workerd(folder, NEWEST, { entry: "worker.mjs" });
    const ask = async (...call) => (await fetch(worker.url, { method: "POST", body: JSON.stringify(call) })).json();
    let seen = 0;
    const said = () => worker.output().slice(seen, (seen = worker.output().length)).split("\n").filter(Boolean);
    return { faults: (wires) => ask("faults", bases, wires), selfTest: () => ask("selfTest", bases), lookAround: (texts) => ask("lookAround", texts), said };
  },
  async chromium() {
    // The page is the sandbox's own: other origins may not send the header that asks for a fault.
    const server = await sandbox("chromium");
    const page = await (await browsers.get("chromium")).newPage();
    const lines = [];
    page.on("console", (message) => lines.push(`${message.text()} ${message.location().url ?? ""}`)).on("pageerror", (error) => lines.push(`${error?.stack ?? error}`));
    await page.goto(`${server.url}/index.html`);
    await page.waitForFunction(() => globalThis.matrix);
    const ask = (name, ...args) => page.evaluate((name, args) => globalThis.matrix[name](...args), name, args);
    const bases = basesOf(server);
    return { faults: (wires) => ask("faults", bases, wires), selfTest: () => ask("selfTest", bases), lookAround: (texts) => ask("lookAround", texts), said: () => lines.splice(0) };
  },
};

const only = process.argv.slice(2);
const results = {};
const wrong = [];
const add = (to, name, { searched, found }) => (to[name] = { searched: (to[name]?.searched ?? 0) + searched, found: (to[name]?.found ?? 0) + found });
for (const [name, start] of Object.entries(RUNTIMES).filter(([name]) => only.length === 0 || only.includes(name))) {
  const began = Date.now();
  const result = (results[name] = { cases: 0, right: 0, seconds: 0, codes: {}, planted: 0, searched: {} });
  try {
    const { faults, selfTest, lookAround, said } = await start();
    const { planted, missed } = await within(LIMIT, `${name}, the search`, selfTest());
    result.planted = planted;
    wrong.push(...missed.map((one) => `${name}: the search does not find a secret in: ${one}`));
    said();
    for (const wire of WIRES) {
      const { cases, wrong: these, codes, searched } = await within(LIMIT, `${name}, ${wire}`, faults([wire]));
      result.cases += cases;
      result.right += cases - these.length;
      for (const [code, n] of Object.entries(codes)) result.codes[code] = (result.codes[code] ?? 0) + n;
      for (const [where, figures] of Object.entries(searched)) add(result.searched, where, figures);
      add(result.searched, "the runtime's own log", await within(LIMIT, `${name}, its log`, lookAround(said())));
      wrong.push(...these.map((one) => `${name}: ${one}`));
    }
    for (const [where, { found }] of Object.entries(result.searched)) if (found > 0) wrong.push(`${name}: ${found} strings in ${where} show a secret`);
  } catch (error) {
    if (!(error instanceof CannotRun)) wrong.push(`${name}: ${error.message}`);
    else result.cannot = error.message;
  }
  result.seconds = Math.round((Date.now() - began) / 1000);
  const { cases, right, seconds, codes, planted, cannot } = result;
  console.log(cannot ? `${name}: cannot run here: ${cannot}` : `${name}: ${right} of ${cases} cases as expected, in ${seconds} s: ${Object.entries(codes).map(([code, n]) => `${code} ${n}`).join(", ")}; ${planted} secrets planted`);
}
await browsers.close();
inFront.stop();

const ran = Object.keys(results).filter((name) => !results[name].cannot);
const rows = [...new Set(ran.flatMap((name) => Object.keys(results[name].searched)))];
console.log(`\nstrings searched for secrets, and how many show one:\n${"".padEnd(24)}${ran.map((name) => name.padStart(16)).join("")}`);
for (const where of rows) console.log(`${where.padEnd(24)}${ran.map((name) => { const { searched = 0, found = 0 } = results[name].searched[where] ?? {}; return `${searched}: ${found}`.padStart(16); }).join("")}`);
const sum = (name, figure) => Object.values(results[name].searched).reduce((all, figures) => all + figures[figure], 0);
console.log(`${"all".padEnd(24)}${ran.map((name) => `${sum(name, "searched")}: ${sum(name, "found")}`.padStart(16)).join("")}\n`);
await mkdir(path.join(target, "artifacts"), { recursive: true });
await writeFile(path.join(target, "artifacts/faults.json"), `${JSON.stringify(results, null, 2)}\n`);
for (const one of wrong.slice(0, 60)) console.log(`  ${one}`);
if (wrong.length > 60) console.log(`  and ${wrong.length - 60} more`);
process.exit(wrong.length > 0 ? 1 : 0);
