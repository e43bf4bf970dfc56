// Clerk's Backend API through the package: every operation, parameter, status and code of its wire, against the real sandbox.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { BASES, SECRET_KEY, claims, closeTo, createSessions, every, fails, faked, held, inBrowser, json, jwt, never, recorded, sandbox, seconds, settles, told } from "./support.mjs";

const BASE = BASES.clerk;
const VERSION = "2026-05-12";
const MINUTE = 60_000;
const iso = (ms) => new Date(ms).toISOString();
const revoked = (id) => `POST /sessions/${id}/revoke`;
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

beforeEach(() => sandbox.reset());

const client = (options) => recorded({ provider: "clerk", baseUrl: BASE, token: SECRET_KEY, ...options });

/** A signed-in user, the session that they use, and a client with the secret key. */
async function user(options) {
  const who = await sandbox.signInOn("clerk");
  await sandbox.forget();
  return { ...who, request: bearer(who.access), ...client(options) };
}

/** Answers one operation with a failure in Clerk's form. */
const refuse = (route, status, code, more = {}, meta) =>
  sandbox.faults({
    route: route.replace(" ", " /clerk/v1"),
    fault: { status, body: JSON.stringify({ errors: [{ message: "short", long_message: "the long words", code, ...(meta && { meta }) }], clerk_trace_id: "trace-7" }), ...more },
  });

// ---------------------------------------------------------------- list

