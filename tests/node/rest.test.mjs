// The plain REST API, in both flavours of the real sandbox: envelopes and bare arrays, both styles of errors, redirects for slashes, and profiles with mistakes.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { BASES, claims, createSessions, every, fails, faked, held, json, recorded, sandbox, seconds, serve, settles, told } from "./support.mjs";

const HOUR = 3600_000;
const LIST = "GET /api/v1/sessions";
const LOGOUT = "POST /api/v1/auth/logout";
const revoked = (id) => `DELETE /api/v1/sessions/${id}`;
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

beforeEach(() => sandbox.reset());

/** A signed-in user and a client with their token, for one of the flavours. */
async function user(flavour = "rest", { profile = "rest", ...options } = {}, ...who) {
  const signedIn = await sandbox.signInOn("rest", ...who);
  await sandbox.forget();
  return { ...signedIn, ...recorded({ provider: profile, baseUrl: BASES[flavour], token: signedIn.access, ...options }) };
}

/** The same API as a profile with everything that the sandbox has; `slashed` has all its slashes wrong for FastAPI. */
const full = ({ fastapi = false, slashed = false } = {}) => {
  const slash = slashed ? "/" : "";
  const data = fastapi ? "" : "/data";
  return {
    name: "full",
    list: { method: "GET", path: `/api/v1/sessions${fastapi && !slashed ? "/" : ""}` },
    revoke: { method: "DELETE", path: `/api/v1/sessions/{id}${slash}` },
    logout: { method: "POST", path: `/api/v1/auth/logout${slash}` },
    refresh: {
      method: "POST", path: `/api/v1/auth/refresh${slash}`, body: { refresh_token: "{refreshToken}" },
      accessToken: `${data}/access_token`, refreshToken: `${data}/refresh_token`, expiresIn: `${data}/expires_in`,
    },
    effect: "immediate",
  };
};

const FLAVOURS = [
  { flavour: "rest", list: LIST, message: "Session revoked" },
  { flavour: "fastapi", list: `${LIST}/`, message: null },
];

