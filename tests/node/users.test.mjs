// Token functions may have the next user's tokens at any moment, or not yet the newest: what one user wanted is never done to another, and no refresh token is sent twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessions, createSessionsHandler, fails, held, json, jwt, settles } from "./support.mjs";

const BASE = "https://users.example.com";
const AUTHVITAL = { provider: "authvital", baseUrl: BASE, clientId: "c", maxRetries: 0 };
const REFRESH = { method: "POST", path: "/t", body: { t: "{refreshToken}" }, accessToken: "a", refreshToken: "r" };
const PROFILE = { list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" }, refresh: REFRESH };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A client whose functions give what is in the store now. */
const client = (store, options) => createSessions({ ...AUTHVITAL, token: () => store.access, refreshToken: () => store.refresh, ...options });
const who = (request) => request.headers.get("authorization")?.replace("Bearer ", "");
const gate = () => {
  let open;
  return { opened: new Promise((resolve) => (open = resolve)), open: () => open() };
};

test("a function that goes on giving the first refresh token never has it sent again", async () => {
  const [sent, long] = [[], "x".repeat(800)];
  const fetch = async (request) => {
    sent.push((await request.json()).refresh_token);
    return json({ access_token: `a${sent.length}`, refresh_token: `r${sent.length}.${long}`, expires_in: 900 });
  };
  const sessions = client({ access: "a0", refresh: `r0.${long}` }, { fetch });
  for (let times = 0; times < 30; times++) await settles(sessions.refresh());
  assert.equal(new Set(sent).size, 30);
});

test("a refresh sends the token that it was decided of, whoever signs in meanwhile", async () => {
  const [store, sent] = [{ access: "aA", refresh: "rA" }, []];
  let [asked, others] = [0];
  const fetch = async (request) => {
    if (new URL(request.url).pathname !== "/oauth/token") return /^new/.test(who(request)) ? json({ sessions: [] }) : json({}, { status: 401 });
    sent.push((await request.json()).refresh_token);
    return json({ access_token: `new${sent.length}`, refresh_token: `rNew${sent.length}`, expires_in: 900 });
  };
  const sessions = client(store, {
    fetch,
    refreshToken: async () => {
      if (++asked === 3) {
        Object.assign(store, { access: "aB", refresh: "rB" });
        [others] = held(sessions.list());
      }
      await turn();
      return store.refresh;
    },
  });
  await sessions.list().catch(() => {});
  // The other user's, if that was the moment.
  await Promise.resolve(others).catch(() => {});
  await sessions.list().catch(() => {});
  assert.deepEqual(sent, [...new Set(sent)]);
  assert.equal(sent[0], "rA");
});

test("what waits for its next attempt while the user logs out is not done to the next one", async () => {
  for (const [a, b] of [["access-A", "access-B"], [jwt({ sub: "a" }), jwt({ sub: "b" })]]) {
    for (const leaves of [true, false]) {
      // Without a logout it is seen by whose tokens they are.
      if (!leaves && a === "access-A") continue;
      const [store, sent] = [{ access: a, refresh: "refresh-A" }, []];
      const fetch = async (request) => {
        sent.push(`${new URL(request.url).pathname} ${who(request)}`);
        if (new URL(request.url).pathname === "/oauth/logout") return json({ success: true, message: "Logged out" });
        return json({}, { status: 503, headers: { "retry-after": "0" } });
      };
      const sessions = client(store, {
        fetch, maxRetries: 1,
        hooks: {
          async onRetry() {
            if (leaves) await sessions.logout();
            Object.assign(store, { access: b, refresh: "refresh-B" });
          },
        },
      });
      const error = await fails(sessions.revokeAll(), "unauthenticated");
      assert.match(error.message, leaves ? /logged out/ : /another user/);
      assert.deepEqual(sent.filter((line) => line.includes(b)), []);
    }
  }
});

test("who signs in again in onReauthenticate, after a logout, has their call go on; another user has not", async () => {
  for (const [sub, code] of [["a", null], ["b", "unauthenticated"]]) {
    const store = { access: jwt({ sub: "a" }), refresh: "refresh-1" };
    let isFresh = false;
    const fetch = async (request) => {
      if (new URL(request.url).pathname === "/oauth/logout") return json({ success: true, message: "Logged out" });
      return isFresh ? json({ success: true, message: "Revoked" }) : json({}, { status: 401, headers: { "www-authenticate": 'Bearer error="insufficient_user_authentication"' } });
    };
    const sessions = client(store, {
      fetch,
      async onReauthenticate() {
        await sessions.logout();
        Object.assign(store, { access: jwt({ sub, n: 2 }), refresh: "refresh-2" });
        return (isFresh = true);
      },
    });
    if (code) await fails(sessions.revoke("s1"), code);
    else assert.equal((await settles(sessions.revoke("s1"))).success, true);
  }
});

test("the pages of one list are one user's", async () => {
  const store = { access: "access-A", refresh: "refresh-A" };
  const fetch = async (request) => {
    const { pathname, search } = new URL(request.url);
    return json(pathname.endsWith("logout") ? { success: true } : { sessions: [{ id: `${who(request)}${search}` }], next_cursor: search ? null : "c1" });
  };
  const sessions = client(store, { provider: "rest", fetch });
  const seen = [];
  await fails((async () => {
    for await (const { id } of sessions.list()) {
      seen.push(id);
      await sessions.logout();
      Object.assign(store, { access: "access-B", refresh: "refresh-B" });
    }
  })(), "unauthenticated");
  assert.deepEqual(seen, ["access-A"]);
});

/** Sessions that are ended one by one, and whose tokens are renewed at the first 401: the current one keeps its id then, or becomes "s9". */
async function renewed({ keeps = false, isMarked = false, sub, atLast }) {
  const mint = (sid, n) => jwt({ [isMarked ? "x" : "sid"]: sid, n, sub });
  const store = { access: mint("s1", 0), refresh: "r0" };
  const server = { alive: new Set(["s1", "s2", "s3"]), ofBob: new Set(["b1", "b2"]), store };
  let n = 0;
  const fetch = async (request) => {
    const [, path, id] = new URL(request.url).pathname.split("/");
    if (path === "t") {
      if (!keeps) server.alive.delete("s1");
      server.alive.add(keeps ? "s1" : "s9");
      return json({ a: mint(keeps ? "s1" : "s9", ++n), r: `r${n}` });
    }
    const { sid, x = sid } = JSON.parse(Buffer.from(who(request).split(".")[1], "base64url"));
    const own = x.startsWith("b") ? server.ofBob : server.alive;
    if (request.method === "GET") return json({ sessions: [...own].map((id) => ({ id, ...(isMarked && { current: id === x }) })) });
    if (n === 0) return json({}, { status: 401 });
    if (id === "s1") atLast?.(server);
    return own.delete(id) ? new Response(null, { status: 204 }) : json({}, { status: 404 });
  };
  const of = (name) => () => {
    if (!server.isBusy) return store[name];
    server.isBusy = false;
    throw new Error("the storage is busy");
  };
  const sessions = createSessions({ provider: PROFILE, baseUrl: BASE, token: of("access"), refreshToken: of("refresh"), onTokens: ({ accessToken, refreshToken }) => void Object.assign(store, { access: accessToken, refresh: refreshToken }), fetch, maxRetries: 0 });
  const outcome = await settles(sessions.revokeAll().then(({ revoked }) => ({ revoked }), ({ code, revoked, failed }) => ({ code, revoked, failed: failed?.map(({ id, error }) => [id, error.code]) })));
  return { ...outcome, alive: [...server.alive], ofBob: server.ofBob.size };
}

test("revokeAll, one by one, with tokens that are renewed on the way", async () => {
  assert.deepEqual(await renewed({}), { revoked: ["s2", "s3", "s1"], alive: [], ofBob: 2 });
  // It kept its id, and is the current one by the list's mark.
  assert.deepEqual(await renewed({ keeps: true, isMarked: true }), { revoked: ["s2", "s3", "s1"], alive: [], ofBob: 2 });
  // A function that fails once leaves the renewed one alive: that is told.
  const busy = await renewed({ atLast: (server) => (server.isBusy = true) });
  assert.deepEqual([busy.code, busy.failed, busy.alive], ["partial_revocation", [["s1", "unauthenticated"]], ["s9"]]);
  // Another user signs in at the last one: nothing of theirs is ended.
  for (const sub of [undefined, "alice"]) {
    const bobs = await renewed({ keeps: true, sub, atLast: ({ store }) => Object.assign(store, { access: jwt({ sid: "b1", sub: sub && "bob" }), refresh: "rB" }) });
    assert.deepEqual([bobs.code, bobs.failed, bobs.ofBob], ["partial_revocation", [["s1", "unauthenticated"]], 2]);
  }
});

test("another user's tokens in the middle of a run: the rest has not been ended", async () => {
  const store = { access: jwt({ sid: "s0", sub: "alice" }), refresh: "rA" };
  const sent = [];
  const fetch = async (request) => {
    if (request.method === "GET") return json({ sessions: Array.from({ length: 9 }, (_, n) => ({ id: `s${n}` })) });
    sent.push(who(request));
    Object.assign(store, { access: jwt({ sid: "b0", sub: "bob" }), refresh: "rB" });
    return json({}, { status: 404 });
  };
  const error = await fails(createSessions({ provider: PROFILE, baseUrl: BASE, token: () => store.access, refreshToken: () => store.refresh, fetch }).revokeOthers(), "partial_revocation");
  assert.ok(sent.every((token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sub === "alice"));
  assert.equal(error.failed.length, 8 - error.revoked.length);
  assert.ok(error.failed.length > 0);
});

test("a logout waits for a refresh under way, though an earlier one is still being told", async () => {
  const [alive, slow] = [new Set(["r0"]), gate()];
  const answers = [null, gate()];
  let n = 0;
  const fetch = async (request) => {
    const { refresh_token: token } = await request.json();
    if (new URL(request.url).pathname === "/oauth/logout") return json({ success: alive.delete(token), message: "Session not found or already revoked" });
    alive.delete(token);
    const at = n++;
    alive.add(`r${n}`);
    await answers[at]?.opened;
    return json({ access_token: `a${at + 1}`, refresh_token: `r${at + 1}`, expires_in: 900 });
  };
  const told = [];
  const sessions = createSessions({ ...AUTHVITAL, token: "a0", refreshToken: "r0", fetch, totalTimeout: 4000, onTokens: ({ refreshToken }) => (told.push(refreshToken), refreshToken === "r1" ? slow.opened : undefined) });
  held(sessions.refresh());
  while (!told.length) await turn();
  // The second waits for the first to be stored, for a tenth of totalTimeout.
  held(sessions.refresh());
  while (n < 2) await turn();
  const [leaving] = held(sessions.logout());
  for (let turns = 0; turns < 20; turns++) await turn();
  answers[1].open();
  assert.equal((await settles(leaving)).server, "confirmed");
  assert.deepEqual([...alive], []);
  slow.open();
});

test("no refresh begins between a logout's wait and its request", async () => {
  for (let turns = 0; turns < 40; turns++) {
    const sent = [];
    let [asks, give] = [0];
    const fetch = async (request) => {
      const { pathname } = new URL(request.url);
      if (request.method === "GET") return json({}, { status: 401 });
      sent.push(`${pathname} ${(await request.json()).refresh_token}`);
      return json(pathname === "/oauth/token" ? { access_token: "a1", refresh_token: "r1", expires_in: 900 } : { success: true, message: "Logged out" });
    };
    const sessions = createSessions({ ...AUTHVITAL, token: () => "a0", refreshToken: () => (++asks === 2 ? new Promise((resolve) => (give = () => resolve("r0"))) : "r0"), fetch });
    const [listing] = held(sessions.list());
    while (!give) await turn();
    give();
    for (let n = 0; n < turns; n++) await null;
    await settles(sessions.logout());
    await listing.catch(() => {});
    assert.ok(!(sent.includes("/oauth/token r0") && sent.includes("/oauth/logout r0")), `${turns}: ${sent}`);
  }
});

test("a token function may have the tokens refreshed", async () => {
  const [store, sent] = [{ access: null, refresh: "r0" }, []];
  const fetch = async (request) => {
    const { pathname } = new URL(request.url);
    sent.push(pathname);
    return json(pathname === "/oauth/token" ? { access_token: "a1", refresh_token: "r1", expires_in: 900 } : { sessions: [] });
  };
  const sessions = client(store, {
    fetch,
    token: async () => {
      if (!store.access) await sessions.refresh();
      return store.access;
    },
    onTokens: ({ accessToken, refreshToken }) => void Object.assign(store, { access: accessToken, refresh: refreshToken }),
  });
  await settles(sessions.list());
  assert.deepEqual(sent, ["/oauth/token", "/oauth/sessions"]);
});

test("a token function that logs out has its call come to an end", async () => {
  let asks = 0;
  const sessions = client({ refresh: "r0" }, {
    fetch: async () => json({ success: true, message: "Logged out" }), totalTimeout: 300,
    token: async () => {
      if (++asks > 1000) throw new Error("asked without end");
      await sessions.logout();
      return null;
    },
  });
  await fails(sessions.list(), "timeout");
  assert.ok(asks < 5);
});

test("those who log out at once share it", async () => {
  const sent = [];
  const fetch = async (request) => {
    sent.push(new URL(request.url).pathname);
    return json({ success: true, message: "Logged out" });
  };
  const sessions = client({ access: "a0", refresh: "r0" }, { fetch });
  const results = await settles(Promise.all([sessions.logout(), sessions.logout()]));
  assert.deepEqual([results.map(({ server }) => server), sent], [["confirmed", "confirmed"], ["/oauth/logout"]]);
});

test("the handler's pair is its own, whatever onTokens makes of what it is given", async () => {
  const fetch = async (request) => {
    if (request.method === "POST") return json({ access_token: "a1", refresh_token: "r1", expires_in: 900 });
    return who(request) === "a1" ? json({ sessions: [] }) : json({}, { status: 401 });
  };
  const onTokens = (pair) => {
    for (const name in pair) pair[name] = "[logged]";
  };
  const handle = createSessionsHandler({ sessions: { provider: "authvital", baseUrl: BASE, clientId: "c", fetch, onTokens } });
  const answer = await handle(new Request("https://app.example.com/api/sessions", { headers: { "sec-fetch-site": "same-origin", cookie: "access_token=a0; refresh_token=r0" } }));
  assert.deepEqual(answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]), ["access_token=a1", "refresh_token=r1"]);
});

