// One row for each server runtime: the package, installed, in a small server of that runtime. A new one is an entry of `RUNTIMES`.
import { build } from "esbuild";
import { copyFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { binary, fixtures, folderOf, installed, serve, withMore } from "./support.mjs";
import { checkHandler, checkScenario } from "./verify.mjs";

const NAMES = { default: "auth-sessions", slim: "auth-sessions/slim", edge: "auth-sessions/edge" };

/** The newest compatibility date that this workerd knows: its version's. */
export const NEWEST = "2026-10-23";

/** Node fetches no files: ./slim is given the bytes. */
const SLIM_FROM_BYTES = `import { initialize } from "auth-sessions/slim";
import { readFileSync } from "node:fs";
export * from "auth-sessions/slim";
initialize(readFileSync(new URL(import.meta.resolve("auth-sessions/sessions.wasm"))));
`;

/** Bundles a folder's server with the conditions of a platform to bundle.mjs. Answers the .wasm files that are imported: they become what `contents` says, or stay files. */
async function bundle(folder, server, { conditions, format, contents }) {
  const files = new Set();
  const plugin = {
    name: "wasm",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.wasm(\?module)?$/ }, (imported) => {
        const file = path.basename(imported.path, "?module");
        files.add(file);
        return contents ? { path: file, namespace: "wasm" } : { path: `./${file}`, external: true };
      });
      onLoad({ filter: /.*/, namespace: "wasm" }, ({ path }) => ({ contents: contents(path) }));
    },
  };
  const { warnings } = await build({
    entryPoints: [path.join(folder, server)], outfile: path.join(folder, "bundle.mjs"), bundle: true, format, target: "es2022", conditions, plugins: [plugin], logLevel: "silent",
  });
  if (warnings.length > 0) throw new Error(`esbuild warns: ${warnings.map(({ text }) => text).join("; ")}`);
  return [...files];
}

/** workerd with a compatibility date, and the modules that Wrangler would upload: a bundle of `entry`, and the .wasm files that it imports. `bindings` are texts. */
export async function workerd(folder, date, { entry = "workerd.mjs", bindings = {} } = {}) {
  const files = await bundle(folder, entry, { conditions: ["workerd", "worker", "browser"], format: "esm" });
  for (const file of files) await copyFile(path.join(installed, file), path.join(folder, file));
  const modules = ['(name = "bundle.mjs", esModule = embed "bundle.mjs")', ...files.map((file) => `(name = "${file}", wasm = embed "${file}")`)];
  const texts = Object.entries(bindings).map(([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`);
  await writeFile(path.join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [${modules.join(", ")}], bindings = [${texts.join(", ")}], compatibilityDate = "${date}", globalOutbound = "sandbox")),
    (name = "sandbox", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`);
  const server = await serve(binary("workerd", "bin/workerd"), ["serve", "config.capnp", "--control-fd=1"], { cwd: folder, ready: /"socket":"http","port":(\d+)/ });
  return { ...server, url: `http://127.0.0.1:${server.url}` };
}

/** edge-runtime gets a script, and .wasm files as compiled modules. */
async function edgeRuntime(folder) {
  const contents = (file) => `export default globalThis.WASM[${JSON.stringify(file)}];`;
  const files = await bundle(folder, "edge-runtime.mjs", { conditions: ["edge-light", "worker", "browser"], format: "iife", contents });
  const host = path.join(fixtures, "server/edge-runtime-host.mjs");
  return serve(process.execPath, [host, "bundle.mjs", ...files.map((file) => path.join(installed, file))], { cwd: folder });
}

const RUNTIMES = [
  {
    name: "node import",
    files: ["server/app.mjs", "server/node-http.mjs", "server/node.mjs"],
    slim: SLIM_FROM_BYTES,
    start: (folder) => serve(process.execPath, ["node.mjs"], { cwd: folder }),
  },
  {
    name: "node require",
    files: ["server/app.mjs", "server/node-http.mjs", "server/node-require.cjs"],
    // It needs `import.meta.resolve`, or what an application uses instead.
    slim: null,
    start: (folder, column) => serve(process.execPath, ["node-require.cjs"], { cwd: folder, env: { ENTRY: NAMES[column] } }),
  },
  {
    name: "deno",
    files: ["server/app.mjs", "server/deno.mjs"],
    agent: /^Deno\//,
    // The package needs no permission but the network's, and ./slim reads a file.
    start: (folder, column) => serve(binary("deno", "deno"), ["run", "--no-remote", "--no-prompt", "--allow-net=127.0.0.1", ...(column === "slim" ? ["--allow-read"] : []), "deno.mjs"], { cwd: folder }),
  },
  {
    name: "bun",
    files: ["server/app.mjs", "server/bun.mjs"],
    agent: /^Bun\//,
    start: (folder) => serve(binary("bun", "bin/bun"), ["--no-install", "bun.mjs"], { cwd: folder }),
  },
  // What a worker without a date gets is the other one.
  ...[NEWEST, "2021-11-02"].map((date) => ({ name: `workerd ${date}`, files: ["server/app.mjs", "server/workerd.mjs"], start: (folder) => workerd(folder, date) })),
  { name: "edge-runtime", files: ["server/app.mjs", "server/edge-runtime.mjs"], start: edgeRuntime },
];

export const runtimeRows = RUNTIMES.map(({ name, files, slim, agent, start }) => {
  const cell = (column, check) => async ({ sandbox }) => {
    const entry = (column === "slim" && slim) || `export * from "${NAMES[column]}";\n`;
    const folder = await folderOf(`${name.replaceAll(" ", "-")}/${column}`, files, { "entry.mjs": entry });
    const server = await start(folder, column);
    try {
      await check(sandbox, server.url);
    } catch (error) {
      throw withMore(error, server.output().replace(/^.*(listening on|"event":"listen").*$/m, ""));
    } finally {
      server.stop();
    }
  };
  const scenario = (sandbox, url) => checkScenario(sandbox, url, { agent });
  return { name, cells: { default: cell("default", scenario), ...(slim !== null && { slim: cell("slim", scenario) }), edge: cell("edge", checkHandler) } };
});