for (const { flavour, list, message } of FLAVOURS) {
  describe(`${flavour}: the built-in profile`, () => {
    /** Past the request that tells how paths end. */
    async function known(options, ...who) {
      const found = await user(flavour, options, ...who);
      await settles(found.sessions.list());
      found.forget();
      return found;
    }

    test("list: every field; numbers for ids", async () => {
      const { sessions, sent, id, access, user: userId } = await known();
      const page = await settles(sessions.list());
      const rows = await sandbox.rows();
      assert.deepEqual(page.sessions.map((session) => session.id), rows.map(({ ids }) => String(ids.rest)));
      assert.deepEqual([page.count, page.total, page.next], [8, flavour === "rest" ? 8 : null, null]);
      assert.deepEqual(sent.map(({ line, search, headers }) => [line, search, headers.authorization]), [[list, "", `Bearer ${access}`]]);
      const row = rows.find(({ ip_address }) => ip_address === "203.0.113.24");
      const { raw, ...session } = page.sessions.find((session) => session.id === String(row.ids.rest));
      assert.deepEqual(session, {
        id: String(row.ids.rest), status: "active", createdAt: new Date(row.created_at).toISOString(), lastActiveAt: new Date(row.last_active_at).toISOString(),
        expiresAt: new Date(row.expires_at).toISOString(), userAgent: row.user_agent, ipAddress: "203.0.113.24", tenant: null, userId: flavour === "rest" ? userId : null, current: false,
        device: { label: "Chrome on Windows", browser: "Chrome", os: "Windows", kind: "desktop" }, location: null, method: null,
      });
      assert.equal(raw.id, row.ids.rest, "a number, as it was sent");
      assert.deepEqual(page.sessions.filter(({ current }) => current).map((session) => session.id), [id]);
      const minted = page.sessions.find(({ userAgent }) => userAgent === null);
      assert.deepEqual([minted.device, minted.ipAddress], [null, null]);
    });

    test("get and current", async () => {
      const { sessions, lines, id } = await known();
      const [, other] = await sandbox.alive("rest");
      const session = await settles(sessions.get(other));
      assert.deepEqual([session.id, session.current], [other, false]);
      assert.deepEqual([(await settles(sessions.current())).id, lines()], [id, [list, list]]);
      await fails(sessions.get("999999"), "not_found");
      await fails(sessions.get("abc"), "not_found");
    });

    test("revoke: one request; then the token is refused at once", async () => {
      const { sessions, sent } = await known();
      const other = await sandbox.signInOn("rest");
      const result = await settles(sessions.revoke(other.id));
      assert.deepEqual([result.id, result.success, result.outcome, result.message, result.effect], [other.id, true, "revoked", message, "unknown"]);
      assert.deepEqual(sent.map(({ line, text }) => [line, text]), [[revoked(other.id), ""]]);
      assert.equal(await sandbox.endOf("rest", other.id), "revoked");
      const theirs = recorded({ provider: "rest", baseUrl: BASES[flavour], token: other.access });
      assert.equal((await fails(theirs.sessions.list(), "unauthenticated")).status, 401);
      await fails(sessions.revoke(other.id), "not_found");
    });

    test("revokeCurrent: until its token ends", async () => {
      const { sessions, lines, access, id } = await known();
      const result = await settles(sessions.revokeCurrent());
      assert.deepEqual([result.id, result.success, result.accessTokenValidUntil], [id, true, seconds(claims(access).exp)]);
      assert.deepEqual(lines().at(-1), revoked(id));
      assert.equal(await sandbox.endOf("rest", id), "revoked");
    });

    test("revokeOthers: the list, then each other", async () => {
      const { sessions, lines, id } = await known();
      const others = (await sandbox.alive("rest")).filter((other) => other !== id);
      const progress = [];
      const { success, count, revoked: ended, effect } = await settles(sessions.revokeOthers({ onProgress: (done, total) => progress.push([done, total]) }));
      assert.deepEqual([success, count, ended.toSorted(), effect], [true, 7, others.toSorted(), "unknown"]);
      assert.deepEqual(lines().toSorted(), [list, ...others.map(revoked)].toSorted());
      assert.deepEqual(progress, [1, 2, 3, 4, 5, 6, 7].map((done) => [done, 7]));
      assert.deepEqual(await sandbox.alive("rest"), [id]);
    });

    test("revokeAll: the current one last", async () => {
      const { sessions, lines, id } = await known();
      const { count, revoked: ended } = await settles(sessions.revokeAll());
      assert.deepEqual([count, ended.at(-1), lines().at(-1)], [8, id, revoked(id)]);
      assert.deepEqual([(await sandbox.alive("rest")).length, (await sandbox.alive("rest", "other@example.com")).length], [0, 2]);
    });

    test("partial_revocation: exactly what is ended, what is not, and why", async () => {
      const { sessions, id } = await known();
      const others = (await sandbox.alive("rest")).filter((other) => other !== id);
      const [broken, gone, refused] = others;
      const mount = new URL(BASES[flavour]).pathname;
      const answer = (id, fault) => ({ route: `DELETE ${mount}/api/v1/sessions/${id}`, fault });
      await sandbox.faults(
        answer(broken, { status: 500 }), answer(gone, { status: 404 }),
        answer(refused, { status: 403, body: '{"success":false,"error":{"code":"PERMISSION_DENIED","message":"no"}}' }),
      );
      const error = await fails(sessions.revokeOthers(), "partial_revocation");
      assert.deepEqual(error.revoked.toSorted(), others.filter((other) => ![broken, refused].includes(other)).toSorted(), "what was gone before is ended");
      assert.deepEqual(error.failed.map(({ id, error: { code, status } }) => [id, code, status]).toSorted(), [[broken, "server_error", 500], [refused, "forbidden", 403]].toSorted());
      assert.deepEqual((await sandbox.alive("rest")).toSorted(), [id, broken, gone, refused].toSorted());
    });

    test("logout: 204", async () => {
      const { sessions, sent, id } = await known();
      assert.deepEqual(await settles(sessions.logout()), { success: true, message: null, server: "confirmed", cookies: [], setCookie: [], error: null });
      assert.deepEqual(sent.map(({ line, text }) => [line, text]), [[LOGOUT, ""]]);
      assert.equal(await sandbox.endOf("rest", id), "logout");
    });

    test("logout: of a request, and of a session that is gone", async () => {
      const { sessions, sent, access, id } = await known();
      const other = await sandbox.signInOn("rest", "other@example.com");
      assert.equal((await settles(sessions.logout({ request: bearer(other.access) }))).server, "confirmed");
      assert.deepEqual(sent.map(({ headers }) => headers.authorization), [`Bearer ${other.access}`]);
      await settles(recorded({ provider: "rest", baseUrl: BASES[flavour], token: access }).sessions.logout());
      const { success, server, error } = await settles(sessions.logout());
      assert.deepEqual([success, server, error.code, error.status], [false, "rejected", "unauthenticated", 401]);
      assert.equal(await sandbox.endOf("rest", id), "logout");
    });

    test("of somebody else's request: their token alone", async () => {
      const { sessions, sent, access } = await known();
      const other = await sandbox.signInOn("rest", "other@example.com");
      const request = bearer(other.access);
      assert.equal((await settles(sessions.list(request))).count, 3);
      assert.equal((await settles(sessions.current(request))).id, other.id);
      assert.equal((await settles(sessions.revokeOthers(request))).count, 2);
      assert.equal((await settles(sessions.revokeCurrent(request))).id, other.id);
      assert.ok(sent.length >= 6 && sent.every(({ headers }) => headers.authorization === `Bearer ${other.access}`));
      assert.ok(!JSON.stringify(sent).includes(access));
      assert.equal((await sandbox.alive("rest")).length, 8);
    });

    test("hostile ids stay in their segment", async () => {
      const { sessions, sent } = await known();
      for (const id of ["../auth/logout", "1/../2", "1?x=1", "1#x", "%2e%2e", "a b", "ż"]) {
        await assert.rejects(settles(sessions.revoke(id)));
        assert.deepEqual([sent.at(-1).line, sent.at(-1).search], [revoked(encodeURIComponent(id)), ""]);
      }
      sent.splice(0);
      for (const id of ["", ".", "..", undefined, 5, "x".repeat(513)]) await fails(sessions.revoke(id), "invalid_argument");
      assert.deepEqual([sent, (await sandbox.alive("rest")).length], [[], 8]);
    });

    test("what it has no place for is refused before it is sent", async () => {
      const { sessions, sent } = await known();
      for (const more of [
        { pageSize: 10 }, { userId: "u" }, { clientId: "c" }, { status: "active" }, { applicationId: "a" },
      ]) await fails(sessions.list(more), "invalid_argument", JSON.stringify(more));
      const input = { expiredToken: "e", refreshToken: "r", requestOrigin: "https://a.example" };
      for (const call of held(
        sessions.refresh(), sessions.create({ userId: "u" }), sessions.createToken("1"), sessions.createTokenFromTemplate("1", "t"), sessions.refreshSession("1", input),
      )) await fails(call, "unsupported");
      assert.deepEqual(sent, []);
    });

    test("401: no token, a wrong one, one that ran out", async () => {
      const { access } = await known();
      const codes = flavour === "rest" ? ["AUTH_REQUIRED", "AUTH_INVALID", "AUTH_EXPIRED"] : [null, null, null];
      const client = (options) => recorded({ provider: "rest", baseUrl: BASES[flavour], ...options }).sessions;
      const check = async (sessions, serverCode, words) => {
        const error = await fails(sessions.list(), "unauthenticated");
        assert.deepEqual([error.status, error.serverCode, error.transient, error.details], [401, serverCode, false, null]);
        assert.match(error.message, words);
      };
      // With cookies there may be no token.
      await check(client({ credentials: "include" }), codes[0], /Not authenticated/);
      await check(client({ token: "garbage" }), codes[1], /Could not validate credentials/);
      await sandbox.advance(2 * HOUR);
      await check(client({ token: access }), codes[2], /The token has expired/);
      const none = recorded({ provider: "rest", baseUrl: BASES[flavour] });
      await fails(none.sessions.list(), "unauthenticated");
      assert.deepEqual(none.sent, []);
    });

    test("403, 404 and 422", async () => {
      const { sessions } = await known();
      const theirs = await sandbox.signInOn("rest", "other@example.com");
      const expected = {
        rest: [
          [theirs.id, "forbidden", 403, "PERMISSION_DENIED", /not your session/], ["999999", "not_found", 404, "session_not_found", /Session not found/],
          ["abc", "not_found", 404, "RESOURCE_NOT_FOUND", /Not Found/],
        ],
        fastapi: [
          [theirs.id, "not_found", 404, null, /Session not found/], ["999999", "not_found", 404, null, /Session not found/],
          ["abc", "rejected", 422, null, /Input should be a valid integer/],
        ],
      }[flavour];
      for (const [id, code, status, serverCode, words] of expected) {
        const error = await fails(sessions.revoke(id), code, id);
        assert.deepEqual([error.status, error.serverCode, error.operation, error.provider], [status, serverCode, "revoke", "rest"]);
        assert.match(error.message, words);
        if (status === 422) assert.deepEqual(error.details, [{ loc: ["path", "session_id"], msg: "Input should be a valid integer", type: "int_parsing" }]);
      }
      assert.equal((await sandbox.alive("rest", "other@example.com")).length, 3);
    });

    test("429: X-RateLimit-Reset tells how long", async () => {
      const { sessions } = await known();
      await sandbox.rateLimit(true);
      const outcomes = await Promise.allSettled(Array.from({ length: 101 }, () => settles(sessions.list(), 20_000)));
      const [{ reason: error }] = outcomes.filter(({ status }) => status === "rejected");
      assert.deepEqual([error.code, error.status, error.serverCode, error.transient], ["rate_limited", 429, flavour === "rest" ? "RATE_LIMIT_EXCEEDED" : null, true]);
      assert.ok(error.retryAfter > 50 && error.retryAfter <= 61, `${error.retryAfter}`);
    });

    test("an error's details, and a refusal that comes as a success", async () => {
      const { sessions, id } = await known();
      const mount = new URL(BASES[flavour]).pathname;
      const details = { field: "session_id", limits: [1, 2] };
      await sandbox.faults({
        route: `DELETE ${mount}/*`,
        fault: { status: 409, body: JSON.stringify({ success: false, error: { code: "BUSY", message: "in use", details, timestamp: "2026-01-31T09:30:00Z" } }) },
      });
      const conflict = await fails(sessions.revoke(id), "conflict");
      assert.deepEqual([conflict.status, conflict.serverCode, conflict.details], [409, "BUSY", details]);
      await sandbox.faults({ route: `DELETE ${mount}/*`, fault: { body: JSON.stringify({ success: false, error: { code: "NO", message: "not today" } }) } });
      const declined = await fails(sessions.revoke(id), "rejected");
      assert.match(declined.message, /not today/);
      assert.deepEqual([declined.serverCode, (await sandbox.alive("rest")).length], ["NO", 8]);
    });
  });
}

