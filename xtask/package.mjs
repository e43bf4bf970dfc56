// Assembles pkg/, the npm package, from the hand-written files in src/npm and wasm-pack's output:
//
//     node xtask/package.mjs [folder of wasm-pack's output, default target/wasm/pkg]
//
// src/npm/package.json is the plan: every .js file that its `exports` name is an entry, bundled from the file of that name
// in src/npm (sub-folders stay as they are). The entries may import, besides each other:
//
//     auth-sessions:glue   wasm-bindgen's JavaScript (its default export takes the bytes or a compiled module)
//     auth-sessions:wasm   { deflated }, the wasm: xtask's raw deflate, as text (see text.mjs)
//     ./auth_sessions.wasm (with ?module or without) the file itself; the import is left as it is
//
// What the Rust side imports with #[wasm_bindgen(module = "/src/npm/….js")] comes back from wasm-bindgen as a copy in
// snippets/; it is resolved to the original again, so that a class in it exists once.
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { toText } from "./text.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "src/npm");
const output = join(root, "pkg");
const WASM = "./auth_sessions.wasm";

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

function plugin(glue, deflated) {
  return {
    name: "auth-sessions",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^auth-sessions:glue$/ }, () => ({ path: glue }));
      onResolve({ filter: /^auth-sessions:wasm$/ }, () => ({ path: "wasm", namespace: "auth-sessions" }));
      onLoad({ filter: /.*/, namespace: "auth-sessions" }, () => ({
        contents: `export const deflated = ${JSON.stringify(toText(deflated))};\n`,
      }));
      onResolve({ filter: /\.wasm(\?.*)?$/ }, ({ path }) => ({ path: WASM + (path.match(/\?.*$/)?.[0] ?? ""), external: true }));
      onResolve({ filter: /\/snippets\/[^/]+\/src\/npm\// }, ({ path }) => ({ path: join(root, path.replace(/^.*\/snippets\/[^/]+\//, "")) }));
    },
  };
}

async function main() {
  const wasmPack = resolve(process.argv[2] ?? join(root, "target/wasm/pkg"));
  const glue = join(wasmPack, "auth_sessions.js");
  const wasmFile = join(wasmPack, "auth_sessions_bg.wasm");
  if (!existsSync(glue) || !existsSync(wasmFile)) fail(`${glue} or its wasm is missing; run \`cargo xtask build\``);
  const wasm = await readFile(wasmFile);
  const module = await WebAssembly.compile(wasm).catch((error) => fail(`this Node refuses the wasm: ${error.message}`));
  if (WebAssembly.Module.customSections(module, "name").length > 0) fail("the wasm still has its names: wasm-opt did not run on it");
  if (/import\.meta\.url/.test(await readFile(glue, "utf8"))) {
    fail("the glue has a default path to the wasm, which makes bundlers ship it twice: "
      + "set omit-default-module-path in [package.metadata.wasm-pack.profile.release.wasm-bindgen] of Cargo.toml");
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
  const { metafile } = await build({
    entryPoints: entries,
    outdir: staging,
    outbase: source,
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    charset: "utf8",
    // The glue warns of a form of its initialisation that is not used here.
    drop: ["console"],
    external: ["node:*"],
    plugins: [plugin(glue, await readFile(`${wasmFile}.deflate`))],
    metafile: true,
    logLevel: "warning",
  }).catch(() => process.exit(1));
  const copied = Object.keys(metafile.inputs).find((input) => /snippets\/[^/]+\/src\/npm\//.test(input));
  if (copied) fail(`${copied} was bundled beside its original in src/npm`);

  for (const file of await readdir(source, { recursive: true })) {
    if (file.endsWith(".d.ts") && !file.includes("node_modules")) {
      await mkdir(dirname(join(staging, file)), { recursive: true });
      await cp(join(source, file), join(staging, file));
    }
  }
  for (const file of await readdir(root)) {
    // The README's links have to work in the package, too.
    if (/^(LICENSE.*|[A-Z]+\.md|docs)$/.test(file)) await cp(join(root, file), join(staging, file), { recursive: true });
  }
  await writeFile(join(staging, WASM), wasm);
  await writeFile(join(staging, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const file of [...files, manifest.main, manifest.module, manifest.types].filter(Boolean)) {
    if (!existsSync(join(staging, file))) fail(`package.json names ${file}, which is not in the package`);
  }

  await rm(output, { recursive: true, force: true });
  await rename(staging, output).catch(() => cp(staging, output, { recursive: true }));
  console.log(`pkg/ is ready: ${manifest.name} ${manifest.version}, ${(await readdir(output)).sort().join(", ")}`);
}

await main();
