// Clerk's and KSeF's operations held to their published OpenAPI documents, in both directions, and AuthVital's to the letter; how many requests an operation is; and what browsers
// would ask a preflight for.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { recordingFetch, specs } from "../peers/openapi.mjs";
import { BASES, G1, G2, SECRET_KEY, createSessions, every, fails, faked, held, inBrowser, json, jwt, recorded, sandbox, settles } from "./support.mjs";

const ABSENT = "the OpenAPI documents are not there: put them into ../shared/specs or name their folder in AUTH_SESSIONS_SPECS";
const MINUTE = 60_000;
const origin = "https://app.example.com";

beforeEach(() => sandbox.reset());

/** A signed-in user and a client that goes through a recording. */
async function user(wire, options) {
  const who = await sandbox.signInOn(wire);
  const recording = recordingFetch(specs[wire], BASES[wire]);
  const tokens = wire === "clerk" ? { token: SECRET_KEY } : { token: who.access, refreshToken: who.refresh };
  const sessions = createSessions({ provider: wire, baseUrl: BASES[wire], ...tokens, maxRetries: 0, ...options, fetch: recording.fetch });
  const request = { headers: { authorization: `Bearer ${who.access}` } };
  /** What was asked since the last time, with ids as in the document. */
  const asked = () => recording.calls.splice(0).map((call) => call.replace(/(?<=\/sessions\/)(?!current )[^/ ]+/, "{id}"));
  return { ...who, sessions, request, recording, asked };
}

