// The package's client on a page, over `edgeHandler`, the handler and the real sandbox: the same object with the same results as a direct connection, and it never sees a token.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APP, BASES, G1, SECRET_KEY, SessionsError, browserOf, createSessions, createSessionsHandler, edgeHandler, every, fails, held, inBrowser, json, jwt, never, sandbox, settles, told } from "./support.mjs";

const AUTHVITAL = { provider: "authvital", baseUrl: G1, clientId: "web-client", maxRetries: 0 };

/** A signed-in user's browser: the page's client in `page`, and `direct`, one that has the tokens itself. */
async function signedIn(options, wire) {
  await sandbox.reset();
  const user = wire ? await sandbox.signInOn(wire) : await sandbox.signIn();
  const back = { ...AUTHVITAL, ...options?.sessions };
  const handle = createSessionsHandler({ ...options, sessions: back, ...(wire === "clerk" && { scope: () => ({ userId: user.user }) }) });
  const browser = browserOf(handle, { access_token: user.access, ...(user.refresh && { refresh_token: user.refresh }) });
  const direct = createSessions({ ...back, ...(wire !== "clerk" && { token: user.access, refreshToken: user.refresh }) });
  await sandbox.forget();
  return { ...user, ...browser, page: browser.sessions, direct, handle };
}

/** Nothing that a script got to see holds a token. */
function sawNoToken({ seen, jar, access, refresh }) {
  for (const text of seen) {
    for (const token of [access, refresh, SECRET_KEY, ...Object.values(jar)]) assert.ok(!token || !text.includes(token), text);
  }
}

const BACK_ENDS = [
  ["authvital", {}],
  ["clerk", { provider: "clerk", baseUrl: BASES.clerk, token: SECRET_KEY, clientId: undefined }, "clerk"],
  ["ksef", { provider: "ksef", baseUrl: BASES.ksef, clientId: undefined }, "ksef"],
  ["rest", { provider: "rest", baseUrl: BASES.rest, clientId: undefined }, "rest"],
];

for (const [name, sessions, wire] of BACK_ENDS) {
  const isKey = name === "clerk";

  describe(name, () => {
    test("list: as a direct client has it", async () => {
      const user = await signedIn({ sessions }, wire);
      const request = isKey ? [{ headers: { authorization: `Bearer ${user.access}` } }, { userId: user.user }] : [];
      const [mine, theirs] = [await user.page.list(), await user.direct.list(...request)];
      const shown = (page) => ({ ...page, sessions: page.sessions.map((session) => ({ ...session, raw: null, lastActiveAt: null })) });
      assert.deepEqual(shown(mine), shown(theirs));
      assert.equal(mine.sessions.length, 8);
      for (const [at, { raw, lastActiveAt }] of mine.sessions.entries()) {
        assert.equal(typeof lastActiveAt, typeof theirs.sessions[at].lastActiveAt);
        assert.equal(raw === null, isKey);
      }
      assert.deepEqual(mine.sessions.filter(({ current }) => current).map(({ id }) => id), [user.id]);
      assert.deepEqual((await every(user.page.list())).map(({ id }) => id), theirs.sessions.map(({ id }) => id));
      sawNoToken(user);
    });

    test("get, current, revoke, revokeCurrent", async () => {
      const user = await signedIn({ sessions }, wire);
      const { page, id } = user;
      const current = await page.current();
      assert.deepEqual([current.id, current.current], [id, true]);
      assert.deepEqual((await page.get(id)).id, id);
      const [other] = (await page.list()).sessions.filter((session) => session.id !== id);
      const ended = await page.revoke(other.id);
      assert.deepEqual([ended.id, ended.success, ended.outcome, ended.effect], [other.id, true, "revoked", name === "rest" ? "unknown" : "refresh-only"]);
      // Clerk lists those that are over, too.
      if (isKey) assert.equal((await page.get(other.id)).status, "revoked");
      else await fails(page.get(other.id), "not_found");
      const own = await page.revokeCurrent();
      assert.deepEqual([own.id, own.success], [id, true]);
      const rows = await sandbox.rows();
      assert.equal(rows.filter(({ state }) => state === "active").length, 6);
      sawNoToken(user);
    });

    test("revokeOthers, revokeAll, logout", async () => {
      const user = await signedIn({ sessions }, wire);
      const others = await user.page.revokeOthers();
      assert.deepEqual([others.success, others.count, others.revoked.length, others.revoked.includes(user.id)], [true, 7, 7, false]);
      assert.equal((await sandbox.active()).length, 1);
      assert.ok(user.jar.access_token);
      const all = await user.page.revokeAll();
      assert.deepEqual([all.success, user.jar], [true, {}]);
      assert.equal((await sandbox.active()).length, 0);
      sawNoToken(user);

      const again = await signedIn({ sessions }, wire);
      const out = await again.page.logout();
      assert.deepEqual([out.success, out.server, out.error, out.setCookie, again.jar], [true, "confirmed", null, [], {}]);
      assert.equal((await sandbox.active()).length, 7);
      sawNoToken(again);
      if (!isKey) await fails(again.page.list(), "unauthenticated");
    });
  });
}

