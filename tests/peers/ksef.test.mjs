// The sandbox's KSeF wire, asked by two clients of others. They ask for different forms of errors: `ksef-client` for the older one,
// `ksef-client-ts` for problem details.
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { KsefApiError, KsefClient, KsefHttpError, KsefRateLimitError } from "ksef-client";
import { KSeFApiError, KSeFBadRequestError, KSeFClient, KSeFForbiddenError, KSeFRateLimitError, KSeFUnauthorizedError } from "ksef-client-ts";
import { specs } from "./openapi.mjs";
import { claims, failure, KSEF, onPurpose, recorder, sandbox } from "./support.mjs";

// Only this one lets its `fetch` be chosen.
const RECORDED = "ksef-client-ts";
const recording = recorder(specs.ksef, `${KSEF}/v2`);

beforeEach(() => sandbox.reset());
after(() => assert.deepEqual(recording.violations, [], "against KSeF's OpenAPI document"));

/** What both can do, called the same: `error` gives the codes that it reads from an error. */
const CLIENTS = {
  "ksef-client": ({ access, refresh }) => {
    const client = new KsefClient({ baseUrl: KSEF, retryOn429: false, noProxy: "*" });
    if (access) client.authManager.setTokens({ accessToken: { token: access }, refreshToken: { token: refresh } });
    return {
      list: (size, token) => client.activeSessions.listActiveSessions(size, token),
      revoke: (reference) => client.activeSessions.revokeSession(reference),
      revokeCurrent: () => client.activeSessions.revokeCurrentSession(),
      refresh: (token) => client.auth.refreshAccessToken(token),
      redeem: (token) => client.auth.redeemToken(token),
    };
  },
  [RECORDED]: ({ access }) => {
    const client = new KSeFClient({ baseUrl: KSEF, transport: recording.fetch, retry: { maxRetries: 0 } });
    if (access) client.authManager.setAccessToken(access);
    return {
      list: (size, token) => client.activeSessions.getActiveSessions(size, token),
      revoke: (reference) => client.activeSessions.revokeSession(reference),
      revokeCurrent: () => client.activeSessions.revokeCurrentSession(),
      refresh: (token) => client.auth.refreshAccessToken(token),
      redeem: (token) => client.auth.getAccessToken(token),
    };
  },
};

/** A 400 as each of them reads it: code, description, details. */
function badRequest(error) {
  if (error instanceof KSeFBadRequestError) {
    assert.ok(error.detail && error.instance && error.traceId && error.timestamp);
    return error.errors.map(({ code, description, details }) => [code, description, details ?? []]);
  }
  assert.ok(error instanceof KsefApiError, error.stack);
  assert.equal(error.statusCode, 400);
  return error.responseBody.exception.exceptionDetailList.map(({ exceptionCode, exceptionDescription, details }) => [exceptionCode, exceptionDescription, details ?? []]);
}

const REFERENCE = /^\d{8}-AU-[0-9A-F]{10}-[0-9A-F]{10}-[0-9A-F]{2}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?[+-]\d\d:\d\d$/;

