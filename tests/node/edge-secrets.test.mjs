// Tokens are in `Set-Cookie` and nowhere else: no body, no other header and no console shows one, whatever the back-end does, and a redirect takes none along.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { G1, asking, cookieOf, json, never, sandbox, serve } from "./support.mjs";

const MARK = "MARKED-7c2e";
const payload = Buffer.from(`{"sid":"me","exp":4000000000,"mark":"${MARK}"}`).toString("base64url");
const ACCESS = `head.${payload}.${MARK}-access`;
const REFRESH = `head.${payload}.${MARK}-refresh`;
const NEW_ACCESS = `head.${payload}.${MARK}-new-access`;
const NEW_REFRESH = `head.${payload}.${MARK}-new-refresh`;
const KEY = `sk_test_${MARK}_key`;
const ROUTES = ["GET /api/sessions", "POST /api/sessions/me/revoke", "POST /api/sessions/other/revoke", "POST /api/sessions/revoke-others", "POST /api/logout-all", "POST /api/logout"];
const COOKIES = { both: cookieOf({ access: ACCESS, refresh: REFRESH }), "refresh alone": cookieOf({ refresh: REFRESH }), "access alone": cookieOf({ access: ACCESS }) };

/** Nothing but Set-Cookie holds any of it, in any form. */
function clean(answer, about) {
  const shown = [answer.text, ...[...answer.headers].filter(([name]) => name !== "set-cookie").flat()].join("\n");
  for (const form of [MARK, payload, encodeURIComponent(ACCESS), Buffer.from(MARK).toString("base64").slice(0, 12)]) assert.ok(!shown.includes(form), `${about}: ${shown}`);
}

/** Runs it and fails where anything is written to the console or the process's streams. */
async function quiet(context, run) {
  const written = [];
  for (const name of ["log", "info", "warn", "error", "debug", "trace"]) context.mock.method(console, name, (...args) => written.push(args));
  const warned = (warning) => written.push(warning);
  process.on("warning", warned);
  try {
    await run();
  } finally {
    process.off("warning", warned);
    context.mock.restoreAll();
  }
  assert.deepEqual(written, []);
}

/** All that a back-end was told. */
const echoOf = async (request) => `${request.method} ${request.url} ${[...request.headers].flat().join(" ")} ${await request.clone().text()}`;

/** Wrong answers that repeat everything, as bodies, headers and errors. */
const ECHOES = {
  "a message": (echo) => json({ message: echo, error: echo, statusCode: 400 }, { status: 400 }),
  "a 401": (echo) => json({ message: echo, error_description: echo }, { status: 401 }),
  "a 403": (echo) => json({ code: echo, message: echo }, { status: 403 }),
  "a 404 of the router": (echo) => json({ message: `Cannot ${echo}`, error: "Not Found", statusCode: 404 }, { status: 404 }),
  "a 409 with details": (echo) => json({ errors: [{ code: echo, message: echo, long_message: echo, meta: { value: echo } }], clerk_trace_id: echo }, { status: 409 }),
  "a 429": (echo) => json({ detail: echo }, { status: 429, headers: { "retry-after": "1000", "x-request-id": `${MARK}-id` } }),
  "a 500": (echo) => json({ error: { code: echo, message: echo } }, { status: 500, headers: { "x-request-id": echo.replaceAll(/[^ -~]/g, "") } }),
  "a page": (echo) => new Response(`<html>${echo}</html>`, { headers: { "content-type": "text/html" } }),
  "a text": (echo) => new Response(echo),
  "a redirect": (echo) => new Response(null, { status: 302, headers: { location: `https://evil.example.com/?${encodeURIComponent(echo)}` } }),
  "an error": (echo) => Promise.reject(Object.assign(new TypeError(echo), { cause: new Error(echo), code: echo })),
  "no Response": (echo) => ({ status: echo, headers: { get: () => echo }, text: async () => echo }),
  "a refusal in a 200": (echo) => json({ success: false, message: echo, error: echo }),
  "cookies": (echo) => json({}, { status: 400, headers: { "set-cookie": `stolen=${encodeURIComponent(echo)}` } }),
};

