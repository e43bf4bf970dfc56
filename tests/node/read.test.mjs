// Sessions are read twice: in Rust for the Rust API (`src/model.rs`, and `src/device.rs` for the labels), and with the engine's own JSON reader in the package (`src/npm/read.js`, `src/npm/device.js`). Of any answer both
// make the same.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { inRust } from "./rust.mjs";
import { createSessions, describeDevice, fails, jwt, settles } from "./support.mjs";

/** Of each profile and provider; READ_RUNS for a longer look. */
const RUNS = Number(process.env.READ_RUNS ?? 2000);

const BASE = "https://auth.example";
const ACCESS = jwt({ sid: "s1", exp: 4_000_000_000 });
const PROFILES = {
  "where it usually is": { list: { method: "GET", path: "/s" } },
  pointers: {
    list: {
      method: "GET", path: "/s", items: "/data/0/list", next: "/page/next", currentId: "/me~1/id", time: "seconds", cursor: { query: "c" },
      fields: { id: ["/ids/0", "id"], createdAt: "/times/made", lastActiveAt: ["seen", "created"], userAgent: "/device/agent", current: "mine", status: "/state/word", city: "/where/city~0", tenant: ["tenant", "/tenant/name"] },
    },
  },
  milliseconds: { list: { method: "GET", path: "/s", time: "milliseconds" } },
  iso: { list: { method: "GET", path: "/s", time: "iso" } },
};
for (const profile of Object.values(PROFILES)) Object.assign(profile, { revoke: { method: "DELETE", path: "/s/{id}" } });
const PROVIDERS = { authvital: {}, clerk: { userId: "u" }, ksef: {}, rest: {}, "better-auth": {} };

/** What the package makes of an answer; what it passes on to its wasm is caught on the way, for the profile in the form that wasm gets. */
async function inJavaScript(options, scope, body) {
  const { stringify } = JSON;
  let state;
  JSON.stringify = (value, ...rest) => {
    if (value?.event === "start") state = { provider: value.provider, profile: value.profile, base: BASE, access: ACCESS };
    return stringify(value, ...rest);
  };
  try {
    const sessions = createSessions({ baseUrl: BASE, token: ACCESS, maxRetries: 0, dangerouslyAllowBrowser: true, ...options, fetch: async () => new Response(body) });
    const result = await sessions.list(scope).catch((error) => error.code);
    return { result, state };
  } finally {
    JSON.stringify = stringify;
  }
}

async function compare(options, scope, body) {
  const { result, state } = await inJavaScript(options, scope, body);
  const expected = inRust({ ...state, ...(scope.userId && { userId: scope.userId }) }, body);
  assert.deepEqual(result, expected, body);
  // With hooks the wasm side is asked about every list.
  assert.deepEqual((await inJavaScript({ ...options, hooks: {} }, scope, body)).result, expected, body);
  return typeof result !== "string" && result.sessions.length > 0;
}

/** The text of a module that Rust takes, too. */
const table = (name) => readFileSync(new URL(`../../src/${name}.js`, import.meta.url), "utf8").split("`")[1];

