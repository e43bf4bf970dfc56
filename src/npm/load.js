import { initSync, reset, step } from "auth-sessions:glue";
import { deflated } from "auth-sessions:wasm";

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
  const packed = Uint8Array.from(atob(deflated), (c) => c.charCodeAt(0));
  const bytes = new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")));
  initSync({ module: await WebAssembly.compile(await bytes.arrayBuffer()) });
  return (call, body = new Uint8Array()) => {
    reset();
    return JSON.parse(new TextDecoder().decode(step(new TextEncoder().encode(JSON.stringify(call)), body)));
  };
}
