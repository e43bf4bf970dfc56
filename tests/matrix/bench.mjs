// Cold starts beside plain fetch, in one run: `cargo xtask bench`. Timings here are noisy; the ratios are what counts.
//
//     node tests/matrix/bench.mjs [RUNS]        env PACKAGE_TARBALL, SANDBOX_BIN, CHROMIUM
//
// Chromium: from the first script of a page to the sessions in hand, in a fresh context each time. workerd: from the start of the program to the first answer of the
// handler, and the answers after it. The rows are run in turns, and medians are compared.
import { build } from "esbuild";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { Browsers } from "./browsers.mjs";
import { NEWEST, workerd } from "./runtimes.mjs";
import { folderOf, freePorts, installed, makeProject, serve, servePages, target, within, work } from "./support.mjs";
import { Sandbox } from "./verify.mjs";

const { PACKAGE_TARBALL, SANDBOX_BIN } = process.env;
if (!PACKAGE_TARBALL || !SANDBOX_BIN) throw new Error("set PACKAGE_TARBALL and SANDBOX_BIN; `cargo xtask bench` does");
const RUNS = Number(process.argv[2] ?? 15);
/** Answers after the first, in one run. */
const WARM = 100;

await makeProject(path.resolve(PACKAGE_TARBALL));
const [port] = await freePorts(1, 4880);
const { url: sandboxUrl } = await serve(path.resolve(SANDBOX_BIN), ["--db", path.join(work, "bench.sqlite3"), "--reset", "--listen", "127.0.0.1:0", "--allow-origin", `http://127.0.0.1:${port}`], { cwd: work });
const job = await new Sandbox(sandboxUrl).job();

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
/** Ten in a hundred are below the first, and above the second. */
const spread = (numbers) => [0.1, 0.9].map((share) => numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * share)]);

/** Runs each of them in turns, after one round that doesn't count. */
async function inTurns(variants, measure) {
  const found = Object.fromEntries(variants.map((name) => [name, []]));
  for (let run = 0; run <= RUNS; run++) {
    for (const name of variants) {
      const measured = await within(60, name, measure(name));
      if (run > 0) found[name].push(measured);
    }
  }
  return found;
}

async function chromium() {
  const pages = path.join(work, "bench-pages");
  for (const [name, entry] of Object.entries({ plain: "./plain.mjs", package: "auth-sessions", slim: "auth-sessions/slim" })) {
    const folder = await folderOf(`bench/${name}`, ["bench/page.js", "bench/plain.mjs"], { "entry.js": `export { createSessions } from "${entry}";\n` });
    const to = path.join(pages, name);
    await build({ entryPoints: [path.join(folder, "page.js")], outdir: to, bundle: true, minify: true, format: "esm", target: "es2022", logLevel: "error" });
    for (const file of ["index.html", "began.js"]) await copyFile(path.join(import.meta.dirname, "fixtures/bench", file), path.join(to, file));
    if (name === "slim") await copyFile(path.join(installed, "auth_sessions.wasm"), path.join(to, "auth_sessions.wasm"));
  }
  const server = await servePages(pages, port, sandboxUrl);
  const browsers = new Browsers();
  const hash = encodeURIComponent(JSON.stringify(job));
  try {
    return await inTurns(["plain", "package", "slim"], async (name) => {
      const context = await (await browsers.get("chromium")).createBrowserContext();
      try {
        const page = await context.newPage();
        await page.goto(`${server.url}/${name}/index.html#${hash}`);
        const took = await (await page.waitForFunction(() => globalThis.took)).jsonValue();
        if (took.sessions < 2) throw new Error("no sessions");
        return took.ms;
      } finally {
        await context.close();
      }
    });
  } finally {
    await browsers.close();
    server.stop();
  }
}

async function inWorkerd() {
  const folders = {};
  for (const [name, entry] of Object.entries({ empty: "./empty.mjs", plain: "./plain.mjs", package: "auth-sessions/edge" })) {
    folders[name] = await folderOf(`bench-workerd/${name}`, ["bench/worker.mjs", "bench/plain.mjs", "bench/empty.mjs"], { "entry.mjs": `export { createSessionsHandler } from "${entry}";\n` });
  }
  const headers = { cookie: `access_token=${job.access}; refresh_token=${job.refresh}` };
  const warm = { empty: [], plain: [], package: [] };
  const cold = await inTurns(["empty", "plain", "package"], async (name) => {
    const server = await workerd(folders[name], NEWEST, { entry: "worker.mjs", bindings: { SANDBOX: sandboxUrl } });
    const ask = async () => {
      const response = await fetch(`${server.url}/api/sessions`, { headers });
      const { sessions } = await response.json();
      if (!response.ok || (name !== "empty" && sessions.length < 2)) throw new Error(`${name}: ${response.status}`);
    };
    try {
      await ask();
      const took = performance.now() - server.began;
      const start = performance.now();
      for (let n = 0; n < WARM; n++) await ask();
      warm[name].push((performance.now() - start) / WARM);
      return took;
    } finally {
      server.stop();
    }
  });
  return { cold, warm };
}

const tables = { "Chromium, first script to first list": await chromium() };
const { cold, warm } = await inWorkerd();
tables["workerd, start of the program to first answer"] = cold;
tables["workerd, an answer after that"] = warm;

const result = {};
for (const [title, found] of Object.entries(tables)) {
  console.log(`\n${title} (${RUNS} runs in turns)`);
  console.log(`  ${"".padEnd(10)}${"median ms".padStart(10)}${"10 to 90 %".padStart(18)}${"ratio".padStart(8)}`);
  result[title] = {};
  for (const [name, numbers] of Object.entries(found)) {
    const [ms, [low, high], ratio] = [median(numbers), spread(numbers), median(numbers) / median(found.plain)];
    result[title][name] = { ms, low, high, ratio };
    console.log(`  ${name.padEnd(10)}${ms.toFixed(2).padStart(10)}${`${low.toFixed(1)} to ${high.toFixed(1)}`.padStart(18)}${ratio.toFixed(2).padStart(8)}`);
  }
}
await mkdir(path.join(target, "bench"), { recursive: true });
await writeFile(path.join(target, "bench/start.json"), `${JSON.stringify(result, null, 2)}\n`);
process.exit();