test("a request to the handler that runs for long is refreshed as often as it takes, where the refresh token stays", async () => {
  const alive = new Set(Array.from({ length: 12 }, (_, n) => `s${n}`));
  let [n, uses] = [0, 0];
  const fetch = async (request) => {
    const [, path, id] = new URL(request.url).pathname.split("/");
    if (path === "t") {
      uses = 0;
      return json({ a: `a${++n}` });
    }
    if (who(request) !== `a${n}` || n === 0 || uses++ >= 5) return json({}, { status: 401 });
    if (request.method === "GET") return json({ sessions: [...alive].map((id) => ({ id, current: id === "s0" })) });
    return alive.delete(id) ? new Response(null, { status: 204 }) : json({}, { status: 404 });
  };
  const handle = createSessionsHandler({ sessions: { provider: { ...PROFILE, refresh: { ...REFRESH, refreshToken: undefined } }, baseUrl: BASE, fetch } });
  const answer = await handle(new Request("https://app.example.com/api/sessions/revoke-others", { method: "POST", headers: { origin: "https://app.example.com", "sec-fetch-site": "same-origin", cookie: "access_token=a0; refresh_token=r0" } }));
  assert.deepEqual([answer.status, [...alive]], [200, ["s0"]]);
});

test("a token function that has not heard of the newest token has it replaced once", async () => {
  const sent = [];
  const fetch = async (request) => {
    const { pathname } = new URL(request.url);
    sent.push(`${pathname} ${who(request) ?? ""}`);
    if (pathname === "/oauth/token") return json({ access_token: "a1", refresh_token: "r1", expires_in: 900 });
    return who(request) === "a1" ? json({ sessions: [] }) : json({}, { status: 401 });
  };
  const sessions = createSessions({ ...AUTHVITAL, token: () => "a0", refreshToken: "r0", fetch });
  for (let times = 0; times < 3; times++) await settles(sessions.list());
  assert.deepEqual(sent, ["/oauth/sessions a0", "/oauth/token ", "/oauth/sessions a1", "/oauth/sessions a1", "/oauth/sessions a1"]);
});

