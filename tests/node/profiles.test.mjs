// The three profiles of docs/rest.md, as they stand there, against small servers that answer as those back-ends do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { createSessions, describeDevice, fails, faked, jwt, serve, settles } from "./support.mjs";

// ---------------------------------------------------------------- the documentation, as code

const DOCS = readFileSync(new URL("../../docs/rest.md", import.meta.url), "utf8");

/** The code block under that heading, without its types, as a function of `createSessions`; it gives `connect`. */
function documented(heading) {
  const [, section] = DOCS.split(`\n## ${heading}\n`);
  assert.ok(section, `docs/rest.md has no section ${heading}`);
  const [, block] = /```ts\n([^]*?)```/.exec(section) ?? assert.fail(`docs/rest.md has no profile for ${heading}`);
  const code = block
    .replace('import { createSessions, type RestProfile } from "auth-sessions";\n', "")
    .replace("export const", "const")
    .replaceAll(": RestProfile", "")
    .replaceAll(/\((\w+): (?:string|\(\) => string)\)/g, "($1)");
  const make = new Function("createSessions", `${code}\nreturn connect;`);
  return (create) => make(create);
}

/** A client as documented, but for the origin. */
function client(heading, server, argument, more = {}) {
  const connect = documented(heading)(({ baseUrl, ...options }) => {
    const { pathname } = new URL(baseUrl);
    return createSessions({ ...options, baseUrl: server.origin + pathname.replace(/\/$/, ""), maxRetries: 0, ...more });
  });
  return connect(argument);
}

// ---------------------------------------------------------------- servers on loopback

const cookiesOf = (header = "") => Object.fromEntries(header.split("; ").filter(Boolean).map((pair) => pair.split(/=(.*)/s).slice(0, 2)));

/** A session with these fields, and null in all others. */
async function session(fields) {
  const nothing = { createdAt: null, lastActiveAt: null, expiresAt: null, userAgent: null, ipAddress: null, tenant: null, userId: null, current: null, location: null, method: null };
  const device = fields.userAgent ? await describeDevice(fields.userAgent) : null;
  return { status: "active", ...nothing, device, ...fields };
}

/** Without `raw`, which is compared by itself. */
const plain = (sessions) => sessions.map(({ raw, ...rest }) => rest);

const iso = (text) => new Date(text).toISOString();
const NOT_FOR_CLERK = { create: "unsupported", createToken: "unsupported" };

// ---------------------------------------------------------------- Keycloak

