// The fault matrix: every operation of every back-end × every fault of the sandbox × runtimes. Each call has to settle, with the code that the fault stands for, and without a
// token in what it says.
//
//     node tests/matrix/faults.mjs        env PACKAGE_TARBALL, SANDBOX_BIN, CHROMIUM
//
// The cases are made of the tables in fixtures/faults/faults.mjs, which runs in each of the runtimes.
import { build } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Browsers } from "./browsers.mjs";
import { NEWEST, workerd } from "./runtimes.mjs";
import { CannotRun, folderOf, makeProject, serve, target, within, work } from "./support.mjs";

const { PACKAGE_TARBALL, SANDBOX_BIN } = process.env;
if (!PACKAGE_TARBALL || !SANDBOX_BIN) throw new Error("set PACKAGE_TARBALL and SANDBOX_BIN; `cargo xtask test faults` does");
const WIRES = ["authvital", "authvital-g2", "rest", "ksef", "clerk"];
/** Seconds for the cases of one back-end in one runtime. */
const LIMIT = 240;

await makeProject(path.resolve(PACKAGE_TARBALL));
const folder = await folderOf("faults", ["faults/faults.mjs", "faults/page.js", "faults/worker.mjs"], { "entry.js": 'export * from "auth-sessions";\n', "entry.mjs": 'export * from "auth-sessions";\n' });
const pages = path.join(work, "faults-page");
await build({ entryPoints: [path.join(folder, "page.js")], outdir: pages, bundle: true, format: "esm", target: "es2022", logLevel: "error" });
await writeFile(path.join(pages, "index.html"), '<!doctype html><meta charset="utf-8"><title>faults</title><script type="module" src="page.js"></script>\n');
// Each its own: sessions of one don't disturb the other.
const sandbox = (name) => serve(path.resolve(SANDBOX_BIN), ["--db", path.join(work, `faults-${name}.sqlite3`), "--reset", "--listen", "127.0.0.1:0", "--page", pages], { cwd: work });
const browsers = new Browsers();

const RUNTIMES = {
  async node() {
    const { url } = await sandbox("node");
    const [{ faults }, api] = await Promise.all(["faults.mjs", "entry.mjs"].map((file) => import(pathToFileURL(path.join(folder, file)))));
    return (wire) => faults(api, url, [wire]);
  },
  async workerd() {
    const { url } = await sandbox("workerd");
    const worker = await workerd(folder, NEWEST, { entry: "worker.mjs", bindings: { SANDBOX: url } });
    return async (wire) => (await fetch(`${worker.url}/?wire=${wire}`)).json();
  },
  async chromium() {
    // The page is the sandbox's own: other origins may not send the header that asks for a fault.
    const { url } = await sandbox("chromium");
    const page = await (await browsers.get("chromium")).newPage();
    await page.goto(`${url}/index.html`);
    await page.waitForFunction(() => globalThis.faults);
    return (wire) => page.evaluate((wire) => globalThis.faults([wire]), wire);
  },
};

const results = {};
const wrong = [];
for (const [name, start] of Object.entries(RUNTIMES)) {
  const began = Date.now();
  try {
    const run = await start();
    const found = { cases: 0, right: 0, counts: {} };
    for (const wire of WIRES) {
      const { cases, wrong: these, counts } = await within(LIMIT, `${name}, ${wire}`, run(wire));
      found.cases += cases;
      found.right += cases - these.length;
      for (const [code, n] of Object.entries(counts)) found.counts[code] = (found.counts[code] ?? 0) + n;
      wrong.push(...these.map((one) => `${name}: ${one}`));
    }
    results[name] = { ...found, seconds: Math.round((Date.now() - began) / 1000) };
  } catch (error) {
    if (!(error instanceof CannotRun)) wrong.push(`${name}: ${error.message}`);
    results[name] = { cases: 0, right: 0, seconds: 0, counts: {}, ...(error instanceof CannotRun && { cannot: error.message }) };
  }
  const { cases, right, seconds, counts, cannot } = results[name];
  console.log(cannot ? `${name}: cannot run here: ${cannot}` : `${name}: ${right} of ${cases} cases as expected, in ${seconds} s: ${Object.entries(counts).map(([code, n]) => `${code} ${n}`).join(", ")}`);
}
await browsers.close();
await mkdir(path.join(target, "artifacts"), { recursive: true });
await writeFile(path.join(target, "artifacts/faults.json"), `${JSON.stringify(results, null, 2)}\n`);
for (const one of wrong.slice(0, 60)) console.log(`  ${one}`);
if (wrong.length > 60) console.log(`  and ${wrong.length - 60} more`);
process.exit(wrong.length > 0 ? 1 : 0);
