// What the package takes for granted about Better Auth, asked of the real one; and that the server here is what its first lines say.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, beforeEach, describe, test } from "node:test";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { bearer } from "better-auth/plugins";
import { start } from "./server.mjs";

const PAGE = "http://localhost:5173";
const STRANGER = "https://stranger.example";
const DAY = 24 * 60 * 60 * 1000;
const UNAUTHORIZED = { message: "Unauthorized", code: "UNAUTHORIZED" };
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
// What ends the cookies in a browser.
const CLEARS = ["better-auth.session_token=", "better-auth.session_data=", "better-auth.dont_remember="].map((name) => `${name}; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`);

let server;
before(async () => (server = await start({ allowOrigins: [PAGE] })));
after(() => server.stop());
beforeEach(() => ask("POST", "reset"));

/** One of the server's own routes. */
async function ask(method, route, body) {
  const response = await fetch(`${server.url}/test/${route}`, { method, body: body && JSON.stringify(body) });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

const stored = async (email) => (await ask("GET", `sessions${email ? `?user=${email}` : ""}`)).sessions;
const ids = async (email) => (await stored(email)).map(({ id }) => id).sort();

/** A request to Better Auth. `json` is a body of the right type; `token` a bearer token. */
async function call(line, { json, body, token, headers = {}, at = server.url } = {}) {
  const [method, route] = line.split(" ");
  const response = await fetch(`${at}/api/auth${route}`, {
    method,
    body: json === undefined ? body : JSON.stringify(json),
    headers: { ...(json !== undefined && { "content-type": "application/json" }), ...(token && { authorization: `Bearer ${token}` }), ...headers },
  });
  const text = await response.text();
  const value = response.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : text;
  return { status: response.status, value, headers: response.headers, cookies: response.headers.getSetCookie() };
}

/** A new session: its bare token, as the signed one, as a cookie, and its id. */
async function signIn(email = "demo@example.com", more = {}) {
  const known = await ids();
  const { status, value, headers, cookies } = await call("POST /sign-in/email", { json: { email, password: `${email.split("@")[0]}-password`, ...more }, headers: { origin: server.url } });
  assert.equal(status, 200, JSON.stringify(value));
  const [id] = (await ids()).filter((id) => !known.includes(id));
  return { value, token: value.token, signed: headers.get("set-auth-token"), cookies, cookie: cookies[0].split(";")[0], id };
}

async function refuses(promise, status, body) {
  const answer = await promise;
  assert.deepEqual([answer.status, answer.value], [status, body]);
  return answer;
}

const succeeds = (promise, body) => refuses(promise, 200, body);

describe("sign-in and sign-up", () => {
  test("answer the token and the user, and set the cookie", async () => {
    const { value, token, signed, cookies } = await signIn();
    assert.deepEqual(Object.keys(value).sort(), ["redirect", "token", "user"]);
    assert.equal(value.user.email, "demo@example.com");
    assert.match(token, /^[A-Za-z0-9]{32}$/);
    // The cookie is the token and its signature, percent-encoded; the header of the bearer plugin has them plain.
    assert.equal(signed.split(".")[0], token);
    assert.deepEqual(cookies, [`better-auth.session_token=${encodeURIComponent(signed)}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax`]);

    const up = await call("POST /sign-up/email", { json: { email: "new@example.com", password: "new-password", name: "Nova New" }, headers: { origin: server.url } });
    assert.equal(up.status, 200);
    assert.deepEqual(Object.keys(up.value).sort(), ["token", "user"]);
    assert.equal((await stored("new@example.com")).length, 1);
  });

  test("without rememberMe the cookies end with the browser, the session after a day", async () => {
    const { cookies, id } = await signIn("demo@example.com", { rememberMe: false });
    assert.deepEqual(cookies.map((cookie) => cookie.replace(/=[^;]*/, "")), ["better-auth.session_token; Path=/; HttpOnly; SameSite=Lax", "better-auth.dont_remember; Path=/; HttpOnly; SameSite=Lax"]);
    const row = (await stored()).find((row) => row.id === id);
    // 86,400 s after a moment that is not quite the one of createdAt.
    assert.ok(Math.abs(Date.parse(row.expiresAt) - Date.parse(row.createdAt) - DAY) < 1000, JSON.stringify(row));
  });

  test("a wrong password and an unknown user are the same 401", async () => {
    const wrong = { message: "Invalid email or password", code: "INVALID_EMAIL_OR_PASSWORD" };
    for (const email of ["demo@example.com", "nobody@example.com"]) {
      await refuses(call("POST /sign-in/email", { json: { email, password: "wrong-password" }, headers: { origin: server.url } }), 401, wrong);
    }
  });

  test("Node's fetch has to name an allowed origin even without a cookie: it sends Sec-Fetch-Mode", async () => {
    const json = { email: "demo@example.com", password: "demo-password" };
    await ask("DELETE", "requests");
    await refuses(call("POST /sign-in/email", { json }), 403, { message: "Missing or null Origin", code: "MISSING_OR_NULL_ORIGIN" });
    await refuses(call("POST /sign-in/email", { json, headers: { origin: STRANGER } }), 403, { message: "Invalid origin", code: "INVALID_ORIGIN" });
    assert.equal((await call("POST /sign-in/email", { json, headers: { origin: PAGE } })).status, 200);
    const { requests } = await ask("GET", "requests");
    assert.deepEqual(requests.map(({ headers }) => ["sec-fetch-mode", "origin", "cookie"].map((name) => headers.includes(name))), [[true, false, false], [true, true, false], [true, true, false]]);
  });
});

describe("get-session", () => {
  test("is the session with its token, and the user", async () => {
    const { token, id } = await signIn();
    const { status, value, headers } = await call("GET /get-session", { token });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(value).sort(), ["session", "user"]);
    assert.deepEqual(Object.keys(value.session).sort(), ["createdAt", "expiresAt", "id", "ipAddress", "token", "updatedAt", "userAgent", "userId"]);
    assert.deepEqual([value.session.id, value.session.token, value.session.userId], [id, token, value.user.id]);
    assert.deepEqual([value.user.email, value.user.name], ["demo@example.com", "Dana Demo"]);
    assert.equal(headers.get("cache-control"), "no-store");
  });

  test("is a literal null with 200 without a session; a dead one's cookies are cleared, too", async () => {
    assert.deepEqual((await succeeds(call("GET /get-session"), null)).cookies, []);
    const { token, cookie } = await signIn();
    await call("POST /sign-out", { token });
    assert.deepEqual((await succeeds(call("GET /get-session", { token }), null)).cookies, CLEARS);
    assert.deepEqual((await succeeds(call("GET /get-session", { headers: { cookie } }), null)).cookies, CLEARS);
  });

  test("an expired session is none, and is deleted", async () => {
    const { token, id } = await signIn();
    await ask("POST", "age", { id, ms: 7 * DAY });
    await succeeds(call("GET /get-session", { token }), null);
    assert.ok(!(await ids()).includes(id));
  });

  test("a session of a day ago is extended: the same token with a later end, in the headers, too", async () => {
    const { token, signed, id, cookies } = await signIn();
    const { expiresAt } = await ask("POST", "age", { id, ms: DAY });
    const { value, headers, cookies: again } = await call("GET /get-session", { token });
    assert.equal(value.session.token, token);
    assert.ok(Date.parse(value.session.expiresAt) >= Date.parse(expiresAt) + DAY, `${expiresAt}, then ${value.session.expiresAt}`);
    assert.equal(headers.get("set-auth-token"), signed);
    assert.deepEqual(again, cookies);
  });
});