// ---------------------------------------------------------------- a profile for all that there is

describe("a profile with refresh", () => {
  for (const fastapi of [false, true]) {
    const flavour = fastapi ? "fastapi" : "rest";
    const signedIn = (options) => user(flavour, { profile: full({ fastapi }), ...options });

    test(`${flavour}: refresh rotates, and the next call has the new token`, async () => {
      const who = await sandbox.signInOn("rest");
      const pairs = [];
      const { sessions, sent } = recorded({ provider: full({ fastapi }), baseUrl: BASES[flavour], token: who.access, refreshToken: who.refresh, onTokens: (pair) => pairs.push(pair) });
      const first = await settles(sessions.refresh());
      assert.deepEqual([first.expiresAt, pairs], [seconds(claims(first.accessToken).exp), [first]]);
      assert.deepEqual([sent[0].line, sent[0].body, sent[0].headers["content-type"]], ["POST /api/v1/auth/refresh", { refresh_token: who.refresh }, "application/json"]);
      assert.notEqual(first.refreshToken, who.refresh);
      const second = await settles(sessions.refresh());
      assert.equal(sent[1].body.refresh_token, first.refreshToken);
      await settles(sessions.list());
      assert.equal(sent[2].headers.authorization, `Bearer ${second.accessToken}`);
      assert.equal((await sandbox.alive("rest"))[0], who.id, "no token was used twice");
    });

    test(`${flavour}: a token that ran out is refreshed once for all calls`, async () => {
      const who = await sandbox.signInOn("rest");
      const { sessions, lines } = recorded({ provider: full({ fastapi }), baseUrl: BASES[flavour], token: who.access, refreshToken: who.refresh });
      await sandbox.advance(2 * HOUR);
      const [page, current] = await settles(Promise.all([sessions.list(), sessions.current(), sessions.list()]));
      assert.deepEqual([page.count, current.id, lines().filter((line) => line.startsWith("POST")).length], [8, who.id, 1]);
    });

    test(`${flavour}: after a lost answer the same token is never sent again, as it may be used up; nor is a session ended by that`, async () => {
      const who = await sandbox.signInOn("rest");
      const { sessions, lines } = recorded({ provider: full({ fastapi }), baseUrl: BASES[flavour], token: who.access, refreshToken: who.refresh, maxRetries: 2 });
      await sandbox.faults({ route: `POST ${new URL(BASES[flavour]).pathname}/api/v1/auth/refresh`, fault: { drop: "head", after: true }, times: 1 });
      await fails(sessions.refresh(), "network");
      const error = await fails(sessions.refresh(), "unauthenticated");
      assert.deepEqual([error.status, lines()], [null, ["POST /api/v1/auth/refresh"]]);
      assert.ok((await sandbox.alive("rest")).includes(who.id));
    });

    test(`${flavour}: a refresh token that is no good`, async () => {
      const { sessions } = await signedIn({ refreshToken: "garbage" });
      const error = await fails(sessions.refresh(), "unauthenticated");
      assert.deepEqual([error.status, error.serverCode], [401, fastapi ? null : "AUTH_INVALID"]);
    });

    test(`${flavour}: a body without the token is refused by the server`, async () => {
      const profile = full({ fastapi });
      profile.refresh.body = {};
      const { sessions, access } = await user(flavour, { profile, refreshToken: "r" });
      const error = await fails(sessions.refresh(), "rejected");
      assert.deepEqual([error.status, error.serverCode], fastapi ? [422, null] : [400, "VALIDATION_ERROR"]);
      assert.deepEqual(error.details, fastapi ? [{ loc: ["body", "refresh_token"], msg: "refresh_token is required", type: "value_error" }] : { field: "refresh_token" });
      assert.ok(!told(error).includes(access));
    });

    test(`${flavour}: an immediate effect leaves no time`, async () => {
      const { sessions, id } = await signedIn();
      const { effect, accessTokenValidUntil } = await settles(sessions.revoke(id));
      assert.deepEqual([effect, accessTokenValidUntil], ["immediate", null]);
    });
  }
});