describe("list", () => {
  test("of a user: one request, and every field", async () => {
    const { sessions, sent, user: userId } = await user();
    const page = await settles(sessions.list({ userId }));
    const rows = await sandbox.rows();
    assert.deepEqual(page.sessions.map(({ id }) => id), rows.map(({ ids }) => ids.clerk));
    assert.deepEqual([page.count, page.total, page.next], [8, 8, null]);
    assert.equal(sent.length, 1);
    const [{ line, query, headers, text }] = sent;
    assert.deepEqual([line, query, text], ["GET /sessions", { paginated: "true", user_id: userId }, ""]);
    assert.deepEqual([headers.authorization, headers["clerk-api-version"]], [`Bearer ${SECRET_KEY}`, VERSION]);

    const at = rows.findIndex(({ ip_address }) => ip_address === "203.0.113.24");
    const { raw, ...session } = page.sessions[at];
    const [created, active, expires] = [rows[at].created_at, rows[at].last_active_at, rows[at].expires_at].map((time) => new Date(time).toISOString());
    assert.deepEqual(session, {
      id: rows[at].ids.clerk, status: "active", createdAt: created, lastActiveAt: active, expiresAt: expires, userAgent: null, ipAddress: "203.0.113.24", tenant: null, userId,
      current: null, device: { label: "Chrome on Windows", browser: "Chrome", os: "Windows", kind: "desktop" }, location: { city: "Warsaw", country: "PL" }, method: null,
    });
    assert.deepEqual([raw.object, raw.created_at, raw.expire_at, raw.client_id, raw.actor], ["session", Date.parse(created), Date.parse(expires), "client_7765622d636c69656e74", null]);
    assert.deepEqual(structuredClone(page), page);
  });

  test("phones and tablets are told from the activity", async () => {
    const { sessions, user: userId } = await user();
    const kinds = (await settles(sessions.list({ userId }))).sessions.filter(({ device }) => device !== null).map(({ device: { browser, kind } }) => `${browser} ${kind}`);
    assert.deepEqual(kinds.toSorted(), ["Chrome desktop", "Edge desktop", "Firefox desktop", "Safari mobile", "Safari tablet", "Samsung Internet mobile"]);
  });

  test("latest_activity null: no device, no location, no address, no user agent", async () => {
    const { sessions, user: userId } = await user();
    const [session, ...more] = (await settles(sessions.list({ userId }))).sessions.filter(({ raw }) => raw.latest_activity === null);
    assert.equal(more.length, 0);
    assert.deepEqual([session.device, session.location, session.ipAddress, session.userAgent], [null, null, null, null]);
  });

  test("of a client, and of both", async () => {
    const { sessions, sent, user: userId, client: clientId } = await user();
    const all = (await settles(sessions.list({ clientId }))).sessions;
    assert.deepEqual(sent[0].query, { paginated: "true", client_id: clientId });
    assert.ok(all.every(({ raw }) => raw.client_id === clientId));
    assert.ok(all.some((session) => session.userId !== userId), "others use this client, too");
    const both = (await settles(sessions.list({ clientId, userId }))).sessions;
    assert.deepEqual(sent[1].query, { paginated: "true", user_id: userId, client_id: clientId });
    assert.deepEqual(both.map(({ id }) => id), all.filter((session) => session.userId === userId).map(({ id }) => id));
  });

  test("the clientId of the options is for OAuth, and does not choose whose sessions", async () => {
    const { sessions, sent } = await user({ clientId: "web-client" });
    await fails(sessions.list(), "invalid_argument");
    assert.deepEqual(sent, []);
  });

  test("ids are percent-encoded in the query", async () => {
    const { sessions, sent } = await user();
    const odd = "a b&status=revoked#ż+/?=%2e";
    assert.deepEqual((await settles(sessions.list({ userId: odd, clientId: odd }))).sessions, []);
    assert.deepEqual(sent[0].query, { paginated: "true", user_id: odd, client_id: odd });
  });

  test("nobody has an empty list", async () => {
    const { sessions } = await user();
    assert.deepEqual(await settles(sessions.list({ userId: "user_nobody" })), { sessions: [], count: 0, total: 0, next: null });
  });

  test("status: each of the seven is sent, and read back", async () => {
    const { sessions, sent, user: userId, id } = await user();
    await settles(sessions.revoke(id));
    for (const status of ["active", "revoked", "ended", "expired", "removed", "abandoned", "replaced"]) {
      const { sessions: found } = await settles(sessions.list({ userId, status }));
      assert.equal(sent.at(-1).query.status, status);
      assert.ok(found.every((session) => session.status === status), status);
      assert.equal(found.length, { active: 7, revoked: 1 }[status] ?? 0, status);
    }
  });

  test("status: those of sessions that are over", async () => {
    const { sessions, user: userId } = await user();
    for (const [days, status] of [[31, "expired"], [31, "abandoned"]]) {
      await sandbox.advance(days * 24 * 60 * MINUTE);
      const found = (await settles(sessions.list({ userId, status }))).sessions;
      assert.ok(found.length > 0 && found.every((session) => session.status === status), status);
    }
  });

  test("status: pending is none that lists have, and nothing is sent", async () => {
    const { sessions, sent, user: userId } = await user();
    for (const status of ["pending", "ACTIVE", "", "unknown", "blocked", 1]) await fails(sessions.list({ userId, status }), "invalid_argument", `${status}`);
    assert.deepEqual(sent, []);
  });

  test("pages: pageSize and cursor, and an offset of 0 is sent", async () => {
    const { sessions, sent, user: userId } = await user();
    const all = await sandbox.alive("clerk");
    const first = await settles(sessions.list({ userId, pageSize: 3 }));
    assert.deepEqual([first.sessions.map(({ id }) => id), first.count, first.total, first.next], [all.slice(0, 3), 3, 8, "3"]);
    assert.deepEqual(sent[0].query, { paginated: "true", user_id: userId, limit: "3" });
    const last = await settles(sessions.list({ userId, pageSize: 3, cursor: "6" }));
    assert.deepEqual([last.sessions.map(({ id }) => id), last.count, last.total, last.next], [all.slice(6), 2, 8, null]);
    assert.deepEqual([sent[1].query.limit, sent[1].query.offset], ["3", "6"]);
    const again = await settles(sessions.list({ userId, pageSize: 3, cursor: "0" }));
    assert.match(sent[2].search, /[?&]offset=0(&|$)/);
    assert.deepEqual(again, first);
    const beyond = await settles(sessions.list({ userId, cursor: "100" }));
    assert.deepEqual([beyond.sessions, beyond.total, beyond.next], [[], 8, null]);
  });

  test("every page by for await: each session once, in order", async () => {
    const { sessions, sent, user: userId } = await user();
    const all = await sandbox.alive("clerk");
    for (const [pageSize, offsets] of [[1, 8], [3, 3], [4, 2], [7, 2], [8, 1], [500, 1]]) {
      sent.splice(0);
      assert.deepEqual((await settles(every(sessions.list({ userId, pageSize })))).map(({ id }) => id), all, `${pageSize}`);
      assert.deepEqual(sent.map(({ query }) => query.offset ?? "0"), Array.from({ length: offsets }, (_, page) => `${page * pageSize}`));
      assert.ok(sent.every(({ query }) => query.limit === `${pageSize}` && query.user_id === userId));
    }
  });

  test("every page by for await, with a request first", async () => {
    const { sessions, sent, user: userId, request, id } = await user();
    const all = await settles(every(sessions.list(request, { userId, pageSize: 5 })));
    assert.deepEqual([all.length, sent.length], [8, 2]);
    assert.deepEqual(all.filter(({ current }) => current).map((session) => session.id), [id]);
  });

  test("ten sessions when it is not told how many, and then the next ten", async () => {
    const { sessions, user: userId } = await user();
    for (let more = 0; more < 4; more++) await sandbox.signInOn("clerk");
    const page = await settles(sessions.list({ userId }));
    assert.deepEqual([page.count, page.total, page.next], [10, 12, "10"]);
    assert.equal((await settles(every(sessions.list({ userId })))).length, 12);
  });

  test("a session that slides from page to page comes once", async () => {
    const { sessions, user: userId } = await user();
    const seen = [];
    for await (const { id } of sessions.list({ userId, pageSize: 4 })) {
      seen.push(id);
      // A new one in front moves all the others back by one.
      if (seen.length === 4) await sandbox.signInOn("clerk");
    }
    assert.deepEqual(seen, [...new Set(seen)]);
    assert.equal(seen.length, 8);
  });

  test("an answer that is a bare array, as the OpenAPI document has it", async () => {
    const { sessions, user: userId } = await user();
    const items = Array.from(
      { length: 10 },
      (_, n) => ({ object: "session", id: `sess_${n}`, user_id: userId, client_id: "c", status: "active", last_active_at: 0, expire_at: 1, abandon_at: 2, created_at: 0, updated_at: 0 }),
    );
    const page = (length) => sandbox.faults({ route: "GET /clerk/v1/sessions", fault: { body: JSON.stringify(items.slice(0, length)) } });
    await page(10);
    const full = await settles(sessions.list({ userId }));
    assert.deepEqual([full.sessions.map(({ id }) => id), full.count, full.total, full.next], [items.map(({ id }) => id), 10, null, "10"]);
    assert.deepEqual([full.sessions[0].createdAt, full.sessions[0].expiresAt], [iso(0), iso(1)]);
    for (const [length, pageSize, next] of [[9, undefined, null], [0, undefined, null], [4, 4, "4"], [3, 4, null]]) {
      await page(length);
      const { count, total, next: found } = await settles(sessions.list({ userId, pageSize }));
      assert.deepEqual([count, total, found], [length, null, next], `${length} of ${pageSize}`);
    }
  });

  test("bare arrays of several pages, until one is not full", async () => {
    const { sessions, sent } = faked((request) => {
      const offset = Number(new URL(request.url).searchParams.get("offset") ?? 0);
      return json(Array.from({ length: Math.min(10, 23 - offset) }, (_, n) => ({ id: `sess_${offset + n}` })));
    }, { provider: "clerk", token: SECRET_KEY });
    assert.deepEqual((await settles(every(sessions.list({ userId: "u" })))).map(({ id }) => id), Array.from({ length: 23 }, (_, n) => `sess_${n}`));
    assert.deepEqual(sent.map(({ url }) => new URL(url).searchParams.get("offset")), [null, "10", "20"]);
  });

  test("an empty page is the last one, whatever the total says", async () => {
    const { sessions, sent } = faked(() => json({ data: [], total_count: 50 }), { provider: "clerk", token: SECRET_KEY });
    const { next, total } = await settles(sessions.list({ userId: "u" }));
    assert.deepEqual([next, total], [null, 50]);
    assert.deepEqual(await settles(every(sessions.list({ userId: "u" }))), []);
    assert.equal(sent.length, 2);
  });

  test("another version of the API is the caller's choice", async () => {
    const { sessions, sent, user: userId } = await user({ headers: { "Clerk-API-Version": "2025-11-10" } });
    await settles(sessions.list({ userId }));
    assert.equal(sent[0].headers["clerk-api-version"], "2025-11-10");
  });

  test("neither a user nor a client: refused before anything is sent", async () => {
    const { sessions, sent, request } = await user();
    for (const call of held(sessions.list(), sessions.list({}), sessions.list({ status: "active" }), sessions.list(request), sessions.revokeAll(), sessions.revokeOthers(request))) {
      const { message } = await fails(call, "invalid_argument");
      assert.match(message, /userId/);
    }
    assert.deepEqual(sent, []);
  });

  test("what Clerk would refuse is refused before it is sent", async () => {
    const { sessions, sent, user: userId } = await user();
    for (const pageSize of [0, 501, -1, 1.5, "10", NaN, Infinity, 2 ** 53]) await fails(sessions.list({ userId, pageSize }), "invalid_argument", `${pageSize}`);
    for (const cursor of ["", "-1", "1.5", "abc", "1e3", " 1", "9".repeat(17), 0]) await fails(sessions.list({ userId, cursor }), "invalid_argument", `${cursor}`);
    for (const more of [{ userId: "" }, { userId: 1 }, { userId, clientId: 5 }, { userId, applicationId: "app" }]) await fails(sessions.list(more), "invalid_argument", JSON.stringify(more));
    await fails(every(sessions.list({ userId, pageSize: 501 })), "invalid_argument");
    assert.deepEqual(sent, []);
    assert.equal((await settles(sessions.list({ userId, pageSize: 500 }))).count, 8);
    assert.equal((await settles(sessions.list({ userId, pageSize: 1 }))).count, 1);
    assert.deepEqual(sent.map(({ query }) => query.limit), ["500", "1"]);
  });

  test("actor: who acts for the user stays in raw; times are milliseconds, also before 1973", async () => {
    const actor = { iss: "https://admin.example.com", sub: "user_admin", sid: "sess_admin" };
    const session = {
      object: "session", id: "sess_1", user_id: "user_1", client_id: "client_1", status: "active", created_at: 86_400_000, last_active_at: 1_767_225_600_123,
      expire_at: 4_102_444_800_000, actor, tasks: [{ key: "choose-organization" }], last_active_organization_id: "org_1",
    };
    const { sessions } = faked(() => json({ data: [session], total_count: 1 }), { provider: "clerk", token: SECRET_KEY });
    const [found] = (await settles(sessions.list({ userId: "user_1" }))).sessions;
    assert.deepEqual(found.raw, session);
    assert.deepEqual([found.createdAt, found.lastActiveAt, found.expiresAt], ["1970-01-02T00:00:00.000Z", "2026-01-01T00:00:00.123Z", "2100-01-01T00:00:00.000Z"]);
  });

  test("every status that Clerk has is told as it is, and others are unknown", async () => {
    const statuses = ["active", "revoked", "ended", "expired", "removed", "abandoned", "replaced", "pending", "invented"];
    const { sessions } = faked(() => json(statuses.map((status) => ({ id: `sess_${status}`, status }))), { provider: "clerk", token: SECRET_KEY });
    assert.deepEqual((await settles(sessions.list({ userId: "u" }))).sessions.map(({ status }) => status), [...statuses.slice(0, -1), "unknown"]);
  });

  test("content types with a charset, and with none, are read", async () => {
    const { sessions, user: userId } = await user();
    for (const type of ["application/json; charset=utf-8", "text/plain"]) {
      await sandbox.faults({ route: "GET /clerk/v1/sessions", fault: { "content-type": type } });
      assert.equal((await settles(sessions.list({ userId }))).count, 8, type);
    }
  });

  test("an error is an error, and never an empty list", async () => {
    const { sessions, user: userId } = await user();
    for (const [body, why] of [["{}", "no list"], ['{"data":{}}', "not an array"], ['{"data":[{"object":"session"}]}', "no id"], ["<html>", "no JSON"], ["", "nothing"]]) {
      await sandbox.faults({ route: "GET /clerk/v1/sessions", fault: { body } });
      await fails(sessions.list({ userId }), "invalid_response", why);
    }
  });
});

