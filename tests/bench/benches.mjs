// What is measured. Each gives panels: a title, what the numbers are, and rows with a number for each run. Whoever is measured has its result checked. A panel's `headlines` are pairs of
// rows, ours and what it is to be seen beside; `chart` puts it into the chart.
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { CannotRun, run, within } from "../matrix/support.mjs";
import { OURS, PEERS, appsFor, browsers, bundle, folder, inChromium, inNode, inTurns, serveAll, slug } from "./support.mjs";
import { WIRES } from "./wires.mjs";

const wires = Object.keys(WIRES);
const peerApps = wires.map((wire) => ({ ...appsFor(wire)[1], wire }));
/** Where the back-end makes no difference to us, it is this one. */
const USUAL = "better-auth";
const [ours, peer, plain] = appsFor(USUAL).map((app) => ({ ...app, wire: USUAL }));
const slim = { name: `${OURS}/slim`, module: "apps/slim.mjs", wire: USUAL };
const edge = { name: `${OURS}/edge`, module: "apps/edge.mjs", wire: USUAL };
const withName = (app, name) => ({ ...app, name });
/** Back-ends whose own clients' lists do what ours do, and are what ours is measured by. */
const MEASURES = ["clerk", USUAL];

/** All places of a measurement that has several, each with what can't be had there said. */
async function places(all) {
  const panels = [];
  for (const [title, measure] of Object.entries(all)) {
    try {
      panels.push(...[await measure()].flat());
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error;
      panels.push({ title, cannot: error.message, rows: [] });
    }
  }
  return panels;
}

/** The smallest app that lists and revokes, as a browser or a Worker downloads it: that it does both is tried before. */
async function download() {
  const variants = [
    ours,
    slim,
    edge,
    { ...withName(edge, `${edge.name}, workerd`), conditions: ["workerd", "worker", "browser"] },
    ...peerApps,
    plain,
  ];
  const brotli = (file) => brotliCompressSync(file, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: file.length } });
  const sum = (files, compress) => [...files.values()].reduce((total, file) => total + compress(file).length, 0);
  const node = await inNode();
  try {
    const rows = await inTurns(1, variants, async (app) => {
      await node.load(app);
      await node.ask("use", { wire: app.wire, count: 10 });
      await node.ask("revoke", app);
      const files = await bundle(app, app);
      return { minified: sum(files, (file) => file), gzip: sum(files, (file) => gzipSync(file, { level: 9 })), brotli: sum(files, brotli) };
    });
    const kinds = { gzip: ["gzip -9", ours], brotli: ["brotli 11", slim], minified: ["minified"] };
    return Object.entries(kinds).map(([kind, [title, entry]]) => ({
      title: `Download of an app that lists and revokes, ${title}`, unit: "bytes", chart: kind === "gzip", headlines: entry ? peerApps.map(({ name }) => [entry.name, name]) : [],
      rows: rows.map((row) => ({ ...row, numbers: row.numbers.map((sizes) => sizes[kind]) })),
    }));
  } finally {
    node.stop();
  }
}

/** One list, by a client that is there: its body comes from a canned `fetch`, so that only the client works. */
async function list({ quick }) {
  const sizes = quick ? { 100: 20, 10_000: 1 } : { 10: 200, 100: 50, 1000: 10, 10_000: 3 };
  const inPlace = async (place, unit, start) => {
    const panels = [];
    for (const wire of wires) {
      const runner = await start();
      try {
        const loaded = [];
        for (const app of appsFor(wire)) loaded.push({ ...app, failed: await runner.load(app).then(() => null, (error) => error) });
        for (const [count, calls] of Object.entries(sizes).map((pair) => pair.map(Number))) {
          if (count > WIRES[wire].most) continue;
          const { bytes } = await runner.ask("use", { wire, count });
          const rows = await inTurns(quick ? 3 : 15, loaded, async ({ name, failed }) => {
            if (failed) throw failed;
            return runner.ask("list", { name, calls });
          });
          const title = `List of ${count.toLocaleString("en")} sessions, ${WIRES[wire].peer.package}'s wire, ${Math.round(bytes / 1024).toLocaleString("en")} KiB, ${place}`;
          const measures = MEASURES.includes(wire);
          panels.push({ title, unit, chart: measures && count === 10_000, headlines: measures && [100, 10_000].includes(count) ? [[OURS, WIRES[wire].peer.package]] : [], rows });
        }
      } finally {
        await runner.stop();
      }
    }
    return panels;
  };
  return places({
    "Lists in Node": () => inPlace("Node", "ms of CPU", inNode),
    "Lists in Chromium": async () => {
      const [chromium, server] = [await browsers(), await serveAll(1)];
      try {
        return await inPlace("Chromium", "ms", () => inChromium(chromium, server));
      } finally {
        await chromium.close();
        server.stop();
      }
    },
  });
}

