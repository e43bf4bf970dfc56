// findings, remember and auditEvent: what they say of sessions, and that they say nothing else.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { fails, project, SessionsError } from "./support.mjs";

const fromProject = createRequire(path.join(project, "import.mjs"));
const { auditEvent, findings, remember } = await import(pathToFileURL(fromProject.resolve("auth-sessions/monitoring")));

fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 1), numRuns: Number(process.env.FUZZ_RUNS ?? 300) });

const NOW = "2026-03-01T12:00:00.000Z";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** That long before NOW; after it, if negative. */
const ago = (ms) => new Date(Date.parse(NOW) - ms).toISOString();
const CHROME = { label: "Chrome on macOS", browser: "Chrome", os: "macOS", kind: "desktop" };
const FIREFOX = { label: "Firefox on Windows", browser: "Firefox", os: "Windows", kind: "desktop" };
const UNKNOWN = { label: "Unknown device", browser: null, os: null, kind: "unknown" };

let number = 0;
/** An active session of an hour ago that gives no finding. */
const session = (more = {}) => ({
  id: `s${++number}`, status: "active", createdAt: ago(HOUR), lastActiveAt: ago(MINUTE), expiresAt: null, userAgent: "Mozilla/5.0 (Macintosh) Chrome/140.0", ipAddress: "203.0.113.7",
  tenant: null, userId: "u1", current: false, device: CHROME, location: null, method: null, raw: null, ...more,
});
const PLACES = {
  "203.0.113.7": { latitude: 52.2297, longitude: 21.0122, country: "PL", city: "Warsaw" },
  "203.0.113.200": { latitude: 52.2297, longitude: 21.0122, country: "PL", city: "Warsaw" },
  "198.51.100.1": { latitude: 52.4064, longitude: 16.9252, country: "PL", city: "Poznań" },
  "192.0.2.9": { latitude: 40.7128, longitude: -74.006, country: "US", city: "New York" },
};
const geo = (ip) => PLACES[ip] ?? null;
const find = (sessions, options) => findings(sessions, { now: NOW, ...options });
const codes = (sessions, options) => find(sessions, options).map(({ code }) => code);
/** The error that is thrown: a SessionsError, of another entry than the tests'. */
function throws(call, code) {
  let error;
  assert.throws(call, (thrown) => ((error = thrown), true));
  assert.ok(SessionsError.is(error), String(error?.stack ?? error));
  assert.equal(error.code, code, error.message);
  return error;
}
/** The same for a promise. */
const rejects = (promise, code) => assert.rejects(promise, (error) => SessionsError.is(error) && (assert.equal(error.code, code, error.message), true));

// ---------------------------------------------------------------- findings

test("an ordinary session, and no session, give nothing", () => {
  assert.deepEqual(find([session()]), []);
  assert.deepEqual(find([session(), session()], { geo }), []);
  assert.deepEqual(find([]), []);
});