test("results are the same as a direct client's, member by member", async () => {
  const user = await signedIn();
  const ids = (await sandbox.active()).filter((id) => id !== user.id);
  const [mine, theirs] = [await user.page.revoke(ids[0]), await user.direct.revoke(ids[1])];
  // The moment is another one.
  const still = (result) => ({ ...result, id: 0, accessTokenValidUntil: typeof result.accessTokenValidUntil });
  assert.deepEqual(still(mine), still(theirs));
  const others = await user.page.revokeOthers();
  const direct = await user.direct.revokeOthers();
  assert.deepEqual(Object.keys(others), Object.keys(direct));
  assert.deepEqual([direct.count, others.count, others.revoked.length], [0, 5, 5]);
  const gone = await user.page.revokeAll();
  const signedInAgain = await signedIn();
  const goneToo = await signedInAgain.direct.revokeAll();
  assert.deepEqual({ ...still(gone), message: 0, count: 0 }, { ...still(goneToo), message: 0, count: 0 });
});

test("pages follow each other", async () => {
  const items = Array.from({ length: 25 }, (_, n) => ({ referenceNumber: `20260131-AU-0F8FAD5BD9-${`${n}`.padStart(10, "0")}-70`, isCurrent: n === 3 }));
  const fetch = async (request) => {
    const from = Number(request.headers.get("x-continuation-token") ?? 0);
    return json({ continuationToken: from + 10 < 25 ? `${from + 10}` : null, items: items.slice(from, from + 10) });
  };
  const { sessions, seen } = browserOf(createSessionsHandler({ sessions: { ...BACK_ENDS[2][1], fetch } }), { access_token: "a" });
  assert.deepEqual((await every(sessions.list())).map(({ id }) => id), items.map(({ referenceNumber }) => referenceNumber));
  assert.equal(seen.length, 3);
  assert.equal((await sessions.list({ cursor: "20" })).sessions.length, 5);
  assert.equal((await sessions.get(items[23].referenceNumber)).id, items[23].referenceNumber);
  assert.equal((await sessions.current()).id, items[3].referenceNumber);
});

