// Better Auth through the package, against the real server: with bearer tokens, with cookies on a server, and with forwarded requests.
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { start } from "../better-auth/server.mjs";
import { createSessions, every, fails, faked, held, inBrowser, json, recorded, settles, told } from "./support.mjs";

const { url, stop } = await start();
after(stop);

const DAY = 24 * 3600_000;
const GET = "GET /api/auth/get-session";
const LIST = "GET /api/auth/list-sessions";
const REVOKE = "POST /api/auth/revoke-session";
const OTHERS = "POST /api/auth/revoke-other-sessions";
const ALL = "POST /api/auth/revoke-sessions";
const OUT = "POST /api/auth/sign-out";
const COOKIE = "better-auth.session_token";

const server = {
  async ask(method, route, body) {
    const response = await fetch(`${url}${route}`, { method, headers: { origin: url, "content-type": "application/json" }, body: body && JSON.stringify(body) });
    assert.ok(response.ok, `${route}: ${response.status}`);
    return response;
  },
  reset: () => server.ask("POST", "/test/reset"),
  rows: async (email = "demo@example.com") => (await (await server.ask("GET", `/test/sessions?user=${email}`)).json()).sessions,
  ids: async (email) => (await server.rows(email)).map(({ id }) => id),
  age: (id, ms) => server.ask("POST", "/test/age", { id, ms }),
  rateLimit: (enabled) => server.ask("POST", "/test/rate-limit", { enabled }),
  requests: async () => (await (await server.ask("GET", "/test/requests")).json()).requests,
  forget: () => server.ask("DELETE", "/test/requests"),
  /** A new session: its id, its bare token, the signed one, and the cookie. */
  async signIn(email = "demo@example.com") {
    const before = await server.ids(email);
    const response = await server.ask("POST", "/api/auth/sign-in/email", { email, password: `${email.split("@")[0]}-password` });
    const { token } = await response.json();
    const signed = response.headers.get("set-auth-token");
    const id = (await server.ids(email)).find((id) => !before.includes(id));
    await server.forget();
    return { id, token, signed, cookie: `${COOKIE}=${encodeURIComponent(signed)}` };
  },
};

beforeEach(() => server.reset());

const client = (options) => recorded({ provider: "better-auth", baseUrl: url, ...options });

/** A signed-in user and a client: how it says who it is. */
const WAYS = {
  "bearer": async (options) => {
    const who = await server.signIn();
    return { ...who, ...client({ token: who.token, ...options }) };
  },
  "signed bearer": async (options) => {
    const who = await server.signIn();
    return { ...who, ...client({ token: who.signed, ...options }) };
  },
  "cookie": async (options) => {
    const who = await server.signIn();
    return { ...who, ...client({ headers: { cookie: who.cookie, origin: url }, ...options }) };
  },
};
const user = WAYS.bearer;

/** All secret tokens of the store can't be asked for: those of sign-ins are known, and others are found in what the list really sends. */
async function tokensOf({ token }) {
  const response = await fetch(`${url}/api/auth/list-sessions`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.json()).map((session) => session.token);
}