describe("what is new", () => {
  const home = session();

  test("without a history, and with an empty one, nothing is", () => {
    for (const history of [undefined, null, { salt: "x", seen: {} }, remember([])]) assert.deepEqual(codes([home, session({ device: FIREFOX, ipAddress: "192.0.2.9" })], { history }), []);
  });

  test("a device: by browser, system and kind; a newer version is none", () => {
    const history = remember([home]);
    const other = session({ device: FIREFOX });
    assert.deepEqual(find([home, other, session({ userAgent: "Mozilla/5.0 (Macintosh) Chrome/141.2" })], { history }), [
      { code: "new_device", severity: "medium", confidence: "medium", sessionIds: [other.id], evidence: { device: "Firefox on Windows", known: 1 } },
    ]);
  });

  test("a device that only its user agent tells, without the versions", () => {
    const history = remember([session({ device: null, userAgent: "thing/1.2.3" })]);
    assert.deepEqual(codes([session({ device: null, userAgent: "thing/2.0" })], { history }), ["unknown_device"]);
    assert.deepEqual(codes([session({ device: null, userAgent: "other/1.2.3" })], { history }), ["new_device", "unknown_device"]);
  });

  test("of the current session only: info; with another one: not", () => {
    const history = remember([home]);
    const mine = session({ device: FIREFOX, current: true });
    assert.equal(find([home, mine], { history })[0].severity, "info");
    const [one, ...more] = find([home, mine, session({ device: FIREFOX })], { history });
    assert.deepEqual([one.severity, one.sessionIds.length, more.length], ["medium", 2, 0]);
  });

  for (const [known, other, isNew, shown] of [
    ["203.0.113.7", "203.0.113.200", false],
    ["203.0.113.7", "203.0.114.7", true, "203.0.114.0/24"],
    ["203.0.113.7", "::ffff:203.0.113.9", false],
    ["203.0.113.7", "::ffff:cb00:7109", false],
    ["2001:db8:1:2::1", "2001:0DB8:0001:0002:ffff:ffff:ffff:ffff", false],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", true, "2001:db8:1:3::/64"],
    ["2001:db8::1", "2001:db8:0:0:1::", false],
    ["fe80::1%eth0", "fe80::2", false],
    ["203.0.113.7", "not an address", false],
    ["203.0.113.7", "1:2:3", false],
    ["203.0.113.7", null, false],
  ]) {
    test(`a network: ${other} after ${known}: ${isNew}`, () => {
      const found = find([session({ ipAddress: other })], { history: remember([session({ ipAddress: known })]) });
      assert.deepEqual(found.map(({ code, evidence }) => [code, evidence.network]), isNew ? [["new_network", shown]] : []);
    });
  }

  test("a city and a country, by the lookup", () => {
    const options = { geo, history: remember([home], { geo }) };
    const [poznan, york] = [session({ ipAddress: "198.51.100.1", createdAt: ago(9 * HOUR), lastActiveAt: null }), session({ ipAddress: "192.0.2.9", createdAt: ago(20 * DAY), lastActiveAt: null })];
    assert.deepEqual(find([poznan], options).map(({ code, evidence }) => [code, evidence.city]), [["new_network", undefined], ["new_city", "Poznań, Poland"]]);
    assert.deepEqual(find([york], options).map(({ code, severity }) => `${code} ${severity}`), ["new_network low", "new_city low", "new_country medium"]);
    assert.deepEqual(codes([session({ ipAddress: "203.0.113.200" })], options), []);
  });

  test("a city and a country, by the back-end's own words; a code and the name are the same", () => {
    const at = (city, country) => session({ ipAddress: null, location: { city, country } });
    const history = remember([at("Warsaw", "PL")]);
    assert.deepEqual(codes([at("warsaw", "Poland")], { history }), []);
    assert.deepEqual(codes([at("Warsaw", "US")], { history }), ["new_city", "new_country"]);
    assert.deepEqual(codes([at(null, "US"), at("", " ")], { history }), ["new_country"]);
    for (const nowhere of ["XX", "ZZ"]) assert.deepEqual(codes([at(null, nowhere)], { history }), []);
  });

  test("where the lookup knows the country it comes before the back-end's words, else they count", () => {
    const history = remember([home], { geo });
    const told = { location: { city: "Berlin", country: "Germany" } };
    assert.deepEqual(codes([session(told)], { geo, history }), []);
    assert.deepEqual(find([session({ ...told, ipAddress: "203.0.113.9" })], { geo, history }).map(({ evidence }) => evidence.city ?? evidence.country), ["Berlin, Germany", "Germany"]);
  });

  test("of a kind that was never seen, nothing is new", () => {
    assert.deepEqual(codes([home], { geo, history: remember([session({ ipAddress: null })]) }), []);
  });
});

