// The sandbox's Clerk wire, asked by Clerk's own client: what that reads there, it reads from the real API.
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { specs } from "./openapi.mjs";
import { claims, CLERK, failure, onPurpose, recorder, sandbox, SECRET_KEY } from "./support.mjs";

// The client takes hold of the global `fetch`: when it is loaded, or at each call, as NODE_ENV is.
const recording = recorder(specs.clerk, `${CLERK}/v1`);
globalThis.fetch = recording.fetch;
const { createClerkClient } = await import("@clerk/backend");
const { isClerkAPIResponseError } = await import("@clerk/backend/errors");

const client = (secretKey) => createClerkClient({ secretKey, apiUrl: CLERK, telemetry: { disabled: true } }).sessions;
const sessions = client(SECRET_KEY);

beforeEach(() => sandbox.reset());
after(() => assert.deepEqual(recording.violations, [], "against Clerk's OpenAPI document"));

/** What the client makes of an error. */
async function refuses(promise, status, code) {
  const error = await failure(promise);
  assert.ok(isClerkAPIResponseError(error), error.stack);
  assert.deepEqual([error.status, error.errors.map((item) => item.code)], [status, [code]], error.message);
  assert.ok(error.errors[0].message.length > 0 && error.errors[0].longMessage.length > 0);
  assert.match(error.clerkTraceId, /^[0-9a-f]{32}$/);
  return error;
}

describe("getSessionList", () => {
  test("has the user's sessions, newest first, with their devices", async () => {
    const { user, id, client } = await sandbox.signIn("clerk");
    const { data, totalCount } = await sessions.getSessionList({ userId: user, limit: 100 });
    const rows = await sandbox.rows();
    assert.deepEqual(data.map(({ id }) => id), rows.map(({ ids }) => ids.clerk));
    assert.deepEqual([totalCount, data[0].id, data[0].clientId], [rows.length, id, client]);
    assert.ok(data.every(({ userId }) => userId === user));
    for (const [at, session] of data.entries()) {
      assert.deepEqual([session.createdAt, session.lastActiveAt, session.expireAt], [rows[at].created_at, rows[at].last_active_at, rows[at].expires_at].map((time) => Date.parse(time)));
      assert.ok(session.abandonAt > session.expireAt);
    }
    const phone = data.find(({ latestActivity }) => latestActivity?.deviceType === "iPhone").latestActivity;
    assert.deepEqual([phone.isMobile, phone.browserName, phone.browserVersion, phone.ipAddress, phone.city, phone.country], [true, "Safari", "26.4", "2001:db8:4f2:1c00::7", "Warsaw", "PL"]);
    // The one that OAuth minted.
    assert.equal(data.filter(({ latestActivity }) => latestActivity === null).length, 1);
  });

  test("pages, filters, and whose", async () => {
    const { user, client } = await sandbox.signIn("clerk");
    const all = (await sessions.getSessionList({ userId: user, limit: 500 })).data.map(({ id }) => id);
    const page = await sessions.getSessionList({ userId: user, limit: 3, offset: 2 });
    assert.deepEqual([page.data.map(({ id }) => id), page.totalCount], [all.slice(2, 5), all.length]);
    assert.deepEqual((await sessions.getSessionList({ userId: user, offset: all.length })).data, []);
    const web = await sessions.getSessionList({ clientId: client, limit: 500 });
    assert.ok(web.data.length > 0 && web.data.every(({ clientId }) => clientId === client));
    assert.ok(web.data.some(({ userId }) => userId !== user), "other users have sessions with that client, too");
    assert.ok((await sessions.getSessionList({ clientId: client, userId: user, limit: 500 })).data.every(({ clientId, userId }) => clientId === client && userId === user));
    assert.deepEqual(await sessions.getSessionList({ userId: "user_nobody" }), { data: [], totalCount: 0 });

    await sessions.revokeSession(all[1]);
    const revoked = await sessions.getSessionList({ userId: user, status: "revoked" });
    assert.deepEqual([revoked.data.map(({ id }) => id), revoked.totalCount], [[all[1]], 1]);
    const active = await sessions.getSessionList({ userId: user, status: "active", limit: 500 });
    assert.deepEqual(active.data.map(({ id }) => id), all.filter((id) => id !== all[1]));
  });

  test("has ten when it is not told how many", async () => {
    const { user } = await sandbox.signIn("clerk");
    for (let n = 0; n < 4; n++) await sandbox.signIn("clerk");
    const { data, totalCount } = await sessions.getSessionList({ userId: user });
    assert.equal(data.length, 10);
    assert.ok(totalCount > 10);
  });

  test("is refused without an id, and with values that are none", async () => {
    const { user: userId } = await sandbox.signIn("clerk");
    await refuses(sessions.getSessionList({}), 400, "missing_query_parameter");
    await refuses(sessions.getSessionList({ userId, status: "pending" }), 422, "form_param_value_invalid");
    await refuses(sessions.getSessionList({ userId, limit: 501 }), 422, "form_param_value_invalid");
    await refuses(sessions.getSessionList({ userId, limit: -1 }), 422, "form_param_value_invalid");
    await refuses(sessions.getSessionList({ userId, offset: -1 }), 422, "form_param_value_invalid");
    const about = "GET /sessions: query parameter";
    onPurpose(specs.clerk, recording, `${about} status must be equal to one of the allowed values`, `${about} limit must be <= 500`, `${about} limit must be >= 1`, `${about} offset must be >= 0`);
  });
});