const NAMES = [...new Set(table("usual").split(/[\s:]+/).flatMap((path) => path.split("/")).filter(Boolean)), "token", "accessToken", "Secret", "tokens", "clientName", "iso", "x"];
const time = fc.oneof(
  fc.date({ min: new Date("0001-01-01"), max: new Date("9998-12-31"), noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    "2026-01-31T09:30:00Z", "2026-01-31 09:30", "2025-10-11T12:23:56.0154302+02:00", "2024-02-29T23:59:59.9999999-0130", "2016-12-31T23:59:60Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00+25:00",
    "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00", "2026-04-31T10:00:00.000Z", "2026-01-01t10:00:00,5z", " 2026-01-01T10:00:00+01 ", "2026-01-01T00:00:00.Z", "0050-01-01T00:00:00Z", "2026", "soon",
  ),
  fc.integer({ min: 0, max: 2_000_000_000_000 }), fc.integer({ min: 1_500_000_000, max: 2_000_000_000 }), fc.constantFrom(0, -1, 1767225600.5, 1767225600.123, 99_999_999_999, 100_000_000_000, 253_402_300_799_999, 253_402_300_800_000),
);
const agent = fc.constantFrom(
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
  "curl/8.5.0", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
);
const word = fc.oneof(fc.constantFrom("s1", "s2", "active", "revoked", "ACTIVE", "200", "425", "Windows", "Chrome", "iPhone", "", "  ", "0", "Łódź", "a\"b\\c"), fc.string({ unit: "grapheme-ascii", maxLength: 12 }), agent, time);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4, depthSize: "small" }, { weight: 6, arbitrary: word }, fc.boolean(), fc.constant(null), fc.integer({ min: -1000, max: 1000 }), tie("object"), fc.array(tie("value"), { maxLength: 3 })),
  object: fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 8, noNullPrototype: true }),
}));
const id = fc.oneof({ weight: 8, arbitrary: fc.constantFrom("s1", "s2", "s3", "s4") }, fc.integer({ min: 0, max: 99 }), value);
const item = fc.tuple(fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 14, noNullPrototype: true }), fc.constantFrom("id", "id", "id", "session_id", "referenceNumber", "ids"), id).map(([item, name, id]) => ({ ...item, [name]: name === "ids" ? [id] : id }));
const list = fc.array(item, { maxLength: 4 });
const around = fc.dictionary(fc.constantFrom("count", "total", "total_count", "next_cursor", "continuationToken", "current_session_id", "currentSessionId", "page", "me/", "x"), fc.oneof(value, fc.constantFrom({ next: "n2" }, { id: "s2" }, 7, -1, 1.5, "n2")), { maxKeys: 4, noNullPrototype: true });
const body = fc.oneof(
  list, fc.tuple(around, fc.constantFrom("sessions", "items", "data", "results"), list).map(([around, name, list]) => ({ ...around, [name]: list })),
  fc.tuple(around, list).map(([around, list]) => ({ ...around, data: [{ list }] })), fc.tuple(around, list).map(([around, sessions]) => ({ ...around, data: { sessions, ...around } })), value,
);

for (const [name, profile] of Object.entries(PROFILES)) {
  test(`a profile, ${name}: whatever the answer`, async () => {
    let read = 0;
    await fc.assert(fc.asyncProperty(body, async (body) => void (read += await compare({ provider: profile }, {}, JSON.stringify(body)))), { numRuns: RUNS, seed: 1 });
    assert.ok(read > RUNS / 50, `only ${read} lists with sessions`);
  });
}

for (const [provider, scope] of Object.entries(PROVIDERS)) {
  test(`${provider}: whatever the answer`, async () => {
    let read = 0;
    await fc.assert(fc.asyncProperty(body, async (body) => void (read += await compare({ provider }, scope, JSON.stringify(body)))), { numRuns: RUNS, seed: 2 });
    assert.ok(read > RUNS / 200, `only ${read} lists with sessions`);
  });
}