// ---------------------------------------------------------------- get, create, revoke

describe("get, create, revoke", () => {
  test("get: the same as in the list", async () => {
    const { sessions, lines, forget, user: userId } = await user();
    const listed = (await settles(sessions.list({ userId }))).sessions;
    forget();
    for (const session of listed.slice(0, 3)) assert.deepEqual(await settles(sessions.get(session.id)), session);
    assert.deepEqual(lines(), listed.slice(0, 3).map(({ id }) => `GET /sessions/${id}`));
  });

  test("get: one that is over", async () => {
    const { sessions, id } = await user();
    await settles(sessions.revoke(id));
    assert.equal((await settles(sessions.get(id))).status, "revoked");
  });

  test("create: a session of that user, and its own body", async () => {
    const { sessions, sent, user: userId } = await user();
    const made = await settles(sessions.create({ userId }));
    assert.deepEqual([made.status, made.userId, made.current, made.device], ["active", userId, null, null]);
    assert.deepEqual([sent[0].line, sent[0].body, sent[0].headers["content-type"]], ["POST /sessions", { user_id: userId }, "application/json"]);
    assert.equal((await sandbox.alive("clerk"))[0], made.id);
    assert.deepEqual(await settles(sessions.get(made.id)), made);
  });

  test("create: in an organization", async () => {
    const { sessions, sent, user: userId } = await user();
    const error = await fails(sessions.create({ userId, activeOrganizationId: "org_1" }), "not_found");
    assert.deepEqual([error.status, error.serverCode], [404, "resource_not_found"]);
    assert.deepEqual(sent[0].body, { user_id: userId, active_organization_id: "org_1" });
  });

  test("create: without a user it is not sent", async () => {
    const { sessions, sent } = await user();
    for (const input of [
      undefined, {}, { userId: 7 }, { userId: null }, "user_1", { userId: "u", activeOrganizationId: 5 },
    ]) await fails(sessions.create(input), "invalid_argument", JSON.stringify(input));
    assert.deepEqual(sent, []);
  });

  test("create: never sent twice, whatever becomes of the answer", async () => {
    for (const fault of [{ status: 503, "retry-after": "0" }, { drop: "head", after: true }, { status: 429, "retry-after": "0" }]) {
      await sandbox.reset();
      const { sessions, lines, user: userId } = await user({ maxRetries: 2 });
      await sandbox.faults({ route: "POST /clerk/v1/sessions", fault });
      await fails(sessions.create({ userId }), { 503: "server_error", 429: "rate_limited" }[fault.status] ?? "network");
      assert.deepEqual(lines(), ["POST /sessions"], JSON.stringify(fault));
    }
  });

  test("revoke: no body, and when its tokens end at last", async () => {
    const { sessions, sent, id } = await user();
    const { accessTokenValidUntil, ...result } = await settles(sessions.revoke(id));
    assert.deepEqual(result, { id, success: true, outcome: "revoked", message: null, effect: "refresh-only" });
    closeTo(accessTokenValidUntil, Date.now() + MINUTE);
    assert.deepEqual([sent.length, sent[0].line, sent[0].text, sent[0].headers["content-type"]], [1, revoked(id), "", undefined]);
    assert.equal(await sandbox.endOf("clerk", id), "revoked");
    assert.equal((await settles(sessions.revoke(id))).id, id);
  });

  test("revoke: tried again after a lost answer, and done then", async () => {
    const { sessions, lines, id } = await user({ maxRetries: 2 });
    await sandbox.faults({ route: "POST /clerk/v1/sessions/{id}/revoke", fault: { drop: "head", after: true }, times: 1 });
    const { success, outcome } = await settles(sessions.revoke(id), 8000);
    assert.deepEqual([success, outcome, lines()], [true, "revoked", [revoked(id), revoked(id)]]);
  });

  test("revoke with a user's request: the key is sent, and not the request's token", async () => {
    const { sessions, sent, id, access, request } = await user();
    const other = await sandbox.signInOn("clerk");
    assert.equal((await settles(sessions.revoke(request, other.id))).id, other.id);
    assert.equal(sent[0].headers.authorization, `Bearer ${SECRET_KEY}`);
    assert.ok(!JSON.stringify(sent).includes(access));
    // Its own session: the token that is there tells its end.
    assert.equal((await settles(sessions.revoke(request, id))).accessTokenValidUntil, seconds(claims(access).exp));
  });
});

