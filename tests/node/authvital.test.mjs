// Every row and trap of AuthVital's wire, in both generations, through the package against the real sandbox.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { claims, closeTo, createAuthVital, createSessions, fails, G1, G2, sandbox, seconds, signedIn } from "./support.mjs";

beforeEach(() => sandbox.reset());

const GENERATIONS = [
  { name: "G1", baseUrl: G1, revoked: (id) => `POST /oauth/sessions/${id}/revoke`, list: "GET /oauth/sessions" },
  { name: "G2", baseUrl: G2, revoked: (id) => `DELETE /api/auth/sessions/${id}`, list: "GET /api/auth/sessions" },
];
/** What Node's own fetch sends, some of it for `cache: "no-store"`, and what may come from us. */
const ALLOWED_HEADERS = ["cache-control", "pragma", "host", "connection", "accept", "accept-language", "sec-fetch-mode", "user-agent", "accept-encoding", "content-length", "authorization", "content-type"];
const HOUR = 3600_000;

for (const { name, baseUrl, revoked, list } of GENERATIONS) {
  /** Signed in, and past the one request that tells the generation. */
  async function user(options, ...who) {
    const user = await signedIn({ baseUrl, ...options }, ...who);
    await user.sessions.list();
    await sandbox.forget();
    return user;
  }

  test(`${name}: list gives plain sessions, newest first, and knows the current one`, async () => {
    const { sessions, id } = await user();
    const page = await sessions.list();
    assert.equal(page.count, 8);
    assert.deepEqual([page.sessions.length, page.total, page.next], [8, null, null]);
    const created = page.sessions.map(({ createdAt }) => createdAt);
    assert.deepEqual(created, created.toSorted().reverse());
    assert.deepEqual(page.sessions.filter(({ current }) => current).map((session) => session.id), [id]);
    assert.deepEqual(new Set(page.sessions.map(({ current }) => current)), new Set([true, false]));
    assert.deepEqual(page.sessions.map((session) => session.id).toSorted(), (await sandbox.active()).toSorted());

    const row = (await sandbox.rows()).find(({ ip_address }) => ip_address === "203.0.113.24");
    const { raw, ...session } = page.sessions.find((session) => session.id === row.id);
    assert.deepEqual(session, {
      id: row.id,
      status: "active",
      createdAt: new Date(row.created_at).toISOString(),
      lastActiveAt: null,
      expiresAt: new Date(row.expires_at).toISOString(),
      userAgent: row.user_agent,
      ipAddress: "203.0.113.24",
      tenant: "Acme",
      userId: null,
      current: false,
      device: { label: "Chrome on Windows", browser: "Chrome", os: "Windows", kind: "desktop" },
      location: null,
      method: null,
    });
    assert.deepEqual(Object.keys(raw), ["id", "createdAt", "expiresAt", "userAgent", "ipAddress", "tenant"]);
    assert.deepEqual(structuredClone(page), page);
    assert.deepEqual(JSON.parse(JSON.stringify(page)), page);

    const minted = page.sessions.find(({ userAgent }) => userAgent === null);
    assert.deepEqual([minted.ipAddress, minted.tenant, minted.device], [null, null, null]);
    assert.deepEqual(await sandbox.lines(), [list]);
  });

  test(`${name}: a list can be iterated, and iterating asks once`, async () => {
    const { sessions } = await user();
    const listing = sessions.list();
    const ids = [];
    for await (const session of listing) ids.push(session.id);
    assert.deepEqual(ids, (await listing).sessions.map(({ id }) => id));
    assert.deepEqual(await sandbox.lines(), [list]);
  });

  test(`${name}: without a refresh token, which session is the current one is null`, async () => {
    const { sessions } = await user({ refreshToken: undefined });
    assert.deepEqual(new Set((await sessions.list()).sessions.map(({ current }) => current)), new Set([null]));
  });

  test(`${name}: revoke ends a session; again, it resolves with success false`, async () => {
    const { sessions, access } = await user();
    const other = await sandbox.signIn();
    await sandbox.forget();
    const { exp, iat } = claims(access);
    const first = await sessions.revoke(other.id);
    const { accessTokenValidUntil, ...rest } = first;
    assert.deepEqual(rest, { id: other.id, success: true, outcome: "revoked", message: "Session revoked successfully", effect: "refresh-only" });
    closeTo(accessTokenValidUntil, Date.now() + (exp - iat) * 1000);
    assert.equal((await sandbox.row(other.id)).ended_by, "revoked");

    const again = await sessions.revoke(other.id);
    assert.deepEqual([again.id, again.success, again.outcome, again.message], [other.id, false, "already-revoked", "Session not found or already revoked"]);
    assert.deepEqual(await sandbox.lines(), [revoked(other.id), revoked(other.id)]);
  });

  test(`${name}: the access token of a revoked session goes on working, and its time is told`, async () => {
    const { sessions, access, id } = await user();
    const result = await sessions.revokeCurrent();
    assert.deepEqual([result.id, result.success, result.effect], [id, true, "refresh-only"]);
    assert.equal(result.accessTokenValidUntil, seconds(claims(access).exp));
    assert.equal((await sandbox.row(id)).ended_by, "revoked");
    assert.equal((await sessions.list()).count, 7);
  });

  test(`${name}: revoking the current session by its id tells the same time`, async () => {
    const { sessions, access, id } = await user();
    assert.equal((await sessions.revoke(id)).accessTokenValidUntil, seconds(claims(access).exp));
  });

  test(`${name}: an unknown session is not_found`, async () => {
    const { sessions } = await user();
    const error = await fails(sessions.revoke("no-such-session"), "not_found");
    assert.deepEqual([error.status, error.provider, error.operation, error.transient], [404, "authvital", "revoke", false]);
    assert.match(error.message, /Session not found/);
    assert.deepEqual(await sandbox.lines(), [revoked("no-such-session")]);
  });

  test(`${name}: get finds a session in the list`, async () => {
    const { sessions, id } = await user();
    const session = await sessions.get(id);
    assert.deepEqual([session.id, session.current, session.raw.id], [id, true, id]);
    await fails(sessions.get("no-such-session"), "not_found");
  });

  test(`${name}: current is the session of the refresh token`, async () => {
    const { sessions, id } = await user();
    const session = await sessions.current();
    assert.deepEqual([session.id, session.current], [id, true]);
  });

  test(`${name}: current_unknown without a refresh token, and nothing is sent`, async () => {
    const { sessions } = await user({ refreshToken: undefined });
    await fails(sessions.current(), "current_unknown");
    await fails(sessions.revokeCurrent(), "current_unknown");
    await fails(sessions.revokeOthers(), "current_unknown");
    assert.deepEqual(await sandbox.lines(), []);
  });

  test(`${name}: current_unknown where the refresh token's session is gone, and nothing is ended`, async () => {
    const { sessions, id } = await user();
    await sessions.revoke(id);
    await fails(sessions.current(), "current_unknown");
    await fails(sessions.revokeOthers(), "current_unknown");
    assert.equal((await sandbox.active()).length, 7);
  });

  test(`${name}: revokeOthers ends all but this one, with progress`, async () => {
    const { sessions, id, access } = await user();
    const others = (await sandbox.active()).filter((other) => other !== id);
    const progress = [];
    const result = await sessions.revokeOthers({ onProgress: (done, total) => progress.push([done, total]) });
    assert.deepEqual([result.success, result.count, result.message, result.effect], [true, 7, null, "refresh-only"]);
    assert.deepEqual(result.revoked.toSorted(), others.toSorted());
    assert.deepEqual(progress, [1, 2, 3, 4, 5, 6, 7].map((done) => [done, 7]));
    closeTo(result.accessTokenValidUntil, Date.now() + (claims(access).exp - claims(access).iat) * 1000);
    assert.deepEqual(await sandbox.active(), [id]);
    assert.deepEqual((await sandbox.lines()).toSorted(), [list, ...others.map(revoked)].toSorted());

    const none = await sessions.revokeOthers();
    assert.deepEqual([none.count, none.revoked, none.accessTokenValidUntil], [0, [], null]);
  });

  test(`${name}: revokeOthers that fails in part says exactly what is ended and what is not`, async () => {
    const { sessions, id } = await user();
    const others = (await sandbox.active()).filter((other) => other !== id);
    const [broken, flaky] = others;
    const route = (id) => revoked(id).replace(" ", ` ${new URL(baseUrl).pathname}`);
    await sandbox.faults({ route: route(broken), fault: { status: 500 } }, { route: route(flaky), fault: { status: 503, "retry-after": "0" }, times: 1 });
    const progress = [];
    const error = await fails(sessions.revokeOthers({ onProgress: (done) => progress.push(done) }), "partial_revocation");
    assert.deepEqual(error.revoked.toSorted(), others.filter((other) => other !== broken).toSorted());
    assert.deepEqual(error.failed.map(({ id, error }) => [id, error.code, error.status, error.operation]), [[broken, "server_error", 500, "revoke"]]);
    assert.equal(progress.length, 7);
    assert.deepEqual((await sandbox.active()).toSorted(), [id, broken].toSorted());

    await sandbox.faults();
    assert.deepEqual((await sessions.revokeOthers()).revoked, [broken]);
  });

  test(`${name}: revokeOthers stops where the next request would meet the same error`, async () => {
    const { sessions, id } = await user();
    await sandbox.faults({ route: revoked("{id}").replace(" ", ` ${new URL(baseUrl).pathname}`), fault: { status: 429, "retry-after": "60" } });
    const error = await fails(sessions.revokeOthers(), "partial_revocation");
    assert.deepEqual(error.revoked, []);
    assert.deepEqual(error.failed.map(({ error }) => [error.code, error.retryAfter]), Array(7).fill(["rate_limited", 60]));
    assert.ok((await sandbox.requests()).length <= 1 + 4, "the list, and what was on its way already");
    assert.equal((await sandbox.active()).length, 8);
    assert.ok((await sandbox.active()).includes(id));
  });

  test(`${name}: a wrong access token is unauthenticated; none at all is, too, and is not sent`, async () => {
    const wrong = createSessions({ provider: "authvital", baseUrl, token: "garbage" });
    const error = await fails(wrong.list(), "unauthenticated");
    assert.deepEqual([error.status, error.operation], [401, "list"]);
    assert.match(error.message, /Invalid access token/);
    await sandbox.forget();
    const none = createSessions({ provider: "authvital", baseUrl, token: () => null });
    assert.equal((await fails(none.list(), "unauthenticated")).status, null);
    await fails(none.revoke("a"), "unauthenticated");
    await fails(none.revokeAll(), "unauthenticated");
    assert.deepEqual(await sandbox.lines(), []);
  });

  test(`${name}: an access token that ran out is refreshed once, and the call is tried again once`, async () => {
    const told = [];
    const { sessions, refresh } = await user({ onTokens: (tokens) => void told.push(tokens) });
    await sandbox.advance(HOUR + 1000);
    const page = await sessions.list();
    assert.equal(page.count, 8);
    assert.equal(told.length, 1);
    assert.notEqual(told[0].refreshToken, refresh);
    const refreshLine = name === "G1" ? "POST /oauth/token" : "POST /api/auth/refresh";
    assert.deepEqual(await sandbox.lines(), [list, refreshLine, list]);
    assert.equal(page.sessions.find(({ current }) => current).id, claims(told[0].refreshToken).sid, "the session of the new refresh token");

    await sandbox.forget();
    await sandbox.faults({ route: list.replace(" ", ` ${new URL(baseUrl).pathname}`), fault: { status: 401 } });
    await fails(sessions.list(), "unauthenticated");
    assert.deepEqual(await sandbox.lines(), [list, refreshLine, list], "not a third time");
  });

  test(`${name}: no request has a header of ours but authorization and content-type`, async () => {
    const { sessions } = await user();
    const other = await sandbox.signIn();
    await sandbox.forget();
    await sessions.list();
    await sessions.revoke(other.id);
    await sessions.revokeOthers();
    await sessions.refresh();
    await sessions.revokeAll();
    await sessions.logout();
    const requests = await sandbox.requests();
    assert.ok(requests.length >= 6);
    for (const { line, headers } of requests) {
      // A server passes generation 2 its refresh token as a cookie: there is no other way in.
      const cookie = /\/api\/auth\/(refresh|logout)$/.test(line) ? ["cookie"] : [];
      assert.deepEqual(headers.filter((header) => ![...ALLOWED_HEADERS, ...cookie].includes(header)), [], line);
      assert.equal(headers.includes("content-type"), headers.includes("content-length") && !/revoke$|refresh$/.test(line), `${line}: ${headers}`);
    }
  });

  test(`${name}: capabilities, without a request`, async () => {
    const { sessions } = await user();
    assert.deepEqual(await sessions.capabilities(), {
      provider: "authvital",
      list: "native", get: "emulated", current: "emulated", revoke: "native", revokeCurrent: "emulated", revokeAll: "native", revokeOthers: "emulated",
      logout: "native", refresh: "native", create: "unsupported", createToken: "unsupported",
      effect: "refresh-only", browser: true, pageSize: null,
    });
    assert.deepEqual(await sandbox.lines(), []);
  });

  test(`${name}: other back-ends' operations are unsupported, and nothing is sent`, async () => {
    const { sessions } = await user();
    await fails(sessions.create({ userId: "u" }), "unsupported");
    await fails(sessions.createToken("s"), "unsupported");
    await fails(sessions.refreshSession("s", { expiredToken: "a", refreshToken: "b", requestOrigin: "https://example.com" }), "unsupported");
    assert.deepEqual(await sandbox.lines(), []);
  });

  test(`${name}: createTokenFromTemplate is unsupported, too`, async () => {
    const { sessions } = await user();
    await fails(sessions.createTokenFromTemplate("s", "t"), "unsupported");
  });

  test(`${name}: logout ends the session of the client's refresh token, and the client is signed out`, async () => {
    const { sessions, id } = await user();
    const result = await sessions.logout();
    assert.deepEqual([result.success, result.server, result.error, result.cookies, result.setCookie], [true, "confirmed", null, [], []]);
    assert.equal((await sandbox.row(id)).ended_by, "logout");
    await fails(sessions.list(), "unauthenticated");
    assert.equal((await sandbox.requests()).length, 1);
    await fails(sessions.refresh(), "unauthenticated");
    for (const { line, cookie, authorization } of (await sandbox.requests()).slice(1)) {
      assert.deepEqual([cookie, authorization], [false, false], `fixed tokens are not used after a logout: ${line}`);
    }
  });

  test(`${name}: logout of a given refresh token ends that session and no other`, async () => {
    const { sessions, id } = await user();
    const other = await sandbox.signIn();
    assert.equal((await sessions.logout(other.refresh)).server, "confirmed");
    assert.equal((await sandbox.row(other.id)).ended_by, "logout");
    assert.equal((await sandbox.row(id)).state, "active");
    assert.equal((await sessions.logout({ refreshToken: (await sandbox.signIn()).refresh })).server, "confirmed");
    assert.equal((await sessions.list()).count, 8, "the client itself is still signed in");
  });

  test(`${name}: logout resolves whatever the server does`, async () => {
    for (const [fault, server, code] of [
      [{ status: 500 }, "rejected", "server_error"],
      [{ status: 429, "retry-after": "60" }, "rejected", "rate_limited"],
      [{ status: 404, body: '{"message":"Session not found"}' }, "rejected", "not_found"],
      [{ body: "<html>", "content-type": "text/html" }, "rejected", "invalid_response"],
      [{ redirect: "/elsewhere" }, "rejected", "invalid_response"],
      [{ drop: "head" }, "unreachable", "network"],
    ]) {
      const { sessions } = await user({ maxRetries: 0 });
      await sandbox.faults({ route: "*", fault });
      const result = await sessions.logout();
      assert.deepEqual([result.success, result.server, result.error.code, result.error.operation], [false, server, code, "logout"], JSON.stringify(fault));
      await sandbox.faults();
      await fails(sessions.list(), "unauthenticated", "signed out all the same:");
    }
  });
}

