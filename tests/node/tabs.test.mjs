// Refreshes in a browser, where what came of one is told to other tabs: what was told once must not stand in the way of the next.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessions, fails, held, inBrowser, json, never, settles } from "./support.mjs";

/** A back-end whose refresh token stays the same. What it last gave is good, until it is `over`. */
function staying(answer = {}) {
  const server = { good: "a0", given: 0, lists: 0, over: () => (server.good = "") };
  server.fetch = async (request) => {
    if (request.method === "POST") return json({ access: (server.good = `a${++server.given}`), ...answer });
    server.lists++;
    return request.headers.get("authorization") === `Bearer ${server.good}` ? json({ sessions: [] }) : json({}, { status: 401 });
  };
  return server;
}

const REFRESH = { method: "POST", path: "/t", body: { token: "{refreshToken}" }, accessToken: "access", refreshToken: "refresh" };
const profile = (refresh) => ({ name: "p", list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" }, refresh });

test("a refresh token that stays is used each time that its access token has run out", async () => {
  for (const [host, refresh, more] of [["x", { ...REFRESH, refreshToken: undefined }], ["y", REFRESH], ["z", REFRESH, { credentials: "include" }]]) {
    const server = staying();
    const sessions = createSessions({ provider: profile(refresh), baseUrl: `https://${host}.example.com`, token: "a0", refreshToken: "r0", fetch: server.fetch, totalTimeout: 4000, ...more });
    await inBrowser(async () => {
      for (const times of [1, 2, 3]) {
        server.over();
        await settles(sessions.list());
        assert.deepEqual([server.given, server.lists], [times, 2 * times]);
      }
      const pair = await settles(sessions.refresh());
      assert.deepEqual([pair.accessToken, pair.refreshToken, server.given], ["a4", "r0", 4]);
    });
  }
});

test("calls that wait at the same time share the refresh; one that comes later has its own", async () => {
  const server = staying();
  const client = () => createSessions({ provider: profile(REFRESH), baseUrl: "https://shared.example.com", token: "a0", refreshToken: "r0", fetch: server.fetch, totalTimeout: 4000 });
  await inBrowser(async () => {
    const pairs = await settles(Promise.all([client().refresh(), client().refresh()]));
    assert.equal(server.given, 1);
    assert.deepEqual(pairs.map(({ accessToken }) => accessToken), ["a1", "a1"]);
    assert.equal((await settles(client().refresh())).accessToken, "a2");
  });
});

test("one that rotates is taken from whoever has exchanged it, whenever that was", async () => {
  const server = staying({ refresh: "r1" });
  const client = () => createSessions({ provider: profile(REFRESH), baseUrl: "https://rotating.example.com", token: "a0", refreshToken: "r0", fetch: server.fetch, totalTimeout: 4000 });
  await inBrowser(async () => {
    await settles(client().refresh());
    assert.equal((await settles(client().refresh())).accessToken, "a1");
    assert.equal(server.given, 1);
  });
});

test("in a cookie it is the user's who is signed in now", async () => {
  const server = { user: "alice", given: 0 };
  const fetch = async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/oauth")) return json({ message: `Cannot ${request.method} ${pathname}`, error: "Not Found", statusCode: 404 }, { status: 404 });
    if (pathname.endsWith("/refresh")) return json({ access_token: `${server.user}-${++server.given}`, expires_in: 3600, token_type: "Bearer" });
    return json({ sessions: [], count: 0 });
  };
  const client = (token) => createSessions({ provider: "authvital", baseUrl: "https://cookie.example.com", credentials: "include", token, fetch, totalTimeout: 4000 });
  await inBrowser(async () => {
    const alice = client("alice-0");
    // The first call of all: which generation this is, is not known yet.
    for (const times of [1, 2]) {
      const { accessToken, refreshToken } = await settles(alice.refresh());
      assert.deepEqual([accessToken, refreshToken], [`alice-${times}`, null]);
    }
    server.user = "bob";
    assert.equal((await settles(client("bob-0").refresh())).accessToken, "bob-3");
  });
});

test("a 401 is cured with the cookie, too", async () => {
  const server = { good: "", given: 0 };
  const fetch = async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/oauth")) return json({ message: `Cannot ${request.method} ${pathname}`, error: "Not Found", statusCode: 404 }, { status: 404 });
    if (pathname.endsWith("/refresh")) return json({ access_token: (server.good = `new-${++server.given}`), expires_in: 3600, token_type: "Bearer" });
    return request.headers.get("authorization") === `Bearer ${server.good}` ? json({ sessions: [], count: 0 }) : json({ message: "Invalid access token" }, { status: 401 });
  };
  const options = { provider: "authvital", baseUrl: "https://cure.example.com", token: "old", fetch, totalTimeout: 4000 };
  await inBrowser(async () => {
    await settles(createSessions({ ...options, credentials: "include" }).list());
    assert.equal(server.given, 1);
    await fails(createSessions({ ...options, baseUrl: "https://none.example.com" }).list(), "unauthenticated");
    assert.equal(server.given, 1, "nobody said that cookies are sent");
  });
});

