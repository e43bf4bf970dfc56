// Lists about which nothing has to be thought: they need no wasm. Whatever they do, the wasm side would do the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createSessions, fails, fastForward, json, jwt, settles } from "./support.mjs";

const BASE = "https://auth.example";
const ITEMS = [{ id: "s1", token: "t1", createdAt: "2026-01-01T00:00:00.000Z", userAgent: "curl/8" }, { id: "s2", token: "t2" }];
const BODIES = { authvital: { sessions: ITEMS, count: 2 }, rest: { data: { sessions: ITEMS } }, "better-auth": ITEMS };
const JWTS = [jwt({ sid: "s1" }), jwt({ arn: "s2" }), jwt({ sid: "s2", arn: "s1" }), jwt({ sid: "" }), jwt({ sid: 7 }), jwt({ sid: null, arn: "s1" }), jwt({ sid: "Łódź" }), "a.b", "a.!.c", "a.e30.c", "..", "a.W10.c", "a.bnVsbA.c"];
const SID = Buffer.from('{"sid":"s1"}').toString("base64url");
// What one decoder takes and another does not: padding, the other alphabet, what is no UTF-8, nesting.
for (const payload of [`${SID}=`, `${SID}==`, `${SID}A`, `${SID}=x`, Buffer.from('{"sid":"s1","x":"???>>>"}').toString("base64"), Buffer.from('{"sid":"s1","x":"\xff"}', "latin1").toString("base64url"), Buffer.from(`{"sid":"s1","x":${"[".repeat(80)}${"]".repeat(80)}}`).toString("base64url")]) JWTS.push(`h.${payload}.s`);

/** A client whose requests are kept, as method, URL and headers; `steps` counts what the wasm side is asked. */
function client(provider, { answer = () => json(BODIES[provider]), ...options } = {}) {
  const sent = [];
  const fetch = async (request) => {
    sent.push([request.method, request.url, [...request.headers], request.redirect, request.credentials]);
    return answer(sent.length, request);
  };
  return { sent, sessions: createSessions({ provider, baseUrl: BASE, fetch, maxRetries: 0, ...options }) };
}

/** How often the wasm side is asked meanwhile: it is told everything in JSON with what is remembered. */
async function steps(run) {
  const { encode } = TextEncoder.prototype;
  let count = 0;
  TextEncoder.prototype.encode = function (text) {
    count += Number(/"memory":/.test(text));
    return encode.call(this, text);
  };
  try {
    await run();
  } finally {
    TextEncoder.prototype.encode = encode;
  }
  return count;
}

for (const provider of Object.keys(BODIES)) {
  test(`${provider}: the first list needs no wasm, and is what the wasm side makes of it`, async () => {
    const claim = fc.oneof(fc.constantFrom("s1", "s2", "", null, 7, {}, ["s1"]), fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed()));
    const payload = fc.oneof(fc.record({ sid: claim, arn: claim, exp: fc.integer(), iat: fc.integer() }, { requiredKeys: [] }).map(JSON.stringify), fc.json(), fc.constantFrom('{"sid":"s1","sid":"s2"}', '{"__proto__":{"sid":"s1"}}', '\ufeff{"sid":"s1"}', '{"sid":"s1"}x', '{"sid":12345678901234567890}'));
    const tokens = fc.oneof(payload.map((text) => `h.${Buffer.from(text).toString("base64url")}.s`), fc.constantFrom(...JWTS, "t1", "t1.sig", "t2"), fc.string({ unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 20 }));
    const base = fc.constantFrom(BASE, `${BASE}/`, `${BASE}/pre/fix//`, "http://localhost:1", "https://AUTH.example:8443/a%20b");
    const given = fc.record({ token: tokens, refreshToken: fc.option(tokens, { nil: undefined }), baseUrl: base, credentials: fc.constantFrom(undefined, "omit", "include") });
    let quick = 0;
    await fc.assert(fc.asyncProperty(given, fc.boolean(), async (options, asked) => {
      const told = asked ? { ...options, token: () => options.token, refreshToken: async () => options.refreshToken } : options;
      const [plain, full] = [client(provider, told), client(provider, { ...told, hooks: { onResponse() {} } })];
      const results = [];
      quick += Number((await steps(async () => results.push(await plain.sessions.list()))) === 0);
      // With hooks the wasm side is asked: it has the same request sent, or it would be a second one.
      assert.ok((await steps(async () => results.push(await full.sessions.list()))) > 0);
      assert.deepEqual(results[0], results[1]);
      assert.deepEqual([plain.sent.length, full.sent.length, plain.sent], [1, 1, full.sent]);
    }), { numRuns: 300, seed: 3 });
    assert.ok(quick > 150, `only ${quick}`);
  });
}

