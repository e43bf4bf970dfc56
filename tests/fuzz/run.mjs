// Runs the fuzz targets, one after the other, on the toolchain that is there: libFuzzer comes as source with libfuzzer-sys (a C++ compiler builds it), and coverage from
// LLVM's pass in rustc. No nightly, no cargo-fuzz.
//
//   node tests/fuzz/run.mjs short            the same runs every time, half a minute: part of the tests
//   node tests/fuzz/run.mjs long [target…]   10 minutes for each target, or FUZZ_SECONDS; what is found goes on from there the next time
//   node tests/fuzz/run.mjs one target file  one input again, with the whole message
//   node tests/fuzz/run.mjs keep [target…]   makes the committed corpus of what the long runs found: whatever reaches code that nothing else in it does
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

const here = import.meta.dirname;
const target = process.env.CARGO_TARGET_DIR ?? path.join(here, "../../target");
// Other flags than those of the project's own builds: in one folder each would undo the other's.
const built = path.join(target, "fuzz");
const artifacts = path.join(target, "artifacts/fuzz");

/** How many executions make a few seconds, how long an input may be, and the dictionary. */
const CASE = { runs: 4_000, length: 6000, words: "case" };
const TARGETS = {
  json: { runs: 300_000, length: 600 },
  time: { runs: 1_000_000, length: 64 },
  jwt: { runs: 400_000, length: 400 },
  cookie: { runs: 80_000, length: 6000 },
  retry_after: { runs: 1_000_000, length: 64 },
  user_agent: { runs: 20_000, length: 400 },
  edge: { ...CASE, runs: 15_000 },
  read: { ...CASE, runs: 15_000 },
  profile: CASE,
  step: CASE,
};
/** Files of a committed corpus that were found. */
const MOST = 24;
// What coverage-guided fuzzing needs of the compiler: the same that cargo-fuzz passes. One unit for each crate keeps the counters of a crate together.
const FLAGS = [
  "-Cpasses=sancov-module", "-Cllvm-args=-sanitizer-coverage-level=4", "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters", "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares", "-Ccodegen-units=1", "--cfg=fuzzing",
];

const [mode, ...rest] = process.argv.slice(2);
const modes = { short: () => fuzz(Object.keys(TARGETS)), long: () => fuzz(chosen(rest)), one: () => again(...rest), keep: () => chosen(rest).forEach(keep) };
if (!modes[mode]) {
  console.error(`usage: node tests/fuzz/run.mjs ${Object.keys(modes).join("|")} [target…]`);
  process.exit(2);
}
const bin = build();
await modes[mode]();

function chosen(names) {
  const unknown = names.find((name) => !TARGETS[name]);
  if (unknown) throw new Error(`there is no target ${unknown}; the targets are ${Object.keys(TARGETS).join(", ")}`);
  return names.length ? names : Object.keys(TARGETS);
}

/** Where the programs are. The flags are for the target only, not for build scripts: that takes a triple. */
function build() {
  const host = /^host: (.+)$/m.exec(execFileSync("rustc", ["-vV"], { encoding: "utf8" }))[1];
  const { RUSTFLAGS, ...env } = process.env;
  const args = ["build", "--release", "--locked", "--manifest-path", path.join(here, "Cargo.toml"), "--target-dir", built, "--target", host];
  execFileSync("cargo", args, { stdio: "inherit", env: { ...env, CARGO_ENCODED_RUSTFLAGS: FLAGS.join("\x1f") } });
  return path.join(built, host, "release");
}

async function fuzz(names) {
  mkdirSync(artifacts, { recursive: true });
  const seconds = Number(process.env.FUZZ_SECONDS ?? 600);
  const rows = [];
  for (const name of names) {
    const row = await run(name, seconds);
    rows.push(row);
    if (row.report) console.log(row.report);
  }
  console.table(Object.fromEntries(rows.map(({ name, report, ...row }) => [name, row])));
  if (rows.some(({ findings }) => findings)) process.exitCode = 1;
}

