// KSeF 2.0 through the package: every operation, parameter, status and code of its wire, against the real sandbox, and the pace of many revocations.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { BASES, claims, closeTo, createSessions, every, fails, faked, fastForward, held, inBrowser, json, jwt, never, recorded, sandbox, seconds, settles, told } from "./support.mjs";

const BASE = BASES.ksef;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIST = "GET /auth/sessions";
const CURRENT = "DELETE /auth/sessions/current";
const REFRESH = "POST /auth/token/refresh";
const revoked = (id) => `DELETE /auth/sessions/${id}`;
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
/** A reference number that nobody has; of its own for each number. */
const reference = (number = 0) => `20260131-AU-0F8FAD5BD9-${`${number}`.padStart(10, "0")}-70`;
const NOBODY = reference();

beforeEach(() => sandbox.reset());

/** A signed-in user, and a client with their tokens. */
async function user(options, ...who) {
  const signedIn = await sandbox.signInOn("ksef", ...who);
  await sandbox.forget();
  return { ...signedIn, request: bearer(signedIn.access), ...recorded({ provider: "ksef", baseUrl: BASE, token: signedIn.access, refreshToken: signedIn.refresh, ...options }) };
}

/** As many sessions of the demo user as that, the newest of them the caller's. */
async function many(count, options) {
  for (let more = (await sandbox.alive("ksef")).length + 1; more < count; more++) await sandbox.signInOn("ksef");
  return user(options);
}

const fault = (route, fault, more) => sandbox.faults({ route: route.replace(" ", " /ksef/v2"), fault, ...more });

/** An item as KSeF lists it. */
const item = (number, more) => ({
  referenceNumber: reference(number), isCurrent: false, startDate: "2026-01-31T09:30:00.1234567+00:00", authenticationMethod: "Token",
  authenticationMethodInfo: { category: "Token", code: "token.ksef", displayName: "Token KSeF" }, status: { code: 200, description: "Uwierzytelnianie zakończone sukcesem" }, ...more,
});

/** Over a fake fetch that lists these and ends each; `ended` has the reference numbers and the moments. */
function fake(items, options) {
  const ended = [];
  const { sessions, sent } = faked((request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method === "GET") {
      const [from, size] = [Number(request.headers.get("x-continuation-token") ?? 0), Number(searchParams.get("pageSize") ?? 10)];
      const more = from + size < items.length;
      return json({ continuationToken: more ? `${from + size}` : null, items: items.slice(from, from + size) });
    }
    ended.push({ id: pathname.split("/").at(-1), at: Date.now() });
    return new Response(null, { status: 204 });
  }, { provider: "ksef", ...options });
  return { sessions, sent, ended };
}

// ---------------------------------------------------------------- list, get, current