// ---------------------------------------------------------------- the first generation alone

test("G1: applicationId limits list and revokeAll to one application", async () => {
  const { sessions } = await signedIn();
  const mobile = (await sandbox.rows()).filter(({ application_id }) => application_id === "app-mobile").map(({ id }) => id);
  assert.deepEqual((await sessions.list({ applicationId: "app-mobile" })).sessions.map(({ id }) => id).toSorted(), mobile.toSorted());
  assert.deepEqual((await sandbox.requests()).map(({ query }) => query), [["application_id"]]);
  const result = await sessions.revokeAll({ applicationId: "app-mobile" });
  assert.deepEqual([result.success, result.count, result.message], [true, mobile.length, `Revoked ${mobile.length} session(s)`]);
  assert.equal((await sandbox.active()).length, 8 - mobile.length);
  assert.deepEqual((await sessions.list({ applicationId: "no&such=1#app" })).sessions, [], "any text stays one value");
  const others = (await sandbox.active()).length - 1;
  assert.equal((await sessions.revokeOthers({ applicationId: "app-web" })).count, others);
});

test("G1: revokeAll counts, and a list afterwards is empty", async () => {
  const { sessions, access } = await signedIn();
  const result = await sessions.revokeAll();
  const { accessTokenValidUntil, ...rest } = result;
  assert.deepEqual(rest, { success: true, count: 8, message: "Revoked 8 session(s)", revoked: null, effect: "refresh-only" });
  closeTo(accessTokenValidUntil, claims(access).exp * 1000);
  assert.deepEqual(await sandbox.active(), []);
  assert.equal((await sandbox.active("other@example.com")).length, 2);
  const page = await sessions.list();
  assert.deepEqual([page.sessions, page.count], [[], 0]);
  assert.deepEqual(await sandbox.lines(), ["POST /oauth/logout-all", "GET /oauth/sessions"]);
});

