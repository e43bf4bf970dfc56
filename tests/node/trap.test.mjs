// A build of the wasm that traps where a test asks for it (`x-trap`, the event at which it does): calls under way say so, the next one works, and a logout is one all the same.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { G1, installed, json, project, sandbox } from "./support.mjs";

const { TRAPPING_WASM } = process.env;
if (!TRAPPING_WASM) throw new Error("set TRAPPING_WASM; `cargo xtask test node` does");

writeFileSync(path.join(project, "slim.mjs"), 'export * from "auth-sessions/slim";\n');
const slim = pathToFileURL(path.join(project, "slim.mjs"));
const { createSessions, SessionsError, initialize } = await import(slim);
initialize(readFileSync(TRAPPING_WASM));

beforeEach(() => sandbox.reset());

const trap = (event) => ({ headers: { "x-trap": event } });
const isTrap = (error, operation) => {
  assert.ok(SessionsError.is(error), String(error));
  assert.deepEqual([error.code, error.operation, error.cause instanceof WebAssembly.RuntimeError], ["internal", operation, true]);
  return true;
};

/** With tokens that nobody has to be asked for, or with functions: then there is an event for them. */
async function signedIn({ event, ...more } = {}) {
  const { access, refresh, id } = await sandbox.signIn();
  await sandbox.forget();
  const tokens = event === "tokens" ? { token: () => access, refreshToken: () => refresh } : { token: access, refreshToken: refresh };
  return { id, sessions: createSessions({ provider: "authvital", baseUrl: G1, clientId: "web-client", ...tokens, ...more }) };
}

const CALLS = {
  list: (sessions, options) => sessions.list(undefined, options),
  get: (sessions, options) => sessions.get("x", options),
  current: (sessions, options) => sessions.current(undefined, options),
  revoke: (sessions, options) => sessions.revoke("x", options),
  revokeOthers: (sessions, options) => sessions.revokeOthers(undefined, options),
  revokeCurrent: (sessions, options) => sessions.revokeCurrent(undefined, options),
  refresh: (sessions, options) => sessions.refresh(options),
};

for (const event of ["start", "tokens", "answer"]) {
  for (const [operation, call] of Object.entries(CALLS)) {
    test(`${operation} with a trap at the event ${event}`, async () => {
      const { sessions, id } = await signedIn({ event });
      const { count } = await sessions.list();
      // What has nothing to do with it goes on.
      const other = sessions.list();
      await assert.rejects(call(sessions, trap(event)), (error) => isTrap(error, operation));
      const wasSent = event === "answer" && ["refresh", "revokeCurrent"].includes(operation);
      // Whichever comes first.
      assert.ok((await other).count >= count - wasSent);
      assert.equal((await sandbox.row(id)).state === "active", !wasSent);
      if (!wasSent) assert.equal((await sessions.list()).count, count);
      if (operation !== "refresh" || !wasSent) return;
      // Nobody knows what the answer was: its token is not sent again.
      await sandbox.forget();
      await assert.rejects(sessions.refresh(), { code: "unauthenticated" });
      assert.deepEqual(await sandbox.lines(), []);
    });
  }
}

test("a revocation whose answer was not read is not reported, and the next call finds it done", async () => {
  const { sessions } = await signedIn();
  const other = await sandbox.signIn();
  await assert.rejects(sessions.revoke(other.id, trap("answer")), (error) => isTrap(error, "revoke"));
  assert.notEqual((await sandbox.row(other.id)).state, "active");
  assert.equal((await sessions.list()).sessions.some(({ id }) => id === other.id), false);
});

for (const [event, server, ends] of [["start", "skipped", false], ["tokens", "skipped", false], ["answer", "rejected", true]]) {
  test(`a logout in which wasm traps at the event ${event} clears cookies, forgets the tokens and does not reject`, async () => {
    const { sessions, id } = await signedIn({ event, cookies: [{ name: "access_token" }] });
    const result = await sessions.logout(trap(event));
    assert.deepEqual([result.success, result.server, result.cookies, result.setCookie.length], [false, server, [{ name: "access_token", outcome: "not-visible" }], 1]);
    isTrap(result.error, "logout");
    assert.equal((await sandbox.row(id)).state !== "active", ends);
    // What functions give is the application's to forget.
    if (event === "tokens") return;
    await sandbox.forget();
    await assert.rejects(sessions.list(), { code: "unauthenticated" });
    assert.deepEqual(await sandbox.lines(), []);
  });
}

