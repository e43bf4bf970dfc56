// <auth-session-list> in an app of each framework: rendered on a server, built by Vite from the packed package, and used in Chromium against the sandbox.
//
//     node tests/matrix/frameworks.mjs [FRAMEWORK…]        env PACKAGE_TARBALL, SANDBOX_BIN, CHROMIUM
//
// The apps are fixtures/frameworks; to add one, add a folder there, and how Vite is told of it here.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { Browsers } from "./browsers.mjs";
import { Outcomes, folderOf, freePorts, link, makeProject, serve, servePages, within, withMore, work } from "./support.mjs";
import { Sandbox } from "./verify.mjs";

const { PACKAGE_TARBALL, SANDBOX_BIN } = process.env;
if (!PACKAGE_TARBALL || !SANDBOX_BIN) throw new Error("set PACKAGE_TARBALL and SANDBOX_BIN; `cargo xtask test frameworks` does");

const FRAMEWORKS = {
  react: { modules: ["react", "react-dom"], plugin: async () => (await import("@vitejs/plugin-react")).default() },
  // Otherwise Vue looks for a component of that name.
  vue: { modules: ["vue"], plugin: async () => (await import("@vitejs/plugin-vue")).default({ template: { compilerOptions: { isCustomElement: (tag) => tag === "auth-session-list" } } }) },
  svelte: { modules: ["svelte"], plugin: async () => (await import("@sveltejs/vite-plugin-svelte")).svelte({ configFile: false }) },
};
/** Seconds for the use of one app. */
const LIMIT = 40;

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(FRAMEWORKS);
await makeProject(path.resolve(PACKAGE_TARBALL));
const [port] = await freePorts(1, 4950);
const { url } = await serve(path.resolve(SANDBOX_BIN), ["--db", path.join(work, "frameworks.sqlite3"), "--reset", "--listen", "127.0.0.1:0", "--allow-origin", `http://127.0.0.1:${port}`], { cwd: work });
const sandbox = new Sandbox(url);
const pages = path.join(work, "frameworks-pages");
await mkdir(pages, { recursive: true });
const server = await servePages(pages, port, url);
const browsers = new Browsers();

/** Renders it as a server does, and builds it for browsers. What either warns of is a failure. */
async function built(name) {
  const { modules, plugin } = FRAMEWORKS[name];
  await link(...modules);
  const root = await folderOf(`frameworks/${name}`, [`frameworks/${name}`, "frameworks/account.js", "frameworks/index.html"]);
  const warnings = [];
  const warn = (message) => warnings.push(message);
  const customLogger = { info() {}, warn, warnOnce: warn, error: warn, clearScreen() {}, hasErrorLogged: () => false, hasWarned: false };
  const common = { root, configFile: false, base: "./", logLevel: "warn", customLogger };
  const onServer = path.join(root, "server");
  await build({ ...common, plugins: [await plugin()], build: { ssr: "server.js", outDir: onServer, rollupOptions: { output: { entryFileNames: "server.mjs" } } } });
  const { html } = await import(pathToFileURL(path.join(onServer, "server.mjs")));
  assert.match(await html(), /<auth-session-list[^>]* heading-level="1"[^>]*>/, "rendered on a server");
  await build({ ...common, plugins: [await plugin()], build: { outDir: path.join(pages, name), emptyOutDir: true, modulePreload: { polyfill: false } } });
  assert.deepEqual(warnings, []);
}

async function used(name) {
  const { baseUrl, access, refresh, own, other } = await sandbox.job();
  const profile = await (await browsers.get("chromium")).createBrowserContext();
  const page = await profile.newPage();
  const problems = [];
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  // Looked for from here: what waits within a page waits for its frames, which one that is not in front may not have.
  const inPage = (selector, what = "textContent") =>
    page.evaluate(
      (selector, what) => {
        const root = document.querySelector("auth-session-list")?.shadowRoot;
        const found = root?.querySelector(selector) ?? document.querySelector(selector);
        return what === "click" ? (found?.click(), Boolean(found)) : (found?.[what] ?? null);
      },
      selector,
      what,
    );
  const until = async (selector, text) => {
    for (let seen; (seen = await inPage(selector)) === null || (text && seen !== text); ) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const press = async (selector) => assert.ok(await inPage(selector, "click"), `there is no ${selector}`);
  const use = async () => {
    await page.goto(`${server.url}/${name}/index.html#${encodeURIComponent(JSON.stringify({ baseUrl, token: access, refreshToken: refresh }))}`);
    await until(`li[data-id="${own}"] .badge`);
    assert.equal(await inPage("h1"), "Where you are signed in", "a property that is an object");
    const rows = (await sandbox.rows()).filter(({ state }) => state === "active");
    for (const { id } of rows) await until(`li[data-id="${id}"]`);
    await press(`button[data-action="revoke"][data-id="${other}"]`);
    await until("dialog[open]");
    await press('dialog button[value="confirmed"]');
    await until("#ended", "1 ended");
    assert.notEqual(await sandbox.ended(other), null);
    await press('button[data-action="logout"]');
    await until("#after", "You’ve been signed out.");
    assert.notEqual(await sandbox.ended(own), null);
    assert.deepEqual(problems, []);
  };
  try {
    await within(LIMIT, name, use());
  } catch (error) {
    const shown = await page.evaluate(() => document.querySelector("auth-session-list")?.shadowRoot?.textContent ?? document.body.textContent).catch(String);
    throw withMore(error, [...problems, shown].join("\n"));
  } finally {
    await profile.close();
  }
}

const outcomes = new Outcomes();
for (const name of names) {
  await outcomes.of(name, async () => {
    await built(name);
    await used(name);
    return "rendered on a server, built, used";
  });
}
await browsers.close();
server.stop();
await outcomes.end("frameworks.json");
