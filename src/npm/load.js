// First, so that it stands before all else: a compressor looks back 32 KB, and would see no code from behind it.
import { deflated } from "auth-sessions:wasm";
import { inflate, instantiate, once } from "./wasm.js";

/** For every runtime and bundler: the wasm is part of the JavaScript. */
export const load = /* @__PURE__ */ once(async () => instantiate(await WebAssembly.compile(await inflate(deflated))));
