export * from "./index.workerd.js";

/** The wasm is imported here. */
export const initialize = () => {};