test("G1: somebody else's session is forbidden, and no reason to refresh", async () => {
  const { sessions } = await signedIn();
  const other = await sandbox.signIn("other@example.com");
  const error = await fails(sessions.revoke(other.id), "forbidden");
  assert.equal(error.status, 401);
  assert.deepEqual(await sandbox.lines(), [`POST /oauth/sessions/${other.id}/revoke`]);
  assert.equal((await sandbox.row(other.id, "other@example.com")).state, "active");
});

test("G1: a logout that ended nothing is no success, but garbage is confirmed", async () => {
  const none = createAuthVital({ baseUrl: G1 }).sessions;
  const nothing = await none.logout();
  assert.deepEqual([nothing.success, nothing.server, nothing.error.code, nothing.error.status], [false, "rejected", "unauthenticated", 200]);

  const garbage = await none.logout("garbage");
  assert.deepEqual([garbage.success, garbage.server, garbage.message, garbage.error], [true, "confirmed", "Logged out", null]);

  const user = await sandbox.signIn();
  assert.equal((await none.logout(user.refresh)).success, true);
  const again = await none.logout(user.refresh);
  assert.deepEqual([again.success, again.server, again.error.code, again.error.status], [false, "rejected", "not_found", 200]);
  assert.match(again.message, /already revoked/);
});