// ---------------------------------------------------------------- tokens

describe("tokens", () => {
  test("createToken: how long, without an end, and as usual", async () => {
    const { sessions, sent, id } = await user();
    for (const [input, body, lifetime] of [
      [undefined, {}, 60],
      [{}, {}, 60],
      [{ expiresInSeconds: undefined }, {}, 60],
      [{ expiresInSeconds: null }, { expires_in_seconds: null }, 60],
      [{ expiresInSeconds: 30 }, { expires_in_seconds: 30 }, 30],
      [{ expiresInSeconds: 315_360_000 }, { expires_in_seconds: 315_360_000 }, 315_360_000],
    ]) {
      const result = await settles(sessions.createToken(id, input));
      assert.deepEqual(Object.keys(result), ["jwt"]);
      const { sid, iat, exp, template } = claims(result.jwt);
      assert.deepEqual([sid, exp - iat, template], [id, lifetime, undefined], JSON.stringify(input));
      assert.deepEqual([sent.at(-1).line, sent.at(-1).body ?? {}], [`POST /sessions/${id}/tokens`, body]);
    }
    assert.equal(sent.length, 6);
  });

  test("createTokenFromTemplate", async () => {
    const { sessions, sent, id } = await user();
    for (const [input, body, lifetime] of [
      [undefined, {}, 60], [{ expiresInSeconds: null }, { expires_in_seconds: null }, 60], [{ expiresInSeconds: 120 }, { expires_in_seconds: 120 }, 120],
    ]) {
      const { jwt } = await settles(sessions.createTokenFromTemplate(id, "sandbox", input));
      const { sid, iat, exp, template } = claims(jwt);
      assert.deepEqual([sid, exp - iat, template], [id, lifetime, "sandbox"]);
      assert.deepEqual([sent.at(-1).line, sent.at(-1).body ?? {}], [`POST /sessions/${id}/tokens/sandbox`, body]);
    }
    const error = await fails(sessions.createTokenFromTemplate(id, "a b/c?d#e"), "not_found");
    assert.deepEqual([error.status, error.serverCode, sent.at(-1).path], [404, "resource_not_found", `/sessions/${id}/tokens/a%20b%2Fc%3Fd%23e`]);
  });

  test("what Clerk would refuse is refused before it is sent", async () => {
    const { sessions, sent, id } = await user();
    for (const expiresInSeconds of [29, 315_360_001, 0, -30, 60.5, "60", NaN, true]) {
      await fails(sessions.createToken(id, { expiresInSeconds }), "invalid_argument", `${expiresInSeconds}`);
      await fails(sessions.createTokenFromTemplate(id, "sandbox", { expiresInSeconds }), "invalid_argument", `${expiresInSeconds}`);
    }
    for (const template of [undefined, "", ".", "..", 5, "\ud800", "x".repeat(600)]) await fails(sessions.createTokenFromTemplate(id, template), "invalid_argument", `${template}`);
    await fails(sessions.createToken(id, "60"), "invalid_argument");
    assert.deepEqual(sent, []);
  });

  test("a session that is over has no tokens", async () => {
    const { sessions, id } = await user();
    await settles(sessions.revoke(id));
    for (const call of held(sessions.createToken(id), sessions.createTokenFromTemplate(id, "sandbox"), sessions.createToken("sess_unknown"))) {
      const { status, serverCode } = await fails(call, "not_found");
      assert.deepEqual([status, serverCode], [404, "resource_not_found"]);
    }
  });

  const origin = "https://app.example.com";

  test("refreshSession: a token", async () => {
    const { sessions, sent, id, access, refresh } = await user();
    await sandbox.advance(2 * MINUTE);
    for (const format of [undefined, "token"]) {
      const result = await settles(sessions.refreshSession(id, { expiredToken: access, refreshToken: refresh, requestOrigin: origin, format }));
      assert.deepEqual(Object.keys(result), ["jwt"]);
      assert.equal(claims(result.jwt).sid, id);
      assert.ok(claims(result.jwt).exp > claims(access).exp);
      const { line, body, headers } = sent.at(-1);
      assert.deepEqual([line, headers.authorization], [`POST /sessions/${id}/refresh`, `Bearer ${SECRET_KEY}`]);
      assert.deepEqual(body, { expired_token: access, refresh_token: refresh, request_origin: origin, ...(format && { format }) });
    }
  });

  test("refreshSession: cookies, and everything that it takes", async () => {
    const { sessions, sent, id, access, refresh } = await user();
    const requestHeaders = { "user-agent": ["Test/1"], "x-forwarded-for": ["198.51.100.1", "198.51.100.2"] };
    const input = { expiredToken: access, refreshToken: refresh, requestOrigin: origin, requestHeaders, requestOriginatingIp: "198.51.100.1", format: "cookie" };
    const result = await settles(sessions.refreshSession(id, input));
    assert.deepEqual([Object.keys(result), result.cookies.length], [["cookies"], 2]);
    assert.match(result.cookies[0], /^__session=[^;]+; Path=\//);
    assert.deepEqual(
      sent[0].body,
      { expired_token: access, refresh_token: refresh, request_origin: origin, request_headers: requestHeaders, format: "cookie", request_originating_ip: "198.51.100.1" },
    );
  });

  test("refreshSession: what has to be there, and of which kind", async () => {
    const { sessions, sent, id } = await user();
    const input = { expiredToken: "e", refreshToken: "r", requestOrigin: origin };
    for (const wrong of [
      { expiredToken: undefined }, { refreshToken: undefined }, { requestOrigin: null }, { format: "jwt" }, { requestHeaders: "x" }, { requestHeaders: { a: "b" } },
      { requestHeaders: { a: [1] } }, { requestOriginatingIp: 7 }, { expiredToken: 5 },
    ]) {
      await fails(sessions.refreshSession(id, { ...input, ...wrong }), "invalid_argument", JSON.stringify(wrong));
    }
    await fails(sessions.refreshSession(id), "invalid_argument");
    assert.deepEqual(sent, []);
  });

  test("refreshSession: every reason for its 401, once, and without the tokens", async () => {
    const { sessions, sent, id, access, refresh } = await user({ maxRetries: 2 });
    const other = await sandbox.signInOn("clerk");
    const input = { expiredToken: access, refreshToken: refresh, requestOrigin: origin };
    const refused = async (code, id, more) => {
      const error = await fails(sessions.refreshSession(id, { ...input, ...more }), "unauthenticated", code);
      assert.deepEqual([error.status, error.serverCode, error.operation], [401, code, "refreshSession"]);
      for (const secret of [access, refresh, other.refresh, SECRET_KEY]) assert.ok(!told(error).includes(secret));
    };
    await refused("expired_session_token_invalid", id, { expiredToken: "garbage" });
    await refused("refresh_sid_mismatch", other.id);
    await refused("refresh_token_not_found", id, { refreshToken: other.refresh });
    await refused("refresh_request_origin_invalid", id, { requestOrigin: "no origin" });
    await settles(sessions.revoke(id));
    await refused("session_refresh_inactive_session", id);
    assert.equal(sent.length, 6);
  });

  test("refreshSession: never sent twice", async () => {
    const { sessions, sent, id, access, refresh } = await user({ maxRetries: 2 });
    await sandbox.faults({ route: "POST /clerk/v1/sessions/{id}/refresh", fault: { drop: "head", after: true } });
    const error = await fails(sessions.refreshSession(id, { expiredToken: access, refreshToken: refresh, requestOrigin: origin }), "network");
    assert.deepEqual([sent.length, told(error).includes(refresh), told(error).includes(access)], [1, false, false]);
  });

  test("an answer without a token is none", async () => {
    const { sessions, id } = await user();
    await sandbox.faults({ route: "POST /clerk/v1/sessions/{id}/tokens", fault: { body: '{"object":"token"}' } });
    await fails(sessions.createToken(id), "invalid_response");
  });
});

// ---------------------------------------------------------------- ids

describe("ids", () => {
  const HOSTILE = ["a b/c?d", "../users/user_1", "sess_1/revoke", "sess_1?user_id=x", "sess_1#x", "%2e%2e", "%2F", "ż\u{1f600}", "a\nb", "a\\b", "a;b", "@", "null", "[object Object]"];

  test("a hostile id is one segment of the path, and its own", async () => {
    const { sessions, sent } = await user();
    for (const id of HOSTILE) {
      for (const [operation, before, after] of [["get", "GET ", ""], ["revoke", "POST ", "/revoke"], ["createToken", "POST ", "/tokens"]]) {
        assert.equal((await fails(sessions[operation](id), "not_found", id)).status, 404);
        const { line, path, search } = sent.at(-1);
        assert.deepEqual([line, search], [`${before}/sessions/${encodeURIComponent(id)}${after}`, ""]);
        assert.equal(decodeURIComponent(path.split("/")[2]), id);
      }
    }
    assert.equal(sent.length, HOSTILE.length * 3);
    assert.equal((await sandbox.alive("clerk")).length, 8);
  });

  test("what can't be an id is not sent", async () => {
    const { sessions, sent, access } = await user();
    for (const id of ["", ".", "..", undefined, null, 5, {}, [], "\ud800", "x".repeat(513)]) {
      for (const call of held(
        sessions.get(id), sessions.revoke(id), sessions.createToken(id), sessions.createTokenFromTemplate(id, "sandbox"),
        sessions.refreshSession(id, { expiredToken: access, refreshToken: "r", requestOrigin: "https://a.example" }),
      )) {
        await fails(call, "invalid_argument", `${id}`);
      }
    }
    assert.deepEqual(sent, []);
  });
});

// ---------------------------------------------------------------- the current session

describe("the current session, through the user's request", () => {
  test("current: the one that its token names, asked for by id", async () => {
    const { sessions, sent, id, request, access } = await user();
    const session = await settles(sessions.current(request));
    assert.deepEqual([session.id, session.current], [id, true]);
    assert.deepEqual(sent.map(({ line }) => line), [`GET /sessions/${id}`]);
    assert.equal(sent[0].headers.authorization, `Bearer ${SECRET_KEY}`);
    assert.ok(!JSON.stringify(sent).includes(access));
  });

  test("list: marks it", async () => {
    const { sessions, id, request, user: userId } = await user();
    const page = await settles(sessions.list(request, { userId }));
    assert.deepEqual(page.sessions.filter(({ current }) => current === true).map((session) => session.id), [id]);
    assert.equal(page.sessions.filter(({ current }) => current === false).length, 7);
    // One whose session is not among them tells nothing about them.
    const { access } = await sandbox.signInOn("clerk", "other@example.com");
    assert.ok((await settles(sessions.list(bearer(access), { userId }))).sessions.every(({ current }) => current === null));
  });

  test("revokeCurrent: with the key, and until when its token lasts", async () => {
    const { sessions, sent, id, request, access } = await user();
    const result = await settles(sessions.revokeCurrent(request));
    assert.deepEqual(result, { id, success: true, outcome: "revoked", message: null, effect: "refresh-only", accessTokenValidUntil: seconds(claims(access).exp) });
    assert.deepEqual(sent.map(({ line, headers }) => [line, headers.authorization]), [[revoked(id), `Bearer ${SECRET_KEY}`]]);
    assert.equal(await sandbox.endOf("clerk", id), "revoked");
  });

  test("logout: the session is revoked, and its cookies are cleared", async () => {
    const { sessions, sent, id, request, access } = await user({ cookies: [{ name: "__session" }] });
    const result = await settles(sessions.logout({ request }));
    assert.deepEqual([result.success, result.server, result.error, result.setCookie.length], [true, "confirmed", null, 1]);
    assert.match(result.setCookie[0], /^__session=; .*Max-Age=0/);
    assert.deepEqual(sent.map(({ line, headers }) => [line, headers.authorization]), [[revoked(id), `Bearer ${SECRET_KEY}`]]);
    assert.ok(!JSON.stringify(sent).includes(access));
    assert.equal(await sandbox.endOf("clerk", id), "revoked");
  });

  test("logout: has a result where the key is no good, too", async () => {
    const { request, id } = await user();
    const { sessions } = client({ token: "sk_test_wrong" });
    const result = await settles(sessions.logout({ request }));
    assert.deepEqual([result.success, result.server, result.error.code, result.error.serverCode], [false, "rejected", "unauthenticated", "clerk_key_invalid"]);
    assert.equal(await sandbox.endOf("clerk", id), null);
  });

  test("a token without sid, or none that can be read, or no request: current_unknown, and nothing is sent", async () => {
    const { sessions, sent, user: userId } = await user();
    for (const token of [jwt({ sub: userId }), jwt({ sid: "" }), jwt({ sid: 5.5 }), "opaque", "a.b.c"]) {
      for (const call of held(
        sessions.current(bearer(token)), sessions.revokeCurrent(bearer(token)), sessions.revokeOthers(bearer(token), { userId }),
      )) await fails(call, "current_unknown", token);
    }
    for (const call of held(sessions.current(), sessions.revokeCurrent(), sessions.revokeOthers({ userId }))) await fails(call, "current_unknown");
    const { server, error } = await settles(sessions.logout());
    assert.deepEqual([server, error.code], ["skipped", "current_unknown"]);
    assert.deepEqual(sent, []);
  });

  test("a request without Authorization is nobody's", async () => {
    const { sessions, sent, user: userId } = await user();
    const nobody = { headers: {} };
    for (const call of held(
      sessions.list(nobody, { userId }), sessions.current(nobody), sessions.revoke(nobody, "sess_1"), sessions.revokeCurrent(nobody), sessions.revokeAll(nobody, { userId }),
      sessions.revokeOthers(nobody, { userId }),
    )) {
      await fails(call, "unauthenticated");
    }
    assert.deepEqual(sent, []);
  });

  test("a Fetch Request, with Bearer in any case", async () => {
    const { sessions, id, access } = await user();
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      assert.equal((await settles(sessions.current(new Request("https://app.example.com/", { headers: { authorization: `${scheme} ${access}` } })))).id, id, scheme);
    }
  });
});