describe("impossible travel", () => {
  const at = (ipAddress, created, active = null) => session({ ipAddress, createdAt: created, lastActiveAt: active });
  // By the law of cosines, which is another way to it.
  const [a, b, l] = [52.2297, 40.7128, 21.0122 + 74.006].map((degrees) => (degrees * Math.PI) / 180);
  const WARSAW_NEW_YORK = Math.round(6371 * Math.acos(Math.sin(a) * Math.sin(b) + Math.cos(a) * Math.cos(b) * Math.cos(l)));
  const travel = (sessions, options) => find(sessions, { geo, ...options }).filter(({ code }) => code === "impossible_travel");

  test("two sign-ins too far apart for the time between", () => {
    const [one, other] = [at("203.0.113.7", ago(5 * HOUR)), at("192.0.2.9", ago(3 * HOUR))];
    const expected = [{
      code: "impossible_travel", severity: "high", confidence: "medium", sessionIds: [one.id, other.id],
      evidence: { km: WARSAW_NEW_YORK, minutes: 120, kmh: Math.round(WARSAW_NEW_YORK / 2), limitKmh: 805, from: "Warsaw, Poland", to: "New York, United States" },
    }];
    assert.deepEqual(travel([one, other]), expected);
    assert.deepEqual(travel([other, one]), expected, "in whatever order");
  });

  test("the same with time enough, with a higher limit, or near each other", () => {
    assert.deepEqual(travel([at("203.0.113.7", ago(12 * HOUR)), at("192.0.2.9", ago(3 * HOUR))]), []);
    assert.deepEqual(travel([at("203.0.113.7", ago(5 * HOUR)), at("192.0.2.9", ago(3 * HOUR))], { thresholds: { maxKmh: 3500 } }), []);
    assert.deepEqual(travel([at("203.0.113.7", ago(HOUR)), at("198.51.100.1", ago(HOUR))], { thresholds: { minKm: 300 } }), []);
    assert.equal(travel([at("203.0.113.7", ago(HOUR)), at("198.51.100.1", ago(HOUR))]).length, 1, "278 km in no time");
  });

  test("at the same moment it is a finite speed", () => {
    const [{ evidence }] = travel([at("203.0.113.7", ago(HOUR)), at("192.0.2.9", ago(HOUR))]);
    assert.equal(evidence.minutes, 1);
    assert.equal(Math.round(evidence.kmh / 60), WARSAW_NEW_YORK);
  });

  test("a sign-in after another session's activity elsewhere is weaker evidence", () => {
    assert.deepEqual(travel([at("203.0.113.7", ago(20 * DAY), ago(2 * HOUR)), at("192.0.2.9", ago(HOUR))]).map(({ confidence }) => confidence), ["low"]);
  });

  test("two sign-ins are the stronger evidence, whatever goes on between them", () => {
    const [one, other] = [at("203.0.113.7", ago(3 * HOUR), ago(2.5 * HOUR)), at("192.0.2.9", ago(2 * HOUR))];
    assert.deepEqual(travel([one, other]).map(({ confidence, evidence }) => [confidence, evidence.minutes]), [["medium", 60]]);
    const home = at("192.0.2.9", ago(90 * DAY - 1), ago(2.2 * HOUR));
    assert.deepEqual(travel([home, one, other]).map(({ confidence, sessionIds }) => [confidence, sessionIds]), [["medium", [one.id, other.id]]]);
  });

  test("two devices that go on elsewhere are none: nobody has to be there", () => {
    assert.deepEqual(travel([at("203.0.113.7", ago(20 * DAY), ago(MINUTE)), at("192.0.2.9", ago(10 * DAY), ago(2 * MINUTE))]), []);
  });

  test("without a lookup, or with one that fails, there is none", () => {
    const pair = [at("203.0.113.7", ago(5 * HOUR)), at("192.0.2.9", ago(3 * HOUR))];
    const bad = [undefined, () => null, () => undefined, () => ({}), async () => PLACES["192.0.2.9"], () => { throw new Error("no database"); }, () => ({ latitude: NaN, longitude: 1 }), () => ({ latitude: "1", longitude: 1 }), () => ({ latitude: 91, longitude: 0 }), () => ({ latitude: 1n, longitude: null })];
    for (const geo of bad) assert.deepEqual(find(pair, { geo }), []);
  });

  test("the lookup is asked once for each address", () => {
    const asked = [];
    find([session(), session(), session({ ipAddress: "192.0.2.9" })], { geo: (ip) => (asked.push(ip), geo(ip)) });
    assert.deepEqual(asked, ["203.0.113.7", "192.0.2.9"]);
  });
});

describe("lists that somebody made to be slow", () => {
  /** Work is counted in processor time, which other processes don't change; what is quadratic takes several times as long as this. */
  const quickly = (call) => {
    const start = process.cpuUsage();
    const result = call();
    const { user, system } = process.cpuUsage(start);
    assert.ok(user + system < 5_000_000, `${(user + system) / 1e6} s`);
    return result;
  };
  const many = (more) => Array.from({ length: 30_000 }, (_, n) => session(more(n)));
  const history = remember([session()]);

  for (const [what, address] of [["colons", `${":".repeat(256 * 1024)}!`], ["a zone", `fe80::1%${"%".repeat(256 * 1024)}`], ["dots", "1.".repeat(128 * 1024)]]) {
    test(`an address of ${what}`, () => {
      assert.deepEqual(quickly(() => codes([session({ ipAddress: address })], { history })), []);
      assert.deepEqual(quickly(() => remember([session({ ipAddress: address })])).seen.network, []);
    });
  }

  test("an address of more than 64 characters is none, for the lookup too", () => {
    const asked = [];
    const geo = (ip) => void asked.push(ip);
    const [most, more] = [`2001:db8::1%${"e".repeat(52)}`, `2001:db8::1%${"e".repeat(53)}`].map((ipAddress) => session({ ipAddress }));
    assert.deepEqual(find([most, more], { geo, history }).map(({ code, sessionIds }) => [code, sessionIds]), [["new_network", [most.id]]]);
    assert.deepEqual(asked, [most.ipAddress]);
  });

  test("a new device of all", () => {
    const sessions = many(() => ({ device: FIREFOX }));
    const found = quickly(() => find(sessions, { history })).find(({ code }) => code === "new_device");
    assert.deepEqual(found.sessionIds, sessions.map(({ id }) => id));
    assert.equal(quickly(() => remember(sessions, { history })).seen.device.length, 2);
  });
});