describe("list", () => {
  test("one request, and every field; Polish text and seven digits", async () => {
    const { sessions, sent, id, access } = await user();
    const page = await settles(sessions.list());
    const rows = await sandbox.rows();
    assert.deepEqual(page.sessions.map((session) => session.id), rows.map(({ ids }) => ids.ksef));
    assert.deepEqual([page.count, page.total, page.next], [8, null, null]);
    assert.equal(sent.length, 1);
    const [{ line, search, headers, text }] = sent;
    assert.deepEqual([line, search, text, headers.authorization], [LIST, "", "", `Bearer ${access}`]);
    assert.deepEqual([headers["x-error-format"], headers["x-continuation-token"]], ["problem-details", undefined]);

    const at = rows.findIndex(({ ip_address }) => ip_address === "203.0.113.24");
    const { raw, ...session } = page.sessions[at];
    const { category, code, displayName } = raw.authenticationMethodInfo;
    assert.match(raw.startDate, /\.\d{7}\+00:00$/);
    assert.deepEqual(session, {
      id: rows[at].ids.ksef, status: "active", createdAt: new Date(rows[at].created_at).toISOString(), lastActiveAt: new Date(rows[at].last_active_at).toISOString(),
      expiresAt: new Date(rows[at].expires_at).toISOString(), userAgent: null, ipAddress: null, tenant: null, userId: null, current: false, device: null, location: null,
      method: { category, code, name: displayName },
    });
    assert.deepEqual(page.sessions.filter(({ current }) => current).map((session) => session.id), [id]);
    const seal = page.sessions.find(({ method }) => method.code === "xades.qualified-seal");
    assert.deepEqual(seal.method, { category: "XadesSignature", code: "xades.qualified-seal", name: "Pieczęć kwalifikowana" });
    const names = new Set(page.sessions.map(({ method }) => method.name));
    for (const name of ["Profil Zaufany – logowanie przez Węzeł Krajowy z aplikacją mObywatel", "Token KSeF", "Certyfikat KSeF", "Podpis kwalifikowany"]) assert.ok(names.has(name), name);
    assert.deepEqual(raw.status, { code: 200, description: "Uwierzytelnianie zakończone sukcesem" });
    assert.deepEqual(structuredClone(page), page);
  });

  test("every status, time and optional member", async () => {
    const statuses = {
      100: "pending", 200: "active", 425: "revoked", 480: "blocked", 415: "unknown", 450: "unknown", 460: "unknown", 470: "unknown", 500: "unknown", 550: "unknown",
      999: "unknown",
    };
    const items = Object.keys(statuses).map((code, number) => item(number, { status: { code: Number(code), description: "Opis", details: ["Szczegół"] } }));
    const { sessions } = fake([
      ...items, item(90, { startDate: "2026-07-01T11:30:00.9999999+02:00", lastTokenRefreshDate: "2026-07-01T12:00:00Z", refreshTokenValidUntil: "2026-07-08T12:00:00.5+02:00" }),
      item(91, { isCurrent: undefined, invented: { deep: [1] } }),
    ]);
    const { sessions: found } = await settles(sessions.list({ pageSize: 100 }));
    assert.deepEqual(found.slice(0, items.length).map(({ status }) => status), Object.keys(statuses).map((code) => statuses[code]));
    const [timed, bare] = found.slice(items.length);
    assert.deepEqual([timed.createdAt, timed.lastActiveAt, timed.expiresAt], ["2026-07-01T09:30:00.999Z", "2026-07-01T12:00:00.000Z", "2026-07-08T10:00:00.500Z"]);
    assert.deepEqual([bare.createdAt, bare.lastActiveAt, bare.expiresAt, bare.current, bare.raw.invented], ["2026-01-31T09:30:00.123Z", null, null, null, { deep: [1] }]);
  });

  test("without isCurrent, the token's own reference number tells the current one", async () => {
    const items = [item(1, { isCurrent: undefined }), item(2, { isCurrent: undefined })];
    const { sessions } = fake(items, { token: jwt({ typ: "ContextToken", arn: reference(2) }) });
    assert.deepEqual((await settles(sessions.list())).sessions.map(({ current }) => current), [false, true]);
  });

  test("pages: size and continuation, through all of them", async () => {
    const { sessions, sent } = await many(25);
    const all = await sandbox.alive("ksef");
    const first = await settles(sessions.list({ pageSize: 10 }));
    assert.deepEqual([first.sessions.map(({ id }) => id), first.count, first.total], [all.slice(0, 10), 10, null]);
    assert.equal(sent[0].query.pageSize, "10");
    const second = await settles(sessions.list({ pageSize: 10, cursor: first.next }));
    assert.deepEqual(second.sessions.map(({ id }) => id), all.slice(10, 20));
    assert.deepEqual([sent[1].headers["x-continuation-token"], sent[1].search], [first.next, "?pageSize=10"]);
    const third = await settles(sessions.list({ pageSize: 10, cursor: second.next }));
    assert.deepEqual([third.sessions.map(({ id }) => id), third.next], [all.slice(20), null]);

    for (const [pageSize, requests] of [[undefined, 3], [10, 3], [12, 3], [13, 2], [25, 1], [100, 1]]) {
      sent.splice(0);
      assert.deepEqual((await settles(every(sessions.list({ pageSize })))).map(({ id }) => id), all, `${pageSize}`);
      assert.equal(sent.length, requests);
      assert.ok(sent.every(({ query }) => query.pageSize === (pageSize === undefined ? undefined : `${pageSize}`)));
    }
  });

  test("for await goes on from a cursor", async () => {
    const { sessions, sent } = await many(25);
    const all = await sandbox.alive("ksef");
    const { next } = await settles(sessions.list());
    assert.deepEqual((await settles(every(sessions.list({ cursor: next })))).map(({ id }) => id), all.slice(10));
    assert.equal(sent.length, 3);
  });

  test("the last page: null, absent, empty and blank", async () => {
    const { sessions } = await user();
    for (const last of ['"continuationToken":null,', "", '"continuationToken":"",', '"continuationToken":"  ",', '"continuationToken":"\\t\\n",']) {
      await fault(LIST, { body: `{${last}"items":[${JSON.stringify(item())}]}` });
      const { next, count } = await settles(sessions.list());
      assert.deepEqual([next, count], [null, 1], last);
      assert.equal((await settles(every(sessions.list()))).length, 1);
    }
  });

  test("a token that comes again is an error, and not an endless loop", async () => {
    for (const cycle of [1, 2, 3]) {
      const { sessions, sent } = faked((_, number) => json({ continuationToken: `token-${number % cycle}`, items: [item(number)] }), { provider: "ksef" });
      await fails(every(sessions.list()), "invalid_response", `${cycle}`);
      assert.equal(sent.length, cycle + 1);
      await fails(sessions.revokeAll(), "invalid_response");
      await fails(sessions.get(NOBODY), "invalid_response");
    }
    const { sessions } = faked(() => json({ continuationToken: "same", items: [] }), { provider: "ksef" });
    await fails(sessions.list({ cursor: "same" }), "invalid_response");
  });

  test("what KSeF would refuse is refused before it is sent", async () => {
    const { sessions, sent } = await user();
    for (const pageSize of [0, 9, 101, -1, 10.5, "10", NaN]) await fails(sessions.list({ pageSize }), "invalid_argument", `${pageSize}`);
    for (const cursor of ["", "a\nb", "ż", 5]) await fails(sessions.list({ cursor }), "invalid_argument", `${cursor}`);
    for (const more of [{ userId: "u" }, { clientId: "c" }, { status: "active" }, { applicationId: "a" }]) await fails(sessions.list(more), "invalid_argument", JSON.stringify(more));
    assert.deepEqual(sent, []);
  });

  test("a continuation token that is none: 400, 21418", async () => {
    const { sessions } = await user();
    const error = await fails(sessions.list({ cursor: "!!!" }), "rejected");
    assert.deepEqual([error.status, error.serverCode, error.transient], [400, "21418", false]);
    assert.match(error.message, /Przekazany token kontynuacji ma nieprawidłowy format\./);
  });

  test("of somebody else's request", async () => {
    const { sessions, sent } = await user();
    const other = await sandbox.signInOn("ksef", "other@example.com");
    const { sessions: found } = await settles(sessions.list(bearer(other.access)));
    assert.deepEqual([found.length, found[0].id, found[0].current], [3, other.id, true]);
    assert.equal(sent[0].headers.authorization, `Bearer ${other.access}`);
  });

  test("answers that are no lists", async () => {
    const { sessions } = await user();
    for (const body of ["{}", "[]x", '{"items":{}}', '{"items":[{"startDate":"2026-01-31T09:30:00Z"}]}', "<html>", ""]) {
      await fault(LIST, { body });
      await fails(sessions.list(), "invalid_response", body);
    }
  });
});