describe("list-sessions", () => {
  test("is a bare array with the secret token of each, unsorted: the current one is that of get-session's token", async () => {
    const { token, id } = await signIn();
    const { status, value } = await call("GET /list-sessions", { token });
    assert.equal(status, 200);
    assert.ok(Array.isArray(value));
    assert.deepEqual(value.map(({ id }) => id), (await stored("demo@example.com")).map(({ id }) => id));
    for (const item of value) {
      assert.deepEqual(Object.keys(item).sort(), ["createdAt", "expiresAt", "id", "ipAddress", "token", "updatedAt", "userAgent", "userId"]);
      for (const field of ["createdAt", "updatedAt", "expiresAt"]) assert.match(item[field], ISO);
      // It is a secret that signs in.
      assert.equal((await call("GET /get-session", { token: item.token })).value.session.id, item.id);
    }
    assert.deepEqual(value.filter((item) => item.token === token).map(({ id }) => id), [id]);
  });

  test("addresses: IPv6 as its /64, spelled out; an unknown agent or address is an empty text", async () => {
    const { token } = await signIn();
    const { value } = await call("GET /list-sessions", { token });
    assert.deepEqual(
      value.slice(0, 6).map(({ ipAddress }) => ipAddress),
      ["198.51.100.9", "203.0.113.140", value[2].ipAddress, "198.51.100.77", "2001:0db8:04f2:1c00:0000:0000:0000:0000", "203.0.113.24"],
    );
    assert.equal(value[2].userAgent, "");
    // Its development mode puts the loopback address there.
    assert.ok(["", "127.0.0.1"].includes(value[2].ipAddress), value[2].ipAddress);
  });

  test("expired sessions are left out", async () => {
    const gone = await signIn();
    const { token } = await signIn();
    await ask("POST", "age", { id: gone.id, ms: 7 * DAY });
    const { value } = await call("GET /list-sessions", { token });
    assert.ok(!value.some(({ id }) => id === gone.id));
    assert.ok((await ids()).includes(gone.id));
  });

  test("401 without a session", async () => {
    await refuses(call("GET /list-sessions"), 401, UNAUTHORIZED);
  });

  test("403 when the session is a day old, for good; nothing else minds", async () => {
    const { token, id } = await signIn();
    const old = { message: "Session is not fresh", code: "SESSION_NOT_FRESH" };
    await ask("POST", "age", { id, ms: DAY - 60_000 });
    assert.equal((await call("GET /list-sessions", { token })).status, 200);
    await ask("POST", "age", { id, ms: 60_000 });
    // The first of these extends it, which does not make it fresh.
    await refuses(call("GET /list-sessions", { token }), 403, old);
    await refuses(call("GET /list-sessions", { token }), 403, old);
    assert.equal((await call("GET /get-session", { token })).value.session.id, id);
    const other = await signIn();
    await succeeds(call("POST /revoke-session", { token, json: { token: other.token } }), { status: true });
    assert.ok(!(await ids()).includes(other.id));
    await succeeds(call("POST /revoke-other-sessions", { token }), { status: true });
    assert.deepEqual(await ids("demo@example.com"), [id]);
    await succeeds(call("POST /revoke-sessions", { token }), { status: true });
    assert.deepEqual(await ids("demo@example.com"), []);
  });

  test("is cut at 100 sessions, without a word; to revoke the others ends no more of them at once", async () => {
    const first = await stored("demo@example.com");
    for (let n = first.length; n < 102; n++) await signIn();
    const { token, id } = await signIn();
    const { value } = await call("GET /list-sessions", { token });
    assert.equal(value.length, 100);
    assert.ok(!value.some((item) => item.id === id), "the current one is not among them");
    await succeeds(call("POST /revoke-other-sessions", { token }), { status: true });
    assert.equal((await ids("demo@example.com")).length, 3);
    await succeeds(call("POST /revoke-other-sessions", { token }), { status: true });
    assert.deepEqual(await ids("demo@example.com"), [id]);
  });
});

