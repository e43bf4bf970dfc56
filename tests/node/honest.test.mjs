// Answers and inputs that must not be taken for more than they are: nothing is called done that was not, and nobody is served with what is another's.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSessions, every, fails, faked, inBrowser, json, jwt, settles } from "./support.mjs";

const rest = (answer, options = {}) => faked(answer, { provider: "rest", ...options });

describe("a 200 that is none", () => {
  const page = () => new Response("<html>Sign in</html>", { headers: { "content-type": "text/html" } });
  for (const [about, answer, code] of [
    ["a proxy's page", page, "invalid_response"],
    ["status error", () => json({ status: "error", message: "no" }), "rejected"],
    ["an error beside it", () => json({ error: { code: "E1", message: "no" } }), "rejected"],
    ["ok false", () => json({ ok: false }), "rejected"],
    ["success false", () => json({ success: false }), "rejected"],
    ["a session that is still alive", () => json({ id: "1", status: "active" }), "rejected"],
  ]) {
    test(about, async () => {
      await fails(rest(answer).sessions.revoke("1"), code);
      const out = await settles(rest(answer).sessions.logout());
      assert.deepEqual([out.success, out.server, out.error.code], [false, "rejected", code]);
    });
  }

  test("Clerk's answer to the revocation of a session that was over", async () => {
    const { sessions } = faked(() => json({ object: "session", id: "sess_1", status: "expired" }), { provider: "clerk" });
    const { success, outcome } = await settles(sessions.revoke("sess_1"));
    assert.deepEqual([success, outcome], [false, "already-revoked"]);
  });
});

describe("ids that are path steps", () => {
  for (const id of [".", "..", "x".repeat(600)]) {
    test(`${id.slice(0, 5)} in a token that nobody verified, and in a list`, async () => {
      const clerk = faked(() => json({ id, status: "revoked" }), { provider: "clerk", token: "sk_test_x" });
      const request = { headers: { authorization: `Bearer ${jwt({ sid: id })}` } };
      await fails(clerk.sessions.revokeCurrent(request), "invalid_argument");
      assert.equal((await settles(clerk.sessions.logout({ request }))).server, "skipped");
      assert.deepEqual(clerk.sent, []);
      const listed = rest((request) => (request.method === "GET" ? json([{ id, current: true }]) : json({})));
      await fails(listed.sessions.revokeCurrent(), "invalid_argument");
      assert.deepEqual(listed.sent.map(({ method }) => method), ["GET"]);
    });
  }
});

describe("all of them", () => {
  const ended = async (items) => {
    const { sessions, sent } = rest((request) => (request.method === "GET" ? json(items) : json({})));
    await settles(sessions.revokeAll());
    return sent.filter(({ method }) => method === "DELETE").map(({ url }) => url.split("/").at(-1));
  };
  test("a moment before all time, and nothing, are no revocation", async () => {
    const never = ["0001-01-01T00:00:00Z", "", 0, false, null].map((revoked_at, index) => ({ id: index + 1, revoked_at }));
    assert.deepEqual(await ended([...never, { id: 9, revoked_at: "2026-01-01T00:00:00Z" }]), ["1", "2", "3", "4", "5"]);
  });
  test("two that are called the current one are both ended", async () => {
    assert.deepEqual((await ended([{ id: 1, current: true }, { id: 2, current: true }, { id: 3 }])).toSorted(), ["1", "2", "3"]);
  });
  test("an empty last page does not make the ids strings", async () => {
    const profile = {
      list: { method: "GET", path: "/s", cursor: { query: "page" } }, revoke: { method: "POST", path: "/end", body: { ids: ["{id}"] } },
    };
    const pages = { "": { items: [{ id: 7 }], next_cursor: "2" }, "?page=2": { items: [] } };
    const { sessions, sent } = faked((request) => (request.method === "GET" ? json(pages[new URL(request.url).search]) : json({})), { provider: profile });
    assert.equal((await every(sessions.list())).length, 1);
    await settles(sessions.revoke("7"));
    assert.deepEqual(await sent.at(-1).json(), { ids: [7] });
    // No number is written so.
    await settles(sessions.revoke("007"));
    assert.deepEqual(await sent.at(-1).json(), { ids: ["007"] });
  });
});

