// Where each refresh makes another session of the user's own, and answers get lost: what is called ended has been ended, and what a refresh has made of it as well.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asking, cookieOf, createSessions, fails, fastForward, held, json, jwt, settles } from "./support.mjs";

const PAIR = { access: jwt({ sub: "alice" }), refresh: jwt({ sub: "alice", sid: "mine" }) };
const NEXT = { access_token: jwt({ sub: "alice", n: 2 }), refresh_token: jwt({ sub: "alice", sid: "next" }) };
const lost = (code = "ECONNRESET") => Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) }));
const gone = () => json({ success: false, message: "Session not found or already revoked" });
const ended = () => json({ success: true, message: "Session revoked successfully" });

/** Options of AuthVital over answers by path, one after the other, the last one again and again; `sent` has the paths. */
function back(answers) {
  const sent = [];
  const fetch = (request) => {
    const { pathname } = new URL(request.url);
    sent.push(pathname);
    const left = answers[pathname] ?? [];
    return (left.length > 1 ? left.shift() : left[0])(request);
  };
  return { options: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", maxRetries: 1, fetch }, sent };
}

function client(answers, more = {}) {
  const { options, sent } = back(answers);
  return { sessions: createSessions({ ...options, token: PAIR.access, refreshToken: PAIR.refresh, ...more }), sent };
}
const revoke = (id) => `/oauth/sessions/${id}/revoke`;

test("what is gone after a lost answer was not ended by this call if a lost refresh may have made another session of it", async () => {
  const { sessions } = client({ "/oauth/token": [() => lost()], "/oauth/logout": [() => lost(), gone], [revoke("mine")]: [() => lost(), gone] });
  await fails(sessions.refresh(), "network");
  const revoked = await (await fastForward(() => sessions.revoke("mine"))).promise;
  assert.deepEqual([revoked.success, revoked.outcome], [false, "already-revoked"]);
  const out = await (await fastForward(() => sessions.logout())).promise;
  assert.deepEqual([out.success, out.server, out.error.code], [false, "rejected", "not_found"]);
});

test("what was never sent has ended nothing", async () => {
  const { sessions } = client({ [revoke("other")]: [() => lost("ECONNREFUSED"), gone] });
  const { success, outcome } = await (await fastForward(() => sessions.revoke("other"))).promise;
  assert.deepEqual([success, outcome], [false, "already-revoked"]);
});

test("the id of this client's session from before a refresh ends the one that it has now", async () => {
  const { sessions, sent } = client({ "/oauth/token": [() => json(NEXT)], [revoke("mine")]: [gone], [revoke("next")]: [ended] });
  await sessions.refresh();
  const { id, success, outcome } = await settles(sessions.revoke("mine"));
  assert.deepEqual([id, success, outcome], ["mine", true, "revoked"]);
  assert.deepEqual(sent, ["/oauth/token", revoke("mine"), revoke("next")]);
});

test("unless the back-end has kept both: then the one that was meant is ended, and this client stays signed in", async () => {
  const { sessions, sent } = client({
    "/oauth/token": [() => json(NEXT)], "/oauth/sessions": [() => json({ sessions: [{ id: "mine" }, { id: "next" }], count: 2 })], [revoke("mine")]: [ended],
  });
  await sessions.refresh();
  assert.equal((await settles(sessions.revoke("mine"))).outcome, "revoked");
  assert.deepEqual((await settles(sessions.revokeOthers())).revoked, ["mine"]);
  assert.deepEqual(sent, ["/oauth/token", revoke("mine"), "/oauth/sessions", revoke("mine")]);
});

test("but not another user's, who has signed in since", async () => {
  const store = { ...PAIR };
  const forbidden = () => json({ message: "Cannot revoke another user's session", error: "Unauthorized", statusCode: 401 }, { status: 401 });
  const { sessions, sent } = client(
    { "/oauth/token": [() => json(NEXT)], [revoke("mine")]: [forbidden] },
    { token: () => store.access, refreshToken: () => store.refresh },
  );
  await sessions.refresh();
  Object.assign(store, { access: jwt({ sub: "bob" }), refresh: jwt({ sub: "bob", sid: "theirs" }) });
  await fails(sessions.revoke("mine"), "forbidden");
  assert.deepEqual(sent, ["/oauth/token", revoke("mine")]);
});

for (const [what, call] of [["revoke", (sessions) => sessions.revoke("mine")], ["revokeCurrent", (sessions) => sessions.revokeCurrent()]]) {
  test(`a refresh while ${what} is on its way: what came out of it is ended`, async () => {
    let answer;
    let refreshed;
    const { sessions, sent } = client({
      "/oauth/token": [() => new Promise((resolve) => (refreshed = () => resolve(json(NEXT))))],
      [revoke("mine")]: [() => new Promise((resolve) => (answer = () => resolve(gone())))],
      [revoke("next")]: [ended],
    });
    const [revoking, refreshing] = held(call(sessions), sessions.refresh());
    while (!answer || !refreshed) await new Promise((resolve) => setImmediate(resolve));
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    refreshed();
    const { success } = await settles(revoking);
    await settles(refreshing);
    assert.equal(success, true);
    assert.deepEqual(sent.toSorted(), [revoke("mine"), revoke("next"), "/oauth/token"].toSorted());
  });
}

test("a call that begins while a logout clears cookies is not the next user's", async () => {
  const store = { ...PAIR };
  let [asked, cleared] = [];
  const gate = (set) => new Promise((resolve) => set(resolve));
  const clears = gate((resolve) => (cleared = resolve));
  const signsIn = gate((resolve) => (asked = resolve));
  let calls = 0;
  const token = async () => {
    if (++calls > 1) await signsIn;
    return store.access;
  };
  const { sessions, sent } = client({ "/oauth/logout": [ended] }, { token, refreshToken: () => store.refresh, cookies: [{ name: "a" }] });
  globalThis.cookieStore = { getAll: async () => (await clears, []), delete: async () => {} };
  try {
    const leaving = sessions.logout();
    while (sent.length === 0) await new Promise((resolve) => setImmediate(resolve));
    // Its answer is there, and cookies are being cleared.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    const [list] = held(sessions.list());
    cleared();
    assert.equal((await settles(leaving)).server, "confirmed");
    Object.assign(store, { access: jwt({ sub: "bob" }), refresh: jwt({ sub: "bob", sid: "theirs" }) });
    asked();
    await fails(list, "unauthenticated");
    assert.deepEqual(sent, ["/oauth/logout"]);
  } finally {
    delete globalThis.cookieStore;
  }
});

// ---------------------------------------------------------------- the handler, whose requests have their refreshes in common

test("a handler's logout is not confirmed by a second answer where another request's refresh was lost", async () => {
  const { options } = back({
    "/oauth/sessions": [() => json({ message: "Invalid access token", error: "Unauthorized", statusCode: 401 }, { status: 401 })],
    "/oauth/token": [() => lost()], "/oauth/logout": [() => lost(), gone],
  });
  const [ask, cookie] = [asking({ sessions: options }), cookieOf(PAIR)];
  assert.equal((await ask("GET /api/sessions", { cookie })).status, 502);
  const { body, set } = await (await fastForward(() => ask("POST /api/logout", { cookie }))).promise;
  assert.deepEqual([body.success, body.server, set.refresh_token.value], [false, "rejected", ""]);
});

test("a handler ends what another request's refresh has made of the session meanwhile, and clears the cookies", async () => {
  let [answer, refreshed] = [];
  const { options, sent } = back({
    "/oauth/sessions": [() => json({ message: "Invalid access token", error: "Unauthorized", statusCode: 401 }, { status: 401 }), () => json({ sessions: [], count: 0 })],
    "/oauth/token": [() => new Promise((resolve) => (refreshed = () => resolve(json(NEXT))))],
    [revoke("mine")]: [() => new Promise((resolve) => (answer = () => resolve(gone())))],
    [revoke("next")]: [ended],
  });
  const [ask, cookie] = [asking({ sessions: options }), cookieOf(PAIR)];
  const [revoking, listing] = held(ask("POST /api/sessions/mine/revoke", { cookie }), ask("GET /api/sessions", { cookie }));
  while (!answer || !refreshed) await new Promise((resolve) => setImmediate(resolve));
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  refreshed();
  const { status, body, set } = await settles(revoking);
  assert.deepEqual([status, body.id, body.success, set.refresh_token.value], [200, "mine", true, ""]);
  assert.ok(sent.includes(revoke("next")));
  await settles(listing);
});