/** Milliseconds that a back-end takes which is not on this machine, but in the same town. */
const AWAY = 20;

/** From nothing to the first list of ten sessions, of a server on this machine; in Chromium also of one that is away. */
async function start({ quick }) {
  const rounds = quick ? 3 : 25;
  const [server, distant] = [await serveAll(10), await serveAll(10, AWAY)];
  const check = (wire, ids) => server.backEnds[wire].check(ids.map((id) => ({ id })));
  const given = ({ wire }, from = server) => JSON.stringify(from.given(wire));
  const place = async (title, variants, measure, more) => ({ title, unit: "ms", rows: await inTurns(rounds, variants, measure), ...more });

  const node = () =>
    place("Node: first line of a script to its first list, packages from node_modules", [ours, ...peerApps, plain], async (app) => {
      if (app.needs) await bundle(app);
      const { ms, ids } = JSON.parse(await run(60, process.execPath, ["start.mjs", `./${app.module}`, app.connect ?? "connect", given(app)], { cwd: folder, env: { NODE_ENV: "production" } }));
      check(app.wire, ids);
      return ms;
    });

  const chromium = async (from, title, variants, more) => {
    const all = await browsers();
    try {
      const browser = await all.get("chromium");
      return await place(`Chromium: first script of a page to its first list, ${title}`, variants, async (app, round) => {
        const outdir = `pages/start/${slug(app.name)}`;
        if (round === 0) {
          const code = `import { ${app.connect ?? "connect"} as connect } from "./${app.module}";
const sessions = await connect(JSON.parse(decodeURIComponent(location.hash.slice(1)))).list();
globalThis.took = { ms: performance.now() - globalThis.began, ids: sessions.map(({ id, $id }) => id ?? $id) };`;
          await bundle(app, { code, outdir, write: true });
          await writeFile(path.join(folder, outdir, "began.js"), "globalThis.began = performance.now();\n");
          await writeFile(path.join(folder, outdir, "index.html"), '<!doctype html><meta charset="utf-8"><script src="began.js"></script><script type="module" src="app.js"></script>\n');
        }
        const context = await browser.createBrowserContext();
        try {
          const page = await context.newPage();
          const failed = new Promise((_, reject) => page.once("pageerror", reject));
          await page.goto(`${from.url}/${outdir}/index.html#${encodeURIComponent(given(app, from))}`);
          const { ms, ids } = await within(30, app.name, Promise.race([failed, page.waitForFunction(() => globalThis.took).then((took) => took.jsonValue())]));
          check(app.wire, ids);
          return ms;
        } finally {
          await context.close();
        }
      }, { headlines: [ours, slim].map(({ name }) => [name, plain.name]), ...more });
    } finally {
      await all.close();
    }
  };

  const workerd = async () => {
    const runtimes = await import("../matrix/runtimes.mjs").catch((error) => {
      throw new CannotRun(`workerd is not installed: \`npm ci --ignore-scripts\` in tests/matrix (${error.code})`);
    });
    const empty = { name: "an empty Worker", module: "apps/empty.mjs", wire: USUAL };
    const warm = new Map();
    const cold = await place("workerd: start of the program to the first answer of a Worker that lists", [ours, edge, ...peerApps, plain, empty], async (app, round) => {
      const place = path.join(folder, "workerd", slug(app.name));
      if (round === 0) {
        if (app.needs) await bundle(app);
        await mkdir(place, { recursive: true });
        await copyFile(path.join(folder, "worker.mjs"), path.join(place, "worker.mjs"));
        await writeFile(path.join(place, "app.mjs"), `export { ${app.connect ?? "connect"} as connect } from "../../${app.module}";\n`);
      }
      const started = await runtimes.workerd(place, runtimes.NEWEST, { entry: "worker.mjs", bindings: { GIVEN: given(app) } });
      const ask = async () => {
        const response = await fetch(`${started.url}/api/sessions`, { headers: { cookie: "access_token=bench" } });
        const text = await response.text();
        if (!response.ok) throw new Error(`status ${response.status}: ${started.output().match(/\w*Error: .*/)?.[0] ?? text.slice(0, 200)}`);
        if (app !== empty) check(app.wire, JSON.parse(text).sessions.map(({ id, $id }) => id ?? $id));
      };
      try {
        await within(30, app.name, ask());
        const ms = performance.now() - started.began;
        const calls = quick ? 20 : 100;
        const start = performance.now();
        for (let call = 0; call < calls; call++) await ask();
        if (round > 0) warm.set(app.name, [...(warm.get(app.name) ?? []), (performance.now() - start) / calls]);
        return ms;
      } finally {
        started.stop();
      }
    });
    const rows = cold.rows.map((row) => ({ ...row, numbers: warm.get(row.name) ?? [] }));
    return [cold, { title: "workerd: an answer after that", unit: "ms", rows }];
  };

  try {
    return await places({
      "Starts in Node": node,
      "Starts in Chromium": () => chromium(server, "a fresh profile each time", [ours, slim, ...peerApps, plain], { chart: true }),
      "Starts in Chromium, away": () => chromium(distant, `of a back-end that takes ${AWAY} ms`, [ours, slim, peer, plain]),
      "Starts in workerd": workerd,
    });
  } finally {
    server.stop();
    distant.stop();
  }
}