test("what has to be thought about is: one request all the same", async () => {
  const next = { sessions: ITEMS, next_cursor: "n2" };
  for (const [provider, options, args, answer] of [
    ["rest", {}, [], () => json(next)], ["rest", { headers: { "x-a": "b" } }, []], ["rest", {}, [undefined, { headers: { "x-a": "b" } }]], ["rest", {}, [{ cursor: "n2" }]],
    ["authvital", {}, [{ applicationId: "a" }]], ["rest", {}, [{ headers: { authorization: "Bearer other" } }, {}]], ["rest", { token: undefined, credentials: "include" }, []],
  ]) {
    const { sessions, sent } = client(provider, { token: "t", ...options, ...(answer && { answer }) });
    const count = await steps(async () => assert.equal((await settles(sessions.list(...args))).sessions.length, 2));
    assert.ok(count > 0, JSON.stringify([provider, options, args]));
    assert.equal(sent.length, 1);
  }
});

test("an answer that is no list is what it is elsewhere, and is asked for again where that helps", async () => {
  for (const [status, body, code] of [[500, {}, "server_error"], [401, {}, "unauthenticated"], [200, "<html>", "invalid_response"], [200, [{}], "invalid_response"], [302, "", "invalid_response"], [429, {}, "rate_limited"]]) {
    const { sessions, sent } = client("authvital", { token: "t", answer: () => new Response(typeof body === "string" ? body : JSON.stringify(body), { status }) });
    assert.equal((await fails(sessions.list(), code)).status, status, code);
    assert.equal(sent.length, 1);
  }
  const { sessions, sent } = client("better-auth", { token: "t", maxRetries: 1, answer: (nth) => (nth === 1 ? json({}, { status: 503, headers: { "retry-after": "0" } }) : json(ITEMS)) });
  assert.equal((await settles(sessions.list())).count, 2);
  assert.equal(sent.length, 2);
  const { sessions: lost } = client("better-auth", { token: "t", answer: () => Promise.reject(new Error("no route")) });
  assert.equal((await fails(lost.list(), "network")).cause.message, "no route");
});

test("nothing is sent that is refused otherwise", async () => {
  const never = () => assert.fail("a request");
  for (const [provider, options, code] of [
    ["authvital", { token: "t", baseUrl: "http://auth.example" }, "insecure"], ["authvital", { token: "t", environment: "test" }, "invalid_options"], ["rest", { token: "t", baseUrl: undefined }, "invalid_options"],
    ["rest", { token: "Bearer t" }, "invalid_options"], ["rest", { token: "" }, "unauthenticated"], ["better-auth", {}, "unauthenticated"], ["rest", { token: "é" }, "invalid_options"], ["rest", { token: "t", fetch: 7 }, "invalid_options"],
    ["rest", { token: () => { throw new Error("gone"); } }, "unauthenticated"], ["rest", { token: () => 7 }, "invalid_options"], ["toString", { token: "t" }, "invalid_options"],
  ]) await fails(client(provider, { answer: never, ...options }).sessions.list(), code, JSON.stringify([provider, options]));
  const controller = new AbortController();
  controller.abort("why");
  assert.equal((await fails(client("rest", { token: "t", answer: never }).sessions.list(undefined, { signal: controller.signal }), "aborted")).cause, "why");
});