// ---------------------------------------------------------------- who it is

test("another user of the same client: nothing that was learnt of the one before is used", async () => {
  const [before, other] = [await sandbox.signInOn("rest"), await sandbox.signInOn("rest", "other@example.com")];
  let token = before.access;
  const { sessions, lines, forget } = recorded({ provider: "rest", baseUrl: BASES.rest, token: () => token });
  assert.equal((await settles(sessions.current())).id, before.id);
  token = other.access;
  forget();
  assert.equal((await settles(sessions.revokeCurrent())).id, other.id);
  assert.deepEqual(lines(), [LIST, revoked(other.id)]);
  assert.deepEqual([(await sandbox.alive("rest")).length, (await sandbox.alive("rest", "other@example.com")).length], [8, 2]);
});

// ---------------------------------------------------------------- slashes and redirects

describe("redirects", () => {
  test("a slash that is missing: asked again at the same origin, and remembered", async () => {
    const { sessions, lines } = await user("fastapi");
    assert.equal((await settles(sessions.list())).count, 8);
    assert.deepEqual(lines(), [LIST, `${LIST}/`]);
    assert.equal((await settles(sessions.list())).count, 8);
    await settles(sessions.current());
    assert.deepEqual(lines().slice(2), [`${LIST}/`, `${LIST}/`], "one request each");
    assert.deepEqual((await sandbox.requests()).map(({ status }) => status), [307, 200, 200, 200]);
  });

  test("a slash too many: the same, for each operation by itself", async () => {
    const who = await sandbox.signInOn("rest");
    const [, one, two] = await sandbox.alive("rest");
    const { sessions, lines, forget } = recorded({ provider: full({ fastapi: true, slashed: true }), baseUrl: BASES.fastapi, token: who.access, refreshToken: who.refresh });
    assert.equal((await settles(sessions.revoke(one))).success, true);
    assert.deepEqual(lines(), [`${revoked(one)}/`, revoked(one)]);
    forget();
    assert.equal((await settles(sessions.revoke(two))).success, true);
    assert.deepEqual(lines(), [revoked(two)], "remembered");
    forget();
    await settles(sessions.list());
    assert.deepEqual(lines(), [LIST, `${LIST}/`], "the list ends otherwise");
    forget();
    const { refreshToken } = await settles(sessions.refresh());
    assert.deepEqual(lines(), ["POST /api/v1/auth/refresh/", "POST /api/v1/auth/refresh"]);
    assert.notEqual(refreshToken, who.refresh);
    forget();
    assert.equal((await settles(sessions.logout())).server, "confirmed");
    assert.deepEqual(lines(), [`${LOGOUT}/`, LOGOUT]);
    assert.equal(await sandbox.endOf("rest", who.id), "logout");
  });

  test("revokeOthers of a fresh client: one detour, not one for each", async () => {
    const { sessions, lines, id } = await user("fastapi", { profile: full({ fastapi: true, slashed: true }) });
    assert.equal((await settles(sessions.revokeOthers())).count, 7);
    assert.deepEqual(await sandbox.alive("rest"), [id]);
    // Four are ended at once, and none of them knows of the others yet.
    assert.ok(lines().filter((line) => line.endsWith("/") && line.startsWith("DELETE")).length <= 4, lines().join(" "));
  });

  test("the query stays", async (context) => {
    const { origin, lines } = await serve(context, ({ url }) => (url.startsWith("/s/?") ? [200, []] : [307, undefined, { location: url.replace("?", "/?") }]));
    const profile = { list: { method: "GET", path: "/s?active=true", pageSize: { query: "limit", min: 1, max: 9, default: 5 } }, revoke: { method: "DELETE", path: "/s/{id}" } };
    const sessions = createSessions({ provider: profile, baseUrl: origin, token: "t", maxRetries: 0 });
    await settles(sessions.list({ pageSize: 3 }));
    await settles(sessions.list({ pageSize: 4 }));
    assert.deepEqual(lines(), ["GET /s?active=true&limit=3", "GET /s/?active=true&limit=3", "GET /s/?active=true&limit=4"]);
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`${status} to another origin: never followed, and no token reaches it`, async (context) => {
      const other = await serve(context, () => [200, []]);
      for (const path of ["/api/v1/sessions/", "/login", "/api/v1/sessions"]) {
        const first = await serve(context, () => [status, undefined, { location: `${other.origin}${path}` }]);
        const sessions = createSessions({ provider: "rest", baseUrl: first.origin, token: "the-secret-token", maxRetries: 2 });
        const error = await fails(sessions.list(), "invalid_response", path);
        assert.equal(error.status, status);
        await fails(sessions.revoke("1"), "invalid_response");
        const { server, success } = await settles(sessions.logout());
        assert.deepEqual([server, success], ["rejected", false]);
        assert.ok(first.seen.length <= 6, first.lines().join(" "));
        assert.ok(first.seen.every(({ headers }) => headers.authorization === "Bearer the-secret-token"));
      }
      assert.deepEqual(other.seen, []);
    });
  }

  test("another origin for the other slash: only the own origin is asked", async (context) => {
    const other = await serve(context, () => [200, []]);
    const first = await serve(context, ({ url }) => (url === "/api/v1/sessions/" ? [200, [{ id: 1 }]] : [307, undefined, { location: `${other.origin}/api/v1/sessions/` }]));
    const sessions = createSessions({ provider: "rest", baseUrl: first.origin, token: "the-secret-token" });
    assert.equal((await settles(sessions.list())).count, 1);
    assert.deepEqual([first.lines(), other.seen], [["GET /api/v1/sessions", "GET /api/v1/sessions/"], []]);
  });

  test("from slash to slash and back: an error, not an endless loop", async (context) => {
    const { origin, lines } = await serve(context, ({ url }) => [307, undefined, { location: url.endsWith("/") ? url.slice(0, -1) : `${url}/` }]);
    const sessions = createSessions({ provider: "rest", baseUrl: origin, token: "t" });
    await fails(sessions.list(), "invalid_response");
    assert.deepEqual(lines(), ["GET /api/v1/sessions", "GET /api/v1/sessions/"]);
    await fails(sessions.list(), "invalid_response");
    assert.equal(lines().length, 4, "what did not work is not remembered");
  });
});