describe("get and current", () => {
  test("get: from the list, with pages as large as can be", async () => {
    const { sessions, sent } = await many(25);
    const oldest = (await sandbox.alive("ksef")).at(-1);
    const session = await settles(sessions.get(oldest));
    assert.deepEqual([session.id, session.current, session.raw.referenceNumber], [oldest, false, oldest]);
    assert.deepEqual(sent.map(({ line, query }) => [line, query.pageSize]), [[LIST, "100"]]);
    const { status } = await fails(sessions.get(NOBODY), "not_found");
    assert.equal(status, null);
  });

  test("get and current: on a later page", async () => {
    const { sessions, sent } = fake(Array.from({ length: 250 }, (_, number) => item(number, { isCurrent: number === 230 })));
    assert.equal((await settles(sessions.get(reference(205)))).id, reference(205));
    assert.deepEqual(sent.map(({ headers }) => headers.get("x-continuation-token")), [null, "100", "200"]);
    const session = await settles(sessions.current());
    assert.deepEqual([session.id, session.current, sent.length], [reference(230), true, 6]);
  });

  test("current: one request", async () => {
    const { sessions, lines, id } = await user();
    const session = await settles(sessions.current());
    assert.deepEqual([session.id, session.current, lines()], [id, true, [LIST]]);
    assert.equal((await settles(sessions.current(bearer((await sandbox.signInOn("ksef", "other@example.com")).access)))).current, true);
  });

  test("current_unknown where none of the sessions is", async () => {
    const { sessions } = fake([item(1), item(2)]);
    await fails(sessions.current(), "current_unknown");
    await fails(sessions.revokeOthers(), "current_unknown");
  });
});

// ---------------------------------------------------------------- revoke

describe("revoke", () => {
  test("by its reference number", async () => {
    const { sessions, sent, access } = await user();
    const other = await sandbox.signInOn("ksef");
    const { accessTokenValidUntil, ...result } = await settles(sessions.revoke(other.id));
    assert.deepEqual(result, { id: other.id, success: true, outcome: "revoked", message: null, effect: "refresh-only" });
    closeTo(accessTokenValidUntil, Date.now() + 900_000);
    assert.deepEqual(sent.map(({ line, text, headers }) => [line, text, headers.authorization, headers["x-error-format"]]), [[revoked(other.id), "", `Bearer ${access}`, "problem-details"]]);
    assert.equal(await sandbox.endOf("ksef", other.id), "revoked");
    // Its access token goes on working, its refresh token does not.
    const theirs = createSessions({ provider: "ksef", baseUrl: BASE, token: other.access, refreshToken: other.refresh });
    assert.ok(!(await settles(theirs.list())).sessions.some(({ id }) => id === other.id));
    await fails(theirs.refresh(), "unauthenticated");
    assert.equal((await settles(sessions.revoke(other.id))).success, true, "once more is 204, too");
  });

  test("its own session: until its access token ends", async () => {
    const { sessions, id, access } = await user();
    assert.equal((await settles(sessions.revoke(id))).accessTokenValidUntil, seconds(claims(access).exp));
    assert.equal(await sandbox.endOf("ksef", id), "revoked");
  });

  test("with somebody's request: their token", async () => {
    const { sessions, sent, id } = await user();
    const other = await sandbox.signInOn("ksef", "other@example.com");
    await settles(sessions.revoke(bearer(other.access), other.id));
    assert.equal(sent[0].headers.authorization, `Bearer ${other.access}`);
    const error = await fails(sessions.revoke(bearer(other.access), id), "forbidden");
    assert.deepEqual([error.status, error.serverCode, error.details], [403, "insufficient-resource-access", {}]);
    assert.match(error.message, /Brak dostępu do wskazanego zasobu\./);
    assert.match(error.requestId, /^[0-9a-f]{32}$/);
    assert.equal(await sandbox.endOf("ksef", id), null);
  });

  test("what is no reference number is not sent: least of all \"current\"", async () => {
    const { sessions, sent, id } = await user();
    const wrong = [
      "current", "", ".", "..", id.slice(1), `${id}0`, id.replace("-AU-", "-EU-"), id.replace("-AU-", "-au-"), `${id.slice(0, -1)}g`, `${id.slice(0, 12)}/${id.slice(13)}`,
      id.replaceAll("-", "_"), `${id.slice(0, -3)}%2F`, "ż".repeat(36), "ż".repeat(18), undefined, 5, `x${id.slice(1)}`,
    ];
    for (const bad of wrong) {
      await fails(sessions.revoke(bad), "invalid_argument", `${bad}`);
      await fails(sessions.get(bad), "invalid_argument", `${bad}`);
    }
    assert.deepEqual(sent, []);
  });

  test("a number that nobody has: 400, 21405, with what the server says", async () => {
    const { sessions } = await user();
    const error = await fails(sessions.revoke(NOBODY), "rejected");
    assert.deepEqual([error.status, error.serverCode, error.operation, error.provider], [400, "21405", "revoke", "ksef"]);
    assert.deepEqual(error.details, [{ code: 21405, description: "Błąd walidacji danych wejściowych.", details: [`Sesja o numerze referencyjnym ${NOBODY} nie została znaleziona.`] }]);
    assert.match(error.message, /Błąd walidacji danych wejściowych\./);
  });

  test("tried again after a lost answer", async () => {
    const { sessions, lines } = await user({ maxRetries: 2 });
    const other = await sandbox.signInOn("ksef");
    await fault("DELETE /auth/sessions/{id}", { drop: "head", after: true }, { times: 1 });
    const { success, outcome } = await settles(sessions.revoke(other.id), 8000);
    assert.deepEqual([success, outcome, lines()], [true, "revoked", [revoked(other.id), revoked(other.id)]]);
  });
});

