/** The WebAssembly of `auth-sessions/slim`, in the form that the bundler or runtime gives it: a compiled module (workerd), or an address (most bundlers). */
declare const wasm: any;
export default wasm;
