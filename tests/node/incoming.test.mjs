// Serving somebody else's request: its Authorization is forwarded, and nothing else of it or of the client's own.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { createAuthVital, fails, faked, EMPTY_LIST, G1, G2, json, sandbox, settles, signedIn } from "./support.mjs";

beforeEach(() => sandbox.reset());

const bearer = (token) => `Bearer ${token}`;
const cookie = "refresh_token=r; idp_session=i; auth_token=a";

/** The same request, as servers and frameworks show it. */
const SHAPES = {
  "Fetch Request": (token) => new Request("https://app.example.com/devices", { method: "POST", body: "{}", headers: { authorization: bearer(token), cookie, "x-custom": "1" } }),
  "Headers": (token) => ({ headers: new Headers({ Authorization: bearer(token), cookie }) }),
  "Node, lower case": (token) => ({ url: "/devices", method: "POST", headers: { host: "app.example.com", authorization: bearer(token), cookie, "x-custom": "1" } }),
  "Authorization": (token) => ({ headers: { Authorization: bearer(token), Cookie: cookie } }),
  "AUTHORIZATION": (token) => ({ headers: { AUTHORIZATION: bearer(token), COOKIE: cookie } }),
  "array": (token) => ({ headers: { authorization: [bearer(token)], cookie: [cookie] } }),
  "the same twice": (token) => ({ headers: { authorization: [bearer(token), bearer(token)], Authorization: bearer(token) } }),
  "without a prototype": (token) => ({ headers: Object.assign(Object.create(null), { authorization: bearer(token) }) }),
};

/** A server's client, which has tokens of its own that must stay at home. */
const server = (options) => createAuthVital({ baseUrl: G1, token: "own-token", refreshToken: "own-refresh", clientId: "web-client", ...options }).sessions;

for (const [shape, make] of Object.entries(SHAPES)) {
  test(`${shape}: forwarded by every method that takes a request`, async () => {
    const user = await sandbox.signIn();
    const other = await sandbox.signIn();
    await sandbox.forget();
    const sessions = server();
    assert.equal((await sessions.list(make(user.access))).count, 9);
    assert.equal((await sessions.list(make(user.access), { applicationId: "app-mobile" })).count, 2);
    assert.equal((await sessions.revoke(make(user.access), other.id)).success, true);
    await fails(sessions.current(make(user.access)), "current_unknown");
    await fails(sessions.revokeCurrent(make(user.access)), "current_unknown");
    await fails(sessions.revokeOthers(make(user.access)), "current_unknown");
    assert.equal((await sessions.revokeAll(make(user.access))).count, 8);
    const requests = await sandbox.requests();
    assert.equal(requests.length, 4);
    for (const { line, cookie, authorization, headers } of requests) {
      assert.deepEqual([cookie, authorization, headers.includes("x-custom")], [false, true, false], line);
    }
  });
}

test("the value is forwarded as it came", async () => {
  for (const value of ["Bearer abc", "bearer abc", "DPoP abc", "abc"]) {
    const { sessions, sent } = faked(() => json(EMPTY_LIST));
    await sessions.list({ headers: { authorization: value } });
    assert.equal(sent[0].headers.get("authorization"), value);
  }
});

test("a logout that comes with cookies alone needs the refresh token, and is served with that", async () => {
  const options = { token: "mine", refreshToken: "mine-too", cookies: [{ name: "a" }] };
  const { sessions, sent } = faked(() => json({ success: true, message: "Logged out" }), options);
  const result = await sessions.logout({ request: { headers: { cookie } }, refreshToken: "theirs" });
  assert.equal(result.server, "confirmed");
  assert.equal(result.setCookie.length, 1);
  assert.equal(sent[0].headers.get("authorization"), null);
  assert.equal(sent[0].headers.get("cookie"), null);
  assert.equal(await sent[0].text(), '{"refresh_token":"theirs"}');
});

test("a request without Authorization is unauthenticated, and nothing is sent", async () => {
  const sessions = server();
  for (const request of [
    new Request("https://app.example.com/", { headers: { cookie } }),
    { headers: {} },
    { headers: { cookie } },
    { headers: { authorization: undefined } },
    { headers: { authorization: "" } },
    { headers: { authorization: [] } },
    { headers: new Headers() },
    { headers: { "x-authorization": "Bearer a" } },
  ]) {
    await fails(sessions.list(request), "unauthenticated");
    await fails(sessions.revoke(request, "id"), "unauthenticated");
    await fails(sessions.revokeAll(request), "unauthenticated");
    await fails(sessions.revokeOthers(request), "unauthenticated");
    await fails(sessions.revokeCurrent(request), "unauthenticated");
    await fails(sessions.current(request), "unauthenticated");
    await fails(sessions.logout({ request }), "unauthenticated");
  }
  assert.deepEqual(await sandbox.lines(), []);
});

test("several different Authorizations are refused, and nothing is sent", async () => {
  const sessions = server();
  for (const headers of [{ authorization: ["Bearer a", "Bearer b"] }, { authorization: "Bearer a", Authorization: "Bearer b" }]) {
    await fails(sessions.list({ headers }), "invalid_argument");
    await fails(sessions.revoke({ headers }, "id"), "invalid_argument");
  }
  assert.deepEqual(await sandbox.lines(), []);
});

test("an Authorization that no header can hold is refused, and nothing is sent", async () => {
  const sessions = server();
  for (const authorization of ["Bearer a\r\nx-evil: 1", "Bearer a\n", "Bearer \0", "Bearer \u{1F600}"]) {
    await fails(sessions.list({ headers: { authorization } }), "invalid_argument");
  }
  assert.deepEqual(await sandbox.lines(), []);
});

