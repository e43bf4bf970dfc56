// The handler: every route over every back-end of the real sandbox, its paths, methods and statuses, its options, and the cookies it reads and sets.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APP, BASES, G1, G2, OWN_PAGE, SECRET_KEY, SessionsError, asking, claims, cookieOf, createSessionsHandler, json, jwt, never, sandbox, serve, settles } from "./support.mjs";

// ---------------------------------------------------------------- back-ends

const REST = {
  name: "full", effect: "immediate",
  list: { method: "GET", path: "/api/v1/sessions" }, revoke: { method: "DELETE", path: "/api/v1/sessions/{id}" }, logout: { method: "POST", path: "/api/v1/auth/logout" },
  refresh: { method: "POST", path: "/api/v1/auth/refresh", body: { refresh_token: "{refreshToken}" }, accessToken: "/data/access_token", refreshToken: "/data/refresh_token", expiresIn: "/data/expires_in" },
};

/** Each back-end: what its client takes, how one signs in, and which of a row's ids is its own. */
const BACK_ENDS = {
  "authvital": { sessions: { provider: "authvital", baseUrl: G1, clientId: "web-client" }, effect: "refresh-only" },
  "authvital, second generation": { sessions: { provider: "authvital", baseUrl: G2 }, effect: "refresh-only" },
  "clerk": { sessions: { provider: "clerk", baseUrl: BASES.clerk, token: SECRET_KEY }, wire: "clerk", effect: "refresh-only", isKey: true },
  "ksef": { sessions: { provider: "ksef", baseUrl: BASES.ksef }, wire: "ksef", effect: "refresh-only" },
  "rest": { sessions: { provider: "rest", baseUrl: BASES.rest }, wire: "rest", effect: "unknown" },
  "a profile": { sessions: { provider: REST, baseUrl: BASES.rest }, wire: "rest", effect: "immediate" },
};

/** A signed-in user, a handler for them, and their sessions as the back-end calls them. */
async function signedIn({ sessions, wire, isKey }, options) {
  await sandbox.reset();
  const user = wire ? await sandbox.signInOn(wire) : await sandbox.signIn();
  await sandbox.forget();
  const ask = asking({ sessions, ...(isKey && { scope: () => ({ userId: user.user }) }), ...options });
  const cookie = cookieOf(user);
  const idOf = ({ id, ids }) => (wire ? String(ids[wire]) : id);
  const alive = async (email) => (await sandbox.rows(email)).filter(({ state }) => state === "active").map(idOf);
  const endOf = async (id) => (await sandbox.rows()).find((row) => idOf(row) === id).ended_by;
  return { ...user, cookie, alive, endOf, ask: (line, headers, init) => ask(line, { cookie, ...headers }, init) };
}

const keys = (object) => Object.keys(object).toSorted();
const REVOKED = ["accessTokenValidUntil", "effect", "id", "message", "outcome", "success"];
const ALL_REVOKED = ["accessTokenValidUntil", "count", "effect", "message", "revoked", "success"];
const LOGGED_OUT = ["cookies", "error", "message", "server", "setCookie", "success"];
const SESSION = ["createdAt", "current", "device", "expiresAt", "id", "ipAddress", "lastActiveAt", "location", "method", "raw", "status", "tenant", "userAgent", "userId"];
const CLEARED = [
  "access_token=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly; SameSite=Lax",
  "refresh_token=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly; SameSite=Lax",
];