for (const [name, connect] of Object.entries(CLIENTS)) {
  describe(name, () => {
    test("lists the active sessions, newest first, and which is the current one", async () => {
      const user = await sandbox.signIn("ksef");
      const { items, continuationToken } = await connect(user).list();
      const rows = (await sandbox.rows()).filter(({ state }) => state === "active");
      assert.deepEqual(items.map(({ referenceNumber }) => referenceNumber), rows.map(({ ids }) => ids.ksef));
      assert.ok(!continuationToken);
      assert.deepEqual(items.filter(({ isCurrent }) => isCurrent).map(({ referenceNumber }) => referenceNumber), [user.id]);
      assert.equal(claims(user.access).arn, user.id);
      for (const [at, item] of items.entries()) {
        assert.match(item.referenceNumber, REFERENCE);
        assert.match(item.startDate, TIME);
        assert.equal(Date.parse(item.startDate), Date.parse(rows[at].created_at));
        assert.equal(Date.parse(item.refreshTokenValidUntil), Date.parse(rows[at].expires_at));
        assert.deepEqual([item.status.code, typeof item.authenticationMethod], [200, "string"]);
        assert.ok(item.authenticationMethodInfo.displayName && item.authenticationMethodInfo.code && item.authenticationMethodInfo.category);
      }
      assert.ok(new Set(items.map(({ authenticationMethodInfo }) => authenticationMethodInfo.category)).size > 1);
    });

    test("pages through them with the continuation token", async () => {
      for (let n = 0; n < 15; n++) await sandbox.signIn("ksef");
      const user = await sandbox.signIn("ksef");
      const client = connect(user);
      const pages = [];
      for (let token; pages.length === 0 || token; ) {
        const page = await client.list(10, token);
        pages.push(page.items.map(({ referenceNumber }) => referenceNumber));
        token = page.continuationToken;
        assert.ok(pages.length <= 3, "it goes on for ever");
      }
      const rows = (await sandbox.rows()).filter(({ state }) => state === "active").map(({ ids }) => ids.ksef);
      assert.deepEqual(pages.map(({ length }) => length), [10, 10, rows.length - 20]);
      assert.deepEqual(pages.flat(), rows);
      assert.deepEqual((await client.list(100)).items.map(({ referenceNumber }) => referenceNumber), rows);
    });

    test("is told of a bad page size and of a bad continuation token", async () => {
      const client = connect(await sandbox.signIn("ksef"));
      for (const size of [9, 101]) {
        const [[code, description, details]] = badRequest(await failure(client.list(size)));
        assert.deepEqual([code, description, details.length], [21405, "Błąd walidacji danych wejściowych.", 1]);
      }
      if (name === RECORDED) onPurpose(specs.ksef, recording, "GET /auth/sessions: query parameter pageSize must be >= 10", "GET /auth/sessions: query parameter pageSize must be <= 100");
      assert.deepEqual(badRequest(await failure(client.list(10, "not a token"))), [[21418, "Przekazany token kontynuacji ma nieprawidłowy format.", []]]);
    });

    test("revokes one: gone from the list, and it can't be refreshed; its access token is good until it expires", async () => {
      const [mine, other] = [await sandbox.signIn("ksef"), await sandbox.signIn("ksef")];
      const client = connect(mine);
      await client.revoke(other.id);
      assert.deepEqual([(await sandbox.row("ksef", other.id)).state, (await sandbox.row("ksef", mine.id)).state], ["ended", "active"]);
      assert.ok(!(await client.list()).items.some(({ referenceNumber }) => referenceNumber === other.id));
      assert.deepEqual(badRequest(await failure(client.refresh(other.refresh))), [[21301, "Brak autoryzacji.", ["Status uwierzytelnienia (425) nie pozwala na odświeżenie tokenu dostępowego."]]]);
      const { items } = await connect(other).list();
      assert.ok(items.some(({ referenceNumber }) => referenceNumber === mine.id));
      assert.ok(!items.some(({ isCurrent }) => isCurrent));
      await sandbox.advance(901_000);
      await unauthorized(connect({ ...other, refresh: undefined }).list());
    });

    test("revokes the current one, with the access token", async () => {
      const user = await sandbox.signIn("ksef");
      const client = connect(user);
      await client.revokeCurrent();
      assert.equal((await sandbox.row("ksef", user.id)).state, "ended");
      assert.ok(!(await client.list()).items.some(({ referenceNumber }) => referenceNumber === user.id));
      badRequest(await failure(client.refresh(user.refresh)));
    });

    test("or with the refresh token", async () => {
      const user = await sandbox.signIn("ksef");
      await connect({ access: user.refresh, refresh: user.refresh }).revokeCurrent();
      assert.equal((await sandbox.row("ksef", user.id)).state, "ended");
    });

    test("can't revoke somebody else's, or what is no reference number", async () => {
      const client = connect(await sandbox.signIn("ksef"));
      const stranger = await sandbox.signIn("ksef", "other@example.com");
      const error = await failure(client.revoke(stranger.id));
      assert.equal(error.statusCode, 403, error.stack);
      if (error instanceof KSeFForbiddenError) assert.equal(error.reasonCode, "insufficient-resource-access");
      assert.equal((await sandbox.row("ksef", stranger.id)).state, "active");
      assert.equal(badRequest(await failure(client.revoke("short")))[0][0], 21405);
      if (name === RECORDED) onPurpose(specs.ksef, recording, "DELETE /auth/sessions/{referenceNumber}: path parameter referenceNumber must NOT have fewer than 36 characters");
    });

    test("refreshes, again and again with the same token", async () => {
      const user = await sandbox.signIn("ksef");
      const client = connect(user);
      await sandbox.advance(60_000);
      const first = await client.refresh(user.refresh);
      await sandbox.advance(60_000);
      const second = await client.refresh(user.refresh);
      for (const answer of [first, second]) {
        assert.deepEqual(Object.keys(answer), ["accessToken"]);
        const { arn, typ, iat, exp } = claims(answer.accessToken.token);
        assert.deepEqual([arn, typ, exp - iat], [user.id, "ContextToken", 900]);
        assert.match(answer.accessToken.validUntil, TIME);
        assert.equal(Date.parse(answer.accessToken.validUntil), exp * 1000);
      }
      const { items } = await connect({ access: second.accessToken.token, refresh: user.refresh }).list();
      const current = items.find(({ isCurrent }) => isCurrent);
      assert.equal(current.referenceNumber, user.id);
      assert.ok(Date.parse(current.lastTokenRefreshDate) >= Date.parse(current.startDate) + 120_000);
    });

    test("redeems an authentication token once", async () => {
      const user = await sandbox.signIn("ksef");
      const client = connect(user);
      const { accessToken, refreshToken } = await client.redeem(user.authenticationToken);
      assert.deepEqual([accessToken, refreshToken].map(({ token }) => [claims(token).arn, claims(token).typ]), [[user.id, "ContextToken"], [user.id, "RefreshToken"]]);
      const redeemed = connect({ access: accessToken.token, refresh: refreshToken.token });
      assert.ok((await redeemed.list()).items.some(({ isCurrent }) => isCurrent));
      assert.deepEqual(badRequest(await failure(client.redeem(user.authenticationToken))), [[21301, "Brak autoryzacji.", [`Tokeny dla operacji uwierzytelniania ${user.id} zostały już pobrane.`]]]);
    });

    test("is not let in with no token of ours, or one of another kind", async () => {
      const user = await sandbox.signIn("ksef");
      await unauthorized(connect({ access: "no-token", refresh: "no-token" }).list());
      await unauthorized(connect(user).refresh("no-token"));
      for (const call of [() => connect({ access: user.refresh, refresh: user.refresh }).list(), () => connect(user).refresh(user.access), () => connect(user).redeem(user.access)]) {
        assert.equal((await failure(call())).statusCode, 403);
      }
    });

    test("is told when to come again", async () => {
      const client = connect(await sandbox.signIn("ksef"));
      await sandbox.rateLimit(true);
      const outcomes = await Promise.allSettled(Array.from({ length: 31 }, () => client.list()));
      const errors = outcomes.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
      assert.ok(errors.length > 0, "31 requests are one more than a minute allows");
      for (const error of errors) {
        assert.ok(error instanceof KsefRateLimitError || error instanceof KSeFRateLimitError, error.stack);
        const seconds = error instanceof KSeFRateLimitError ? error.retryAfterSeconds : Number(error.retryAfter);
        assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, `${seconds}`);
      }
    });
  });
}