// ---------------------------------------------------------------- revokeAll, revokeOthers

describe("revokeAll and revokeOthers of a user", () => {
  test("revokeAll: the list, then each that is not over", async () => {
    const { sessions, sent, lines, forget, user: userId, id } = await user();
    await settles(sessions.revoke(id));
    forget();
    const progress = [];
    const { accessTokenValidUntil, ...result } = await settles(sessions.revokeAll({ userId, onProgress: (done, total) => progress.push([done, total]) }));
    assert.deepEqual({ ...result, revoked: result.revoked.length }, { success: true, count: 7, message: null, revoked: 7, effect: "refresh-only" });
    closeTo(accessTokenValidUntil, Date.now() + MINUTE);
    assert.ok(!result.revoked.includes(id));
    assert.deepEqual(progress, [1, 2, 3, 4, 5, 6, 7].map((done) => [done, 7]));
    assert.deepEqual(lines().toSorted(), ["GET /sessions", ...result.revoked.map(revoked)].toSorted());
    assert.deepEqual([sent[0].query.limit, sent[0].query.user_id], ["500", userId]);
    assert.deepEqual(await sandbox.alive("clerk"), []);
    assert.equal((await sandbox.alive("clerk", "other@example.com")).length, 2);
  });

  test("revokeAll with the user's request: the current one last", async () => {
    const { sessions, lines, user: userId, id, request, sent, access } = await user();
    const { count, revoked: ended } = await settles(sessions.revokeAll(request, { userId }));
    assert.deepEqual([count, ended.at(-1), lines().at(-1)], [8, id, revoked(id)]);
    assert.ok(sent.every(({ headers }) => headers.authorization === `Bearer ${SECRET_KEY}`));
    assert.ok(!JSON.stringify(sent).includes(access));
  });

  test("revokeAll with a request whose token names no session: all the same", async () => {
    const { sessions, sent, user: userId } = await user();
    assert.equal((await settles(sessions.revokeAll(bearer("opaque-token"), { userId }))).count, 8);
    assert.ok(!JSON.stringify(sent).includes("opaque-token"));
    assert.deepEqual(await sandbox.alive("clerk"), []);
  });

  test("what would end other sessions than all of the user's is refused: a client has those of several users", async () => {
    const { sessions, sent, user: userId, client: clientId, request } = await user();
    for (const more of [{ clientId }, { userId, clientId }, { userId, status: "active" }, { userId, pageSize: 10 }, { userId, cursor: "3" }, { userId, applicationId: "a" }]) {
      for (const call of held(sessions.revokeAll(more), sessions.revokeOthers(request, more))) await fails(call, "invalid_argument", JSON.stringify(more));
    }
    assert.deepEqual(sent, []);
  });

  test("revokeOthers with the user's request: all but that", async () => {
    const { sessions, lines, user: userId, id, request } = await user();
    const { count, revoked: ended, success } = await settles(sessions.revokeOthers(request, { userId }));
    assert.deepEqual([success, count, ended.length, ended.includes(id)], [true, 7, 7, false]);
    assert.deepEqual(lines().toSorted(), ["GET /sessions", ...ended.map(revoked)].toSorted());
    assert.deepEqual(await sandbox.alive("clerk"), [id]);
    const none = await settles(sessions.revokeOthers(request, { userId }));
    assert.deepEqual([none.count, none.revoked, none.accessTokenValidUntil], [0, [], null]);
  });

  test("revokeOthers: somebody else's request does not end everything", async () => {
    const { sessions, lines, user: userId } = await user();
    const { access } = await sandbox.signInOn("clerk", "other@example.com");
    await fails(sessions.revokeOthers(bearer(access), { userId }), "current_unknown");
    assert.deepEqual(lines(), ["GET /sessions"]);
    assert.equal((await sandbox.alive("clerk")).length, 8);
  });

  test("more sessions than one page holds", async () => {
    const all = Array.from({ length: 1203 }, (_, n) => ({ id: `sess_${n}`, status: n % 400 === 0 ? "expired" : "active" }));
    const ended = [];
    const { sessions, sent } = faked((request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (request.method === "GET") {
        const [offset, limit] = [Number(searchParams.get("offset") ?? 0), Number(searchParams.get("limit"))];
        return json({ data: all.slice(offset, offset + limit), total_count: all.length });
      }
      ended.push(pathname.split("/")[2]);
      return json({ id: ended.at(-1), status: "revoked" });
    }, { provider: "clerk", token: SECRET_KEY });
    const { count } = await settles(sessions.revokeAll({ userId: "user_1" }), 20_000);
    assert.deepEqual(sent.filter(({ method }) => method === "GET").map(({ url }) => new URL(url).searchParams.get("offset") ?? "0"), ["0", "500", "1000"]);
    assert.deepEqual([count, ended.toSorted()], [1199, all.filter(({ status }) => status === "active").map(({ id }) => id).toSorted()]);
  });

  test("what fails in part says exactly what is ended", async () => {
    const { sessions, user: userId, id, request } = await user();
    const others = (await sandbox.alive("clerk")).filter((other) => other !== id);
    const [broken, gone] = others;
    await sandbox.faults(
      { route: `POST /clerk/v1/sessions/${broken}/revoke`, fault: { status: 500 } },
      { route: `POST /clerk/v1/sessions/${gone}/revoke`, fault: { status: 404 } },
    );
    const error = await fails(sessions.revokeOthers(request, { userId }), "partial_revocation");
    assert.deepEqual(error.revoked.toSorted(), others.filter((other) => other !== broken).toSorted());
    assert.deepEqual(error.failed.map(({ id, error: { code, status, operation } }) => [id, code, status, operation]), [[broken, "server_error", 500, "revoke"]]);
    assert.ok(!told(error).includes(SECRET_KEY));
  });

  test("a signal stops it, and says how far it came", async () => {
    const { sessions, user: userId } = await user();
    const controller = new AbortController();
    const error = await fails(sessions.revokeAll({ userId, signal: controller.signal, onProgress: () => controller.abort() }), "partial_revocation");
    assert.equal(error.revoked.length + error.failed.length, 8);
    assert.ok(error.failed.length >= 4 && error.failed.every(({ error: { code } }) => code === "aborted"));
    const alive = await sandbox.alive("clerk");
    assert.ok(error.revoked.every((id) => !alive.includes(id)));
  });
});