/** What no `JSON.stringify` writes: in the place of a value, and before the first member of an object. */
const WRITTEN = [
  "1.0", "1.50", "1e2", "-0", "1E+2", "1e20", "1e21", "5e-324", "1.7976931348623157e308", "9007199254740993", "-9007199254740993", "12345678901234567890", "123456789012345678901234567890e1", "1".repeat(420), "253402300800", "-62135596801",
  '"\\ud800"', '"\\udc00x"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\u2028"', '"\u2028"', '"\u007f"', '"\\/"', '{"__proto__":{"id":"x","token":"hush"}}', '[{"\\u0073ecret":["hush"]}]', '{"toString":1,"valueOf":null}', '{"then":"x"}', '{"length":1e9}', '{"iso":{"iso":1}}', '["s1"]',
  "[".repeat(50) + "]".repeat(50), "[".repeat(80) + "]".repeat(80), '{"a":'.repeat(9000) + "1" + "}".repeat(9000),
];
const MEMBERS = [
  '"__proto__":{"id":"x","current":true}', '"\\u005f_proto__":7', '"constructor":{"prototype":{"polluted":1}}', '"toString":1', '"hasOwnProperty":1', '"toJSON":"x"', '"":1', '"0":1', '"4294967295":1', '"length":5', '"id":"s9"', '"id":null', '"id":[]',
  '"token":"hush"', '"\\u0074oken":"hush"', '"accessTokens":["hush"]', '"PASSWORD":{"a":"hush"}', '"refresh_token":7', '"sessions":[{"id":"twice"}]', '"next_cursor":null', '"count":-0', '"total":1e400',
];
const BROKEN = ["NaN", "01", "+1", ".5", "1.", "'a'", '"\t"', '"\\x41"', '"', "[1,]", '{"a":1,}', "{a:1}", "/**/1", "\u00a0", "undefined"];
const MARK = "\u{1F3AF}";
/** The text of a body in which some values are written in such a way, and some objects begin with such a member. */
const written = fc.tuple(body, fc.array(fc.tuple(fc.nat(), fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...WRITTEN) }, fc.constantFrom(...BROKEN)), fc.constantFrom(...MEMBERS), fc.boolean()), { minLength: 1, maxLength: 3 })).map(([body, changes]) => {
  let text = JSON.stringify(body);
  for (const [nth, value, member, isValue] of changes) {
    const places = [];
    JSON.parse(JSON.stringify(body), (key, value) => {
      if (typeof value !== "object") places.push(value);
      return value;
    });
    if (isValue && places.length > 0) {
      const found = JSON.stringify(places[nth % places.length]);
      // Members' names are followed by a colon.
      text = text.replace(new RegExp(`(?<=[:[,]|^)${found.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?=[,}\\]]|$)`), () => MARK).replace(MARK, () => value);
    } else {
      const opens = [...text.matchAll(/(?<=[:[,]|^)\{/g)].map(({ index }) => index + 1);
      if (opens.length === 0) continue;
      const at = opens[nth % opens.length];
      text = `${text.slice(0, at)}${member}${text[at] === "}" ? "" : ","}${text.slice(at)}`;
    }
  }
  return text;
});

/** That nothing in it is deeper than what is read, has a credential's name, or another prototype than what is written in a program. */
function clean(value, depth = 0) {
  assert.ok(depth <= 64, "too deep");
  if (typeof value !== "object" || value === null) return;
  assert.equal(Object.getPrototypeOf(value), Array.isArray(value) ? Array.prototype : Object.prototype);
  for (const name of Object.getOwnPropertyNames(value)) {
    if (Array.isArray(value) && name === "length") continue;
    assert.ok(name !== "__proto__" && (!/(tokens?|secret|password|api_?key)$/i.test(name) || !["string", "object"].includes(typeof value[name]) || value[name] === null), `${name} in raw`);
    clean(value[name], depth + 1);
  }
}

for (const [name, options] of [["where it usually is", { provider: PROFILES["where it usually is"] }], ["pointers", { provider: PROFILES.pointers }], ...["authvital", "rest", "better-auth"].map((provider) => [provider, { provider }])]) {
  test(`${name}: however the answer is written`, async () => {
    const globals = [Object.prototype, Array.prototype].map((of) => Object.getOwnPropertyNames(of).length);
    let [read, refused] = [0, 0];
    await fc.assert(fc.asyncProperty(written, async (body) => {
      const { result, state } = await inJavaScript(options, {}, body);
      // In JSON: -0 is 0.
      assert.equal(JSON.stringify((await inJavaScript({ ...options, hooks: {} }, {}, body)).result), JSON.stringify(result), body);
      // Both take it, or neither. (As an id Rust takes a number that JavaScript has none for.)
      const expected = inRust(state, body);
      if (!/1{420}|1e400/.test(body)) assert.equal(typeof result === "string" ? result : "ok", typeof expected === "string" ? expected : "ok", body);
      if (typeof result === "string") return void (refused += 1);
      read += result.sessions.length;
      for (const { id, status, createdAt, lastActiveAt, expiresAt, userAgent, ipAddress, tenant, userId, current, raw } of result.sessions) {
        assert.ok(typeof id === "string" && id !== "" && typeof status === "string" && [true, false, null].includes(current), body);
        for (const time of [createdAt, lastActiveAt, expiresAt]) assert.ok(time === null || new Date(time).toISOString() === time, `${time}: ${body}`);
        for (const text of [userAgent, ipAddress, tenant, userId]) assert.ok(text === null || typeof text === "string", body);
        clean(raw);
      }
    }), { numRuns: RUNS, seed: 4 });
    assert.ok(read > RUNS / 50 && refused > RUNS / 50, `${read} sessions, ${refused} refused`);
    assert.deepEqual([Object.prototype, Array.prototype].map((of) => Object.getOwnPropertyNames(of).length), globals);
  });
}

test("bytes of any kind: what is no UTF-8 is no list", async () => {
  await fc.assert(fc.asyncProperty(list.filter((list) => list.length > 0), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0x80, max: 0xff })), { minLength: 1, maxLength: 3 }), async (body, changes) => {
    const bytes = Buffer.from(JSON.stringify(body));
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    // One that makes two others a character is none.
    const isText = Buffer.compare(Buffer.from(bytes.toString()), bytes) === 0;
    const { result, state } = await inJavaScript({ provider: PROFILES.iso }, {}, bytes);
    if (!isText) assert.equal(result, "invalid_response");
    assert.equal(typeof result, typeof inRust(state, bytes));
  }), { numRuns: RUNS / 4, seed: 5 });
});