for (const [what, answer] of Object.entries(ECHOES)) {
  test(`everything repeated as ${what}`, async (context) => {
    await quiet(context, async () => {
      for (const [which, cookie] of Object.entries(COOKIES)) {
        for (const at of ["everywhere", "after a refresh", "at the refresh"]) {
          const fetch = async (request) => {
            const isRefresh = request.url.endsWith("/oauth/token");
            if (isRefresh && at === "after a refresh") return json({ access_token: NEW_ACCESS, refresh_token: NEW_REFRESH, expires_in: 60 });
            if (!isRefresh && at === "at the refresh") return json({ message: "no" }, { status: 401 });
            return answer(await echoOf(request));
          };
          for (const line of ROUTES) {
            const ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", maxRetries: 0, fetch } });
            const got = await ask(line, { cookie });
            clean(got, `${line}, ${which}, ${at}`);
            for (const cookie of got.cookies) assert.match(cookie, /^(access|refresh)_token=/);
          }
        }
      }
      for (const line of ROUTES) {
        const ask = asking({ sessions: { provider: "clerk", token: KEY, maxRetries: 0, fetch: async (request) => answer(await echoOf(request)) }, scope: () => ({ userId: "user_1" }) });
        clean(await ask(line, { cookie: COOKIES.both }), `clerk ${line}`);
      }
    });
  });
}

describe("a back-end that repeats a token in an answer that is right", () => {
  const back = (answer) => asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", fetch: async (request) => (request.url.endsWith("/oauth/token") ? json({ access_token: NEW_ACCESS, refresh_token: NEW_REFRESH, expires_in: 60 }) : answer(request)) } });

  test("in a message", async () => {
    for (const cookie of Object.values(COOKIES)) {
      const ask = back(async (request) => (request.method === "GET" ? json({ sessions: [{ id: "me" }], count: 1 }) : json({ success: true, message: `done for ${await echoOf(request)}`, count: 1 })));
      for (const line of ROUTES) clean(await ask(line, { cookie }), line);
    }
  });

  test("in a session, under whatever name", async () => {
    for (const cookie of Object.values(COOKIES)) {
      const ask = back(async (request) => {
        const echo = await echoOf(request);
        return json({ sessions: [{ id: "me", user_agent: echo, ip_address: "1.2.3.4", tenant: echo.split("Bearer ")[1], token: echo, access: echo.split("Bearer ")[1], more: { list: [echo], [echo]: 1 } }], count: 1 });
      });
      const answer = await ask("GET /api/sessions", { cookie });
      assert.equal(answer.status, 200);
      clean(answer, "raw");
    }
  });
});

test("every fault of the real sandbox", async (context) => {
  await sandbox.reset();
  const user = await sandbox.signIn();
  const ask = asking({ sessions: { provider: "authvital", baseUrl: G1, clientId: "web-client", timeout: 60, maxRetries: 0 } });
  const secrets = [user.access, user.refresh, ...[user.access, user.refresh].map((token) => token.split(".")[2])];
  await quiet(context, async () => {
    for (const fault of [
      { status: 400 }, { status: 401 }, { status: 429, "retry-after": "9" }, { status: 500, body: JSON.stringify({ message: `${user.access} ${user.refresh}` }) },
      { status: 401, body: JSON.stringify({ error: user.refresh, message: user.access }) },
      { body: `<html>${user.access}`, "content-type": "text/html" }, { drop: "head" }, { drop: "body" }, { hang: "head" }, { truncate: true }, { truncate: 5 },
      { redirect: `https://evil.example.com/?${user.access}` }, { headers: { "x-request-id": user.access, "x-system-warning": user.refresh } },
    ]) {
      await sandbox.faults({ route: "*", fault });
      for (const line of ["GET /api/sessions", "POST /api/sessions/x/revoke", "POST /api/logout"]) {
        // One that was logged out is not refreshed any more.
        const one = line.endsWith("logout") ? asking({ sessions: { provider: "authvital", baseUrl: G1, clientId: "web-client", timeout: 60, maxRetries: 0 } }) : ask;
        const answer = await one(line, { cookie: cookieOf(user) });
        const shown = [answer.text, ...[...answer.headers].filter(([name]) => name !== "set-cookie").flat()].join("\n");
        for (const secret of secrets) assert.ok(!shown.includes(secret), `${line} ${JSON.stringify(fault).slice(0, 40)}: ${shown}`);
      }
    }
  });
});

