// Which calls are tried again, when, and what a lost answer means.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { EMPTY_LIST, fails, faked, fastForward, G1, G2, json, sandbox, signedIn } from "./support.mjs";

beforeEach(() => sandbox.reset());

const LIST = "GET /authvital/oauth/sessions";
/** Back-ends may say it in seconds or as a date. */
const busy = (after, status = 503) => json({}, { status, headers: after === undefined ? {} : { "retry-after": after } });

test("503, then 200", async () => {
  const events = [];
  const record = (name) => ({ durationMs, delayMs, ...event }) => events.push([name, { ...event, ...(durationMs >= 0 && { durationMs: "ms" }), ...(delayMs >= 0 && { delayMs: "ms" }) }]);
  const { sessions } = await signedIn({ hooks: { onRequest: record("request"), onResponse: record("response"), onRetry: record("retry") } });
  await sandbox.faults({ route: LIST, fault: { status: 503, "retry-after": "0", headers: { "x-request-id": "r-1" } }, times: 1 });
  assert.equal((await sessions.list()).count, 8);
  assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions", "GET /oauth/sessions"]);
  const base = { operation: "list", method: "GET", url: "/oauth/sessions" };
  assert.deepEqual(events, [
    ["request", { ...base, attempt: 1 }],
    ["response", { ...base, attempt: 1, status: 503, requestId: "r-1", warnings: [], durationMs: "ms" }],
    ["retry", { operation: "list", attempt: 2, reason: "server_error", delayMs: "ms" }],
    ["request", { ...base, attempt: 2 }],
    ["response", { ...base, attempt: 2, status: 200, requestId: null, warnings: [], durationMs: "ms" }],
  ]);
});

test("two more attempts by default, with growing waits", async () => {
  const delays = [];
  const { sessions, sent } = faked(() => busy(), { maxRetries: undefined, hooks: { onRetry: ({ delayMs }) => delays.push(delayMs) } });
  const { elapsed, promise } = await fastForward(() => sessions.list());
  await fails(promise, "server_error");
  assert.equal(sent.length, 3);
  assert.equal(delays.length, 2);
  assert.ok(delays[0] >= 250 && delays[0] <= 500 && delays[1] >= 500 && delays[1] <= 1000, `${delays}`);
  assert.ok(elapsed >= delays[0] + delays[1], `${elapsed}`);
});

test("the waits double up to eight seconds, with chance in their upper half", async (t) => {
  for (const [chance, expected] of [
    [0, [250, 500, 1000, 2000, 4000, 4000, 4000]],
    [0.5, [375, 750, 1500, 3000, 6000, 6000, 6000]],
    [0.999999, [499, 999, 1999, 3998, 7996, 7996, 7996]],
  ]) {
    const random = t.mock.method(Math, "random", () => chance);
    const delays = [];
    const { sessions } = faked(() => busy(), { maxRetries: 7, totalTimeout: 100_000, hooks: { onRetry: ({ delayMs }) => delays.push(delayMs) } });
    await fails((await fastForward(() => sessions.list(), 120_000, 50)).promise, "server_error");
    random.mock.restore();
    assert.deepEqual(delays, expected);
  }
});

test("maxRetries is obeyed", async () => {
  for (const maxRetries of [0, 1, 5]) {
    const { sessions, sent } = faked(() => busy(), { maxRetries });
    await fails((await fastForward(() => sessions.list())).promise, "server_error");
    assert.equal(sent.length, maxRetries + 1);
  }
});

test("what is tried again, and what is not", async () => {
  for (const [answer, code, again] of [
    [() => Promise.reject(new TypeError("fetch failed")), "network", true],
    [() => busy(undefined, 502), "server_error", true],
    [() => busy(undefined, 503), "server_error", true],
    [() => busy(undefined, 504), "server_error", true],
    [() => busy(undefined, 429), "rate_limited", true],
    [() => busy(undefined, 408), "timeout", true],
    [() => busy(undefined, 500), "server_error", false],
    [() => busy(undefined, 501), "server_error", false],
    [() => busy(undefined, 400), "rejected", false],
    [() => busy(undefined, 401), "unauthenticated", false],
    [() => busy(undefined, 403), "forbidden", false],
    [() => busy(undefined, 404), "not_found", false],
    [() => new Response("<html>"), "invalid_response", false],
    [() => new Response(null, { status: 302, headers: { location: "https://elsewhere.example.com/" } }), "invalid_response", false],
  ]) {
    const { sessions, sent } = faked(answer, { maxRetries: 1 });
    const error = await fails((await fastForward(() => sessions.list())).promise, code);
    assert.equal(sent.length, again ? 2 : 1, code);
    assert.equal(error.transient, again || (code === "server_error" && error.status === 500) ? error.transient : false, code);
  }
});