describe("several at once", () => {
  test("more sessions than usual", () => {
    const eleven = Array.from({ length: 11 }, () => session());
    assert.deepEqual(find(eleven), [{ code: "concurrent_sessions", severity: "low", confidence: "high", sessionIds: eleven.map(({ id }) => id), evidence: { sessions: 11, limit: 10 } }]);
    assert.deepEqual(find(eleven.slice(1)), []);
    assert.deepEqual(codes(eleven.slice(0, 2), { thresholds: { maxConcurrent: 1 } }), ["concurrent_sessions"]);
  });

  test("a session that is listed twice is one", () => {
    const one = session();
    assert.deepEqual(codes([one, { ...one }], { thresholds: { maxConcurrent: 1 } }), []);
  });

  test("in several countries; what is stale doesn't count", () => {
    const [one, other] = [session({ location: { city: null, country: "PL" } }), session({ location: { city: "Berlin", country: "Germany" } })];
    assert.deepEqual(find([one, other]), [
      { code: "concurrent_countries", severity: "medium", confidence: "medium", sessionIds: [one.id, other.id], evidence: { countries: "Germany, Poland", count: 2 } },
    ]);
    assert.deepEqual(codes([one, { ...other, lastActiveAt: ago(31 * DAY) }]), ["stale_session"]);
    assert.deepEqual(codes([one, { ...other, status: "revoked" }]), []);
  });
});

describe("one session by itself", () => {
  for (const [what, more, expected, thresholds] of [
    ["not used for 30 days", { lastActiveAt: ago(30 * DAY) }, ["stale_session", { days: 30, limit: 30 }]],
    ["not used for a little less", { lastActiveAt: ago(30 * DAY - 1) }],
    ["not used for 2 days, with a limit of one and a half", { lastActiveAt: ago(2 * DAY) }, ["stale_session", { days: 2, limit: 1.5 }], { staleDays: 1.5 }],
    ["of 90 days ago", { createdAt: ago(90 * DAY) }, ["long_lived_session", { days: 90, limit: 90 }]],
    ["of the future", { createdAt: ago(-400 * DAY), lastActiveAt: ago(-400 * DAY) }],
    ["of 30 days that ends in a day", { createdAt: ago(29 * DAY), expiresAt: ago(-DAY) }, ["expiring_soon", { minutes: 1440 }]],
    ["that ends in a little more", { createdAt: ago(29 * DAY), expiresAt: ago(-DAY - 1) }],
    ["of a day, in its middle", { createdAt: ago(12 * HOUR), expiresAt: ago(-12 * HOUR) }],
    ["of a day, in its last quarter", { createdAt: ago(18 * HOUR), expiresAt: ago(-6 * HOUR) }, ["expiring_soon", { minutes: 360 }]],
    ["that ended", { createdAt: ago(29 * DAY), expiresAt: ago(0) }],
    ["of an actor, at Clerk", { raw: { actor: { iss: "https://clerk.example.com", sub: "user_admin" } } }, ["impersonated", { by: "user_admin" }]],
    ["of nobody else, at Clerk", { raw: { actor: null } }],
    ["of an admin, at Better Auth", { raw: { impersonatedBy: "adm1" } }, ["impersonated", { by: "adm1" }]],
    ["of an admin whose id is a number", { raw: { impersonated_by: 17 } }, ["impersonated", { by: "17" }]],
    ["of an admin beside an actor who is nobody", { raw: { actor: {}, impersonatedBy: "adm1" } }, ["impersonated", { by: "adm1" }]],
    ["of an actor who is a yes", { raw: { actor: true } }],
    ["of an actor without a name", { raw: { act: { x: 1 } } }, ["impersonated", { by: null }]],
    ["whose token ends later", { expiresAt: ago(-30 * DAY), raw: { accessTokenExpiresAt: ago(-31 * DAY) } }, ["token_outlives_session", { minutes: 1440 }]],
    ["whose token ends later, in seconds", { expiresAt: ago(-30 * DAY), raw: { access_token_expires_at: Date.parse(ago(-31 * DAY)) / 1000 } }, ["token_outlives_session", { minutes: 1440 }]],
    ["whose token ends later, in milliseconds", { expiresAt: ago(-30 * DAY), raw: { tokenExpiresAt: Date.parse(ago(-31 * DAY)) } }, ["token_outlives_session", { minutes: 1440 }]],
    ["whose token ends before", { expiresAt: ago(-30 * DAY), raw: { accessTokenExpiresAt: ago(-HOUR) } }],
  ]) {
    test(what, () => {
      const one = session(more);
      const found = find([one], { thresholds });
      assert.deepEqual(found.map(({ code, sessionIds, evidence }) => [code, sessionIds, evidence]), expected ? [[expected[0], [one.id], { device: "Chrome on macOS", ...expected[1] }]] : []);
    });
  }

  test("an unknown device, where others are known", () => {
    const one = session({ device: UNKNOWN, userAgent: "???" });
    assert.deepEqual(find([session(), one]), [{ code: "unknown_device", severity: "low", confidence: "low", sessionIds: [one.id], evidence: { device: "Unknown device", network: "203.0.113.0/24" } }]);
    assert.deepEqual(codes([session(), session({ device: null, userAgent: null })]), ["unknown_device"]);
    assert.deepEqual(codes([session({ device: null, userAgent: null })]), [], "a back-end that doesn't tell devices");
  });
});

