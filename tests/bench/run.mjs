// This package beside other clients of the same back-ends, and beside plain fetch: `cargo xtask bench [NAME...] [--quick] [--publish]`.
//
//     node tests/bench/run.mjs [download] [list] [start] [memory] [revoke-all] [--quick] [--publish]        env PACKAGE_TARBALL, CHROMIUM
//
// All get the same bytes, on the same machine, in turns. Times differ from machine to machine: the ratios are what counts. target/bench/ gets the figures as JSON, and a chart;
// with --publish, which wants everything measured, docs/images/ gets the chart, too.
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { makeProject, run, target } from "../matrix/support.mjs";
import { BENCHES, PEERS } from "./benches.mjs";
import { chart, headlineTable, headlines, summarise, table } from "./report.mjs";
import { OURS, prepare, toolVersions, version } from "./support.mjs";

const args = process.argv.slice(2);
const [quick, publish] = ["--quick", "--publish"].map((flag) => args.includes(flag));
const names = args.filter((arg) => arg !== "--quick" && arg !== "--publish");
const unknown = names.find((name) => !Object.hasOwn(BENCHES, name));
const { PACKAGE_TARBALL, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (unknown !== undefined || !PACKAGE_TARBALL) {
  console.error(unknown === undefined ? "set PACKAGE_TARBALL; `cargo xtask bench` does" : `there is no benchmark \`${unknown}\`: ${Object.keys(BENCHES).join(", ")}, --quick, --publish`);
  process.exit(2);
}
if (publish && (quick || names.length > 0)) {
  console.error("--publish is for a full run: not with --quick, nor for some benchmarks only");
  process.exit(2);
}

await makeProject(path.resolve(PACKAGE_TARBALL));
await prepare();
const packages = {};
for (const name of [OURS, ...Object.values(PEERS)]) packages[name] = await version(name);
const chromium = await run(20, CHROMIUM, ["--version"]).then((said) => said.match(/Chrom\w* ([\d.]+)/)?.[1] ?? said.trim(), () => null);
const result = {
  date: new Date().toISOString(), quick, packages, tools: { node: process.version, chromium, ...await toolVersions() },
  machine: { platform: `${process.platform} ${process.arch}`, cpus: os.cpus().length, cpu: os.cpus()[0]?.model ?? null, load: os.loadavg()[0] }, panels: [],
};
const versions = Object.entries(packages).map(([name, version]) => `${name} ${version ?? "(not installed)"}`);
console.log(`${versions.join(", ")}; Node ${process.version}, Chromium ${chromium}, ${result.machine.cpus} CPUs${quick ? "; a quick run" : ""}`);
if (result.machine.load > result.machine.cpus / 2) console.log(`The machine is busy (load ${result.machine.load.toFixed(1)}): times are not to be trusted, ratios hardly.`);

for (const [name, measure] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const panels = (await measure({ quick })).map((panel) => ({ bench: name, ...summarise(panel) }));
  console.log(table(panels));
  result.panels.push(...panels);
}

result.headlines = headlines(result.panels);
if (result.headlines.length > 0) console.log(headlineTable(result.headlines));

const folder = path.join(target, "bench");
const drawn = path.join(folder, "bench.svg");
await mkdir(folder, { recursive: true });
await writeFile(path.join(folder, "bench.json"), `${JSON.stringify(result, null, 2)}\n`);
const about = [
  `${versions.join(", ")}.`,
  `${quick ? "A quick run" : "Run"} of ${result.date.slice(0, 10)} by \`cargo xtask bench\`: Node ${process.version}, Chromium ${chromium}.`,
  `${result.machine.platform}, ${result.machine.cpus} × ${result.machine.cpu ?? "a CPU"}. Medians and quartiles, less is better; × is relative to ${OURS}.`,
];
await writeFile(drawn, chart(result.panels, about));
console.log("\nFigures in target/bench/bench.json, a chart in target/bench/bench.svg.");
if (publish) {
  if (result.panels.some(({ cannot, rows }) => cannot || rows.some(({ cannot }) => cannot))) {
    console.error("Not published: something could not be measured, see above.");
    process.exit(1);
  }
  await copyFile(drawn, path.resolve(import.meta.dirname, "../../docs/images/bench.svg"));
  console.log("The chart is in docs/images/bench.svg.");
}
process.exit();