describe("revoke-session", () => {
  test("ends the session of that token", async () => {
    const [mine, phone] = [await signIn(), await signIn()];
    const { cookies } = await succeeds(call("POST /revoke-session", { token: mine.token, json: { token: phone.token } }), { status: true });
    assert.deepEqual(cookies, []);
    await succeeds(call("GET /get-session", { token: phone.token }), null);
    const left = await ids();
    assert.deepEqual([left.includes(mine.id), left.includes(phone.id)], [true, false]);
  });

  test("the current one's own token ends it and clears the cookies", async () => {
    const { token, id } = await signIn();
    assert.deepEqual((await succeeds(call("POST /revoke-session", { token, json: { token } }), { status: true })).cookies, CLEARS);
    assert.ok(!(await ids()).includes(id));
  });

  test("true and no effect for an unknown, a foreign, a revoked and a signed token, and for an id", async () => {
    const [mine, phone, foreign, ended] = [await signIn(), await signIn(), await signIn("other@example.com"), await signIn()];
    await call("POST /sign-out", { token: ended.token });
    const all = await ids();
    for (const token of ["unknown", "", foreign.token, ended.token, phone.signed, phone.id]) {
      await succeeds(call("POST /revoke-session", { token: mine.token, json: { token } }), { status: true });
      assert.deepEqual(await ids(), all);
    }
    assert.equal((await call("GET /get-session", { token: foreign.token })).value.user.email, "other@example.com");
  });

  test("400, also without a session, when there is no token; 401 without a session; 415 for anything but JSON", async () => {
    const { token } = await signIn();
    for (const bearer of [token, undefined]) {
      for (const json of [{}, { token: 1 }, { token: null }]) {
        const { status, value } = await call("POST /revoke-session", { token: bearer, json });
        assert.deepEqual([status, value.code, Object.keys(value).sort()], [400, "VALIDATION_ERROR", ["code", "message"]]);
      }
    }
    assert.equal((await call("POST /revoke-session", { token })).value.code, "VALIDATION_ERROR");
    await refuses(call("POST /revoke-session", { token, body: "{", headers: { "content-type": "application/json" } }), 400, { message: "Invalid JSON in request body", code: "BAD_REQUEST" });
    await refuses(call("POST /revoke-session", { json: { token } }), 401, UNAUTHORIZED);
    for (const type of ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded"]) {
      const { status, value } = await call("POST /revoke-session", { token, body: JSON.stringify({ token }), headers: { "content-type": type } });
      assert.deepEqual([status, value.code], [415, "UNSUPPORTED_MEDIA_TYPE"]);
    }
    assert.equal((await call("GET /get-session", { token })).status, 200);
  });
});

