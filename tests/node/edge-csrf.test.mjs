// Who may ask the handler: what a browser says of a request's origin, on every route; preflights and CORS; and that nothing is sent for those who may not.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APP, asking, json, jwt } from "./support.mjs";

const ALLOWED = "https://admin.example.net";
const ALLOWED_TOO = "http://localhost:5173";
const ROUTES = ["GET /api/sessions", "POST /api/sessions/s-1/revoke", "POST /api/sessions/revoke-others", "POST /api/logout-all", "POST /api/logout"];
const COOKIE = `access_token=${jwt({ exp: 4e9, sid: "s-0" })}; refresh_token=${jwt({ sid: "s-0" })}`;

/** A handler whose back-end does all it is asked; `sent` has what that was, and `scoped` how often the scope was asked for. */
function handler(options) {
  const sent = [];
  const state = { sent, scoped: 0 };
  const fetch = async ({ method, url }) => {
    sent.push(`${method} ${new URL(url).pathname}`);
    if (url.endsWith("/oauth/token")) return json({ access_token: "new", refresh_token: "new-too", expires_in: 60 });
    return method === "GET" ? json({ sessions: [{ id: "s-0" }, { id: "s-1" }], count: 2 }) : json({ success: true, message: "done", count: 2 });
  };
  state.ask = asking({
    sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", fetch }, allowedOrigins: [ALLOWED, ALLOWED_TOO],
    scope: () => (state.scoped++, null), ...options,
  });
  return state;
}

const cors = ({ headers }) => Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));

/** It was refused: nothing was sent, asked, set or cleared. */
function refused(answer, state, about) {
  assert.deepEqual([answer.status, answer.body.error.code], [403, "forbidden"], about);
  assert.match(answer.body.error.message, /allowedOrigins/);
  assert.deepEqual([answer.cookies, state.sent, state.scoped, cors(answer)], [[], [], 0, {}], about);
  assert.match(answer.headers.get("vary"), /Origin.*Sec-Fetch-Site/);
  assert.equal(answer.headers.get("cache-control"), "no-store");
}

// ---------------------------------------------------------------- the table

const ORIGINS = {
  none: null, own: APP, allowed: ALLOWED, other: "https://evil.example.org", opaque: "null", empty: "", upper: APP.toUpperCase(), suffixed: `${APP}.evil.org`, prefixed: "https://evilapp.example.com",
  slash: `${APP}/`, port: `${APP}:443`, plain: "http://app.example.com", sub: "https://x.app.example.com", parent: "https://example.com", several: `${APP}, https://evil.example.org`, twice: `${APP} ${APP}`,
  wild: "*", garbage: "%zz", userinfo: "https://app.example.com@evil.org", allowedPrefix: `${ALLOWED}.evil.org`, allowedScheme: "http://admin.example.net", allowedPort: "http://localhost:5174",
};
const SITES = { none: null, same: "same-origin", site: "same-site", cross: "cross-site", typed: "none", empty: "", garbage: "same-origin-not", upper: "Same-Origin", several: "same-origin, cross-site", quoted: '"same-origin"', padded: " same-origin " };
/** Browsers strip spaces around values, and so does Fetch. */
const READ_AS = { padded: "same", empty: "none" };

for (const line of ROUTES) {
  const isRead = line.startsWith("GET");

  test(`${line}: origins and sites`, async () => {
    for (const [from, origin] of Object.entries(ORIGINS)) {
      for (const [where, site] of Object.entries(SITES)) {
        const says = READ_AS[where] ?? where;
        const isAllowed = from === "allowed" || says === "same" || (isRead && says === "typed") || (says === "none" && (from === "own" || (isRead && from === "none")));
        const state = handler();
        const answer = await state.ask(line, { cookie: COOKIE, origin, "sec-fetch-site": site });
        const about = `${line}, Origin: ${origin}, Sec-Fetch-Site: ${site}`;
        if (isAllowed) {
          assert.equal(answer.status, 200, `${about} ${answer.text}`);
          assert.ok(state.sent.length > 0, about);
          assert.deepEqual(cors(answer), from === "allowed" ? { "access-control-allow-origin": ALLOWED, "access-control-allow-credentials": "true", "access-control-expose-headers": "retry-after" } : {}, about);
        } else {
          refused(answer, state, about);
        }
      }
    }
  });
}