describe("Clerk", { skip: specs.clerk === null && ABSENT }, () => {
  test("every operation: the request and the answer are as documented, and it is one request", async () => {
    const { sessions, recording, asked, user: userId, id, access, refresh, client: clientId, request } = await user("clerk");
    const other = await sandbox.signInOn("clerk");
    const input = { expiredToken: access, refreshToken: refresh, requestOrigin: origin };
    const all = { ...input, requestHeaders: { "user-agent": ["Test/1"] }, requestOriginatingIp: "198.51.100.1" };
    for (const [call, expected] of [
      [() => sessions.list({ userId }), "GET /sessions 200"],
      [() => sessions.list({ clientId }), "GET /sessions 200"],
      [() => sessions.list({ userId, clientId, status: "active", pageSize: 500, cursor: "0" }), "GET /sessions 200"],
      [() => sessions.list(request, { userId, pageSize: 1, cursor: "3" }), "GET /sessions 200"],
      ...["abandoned", "ended", "expired", "removed", "replaced", "revoked"].map((status) => [() => sessions.list({ userId, status }), "GET /sessions 200"]),
      [() => sessions.get(id), "GET /sessions/{id} 200"],
      [() => sessions.current(request), "GET /sessions/{id} 200"],
      [() => sessions.create({ userId }), "POST /sessions 200"],
      [() => sessions.createToken(id), "POST /sessions/{id}/tokens 200"],
      [() => sessions.createToken(id, { expiresInSeconds: null }), "POST /sessions/{id}/tokens 200"],
      [() => sessions.createToken(id, { expiresInSeconds: 30 }), "POST /sessions/{id}/tokens 200"],
      [() => sessions.createToken(id, { expiresInSeconds: 315_360_000 }), "POST /sessions/{id}/tokens 200"],
      [() => sessions.createTokenFromTemplate(id, "sandbox"), "POST /sessions/{id}/tokens/sandbox 200"],
      [() => sessions.createTokenFromTemplate(id, "sandbox", { expiresInSeconds: null }), "POST /sessions/{id}/tokens/sandbox 200"],
      [() => sessions.refreshSession(id, input), "POST /sessions/{id}/refresh 200"],
      [() => sessions.refreshSession(id, { ...all, format: "token" }), "POST /sessions/{id}/refresh 200"],
      [() => sessions.refreshSession(id, { ...all, format: "cookie" }), "POST /sessions/{id}/refresh 200"],
      [() => sessions.revoke(other.id), "POST /sessions/{id}/revoke 200"],
      [() => sessions.revokeCurrent(request), "POST /sessions/{id}/revoke 200"],
    ]) {
      await settles(call());
      assert.deepEqual(asked(), [expected], `${call}`);
    }
    assert.deepEqual(recording.violations, []);
  });

  test("what is made of several requests", async () => {
    const { sessions, recording, asked, user: userId, request } = await user("clerk");
    assert.equal((await settles(every(sessions.list({ userId, pageSize: 3 })))).length, 8);
    assert.deepEqual(asked(), Array(3).fill("GET /sessions 200"));
    assert.equal((await settles(sessions.revokeOthers(request, { userId }))).count, 7);
    assert.deepEqual(asked(), ["GET /sessions 200", ...Array(7).fill("POST /sessions/{id}/revoke 200")]);
    assert.equal((await settles(sessions.revokeAll({ userId }))).count, 1);
    assert.deepEqual(asked(), ["GET /sessions 200", "POST /sessions/{id}/revoke 200"]);
    assert.deepEqual(recording.violations, []);
  });

  test("errors of the server: still documented requests", async () => {
    const { sessions, recording, asked, user: userId, id, access } = await user("clerk");
    const input = { expiredToken: access, refreshToken: "none", requestOrigin: origin };
    for (const [call, code, expected] of [
      [() => sessions.get("a b/c?d"), "not_found", "GET /sessions/{id} 404"], [() => sessions.revoke("ż"), "not_found", "POST /sessions/{id}/revoke 404"],
      [() => sessions.create({ userId: "user_nobody" }), "not_found", "POST /sessions 404"], [
        () => sessions.create({ userId, activeOrganizationId: "org_1" }), "not_found", "POST /sessions 404",
      ],
      [() => sessions.createToken("sess_nobody"), "not_found", "POST /sessions/{id}/tokens 404"], [
        () => sessions.createTokenFromTemplate(id, "none"), "not_found", "POST /sessions/{id}/tokens/none 404",
      ],
      [() => sessions.refreshSession(id, input), "unauthenticated", "POST /sessions/{id}/refresh 401"],
    ]) {
      await fails(call(), code);
      assert.deepEqual(asked(), [expected]);
    }
    assert.deepEqual(recording.violations, []);
    const wrong = recordingFetch(specs.clerk, BASES.clerk);
    const locked = createSessions({ provider: "clerk", baseUrl: BASES.clerk, token: "sk_test_wrong", fetch: wrong.fetch });
    for (const call of held(
      locked.list({ userId }), locked.get(id), locked.create({ userId }), locked.revoke(id), locked.createToken(id), locked.createTokenFromTemplate(id, "sandbox"),
      locked.refreshSession(id, input),
    )) {
      assert.equal((await fails(call, "unauthenticated")).serverCode, "clerk_key_invalid");
    }
    assert.deepEqual([wrong.violations, wrong.calls.length], [[], 7]);
  });

  test("every documented operation was asked for", () => {
    assert.deepEqual(specs.clerk.operations.map(({ method, template }) => `${method} ${template}`).toSorted(), [
      "GET /sessions", "GET /sessions/{session_id}", "POST /sessions", "POST /sessions/{session_id}/refresh", "POST /sessions/{session_id}/revoke", "POST /sessions/{session_id}/tokens",
      "POST /sessions/{session_id}/tokens/{template_name}",
    ]);
  });
});

