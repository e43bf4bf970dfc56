// Hostile answers, ids and addresses, for every back-end: each gives a result as the types have it or the right code, never a trap, and never a request to another place.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { start } from "../better-auth/server.mjs";
import { ask } from "../sandbox-routes.mjs";
import { BASES, createSessions, EMPTY_LIST, fails, faked, G1, G2, json, jwt, sandbox, SECRET_KEY, SessionsError, serve, settles } from "./support.mjs";

let betterAuth;
before(async () => (betterAuth = await start()));
after(() => betterAuth.stop());

/** What each back-end takes besides, who signs in, and all the paths that it has, ids aside. */
const BACK_ENDS = {
  authvital: { base: () => G1, options: { clientId: "web-client" }, paths: /^\/oauth\/(sessions|sessions\/[^/]+\/revoke|logout|logout-all|token)$/ },
  "authvital-g2": { provider: "authvital", base: () => G2, options: { clientId: "web-client" }, paths: /^\/(oauth|api\/auth)\/(sessions|sessions\/[^/]+|sessions\/[^/]+\/revoke|logout|logout-all)$/ },
  rest: { base: () => BASES.rest, paths: /^\/api\/v1\/(sessions\/?|sessions\/[^/]+|auth\/logout)$/ },
  ksef: { base: () => BASES.ksef, paths: /^\/auth\/(sessions|sessions\/[^/]+|token\/refresh)$/ },
  clerk: { base: () => BASES.clerk, paths: /^\/sessions(\/[^/]+(\/(revoke|tokens|tokens\/[^/]+|refresh))?)?$/ },
  "better-auth": { base: () => betterAuth.url, paths: /^\/api\/auth\/(list-sessions|get-session|revoke-session|revoke-sessions|revoke-other-sessions|sign-out)$/ },
};

let users = 0;

/** A session of a new user, who has another one. */
async function signIn(name) {
  const account = { email: `user${users++}@example.com`, password: `user${users - 1}-password`, name: "U" };
  if (name !== "better-auth") {
    await ask("POST", "users", account);
    const enter = () => (name.startsWith("authvital") ? sandbox.signIn(account.email) : sandbox.signInOn(name, account.email));
    await enter();
    return enter();
  }
  const post = async (route) => (await fetch(`${betterAuth.url}/api/auth/${route}/email`, { method: "POST", headers: { origin: betterAuth.url, "content-type": "application/json" }, body: JSON.stringify(account) })).json();
  await post("sign-up");
  const { token } = await post("sign-in");
  const listed = await (await fetch(`${betterAuth.url}/api/auth/list-sessions`, { headers: { authorization: `Bearer ${token}` } })).json();
  return { access: token, id: listed.find((session) => session.token === token).id };
}

/** A client as that user, over this fetch. */
function clientOf(name, who, fetch, more) {
  const { provider = name, base, options } = BACK_ENDS[name];
  const tokens = name === "clerk" ? { token: SECRET_KEY } : { token: who.access, ...(who.refresh && { refreshToken: who.refresh }) };
  return createSessions({ provider, baseUrl: base(), ...tokens, ...options, maxRetries: 0, fetch, ...more });
}

/** Every method that asks the back-end, with right arguments. */
const CALLS = {
  list: (sessions, { user }) => sessions.list(user ? { userId: user } : {}),
  get: (sessions, { id }) => sessions.get(id),
  current: (sessions, { request }) => sessions.current(...request),
  revoke: (sessions, { id }) => sessions.revoke(id),
  revokeCurrent: (sessions, { request }) => sessions.revokeCurrent(...request),
  revokeAll: (sessions, { user }) => sessions.revokeAll(user ? { userId: user } : {}),
  revokeOthers: (sessions, { request, user }) => sessions.revokeOthers(...request, user ? { userId: user } : {}),
  logout: (sessions, { request }) => sessions.logout(...request.map((request) => ({ request }))),
  refresh: (sessions) => sessions.refresh(),
  create: (sessions, { user = "u" }) => sessions.create({ userId: user }),
  createToken: (sessions, { id }) => sessions.createToken(id),
  refreshSession: (sessions, { id, access, refresh = "r" }) => sessions.refreshSession(id, { expiredToken: access, refreshToken: refresh, requestOrigin: "https://app.example.com" }),
};
const argumentsOf = (name, who) => ({ ...who, user: name === "clerk" ? who.user : undefined, request: name === "clerk" ? [{ headers: { authorization: `Bearer ${who.access}` } }] : [] });

