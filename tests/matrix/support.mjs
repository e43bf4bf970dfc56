// What the rows share: where things lie, child processes that end with the run, deadlines, the project that has the package installed, and the page server.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

export const here = import.meta.dirname;
export const target = path.resolve(here, "../../target");
export const fixtures = path.join(here, "fixtures");
/** Everything that a run makes; it stays to be looked at until a later run clears up. Several runs at once don't meet. */
export const work = path.join(target, "matrix", String(process.pid));
/** A project with the tarball in its node_modules. What is run or bundled lies in folders of it, so it finds the package as users' code does. */
export const project = path.join(work, "project");
export const installed = path.join(project, "node_modules/auth-sessions");

/** This can't be done on this machine: not the package's fault, and said as such. */
export class CannotRun extends Error {}

/** The error, with what else is known. */
export const withMore = (error, more) => (error instanceof CannotRun || !more.trim() ? error : new Error(`${error.message}\n${more.trim()}`, { cause: error }));

/** What came of the parts of a script, by name: printed, kept as an artifact, and in the end the script's exit code. What cannot run here has not failed. */
export class Outcomes {
  #results = {};
  #failed = false;

  /** Runs a part; `say` puts what it gives into words. */
  async of(name, run, say = String) {
    try {
      this.#results[name] = await run();
      console.log(`${name}: ${say(this.#results[name])}`);
    } catch (error) {
      const cannot = error instanceof CannotRun;
      this.#failed ||= !cannot;
      console.log(`${name}: ${(this.#results[name] = cannot ? `cannot run here: ${error.message}` : `FAILED: ${error.message}`)}`);
    }
  }

  async end(file) {
    await mkdir(path.join(target, "artifacts"), { recursive: true });
    await writeFile(path.join(target, "artifacts", file), `${JSON.stringify(this.#results, null, 2)}\n`);
    process.exit(this.#failed ? 1 : 0);
  }
}

// ---------------------------------------------------------------- time and children

/** The promise's outcome, or a failure that says what took too long. */
export async function within(seconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what}: nothing after ${seconds} s`)), seconds * 1000)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const groups = new Set();

/** A process that is ended with the run, its own children too. */
export function endWithRun(pid) {
  groups.add(pid);
  return () => {
    if (!groups.delete(pid)) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  };
}

process.on("exit", () => [...groups].forEach((pid) => endWithRun(pid)()));
for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1 })) process.on(signal, () => process.exit(128 + number));

/** Starts a program: `output()` is what it said so far, `ended` its exit code, `stop()` ends it. Of the environment it gets what programs need, and no more. */
export function start(command, args, { cwd = project, env = {} } = {}) {
  const { PATH, LANG, TMPDIR } = process.env;
  const home = path.join(work, "home");
  const child = spawn(command, args.map(String), {
    cwd,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH, LANG, TMPDIR, HOME: home, DENO_DIR: path.join(home, "deno"), DENO_NO_UPDATE_CHECK: "1", NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1", ...env },
  });
  const stop = child.pid === undefined ? () => {} : endWithRun(child.pid);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = new Promise((resolve, reject) => {
    child.on("error", (error) => reject(error.code === "ENOENT" ? new CannotRun(`${command} is not installed`) : error));
    child.on("close", (code, signal) => {
      stop();
      resolve(code ?? signal);
    });
  });
  ended.catch(() => {});
  return { output: () => said, ended, stop };
}

/** Runs a program to its end; what it said, or a failure with that. */
export async function run(seconds, command, args, options) {
  const child = start(command, args, options);
  try {
    const code = await within(seconds, path.basename(command), child.ended);
    if (code !== 0) throw new Error(`${path.basename(command)} ended with ${code}`);
    return child.output();
  } catch (error) {
    throw withMore(error, child.output());
  } finally {
    child.stop();
  }
}

/** Starts a server and waits until it says where it listens; `ready` finds the address in its output. */
export async function serve(command, args, options = {}) {
  const { ready = /listening on (http:\S+)/i, seconds = 30 } = options;
  const began = performance.now();
  const child = start(command, args, options);
  const listening = async () => {
    for (;;) {
      const [, url] = child.output().match(ready) ?? [];
      if (url) return url;
      const code = await Promise.race([child.ended, new Promise((resolve) => setTimeout(resolve, 20))]);
      if (code !== undefined) throw new Error(`${path.basename(command)} ended with ${code}`);
    }
  };
  try {
    return { url: await within(seconds, `${path.basename(command)} to listen`, listening()), began, output: child.output, stop: child.stop };
  } catch (error) {
    child.stop();
    throw withMore(error, child.output());
  }
}

// ---------------------------------------------------------------- programs from npm

const require = createRequire(import.meta.url);

/** A file of a package in node_modules; the packages' own `exports` don't count. */
export function modules(file) {
  const found = path.join(here, "node_modules", file);
  if (!existsSync(found)) throw new CannotRun(`${file} is not installed: \`npm ci --ignore-scripts\` in tests/matrix`);
  return found;
}