// ---------------------------------------------------------------- what is not there

describe("answers that are not what the profile says", () => {
  const list = (body, profile = "rest") => faked(() => json(body), { provider: profile }).sessions.list();

  test("a missing id is named", async () => {
    for (const body of [[{ ip: "192.0.2.1" }], { sessions: [{ id: 1 }, {}] }, [{ id: null }], [{ id: "" }], [{ id: {} }], [{ id: true }], [null], [5]]) {
      const { message, status } = await fails(list(body), "invalid_response", JSON.stringify(body));
      assert.match(message, /\bid\b/);
      assert.equal(status, 200);
    }
    const profile = { list: { method: "GET", path: "/s", fields: { id: "/device/id" } }, revoke: { method: "DELETE", path: "/s/{id}" } };
    assert.match((await fails(list([{ id: 1 }], profile), "invalid_response")).message, /\bid\b/);
  });

  test("a missing list is named", async () => {
    for (const body of [{}, null, 5, "text", { sessions: {} }, { data: { list: [] } }]) assert.match((await fails(list(body), "invalid_response", JSON.stringify(body))).message, /sessions/);
    const profile = { list: { method: "GET", path: "/s", items: "/deep/list" }, revoke: { method: "DELETE", path: "/s/{id}" } };
    assert.match((await fails(list({ sessions: [{ id: 1 }] }, profile), "invalid_response")).message, /deep\/list/);
  });

  test("integer ids go back as they came", async () => {
    const profile = { list: { method: "GET", path: "/s" }, revoke: { method: "POST", path: "/s/revoke", body: { session: "{id}", ids: ["{id}"], all: false } } };
    for (const [id, sent] of [[7, 7], ["7", "7"], [9007199254740991, 9007199254740991], ["a\"b", "a\"b"]]) {
      const { sessions, sent: requests } = faked((request) => json(request.method === "GET" ? [{ id }] : {}), { provider: profile });
      assert.equal((await settles(sessions.list())).sessions[0].id, `${id}`);
      await settles(sessions.revoke(`${id}`));
      assert.deepEqual(JSON.parse(await requests[1].clone().text()), { session: sent, ids: [sent], all: false });
    }
  });

  test("every page of a profile", async () => {
    const profile = {
      list: { method: "GET", path: "/s", next: "/page/next", cursor: { header: "x-cursor" }, pageSize: { query: "n", min: 1, max: 2, default: 2 } },
      revoke: { method: "DELETE", path: "/s/{id}" },
    };
    const { sessions, sent } = faked((request) => {
      const from = Number(request.headers.get("x-cursor") ?? 0);
      return json({ items: [{ id: from }, { id: from + 1 }], page: { next: from < 4 ? from + 2 : null } });
    }, { provider: profile });
    assert.deepEqual((await settles(every(sessions.list({ pageSize: 2 })))).map(({ id }) => id), ["0", "1", "2", "3", "4", "5"]);
    assert.deepEqual(sent.map(({ url, headers }) => [new URL(url).search, headers.get("x-cursor")]), [["?n=2", null], ["?n=2", "2"], ["?n=2", "4"]]);
    for (const pageSize of [0, 3]) await fails(sessions.list({ pageSize }), "invalid_argument");
    assert.equal(sent.length, 3);
  });
});