test("G1: a logout needs no access token and sends none", async () => {
  const { sessions } = await signedIn();
  await sessions.logout();
  const [request] = await sandbox.requests();
  assert.deepEqual([request.line, request.authorization, request.cookie], ["POST /oauth/logout", false, false]);
});

// ---------------------------------------------------------------- the second, and telling it

test("G2: told by one extra request, once for a client", async () => {
  const { sessions } = await signedIn({ baseUrl: G2 });
  await sessions.list();
  assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions", "GET /api/auth/sessions"]);
  await sandbox.forget();
  await sessions.list();
  const other = await sandbox.signIn();
  await sessions.revoke(other.id);
  assert.deepEqual(await sandbox.lines(), ["GET /api/auth/sessions", `DELETE /api/auth/sessions/${other.id}`]);
});

test("G2: told by whichever operation comes first", async () => {
  for (const [call, expected] of [
    [(sessions, id) => sessions.revoke(id), (id) => [`POST /oauth/sessions/${id}/revoke`, `DELETE /api/auth/sessions/${id}`]],
    [(sessions) => sessions.refresh(), () => ["POST /oauth/token", "POST /api/auth/refresh"]],
    [(sessions) => sessions.logout(), () => ["POST /oauth/logout", "POST /api/auth/logout"]],
    [(sessions) => sessions.revokeAll(), () => ["POST /oauth/logout-all", "POST /api/auth/logout"]],
  ]) {
    const { sessions, id } = await signedIn({ baseUrl: G2 });
    await call(sessions, id);
    assert.deepEqual(await sandbox.lines(), expected(id));
    assert.notEqual((await sandbox.row(id)).state, "active", "done once, and for real");
  }
});