/** What the back-end really says to each method that it has: `[method and path, status, body]`, in order. */
async function answersOf(name) {
  const { base } = BACK_ENDS[name];
  const root = new URL(base()).pathname.replace(/\/$/, "");
  const found = {};
  for (const [method, call] of Object.entries(CALLS)) {
    const who = await signIn(name);
    const answers = [];
    const recording = async (request, init) => {
      const response = await fetch(request, init);
      answers.push([`${request.method} ${new URL(request.url).pathname.slice(root.length)}`, response.status, await response.clone().text(), [...response.headers].filter(([header]) => /^(location|set-auth-token)$/.test(header))]);
      return response;
    };
    try {
      await call(clientOf(name, who, recording), argumentsOf(name, who));
    } catch (error) {
      assert.ok(["unsupported", "current_unknown"].includes(error.code), `${name} ${method}: ${error.stack}`);
    }
    if (answers.length > 0) found[method] = { who, answers };
  }
  return found;
}

/** A fetch that gives these answers, one after the other, and then the last again. */
function replay(answers, sent = []) {
  return async (request) => {
    const [, status, body, headers] = answers[Math.min(sent.push(request), answers.length) - 1];
    return new Response(status === 204 ? null : body, { status, headers });
  };
}

// ---------------------------------------------------------------- what results are

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const text = (value) => typeof value === "string";
const orNull = (is) => (value) => value === null || is(value);
const time = orNull((value) => TIME.test(value) && !Number.isNaN(Date.parse(value)));
const whole = (value) => Number.isSafeInteger(value) && value >= 0;
const flag = (value) => typeof value === "boolean";
const oneOf = (...values) => (value) => values.includes(value);
const record = (fields) => (value) => typeof value === "object" && value !== null && Object.entries(fields).every(([name, is]) => Object.hasOwn(value, name) && is(value[name]));
const list = (is) => (value) => Array.isArray(value) && value.every(is);
const effect = oneOf("immediate", "refresh-only", "unknown");

const SESSION = record({
  id: (id) => text(id) && id !== "", status: oneOf("active", "revoked", "expired", "ended", "removed", "abandoned", "replaced", "pending", "blocked", "unknown"),
  createdAt: time, lastActiveAt: time, expiresAt: time, userAgent: orNull(text), ipAddress: orNull(text), tenant: orNull(text), userId: orNull(text), current: orNull(flag),
  device: orNull(record({ label: text, browser: orNull(text), os: orNull(text), kind: oneOf("desktop", "mobile", "tablet", "bot", "app", "unknown") })),
  location: orNull(record({ city: orNull(text), country: orNull(text) })), method: orNull(record({ category: text, code: text, name: text })), raw: () => true,
});
const REVOKED = record({ id: text, success: flag, outcome: oneOf("revoked", "already-revoked"), message: orNull(text), effect, accessTokenValidUntil: time });
const ALL = record({ success: flag, count: orNull(whole), message: orNull(text), revoked: orNull(list(text)), effect, accessTokenValidUntil: time });
const JWT = (value) => record({ jwt: (jwt) => text(jwt) && jwt !== "" })(value) || record({ cookies: list(text) })(value);
const RESULTS = {
  list: record({ sessions: list(SESSION), count: whole, total: orNull(whole), next: orNull((next) => text(next) && next !== "") }),
  get: SESSION, current: SESSION, create: SESSION, revoke: REVOKED, revokeCurrent: REVOKED, revokeAll: ALL, revokeOthers: ALL, createToken: JWT, refreshSession: JWT,
  refresh: record({ accessToken: (token) => text(token) && token !== "", refreshToken: orNull(text), expiresAt: time }),
  logout: record({ success: flag, message: orNull(text), server: oneOf("confirmed", "rejected", "unreachable", "skipped"), error: orNull(SessionsError.is) }),
};
/** What a client may say of an answer that it can't read, or that says no. */
const CODES = ["invalid_response", "rejected", "unauthenticated", "not_found", "conflict", "current_unknown", "partial_revocation", "unsupported"];