describe("Keycloak", () => {
  const SESSIONS = "/realms/main/account/sessions";
  const TOKEN = jwt({ exp: 4_000_000_000, sid: "5b1c8a52-40e6-4d3c-9d1e-6f0e35a3c001", aud: "account" });
  const NOW = 1_768_000_000;

  const item = (number, more) => ({
    id: `5b1c8a52-40e6-4d3c-9d1e-6f0e35a3c00${number}`,
    ipAddress: `192.0.2.${number}`,
    started: NOW - number * 3600,
    lastAccess: NOW - number * 60,
    expires: NOW + 36_000 - number * 3600,
    clients: [{ clientId: "portal", clientName: "The portal", userConsentRequired: false, inUse: false, offlineAccess: false }],
    browser: "Firefox/133.0",
    ...more,
  });

  async function keycloak(context, more) {
    let items = [item(2), item(1, { current: true, browser: "Chrome/131.0.0" }), item(3, { browser: "Other/Unknown" })];
    const server = await serve(context, ({ method, url, headers }) => {
      // The API is told from the account console by what the client accepts.
      if (headers.accept !== "application/json") return [200, "<!doctype html><title>Account</title>"];
      if (headers.authorization === "Bearer viewer" && method === "DELETE") return [403, { error: "HTTP 403 Forbidden" }];
      if (headers.authorization !== `Bearer ${TOKEN}`) return [401, { error: "HTTP 401 Unauthorized" }];
      if (method === "GET" && url === SESSIONS) return [200, items];
      if (method !== "DELETE") return [405, { error: "HTTP 405 Method Not Allowed" }];
      if (url === SESSIONS) items = items.filter(({ current }) => current);
      else if (url === `${SESSIONS}?current=true`) items = [];
      else if (url.startsWith(`${SESSIONS}/`)) items = items.filter(({ id }) => url !== `${SESSIONS}/${id}`);
      else return [404, { error: "HTTP 404 Not Found" }];
      return [204];
    });
    const sessions = client("Keycloak", server, () => TOKEN, more);
    return { server, sessions, left: () => items.map(({ id }) => id.slice(-1)).join("") };
  }

  test("list", async (context) => {
    const { server, sessions } = await keycloak(context);
    const page = await settles(sessions.list());
    const expected = await Promise.all([
      session({ id: item(2).id, createdAt: iso((NOW - 7200) * 1000), lastActiveAt: iso((NOW - 120) * 1000), expiresAt: iso((NOW + 28_800) * 1000), device: { label: "Firefox", browser: "Firefox", os: null, kind: "unknown" }, ipAddress: "192.0.2.2", current: false }),
      session({ id: item(1).id, createdAt: iso((NOW - 3600) * 1000), lastActiveAt: iso((NOW - 60) * 1000), expiresAt: iso((NOW + 32_400) * 1000), device: { label: "Chrome", browser: "Chrome", os: null, kind: "unknown" }, ipAddress: "192.0.2.1", current: true }),
      session({ id: item(3).id, createdAt: iso((NOW - 10_800) * 1000), lastActiveAt: iso((NOW - 180) * 1000), expiresAt: iso((NOW + 25_200) * 1000), device: { label: "Unknown device", browser: null, os: null, kind: "unknown" }, ipAddress: "192.0.2.3", current: false }),
    ]);
    assert.deepEqual(plain(page.sessions), expected);
    assert.deepEqual(page.sessions[0].raw, item(2));
    assert.deepEqual({ ...page, sessions: undefined }, { sessions: undefined, count: 3, total: null, next: null });
    const [request] = server.seen;
    assert.deepEqual([request.line, request.body, request.headers.authorization], [`GET ${SESSIONS}`, "", `Bearer ${TOKEN}`]);
  });

  test("get and current", async (context) => {
    const { sessions } = await keycloak(context);
    assert.equal((await settles(sessions.get(item(3).id))).ipAddress, "192.0.2.3");
    assert.equal((await settles(sessions.current())).id, item(1).id);
    await fails(sessions.get("nobody"), "not_found");
  });

  test("revoke", async (context) => {
    const { server, sessions, left } = await keycloak(context);
    const result = await settles(sessions.revoke(item(2).id));
    assert.deepEqual(result, { id: item(2).id, success: true, outcome: "revoked", message: null, effect: "refresh-only", accessTokenValidUntil: null });
    assert.deepEqual(server.lines(), [`DELETE ${SESSIONS}/${item(2).id}`]);
    assert.equal(server.seen[0].body, "");
    assert.equal(left(), "13");
  });

  test("an id that is not there is answered with success; whatever it is, it is one segment of the path", async (context) => {
    const { server, sessions, left } = await keycloak(context);
    assert.equal((await settles(sessions.revoke("a/../b c?current=true#d"))).success, true);
    assert.deepEqual(server.lines(), [`DELETE ${SESSIONS}/a%2F..%2Fb%20c%3Fcurrent%3Dtrue%23d`]);
    assert.equal(left(), "213");
  });

  test("revokeOthers is one request", async (context) => {
    const { server, sessions, left } = await keycloak(context);
    const { success, count, revoked, effect } = await settles(sessions.revokeOthers());
    assert.deepEqual([success, count, revoked, effect], [true, null, null, "refresh-only"]);
    assert.deepEqual(server.lines(), [`DELETE ${SESSIONS}`]);
    assert.equal(left(), "1");
  });

  test("revokeAll is one request with a query", async (context) => {
    const { server, sessions, left } = await keycloak(context);
    const { success, count, revoked } = await settles(sessions.revokeAll());
    assert.deepEqual([success, count, revoked], [true, null, null]);
    assert.deepEqual(server.lines(), [`DELETE ${SESSIONS}?current=true`]);
    assert.equal(left(), "");
  });

  test("logout finds the current session and revokes it", async (context) => {
    const { server, sessions, left } = await keycloak(context);
    const { success, server: said, error } = await settles(sessions.logout());
    assert.deepEqual([success, said, error], [true, "confirmed", null]);
    assert.equal(server.lines().at(-1), `DELETE ${SESSIONS}/${item(1).id}`);
    assert.equal(left(), "23");
  });

  test("errors", async (context) => {
    const { server, sessions, left } = await keycloak(context);
    const error = await fails(client("Keycloak", server, () => "wrong").list(), "unauthenticated");
    assert.deepEqual([error.status, error.provider, error.operation, error.transient], [401, "keycloak", "list", false]);
    const refused = await fails(client("Keycloak", server, () => "viewer").revoke(item(2).id), "forbidden");
    assert.deepEqual([refused.status, left()], [403, "213"]);
    await fails(sessions.refresh(), "unsupported");
    // A header of one's own comes before the profile's: the answer is a page.
    const page = await keycloak(context, { headers: { Accept: "text/html" } });
    await fails(page.sessions.list(), "invalid_response");
  });

  test("capabilities", async (context) => {
    const { sessions } = await keycloak(context);
    assert.deepEqual(await settles(sessions.capabilities()), {
      provider: "keycloak", list: "native", get: "emulated", current: "emulated", revoke: "native", revokeCurrent: "emulated", revokeAll: "native", revokeOthers: "native",
      logout: "emulated", refresh: "unsupported", ...NOT_FOR_CLERK, effect: "refresh-only", browser: true, pageSize: null,
    });
  });
});