test("an undefined request is the client itself; as the first of revoke's arguments it is a mistake", async () => {
  const { sessions, id } = await signedIn();
  assert.equal((await sessions.list(undefined, { applicationId: "app-web" })).sessions.some(({ current }) => current), true);
  await sandbox.forget();
  await fails(sessions.revoke(undefined, id), "invalid_argument");
  assert.deepEqual(await sandbox.lines(), []);
});

test("options with headers go second: alone they are a request", async () => {
  const { sessions } = await signedIn();
  await fails(sessions.list({ headers: { "x-a": "1" } }), "unauthenticated");
  await sessions.list(undefined, { headers: { "x-a": "1" } });
  assert.ok((await sandbox.requests())[0].headers.includes("x-a"));
});

test("a refused token of a request does not bring the client's own tokens into play", async () => {
  const own = await sandbox.signIn("other@example.com");
  await sandbox.forget();
  const sessions = server({ token: own.access, refreshToken: own.refresh });
  await fails(sessions.list({ headers: { authorization: "Bearer garbage" } }), "unauthenticated");
  await fails(sessions.revokeAll({ headers: { authorization: "Bearer garbage" } }), "unauthenticated");
  assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions", "POST /oauth/logout-all"]);
  assert.equal((await sandbox.active("other@example.com")).length, 3);
});

test("a client's own cookie header is for its own calls only", async () => {
  const user = await sandbox.signIn();
  await sandbox.forget();
  const sessions = server({ baseUrl: G2, headers: { Cookie: "idp_session=i", "x-app": "1" }, token: () => null, refreshToken: undefined });
  await sessions.list({ headers: { authorization: bearer(user.access) } });
  await fails(sessions.list(), "unauthenticated");
  const requests = await sandbox.requests();
  assert.deepEqual(requests.map(({ cookie }) => cookie), [false, false, true]);
  assert.ok(requests.every(({ headers }) => headers.includes("x-app")));
});

test("what one user's call finds out about itself is not told to another", async () => {
  const [dana, oskar] = [await sandbox.signIn(), await sandbox.signIn("other@example.com")];
  const sessions = createAuthVital({ baseUrl: G1 }).sessions;
  const request = ({ access }) => ({ headers: { authorization: bearer(access) } });
  const pages = await Promise.all([dana, oskar, dana, oskar].map((user) => sessions.list(request(user))));
  assert.deepEqual(pages.map(({ count }) => count), [8, 3, 8, 3]);
  await sessions.logout(dana.refresh);
  await sessions.logout(undefined);
  assert.equal((await sessions.list(request(oskar))).count, 3, "a logout signs out its user, not the server");
});

test("logout takes a request under that name only", async () => {
  const user = await sandbox.signIn();
  await sandbox.forget();
  const request = new Request("https://app.example.com/", { headers: { authorization: bearer(user.access), cookie } });
  const sessions = server({ cookies: [{ name: "access_token" }] });
  await fails(sessions.logout(request), "invalid_argument");
  assert.deepEqual(await sandbox.lines(), []);
  const result = await sessions.logout({ request, refreshToken: user.refresh });
  assert.deepEqual([result.server, result.setCookie.length], ["confirmed", 1]);
  assert.equal((await sandbox.row(user.id)).ended_by, "logout");
  assert.equal((await sandbox.requests())[0].cookie, false);
});

// ---------------------------------------------------------------- what is not the request itself

test("what frameworks have around a request is not taken for options: nothing of this client's is ended", async () => {
  const { sessions, sent } = faked(() => json({ success: true, count: 1 }), { provider: "authvital", token: "the-client's-own" });
  const request = new Request("https://app.example.com/", { headers: { authorization: "Bearer user" } });
  class Context {
    get req() {
      return { raw: request };
    }
  }
  for (const around of [request.headers, Promise.resolve(request), new Context(), { request }, { req: request }, { raw: request }, { node: { req: request } }, { host: "app.example.com", authorization: "Bearer user" }]) {
    for (const operation of ["list", "revokeAll"]) {
      const { message } = await fails(sessions[operation](around), "invalid_argument");
      assert.match(message, /itself/);
      assert.doesNotMatch(message, /Bearer/);
    }
  }
  assert.equal(sent.length, 0);
});

test("a misspelt option is told, and nothing is ended that was not meant", async () => {
  const { sessions, sent } = faked(() => json({ success: true }), { provider: "authvital", token: "t" });
  for (const options of [{ application_id: "app1" }, { applicationID: "app1" }, { request: "r" }]) {
    await fails(sessions.revokeAll(options), "invalid_argument", Object.keys(options)[0]);
  }
  // What is not there is nothing.
  await sessions.revokeAll({ application_id: undefined });
  assert.equal(sent.length, 1);
});

test("headers of the connection can't be forwarded", async () => {
  const { sessions, sent } = faked(() => json({ success: true }), { provider: "authvital", token: "t" });
  for (const name of ["Content-Length", "host", "connection", "Transfer-Encoding"]) await fails(sessions.revokeAll(undefined, { headers: { [name]: "1" } }), "invalid_argument");
  assert.equal(sent.length, 0);
});

test("cookies that one call forwards are credentials enough", async () => {
  const { sessions, sent } = faked(() => json([]), { provider: "better-auth", token: undefined });
  await fails(sessions.list(), "unauthenticated");
  await settles(sessions.list(undefined, { headers: { Cookie: "better-auth.session_token=x" } }));
  assert.equal(sent[0].headers.get("cookie"), "better-auth.session_token=x");
});
