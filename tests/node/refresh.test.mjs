// Rotation: a refresh token is sent once. Its second use ends every session of the user.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { beforeEach, test } from "node:test";
import { EMPTY_LIST, claims, closeTo, createSessions, fails, faked, fastForward, held, inBrowser, json, jwt, never, sandbox, seconds, settles, signedIn } from "./support.mjs";

beforeEach(() => sandbox.reset());

const TOKEN = "POST /authvital/oauth/token";
const tokenRequests = async () => (await sandbox.lines()).filter((line) => line === "POST /oauth/token").length;
const replayed = async () => (await sandbox.rows()).some(({ ended_by }) => ended_by === "replay");

test("refresh rotates the token, and the client goes on with the newest", async () => {
  const { sessions, refresh, id } = await signedIn();
  const first = await sessions.refresh();
  assert.deepEqual(Object.keys(first).toSorted(), ["accessToken", "expiresAt", "refreshToken"]);
  assert.notEqual(first.refreshToken, refresh);
  assert.equal(first.expiresAt, seconds(claims(first.accessToken).exp));
  assert.equal((await sandbox.row(id)).ended_by, "rotated");
  const second = await sessions.refresh();
  assert.notEqual(second.refreshToken, first.refreshToken);
  assert.equal((await sessions.current()).id, claims(second.refreshToken).sid);
  assert.equal(await tokenRequests(), 2);
  assert.equal(await replayed(), false);
});

test("a token function that has not heard of the newest refresh token does no harm", async () => {
  const user = await sandbox.signIn();
  const { sessions } = await signedIn({ token: () => user.access, refreshToken: () => user.refresh });
  await sessions.refresh();
  await sessions.refresh();
  assert.equal(await replayed(), false);
});

test("a logout in onTokens ends the new session at once", async () => {
  const began = Date.now();
  let result;
  const { sessions } = await signedIn({ onTokens: async () => (result = await sessions.logout()) });
  await sessions.refresh();
  assert.deepEqual([result.server, result.success, await sandbox.active().then((ids) => ids.length)], ["confirmed", true, 7]);
  assert.ok(Date.now() - began < 5000);
  await fails(sessions.list(), "unauthenticated");
});

test("onTokens hears every pair and is awaited", async () => {
  const order = [];
  let stored;
  const { sessions } = await signedIn({
    onTokens: async (tokens) => {
      order.push("told");
      await new Promise((resolve) => setImmediate(resolve));
      stored = tokens;
      order.push("stored");
    },
  });
  const tokens = await sessions.refresh();
  order.push("resolved");
  assert.deepEqual(order, ["told", "stored", "resolved"]);
  assert.deepEqual(stored, tokens);
});

for (const how of ["fixed tokens", "functions"]) {
  test(`new tokens are used by nobody before onTokens has ended: ${how}`, async () => {
    const stored = [{ accessToken: "access-0", refreshToken: "refresh-0" }];
    const sent = [];
    const fetch = async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname !== "/oauth/token") return sent.push(request.headers.get("authorization")), json(EMPTY_LIST);
      sent.push((await request.json()).refresh_token);
      return json({ access_token: `access-${sent.length}`, refresh_token: `refresh-${sent.length}`, expires_in: 900 });
    };
    let store;
    const told = new Promise((resolve) => (store = { told: resolve }));
    const onTokens = async (tokens) => {
      store.told();
      if (stored.length === 1) await new Promise((resolve) => (store.end = resolve));
      stored.push(tokens);
    };
    const newest = (name) => (how === "functions" ? () => stored.at(-1)[name] : stored[0][name]);
    const sessions = createSessions({ provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", token: newest("accessToken"), refreshToken: newest("refreshToken"), fetch, onTokens, maxRetries: 0 });
    const first = sessions.refresh();
    await told;
    // Another one's request has its own token, and waits for nobody.
    await settles(sessions.list({ headers: { authorization: "Bearer other" } }));
    const later = [sessions.list(), sessions.list(undefined, { headers: { "x-a": "b" } }), sessions.refresh()];
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(sent, ["refresh-0", "Bearer other"]);
    store.end();
    await settles(Promise.all([first, ...later]));
    assert.deepEqual(sent.slice(2).toSorted(), ["Bearer access-1", "Bearer access-1", "refresh-1"]);
    assert.deepEqual(stored.map(({ refreshToken }) => refreshToken), ["refresh-0", "refresh-1", stored[2].refreshToken]);
  });
}