test("a user is the same one however a token writes the name", async () => {
  const token = (payload) => ["{}", payload, "x"].map((part) => Buffer.from(part).toString("base64url")).join(".");
  for (const sub of ['"j\\u00f3zef"', '"https:\\/\\/id.example.com\\/7"', "123456789012345678", "1.0"]) {
    const sent = [];
    const fetch = async (request) => {
      const { pathname } = new URL(request.url);
      sent.push(`${request.method} ${pathname}`);
      if (pathname === "/t") return json({ a: token(`{"sub":${sub},"n":2}`), r: "r1" });
      if (who(request) === token(`{"sub":${sub},"n":1}`)) return json({}, { status: 401 });
      return request.method === "GET" ? json({ sessions: [{ id: "1" }, { id: "2" }] }) : new Response(null, { status: 204 });
    };
    const sessions = createSessions({ provider: PROFILE, baseUrl: BASE, token: token(`{"sub":${sub},"n":1}`), refreshToken: "r0", fetch });
    assert.deepEqual((await settles(sessions.revokeAll())).revoked, ["1", "2"], sub);
    assert.deepEqual(sent, ["GET /s", "POST /t", "GET /s", "DELETE /s/1", "DELETE /s/2"]);
  }
});

test("a logout without anybody's token leaves a secret key, and other people's requests, alone", async () => {
  const list = Array.from({ length: 30 }, (_, n) => ({ object: "session", id: `sess_${n}`, user_id: "user_1", status: "active", created_at: 1, last_active_at: 1, expire_at: 9e12 }));
  const authorization = `Bearer ${jwt({ sub: "user_1", sid: "sess_0" })}`;
  const sessions = createSessions({ provider: "clerk", token: "sk_test_1", fetch: async ({ method }) => json(method === "GET" ? list : { ...list[0], status: "revoked" }) });
  for (const input of [[], [undefined], [{}], [""], [{ refreshToken: "" }]]) {
    assert.equal((await sessions.logout(...input)).server, "skipped");
    assert.equal((await sessions.list({ headers: { authorization } }, { userId: "user_1" })).sessions.length, 30);
  }
});

