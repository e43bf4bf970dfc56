// Runs the Worker in workerd, against the sandbox: `cargo xtask start` does that.
//
//   node www/edge/serve.mjs --sandbox URL [--port N] [--connect-origin ORIGIN]…
//
// prints one line on stdout, "worker listening on http://127.0.0.1:PORT". It stands in for `wrangler dev`, which needs Node 22: bundled as wrangler does it (esbuild with the condition "workerd",
// imported .wasm as modules of compiled WebAssembly), with the settings of wrangler.jsonc, but for what the sandbox replaces.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { Log, LogLevel, Miniflare } from "miniflare";

const here = import.meta.dirname;
// What every sandbox takes (tests/sandbox/README.md); no secret.
const SANDBOX_KEY = "sk_test_sandbox_not_a_real_key";

const { values } = parseArgs({ options: { sandbox: { type: "string" }, port: { type: "string", default: "0" }, "connect-origin": { type: "string", multiple: true, default: [] } } });
if (!values.sandbox || !URL.canParse(values.sandbox)) throw new Error("--sandbox must be the URL of a running sandbox");
const sandbox = new URL(values.sandbox).origin;

const config = JSON.parse(readFileSync(path.join(here, "wrangler.jsonc"), "utf8").replace(/^\s*\/\/.*$/gm, ""));
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

const miniflare = new Miniflare({
  name: config.name,
  host: "127.0.0.1",
  port: Number(values.port),
  modules: await bundle(path.join(here, config.main)),
  modulesRoot: "/",
  compatibilityDate: config.compatibility_date,
  bindings: {
    ...config.vars,
    CLERK_API_URL: `${sandbox}/clerk/v1`,
    CLERK_JWT_KEY: publicKey.export({ type: "spki", format: "pem" }),
    CLERK_SECRET_KEY: SANDBOX_KEY,
    KSEF_API_URL: `${sandbox}/ksef/v2`,
    CONNECT_ORIGINS: values["connect-origin"].join(" "),
    SANDBOX_URL: sandbox,
    SANDBOX_SIGNING_KEY: privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
  },
  assets: {
    directory: path.resolve(here, config.assets.directory),
    binding: config.assets.binding,
    routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: config.assets.run_worker_first },
  },
  log: new Log(LogLevel.ERROR),
});
const end = () => miniflare.dispose().finally(() => process.exit(0));
process.once("SIGTERM", end).once("SIGINT", end);
console.log(`worker listening on ${(await miniflare.ready).origin}`);

async function bundle(entry) {
  const wasm = new Map();
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    plugins: [
      {
        name: "wasm",
        setup: ({ onResolve }) =>
          void onResolve({ filter: /\.wasm$/ }, (file) => {
            wasm.set(path.basename(file.path), path.resolve(file.resolveDir, file.path));
            return { path: `./${path.basename(file.path)}`, external: true };
          }),
      },
    ],
  });
  return [
    { type: "ESModule", path: "/worker.js", contents: outputFiles[0].text },
    ...[...wasm].map(([name, file]) => ({ type: "CompiledWasm", path: `/${name}`, contents: readFileSync(file) })),
  ];
}