test("X-RateLimit-Reset is no reason to wait where the answer is not 429", async () => {
  const { sessions } = rest(() => json({}, { status: 404, headers: { "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + 3600) } }));
  assert.equal((await fails(sessions.revoke("1"), "not_found")).retryAfter, null);
});

test("a header of the call comes before the client's, and the caller's before the package's", async () => {
  const { sessions, sent } = faked(() => json({ object: "token", jwt: "j" }), { provider: "clerk", headers: { "X-A": "client", "Content-Type": "application/json; charset=utf-8" } });
  await settles(sessions.createToken("sess_1", {}, { headers: { "x-a": "call", "clerk-api-version": "2025-01-01" } }));
  const { headers } = sent[0];
  assert.deepEqual(["x-a", "content-type", "clerk-api-version"].map((name) => headers.get(name)), ["call", "application/json; charset=utf-8", "2025-01-01"]);
});

test("another's refresh token is not taken for this client's own where a logout does not take one", async () => {
  const { sessions, sent } = rest(() => new Response(null, { status: 204 }), { credentials: "include" });
  const out = await settles(sessions.logout("theirs"));
  assert.deepEqual([out.server, out.error.code, sent.length], ["skipped", "unsupported", 0]);
});

test("a token that comes back as a name in the details", async () => {
  const { sessions } = rest(() => json({ detail: [{ msg: "bad", "secret-access": 1, loc: ["a"] }] }, { status: 422 }), { token: "secret-access" });
  const { details } = await fails(sessions.list(), "rejected");
  assert.deepEqual(details, [{ msg: "bad", loc: ["a"] }]);
});

test("a profile's body says nothing but ids and refresh tokens", async () => {
  for (const value of ["{access}", "{handle}", "{x}"]) {
    const provider = { list: { method: "GET", path: "/s" }, revoke: { method: "POST", path: "/s/{id}", body: { deep: [value] } } };
    const { message } = await fails(createSessions({ provider, baseUrl: "https://a.example.com" }).list(), "invalid_options");
    assert.match(message, /^provider\.revoke\.body /);
  }
});

test("a signal that can't be let go of is refused", async () => {
  const { sessions } = rest(() => json([]));
  await fails(sessions.list({ signal: { aborted: false, addEventListener() {} } }), "invalid_argument");
});

describe("two users of one client, each with tokens from functions", () => {
  const users = { a: { access: "access-a", refresh: "refresh-a" }, b: { access: "access-b", refresh: "refresh-b" } };
  const client = (answer, who) =>
    faked(answer, { provider: "authvital", clientId: "web", token: () => users[who.now].access, refreshToken: () => users[who.now].refresh });
  const serve = async (request) => {
    if (request.url.endsWith("/oauth/token")) {
      const { refresh_token: token } = await request.json();
      return json({ access_token: `new-${token}`, refresh_token: `next-${token}`, expires_in: 60 });
    }
    return request.headers.get("authorization").includes("new-") ? json({ sessions: [], count: 0 }) : json({ message: "Invalid access token" }, { status: 401 });
  };

  test("an older token of one is not exchanged for the newest of the other", async () => {
    const who = { now: "a" };
    const { sessions } = client(serve, who);
    await settles(sessions.refresh());
    who.now = "b";
    await settles(sessions.refresh());
    who.now = "a";
    assert.equal((await settles(sessions.refresh())).accessToken, "new-refresh-a");
  });
});

test("no cache is asked, where the runtime knows of one", async (t) => {
  const { sessions, sent } = faked(() => json({ sessions: [], count: 0 }));
  await sessions.list();
  // Workers with an older compatibility date have no such member, and refuse a request that names it.
  const { Request: Whole } = globalThis;
  t.after(() => (globalThis.Request = Whole));
  const own = Object.getOwnPropertyDescriptors(Whole.prototype);
  globalThis.Request = class extends Whole {
    constructor(what, init) {
      if (init && "cache" in init) throw new TypeError("The 'cache' field on 'RequestInitializerDict' is not implemented.");
      super(what, init);
    }
  };
  delete own.cache;
  Object.setPrototypeOf(globalThis.Request.prototype, Object.create(Object.prototype, own));
  await sessions.list();
  assert.deepEqual(sent.map(({ cache }) => cache), ["no-store", undefined]);
});

// ---------------------------------------------------------------- what an error tells to do

test("a host without its scheme is no path of the page's own", async () => {
  globalThis.location = new URL("https://app.example.com/account/devices");
  try {
    for (const baseUrl of ["auth.example.com", "undefined", "api", "./api", "//auth.example.com"]) {
      const { sessions, sent } = faked(() => json([]), { provider: "rest", baseUrl });
      assert.match((await fails(sessions.list(), "invalid_options", baseUrl)).message, /begins with \//);
      assert.equal(sent.length, 0);
    }
    const { sessions, sent } = faked(() => json([]), { provider: "rest", baseUrl: "/auth" });
    await settles(sessions.list());
    assert.equal(sent[0].url, "https://app.example.com/auth/api/v1/sessions");
  } finally {
    delete globalThis.location;
  }
});

test("a refresh that lacks only the clientId is told of at the 401 that it would have cured", async () => {
  const refused = () => json({ message: "Invalid access token" }, { status: 401 });
  const { message } = await fails(faked(refused, { provider: "authvital", token: "t", refreshToken: "r" }).sessions.list(), "unauthenticated");
  assert.match(message, /^set clientId .*: Invalid access token$/);
  for (const options of [{ refreshToken: undefined }, { provider: "rest" }]) {
    assert.doesNotMatch((await fails(faked(refused, { provider: "authvital", token: "t", refreshToken: "r", ...options }).sessions.list(), "unauthenticated")).message, /clientId/);
  }
});

test("a secret key that is missing is called so; a list that is not there is named with its place", async () => {
  assert.match((await fails(createSessions({ provider: "clerk", fetch: () => json([]) }).list({ userId: "u" }), "unauthenticated")).message, /secret key/);
  const { sessions } = faked(() => new Response(null, { status: 404 }), { provider: "better-auth", baseUrl: "https://auth.example.com/api/auth" });
  assert.match((await fails(sessions.list(), "not_found")).message, /below baseUrl, at \/api\/auth\/list-sessions$/);
  const nested = { list: { method: "GET", path: "/s", items: "data" }, revoke: { method: "DELETE", path: "/s/{id}" } };
  assert.match((await fails(faked(() => json({ data: { sessions: [] } }), { provider: nested }).sessions.list(), "invalid_response")).message, /no list "data"/);
  await fails(faked(() => json([]), { provider: { ...nested, list: { ...nested.list, body: { a: 1 } } } }).sessions.list(), "invalid_options", "GET");
});

test("a parseUserAgent that is asynchronous, or gives no object, labels nothing, and its failure is nobody's", async () => {
  for (const parseUserAgent of [async () => ({ label: "x" }), () => Promise.reject(new Error("late")), () => "Chrome"]) {
    const { sessions } = faked(() => json([{ id: "a", user_agent: "curl/8" }]), { provider: "rest", parseUserAgent });
    assert.equal((await settles(sessions.list())).sessions[0].device, null);
  }
  await new Promise((resolve) => setImmediate(resolve));
});

test("a success that says of itself that it is none is no empty list, and has ended nothing", async () => {
  for (const body of [
    { status: false, message: "Unauthenticated", data: [] }, { status: "error", sessions: [] }, { status: "fail", data: [] }, { error: { code: "AUTH_EXPIRED" }, data: [] }, { ok: false, sessions: [] }, { success: 0, data: [] },
    { success: "false", sessions: [] }, { errors: [{ message: "no" }], data: [] },
  ]) {
    const { sessions, sent } = faked(() => json(body), { provider: "rest" });
    for (const call of [() => sessions.list(), () => sessions.revokeAll(), () => sessions.revokeOthers(), () => sessions.revoke("1")]) await fails(call(), "rejected", JSON.stringify(body));
    assert.equal(sent.filter(({ method }) => method === "DELETE").length, 1);
  }
  for (const body of [{ status: "active", sessions: [] }, { error: null, data: [] }, { errors: [], data: [] }, { status: 0, data: [] }, { ok: true, sessions: [] }, { error: 0, errors: {}, data: [] }]) {
    assert.deepEqual((await settles(faked(() => json(body), { provider: "rest" }).sessions.list())).sessions, [], JSON.stringify(body));
  }
});

test("gone is for what ends sessions: a list that is gone is none, and a refresh has no tokens", async () => {
  const gone = [410];
  const provider = { list: { method: "GET", path: "/s", gone }, revoke: { method: "DELETE", path: "/s/{id}", gone }, refresh: { method: "POST", path: "/r", accessToken: "a", gone } };
  const { sessions, sent } = faked(() => json({ message: "gone" }, { status: 410 }), { provider, token: "t", refreshToken: "r" });
  for (const operation of ["list", "revokeAll", "refresh"]) await fails(sessions[operation](), "not_found", operation);
  await fails((async () => {
    for await (const session of sessions.list()) assert.fail(session.id);
  })(), "not_found");
  assert.deepEqual(sent.filter(({ method }) => method === "DELETE"), []);
  assert.equal((await settles(sessions.revoke("1"))).outcome, "already-revoked");
});

test("an empty error is none, however it is written; words are the first that say something", async () => {
  const [text] = ['{"success":true,"message":"Logged out","error":{ },"errors":[ ]}'];
  const { sessions } = faked(() => new Response(text, { headers: { "content-type": "application/json" } }), { provider: "authvital", refreshToken: "r" });
  assert.equal((await settles(sessions.logout())).server, "confirmed");
  const error = await fails(faked(() => json({ message: "", title: "Not yours", code: "", error_code: "E7" }, { status: 403 }), { provider: "rest" }).sessions.list(), "forbidden");
  assert.match(error.message, /: Not yours$/);
});

test("months that no year has are no times", async () => {
  const { sessions } = faked(() => json([{ id: "a", created_at: "2026-13-01T00:00:00Z", expires_at: "2026-00-10T00:00:00Z" }]), { provider: "rest" });
  const { sessions: [{ createdAt, expiresAt }] } = await settles(sessions.list());
  assert.deepEqual([createdAt, expiresAt], [null, null]);
});
