// Several tabs of one browser get a 401 at the same moment, or see that their token is about to run out, and the back-end takes a refresh token that comes twice for theft: exactly one of them may refresh, and nobody is logged out.
//
//     node tests/matrix/tabs.mjs [RUNS] [BROWSER…]        env PACKAGE_TARBALL, SANDBOX_BIN, CHROMIUM, FIREFOX
//
// However the application keeps its tokens, and also where there are no Web Locks. The sandbox counts.
import assert from "node:assert/strict";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { Browsers } from "./browsers.mjs";
import { CannotRun, folderOf, freePorts, makeProject, serve, servePages, target, within, work } from "./support.mjs";
import { Sandbox } from "./verify.mjs";

const { PACKAGE_TARBALL, SANDBOX_BIN } = process.env;
if (!PACKAGE_TARBALL || !SANDBOX_BIN) throw new Error("set PACKAGE_TARBALL and SANDBOX_BIN; `cargo xtask test tabs` does");
const RUNS = Number(process.argv[2] ?? 50);
const names = process.argv.length > 3 ? process.argv.slice(3) : ["chromium", "firefox"];
const TABS = 5;
const WAYS = [{ kept: "fixed", locks: true }, { kept: "memory", locks: true }, { kept: "storage", locks: true }, { kept: "memory", locks: false }];
for (const way of [...WAYS]) WAYS.push({ ...way, early: true });

await makeProject(path.resolve(PACKAGE_TARBALL));
const [port] = await freePorts(1, 4930);
const { url } = await serve(path.resolve(SANDBOX_BIN), ["--db", path.join(work, "tabs.sqlite3"), "--reset", "--listen", "127.0.0.1:0", "--allow-origin", `http://127.0.0.1:${port}`], { cwd: work });
const sandbox = new Sandbox(url);
const folder = await folderOf("tabs", ["tabs/page.js"], { "entry.js": 'export * from "auth-sessions";\n' });
const pages = path.join(work, "tabs-pages");
await build({ entryPoints: [path.join(folder, "page.js")], outdir: pages, bundle: true, format: "esm", target: "es2022", logLevel: "error" });
await copyFile(path.join(import.meta.dirname, "fixtures/tabs/index.html"), path.join(pages, "index.html"));
const server = await servePages(pages, port, url);

async function inBrowser(browsers, name) {
  const profile = await (await browsers.get(name)).createBrowserContext();
  const tabs = await Promise.all(Array.from({ length: TABS }, async () => {
    const page = await profile.newPage();
    await page.goto(`${server.url}/index.html`);
    while (!await page.evaluate(() => Boolean(globalThis.go))) await new Promise((resolve) => setTimeout(resolve, 20));
    return page;
  }));
  let latest = 0;
  for (let run = 0; run < RUNS; run++) {
    const way = WAYS[run % WAYS.length];
    const { baseUrl, refresh } = await sandbox.job();
    const access = "not-good-any-more";
    await tabs[0].evaluate((pair) => Object.assign(localStorage, pair), { access, refresh });
    await sandbox.forget();
    const start = Date.now();
    const inAll = (work, job) => within(60, `${name}, run ${run}`, Promise.all(tabs.map((page) => page.evaluate(work, job))));
    await inAll((job) => globalThis.prepare(job), { ...way, baseUrl, access, refresh });
    const ends = await inAll(() => globalThis.go());
    latest = Math.max(latest, Date.now() - start);
    const about = `${name}, run ${run}, ${JSON.stringify(way)}: ${JSON.stringify(ends)}`;
    assert.deepEqual(ends.filter(({ error }) => error), [], about);
    assert.equal(await sandbox.asked("POST /authvital/oauth/token"), way.early ? 2 : 1, about);
    assert.deepEqual((await sandbox.rows()).filter(({ ended_by }) => ended_by === "replay"), [], about);
  }
  // One that waits for another's refresh can give up.
  const { baseUrl, refresh } = await sandbox.job();
  const lock = `auth-sessions ${baseUrl}`;
  await sandbox.forget();
  await tabs[0].evaluate((name) => globalThis.hold(name), lock);
  // Tabs behind others have slow timers.
  await tabs[1].bringToFront();
  const wrong = await within(60, `${name}, giving up`, tabs[1].evaluate((job, name) => globalThis.giveUp(job, name), { baseUrl, access: "not-good-any-more", refresh }, lock));
  assert.deepEqual(wrong, [], `${name}, giving up`);
  assert.equal(await sandbox.asked("POST /authvital/oauth/token"), 0, "a refresh token was sent by a tab whose turn it was not");
  await tabs[0].evaluate(() => globalThis.release());
  await profile.close();
  return `${RUNS} runs of ${TABS} tabs: no refresh too many, nobody logged out; the longest took ${latest} ms; waiting for another's can be given up`;
}

const browsers = new Browsers();
const results = {};
let failed = false;
for (const name of names) {
  try {
    results[name] = await inBrowser(browsers, name);
  } catch (error) {
    const cannot = error instanceof CannotRun;
    results[name] = cannot ? `cannot run here: ${error.message}` : `FAILED: ${error.message}`;
    failed ||= !cannot;
  }
  console.log(`${name}: ${results[name]}`);
}
await browsers.close();
await mkdir(path.join(target, "artifacts"), { recursive: true });
await writeFile(path.join(target, "artifacts/tabs.json"), `${JSON.stringify(results, null, 2)}\n`);
process.exit(failed ? 1 : 0);
