// First, so that it stands before all else: a compressor looks back 32 KB, and the end of the wasm, its texts, is what code has in common with it.
import { text } from "auth-sessions:wasm";
import { unpack } from "./text.js";
import { instantiate } from "./wasm.js";

let step;

/** For every runtime and bundler: the wasm is part of the JavaScript. Compiled on the spot: so small a module takes a millisecond, and several where another thread does it. */
export const load = async () => (step ??= instantiate(new WebAssembly.Module(unpack(text))));