test("only active sessions count", () => {
  for (const status of ["revoked", "expired", "ended", "removed", "abandoned", "replaced", "pending", "blocked", "unknown"]) {
    assert.deepEqual(codes([session({ status, createdAt: ago(400 * DAY), lastActiveAt: ago(300 * DAY), device: UNKNOWN, raw: { actor: { sub: "x" } } })]), [], status);
  }
});

describe("what is refused", () => {
  for (const [what, options, said] of [
    ["thresholds that are none", { thresholds: { maxkmh: 1 } }, /maxkmh/],
    ["of the prototype", { thresholds: { toString: 1 } }, /toString/],
    ["negative", { thresholds: { staleDays: -1 } }, /staleDays/],
    ["NaN", { thresholds: { maxKmh: NaN } }, /maxKmh/],
    ["endless", { thresholds: { longLivedDays: Infinity } }, /longLivedDays/],
    ["text", { thresholds: { expiringHours: "1" } }, /expiringHours/],
    ["half a session", { thresholds: { maxConcurrent: 1.5 } }, /maxConcurrent/],
    ["a number for thresholds", { thresholds: 1 }, /thresholds/],
    ["a lookup that is no function", { geo: {} }, /geo/],
    ["a history that is none", { history: [] }, /history/],
    ["marks that are none", { history: { salt: "x", seen: { device: [1] } } }, /history/],
    ["a time that is none", { now: "yesterday" }, /now/],
    ["a time that is a number", { now: 1 }, /now/],
  ]) test(what, () => assert.match(throws(() => findings([], options), "invalid_options").message, said));

  test("options and sessions of the wrong kind", () => {
    for (const options of [null, 1, "x"]) throws(() => findings([], options), "invalid_options");
    for (const sessions of [undefined, null, {}, "x", { sessions: [] }]) assert.match(throws(() => findings(sessions), "invalid_argument").message, /array/);
    throws(() => remember(null), "invalid_argument");
    throws(() => remember([], { history: { salt: 1, seen: {} } }), "invalid_options");
  });

  test("thresholds that are undefined are the defaults", () => {
    assert.deepEqual(codes([session({ lastActiveAt: ago(31 * DAY) })], { thresholds: { staleDays: undefined, maxKmh: null } }), ["stale_session"]);
  });
});

// ---------------------------------------------------------------- the history

test("a history is marks only: HMAC-SHA-256 under its salt, by node:crypto's count", () => {
  const history = remember([session({ ipAddress: "192.0.2.9" })], { geo });
  assert.match(history.salt, /^[\da-f]{32}$/);
  const mark = (text) => createHmac("sha256", history.salt).update(text).digest("hex").slice(0, 32);
  assert.deepEqual(history.seen, {
    device: [mark("device chrome|macos|desktop")], network: [mark("network 192.0.2.0/24")], city: [mark("city united states|new york")], country: [mark("country united states")],
  });
  assert.deepEqual(JSON.parse(JSON.stringify(history)), history, "plain data");
});

test("each new history has a salt of its own; a given one keeps its salt, and is not changed", () => {
  assert.notEqual(remember([]).salt, remember([]).salt);
  const history = Object.freeze({ salt: "s", seen: Object.freeze({ device: Object.freeze([]) }) });
  const next = remember([session()], { history });
  assert.equal(next.salt, "s");
  assert.equal(next.seen.device.length, 1);
  assert.deepEqual(remember([session()], { history: next }), next);
});

