// What sessions APIs look like out there, one case at least for each form: found by itself with `provider: "rest"`, or said in a profile.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeDevice, fails, faked, json, jwt, settles } from "./support.mjs";

const ORIGIN = "https://auth.example.com";
const SESSIONS = `${ORIGIN}/api/v1/sessions`;
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";

const lines = (sent) => sent.map(({ method, url }) => `${method} ${url.replace(ORIGIN, "")}`);
const textOf = (request) => request.clone().text();
const empty = (status) => new Response(null, { status });

/** A client for the built-in profile, or for that one. `answers` has a response, or a body, for a request line; any other request fails the test. */
function rest(answers, options = {}) {
  return faked((request) => {
    const line = lines([request])[0];
    assert.ok(line in answers, `${line} is not expected`);
    const answer = answers[line];
    const given = typeof answer === "function" ? answer(request) : answer;
    return given instanceof Response ? given.clone() : json(given);
  }, { provider: "rest", ...options });
}

/** A profile with no more than has to be, and this. */
const profile = (more) => ({ list: { method: "GET", path: "/sessions" }, revoke: { method: "DELETE", path: "/sessions/{id}" }, ...more });

/** The first page of a list that is answered with this. */
async function page(body, options) {
  const { sessions } = rest({ "GET /api/v1/sessions": body, "GET /sessions": body }, options);
  return settles(sessions.list());
}

/** The one session of a list that is answered with this item. */
async function only(item, options) {
  const { sessions } = await page([{ id: "s1", ...item }], options);
  assert.equal(sessions.length, 1);
  return sessions[0];
}

// ---------------------------------------------------------------- the built-in profile