test("a pair that onTokens could not store is the other tab's all the same", async () => {
  const posts = [];
  const fetch = async (request) => {
    if (request.method !== "POST") return json({ sessions: [] });
    posts.push((await request.json()).token);
    return json({ access: "a1", refresh: "r1" });
  };
  const client = (more) => createSessions({ provider: profile(REFRESH), baseUrl: "https://full.example.com", token: "a0", refreshToken: "r0", fetch, totalTimeout: 4000, ...more });
  await inBrowser(async () => {
    const full = client({ onTokens: () => Promise.reject(new Error("quota")) });
    await fails(full.refresh(), "internal");
    const { accessToken, refreshToken } = await settles(client().refresh());
    assert.deepEqual([accessToken, refreshToken, posts], ["a1", "r1", ["r0"]]);
  });
});

test("nor does one that onTokens never ends with count as lost", async () => {
  const fetch = async (request) => (request.method === "POST" ? json({ access: "a1", refresh: "r1" }) : json({ sessions: [] }));
  const client = (more) => createSessions({ provider: profile(REFRESH), baseUrl: "https://hangs.example.com", token: "a0", refreshToken: "r0", fetch, totalTimeout: 500, ...more });
  await inBrowser(async () => {
    const hangs = client({ onTokens: never });
    await fails(hangs.refresh(), "timeout");
    assert.equal((await settles(client({ totalTimeout: 4000 }).refresh())).accessToken, "a1");
  });
});

test("without locks: a tab that has come to its end says so, and is not waited for again", async (t) => {
  const server = staying();
  const sessions = createSessions({ provider: profile(REFRESH), baseUrl: "https://lots.example.com", token: "a0", refreshToken: "r0", fetch: server.fetch, totalTimeout: 3000 });
  const key = "auth-sessions https://lots.example.com\nr0";
  const heard = [];
  const other = new BroadcastChannel("auth-sessions");
  t.after(() => other.close());
  other.onmessage = ({ data }) => heard.push(data);
  const released = () => heard.find(([about, , claim]) => about === key && claim === 2);
  await inBrowser(async () => {
    await settles(sessions.refresh());
    while (!released()) await new Promise((resolve) => setImmediate(resolve));
    const lot = heard.find(([about, pair, claim]) => about === key && pair === null && claim <= 1)[2];
    assert.deepEqual(released(), [key, null, 2, lot]);
    // The other one draws a lower number, and ends.
    other.postMessage([key, null, 0]);
    other.postMessage([key, null, 2, 0]);
    assert.equal((await settles(sessions.refresh())).accessToken, "a2");
  });
});