test("a call that onTokens itself waits for goes on, after three seconds", async () => {
  const sent = [];
  let page;
  const { sessions } = faked((request) => {
    sent.push(request.headers.get("authorization"));
    return json(request.url.endsWith("/token") ? { access_token: "new", refresh_token: "r2", expires_in: 900 } : EMPTY_LIST);
  }, { refreshToken: "r", clientId: "c", onTokens: async () => (page = await sessions.list()) });
  const { elapsed, promise } = await fastForward(() => sessions.refresh());
  assert.equal((await promise).accessToken, "new");
  assert.deepEqual([page.count, sent], [0, [null, "Bearer new"]]);
  assert.ok(elapsed >= 3000 && elapsed < 3500, `${elapsed} ms`);
});

test("onTokens is waited for once, however many calls it makes", async () => {
  const ids = ["a", "b", "c", "d", "e", "f"];
  const refresh = jwt({ sid: "a" });
  const ended = [];
  const { sessions } = faked((request) => {
    if (request.url.endsWith("/token")) return json({ access_token: jwt({ sid: "a" }), refresh_token: `${refresh}2`, expires_in: 900 });
    if (request.method === "GET") return json({ sessions: ids.map((id) => ({ id })), count: ids.length });
    ended.push(request.url);
    return json({ success: true });
  }, { refreshToken: refresh, clientId: "c", onTokens: () => sessions.revokeOthers() });
  const { elapsed, promise } = await fastForward(() => sessions.refresh());
  await promise;
  assert.equal(ended.length, ids.length - 1);
  assert.ok(elapsed >= 3000 && elapsed < 3500, `${elapsed} ms`);
});

test("a logout in onTokens goes at once, after another refresh in it, too", async () => {
  let told = 0;
  let out;
  const { sessions } = faked((request) => json(request.url.endsWith("/token") ? { access_token: "new", refresh_token: `r-${told}`, expires_in: 900 } : { success: true, message: "bye" }), {
    refreshToken: "r", clientId: "c",
    onTokens: async () => {
      if (told++ > 0) return;
      await sessions.refresh();
      out = await sessions.logout();
    },
  });
  const { elapsed, promise } = await fastForward(() => sessions.refresh());
  await promise;
  assert.deepEqual([out.server, told], ["confirmed", 2]);
  assert.ok(elapsed < 3500, `${elapsed} ms`);
});

test("onTokens is a method of the options", async () => {
  const saved = [];
  const { sessions } = faked(() => json({ access_token: "new", refresh_token: "r2", expires_in: 900 }), { refreshToken: "r", clientId: "c", saved, onTokens(tokens) { this.saved.push(tokens.accessToken); } });
  await settles(sessions.refresh());
  assert.deepEqual(saved, ["new"]);
});

test("a call in the hook of a refresh waits for onTokens, too", async () => {
  const said = [];
  let listed;
  const { sessions } = faked((request) => {
    if (!request.url.endsWith("/token")) return said.push(request.headers.get("authorization")), json(EMPTY_LIST);
    return json({ access_token: "new", refresh_token: "r2", expires_in: 900 });
  }, {
    refreshToken: "r", clientId: "c",
    hooks: { onResponse: ({ operation }) => void (operation === "refresh" && (listed = sessions.list())) },
    onTokens: async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      said.push("stored");
    },
  });
  await settles(sessions.refresh());
  await settles(listed);
  assert.deepEqual(said, ["stored", "Bearer new"]);
});

test("a token is replaced shortly before it runs out, by the back-end's clock", async () => {
  const { sessions } = await signedIn();
  await sessions.list();
  // 55 seconds are left of an hour, and the first answer tells.
  await sandbox.advance(3_545_000);
  await sessions.list();
  await sandbox.forget();
  await sessions.list();
  await sessions.list();
  assert.deepEqual(await sandbox.lines(), ["POST /oauth/token", "GET /oauth/sessions", "GET /oauth/sessions"]);
});