describe("KSeF", { skip: specs.ksef === null && ABSENT }, () => {
  test("every operation: the request and the answer are as documented, and it is one request", async () => {
    const { sessions, recording, asked, id, request, refresh } = await user("ksef");
    const other = await sandbox.signInOn("ksef");
    for (const [call, expected] of [
      [() => sessions.list(), "GET /auth/sessions 200"],
      [() => sessions.list({ pageSize: 10 }), "GET /auth/sessions 200"],
      [() => sessions.list(request, { pageSize: 100 }), "GET /auth/sessions 200"],
      [() => sessions.get(id), "GET /auth/sessions 200"],
      [() => sessions.current(), "GET /auth/sessions 200"],
      [() => sessions.revoke(other.id), "DELETE /auth/sessions/{id} 204"],
      [() => sessions.refresh(), "POST /auth/token/refresh 200"],
      [() => sessions.revokeCurrent(), "DELETE /auth/sessions/current 204"],
      [() => sessions.revokeCurrent({ headers: { authorization: `Bearer ${refresh}` } }), "DELETE /auth/sessions/current 204"],
      [() => sessions.logout(), "DELETE /auth/sessions/current 204"],
    ]) {
      await settles(call());
      assert.deepEqual(asked(), [expected], `${call}`);
    }
    assert.deepEqual(recording.violations, []);
  });

  test("what is made of several requests", async () => {
    for (let more = 0; more < 5; more++) await sandbox.signInOn("ksef");
    const { sessions, recording, asked } = await user("ksef");
    assert.equal((await settles(every(sessions.list({ pageSize: 10 })))).length, 13);
    assert.deepEqual(asked(), Array(2).fill("GET /auth/sessions 200"));
    const four = await settles(sessions.list());
    for (const { id } of four.sessions.slice(1, 6)) await settles(sessions.revoke(id));
    asked();
    assert.equal((await settles(sessions.revokeOthers())).count, 7);
    assert.deepEqual(asked(), ["GET /auth/sessions 200", ...Array(7).fill("DELETE /auth/sessions/{id} 204")]);
    assert.equal((await settles(sessions.revokeAll())).count, 1);
    assert.deepEqual(asked(), ["GET /auth/sessions 200", "DELETE /auth/sessions/{id} 204"]);
    assert.deepEqual(recording.violations, []);
  });

  test("errors of the server: still documented requests", async () => {
    const { sessions, recording, asked, access, refresh } = await user("ksef");
    const theirs = await sandbox.signInOn("ksef", "other@example.com");
    await fails(sessions.list({ cursor: "!!!" }), "rejected");
    await fails(sessions.revoke("20260131-AU-0F8FAD5BD9-0000000000-70"), "rejected");
    await fails(sessions.revoke(theirs.id), "forbidden");
    assert.deepEqual(asked(), ["GET /auth/sessions 400", "DELETE /auth/sessions/{id} 400", "DELETE /auth/sessions/{id} 403"]);
    await settles(sessions.revokeCurrent());
    await fails(sessions.refresh(), "unauthenticated");
    assert.deepEqual(asked(), ["DELETE /auth/sessions/current 204", "POST /auth/token/refresh 400"]);
    assert.deepEqual(recording.violations, []);

    const client = (tokens) => createSessions({ provider: "ksef", baseUrl: BASES.ksef, maxRetries: 0, ...tokens, fetch: recording.fetch });
    const wrongKind = client({ token: refresh, refreshToken: access });
    for (const call of held(wrongKind.list(), wrongKind.revoke(theirs.id), wrongKind.refresh())) assert.equal((await fails(call, "forbidden")).status, 403);
    const garbage = client({ token: "garbage", refreshToken: "garbage" });
    for (const call of [
      () => garbage.list(), () => garbage.revoke(theirs.id), () => garbage.revokeCurrent(), () => garbage.refresh(),
    ]) assert.equal((await fails(call(), "unauthenticated")).status, 401);
    await sandbox.advance(16 * MINUTE);
    await sandbox.rateLimit(true);
    const hurried = client({ refreshToken: refresh });
    await settles(Promise.allSettled(Array.from({ length: 12 }, () => hurried.revokeCurrent())), 20_000);
    assert.ok(asked().includes("DELETE /auth/sessions/current 429"));
    assert.deepEqual(recording.violations, []);
  });

  test("every documented operation was asked for, but the one that signs in", () => {
    assert.deepEqual(specs.ksef.operations.map(({ method, template }) => `${method} ${template}`).filter((line) => !line.endsWith("/redeem")).toSorted(), [
      "DELETE /auth/sessions/current", "DELETE /auth/sessions/{referenceNumber}", "GET /auth/sessions", "POST /auth/token/refresh",
    ]);
  });
});