describe("provider: \"rest\"", () => {
  const ITEM = {
    id: 123, user_id: 456, ip_address: "192.0.2.1", user_agent: FIREFOX, created_at: "2024-01-01T12:00:00Z", last_activity_at: "2024-01-01T13:30:00Z",
    expires_at: "2024-01-02T12:00:00Z", revoked_at: null, is_current: true,
  };
  const LIST = { success: true, data: { sessions: [ITEM, { ...ITEM, id: 124, is_current: false }, { ...ITEM, id: 125, is_current: false }], total_count: 3, active_count: 3 } };
  const LISTED = "GET /api/v1/sessions";
  const ENDED = { success: true, data: {}, message: "Session revoked" };

  test("list: every field", async () => {
    const { sessions, sent } = rest({ [LISTED]: LIST });
    const { sessions: [first, second], count, total, next } = await settles(sessions.list());
    const { raw, ...fields } = first;
    assert.deepEqual(fields, {
      id: "123", status: "active", createdAt: "2024-01-01T12:00:00.000Z", lastActiveAt: "2024-01-01T13:30:00.000Z", expiresAt: "2024-01-02T12:00:00.000Z", userAgent: FIREFOX,
      ipAddress: "192.0.2.1", tenant: null, userId: "456", current: true, device: await describeDevice(FIREFOX), location: null, method: null,
    });
    assert.deepEqual(raw, ITEM);
    assert.deepEqual([second.id, second.current, count, total, next], ["124", false, 3, 3, null]);
    assert.deepEqual(lines(sent), [LISTED]);
    assert.equal(sent[0].headers.get("authorization"), "Bearer access");
  });

  test("a base URL with a path, and with a slash at its end", async () => {
    for (const [baseUrl, url] of [[`${ORIGIN}/service`, `${ORIGIN}/service/api/v1/sessions`], [`${ORIGIN}/`, SESSIONS]]) {
      const { sessions, sent } = faked(() => json([]), { provider: "rest", baseUrl });
      await settles(sessions.list());
      assert.equal(sent[0].url, url);
    }
  });

  test("get, current, revokeCurrent", async () => {
    const { sessions, sent } = rest({ [LISTED]: LIST, "DELETE /api/v1/sessions/123": ENDED });
    assert.equal((await settles(sessions.get("124"))).id, "124");
    await fails(sessions.get("999"), "not_found");
    assert.equal((await settles(sessions.current())).id, "123");
    assert.equal((await settles(sessions.revokeCurrent())).success, true);
    assert.equal(lines(sent).at(-1), "DELETE /api/v1/sessions/123");
  });

  test("revoke", async () => {
    const token = jwt({ exp: 4_000_000_000 });
    const { sessions, sent } = rest({ "DELETE /api/v1/sessions/124": ENDED }, { token });
    const result = await settles(sessions.revoke("124"));
    assert.deepEqual(result, { id: "124", success: true, outcome: "revoked", message: "Session revoked", effect: "unknown", accessTokenValidUntil: null });
    assert.deepEqual([await textOf(sent[0]), sent[0].headers.get("authorization")], ["", `Bearer ${token}`]);
  });

  test("revokeOthers: the list, then each other session", async () => {
    const { sessions, sent } = rest({ [LISTED]: LIST, "DELETE /api/v1/sessions/124": ENDED, "DELETE /api/v1/sessions/125": ENDED });
    const { success, count, revoked } = await settles(sessions.revokeOthers());
    assert.deepEqual([success, count, revoked.toSorted()], [true, 2, ["124", "125"]]);
    assert.deepEqual(lines(sent).toSorted(), ["DELETE /api/v1/sessions/124", "DELETE /api/v1/sessions/125", LISTED]);
  });

  test("revokeAll: the current one last, when all the others have ended", async () => {
    let others = 0;
    const other = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      others++;
      return json(ENDED);
    };
    const answers = { "/124": other, "/125": other, "/123": () => json(others === 2 ? ENDED : { error: { code: "EARLY", message: "not yet" } }, { status: others === 2 ? 200 : 409 }) };
    const { sessions, sent } = faked((request) => (request.method === "GET" ? json(LIST) : answers[request.url.replace(SESSIONS, "")]()), { provider: "rest" });
    const { success, count, revoked } = await settles(sessions.revokeAll());
    assert.deepEqual([success, count, revoked.toSorted()], [true, 3, ["123", "124", "125"]]);
    assert.equal(lines(sent).at(-1), "DELETE /api/v1/sessions/123");
  });

  test("a revoke-all that fails in part says which", async () => {
    const refused = json({ success: false, error: { code: "PERMISSION_DENIED", message: "no" } }, { status: 403 });
    const { sessions } = rest({ [LISTED]: LIST, "DELETE /api/v1/sessions/124": ENDED, "DELETE /api/v1/sessions/125": refused });
    const error = await fails(sessions.revokeOthers(), "partial_revocation");
    assert.deepEqual([error.revoked, error.failed.map(({ id, error: { code } }) => [id, code])], [["124"], [["125", "forbidden"]]]);
  });

  test("logout", async () => {
    const { sessions, sent } = rest({ "POST /api/v1/auth/logout": empty(204) });
    const { success, server, error } = await settles(sessions.logout());
    assert.deepEqual([success, server, error], [true, "confirmed", null]);
    assert.deepEqual([lines(sent), sent[0].headers.get("authorization")], [["POST /api/v1/auth/logout"], "Bearer access"]);
  });

  test("refresh is not part of it, and a token that ran out is not made new", async () => {
    const { sessions, sent } = rest({ [LISTED]: json({ success: false, error: { code: "AUTH_EXPIRED", message: "Token expired" } }, { status: 401 }) }, { refreshToken: "first" });
    await fails(sessions.refresh(), "unsupported");
    assert.equal((await fails(sessions.list(), "unauthenticated")).serverCode, "AUTH_EXPIRED");
    assert.deepEqual(lines(sent), [LISTED]);
  });

  test("capabilities", async () => {
    const { sessions } = rest({});
    assert.deepEqual(await settles(sessions.capabilities()), {
      provider: "rest", list: "native", get: "emulated", current: "emulated", revoke: "native", revokeCurrent: "emulated", revokeAll: "emulated", revokeOthers: "emulated",
      logout: "native", refresh: "unsupported", create: "unsupported", createToken: "unsupported", effect: "unknown", browser: true, pageSize: null,
    });
  });

  test("a request that is passed has its Authorization forwarded", async () => {
    const { sessions, sent } = rest({ [LISTED]: LIST, "DELETE /api/v1/sessions/124": ENDED });
    const request = { headers: { authorization: "Bearer theirs", cookie: "a=b" } };
    await settles(sessions.list(request));
    await settles(sessions.revoke(request, "124"));
    for (const { headers } of sent) assert.deepEqual([headers.get("authorization"), headers.get("cookie")], ["Bearer theirs", null]);
  });

  const redirect = (location) => new Response(null, { status: 307, headers: { location } });

  test("a slash too few: the same host is asked again with it, and first the next time; the redirect is not followed", async () => {
    const { sessions, sent } = rest({ [LISTED]: redirect("https://elsewhere.example.com/api/v1/sessions/"), "GET /api/v1/sessions/": LIST });
    assert.equal((await settles(sessions.list())).count, 3);
    await settles(sessions.list());
    assert.deepEqual(sent.map(({ url }) => url), [SESSIONS, `${SESSIONS}/`, `${SESSIONS}/`]);
  });

  test("redirects without end, and to something else, are refused", async () => {
    const both = rest({ [LISTED]: redirect(`${SESSIONS}/`), "GET /api/v1/sessions/": redirect(SESSIONS) });
    await fails(both.sessions.list(), "invalid_response");
    assert.equal(both.sent.length, 2);
    const login = rest({ [LISTED]: redirect("/login") });
    await fails(login.sessions.list(), "invalid_response");
    assert.equal(login.sent.length, 1);
  });

  for (const name of ["next_cursor", "nextCursor", "cursor"]) {
    test(`pages: ${name}`, async () => {
      const { sessions } = rest({ [LISTED]: { items: [{ id: "a" }], [name]: "c2" }, "GET /api/v1/sessions?cursor=c2": { items: [{ id: "b", is_current: true }], [name]: null } });
      const ids = [];
      for await (const { id } of sessions.list()) ids.push(id);
      assert.deepEqual(ids, ["a", "b"]);
      assert.equal((await settles(sessions.current())).id, "b");
    });
  }

  test("a list that is not the whole list: nothing is ended", async () => {
    const { sessions, sent } = rest({ [LISTED]: { sessions: [{ id: "a", is_current: true }, { id: "b" }], total: 7 } });
    await fails(sessions.revokeOthers(), "invalid_response");
    await fails(sessions.revokeAll(), "invalid_response");
    assert.ok(sent.every(({ method }) => method === "GET"));
  });
});

// ---------------------------------------------------------------- errors

const refusals = {
  "AUTH_REQUIRED": [401, { success: false, error: { code: "AUTH_REQUIRED", message: "Sign in", timestamp: "2024-01-01T12:00:00Z" } }, "unauthenticated", "AUTH_REQUIRED"],
  "PERMISSION_DENIED": [403, { success: false, error: { code: "PERMISSION_DENIED", message: "Not yours" } }, "forbidden", "PERMISSION_DENIED"],
  "RESOURCE_NOT_FOUND": [404, { success: false, error: { code: "RESOURCE_NOT_FOUND", message: "No such session" } }, "not_found", "RESOURCE_NOT_FOUND"],
  "session_not_found": [404, { error: { code: "session_not_found", message: "No such session" } }, "not_found", "session_not_found"],
  "RATE_LIMIT_EXCEEDED": [429, { success: false, error: { code: "RATE_LIMIT_EXCEEDED", message: "Slower" } }, "rate_limited", "RATE_LIMIT_EXCEEDED"],
  "a detail as text": [401, { detail: "Not authenticated" }, "unauthenticated", null],
  "a conflict": [409, { error: { code: "BUSY", message: "Try again" } }, "conflict", "BUSY"],
  "a gone session": [410, { error: { code: "GONE", message: "Gone" } }, "not_found", "GONE"],
  "a failure without JSON": [500, undefined, "server_error", null],
};
for (const [about, [status, body, code, serverCode]] of Object.entries(refusals)) {
  test(`errors: ${about}`, async () => {
    const { sessions } = rest({ "DELETE /api/v1/sessions/s1": body === undefined ? new Response("<h1>Oops</h1>", { status }) : json(body, { status }) });
    const error = await fails(sessions.revoke("s1"), code);
    assert.deepEqual([error.status, error.serverCode, error.provider, error.operation], [status, serverCode, "rest", "revoke"]);
  });
}

