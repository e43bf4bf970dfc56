// First, so that it stands before all else: a compressor looks back 32 KB, and would see no code from behind it.
import { deflated } from "auth-sessions:wasm";
import { initSync, reset, step } from "auth-sessions:glue";

let started;

/** The wasm side, as a function from what happened to what to do next: unpacked, compiled and instantiated once, on the first call. */
export function load() {
  started ??= start().catch((error) => {
    // The next call tries again.
    started = undefined;
    throw error;
  });
  return started;
}

async function start() {
  const bytes = new Response(new Blob([unpack(deflated)]).stream().pipeThrough(new DecompressionStream("deflate-raw")));
  initSync({ module: await WebAssembly.compile(await bytes.arrayBuffer()) });
  return (call, body = new Uint8Array()) => {
    reset();
    return JSON.parse(new TextDecoder().decode(step(new TextEncoder().encode(JSON.stringify(call)), body)));
  };
}

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