test("revoke-other-sessions leaves the current one and everybody else's; no count, no body needed", async () => {
  const { token, id } = await signIn();
  const foreign = await ids("other@example.com");
  const answer = await succeeds(call("POST /revoke-other-sessions", { token }), { status: true });
  assert.deepEqual(answer.cookies, []);
  assert.deepEqual(await ids("demo@example.com"), [id]);
  assert.deepEqual(await ids("other@example.com"), foreign);
  await succeeds(call("POST /revoke-other-sessions", { token, json: {} }), { status: true });
  await refuses(call("POST /revoke-other-sessions"), 401, UNAUTHORIZED);
});

test("revoke-sessions ends the current one, too, and clears the cookies; then it is 401", async () => {
  const { token } = await signIn();
  const foreign = await ids("other@example.com");
  assert.deepEqual((await succeeds(call("POST /revoke-sessions", { token }), { status: true })).cookies, CLEARS);
  assert.deepEqual(await ids(), foreign);
  assert.deepEqual((await refuses(call("POST /revoke-sessions", { token }), 401, UNAUTHORIZED)).cookies, CLEARS);
});

test("sign-out ends the session and can be repeated, also without one", async () => {
  const { token, id } = await signIn();
  for (const bearer of [token, token, undefined]) {
    assert.deepEqual((await succeeds(call("POST /sign-out", { token: bearer }), { success: true })).cookies, CLEARS);
    assert.ok(!(await ids()).includes(id));
  }
});

test("other paths and methods are a 404 with an empty body", async () => {
  const { token } = await signIn();
  for (const line of ["GET /nothing", "GET /revoke-session", "POST /list-sessions", "DELETE /sign-out"]) await refuses(call(line, { token }), 404, "");
});

describe("bearer tokens", () => {
  test("bare, signed, signed and percent-encoded, whatever the case of the scheme", async () => {
    const { token, signed, id } = await signIn();
    for (const authorization of [`Bearer ${token}`, `Bearer ${signed}`, `Bearer ${encodeURIComponent(signed)}`, `bearer ${token}`, `BEARER  ${token} `]) {
      assert.equal((await call("GET /get-session", { headers: { authorization } })).value?.session.id, id, authorization.replaceAll(token, "TOKEN"));
    }
  });

  test("a wrong signature is no bearer at all, and leaves the cookie's session", async () => {
    const { token, cookie, id } = await signIn();
    const headers = { authorization: `Bearer ${token}.${Buffer.alloc(32).toString("base64")}` };
    assert.deepEqual((await refuses(call("GET /list-sessions", { headers }), 401, UNAUTHORIZED)).cookies, []);
    assert.equal((await call("GET /get-session", { headers: { ...headers, cookie } })).value.session.id, id);
  });

  test("a bare one comes before the cookie, whether it is anybody's or not", async () => {
    const [cookied, borne] = [await signIn(), await signIn()];
    assert.equal((await call("GET /get-session", { token: borne.token, headers: { cookie: cookied.cookie } })).value.session.id, borne.id);
    await succeeds(call("GET /get-session", { token: "unknown", headers: { cookie: cookied.cookie } }), null);
  });
});

