// Rows of pages: without a bundler, one row for each bundler (how they are called is in `build.mjs`), and Vite's and Next's servers.
import assert from "node:assert/strict";
import { copyFile, cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { filesIn, fixtures, folderOf, here, installed, link, modules, policy, project, run, serve, target, work } from "./support.mjs";
import { checkHandler, checkScenario } from "./verify.mjs";

const PAGE = ["index.html", "page.js", "scopes.js", "worker.js", "sw.js"].map((file) => `browser/${file}`);

/** What a module of a page says to get an entry. */
const ENTRIES = { default: 'export * from "auth-sessions";\n', slim: 'export * from "auth-sessions/slim";\n' };
/** Where a bundler doesn't follow `new URL("…", import.meta.url)`, an application has the file copied, and says where it is. */
const SLIM_BESIDE = `import { initialize } from "auth-sessions/slim";
export * from "auth-sessions/slim";
initialize(new URL("./auth_sessions.wasm", import.meta.url));
`;
const SLIM_IMPORTED = `import { initialize } from "auth-sessions/slim";
import file from "auth-sessions/sessions.wasm";
export * from "auth-sessions/slim";
initialize(new URL(file, import.meta.url));
`;

/** Made once for each key, by the first cell that asks; the others get the same promise. */
function once(make) {
  const made = new Map();
  return (context, key) => {
    if (!made.has(key)) made.set(key, make(context, key));
    return made.get(key);
  };
}

/** The cells of a page: `at(context, entry)` prepares it, and answers its address. */
function pageCells(browser, at, { serviceWorker = true } = {}) {
  const check = (entry, ...kinds) => async (context) => {
    const url = await at(context, entry);
    for (const kind of kinds) await context.browsers.check(context.sandbox, browser, url, kind);
  };
  return {
    default: check("default", "page"),
    worker: check("default", "worker"),
    ...(serviceWorker && { serviceWorker: check("default", "serviceWorker") }),
    slim: check("slim", "page", "worker", ...(serviceWorker ? ["serviceWorker"] : [])),
  };
}

// ---------------------------------------------------------------- no bundler

const plain = once(async (context, entry) => {
  const folder = await folderOf(`plain/${entry}`, PAGE);
  const name = { default: "auth-sessions", slim: "auth-sessions/slim" }[entry];
  const { default: file } = context.manifest.exports[name.replace("auth-sessions", ".")];
  const address = `./auth-sessions/${path.posix.normalize(file)}`;
  await writeFile(path.join(folder, "entry.js"), ENTRIES[entry]);
  // Import maps are for pages: workers have none.
  await writeFile(path.join(folder, "worker-entry.js"), `export * from "${address}";\n`);
  const scenario = path.join(folder, "scenario.mjs");
  await writeFile(scenario, (await readFile(scenario, "utf8")).replace('"auth-sessions/monitoring"', '"./auth-sessions/monitoring.js"'));
  const html = await readFile(path.join(folder, "index.html"), "utf8");
  const map = `<script type="importmap">${JSON.stringify({ imports: { [name]: address } })}</script>`;
  await writeFile(path.join(folder, "index.html"), html.replace("<script", `${map}\n    <script`));
  await cp(folder, path.join(work, "pages/plain", entry), { recursive: true });
  await cp(installed, path.join(work, "pages/plain", entry, "auth-sessions"), { recursive: true });
  return `${context.pages}/plain/${entry}/`;
});

const plainRow = (browser) => ({
  name: `plain page, ${browser}`,
  slow: browser === "firefox" ? 1 : 0,
  cells: {
    ...pageCells(browser, plain),
    output: async (context) => context.browsers.checkPolicy(context.sandbox, browser, (await plain(context, "default")).replace("/plain/", "/no-wasm/plain/")),
  },
});

// ---------------------------------------------------------------- bundlers

/** Those of `build.mjs`. `slim`: how ./slim is used with it, if not as it is; `copies`: its wasm is copied beside the output; `html`: it takes the page as an input. */
const BUNDLERS = {
  esbuild: { slim: SLIM_IMPORTED },
  rollup: { slim: SLIM_BESIDE, copies: true },
  webpack: {},
  vite: { html: true },
};

function bundlerRow([name, { slim = ENTRIES.slim, copies, html }]) {
  const built = once(async (context, entry) => {
    const text = { ...ENTRIES, slim }[entry];
    const from = await folderOf(`${name}/${entry}`, PAGE, { "entry.js": text, "worker-entry.js": text });
    const to = path.join(work, "pages", name, entry);
    const said = await run(90, process.execPath, [path.join(here, "build.mjs"), name, from, to]);
    if (!html) await copyFile(path.join(from, "index.html"), path.join(to, "index.html"));
    if (copies && entry === "slim") await copyFile(path.join(installed, "auth_sessions.wasm"), path.join(to, "auth_sessions.wasm"));
    return { url: `${context.pages}/${name}/${entry}/`, to, said: JSON.parse(said.trim().split("\n").at(-1)) };
  });
  return {
    name,
    cells: {
      async output(context, notes) {
        for (const entry of Object.keys(ENTRIES)) {
          const { to, said } = await built(context, entry);
          assert.deepEqual(said.warnings, [], `warnings of ${name}, ${entry}`);
          notes[entry] = await checkOutput(to, said.modules, entry);
        }
      },
      ...pageCells("chromium", async (context, entry) => (await built(context, entry)).url),
    },
  };
}

/** What only Node has, and what stands in for it; asking whether there is a `globalThis.process` is all right. */
const BUILT_INS = "assert|buffer|child_process|crypto|events|fs|http|https|module|net|os|path|process|stream|url|util|worker_threads|zlib";
const FOR_NODE = {
  "a Node built-in": new RegExp(`["'\`]node:\\w|\\b(?:from|import|require)\\b[\\s(]*["'\`](?:${BUILT_INS})(?:/\\w+)?["'\`]`),
  "Buffer": /\bBuffer\b/,
  "process": /(?<!globalThis\.)\bprocess\b/,
  "a stand-in for a Node built-in": /browser-external|polyfill/i,
};

function checkScript(file, text) {
  for (const [what, pattern] of Object.entries(FOR_NODE)) {
    const found = text.match(pattern);
    assert.ok(!found, `${what} in ${file}: ${text.slice(Math.max(0, found?.index - 60), found?.index + 60)}`);
  }
}

/** Nothing of Node's in the output, nothing but the page and the package, one .wasm file at most. Answers the bytes of the page after gzip. */
async function checkOutput(folder, modules, entry) {
  const files = await filesIn(folder);
  const wasm = files.filter((file) => file.endsWith(".wasm"));
  assert.equal(wasm.length, entry === "slim" ? 1 : 0, `.wasm files in the output of ${entry}: ${wasm.join(", ")}`);
  const others = modules.filter((module) => /node:|node_modules\/(?!auth-sessions\/)|browser-external/.test(module));
  assert.deepEqual(others, [], "modules in the bundle that are neither the page's nor the package's");
  let size = 0;
  for (const file of files.filter((file) => /\.(js|wasm)$/.test(file))) {
    const content = await readFile(path.join(folder, file));
    if (file.endsWith(".js")) checkScript(file, content.toString());
    // Where nothing is shared, the workers have copies of their own.
    if (!/^(sw|worker|\d+)\.js$|worker-/.test(file)) size += gzipSync(content, { level: 9 }).length;
  }
  return size;
}

// ---------------------------------------------------------------- Vite's development server

/** One for both entries, in the project: it prepares dependencies beforehand, which is where a `new URL("…", import.meta.url)` in them could get lost. */
const viteDev = once(async ({ sandbox, vitePort }) => {
  for (const [entry, text] of Object.entries(ENTRIES)) await folderOf(`vite-dev/${entry}`, PAGE, { "entry.js": text, "worker-entry.js": text });
  // Its client listens on a web socket.
  const csp = policy(`${sandbox.url} ws://127.0.0.1:${vitePort}`);
  return serve(process.execPath, [path.join(fixtures, "vite-dev.mjs"), path.join(project, "vite-dev"), vitePort, csp]);
});

const viteDevRow = {
  name: "vite dev",
  cells: {
    ...pageCells("chromium", async (context, entry) => `${(await viteDev(context)).url}/${entry}/`),
    output: async (context) => assert.doesNotMatch((await viteDev(context)).output(), /warning:/),
  },
};

// ---------------------------------------------------------------- Next.js

const ROUTES = { "default/scenario": "auth-sessions", "slim/scenario": "auth-sessions/slim", "api/[...path]": "auth-sessions/edge" };
const route = (runtime, entry) => `import * as api from "${entry}";
import { app } from "@/app.mjs";

const answer = app(api);
export { answer as GET, answer as POST };
export const runtime = "${runtime}";
export const dynamic = "force-dynamic";
`;

/** A page whose tokens are in the cookies of the handler. */
const WITH_HANDLER = `export * from "auth-sessions";
export { edgeHandler } from "auth-sessions/profiles";
`;

const config = (csp) => `const root = ${JSON.stringify(path.resolve(target, ".."))};
const headers = [{ key: "content-security-policy", value: ${JSON.stringify(csp)} }];
export default { headers: () => [{ source: "/:path*", headers }], turbopack: { root }, outputFileTracingRoot: root };
`;

/** An app with a page for each entry, and routes in both of Next's runtimes; built by one of its bundlers, and started. */
const next = once(async ({ sandbox, nextPorts }, bundler) => {
  const name = `next-${bundler}`;
  for (const [page, text] of Object.entries({ ...ENTRIES, handler: WITH_HANDLER })) {
    await folderOf(`${name}/app/${page}`, ["next/page.jsx", "browser/scopes.js", "browser/worker.js"], { "entry.js": text, "worker-entry.js": text });
  }
  const files = {
    // Not `"type": "module"`: with that Next's webpack makes edge routes that can't be started.
    "package.json": JSON.stringify({ name, private: true }),
    "jsconfig.json": JSON.stringify({ compilerOptions: { paths: { "@/*": ["./*"] } } }),
    // Its pages start with scripts that stand in the page.
    "next.config.mjs": config(policy(sandbox.url).replace("script-src", "script-src 'unsafe-inline'")),
  };
  for (const runtime of ["edge", "nodejs"]) {
    for (const [place, entry] of Object.entries(ROUTES)) files[`app/${runtime}/${place}/route.js`] = route(runtime, entry);
  }
  await folderOf(`${name}/app`, ["next/layout.jsx"]);
  const folder = await folderOf(name, ["server/app.mjs"], files);
  await link("next", "react", "react-dom");
  const program = modules("next/dist/bin/next");
  const said = await run(240, process.execPath, [program, "build", `--${bundler}`], { cwd: folder });
  const { url } = await serve(process.execPath, [program, "start", "-H", "127.0.0.1", "-p", nextPorts[bundler]], { cwd: folder, ready: /(http:\/\/127\.0\.0\.1:\d+)[^]*Ready/ });
  return { url, said, output: path.join(folder, ".next/static") };
});

/** Next warns of its own edge runtime, whatever is in it. */
const NEXT_SAYS = /The Edge Runtime is deprecated|Using edge runtime on a page currently disables static generation/;

function nextRows(bundler) {
  const at = async (context) => (await next(context, bundler)).url;
  const scenario = (runtime, entry) => async (context) => checkScenario(context.sandbox, `${await at(context)}/${runtime}/${entry}`);
  const handler = (runtime) => async (context) => checkHandler(context.sandbox, `${await at(context)}/${runtime}`);
  return [
    {
      name: `next ${bundler}, page`,
      slow: bundler === "webpack" ? 3 : 2,
      cells: {
        async output(context) {
          const { said, output } = await next(context, bundler);
          assert.deepEqual(said.split("\n").filter((line) => /⚠|warn/i.test(line) && !NEXT_SAYS.test(line)), [], "warnings of Next");
          const files = await filesIn(output);
          const wasm = files.filter((file) => file.endsWith(".wasm"));
          assert.equal(wasm.length, 1, `.wasm files for the browser: ${wasm.join(", ")}`);
          const scripts = await Promise.all(files.filter((file) => file.endsWith(".js")).map(async (file) => [file, await readFile(path.join(output, file), "utf8")]));
          // The others are Next's.
          const ours = scripts.filter(([, text]) => text.includes("SessionsError"));
          assert.ok(ours.length > 0, "no script for the browser has the package");
          for (const [file, text] of ours) checkScript(file, text);
        },
        ...pageCells("chromium", async (context, entry) => `${await at(context)}/${entry}`, { serviceWorker: false }),
        edge: async (context) => context.browsers.check(context.sandbox, "chromium", `${await at(context)}/handler`, "page", "/edge/api"),
      },
    },
    { name: `next ${bundler}, edge route`, cells: { default: scenario("edge", "default"), slim: scenario("edge", "slim"), edge: handler("edge") } },
    // ./slim has nothing to fetch from there.
    { name: `next ${bundler}, node route`, cells: { default: scenario("nodejs", "default"), edge: handler("nodejs") } },
  ];
}

export const bundlerRows = [
  plainRow("chromium"), plainRow("firefox"), ...Object.entries(BUNDLERS).map(bundlerRow), viteDevRow, ...nextRows("webpack"), ...nextRows("turbopack"),
];