test("the latest hundred are kept, what was seen again among them", () => {
  const at = (n) => session({ ipAddress: `10.${n >> 8}.${n & 255}.1` });
  const first = remember([at(0), at(1)]);
  let history = remember(Array.from({ length: 98 }, (_, n) => at(n + 2)), { history: first });
  assert.equal(history.seen.network.length, 100);
  history = remember([at(0), at(500)], { history });
  assert.equal(history.seen.network.length, 100);
  assert.deepEqual(codes([at(0), at(500), at(2)], { history }), []);
  assert.deepEqual(codes([at(1)], { history }), ["new_network"]);
});

test("revoked and expired sessions are not learnt", () => {
  assert.deepEqual(remember([session({ status: "revoked" })]).seen.device, []);
});

// ---------------------------------------------------------------- any input

const junk = fc.oneof(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true, withNullPrototype: true }), fc.constantFrom(NaN, Infinity, -0, "9999999-01-01", "2026-13-45", "::", "1.2.3.4.5", "💥"));
const like = (good) => fc.oneof({ arbitrary: good, weight: 5 }, { arbitrary: junk, weight: 1 });
const when = fc.integer({ min: Date.parse("2025-01-01"), max: Date.parse("2027-01-01") }).map((ms) => new Date(ms).toISOString());
const arbitrarySession = fc.record({
  id: like(fc.stringMatching(/^[a-f]{1,4}$/)), status: like(fc.constantFrom("active", "active", "active", "revoked")), createdAt: like(when), lastActiveAt: like(when), expiresAt: like(fc.option(when)),
  userAgent: like(fc.option(fc.string())), ipAddress: like(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom(...Object.keys(PLACES)))), current: like(fc.boolean()), userId: like(fc.string()),
  device: like(fc.option(fc.record({ label: like(fc.string()), browser: like(fc.option(fc.string())), os: like(fc.option(fc.string())), kind: like(fc.constantFrom("desktop", "unknown")) }))),
  location: like(fc.option(fc.record({ city: like(fc.string()), country: like(fc.constantFrom("PL", "Poland", "xx", "Q1")) }))),
  raw: like(fc.record({ actor: junk, accessTokenExpiresAt: like(when) }, { requiredKeys: [] })),
});
const sessionsOf = fc.array(like(arbitrarySession), { maxLength: 14 });
const lookup = fc.oneof(fc.constant(geo), fc.func(junk), fc.func(fc.record({ latitude: like(fc.double()), longitude: like(fc.double()), country: like(fc.string()), city: like(fc.string()) })), fc.constant(() => { throw new TypeError("x"); }));
const SEVERITIES = ["info", "low", "medium", "high"];

test("whatever the sessions are: findings of active ones, with evidence that can be shown, the same each time, and nothing is changed", () => {
  fc.assert(
    fc.property(sessionsOf, sessionsOf, lookup, (sessions, earlier, geo) => {
      const history = remember(earlier, { geo });
      const kept = JSON.stringify(history);
      const found = find(sessions, { geo, history });
      const ids = new Set(sessions.filter((session) => session?.status === "active").map(({ id }) => id));
      for (const { code, severity, confidence, sessionIds, evidence } of found) {
        assert.match(code, /^[a-z_]+$/);
        assert.ok(SEVERITIES.includes(severity) && SEVERITIES.slice(1).includes(confidence));
        assert.ok(sessionIds.length > 0 && new Set(sessionIds).size === sessionIds.length);
        for (const id of sessionIds) assert.ok(typeof id === "string" && ids.has(id));
        for (const value of Object.values(evidence)) assert.ok(value === null || typeof value === "string" || Number.isFinite(value), JSON.stringify(evidence));
      }
      assert.deepEqual(find(sessions, { geo, history }), found);
      assert.equal(JSON.stringify(history), kept);
    }),
  );
});

test("what was remembered is not new", () => {
  fc.assert(
    fc.property(sessionsOf, lookup, (sessions, geo) => {
      const history = remember(sessions, { geo });
      assert.deepEqual(find(sessions, { geo, history }).filter(({ code }) => code.startsWith("new_")), []);
      assert.deepEqual(remember(sessions, { geo, history }).seen, history.seen);
    }),
  );
});

