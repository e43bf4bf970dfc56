// What the measurements share: the project with everything installed, bundles, places to run apps in, and turns.
import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { CannotRun, endWithRun, installed, project, within } from "../matrix/support.mjs";
import { BackEnd, WIRES } from "./wires.mjs";

const here = import.meta.dirname;
/** The apps and the runner in the project, so that they find the packages as users' code does. */
export const folder = path.join(project, "bench");
export const OURS = "auth-sessions";
export const PEERS = Object.fromEntries(Object.entries(WIRES).map(([wire, { peer }]) => [wire, peer.package]));

/** The one that makes the package. */
const { build, version: esbuildVersion } = createRequire(path.resolve(here, "../../xtask/package.json"))("esbuild");

/** The version of a package in the project, or null. */
export async function version(name) {
  return JSON.parse(await readFile(path.join(project, "node_modules", name, "package.json"), "utf8").catch(() => "{}")).version ?? null;
}

export const toolVersions = async () => ({
  esbuild: esbuildVersion,
  workerd: JSON.parse(await readFile(path.resolve(here, "../matrix/node_modules/workerd/package.json"), "utf8").catch(() => "{}")).version ?? null,
});

/** Puts the peers beside the package; those that aren't there are missed when they are needed. */
export async function prepare() {
  for (const file of ["apps", "runner.mjs", "wires.mjs", "start.mjs", "worker.mjs"]) await cp(path.join(here, file), path.join(folder, file), { recursive: true });
  for (const name of Object.values(PEERS)) {
    const [from, to] = [path.join(here, "node_modules", name), path.join(project, "node_modules", name)];
    if (!existsSync(from)) continue;
    await mkdir(path.dirname(to), { recursive: true });
    await symlink(from, to, "dir");
  }
}

/** The apps for a wire, ours first: `connect` of `module` in the folder. */
export const appsFor = (wire) => {
  const { peer, plain } = WIRES[wire];
  return [
    { name: OURS, module: "apps/auth-sessions.mjs" },
    { name: peer.package, module: `apps/${peer.app}.mjs`, needs: peer.package },
    { name: "plain fetch", module: "apps/plain.mjs", connect: plain },
    { name: "Response.json()", module: "apps/json.mjs" },
  ];
};

function mustHave({ needs }) {
  if (needs && !existsSync(path.join(project, "node_modules", needs))) throw new CannotRun(`${needs} is not installed: \`npm ci --ignore-scripts\` in tests/bench`);
}

/** One app bundled as for production: the files that are downloaded, by name. */
export async function bundle(app, { conditions, outdir = "out", code = appCode(app), write = false } = {}) {
  mustHave(app);
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder, sourcefile: "app.js" }, outdir: path.join(folder, outdir), entryNames: "app", bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", write: false,
    external: ["node:*"], loader: { ".wasm": "file" }, logLevel: "silent", define: { "process.env.NODE_ENV": '"production"' }, conditions,
  }).catch((error) => {
    throw new CannotRun(`esbuild: ${error.errors?.[0]?.text ?? error.message}`);
  });
  const files = new Map(outputFiles.map(({ path: file, contents }) => [path.basename(file), Buffer.from(contents)]));
  // Fetched by its name at run time: esbuild does not see it.
  if (files.size === 1 && files.get("app.js").includes("auth_sessions.wasm")) files.set("auth_sessions.wasm", await readFile(path.join(installed, "auth_sessions.wasm")));
  if (write) {
    await mkdir(path.join(folder, outdir), { recursive: true });
    for (const [name, content] of files) await writeFile(path.join(folder, outdir, name), content);
  }
  return files;
}

const appCode = ({ module, connect = "connect" }) => `export { ${connect} as connect } from "./${module}";`;

// ---------------------------------------------------------------- places to run in

/** A process of Node's with a runner. */
export async function inNode() {
  const child = fork(path.join(folder, "runner.mjs"), { execArgv: ["--expose-gc"], stdio: ["ignore", "ignore", "inherit", "ipc"], env: { PATH: process.env.PATH, NODE_ENV: "production" }, detached: true });
  const stop = endWithRun(child.pid);
  const ask = (what, given) =>
    within(600, `${what} ${given?.name ?? ""} in Node`, new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`Node ended with ${code}`));
      child.once("exit", ended);
      child.once("message", ({ value, error }) => {
        child.off("exit", ended);
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
      child.send([what, given]);
    }));
  return { ask, stop, load: (app) => (mustHave(app), ask("load", { ...app, module: `./${app.module}` })) };
}