for (const [way, signedIn] of Object.entries(WAYS)) {
  describe(`with a ${way}`, () => {
    test("list: one request, every field, and no token", async () => {
      const who = await signedIn();
      const { sessions, sent, id } = who;
      const tokens = await tokensOf(who);
      assert.equal(tokens.length, 7);
      const page = await settles(sessions.list());
      assert.deepEqual(sent.map(({ line, text }) => [line, text]), [[LIST, ""]]);
      const rows = await server.rows();
      assert.deepEqual(page.sessions.map((session) => session.id).toSorted(), rows.map((row) => row.id).toSorted());
      assert.deepEqual([page.count, page.next], [7, null]);
      const row = rows.find(({ ipAddress }) => ipAddress === "203.0.113.24");
      const { raw, ...session } = page.sessions.find((session) => session.id === row.id);
      const { userId, ...rest } = session;
      // A cookie says nothing of the session's id; a bearer token is one of those in the list.
      const current = way === "cookie" ? session.current : false;
      assert.deepEqual(rest, {
        id: row.id, status: "active", createdAt: row.createdAt, lastActiveAt: row.updatedAt, expiresAt: row.expiresAt, userAgent: row.userAgent, ipAddress: "203.0.113.24", tenant: null,
        current, device: { label: "Chrome on Windows", browser: "Chrome", os: "Windows", kind: "desktop" }, location: null, method: null,
      });
      assert.ok(current === false || current === null);
      assert.deepEqual([typeof userId, raw.userId, raw.token, "token" in raw], ["string", userId, undefined, false]);
      if (way !== "cookie") assert.deepEqual(page.sessions.filter((session) => session.current).map((session) => session.id), [id]);
      const nameless = page.sessions.filter(({ userAgent, ipAddress }) => userAgent === null && ipAddress === null);
      assert.equal(nameless.length, 1, "\"\" is nothing");
      assert.equal(nameless[0].device, null);
      for (const token of tokens) assert.ok(!JSON.stringify(page).includes(token));
      assert.equal((await settles(every(sessions.list()))).length, 7);
    });

    test("current: get-session", async () => {
      const who = await signedIn();
      const { sessions, lines, id } = who;
      const session = await settles(sessions.current());
      assert.deepEqual([session.id, session.current, session.status, lines()], [id, true, "active", [GET]]);
      assert.ok(!JSON.stringify(session).includes(who.token));
      // From then on the list knows it without asking again.
      assert.deepEqual((await settles(sessions.list())).sessions.filter(({ current }) => current).map((session) => session.id), [id]);
      assert.deepEqual(lines(), [GET, LIST]);
    });

    test("get: from the list", async () => {
      const { sessions, lines } = await signedIn();
      const [other] = await server.ids();
      const session = await settles(sessions.get(other));
      assert.deepEqual([session.id, lines()], [other, [LIST]]);
      await fails(sessions.get("nobody"), "not_found");
    });

    test("revoke by id: the list tells the token, and only the server hears it", async () => {
      const who = await signedIn();
      const { sessions, sent } = who;
      const other = await server.signIn();
      const result = await settles(sessions.revoke(other.id));
      assert.deepEqual(result, { id: other.id, success: true, outcome: "revoked", message: null, effect: result.effect, accessTokenValidUntil: result.accessTokenValidUntil });
      assert.deepEqual(sent.map(({ line }) => line), [LIST, REVOKE]);
      assert.deepEqual([sent[1].body, sent[1].headers["content-type"]], [{ token: other.token }, "application/json"]);
      assert.ok(!(await server.ids()).includes(other.id));
      assert.equal((await server.ids()).length, 7);
      assert.ok(!JSON.stringify(result).includes(other.token));
    });

    test("revoke: after a list, one request; with cookies nobody knows whose they are by now, and it is looked up again", async () => {
      const { sessions, lines, forget } = await signedIn();
      const [one, two] = await server.ids();
      await settles(sessions.list());
      forget();
      await settles(sessions.revoke(one));
      assert.deepEqual(lines(), way === "cookie" ? [LIST, REVOKE] : [REVOKE]);
      await settles(sessions.revoke(two));
      const left = await server.ids();
      assert.deepEqual([left.length, left.includes(one), left.includes(two)], [5, false, false]);
    });

    test("revoke of nobody's id: not_found, and no request that pretends", async () => {
      const { sessions, lines, token } = await signedIn();
      // Not even a token, which is no id.
      for (const id of ["nobody", "a b/c?d", token, "ż"]) await fails(sessions.revoke(id), "not_found", id);
      assert.ok(lines().length >= 4 && lines().every((line) => line === LIST), lines().join());
      const theirs = await server.signIn("other@example.com");
      await fails(sessions.revoke(theirs.id), "not_found");
      assert.ok(!lines().includes(REVOKE));
      assert.equal((await server.ids("other@example.com")).length, 3);
      await settles(sessions.list());
      await fails(sessions.revoke("nobody"), "not_found");
      assert.ok(!lines().includes(REVOKE), "nor after a list");
      for (const id of ["", ".", "..", undefined, 5]) await fails(sessions.revoke(id), "invalid_argument");
    });

    test("revokeCurrent: the session that asks, and no other", async () => {
      const { sessions, lines, id } = await signedIn();
      const result = await settles(sessions.revokeCurrent());
      assert.deepEqual([result.id, result.success, result.outcome], [id, true, "revoked"]);
      assert.deepEqual(lines(), [GET, REVOKE]);
      const left = await server.ids();
      assert.deepEqual([left.length, left.includes(id)], [6, false]);
      await fails(sessions.list(), "unauthenticated");
    });

    test("revokeOthers: one request of its own, no count", async () => {
      const { sessions, lines, id } = await signedIn();
      const { success, count, revoked, message } = await settles(sessions.revokeOthers());
      assert.deepEqual([success, count, revoked, message], [true, null, null, null]);
      assert.deepEqual([new Set(lines()), lines()[0]], [new Set([OTHERS]), OTHERS]);
      assert.deepEqual(await server.ids(), [id]);
      assert.equal((await server.ids("other@example.com")).length, 2);
      assert.equal((await settles(sessions.revokeOthers())).success, true);
    });

    test("revokeAll: one request of its own, the current one too", async () => {
      const { sessions, lines } = await signedIn();
      const { success, count, revoked } = await settles(sessions.revokeAll());
      assert.deepEqual([success, count, revoked, lines()], [true, null, null, [ALL]]);
      assert.deepEqual([await server.ids(), (await server.ids("other@example.com")).length], [[], 2]);
      const error = await fails(sessions.revokeAll(), "unauthenticated");
      assert.deepEqual([error.status, error.serverCode], [401, "UNAUTHORIZED"]);
    });

    test("logout: sign-out, and again", async () => {
      const { sessions, lines, id } = await signedIn({ cookies: [{ name: COOKIE }] });
      const result = await settles(sessions.logout());
      assert.deepEqual([result.success, result.server, result.error, result.setCookie.length], [true, "confirmed", null, 1]);
      assert.deepEqual(lines(), [OUT]);
      const left = await server.ids();
      assert.deepEqual([left.length, left.includes(id)], [6, false]);
    });

    test("an old session: SESSION_NOT_FRESH where it has to be fresh, and nowhere else", async () => {
      const { sessions, lines, id } = await signedIn();
      await server.age(id, DAY + 1000);
      const error = await fails(sessions.list(), "reauthentication_required");
      assert.deepEqual([error.status, error.serverCode, error.operation, error.provider, error.transient], [403, "SESSION_NOT_FRESH", "list", "better-auth", false]);
      assert.deepEqual(lines(), [LIST]);
      const [other] = await server.ids();
      await fails(sessions.get(other), "reauthentication_required");
      await fails(sessions.revoke(other), "reauthentication_required");
      assert.equal((await server.ids()).length, 7);
      assert.equal((await settles(sessions.current())).id, id);
      assert.equal((await settles(sessions.revokeOthers())).success, true);
      assert.deepEqual(await server.ids(), [id]);
      assert.equal((await settles(sessions.revokeCurrent())).id, id);
      assert.deepEqual(await server.ids(), []);
    });

    test("nobody: unauthenticated, everywhere", async () => {
      const { sessions, forget, lines } = await signedIn();
      await settles(sessions.revokeAll());
      forget();
      for (const call of held(
        sessions.list(), sessions.get("a"), sessions.current(), sessions.revoke("a"), sessions.revokeCurrent(), sessions.revokeOthers(), sessions.revokeAll(),
      )) await fails(call, "unauthenticated");
      assert.ok(!lines().includes(REVOKE));
      // get-session says so with a 200 and null.
      const { status } = await fails(sessions.current(), "unauthenticated");
      assert.equal(status, 200);
      const { server: said, success } = await settles(sessions.logout());
      assert.deepEqual([said, success], ["confirmed", true], "signing out twice is fine with the server");
    });

    test("tokens and cookies are in no error and no hook", async () => {
      const events = [];
      const hooks = Object.fromEntries(["onRequest", "onResponse", "onRetry"].map((name) => [name, (event) => events.push(event)]));
      const who = await signedIn({ hooks });
      const { sessions, id } = who;
      const tokens = await tokensOf(who);
      await settles(sessions.list());
      await server.age(id, DAY + 1000);
      const texts = [];
      for (const call of [() => sessions.list(), () => sessions.revoke("nobody")]) texts.push(told(await fails(call(), "reauthentication_required")));
      await settles(sessions.revokeAll());
      for (const call of [() => sessions.list(), () => sessions.current(), () => sessions.revokeOthers()]) texts.push(told(await fails(call(), "unauthenticated")));
      for (const secret of [...tokens, who.signed, encodeURIComponent(who.signed)]) for (const text of [...texts, JSON.stringify(events)]) assert.ok(!text.includes(secret), text);
      assert.ok(events.length >= 12);
    });
  });
}

