// "npm install auth-sessions, then it works": the packed package in every runtime and bundler, for real.
//
//     node tests/matrix/run.mjs [--only ROW…]      a row by its name, or the beginning of it: `--only vite next`
//
// PACKAGE_TARBALL   the package, by `npm pack`
// SANDBOX_BIN       the sandbox, started here with the origins of the pages; default target/debug/sandbox
// SANDBOX_URL       or one that runs already: it has to allow the origins that are printed
// CHROMIUM, FIREFOX the browsers; default Debian's
//
// A row is a runtime or a bundler (`runtimes.mjs`, `examples.mjs`, `bundlers.mjs`, `static.mjs`); a cell is what it does with one entry in one kind of scope. Every cell signs a user in,
// lists, revokes, meets a 401 and logs out; what it says is compared with the sandbox's rows (`verify.mjs`). The table goes to target/artifacts/matrix.json, too.
import { existsSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { bundlerRows } from "./bundlers.mjs";
import { exampleRows } from "./examples.mjs";
import { Browsers } from "./browsers.mjs";
import { runtimeRows } from "./runtimes.mjs";
import { staticRows } from "./static.mjs";
import { CannotRun, freePorts, makeProject, serve, servePages, target, within, work } from "./support.mjs";
import { Sandbox } from "./verify.mjs";

/** The columns: entry and scope. "output" is what a bundler wrote and said, or what a tool says of the package. */
const COLUMNS = { default: "default", worker: "worker", serviceWorker: "service worker", slim: "./slim", edge: "./edge", output: "output" };
/** Seconds for one cell, with whatever is built for it: what it waits for has shorter limits of its own. */
const LIMIT = 360;

const began = Date.now();
const { values, positionals } = parseArgs({ options: { only: { type: "boolean" } }, allowPositionals: true });
const all = [...staticRows, ...runtimeRows, ...exampleRows, ...bundlerRows];
const wanted = values.only ? all.filter(({ name }) => positionals.some((start) => name.startsWith(start))) : all;
if (wanted.length === 0 || (!values.only && positionals.length > 0)) {
  console.error(`usage: node run.mjs [--only ROW…]; the rows are ${all.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const tarball = process.env.PACKAGE_TARBALL && path.resolve(process.env.PACKAGE_TARBALL);
if (!tarball || !existsSync(tarball)) {
  console.error("set PACKAGE_TARBALL to the package, made by `npm pack`");
  process.exit(2);
}

const manifest = await makeProject(tarball);
const ports = await freePorts(4, 4870);
const [pagesPort, vitePort, turbopack, webpack] = ports;
const origins = ports.map((port) => `http://127.0.0.1:${port}`);
const sandbox = new Sandbox(process.env.SANDBOX_URL ?? await startSandbox());
if (process.env.SANDBOX_URL) console.log(`the sandbox at ${sandbox.url} has to allow ${origins.join(", ")}`);
await sandbox.reset();
const { url: pages } = await servePages(path.join(work, "pages"), pagesPort, sandbox.url);
const browsers = new Browsers();
const context = { tarball, manifest, sandbox, browsers, pages, vitePort, nextPorts: { turbopack, webpack } };

// The slow ones first, so that none is left over at the end.
const queue = [...wanted].sort((one, other) => (other.slow ?? 0) - (one.slow ?? 0));
const results = new Map();
// Two at a time, where two is what there is: builds and browsers wait for each other otherwise.
await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, async () => {
  for (let row; (row = queue.shift()); ) results.set(row.name, await runRow(row));
}));
await browsers.close();
process.exit(await summary());

async function startSandbox() {
  const program = path.resolve(process.env.SANDBOX_BIN ?? path.join(target, "debug/sandbox"));
  if (!existsSync(program)) {
    console.error("set SANDBOX_BIN or SANDBOX_URL: there is no target/debug/sandbox (`cargo build -p sandbox`)");
    process.exit(2);
  }
  // A copy: cargo may put another one in its place meanwhile.
  const copy = path.join(work, "sandbox");
  await copyFile(program, copy);
  const args = ["--db", path.join(work, "sandbox.sqlite3"), "--reset", "--listen", "127.0.0.1:0", ...origins.flatMap((origin) => ["--allow-origin", origin])];
  return (await serve(copy, args, { cwd: work })).url;
}

/** The row's cells, one after the other: each `{ state, seconds, reason? }`. */
async function runRow({ name, cells }) {
  const row = { cells: {}, notes: {} };
  const start = Date.now();
  for (const [column, check] of Object.entries(cells)) {
    const since = Date.now();
    const { state, reason } = await outcome(check(context, row.notes));
    const seconds = (Date.now() - since) / 1000;
    row.cells[column] = { state, seconds, reason };
    console.log(`${name}, ${COLUMNS[column]}: ${state} (${seconds.toFixed(1)} s)`);
  }
  row.seconds = (Date.now() - start) / 1000;
  return row;
}

async function outcome(promise) {
  try {
    await within(LIMIT, "the cell", promise);
    return { state: "ok" };
  } catch (error) {
    if (error instanceof CannotRun) return { state: "cannot run here", reason: error.message };
    return { state: "FAILED", reason: ["TypeError", "ReferenceError"].includes(error.name) ? error.stack : error.message };
  }
}

/** Prints the table and the reasons, and writes them down; the exit code. */
async function summary() {
  const rows = wanted.map(({ name }) => [name, results.get(name)]);
  const columns = Object.keys(COLUMNS).filter((column) => rows.some(([, { cells }]) => cells[column]));
  const text = ({ cells, notes, seconds }) => [
    ...columns.map((column) => {
      const { state, seconds } = cells[column] ?? {};
      return state === undefined ? "" : state === "ok" ? `ok ${seconds.toFixed(1)}` : state;
    }),
    seconds.toFixed(1),
    Object.values(notes).map((bytes) => (bytes / 1000).toFixed(1)).join(" / "),
  ];
  const lines = [["", ...columns.map((column) => COLUMNS[column]), "seconds", "KB gzip"], ...rows.map(([name, row]) => [name, ...text(row)])];
  const widths = lines[0].map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  console.log(`\n${lines.map((line) => line.map((text, at) => text.padEnd(widths[at])).join("  ").trimEnd()).join("\n")}`);

  const count = {};
  const reasons = new Map();
  for (const [name, { cells }] of rows) {
    for (const [column, { state, reason }] of Object.entries(cells)) {
      count[state] = (count[state] ?? 0) + 1;
      if (reason) reasons.set(reason, [...(reasons.get(reason) ?? []), `${name}, ${COLUMNS[column]}: ${state}`]);
    }
  }
  for (const [reason, where] of reasons) console.log(`\n${where.join("\n")}\n${reason.replace(/^/gm, "    ")}`);
  const seconds = (Date.now() - began) / 1000;
  console.log(`\n${Object.entries(count).map(([state, n]) => `${n} ${state}`).join(", ")}, in ${seconds.toFixed(0)} s`);
  await mkdir(path.join(target, "artifacts"), { recursive: true });
  await writeFile(path.join(target, "artifacts/matrix.json"), `${JSON.stringify({ package: `${manifest.name} ${manifest.version}`, seconds, rows: Object.fromEntries(rows) }, null, 2)}\n`);
  return count.FAILED ? 1 : 0;
}