/** What every answer has. */
function wellFormed({ status, headers, text }) {
  assert.equal(headers.get("cache-control"), "no-store");
  assert.match(headers.get("vary"), /Cookie/);
  assert.match(headers.get("vary"), /Origin/);
  if (text !== "") {
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
  assert.equal([...headers.keys()].some((name) => name.startsWith("access-control-")), false, `${status}: CORS for nobody`);
}

/** The answer is that error. */
function isError(answer, status, code, about = "") {
  assert.deepEqual([answer.status, answer.body?.error?.code], [status, code], `${about} ${answer.text}`);
  assert.ok(keys(answer.body).join() === "error" && answer.body.error.message.length > 10, answer.text);
  assert.deepEqual(answer.cookies, [], about);
  wellFormed(answer);
}

// ---------------------------------------------------------------- every route over every back-end

for (const [name, backEnd] of Object.entries(BACK_ENDS)) {
  const { wire, effect, isKey } = backEnd;
  const count = 8;

  describe(name, () => {
    test("list", async () => {
      const { ask, alive, id } = await signedIn(backEnd);
      const answer = await ask("GET /api/sessions");
      assert.equal(answer.status, 200, answer.text);
      wellFormed(answer);
      assert.deepEqual(keys(answer.body), ["count", "next", "sessions", "total"]);
      assert.deepEqual([answer.body.sessions.map(({ id }) => id).toSorted(), answer.body.next], [(await alive()).toSorted(), null]);
      for (const session of answer.body.sessions) {
        assert.deepEqual(keys(session), SESSION);
        assert.equal(session.current, session.id === id);
        assert.equal(session.raw === null, Boolean(isKey), "raw");
      }
      assert.deepEqual(answer.cookies, []);
    });

    test("revoke", async () => {
      const { ask, alive, endOf } = await signedIn(backEnd);
      const [, target] = await alive();
      const answer = await ask(`POST /api/sessions/${target}/revoke`);
      assert.equal(answer.status, 200, answer.text);
      wellFormed(answer);
      assert.deepEqual(keys(answer.body), REVOKED);
      assert.deepEqual([answer.body.id, answer.body.success, answer.body.outcome, answer.body.effect], [target, true, "revoked", effect]);
      assert.deepEqual(answer.cookies, []);
      assert.equal(await endOf(target), "revoked");
      assert.equal((await alive()).length, count - 1);
    });

    test("revoke of the current one ends it, and clears the cookies where a token says which that is", async () => {
      const { ask, id, endOf, access, refresh } = await signedIn(backEnd);
      const answer = await ask(`POST /api/sessions/${id}/revoke`);
      assert.deepEqual([answer.status, answer.body.id, answer.body.success], [200, id, true], answer.text);
      const names = [access, refresh].some((token) => token?.split(".").length === 3 && [claims(token).sid, claims(token).arn].includes(id));
      assert.deepEqual(Object.values(answer.set).map(({ value }) => value), names ? ["", ""] : []);
      assert.ok(["revoked", "logout"].includes(await endOf(id)));
    });

    test("revoke-others", async () => {
      const { ask, alive, id } = await signedIn(backEnd);
      const before = await alive();
      const answer = await ask("POST /api/sessions/revoke-others");
      assert.equal(answer.status, 200, answer.text);
      wellFormed(answer);
      assert.deepEqual(keys(answer.body), ALL_REVOKED);
      assert.deepEqual([answer.body.success, answer.body.count, answer.body.effect], [true, count - 1, effect]);
      assert.deepEqual(answer.body.revoked.toSorted(), before.filter((one) => one !== id).toSorted());
      assert.deepEqual(answer.cookies, []);
      assert.deepEqual(await alive(), [id]);
      assert.equal((await sandbox.active("other@example.com")).length, 2);
    });

    test("logout-all", async () => {
      const { ask, alive } = await signedIn(backEnd);
      const answer = await ask("POST /api/logout-all");
      assert.equal(answer.status, 200, answer.text);
      wellFormed(answer);
      assert.deepEqual(keys(answer.body), ALL_REVOKED);
      assert.deepEqual([answer.body.success, answer.body.effect], [true, effect]);
      assert.deepEqual(answer.cookies, CLEARED);
      assert.deepEqual(await alive(), []);
      assert.equal((await sandbox.active("other@example.com")).length, 2);
    });

    test("logout", async () => {
      const { ask, alive, id, endOf, access, refresh } = await signedIn(backEnd);
      const answer = await ask("POST /api/logout");
      assert.equal(answer.status, 200, answer.text);
      wellFormed(answer);
      assert.deepEqual(keys(answer.body), LOGGED_OUT);
      assert.deepEqual([answer.body.success, answer.body.server, answer.body.error, answer.body.setCookie], [true, "confirmed", null, []], answer.text);
      assert.deepEqual(answer.cookies, CLEARED);
      assert.ok(["revoked", "logout"].includes(await endOf(id)), await endOf(id));
      assert.equal((await alive()).length, count - 1);
      for (const secret of [access, refresh, SECRET_KEY]) assert.ok(!answer.text.includes(secret));
    });

    test("nobody: 401 everywhere but for the logout, and nothing is sent", async () => {
      const { ask } = await signedIn(backEnd, isKey && { scope: () => null });
      for (const cookie of [null, "", "theme=dark", "access_token=; refresh_token="]) {
        for (const line of ["GET /api/sessions", "POST /api/sessions/x/revoke", "POST /api/sessions/revoke-others", "POST /api/logout-all"]) {
          isError(await ask(line, { cookie }), 401, "unauthenticated", line);
        }
        const answer = await ask("POST /api/logout", { cookie });
        assert.deepEqual([answer.status, answer.body.success, answer.body.server, answer.cookies], [200, false, "skipped", CLEARED]);
        assert.deepEqual(keys(answer.body), LOGGED_OUT);
      }
      assert.deepEqual(await sandbox.lines(), []);
    });

    test("a session that nobody has is an error of the contract", async () => {
      const { ask, alive } = await signedIn(backEnd);
      const nobody = { clerk: "sess_nobody", ksef: "20260131-AU-0F8FAD5BD9-0000000000-70", rest: "987654" }[wire] ?? "nobody";
      const answer = await ask(`POST /api/sessions/${nobody}/revoke`);
      assert.ok([404, 422].includes(answer.status), answer.text);
      assert.equal(answer.body.error.code, { 404: "not_found", 422: "rejected" }[answer.status]);
      assert.equal((await alive()).length, count);
    });
  });
}

// ---------------------------------------------------------------- paging

describe("paging", () => {
  test("pageSize and cursor, page by page", async () => {
    const { ask, alive } = await signedIn(BACK_ENDS.clerk);
    const ids = [];
    let query = "?pageSize=3";
    for (let pages = 0; query !== null; pages++) {
      assert.ok(pages < 4);
      const { body, text } = await ask(`GET /api/sessions${query}`);
      assert.equal(body.total, 8, text);
      assert.ok(body.sessions.length <= 3);
      ids.push(...body.sessions.map(({ id }) => id));
      query = body.next && `?cursor=${encodeURIComponent(body.next)}&pageSize=3`;
    }
    assert.deepEqual(ids, await alive());
  });

  test("KSeF's own cursor goes there and back", async () => {
    const seen = [];
    const ask = asking({ sessions: { provider: "ksef", baseUrl: "https://ksef.example.com/v2", fetch: async (request) => {
      seen.push([new URL(request.url).search, request.headers.get("x-continuation-token")]);
      return json({ continuationToken: seen.length === 1 ? "a+b/c==&x e%" : null, items: [] });
    } } });
    const first = await ask("GET /api/sessions?pageSize=10", { cookie: "access_token=a" });
    await ask(`GET /api/sessions?pageSize=20&cursor=${encodeURIComponent(first.body.next)}`, { cookie: "access_token=a" });
    assert.deepEqual(seen, [["?pageSize=10", null], ["?pageSize=20", "a+b/c==&x e%"]]);
  });

  test("bad ones are 400, and nothing is sent", async () => {
    const { ask } = await signedIn(BACK_ENDS.clerk);
    for (const query of ["pageSize=0", "pageSize=501", "pageSize=abc", "pageSize=-1", "pageSize=1.5", "pageSize=NaN", "pageSize=1e99", "pageSize=9007199254740993", "cursor=x", "cursor=-1",
      "cursor=1%0d%0aevil:1", `cursor=${"1".repeat(16)}`, `cursor=${"x".repeat(5000)}`]) {
      isError(await ask(`GET /api/sessions?${query}`), 400, "invalid_argument", query.slice(0, 40));
    }
    assert.deepEqual(await sandbox.lines(), []);
    assert.equal((await ask("GET /api/sessions?pageSize=&cursor=")).status, 200);
    assert.equal((await ask("GET /api/sessions?userId=user_other&clientId=x&status=revoked&limit=1")).body.sessions.length, 8, "no other parameter counts");
  });

  test("a back-end without pages says so", async () => {
    const { ask } = await signedIn(BACK_ENDS.authvital);
    isError(await ask("GET /api/sessions?pageSize=5"), 400, "invalid_argument");
    isError(await ask("GET /api/sessions?cursor=5"), 400, "invalid_argument");
    assert.deepEqual(await sandbox.lines(), []);
  });
});

// ---------------------------------------------------------------- paths, methods, sizes

const ROUTES = { "/sessions": "GET", "/sessions/a/revoke": "POST", "/sessions/revoke-others": "POST", "/logout-all": "POST", "/logout": "POST" };

/** A handler over a fetch that must not be called. */
const silent = (options) => {
  const sent = [];
  const fetch = async (request) => {
    sent.push(request.url);
    return json({ sessions: [], count: 0 });
  };
  return { sent, ask: asking({ ...options, sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", fetch, ...options?.sessions } }) };
};

describe("paths", () => {
  test("what is none of its own passes, whatever is asked", async () => {
    const { ask, sent } = silent();
    for (const path of [
      "/", "/api", "/api/", "/apix/sessions", "/api/sessions/", "/api/sessions/a", "/api/sessions/a/", "/api/sessions/a/revoke/", "/api/sessions//revoke", "/api/sessions/a/b/revoke",
      "/api/sessions/revoke", "/api/sessions/revoke-others/", "/api/sessions/revoke-others/revoke/x", "/api/logout/", "/api/logout-all/", "/api/logoutx", "/api//sessions", "//api/sessions",
      "/API/sessions", "/api/Sessions", "/api/sessions%2f", "/api/session%73", "/x/api/sessions", "/sessions", "/logout", "/api/refresh", "/api/token", "/api/sessions;x=1", "/api/sessions/%2e%2e/revoke",
      "/api/sessions/../revoke", "/api%2fsessions",
    ]) {
      for (const method of ["GET", "POST", "OPTIONS", "DELETE"]) assert.equal(await ask(`${method} ${path}`, { cookie: "access_token=a; refresh_token=r" }), null, `${method} ${path}`);
    }
    assert.deepEqual(sent, []);
  });

  test("queries and fragments are no part of a path", async () => {
    const { ask } = silent();
    for (const path of ["/api/sessions?", "/api/sessions?/x", "/api/sessions#/x", "/x/../api/sessions", "/api/./sessions", "/api\\sessions"]) {
      assert.equal((await ask(`GET ${path}`, { cookie: "access_token=a" })).status, 200, path);
    }
  });

  for (const [basePath, at] of [["", ""], ["/", ""], ["/auth", "/auth"], ["/auth/", "/auth"], ["/a/b.c-d~e", "/a/b.c-d~e"], [undefined, "/api"], [null, "/api"]]) {
    test(`basePath ${JSON.stringify(basePath)}`, async () => {
      const { ask } = silent({ basePath });
      for (const [path, method] of Object.entries(ROUTES)) assert.notEqual(await ask(`${method} ${at}${path}`), null, at + path);
      for (const path of ["/other/sessions", `${at || "/"}x/sessions`, `${at}/x/sessions`, `${at}/`, at || "/"]) assert.equal(await ask(`GET ${path}`), null, path);
    });
  }

  test("a session may be called as a route is", async () => {
    const sent = [];
    const ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", fetch: async ({ url }) => (sent.push(new URL(url).pathname), json({ success: true, message: "done" })) } });
    for (const id of ["revoke-others", "revoke", "sessions", "logout"]) assert.equal((await ask(`POST /api/sessions/${id}/revoke`, { cookie: "access_token=a" })).body.id, id);
    assert.deepEqual(sent, ["revoke-others", "revoke", "sessions", "logout"].map((id) => `/oauth/sessions/${id}/revoke`));
  });

  test("each route has one method; the others are 405 with Allow, and do nothing", async () => {
    const { ask, sent } = silent();
    const handle = createSessionsHandler({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com" } });
    for (const [path, allowed] of Object.entries(ROUTES)) {
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
        if (method === allowed) continue;
        const answer = await ask(`${method} /api${path}`, { cookie: "access_token=a; refresh_token=r" });
        assert.deepEqual([answer.status, answer.headers.get("allow"), answer.cookies], [405, allowed, []], `${method} ${path}`);
        assert.equal(answer.body.error.code, "invalid_argument");
      }
      // Those that Fetch has no Request for.
      for (const method of ["TRACE", "CONNECT", "get", ""]) {
        const answer = await settles(handle({ method, url: `${APP}/api${path}`, headers: new Headers(OWN_PAGE) }));
        assert.equal(answer.status, 405, `${method} ${path}`);
      }
    }
    assert.deepEqual(sent, []);
  });

  test("GET changes nothing", async () => {
    const { ask, alive } = await signedIn(BACK_ENDS.authvital);
    const before = await alive();
    for (const path of Object.keys(ROUTES)) await ask(`GET /api${path.replace("/a/", `/${before[1]}/`)}`);
    await ask(`GET /api/sessions?_method=POST&id=${before[1]}`, { "x-http-method-override": "POST" });
    assert.deepEqual(await alive(), before);
    assert.deepEqual(new Set(await sandbox.lines()), new Set(["GET /oauth/sessions"]));
  });

  test("large bodies are 413; nobody reads one", async () => {
    const { ask, sent } = silent();
    const cookie = "access_token=a; refresh_token=r";
    for (const line of Object.entries(ROUTES).map(([path, method]) => `${method} /api${path}`)) {
      isError(await ask(line, { cookie, "content-length": "16385" }), 413, "invalid_argument", line);
      isError(await ask(line, { cookie, "content-length": "1000000000000" }), 413, "invalid_argument", line);
    }
    assert.deepEqual(sent, []);
    for (const length of ["16384", "0", "x", "-1"]) assert.equal((await ask("GET /api/sessions", { cookie, "content-length": length })).status, 200, length);
    // Without an end, and never read.
    const endless = new ReadableStream({ pull: () => assert.fail("somebody reads"), start() {} }, { highWaterMark: 0 });
    assert.equal((await ask("POST /api/logout", { cookie }, { body: endless, duplex: "half" })).status, 200);
  });

  test("what is no Request is an error that says so", async () => {
    const handle = createSessionsHandler({ sessions: { provider: "rest", baseUrl: "https://a.example.com" } });
    for (const request of [undefined, null, {}, "x", { url: "/api/sessions", headers: new Headers() }, { url: `${APP}/api/sessions`, headers: { cookie: "x" } }, { url: `${APP}/api/sessions` }]) {
      await assert.rejects(settles(handle(request)), (error) => SessionsError.is(error) && error.code === "invalid_argument" && /Fetch Request/.test(error.message));
    }
  });
});

describe("ids", () => {
  const ids = () => {
    const sent = [];
    const fetch = async ({ url }) => {
      sent.push(new URL(url).pathname);
      return json({ success: true, message: "done" });
    };
    return { sent, ask: asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com/base", fetch } }) };
  };

  test("stay one segment of the back-end's path, and come back as they are", async () => {
    for (const [path, id, encoded] of [
      ["a%2Fb", "a/b", "a%2Fb"], ["..%2f", "../", "..%2F"], ["..%2F..%2Flogout-all", "../../logout-all", "..%2F..%2Flogout-all"], ["%2e%2e%2f", "../", "..%2F"], ["a%3Fb%23c", "a?b#c", "a%3Fb%23c"],
      ["%C3%A9%20%F0%9F%98%80", "é 😀", "%C3%A9%20%F0%9F%98%80"], ["é", "é", "%C3%A9"], ["%25", "%", "%25"], ["%2525", "%25", "%2525"], ["a+b", "a+b", "a%2Bb"], ["%0d%0ax:%20y", "\r\nx: y", "%0D%0Ax%3A%20y"],
      ["%00", "\0", "%00"], ["%7Bid%7D", "{id}", "%7Bid%7D"], ["...", "...", "..."], ["%5c..%5c", "\\..\\", "%5C..%5C"], ["x".repeat(512), "x".repeat(512), "x".repeat(512)], ["__proto__", "__proto__", "__proto__"],
    ]) {
      const { ask, sent } = ids();
      const answer = await ask(`POST /api/sessions/${path}/revoke`, { cookie: "access_token=a" });
      assert.deepEqual([answer.status, answer.body.id, sent], [200, id, [`/base/oauth/sessions/${encoded}/revoke`]], path);
    }
  });

  test("that nobody can have are 400, and nothing is sent", async () => {
    const { ask, sent } = ids();
    for (const path of ["%zz", "%", "%2", "a%", "%ff", "%c3", "%C0%AF", "%ED%A0%80", "%+1", "%u0041", "x".repeat(513), "%C3%A9".repeat(257), "x".repeat(10_240), "%2f".repeat(3000), "..%zz"]) {
      isError(await ask(`POST /api/sessions/${path}/revoke`, { cookie: "access_token=a" }), 400, "invalid_argument", path.slice(0, 20));
    }
    assert.deepEqual(sent, []);
  });
});

// ---------------------------------------------------------------- statuses

describe("errors", () => {
  const failing = (answer, more) => asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", maxRetries: 0, fetch: async () => answer(), ...more } });

  for (const [what, answer, status, code, more] of [
    ["400", () => json({ message: "no" }, { status: 400 }), 422, "rejected"],
    ["401", () => json({ message: "no" }, { status: 401 }), 401, "unauthenticated"],
    ["401 of somebody else's session", () => json({ message: "Cannot revoke another user's session" }, { status: 401 }), 403, "forbidden"],
    ["not fresh", () => json({ code: "SESSION_NOT_FRESH" }, { status: 403 }), 401, "reauthentication_required"],
    ["403", () => json({}, { status: 403 }), 403, "forbidden"],
    ["404", () => json({}, { status: 404 }), 404, "not_found"],
    ["409", () => json({}, { status: 409 }), 409, "conflict"],
    ["429", () => json({}, { status: 429, headers: { "retry-after": "7" } }), 429, "rate_limited"],
    ["429 for too long", () => json({}, { status: 429, headers: { "retry-after": "7000" } }), 429, "rate_limited"],
    ["500", () => json({}, { status: 500 }), 502, "server_error"],
    ["503", () => json({}, { status: 503 }), 502, "server_error"],
    ["no JSON", () => new Response("<html>"), 502, "invalid_response"],
    ["no network", () => Promise.reject(new TypeError("fetch failed")), 502, "network"],
    ["never", never, 504, "timeout", { timeout: 20 }],
    ["plain http", never, 500, "insecure", { baseUrl: "http://auth.example.com" }],
  ]) {
    test(`${what} is ${status} ${code}`, async () => {
      const result = await failing(answer, more)("POST /api/sessions/s/revoke", { cookie: "access_token=a" });
      isError(result, status, code);
      assert.equal(result.headers.get("retry-after"), code === "rate_limited" ? (what === "429" ? "7" : "7000") : null);
    });
  }

  test("what is not done in time, by the real sandbox's faults", async () => {
    const { cookie } = await signedIn(BACK_ENDS.authvital);
    for (const [fault, status, code] of [
      [{ hang: "head" }, 504, "timeout"], [{ hang: "body" }, 504, "timeout"], [{ drop: "head" }, 502, "network"], [{ drop: "body" }, 502, "network"], [{ truncate: true }, 502, "invalid_response"],
      [{ huge: 9 }, 502, "invalid_response"],
      [{ redirect: "https://evil.example.com/" }, 502, "invalid_response"],
    ]) {
      await sandbox.faults({ route: "GET /authvital/oauth/sessions", fault });
      const ask = asking({ sessions: { ...BACK_ENDS.authvital.sessions, timeout: fault.hang ? 60 : 10_000, maxRetries: 0 } });
      isError(await ask("GET /api/sessions", { cookie }), status, code, JSON.stringify(fault));
    }
  });

  test("partial_revocation tells what ended and what did not", async () => {
    const refresh = jwt({ sid: "s-0" });
    const ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", maxRetries: 0, fetch: async ({ method, url }) => {
      if (method === "GET") return json({ sessions: ["s-0", "s-1", "s-2"].map((id) => ({ id })), count: 3 });
      return url.includes("s-1") ? json({ message: "broken" }, { status: 500 }) : json({ success: true, message: "done" });
    } } });
    const answer = await ask("POST /api/sessions/revoke-others", { cookie: cookieOf({ access: "a", refresh }) });
    isError(answer, 502, "partial_revocation");
    assert.deepEqual(answer.body.error.revoked, ["s-2"]);
    const [{ id, error }] = answer.body.error.failed;
    assert.deepEqual([answer.body.error.failed.length, id, error.code, keys(error)], [1, "s-1", "server_error", ["code", "message"]]);
  });

  test("a failure of logout-all leaves the cookies", async () => {
    const ask = failing(() => json({}, { status: 500 }));
    isError(await ask("POST /api/logout-all", { cookie: "access_token=a; refresh_token=r" }), 502, "server_error");
  });
});

describe("redirects", () => {
  for (const status of [301, 302, 303, 307, 308]) {
    test(`${status}: refused, and no secret follows`, async (context) => {
      const there = await serve(context, () => [200, { sessions: [], count: 0, success: true, access_token: "x" }]);
      const here = await serve(context, () => [status, undefined, { location: `${there.origin}/oauth/sessions` }]);
      const ask = asking({ sessions: { provider: "authvital", baseUrl: here.origin, clientId: "c", maxRetries: 0 } });
      const cookie = "access_token=a; refresh_token=r";
      isError(await ask("GET /api/sessions", { cookie }), 502, "invalid_response");
      isError(await ask("GET /api/sessions", { cookie: "refresh_token=r2" }), 502, "invalid_response");
      isError(await ask("POST /api/sessions/x/revoke", { cookie }), 502, "invalid_response");
      isError(await ask("POST /api/logout-all", { cookie }), 502, "invalid_response");
      const out = await ask("POST /api/logout", { cookie });
      assert.deepEqual([out.body.success, out.body.server, out.body.error.code, out.cookies.length], [false, "rejected", "invalid_response", 2]);
      assert.deepEqual(there.seen, []);
      assert.ok(here.seen.length >= 4);
    });
  }

  test("a secret key does not follow either", async (context) => {
    const there = await serve(context, () => [200, { data: [], total_count: 0 }]);
    const here = await serve(context, () => [307, undefined, { location: there.origin }]);
    const ask = asking({ sessions: { provider: "clerk", baseUrl: here.origin, token: SECRET_KEY, maxRetries: 0 }, scope: () => ({ userId: "user_1" }) });
    for (const line of ["GET /api/sessions", "POST /api/sessions/x/revoke", "POST /api/logout-all"]) isError(await ask(line, { cookie: "access_token=a" }), 502, "invalid_response");
    assert.deepEqual(there.seen, []);
  });
});

// ---------------------------------------------------------------- scope

describe("scope for a back-end with users' tokens", () => {
  test("limits lists and the ending of all and of others", async () => {
    const seen = [];
    const fetch = async (request) => {
      const { pathname, search } = new URL(request.url);
      seen.push(`${request.method} ${pathname}${search} ${await request.text()}`);
      return json({ sessions: [], count: 0, success: true, message: "x" });
    };
    const requests = [];
    const scope = (request) => {
      requests.push(request.headers.get("cookie"));
      return Promise.resolve({ applicationId: "app-mobile", headers: { "x-tenant": "t" } });
    };
    const ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", fetch }, scope });
    await ask("GET /api/sessions", { cookie: "access_token=a" });
    await ask("POST /api/logout-all", { cookie: "access_token=a" });
    assert.deepEqual(seen, ["GET /oauth/sessions?application_id=app-mobile ", 'POST /oauth/logout-all {"application_id":"app-mobile"}']);
    assert.deepEqual(requests, ["access_token=a", "access_token=a"]);
  });

  test("when it ends only some, this session's cookies stay", async () => {
    const { ask, id, alive } = await signedIn(BACK_ENDS.authvital, { scope: () => ({ applicationId: "app-mobile" }) });
    const answer = await ask("POST /api/logout-all");
    assert.equal(answer.body.count, 2);
    assert.ok((await alive()).includes(id));
    assert.deepEqual(answer.cookies, [], "its session lives");
  });

  test("a failing one is 500 internal, but for the logout, which still clears the cookies; nothing of the failure is told", async () => {
    for (const scope of [() => { throw new Error("SECRET-1"); }, async () => { throw Object.assign(new Error("SECRET-1"), { code: "forbidden" }); }, () => 5, () => "user", () => true]) {
      const { ask, sent } = silent({ scope });
      for (const line of ["GET /api/sessions", "POST /api/sessions/x/revoke", "POST /api/sessions/revoke-others", "POST /api/logout-all"]) {
        const answer = await ask(line, { cookie: "access_token=a; refresh_token=r" });
        assert.equal(answer.status, 500, answer.text);
        assert.ok(["internal", "invalid_options"].includes(answer.body.error.code) && !answer.text.includes("SECRET-1"), answer.text);
      }
      const answer = await ask("POST /api/logout", { cookie: "access_token=a; refresh_token=r" });
      assert.deepEqual([answer.status, answer.body.success, answer.cookies], [200, false, CLEARED], answer.text);
      assert.ok(!answer.text.includes("SECRET-1"));
      assert.deepEqual(sent, []);
    }
  });

  test("one that hangs is given up after totalTimeout", async () => {
    const { ask } = silent({ scope: never, sessions: { totalTimeout: 50 } });
    isError(await ask("GET /api/sessions", { cookie: "access_token=a" }), 500, "internal");
    assert.deepEqual((await ask("POST /api/logout", { cookie: "access_token=a" })).cookies, CLEARED);
  });

  test("one for another back-end is the server's mistake, too", async () => {
    const { ask, sent } = silent({ scope: () => ({ userId: "u" }) });
    const answer = await ask("GET /api/sessions", { cookie: "access_token=a" });
    assert.deepEqual([answer.status, answer.body.error?.code, sent], [500, "invalid_options", []], answer.text);
  });

  test("its options are its business: a wrong one is not the browser's mistake", async () => {
    for (const found of [{ userId: 5 }, { applicationId: "" }, { timeout: -1 }, { signal: 5 }, { headers: { authorization: "Bearer x" } }, { headers: { a: "b\nc" } }, { status: "nonsense" }]) {
      const { ask, sent } = silent({ scope: () => found });
      const answer = await ask("GET /api/sessions", { cookie: "access_token=a" });
      assert.deepEqual([answer.status, answer.body.error?.code, sent], [500, "invalid_options", []], `${JSON.stringify(found)} ${answer.text}`);
    }
  });
});

// ---------------------------------------------------------------- cookies

describe("cookies that come", () => {
  /** The token that the back-end was asked with. */
  async function tokenOf(cookie, cookies) {
    const seen = [];
    const fetch = async (request) => (seen.push(request.headers.get("authorization")), json({ sessions: [], count: 0 }));
    const ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", fetch }, cookies });
    const answer = await ask("GET /api/sessions", { cookie });
    assert.ok([200, 401].includes(answer.status), answer.text);
    assert.equal(answer.status === 200, seen.length === 1);
    return seen[0]?.replace(/^Bearer /, "") ?? null;
  }

  test("are found among others, quoted, percent-encoded", async () => {
    const token = jwt({ exp: 4e9 });
    for (const [cookie, expected] of [
      [`access_token=${token}`, token], [`a=1; access_token=${token}; b=2`, token], [`access_token=${token};b=2`, token], [`  access_token = ${token} ;`, token], [`access_token="${token}"`, token],
      ["access_token=a%2Bb%3D%3D", "a+b=="], ["access_token=a%22b", 'a"b'], ["access_token=a=b==", "a=b=="], ["access_token=first; access_token=second", "first"],
      ["xaccess_token=no; access_tokenx=no; access_token=yes", "yes"], [`theme=${"x".repeat(8000)}; access_token=yes`, "yes"], ["; ;=;==; access_token=yes", "yes"], ["note=access_token=no; access_token=yes", "yes"],
      ["__proto__=x; constructor=y; access_token=yes", "yes"],
    ]) {
      assert.equal(await tokenOf(cookie), expected, cookie.slice(-60));
    }
  });

  test("that hold no token are as if they were not there", async () => {
    for (const cookie of [
      "", "access_token", "access_token=", 'access_token=""', "ACCESS_TOKEN=no", "Access_Token=no", "access-token=no", "access_token=two words", "access_token=%0d%0aevil:%20x", "access_token=%zz", "access_token=%", "access_token=%ff",
      "access_token=a%20b", "access_token=%00", "access_token=\u00e9", "access_token=%C3%A9", "access_token%3Dno", "access_token%3D=no", " =access_token=no",
    ]) {
      assert.equal(await tokenOf(cookie), null, cookie);
    }
  });

  test("may have names of your own", async () => {
    const cookies = { accessToken: { name: "__Host-at" }, refreshToken: { name: "rt.1" } };
    assert.equal(await tokenOf("access_token=no; __Host-at=yes", cookies), "yes");
    assert.equal(await tokenOf("access_token=no; __host-at=no", cookies), null);
  });

  test("are as long as a browser keeps them, and no longer", async () => {
    const long = "x".repeat(4096 - "access_token".length);
    assert.equal(await tokenOf(`access_token=${long}`), long);
    assert.equal(await tokenOf(`access_token=${long}x`), null);
  });

  test("the Authorization of the browser's request counts for nothing", async () => {
    const { ask, sent } = silent();
    isError(await ask("GET /api/sessions", { authorization: "Bearer mine" }), 401, "unauthenticated");
    assert.deepEqual(sent, []);
    const { ask: own, id } = await signedIn(BACK_ENDS.authvital);
    const other = await sandbox.signIn("other@example.com");
    assert.ok((await own("GET /api/sessions", { authorization: `Bearer ${other.access}` })).body.sessions.some((session) => session.id === id));
  });

  test("nothing else of the browser's request is handed on", async () => {
    const { ask } = await signedIn(BACK_ENDS.authvital);
    await ask("GET /api/sessions", { "x-forwarded-for": "1.2.3.4", "x-custom": "1", referer: APP });
    const [{ headers, cookie, origin }] = await sandbox.requests();
    assert.deepEqual([cookie, origin, headers.some((name) => ["x-forwarded-for", "x-custom", "referer", "sec-fetch-site"].includes(name))], [false, false, false]);
  });
});

describe("cookies that are set", () => {
  const HOUR = 3600_000;
  /** Asks with a refresh token alone; the back-end gives these tokens. */
  async function refreshed(tokens, options, cookie = "refresh_token=old", line = "GET /api/sessions") {
    const fetch = async ({ url }) => (url.endsWith("/oauth/token") ? json(tokens) : json({ sessions: [], count: 0 }));
    const ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", fetch }, ...options });
    return ask(line, { cookie });
  }
  const inAn = (ms) => Math.floor((Date.now() + ms) / 1000);
  const about = (age, expected) => assert.ok(/^\d+$/.test(age) && Math.abs(Number(age) - expected) <= 2, `Max-Age=${age}, not ${expected}`);

  test("attributes, and Max-Age from the tokens", async () => {
    const tokens = { access_token: jwt({ exp: inAn(HOUR) }), refresh_token: jwt({ exp: inAn(24 * HOUR) }), expires_in: 5 };
    const { status, set, cookies } = await refreshed(tokens);
    assert.equal(status, 200);
    const { "max-age": age, ...access } = set.access_token;
    about(age, 3600);
    assert.deepEqual(access, { name: "access_token", value: tokens.access_token, path: "/", secure: true, httponly: true, samesite: "Lax" });
    const { "max-age": longer, ...refresh } = set.refresh_token;
    about(longer, 24 * 3600);
    assert.deepEqual(refresh, { name: "refresh_token", value: tokens.refresh_token, path: "/", secure: true, httponly: true, samesite: "Lax" });
    assert.equal(cookies.length, 2);
  });

  test("without an exp: expires_in, or none", async () => {
    const { set } = await refreshed({ access_token: "opaque", refresh_token: "opaque-2", expires_in: 300 });
    about(set.access_token["max-age"], 300);
    assert.equal("max-age" in set.refresh_token, false);
    const none = await refreshed({ access_token: "opaque", refresh_token: "opaque-2" });
    assert.equal("max-age" in none.set.access_token, false);
    // One that has run out by this clock is no reason for nonsense.
    const over = await refreshed({ access_token: jwt({ exp: 1 }), refresh_token: "opaque-2" });
    assert.match(over.set.access_token["max-age"], /^\d+$/);
  });

  test("the refresh cookie only when it changed", async () => {
    const same = await refreshed({ access_token: "new", refresh_token: "old" });
    assert.deepEqual(Object.keys(same.set), ["access_token"]);
    const none = await refreshed({ access_token: "new" });
    assert.deepEqual(Object.keys(none.set), ["access_token"]);
  });

  test("what no cookie can hold is percent-encoded, and read again", async () => {
    for (const token of ['a"b', "a,b", "a;b", "a\\b", "100%", "a%2Bb", "a+b/c=="]) {
      const { set, cookies } = await refreshed({ access_token: token, refresh_token: token });
      assert.ok(cookies.every((cookie) => /^[!-~]+=[!#-+\--:<-[\]-~]*(; [!-:<-~]+(=[ -:<-~]*)?)*$/.test(cookie)), cookies[0]);
      const seen = [];
      const ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", fetch: async (request) => (seen.push(request.headers.get("authorization")), json({ sessions: [], count: 0 })) } });
      await ask("GET /api/sessions", { cookie: `access_token=${set.access_token.value}` });
      assert.deepEqual(seen, [`Bearer ${token}`]);
    }
  });

  test("what is set is cleared with the same attributes", async () => {
    for (const spec of [
      {}, { path: "/app" }, { domain: "example.com" }, { domain: ".Example.com" }, { secure: false }, { sameSite: "Strict" }, { sameSite: "None" }, { sameSite: "None", secure: false }, { partitioned: true },
      { name: "__Host-t" }, { name: "__Host-t", secure: false }, { name: "__Secure-t", secure: false }, { name: "__Host-Http-t" }, { httpOnly: undefined, secure: null, path: undefined, sameSite: null },
      { path: "/Expires=x/Max-Age=1", name: "Max-Age" },
    ]) {
      const cookies = { accessToken: spec, refreshToken: { ...spec, name: `${spec.name ?? "r"}2` } };
      const name = spec.name ?? "access_token";
      const { set } = await refreshed({ access_token: "new", refresh_token: "new2", expires_in: 60 }, { cookies }, `${cookies.refreshToken.name}=old`);
      const out = await refreshed({}, { cookies }, null, "POST /api/logout");
      for (const which of [name, cookies.refreshToken.name]) {
        const { value, "max-age": age, ...given } = set[which];
        const { value: none, "max-age": zero, expires, ...taken } = out.set[which];
        assert.deepEqual([none, zero, expires], ["", "0", "Thu, 01 Jan 1970 00:00:00 GMT"]);
        assert.deepEqual(given, taken, JSON.stringify(spec));
        assert.equal(given.httponly, true);
        assert.ok(value.startsWith("new"));
        if (/^__|None/.test(name + spec.sameSite) || spec.partitioned) assert.equal(given.secure, true);
      }
    }
  });

  test("with several scopes, the widest is cleared last", async () => {
    const out = await refreshed({}, { cookies: { accessToken: { domain: "example.com" }, also: [{ name: "access_token" }] } }, null, "POST /api/logout");
    assert.deepEqual(out.cookies.map((cookie) => /Domain/.test(cookie)), [false, false, true]);
  });

  test("also is cleared on logout and logout-all, and nowhere else", async () => {
    const also = [{ name: "idp_session", domain: "example.com", httpOnly: true }, { name: "theme", path: "/app" }];
    const cleared = ["theme=; Path=/app; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "idp_session=; Path=/; Domain=example.com; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly"];
    const { ask } = await signedIn(BACK_ENDS.authvital, { cookies: { also } });
    assert.deepEqual((await ask("GET /api/sessions")).cookies, []);
    assert.deepEqual((await ask("POST /api/sessions/revoke-others")).cookies, []);
    assert.deepEqual((await ask("POST /api/logout-all")).cookies.toSorted(), [...CLEARED, ...cleared].toSorted());
    const out = await ask("POST /api/logout");
    assert.deepEqual(out.cookies.toSorted(), [...CLEARED, ...cleared].toSorted());
    assert.deepEqual(out.body.cookies.map(({ name }) => name).toSorted(), ["access_token", "idp_session", "refresh_token", "theme"]);
  });

  test("the longest that browsers keep is set, a longer one is an error that names the limit", async () => {
    const most = "x".repeat(4096 - "access_token".length);
    const fits = await refreshed({ access_token: most, refresh_token: "r2" });
    assert.deepEqual([fits.status, fits.set.access_token?.value], [200, most], fits.text);
    for (const tokens of [{ access_token: `${most}x`, refresh_token: "r2" }, { access_token: "a", refresh_token: "x".repeat(5000) }, { access_token: "%".repeat(1400), refresh_token: "r2" }]) {
      const answer = await refreshed(tokens);
      assert.deepEqual([answer.status, answer.body.error.code], [500, "internal"], answer.text);
      assert.match(answer.body.error.message, /4096/);
      assert.ok(!answer.text.includes("xxxx"));
    }
  });
});

// ---------------------------------------------------------------- logout

describe("logout clears the cookies whatever the back-end says", () => {
  const cookie = "access_token=MARK-a; refresh_token=MARK-r";
  for (const [what, answer, server, code, more] of [
    ["200", () => json({ success: true, message: "Logged out" }), "confirmed", undefined],
    ["200, nothing ended", () => json({ success: true, message: "Logged out (no active session)" }), "rejected", "unauthenticated"],
    ["200, declined", () => json({ success: false, message: "MARK-r was revoked" }), "rejected", "not_found"],
    ["401", () => json({ message: "MARK-a MARK-r" }, { status: 401 }), "rejected", "unauthenticated"],
    ["404", () => json({}, { status: 404 }), "rejected", "not_found"],
    ["429", () => json({}, { status: 429, headers: { "retry-after": "600" } }), "rejected", "rate_limited"],
    ["500", () => json({ error: "MARK-r" }, { status: 500 }), "rejected", "server_error"],
    ["a page", () => new Response("<html>MARK-r"), "rejected", "invalid_response"],
    ["network down", () => Promise.reject(new TypeError("no route for MARK-r")), "unreachable", "network"],
    ["timeout", never, "unreachable", "timeout", { timeout: 20 }],
    ["plain http", never, "skipped", "insecure", { baseUrl: "http://auth.example.com" }],
    ["token in the options", never, "skipped", "invalid_options", { token: "MARK-o" }],
    ["no such provider", never, "skipped", "invalid_options", { provider: "nope" }],
  ]) {
    test(what, async () => {
      let ask;
      try {
        ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", maxRetries: 0, fetch: async (request) => answer(request), ...more } });
      } catch (error) {
        // An option that is refused at once is as good.
        assert.equal(error.code, "invalid_options");
        return;
      }
      const { status, body, cookies, text, headers } = await ask("POST /api/logout", { cookie });
      assert.deepEqual([status, body.success, body.server, body.error?.code, cookies], [200, server === "confirmed", server, code, CLEARED], text);
      assert.deepEqual(keys(body), LOGGED_OUT);
      assert.ok(!text.includes("MARK") && ![...headers].flat().join().includes("MARK"), text);
      assert.equal(headers.get("retry-after"), null);
    });
  }

  test("the real sandbox: refused, dropped, hanging, and twice", async () => {
    const { ask, cookie, id, endOf } = await signedIn(BACK_ENDS.authvital);
    for (const [fault, server] of [[{ status: 500 }, "rejected"], [{ status: 401 }, "rejected"], [{ drop: "head" }, "unreachable"], [{ hang: "head" }, "unreachable"]]) {
      await sandbox.faults({ route: "POST /authvital/oauth/logout", fault });
      const patient = asking({ sessions: { ...BACK_ENDS.authvital.sessions, timeout: fault.hang ? 60 : 10_000, maxRetries: 0 } });
      const { body, cookies } = await patient("POST /api/logout", { cookie });
      assert.deepEqual([body.success, body.server, cookies], [false, server, CLEARED]);
      assert.equal(await endOf(id), null);
    }
    await sandbox.faults();
    assert.equal((await ask("POST /api/logout")).body.server, "confirmed");
    const again = await ask("POST /api/logout");
    assert.deepEqual([again.body.success, again.body.server, again.cookies], [false, "rejected", CLEARED]);
    assert.equal(await endOf(id), "logout");
  });

  test("garbage cookies are cleared, too", async () => {
    const { ask } = await signedIn(BACK_ENDS.authvital);
    for (const cookie of ["access_token=garbage", "refresh_token=garbage", "access_token=%zz; refresh_token=two words", "access_token=a.b.c; refresh_token=x.y.z"]) {
      const { status, cookies, body } = await ask("POST /api/logout", { cookie });
      assert.deepEqual([status, cookies], [200, CLEARED], cookie);
      assert.ok(["skipped", "rejected", "confirmed"].includes(body.server));
    }
  });
});

// ---------------------------------------------------------------- options

describe("options", () => {
  const good = { provider: "authvital", baseUrl: "https://auth.example.com" };
  const refused = (options, words) => {
    let error;
    try {
      createSessionsHandler(options);
    } catch (thrown) {
      error = thrown;
    }
    assert.ok(SessionsError.is(error), `${JSON.stringify(options)}: ${error ?? "was taken"}`);
    assert.equal(error.code, "invalid_options", error.message);
    assert.match(error.message, words, error.message);
  };

  test("wrong ones are refused at once, with what is right", () => {
    for (const [options, words] of [
      [undefined, /sessions/], [null, /sessions/], ["x", /sessions/], [{}, /sessions/], [{ sessions: "x" }, /sessions/], [{ sessions: null }, /sessions/],
      ...["api", "/api?x", "/api#x", "//evil", "/a//b", "/a b", "/a%2fb", 5, {}, ["/api"], "https://x.example.com/api", "/api\n", "\\api", "/a\\b"].map((basePath) => [{ sessions: good, basePath }, /basePath/]),
      ...["/..", "/.", "/a/../b"].map((basePath) => [{ sessions: good, basePath }, /basePath/]),
      ...["https://a.example.com", ["https://a.example.com/"], ["https://a.example.com/x"], ["*"], ["null"], ["a.example.com"], [""], [5], [null], ["https://*.example.com"], ["HTTPS://a.example.com"],
        ["https://A.example.com"], ["https://a.example.com:443"], ["file://"],
        ["https://u@a.example.com"], ["javascript:alert(1)"], {}, 5].map((allowedOrigins) => [{ sessions: good, allowedOrigins }, /allowedOrigins/]),
      ...[5, "x", {}, true].map((scope) => [{ sessions: good, scope }, /scope/]),
      ...[5, "x"].map((cookies) => [{ sessions: good, cookies }, /cookies/]),
      ...["accessToken", "refreshToken"].flatMap((which) => [
        [{ [which]: 5 }, new RegExp(which)], [{ [which]: { httpOnly: false } }, new RegExp(`${which} must be HttpOnly`)], [{ [which]: { name: "a b" } }, /name/], [{ [which]: { name: "" } }, /name/],
        [{ [which]: { name: "a=b" } }, /name/], [{ [which]: { name: "a;b" } }, /name/],
        [{ [which]: { path: "x" } }, /path/], [{ [which]: { path: "/a;b" } }, /path/], [{ [which]: { path: "/a\nb" } }, /path/], [{ [which]: { domain: "a b" } }, /domain/], [{ [which]: { domain: "a;b" } }, /domain/],
        [{ [which]: { sameSite: "lax" } }, /sameSite/], [{ [which]: { sameSite: "Lax; x" } }, /sameSite/],
        [{ [which]: { secure: "yes" } }, /secure/], [{ [which]: { httpOnly: "no" } }, /httpOnly|HttpOnly/], [{ [which]: { name: "__Host-a", domain: "example.com" } }, /__Host-/],
        [{ [which]: { name: "__Host-a", path: "/app" } }, /__Host-/],
      ]).map(([cookies, words]) => [{ sessions: good, cookies }, words]),
      ...[[5], "x", [null], {}].map((also) => [{ sessions: good, cookies: { also } }, /also/]),
      ...[[{}], [{ name: "a b" }], [{ name: "a", path: "x" }]].map((also) => [{ sessions: good, cookies: { also } }, /cookies/]),
      [{ sessions: good, cookies: { accessToken: { name: "x" }, refreshToken: { name: "x" } } }, /different names/],
      [{ sessions: good, cookies: { accessToken: { name: "refresh_token" } } }, /different names/],
      [{ sessions: { provider: { list: {}, revoke: {} } } }, /provider/],
      [{ sessions: { ...good, provider: { ...REST, auth: "cookie" } } }, /cookie/],
    ]) {
      refused(options, words);
    }
  });

  test("those of sessions are checked at once, too", () => {
    for (const [sessions, words] of [
      [{ ...good, baseUrl: "ftp://a.example.com" }, /baseUrl/], [{ ...good, baseUrl: "nonsense" }, /baseUrl/], [{ ...good, timeout: -1 }, /timeout/], [{ ...good, timeout: "5" }, /timeout/],
      [{ ...good, totalTimeout: NaN }, /totalTimeout/], [{ ...good, maxRetries: -1 }, /maxRetries/], [{ ...good, headers: { authorization: "Bearer x" } }, /Authorization/], [{ ...good, headers: 5 }, /headers/],
      [{ ...good, onTokens: 5 }, /onTokens/], [{ ...good, fetch: 5 }, /fetch/],
      [{ ...good, hooks: 5 }, /hooks/], [{ ...good, clientId: 5 }, /clientId/], [{ ...good, token: 5 }, /token/], [{ ...good, cookies: [{ name: "a b" }] }, /cookies/],
    ]) {
      refused({ sessions }, words);
    }
  });

  test("good ones are taken, and cost nothing", () => {
    for (const options of [
      { sessions: good }, { sessions: good, basePath: "/x", cookies: {}, allowedOrigins: [], scope: () => null }, { sessions: good, basePath: null, cookies: null, allowedOrigins: null, scope: null },
      { sessions: good, allowedOrigins: ["http://localhost:5173", "https://a.example.com:8443"] }, { sessions: good, cookies: { accessToken: { secure: false }, refreshToken: null, also: null } },
    ]) {
      assert.equal(typeof createSessionsHandler(options), "function");
    }
  });

  test("what only the profile can tell is 500 invalid_options, and a logout clears the cookies", async () => {
    for (const [sessions, cookie] of [
      [{ ...good, clientId: undefined }, "refresh_token=r"], [{ ...good, baseUrl: undefined }, "access_token=a"], [{ provider: "ksef", environment: "production", baseUrl: undefined, token: "x" }, "access_token=a"],
      [{ ...good, environment: "test" }, "access_token=a"], [{}, "access_token=a"], [{ provider: "nope", baseUrl: "https://a.example.com" }, "access_token=a"],
      [{ ...good, token: "t" }, "access_token=a"], [{ ...good, token: () => "t" }, "access_token=a"], [{ ...good, refreshToken: "t" }, "refresh_token=r"],
    ]) {
      let ask;
      try {
        ask = asking({ sessions: { ...sessions, maxRetries: 0, fetch: () => assert.fail("was sent") } });
      } catch (error) {
        assert.equal(error.code, "invalid_options");
        continue;
      }
      isError(await ask("GET /api/sessions", { cookie }), 500, "invalid_options", JSON.stringify(sessions));
      assert.deepEqual((await ask("POST /api/logout", { cookie: "access_token=a" })).cookies, CLEARED);
    }
  });

  test("the caller's objects may change later", async () => {
    const { ask, id } = await signedIn(BACK_ENDS.authvital);
    assert.equal((await ask("GET /api/sessions")).status, 200);
    const sessions = { ...BACK_ENDS.authvital.sessions };
    const options = { sessions, allowedOrigins: [] };
    const handle = asking(options);
    options.allowedOrigins.push("https://evil.example.com");
    sessions.provider = "nope";
    const user = await sandbox.signIn();
    const answer = await handle("GET /api/sessions", { cookie: cookieOf(user) });
    assert.equal(answer.status, 200);
    assert.equal((await handle("GET /api/sessions", { cookie: cookieOf(user), origin: "https://evil.example.com", "sec-fetch-site": "cross-site" })).status, 403);
    assert.ok(id);
  });

  test("hooks and onTokens are told as ever", async () => {
    await sandbox.reset();
    const told = [];
    const user = await sandbox.signIn();
    const ask = asking({ sessions: { ...BACK_ENDS.authvital.sessions, onTokens: (tokens) => void told.push(Object.keys(tokens).toSorted().join()), hooks: { onRequest: ({ operation }) => told.push(operation) } } });
    await ask("GET /api/sessions", { cookie: cookieOf({ refresh: user.refresh }) });
    assert.deepEqual(told, ["refresh", "accessToken,expiresAt,refreshToken", "list"]);
  });
});

// ---------------------------------------------------------------- many at once

test("two handlers side by side, 200 mixed requests of many users: everybody gets their own", async () => {
  const asked = [];
  /** A back-end whose sessions belong to whose token it is. */
  const fetch = async (request) => {
    const user = request.headers.get("authorization").replace("Bearer access-", "");
    asked.push(user);
    // Answers come in another order than requests.
    for (let turns = asked.length % 7; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    const { pathname } = new URL(request.url);
    if (request.method === "GET") return json({ sessions: [{ id: `of-${user}`, tenant: user }], count: 1 });
    return json({ success: true, message: `${user} ${pathname.split("/")[4] ?? ""}`, count: 1 });
  };
  const handlers = ["/a", "/b"].map((basePath) => asking({ basePath, sessions: { provider: "authvital", baseUrl: `https://auth.example.com${basePath}`, fetch } }));
  await Promise.all(Array.from({ length: 200 }, async (_, n) => {
    const user = `${n % 40}`;
    const at = n % 2;
    const ask = (line) => handlers[at](line.replace(" ", ` ${["/a", "/b"][at]}`), { cookie: `access_token=access-${user}` });
    if (n % 3 === 0) {
      const { body } = await ask("GET /sessions");
      assert.deepEqual(body.sessions.map(({ id, tenant }) => [id, tenant]), [[`of-${user}`, user]]);
    } else if (n % 3 === 1) {
      const { body } = await ask(`POST /sessions/s-${n}/revoke`);
      assert.deepEqual([body.id, body.message], [`s-${n}`, `${user} s-${n}`]);
    } else {
      assert.match((await ask("POST /logout-all")).body.message, new RegExp(`^${user} `));
    }
  }));
  assert.equal(asked.length, 200);
});

test("users of the real sandbox at once, through one handler", async () => {
  await sandbox.reset();
  const [dana, oskar] = [await sandbox.signIn(), await sandbox.signIn("other@example.com")];
  const ask = asking({ sessions: BACK_ENDS.authvital.sessions });
  const expected = { [dana.id]: (await sandbox.active()).toSorted(), [oskar.id]: (await sandbox.active("other@example.com")).toSorted() };
  await Promise.all(Array.from({ length: 40 }, async (_, n) => {
    const user = n % 2 ? dana : oskar;
    const { body } = await ask("GET /api/sessions", { cookie: cookieOf(user) });
    assert.deepEqual(body.sessions.map(({ id }) => id).toSorted(), expected[user.id]);
    assert.deepEqual(body.sessions.filter(({ current }) => current).map(({ id }) => id), [user.id]);
  }));
});
