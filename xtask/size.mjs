// Prints what the package in pkg/ makes a browser download, and with --enforce fails when an entry is over
// its budget.
// Each entry is bundled with everything it exports and minified; its wasm counts, inlined or as a file of its own.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

/** Bytes after gzip -9 that the entries may have, all in. */
const BUDGETS = { "./index.js": 43_200, "./slim.js": 43_400, "./edge.js": 51_200, "./edge.workerd.js": 50_650, "./profiles.js": 300, "./monitoring.js": 8_100, "./element.js": 19_300 };

const root = fileURLToPath(new URL("..", import.meta.url));
const pkg = join(root, "pkg");

/** raw, gzip -9 and brotli 11 sizes of files that are downloaded separately. */
function sizes(files) {
  const sum = (compress) => files.reduce((total, file) => total + compress(file).length, 0);
  return [
    sum((file) => file),
    sum((file) => gzipSync(file, { level: 9 })),
    sum((file) => brotliCompressSync(file, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: file.length } })),
  ];
}

/** The entries: the JavaScript files of the `exports`, each with the names under which it is had. */
function entries(exports, name = "", found = new Map()) {
  if (typeof exports === "string") {
    if (/\.m?js$/.test(exports)) found.set(exports, [...(found.get(exports) ?? []), name.trim()]);
  } else {
    for (const [key, value] of Object.entries(exports ?? {})) entries(value, `${name} ${key}`, found);
  }
  return found;
}

/** The file behind a condition tree for a bundler that targets browsers and knows no special runtime. */
function browserFile(target) {
  if (target === null || typeof target !== "object") return target;
  const conditions = ["browser", "import", "module", "default"];
  return browserFile(Object.entries(target).find(([condition]) => conditions.includes(condition))?.[1]);
}

async function bundle(entry, wasm) {
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(entry)};`, resolveDir: pkg },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    external: ["node:*"],
    loader: { ".wasm": "file" },
    outdir: join(root, "target/size"),
    write: false,
    logLevel: "warning",
  }).catch(() => process.exit(1));
  const files = outputFiles.map((file) => Buffer.from(file.contents));
  // Inlined, or a file that the bundler saw, it is among them. Otherwise it is fetched at run time by its name.
  return files.length === 1 && files[0].includes("auth_sessions.wasm") ? [...files, wasm] : files;
}

const manifest = JSON.parse(await readFile(join(pkg, "package.json"), "utf8"));
const wasm = await readFile(join(pkg, "auth_sessions.wasm"));
const rows = [];
for (const file of ["auth_sessions.wasm", "auth_sessions_edge.wasm"]) rows.push([`${file} alone`, ...sizes([await readFile(join(pkg, file))])]);
const defaultEntry = browserFile(manifest.exports["."] ?? manifest.exports);
const over = [];
for (const [entry, names] of entries(manifest.exports)) {
  const size = sizes(await bundle(entry, wasm));
  if (size[1] >= BUDGETS[entry]) over.push(`${entry} is over its budget: ${size[1].toLocaleString("en")} of ${BUDGETS[entry].toLocaleString("en")} bytes gzip.`);
  rows.push([`${entry} (${entry === defaultEntry ? "the default" : names.join(", ")})`, ...size]);
}

const width = Math.max(...rows.map(([name]) => name.length));
const line = (cells) => `  ${cells[0].padEnd(width)} ${cells.slice(1).map((cell) => cell.padStart(9)).join("")}`;
console.log(`\nDownloaded bytes, all JavaScript (minified) and the wasm:`);
console.log(line(["", "raw", "gzip", "brotli"]));
for (const [name, ...numbers] of rows) console.log(line([name, ...numbers.map((n) => n.toLocaleString("en"))]));

await mkdir(join(root, "target/artifacts"), { recursive: true });
await writeFile(
  join(root, "target/artifacts/sizes.json"),
  `${JSON.stringify(Object.fromEntries(rows.map(([name, raw, gzip, brotli]) => [name, { raw, gzip, brotli }])), null, 2)}\n`,
);
if (defaultEntry !== "./index.js") {
  console.error(`size.mjs: the default of exports["."] in pkg/package.json is not ./index.js, for which the budget is`);
  process.exit(1);
}
if (over.length > 0) {
  console.error(`\n${over.join("\n")}`);
  process.exit(process.argv.includes("--enforce") ? 1 : 0);
}
console.log(`\nAll within their budgets: ${Object.entries(BUDGETS).map(([entry, bytes]) => `${entry} ${bytes.toLocaleString("en")}`).join(", ")} bytes gzip.`);
