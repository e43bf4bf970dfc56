// Assembles pkg/, the npm package, from the hand-written files in src/npm and wasm-pack's output:
//
//     node xtask/package.mjs [folder of wasm-pack's output, default target/wasm]
//
// src/npm/package.json is the plan: every .js file that its `exports` name is an entry, bundled by itself from the file of that name in src/npm. (Chunks shared by
// entries would stand before the inlined wasm in every download, see load.js.) The entries may import, besides each other:
//
//     auth-sessions:wasm, auth-sessions:edge-wasm    { text }, the wasm as text (see text.mjs)
//     a .css file    its text, without what only people read
//     ./first.js    { first }, the request of a client's first list, for back-ends where nothing is to be known for it: what the wasm says
//     ./auth_sessions.wasm, ./auth_sessions_edge.wasm (with ?module or without)    the file itself; the import is left as it is
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { unpack } from "../src/npm/text.js";
import { instantiate } from "../src/npm/wasm.js";
import { sbom } from "./sbom.mjs";
import { toText } from "./text.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "src/npm");
const output = join(root, "pkg");
/** The builds of the crate, by the folder of wasm-pack's output: the client, and the client with the handler. */
const BUILDS = { pkg: { file: "auth_sessions.wasm", text: "auth-sessions:wasm" }, edge: { file: "auth_sessions_edge.wasm", text: "auth-sessions:edge-wasm" } };

/** What src/npm/wasm.js counts on: no imports, and just these exports (`exports.json` has `wasm-metadce` leave no others). */
const EXPORTS = ["memory", "reset", "step", "__wbindgen_malloc"];

/** Ends with a message instead of a stack: these are mistakes in the project, not in this script. */
function fail(message) {
  console.error(`package.mjs: ${message}`);
  process.exit(1);
}

/** Every file that `exports` names, whatever the conditions. */
function exportedFiles(exports) {
  if (typeof exports === "string") return [exports];
  return exports === null ? [] : Object.values(exports).flatMap(exportedFiles);
}

/** The version of the workspace, so that the crate and the package can't differ. */
function version() {
  const cargo = readFileSync(join(root, "Cargo.toml"), "utf8");
  const section = cargo.split(/^\[workspace\.package\]$/m)[1]?.split(/^\[/m)[0];
  return section?.match(/^version\s*=\s*"([^"]+)"/m)?.[1] ?? fail("no version in [workspace.package] of Cargo.toml");
}

/** Providers that browsers can ask, and whose list needs no more than a token. */
const PLAIN = ["authvital", "rest", "better-auth"];

/** What the wasm says of the first list of a client with such a provider, when nothing else is known: the path, and the headers with the token's place. */
async function firstLists(wasm) {
  const step = instantiate(await WebAssembly.compile(wasm));
  const lists = PLAIN.map((provider) => {
    const state = { goal: "list", event: "start", provider, base: "https://auth.example", isSecure: true, access: "{token}", refresh: null, headers: [], memory: {}, now: 0 };
    const { do: what, method, url, headers, body, attempt, read } = step(state);
    const path = url?.slice(state.base.length);
    if (what !== "send" || method !== "GET" || body !== null || attempt !== 1 || path.includes("?")) fail(`the first list of ${provider} is not a plain request any more`);
    const { method: _, path: __, ...list } = read.list;
    return [provider, { path, headers, read: { ...read, list } }];
  });
  return Object.fromEntries(lists);
}

function plugin(texts, first) {
  return {
    name: "auth-sessions",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^auth-sessions:/ }, ({ path }) => ({ path, namespace: "auth-sessions" }));
      onLoad({ filter: /npm[\\/]first\.js$/ }, () => ({ contents: `export const first = ${JSON.stringify(first)};\n` }));
      onLoad({ filter: /.*/, namespace: "auth-sessions" }, ({ path }) => ({ contents: `export const text = ${JSON.stringify(texts.get(path) ?? fail(`there is no ${path}`))};\n` }));
      onLoad({ filter: /\.css$/ }, async ({ path }) => ({ contents: (await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: "es2022" })).code.trim(), loader: "text" }));
      onResolve({ filter: /\.wasm(\?.*)?$/ }, ({ path }) => ({ path, external: true }));
    },
  };
}