// ---------------------------------------------------------------- errors

describe("errors", () => {
  test("401: a wrong key", async () => {
    const { user: userId } = await user();
    const { sessions, lines } = client({ token: "sk_test_wrong_key_0123456789", maxRetries: 2, refreshToken: "r" });
    const error = await fails(sessions.list({ userId }), "unauthenticated");
    assert.deepEqual([error.status, error.serverCode, error.provider, error.operation, error.transient, lines()], [401, "clerk_key_invalid", "clerk", "list", false, ["GET /sessions"]]);
    assert.match(error.requestId, /^[0-9a-f]{32}$/);
    assert.match(error.message, /not the secret key/);
    assert.ok(Array.isArray(error.details) && error.details[0].code === "clerk_key_invalid");
  });

  test("every code of every operation, with its status", async () => {
    const { sessions, id, user: userId, access } = await user();
    const calls = {
      "GET /sessions": () => sessions.list({ userId }),
      "POST /sessions": () => sessions.create({ userId }),
      "GET /sessions/{id}": () => sessions.get(id),
      "POST /sessions/{id}/refresh": () => sessions.refreshSession(id, { expiredToken: access, refreshToken: "r", requestOrigin: "https://a.example" }),
      "POST /sessions/{id}/revoke": () => sessions.revoke(id),
      "POST /sessions/{id}/tokens": () => sessions.createToken(id),
      "POST /sessions/{id}/tokens/{template}": () => sessions.createTokenFromTemplate(id, "sandbox"),
    };
    const unauthenticated = [
      [401, "authentication_invalid", "unauthenticated"], [401, "clerk_key_invalid", "unauthenticated"], [401, "authorization_header_format_invalid", "unauthenticated"],
    ];
    const malformed = [400, "malformed_request_parameters", "rejected"];
    const missing = [404, "resource_not_found", "not_found"];
    const invalid = [422, "form_param_value_invalid", "rejected"];
    const documented = {
      "GET /sessions": [malformed, [400, "missing_query_parameter", "rejected"], invalid],
      "POST /sessions": [malformed, [400, "request_invalid_for_environment", "rejected"], missing, invalid, [422, "form_param_missing", "rejected"]],
      "GET /sessions/{id}": [malformed, missing],
      "POST /sessions/{id}/refresh": [malformed],
      "POST /sessions/{id}/revoke": [malformed, missing],
      "POST /sessions/{id}/tokens": [missing],
      "POST /sessions/{id}/tokens/{template}": [missing],
    };
    for (const [route, call] of Object.entries(calls)) {
      for (const [status, serverCode, code] of [...unauthenticated, ...documented[route], [500, "internal_clerk_error", "server_error"], [429, "too_many_requests", "rate_limited"]]) {
        await refuse(route, status, serverCode, {}, { param_name: "user_id" });
        const error = await fails(call(), code, `${route} ${status} ${serverCode}`);
        assert.deepEqual([error.status, error.serverCode, error.requestId, error.provider], [status, serverCode, "trace-7", "clerk"]);
        assert.deepEqual(error.details, [{ message: "short", long_message: "the long words", code: serverCode, meta: { param_name: "user_id" } }]);
        assert.match(error.message, /the long words/);
        assert.equal(error.transient, status === 429 || status === 500, `${status}`);
      }
    }
  });

  test("404 from the server itself", async () => {
    const { sessions } = await user();
    for (const call of held(sessions.get("sess_unknown"), sessions.revoke("sess_unknown"), sessions.create({ userId: "user_unknown" }))) {
      const error = await fails(call, "not_found");
      assert.deepEqual([error.status, error.serverCode], [404, "resource_not_found"]);
      assert.match(error.requestId, /^[0-9a-f]{32}$/);
    }
  });

  test("429: a hundred in ten seconds, and how long to wait", async () => {
    const { sessions, id } = await user();
    await sandbox.rateLimit(true);
    const outcomes = await Promise.allSettled(Array.from({ length: 101 }, () => settles(sessions.get(id), 20_000)));
    const [{ reason: error }] = outcomes.filter(({ status }) => status === "rejected");
    assert.deepEqual([error.code, error.status, error.serverCode, error.transient], ["rate_limited", 429, "too_many_requests", true]);
    assert.ok(error.retryAfter >= 1 && error.retryAfter <= 10, `${error.retryAfter}`);
  });

  test("429: waited out when the wait is short, and rejected at once when it is not", async () => {
    const { sessions, lines, forget, id } = await user({ maxRetries: 1 });
    await refuse("GET /sessions/{id}", 429, "too_many_requests", { "retry-after": "11" });
    assert.equal((await fails(sessions.get(id), "rate_limited")).retryAfter, 11);
    assert.equal(lines().length, 1);
    forget();
    await sandbox.faults({ route: "GET /clerk/v1/sessions/{id}", fault: { status: 429, "retry-after": "0" }, times: 1 });
    assert.equal((await settles(sessions.get(id))).id, id);
    assert.equal(lines().length, 2);
  });

  test("no key: unauthenticated, and nothing is sent", async () => {
    for (const token of [undefined, () => null, () => "", ""]) {
      const { sessions, sent } = client({ token });
      await fails(sessions.list({ userId: "user_1" }), "unauthenticated");
      await fails(sessions.get("sess_1"), "unauthenticated");
      assert.deepEqual(sent, []);
    }
  });

  test("the key is in no error, hook or result, also where the server repeats it", async () => {
    const events = [];
    const hooks = Object.fromEntries(["onRequest", "onResponse", "onRetry"].map((name) => [name, (event) => events.push(event)]));
    const { sessions, id, user: userId, request, access } = await user({ hooks, maxRetries: 1, cookies: [{ name: "__session" }] });
    // The user's token is known only where their request is.
    const body = JSON.stringify({
      errors: [{ message: `bad ${SECRET_KEY}`, long_message: `the key ${SECRET_KEY} and ${access}`, code: SECRET_KEY, meta: { key: SECRET_KEY, deep: [[SECRET_KEY]] } }],
      clerk_trace_id: SECRET_KEY,
    });
    await sandbox.faults({ route: "/clerk/v1/*", fault: { status: 503, body, "retry-after": "0", headers: { "x-request-id": SECRET_KEY } } });
    const errors = [];
    for (const call of held(
      sessions.list(request, { userId }), sessions.revoke(request, id), sessions.current(request), sessions.revokeCurrent(request),
    )) errors.push(told(await fails(call, "server_error")));
    for (const call of held(
      sessions.list({ userId }), sessions.get(id), sessions.create({ userId }), sessions.createToken(id),
    )) errors.push(told(await fails(call, "server_error")).replaceAll(access, ""));
    errors.push(told(await settles(sessions.logout({ request }))));
    await sandbox.faults();
    errors.push(JSON.stringify(await settles(sessions.list(request, { userId }))));
    assert.ok(events.length > 10);
    for (const text of [...errors, JSON.stringify(events)]) for (const secret of [SECRET_KEY, access]) assert.ok(!text.includes(secret), text);
    assert.ok(events.filter(({ url }) => url).every(({ url }) => !url.includes(id) && url.startsWith("/sessions")), "URLs in hooks are templates");
  });

  test("a redirect is not followed, and the key goes nowhere else", async () => {
    const { sessions, lines, id } = await user();
    await sandbox.faults({ route: "GET /clerk/v1/sessions/{id}", fault: { redirect: `${BASES.rest}/api/v1/sessions` } });
    await fails(sessions.get(id), "invalid_response");
    assert.deepEqual(lines(), [`GET /sessions/${id}`]);
    assert.equal((await sandbox.requests()).length, 1);
  });
});