test("one of this client's own refresh is replaced by how long ago it came", async (context) => {
  const { sessions } = await signedIn();
  const { expiresAt } = await sessions.refresh();
  const began = Date.now();
  closeTo(expiresAt, began + 3_600_000);
  await sandbox.forget();
  context.mock.timers.enable({ apis: ["Date"], now: began + 3_530_000 });
  await sessions.list();
  assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions"]);
  context.mock.timers.setTime(began + 3_541_000);
  // One refresh for all.
  await Promise.all([sessions.list(), sessions.list(), sessions.list()]);
  assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions", "POST /oauth/token", ...Array(3).fill("GET /oauth/sessions")]);
});

test("a wrong local clock makes no refresh", async (context) => {
  for (const hours of [-1000, -2, 2, 1000]) {
    const { sessions } = await signedIn();
    context.mock.timers.enable({ apis: ["Date"], now: Date.now() + hours * 3_600_000 });
    await sessions.list();
    await sessions.list();
    context.mock.timers.reset();
    assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions", "GET /oauth/sessions"]);
  }
});

test("a refresh before the end that fails does not fail the call", async () => {
  const { sessions } = await signedIn();
  await sandbox.advance(3_545_000);
  await sessions.list();
  await sandbox.faults({ route: TOKEN, fault: { status: 503 }, times: 1 });
  assert.equal((await sessions.list()).count, 8);
  // From then on it is left to the 401.
  await sandbox.forget();
  await sessions.list();
  assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions"]);
  await sandbox.advance(60_000);
  await sessions.list();
  assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions", "GET /oauth/sessions", "POST /oauth/token", "GET /oauth/sessions"]);
});

test("ten refreshes at once are one request", async () => {
  let told = 0;
  const { sessions } = await signedIn({ onTokens: () => void told++ });
  const all = await Promise.all(Array.from({ length: 10 }, () => sessions.refresh()));
  for (const tokens of all) assert.deepEqual(tokens, all[0]);
  assert.deepEqual([await tokenRequests(), told], [1, 1]);
});

test("ten lists at once with a token that ran out are one refresh", async () => {
  const { sessions } = await signedIn();
  await sandbox.advance(3601_000);
  const pages = await Promise.all(Array.from({ length: 10 }, () => sessions.list()));
  assert.deepEqual(new Set(pages.map(({ count }) => count)), new Set([8]));
  assert.equal(await tokenRequests(), 1);
  assert.equal(await replayed(), false);
});

for (const [what, fault] of [
  ["connection dropped", { drop: "head", after: true }],
  ["connection dropped in the body", { drop: "body" }],
  ["body cut", { truncate: true }],
  ["502 of a proxy", { status: 502, after: true }],
  ["html of a proxy", { body: "<html>", "content-type": "text/html", after: true }],
]) {
  test(`a refresh whose answer is lost (${what}) is not repeated, ever`, async () => {
    const { sessions } = await signedIn();
    await sandbox.faults({ route: TOKEN, fault, times: 1 });
    const error = await fails(sessions.refresh(), { drop: "network", truncate: "invalid_response", status: "server_error", body: "invalid_response" }[Object.keys(fault)[0]]);
    assert.equal(error.operation, "refresh");
    assert.equal(await tokenRequests(), 1);
    for (let i = 0; i < 3; i++) await fails(sessions.refresh(), "unauthenticated");
    await sandbox.advance(3601_000);
    await fails(sessions.list(), "unauthenticated");
    assert.equal(await tokenRequests(), 1);
    assert.equal(await replayed(), false);
  });
}

test("after a lost answer a new refresh token is used again", async () => {
  let user = await sandbox.signIn();
  const { sessions } = await signedIn({ refreshToken: () => user.refresh });
  await sandbox.faults({ route: TOKEN, fault: { drop: "head", after: true }, times: 1 });
  await fails(sessions.refresh(), "network");
  user = await sandbox.signIn();
  assert.ok((await sessions.refresh()).accessToken);
});

test("a refresh that runs out of time is as good as lost", async () => {
  const { sessions, sent } = faked(never, { refreshToken: "r-1", clientId: "c", timeout: 20 });
  await fails(sessions.refresh(), "timeout");
  await fails(sessions.refresh(), "unauthenticated");
  assert.equal(sent.length, 1);
});