describe("revokeCurrent", () => {
  test("one request of its own, with the access token, the refresh token, or both", async () => {
    for (const given of [["token"], ["refreshToken"], ["token", "refreshToken"]]) {
      const who = await sandbox.signInOn("ksef");
      const tokens = { token: who.access, refreshToken: who.refresh };
      const { sessions, sent } = recorded({ provider: "ksef", baseUrl: BASE, ...Object.fromEntries(given.map((name) => [name, tokens[name]])) });
      const { id, success, outcome, effect, accessTokenValidUntil } = await settles(sessions.revokeCurrent());
      assert.deepEqual([id, success, outcome, effect], [who.id, true, "revoked", "refresh-only"], `${given}`);
      if (given.includes("token")) assert.equal(accessTokenValidUntil, seconds(claims(who.access).exp));
      assert.deepEqual(sent.map(({ line }) => line), [CURRENT]);
      assert.ok(given.some((name) => sent[0].headers.authorization === `Bearer ${tokens[name]}`));
      assert.equal(await sandbox.endOf("ksef", who.id), "logout");
    }
  });

  test("of somebody else's request", async () => {
    const { sessions, sent, id } = await user();
    const other = await sandbox.signInOn("ksef", "other@example.com");
    for (const token of [other.access, other.refresh]) {
      assert.equal((await settles(sessions.revokeCurrent(bearer(token)))).id, other.id);
      assert.equal(sent.at(-1).headers.authorization, `Bearer ${token}`);
    }
    assert.deepEqual([await sandbox.endOf("ksef", other.id, "other@example.com"), await sandbox.endOf("ksef", id)], ["logout", null]);
  });

  test("a token that says nothing: the id is \"current\"", async () => {
    const { sessions } = fake([], { token: "opaque" });
    assert.deepEqual(await settles(sessions.revokeCurrent()), { id: "current", success: true, outcome: "revoked", message: null, effect: "refresh-only", accessTokenValidUntil: null });
  });

  test("the same access token still lists", async () => {
    const { sessions, id } = await user();
    await settles(sessions.revokeCurrent());
    const { sessions: left } = await settles(sessions.list());
    assert.deepEqual([left.length, left.some((session) => session.id === id)], [7, false]);
  });

  test("logout: the same request, with whichever token is there", async () => {
    for (const args of [[], ["given"], [{ request: true }]]) {
      const { sessions, sent, refresh, access, id } = await user(args[0] === "given" ? { token: undefined, refreshToken: undefined } : {});
      const result = await settles(sessions.logout(...args.map((arg) => (arg === "given" ? refresh : { request: bearer(access) }))));
      assert.deepEqual(result, { success: true, message: null, server: "confirmed", cookies: [], setCookie: [], error: null });
      assert.deepEqual(sent.map(({ line }) => line), [CURRENT]);
      assert.equal(await sandbox.endOf("ksef", id), "logout");
    }
  });

  test("logout: a token of the wrong kind, and one that is none", async () => {
    for (const [token, code, status] of [["garbage", "unauthenticated", 401]]) {
      const { sessions } = recorded({ provider: "ksef", baseUrl: BASE, token });
      const { success, server, error } = await settles(sessions.logout());
      assert.deepEqual([success, server, error.code, error.status], [false, "rejected", code, status]);
    }
    const { sessions, sent } = recorded({ provider: "ksef", baseUrl: BASE });
    assert.deepEqual([(await settles(sessions.logout())).server, sent], ["skipped", []]);
  });
});

// ---------------------------------------------------------------- many