test("no address, user agent or id is in a history or in evidence", () => {
  const octet = fc.integer({ min: 100, max: 255 });
  fc.assert(
    fc.property(fc.tuple(octet, octet, octet, octet), fc.uuid(), fc.stringMatching(/^agent-[a-z]{12}\/1$/), (ip, id, userAgent) => {
      const one = session({ id, ipAddress: ip.join("."), userAgent, device: UNKNOWN, lastActiveAt: ago(100 * DAY), createdAt: ago(100 * DAY), raw: { actor: { sub: "x" } } });
      const found = find([session(), one], { history: remember([session({ ipAddress: "1.2.3.4" })]) });
      const text = JSON.stringify([remember([one]), ...found.map(({ evidence }) => evidence)]);
      assert.ok(found.length >= 5);
      for (const secret of [ip.join("."), id, userAgent]) assert.ok(!text.includes(secret), secret);
    }),
  );
});

test("a session whose members throw is none", () => {
  const bad = { get id() { throw new Error("no"); } };
  assert.deepEqual(codes([bad, new Proxy({}, { get() { throw new Error("no"); } }), session()]), []);
});

test("a thousand sessions, and texts of a megabyte, are no work", () => {
  const long = "x".repeat(1 << 20);
  const began = Date.now();
  find(Array.from({ length: 1000 }, (_, n) => session({ ipAddress: `10.${n >> 8}.${n & 255}.1`, createdAt: ago(n * MINUTE) })), { geo: () => PLACES["192.0.2.9"], history: remember([session()]) });
  find([session({ device: { ...CHROME, browser: long }, userAgent: long, ipAddress: long })], { history: remember([session()]) });
  assert.ok(Date.now() - began < 10_000);
});

// ---------------------------------------------------------------- audit

const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const RESULT = { id: "s1", success: true, outcome: "revoked", message: null, effect: "refresh-only", accessTokenValidUntil: "2026-03-01T13:00:00.000Z" };
const ALL = { success: true, count: 2, message: null, revoked: ["s1", "s2"], effect: "immediate", accessTokenValidUntil: null };
const LOGOUT = { success: true, message: null, server: "confirmed", cookies: [], setCookie: [], error: null };
const AT = "2026-03-01T11:59:59.900Z";
const T = Date.parse(NOW) / 1000;
/** The event's type, and its claims. */
const only = ({ events }) => {
  const [[uri, claims], ...more] = Object.entries(events);
  assert.deepEqual(more, []);
  assert.ok(uri.startsWith(CAEP), uri);
  return [uri.slice(CAEP.length), claims];
};
const SALT = "pepper";
const hash = (id) => createHmac("sha256", SALT).update(id).digest("hex");

