export * from "./index.js";

/**
 * Where the WebAssembly of `auth-sessions/slim` is: its address, a response with it, its bytes, or the compiled module. Only needed where a bundler does not follow
 * `new URL("./auth_sessions.wasm", import.meta.url)` (esbuild, Rollup), or where there is nothing to fetch from (Node): copy `auth-sessions/sessions.wasm`, and
 * say where it is before the first call. Cheap: nothing is fetched or compiled before that.
 */
export function initialize(source: WasmSource | Promise<WasmSource>): void;

/** `object` is a compiled `WebAssembly.Module`; not all projects have a type for that. */
export type WasmSource = string | URL | Response | ArrayBuffer | ArrayBufferView | object;