test("what is done for other people's requests goes on when this client logs out", async () => {
  let ended = 0;
  const fetch = async ({ url, method }) => {
    const { pathname, searchParams } = new URL(url);
    if (pathname === "/logout") return json({ success: true });
    if (method === "DELETE" && ++ended === 3) await sessions.logout();
    const page = Number(searchParams.get("page") ?? 0);
    return json(method === "DELETE" ? { success: true } : { sessions: [0, 1, 2].map((n) => ({ id: `s${page}${n}` })), next: page < 2 ? String(page + 1) : null });
  };
  const sessions = createSessions({
    provider: { ...PROFILE, list: { method: "GET", path: "/s", items: "sessions", next: "next", cursor: { query: "page" } }, logout: { method: "POST", path: "/logout" } },
    baseUrl: BASE,
    fetch,
  });
  const request = { headers: { authorization: "Bearer alice" } };
  const ids = [];
  for await (const { id } of sessions.list(request)) {
    if (!ids.length) await sessions.logout();
    ids.push(id);
  }
  assert.equal(ids.length, 9);
  assert.equal((await sessions.revokeAll(request)).count, 9);
});

test("an empty refresh token is nobody's: a logout with it ends nothing of this client's", async () => {
  for (const provider of ["rest", "ksef", "better-auth", "authvital"]) {
    const sent = [];
    const fetch = async (request) => (sent.push(request.headers.get("authorization")), json({ sessions: [] }));
    const sessions = createSessions({ provider, baseUrl: BASE, token: "mine", fetch });
    await sessions.logout("");
    await sessions.logout({ refreshToken: "" });
    assert.deepEqual(sent.filter(Boolean), [], provider);
    await sessions.list().catch(() => {});
    assert.equal(sent.at(-1), "Bearer mine", provider);
  }
});

test("a refresh token that nobody could be sent is good for the next time", async () => {
  let isUp = false;
  const fetch = async () => {
    if (!isUp) throw Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }) });
    return json({ access_token: "a1", refresh_token: "r1", expires_in: 900 });
  };
  const sessions = createSessions({ ...AUTHVITAL, token: "a0", refreshToken: "r0", fetch });
  await fails(sessions.refresh(), "network");
  isUp = true;
  assert.equal((await sessions.refresh()).accessToken, "a1");
});