describe("with somebody else's request", () => {
  test("their token alone", async () => {
    const { sessions, sent, token } = await user();
    const other = await server.signIn("other@example.com");
    const request = { headers: { authorization: `Bearer ${other.token}` } };
    assert.deepEqual((await settles(sessions.list(request))).sessions.filter(({ current }) => current).map(({ id }) => id), [other.id]);
    assert.equal((await settles(sessions.current(request))).id, other.id);
    const [first] = await server.ids("other@example.com");
    assert.equal((await settles(sessions.revoke(request, first))).id, first);
    assert.equal((await settles(sessions.revokeOthers(request))).success, true);
    assert.deepEqual(await server.ids("other@example.com"), [other.id]);
    assert.equal((await settles(sessions.logout({ request }))).server, "confirmed");
    assert.deepEqual(await server.ids("other@example.com"), []);
    assert.ok(sent.every(({ headers }) => headers.authorization === `Bearer ${other.token}`));
    assert.ok(!JSON.stringify(sent).includes(token));
    assert.equal((await server.ids()).length, 7);
  });

  test("what was learnt of one user is not used for another", async () => {
    const { sessions, lines, forget, id } = await user();
    await settles(sessions.list());
    await settles(sessions.current());
    forget();
    const other = await server.signIn("other@example.com");
    const request = { headers: { authorization: `Bearer ${other.token}` } };
    await fails(sessions.revoke(request, id), "not_found");
    assert.deepEqual(lines(), [LIST]);
    assert.equal((await settles(sessions.revokeCurrent(request))).id, other.id);
    assert.ok((await server.ids()).includes(id));
    // And not back again.
    assert.equal((await settles(sessions.current())).id, id);
  });

  for (const way of ["token", "cookie"]) test(`another user of the same client, by ${way}: nothing that was learnt of the one before is used`, async () => {
    const before = await server.signIn();
    const other = await server.signIn("other@example.com");
    let now = before;
    // As a browser has it: which cookie goes along is not the client's business.
    const jar = (request, init) => {
      const headers = new Headers(request.headers);
      headers.set("cookie", now.cookie);
      headers.set("origin", url);
      return fetch(new Request(request, { headers }), init);
    };
    const { sessions, lines, forget } = client(way === "token" ? { token: () => now.token } : { credentials: "include", fetch: jar });
    const learn = async () => {
      now = before;
      await settles(sessions.list());
      await settles(sessions.current());
      now = other;
      forget();
    };
    await learn();
    const [first] = await server.ids();
    await fails(sessions.revoke(first), "not_found");
    assert.ok(!lines().includes(REVOKE));
    await learn();
    // A cookie does not say which of them it is.
    assert.deepEqual((await settles(sessions.list())).sessions.filter(({ current }) => current).map(({ id }) => id), way === "token" ? [other.id] : []);
    await learn();
    assert.equal((await settles(sessions.revokeCurrent())).id, other.id);
    assert.deepEqual([(await server.ids("other@example.com")).length, (await server.ids()).length], [2, 7]);
  });

  test("without Authorization it is nobody's", async () => {
    const { sessions, sent } = await user();
    const request = { headers: { cookie: "better-auth.session_token=x" } };
    for (const call of held(
      sessions.list(request), sessions.current(request), sessions.revoke(request, "a"), sessions.revokeCurrent(request), sessions.revokeAll(request),
      sessions.revokeOthers(request),
    )) await fails(call, "unauthenticated");
    assert.deepEqual(sent, []);
  });
});