// ---------------------------------------------------------------- AuthVital has no published document: its requests, to the letter

describe("AuthVital", () => {
  const CLIENT = { provider: "authvital", clientId: "web-client" };

  test("first generation: one request for each operation, with exactly this body", async () => {
    for (const [operation, args, line, query, body, authorized] of [
      ["list", [], "GET /oauth/sessions", {}, undefined, true],
      ["list", [{ applicationId: "app web&x=1" }], "GET /oauth/sessions", { application_id: "app web&x=1" }, undefined, true],
      ["revoke", ["ID"], "POST /oauth/sessions/ID/revoke", {}, undefined, true],
      ["revokeAll", [], "POST /oauth/logout-all", {}, {}, true],
      ["revokeAll", [{ applicationId: "app-web" }], "POST /oauth/logout-all", {}, { application_id: "app-web" }, true],
      ["refresh", [], "POST /oauth/token", {}, { grant_type: "refresh_token", refresh_token: "REFRESH", client_id: "web-client" }, false],
      ["logout", [], "POST /oauth/logout", {}, { refresh_token: "REFRESH" }, false],
    ]) {
      const { access, refresh, id } = await sandbox.signIn();
      const { sessions, sent } = recorded({ ...CLIENT, baseUrl: G1, token: access, refreshToken: refresh });
      await settles(sessions[operation](...args.map((arg) => (arg === "ID" ? id : arg))));
      assert.deepEqual(sent.map(({ line }) => line), [line.replace("ID", id)]);
      const [request] = sent;
      assert.deepEqual(
        [request.query, request.body], [query, body && Object.fromEntries(Object.entries(body).map(([name, value]) => [name, value === "REFRESH" ? refresh : value]))], operation,
      );
      assert.equal(request.headers.authorization, authorized ? `Bearer ${access}` : undefined);
    }
  });

  test("second generation: the same", async () => {
    for (const [operation, args, line, body] of [
      ["list", [], "GET /api/auth/sessions", undefined],
      ["revoke", ["ID"], "DELETE /api/auth/sessions/ID", undefined],
      ["revokeAll", [], "POST /api/auth/logout", { everywhere: true }],
      ["refresh", [], "POST /api/auth/refresh", undefined],
      ["logout", [], "POST /api/auth/logout", {}],
    ]) {
      const { access, refresh, id } = await sandbox.signIn();
      const { sessions, sent, forget } = recorded({ ...CLIENT, baseUrl: G2, token: access, refreshToken: refresh });
      await settles(sessions.list());
      forget();
      await settles(sessions[operation](...args.map((arg) => (arg === "ID" ? id : arg))));
      assert.deepEqual(sent.map(({ line, body, query }) => [line, body, query]), [[line.replace("ID", id), body, {}]]);
    }
  });

  test("401 in its own words, and 429 with a minute to wait, from the server itself", async () => {
    const { access } = await sandbox.signIn();
    for (const [baseUrl, generation] of [[G1, 1], [G2, 2]]) {
      const nobody = createSessions({ ...CLIENT, baseUrl, credentials: "include", maxRetries: 0 });
      assert.match((await fails(nobody.list(), "unauthenticated", `${generation}`)).message, /No access token provided/);
      const { sessions } = recorded({ ...CLIENT, baseUrl, token: access });
      await settles(sessions.list());
      await sandbox.rateLimit(true);
      const outcomes = await Promise.allSettled(Array.from({ length: 101 }, () => settles(sessions.list(), 20_000)));
      await sandbox.rateLimit(false);
      const [{ reason: error }] = outcomes.filter(({ status }) => status === "rejected");
      assert.deepEqual([error.code, error.status, error.retryAfter, error.transient], ["rate_limited", 429, 60, true]);
    }
  });

  test("a logout that reached nobody, a refresh without its cookie, and a 400", async () => {
    const first = createSessions({ ...CLIENT, baseUrl: G1, credentials: "include", maxRetries: 0 });
    const { success, server, error } = await settles(first.logout());
    assert.deepEqual([success, server, error.code, error.status], [false, "rejected", "unauthenticated", 200]);
    const { access, refresh } = await sandbox.signIn();
    const second = createSessions({ ...CLIENT, baseUrl: G2, token: access, refreshToken: "", maxRetries: 0 });
    await settles(second.list());
    const refused = await fails(second.refresh(), "unauthenticated");
    assert.equal(refused.status, 401);
    assert.match(refused.message, /interaction_required/);
    await sandbox.faults({ route: "POST /authvital/oauth/token", fault: { status: 400, body: '{"message":"client_id is missing","error":"Bad Request","statusCode":400}' } });
    const bad = await fails(createSessions({ ...CLIENT, baseUrl: G1, refreshToken: refresh, maxRetries: 0 }).refresh(), "rejected");
    assert.deepEqual([bad.status, bad.transient], [400, false]);
    assert.match(bad.message, /client_id is missing/);
  });
});

