import module from "./auth_sessions_edge.wasm";
import { instantiate } from "./wasm.js";

let step;

/** For workerd, which compiles imported wasm when a Worker is deployed and refuses to do so later. */
export const load = async () => (step ??= instantiate(module));