// ---------------------------------------------------------------- profiles with mistakes

describe("profiles with mistakes", () => {
  const list = { method: "GET", path: "/s" };
  const revoke = { method: "DELETE", path: "/s/{id}" };
  const pageSize = { query: "n", min: 1, max: 9, default: 5 };
  const refresh = { method: "POST", path: "/r", accessToken: "/t" };
  const MISTAKES = [
    // The whole.
    ["provider", undefined], ["provider", null], ["provider", 5], ["provider", "Rest"], ["provider", "keycloak"], ["provider", ""], ["provider", () => {}],
    ["provider.list", {}], ["provider.list", []], ["provider.list", { revoke }], ["provider.revoke", { list }], [
      "provider.list", { list: null, revoke },
    ], ["provider.list", { list: "/s", revoke }],
    ["provider.revoke", { list, revoke: "/s/{id}" }], ["provider.revokeOther", { list, revoke, revokeOther: list }], ["provider.fields", { list, revoke, fields: {} }],
    ["provider.get", { list, revoke, get: list }],
    ["provider.name", { list, revoke, name: 5 }], ["provider.effect", { list, revoke, effect: "soon" }], ["provider.isKey", { list, revoke, isKey: true }],
    ["provider.bases", { list, revoke, bases: {} }],
    ["provider.auth", { list, revoke, auth: "basic" }], ["provider.auth", { list, revoke, auth: {} }], ["provider.auth", { list, revoke, auth: { header: "a b" } }],
    ["provider.auth", { list, revoke, auth: { header: 5 } }],
    ["provider.csrf", { list, revoke, csrf: "x" }], ["provider.csrf.cookie", { list, revoke, csrf: { header: "x" } }],
    ["provider.csrf.header", { list, revoke, csrf: { cookie: "c" } }], ["provider.csrf.header", { list, revoke, csrf: { cookie: "c", header: "a:b" } }],
    ["provider.csrf.field", { list, revoke, csrf: { cookie: "c", header: "x", field: "f" } }],
    // Endpoints.
    ...[["revoke", revoke], ["revokeAll", revoke], ["revokeOthers", revoke], ["logout", revoke], ["refresh", refresh], ["list", list]].flatMap(([name, good]) => [
      [
        `provider.${name}.method`, { list, revoke, [name]: { ...good, method: "HEAD" } },
      ], [`provider.${name}.method`, { list, revoke, [name]: { ...good, method: "get" } }], [`provider.${name}.method`, { list, revoke, [name]: { ...good, method: undefined } }],
      [`provider.${name}.path`, { list, revoke, [name]: { ...good, path: undefined } }], [`provider.${name}.path`, { list, revoke, [name]: { ...good, path: 5 } }],
      ...[
        "", "s/{id}", "//evil.example/{id}", "https://evil.example/{id}", "/s/{userId}/{id}", "/s/{id", "/s/id}{id}", "/s {id}", "/s#{id}", "/s\\{id}", "/\\evil.example/{id}",
        "/s\n{id}", "/{ID}/{id}",
      ].map((path) => [`provider.${name}.path`, { list, revoke, [name]: { ...good, path } }]),
      [`provider.${name}.success`, { list, revoke, [name]: { ...good, success: 200 } }], [
        `provider.${name}.success`, { list, revoke, [name]: { ...good, success: ["200"] } },
      ], [`provider.${name}.success`, { list, revoke, [name]: { ...good, success: [20] } }],
      [`provider.${name}.gone`, { list, revoke, [name]: { ...good, gone: [404.5] } }], [
        `provider.${name}.headers`, { list, revoke, [name]: { ...good, headers: {} } },
      ], [`provider.${name}.url`, { list, revoke, [name]: { ...good, url: "/s" } }],
    ]),
    ["provider.revoke", { list, revoke: { method: "POST", path: "/s/revoke" } }], ["provider.revoke", { list, revoke: { method: "POST", path: "/s/revoke", body: { id: "id" } } }],
    // The list.
    ["provider.list.items", { list: { ...list, items: 5 }, revoke }], ["provider.list.next", { list: { ...list, next: {} }, revoke }],
    ["provider.list.currentId", { list: { ...list, currentId: true }, revoke }],
    ["provider.list.time", { list: { ...list, time: "unix" }, revoke }], ["provider.list.fields", { list: { ...list, fields: "id" }, revoke }],
    ["provider.list.fields.ip", { list: { ...list, fields: { ip: "ip" } }, revoke }],
    ["provider.list.fields.id", { list: { ...list, fields: { id: 5 } }, revoke }],
    ["provider.list.fields.userAgent", { list: { ...list, fields: { userAgent: ["a", 5] } }, revoke }],
    ["provider.list.fields.device", { list: { ...list, fields: { device: "d" } }, revoke }],
    ["provider.list.cursor", { list: { ...list, cursor: "c" }, revoke }], ["provider.list.cursor", { list: { ...list, cursor: {} }, revoke }],
    ["provider.list.cursor", { list: { ...list, cursor: { header: "a b" } }, revoke }],
    ["provider.list.pageSize", { list: { ...list, pageSize: 10 }, revoke }],
    ...["query", "min", "max", "default"].map((name) => [`provider.list.pageSize.${name}`, { list: { ...list, pageSize: { ...pageSize, [name]: undefined } }, revoke }]),
    ["provider.list.pageSize.min", { list: { ...list, pageSize: { ...pageSize, min: 0 } }, revoke }],
    ["provider.list.pageSize.max", { list: { ...list, pageSize: { ...pageSize, max: "9" } }, revoke }],
    ["provider.list.pageSize.step", { list: { ...list, pageSize: { ...pageSize, step: 1 } }, revoke }],
    // The refresh.
    ["provider.refresh.accessToken", { list, revoke, refresh: { method: "POST", path: "/r" } }],
    ["provider.refresh.accessToken", { list, revoke, refresh: { ...refresh, accessToken: 5 } }],
    ["provider.refresh.refreshToken", { list, revoke, refresh: { ...refresh, refreshToken: 5 } }],
    ["provider.refresh.expiresIn", { list, revoke, refresh: { ...refresh, expiresIn: 3600 } }], ["provider.revoke.accessToken", { list, revoke: { ...revoke, accessToken: "/t" } }],
  ];

  test(`each of ${MISTAKES.length} is named, and nothing is sent`, async () => {
    for (const [path, provider] of MISTAKES) {
      const { sessions, sent } = faked(() => json([]), { provider });
      const about = `${path}: ${JSON.stringify(provider)}`;
      for (const call of held(sessions.list(), sessions.capabilities())) {
        const { message } = await fails(call, "invalid_options", about);
        assert.match(message, new RegExp(`(^|[^\\w.])${path.replaceAll(".", "\\.")}(?![\\w])`), about);
      }
      assert.equal(sent.length, 0);
    }
  });

  test("what is no plain data", async () => {
    const cyclic = { list, revoke };
    cyclic.self = cyclic;
    for (const provider of [cyclic, { list: { ...list, body: 5n }, revoke }, { get list() { throw new Error("mine"); }, revoke }]) {
      await fails(faked(() => json([]), { provider }).sessions.list(), "invalid_options");
    }
  });

  test("the same without the mistakes, and null for what is left out", async () => {
    const nothing = { name: null, revokeAll: null, revokeOthers: null, logout: null, refresh: null, auth: null, csrf: null, effect: null };
    for (const provider of [
      { list, revoke }, { list, revoke, ...nothing }, { list: { ...list, body: null, success: null, items: null, fields: null, cursor: null, pageSize: null }, revoke },
      {
        list: { ...list, fields: { id: ["x", "/a/b"], city: "c" }, cursor: { query: "c" }, pageSize, time: "iso", items: "", next: "n", currentId: "/c" }, revoke, refresh,
        auth: { header: "x-session" }, effect: "unknown",
      },
    ]) {
      const { sessions } = faked(() => json([]), { provider });
      assert.equal((await settles(sessions.capabilities())).list, "native", JSON.stringify(provider));
      assert.equal((await settles(sessions.list())).count, 0);
    }
  });

  test("the profile is taken as it is at the first call, and not changed", async () => {
    const provider = { list: { ...list, fields: { id: "id" }, pageSize: { ...pageSize }, cursor: { query: "c" } }, revoke };
    const before = structuredClone(provider);
    const { sessions } = faked(() => json([]), { provider });
    await settles(sessions.list());
    await settles(sessions.list());
    assert.deepEqual(provider, before);
  });
});
