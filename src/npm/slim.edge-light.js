export * from "./index.edge-light.js";

/** The wasm is imported here. */
export const initialize = () => {};