describe("onReauthenticate", () => {
  /** A client whose session is old; `again` signs in anew. */
  async function old(onReauthenticate) {
    const who = await server.signIn();
    await server.age(who.id, DAY + 1000);
    const state = { token: who.token, asked: [] };
    const made = client({
      token: () => state.token,
      onReauthenticate: onReauthenticate && (async (error) => {
        state.asked.push(error);
        return onReauthenticate(state, error);
      }),
    });
    return { ...who, ...made, state };
  }
  const signInAgain = async (state) => {
    const fresh = await server.signIn();
    Object.assign(state, { token: fresh.token, id: fresh.id });
    return true;
  };

  test("true: the call is tried once more, with the new token", async () => {
    const { sessions, sent, token, state } = await old(signInAgain);
    const page = await settles(sessions.list());
    assert.equal(page.count, 8);
    assert.deepEqual(sent.map(({ line, headers }) => [line, headers.authorization]), [[LIST, `Bearer ${token}`], [LIST, `Bearer ${state.token}`]]);
    const [error, ...more] = state.asked;
    assert.deepEqual([more.length, error.code, error.serverCode, error.operation, error.name], [0, "reauthentication_required", "SESSION_NOT_FRESH", "list", "SessionsError"]);
    assert.ok(!told(error).includes(token));
  });

  test("true, for a revoke", async () => {
    const { sessions, lines } = await old(signInAgain);
    const [other] = await server.ids();
    assert.equal((await settles(sessions.revoke(other))).success, true);
    assert.deepEqual(lines(), [LIST, LIST, REVOKE]);
    assert.ok(!(await server.ids()).includes(other));
  });

  test("true, but the session is as old as before: asked once, then the error", async () => {
    const { sessions, lines, state } = await old(() => true);
    await fails(sessions.list(), "reauthentication_required");
    assert.deepEqual([state.asked.length, lines()], [1, [LIST, LIST]]);
  });

  test("false, or anything else: the error", async () => {
    for (const answer of [false, undefined, null, "true", 1]) {
      const { sessions, lines, state } = await old(() => answer);
      const error = await fails(sessions.list(), "reauthentication_required", `${answer}`);
      assert.deepEqual([error.serverCode, state.asked.length, lines()], ["SESSION_NOT_FRESH", 1, [LIST]]);
    }
  });

  test("a function that throws: the error, with its cause", async () => {
    const mine = new Error("closed the window");
    const { sessions, lines } = await old(() => {
      throw mine;
    });
    const error = await fails(sessions.list(), "reauthentication_required");
    assert.deepEqual([error.cause, lines()], [mine, [LIST]]);
  });

  test("none: the error", async () => {
    const { sessions, lines } = await old();
    await fails(sessions.list(), "reauthentication_required");
    assert.deepEqual(lines(), [LIST]);
  });

  test("an abort while the user is asked settles at once", async () => {
    const controller = new AbortController();
    const { sessions, lines } = await old(() => {
      setImmediate(() => controller.abort());
      return new Promise(() => {});
    });
    await fails(sessions.list(undefined, { signal: controller.signal }), "aborted");
    assert.deepEqual(lines(), [LIST]);
  });

  test("not for other errors", async () => {
    const { sessions, state } = await old(() => true);
    state.token = "garbage";
    await fails(sessions.list(), "unauthenticated");
    assert.equal(state.asked.length, 0);
  });
});