/** The wasm of one build, checked. */
async function readWasm(file) {
  if (!existsSync(file)) fail(`${file} is missing; run \`cargo xtask build\``);
  const wasm = await readFile(file);
  const module = await WebAssembly.compile(wasm).catch((error) => fail(`this Node refuses the wasm: ${error.message}`));
  if (WebAssembly.Module.customSections(module, "name").length > 0) fail("the wasm still has its names: wasm-opt did not run on it");
  const [imports, exports] = [WebAssembly.Module.imports(module), WebAssembly.Module.exports(module)].map((list) => list.map(({ name }) => name));
  if (imports.length > 0 || String(exports.toSorted()) !== String(EXPORTS.toSorted())) {
    fail(`src/npm/wasm.js does not fit the wasm any more, which has the imports ${imports} and the exports ${exports}`);
  }
  return wasm;
}

async function main() {
  const wasmPack = resolve(process.argv[2] ?? join(root, "target/wasm"));
  const [wasms, texts] = [new Map(), new Map()];
  for (const [folder, { file, text }] of Object.entries(BUILDS)) {
    const built = join(wasmPack, folder, "auth_sessions_bg.wasm");
    const wasm = await readWasm(built);
    wasms.set(file, wasm);
    texts.set(text, toText(wasm));
    if (!wasm.equals(unpack(texts.get(text)))) fail(`src/npm/wasm.js makes other bytes of ${text} than it was made of`);
  }

  const manifestFile = join(source, "package.json");
  if (!existsSync(manifestFile)) fail("src/npm/package.json, the template of the package's own, is missing");
  const manifest = { ...JSON.parse(await readFile(manifestFile, "utf8")), version: version() };
  const files = [...new Set(exportedFiles(manifest.exports ?? fail("src/npm/package.json has no `exports`")))];
  const entries = files.filter((file) => /\.m?js$/.test(file)).map((file) => join(source, file));
  for (const entry of entries) if (!existsSync(entry)) fail(`the exports name ${relative(source, entry)}, which src/npm has not`);

  // Beside its final place, and moved there when it is whole.
  const staging = join(root, "target/pkg");
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  await build({
    entryPoints: entries,
    outdir: staging,
    outbase: source,
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    charset: "utf8",
    plugins: [plugin(texts, await firstLists(wasms.get(BUILDS.pkg.file)))],
    logLevel: "warning",
  }).catch(() => process.exit(1));

  for (const file of await readdir(source, { recursive: true })) {
    if (file.endsWith(".d.ts") && !file.includes("node_modules")) {
      await mkdir(dirname(join(staging, file)), { recursive: true });
      await cp(join(source, file), join(staging, file));
    }
  }
  for (const file of await readdir(root)) {
    if (/^(LICENSE.*|[A-Z]+\.md|docs)$/.test(file) && file !== "CONTRIBUTING.md") await cp(join(root, file), join(staging, file), { recursive: true });
  }
  const readme = await readFile(join(staging, "README.md"), "utf8");
  // What it links to and shows has to be there.
  await writeFile(join(staging, "README.md"), readme.replace(/!?\[([^\]]+)\]\(([\w./-]+)\)/g, (link, text, file) => (existsSync(join(staging, file)) ? link : text)));
  for (const [file, wasm] of wasms) await writeFile(join(staging, file), wasm);
  await writeFile(join(staging, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await writeFile(join(staging, "sbom.cdx.json"), sbom(manifest));
  for (const file of [...files, manifest.main, manifest.module, manifest.types].filter(Boolean)) {
    if (!existsSync(join(staging, file))) fail(`package.json names ${file}, which is not in the package`);
  }

  await rm(output, { recursive: true, force: true });
  await rename(staging, output).catch(() => cp(staging, output, { recursive: true }));
  console.log(`pkg/ is ready: ${manifest.name} ${manifest.version}, ${(await readdir(output)).sort().join(", ")}`);
}

await main();