describe("origins", () => {
  test("a POST with a cookie needs an allowed one, which Node's fetch can name", async () => {
    const { cookie, id } = await signIn();
    await ask("DELETE", "requests");
    for (const route of ["/sign-out", "/revoke-sessions", "/revoke-other-sessions"]) {
      await refuses(call(`POST ${route}`, { headers: { cookie } }), 403, { message: "Missing or null Origin", code: "MISSING_OR_NULL_ORIGIN" });
      await refuses(call(`POST ${route}`, { headers: { cookie, origin: "null" } }), 403, { message: "Missing or null Origin", code: "MISSING_OR_NULL_ORIGIN" });
      await refuses(call(`POST ${route}`, { headers: { cookie, origin: STRANGER } }), 403, { message: "Invalid origin", code: "INVALID_ORIGIN" });
    }
    assert.ok((await ids()).includes(id));
    await succeeds(call("POST /revoke-other-sessions", { headers: { cookie, origin: PAGE } }), { status: true });
    await succeeds(call("POST /sign-out", { headers: { cookie, origin: server.url } }), { success: true });
    assert.deepEqual(await ids("demo@example.com"), []);
    const { requests } = await ask("GET", "requests");
    assert.ok(requests.every(({ headers }) => headers.includes("cookie")));
    assert.equal(requests.filter(({ headers }) => headers.includes("origin")).length, requests.length - 3);
  });

  test("the referer stands in for it", async () => {
    const { cookie } = await signIn();
    await succeeds(call("POST /revoke-other-sessions", { headers: { cookie, referer: `${PAGE}/devices` } }), { status: true });
  });

  test("neither a GET nor a bearer alone needs one, and any does there", async () => {
    const { cookie, token, id } = await signIn();
    for (const origin of [undefined, STRANGER]) {
      const headers = origin === undefined ? {} : { origin };
      assert.equal((await call("GET /get-session", { headers: { ...headers, cookie } })).value.session.id, id);
      assert.equal((await call("GET /list-sessions", { headers: { ...headers, cookie } })).status, 200);
      await succeeds(call("POST /revoke-other-sessions", { token, headers }), { status: true });
    }
  });

  test("a bearer together with any cookie does", async () => {
    const { token } = await signIn();
    await refuses(call("POST /revoke-other-sessions", { token, headers: { cookie: "theme=dark" } }), 403, { message: "Missing or null Origin", code: "MISSING_OR_NULL_ORIGIN" });
  });
});

test("the rate limit: 429 with a message alone and the seconds in X-Retry-After", async () => {
  await ask("POST", "rate-limit", { enabled: true });
  const answers = [];
  for (let n = 0; n < 101; n++) answers.push(await call("GET /get-session"));
  const last = answers.pop();
  assert.ok(answers.every(({ status }) => status === 200));
  assert.deepEqual([last.status, last.value], [429, { message: "Too many requests. Please try again later." }]);
  assert.match(last.headers.get("x-retry-after"), /^([1-9]|10)$/);
  assert.equal(last.headers.get("retry-after"), null);
  // It counts by path.
  await refuses(call("GET /list-sessions"), 401, UNAUTHORIZED);
  await ask("POST", "rate-limit", { enabled: false });
  await succeeds(call("GET /get-session"), null);
});

