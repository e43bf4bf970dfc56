// Several tabs of one browser, and a back-end that counts.
//
// They get a 401 at the same moment, or see that their token is about to run out, and the back-end takes a refresh token that comes twice for theft: exactly one of them may refresh, and nobody is logged out. And they watch the same sessions: one of them polls, the others hear of it, and tabs of another user don't.
//
//     node tests/matrix/tabs.mjs [RUNS] [BROWSER…]        env PACKAGE_TARBALL, SANDBOX_BIN, CHROMIUM, FIREFOX
//
// However the application keeps its tokens, and also where there are no Web Locks. The sandbox counts.
import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { Browsers } from "./browsers.mjs";
import { Outcomes, folderOf, freePorts, installed, makeProject, serve, servePages, within, work } from "./support.mjs";
import { Sandbox } from "./verify.mjs";

const { PACKAGE_TARBALL, SANDBOX_BIN } = process.env;
if (!PACKAGE_TARBALL || !SANDBOX_BIN) throw new Error("set PACKAGE_TARBALL and SANDBOX_BIN; `cargo xtask test tabs` does");
const RUNS = Number(process.argv[2] ?? 50);
const names = process.argv.length > 3 ? process.argv.slice(3) : ["chromium", "firefox"];
const TABS = 5;
const WAYS = [{ kept: "fixed", locks: true }, { kept: "memory", locks: true }, { kept: "storage", locks: true }, { kept: "memory", locks: false }];
for (const way of [...WAYS]) WAYS.push({ ...way, early: true });

await makeProject(path.resolve(PACKAGE_TARBALL));
const { createSessions } = await import(pathToFileURL(path.join(installed, "index.js")));
const [port] = await freePorts(1, 4930);
const { url } = await serve(path.resolve(SANDBOX_BIN), ["--db", path.join(work, "tabs.sqlite3"), "--reset", "--listen", "127.0.0.1:0", "--allow-origin", `http://127.0.0.1:${port}`], { cwd: work });
const sandbox = new Sandbox(url);
const folder = await folderOf("tabs", ["tabs/page.js"], { "entry.js": 'export * from "auth-sessions";\nexport * from "auth-sessions/monitoring";\n' });
const pages = path.join(work, "tabs-pages");
await build({ entryPoints: [path.join(folder, "page.js")], outdir: pages, bundle: true, format: "esm", target: "es2022", logLevel: "error" });
await copyFile(path.join(import.meta.dirname, "fixtures/tabs/index.html"), path.join(pages, "index.html"));
const server = await servePages(pages, port, url);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function openTabs(profile, count) {
  return Promise.all(Array.from({ length: count }, async () => {
    const page = await profile.newPage();
    await page.goto(`${server.url}/index.html`);
    while (!await page.evaluate(() => Boolean(globalThis.go))) await pause(20);
    return page;
  }));
}