// ---------------------------------------------------------------- requests as browsers see them

describe("in browsers", () => {
  // Of these, only `authorization` and a JSON `content-type` make a preflight; both are what every such back-end has to allow anyway.
  const ALLOWED = ["accept", "authorization", "content-type"];
  const ANSWERS = {
    "authvital": (line) => (line.startsWith("GET") ? { sessions: [{ id: "a" }, { id: "s" }] } : line.endsWith("/token") ? {
      access_token: "new", refresh_token: jwt({ sid: "s" }), expires_in: 60,
    } : { success: true, message: "done" }),
    "rest": (line) => (line.startsWith("GET") ? [{ id: "a" }, { id: "s", is_current: true }] : { success: true }),
    "better-auth": (line) => (line.endsWith("/get-session") ? { session: { id: "s", token: "access" } } : line.startsWith("GET") ? [
      { id: "a", token: "t" }, { id: "s", token: "access" },
    ] : { status: true, success: true }),
  };

  for (const [provider, answer] of Object.entries(ANSWERS)) {
    test(`${provider}: no header of its own`, async () => {
      const { sessions, sent } = faked((request) => json(answer(`${request.method} ${new URL(request.url).pathname}`)), { provider, refreshToken: jwt({ sid: "s" }), clientId: "web" });
      await inBrowser(async () => {
        await settles(sessions.list());
        await settles(sessions.get("a"));
        await settles(sessions.current());
        await settles(sessions.revoke("a"));
        await settles(sessions.revokeOthers());
        if (provider === "authvital") await settles(sessions.refresh());
        await settles(sessions.revokeCurrent());
        await settles(sessions.revokeAll());
        await settles(sessions.logout());
      });
      assert.ok(sent.length >= 8);
      for (const request of sent) {
        const line = `${request.method} ${request.url}`;
        const headers = Object.fromEntries(request.headers);
        assert.deepEqual(Object.keys(headers).filter((name) => !ALLOWED.includes(name)), [], line);
        const body = await request.clone().text();
        assert.equal(headers["content-type"], body === "" ? undefined : "application/json", line);
        assert.ok(headers.accept === undefined || headers.accept === "application/json");
        assert.deepEqual([request.redirect, request.mode, request.cache], ["manual", "cors", "no-store"]);
      }
    });
  }

  test("against the real server: a list has no content type, and a revocation neither that nor a body", async () => {
    const { access } = await sandbox.signInOn("rest");
    const { sessions, sent } = recorded({ provider: "rest", baseUrl: BASES.rest, token: access });
    await inBrowser(async () => {
      const [, { id }] = (await settles(sessions.list())).sessions;
      await settles(sessions.revoke(id));
    });
    assert.deepEqual(sent.map(({ method, text, headers }) => [method, text, headers["content-type"]]), [["GET", "", undefined], ["DELETE", "", undefined]]);
  });
});