test("a caller who gives up does not lose the new tokens", async () => {
  let answer;
  const tokens = { access_token: jwt({ exp: 4e9 }), refresh_token: "r-2", expires_in: 60 };
  const { sessions, sent } = faked((request) => (request.url.endsWith("/token") ? new Promise((resolve) => (answer = () => resolve(json(tokens)))) : json(EMPTY_LIST)), {
    refreshToken: "r-1",
    clientId: "c",
  });
  const controller = new AbortController();
  const impatient = sessions.refresh({ signal: controller.signal });
  while (!answer) await new Promise((resolve) => setImmediate(resolve));
  const patient = sessions.refresh();
  controller.abort("changed my mind");
  await fails(impatient, "aborted");
  answer();
  assert.equal((await settles(patient)).refreshToken, "r-2");
  assert.equal(sent.length, 1);
  await sessions.list();
  assert.equal(sent[1].headers.get("authorization"), `Bearer ${tokens.access_token}`);
});

test("a refused refresh is unauthenticated with the server's words, and is not repeated", async () => {
  const { sessions, id } = await signedIn();
  await sessions.revoke(id);
  assert.match((await fails(sessions.refresh(), "unauthenticated")).message, /Session has been revoked/);
  const garbage = await signedIn({ refreshToken: "garbage" });
  assert.match((await fails(garbage.sessions.refresh(), "unauthenticated")).message, /Invalid refresh token/);
  assert.equal(await tokenRequests(), 1);
  const expired = await signedIn();
  await sandbox.advance(8 * 24 * 3600_000);
  assert.match((await fails(expired.sessions.refresh(), "unauthenticated")).message, /Session expired/);
});

test("a list whose refresh is refused is unauthenticated", async () => {
  const { sessions, id } = await signedIn();
  await sessions.revoke(id);
  await sandbox.advance(3601_000);
  await sandbox.forget();
  await fails(sessions.list(), "unauthenticated");
  assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions", "POST /oauth/token"]);
});

test("without what it takes, nothing is sent", async () => {
  const noToken = await signedIn({ refreshToken: undefined });
  await fails(noToken.sessions.refresh(), "unauthenticated");
  const noClient = await signedIn({ clientId: undefined });
  await fails(noClient.sessions.refresh(), "invalid_options");
  assert.deepEqual(await sandbox.lines(), []);
});

test("a logout waits for a refresh under way and ends the session that comes out of it", async () => {
  const { sessions } = await signedIn();
  const refreshing = sessions.refresh();
  const result = await sessions.logout();
  const { refreshToken } = await refreshing;
  assert.equal(result.server, "confirmed");
  assert.equal((await sandbox.row(claims(refreshToken).sid)).ended_by, "logout");
});

test("a back-end that does not rotate: the refresh token stays valid", async () => {
  const { sessions } = faked(() => json({ access_token: jwt({}), expires_in: 60 }), { refreshToken: "r-1", clientId: "c" });
  const before = Date.now();
  const { refreshToken, expiresAt } = await sessions.refresh();
  assert.equal(refreshToken, "r-1");
  assert.ok(Date.parse(expiresAt) >= before + 60_000 && Date.parse(expiresAt) <= Date.now() + 60_000);
});

test("headers of a refresh's options are sent", async () => {
  const { sessions, sent } = faked(() => json({ access_token: "a", refresh_token: "r-2" }), { refreshToken: "r-1", clientId: "c" });
  await sessions.refresh({ headers: { "x-trace": "1" } });
  assert.equal(sent[0].headers.get("x-trace"), "1");
});

test("the timeout of a refresh's options is the call's own", async () => {
  const { sessions } = faked(never, { refreshToken: "r-1", clientId: "c", totalTimeout: 3000 });
  const began = performance.now();
  await fails(sessions.refresh({ timeout: 20 }), "timeout");
  assert.ok(performance.now() - began < 2000, "and not that of the client");
});

// ---------------------------------------------------------------- before the end

