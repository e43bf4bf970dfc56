// How often labels are right: `describeDevice` measured on the test data of uap-core (ua-parser's, Apache-2.0), which the crate `ua-parser` has in its source; the npm package uap-core comes without.
//
// What its names are called here is said below, name by name. No case is left out because it fails; those of other families are counted.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inRust } from "./rust.mjs";
import { describeDevice, jwt } from "./support.mjs";

/** Families of uap-core, and what they are called here. Variants for telephones are no families of their own. */
const BROWSERS = {
  Chrome: ["Chrome", "Chrome Mobile", "Chrome Mobile iOS"],
  Chromium: ["Chromium"],
  "Headless Chrome": ["HeadlessChrome"],
  Edge: ["Edge", "Edge Mobile"],
  Firefox: ["Firefox", "Firefox Beta", "Firefox Alpha", "Firefox Mobile", "Firefox iOS"],
  Safari: ["Safari", "Mobile Safari"],
  Opera: ["Opera", "Opera Mobile", "Opera Mini", "Opera Tablet", "Opera Coast"],
  "Internet Explorer": ["IE", "IE Mobile", "IE Large Screen"],
  "Samsung Internet": ["Samsung Internet"],
  Vivaldi: ["Vivaldi"],
  "UC Browser": ["UC Browser"],
  "Yandex Browser": ["Yandex Browser"],
  "Android WebView": ["Chrome Mobile WebView"],
  "Android Browser": ["Android"],
  "Naver Whale": ["Whale"],
  "Amazon Silk": ["Amazon Silk"],
  DuckDuckGo: ["DuckDuckGo Mobile"],
  Brave: ["Brave"],
};

/** Distributions are Linux. */
const SYSTEMS = {
  iOS: ["iOS"],
  Windows: ["Windows"],
  "Windows Phone": ["Windows Phone"],
  Android: ["Android"],
  macOS: ["Mac OS X"],
  ChromeOS: ["Chrome OS"],
  FreeBSD: ["FreeBSD"],
  Linux: ["Linux", "Ubuntu", "Debian", "Fedora", "Red Hat", "CentOS", "Gentoo", "Mandriva", "Slackware", "Linux Mint", "PCLinuxOS", "Puppy"],
};

/** In-app browsers. */
const APPS = {
  Facebook: ["Facebook"],
  Messenger: ["Facebook Messenger"],
  Instagram: ["Instagram"],
  Pinterest: ["Pinterest"],
  "Google Search": ["Google"],
  LINE: ["LINE"],
  Twitter: ["Twitter"],
  Snapchat: ["Snapchat"],
  Slack: ["Slack Desktop Client"],
  Outlook: ["Outlook"],
  Spotify: ["Spotify"],
};

const UA = "tests/test_ua.yaml";
const FIREFOX = "test_resources/firefox_user_agent_strings.yaml";
const OS = ["tests/test_os.yaml", "test_resources/additional_os_tests.yaml"];
const DEVICE = "tests/test_device.yaml";
const MEASURED = [UA, FIREFOX, ...OS, DEVICE];
const OTHERS = ["opera_mini_user_agent_strings", "pgts_browser_list", "podcasting_user_agent_strings"].map((name) => `test_resources/${name}.yaml`);

// ---------------------------------------------------------------- the data

/** The folder of uap-core, wherever cargo keeps its sources; or else why there is none. */
const { folder, reason } = (() => {
  const { CARGO = "cargo" } = process.env;
  const cargo = (...args) => execFileSync(CARGO, args, { cwd: path.resolve(import.meta.dirname, "../.."), encoding: "utf8", maxBuffer: 2 ** 26, stdio: ["ignore", "pipe", "pipe"] });
  try {
    // Crates of other systems need not be there.
    const [, host] = /^host: (.+)$/m.exec(cargo("-vV"));
    const { packages } = JSON.parse(cargo("metadata", "--format-version=1", "--offline", "--filter-platform", host));
    const folder = path.join(path.dirname(packages.find(({ name }) => name === "ua-parser").manifest_path), "uap-core");
    return existsSync(folder) ? { folder } : { reason: "the crate ua-parser has no uap-core" };
  } catch (error) {
    return { reason: `cargo has no source of the crate ua-parser: ${error.message.split("\n").slice(0, 3).join(" ")}` };
  }
})();