describe("revokeAll and revokeOthers", () => {
  test("revokeOthers: the list, then each by its number", async () => {
    const { sessions, lines, sent, id } = await user();
    const others = (await sandbox.alive("ksef")).filter((other) => other !== id);
    const progress = [];
    const { accessTokenValidUntil, ...result } = await settles(sessions.revokeOthers({ onProgress: (done, total) => progress.push([done, total]) }));
    assert.deepEqual({ ...result, revoked: result.revoked.toSorted() }, { success: true, count: 7, message: null, revoked: others.toSorted(), effect: "refresh-only" });
    closeTo(accessTokenValidUntil, Date.now() + 900_000);
    assert.deepEqual(progress, [1, 2, 3, 4, 5, 6, 7].map((done) => [done, 7]));
    assert.deepEqual(lines().toSorted(), [...others.map(revoked), LIST].toSorted());
    assert.equal(sent[0].query.pageSize, "100");
    assert.deepEqual(await sandbox.alive("ksef"), [id]);
  });

  test("revokeAll: the current one last", async () => {
    const { sessions, lines, id } = await user();
    const { count, revoked: ended } = await settles(sessions.revokeAll());
    assert.deepEqual([count, ended.at(-1), lines().at(-1)], [8, id, revoked(id)]);
    assert.deepEqual([await sandbox.alive("ksef"), (await sandbox.alive("ksef", "other@example.com")).length], [[], 2]);
  });

  test("of somebody else's request, with their token alone", async () => {
    const { sessions, sent, access, refresh } = await user();
    const other = await sandbox.signInOn("ksef", "other@example.com");
    assert.equal((await settles(sessions.revokeOthers(bearer(other.access)))).count, 2);
    assert.equal((await settles(sessions.revokeAll(bearer(other.access)))).count, 1);
    assert.ok(sent.every(({ headers }) => headers.authorization === `Bearer ${other.access}`));
    assert.ok(![access, refresh].some((secret) => JSON.stringify(sent).includes(secret)));
    assert.equal((await sandbox.alive("ksef")).length, 8);
  });

  test("no filter and no page: all are all", async () => {
    const { sessions, sent } = await user();
    for (const more of [{ pageSize: 50 }, { cursor: "x" }, { userId: "u" }, { applicationId: "a" }, { clientId: "c" }, { status: "active" }]) {
      for (const call of held(sessions.revokeAll(more), sessions.revokeOthers(more))) await fails(call, "invalid_argument", JSON.stringify(more));
    }
    assert.deepEqual(sent, []);
  });

  test("more than ten: the server's own limits let all of them through", async () => {
    const { sessions, lines } = await many(14);
    await sandbox.rateLimit(true);
    assert.equal((await settles(sessions.revokeAll(), 20_000)).count, 14);
    assert.equal(lines().length, 15, "none was refused and sent again");
    assert.ok((await sandbox.requests()).every(({ status }) => status < 300));
  });

  test("not faster than 10 a second, 30 a minute and 120 an hour, and not slower", async () => {
    const { sessions, ended } = fake(Array.from({ length: 122 }, (_, number) => item(number, { isCurrent: number === 5 })));
    const progress = [];
    const { elapsed, promise } = await fastForward(() => sessions.revokeAll({ onProgress: (done) => progress.push(done) }), 2 * HOUR, 100);
    const { count, revoked: order } = await promise;
    assert.deepEqual([count, new Set(order).size, order.at(-1), ended.at(-1).id], [122, 122, reference(5), reference(5)]);
    assert.deepEqual(progress, Array.from({ length: 122 }, (_, n) => n + 1));
    const times = ended.map(({ at }) => at - ended[0].at);
    for (const [window, most] of [[1000, 10], [MINUTE, 30], [HOUR, 120]]) {
      for (let n = most; n < times.length; n++) assert.ok(times[n] - times[n - most] >= window, `${most + 1} within ${times[n] - times[n - most]} ms`);
    }
    // As fast as the three allow, but for the steps of the clock.
    const soonest = [];
    for (let n = 0; n < 122; n++) soonest.push(Math.max(0, (soonest[n - 10] ?? -Infinity) + 1000, (soonest[n - 30] ?? -Infinity) + MINUTE, (soonest[n - 120] ?? -Infinity) + HOUR));
    for (const [n, time] of times.entries()) assert.ok(time - soonest[n] <= 3000, `number ${n} came at ${time}, not at ${soonest[n]}`);
    assert.ok(elapsed < HOUR + 5000);
  });

  test("exactly ten in the first second, thirty in the first minute", async () => {
    for (const [count, least, most] of [[10, 0, 500], [11, 1000, 1500], [30, 2000, 3000], [31, MINUTE, MINUTE + 1000]]) {
      const { sessions, ended } = fake(Array.from({ length: count }, (_, number) => item(number)));
      await (await fastForward(() => sessions.revokeAll())).promise;
      const took = ended.at(-1).at - ended[0].at;
      assert.ok(took >= least && took <= most, `${count} took ${took} ms`);
    }
  });

  test("the runs of one client count together", async () => {
    const { sessions, ended } = fake(Array.from({ length: 20 }, (_, number) => item(number)));
    await (await fastForward(async () => {
      await sessions.revokeAll();
      await sessions.revokeAll();
    })).promise;
    const times = ended.map(({ at }) => at);
    assert.equal(times.length, 40);
    for (let n = 30; n < 40; n++) assert.ok(times[n] - times[n - 30] >= MINUTE);
  });

  test("one at a time", async () => {
    let open = 0;
    const { sessions } = faked(async (request) => {
      if (request.method === "GET") return json({ items: Array.from({ length: 10 }, (_, number) => item(number)) });
      assert.equal(++open, 1);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return new Response(null, { status: 204 });
    }, { provider: "ksef" });
    assert.equal((await settles(sessions.revokeAll())).count, 10);
  });

  test("an abort while it waits settles at once, and says what is ended", async () => {
    const { sessions, ended } = fake(Array.from({ length: 40 }, (_, number) => item(number)));
    const controller = new AbortController();
    const onProgress = (done) => done === 30 && setImmediate(() => controller.abort("enough"));
    const { elapsed, promise } = await fastForward(() => sessions.revokeAll({ signal: controller.signal, onProgress }));
    const error = await fails(promise, "partial_revocation");
    assert.deepEqual([ended.length, error.revoked], [30, ended.map(({ id }) => id)]);
    assert.deepEqual([error.failed.length, new Set(error.failed.map(({ error: { code } }) => code))], [10, new Set(["aborted"])]);
    assert.ok(elapsed < 4000, `${elapsed} ms`);
  });

  test("the total time is not for the whole run", async () => {
    const { sessions } = fake(Array.from({ length: 35 }, (_, number) => item(number)), { totalTimeout: 5000, timeout: 1000 });
    const { elapsed, promise } = await fastForward(() => sessions.revokeAll());
    assert.equal((await promise).count, 35);
    assert.ok(elapsed >= MINUTE);
  });

  test("a block in the middle: what was ended, and that the rest was not tried", async () => {
    const items = Array.from({ length: 8 }, (_, number) => item(number));
    let asked = 0;
    const { sessions } = faked((request) => {
      if (request.method === "GET") return json({ items });
      return ++asked === 4 ? json(
        { status: { code: 429, description: "Too Many Requests", details: ["Przekroczono limit."] } }, { status: 429, headers: { "retry-after": "2492" } },
      ) : new Response(null, { status: 204 });
    }, { provider: "ksef" });
    const error = await fails(sessions.revokeAll(), "partial_revocation");
    assert.deepEqual([asked, error.revoked.length, error.failed.length], [4, 3, 5]);
    assert.ok(error.failed.every(({ error: { code, retryAfter } }) => code === "rate_limited" && retryAfter === 2492));
  });

  test("what fails in part says exactly what is ended", async () => {
    const { sessions, id } = await user();
    const others = (await sandbox.alive("ksef")).filter((other) => other !== id);
    await fault(revoked(others[2]), { status: 500 });
    const error = await fails(sessions.revokeOthers(), "partial_revocation");
    assert.deepEqual(error.revoked.toSorted(), others.filter((other) => other !== others[2]).toSorted());
    assert.deepEqual(error.failed.map(({ id, error: { code, status } }) => [id, code, status]), [[others[2], "server_error", 500]]);
    assert.deepEqual((await sandbox.alive("ksef")).toSorted(), [id, others[2]].toSorted());
  });
});