/** A back-end whose refresh makes a new session of the old one, and whose tokens live an hour; `own` are the living ones of this client. It takes no refresh token twice. */
function rotating({ token: answerToken = (pair) => json(pair) } = {}) {
  const state = { n: 0, log: [], live: new Map(), replays: 0 };
  const mint = () => {
    const now = Math.floor(Date.now() / 1000);
    const sid = `own${state.n++}`;
    const pair = { access: jwt({ sid, iat: now, exp: now + 3600 }), refresh: `refresh-${randomUUID()}` };
    state.live.set(sid, pair);
    return pair;
  };
  state.mint = mint;
  state.first = mint();
  state.fetch = async (request) => {
    const { pathname } = new URL(request.url);
    state.log.push(`${request.method} ${pathname}`);
    const said = (status, body) => json(body, { status, headers: { "content-type": "application/json", date: new Date().toUTCString() } });
    if (pathname === "/refresh") {
      const { token } = await request.json();
      const [sid] = [...state.live].find(([, { refresh }]) => refresh === token) ?? [];
      if (!sid) {
        state.replays++;
        return said(401, {});
      }
      const answer = await answerToken(() => {
        state.live.delete(sid);
        return mint();
      });
      return answer;
    }
    if (request.method === "DELETE") return said(state.live.delete(pathname.split("/").pop()) ? 200 : 404, {});
    const token = request.headers.get("authorization").slice(7);
    const found = [...state.live].find(([, { access }]) => access === token);
    if (!found || claims(token).exp * 1000 < Date.now()) return said(401, {});
    return said(200, { sessions: [...state.live.keys()].map((id) => ({ id })) });
  };
  const provider = {
    list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" },
    refresh: { method: "POST", path: "/refresh", body: { token: "{refreshToken}" }, accessToken: "access", refreshToken: "refresh" },
  };
  const { access, refresh } = state.first;
  state.client = (options) => createSessions({ provider, baseUrl: "https://auth.example.com", token: access, refreshToken: refresh, fetch: state.fetch, maxRetries: 0, ...options });
  return state;
}
const refreshes = ({ log }) => log.filter((line) => line === "POST /refresh").length;

for (const [what, answer, code, status] of [
  ["is refused for a moment", () => json({}, { status: 503 }), "server_error", 503],
  ["comes too often", () => json({}, { status: 429 }), "rate_limited", 429],
  ["gets no answer", () => Promise.reject(new TypeError("fetch failed")), "network", null],
]) {
  test(`a token that has run out, and a refresh that ${what}: the caller hears of that, not of the 401`, async (context) => {
    let isBroken = false;
    const back = rotating({ token: (pair) => (isBroken ? answer() : json(pair())) });
    const sessions = back.client();
    await sessions.refresh();
    context.mock.timers.enable({ apis: ["Date"], now: Date.now() + 3_700_000 });
    isBroken = true;
    const error = await fails(sessions.list(), code);
    assert.deepEqual([error.status, error.operation, refreshes(back)], [status, "refresh", 2]);
  });
}

test("a refresh before the end that fails is left to the 401 from then on", async (context) => {
  let isBroken = false;
  const back = rotating({ token: (pair) => (isBroken ? json({}, { status: 503 }) : json(pair())) });
  const sessions = back.client();
  await sessions.refresh();
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() + 3_590_000 });
  isBroken = true;
  for (let n = 0; n < 3; n++) assert.equal((await sessions.list()).count, 1);
  assert.equal(refreshes(back), 2);
});

test("an onTokens that fails before the end is said", async (context) => {
  const back = rotating({ token: (pair) => json(pair()) });
  let fine = true;
  const sessions = back.client({ onTokens: () => fine || Promise.reject(new Error("disk full")) });
  await sessions.refresh();
  fine = false;
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() + 3_590_000 });
  await fails(sessions.list(), "internal");
});

test("a refresh before the end that takes long holds up nothing", async () => {
  let hangs = false;
  const back = rotating({ token: (pair) => (hangs ? never() : json(pair())) });
  const sessions = back.client({ timeout: 20_000 });
  await sessions.refresh();
  const { mock } = await import("node:test");
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() + 3_545_000 });
  try {
    hangs = true;
    const began = Date.now();
    let page;
    const listed = sessions.list().then((found) => (page = found));
    for (let turn = 0; !page && turn < 4000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (turn % 4 === 3) mock.timers.tick(10);
    }
    assert.equal((await listed).count, 1);
    assert.ok(Date.now() - began < 5000, String(Date.now() - began));
  } finally {
    mock.timers.reset();
  }
});