test("a logout where wasm can't be had at all", async () => {
  const { createSessions, initialize } = await import(`${pathToFileURL(path.join(installed, "slim.js"))}?another`);
  // Not what it should be.
  initialize(new Uint8Array([0, 1, 2, 3]));
  const cookies = [{ name: "a", path: "/x" }];
  const sessions = createSessions({ provider: "authvital", baseUrl: "https://auth.example.com", token: "t", refreshToken: "r", cookies, fetch: () => assert.fail("no request") });
  const result = await sessions.logout();
  assert.deepEqual([result.success, result.server, result.error.code, result.setCookie.length, /WebAssembly/.test(result.message)], [false, "skipped", "internal", 1, true]);
  await assert.rejects(sessions.list(), { code: "internal" });
});

test("a logout of somebody else's token in which wasm traps leaves this client signed in", async () => {
  const { sessions } = await signedIn();
  const { refresh } = await sandbox.signIn();
  assert.equal((await sessions.logout({ refreshToken: refresh, ...trap("start") })).success, false);
  assert.ok((await sessions.list()).count > 0);
});

test("a logout in which wasm traps does not forget what must not be sent again", async () => {
  const { sessions } = await signedIn();
  await sandbox.faults({ route: "POST /authvital/oauth/token", fault: { drop: "head", after: true }, times: 1 });
  await assert.rejects(sessions.refresh(), { code: "network" });
  await sessions.logout(trap("start"));
  await sandbox.forget();
  await assert.rejects(sessions.refresh());
  assert.deepEqual(await sandbox.lines(), []);
});

test("a wasm that never comes: every call settles, and a logout is one", async () => {
  const { createSessions, describeDevice, initialize } = await import(`${pathToFileURL(path.join(installed, "slim.js"))}?hanging`);
  initialize(new Promise(() => {}));
  const options = { provider: "authvital", baseUrl: "https://auth.example.com", token: "t", cookies: [{ name: "a" }], totalTimeout: 50, fetch: () => assert.fail("no request") };
  const sessions = createSessions(options);
  await assert.rejects(sessions.list(), { code: "timeout" });
  await assert.rejects(sessions.list({ signal: AbortSignal.abort() }), { code: "aborted" });
  const result = await sessions.logout();
  assert.deepEqual([result.server, result.error.code, result.setCookie.length], ["skipped", "timeout", 1]);
  assert.equal((await describeDevice("curl/8")).label, "curl", "what needs no wasm does not wait for it");
});

test("wrong options are still said", async () => {
  const sessions = createSessions({ provider: "authvital", baseUrl: "nowhere" });
  await assert.rejects(sessions.logout(), { code: "invalid_options" });
});

test("nor does that of an instance that has trapped", async () => {
  const { Instance } = WebAssembly;
  let memory;
  WebAssembly.Instance = function (module) {
    const instance = new Instance(module);
    memory ??= instance.exports.memory;
    return instance;
  };
  try {
    const { sessions } = await signedIn({ headers: { "x-key": "MARKED-key" } });
    // The instance before may be in use yet.
    await assert.rejects(sessions.list(undefined, trap("start")));
    memory = undefined;
    await assert.rejects(sessions.list(undefined, trap("start")));
    assert.ok(memory);
    assert.equal(Buffer.from(memory.buffer).indexOf("MARKED"), -1);
  } finally {
    WebAssembly.Instance = Instance;
  }
});

test("wasm memory holds no token after a call, and none of an answer", async () => {
  const { Instance } = WebAssembly;
  const memories = [];
  WebAssembly.Instance = function (module) {
    const instance = new Instance(module);
    memories.push(instance.exports.memory);
    return instance;
  };
  try {
    const [access, refresh, fresh] = ["MARKED-access-token", "MARKED-refresh-token", "MARKED-fresh-token"];
    const { createSessions } = await import(pathToFileURL(path.join(project, "import.mjs")));
    const sessions = createSessions({
      provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", token: access, refreshToken: refresh, headers: { "x-key": "MARKED-key" },
      fetch: async ({ url }) => (url.endsWith("/token") ? json({ access_token: fresh, refresh_token: fresh, expires_in: 60 }) : json({ sessions: [{ id: "a", note: "MARKED-answer" }], count: 1 })),
    });
    // A trap makes the next call take a new instance, which this test sees.
    await sessions.list();
    await sessions.refresh();
    await sessions.list();
    assert.ok(memories.length > 0);
    for (const { buffer } of memories) assert.equal(Buffer.from(buffer).indexOf("MARKED"), -1);
  } finally {
    WebAssembly.Instance = Instance;
  }
});