// ---------------------------------------------------------------- where

describe("where it is called", () => {
  test("the base URL by default, and any other", async () => {
    for (const [baseUrl, url] of [[undefined, "https://api.clerk.com/v1/sessions/sess_1"], ["https://proxy.example.com/clerk/", "https://proxy.example.com/clerk/sessions/sess_1"]]) {
      const { sessions, sent } = faked(() => json({ id: "sess_1" }), { provider: "clerk", baseUrl, token: SECRET_KEY });
      await settles(sessions.get("sess_1"));
      assert.equal(sent[0].url, url);
    }
  });

  test("over plain http to another machine the key is not sent", async () => {
    const { sessions, sent } = faked(() => never(), { provider: "clerk", baseUrl: "http://clerk.example.com/v1", token: SECRET_KEY });
    await fails(sessions.get("sess_1"), "insecure");
    assert.equal(sent.length, 0);
  });

  test("environment is not Clerk's", async () => {
    await fails(createSessions({ provider: "clerk", token: SECRET_KEY, environment: "test" }).get("sess_1"), "invalid_options");
  });

  test("in a browser: insecure, for every operation; allowed by dangerouslyAllowBrowser", async () => {
    const { user: userId, id, request, access } = await user();
    const refused = client();
    const allowed = client({ dangerouslyAllowBrowser: true });
    await inBrowser(async () => {
      const { sessions } = refused;
      const input = { expiredToken: access, refreshToken: "r", requestOrigin: "https://a.example" };
      for (const call of held(
        sessions.list({ userId }), sessions.get(id), sessions.create({ userId }), sessions.revoke(id), sessions.createToken(id), sessions.createTokenFromTemplate(id, "sandbox"),
        sessions.refreshSession(id, input), sessions.current(request), sessions.revokeCurrent(request), sessions.revokeAll({ userId }), sessions.revokeOthers(request, { userId }),
      )) {
        assert.match((await fails(call, "insecure")).message, /auth-sessions\/edge/);
      }
      const { server, error } = await settles(sessions.logout({ request }));
      assert.deepEqual([server, error.code], ["skipped", "insecure"]);
      assert.equal((await settles(allowed.sessions.list({ userId }))).count, 8);
    });
    assert.deepEqual([refused.sent.length, allowed.sent.length], [0, 1]);
    assert.equal((await settles(refused.sessions.list({ userId }))).count, 8, "on a server again");
  });

  test("what Clerk does not have is unsupported", async () => {
    const { sessions, sent } = await user({ refreshToken: "r" });
    await fails(sessions.refresh(), "unsupported");
    assert.deepEqual(sent, []);
  });
});

test("what an input has besides is nobody's option: it may be a stranger's", async () => {
  const { sessions, sent } = faked(() => json({ object: "session", id: "sess_1", status: "active" }), { provider: "clerk", baseUrl: "https://clerk.example.com/v1", token: "sk_test_x" });
  const strange = { base: "https://evil.example", baseUrl: "https://evil.example", provider: "rest", goal: "list", headers: [["x-a", "b"]], isSecure: true, access: "theirs", event: "told" };
  await settles(sessions.create({ userId: "user_1", ...strange }));
  await settles(sessions.createToken("sess_1", strange).catch(() => {}));
  assert.deepEqual(sent.map(({ url }) => url), ["https://clerk.example.com/v1/sessions", "https://clerk.example.com/v1/sessions/sess_1/tokens"]);
  for (const { headers } of sent) assert.deepEqual([headers.get("authorization"), headers.get("x-a")], ["Bearer sk_test_x", null]);
});