describe("errors", () => {
  test("a POST with a cookie needs an origin: MISSING_OR_NULL_ORIGIN, INVALID_ORIGIN", async () => {
    const { cookie } = await server.signIn();
    for (const [headers, serverCode] of [[{ cookie }, "MISSING_OR_NULL_ORIGIN"], [{ cookie, origin: "https://evil.example" }, "INVALID_ORIGIN"]]) {
      const { sessions } = client({ headers });
      for (const call of held(sessions.revokeOthers(), sessions.revokeAll())) {
        const error = await fails(call, "forbidden");
        assert.deepEqual([error.status, error.serverCode], [403, serverCode]);
        assert.ok(!told(error).includes(cookie));
      }
      const { server: said, error } = await settles(sessions.logout());
      assert.deepEqual([said, error.code, error.serverCode], ["rejected", "forbidden", serverCode]);
    }
    assert.equal((await server.ids()).length, 7);
  });

  test("401 UNAUTHORIZED: a token that is none", async () => {
    const { sessions } = client({ token: "garbage" });
    for (const call of held(sessions.list(), sessions.revokeOthers(), sessions.revokeAll())) {
      const error = await fails(call, "unauthenticated");
      assert.deepEqual([error.status, error.serverCode, error.message.includes("garbage")], [401, "UNAUTHORIZED", false]);
    }
  });

  test("no token at all: nothing is sent", async () => {
    const { sessions, sent } = client({ token: () => null });
    for (const call of held(
      sessions.list(), sessions.current(), sessions.revoke("a"), sessions.revokeCurrent(), sessions.revokeOthers(), sessions.revokeAll(),
    )) await fails(call, "unauthenticated");
    assert.deepEqual(sent, []);
  });

  test("429: X-Retry-After is waited for, or told", async () => {
    const { sessions } = await user();
    await server.rateLimit(true);
    const outcomes = await Promise.allSettled(Array.from({ length: 101 }, () => settles(sessions.current(), 20_000)));
    await server.rateLimit(false);
    const [{ reason: error }] = outcomes.filter(({ status }) => status === "rejected");
    assert.deepEqual([error.code, error.status, error.serverCode, error.transient], ["rate_limited", 429, null, true]);
    assert.ok(error.retryAfter >= 1 && error.retryAfter <= 10, `${error.retryAfter}`);
    assert.match(error.message, /Too many requests/);
  });

  test("every status of the wire, as it is written there", async () => {
    const answers = [
      [400, { message: "[body.token] Invalid input", code: "VALIDATION_ERROR" }, "rejected"], [415, { message: "Content-Type not allowed", code: "UNSUPPORTED_MEDIA_TYPE" }, "rejected"],
      [401, { message: "Unauthorized", code: "UNAUTHORIZED" }, "unauthenticated"], [403, { message: "Session is not fresh", code: "SESSION_NOT_FRESH" }, "reauthentication_required"],
      [403, { message: "Invalid origin", code: "INVALID_ORIGIN" }, "forbidden"], [500, {}, "server_error"], [404, null, "not_found"],
    ];
    for (const [status, body, code] of answers) {
      const answer = () => (body ? json(body, { status }) : new Response("", { status }));
      for (const call of [(sessions) => sessions.list(), (sessions) => sessions.current(), (sessions) => sessions.revokeOthers(), (sessions) => sessions.revokeAll()]) {
        const { sessions } = faked(answer, { provider: "better-auth" });
        const error = await fails(call(sessions), code, `${status}`);
        assert.deepEqual([error.status, error.serverCode], [status, body?.code ?? null]);
      }
      const { sessions } = faked((request) => (request.method === "GET" ? json([{ id: "a", token: "secret-of-a" }]) : answer()), { provider: "better-auth" });
      const error = await fails(sessions.revoke("a"), code, `${status}`);
      assert.deepEqual([error.status, error.serverCode, told(error).includes("secret-of-a")], [status, body?.code ?? null, false]);
      const { server: said, error: why } = await settles(sessions.logout());
      assert.deepEqual([said, why.code, why.status], ["rejected", code, status]);
    }
  });

  test("429 beyond maxRetryAfter is rejected at once, and 429 with status false declines", async () => {
    const { sessions, sent } = faked(
      () => json({ message: "Too many requests. Please try again later." }, { status: 429, headers: { "x-retry-after": "60" } }), { provider: "better-auth", maxRetries: 3 },
    );
    assert.equal((await fails(sessions.list(), "rate_limited")).retryAfter, 60);
    assert.equal(sent.length, 1);
    const declined = faked(() => json({ status: false }), { provider: "better-auth" });
    await fails(declined.sessions.revokeAll(), "rejected");
  });

  test("lists that are none, and sessions without an id", async () => {
    for (const body of [{}, [{ token: "t" }], "text", 5]) await fails(faked(() => json(body), { provider: "better-auth" }).sessions.list(), "invalid_response", JSON.stringify(body));
    for (const body of [{}, { session: {} }, { session: null, user: {} }, []]) await fails(
      faked(() => json(body), { provider: "better-auth" }).sessions.current(), "invalid_response", JSON.stringify(body),
    );
  });
});

