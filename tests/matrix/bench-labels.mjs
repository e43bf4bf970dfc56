// Labels beside bowser's, in one run: `cargo xtask bench`. Timings here are noisy; the ratios are what counts.
//
//     node tests/matrix/bench-labels.mjs [RUNS]        of what is in pkg/
//
// Each row labels the same agents, in turns; medians are compared. In a list an agent that was there before has its label already: the row is what a list of sessions with agents
// takes longer than one without.
import bowser from "bowser";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";

const RUNS = Number(process.argv[2] ?? 41);
const SESSIONS = 500;
const root = path.resolve(import.meta.dirname, "../..");
const { createSessions, describeDevice } = await import(pathToFileURL(path.join(root, "pkg/index.js")));

const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";
const APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const AGENTS = [
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/142.0.0.0 Safari/537.36`,
  `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${WEBKIT} Chrome/142.0.0.0 Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36`,
  `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/142.0.0.0 Safari/537.36`,
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`,
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/141.0.0.0 Safari/537.36 OPR/125.0.0.0`,
  `Mozilla/5.0 (Linux; Android 14; SM-S921B) ${WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A.240805.005; wv) ${WEBKIT} Version/4.0 Chrome/131.0.6778.39 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/489.0.0.66.81;]`,
  `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) ${APPLE} Version/26.4 Mobile/15E148 Safari/604.1`,
  `Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) ${APPLE} Version/26.4 Mobile/15E148 Safari/604.1`,
  `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) ${APPLE} CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1`,
  `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) ${APPLE} Mobile/15E148 Instagram 380.0.0.28.101 (iPhone14,5; iOS 18_7; en_GB; en; scale=3.00; 1170x2532; 739224671)`,
  `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${APPLE} Version/26.4 Safari/605.1.15`,
  "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
  "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
  "Gmail/6.0.250210 CFNetwork/3826.400.120 Darwin/24.3.0",
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "okhttp/4.12.0",
  "curl/8.5.0",
];

const session = (number, agent) => ({ id: `s${number}`, created_at: "2026-01-31T09:30:00Z", ip_address: "192.0.2.1", user_agent: agent });
/** A list of that many sessions, with agents or without: a fake fetch answers, so this is all our own time. */
function listing(agents) {
  const body = JSON.stringify(Array.from({ length: SESSIONS }, (_, number) => session(number, agents && AGENTS[number % AGENTS.length])));
  const sessions = createSessions({ provider: "rest", baseUrl: "https://a.example", token: "t", fetch: async () => new Response(body, { headers: { "content-type": "application/json" } }) });
  return async () => {
    const { sessions: listed } = await sessions.list();
    if ((listed[0].device === null) === agents) throw new Error("labels are where they should not be, or are not where they should be");
  };
}
const [withAgents, without] = [listing(true), listing(false)];

async function time(work, count) {
  const start = performance.now();
  await work();
  return ((performance.now() - start) * 1000) / count;
}

const ROUNDS = 25;
const ROWS = {
  bowser: () =>
    time(() => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const agent of AGENTS) {
          const parser = bowser.getParser(agent);
          if (parser.getBrowserName() === parser.getOSName() && parser.getPlatformType() === "none") throw new Error(agent);
        }
      }
    }, ROUNDS * AGENTS.length),
  describeDevice: () =>
    time(async () => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const agent of AGENTS) await describeDevice(agent);
      }
    }, ROUNDS * AGENTS.length),
  "in a list": async () => (await time(withAgents, SESSIONS)) - (await time(without, SESSIONS)),
};

const found = Object.fromEntries(Object.keys(ROWS).map((name) => [name, []]));
// The first five rounds warm up.
for (let run = -5; run < RUNS; run++) {
  for (const [name, measure] of Object.entries(ROWS)) {
    const measured = await measure();
    if (run >= 0) found[name].push(measured);
  }
}

const sorted = (name) => found[name].toSorted((a, b) => a - b);
const at = (name, share) => sorted(name)[Math.floor((RUNS - 1) * share)];
console.log(`\nLabels, µs for one of ${AGENTS.length} agents (${RUNS} runs in turns)`);
console.log(`  ${"".padEnd(16)}${"median µs".padStart(10)}${"10 to 90 %".padStart(18)}${"ratio".padStart(8)}`);
const result = {};
for (const name of Object.keys(ROWS)) {
  const [us, low, high, ratio] = [at(name, 0.5), at(name, 0.1), at(name, 0.9), at(name, 0.5) / at("bowser", 0.5)];
  result[name] = { us, low, high, ratio };
  console.log(`  ${name.padEnd(16)}${us.toFixed(1).padStart(10)}${`${low.toFixed(1)} to ${high.toFixed(1)}`.padStart(18)}${ratio.toFixed(2).padStart(8)}`);
}
await mkdir(path.join(root, "target/bench"), { recursive: true });
await writeFile(path.join(root, "target/bench/labels.json"), `${JSON.stringify(result, null, 2)}\n`);