const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
/** Agents of browsers, apps and bots, and what fuzzing has come upon. */
const AGENTS = [
  ...["src/device.rs", "tests/matrix/bench-labels.mjs"].flatMap((path) => [...file(path).replaceAll("${WEBKIT}", "AppleWebKit/537.36 (KHTML, like Gecko)").replaceAll("${APPLE}", "AppleWebKit/605.1.15 (KHTML, like Gecko)").matchAll(/["`]([^"`\n]+\/\d[^"`\n]*)["`]/g)].map(([, agent]) => agent)),
  ...readdirSync(new URL("../fuzz/corpus/user_agent", import.meta.url)).map((name) => file(`tests/fuzz/corpus/user_agent/${name}`)),
  // Where they are cut, in the middle of a character, too.
  ...Array.from({ length: 8 }, (_, at) => ["-".repeat(1017 + at), "é".repeat(500) + "-".repeat(17 + at)].flatMap((filler) => [`${filler}curlx`, `${filler}curlé`])).flat(),
].filter((agent) => agent.trim());
const TOLD = [...["names", "systems"].flatMap((name) => table(`device/${name}`).replace(/^\w* /gm, "").split(/[|\n]/)), ...table("device/bots").split(" ")].filter(Boolean);
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TOLD) }, fc.mixedCase(fc.constantFrom(...TOLD)), fc.constantFrom("Mobile", "Tablet", "Version/4.0", "x86_64", "i386", "http://", "https://", "CUBOT", "Mozilla/5.0", "constructor", "__proto__"), { weight: 3, arbitrary: fc.constantFrom("/", " ", " (", ") ", "; ", "-", "_", ".", "s", "x", "7", "") },
  // Some of these are letters of ASCII in small or large letters.
  fc.constantFrom("\u212A", "\u017F", "\u0130", "\u0131", "é", "Ł", "😀", "\u007F", "\t", "\0"), fc.string({ unit: "grapheme", maxLength: 6 }).filter((text) => text.isWellFormed()), fc.integer({ min: 1000, max: 1030 }).map((length) => "\u00A0 x".repeat(length).slice(0, length - 20 - (length % 7) * 90)),
);
const pieces = (maxLength) => fc.array(piece, { maxLength }).map((parts) => parts.join(""));
const real = fc.constantFrom(...AGENTS);
const userAgent = fc.oneof(real, pieces(12), fc.tuple(real, pieces(4), fc.nat(200)).map(([agent, more, at]) => agent.slice(0, at) + more + agent.slice(at)).filter((agent) => agent.isWellFormed()), fc.constant(null));
const device = fc.record({
  user_agent: userAgent, os: fc.oneof(fc.constant(null), pieces(3)), device_type: fc.option(fc.oneof(fc.constantFrom("tablet", "smartphone", "desktop"), pieces(2))), is_mobile: fc.option(fc.boolean()),
  browser: fc.oneof(fc.constantFrom(null, "Other", "Unknown", "Other/1", "other", "/", "Arc/1.2/3"), fc.constantFrom(...TOLD).map((name) => `${name}/12`), pieces(3)),
});