async function refreshTogether(browsers, name) {
  const profile = await (await browsers.get(name)).createBrowserContext();
  const tabs = await openTabs(profile, TABS);
  let latest = 0;
  for (let run = 0; run < RUNS; run++) {
    const way = WAYS[run % WAYS.length];
    const { baseUrl, refresh } = await sandbox.job();
    const access = "not-good-any-more";
    await tabs[0].evaluate((pair) => Object.assign(localStorage, pair), { access, refresh });
    await sandbox.forget();
    const start = Date.now();
    const inAll = (work, job) => within(60, `${name}, run ${run}`, Promise.all(tabs.map((page) => page.evaluate(work, job))));
    await inAll((pair) => globalThis.sees(pair), { refresh });
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

const LIST = "GET /authvital/oauth/sessions";

async function watchTogether(browsers, name) {
  const profile = await (await browsers.get(name)).createBrowserContext();
  const [job, theirs] = [await sandbox.job(), await sandbox.job("other@example.com")];
  const [tabs, strangers] = [await openTabs(profile, TABS), await openTabs(profile, 2)];
  const clientOf = ({ baseUrl, access }) => createSessions({ provider: "authvital", baseUrl, token: access });
  const follow = (pages, job) => Promise.all(pages.map((page) => page.evaluate((job) => (globalThis.show("visible"), globalThis.follow(job)), job)));
  const told = (page) => page.evaluate(() => globalThis.told);
  const posted = (page) => page.evaluate(() => globalThis.posted);
  const hear = async (pages, type, id) => within(30, `${name}: ${type} in every tab`, Promise.all(pages.map(async (page) => {
    while (!(await told(page)).some((one) => one[0] === type && (id === undefined || one[1] === id))) await pause(50);
  })));
  /** How often was asked while the tabs went through that, and how often a single tab would have. */
  const counted = async (run) => {
    await sandbox.forget();
    const start = Date.now();
    await run();
    return [await sandbox.asked(LIST), (Date.now() - start) / 1000];
  };

  await sandbox.forget();
  await follow(tabs, job);
  while (await sandbox.asked(LIST) < TABS) await pause(20);
  // Whoever came first may be polling for the others already; they are together when one was told by another.
  await within(30, `${name}: one tab polls`, (async () => {
    while (!(await Promise.all(tabs.map(posted))).flat().some((text) => text.includes("list"))) await pause(50);
  })());
  const [polls, seconds] = await counted(async () => {
    await clientOf(job).revoke(job.other);
    await hear(tabs, "removed", job.other);
    await pause(4000);
  });
  assert.ok(polls >= 3 && polls <= seconds + 2, `${name}: ${TABS} tabs asked ${polls} times in ${seconds} s, one a second would be enough`);

  // The tab that polls goes, by being hidden and by being closed: another one goes on.
  const counts = await Promise.all(tabs.map(async (page) => (await posted(page)).length));
  const leader = tabs[counts.indexOf(Math.max(...counts))];
  await leader.evaluate(() => globalThis.show("hidden"));
  const second = await sandbox.job();
  await hear(tabs, "added", second.other);
  assert.equal((await posted(leader)).length - Math.max(...counts) <= 2, true, `${name}: a hidden tab goes on polling`);
  await leader.close();
  const rest = tabs.filter((page) => page !== leader);
  const third = await sandbox.job();
  await hear(rest, "added", third.other);

  // Another user in the same browser at the same time: neither hears of the other's.
  await follow(strangers, theirs);
  await within(30, `${name}: two groups`, (async () => {
    while (!(await Promise.all(strangers.map(posted))).flat().some((text) => text.includes("list"))) await pause(50);
  })());
  await clientOf(theirs).revoke(theirs.other);
  await hear(strangers, "removed", theirs.other);
  await clientOf(job).revoke(third.other);
  await hear(rest, "removed", third.other);
  for (const page of rest) assert.ok(!(await told(page)).some(([, id]) => id === theirs.other || id === theirs.own), `${name}: a tab was told of another user's session`);
  for (const page of strangers) assert.deepEqual(await told(page), [["removed", theirs.other]], `${name}: a tab was told of another user's session`);

  // The session of all: each finds out.
  await clientOf(second).revoke(job.own);
  await hear(rest, "current-revoked");
  const texts = (await Promise.all([...rest, ...strangers].map(posted))).flat().join();
  for (const { access, refresh } of [job, theirs]) for (const token of [access, refresh]) assert.ok(!texts.includes(token), `${name}: a token went over the channel`);
  // When all have stopped nobody asks.
  await Promise.all([...rest, ...strangers].map((page) => page.evaluate(() => globalThis.stop())));
  await pause(200);
  const [after] = await counted(() => pause(2500));
  assert.equal(after, 0, `${name}: somebody goes on polling after the end`);
  await profile.close();
  return `${TABS} tabs that watch asked ${polls} times in ${seconds.toFixed(1)} s, at one a second`;
}

const browsers = new Browsers();
const outcomes = new Outcomes();
for (const name of names) await outcomes.of(name, async () => `${await refreshTogether(browsers, name)}; ${await watchTogether(browsers, name)}`);
await browsers.close();
await outcomes.end("tabs.json");