// ---------------------------------------------------------------- refresh

describe("refresh", () => {
  test("a new access token; the refresh token stays, and is told as the one that is valid", async () => {
    const pairs = [];
    const { sessions, sent, access, refresh } = await user({ onTokens: (tokens) => pairs.push(tokens) });
    const tokens = await settles(sessions.refresh());
    assert.deepEqual(Object.keys(tokens).toSorted(), ["accessToken", "expiresAt", "refreshToken"]);
    assert.deepEqual([tokens.refreshToken, claims(tokens.accessToken).typ, tokens.accessToken === access], [refresh, "ContextToken", false]);
    assert.equal(tokens.expiresAt, seconds(claims(tokens.accessToken).exp));
    assert.deepEqual(sent.map(({ line, text, headers }) => [line, text, headers.authorization]), [[REFRESH, "", `Bearer ${refresh}`]]);
    assert.deepEqual(pairs, [tokens]);
    await settles(sessions.list());
    assert.equal(sent[1].headers.authorization, `Bearer ${tokens.accessToken}`);
    assert.equal((await settles(sessions.refresh())).refreshToken, refresh, "not rotated: once more works");
  });

  test("validUntil tells the end of a token that does not say it itself", async () => {
    const { sessions } = faked(() => json({ accessToken: { token: "opaque", validUntil: "2026-01-31T10:45:00.1234567+01:00" } }), { provider: "ksef", refreshToken: "r" });
    assert.deepEqual(await settles(sessions.refresh()), { accessToken: "opaque", refreshToken: "r", expiresAt: "2026-01-31T09:45:00.123Z" });
  });

  test("an access token that ran out is refreshed once, also for many calls", async () => {
    const { sessions, lines } = await user();
    await sandbox.advance(16 * MINUTE);
    const pages = await settles(Promise.all([sessions.list(), sessions.list(), sessions.current()]));
    assert.equal(pages[0].count, 8);
    assert.equal(lines().filter((line) => line === REFRESH).length, 1);
  });

  test("a lost answer: the token is not rotated, so it is sent again", async () => {
    for (const lost of [{ drop: "head", after: true }, { status: 500 }, { truncate: true }]) {
      const { sessions, lines, refresh } = await user();
      await fault(REFRESH, lost, { times: 1 });
      await fails(sessions.refresh(), { 500: "server_error" }[lost.status] ?? (lost.drop ? "network" : "invalid_response"));
      assert.deepEqual(lines(), [REFRESH], "not by itself");
      assert.equal((await settles(sessions.refresh())).refreshToken, refresh);
    }
  });

  test("a revoked session: 400 and 21301 are unauthenticated, in the server's words", async () => {
    const { sessions, lines, refresh } = await user({ maxRetries: 2 });
    await settles(sessions.revokeCurrent());
    const error = await fails(sessions.refresh(), "unauthenticated");
    assert.deepEqual([error.status, error.serverCode, error.operation, error.transient], [400, "21301", "refresh", false]);
    assert.deepEqual(error.details, [{ code: 21301, description: "Brak autoryzacji.", details: ["Status uwierzytelnienia (425) nie pozwala na odświeżenie tokenu dostępowego."] }]);
    assert.match(error.requestId, /^[0-9a-f]{32}$/);
    assert.deepEqual(lines(), [CURRENT, REFRESH]);
    assert.ok(!told(error).includes(refresh));
  });

  test("the same in the older form, and for each of its details", async () => {
    const { sessions } = await user();
    for (const detail of [
      "Status uwierzytelnienia (425) nie pozwala na odświeżenie tokenu dostępowego.", "Status uwierzytelnienia (480) nie pozwala na odświeżenie tokenu dostępowego.",
      "Token KSeF został unieważniony.",
    ]) {
      const list = [{ exceptionCode: 21301, exceptionDescription: "Brak autoryzacji.", details: [detail] }];
      await fault(
        REFRESH,
        {
          status: 400,
          body: JSON.stringify({ exception: { exceptionDetailList: list, referenceNumber: "r", serviceCode: "c", serviceCtx: "x", serviceName: "n", timestamp: "2026-01-31T09:30:00" } }),
        },
      );
      const error = await fails(sessions.refresh(), "unauthenticated");
      assert.deepEqual([error.status, error.serverCode, error.details], [400, "21301", list]);
    }
  });

  test("a session that is gone, and one that must not: 21304, 21308", async () => {
    const { sessions, refresh } = await user();
    const refused = async (code) => {
      const error = await fails(sessions.refresh(), "unauthenticated", code);
      assert.deepEqual([error.status, error.serverCode], [400, code]);
    };
    for (const code of [21304, 21308]) {
      await fault(REFRESH, { status: 400, body: JSON.stringify({ title: "Bad Request", status: 400, errors: [{ code, description: "Brak uwierzytelnienia.", details: null }] }) });
      await refused(`${code}`);
    }
    assert.equal(claims(refresh).typ, "RefreshToken");
  });

  test("a token of the wrong kind, and none at all", async () => {
    const { access } = await user();
    const wrong = recorded({ provider: "ksef", baseUrl: BASE, token: access, refreshToken: access });
    assert.equal((await fails(wrong.sessions.refresh(), "forbidden")).status, 403);
    const none = recorded({ provider: "ksef", baseUrl: BASE, token: access });
    await fails(none.sessions.refresh(), "unauthenticated");
    assert.deepEqual(none.sent, []);
    const garbage = recorded({ provider: "ksef", baseUrl: BASE, refreshToken: "garbage" });
    assert.equal((await fails(garbage.sessions.refresh(), "unauthenticated")).status, 401);
  });

  test("an answer without a token is none", async () => {
    const { sessions } = await user();
    for (const body of ["{}", '{"accessToken":{}}', '{"accessToken":{"token":""}}', '{"accessToken":"x"}']) {
      await fault(REFRESH, { body });
      await fails(sessions.refresh(), "invalid_response", body);
    }
  });
});