test("hooks are told templates, without a token", async () => {
  const told = [];
  const note = (event) => told.push(JSON.stringify(event));
  const fetch = async (request) => (request.url.endsWith("/oauth/token") ? json({ access_token: NEW_ACCESS, refresh_token: NEW_REFRESH }) : json({ message: await echoOf(request) },
    { status: 503, headers: { "x-request-id": ACCESS } }));
  const ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", maxRetries: 0, fetch, hooks: { onRequest: note, onResponse: note, onRetry: note } } });
  for (const line of ROUTES) await ask(line, { cookie: COOKIES.both });
  assert.ok(told.length > 6 && !told.join().includes(MARK), told.join("\n"));
});

test("what a refresh answers besides tokens stays on the server", async () => {
  const fetch = async ({ url }) => (url.endsWith("/oauth/token") ? json({ access_token: "a-2", refresh_token: "r-2", id_token: `${MARK}-id`, user: { secret: MARK } },
    { headers: { "set-cookie": `idp=${MARK}` } }) : json({ sessions: [], count: 0 }));
  const answer = await asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", fetch } })("GET /api/sessions", { cookie: COOKIES["refresh alone"] });
  assert.deepEqual(Object.keys(answer.set), ["access_token", "refresh_token"]);
  assert.ok(!`${answer.text}${answer.cookies}`.includes(MARK));
});

test("the back-end's headers and cookies are not handed on", async () => {
  const fetch = async () => json({ sessions: [], count: 0 }, { headers: { "set-cookie": "auth_token=x; Path=/", "x-powered-by": "Nest", "access-control-allow-origin": "*", "cache-control": "public", server: "x",
    "clear-site-data": '"*"' } });
  const answer = await asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", fetch } })("GET /api/sessions", { cookie: COOKIES.both });
  assert.deepEqual([...answer.headers.keys()].toSorted(), ["cache-control", "content-type", "vary", "x-content-type-options"]);
  assert.equal(answer.headers.get("cache-control"), "no-store");
});