/** What stays in use: JavaScript's heap, and the memory of wasm modules. A process for each run. */
async function memory({ quick }) {
  // Most of a run's time goes into the many calls: of one back-end.
  const many = { [USUAL]: 100_000, clerk: 10_000 };
  const [PAGE, MIB] = [65_536, 2 ** 20];
  const panels = [];
  for (const [wire, most] of Object.entries(many)) {
    const [early, all] = quick ? [200, 2000] : [1000, most];
    const rows = await inTurns(quick ? 1 : 3, appsFor(wire).slice(0, 3), async ({ name, ...app }, round) => {
      const node = await inNode();
      const lists = (calls) => node.ask("memory", { name, calls });
      try {
        await node.load({ name, ...app });
        await node.ask("use", { wire, count: 10 });
        const first = await lists(1);
        // The round that doesn't count need not be long: nothing of it is left to the others.
        const [soon, late] = [await lists(early), await lists(round === 0 ? 1 : all - early)];
        await node.ask("use", { wire, count: 10_000 });
        const before = await node.ask("used");
        const after = await lists(3);
        return {
          small: first.largest / MIB, largest: after.largest / MIB, kept: (after.heap - before.heap + after.wasm - before.wasm) / MIB, heap: (late.heap - soon.heap) / MIB, pages: (late.wasm - soon.wasm) / PAGE,
        };
      } finally {
        node.stop();
      }
    });
    const panel = (title, unit, kind, headlines = []) => ({ title: `Memory: ${title}, ${WIRES[wire].peer.package}'s wire, Node`, unit, headlines, rows: rows.map((row) => ({ ...row, numbers: row.numbers.map((found) => found[kind]) })) });
    const calls = `from call ${early.toLocaleString("en")} to call ${all.toLocaleString("en")}`;
    const headlines = wire === USUAL ? [[OURS]] : [];
    panels.push(
      panel("the most that wasm had for a list of 10 sessions", "MiB", "small"),
      panel("the most that wasm had for a list of 10,000 sessions", "MiB", "largest"),
      panel("heap and wasm that three lists of 10,000 sessions leave", "MiB", "kept"),
      panel(`growth of wasm, ${calls} of lists of 10 sessions`, "pages", "pages", headlines),
      panel(`growth of JavaScript's heap, ${calls} of lists of 10 sessions`, "MiB", "heap", headlines),
    );
  }
  return panels;
}

/** Ends 500 sessions of a back-end that has no request for that (Clerk), and takes 20 ms for each. */
async function revokeAll({ quick }) {
  const [count, ms, atOnce] = [500, 20, 4];
  const [ours, clerk, plain] = appsFor("clerk");
  const variants = [
    { ...ours, name: `${OURS} (${atOnce} at once)`, load: ours },
    { ...withName(clerk, `${clerk.name}, ${atOnce} at once by hand`), load: clerk, atOnce },
    { ...withName(clerk, `${clerk.name}, one after the other`), load: clerk, atOnce: 1 },
    { ...withName(plain, `${plain.name}, ${atOnce} at once by hand`), load: plain, atOnce },
  ];
  const node = await inNode();
  let lists = 1;
  try {
    const rows = await inTurns(quick ? 1 : 5, variants, async ({ name, load, atOnce: width }) => {
      await node.load({ ...load, name });
      await node.ask("use", { wire: "clerk", count, ms, pages: true });
      const { took, most, lists: asked } = await node.ask("revokeAll", { name, atOnce: width });
      if (most !== (width ?? atOnce)) throw new Error(`${most} requests at once instead of ${width ?? atOnce}`);
      lists = asked;
      return took;
    });
    const ideal = (width) => (lists + Math.ceil(count / width)) * ms;
    const best = { name: `the ideal of ${atOnce} at once`, numbers: [ideal(atOnce)] };
    return [{ title: `revokeAll of ${count} Clerk sessions, ${ms} ms for each request, Node`, unit: "ms", chart: true, headlines: [[variants[0].name, best.name]], rows: [...rows, best] }];
  } finally {
    node.stop();
  }
}

export const BENCHES = { download, list, start, memory, "revoke-all": revokeAll };
export { PEERS };