test("lists that come again need no wasm, as long as nothing has changed", async () => {
  let token = "t1";
  const { sessions, sent } = client("clerk", { token: () => token, answer: () => json({ data: [{ id: "sess_1" }], total_count: 1 }) });
  const scope = { userId: "user_1" };
  const list = (given = scope) => steps(() => settles(sessions.list(given)));
  // What was learnt from the first answer is part of it, and so are tokens, for which nobody was asked before wasm said so.
  for (let call = 0; call < 2; call++) assert.ok((await list()) > 0);
  for (let call = 0; call < 3; call++) assert.equal(await list(), 0);
  assert.equal(new Set(sent.map(String)).size, 1);
  assert.ok((await list({ userId: "user_2" })) > 0);
  assert.match(sent.at(-1)[1], /user_2/);
  assert.ok((await list()) > 0);
  token = "t2";
  assert.ok((await list()) > 0);
  assert.deepEqual(sent.at(-1)[2].find(([name]) => name === "authorization"), ["authorization", "Bearer t2"]);
});

test("lists by offset: no page is lost when there are more sessions than last time", async () => {
  let count = 3;
  const answer = (_, { url }) => {
    const from = Number(new URL(url).searchParams.get("offset") ?? 0);
    return json({ data: Array.from({ length: count }, (_, id) => ({ id: `sess_${id}` })).slice(from, from + 10), total_count: count });
  };
  const { sessions } = client("clerk", { token: "sk", answer });
  for (let call = 0; call < 4; call++) assert.equal((await settles(sessions.list({ userId: "u" }))).next, null);
  count = 25;
  assert.equal((await settles(sessions.list({ userId: "u" }))).next, "10");
  const ids = [];
  for await (const { id } of sessions.list({ userId: "u" })) ids.push(id);
  assert.equal(ids.length, 25);
});

test("what a profile takes for success, and for gone, counts for every list", async () => {
  const profile = (more) => ({ list: { method: "GET", path: "/s", ...more }, revoke: { method: "DELETE", path: "/s/{id}" } });
  let status = 200;
  const strict = client("rest", { provider: profile({ success: [200, 404] }), token: "t", answer: () => new Response(JSON.stringify(ITEMS), { status }) });
  for (let call = 0; call < 4; call++) await settles(strict.sessions.list());
  status = 404;
  assert.equal((await settles(strict.sessions.list())).count, 2);
  status = 202;
  await fails(strict.sessions.list(), "invalid_response");
});

test("what says that it failed is no empty list", async () => {
  for (const hooks of [undefined, {}]) await fails(client("authvital", { token: "t", hooks, answer: () => json({ success: false, message: "no", sessions: [] }) }).sessions.list(), "rejected");
});