/** The call's outcome: a result as the types have it, or one of these codes. */
async function sound(method, call, about) {
  let result;
  try {
    result = await settles(call);
  } catch (error) {
    assert.ok(error instanceof SessionsError, `${about}: ${error?.stack ?? error}`);
    const errors = [error, ...(error.failed ?? []).map(({ error }) => error)];
    for (const { code, message, cause } of errors) assert.ok([...CODES, "invalid_argument"].includes(code) && (code !== "invalid_argument" || error.failed), `${about}: ${code}, ${message} ${cause?.stack ?? ""}`);
    return error.code;
  }
  assert.ok(RESULTS[method](result), `${about}\ngave ${JSON.stringify({ ...result, sessions: result.sessions?.filter((session) => !SESSION(session)) }).slice(0, 600)}`);
  if (result.error) assert.ok(CODES.includes(result.error.code), `${about}: ${result.error.code} ${result.error.message}`);
  return "ok";
}

// ---------------------------------------------------------------- bodies

/** As they stand in the JSON. */
const VALUES = [
  "null", "true", "false", "0", "-0", "-1", "0.5", "1e999", "-1e999", "1e308", "5e-324", "9007199254740993", "123456789012345678901234567890", "8640000000000001", "-62135596800001", "253402300800000",
  '""', '"x"', '"NaN"', '"Infinity"', '"null"', '"__proto__"', '"..\\/users"', '"\\u0000"', '"\\ud800"', '"1e999"', '"2026-02-30T25:61:61Z"', '"+275760-09-13T00:00:00.001Z"', '"-000001-01-01T00:00:00Z"', '"9999-12-31T23:59:59.999-23:59"',
  JSON.stringify("x".repeat(10_000)), "[]", "{}", "[null]", '{"":null}', '[[[["a"]]]]', '{"__proto__":{"id":"x"}}', '["a","b"]', '{"id":"x","token":"y"}',
];
/** What is no JSON at all. */
const BROKEN = ["NaN", "-Infinity", "undefined", "01", "+1", ".5", "1.", "0x10", "'a'", '"\t"', '"\\x41"', '"\\u12"', '"', "tru", "[1,]", '{"a":1,}', "{a:1}", "/**/null", "[".repeat(100_000), '{"a":'.repeat(100_000), `${"[".repeat(65)}${"]".repeat(65)}`];

const places = (value, path = []) => [path, ...(typeof value === "object" && value !== null ? Object.keys(value).slice(0, Array.isArray(value) ? 1 : 100).flatMap((key) => places(value[key], [...path, key])) : [])];

/** The JSON with that text at that place. */
function withText(value, path, text) {
  if (path.length === 0) return text;
  const copy = structuredClone(value);
  path.slice(0, -1).reduce((at, key) => at[key], copy)[path.at(-1)] = "\u{1F3AF}";
  return JSON.stringify(copy).replace('"\u{1F3AF}"', () => text);
}