for (const where of ["on a server", "in a browser"]) {
  test(`functions that never hear of new tokens go on with the newest, ${where}`, async (context) => {
    const back = rotating({ token: (pair) => json(pair()) });
    const { access, refresh } = back.first;
    const run = async () => {
      const sessions = back.client({ token: () => access, refreshToken: () => refresh });
      const began = Date.now();
      for (const hours of [0, 1.5, 3, 4.5]) {
        context.mock.timers.enable({ apis: ["Date"], now: began + hours * 3_600_000 });
        assert.equal((await sessions.list()).count, 1);
        assert.equal((await sessions.list()).count, 1);
        context.mock.timers.reset();
      }
      assert.deepEqual([refreshes(back), back.replays], [3, 0]);
    };
    await (where === "in a browser" ? inBrowser(run) : run());
  });
}

test("a refresh-token function that is read slowly, while another call refreshes: no token is sent twice", async () => {
  const back = rotating({ token: async (pair) => (await turns(20), json(pair())) });
  let { access, refresh } = back.first;
  let slow = true;
  const turns = async (n) => {
    while (n-- > 0) await new Promise((resolve) => setImmediate(resolve));
  };
  const read = async () => {
    const now = refresh;
    if (slow) {
      slow = false;
      await turns(60);
    }
    return now;
  };
  const sessions = back.client({ token: () => access, refreshToken: read, onTokens: (tokens) => void ([access, refresh] = [tokens.accessToken, tokens.refreshToken]) });
  const late = sessions.refresh();
  await sessions.refresh();
  await turns(10);
  await Promise.all([late, sessions.refresh()]);
  assert.equal(back.replays, 0);
});

test("a session that a refresh makes during revokeAll is ended, too", async (context) => {
  const back = rotating({ token: (pair) => json(pair()) });
  for (const id of ["a", "b", "c"]) back.live.set(id, {});
  const sessions = back.client();
  const began = Date.now();
  context.mock.timers.enable({ apis: ["Date"], now: began });
  const result = await sessions.revokeAll({ onProgress: () => context.mock.timers.setTime(began + 3_590_000) });
  assert.deepEqual([result.success, refreshes(back), [...back.live.keys()]], [true, 1, []]);
});

test("while the user logs out nothing is refreshed", async () => {
  let release;
  const back = rotating({ token: (pair) => json(pair()) });
  const { fetch } = back;
  const sessions = back.client({
    fetch: async (request) => {
      if (request.method === "DELETE") await new Promise((resolve) => (release = resolve));
      return fetch(request);
    },
  });
  const out = sessions.logout();
  while (!release) await new Promise((resolve) => setImmediate(resolve));
  await fails(sessions.refresh(), "unauthenticated");
  release();
  assert.deepEqual([(await out).server, refreshes(back), [...back.live.keys()]], ["confirmed", 0, []]);
});

test("what another tab has only half stored is no pair of tokens", () =>
  inBrowser(async () => {
    const back = rotating({ token: (pair) => json(pair()) });
    const second = back.mint();
    const told = [];
    let asked = 0;
    const sessions = back.client({ token: () => null, refreshToken: () => (asked++ ? second.refresh : back.first.refresh), onTokens: (tokens) => void told.push(tokens) });
    const tokens = await sessions.refresh();
    assert.deepEqual([told, refreshes(back), back.replays], [[tokens], 1, 0]);
    assert.ok(claims(tokens.accessToken).sid);
  }));

test("a call that waits for a refresh goes no further when the user logs out meanwhile", async () => {
  let open;
  const stored = new Promise((resolve) => (open = resolve));
  const { sessions, sent } = faked(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/oauth/token") return json({ access_token: "a1", refresh_token: "r1", expires_in: 3600 });
    if (pathname === "/oauth/logout") return json({ success: true, message: "Logged out" });
    return json({}, { status: 401 });
  }, { token: "a0", refreshToken: "r0", clientId: "web", onTokens: () => stored });
  const list = sessions.list();
  list.catch(() => {});
  while (!sent.some(({ url }) => url.endsWith("/token"))) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  const logout = sessions.logout();
  await settles(logout);
  open();
  await fails(list, "unauthenticated");
  assert.deepEqual(sent.map(({ url }) => new URL(url).pathname), ["/oauth/sessions", "/oauth/token", "/oauth/logout"]);
});