async function unauthorized(promise) {
  const error = await failure(promise);
  assert.ok(error instanceof KsefHttpError || error instanceof KSeFUnauthorizedError, error.stack);
  assert.equal(error.statusCode, 401);
}

test("an access token that has expired is refreshed by the client itself", async () => {
  const user = await sandbox.signIn("ksef");
  await sandbox.advance(901_000);
  const client = new KSeFClient({ baseUrl: KSEF, transport: recording.fetch, retry: { maxRetries: 0 } });
  client.authManager.setAccessToken(user.access);
  client.authManager.setRefreshToken(user.refresh);
  const { items } = await client.activeSessions.getActiveSessions();
  assert.ok(items.some(({ isCurrent, referenceNumber }) => isCurrent && referenceNumber === user.id));
});

test("a system warning reaches the client", async () => {
  const user = await sandbox.signIn("ksef");
  const warnings = [];
  const client = new KSeFClient({ baseUrl: KSEF, transport: recording.fetch, customHeaders: { "X-Test-System-Warning": "[W1]: first | [W2]: second" }, onSystemWarning: (warning) => warnings.push(warning) });
  client.authManager.setAccessToken(user.access);
  await client.activeSessions.getActiveSessions();
  assert.deepEqual(warnings, ["[W1]: first | [W2]: second"]);
});

test("the older form of an error, where it is asked for", async () => {
  const client = new KSeFClient({ baseUrl: KSEF, transport: recording.fetch, errorFormat: "legacy", retry: { maxRetries: 0 } });
  client.authManager.setAccessToken((await sandbox.signIn("ksef")).access);
  const error = await failure(client.activeSessions.getActiveSessions(10, "not a token"));
  assert.ok(error instanceof KSeFApiError && !(error instanceof KSeFBadRequestError), error.stack);
  assert.equal(error.message, "Przekazany token kontynuacji ma nieprawidłowy format.");
});

test("the requests went through the recording", { skip: specs.ksef === null && "the OpenAPI documents (specs) are not present" }, () => {
  for (const line of [/^GET \/auth\/sessions 200$/, /^DELETE \/auth\/sessions\/current 204$/, /^DELETE \/auth\/sessions\/\d{8}-AU-[^/]+ 204$/, /^POST \/auth\/token\/refresh 200$/, /^POST \/auth\/token\/redeem 200$/]) assert.ok(recording.calls.some((call) => line.test(call)), String(line));
});