describe("getSession", () => {
  test("is the same as in the list", async () => {
    const { user, id } = await sandbox.signIn("clerk");
    const { data } = await sessions.getSessionList({ userId: user });
    for (const session of data) assert.deepEqual(await sessions.getSession(session.id), session);
    assert.equal(data[0].id, id);
    assert.deepEqual([data[0].status, data[0].actor, data[0].lastActiveOrganizationId], ["active", null, null]);
  });

  test("of nobody is a 404, whatever the id is", async () => {
    const { id } = await sandbox.signIn("clerk");
    for (const unknown of ["sess_unknown", `${id.slice(0, -1)}x`, id.toUpperCase(), "a b", "ż"]) await refuses(sessions.getSession(unknown), 404, "resource_not_found");
  });

  test("an expired one says so", async () => {
    const { id } = await sandbox.signIn("clerk");
    await sandbox.advance(8 * 24 * 3600 * 1000);
    assert.equal((await sessions.getSession(id)).status, "expired");
  });
});

describe("createSession", () => {
  test("makes an active one of that user", async () => {
    const { user } = await sandbox.signIn("clerk");
    const count = (await sandbox.rows()).length;
    const made = await sessions.createSession({ userId: user });
    assert.deepEqual([made.status, made.userId], ["active", user]);
    assert.equal((await sandbox.row("clerk", made.id)).state, "active");
    assert.equal((await sandbox.rows()).length, count + 1);
    assert.deepEqual(await sessions.getSession(made.id), made);
  });

  test("is refused for nobody", async () => {
    await refuses(sessions.createSession({ userId: "user_nobody" }), 404, "resource_not_found");
    // An empty object is not even sent.
    const error = await failure(sessions.createSession({}));
    assert.equal(error.status, 422, error.message);
    onPurpose(specs.clerk, recording, "POST /sessions: the body is missing");
  });
});

describe("revokeSession", () => {
  test("ends it, for good and alone", async () => {
    const [mine, other] = [await sandbox.signIn("clerk"), await sandbox.signIn("clerk")];
    const revoked = await sessions.revokeSession(mine.id);
    assert.deepEqual([revoked.id, revoked.status], [mine.id, "revoked"]);
    assert.deepEqual([(await sandbox.row("clerk", mine.id)).state, (await sandbox.row("clerk", other.id)).state], ["ended", "active"]);
    assert.deepEqual(await sessions.getSession(mine.id), revoked);
    assert.ok(revoked.updatedAt >= revoked.createdAt);
  });

  test("any user's: the key is the application's", async () => {
    const { id } = await sandbox.signIn("clerk", "other@example.com");
    assert.equal((await sessions.revokeSession(id)).status, "revoked");
  });

  test("of nobody is a 404", async () => {
    await refuses(sessions.revokeSession("sess_unknown"), 404, "resource_not_found");
  });
});