describe("auditEvent", () => {
  const event = (change, options) => auditEvent(change, { now: NOW, salt: SALT, ...options });

  test("a revocation, as a whole", async () => {
    const { jti, ...rest } = await event(RESULT, { initiatedBy: "user" });
    assert.match(jti, /^[\da-f]{32}$/);
    assert.deepEqual(rest, {
      iat: T,
      sub_id: { format: "opaque", id: hash("s1") },
      events: { [`${CAEP}session-revoked`]: { event_timestamp: T, initiating_entity: "user", effect: "refresh-only", access_token_valid_until: T + 3600 } },
    });
    assert.notEqual((await event(RESULT)).jti, jti);
  });

  test("ids are hashed under the salt, or plain", async () => {
    assert.equal((await event(RESULT, { plainIds: true })).sub_id.id, "s1");
    assert.ok(!JSON.stringify([await event(RESULT), await event(ALL), await auditEvent(ALL)]).includes('"s1"'));
    const [one, other] = [await auditEvent(RESULT), await auditEvent(RESULT)];
    assert.equal(one.sub_id.id, other.sub_id.id, "without a salt: the same in this process");
    assert.notEqual(one.sub_id.id, createHmac("sha256", "").update("s1").digest("hex"));
    assert.ok(Math.abs(one.iat - Date.now() / 1000) < 5);
  });

  test("several sessions are one event with all of them", async () => {
    const one = await event(ALL);
    assert.deepEqual([one.sub_id.id, only(one)], ["several", ["session-revoked", { event_timestamp: T, effect: "immediate", count: 2, session_ids: [hash("s1"), hash("s2")] }]]);
    assert.equal((await event({ ...ALL, count: 1, revoked: ["s1"] })).sub_id.id, hash("s1"));
    assert.deepEqual(only(await event({ ...ALL, count: null, revoked: null }))[1], { event_timestamp: T, effect: "immediate" });
  });

  test("a logout that was confirmed", async () => {
    const one = await event(LOGOUT, { initiatedBy: "system" });
    assert.deepEqual([one.sub_id.id, only(one)], ["current", ["session-revoked", { event_timestamp: T, initiating_entity: "system" }]]);
  });

  test("changes", async () => {
    const one = session({ id: "s1", userAgent: "agent" });
    const added = await event({ type: "added", session: one, previous: null, at: AT });
    assert.deepEqual([added.sub_id.id, only(added)], [hash("s1"), ["session-established", { event_timestamp: T - 1, fp_ua: hash("agent") }]]);
    const [name, claims] = only(await event({ type: "removed", session: one, previous: one, at: AT }));
    assert.deepEqual([name, claims.event_timestamp, Object.keys(claims.reason_admin)], ["session-revoked", T - 1, ["en"]]);
    assert.equal(only(await event({ type: "changed", session: { ...one, status: "expired" }, previous: one, at: AT }))[0], "session-revoked");
    const current = await event({ type: "current-revoked", at: AT });
    assert.deepEqual([current.sub_id.id, only(current)[0]], ["current", "session-revoked"]);
  });

  test("findings", async () => {
    for (const [severity, level] of [["info", "LOW"], ["low", "LOW"], ["medium", "MEDIUM"], ["high", "HIGH"]]) {
      const finding = { code: "new_device", severity, confidence: "low", sessionIds: ["s1"], evidence: { device: "x" } };
      const one = await event({ type: "finding", finding, at: AT });
      assert.deepEqual([one.sub_id.id, only(one)], [hash("s1"), ["risk-level-change", { event_timestamp: T - 1, principal: "SESSION", current_level: level, risk_reason: "new_device" }]]);
    }
  });

  const over = session({ status: "revoked" });
  for (const [what, change] of [
    ["a logout that was rejected", { ...LOGOUT, success: false, server: "rejected" }],
    ["a logout without an answer", { ...LOGOUT, success: false, server: "unreachable" }],
    ["a logout that was skipped", { ...LOGOUT, success: false, server: "skipped" }],
    ["a logout that contradicts itself", { ...LOGOUT, server: "rejected" }],
    ["a session that was gone", { ...RESULT, success: false, outcome: "already-revoked" }],
    ["a revoke-all that failed", { ...ALL, success: false }],
    ["a revoke-all that ended none", { ...ALL, count: 0, revoked: [] }],
    ["a revoke-all that ended none, without their ids", { ...ALL, count: 0, revoked: null }],
    ["an error", { type: "error", error: new SessionsError({ code: "network", message: "x" }), at: AT }],
    ["several of which one failed", new SessionsError({ code: "partial_revocation", message: "x", revoked: ["s1"], failed: [] })],
    ["a session that goes on", { type: "changed", session: session(), previous: session(), at: AT }],
    ["a session that was over before", { type: "changed", session: over, previous: over, at: AT }],
    ["another type", { type: "deleted", session: over, at: AT }],
    ["an id that is none", { ...RESULT, id: 7 }],
    ["nothing", undefined], ["null", null], ["text", "x"], ["an empty object", {}], ["an array", []],
  ]) test(`no event: ${what}`, () => rejects(event(change), "invalid_argument"));

  test("wrong options", async () => {
    for (const options of [null, 1, { initiatedBy: "me" }, { plainIds: 1 }, { salt: 1 }, { now: "x" }]) await rejects(auditEvent(RESULT, options), "invalid_options");
  });

  test("hashes are HMAC-SHA-256 for any salt and id", async () => {
    await fc.assert(fc.asyncProperty(fc.string({ maxLength: 200, unit: "binary" }), fc.string({ maxLength: 300, unit: "binary" }), async (salt, id) => {
      fc.pre(salt.isWellFormed() && id !== "current");
      assert.equal((await event({ ...RESULT, id }, { salt })).sub_id.id, createHmac("sha256", salt).update(id).digest("hex"));
    }));
  });

  test("whatever it is given: an event that is plain data, or an error", async () => {
    const part = fc.oneof(junk, fc.constantFrom(RESULT, ALL, LOGOUT, "added", "removed", "changed", "finding", true, ["a"], session()));
    const some = fc.oneof(part, ...[RESULT, ALL, LOGOUT, { type: "added", session: session(), previous: null, at: AT }, { type: "finding", finding: {}, at: AT }].map((base) => fc.dictionary(fc.constantFrom(...Object.keys(base)), part, { maxKeys: 2 }).map((changes) => ({ ...base, ...changes }))));
    await fc.assert(fc.asyncProperty(some, async (change) => {
      try {
        const one = await event(change);
        assert.deepEqual(JSON.parse(JSON.stringify(one)), one);
        only(one);
      } catch (error) {
        assert.ok(SessionsError.is(error), String(error?.stack ?? error));
      }
    }));
  });
});
