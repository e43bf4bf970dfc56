// What is left behind: of thousands of clients that were made, used and dropped nothing, and of a hundred thousand calls neither memory of the wasm nor of JavaScript.
//
//     node tests/matrix/leaks.mjs [RUNTIME…]        env PACKAGE_TARBALL, CHROMIUM
//
// In Node and in Chromium, which is where locks and channels are. In workerd the load test (load.mjs) looks at the memory.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { Browsers } from "./browsers.mjs";
import { Outcomes, endWithRun, folderOf, freePorts, makeProject, servePages, within, work } from "./support.mjs";

const { PACKAGE_TARBALL } = process.env;
if (!PACKAGE_TARBALL) throw new Error("set PACKAGE_TARBALL; `cargo xtask test leaks` does");
/** Clients: to warm up, and then in two rounds. */
const [WARM, ...ROUNDS] = [1000, 1000, 2000];
/** The calls of one client; the heap is looked at after each tenth. */
const CALLS = 100_000;
/** Bytes that the heap may have more in the end: what V8 compiles later than the warm-up. A client that is kept has thousands (and is seen by its WeakRef), an answer hundreds. */
const MORE = { clients: 1_000_000, calls: 200_000 };
const LIMIT = 300;

await makeProject(path.resolve(PACKAGE_TARBALL));
const folder = await folderOf("leaks", ["leaks/leaks.mjs", "leaks/timers.mjs", "leaks/page.js", "leaks/node.mjs", "load/memory.mjs"]);
const pages = path.join(work, "leaks-page");
await build({ entryPoints: [path.join(folder, "page.js")], outdir: pages, bundle: true, format: "esm", target: "es2022", logLevel: "error" });
await writeFile(path.join(pages, "index.html"), '<!doctype html><meta charset="utf-8"><title>leaks</title><script type="module" src="page.js"></script>\n');
const [port] = await freePorts(1, 4960);
const server = await servePages(pages, port, "'self'");
const browsers = new Browsers();

/** Each gives the functions of the fixture, and besides: `collect`, the bytes of the heap after a garbage collection, and `listeners`, those of the signal that lives on. */
const RUNTIMES = {
  async node() {
    const child = fork(path.join(folder, "node.mjs"), { execArgv: ["--expose-gc"], cwd: folder, stdio: ["ignore", "inherit", "inherit", "ipc"], detached: true });
    endWithRun(child.pid);
    await once(child, "message");
    let hear;
    child.on("message", (message) => hear(message)).on("exit", () => hear?.({ error: "it has ended" }));
    const ask = async (...call) => {
      const heard = new Promise((resolve) => (hear = resolve));
      child.send(call);
      const { value, error } = await heard;
      if (error) throw new Error(error);
      return value;
    };
    return { ask, stop: () => child.disconnect() };
  },
  async chromium() {
    const page = await (await browsers.get("chromium")).newPage();
    await page.goto(`${server.url}/index.html`);
    await page.waitForFunction(() => globalThis.leaks);
    const session = await page.createCDPSession();
    const more = {
      async collect() {
        for (let n = 0; n < 2; n++) await session.send("HeapProfiler.collectGarbage");
        return (await session.send("Runtime.getHeapUsage")).usedSize;
      },
      async listeners() {
        const { result: { objectId } } = await session.send("Runtime.evaluate", { expression: "globalThis.leaks.controller.signal" });
        const { listeners } = await session.send("DOMDebugger.getEventListeners", { objectId });
        await session.send("Runtime.releaseObject", { objectId });
        return listeners.length;
      },
      timers: () => 0,
    };
    return { ask: (name, ...args) => more[name]?.() ?? page.evaluate((name, args) => globalThis.leaks[name](...args), name, args), stop: () => page.close() };
  },
};

async function measure(ask) {
  const look = async () => {
    const heap = await ask("collect");
    return { heap, alive: await ask("alive"), listeners: await ask("listeners"), ...(await ask("figures")) };
  };
  const isClean = async (when, { alive, listeners, timers }) => {
    assert.deepEqual({ alive, listeners, timers, active: await ask("timers") }, { alive: 0, listeners: 0, timers: 0, active: 0 }, when);
  };

  // What is there is found.
  await ask("plant");
  const { alive, listeners, timers } = await look();
  assert.deepEqual([alive, listeners, timers], [1, 1, 1], "what was left behind on purpose");
  await ask("clear");
  await isClean("after that", await look());

  await ask("clients", WARM);
  const warm = await look();
  await isClean("after the first clients", warm);
  const rounds = [];
  for (const count of ROUNDS) {
    await ask("clients", count);
    const now = await look();
    await isClean(`after ${count} more clients`, now);
    rounds.push(now);
  }
  const grown = rounds.at(-1).heap - warm.heap;
  assert.ok(grown < MORE.clients, `the heap grew by ${grown} bytes with ${ROUNDS.reduce((a, b) => a + b)} clients`);

  const step = CALLS / 10;
  await ask("fill");
  await ask("calls", step);
  const heaps = [];
  const first = await look();
  for (let n = 0; n < 10; n++) {
    await ask("calls", step);
    heaps.push((await look()).heap);
  }
  const last = await look();
  await isClean("after all calls", last);
  assert.deepEqual([last.instances, last.wasmBytes], [1, first.wasmBytes], "the memory of the wasm");
  // By least squares: a collection that comes a little later is no growth.
  const middle = (heaps.length - 1) / 2;
  const mean = heaps.reduce((a, b) => a + b) / heaps.length;
  const trend = Math.round(heaps.reduce((sum, heap, n) => sum + (n - middle) * (heap - mean), 0) / heaps.reduce((sum, _, n) => sum + (n - middle) ** 2, 0)) * heaps.length;
  assert.ok(trend < MORE.calls, `the heap grew by ${trend} bytes with ${CALLS} calls: ${heaps}`);
  return { clients: { warmUp: WARM, rounds: ROUNDS, heaps: [warm, ...rounds].map(({ heap }) => heap), grown, alive: 0, listeners: 0, timers: 0 }, calls: { count: CALLS, heaps, trend, wasmBytes: [first.wasmBytes, last.wasmBytes], instances: last.instances } };
}

const only = process.argv.slice(2);
const outcomes = new Outcomes();
await Promise.all(Object.entries(RUNTIMES).filter(([name]) => only.length === 0 || only.includes(name)).map(([name, start]) => outcomes.of(name, async () => {
  const began = Date.now();
  const { ask, stop } = await start();
  const measured = { ...await within(LIMIT, name, measure(ask)), seconds: Math.round((Date.now() - began) / 1000) };
  stop();
  return measured;
}, ({ clients, calls, seconds }) => {
  const kib = (bytes) => `${Math.round(bytes / 1024)} KiB`;
  return `${seconds} s
  ${clients.warmUp} + ${clients.rounds.join(" + ")} clients: 0 objects, 0 listeners, 0 timers left; heap ${clients.heaps.map(kib).join(", ")}: ${clients.grown} bytes more
  ${calls.count} calls: wasm ${calls.wasmBytes.map(kib).join(" → ")} in ${calls.instances} instance; heap ${calls.heaps.map(kib).join(", ")}: a trend of ${calls.trend} bytes`;
})));
await browsers.close();
server.stop();
await outcomes.end("leaks.json");