describe("getToken", () => {
  test("is a session token for a minute, or for as long as it is told", async () => {
    const { id, user } = await sandbox.signIn("clerk");
    const { jwt } = await sessions.getToken(id);
    const { sid, sub, iat, exp } = claims(jwt);
    assert.deepEqual([sid, sub, exp - iat], [id, user, 60]);
    const longer = claims((await sessions.getToken(id, undefined, 3600)).jwt);
    assert.equal(longer.exp - longer.iat, 3600);
  });

  test("with a template, and with one that there is not", async () => {
    const { id, user } = await sandbox.signIn("clerk");
    const made = claims((await sessions.getToken(id, "sandbox", 30)).jwt);
    assert.deepEqual([made.sub, made.exp - made.iat], [user, 30]);
    await refuses(sessions.getToken(id, "unknown"), 404, "resource_not_found");
  });

  test("not of a session that is revoked, or nobody's", async () => {
    const { id } = await sandbox.signIn("clerk");
    await sessions.revokeSession(id);
    await refuses(sessions.getToken(id), 404, "resource_not_found");
    await refuses(sessions.getToken(id, "sandbox"), 404, "resource_not_found");
    await refuses(sessions.getToken("sess_unknown"), 404, "resource_not_found");
  });
});

describe("refreshSession", () => {
  const parameters = ({ access, refresh }, more) => ({ expired_token: access, refresh_token: refresh, request_origin: "https://app.example.com", request_headers: { "user-agent": ["a browser"] }, format: "token", ...more });

  test("gives a new token for one that has expired", async () => {
    const user = await sandbox.signIn("clerk");
    await sandbox.advance(61_000);
    const { jwt } = await sessions.refreshSession(user.id, parameters(user));
    assert.equal(claims(jwt).sid, user.id);
    assert.ok(claims(jwt).iat > claims(user.access).exp);
  });

  test("or cookies", async () => {
    const user = await sandbox.signIn("clerk");
    const { cookies } = await sessions.refreshSession(user.id, parameters(user, { format: "cookie", request_originating_ip: "203.0.113.1" }));
    const session = cookies.find((cookie) => cookie.startsWith("__session="));
    assert.equal(claims(session.slice("__session=".length).split(";")[0]).sid, user.id);
  });

  test("every refusal is a 401 with its own code", async () => {
    const [user, another] = [await sandbox.signIn("clerk"), await sandbox.signIn("clerk")];
    await refuses(sessions.refreshSession(user.id, parameters(user, { refresh_token: "unknown" })), 401, "refresh_token_not_found");
    await refuses(sessions.refreshSession(user.id, parameters(user, { refresh_token: another.refresh })), 401, "refresh_token_not_found");
    await refuses(sessions.refreshSession(user.id, parameters(user, { expired_token: "no token" })), 401, "expired_session_token_invalid");
    await refuses(sessions.refreshSession(user.id, parameters(user, { expired_token: another.access })), 401, "refresh_sid_mismatch");
    await sessions.revokeSession(user.id);
    await refuses(sessions.refreshSession(user.id, parameters(user)), 401, "session_refresh_inactive_session");
  });
});

describe("in general", () => {
  test("a wrong key is a 401 everywhere", async () => {
    const { id, user } = await sandbox.signIn("clerk");
    const stranger = client("sk_test_somebody_elses");
    const calls = [() => stranger.getSessionList({ userId: user }), () => stranger.getSession(id), () => stranger.createSession({ userId: user }), () => stranger.revokeSession(id), () => stranger.getToken(id)];
    for (const call of calls) await refuses(call(), 401, "clerk_key_invalid");
    assert.equal((await sandbox.row("clerk", id)).state, "active");
  });

  test("the rate limit says for how long", async () => {
    const { id } = await sandbox.signIn("clerk");
    await sandbox.rateLimit(true);
    for (let n = 0; n < 100; n++) await sessions.getSession(id);
    const error = await failure(sessions.getSession(id));
    assert.equal(error.status, 429, error.message);
    assert.ok(error.retryAfter >= 1 && error.retryAfter <= 10, `${error.retryAfter}`);
  });
});

test("the client's requests went through the recording", { skip: specs.clerk === null && "the OpenAPI documents (specs) are not present" }, () => {
  for (const line of [/^GET \/sessions 200$/, /^POST \/sessions 200$/, /^GET \/sessions\/sess_\w+ 200$/, /^POST \/sessions\/sess_\w+\/revoke 200$/, /^POST \/sessions\/sess_\w+\/tokens 200$/, /^POST \/sessions\/sess_\w+\/tokens\/sandbox 200$/, /^POST \/sessions\/sess_\w+\/refresh 200$/]) assert.ok(recording.calls.some((call) => line.test(call)), String(line));
});
