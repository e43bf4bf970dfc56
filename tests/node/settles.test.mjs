// Every promise settles in time, with a SessionsError of the right code, whatever the world around does; and nothing is left behind.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { getEventListeners } from "node:events";
import path from "node:path";
import { beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { EMPTY_LIST, G1, SessionsError, createAuthVital, createSessions, fails, faked, fastForward, json, never, project, sandbox, settles, signedIn } from "./support.mjs";

beforeEach(() => sandbox.reset());

const TICK = 20;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const list = () => json(EMPTY_LIST);
const LIST = "GET /authvital/oauth/sessions";

/** A response that sends a little and then nothing; `cancelled` tells that it was let go. */
function endless() {
  const state = { started: false, cancelled: false };
  state.response = new Response(
    new ReadableStream({
      pull(controller) {
        if (state.started) return never();
        state.started = true;
        controller.enqueue(new TextEncoder().encode('{"sessions":['));
      },
      cancel() {
        state.cancelled = true;
      },
    }),
  );
  return state;
}

/** Every method that sends something, also those that have several requests behind them. */
const CALLS = {
  list: (sessions, options) => sessions.list(undefined, options),
  get: (sessions, options) => sessions.get("id", options),
  current: (sessions, options) => sessions.current(options),
  revoke: (sessions, options) => sessions.revoke("id", options),
  revokeCurrent: (sessions, options) => sessions.revokeCurrent(options),
  revokeAll: (sessions, options) => sessions.revokeAll(options),
  revokeOthers: (sessions, options) => sessions.revokeOthers(options),
  refresh: (sessions, options) => sessions.refresh(options),
};
const REFRESH = `e30.${Buffer.from('{"sid":"me"}').toString("base64url")}.x`;

// ---------------------------------------------------------------- abort

const REASONS = { string: "why", undefined: undefined, null: null, number: 7, zero: 0, object: { why: 1 }, Error: new Error("why") };

for (const [name, reason] of Object.entries(REASONS)) {
  /** What `signal.reason` is for it. */
  const check = (error) => (reason === undefined ? assert.equal(error.cause.name, "AbortError") : assert.equal(error.cause, reason));

  test(`aborted before, with a reason that is a ${name}`, async () => {
    const { sessions, sent } = faked(list);
    const error = await fails(sessions.list(undefined, { signal: AbortSignal.abort(reason) }), "aborted");
    check(error);
    assert.equal(sent.length, 0);
  });

  test(`aborted during the request, with a reason that is a ${name}`, async () => {
    const controller = new AbortController();
    const { sessions } = faked(async () => {
      controller.abort(reason);
      return never();
    });
    check(await fails(sessions.list(undefined, { signal: controller.signal }), "aborted"));
  });

  test(`aborted in the middle of the body, with a reason that is a ${name}`, async () => {
    const controller = new AbortController();
    const body = endless();
    const { sessions } = faked(() => body.response);
    const promise = sessions.list(undefined, { signal: controller.signal });
    while (!body.started) await turn();
    await turn();
    controller.abort(reason);
    check(await fails(promise, "aborted"));
    assert.equal(body.cancelled, true, "the body is let go");
  });

  test(`aborted between attempts, with a reason that is a ${name}`, async () => {
    const controller = new AbortController();
    const { sessions, sent } = faked(() => json({}, { status: 503, headers: { "retry-after": "9" } }), { maxRetries: 2, hooks: { onRetry: () => controller.abort(reason) } });
    check(await fails(sessions.list(undefined, { signal: controller.signal }), "aborted"));
    assert.equal(sent.length, 1);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  });

  for (const option of ["token", "refreshToken"]) {
    test(`aborted while ${option}() is waited for, with a reason that is a ${name}`, async () => {
      const controller = new AbortController();
      const { sessions, sent } = faked(list, {
        clientId: "c",
        [option]: () => {
          controller.abort(reason);
          return never();
        },
      });
      check(await fails(option === "token" ? sessions.list({ signal: controller.signal }) : sessions.refresh({ signal: controller.signal }), "aborted"));
      assert.equal(sent.length, 0);
      assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    });
  }

  test(`aborted while onTokens is waited for, with a reason that is a ${name}`, async () => {
    const controller = new AbortController();
    const { sessions, sent } = faked((request) => (request.url.endsWith("/token") ? json({ access_token: "new", refresh_token: "r-2" }) : json({}, { status: 401 })), {
      refreshToken: "r-1", clientId: "c", totalTimeout: 1000,
      onTokens: () => {
        controller.abort(reason);
        return never();
      },
    });
    check(await fails(sessions.list({ signal: controller.signal }), "aborted"));
    assert.equal(sent.length, 2);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  });
}

test("a body that is not ended in time is let go, also one that comes too late", async () => {
  const body = endless();
  await fails(faked(() => body.response, { timeout: TICK }).sessions.list(), "timeout");
  assert.equal(body.cancelled, true);
  let answer;
  const late = endless();
  await fails(faked(() => new Promise((resolve) => (answer = resolve)), { timeout: TICK }).sessions.list(), "timeout");
  answer(late.response);
  await turn();
  assert.equal(late.cancelled, true);
});

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name}: aborted, over a fetch that never settles`, async () => {
    const controller = new AbortController();
    const { sessions, sent } = faked(
      () => {
        queueMicrotask(() => controller.abort("why"));
        return never();
      },
      { refreshToken: REFRESH, clientId: "c" },
    );
    const error = await fails(call(sessions, { signal: controller.signal }), "aborted");
    assert.equal(error.operation, name);
    assert.equal(sent.length, 1);
  });

  test(`${name}: a fetch that never settles runs into the timeout`, async () => {
    const { sessions } = faked(never, { refreshToken: REFRESH, clientId: "c", timeout: TICK });
    const error = await fails(call(sessions), "timeout");
    assert.deepEqual([error.operation, error.transient], [name, true]);
  });

  test(`${name}: a body that never ends runs into the timeout`, async () => {
    const { sessions } = faked(() => endless().response, { refreshToken: REFRESH, clientId: "c", timeout: TICK });
    await fails(call(sessions), "timeout");
  });

  test(`${name}: the polyfill of a Response whose body never comes runs into the timeout`, async () => {
    const { sessions } = faked(() => ({ status: 200, headers: new Map(), arrayBuffer: never }), { refreshToken: REFRESH, clientId: "c", timeout: TICK, totalTimeout: 1000 });
    await fails(settles(call(sessions), 3000), "timeout");
  });
}

for (const [what, answer, options, argument, code] of [
  ["is aborted before", never, {}, { signal: AbortSignal.abort("why") }, "aborted"],
  ["is aborted meanwhile", never, {}, { signal: AbortSignal.timeout(TICK) }, "aborted"],
  ["has no answer in time", never, { timeout: TICK }, undefined, "timeout"],
  ["has no answer in the whole time", never, { totalTimeout: TICK }, undefined, "timeout"],
  ["has no end of the answer in time", () => endless().response, { timeout: TICK }, undefined, "timeout"],
  ["has no network", () => Promise.reject("why"), {}, undefined, "network"],
  ["has no token in time", never, { refreshToken: never, totalTimeout: TICK }, undefined, "timeout"],
  ["has no token", never, { refreshToken: () => Promise.reject("why") }, undefined, "unauthenticated"],
]) {
  test(`logout that ${what} resolves, and cookies are cleared all the same`, async () => {
    const { sessions } = faked(answer, { cookies: [{ name: "access_token" }], ...options });
    const result = await settles(sessions.logout(argument));
    assert.deepEqual([result.success, result.error.code, result.error.operation, result.setCookie.length], [false, code, "logout", 1]);
    assert.match(result.server, code === "unauthenticated" ? /^skipped$/ : /^(unreachable|skipped)$/);
  });
}

test("AbortSignal.timeout is the caller's abort; its reason is the cause", async () => {
  const { sessions } = faked(never);
  const error = await fails(sessions.list(undefined, { signal: AbortSignal.timeout(TICK) }), "aborted");
  assert.equal(error.cause.name, "TimeoutError");
});

test("an abort goes through to fetch and to the body", async () => {
  const controller = new AbortController();
  let inner;
  const { sessions } = faked((_, __, { signal }) => {
    inner = signal;
    controller.abort("why");
    return never();
  });
  await fails(sessions.list(undefined, { signal: controller.signal }), "aborted");
  assert.equal(inner.aborted, true);
});

test("an abort while waiting for another attempt ends the wait", async () => {
  const controller = new AbortController();
  const { sessions, sent } = faked(() => json({}, { status: 503, headers: { "retry-after": "9" } }), {
    maxRetries: 2,
    hooks: { onRetry: () => controller.abort("why") },
  });
  await fails(sessions.list(undefined, { signal: controller.signal }), "aborted");
  assert.equal(sent.length, 1);
});

test("an aborted revokeOthers says what was ended", async () => {
  const { sessions } = await signedIn();
  const controller = new AbortController();
  const error = await fails(sessions.revokeOthers({ signal: controller.signal, onProgress: (done) => done === 2 && controller.abort("why") }), "partial_revocation");
  assert.equal(error.revoked.length + error.failed.length, 7);
  assert.ok(error.failed.length > 0 && error.failed.every(({ error }) => error.code === "aborted"));
});

// ---------------------------------------------------------------- what can't be sent

test("a header that can't be sent", async () => {
  for (const value of ["a\nb", "a\r\nx-evil: 1", "a\0", "\u{1F600}"]) {
    const fixed = faked(list, { headers: { "x-a": value } });
    await fails(fixed.sessions.list(), "invalid_options");
    const own = faked(list);
    await fails(own.sessions.list(undefined, { headers: { "x-a": value } }), "invalid_argument");
    await fails(own.sessions.list(undefined, { headers: { [`x${value}`]: "1" } }), "invalid_argument");
    const token = faked(list, { token: `t${value}` });
    await fails(token.sessions.list(), "invalid_options");
    for (const { sent } of [fixed, own, token]) assert.equal(sent.length, 0);
  }
});

test("options of the wrong kind", async () => {
  for (const options of [
    undefined, null, 1, "authvital", {}, { provider: "nobody" }, { baseUrl: "" }, { baseUrl: "auth.example.com" }, { baseUrl: "https://a b" }, { baseUrl: "javascript:alert(1)" },
    { baseUrl: "https://user:pass@example.com" }, { baseUrl: "https://example.com?x" }, { timeout: 0 }, { timeout: Infinity }, { timeout: "1" }, { totalTimeout: -1 }, { maxRetries: 1.5 },
    { fetch: "fetch" }, { token: 1 }, { headers: [["a", "b"]] }, { headers: new Headers() }, { headers: { a: 1 } }, { headers: { authorization: "Bearer a" } }, { credentials: "maybe" },
    { hooks: "all" }, { onTokens: {} }, { cookies: {} }, { cookies: ["a"] },
  ]) {
    const whole = typeof options === "object" && options && Object.keys(options).length ? { provider: "authvital", baseUrl: "https://auth.example.com", token: "t", ...options } : options;
    await fails(createSessions(whole).list(), "invalid_options", JSON.stringify(options));
  }
});

test("arguments of the wrong kind", async () => {
  const { sessions, sent } = faked(list);
  for (const options of ["a", 1, true, { signal: "stop" }, { signal: {} }, { timeout: 0 }, { timeout: NaN }, { pageSize: 5 }, { cursor: "c" }, { applicationId: 1 }]) {
    await fails(sessions.list(options), "invalid_argument", JSON.stringify(options));
  }
  await fails(sessions.revokeOthers({ onProgress: 1 }), "invalid_argument");
  await fails(sessions.list("request", {}), "invalid_argument");
  assert.equal(sent.length, 0);
});

test("plain http is for loopback", async () => {
  const insecure = faked(list, { baseUrl: "http://auth.example.com" });
  await fails(insecure.sessions.list(), "insecure");
  assert.equal((await insecure.sessions.logout()).server, "skipped");
  assert.equal(insecure.sent.length, 0);
  for (const options of [{ baseUrl: "http://localhost:1" }, { baseUrl: "http://127.0.0.1" }, { baseUrl: "http://[::1]:1" }, { baseUrl: "http://auth.example.com", allowInsecure: true }]) {
    assert.equal((await faked(list, options).sessions.list()).count, 0);
  }
});

// ---------------------------------------------------------------- fetch

for (const [what, answer, code] of [
  ["resolves to undefined", () => undefined, "invalid_response"],
  ["resolves to null", async () => null, "invalid_response"],
  ["resolves to a string", async () => "200", "invalid_response"],
  ["resolves to an empty object", async () => ({}), "invalid_response"],
  ["resolves to an object without headers", async () => ({ status: 200, json: async () => EMPTY_LIST }), "invalid_response"],
  ["resolves to an object without a body", async () => ({ status: 200, headers: new Headers() }), "invalid_response"],
  ["resolves to an object with a status that does not exist", async () => ({ status: 999, headers: new Headers(), text: async () => "" }), "invalid_response"],
  ["resolves to an object whose body breaks", async () => ({ status: 200, headers: new Headers(), arrayBuffer: async () => Promise.reject(new Error("broken")) }), "network"],
  ["resolves to an object whose body breaks with nothing", async () => ({ status: 200, headers: new Headers(), text: () => Promise.reject() }), "network"],
  ["resolves to an error response", async () => Response.error(), "invalid_response"],
  ["resolves to a response that was read already", async () => { const response = list(); await response.text(); return response; }, "network"],
  ["resolves to a response that is locked", async () => { const response = list(); response.body.getReader(); return response; }, "network"],
  ["throws at once", () => { throw new Error("why"); }, "network"],
  ["throws a string at once", () => { throw "why"; }, "network"],
  ["throws undefined at once", () => { throw undefined; }, "network"],
  ["rejects with an Error", async () => { throw new TypeError("fetch failed"); }, "network"],
  ["rejects with a string", () => Promise.reject("why"), "network"],
  ["rejects with undefined", () => Promise.reject(), "network"],
  ["rejects with null", () => Promise.reject(null), "network"],
  ["rejects with a number", () => Promise.reject(7), "network"],
  ["never settles", never, "timeout"],
  ["gives a body that errors", () => new Response(new ReadableStream({ pull: () => { throw new Error("why"); } })), "network"],
  ["gives a body that errors with nothing", () => new Response(new ReadableStream({ pull: (c) => c.error() })), "network"],
  ["gives a body that errors half-way", () => { let n = 0; return new Response(new ReadableStream({ pull: (c) => (n++ ? c.error("why") : c.enqueue(new Uint8Array(5))) })); }, "network"],
  ["gives a body of something that is not bytes", () => new Response(new ReadableStream({ pull: (c) => c.enqueue("text") })), "invalid_response"],
  ["gives a body that never ends", () => endless().response, "timeout"],
  ["gives a body that is always there and never ends", () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1)) })), "timeout"],
  ["gives no body", () => new Response(null), "invalid_response"],
  ["gives 204", () => new Response(null, { status: 204 }), "invalid_response"],
  ["gives 304", () => new Response(null, { status: 304 }), "invalid_response"],
]) {
  test(`a fetch that ${what}: ${code}`, async () => {
    const { sessions } = faked(answer, { timeout: 100 });
    const began = performance.now();
    const error = await fails(sessions.list(), code);
    assert.deepEqual([error.operation, error.provider], ["list", "authvital"]);
    assert.ok(performance.now() - began < 3000, "a body that fills the event loop does not outlast the timeout");
  });
}

test("what fetch threw is the cause", async () => {
  for (const thrown of [new TypeError("fetch failed"), "why", 0, 7, null, { code: "ECONNRESET" }]) {
    const { sessions } = faked(() => Promise.reject(thrown));
    assert.equal((await fails(sessions.list(), "network")).cause, thrown);
  }
});

test("polyfills of Response work", async () => {
  const text = JSON.stringify(EMPTY_LIST);
  for (const body of [{ text: async () => text }, { arrayBuffer: async () => new TextEncoder().encode(text).buffer }]) {
    const { sessions } = faked(async () => ({ status: 200, headers: new Headers(), ...body }));
    assert.equal((await settles(sessions.list())).count, 0);
  }
});

test("no fetch at all is unsupported", async (t) => {
  const { fetch } = globalThis;
  t.after(() => (globalThis.fetch = fetch));
  delete globalThis.fetch;
  const error = await fails(createSessions({ provider: "authvital", baseUrl: "https://auth.example.com", token: "t" }).list(), "unsupported");
  assert.match(error.message, /fetch/);
  globalThis.fetch = fetch;
});

test("the runtime's fetch is called as a function, too, with nothing that was not asked for", async (t) => {
  const { fetch } = globalThis;
  t.after(() => (globalThis.fetch = fetch));
  const seen = [];
  globalThis.fetch = function (...args) {
    seen.push({ self: this, args });
    return list();
  };
  for (const more of [{}, { credentials: "include" }]) {
    await createSessions({ provider: "authvital", baseUrl: "https://auth.example.com", token: "t", ...more }).list();
    const { self, args: [url, { headers, signal, ...init }, ...rest] } = seen.pop();
    assert.equal(self, undefined);
    assert.equal(url, "https://auth.example.com/oauth/sessions");
    assert.equal(headers.get("authorization"), "Bearer t");
    assert.ok(signal instanceof AbortSignal);
    assert.deepEqual(init, { method: "GET", redirect: "manual", cache: "no-store", ...more });
    assert.deepEqual(rest, []);
  }
});

test("a request that the runtime refuses is a mistake in the options, whoever makes it", async (t) => {
  const { Request, fetch } = globalThis;
  t.after(() => Object.assign(globalThis, { Request, fetch }));
  const provider = { list: { method: "GET", path: "/s" }, revoke: { path: "/s/{id}", method: "POST", body: { b: 2 } } };
  for (const own of [undefined, (...args) => fetch(...args)]) {
    const options = { provider, baseUrl: "http://127.0.0.1:9", token: "t", maxRetries: 0, fetch: own };
    // As an edge runtime that knows one of its members not.
    globalThis.Request = class extends Request {
      constructor() {
        throw new TypeError("no such member");
      }
    };
    globalThis.fetch = async (...args) => new globalThis.Request(...args);
    const refused = await fails(createSessions(options).list(), "invalid_options");
    assert.match(refused.message, /runtime refuses/);
    assert.ok(refused.cause instanceof TypeError);
    // A body that was sent already is no mistake.
    Object.assign(globalThis, { Request, fetch });
    await fails(createSessions(options).revoke("1"), "network");
  }
});

test("signals that are not the runtime's own are a failure that says so, and no mistake in the headers", async (t) => {
  const { AbortController } = globalThis;
  t.after(() => (globalThis.AbortController = AbortController));
  globalThis.AbortController = class {
    signal = { aborted: false };
    abort() {}
  };
  const error = await fails(createSessions({ provider: "authvital", baseUrl: "http://127.0.0.1:9", token: "t", maxRetries: 0 }).list(), "network");
  assert.match(error.cause.message, /AbortSignal/);
});

test("fetch is called as a function, with nothing that was not asked for", async () => {
  const seen = [];
  const fake = function (request, init, ...rest) {
    seen.push({ self: this, request, init, rest });
    return list();
  };
  await faked(list, { fetch: fake }).sessions.list();
  await faked(list, { fetch: fake, credentials: "include" }).sessions.list();
  for (const { self, request, init, rest } of seen) {
    assert.equal(self, undefined);
    assert.ok(request instanceof Request);
    assert.equal(request.redirect, "manual");
    assert.deepEqual(Object.keys(init).filter((name) => !["signal", "credentials"].includes(name)), []);
    assert.ok(init.signal instanceof AbortSignal);
    assert.deepEqual(rest, []);
  }
  const plain = new Request("https://auth.example.com").credentials;
  assert.deepEqual(seen.map(({ request, init }) => init.credentials ?? request.credentials), [plain, "include"]);
});

// ---------------------------------------------------------------- answers of a real server

for (const [what, fault, code] of [
  ["a connection closed before the answer", { drop: "head" }, "network"],
  ["a connection closed in the body", { drop: "body" }, "network"],
  ["no answer", { hang: "head" }, "timeout"],
  ["half an answer", { hang: "body" }, "timeout"],
  ["JSON cut in half", { truncate: true }, "invalid_response"],
  ["an empty body", { truncate: 0 }, "invalid_response"],
  ["9 MiB", { huge: 9 }, "invalid_response"],
  ["an HTML page", { body: "<!doctype html><p>Sign in", "content-type": "text/html" }, "invalid_response"],
  ["a body that is not UTF-8", { "body-base64": "eyLDKCI6MX0=" }, "invalid_response"],
  ["null", { body: "null" }, "invalid_response"],
  ["an array", { body: "[]" }, "invalid_response"],
  ["no sessions", { body: "{}" }, "invalid_response"],
  ["sessions of the wrong kind", { body: '{"sessions":{}}' }, "invalid_response"],
  ["a session without id", { body: '{"sessions":[{}]}' }, "invalid_response"],
  ["a session whose id is an object", { body: '{"sessions":[{"id":{}}]}' }, "invalid_response"],
  ["something after the JSON", { body: '{"sessions":[],"count":0}x' }, "invalid_response"],
  ["a redirect", { redirect: "/authvital/oauth/elsewhere" }, "invalid_response"],
  ["a permanent redirect", { redirect: "/authvital/oauth/elsewhere", status: 308 }, "invalid_response"],
  ["400", { status: 400 }, "rejected"],
  ["403", { status: 403 }, "forbidden"],
  ["404", { status: 404 }, "not_found"],
  ["408", { status: 408 }, "timeout"],
  ["409", { status: 409 }, "conflict"],
  ["410", { status: 410 }, "not_found"],
  ["418", { status: 418 }, "rejected"],
  ["422 without a body", { status: 422, body: "" }, "rejected"],
  ["429", { status: 429 }, "rate_limited"],
  ["500", { status: 500 }, "server_error"],
  ["500 with half a body", { status: 500, drop: "body" }, "network"],
  ["503 with an HTML page", { status: 503, body: "<h1>Service Unavailable", "content-type": "text/html" }, "server_error"],
  ["599", { status: 599 }, "server_error"],
]) {
  test(`${what}: ${code}`, async () => {
    const { sessions } = await signedIn({ maxRetries: 0, timeout: code === "timeout" ? 200 : 5000, refreshToken: undefined });
    await sandbox.faults({ route: LIST, fault });
    const error = await fails(sessions.list(), code);
    if (fault.status && code !== "network") assert.equal(error.status, fault.status);
    assert.deepEqual(await sandbox.lines(), ["GET /oauth/sessions"], "no redirect is followed, nothing tried again");
    await sandbox.faults();
    assert.equal((await sessions.list()).count, 8, "the client works on");
  });
}

test("the content type does not matter where the body is JSON", async () => {
  const { sessions } = await signedIn();
  for (const type of ["text/plain", "application/octet-stream", "nonsense"]) {
    await sandbox.faults({ route: LIST, fault: { "content-type": type } });
    assert.equal((await sessions.list()).count, 8);
  }
});

test("7 MiB are read", async () => {
  const { sessions } = faked(() => json({ sessions: [], count: 0, filler: "a".repeat(7 * 1024 * 1024) }));
  assert.equal((await settles(sessions.list())).count, 0);
});

test("an endless body is given up early, and let go", async () => {
  let given = 0;
  let cancelled = false;
  const { sessions } = faked(() => new Response(new ReadableStream({
    pull(controller) {
      given += 1024 * 1024;
      controller.enqueue(new Uint8Array(1024 * 1024));
    },
    cancel() {
      cancelled = true;
    },
  })));
  await fails(sessions.list(), "invalid_response");
  assert.ok(given <= 10 * 1024 * 1024, `${given} bytes`);
  assert.equal(cancelled, true);
});

// ---------------------------------------------------------------- callbacks

/** What must never appear: a rejection that nobody handles. */
async function unhandled(run) {
  const caught = [];
  const catcher = (reason) => caught.push(reason);
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", catcher);
  try {
    await run();
    for (let i = 0; i < 3; i++) await turn();
  } finally {
    process.removeListener("unhandledRejection", catcher);
    for (const other of others) process.on("unhandledRejection", other);
  }
  assert.equal(caught.length, 0, `rejections that nobody handles: ${caught}`);
}

const BAD = {
  "throws": () => { throw new Error("why"); },
  "throws nothing": () => { throw undefined; },
  "rejects": () => Promise.reject(new Error("why")),
  "never settles": never,
};

for (const [what, bad] of Object.entries(BAD)) {
  test(`a hook that ${what} is its own business`, () =>
    unhandled(async () => {
      let n = 0;
      const { sessions } = faked(() => (n++ ? list() : json({}, { status: 503, headers: { "retry-after": "0" } })), {
        maxRetries: 1,
        hooks: { onRequest: bad, onResponse: bad, onRetry: bad },
      });
      assert.equal((await settles(sessions.list())).count, 0);
    }));

  test(`an onProgress that ${what} is its own business`, () =>
    unhandled(async () => {
      const { sessions } = await signedIn();
      assert.equal((await settles(sessions.revokeOthers({ onProgress: bad }))).count, 7);
    }));

  test(`a token function that ${what}`, () =>
    unhandled(async () => {
      for (const name of ["token", "refreshToken"]) {
        const { sessions, sent } = faked(list, { clientId: "c", totalTimeout: 200, [name]: bad });
        const error = await fails(sessions.list(), what === "never settles" ? "timeout" : "unauthenticated");
        if (what === "rejects" || what === "throws") assert.equal(error.cause.message, "why");
        assert.equal(sent.length, 0);
      }
    }));

  test(`an onTokens that ${what}: the call says so, and the client has the new tokens`, () =>
    unhandled(async () => {
      const { sessions, sent } = faked((request) => (request.url.endsWith("/token") ? json({ access_token: "new", refresh_token: "r-2" }) : list()), {
        refreshToken: "r-1",
        clientId: "c",
        totalTimeout: 200,
        onTokens: bad,
      });
      const error = await fails(sessions.refresh(), what === "never settles" ? "timeout" : "internal");
      if (what === "rejects" || what === "throws") assert.equal(error.cause.message, "why");
      await settles(sessions.list());
      assert.equal(sent.at(-1).headers.get("authorization"), "Bearer new");
    }));
}

test("a parseUserAgent that throws leaves no label", async () => {
  const { sessions } = await signedIn({ parseUserAgent: BAD.throws });
  const page = await settles(sessions.list());
  assert.deepEqual(new Set(page.sessions.map(({ device }) => device)), new Set([null]));
});

test("a token function that gives something else", async () => {
  for (const value of [1, {}, true, ["t"]]) await fails(faked(list, { token: () => value }).sessions.list(), "invalid_options");
  for (const value of [null, undefined, ""]) await fails(faked(list, { token: async () => value }).sessions.list(), "unauthenticated");
});

test("a token function is asked before every request", async () => {
  let n = 0;
  const { sessions, sent } = faked(() => (sent.length === 1 ? json({}, { status: 503, headers: { "retry-after": "0" } }) : list()), { token: () => `t-${++n}`, maxRetries: 1 });
  await sessions.list();
  assert.deepEqual(sent.map(({ headers }) => headers.get("authorization")), ["Bearer t-1", "Bearer t-2"]);
});

// ---------------------------------------------------------------- default times, and what is left behind

test("one attempt has 10 seconds, the whole call 30", async () => {
  const one = await fastForward(() => faked(never, { maxRetries: 0 }).sessions.list());
  await fails(one.promise, "timeout");
  assert.ok(one.elapsed >= 10_000 && one.elapsed < 10_500, `${one.elapsed}`);

  const { sessions, sent } = faked(never, { maxRetries: 9 });
  const all = await fastForward(() => sessions.list());
  await fails(all.promise, "timeout");
  assert.ok(all.elapsed >= 25_000 && all.elapsed <= 30_500, `${all.elapsed}`);
  assert.equal(sent.length, 3);
});

test("the timeout of a call is per attempt", async () => {
  const { sessions, sent } = faked(never, { maxRetries: 1 });
  const { elapsed, promise } = await fastForward(() => sessions.list({ timeout: 2000 }));
  await fails(promise, "timeout");
  assert.equal(sent.length, 2);
  assert.ok(elapsed >= 4250 && elapsed < 5000, `${elapsed}`);
});

test("no timer is left, whether the call succeeds or fails", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  await faked(list).sessions.list();
  await faked(() => Promise.reject()).sessions.list().catch(() => {});
  await faked(never).sessions.list({ signal: AbortSignal.abort() }).catch(() => {});
  await faked(never, { timeout: 1 }).sessions.list().catch(() => {});
  const controller = new AbortController();
  await faked(() => (controller.abort(), never())).sessions.list({ signal: controller.signal }).catch(() => {});
  const patient = new AbortController();
  await faked(() => json({}, { status: 503, headers: { "retry-after": "9" } }), { maxRetries: 1, hooks: { onRetry: () => patient.abort() } }).sessions.list({ signal: patient.signal }).catch(() => {});
  await faked(() => json({ access_token: "a", refresh_token: "b" }), { refreshToken: "r", clientId: "c" }).sessions.refresh();
  await faked(() => json({ success: true })).sessions.logout();
  assert.equal(timers(), before);
});

test("no listener is left on the caller's signal", async () => {
  const { signal } = new AbortController();
  const { sessions } = await signedIn();
  await sessions.list({ signal });
  await sessions.refresh({ signal });
  await sessions.revokeOthers({ signal });
  await fails(sessions.revoke("unknown", { signal }), "not_found");
  await sessions.logout({ signal });
  await faked(() => Promise.reject()).sessions.list({ signal }).catch(() => {});
  await faked(never, { timeout: 1 }).sessions.list({ signal }).catch(() => {});
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a process exits at once when its calls are done", async () => {
  const user = await sandbox.signIn();
  const script = `
    import { createSessions } from ${JSON.stringify(path.join(project, "import.mjs"))};
    const sessions = createSessions({ provider: "authvital", baseUrl: ${JSON.stringify(G1)}, token: ${JSON.stringify(user.access)} });
    const { count } = await sessions.list({ signal: AbortSignal.timeout(20_000) });
    await sessions.revoke("unknown").catch(() => {});
    process.stdout.write(String(count));
  `;
  // Far less than any timer of the package.
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { timeout: 8000 });
  assert.equal(stdout, "8");
});

test("SessionsError.is knows its own and others' copies", async () => {
  const error = await fails(faked(() => Promise.reject()).sessions.list(), "network");
  assert.equal(SessionsError.is(error), true);
  const copy = { [Symbol.for("auth-sessions.SessionsError")]: true, code: "network" };
  assert.equal(SessionsError.is(copy), true);
  for (const other of [null, undefined, "network", new Error("network"), { code: "network", name: "SessionsError" }]) assert.equal(SessionsError.is(other), false);
});

test("an option that can't be read is said on the first call, and nothing is thrown before", async () => {
  const options = { provider: "authvital", get baseUrl() { throw new TypeError("no"); } };
  for (const create of [createSessions, (options) => createAuthVital(options).sessions]) {
    const sessions = create(options);
    const error = await fails(sessions.list(), "invalid_options");
    assert.ok(error.cause instanceof TypeError);
    await fails(sessions.logout(), "invalid_options");
  }
});

test("a logout that is aborted before anything is sent was skipped", async () => {
  const { sessions, sent } = faked(list, { refreshToken: "r" });
  const result = await settles(sessions.logout({ signal: AbortSignal.abort() }));
  assert.deepEqual([result.server, result.error.code, sent.length], ["skipped", "aborted", 0]);
  // What it clears on this side is cleared all the same.
  await fails(sessions.list(), "unauthenticated");
});

test("a refresh whose signal has fired sends nothing", async () => {
  const { sessions, sent } = faked(() => json({}), { refreshToken: "r0", clientId: "web" });
  await fails(sessions.refresh({ signal: AbortSignal.abort() }), "aborted");
  assert.equal(sent.length, 0);
});

test("a Response whose members throw is none, and the token that it answers is not sent again", async () => {
  const throws = (name) => Object.defineProperty({ status: 200, headers: new Headers() }, name, { get: () => { throw Object.assign(new Error("boom"), { code: "rejected" }); } });
  for (const response of [throws("status"), throws("headers"), { status: 200, headers: { get() { throw new Error("boom"); } } }]) {
    const { sessions, sent } = faked(async () => response, { refreshToken: "r0", clientId: "web" });
    await fails(sessions.refresh(), "invalid_response");
    await fails(sessions.refresh(), "unauthenticated");
    assert.equal(sent.length, 1);
  }
});

test("what can't be looked at is an error like any other", async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.equal(SessionsError.is(proxy), false);
  for (const options of [{ token: () => Promise.reject(proxy) }, { fetch: () => Promise.reject(proxy) }, { provider: new Proxy({}, { get() { throw proxy; } }) }]) {
    const error = await createSessions({ provider: "rest", baseUrl: "https://auth.example.com", token: "t", maxRetries: 0, ...options }).list().catch((error) => error);
    assert.ok(SessionsError.is(error), String(options));
  }
});

test("a logout takes no promise and no number", async () => {
  const { sessions, sent } = faked(() => json({ success: true, message: "Logged out" }));
  for (const wrong of [Promise.resolve("r"), 123, true, () => {}]) await fails(sessions.logout(wrong), "invalid_argument");
  assert.equal(sent.length, 0);
  for (const right of [undefined, null, {}]) assert.equal((await settles(faked(() => json({ success: true, message: "Logged out" })).sessions.logout(right))).server, "confirmed");
});