describe("with other settings", () => {
  /** A sign-in to Better Auth with these settings; `get` asks it with the given headers. */
  async function signedUp(origin, settings) {
    const auth = betterAuth({
      baseURL: origin,
      secret: randomBytes(32).toString("hex"),
      database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
      emailAndPassword: { enabled: true },
      logger: { disabled: true },
      telemetry: { enabled: false },
      rateLimit: { enabled: false },
      advanced: { disableOriginCheck: false },
      ...settings,
    });
    const request = async (line, headers, json) => {
      const [method, route] = line.split(" ");
      const response = await auth.handler(new Request(`${origin}/api/auth${route}`, { method, headers: { origin, "content-type": "application/json", ...headers }, body: json && JSON.stringify(json) }));
      return { status: response.status, value: await response.json(), headers: response.headers, cookies: response.headers.getSetCookie() };
    };
    const answer = await request("POST /sign-up/email", {}, { email: "new@example.com", password: "new-password", name: "Nova New" });
    assert.equal(answer.status, 200);
    return { request, ...answer, token: answer.value.token, jar: answer.cookies.map((cookie) => cookie.split(";")[0]).join("; ") };
  }

  test("over https the cookies are named __Secure- and are Secure", async () => {
    const { cookies } = await signedUp("https://auth.example.com", {});
    assert.equal(cookies.length, 1);
    assert.match(cookies[0], /^__Secure-better-auth\.session_token=[^;]+; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });

  test("without the bearer plugin an Authorization header means nothing", async () => {
    const { request, token, headers } = await signedUp("http://localhost:3000", {});
    assert.equal(headers.get("set-auth-token"), null);
    assert.deepEqual((await request("GET /get-session", { authorization: `Bearer ${token}` })).value, null);
  });

  test("where signatures are required, a bare bearer token means nothing", async () => {
    const { request, token, headers } = await signedUp("http://localhost:3000", { plugins: [bearer({ requireSignature: true })] });
    assert.deepEqual((await request("GET /get-session", { authorization: `Bearer ${token}` })).value, null);
    assert.equal((await request("GET /get-session", { authorization: `Bearer ${headers.get("set-auth-token")}` })).value.session.token, token);
  });

  test("with the cookie cache a revoked session still reads elsewhere, and ends nothing any more", async () => {
    const { request, cookies, jar, token } = await signedUp("http://localhost:3000", { plugins: [bearer()], session: { cookieCache: { enabled: true } } });
    assert.deepEqual(cookies.map((cookie) => cookie.replace(/=[^;]*/, "")), ["better-auth.session_token; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax", "better-auth.session_data; Max-Age=300; Path=/; HttpOnly; SameSite=Lax"]);
    assert.equal((await request("POST /sign-out", { authorization: `Bearer ${token}` })).status, 200);
    assert.equal((await request("GET /get-session", { cookie: jar })).value.session.token, token);
    assert.deepEqual((await request("GET /list-sessions", { cookie: jar })).value, []);
    assert.deepEqual((await request("POST /revoke-other-sessions", { cookie: jar })).status, 401);
    assert.deepEqual((await request("GET /get-session?disableCookieCache=true", { cookie: jar })).value, null);
  });
});

describe("the server", () => {
  test("its demo users, and no token in what it says about them or about requests", async () => {
    const [demo, other] = [await stored("demo@example.com"), await stored("other@example.com")];
    assert.deepEqual([demo.length, other.length, (await stored()).length], [6, 2, 8]);
    assert.equal(new Set([...demo, ...other].map(({ userAgent }) => userAgent)).size, 8);
    const { token, signed, cookie } = await signIn();
    await call("GET /list-sessions", { token });
    await call("GET /get-session?token=in-a-query", { headers: { cookie } });
    const { requests } = await ask("GET", "requests");
    assert.deepEqual(requests.map(({ method, path, status }) => `${method} ${path} ${status}`), ["POST /api/auth/sign-in/email 200", "GET /api/auth/list-sessions 200", "GET /api/auth/get-session 200"]);
    assert.ok(requests[1].headers.includes("authorization"));
    const told = JSON.stringify([requests, await stored()]);
    for (const secret of [token, signed, cookie, "in-a-query"]) assert.ok(!told.includes(secret));
    assert.deepEqual(await ask("DELETE", "requests"), { requests: [] });
  });

  test("a reset is a fresh start", async () => {
    const { token } = await signIn();
    const old = await ids();
    await ask("POST", "rate-limit", { enabled: true });
    assert.deepEqual(await ask("POST", "reset"), { users: 2, sessions: 8 });
    assert.deepEqual((await ids()).filter((id) => old.includes(id)), []);
    await succeeds(call("GET /get-session", { token }), null);
    assert.deepEqual((await ask("GET", "requests")).requests.length, 1);
    for (let n = 0; n < 101; n++) await succeeds(call("GET /get-session"), null);
  });

  test("browsers: allowed origins with credentials, others not; its own routes are closed to them", async () => {
    const preflight = (origin) => fetch(`${server.url}/api/auth/revoke-session`, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" } });
    const allowed = await preflight(PAGE);
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers.get("access-control-allow-origin"), PAGE);
    assert.equal(allowed.headers.get("access-control-allow-credentials"), "true");
    assert.match(allowed.headers.get("access-control-allow-methods"), /POST/);
    assert.match(allowed.headers.get("access-control-allow-headers"), /authorization, content-type/);
    assert.equal((await preflight(STRANGER)).headers.get("access-control-allow-origin"), null);

    const { headers } = await call("POST /sign-in/email", { json: { email: "demo@example.com", password: "demo-password" }, headers: { origin: PAGE } });
    assert.equal(headers.get("access-control-allow-origin"), PAGE);
    assert.match(headers.get("access-control-expose-headers"), /set-auth-token/);
    assert.match(headers.get("vary"), /origin/i);
    assert.equal((await call("GET /get-session", { headers: { origin: STRANGER } })).headers.get("access-control-allow-origin"), null);

    const before = await ids();
    assert.equal((await fetch(`${server.url}/test/reset`, { method: "POST", headers: { origin: STRANGER } })).status, 403);
    assert.deepEqual(await ids(), before);
    assert.equal((await fetch(`${server.url}/test/reset`, { method: "POST", headers: { origin: PAGE } })).status, 200);
  });

  test("mistakes in its own routes are told", async () => {
    const wrong = async (method, route, body) => (await fetch(`${server.url}/test/${route}`, { method, body })).status;
    assert.equal(await wrong("POST", "age", "{"), 400);
    assert.equal(await wrong("POST", "age", '{"id":"x","ms":"1"}'), 400);
    assert.equal(await wrong("POST", "age", '{"id":"x","ms":1}'), 404);
    assert.equal(await wrong("POST", "rate-limit", '{"enabled":1}'), 400);
    assert.equal(await wrong("GET", "nothing"), 404);
    await assert.rejects(start({ allowOrigins: ["http://localhost:5173/"] }), /is not an origin/);
  });

  test("two of them know nothing of each other", async () => {
    const second = await start({ rateLimit: true });
    try {
      const { token } = await signIn();
      await succeeds(call("GET /get-session", { token, at: second.url }), null);
      await refuses(call("POST /sign-in/email", { at: second.url, json: { email: "demo@example.com", password: "demo-password" }, headers: { origin: PAGE } }), 403, { message: "Invalid origin", code: "INVALID_ORIGIN" });
    } finally {
      await second.stop();
    }
    await assert.rejects(fetch(second.url));
  });

  for (const [how, options, end] of [
    ["SIGTERM", [], (child) => child.kill("SIGTERM")],
    ["SIGINT", [], (child) => child.kill("SIGINT")],
    ["the end of stdin", ["--stdin"], (child) => child.stdin.end()],
  ]) {
    test(`as a program: one line, then it serves until ${how}`, { timeout: 30_000 }, async (t) => {
      const child = spawn(process.execPath, [path.join(import.meta.dirname, "server.mjs"), "--allow-origin", PAGE, "--allow-origin", "http://localhost:4173", "--rate-limit", ...options], { stdio: ["pipe", "pipe", "pipe"] });
      t.after(() => child.kill("SIGKILL"));
      const out = [];
      let errors = "";
      child.stderr.on("data", (data) => (errors += data));
      const lines = createInterface({ input: child.stdout }).on("line", (line) => out.push(line));
      const exited = once(child, "close");
      await Promise.race([once(lines, "line"), exited]);
      const url = /^better-auth listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(out[0])?.[1];
      assert.ok(url, `${out} ${errors}`);
      const attempt = (origin) => call("POST /sign-in/email", { at: url, json: { email: "demo@example.com", password: "demo-password" }, headers: { origin } });
      assert.equal((await attempt(PAGE)).status, 200);
      assert.equal((await attempt("http://localhost:4173")).status, 200);
      assert.equal((await attempt(STRANGER)).status, 403);
      assert.equal((await attempt(PAGE)).status, 429);
      end(child);
      assert.deepEqual(await exited, [0, null]);
      assert.deepEqual([out.length, errors], [1, ""]);
    });
  }

  test("as a program: a mistake on the command line ends it with a text", { timeout: 30_000 }, async () => {
    for (const [args, text] of [[["--port", "70000"], "70000"], [["--allow-origin", "localhost"], "localhost"], [["--nonsense"], "nonsense"]]) {
      const child = spawn(process.execPath, [path.join(import.meta.dirname, "server.mjs"), ...args], { stdio: ["ignore", "pipe", "pipe"] });
      let [out, errors] = ["", ""];
      child.stdout.on("data", (data) => (out += data));
      child.stderr.on("data", (data) => (errors += data));
      assert.deepEqual(await once(child, "close"), [1, null]);
      assert.equal(out, "");
      assert.ok(errors.includes(text), errors);
    }
  });
});