test("ids come and go as they are", async () => {
  const sent = [];
  const ids = ["a/b", "é 😀", "..a", "%2F", "a?b#c", "007", "12", "x".repeat(512)];
  const fetch = async ({ method, url }) => {
    if (method === "GET") return json({ sessions: ids.map((id) => ({ id })), count: 8 });
    sent.push(decodeURIComponent(new URL(url).pathname.split("/")[3]));
    return json({ success: true, message: "done" });
  };
  const { sessions } = browserOf(createSessionsHandler({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", fetch } }), { access_token: "a" });
  for (const { id } of (await sessions.list()).sessions) assert.equal((await sessions.revoke(id)).id, id);
  assert.deepEqual(sent, ids);
});

test("capabilities", async () => {
  const { page } = await signedIn();
  const { provider, effect, browser, pageSize, ...support } = await page.capabilities();
  assert.deepEqual([provider, effect, browser, pageSize], ["edge-handler", "unknown", true, null]);
  assert.deepEqual(support, {
    list: "native", get: "emulated", current: "emulated", revoke: "native", revokeCurrent: "emulated", revokeAll: "native", revokeOthers: "native", logout: "native",
    refresh: "unsupported", create: "unsupported", createToken: "unsupported",
  });
  await fails(page.refresh(), "unsupported");
  await fails(page.list({ pageSize: 5 }), "invalid_argument");
  await fails(page.list({ applicationId: "x" }), "invalid_argument");
  assert.deepEqual(await sandbox.lines(), []);
});

test("in a browser: by path, with the page's own credentials, and nothing that would need a preflight", async () => {
  const user = await signedIn();
  await inBrowser(async () => {
    const requests = [];
    const sessions = createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, fetch: (request) => (requests.push(request), user.fetch(request)) });
    await sessions.list();
    await sessions.revoke((await sandbox.active()).at(-1));
    await sessions.logout();
    assert.deepEqual(requests.map(({ method, url }) => `${method} ${new URL(url).pathname.replace(/[\da-f-]{36}/, "ID")}`), ["GET /api/sessions", "POST /api/sessions/ID/revoke", "POST /api/logout"]);
    for (const { headers, credentials, body } of requests) {
      assert.deepEqual([[...headers.keys()], credentials, body], [["accept"], "same-origin", null]);
    }
  });
});

// ---------------------------------------------------------------- errors

describe("error codes come through", () => {
  /** The page's client over a handler over a back-end that answers this. */
  const page = (answer, { jar, ...more } = {}) =>
    browserOf(createSessionsHandler({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", maxRetries: 0, fetch: async (request) => answer(request), ...more } }), jar ?? { access_token: "MARK-a" }).sessions;

  for (const [code, status, answer, more] of [
    ["unauthenticated", 401, () => json({ message: "no" }, { status: 401 })],
    ["unauthenticated", 401, never, { jar: {} }],
    ["reauthentication_required", 401, () => json({ code: "SESSION_NOT_FRESH" }, { status: 403 })],
    ["forbidden", 403, () => json({}, { status: 403 })],
    ["not_found", 404, () => json({}, { status: 404 })],
    ["conflict", 409, () => json({}, { status: 409 })],
    ["rejected", 422, () => json({}, { status: 418 })],
    ["rate_limited", 429, () => json({}, { status: 429, headers: { "retry-after": "120" } })],
    ["server_error", 502, () => json({}, { status: 500 })],
    ["network", 502, () => Promise.reject(new TypeError("x"))],
    ["invalid_response", 502, () => new Response("<html>")],
    ["timeout", 504, never, { timeout: 20 }],
    ["insecure", 500, never, { baseUrl: "http://auth.example.com" }],
  ]) {
    test(`${code}${more ? ` ${Object.keys(more)}` : ""}`, async () => {
      const error = await fails(page(answer, more).revoke("s-1"), code);
      assert.deepEqual([error.status, error.operation, error.provider], [status, "revoke", "edge-handler"]);
      assert.equal(error.retryAfter, code === "rate_limited" ? 120 : null);
      assert.ok(!told(error).includes("MARK"));
    });
  }

  test("current_unknown", async () => {
    const error = await fails(page(() => json({ sessions: [{ id: "s-1" }], count: 1 })).revokeOthers(), "current_unknown");
    assert.equal(error.status, 409);
    assert.match(error.message, /current/);
  });

  test("invalid_argument of the handler", async () => {
    const { sessions } = browserOf(createSessionsHandler({ sessions: { provider: "clerk", token: SECRET_KEY, fetch: never }, scope: () => ({ userId: "u" }) }));
    await fails(sessions.list({ cursor: "not a number" }), "invalid_argument");
  });

  test("partial_revocation with what ended and what did not", async () => {
    const refresh = jwt({ sid: "s-0" });
    const error = await fails(page(({ method, url }) => {
      if (method === "GET") return json({ sessions: ["s-0", "s-1", "s-2", "s-3"].map((id) => ({ id })), count: 4 });
      return url.includes("s-2") ? json({ message: "broken" }, { status: 500 }) : json({ success: true, message: "done" });
    }, { jar: { access_token: "a", refresh_token: refresh } }).revokeOthers(), "partial_revocation");
    assert.deepEqual([error.status, error.revoked.toSorted()], [502, ["s-1", "s-3"]]);
    assert.equal(error.failed.length, 1);
    const [{ id, error: inner }] = error.failed;
    assert.deepEqual([id, SessionsError.is(inner), inner.code, inner.operation], ["s-2", true, "server_error", "revoke"]);
  });

  test("forbidden for a page of another origin", async () => {
    const user = await signedIn();
    const sessions = createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, fetch: (request) => user.handle(new Request(request, { headers: { cookie: `access_token=${user.access}`, origin: "https://evil.example.org", "sec-fetch-site": "cross-site" } })) });
    for (const call of held(sessions.list(), sessions.revoke(user.id), sessions.revokeOthers(), sessions.revokeAll())) await fails(call, "forbidden");
    const out = await sessions.logout();
    assert.deepEqual([out.success, out.error.code], [false, "forbidden"]);
    assert.equal((await sandbox.active()).length, 8);
  });

  test("onReauthenticate is asked, and the call is tried again", async () => {
    let fresh = false;
    const handle = createSessionsHandler({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", fetch: async () => (fresh ? json({ success: true, message: "done" }) : json({ code: "SESSION_NOT_FRESH" }, { status: 403 })) } });
    const { fetch } = browserOf(handle, { access_token: "a" });
    const sessions = createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, fetch, onReauthenticate: async ({ code }) => (fresh = code === "reauthentication_required") });
    assert.equal((await sessions.revoke("s-1")).success, true);
  });

  test("a logout tells what came of it: the same words as a direct one", async () => {
    for (const [answer, more] of [
      [() => json({ success: true, message: "Logged out" })], [() => json({ message: "no" }, { status: 401 })], [() => json({}, { status: 500 })], [() => Promise.reject(new TypeError("x"))], [never, { timeout: 20 }],
      [() => json({ success: false, message: "revoked before" })], [() => json({}, { status: 429, headers: { "retry-after": "120" } })], [never, { baseUrl: "http://auth.example.com" }],
    ]) {
      const direct = createSessions({ provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", maxRetries: 0, fetch: async (request) => answer(request), token: "a", refreshToken: "r", ...more });
      const [mine, theirs] = [await page(answer, { ...more, jar: { access_token: "a", refresh_token: "r" } }).logout(), await direct.logout()];
      assert.deepEqual([mine.success, mine.server, mine.error?.code, mine.error === null || SessionsError.is(mine.error)], [theirs.success, theirs.server, theirs.error?.code, true], JSON.stringify(mine));
      assert.deepEqual(Object.keys(mine).toSorted(), Object.keys(theirs).toSorted());
    }
    const nobody = await page(never, { jar: {} }).logout();
    assert.deepEqual([nobody.success, nobody.server], [false, "skipped"]);
  });

  test("what the handler has tried in vain the page's client doesn't try again", async () => {
    let times = 0;
    const handle = createSessionsHandler({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", maxRetries: 0, fetch: async () => (times++ ? json({ sessions: [], count: 0 }) : json({},
      { status: 429, headers: { "retry-after": "2" } })) } });
    const { fetch } = browserOf(handle, { access_token: "a" });
    const error = await fails(createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, fetch }).list(), "rate_limited");
    assert.deepEqual([error.retryAfter, times], [2, 1]);
  });
});