test("G1: a plain 404 is no other generation", async () => {
  const { sessions } = await signedIn();
  await fails(sessions.revoke("unknown"), "not_found");
  await sandbox.faults({ route: "GET /authvital/oauth/sessions", fault: { status: 404, body: '{"message":"Session not found","error":"Not Found","statusCode":404}' } });
  await fails(sessions.list(), "not_found");
  await sandbox.faults({ route: "GET /authvital/oauth/sessions", fault: { status: 404, body: "<h1>Not Found</h1>", "content-type": "text/html" } });
  await fails(sessions.list(), "not_found");
  assert.deepEqual(await sandbox.lines(), ["POST /oauth/sessions/unknown/revoke", "GET /oauth/sessions", "GET /oauth/sessions"]);
});

test("a server with the routes of neither generation is told as such", async () => {
  const { sessions } = await signedIn({ baseUrl: `${G1}/elsewhere` });
  const error = await fails(sessions.list(), "not_found");
  assert.match(error.message, /baseUrl/);
  assert.deepEqual(await sandbox.lines(), ["GET /elsewhere/oauth/sessions", "GET /elsewhere/api/auth/sessions"]);
});

test("G2: applicationId is unsupported, and after detection nothing is sent", async () => {
  const { sessions } = await signedIn({ baseUrl: G2 });
  await fails(sessions.list({ applicationId: "app-web" }), "unsupported");
  await sandbox.forget();
  for (const call of [
    () => sessions.list({ applicationId: "app-web" }),
    () => sessions.revokeAll({ applicationId: "app-web" }),
    () => sessions.revokeOthers({ applicationId: "app-web" }),
  ]) {
    await sessions.list();
    await sandbox.forget();
    await fails(call(), "unsupported");
    assert.deepEqual(await sandbox.lines(), []);
  }
  assert.equal((await sandbox.active()).length, 8);
});