describe("more", () => {
  test("a session that ran out is nobody's", async () => {
    const { sessions, id } = await user();
    await server.age(id, 7 * DAY + 1000);
    assert.equal((await fails(sessions.current(), "unauthenticated")).status, 200);
    assert.equal((await fails(sessions.list(), "unauthenticated")).status, 401);
    await fails(sessions.revokeCurrent(), "unauthenticated");
  });

  test("a session that is extended on the way is the same session", async () => {
    const { sessions, id } = await user();
    await server.age(id, DAY + 1000);
    const before = (await server.rows()).find((row) => row.id === id).expiresAt;
    const session = await settles(sessions.current());
    const after = (await server.rows()).find((row) => row.id === id).expiresAt;
    assert.ok(Date.parse(after) > Date.parse(before), "it was extended");
    assert.ok([before, after].includes(session.expiresAt));
    assert.deepEqual([session.id, (await settles(sessions.revokeCurrent())).id], [id, id]);
  });

  test("a base URL that is not Better Auth's: 404 without a body", async () => {
    const { token } = await server.signIn();
    const { sessions, lines } = recorded({ provider: "better-auth", baseUrl: `${url}/api/auth`, token });
    const error = await fails(sessions.list(), "not_found");
    assert.deepEqual([error.status, error.serverCode, lines()], [404, null, [LIST]]);
    assert.ok(error.message.length > 10);
  });

  test("/api/auth is appended to the base URL", async () => {
    for (const [baseUrl, root] of [
      ["https://app.example.com", "https://app.example.com"], ["https://app.example.com/", "https://app.example.com"], ["https://app.example.com/x", "https://app.example.com/x"],
    ]) {
      const { sessions, sent } = faked(() => json([]), { provider: "better-auth", baseUrl });
      await settles(sessions.list());
      assert.equal(sent[0].url, `${root}/api/auth/list-sessions`);
    }
    await fails(createSessions({ provider: "better-auth", token: "t" }).list(), "invalid_options");
  });

  test("more than a hundred sessions: Better Auth ends the others of a hundred at a time, and called again the rest", async () => {
    const { sessions, id } = await user();
    const body = JSON.stringify({ email: "demo@example.com", password: "demo-password" });
    for (let more = 0; more < 120; more++) {
      const { status } = await fetch(`${url}/api/auth/sign-in/email`, { method: "POST", headers: { origin: url, "content-type": "application/json" }, body });
      assert.equal(status, 200);
    }
    assert.equal((await server.ids()).length, 127);
    for (let times = 0; times < 2; times++) assert.equal((await settles(sessions.revokeOthers(), 20_000)).success, true);
    assert.deepEqual(await server.ids(), [id]);
  });

  test("in a browser it can be called, and cookies go along when they are asked for", async () => {
    const answers = faked(() => json([]), { provider: "better-auth", token: undefined, credentials: "include" });
    await inBrowser(() => settles(answers.sessions.list()));
    assert.deepEqual([answers.sent[0].credentials, answers.sent[0].headers.get("authorization"), answers.sent[0].headers.get("cookie")], ["include", null, null]);
  });

  test("what Better Auth does not have is unsupported or has no place", async () => {
    const { sessions, sent } = await user({ refreshToken: "r" });
    const input = { expiredToken: "e", refreshToken: "r", requestOrigin: "https://a.example" };
    for (const call of held(
      sessions.refresh(), sessions.create({ userId: "u" }), sessions.createToken("a"), sessions.createTokenFromTemplate("a", "t"), sessions.refreshSession("a", input),
    )) await fails(call, "unsupported");
    for (const more of [
      { pageSize: 10 }, { cursor: "1" }, { userId: "u" }, { clientId: "c" }, { status: "active" }, { applicationId: "a" },
    ]) await fails(sessions.list(more), "invalid_argument", JSON.stringify(more));
    assert.deepEqual(sent, []);
  });

  test("the answer to a revoke is lost: it is sent again, and done", async () => {
    const who = await server.signIn();
    const other = await server.signIn();
    let lost = true;
    const { sessions, lines } = client({
      token: who.token, maxRetries: 2,
      async fetch(request, init) {
        const response = await globalThis.fetch(request, init);
        if (request.url.endsWith("/revoke-session") && lost) {
          lost = false;
          throw new TypeError("lost");
        }
        return response;
      },
    });
    assert.deepEqual([(await settles(sessions.revoke(other.id), 8000)).outcome, lines()], ["revoked", [LIST, REVOKE, REVOKE]]);
    assert.ok(!(await server.ids()).includes(other.id));
  });
});