test("a Retry-After is waited out, in seconds and as a date", async () => {
  for (const after of [() => "7", () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 7000).toUTCString()]) {
    const { sessions, sent } = faked((_, n) => (n === 1 ? busy(after(), 429) : json(EMPTY_LIST)), { maxRetries: 1 });
    const { elapsed, promise } = await fastForward(() => sessions.list());
    assert.equal((await promise).count, 0);
    assert.equal(sent.length, 2);
    assert.ok(elapsed >= 7000 && elapsed < 9000, `${elapsed}`);
  }
});

/** The three forms of RFC 9110, 5.6.7: the one of today, and two that are obsolete. */
const DATES = {
  "IMF-fixdate": (date) => date.toUTCString(),
  "RFC 850": (date) => {
    const [, number, month, year, time] = date.toUTCString().replace(",", "").split(" ");
    return `${date.toLocaleDateString("en", { weekday: "long", timeZone: "UTC" })}, ${number}-${month}-${year.slice(2)} ${time} GMT`;
  },
  asctime: (date) => {
    const [day, number, month, year, time] = date.toUTCString().replace(",", "").split(" ");
    return `${day} ${month} ${number.replace(/^0/, " ")} ${time} ${year}`;
  },
};

for (const [name, form] of Object.entries(DATES)) {
  test(`a Retry-After as a date, ${name}: waited out, over already, and too long`, async () => {
    const said = [];
    for (const [seconds, least, most] of [[7, 6000, 8000], [-3600, 0, 1000], [0, 0, 1000]]) {
      const { sessions, sent } = faked((_, n) => (n === 1 ? busy(form(new Date(Date.now() + seconds * 1000)), 429) : json(EMPTY_LIST)), { maxRetries: 1, hooks: { onRetry: ({ delayMs }) => said.push(delayMs) } });
      assert.equal((await (await fastForward(() => sessions.list())).promise).count, 0);
      assert.equal(sent.length, 2);
      assert.ok(said.at(-1) >= least && said.at(-1) <= most, `${seconds}: ${said.at(-1)}`);
    }
    const { sessions, sent } = faked(() => busy(form(new Date(Date.now() + 3600_000))), { maxRetries: 5 });
    const { retryAfter } = await fails(sessions.list(), "rate_limited");
    assert.ok(Math.abs(retryAfter - 3600) <= 1 && sent.length === 1, `${retryAfter}`);
  });
}

test("a Retry-After that is too long is rate_limited at once, whatever the status", async () => {
  for (const [status, options] of [[429, {}], [503, {}], [500, {}], [429, { maxRetryAfter: 59 }]]) {
    const { sessions, sent } = faked(() => busy("60", status), { maxRetries: 5, ...options });
    const { elapsed, promise } = await fastForward(() => sessions.list());
    const error = await fails(promise, "rate_limited");
    assert.deepEqual([error.retryAfter, error.status, error.transient, sent.length], [60, status, true, 1]);
    assert.ok(elapsed < 250, `${elapsed}`);
  }
});

test("a Retry-After that is nonsense is as if it were not there", async () => {
  for (const after of ["soon", "-1", "1.5", "", "1e3", "0x10", "NaN", "Infinity", "Mon, 99 Foo 2026 00:00:00 GMT", "Sun, 06", "2026-01-01T00:00:00Z"]) {
    const { sessions, sent } = faked((_, n) => (n === 1 ? busy(after) : json(EMPTY_LIST)), { maxRetries: 1 });
    await (await fastForward(() => sessions.list())).promise;
    assert.equal(sent.length, 2);
  }
});

test("the rate limit of the back-end: 100 requests a minute", async () => {
  const { sessions } = await signedIn();
  await sandbox.rateLimit(true);
  const results = await Promise.allSettled(Array.from({ length: 101 }, () => sessions.list()));
  const refused = results.filter(({ status }) => status === "rejected").map(({ reason }) => [reason.code, reason.status, reason.retryAfter]);
  assert.deepEqual(refused, [["rate_limited", 429, 60]]);
  await sandbox.advance(60_000);
  assert.equal((await sessions.list()).count, 8);
});