test("a profile without a prototype", async () => {
  const provider = Object.assign(Object.create(null), { list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" } });
  assert.equal((await settles(client("rest", { provider, token: "t", answer: () => json(ITEMS) }).sessions.list())).count, 2);
});

test("nobody is asked for tokens where the options are wrong", async () => {
  for (const [options, code] of [[{ baseUrl: "http://auth.example" }, "insecure"], [{ environment: "test" }, "invalid_options"]]) {
    await fails(client("authvital", { ...options, token: () => assert.fail("asked") }).sessions.list(), code);
  }
});

test("time runs from the beginning of the call, also when the first answer is to be waited for", async () => {
  for (const hooks of [undefined, {}]) {
    const { sessions } = client("rest", { token: "t", hooks, maxRetries: 2, totalTimeout: 1500, answer: async () => {
      await new Promise((resolve) => setTimeout(resolve, 800));
      return json({}, { status: 429, headers: { "retry-after": "1" } });
    } });
    assert.equal((await fails((await fastForward(() => sessions.list())).promise, "rate_limited")).retryAfter, 1);
  }
});

test("what the revocation of one user's session takes is not sent with another user's token", async () => {
  let token = "a";
  const bodies = [];
  const fetch = async (request) => {
    if (request.method === "GET") return json([{ id: "2", token: `secret-of-${request.headers.get("authorization").slice(7)}` }]);
    bodies.push([request.headers.get("authorization"), await request.text()]);
    token = "b";
    return bodies.length === 1 ? json({}, { status: 503, headers: { "retry-after": "0" } }) : json({ status: true });
  };
  const sessions = createSessions({ provider: "better-auth", baseUrl: BASE, token: () => token, fetch });
  await settles(sessions.list());
  await settles(sessions.revoke("2"));
  assert.deepEqual(bodies, [["Bearer a", '{"token":"secret-of-a"}'], ["Bearer b", '{"token":"secret-of-b"}']]);
});

test("after a logout the tokens in the options are not sent again by a list", async () => {
  for (const refreshToken of [undefined, "r"]) {
    const { sessions, sent } = client("authvital", { token: "t", refreshToken, answer: (_, { method }) => json(method === "GET" ? BODIES.authvital : { success: true, message: "out" }) });
    for (let call = 0; call < 3; call++) await settles(sessions.list());
    await settles(sessions.logout());
    const before = sent.length;
    await fails(sessions.list(), "unauthenticated");
    assert.equal(sent.length, before);
  }
});

test("somebody else's request between them goes out with its own token, and changes nothing", async () => {
  for (const provider of Object.keys(BODIES)) {
    const { sessions, sent } = client(provider, { token: "own", credentials: "include" });
    const whose = [undefined, undefined, undefined, "one", "two", undefined, "one", undefined];
    for (const other of whose) await settles(other ? sessions.list({ headers: { authorization: `Bearer ${other}` } }) : sessions.list());
    assert.deepEqual(sent.map(([, , headers]) => headers.find(([name]) => name === "authorization")[1]), whose.map((other) => `Bearer ${other ?? "own"}`));
  }
});

test("after a refresh, and in each environment, a list goes where and as it has to", async () => {
  const { sessions, sent } = client("authvital", { token: "t", refreshToken: "r", clientId: "c", answer: (_, { method }) => json(method === "GET" ? BODIES.authvital : { access_token: "t2", expires_in: 900 }) });
  for (let call = 0; call < 3; call++) await settles(sessions.list());
  await settles(sessions.refresh());
  await settles(sessions.list());
  assert.deepEqual(sent.filter(([method]) => method === "GET").map(([, , headers]) => headers.find(([name]) => name === "authorization")[1]), ["Bearer t", "Bearer t", "Bearer t", "Bearer t2"]);
  for (const [environment, host] of [[undefined, "api."], ["demo", "api-demo."], ["test", "api-test."]]) {
    const { sessions, sent } = client("ksef", { token: "t", baseUrl: undefined, environment, answer: () => json({ items: [{ referenceNumber: "20260101-AU-0123456789-0123456789-01" }] }) });
    for (let call = 0; call < 4; call++) assert.equal((await settles(sessions.list())).count, 1);
    assert.ok(sent.every(([, url]) => new URL(url).host === `${host}ksef.mf.gov.pl`), String(sent));
  }
});

test("a list that is aborted on its way says so", async () => {
  const controller = new AbortController();
  const { sessions } = client("rest", { token: "t", answer: () => (controller.abort("why"), new Promise(() => {})) });
  assert.equal((await fails(sessions.list(undefined, { signal: controller.signal }), "aborted")).cause, "why");
});

test("a token function that fails is not asked again for the same list", async () => {
  let asked = 0;
  const { sessions, sent } = client("authvital", {
    token: () => {
      asked++;
      throw new Error("no storage");
    },
  });
  for (const times of [1, 2]) {
    await fails(sessions.list(), "unauthenticated");
    assert.deepEqual([asked, sent.length], [times, 0]);
  }
});

test("what a plain list shows of ids goes into bodies as it was listed", async () => {
  const bodies = [];
  const fetch = async (request) => {
    if (request.method === "GET") return json({ sessions: [{ id: bodies.length < 3 ? "7" : 7 }] });
    bodies.push(await request.text());
    return new Response(null, { status: 204 });
  };
  const provider = { list: { method: "GET", path: "/s" }, revoke: { method: "POST", path: "/r", body: { id: "{id}" } } };
  const sessions = createSessions({ provider, baseUrl: BASE, fetch, token: "t" });
  // The last is read without wasm.
  for (const numbered of [1, 2, 3, 4]) {
    const { sessions: [{ id }] } = await settles(sessions.list());
    await settles(sessions.revoke(id));
    assert.equal(bodies.length, numbered);
  }
  assert.deepEqual(bodies, [..."777"].map((id) => JSON.stringify({ id })).concat('{"id":7}'));
});