// ---------------------------------------------------------------- errors, warnings

describe("errors", () => {
  const ROUTES = (sessions, id) => ({
    [LIST]: () => sessions.list(), [revoked("{id}")]: () => sessions.revoke(id), [CURRENT]: () => sessions.revokeCurrent(), [REFRESH]: () => sessions.refresh(),
  });

  test("both forms of a 400, of every operation", async () => {
    const { sessions, sent, id } = await user();
    const problem = [{ code: 21405, description: "Błąd walidacji", details: ["a", "b"] }];
    const exception = [{ exceptionCode: 21405, exceptionDescription: "Błąd walidacji", details: ["a"] }];
    for (const [route, call] of Object.entries(ROUTES(sessions, id))) {
      for (const [body, details, requestId] of [
        [
          { title: "Bad Request", status: 400, instance: "/v2/auth", detail: "Żądanie jest nieprawidłowe.", errors: problem, timestamp: "2026-01-31T09:30:00Z", traceId: "trace-1" },
          problem, "trace-1",
        ],
        [{ exception: { exceptionDetailList: exception, referenceNumber: "r", serviceCode: "c", serviceCtx: "x", serviceName: "n", timestamp: "2026-01-31T09:30:00" } }, exception, null],
      ]) {
        await fault(route, { status: 400, body: JSON.stringify(body) });
        const error = await fails(call(), "rejected", route);
        assert.deepEqual([error.status, error.serverCode, error.details, error.requestId], [400, "21405", details, requestId]);
        assert.match(error.message, /Błąd walidacji/);
      }
    }
    assert.ok(sent.every(({ headers }) => headers["x-error-format"] === "problem-details"));
  });

  test("401, of every operation", async () => {
    const { sessions } = recorded({ provider: "ksef", baseUrl: BASE, token: "garbage", refreshToken: "garbage-refresh" });
    for (const call of [() => sessions.list(), () => sessions.revoke(NOBODY), () => sessions.revokeCurrent(), () => sessions.refresh()]) {
      const error = await fails(call(), "unauthenticated");
      assert.equal(error.status, 401);
      assert.match(error.message, /Wymagane jest uwierzytelnienie\./);
      assert.match(error.requestId, /^[0-9a-f]{32}$/);
    }
  });

  test("403 without a body", async () => {
    const { refresh, id } = await user();
    const { sessions } = recorded({ provider: "ksef", baseUrl: BASE, token: refresh });
    for (const call of held(sessions.list(), sessions.revoke(id))) {
      const error = await fails(call, "forbidden");
      assert.deepEqual([error.status, error.serverCode, error.details, error.requestId, error.transient], [403, null, null, null, false]);
      assert.ok(error.message.length > 10);
    }
  });

  test("403 with each reason, of every operation", async () => {
    const { sessions, id } = await user();
    for (const [route, call] of Object.entries(ROUTES(sessions, id))) {
      for (const reasonCode of ["missing-permissions", "ip-not-allowed", "insufficient-resource-access", "auth-method-not-allowed", "security-service-blocked", "context-type-not-allowed"]) {
        const security = { requiredAnyPermissions: ["CredentialsManage"] };
        await fault(
          route,
          {
            status: 403, "content-type": "application/problem+json",
            body: JSON.stringify({ title: "Forbidden", status: 403, detail: "Brak uprawnień.", reasonCode, security, traceId: "trace-2", timestamp: "2026-01-31T09:30:00Z" }),
          },
        );
        const error = await fails(call(), "forbidden", `${route} ${reasonCode}`);
        assert.deepEqual([error.status, error.serverCode, error.details, error.requestId], [403, reasonCode, security, "trace-2"]);
        assert.match(error.message, /Brak uprawnień\./);
      }
    }
  });

  test("429 beyond maxRetryAfter is rejected at once, in both forms, of every operation", async () => {
    const { sessions, lines, forget, id } = await user({ maxRetries: 5 });
    const status = { code: 429, description: "Too Many Requests", details: ["Przekroczono limit 120 żądań na godzinę."] };
    const problem = { title: "Too Many Requests", status: 429, detail: "Przekroczono limit żądań.", timestamp: "2026-01-31T09:30:00Z", traceId: "trace-3" };
    for (const [route, call] of Object.entries(ROUTES(sessions, id))) {
      for (const [body, wait, details, requestId] of [[{ status }, 2492, status.details, null], [problem, 3565, null, "trace-3"]]) {
        forget();
        await fault(route, { status: 429, "retry-after": `${wait}`, body: JSON.stringify(body) });
        const error = await fails(call(), "rate_limited", route);
        assert.deepEqual([error.status, error.retryAfter, error.details, error.requestId, error.transient], [429, wait, details, requestId, true]);
        assert.equal(lines().length, 1);
      }
    }
  });

  test("429 from the server itself", async () => {
    const { sessions } = await user();
    await sandbox.rateLimit(true);
    const outcomes = await Promise.allSettled(Array.from({ length: 11 }, () => settles(sessions.list())));
    const [{ reason: error }, ...more] = outcomes.filter(({ status }) => status === "rejected");
    assert.equal(more.length, 0, "ten in a second");
    assert.deepEqual([error.code, error.status, error.retryAfter], ["rate_limited", 429, 1]);
    assert.match(error.message, /Przekroczono limit żądań/);
  });

  test("500, and 404 without a body", async () => {
    const { sessions, id } = await user();
    for (const [status, code] of [[404, "not_found"], [405, "rejected"], [500, "server_error"]]) {
      for (const [route, call] of Object.entries(ROUTES(sessions, id))) {
        await fault(route, { status, body: "" });
        assert.equal((await fails(call(), code, route)).status, status);
      }
    }
  });

  test("the tokens are in no error and no hook, also where the server repeats them", async () => {
    const events = [];
    const hooks = Object.fromEntries(["onRequest", "onResponse", "onRetry"].map((name) => [name, (event) => events.push(event)]));
    const { sessions, access, refresh, id } = await user({ hooks });
    const words = `${access} ${refresh}`;
    await sandbox.faults({
      route: "/ksef/v2/*",
      fault: {
        status: 400, body: JSON.stringify({ title: words, errors: [{ code: words, description: words, details: [words] }], traceId: words }),
        headers: { "x-system-warning": `[1]: ${words}` },
      },
    });
    for (const call of Object.values(ROUTES(sessions, id))) {
      const text = told(await fails(call(), "rejected"));
      for (const secret of [access, refresh]) assert.ok(!text.includes(secret), text);
    }
    for (const secret of [access, refresh, id]) assert.ok(!JSON.stringify(events).includes(secret));
    assert.equal(events.filter(({ warnings }) => warnings?.length === 1).length, 4);
  });

  test("X-System-Warning reaches onResponse, as a list", async () => {
    const events = [];
    const { sessions } = await user({ hooks: { onResponse: (event) => events.push(event) } });
    for (const [header, warnings] of [["[60001]: Zmiana limitow", ["[60001]: Zmiana limitow"]], ["[1]: a | [2]: b, c|[3]:d", ["[1]: a", "[2]: b, c", "[3]:d"]]]) {
      await sandbox.faults({ route: "/ksef/v2/*", fault: { headers: { "x-system-warning": header } } });
      await settles(sessions.list());
      assert.deepEqual(events.at(-1).warnings, warnings);
      await fails(sessions.revoke(NOBODY), "rejected");
      assert.deepEqual(events.at(-1).warnings, warnings, "beside an error, too");
    }
    await sandbox.faults();
    await settles(sessions.list());
    const { operation, method, url, attempt, status, warnings } = events.at(-1);
    assert.deepEqual([operation, method, url, attempt, status, warnings], ["list", "GET", "/auth/sessions", 1, 200, []]);
  });
});