for (const name of Object.keys(BACK_ENDS)) {
  describe(name, () => {
    let known;
    before(async () => {
      await sandbox.reset();
      known = await answersOf(name);
      assert.ok(Object.keys(known).length >= 7, Object.keys(known));
    });

    /** Every answer of every method, one at a time replaced by `others(body, parsed)`. */
    async function replaced(others) {
      const counts = {};
      for (const [method, { who, answers }] of Object.entries(known)) {
        for (const [at, [line, status, body, headers]] of answers.entries()) {
          // Emulated operations read the list as `list` and `get` do, and end one session as the others.
          if (at > 2) break;
          if (body === "" || (!["list", "get"].includes(method) && line === known.list.answers.at(-1)[0])) continue;
          for (const other of others(body, JSON.parse(body))) {
            const changed = answers.with(at, [line, status, other, headers]);
            const about = `${method}, answer ${at + 1} (${line}): ${other.slice(0, 300)}…`;
            const code = await sound(method, CALLS[method](clientOf(name, who, replay(changed)), argumentsOf(name, who)), about);
            counts[code] = (counts[code] ?? 0) + 1;
          }
        }
      }
      return counts;
    }

    test("a wrong value in any place of any answer: a result as the types have it, or an error", async () => {
      const counts = await replaced((_, parsed) => places(parsed).flatMap((path) => VALUES.map((value) => withText(parsed, path, value))));
      assert.ok(counts.ok > 100 && counts.invalid_response > 20, JSON.stringify(counts));
    });

    test("a place that is not there", async () => {
      await replaced((_, parsed) => places(parsed).slice(1).map((path) => {
        const copy = structuredClone(parsed);
        const parent = path.slice(0, -1).reduce((at, key) => at[key], copy);
        if (Array.isArray(parent)) parent.splice(Number(path.at(-1)), 1);
        else delete parent[path.at(-1)];
        return JSON.stringify(copy);
      }));
    });

    test("what is no JSON, or too deep, in any place of any answer to list: invalid_response", async () => {
      const { who, answers: [[line, status, body, headers]] } = { ...known.list, answers: known.list.answers.slice(-1) };
      for (const path of [[], ...places(JSON.parse(body)).slice(1, 6)]) {
        for (const broken of BROKEN) {
          const fetch = replay([[line, status, withText(JSON.parse(body), path, broken), headers]]);
          await fails(clientOf(name, who, fetch).list(name === "clerk" ? { userId: who.user } : {}), "invalid_response", broken.slice(0, 40));
        }
      }
    });

    test("bytes before, within and after the JSON of list", async () => {
      const { who, answers } = known.list;
      const [, status, body, headers] = answers.at(-1);
      const ask = (bytes) => clientOf(name, who, async () => new Response(bytes, { status, headers })).list(name === "clerk" ? { userId: who.user } : {});
      const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
      const { sessions } = await ask(bytes(body));
      assert.ok(sessions.length > 1);
      // A byte order mark, as `Response.json()` takes it (RFC 8259, 8.1: "MAY ignore").
      assert.deepEqual((await ask(bytes([0xef, 0xbb, 0xbf], body))).sessions, sessions);
      assert.deepEqual((await ask(bytes(" \r\n\t", body, "\n"))).sessions, sessions);
      for (const wrong of [
        bytes([0xef, 0xbb, 0xbf], [0xef, 0xbb, 0xbf], body), bytes([0xff, 0xfe], Buffer.from(body, "utf16le")), bytes([0xfe, 0xff], body), bytes(body, [0]), bytes([0x0c], body), bytes("\u00a0", body), bytes(body, body),
        bytes(body.replace('"', '"\xff')).subarray(0), bytes(body.slice(0, 5), [0xc0, 0xaf], body.slice(5)), bytes(body.slice(0, -1)), bytes(""), bytes("<!doctype html>"), bytes(")]}',\n", body),
      ]) {
        await sound("list", ask(wrong), wrong.toString("latin1").slice(0, 60));
      }
      for (const wrong of [bytes("\u00a0", body), bytes(body, body), bytes(body, [0]), bytes(body.slice(0, -1)), bytes(""), bytes("<!doctype html>"), bytes([0xff, 0xfe], Buffer.from(body, "utf16le"))]) await fails(ask(wrong), "invalid_response");
      // Not UTF-8, in a string: overlong, half a character, half a surrogate pair, beyond the last one.
      for (const bad of [[0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80]]) {
        const [before, ...rest] = body.split(":\"");
        await fails(ask(bytes(before, ':"', bad, rest.join(':"'))), "invalid_response", `${bad}`);
      }
    });

    test("a name that comes twice: the last one, as everybody reads it", async () => {
      const { who, answers } = known.list;
      const [, status, body, headers] = answers.at(-1);
      const twice = body.replaceAll(/"(id|referenceNumber)":("[^"]*"|\d+)/g, '"$1":"99999999-AU-0000000000-0000000000-00",$&');
      assert.notEqual(twice, body);
      const ask = (body) => clientOf(name, who, async () => new Response(body, { status, headers })).list(name === "clerk" ? { userId: who.user } : {});
      assert.deepEqual((await ask(twice)).sessions.map(({ id }) => id), (await ask(body)).sessions.map(({ id }) => id));
    });

    test("empty successes: never taken for a list or tokens, and settled", async () => {
      for (const [method, { who }] of Object.entries(known)) {
        for (const status of [200, 201, 202, 204, 205]) {
          const call = CALLS[method](clientOf(name, who, async () => new Response(status > 203 ? null : "", { status })), argumentsOf(name, who));
          const code = await sound(method, call, `${method} ${status}`);
          if (["list", "get", "current", "refresh", "create", "createToken", "refreshSession"].includes(method)) assert.notEqual(code, "ok", `${method} ${status}`);
        }
      }
    });

    test("redirects of every kind: never followed, nowhere", async (t) => {
      const elsewhere = await serve(t, () => [200, EMPTY_LIST]);
      for (const [method, { who }] of Object.entries(known)) {
        for (const status of [301, 302, 303, 307, 308]) {
          const there = await serve(t, () => [status, undefined, { location: `${elsewhere.origin}/oauth/sessions` }]);
          let outcome;
          try {
            outcome = (await settles(CALLS[method](clientOf(name, who, fetch, { baseUrl: there.origin, maxRetries: 2 }), argumentsOf(name, who)))).error;
          } catch (error) {
            outcome = error;
          }
          assert.equal(outcome.code, "invalid_response", `${method} ${status}: ${outcome.stack}`);
          assert.ok(there.seen.length <= 2, there.lines().join());
        }
        // As browsers hide it.
        const hidden = { status: 0, type: "opaqueredirect", headers: new Headers(), body: null, arrayBuffer: async () => new ArrayBuffer(0) };
        const call = CALLS[method](clientOf(name, who, async () => hidden), argumentsOf(name, who));
        assert.equal((await call.then(({ error }) => error, (error) => error)).code, "invalid_response", method);
      }
      assert.deepEqual(elsewhere.lines(), []);
    });

    test("the fetch's own credentials, unless others are asked for", async () => {
      for (const credentials of [undefined, "omit", "same-origin", "include"]) {
        for (const [method, { who, answers }] of Object.entries(known)) {
          const sent = [];
          await CALLS[method](clientOf(name, who, replay(answers, sent), { credentials }), argumentsOf(name, who)).catch(() => {});
          assert.ok(sent.length > 0, method);
          for (const request of sent) assert.equal(request.credentials, credentials ?? new Request("https://a.example").credentials, method);
        }
      }
    });

    // -------------------------------------------------------------- ids

    const IDS = ["../users", "a/b?c", "a#b", "..", ".", "%2e%2e", "a\\..\\b", "//elsewhere.example/", "a\r\nx-evil: 1", "{id}", "current", "ż", "\ud800", "a".repeat(10_000), "", " "];

    /** Every request went to a path of this back-end, and an id in it is one of these. */
    function inPlace(sent, ids, about) {
      const base = new URL(BACK_ENDS[name].base());
      const root = base.pathname.replace(/\/$/, "");
      for (const { url } of sent) {
        const { origin, pathname, hash } = new URL(url);
        assert.ok(origin === base.origin && pathname.startsWith(root) && hash === "" && BACK_ENDS[name].paths.test(pathname.slice(root.length)), `${about}: ${url}`);
        const [, id] = pathname.slice(root.length).match(/\/sessions\/([^/]+)/) ?? [];
        // KSeF's endpoint for the session itself.
        // Half a character is read as U+FFFD.
        if (id !== undefined && !(name === "ksef" && id === "current")) assert.ok(ids.map((id) => String(id).toWellFormed()).includes(decodeURIComponent(id)), `${about}: ${url}`);
      }
    }

    test("hostile ids in arguments", async () => {
      const { who, answers } = known.revoke;
      for (const id of IDS) {
        for (const method of ["get", "revoke", "createToken", "refreshSession"].filter((method) => known[method])) {
          const sent = [];
          const call = CALLS[method](clientOf(name, who, replay(answers, sent)), { ...argumentsOf(name, who), id });
          const outcome = await settles(call).catch((error) => error);
          inPlace(sent, [id], `${method} ${JSON.stringify(id).slice(0, 50)}`);
          if (["", ".", "..", "\ud800"].includes(id) || id.length > 512) assert.deepEqual([outcome.code, sent.length], ["invalid_argument", 0], JSON.stringify(id));
          if (name === "ksef" && method === "revoke") assert.deepEqual([outcome.code, sent.length], ["invalid_argument", 0], "KSeF's ids have a form, and `current` would be another endpoint");
        }
      }
    });

    test("hostile ids in a list", async () => {
      const { who, answers } = known.list;
      const [, status, body, headers] = answers.at(-1);
      for (const id of IDS) {
        const listed = body.replaceAll(/"(id|referenceNumber)":("[^"]*"|\d+)/g, (_, field) => `"${field}":${JSON.stringify(id)}`);
        assert.notEqual(listed, body);
        for (const method of ["revokeAll", "revokeOthers", "revokeCurrent", "current"].filter((method) => known[method])) {
          const sent = [];
          const fetch = async (request) => {
            sent.push(request);
            return request.method === "GET" ? new Response(listed, { status, headers }) : json({ success: true, status: true, message: "done", id: "x", object: "session" });
          };
          const outcome = await settles(CALLS[method](clientOf(name, who, fetch), argumentsOf(name, who))).catch((error) => error);
          inPlace(sent, [id, who.id, ...known.list.answers.flatMap(([, , body]) => [...body.matchAll(/"id":"?([^",]+)/g)].map(([, id]) => id))], `${method} ${JSON.stringify(id).slice(0, 50)}`);
          assert.ok(!(outcome instanceof Error) || SessionsError.is(outcome) && outcome.code !== "internal", `${method} ${JSON.stringify(id).slice(0, 50)}: ${outcome.stack} ${outcome.cause?.stack}`);
        }
      }
    });

    test("hostile ids in the tokens", async () => {
      for (const id of [...IDS, 5, null, {}, ["a"], "__proto__"]) {
        const token = jwt({ sid: id, session_id: id, jti: id, sub: id, exp: 4_000_000_000, "token-session": id });
        for (const method of ["current", "revokeCurrent", "revokeOthers", "logout", "list"].filter((method) => known[method])) {
          const { who, answers } = known[method];
          const sent = [];
          const hostile = { ...who, access: token, refresh: token };
          const outcome = await settles(CALLS[method](clientOf(name, hostile, replay(answers, sent)), argumentsOf(name, hostile))).catch((error) => error);
          inPlace(sent, [id, ...answers.flatMap(([line, , body]) => [decodeURIComponent(line.match(/sessions\/([^/]+)/)?.[1] ?? ""), ...[...body.matchAll(/"(?:id|referenceNumber)":"?([^",]+)/g)].map(([, id]) => id)])], `${method} ${JSON.stringify(id).slice(0, 50)}`);
          assert.ok(!(outcome instanceof Error) || (SessionsError.is(outcome) && outcome.code !== "internal"), `${method} ${JSON.stringify(id).slice(0, 50)}: ${outcome.stack} ${outcome.cause?.stack}`);
        }
      }
    });
  });
}