/** A test that needs the data. */
const measured = (title, run) => test(title, (t) => (folder ? run(t) : t.skip(reason)));

/** Entries of one of its YAML files, or of their last section; they all have one form: scalars by name, and a first one that begins each entry. */
function entries(file, first, section) {
  const text = readFileSync(path.join(folder, file), "utf8").split(section).at(-1);
  const all = [];
  for (const line of text.split("\n")) {
    const [, begins, name, written] = /^\s*(- )?(\w+): *(.*?)\s*$/.exec(line) ?? [];
    if (!name) continue;
    const [, quote, quoted] = /^(['"])(.*)\1/.exec(written) ?? [];
    if (begins) all.push({});
    if (all.length > 0) all.at(-1)[name] = quote === "'" ? quoted.replaceAll("''", "'") : quote ? quoted.replace(/\\(["\\])/g, "$1") : written;
  }
  assert.equal(all.filter((entry) => first in entry).length, text.match(new RegExp(`^\\s*- ${first}:`, "gm")).length, `${file} has a form that is not known`);
  return all;
}

/** Cases that need more than the agent are not ours. */
const cases = (files) => files.flatMap((file) => entries(file, "user_agent_string")).filter((entry) => !("js_ua" in entry));

/** Its agents, each once. */
const agentsOf = (files) => [...new Set(cases(files).map((entry) => entry.user_agent_string))];

const percent = (part, all) => `${((100 * part) / all).toFixed(1)} %`;
/** A few of them, for people. */
const some = (lines, most = 10) => [...lines.slice(0, most).map((line) => `\n    ${line.slice(0, 160)}`), ...(lines.length > most ? [`\n    and ${lines.length - most} more`] : [])].join("");

// ---------------------------------------------------------------- the measurements

/** The share that is right, that in words, and each family with what is missed. */
async function measure(title, files, member, families) {
  const names = new Map(Object.entries(families).flatMap(([ours, theirs]) => theirs.map((name) => [name, ours])));
  const counts = new Map(Object.keys(families).map((name) => [name, { count: 0, misses: [] }]));
  const others = [];
  for (const { user_agent_string: agent, family } of cases(files)) {
    const expected = names.get(family);
    if (!expected) {
      others.push(family);
      continue;
    }
    const counted = counts.get(expected);
    counted.count += 1;
    const found = (await describeDevice(agent))[member];
    if (found !== expected) counted.misses.push(`${found}: ${agent}`);
  }
  let [all, wrong, lines] = [0, 0, ""];
  for (const [family, { count, misses }] of counts) {
    assert.ok(count > 0, `there is no case for ${family}`);
    all += count;
    wrong += misses.length;
    lines += `\n  ${family}: ${count - misses.length} of ${count}${some(misses)}`;
  }
  return { share: 1 - wrong / all, summary: `${title}: ${all - wrong} of ${all} right, ${percent(all - wrong, all)}; ${others.length} cases of ${new Set(others).size} other families left out`, lines };
}

measured("browsers", async (t) => {
  const { share, summary, lines } = await measure("browsers", [UA, FIREFOX], "browser", BROWSERS);
  // More than half of those are Firefox.
  const fewer = await measure("browsers but for the list of Firefoxes", [UA], "browser", BROWSERS);
  t.diagnostic(`${summary}${lines}\n${fewer.summary}`);
  assert.ok(share >= 0.97 && fewer.share >= 0.97);
});

for (const [title, files, member, families, least] of [["operating systems", OS, "os", SYSTEMS, 0.92], ["in-app browsers", [UA], "browser", APPS, 0.9]]) {
  measured(title, async (t) => {
    const { share, summary, lines } = await measure(title, files, member, families);
    t.diagnostic(summary + lines);
    assert.ok(share >= least);
  });
}

// Its rules are portable: each is a regular expression of JavaScript, and one that were none would throw. They are taken as written: the crate widens `.{0,100}` to `.*`, and so finds a few
// spiders more at the end of long agents.
measured("bots: what uap-core's own rules take for a crawler (\"Spider\"), of all agents in its tests", async (t) => {
  const rules = entries("regexes.yaml", "regex", "\ndevice_parsers:").map((rule) => ({ pattern: new RegExp(rule.regex, rule.regex_flag), isSpider: rule.device_replacement === "Spider" }));
  /** The first rule that fits is one for spiders. Those for devices are asked only where it matters. */
  const isSpider = (agent) => {
    const at = rules.findIndex(({ pattern, isSpider }) => isSpider && pattern.test(agent));
    return at >= 0 && !rules.slice(0, at).some(({ pattern, isSpider }) => !isSpider && pattern.test(agent));
  };
  const [missed, wrong, counts] = [[], [], { bots: 0, others: 0 }];
  for (const agent of agentsOf(MEASURED)) {
    const isBot = (await describeDevice(agent)).kind === "bot";
    const expected = isSpider(agent);
    counts[expected ? "bots" : "others"] += 1;
    if (expected !== isBot) (expected ? missed : wrong).push(agent);
  }
  const { bots, others } = counts;
  t.diagnostic(`bots: ${bots - missed.length} of ${bots} told, ${percent(bots - missed.length, bots)}; ${wrong.length} of ${others} others taken for one\n  missed:${some(missed)}\n  wrong:${some(wrong)}`);
  assert.ok(missed.length * 10 <= bots && wrong.length * 100 <= others);
});

// ---------------------------------------------------------------- all agents

measured("no label has a version, since browsers freeze them", async (t) => {
  const agents = agentsOf([...MEASURED, ...OTHERS]);
  // Those that say a version anywhere, and those in which it is known to be frozen.
  const [versions, frozen] = [/\d/, /Windows NT 10\.0|Mac OS X 10_15_7|Android 10; K\)|Chrome\/\d+\.0\.0\.0/].map((pattern) => agents.filter((agent) => pattern.test(agent)).length);
  for (const agent of agents) {
    const { label, browser, os } = await describeDevice(agent);
    // No name of a browser, an app or a system has a digit.
    assert.doesNotMatch(`${label} ${browser} ${os}`, /\d/, agent);
  }
  t.diagnostic(`no version in the labels of ${agents.length} agents; ${versions} have numbers, ${frozen} frozen versions`);
  assert.ok(versions > 20_000 && frozen > 50);
});

measured("the Rust API labels all agents the same", async (t) => {
  // A session with an empty one has no label.
  const agents = agentsOf([...MEASURED, ...OTHERS]).filter(Boolean);
  const state = { provider: "rest", base: "https://auth.example", access: jwt({ sub: "u" }) };
  const differ = [];
  for (let at = 0; at < agents.length; at += 1000) {
    const part = agents.slice(at, at + 1000);
    const { sessions } = inRust(state, JSON.stringify(part.map((user_agent, at) => ({ id: `s${at}`, user_agent }))));
    assert.deepEqual(sessions.map(({ userAgent }) => userAgent), part);
    for (const [at, agent] of part.entries()) {
      const [ours, rusts] = [await describeDevice(agent), sessions[at].device].map((device) => JSON.stringify(device));
      if (ours !== rusts) differ.push(`${ours}, in Rust ${rusts}: ${agent}`);
    }
  }
  t.diagnostic(`${agents.length} agents compared with Rust, ${differ.length} labels differ${some(differ)}`);
  assert.ok(agents.length > 20_000);
  assert.equal(differ.length, 0);
});
