/** A start that happens once, on the first call. After a failure the next call tries again. */
export function once(start) {
  let started;
  return () => {
    started ??= start().catch((error) => {
      started = undefined;
      throw error;
    });
    return started;
  };
}

/** A larger memory, in bytes, is not kept: it never gets smaller. */
const LARGE = 64 * 1024 * 1024;

/**
 * The wasm side, as a function from what happened to what to do next. What wasm-bindgen writes for this would be most of a kilobyte, and keeps one
 * instance for ever. Here the next call gets a fresh one after a trap: an instance keeps nothing from step to step. `xtask/exports.json` has the rest of it removed, and `xtask/package.mjs` checks that the module has just these exports.
 */
export function instantiate(module) {
  let instance;
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
      const next = JSON.parse(new TextDecoder().decode(view(...step(...put(new TextEncoder().encode(JSON.stringify(call))), ...put(body)))));
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

/** The bytes behind deflated ones that were written as text. */
export const inflate = (text) => new Response(new Blob([unpack(text)]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer();

/** The bytes behind text of 91 symbols, 37 of them of 6 bits and 54 of 7 (`xtask/text.mjs` writes it). */
function unpack(text) {
  const bytes = new Uint8Array(text.length);
  let [bits, count, size] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // Of the printable characters, three are not used.
    const symbol = code - 33 - (code > 34) - (code > 60) - (code > 92);
    const length = symbol < 37 ? 6 : 7;
    bits = (bits << length) | (symbol < 37 ? symbol : symbol + 37);
    count += length;
    if (count > 7) bytes[size++] = bits >> (count -= 8);
  }
  return bytes.subarray(0, size);
}