// ---------------------------------------------------------------- plain http

const THIS_MACHINE = [
  "http://127.0.0.1", "http://127.0.0.1:8080/a", "http://127.1", "http://127.255.255.254", "http://2130706433", "http://0x7f000001", "http://0177.0.0.1", "HTTP://127.0.0.1", "http://[::1]", "http://[0:0:0:0:0:0:0:1]:1",
  "http://localhost", "http://LOCALHOST:3000", "Http://app.localhost", "http:localhost",
];
const ELSEWHERE = [
  "http://auth.example.com", "HTTP://AUTH.EXAMPLE.COM", "http://0.0.0.0", "http://0", "http://128.0.0.1", "http://126.255.255.255", "http://2130706432.example.com", "http://3232235777", "http://192.168.1.1", "http://10.0.0.1",
  "http://169.254.169.254", "http://[::]", "http://[::2]", "http://[::ffff:127.0.0.1]", "http://[::127.0.0.1]", "http://[fe80::1]", "http://localhost.", "http://localhost.example.com", "http://evil-localhost", "http://xlocalhost",
  "http://127.0.0.1.example.com", "http://127.0.0.1.nip.io", "http://example.com/localhost", "http://ⓛocalhost.example.com", "http://host.docker.internal",
];

test("plain http: this machine only, however it is written", async () => {
  for (const baseUrl of THIS_MACHINE) assert.equal((await faked(() => json(EMPTY_LIST), { baseUrl }).sessions.list()).count, 0, baseUrl);
  for (const baseUrl of ELSEWHERE) {
    const { sessions, sent } = faked(() => json(EMPTY_LIST), { baseUrl, refreshToken: "r", clientId: "c" });
    for (const call of [sessions.list(), sessions.revoke("id"), sessions.refresh(), sessions.list({ headers: { authorization: "Bearer a" } })]) await fails(call, "insecure", baseUrl);
    assert.equal((await sessions.logout()).error.code, "insecure", baseUrl);
    assert.equal(sent.length, 0, baseUrl);
    assert.equal((await faked(() => json(EMPTY_LIST), { baseUrl, allowInsecure: true }).sessions.list()).count, 0, baseUrl);
  }
  for (const baseUrl of ["http://127.0.0.1@evil.example.com", "http://localhost:p@evil.example.com", "ftp://localhost", "javascript:localhost", "http://localhost\\@evil.example.com", "http://[::1", "http://1.2.3.4.5"]) {
    const { sessions, sent } = faked(() => json(EMPTY_LIST), { baseUrl });
    const error = await sessions.list().then((page) => page, (error) => error);
    // A backslash is a slash, as in browsers: then it is this machine.
    if (baseUrl.includes("\\")) assert.equal(new URL(sent[0]?.url ?? "http://localhost").hostname, "localhost");
    else assert.deepEqual([error.code, sent.length], ["invalid_options", 0], baseUrl);
  }
});