test("errors: how long to wait, as a moment", async () => {
  const headers = { "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 60) };
  const { sessions } = rest({ "DELETE /api/v1/sessions/s1": new Response('{"error":{"code":"RATE_LIMIT_EXCEEDED","message":"Slower"}}', { status: 429, headers }) });
  const { retryAfter } = await fails(sessions.revoke("s1"), "rate_limited");
  assert.ok(retryAfter > 50 && retryAfter <= 61, `${retryAfter}`);
});

for (const body of [{ success: false, message: "Not now" }, { status: false }]) {
  test(`errors: a success that is none: ${JSON.stringify(body)}`, async () => {
    const { sessions } = rest({ "DELETE /api/v1/sessions/s1": body });
    assert.equal((await fails(sessions.revoke("s1"), "rejected")).status, 200);
  });
}

test("errors: details of fields", async () => {
  const detail = [{ loc: ["path", "session_id"], msg: "value is not a valid uuid", type: "type_error.uuid" }];
  const { sessions } = rest({ "DELETE /api/v1/sessions/s1": json({ detail }, { status: 422 }) });
  const error = await fails(sessions.revoke("s1"), "rejected");
  assert.deepEqual([error.status, error.details], [422, detail]);
});

test("errors: an answer that is no list, and items without an id", async () => {
  for (const body of [{ hello: "world" }, { sessions: "none" }, [{ ip: "192.0.2.1" }], [null], "text"]) await fails(page(body), "invalid_response", JSON.stringify(body));
});

// ---------------------------------------------------------------- what is found by itself

const wrappers = {
  "a bare array": [(items) => items, {}],
  "{sessions, total}": [(sessions) => ({ sessions, total: 7 }), { total: 7 }],
  "{sessions, total_count}": [(sessions) => ({ sessions, total_count: 7 }), { total: 7 }],
  "{sessions, count}": [(sessions) => ({ sessions, count: 2 }), { count: 2 }],
  "{items, nextCursor}": [(items) => ({ items, nextCursor: null }), {}],
  "{items, total, cursor}": [(items) => ({ items, total: 7, cursor: null }), { total: 7 }],
  "{success, data: {sessions}}": [(sessions) => ({ success: true, data: { sessions } }), {}],
  "{status, data: […]}": [(data) => ({ status: "ok", data }), {}],
  "{results}": [(results) => ({ results }), {}],
  "{current_session_id, sessions}": [(sessions) => ({ current_session_id: "b", sessions }), {}],
};
for (const [about, [wrap, { count = 2, total = null }]] of Object.entries(wrappers)) {
  test(`wrapper: ${about}`, async () => {
    const answer = await page(wrap([{ id: "a", ip: "192.0.2.1" }, { id: "b" }]));
    assert.deepEqual([answer.sessions.map(({ id }) => id), answer.count, answer.total, answer.next], [["a", "b"], count, total, null]);
    assert.equal((await page(wrap([]))).sessions.length, 0);
  });
}

const ids = [
  ["id", "0d4bd4b8-6a86-4b33-8d0d-000000000001"], ["id", 42], ["id", 9007199254740991], ["session_id", "s9"], ["sessionId", "s9"], ["uuid", "0d4bd4b8"], ["$id", "5e5ea5c1"],
  ["_id", "65f0c0ffee"], ["objectId", "Ed1nuqPvcm"],
];
for (const [name, value] of ids) {
  test(`id: ${name}, ${typeof value} ${value}`, async () => {
    const { sessions: [session] } = await page([{ [name]: value }]);
    assert.equal(session.id, String(value));
  });
}

const addresses = {
  "ip": { ip: "192.0.2.7" },
  "ipAddress": { ipAddress: "192.0.2.7" },
  "ip_address": { ip_address: "192.0.2.7" },
  "last_ip_address": { last_ip_address: "192.0.2.7" },
  "device_info.ip_address": { device_info: { ip_address: "192.0.2.7", user_agent: FIREFOX } },
  "devices[].ip_address": { devices: [{ id: "d1", ip_address: "192.0.2.7", user_agent: FIREFOX }, { id: "d2", ip_address: "192.0.2.8" }] },
};
for (const [about, item] of Object.entries(addresses)) {
  test(`IP address: ${about}`, async () => {
    const session = await only(item);
    assert.deepEqual([session.ipAddress, session.id], ["192.0.2.7", "s1"]);
  });
}

test("no IP address: null", async () => assert.equal((await only({ ip: null })).ipAddress, null));

for (const name of ["last_activity_at", "last_active_at", "last_activity", "lastActivity", "lastActiveAt", "last_seen", "last_seen_at", "lastAccess", "updatedAt"]) {
  test(`last used: ${name}`, async () => {
    const session = await only({ [name]: "2024-01-01T13:30:00Z", created_at: "2023-12-31T00:00:00Z" });
    assert.deepEqual([session.lastActiveAt, session.createdAt], ["2024-01-01T13:30:00.000Z", "2023-12-31T00:00:00.000Z"]);
  });
}

for (const [about, names] of [["snake_case", ["created_at", "expires_at", "user_agent", "user_id"]], ["camelCase", ["createdAt", "expiresAt", "userAgent", "userId"]]]) {
  test(`the other fields: ${about}`, async () => {
    const values = ["2024-01-01T12:00:00Z", "2024-02-01T12:00:00Z", FIREFOX, "u1"];
    const session = await only(Object.fromEntries(names.map((name, index) => [name, values[index]])));
    assert.deepEqual([session.createdAt, session.expiresAt, session.userAgent, session.userId], ["2024-01-01T12:00:00.000Z", "2024-02-01T12:00:00.000Z", FIREFOX, "u1"]);
    assert.deepEqual(session.device, await describeDevice(FIREFOX));
  });
}

const WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const devices = {
  "browser with a version, os (Keycloak)": [{ browser: "Chrome/131.0.0", os: "Mac OS X" }, ["Chrome on macOS", "Chrome", "macOS", "desktop"]],
  "a browser and a system that it doesn't know": [{ browser: "Other/Unknown", os: "Other" }, ["Unknown device", null, null, "unknown"]],
  "clientName, osName, deviceName (Appwrite)": [{ osName: "Android", clientName: "Chrome Mobile", deviceName: "smartphone" }, ["Chrome on Android", "Chrome", "Android", "mobile"]],
  "a tablet": [{ osName: "Android", clientName: "Chrome Mobile", deviceName: "tablet" }, ["Chrome on Android", "Chrome", "Android", "tablet"]],
  "clientName of an OAuth client": [{ clientName: "The portal", user_agent: WINDOWS }, ["Chrome on Windows", "Chrome", "Windows", "desktop"]],
  "user_agent_raw beside a label (Hanko)": [{ user_agent: "Windows (Chrome)", user_agent_raw: FIREFOX }, ["Firefox on Linux", "Firefox", "Linux", "desktop"]],
  "a label as agent": [{ user_agent: "macOS (Chrome)" }, ["Chrome on macOS", "Chrome", "macOS", "desktop"]],
  "browser_name, device_type, is_mobile": [{ browser_name: "Safari", device_type: "iPhone", is_mobile: true }, ["Safari on iPhone", "Safari", "iOS", "mobile"]],
  "device with both": [{ device: { browser: "Firefox", os: "Ubuntu 24.04" } }, ["Firefox on Linux", "Firefox", "Linux", "desktop"]],
  "objects with names": [{ browser: { name: "Edge", version: "142" }, os: { name: "Windows", version: "11" } }, ["Edge on Windows", "Edge", "Windows", "desktop"]],
  "a browser that it knows better": [{ browser: "Brave", user_agent: WINDOWS }, ["Brave on Windows", "Brave", "Windows", "desktop"]],
  "a browser that nobody knows": [{ browserName: "Nova", user_agent: WINDOWS }, ["Nova on Windows", "Nova", "Windows", "desktop"]],
  "a kind beside the agent": [{ user_agent: WINDOWS, device_type: "desktop" }, ["Chrome on Windows", "Chrome", "Windows", "desktop"]],
  "a whole agent as browser": [{ browser: WINDOWS }, ["Chrome", "Chrome", null, "unknown"]],
};
for (const [about, [item, expected]] of Object.entries(devices)) {
  test(`the device: ${about}`, async () => {
    const { device } = await only(item);
    assert.deepEqual(Object.values(device), expected);
  });
}

test("the device: nothing is said", async () => {
  assert.equal((await only({ mobile: true, clientName: "The portal" })).device, null);
});

test("parseUserAgent is for agents; without one there is what the server says", async () => {
  const own = { label: "mine", browser: null, os: null, kind: "unknown" };
  const parseUserAgent = (agent) => (agent === FIREFOX ? own : null);
  const { sessions } = await page([{ id: "a", user_agent: FIREFOX, browser: "Brave" }, { id: "b", user_agent: "another" }, { id: "c", browser: "Firefox", os: "Linux" }, { id: "d" }], { parseUserAgent });
  assert.deepEqual(sessions.map(({ device }) => device), [own, null, { label: "Firefox on Linux", browser: "Firefox", os: "Linux", kind: "desktop" }, null]);
});

const currents = {
  "is_current": [[{ id: "a", is_current: false }, { id: "b", is_current: true }], [false, true]],
  "isCurrent": [[{ id: "a", isCurrent: false }, { id: "b", isCurrent: true }], [false, true]],
  "current": [[{ id: "a", current: false }, { id: "b", current: true }], [false, true]],
  "current, only when true": [[{ id: "a" }, { id: "b", current: true }], [false, true]],
  "current_session_id beside the list": [{ current_session_id: "b", sessions: [{ id: "a" }, { id: "b" }] }, [false, true]],
  "current_session_id as a number": [{ current_session_id: 2, sessions: [{ id: 1 }, { id: 2 }] }, [false, true]],
  "none": [[{ id: "a" }, { id: "b" }], [null, null]],
};
for (const [about, [body, expected]] of Object.entries(currents)) {
  test(`current: ${about}`, async () => {
    assert.deepEqual((await page(body)).sessions.map(({ current }) => current), expected);
  });
}

test("current: none is current_unknown, and nothing is ended", async () => {
  const { sessions, sent } = rest({ "GET /api/v1/sessions": [{ id: "a" }, { id: "b" }] });
  await fails(sessions.current(), "current_unknown");
  await fails(sessions.revokeCurrent(), "current_unknown");
  await fails(sessions.revokeOthers(), "current_unknown");
  assert.ok(sent.every(({ method }) => method === "GET"));
});

test("current: none, and revokeAll ends every one", async () => {
  const { sessions } = rest({ "GET /api/v1/sessions": [{ id: "a" }, { id: "b" }], "DELETE /api/v1/sessions/a": empty(204), "DELETE /api/v1/sessions/b": empty(204) });
  assert.deepEqual((await settles(sessions.revokeAll())).revoked.toSorted(), ["a", "b"]);
});

const times = {
  "ISO": ["2024-01-01T12:00:00Z", "2024-01-01T12:00:00.000Z"],
  "ISO with milliseconds": ["2024-01-01T12:00:00.250Z", "2024-01-01T12:00:00.250Z"],
  "ISO with microseconds": ["2024-01-01T12:00:00.123456Z", "2024-01-01T12:00:00.123Z"],
  "ISO with an offset": ["2024-01-01T14:00:00+02:00", "2024-01-01T12:00:00.000Z"],
  "ISO with fraction and offset": ["2024-01-01T12:00:00.250+00:00", "2024-01-01T12:00:00.250Z"],
  "ISO without an offset": ["2024-01-01T12:00:00.250", "2024-01-01T12:00:00.250Z"],
  "seconds": [1_704_110_400, "2024-01-01T12:00:00.000Z"],
  "seconds with a fraction": [1_704_110_400.25, "2024-01-01T12:00:00.250Z"],
  "milliseconds": [1_704_110_400_250, "2024-01-01T12:00:00.250Z"],
  "a Date object": [{ __type: "Date", iso: "2024-01-01T12:00:00.250Z" }, "2024-01-01T12:00:00.250Z"],
  "null": [null, null],
};
for (const [about, [value, expected]] of Object.entries(times)) {
  test(`time: ${about}`, async () => {
    const session = await only({ created_at: value, last_activity_at: value, expires_at: value });
    assert.deepEqual([session.createdAt, session.lastActiveAt, session.expiresAt], [expected, expected, expected]);
  });
}

for (const [time, value, expected] of [["seconds", 86_400, "1970-01-02T00:00:00.000Z"], ["milliseconds", 1500, "1970-01-01T00:00:01.500Z"], ["iso", "2024-01-01T12:00:00Z", "2024-01-01T12:00:00.000Z"], ["auto", 1_704_110_400, "2024-01-01T12:00:00.000Z"]]) {
  test(`time: "${time}" in a profile`, async () => {
    const provider = profile({ list: { method: "GET", path: "/sessions", time } });
    assert.equal((await only({ created_at: value }, { provider })).createdAt, expected);
  });
}

// ---------------------------------------------------------------- revoking

const replies = {
  "204": [empty(204), null],
  "200 and nothing": [empty(200), null],
  "{}": [json({}), null],
  "{message}": [json({ message: "Session revoked" }), "Session revoked"],
  "{success, message}": [json({ success: true, message: "Session revoked" }), "Session revoked"],
  "{status: true}": [json({ status: true }), null],
  "the remaining list": [json([{ id: "other" }]), null],
  "202": [json({ message: "Soon" }, { status: 202 }), "Soon"],
  "text": [new Response("OK"), null],
};
for (const [about, [response, message]] of Object.entries(replies)) {
  test(`revoke reply: ${about}`, async () => {
    const { sessions } = rest({ "DELETE /api/v1/sessions/s1": response });
    assert.deepEqual(await settles(sessions.revoke("s1")), { id: "s1", success: true, outcome: "revoked", message, effect: "unknown", accessTokenValidUntil: null });
  });
}

const requests = {
  "DELETE /{id}": [{ method: "DELETE", path: "/sessions/{id}" }, "DELETE /sessions/a%2Fb", null],
  "POST /{id}/revoke": [{ method: "POST", path: "/sessions/{id}/revoke" }, "POST /sessions/a%2Fb/revoke", null],
  "POST /{id}/revoke with a body": [{ method: "POST", path: "/sessions/{id}/revoke", body: {} }, "POST /sessions/a%2Fb/revoke", {}],
  "POST /revoke with the id in the body": [{ method: "POST", path: "/sessions/revoke", body: { session_id: "{id}", reason: "user {id}" } }, "POST /sessions/revoke", { session_id: "a/b", reason: "user {id}" }],
  "DELETE on the collection with the ids in the body": [{ method: "DELETE", path: "/sessions", body: { ids: ["{id}"] } }, "DELETE /sessions", { ids: ["a/b"] }],
  "PUT, PATCH": [{ method: "PATCH", path: "/sessions/{id}", body: { active: false } }, "PATCH /sessions/a%2Fb", { active: false }],
};
for (const [about, [revoke, line, body]] of Object.entries(requests)) {
  test(`revoke request: ${about}`, async () => {
    const { sessions, sent } = rest({ [line]: empty(204) }, { provider: profile({ revoke }) });
    assert.equal((await settles(sessions.revoke("a/b"))).success, true);
    const text = await textOf(sent[0]);
    assert.deepEqual(text === "" ? null : JSON.parse(text), body);
    if (body !== null) assert.match(sent[0].headers.get("content-type"), /^application\/json/);
  });
}

for (const [about, ids] of [["numbers", [7, 8, 9]], ["strings of digits", ["7", "8", "9"]]]) {
  test(`revoke request: ids in a body are what they were listed as: ${about}`, async () => {
    const provider = profile({ revoke: { method: "POST", path: "/sessions/revoke", body: { session_id: "{id}" } } });
    const { sessions, sent } = rest({ "GET /sessions": ids.map((id, index) => ({ id, current: index === 0 })), "POST /sessions/revoke": empty(204) }, { provider });
    const told = () => Promise.all(sent.filter(({ method }) => method === "POST").map(async (request) => JSON.parse(await textOf(request)).session_id));
    await settles(sessions.list());
    await settles(sessions.revoke("7"));
    assert.deepEqual(await told(), [ids[0]]);
    const { revoked } = await settles(sessions.revokeOthers());
    assert.deepEqual([revoked.toSorted(), (await told()).toSorted()], [["8", "9"], ids]);
  });
}

test("revoke request: nothing is known of the id, so it is a string", async () => {
  const provider = profile({ revoke: { method: "POST", path: "/sessions/revoke", body: { session_id: "{id}" } } });
  const { sessions, sent } = rest({ "POST /sessions/revoke": empty(204) }, { provider });
  await settles(sessions.revoke("7"));
  assert.deepEqual(JSON.parse(await textOf(sent[0])), { session_id: "7" });
});

const gone = {
  "404 is gone": [{ gone: [404] }, 404, ["already-revoked", false]],
  "410 is gone": [{ gone: [404, 410] }, 410, ["already-revoked", false]],
  "200 is gone, 204 is done": [{ success: [204], gone: [200] }, 200, ["already-revoked", false]],
  "202 is done": [{ success: [202] }, 202, ["revoked", true]],
};
for (const [about, [more, status, expected]] of Object.entries(gone)) {
  test(`revoke status: ${about}`, async () => {
    const provider = profile({ revoke: { method: "DELETE", path: "/sessions/{id}", ...more } });
    const { sessions } = rest({ "DELETE /sessions/s1": empty(status) }, { provider });
    const { outcome, success } = await settles(sessions.revoke("s1"));
    assert.deepEqual([outcome, success], expected);
  });
}

test("revoke status: nothing but what the profile says is a success", async () => {
  const provider = profile({ revoke: { method: "DELETE", path: "/sessions/{id}", success: [204] } });
  const { sessions } = rest({ "DELETE /sessions/s1": json({ success: true }) }, { provider });
  await assert.rejects(settles(sessions.revoke("s1")), { name: "SessionsError", status: 200 });
});

// ---------------------------------------------------------------- all, others

const all = {
  "DELETE on the collection, 204": ["revokeAll", { method: "DELETE", path: "/sessions" }, "DELETE /sessions", empty(204), null],
  "POST /revoke-all, {count}": ["revokeAll", { method: "POST", path: "/sessions/revoke-all" }, "POST /sessions/revoke-all", json({ count: 3 }), 3],
  "POST /revoke-all, {revoked_count}": ["revokeAll", { method: "POST", path: "/sessions/revoke-all", body: { confirm: true } }, "POST /sessions/revoke-all", json({ success: true, revoked_count: 3 }), 3],
  "POST /revoke-others, {revokedCount}": ["revokeOthers", { method: "POST", path: "/sessions/revoke-others" }, "POST /sessions/revoke-others", json({ revokedCount: 2 }), 2],
  "DELETE on the collection that keeps the current one, {count}": ["revokeOthers", { method: "DELETE", path: "/sessions" }, "DELETE /sessions", json({ count: 0 }), 0],
  "?exclude_current=true": ["revokeOthers", { method: "DELETE", path: "/sessions?exclude_current=true" }, "DELETE /sessions?exclude_current=true", json({ data: { revoked_count: 2 } }), 2],
};
for (const [about, [method, endpoint, line, response, count]] of Object.entries(all)) {
  test(`revoke-all: ${about}`, async () => {
    const { sessions, sent } = rest({ [line]: response }, { provider: profile({ [method]: endpoint }) });
    const result = await settles(sessions[method]());
    assert.deepEqual([result.success, result.count, result.revoked], [true, count, null]);
    assert.deepEqual(lines(sent), [line]);
    const text = await textOf(sent[0]);
    assert.deepEqual(text === "" ? undefined : JSON.parse(text), endpoint.body);
  });
}

// ---------------------------------------------------------------- who asks

test("auth: bearer", async () => {
  for (const auth of [undefined, "bearer"]) {
    const { sessions, sent } = rest({ "GET /sessions": [] }, { provider: profile({ auth }) });
    await settles(sessions.list());
    assert.equal(sent[0].headers.get("authorization"), "Bearer access");
  }
});

test("auth: a header of its own", async () => {
  const { sessions, sent } = rest({ "GET /sessions": [{ id: "a" }], "DELETE /sessions/a": empty(204) }, { provider: profile({ auth: { header: "X-Session-Token" } }), token: async () => "MP2YWEMeM8MxjkGK" });
  await settles(sessions.list());
  await settles(sessions.revoke("a"));
  for (const { headers } of sent) assert.deepEqual([headers.get("x-session-token"), headers.get("authorization")], ["MP2YWEMeM8MxjkGK", null]);
});

test("auth: a header of its own, and no token", async () => {
  const { sessions, sent } = rest({}, { provider: profile({ auth: { header: "X-Session-Token" } }), token: undefined });
  await fails(sessions.list(), "unauthenticated");
  assert.equal(sent.length, 0);
});

test("auth: cookie and a CSRF token from a cookie", async () => {
  const provider = profile({ auth: "cookie", csrf: { cookie: "csrftoken", header: "X-CSRFToken" } });
  const cookie = "sid=abc; not_csrftoken=no; csrftoken=Xy12; other=1";
  const { sessions, sent } = rest({ "GET /sessions": [{ id: "a" }], "DELETE /sessions/a": empty(204) }, { provider, headers: { cookie } });
  await settles(sessions.list());
  await settles(sessions.revoke("a"));
  for (const { headers } of sent) assert.deepEqual([headers.get("cookie"), headers.get("authorization")], [cookie, null]);
  assert.equal(sent[1].headers.get("x-csrftoken"), "Xy12");
});

test("auth: this client's cookies and tokens are not used for somebody else's request", async () => {
  for (const more of [{ auth: "cookie" }, { auth: { header: "X-Session-Token" } }]) {
    const { sessions, sent } = rest({ "GET /sessions": [] }, { provider: profile(more), headers: more.auth === "cookie" ? { cookie: "sid=ours" } : {} });
    await settles(sessions.list({ headers: { cookie: "sid=theirs" } })).catch(() => {});
    await settles(sessions.list({ headers: { authorization: "Bearer theirs" } })).catch(() => {});
    for (const { headers } of sent) assert.deepEqual([headers.get("cookie"), headers.get("x-session-token") === "access"], [null, false]);
  }
});

test("auth: cookies can be given for each call", async () => {
  const provider = profile({ auth: "cookie", csrf: { cookie: "csrftoken", header: "X-CSRFToken" } });
  const { sessions, sent } = rest({ "DELETE /sessions/a": empty(204) }, { provider, token: undefined });
  await settles(sessions.revoke("a", { headers: { cookie: "sid=abc; csrftoken=Zz9" } }));
  assert.deepEqual([sent[0].headers.get("cookie"), sent[0].headers.get("x-csrftoken")], ["sid=abc; csrftoken=Zz9", "Zz9"]);
});

// ---------------------------------------------------------------- logout and refresh

const logouts = {
  "200": [{}, json({ message: "bye" }), "confirmed"],
  "202": [{}, empty(202), "confirmed"],
  "204": [{}, empty(204), "confirmed"],
  "401 that means success": [{ success: [200, 204, 401] }, json({ error: { code: "SIGNED_OUT", message: "Signed out" } }, { status: 401 }), "confirmed"],
  "410 for a token that is dead": [{ gone: [410] }, json({ error: { code: "GONE", message: "Gone" } }, { status: 410 }), "confirmed"],
  "401 that means what it says": [{}, json({ detail: "Not authenticated" }, { status: 401 }), "rejected"],
  "410 without a word in the profile": [{}, empty(410), "rejected"],
};
for (const [about, [more, response, server]] of Object.entries(logouts)) {
  test(`logout: ${about}`, async () => {
    const { sessions, sent } = rest({ "POST /logout": response }, { provider: profile({ logout: { method: "POST", path: "/logout", ...more } }) });
    const result = await settles(sessions.logout());
    assert.deepEqual([result.server, result.success, result.error === null], [server, server === "confirmed", server === "confirmed"]);
    assert.deepEqual(lines(sent), ["POST /logout"]);
  });
}

const refreshes = {
  "with a lifetime": [{ accessToken: "/access", refreshToken: "/refresh", expiresIn: "/ttl" }, { access: "a2", refresh: "r2", ttl: 900 }, "r2"],
  "deep in the answer": [{ accessToken: "/data/tokens/0", refreshToken: "/data/tokens/1" }, { data: { tokens: ["a2", "r2"] } }, "r2"],
  "without rotation": [{ accessToken: "/access" }, { access: "a2" }, "r1"],
};
for (const [about, [pointers, answer, refreshToken]] of Object.entries(refreshes)) {
  test(`refresh: ${about}`, async () => {
    const refresh = { method: "POST", path: "/token", body: { grant: "refresh", with: { token: "{refreshToken}" } }, ...pointers };
    const told = [];
    const { sessions, sent } = rest({ "POST /token": answer }, { provider: profile({ refresh }), refreshToken: "r1", onTokens: (tokens) => void told.push(tokens) });
    const began = Date.now();
    const tokens = await settles(sessions.refresh());
    assert.deepEqual([tokens.accessToken, tokens.refreshToken], ["a2", refreshToken]);
    if (pointers.expiresIn) assert.ok(Math.abs(Date.parse(tokens.expiresAt) - began - 900_000) < 5000, tokens.expiresAt);
    else assert.equal(tokens.expiresAt, null);
    assert.deepEqual(told, [tokens]);
    assert.deepEqual(JSON.parse(await textOf(sent[0])), { grant: "refresh", with: { token: "r1" } });
  });
}

test("an access token that ran out is refreshed once, and the call tried again", async () => {
  const expired = json({ success: false, error: { code: "AUTH_EXPIRED", message: "Token expired" } }, { status: 401 });
  const answers = {
    "GET /s": ({ headers }) => (headers.get("authorization") === "Bearer fresh" ? json([{ id: 1 }]) : expired),
    "POST /token": { access_token: "fresh", refresh_token: "second", expires_in: 900 },
  };
  const refresh = { method: "POST", path: "/token", body: { token: "{refreshToken}" }, accessToken: "access_token", refreshToken: "refresh_token" };
  const { sessions, sent } = rest(answers, { provider: { list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" }, refresh }, refreshToken: "first" });
  assert.equal((await settles(sessions.list())).count, 1);
  assert.deepEqual(lines(sent), ["GET /s", "POST /token", "GET /s"]);
});

test("refresh: an answer without a token", async () => {
  const refresh = { method: "POST", path: "/token", body: { token: "{refreshToken}" }, accessToken: "/access" };
  const { sessions } = rest({ "POST /token": { token: "a2" } }, { provider: profile({ refresh }), refreshToken: "r1" });
  const error = await fails(sessions.refresh(), "invalid_response");
  assert.ok(!error.message.includes("a2"));
});

// ---------------------------------------------------------------- what a profile says of lists

test("profile: fields by name, by pointer, and by the first that is there", async () => {
  const fields = {
    id: "/ref/key~1id", createdAt: ["born", "/times/0"], lastActiveAt: "/times/1", expiresAt: "/times/2", userAgent: "/device/ua", ipAddress: ["/device/ip", "address"],
    current: "mine", status: "state", userId: "/owner/id", tenant: "org", city: "/geo/city", country: "/geo/country",
  };
  const times = ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"];
  const item = {
    id: "not this", ref: { "key/id": "s1" }, times, device: { ua: FIREFOX }, address: "192.0.2.9", mine: true, state: "expired", owner: { id: 12 }, org: "acme",
    geo: { city: "Łódź", country: "PL" }, ip: "not this",
  };
  const provider = profile({ list: { method: "GET", path: "/sessions", items: "/answer/list", fields } });
  const { sessions: [{ raw, ...session }] } = await page({ answer: { list: [item] }, sessions: [] }, { provider });
  assert.deepEqual(session, {
    id: "s1", status: "expired", createdAt: "2024-01-01T00:00:00.000Z", lastActiveAt: "2024-01-02T00:00:00.000Z", expiresAt: "2024-01-03T00:00:00.000Z", userAgent: FIREFOX,
    ipAddress: "192.0.2.9", tenant: "acme", userId: "12", current: true, device: await describeDevice(FIREFOX), location: { city: "Łódź", country: "PL" }, method: null,
  });
  assert.deepEqual(raw, item);
});

test("profile: fields that are not named are found by themselves", async () => {
  const provider = profile({ list: { method: "GET", path: "/sessions", fields: { ipAddress: "seen_from" } } });
  const { sessions: [session] } = await page({ sessions: [{ session_id: "s1", seen_from: "192.0.2.9", last_seen: 1_704_110_400 }] }, { provider });
  assert.deepEqual([session.id, session.ipAddress, session.lastActiveAt], ["s1", "192.0.2.9", "2024-01-01T12:00:00.000Z"]);
});

for (const [item, status] of [[{}, "active"], [{ revoked_at: null }, "active"], [{ revoked_at: "2024-01-01T12:00:00Z" }, "revoked"], [{ status: "expired" }, "expired"], [{ state: "ACTIVE" }, "active"]]) {
  test(`status: ${JSON.stringify(item)}`, async () => assert.equal((await only(item)).status, status));
}

test("profile: a status that nobody knows is unknown", async () => {
  const provider = profile({ list: { method: "GET", path: "/sessions", fields: { status: "state" } } });
  assert.equal((await only({ state: "hibernating" }, { provider })).status, "unknown");
});

test("profile: the current session's id by pointer", async () => {
  const provider = profile({ list: { method: "GET", path: "/sessions", currentId: "/meta/me" } });
  const { sessions } = await page({ meta: { me: 2 }, sessions: [{ id: 1 }, { id: 2 }] }, { provider });
  assert.deepEqual(sessions.map(({ current }) => current), [false, true]);
});

test("profile: the root as the list", async () => {
  const provider = profile({ list: { method: "GET", path: "/sessions", items: "" } });
  assert.equal((await page([{ id: "a" }], { provider })).sessions.length, 1);
});

for (const [about, cursor, read] of [
  ["in the query", { query: "after" }, (request) => new URL(request.url).searchParams.get("after")],
  ["in a header", { header: "X-Continuation" }, (request) => request.headers.get("x-continuation")],
]) {
  for (const [form, end] of [["null", null], ["empty", ""], ["zero", 0], ["absent", undefined]]) {
    test(`profile: pages, the cursor ${about}, ${form} at the end`, async () => {
      const provider = profile({ list: { method: "GET", path: "/sessions?sort=new", next: "/nextCursor", cursor } });
      const pages = { first: [["a", "b"], "c2/+&="], "c2/+&=": [["c"], end] };
      const { sessions, sent } = faked((request) => {
        const [ids, nextCursor] = pages[read(request) ?? "first"];
        return json({ items: ids.map((id) => ({ id, current: id === "c" })), nextCursor });
      }, { provider });
      const ids = [];
      for await (const { id } of sessions.list()) ids.push(id);
      assert.deepEqual([ids, sent.map(read)], [["a", "b", "c"], [null, "c2/+&="]]);
      for (const { url } of sent) assert.equal(new URL(url).searchParams.get("sort"), "new");
      const first = await settles(sessions.list());
      assert.deepEqual([first.sessions.length, (await settles(sessions.list({ cursor: first.next }))).next], [2, null]);
    });
  }
}

test("profile: an emulated revoke-all goes through every page", async () => {
  const provider = profile({ list: { method: "GET", path: "/sessions", next: "/next", cursor: { query: "page" } } });
  const { sessions } = rest({
    "GET /sessions": { sessions: [{ id: "a", current: true }], next: 2 }, "GET /sessions?page=2": { sessions: [{ id: "b" }], next: null },
    "DELETE /sessions/a": empty(204), "DELETE /sessions/b": empty(204),
  }, { provider });
  assert.deepEqual((await settles(sessions.revokeOthers())).revoked, ["b"]);
  assert.deepEqual((await settles(sessions.revokeAll())).revoked.toSorted(), ["a", "b"]);
});

test("profile: the size of a page and its limits", async () => {
  const provider = profile({ list: { method: "GET", path: "/sessions", pageSize: { query: "limit", min: 2, max: 50, default: 20 } } });
  const { sessions, sent } = rest({ "GET /sessions?limit=50": [] }, { provider });
  await settles(sessions.list({ pageSize: 50 }));
  for (const pageSize of [1, 51]) await fails(sessions.list({ pageSize }), "invalid_argument", `${pageSize}`);
  assert.equal(sent.length, 1);
  assert.deepEqual((await settles(sessions.capabilities())).pageSize, { min: 2, max: 50, default: 20 });
});

test("profile: neither page size nor cursor where there is none", async () => {
  const { sessions, sent } = rest({}, { provider: profile() });
  await fails(sessions.list({ pageSize: 10 }), "invalid_argument");
  await fails(sessions.list({ cursor: "2" }), "invalid_argument");
  assert.equal(sent.length, 0);
});

test("an answer that comes in pieces is put together, characters and all", async () => {
  const bytes = new TextEncoder().encode(JSON.stringify({ sessions: [{ id: "s1", device: "Łódź 🙂" }, { id: "s2" }] }));
  for (const size of [1, 7, bytes.length - 1]) {
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    const { sessions } = faked(() => new Response(body), { provider: "rest" });
    const { sessions: [first, second] } = await settles(sessions.list());
    assert.deepEqual([first.raw.device, second.id], ["Łódź 🙂", "s2"]);
  }
});

// ---------------------------------------------------------------- what a profile may not say

const mistakes = {
  "no list": { revoke: { method: "DELETE", path: "/sessions/{id}" } },
  "no revoke": { list: { method: "GET", path: "/sessions" } },
  "a revoke that names no session": profile({ revoke: { method: "DELETE", path: "/sessions" } }),
  "another origin": profile({ list: { method: "GET", path: "https://elsewhere.example.com/sessions" } }),
  "another origin without its scheme": profile({ list: { method: "GET", path: "//elsewhere.example.com/sessions" } }),
  "no such method": profile({ revoke: { method: "TRACE", path: "/sessions/{id}" } }),
};
for (const [about, provider] of Object.entries(mistakes)) {
  test(`profile: ${about} is invalid_options`, async () => {
    const { sessions, sent } = rest({}, { provider });
    await fails(sessions.list(), "invalid_options", about);
    assert.equal(sent.length, 0);
  });
}

test("profile: nothing but list and revoke is native", async () => {
  const { sessions } = rest({}, { provider: profile({ name: "mine", effect: "immediate" }) });
  assert.deepEqual(await settles(sessions.capabilities()), {
    provider: "mine", list: "native", get: "emulated", current: "emulated", revoke: "native", revokeCurrent: "emulated", revokeAll: "emulated", revokeOthers: "emulated",
    logout: "emulated", refresh: "unsupported", create: "unsupported", createToken: "unsupported", effect: "immediate", browser: true, pageSize: null,
  });
  await fails(sessions.refresh(), "unsupported");
  await fails(sessions.create({ userId: "u1" }), "unsupported");
});