test("without cookies, with those that have run out, with a large body: refused just the same, before anything else is looked at", async () => {
  const evil = { origin: "https://evil.example.org", "sec-fetch-site": "cross-site" };
  for (const line of ROUTES) {
    for (const headers of [{ cookie: null }, { cookie: "refresh_token=r" }, { cookie: `access_token=${jwt({ exp: 1 })}; refresh_token=r` }, { cookie: COOKIE, "content-length": "99999" },
      { cookie: COOKIE, authorization: "Bearer x" }]) {
      const state = handler();
      refused(await state.ask(line, { ...headers, ...evil }), state, line);
    }
  }
});

test("headers that frameworks trust count for nothing", async () => {
  const evil = { origin: "https://evil.example.org", "sec-fetch-site": "cross-site" };
  for (const more of [
    { "x-forwarded-host": "evil.example.org" }, { "x-forwarded-proto": "https", "x-forwarded-host": "evil.example.org" }, { forwarded: "host=evil.example.org;proto=https" }, { "x-original-url": "/api/logout" },
    { referer: `${APP}/devices` },
    { "x-requested-with": "XMLHttpRequest" }, { "content-type": "application/json" }, { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-user": "?1" }, { "x-http-method-override": "GET" },
  ]) {
    for (const line of ROUTES.slice(1)) {
      const state = handler();
      refused(await state.ask(line, { cookie: COOKIE, ...evil, ...more }), state, JSON.stringify(more));
    }
  }
});

test("a Referer is no Origin", async () => {
  const state = handler();
  refused(await state.ask("POST /api/logout", { cookie: COOKIE, origin: null, "sec-fetch-site": null, referer: `${APP}/devices` }), state, "referer");
});

test("without allowedOrigins no other origin may ask, and none gets CORS headers", async () => {
  for (const allowedOrigins of [undefined, null, []]) {
    for (const line of ROUTES) {
      const state = handler({ allowedOrigins });
      refused(await state.ask(line, { cookie: COOKIE, origin: ALLOWED, "sec-fetch-site": "cross-site" }), state, line);
    }
  }
});

// ---------------------------------------------------------------- what a server sees of itself

describe("a server that sees another address of itself", () => {
  const old = { "sec-fetch-site": null, cookie: COOKIE };
  /** The handler as a server at `url` calls it. */
  const post = async (state, url, headers) => state.ask("POST /api/logout", { ...old, ...headers }, { url });

  for (const [what, url, headers, isAllowed] of [
    ["behind a proxy that ends TLS, a browser that says where it comes from", "http://app.example.com/api/logout", { origin: APP, "sec-fetch-site": "same-origin" }, true],
    ["its own address", "https://app.example.com:8443/api/logout", { origin: "https://app.example.com:8443", host: "app.example.com:8443" }, true],
    ["another port", "https://app.example.com:8443/api/logout", { origin: "https://app.example.com", host: "app.example.com:8443" }, false],
    ["the Host of the proxy's public address", "http://10.0.0.7:3000/api/logout", { origin: APP, host: "app.example.com" }, true],
    ["localhost, as Next.js has it", "http://localhost:3000/api/logout", { origin: APP, host: "app.example.com" }, true],
    ["another Host", "http://10.0.0.7:3000/api/logout", { origin: "https://evil.example.org", host: "app.example.com" }, false],
    ["no Host", "http://10.0.0.7:3000/api/logout", { origin: APP, host: null }, false],
    ["an empty Host", "http://10.0.0.7:3000/api/logout", { origin: "https://", host: "" }, false],
    ["another scheme: https sees no page of http as its own", "https://app.example.com/api/logout", { origin: "http://app.example.com", host: "app.example.com" }, false],
    ["a browser that says that it is another site, whatever the Host", "http://10.0.0.7:3000/api/logout", { origin: APP, host: "app.example.com", "sec-fetch-site": "cross-site" }, false],
  ]) {
    test(what, async () => {
      const state = handler();
      const answer = await post(state, url, headers);
      if (isAllowed) assert.equal(answer.status, 200, answer.text);
      else refused(answer, state, what);
    });
  }
});

// ---------------------------------------------------------------- preflights

describe("preflights", () => {
  const preflight = (line, headers, options) => {
    const [method, path] = line.split(" ");
    const state = handler(options);
    return state.ask(`OPTIONS ${path}`, { "sec-fetch-site": "cross-site", "access-control-request-method": method, ...headers }).then((answer) => ({ answer, state, method }));
  };

  test("of allowed origins are answered, without asking anybody", async () => {
    for (const line of ROUTES) {
      for (const origin of [ALLOWED, ALLOWED_TOO]) {
        const { answer, state, method } = await preflight(line, { origin });
        assert.deepEqual([answer.status, answer.text, answer.cookies, state.sent, state.scoped], [204, "", [], [], 0]);
        assert.deepEqual(cors(answer), { "access-control-allow-origin": origin, "access-control-allow-credentials": "true", "access-control-allow-methods": method, "access-control-expose-headers": "retry-after" });
        assert.match(answer.headers.get("vary"), /Origin/);
      }
    }
  });

  test("of others are not", async () => {
    for (const line of ROUTES) {
      for (const origin of Object.values(ORIGINS).filter((origin) => origin !== ALLOWED)) {
        const { answer, state } = await preflight(line, { origin });
        assert.equal(answer.status, 405);
        assert.deepEqual([cors(answer), state.sent, answer.cookies], [{}, [], []], String(origin));
      }
    }
  });

  test("an OPTIONS that is none is 405", async () => {
    const { answer } = await preflight(ROUTES[1], { origin: ALLOWED, "access-control-request-method": null });
    assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"]);
  });

  test("for a path that is none of its own, it passes", async () => {
    assert.equal((await preflight("POST /api/refresh", { origin: ALLOWED })).answer, null);
  });
});

// ---------------------------------------------------------------- CORS on every answer

test("an allowed origin can read errors, too: every answer to it has the headers", async () => {
  const from = { origin: ALLOWED, "sec-fetch-site": "cross-site" };
  const expected = { "access-control-allow-origin": ALLOWED, "access-control-allow-credentials": "true", "access-control-expose-headers": "retry-after" };
  const statuses = [];
  for (const [line, headers, options] of [
    ["GET /api/sessions", { cookie: COOKIE }], ["GET /api/sessions", {}], ["GET /api/sessions?pageSize=x", { cookie: COOKIE }], ["DELETE /api/sessions", {}], ["POST /api/sessions/%zz/revoke", {}],
    ["POST /api/logout", { "content-length": "99999" }], ["POST /api/logout", { cookie: COOKIE }],
    ["GET /api/sessions", { cookie: COOKIE }, { scope: () => assert.fail("broken") }], ["GET /api/sessions", { cookie: "refresh_token=r" }],
    ["GET /api/sessions", { cookie: COOKIE }, { sessions: { provider: "authvital", baseUrl: "https://auth.example.com", maxRetries: 0, fetch: async () => json({}, { status: 429, headers: { "retry-after": "60" } }) } }],
  ]) {
    const answer = await handler(options).ask(line, { ...from, ...headers });
    statuses.push(answer.status);
    assert.deepEqual(cors(answer), expected, `${line} ${answer.status}`);
    assert.match(answer.headers.get("vary"), /Origin/);
  }
  assert.deepEqual(statuses, [200, 401, 400, 405, 400, 413, 200, 500, 200, 429]);
});

test("the allowed origin itself is named, never a star and never what was asked", async () => {
  for (const origin of ["https://evil.example.org", "null", "*"]) {
    for (const line of ROUTES) {
      // Let in by the browser's word that it is the same origin.
      const answer = await handler().ask(line, { cookie: COOKIE, origin, "sec-fetch-site": "same-origin" });
      assert.deepEqual(cors(answer), {}, origin);
    }
  }
});
