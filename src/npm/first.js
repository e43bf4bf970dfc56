/** The requests of first lists, by provider. `xtask/package.mjs` puts them in, as the wasm says them: until then wasm is asked. */
export const first = {};
