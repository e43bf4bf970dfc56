import { text } from "auth-sessions:edge-wasm";
import { unpack } from "./text.js";
import { instantiate } from "./wasm.js";

let step;

/** With the handler in it, for every runtime that compiles: Node, Deno, Bun, and those like them. */
export const load = async () => (step ??= instantiate(new WebAssembly.Module(unpack(text))));
