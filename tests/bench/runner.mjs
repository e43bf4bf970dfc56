// Runs the apps over a canned `fetch`, in a process of Node's or in a page: what is asked of it, run.mjs and its like say.
import { BackEnd } from "./wires.mjs";

const ORIGIN = "http://localhost:1";
const isNode = typeof process === "object" && Boolean(process.versions?.node);
let backEnd;
let latency = 0;
let inPages = false;
/** Requests under way, and the most there were at once. */
let [open, most] = [0, 0];

// Before any app is loaded: some take hold of it then.
globalThis.fetch = async (input, init) => {
  const url = typeof input === "string" ? input : (input.url ?? input.href);
  const method = init?.method ?? input.method ?? "GET";
  const body = method === "POST" ? (init?.body ?? (await input.text?.())) : undefined;
  most = Math.max(most, ++open);
  if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency));
  open--;
  const { status, bytes } = backEnd.answer(method, url, body, inPages);
  return new Response(bytes, { status, headers: bytes ? { "content-type": "application/json" } : {} });
};

/** The memories of wasm instances: what those that are alive have together, and the most that one had. */
const memories = new Set();
let largest = 0;
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args) {
    const instance = Reflect.construct(target, args);
    if (instance.exports.memory) memories.add(new WeakRef(instance.exports.memory));
    return instance;
  },
});
function wasmBytes() {
  const sizes = [...memories].map((memory) => memory.deref()?.buffer.byteLength ?? 0);
  largest = Math.max(largest, ...sizes);
  return sizes.reduce((sum, size) => sum + size, 0);
}

const apps = new Map();

/** A client of an app; of the handler, what a page makes of it. */
function connect(name) {
  const app = apps.get(name)(backEnd.given(ORIGIN));
  if (!app.handle) return app;
  const ask = async (method, path) => {
    const response = await app.handle(new Request(`${ORIGIN}/api${path}`, { method, headers: { cookie: "access_token=bench", origin: ORIGIN, "sec-fetch-site": "same-origin" } }));
    if (!response?.ok) throw new Error(`${method} ${path}: status ${response?.status}`);
    return response.json();
  };
  return { list: async () => (await ask("GET", "/sessions")).sessions, revoke: ({ id }) => ask("POST", `/sessions/${id}/revoke`) };
}

/** In Node the time that the process has used, all threads, whatever else the machine does; a page can't ask for that. */
function clock() {
  if (!isNode) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export const runner = {
  /** Loads an app: `module` is its file, `connect` the export. */
  async load({ name, module, connect = "connect" }) {
    const app = await import(module);
    if (isNode && app.initialize) {
      const { readFile } = await import("node:fs/promises");
      app.initialize(await readFile(new URL(import.meta.resolve("auth-sessions/sessions.wasm"))));
    }
    apps.set(name, app[connect]);
  },

  /** The back-end, from now on. */
  use({ wire, count, ms = 0, pages = false }) {
    backEnd = new BackEnd(wire, count);
    [latency, inPages, most] = [ms, pages, 0];
    return { bytes: backEnd.whole.length };
  },

  /**
   * Milliseconds for one list, of so many one after the other; a client is made once. As many go before: a collection of everything takes with it what the engine knows of objects that nobody has any more, and the first lists
   * after it would tell how quickly that is learnt again.
   */
  async list({ name, calls }) {
    const client = connect(name);
    let sessions;
    globalThis.gc?.();
    for (let call = 0; call < calls; call++) sessions = await client.list();
    const asked = backEnd.lists;
    const start = clock();
    for (let call = 0; call < calls; call++) sessions = await client.list();
    const took = (clock() - start) / calls;
    backEnd.check(sessions);
    if (backEnd.lists - asked !== calls) throw new Error(`${backEnd.lists - asked} requests for ${calls} lists`);
    return took;
  },

  /** Lists, and ends the second session: that it can. */
  async revoke({ name }) {
    const client = connect(name);
    const sessions = await client.list();
    backEnd.check(sessions);
    await client.revoke(sessions[1]);
    if (String(backEnd.ended) !== backEnd.ids[1]) throw new Error(`it ended ${backEnd.ended.length} sessions`);
  },

  /** Ends all sessions: by the client itself, or as one would with a client that can't, so many at a time. */
  async revokeAll({ name, atOnce }) {
    const client = connect(name);
    const start = performance.now();
    if (!atOnce) {
      const { count } = await client.revokeAll();
      if (count !== backEnd.ids.length) throw new Error(`it says ${count}`);
    } else {
      const sessions = [];
      for (let page; (page = await client.list({ limit: 500, offset: sessions.length })).length > 0; ) {
        sessions.push(...page);
        if (page.length < 500 || sessions.length === backEnd.ids.length) break;
      }
      let next = 0;
      const worker = async () => {
        while (next < sessions.length) await client.revoke(sessions[next++]);
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
    }
    const took = performance.now() - start;
    const ended = new Set(backEnd.ended);
    if (ended.size !== backEnd.ids.length || backEnd.ended.length !== ended.size) throw new Error(`${ended.size} of ${backEnd.ids.length} sessions ended, by ${backEnd.ended.length} requests`);
    return { took, most, lists: backEnd.lists };
  },

  /** Bytes that are in use after so many lists by one client that stays. Node only: nothing else tells exactly. */
  async memory({ name, calls }) {
    const client = connect(name);
    for (let call = 0; call < calls; call++) {
      const sessions = await client.list();
      // Before an instance that has grown too large is collected.
      wasmBytes();
      if (call === 0 || call === calls - 1) backEnd.check(sessions);
    }
    return this.used();
  },

  async used() {
    // What finalizers hold goes with the second.
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      globalThis.gc();
    }
    return { heap: process.memoryUsage().heapUsed, wasm: wasmBytes(), largest };
  },
};

if (isNode && process.send) {
  process.on("message", async ([ask, given]) => {
    try {
      process.send({ value: await runner[ask](given) });
    } catch (error) {
      process.send({ error: `${error?.name}: ${error?.message}` });
    }
  });
} else {
  globalThis.runner = runner;
}
