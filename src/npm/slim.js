import { define } from "./sessions.js";
import { instantiate } from "./wasm.js";

export { SessionsError } from "./error.js";

let source;
let starting;

/** Where the wasm is, for bundlers that don't follow `new URL("…", import.meta.url)`. Before the first call. */
export function initialize(from) {
  source = from;
  // One that fails is for the first call to tell.
  Promise.resolve(from).catch(() => {});
}

/** Once, on the first call. After a failure the next call tries again. */
const load = () =>
  (starting ??= start().catch((error) => {
    starting = undefined;
    throw error;
  }));

const start = async () => instantiate(await compile(await (source ?? new URL("./auth_sessions.wasm", import.meta.url))));

export const { createSessions, createAuthVital, describeDevice } = /* @__PURE__ */ define(load);

/** Compiles while it is downloaded, if the server says that it is wasm. */
async function compile(from) {
  if (from instanceof WebAssembly.Module) return from;
  if (typeof from === "string" || from instanceof URL) {
    from = await fetch(from).catch((cause) => {
      // Node fetches no files.
      throw /^file:/.test(from) ? new Error("the wasm can't be fetched from a file here: call initialize() with the bytes of auth-sessions/sessions.wasm", { cause }) : cause;
    });
  }
  if (!(from instanceof Response)) return WebAssembly.compile(from);
  if (!from.ok) throw new Error(`the wasm could not be fetched: status ${from.status}`);
  return from.headers.get("content-type") === "application/wasm" ? WebAssembly.compileStreaming(from) : WebAssembly.compile(await from.arrayBuffer());
}