async function run(name, seconds) {
  const { runs, length, words = name } = TARGETS[name];
  // What is new goes into the first folder. A short run begins with an empty one: the next is the same.
  const grown = path.join(built, mode === "long" ? "corpus" : "short", name);
  if (mode !== "long") rmSync(grown, { recursive: true, force: true });
  mkdirSync(grown, { recursive: true });
  const dictionary = path.join(here, "dictionaries", `${words}.dict`);
  const args = [
    grown, path.join(here, "corpus", name), `-dict=${dictionary}`, `-max_len=${length}`, `-artifact_prefix=${artifacts}/${name}-`,
    // One input takes no longer than this, and needs no more memory.
    "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1",
    // On a slow machine fewer.
    ...(mode === "long" ? [`-max_total_time=${seconds}`] : ["-seed=1", `-runs=${runs}`, "-max_total_time=6"]),
  ];
  const began = Date.now();
  const { code, said } = await output(path.join(bin, name), args);
  const elapsed = (Date.now() - began) / 1000;
  const number = (pattern) => Number([...said.matchAll(pattern)].at(-1)?.[1] ?? 0);
  const [before, after] = [number(/INITED cov: (\d+)/g), number(/ cov: (\d+)/g)];
  const executions = number(/number_of_executed_units: (\d+)/g) || number(/^#(\d+)/gm);
  const row = { name, executions, seconds: Math.round(elapsed), "exec/s": Math.round(executions / elapsed), coverage: after, "new coverage": after - before, findings: code === 0 ? 0 : 1 };
  if (code === 0) return row;
  const input = /Test unit written to (\S+)/.exec(said)?.[1];
  const message = said.split("\n").filter((line) => !/^(#\d+|\s+(\d+:|at )|INFO|NOTE|WARNING|SUMMARY|Loaded|MS:|0x|==|stat::|Dictionary|note:| +Combine)/.test(line)).slice(0, 30).join("\n");
  return { ...row, report: `\n${name}: a finding\n${message}\nsee it again: node tests/fuzz/run.mjs one ${name} ${input ? path.relative(process.cwd(), input) : "<file>"}\n` };
}

function output(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, RUST_BACKTRACE: "0" } });
    let said = "";
    child.stderr.on("data", (chunk) => (said += chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? signal, said }));
  });
}

function again(name, file) {
  if (!TARGETS[name] || !existsSync(file ?? "")) throw new Error("one takes a target and a file");
  execFileSync(path.join(bin, name), [file], { stdio: "inherit", env: { ...process.env, RUST_BACKTRACE: "1" } });
}

/** By edges alone: libFuzzer's own measure, how often each was passed, keeps thousands of files. Those written by hand (they have names) stay. */
function keep(name) {
  const { length } = TARGETS[name];
  const corpus = path.join(here, "corpus", name);
  const grown = path.join(built, "corpus", name);
  if (!existsSync(grown)) return console.log(`${name}: no long run yet`);
  const [small, merged] = ["small", "merged"].map((folder) => path.join(built, folder, name));
  for (const folder of [small, merged]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const isByHand = (file) => !/^[0-9a-f]{40}$/.test(path.basename(file));
  const files = (folder) => readdirSync(folder).map((file) => path.join(folder, file));
  for (const file of files(corpus)) copyFileSync(file, path.join(merged, path.basename(file)));
  // Large ones hide what they are about.
  for (const file of files(grown)) if (statSync(file).size <= 1500) writeFileSync(path.join(small, path.basename(file)), readFileSync(file));
  execFileSync(path.join(bin, name), ["-set_cover_merge=1", "-use_counters=0", "-use_cmp=0", `-max_len=${length}`, merged, small], { stdio: "ignore" });
  for (const file of files(corpus)) if (!isByHand(file)) rmSync(file);
  // It writes first what adds most; of the rest each adds next to nothing.
  const written = (file) => Number(statSync(file, { bigint: true }).mtimeNs);
  const found = files(merged).filter((file) => !isByHand(file)).sort((one, other) => written(one) - written(other));
  for (const file of found.slice(0, MOST)) copyFileSync(file, path.join(corpus, path.basename(file)));
  console.log(`${name}: ${readdirSync(corpus).length} files`);
}