test("a tab that was idle for long takes the newest pair of many", async () => {
  const sessions = createSessions({ provider: profile(REFRESH), baseUrl: "https://idle.example.com", token: "a0", refreshToken: "r0", fetch: never, totalTimeout: 4000 });
  const other = new BroadcastChannel("auth-sessions");
  const name = "auth-sessions https://idle.example.com";
  await inBrowser(async () => {
    // It listens from its first call on.
    await sessions.capabilities();
    for (let n = 0; n < 300; n++) other.postMessage([`${name}\nr${n}`, { accessToken: `a${n + 1}`, refreshToken: `r${n + 1}`, expiresAt: null, at: Date.now() }]);
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await settles(sessions.refresh())).refreshToken, "r300");
  });
  other.close();
});

test("without locks: who lost the lot draws again when the winner has nothing to tell", async () => {
  const server = staying();
  const sessions = createSessions({ provider: profile(REFRESH), baseUrl: "https://again.example.com", token: "a0", refreshToken: "r0", fetch: server.fetch, totalTimeout: 20_000 });
  const key = "auth-sessions https://again.example.com\nr0";
  const other = new BroadcastChannel("auth-sessions");
  let lots = 0;
  other.onmessage = ({ data: [about, pair, claim] }) => {
    if (about !== key || pair !== null || claim > 1) return;
    // It has drawn a lower one, and comes to its end without new tokens.
    if (lots++ === 0) for (const message of [[key, null, 0], [key, null, 2, 0]]) other.postMessage(message);
  };
  await inBrowser(async () => {
    assert.equal((await settles(sessions.refresh())).accessToken, "a1");
  });
  other.close();
  assert.ok(lots >= 1);
});

test("a tab that opens later asks what came of a refresh, and is told what is known", async (t) => {
  const server = staying({ refresh: "r1" });
  const sessions = createSessions({ provider: profile(REFRESH), baseUrl: "https://late.example.com", token: "a0", refreshToken: "r0", fetch: server.fetch, totalTimeout: 4000 });
  const key = "auth-sessions https://late.example.com\nr0";
  const heard = [];
  const other = new BroadcastChannel("auth-sessions");
  t.after(() => other.close());
  await inBrowser(async () => {
    await settles(sessions.refresh());
    other.onmessage = ({ data }) => heard.push(data);
    other.postMessage(["auth-sessions https://unknown.example.com\nr0"]);
    other.postMessage([key]);
    while (!heard.some(([about, pair]) => about === key && pair)) await new Promise((resolve) => setImmediate(resolve));
  });
  assert.ok(heard.every(([about]) => about === key));
  const { accessToken, refreshToken } = heard.at(-1)[1];
  assert.deepEqual([accessToken, refreshToken], ["a1", "r1"]);
});

test("a pair of one user's is not the next user's, though it comes when they have signed in", async () => {
  const [store, sent] = [{ access: "access-A", refresh: "refresh-A" }, []];
    let release;
  const locks = {
    async request(name, { ifAvailable }, work) {
      if (ifAvailable) return work(null);
      await new Promise((resolve) => (release = resolve));
      return work({});
    },
  };
  const fetch = async (request) => {
    sent.push(request.headers.get("authorization"));
    return request.headers.get("authorization") === "Bearer access-A" ? json({}, { status: 401 }) : json({ sessions: [] });
  };
  await inBrowser(async () => {
    navigator.locks = locks;
    const sessions = createSessions({ provider: "authvital", baseUrl: "https://users.example.com", clientId: "c", maxRetries: 0, token: () => store.access, refreshToken: () => store.refresh, fetch });
    const [ofA] = held(sessions.list());
    while (!release) await new Promise((resolve) => setImmediate(resolve));
    Object.assign(store, { access: "access-B", refresh: "refresh-B" });
    const other = new BroadcastChannel("auth-sessions");
    other.postMessage([`auth-sessions https://users.example.com\nrefresh-A`, { accessToken: "access-A2", refreshToken: "refresh-A2", expiresAt: null, at: Date.now() }]);
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    release();
    await ofA.catch(() => {});
    other.close();
    sent.length = 0;
    await settles(sessions.list());
  });
  assert.deepEqual(sent, ["Bearer access-B"]);
});