for (const [generation, baseUrl, route] of [
  ["G1", G1, "POST /authvital/oauth/sessions/{id}/revoke"],
  ["G2", G2, "DELETE /authvital-g2/api/auth/sessions/{id}"],
]) {
  for (const fault of [{ drop: "head", after: true }, { drop: "body" }, { status: 502, after: true, "retry-after": "0" }]) {
    test(`${generation}: a revoke whose answer was lost (${JSON.stringify(fault)}) ended the session`, async () => {
      const { sessions } = await signedIn({ baseUrl });
      await sessions.list();
      const other = await sandbox.signIn();
      await sandbox.forget();
      await sandbox.faults({ route, fault, times: 1 });
      const result = await sessions.revoke(other.id);
      assert.deepEqual([result.id, result.success, result.outcome], [other.id, true, "revoked"]);
      assert.equal((await sandbox.requests()).length, 2);
      assert.equal((await sandbox.row(other.id)).ended_by, "revoked");
    });
  }

  test(`${generation}: gone on the retry (404) is ended by this call, too`, async () => {
    const { sessions } = await signedIn({ baseUrl });
    await sessions.list();
    await sandbox.faults({ route, fault: { drop: "head" }, times: 1 }, { route, fault: { status: 404, body: '{"message":"Session not found"}' } });
    const result = await sessions.revoke("a");
    assert.deepEqual([result.success, result.outcome], [true, "revoked"]);
  });
}

test("already revoked, after an attempt that the server refused for being busy, is still already revoked", async () => {
  const { sessions } = await signedIn();
  const other = await sandbox.signIn();
  await sessions.revoke(other.id);
  await sandbox.faults({ route: "POST /authvital/oauth/sessions/{id}/revoke", fault: { status: 429, "retry-after": "0" }, times: 1 });
  const result = await sessions.revoke(other.id);
  assert.deepEqual([result.success, result.outcome], [false, "already-revoked"]);
});

test("a logout whose answer was lost is confirmed by the retry", async () => {
  const { sessions, id } = await signedIn();
  await sandbox.faults({ route: "POST /authvital/oauth/logout", fault: { drop: "head", after: true }, times: 1 });
  const result = await sessions.logout();
  assert.deepEqual([result.success, result.server, result.error], [true, "confirmed", null]);
  assert.equal((await sandbox.row(id)).ended_by, "logout");
});

test("a revokeAll whose answer was lost does not know how many", async () => {
  const { sessions } = await signedIn();
  await sandbox.faults({ route: "POST /authvital/oauth/logout-all", fault: { drop: "head", after: true }, times: 1 });
  const result = await sessions.revokeAll();
  assert.deepEqual([result.success, result.count, result.revoked], [true, null, null]);
  assert.deepEqual(await sandbox.active(), []);
});

test("a refresh is never tried again", async () => {
  for (const answer of [() => Promise.reject(), () => busy("0"), () => busy("0", 429)]) {
    const { sessions, sent } = faked(answer, { refreshToken: "r-1", clientId: "c", maxRetries: 5 });
    await sessions.refresh().catch(() => {});
    assert.equal(sent.length, 1);
  }
});

describe("waits by the back-end's clock", () => {
  const HOUR = 3600_000;
  const at = (ms) => new Date(ms).toUTCString();
  const waits = {
    "a date, where this clock is an hour behind": (now) => ({ "retry-after": at(now + HOUR + 3000), date: at(now + HOUR) }),
    "a date, where this clock is an hour ahead": (now) => ({ "retry-after": at(now - HOUR + 3000), date: at(now - HOUR) }),
    "X-RateLimit-Reset, where this clock is an hour behind": (now) => ({ "x-ratelimit-reset": `${Math.floor((now + HOUR) / 1000) + 3}`, date: at(now + HOUR) }),
    "X-RateLimit-Reset in milliseconds": (now) => ({ "x-ratelimit-reset": `${now + 3000}` }),
    "parts of seconds": () => ({ "retry-after": "2.5" }),
    "two of them": () => ({ "retry-after": "3, 3" }),
  };
  for (const [about, headers] of Object.entries(waits)) {
    test(about, async () => {
      const { sessions } = faked(() => json({}, { status: 429, headers: headers(Date.now()) }), { provider: "rest", maxRetries: 0 });
      const { retryAfter } = await fails(sessions.list(), "rate_limited");
      assert.ok(retryAfter >= 2 && retryAfter <= 4, `${retryAfter}`);
    });
  }
});