test("labels of devices, whatever an agent says and a back-end makes of it", async () => {
  const labels = async (devices) => assert.ok(devices.length === 0 || (await compare({ provider: PROFILES["where it usually is"] }, {}, JSON.stringify(devices.map((device, at) => ({ id: `s${at}`, ...device }))))));
  for (const os of [null, "Android", "Darwin", "a tablet", "iPad OS"]) {
    for (const browser of [null, "Mobile Safari/18.1", "Arc"]) {
      for (const is_mobile of [null, true, false]) await labels([...AGENTS, null].map((user_agent) => ({ user_agent, os, browser, is_mobile })));
    }
  }
  await fc.assert(fc.asyncProperty(fc.array(device, { minLength: 20, maxLength: 40 }), labels), { numRuns: Math.ceil(RUNS / 10), seed: 3 });
});

test("texts of megabytes take no time to label", async () => {
  const texts = ["a", "a ", "/", "-1", "Microsoft Edg ", "cubot", "Windows Phon", "é", "\0"].map((text) => text.repeat(2_000_000 / text.length));
  const began = performance.now();
  for (const text of texts) await describeDevice(text);
  assert.ok(performance.now() - began < 500, `${performance.now() - began} ms`);
});

test("numbers beyond what JavaScript counts to: ids keep all their digits, and go back as they came", async () => {
  const asked = [];
  const fetch = async (request) => {
    asked.push(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`);
    return request.method === "GET" ? new Response('[{"id":12345678901234567890,"userId":9007199254740993,"x":"a \\" 12345678901234567 "},{"id":98765432109876543210}]') : new Response(null, { status: 204 });
  };
  const provider = { list: { method: "GET", path: "/s" }, revoke: { method: "POST", path: "/s/{id}", body: { id: "{id}" } } };
  const sessions = createSessions({ provider, baseUrl: BASE, token: ACCESS, fetch });
  const { sessions: [first, second] } = await settles(sessions.list());
  assert.deepEqual([first.id, first.userId, first.raw.x, second.id], ["12345678901234567890", "9007199254740993", 'a " 12345678901234567 ', "98765432109876543210"]);
  await settles(sessions.revoke(second.id));
  assert.deepEqual(asked, ["GET /s ", 'POST /s/98765432109876543210 {"id":98765432109876543210}']);
});

test("long ids beside other numbers, and bodies that would take long to search", async () => {
  let body;
  const sessions = createSessions({ provider: PROFILES.iso, baseUrl: BASE, token: ACCESS, fetch: async () => new Response(body) });
  for (const beside of ["0.8444218515250481", "1e0000000000000000012", "-12345678901234567.5", "1700000000000000", `${"1".repeat(60_000)}.5`, '"12345678901234567890"', "[12345678901234567890]"]) {
    body = `[{"id":12345678901234567890,"x":${beside}}]`;
    const [{ id, raw }] = (await settles(sessions.list(), 2000)).sessions;
    assert.equal(id, "12345678901234567890", beside.slice(0, 30));
    if (!beside.includes("123456789012345678")) assert.equal(raw.x, JSON.parse(beside), beside.slice(0, 30));
  }
  for (const wrong of [`[{"id":12345678901234567890,"x":${"[".repeat(100)}${"]".repeat(100)}}]`, `[{"id":12345678901234567890,"x":1.}]`]) {
    body = wrong;
    await fails(sessions.list(), "invalid_response");
  }
  body = `[{"id":"1","created_at":${'{"iso":'.repeat(20_000)}1${"}".repeat(20_000)}}]`;
  await fails(sessions.list(), "invalid_response");
});

test("a name that is an object's prototype elsewhere is none in what is handed out", async () => {
  const body = '[{"id":"s1","token":"hush","__proto__":{"polluted":true},"x":{"__proto__":{"polluted":true},"secret":"hush"}}]';
  const sessions = createSessions({ provider: PROFILES.iso, baseUrl: BASE, token: ACCESS, fetch: async () => new Response(body) });
  const [{ raw }] = (await settles(sessions.list())).sessions;
  assert.deepEqual([raw.polluted, raw.x.polluted, {}.polluted, JSON.stringify(raw)], [undefined, undefined, undefined, '{"id":"s1","x":{}}']);
});

test("nesting is bounded wherever it is, and an instance survives it", async () => {
  const deep = (levels) => "[".repeat(levels) + "]".repeat(levels);
  let body;
  const sessions = createSessions({ provider: PROFILES.iso, baseUrl: BASE, token: ACCESS, fetch: async () => new Response(body) });
  for (const text of [`[{"id":"s1","x":${deep(100_000)}}]`, `{"x":${deep(100_000)},"sessions":[]}`, deep(100_000)]) {
    body = text;
    for (const call of [() => sessions.list(), () => sessions.get("s1"), () => sessions.revokeOthers()]) await fails(call(), "invalid_response", text.slice(0, 20));
  }
  body = `[{"id":"s1","x":${deep(50)}}]`;
  assert.equal((await settles(sessions.list())).sessions[0].id, "s1");
});

test("credentials' names are found in one go, however many there are", async (t) => {
  const names = Array.from({ length: 120_000 }, (_, at) => `a${at}_token`);
  const body = JSON.stringify([{ id: "s1", ...Object.fromEntries(names.map((name) => [name, "hush"])), last: 1 }]);
  const sessions = createSessions({ provider: PROFILES.iso, baseUrl: BASE, token: ACCESS, fetch: async () => new Response(body) });
  // How many are gone through by what goes through an array: those of every place that is looked at, a hundred or so times. Each compared with each would be 120,000 times.
  let steps = 0;
  for (const name of ["includes", "indexOf", "find", "findIndex", "some", "every", "filter"]) {
    const own = Array.prototype[name];
    t.after(() => (Array.prototype[name] = own));
    Array.prototype[name] = function (...args) {
      steps += this.length;
      return own.apply(this, args);
    };
  }
  assert.deepEqual((await sessions.list()).sessions[0].raw, { id: "s1", last: 1 });
  assert.ok(steps > names.length && steps < 1000 * names.length, `${steps} steps`);
});

test("what a list says of its pages may lie in its items", async () => {
  const provider = { list: { method: "GET", path: "/s", items: "/items", next: "/items/0/cursor", cursor: { query: "c" } }, revoke: { method: "DELETE", path: "/s/{id}" } };
  const fetch = async ({ url }) => Response.json({ items: url.includes("c=") ? [{ id: "s2" }] : [{ id: "s1", cursor: "c1" }] });
  const sessions = createSessions({ provider, baseUrl: BASE, token: ACCESS, fetch });
  assert.equal((await sessions.list()).next, "c1");
  const ids = [];
  for await (const { id } of sessions.list()) ids.push(id);
  assert.deepEqual(ids, ["s1", "s2"]);
});

test("names that all objects have by somebody's doing are no session's", async (t) => {
  const sessions = createSessions({ provider: "rest", baseUrl: BASE, token: ACCESS, fetch: async () => Response.json({ sessions: [{ id: "a", current: false }, { id: "b" }] }) });
  const before = (await sessions.list()).sessions;
  t.after(() => ["current", "polluted"].forEach((name) => delete Object.prototype[name]));
  for (const name of ["current", "polluted"]) {
    Object.prototype[name] = true;
    const after = (await settles(sessions.list())).sessions;
    delete Object.prototype[name];
    assert.deepEqual(after, before, name);
    assert.equal(after[1].current, null);
  }
});
