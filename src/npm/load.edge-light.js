import module from "./auth_sessions_edge.wasm?module";
import { instantiate } from "./wasm.js";

let step;

/** For edge runtimes that refuse to compile wasm, and have it imported in this way (Vercel's, Next.js). */
export const load = async () => (step ??= instantiate(module));