/** A page of Chromium's with a runner. */
export async function inChromium(browsers, server) {
  const browser = await browsers.get("chromium");
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const devtools = await page.createCDPSession();
  await bundle({}, { code: 'import "./runner.mjs";', outdir: "pages/runner", write: true });
  await writeFile(path.join(folder, "pages/runner/index.html"), '<!doctype html><script type="module" src="app.js"></script>\n');
  await page.goto(`${server.url}/pages/runner/index.html`);
  await page.waitForFunction(() => globalThis.runner);
  const ask = async (what, given) => {
    await devtools.send("HeapProfiler.collectGarbage");
    return within(600, `${what} ${given?.name ?? ""} in Chromium`, page.evaluate((what, given) => globalThis.runner[what](given), what, given));
  };
  return {
    ask,
    stop: () => context.close(),
    async load(app) {
      const outdir = `pages/runner/${slug(app.name)}-${app.connect ?? "connect"}`;
      await bundle(app, { outdir, write: true });
      await ask("load", { name: app.name, module: `/${outdir}/app.js` });
    },
  };
}

export const slug = (name) => name.replace(/[^a-z]+/gi, "-").replace(/^-|-$/g, "");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** The project's folder and the back-ends with so many sessions each, all of one origin; a wire's is below /wire/, and takes its time in ms. */
export async function serveAll(count, latency = 0) {
  const backEnds = Object.fromEntries(Object.keys(WIRES).map((wire) => [wire, new BackEnd(wire, count)]));
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { pathname } = new URL(request.url, "http://localhost");
    const [, wire, rest] = request.url.match(/^\/([^/]+)(\/.*)$/) ?? [];
    if (backEnds[wire]) {
      const { status, bytes } = backEnds[wire].answer(request.method, rest, Buffer.concat(chunks).toString());
      if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency));
      return response.writeHead(status, bytes ? { "content-type": "application/json" } : {}).end(bytes ?? undefined);
    }
    const file = path.join(folder, pathname);
    const content = file.startsWith(folder + path.sep) && TYPES[path.extname(file)] && (await readFile(file).catch(() => null));
    if (!content) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[path.extname(file)], "cache-control": "no-store" }).end(content);
  });
  await new Promise((resolve, reject) => server.on("error", reject).listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, backEnds, given: (wire) => backEnds[wire].given(`${url}/${wire}`), stop: () => (server.closeAllConnections(), server.close()) };
}

/** The browsers of the other tests, if their library is there. */
export async function browsers() {
  const module = await import("../matrix/browsers.mjs").catch((error) => {
    throw new CannotRun(`the browsers' library is not installed: \`npm ci --ignore-scripts\` in tests/matrix (${error.code})`);
  });
  return new module.Browsers();
}

// ---------------------------------------------------------------- turns

/** Why not, for people. */
const reason = (error) => error.message.split("\n")[0];

/**
 * Runs each variant in turns, after each other one as often (a Williams design: what goes before leaves its mark on the engine's collector), after one round that doesn't count, and gives the numbers of each. One that fails is out, with its reason. Ours has to run: its
 * failure is an error.
 */
export async function inTurns(rounds, variants, measure) {
  const rows = variants.map((variant) => ({ name: variant.name, variant, numbers: [] }));
  for (let round = 0; round <= rounds; round++) {
    const order = rows.map((_, at) => rows[((at % 2 ? rows.length - (at + 1) / 2 : at / 2) + round) % rows.length]);
    // With an odd number of them that takes two ways.
    if (rows.length % 2 && round % 2) order.reverse();
    for (const row of order) {
      if (row.cannot) continue;
      try {
        const measured = await measure(row.variant, round);
        if (round > 0) row.numbers.push(measured);
      } catch (error) {
        if (row.name.startsWith(OURS) && !(error instanceof CannotRun)) throw error;
        row.cannot = reason(error);
      }
    }
  }
  return rows.map(({ variant, ...row }) => row);
}