// ---------------------------------------------------------------- what is no handler

describe("what is no handler", () => {
  const HTML = "<!doctype html><title>App</title><div id=root></div>";
  for (const [what, answer] of [
    ["an app's fallback page", () => new Response(HTML, { headers: { "content-type": "text/html" } })],
    ["a page as JSON", () => new Response(HTML, { headers: { "content-type": "application/json" } })],
    ["{}", () => json({})], ["[]", () => json([])], ["null", () => json(null)], ["true", () => json(true)], ["text", () => json("ok")], ["nothing", () => new Response("")], ["204", () => new Response(null, { status: 204 })],
    ["success without more", () => json({ success: true })], ["success, as others have it", () => json({ success: true, message: "OK", data: {} })], ["status ok", () => json({ status: "ok" })],
    ["half a result", () => json({ success: true, effect: "immediate" })],
    ["a redirect", () => new Response(null, { status: 302, headers: { location: "/login" } })], ["cut off", () => new Response('{"success":true,"effect":"unk')],
  ]) {
    test(what, async () => {
      const sessions = createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, maxRetries: 0, fetch: async () => answer() });
      for (const method of ["list", "revoke", "revokeOthers", "revokeAll", "revokeCurrent", "current", "get"]) {
        await fails(sessions[method](...(["revoke", "get"].includes(method) ? ["s-1"] : [])), "invalid_response", method);
      }
      const out = await settles(sessions.logout());
      assert.deepEqual([out.success, out.server, out.error?.code], [false, "rejected", "invalid_response"]);
    });
  }

  test("what is too deep, has a credential's name, or would be a prototype, is not in a list", async () => {
    const answer = (session) => async () => new Response(`{"sessions":[${session}],"count":1,"total":null,"next":null}`);
    const client = (fetch) => createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, maxRetries: 0, fetch });
    const deep = (levels) => `{"id":"s1","raw":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    for (const method of ["list", "get"]) await fails(client(answer(deep(100_000)))[method](...(method === "get" ? ["s1"] : [])), "invalid_response", method);
    assert.equal((await client(answer(deep(50))).list()).count, 1);
    // As deep as a back-end's item may be.
    assert.equal((await client(answer(deep(64))).list()).count, 1);
    await fails(client(answer(deep(66))).list(), "invalid_response");
    const { sessions } = await client(answer('{"id":"s1","__proto__":{"current":true},"raw":{"sessionToken":"hush","a":[{"password":"hush","b":1}]}}')).list();
    assert.equal(JSON.stringify(sessions), '[{"id":"s1","raw":{"a":[{"b":1}]}}]');
    assert.equal(sessions[0].current, undefined);
  });

  test("refusals of others keep their meaning", async () => {
    for (const [status, code] of [[401, "unauthenticated"], [403, "forbidden"], [404, "not_found"], [500, "server_error"], [405, "rejected"]]) {
      const sessions = createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, maxRetries: 0, fetch: async () => new Response(HTML, { status, headers: { "content-type": "text/html" } }) });
      await fails(sessions.list(), code);
      await fails(sessions.revoke("s-1"), code);
    }
  });

  test("a made-up code is no code of ours, and members are as the contract has them", async () => {
    for (const error of [{ code: "made_up", message: "x" }, { code: 5, message: "x" }, { code: "partial_revocation", message: "x" }, { code: "partial_revocation", message: "x", revoked: "all", failed: "none" },
      { code: "partial_revocation", message: "x", revoked: [1], failed: [null, 5, {}, { id: "a" }] }, { code: "rate_limited" }, { code: "internal", message: { a: 1 } }]) {
      const sessions = createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, maxRetries: 0, fetch: async () => json({ error }, { status: 502 }) });
      const thrown = await sessions.revokeOthers().then(() => assert.fail("resolved"), (error) => error);
      assert.ok(SessionsError.is(thrown) && typeof thrown.message === "string", String(thrown));
      if (thrown.code === "partial_revocation") {
        assert.ok(Array.isArray(thrown.revoked) && Array.isArray(thrown.failed), JSON.stringify(thrown));
        for (const { id, error } of thrown.failed) assert.ok(typeof id === "string" && SessionsError.is(error));
      }
    }
  });
});

// ---------------------------------------------------------------- refreshes behind the page's back

test("the page never notices that tokens ran out", async () => {
  const user = await signedIn();
  await sandbox.advance(3601_000);
  const pages = await Promise.all([user.page.list(), user.page.list(), user.page.current().then(() => null)]);
  assert.deepEqual([pages[0].count, pages[1].count], [8, 8]);
  assert.notEqual(user.jar.refresh_token, user.refresh);
  assert.equal((await sandbox.lines()).filter((line) => line.endsWith("/token")).length, 1);
  assert.equal((await user.page.logout()).server, "confirmed");
  assert.deepEqual(user.jar, {});
  assert.equal((await sandbox.active()).length, 7);
  sawNoToken(user);
});

test("a page that gives up does not harm the others", async () => {
  const user = await signedIn();
  const controller = new AbortController();
  delete user.jar.access_token;
  const gone = fails(user.page.list({ signal: controller.signal }), "aborted");
  const stays = user.page.list();
  controller.abort();
  await gone;
  assert.equal((await stays).count, 8);
});

test("hooks see templates of the handler's routes", async () => {
  const user = await signedIn();
  const urls = [];
  const sessions = createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, fetch: user.fetch, hooks: { onRequest: ({ url }) => urls.push(url) } });
  await sessions.list();
  await sessions.revoke(user.id);
  assert.deepEqual(urls, ["/sessions", "/sessions/{id}/revoke"]);
});