// ---------------------------------------------------------------- Appwrite

describe("Appwrite", () => {
  const SESSIONS = "/v1/account/sessions";
  const SECRET = Buffer.from(JSON.stringify({ id: "6500000000000000user", secret: "e2d0c0ffee" })).toString("base64");
  const GUEST = [401, { message: "User (role: guests) missing scope (account)", code: 401, type: "general_unauthorized_scope", version: "1.8.0" }];
  const MISSING = [404, { message: "The current user session could not be found.", code: 404, type: "user_session_not_found", version: "1.8.0" }];

  const item = (number, more) => ({
    $id: `69600000000000000${number}`, $createdAt: `2026-01-0${number}T08:00:00.250+00:00`, $updatedAt: `2026-01-0${number}T08:00:00.250+00:00`,
    userId: "6500000000000000user", expire: `2027-01-0${number}T08:00:00.250+00:00`, provider: "email", providerUid: "alice@example.com",
    providerAccessToken: `provider-access-${number}`, providerAccessTokenExpiry: "", providerRefreshToken: `provider-refresh-${number}`, ip: `198.51.100.${number}`,
    osCode: "MAC", osName: "Mac", osVersion: "14.6", clientType: "browser", clientCode: "CH", clientName: "Chrome", clientVersion: "131.0", clientEngine: "Blink",
    clientEngineVersion: "131.0", deviceName: "desktop", deviceBrand: "Apple", deviceModel: "", countryCode: "pl", countryName: "Poland", current: false,
    factors: ["password"], secret: `hidden-${number}`, mfaUpdatedAt: "", ...more,
  });

  async function appwrite(context) {
    let items = [item(1), item(2, { current: true, clientName: "Firefox" }), item(3)];
    let signedIn = true;
    const server = await serve(context, ({ method, url, headers }) => {
      if (headers["x-appwrite-project"] !== "my-project") return [404, { message: "Project with the requested ID could not be found.", code: 404, type: "project_not_found", version: "1.8.0" }];
      if (headers["x-appwrite-session"] !== SECRET || !signedIn) return GUEST;
      if (method === "GET" && url === SESSIONS) return [200, { total: items.length, sessions: items }];
      if (method !== "DELETE" || !url.startsWith(SESSIONS)) return [404, { message: "Route not found", code: 404, type: "general_route_not_found", version: "1.8.0" }];
      if (url === SESSIONS) {
        items = [];
        signedIn = false;
        return [204];
      }
      const name = url.slice(SESSIONS.length + 1);
      const ended = items.find(({ $id, current }) => $id === name || (current && name === "current"));
      if (!ended) return MISSING;
      items = items.filter((kept) => kept !== ended);
      signedIn = !ended.current;
      return [204];
    });
    return { server, sessions: client("Appwrite", server, () => SECRET), left: () => items.map(({ $id }) => $id.slice(-1)).join("") };
  }

  test("list", async (context) => {
    const { server, sessions } = await appwrite(context);
    const page = await settles(sessions.list());
    const device = (browser) => ({ label: `${browser} on macOS`, browser, os: "macOS", kind: "desktop" });
    const expected = (number, more) => session({
      id: item(number).$id, createdAt: `2026-01-0${number}T08:00:00.250Z`, expiresAt: `2027-01-0${number}T08:00:00.250Z`, device: device("Chrome"), ipAddress: `198.51.100.${number}`,
      userId: "6500000000000000user", current: false, location: { city: null, country: "Poland" }, ...more,
    });
    assert.deepEqual(plain(page.sessions), await Promise.all([expected(1), expected(2, { current: true, device: device("Firefox") }), expected(3)]));
    assert.deepEqual([page.count, page.total, page.next], [3, 3, null]);
    const [{ line, headers, body }] = server.seen;
    assert.deepEqual([line, body, headers["x-appwrite-session"], headers["x-appwrite-project"]], [`GET ${SESSIONS}`, "", SECRET, "my-project"]);
    assert.equal(headers.authorization, undefined);
  });

  test("raw has no secrets", async (context) => {
    const { sessions } = await appwrite(context);
    const [{ raw }] = (await settles(sessions.list())).sessions;
    assert.deepEqual([raw.provider, raw.osName, raw.factors], ["email", "Mac", ["password"]]);
    for (const secret of ["hidden-1", "provider-access-1", "provider-refresh-1"]) assert.ok(!JSON.stringify(raw).includes(secret), secret);
  });

  test("revoke, and again", async (context) => {
    const { server, sessions, left } = await appwrite(context);
    const { $id: id } = item(1);
    assert.deepEqual(await settles(sessions.revoke(id)), { id, success: true, outcome: "revoked", message: null, effect: "immediate", accessTokenValidUntil: null });
    assert.equal(left(), "23");
    const again = await settles(sessions.revoke(id));
    assert.deepEqual([again.success, again.outcome], [false, "already-revoked"]);
    assert.deepEqual(server.lines(), Array(2).fill(`DELETE ${SESSIONS}/${id}`));
    assert.equal(server.seen[0].headers["x-appwrite-session"], SECRET);
  });

  test("revokeOthers ends each but the current one", async (context) => {
    const { server, sessions, left } = await appwrite(context);
    const progress = [];
    const { success, count, revoked } = await settles(sessions.revokeOthers({ onProgress: (done, total) => progress.push([done, total]) }));
    assert.deepEqual([success, count, revoked.toSorted()], [true, 2, [item(1).$id, item(3).$id]]);
    assert.deepEqual(progress, [[1, 2], [2, 2]]);
    assert.deepEqual(server.lines().toSorted(), [`DELETE ${SESSIONS}/${item(1).$id}`, `DELETE ${SESSIONS}/${item(3).$id}`, `GET ${SESSIONS}`]);
    assert.equal(left(), "2");
  });

  test("revokeAll is one request", async (context) => {
    const { server, sessions, left } = await appwrite(context);
    const { success, count } = await settles(sessions.revokeAll());
    assert.deepEqual([success, count, left()], [true, null, ""]);
    assert.deepEqual(server.lines(), [`DELETE ${SESSIONS}`]);
  });

  test("logout, and once more with a session that is gone", async (context) => {
    const { server, sessions, left } = await appwrite(context);
    const first = await settles(sessions.logout());
    assert.deepEqual([first.success, first.server, first.error, left()], [true, "confirmed", null, "13"]);
    const second = await settles(client("Appwrite", server, () => SECRET).logout());
    assert.equal(second.server, "confirmed");
    assert.deepEqual(server.lines(), Array(2).fill(`DELETE ${SESSIONS}/current`));
  });

  test("errors", async (context) => {
    const { server, sessions } = await appwrite(context);
    const error = await fails(client("Appwrite", server, () => "wrong").list(), "unauthenticated");
    assert.deepEqual([error.status, error.provider], [401, "appwrite"]);
    assert.ok(!`${error.message}${error.stack}`.includes("wrong"));
    await fails(client("Appwrite", server, () => SECRET, { headers: {} }).list(), "not_found");
    await fails(sessions.get("nobody"), "not_found");
    await fails(sessions.refresh(), "unsupported");
    await fails(sessions.list({ pageSize: 10 }), "invalid_argument");
  });

  test("capabilities", async (context) => {
    const { sessions } = await appwrite(context);
    assert.deepEqual(await settles(sessions.capabilities()), {
      provider: "appwrite", list: "native", get: "emulated", current: "emulated", revoke: "native", revokeCurrent: "emulated", revokeAll: "native", revokeOthers: "emulated",
      logout: "native", refresh: "unsupported", ...NOT_FOR_CLERK, effect: "immediate", browser: true, pageSize: null,
    });
  });
});