test("what its revocation took is good once: a session that is over is looked for again", async () => {
  const live = new Map([["s1", "t1"], ["s2", "t2"]]);
  const { sessions, sent } = faked(async (request) => {
    if (request.method === "GET") return json([...live].map(([id, token]) => ({ id, token, userId: "u" })));
    const { token } = await request.json();
    for (const [id, own] of live) if (own === token) live.delete(id);
    return json({ status: true });
  }, { provider: "better-auth", token: "t1.signature" });
  assert.equal((await settles(sessions.revoke("s2"))).outcome, "revoked");
  await fails(sessions.revoke("s2"), "not_found");
  assert.deepEqual(sent.map(({ method }) => method), ["GET", "POST", "GET"]);
  await settles(sessions.list());
  sent.length = 0;
  assert.equal((await settles(sessions.revoke("s1"))).outcome, "revoked");
  assert.equal(sent.length, 1, "known from the list");
});

test("a page of the server's own origin needs no token, and no credentials", async (t) => {
  t.after(() => delete globalThis.location);
  globalThis.location = { origin: "https://auth.example.com", href: "https://auth.example.com/devices", hostname: "auth.example.com" };
  const list = (options) => faked(() => json([{ id: "s1", token: "t1", userId: "u" }]), { provider: "better-auth", token: undefined, ...options }).sessions.list();
  assert.equal((await settles(list())).sessions.length, 1);
  await fails(list({ credentials: "omit" }), "unauthenticated");
  for (const baseUrl of ["https://auth.example.com.evil.example", "http://auth.example.com:8080"]) await fails(list({ baseUrl, allowInsecure: true }), "unauthenticated");
  // Somebody who has tokens has none at the moment.
  await fails(list({ token: () => null }), "unauthenticated");
});
