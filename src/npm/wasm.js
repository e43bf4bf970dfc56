/** A larger memory, in bytes, is not kept: it never gets smaller. */
const LARGE = 64 * 1024 * 1024;

/**
 * The wasm side, as a function from what happened to what to do next. What wasm-bindgen writes for this would be most of a kilobyte, and keeps one
 * instance for ever. Here the next call gets a fresh one after a trap: an instance keeps nothing from step to step. `xtask/exports.json` has the rest of it removed, and `xtask/package.mjs` checks that the module has just these exports.
 */
export function instantiate(module) {
  let instance;
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  return (call, body = new Uint8Array()) => {
    const { memory, __wbindgen_malloc, reset, step } = (instance ??= new WebAssembly.Instance(module)).exports;
    const view = (at, size) => new Uint8Array(memory.buffer, at >>> 0, size);
    const put = (bytes) => {
      const at = __wbindgen_malloc(bytes.length, 1);
      view(at, bytes.length).set(bytes);
      return [at, bytes.length];
    };
    let isSound;
    try {
      const next = JSON.parse(decoder.decode(view(...step(...put(encoder.encode(JSON.stringify(call))), ...put(body)))));
      // Overwrites what it was told: there were tokens in it.
      reset();
      isSound = memory.buffer.byteLength < LARGE;
      return next;
    } finally {
      if (!isSound) {
        // After a trap there are tokens in it yet.
        new Uint8Array(memory.buffer).fill(0);
        instance = undefined;
      }
    }
  };
}