// ---------------------------------------------------------------- authentik

describe("authentik", () => {
  const SESSIONS = "/api/v3/core/authenticated_sessions/";
  const USER = "alice+web@example.com";
  const LISTED = `${SESSIONS}?user__username=alice%2Bweb%40example.com`;
  const COOKIE = "authentik_session=ses; authentik_csrf=Csrf0123456789";
  const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";
  const uuid = (number) => `0d4bd4b8-6a86-4b33-8d0d-00000000000${number}`;

  const item = (number, more) => ({
    uuid: uuid(number), current: false,
    user_agent: {
      device: { brand: null, family: "Other", model: null }, os: { family: "Linux", major: null, minor: null, patch: null, patch_minor: null },
      user_agent: { family: "Firefox", major: "133", minor: "0", patch: null }, string: FIREFOX,
    },
    geo_ip: { continent: "EU", country: "PL", lat: 52.2, long: 21, city: "Warsaw" }, asn: null, user: 7, last_ip: `203.0.113.${number}`, last_user_agent: FIREFOX,
    last_used: `2026-01-0${number}T09:30:00.123456Z`, expires: `2026-02-0${number}T09:30:00Z`, ...more,
  });

  async function authentik(context, more) {
    let items = [item(1), item(2), item(3, { current: true }), item(4, { geo_ip: null }), item(5)];
    const server = await serve(context, ({ method, url, headers }) => {
      const cookies = cookiesOf(headers.cookie);
      if (cookies.authentik_session !== "ses") return [403, { detail: "Authentication credentials were not provided." }];
      const { pathname, searchParams } = new URL(url, "http://localhost");
      if (method === "GET" && pathname === SESSIONS) {
        // Somebody who may see everybody's sessions would get them all.
        if (searchParams.get("user__username") !== USER) return [200, { pagination: {}, results: [...items, item(9, { user: 1 })] }];
        const size = Number(searchParams.get("page_size") ?? 2);
        const page = Number(searchParams.get("page") ?? 1);
        const pages = Math.max(1, Math.ceil(items.length / size));
        if (!(page >= 1 && page <= pages)) return [404, { detail: "Invalid page." }];
        const results = items.slice((page - 1) * size, page * size);
        const next = page < pages ? page + 1 : 0;
        return [200, { pagination: { next, previous: page - 1, count: items.length, current: page, total_pages: pages, start_index: 1, end_index: 2 }, results }];
      }
      const [, id] = new RegExp(`^${SESSIONS}([^/]+)/$`).exec(pathname) ?? [];
      if (method !== "DELETE" || !id) return [404, { detail: "Not found." }];
      if (headers["x-authentik-csrf"] !== cookies.authentik_csrf) return [403, { detail: "CSRF Failed: CSRF token missing." }];
      if (!items.some((kept) => kept.uuid === id)) return [404, { detail: "No AuthenticatedSession matches the given query." }];
      items = items.filter((kept) => kept.uuid !== id);
      return [204];
    });
    const sessions = client("authentik", server, USER, { headers: { cookie: COOKIE }, ...more });
    return { server, sessions, left: () => items.map((kept) => kept.uuid.slice(-1)).join("") };
  }

  const pagesAsked = (server) => server.seen.filter(({ method }) => method === "GET").map(({ url }) => new URL(url, "http://localhost").searchParams.get("page"));

  test("list: a page", async (context) => {
    const { server, sessions } = await authentik(context);
    const page = await settles(sessions.list());
    const expected = (number) => session({
      id: uuid(number), lastActiveAt: `2026-01-0${number}T09:30:00.123Z`, expiresAt: `2026-02-0${number}T09:30:00.000Z`, userAgent: FIREFOX, ipAddress: `203.0.113.${number}`,
      userId: "7", current: false, location: { city: "Warsaw", country: "PL" },
    });
    assert.deepEqual(plain(page.sessions), await Promise.all([expected(1), expected(2)]));
    assert.deepEqual(page.sessions[0].raw, item(1));
    assert.equal(page.count, 2);
    assert.equal(typeof page.next, "string");
    const [{ line, headers }] = server.seen;
    assert.deepEqual([line, headers.cookie, headers.authorization], [`GET ${LISTED}`, COOKIE, undefined]);

    const second = await settles(sessions.list({ cursor: page.next }));
    assert.deepEqual(second.sessions.map(({ id, current, location }) => [id, current, location?.city]), [[uuid(3), true, "Warsaw"], [uuid(4), false, undefined]]);
    assert.deepEqual([second.sessions[1].location, pagesAsked(server)], [null, [null, "2"]]);
    const last = await settles(sessions.list({ cursor: second.next }));
    // The 0 that stands for no page.
    assert.deepEqual([last.sessions.length, last.next], [1, null]);
  });

  test("list: every page", async (context) => {
    const { server, sessions } = await authentik(context);
    const ids = [];
    for await (const { id } of sessions.list()) ids.push(id);
    assert.deepEqual(ids, [1, 2, 3, 4, 5].map(uuid));
    assert.deepEqual(pagesAsked(server), [null, "2", "3"]);
    for (const { url } of server.seen) assert.ok(url.startsWith(LISTED), url);
  });

  test("list: the size of a page", async (context) => {
    const { server, sessions } = await authentik(context);
    const page = await settles(sessions.list({ pageSize: 3 }));
    assert.equal(page.sessions.length, 3);
    assert.equal(new URL(server.seen[0].url, "http://localhost").searchParams.get("page_size"), "3");
    for (const pageSize of [0, 101]) await fails(Promise.resolve(sessions.list({ pageSize })), "invalid_argument", `${pageSize}`);
    assert.equal(server.seen.length, 1);
  });

  test("current is looked for on every page", async (context) => {
    const { sessions } = await authentik(context);
    assert.equal((await settles(sessions.current())).id, uuid(3));
    assert.equal((await settles(sessions.get(uuid(5)))).ipAddress, "203.0.113.5");
    await fails(sessions.get(uuid(8)), "not_found");
  });

  test("revoke, with the CSRF token from the cookie; and again", async (context) => {
    const { server, sessions, left } = await authentik(context);
    assert.deepEqual(await settles(sessions.revoke(uuid(1))), { id: uuid(1), success: true, outcome: "revoked", message: null, effect: "immediate", accessTokenValidUntil: null });
    assert.equal(left(), "2345");
    const [{ line, headers, body }] = server.seen;
    assert.deepEqual([line, body, headers["x-authentik-csrf"], headers.cookie, headers.authorization], [`DELETE ${SESSIONS}${uuid(1)}/`, "", "Csrf0123456789", COOKIE, undefined]);
    const again = await settles(sessions.revoke(uuid(1)));
    assert.deepEqual([again.success, again.outcome], [false, "already-revoked"]);
  });

  test("revokeOthers goes through every page and keeps the current one", async (context) => {
    const { sessions, left } = await authentik(context);
    const { count, revoked } = await settles(sessions.revokeOthers());
    assert.deepEqual([count, revoked.toSorted(), left()], [4, [1, 2, 4, 5].map(uuid), "3"]);
  });

  test("revokeAll ends the current one last", async (context) => {
    const { server, sessions, left } = await authentik(context);
    const { count } = await settles(sessions.revokeAll());
    assert.deepEqual([count, left()], [5, ""]);
    assert.equal(server.lines().at(-1), `DELETE ${SESSIONS}${uuid(3)}/`);
  });

  test("logout", async (context) => {
    const { sessions, left } = await authentik(context);
    const { success, server } = await settles(sessions.logout());
    assert.deepEqual([success, server, left()], [true, "confirmed", "1245"]);
  });

  test("errors", async (context) => {
    const { sessions, left } = await authentik(context, { headers: { cookie: "authentik_session=old; authentik_csrf=Csrf0123456789" } });
    const error = await fails(sessions.list(), "forbidden");
    assert.deepEqual([error.status, error.provider], [403, "authentik"]);
    await fails(sessions.revoke(uuid(1)), "forbidden");
    assert.equal(left(), "12345");
    await fails(sessions.refresh(), "unsupported");
  });

  test("capabilities", async (context) => {
    const { sessions } = await authentik(context);
    assert.deepEqual(await settles(sessions.capabilities()), {
      provider: "authentik", list: "native", get: "emulated", current: "emulated", revoke: "native", revokeCurrent: "emulated", revokeAll: "emulated", revokeOthers: "emulated",
      logout: "emulated", refresh: "unsupported", ...NOT_FOR_CLERK, effect: "immediate", browser: true, pageSize: { min: 1, max: 100, default: 20 },
    });
  });
});

test("a path that would leave baseUrl's, or is none, is refused", async () => {
  for (const path of ["/..", "/../x", "/a/../b", "/a/..", "/.", "/%2e%2E/x", "/a/.%2e?x", ["/a"], "//a", "a", "", null]) {
    const provider = { list: { method: "GET", path: "/s" }, revoke: { method: "POST", path: "/s/{id}" }, logout: { method: "POST", path } };
    await fails(createSessions({ provider, baseUrl: "https://api.example.com/v2", token: "t" }).list(), "invalid_options", JSON.stringify(path));
  }
});

test("the CSRF cookie is the one that is sent", async () => {
  const provider = { list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" }, csrf: { cookie: "csrf", header: "X-CSRF" }, auth: "cookie" };
  const { sessions, sent } = faked(() => new Response(null, { status: 204 }), { provider, headers: { Cookie: "csrf=client" } });
  await settles(sessions.revoke("a", { headers: { cookie: "csrf=call" } }));
  assert.deepEqual([sent[0].headers.get("cookie"), sent[0].headers.get("x-csrf")], ["csrf=call", "call"]);
});
