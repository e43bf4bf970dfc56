import { deflated } from "auth-sessions:edge-wasm";
import { inflate, instantiate, once } from "./wasm.js";

/** With the handler in it, for every runtime that compiles: Node, Deno, Bun, and those like them. */
export const load = /* @__PURE__ */ once(async () => instantiate(await WebAssembly.compile(await inflate(deflated))));
