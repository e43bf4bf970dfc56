// The Rust that reads and labels sessions for the Rust API, beside which tests put the package: it is in the build with which the package traps.
import { readFileSync } from "node:fs";
import { instantiate } from "../../src/npm/wasm.js";

const { TRAPPING_WASM } = process.env;
if (!TRAPPING_WASM) throw new Error("set TRAPPING_WASM, a build that reads sessions itself; `cargo xtask test node` does");
const step = instantiate(new WebAssembly.Module(readFileSync(TRAPPING_WASM)));

/** What Rust makes of an answer, a text or bytes: `listed` of a first page, or the error's code. `state` has the provider, and the profile as wasm gets it. */
export function inRust(state, body) {
  const action = step({ ...state, goal: "list", step: "list", event: "answer", answered: 200, received: {}, memory: {}, now: 1_767_225_600_000, attempt: 1 }, typeof body === "string" ? new TextEncoder().encode(body) : body);
  return action.do === "done" ? action.value : action.error.code;
}