/**
 * The program in a package for this platform. The packages around those put it in its place by a script, and none is run here; npm installs what their
 * `optionalDependencies` have for this platform, and no others.
 */
export function binary(name, file) {
  const { optionalDependencies } = require(modules(`${name}/package.json`));
  const found = Object.keys(optionalDependencies).map((platform) => path.join(here, "node_modules", platform, file)).find(existsSync);
  if (!found) throw new CannotRun(`${name} has no program for ${process.platform} on ${process.arch}`);
  return found;
}

// ---------------------------------------------------------------- the project

function isRunning(pid) {
  try {
    return process.kill(pid, 0) && pid !== process.pid;
  } catch {
    return false;
  }
}

/** Makes the project, with the tarball installed as users do. */
export async function makeProject(tarball) {
  for (const earlier of await readdir(path.dirname(work)).catch(() => [])) {
    if (/^\d+$/.test(earlier) && !isRunning(Number(earlier))) await rm(path.join(path.dirname(work), earlier), { recursive: true, force: true });
  }
  await mkdir(path.join(work, "home"), { recursive: true });
  await mkdir(project, { recursive: true });
  await writeFile(path.join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  await run(60, "npm", ["install", tarball, "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--no-save", "--silent"]);
  return JSON.parse(await readFile(path.join(installed, "package.json"), "utf8"));
}

/** Other packages that the project depends on. */
export async function link(...names) {
  for (const name of names) {
    const place = path.join(project, "node_modules", name);
    await mkdir(path.dirname(place), { recursive: true });
    await symlink(modules(name), place, "dir").catch((error) => error.code === "EEXIST" || Promise.reject(error));
  }
}

/** A folder of the project with some of the fixtures, and these files besides. */
export async function folderOf(name, sources, files = {}) {
  const folder = path.join(project, name);
  await mkdir(folder, { recursive: true });
  for (const source of ["scenario.mjs", ...sources]) {
    const from = path.join(fixtures, source);
    await cp(from, source.includes(".") ? path.join(folder, path.basename(source)) : folder, { recursive: true });
  }
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  return folder;
}

/** All files in a folder, by their paths in it. */
export async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)));
}

// ---------------------------------------------------------------- pages

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** What the README promises: nothing but 'wasm-unsafe-eval' is needed. An import map can't be a file of its own, so it goes by its hash. */
export function policy(connect, html = "") {
  const [, map] = html.match(/<script type="importmap">(.*?)<\/script>/s) ?? [];
  const hash = map === undefined ? "" : ` 'sha256-${createHash("sha256").update(map).digest("base64")}'`;
  return `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'${hash}; worker-src 'self'; connect-src 'self' ${connect}; img-src data:`;
}

/** Serves a folder at that port, strictly; `connect` is an origin that the pages may call. Below /no-wasm/ the same with a policy that does not allow WebAssembly. */
export async function servePages(folder, port, connect) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const name = pathname.replace(/^\/no-wasm\//, "/");
    const file = path.join(folder, name.endsWith("/") ? `${name}index.html` : name);
    const type = TYPES[path.extname(file)];
    if (!file.startsWith(folder + path.sep) || !type || !existsSync(file)) return response.writeHead(404).end();
    const content = await readFile(file);
    const allowed = policy(connect, type === "text/html" ? content.toString() : "");
    response.writeHead(200, { "content-type": type, "cache-control": "no-store", "content-security-policy": name === pathname ? allowed : allowed.replace(" 'wasm-unsafe-eval'", "") });
    response.end(content);
  });
  await new Promise((resolve, reject) => server.on("error", reject).listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${port}`, stop: () => (server.closeAllConnections(), server.close()) };
}

/** As many free ports, from that one on. */
export async function freePorts(count, first) {
  const found = [];
  for (let port = first; found.length < count; port++) {
    const free = await new Promise((resolve) => {
      const probe = createServer().on("error", () => resolve(false)).listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (free) found.push(port);
    if (port > first + 200) throw new CannotRun(`no free ports from ${first} on`);
  }
  return found;
}