test("G2: an unsupported applicationId is remembered as a sign of the second generation, too", async () => {
  const { sessions } = await signedIn({ baseUrl: G2 });
  await fails(sessions.list({ applicationId: "app-web" }), "unsupported");
  await sandbox.forget();
  await fails(sessions.list({ applicationId: "app-web" }), "unsupported");
  assert.deepEqual(await sandbox.lines(), [], "exactly one extra request, remembered afterwards");
});

test("G2: revokeAll does not know how many", async () => {
  const { sessions } = await signedIn({ baseUrl: G2 });
  const result = await sessions.revokeAll();
  assert.deepEqual([result.success, result.count, result.message, result.revoked, result.effect], [true, null, null, null, "refresh-only"]);
  assert.deepEqual(await sandbox.active(), []);
});

test("G2: somebody else's session is not_found, as is an unknown one", async () => {
  const { sessions } = await signedIn({ baseUrl: G2 });
  const other = await sandbox.signIn("other@example.com");
  await fails(sessions.revoke(other.id), "not_found");
  assert.equal((await sandbox.row(other.id, "other@example.com")).state, "active");
});

test("G2: refresh goes by cookie from a server, and the new refresh token comes back", async () => {
  const { sessions, refresh, id } = await signedIn({ baseUrl: G2 });
  const tokens = await sessions.refresh();
  assert.notEqual(tokens.refreshToken, refresh);
  assert.equal(tokens.expiresAt, seconds(claims(tokens.accessToken).exp));
  assert.equal((await sandbox.row(id)).ended_by, "rotated");
  const requests = await sandbox.requests();
  assert.deepEqual(requests.at(-1).line, "POST /api/auth/refresh");
  assert.equal(requests.at(-1).cookie, true);
  assert.equal((await sessions.current()).id, claims(tokens.refreshToken).sid);
});