describe("where tokens go", () => {
  test("each back-end gets its own, in the place for it", async () => {
    for (const [sessions, access, refresh] of [
      [{ provider: "authvital", clientId: "c" }, ["authorization"], ["body"]], [{ provider: "ksef" }, ["authorization"], ["authorization"]],
    ]) {
      const places = { access: new Set(), refresh: new Set() };
      const fetch = async (request) => {
        const text = await request.text();
        for (const [which, token] of [["access", ACCESS], ["refresh", REFRESH]]) {
          if (request.url.includes(token) || request.url.includes(encodeURIComponent(token))) places[which].add("url");
          if (text.includes(token)) places[which].add("body");
          for (const [name, value] of request.headers) if (value.includes(token)) places[which].add(name);
        }
        return json({ sessions: [], items: [], count: 0, success: true, message: "x" }, { status: request.method === "GET" ? 200 : 401 });
      };
      const ask = asking({ sessions: { baseUrl: "https://back.example.com", maxRetries: 0, fetch, ...sessions } });
      for (const cookie of [COOKIES.both, COOKIES["refresh alone"]]) await ask("GET /api/sessions", { cookie });
      assert.deepEqual([[...places.access], [...places.refresh]], [access, refresh]);
    }
  });

  test("a real server sees nothing of the browser's other cookies", async (context) => {
    const back = await serve(context, () => [200, { sessions: [], count: 0 }]);
    const ask = asking({ sessions: { provider: "authvital", baseUrl: back.origin } });
    await ask("GET /api/sessions", { cookie: `csrf=${MARK}-csrf; ${cookieOf({ access: "a" })}; app_session=${MARK}-app`, "x-api-key": `${MARK}-key` });
    const [{ headers }] = back.seen;
    assert.equal(headers.authorization, "Bearer a");
    assert.ok(!JSON.stringify(headers).includes(MARK) && !("cookie" in headers), JSON.stringify(headers));
  });

  test("a cross-site request's tokens go nowhere, not even into the message", async () => {
    const ask = asking({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", fetch: never } });
    for (const line of ROUTES) {
      const answer = await ask(line, { cookie: COOKIES.both, origin: `https://${MARK}.example.com`, "sec-fetch-site": "cross-site" });
      assert.equal(answer.status, 403);
      clean(answer, line);
    }
  });
});

describe("Better Auth, whose list hands out the sessions' tokens", () => {
  /** Two users with two sessions each; the token of one is what opens it. */
  const back = () => {
    const sent = [];
    const fetch = async (request) => {
      const { pathname } = new URL(request.url);
      const user = request.headers.get("authorization").split("-").at(-2);
      const text = await request.text();
      sent.push(`${pathname.split("/").at(-1)} ${user} ${text}`);
      if (pathname.endsWith("list-sessions")) return json([1, 2].map((n) => ({ id: `${user}${n}`, token: `${MARK}-token-${user}-${n}`, userId: user, expiresAt: "2096-01-01T00:00:00.000Z" })));
      if (pathname.endsWith("get-session")) return json({ session: { id: `${user}1`, token: `${MARK}-token-${user}-1`, userId: user }, user: { id: user } });
      return json({ status: true, success: true });
    };
    return { sent, ask: asking({ sessions: { provider: "better-auth", baseUrl: "https://auth.example.com", fetch }, cookies: { accessToken: { name: "__Secure-better-auth.session_token" } } }) };
  };
  const of = (user) => `__Secure-better-auth.session_token=${MARK}-token-${user}-1`;

  test("a page sees none of them, and ends sessions by their ids", async () => {
    const { ask, sent } = back();
    const list = await ask("GET /api/sessions", { cookie: of("dana") });
    assert.deepEqual(list.body.sessions.map(({ id, current }) => [id, current]), [["dana1", true], ["dana2", false]], list.text);
    clean(list, "list");
    const revoked = await ask("POST /api/sessions/dana2/revoke", { cookie: of("dana") });
    assert.equal(revoked.status, 200, revoked.text);
    assert.equal(sent.at(-1), `revoke-session dana {"token":"${MARK}-token-dana-2"}`);
    clean(revoked, "revoke");
    for (const line of ["POST /api/sessions/revoke-others", "POST /api/logout-all", "POST /api/logout"]) clean(await ask(line, { cookie: of("dana") }), line);
  });

  test("what the handler learnt for one user serves no other", async () => {
    const { ask, sent } = back();
    await ask("GET /api/sessions", { cookie: of("dana") });
    const answer = await ask("POST /api/sessions/dana2/revoke", { cookie: of("oskar") });
    assert.deepEqual([answer.status, answer.body.error.code], [404, "not_found"]);
    assert.ok(sent.every((line) => !line.startsWith("revoke-session")), sent.join("\n"));
  });
});

test("a session's id that is the beginning of its token is shown", async () => {
  const fetch = async () => json({ sessions: [{ id: "5f1c2d3e4a5b" }] });
  const ask = asking({ sessions: { provider: "rest", baseUrl: "https://auth.example.com", fetch } });
  const { body } = await ask("GET /api/sessions", { cookie: "access_token=5f1c2d3e4a5b.s3cr3ts3cr3t" });
  assert.equal(body.sessions[0].id, "5f1c2d3e4a5b");
});