// ---------------------------------------------------------------- where

describe("where it is called", () => {
  test("each environment has its base URL", async () => {
    for (const [options, base] of [
      [{}, "https://api.ksef.mf.gov.pl/v2"],
      [{ environment: "production" }, "https://api.ksef.mf.gov.pl/v2"],
      [{ environment: "demo" }, "https://api-demo.ksef.mf.gov.pl/v2"],
      [{ environment: "test" }, "https://api-test.ksef.mf.gov.pl/v2"],
      [{ environment: "test", baseUrl: "https://proxy.example.com/ksef" }, "https://proxy.example.com/ksef"],
    ]) {
      const { sessions, sent } = faked(
        (request) => (request.method === "GET" ? json({ items: [] }) : new Response(null, { status: 204 })), { provider: "ksef", baseUrl: undefined, ...options },
      );
      await settles(sessions.list());
      await settles(sessions.revoke(NOBODY));
      await settles(sessions.revokeCurrent());
      assert.deepEqual(sent.map(({ method, url }) => `${method} ${url}`), [`GET ${base}/auth/sessions`, `DELETE ${base}/auth/sessions/${NOBODY}`, `DELETE ${base}/auth/sessions/current`]);
    }
    for (const environment of ["staging", "", 1]) await fails(createSessions({ provider: "ksef", environment, token: "t" }).list(), "invalid_options", `${environment}`);
  });

  test("in a browser: unsupported, with the way out, unless a base URL is given", async () => {
    const refused = faked(() => never(), { provider: "ksef", baseUrl: undefined, refreshToken: "r" });
    const proxied = faked(() => json({ items: [item()] }), { provider: "ksef", baseUrl: "https://app.example.com/ksef" });
    await inBrowser(async () => {
      const { sessions } = refused;
      for (const call of held(
        sessions.list(), sessions.get(NOBODY), sessions.current(), sessions.revoke(NOBODY), sessions.revokeCurrent(), sessions.revokeAll(), sessions.revokeOthers(),
        sessions.refresh(),
      )) {
        assert.match((await fails(call, "unsupported")).message, /auth-sessions\/edge/);
      }
      const { server, error } = await settles(sessions.logout());
      assert.deepEqual([server, error.code], ["skipped", "unsupported"]);
      assert.equal((await settles(proxied.sessions.list())).count, 1);
    });
    assert.deepEqual([refused.sent.length, proxied.sent.length], [0, 1]);
  });

  test("what KSeF does not have is unsupported", async () => {
    const { sessions, sent } = await user();
    const input = { expiredToken: "e", refreshToken: "r", requestOrigin: "https://a.example" };
    for (const call of held(
      sessions.create({ userId: "u" }), sessions.createToken(NOBODY), sessions.createTokenFromTemplate(NOBODY, "t"), sessions.refreshSession(NOBODY, input),
    )) await fails(call, "unsupported");
    assert.deepEqual(sent, []);
  });
});
