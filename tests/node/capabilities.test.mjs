// What capabilities() says of every back-end is what happens: native is one request of the operation's own, emulated is made of others, unsupported sends nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, beforeEach, describe, test } from "node:test";
import { start } from "../better-auth/server.mjs";
import { BASES, G1, G2, SECRET_KEY, createSessions, fails, faked, inBrowser, json, jwt, recorded, sandbox, settles } from "./support.mjs";

const betterAuth = await start();
after(betterAuth.stop);

beforeEach(() => sandbox.reset());

const OPERATIONS = ["list", "get", "current", "revoke", "revokeCurrent", "revokeAll", "revokeOthers", "logout", "refresh", "create", "createToken"];
const MINIMAL = { list: { method: "GET", path: "/api/v1/sessions" }, revoke: { method: "DELETE", path: "/api/v1/sessions/{id}" } };

/** A user of the sandbox with one more session, and a client with everything that it could want. */
async function onSandbox(wire, baseUrl, options) {
  const signIn = () => (wire === "authvital" ? sandbox.signIn() : sandbox.signInOn(wire));
  const other = await signIn();
  const who = await signIn();
  const made = recorded({ baseUrl, token: who.access, refreshToken: who.refresh, clientId: "web-client", ...options });
  return { ...made, who, other, still: () => createSessions({ baseUrl, token: other.access, ...options, fetch: undefined, maxRetries: 0 }).list() };
}

const oauth = { list: "GET /oauth/sessions", revoke: "POST /oauth/sessions/{id}/revoke", revokeAll: "POST /oauth/logout-all", logout: "POST /oauth/logout", refresh: "POST /oauth/token" };
const second = {
  list: "GET /api/auth/sessions", revoke: "DELETE /api/auth/sessions/{id}", revokeAll: "POST /api/auth/logout", logout: "POST /api/auth/logout", refresh: "POST /api/auth/refresh",
};
const rest = { list: "GET /api/v1/sessions", revoke: "DELETE /api/v1/sessions/{id}", logout: "POST /api/v1/auth/logout" };

/** For each back-end: its endpoints, how to be a user of it, and what its methods want beyond the usual. */
const BACK_ENDS = {
  "authvital": { provider: "authvital", endpoints: oauth, signIn: () => onSandbox("authvital", G1, { provider: "authvital" }) },
  "authvital, second generation": {
    provider: "authvital", endpoints: second,
    // Past the request that tells the generation.
    async signIn() {
      const found = await onSandbox("authvital", G2, { provider: "authvital" });
      await settles(found.sessions.list());
      found.forget();
      return found;
    },
  },
  "clerk": {
    provider: "clerk",
    endpoints: { list: "GET /sessions", get: "GET /sessions/{id}", revoke: "POST /sessions/{id}/revoke", create: "POST /sessions", createToken: "POST /sessions/{id}/tokens" },
    signIn: () => onSandbox("clerk", BASES.clerk, { provider: "clerk", token: SECRET_KEY }),
    args({ who }) {
      const request = { headers: { authorization: `Bearer ${who.access}` } };
      const of = { userId: who.user };
      return { list: [of], current: [request], revokeCurrent: [request], revokeAll: [of], revokeOthers: [request, of], logout: [{ request }], create: [of] };
    },
  },
  "ksef": {
    provider: "ksef",
    endpoints: {
      list: "GET /auth/sessions", revoke: "DELETE /auth/sessions/{id}", revokeCurrent: "DELETE /auth/sessions/current", logout: "DELETE /auth/sessions/current",
      refresh: "POST /auth/token/refresh",
    },
    signIn: () => onSandbox("ksef", BASES.ksef, { provider: "ksef" }),
  },
  "rest": { provider: "rest", endpoints: rest, signIn: () => onSandbox("rest", BASES.rest, { provider: "rest" }) },
  "a minimal profile": { provider: MINIMAL, endpoints: { list: rest.list, revoke: rest.revoke }, signIn: () => onSandbox("rest", BASES.rest, { provider: MINIMAL }) },
  "better-auth": {
    provider: "better-auth",
    endpoints: {
      list: "GET /api/auth/list-sessions", current: "GET /api/auth/get-session", revoke: "POST /api/auth/revoke-session", revokeAll: "POST /api/auth/revoke-sessions",
      revokeOthers: "POST /api/auth/revoke-other-sessions", logout: "POST /api/auth/sign-out",
    },
    async signIn(operation) {
      const { url } = betterAuth;
      const signIn = async () => {
        const response = await fetch(
          `${url}/api/auth/sign-in/email`,
          { method: "POST", headers: { origin: url, "content-type": "application/json" }, body: JSON.stringify({ email: "demo@example.com", password: "demo-password" }) },
        );
        const { token } = await response.json();
        const { session } = await (await fetch(`${url}/api/auth/get-session`, { headers: { authorization: `Bearer ${token}` } })).json();
        return { access: token, id: session.id, user: session.userId };
      };
      await fetch(`${url}/test/reset`, { method: "POST" });
      const other = await signIn();
      const who = await signIn();
      const made = recorded({ provider: "better-auth", baseUrl: url, token: who.access, refreshToken: "r" });
      // What its revocation takes is in the list; from then on it is one request.
      if (operation === "revoke") await settles(made.sessions.list());
      made.forget();
      return { ...made, who, other, still: () => createSessions({ provider: "better-auth", baseUrl: url, token: other.access, maxRetries: 0 }).list() };
    },
  },
};

/** What every back-end is expected to have: a change here is a change for users. */
const EXPECTED = {
  //                              list get current revoke revokeCurrent revokeAll revokeOthers logout refresh create createToken
  "authvital": "native emulated emulated native emulated native emulated native native unsupported unsupported",
  "authvital, second generation": "native emulated emulated native emulated native emulated native native unsupported unsupported",
  "clerk": "native native emulated native emulated emulated emulated emulated unsupported native native",
  "ksef": "native emulated emulated native native emulated emulated native native unsupported unsupported",
  "rest": "native emulated emulated native emulated emulated emulated native unsupported unsupported unsupported",
  "a minimal profile": "native emulated emulated native emulated emulated emulated emulated unsupported unsupported unsupported",
  "better-auth": "native emulated native native emulated native native native unsupported unsupported unsupported",
};
const EFFECTS = {
  "authvital": "refresh-only", "authvital, second generation": "refresh-only", "clerk": "refresh-only", "ksef": "refresh-only", "rest": "unknown", "a minimal profile": "unknown",
  "better-auth": "immediate",
};
const IN_BROWSERS = { "clerk": false, "ksef": false };
const PAGE_SIZES = { "clerk": { min: 1, max: 500, default: 10 }, "ksef": { min: 10, max: 100, default: 10 } };

/** A request line with its ids as they are in templates. */
const template = (line) => line.replace(/(?<=\/sessions\/)(?!current$)[^/]+/, "{id}");

for (const [name, backEnd] of Object.entries(BACK_ENDS)) {
  describe(name, () => {
    const ask = () => settles(createSessions({ provider: backEnd.provider, baseUrl: "https://example.com" }).capabilities());

    test("what it says", async () => {
      const { sessions, sent } = await backEnd.signIn();
      const found = await settles(sessions.capabilities());
      const expected = Object.fromEntries(EXPECTED[name].split(" ").map((support, at) => [OPERATIONS[at], support]));
      assert.deepEqual(found, {
        provider: typeof backEnd.provider === "string" ? backEnd.provider : "rest", ...expected, effect: EFFECTS[name], browser: IN_BROWSERS[name] ?? true, pageSize: PAGE_SIZES[name] ?? null,
      });
      assert.deepEqual([sent, await ask()], [[], found], "no request, and no token needed");
    });

    for (const operation of OPERATIONS) {
      test(operation, async () => {
        const support = (await ask())[operation];
        const { sessions, lines, who, other, ...more } = await backEnd.signIn(operation);
        const usual = { get: [other.id], revoke: [other.id], create: [{ userId: who.user ?? "user" }], createToken: [other.id] };
        const args = backEnd.args?.({ who, ...more })[operation] ?? usual[operation] ?? [];
        if (support === "unsupported") {
          await fails(sessions[operation](...args), "unsupported");
          assert.deepEqual(lines(), []);
          return;
        }
        const result = await settles(sessions[operation](...args), 20_000);
        const checks = {
          list: () => result.sessions.some(({ id }) => id === who.id), get: () => result.id === other.id, current: () => result.id === who.id && result.current === true,
          revoke: () => result.success && result.id === other.id,
          revokeCurrent: () => result.success && result.id === who.id, revokeAll: () => result.success, revokeOthers: () => result.success,
          logout: () => result.success && result.server === "confirmed", refresh: () => typeof result.accessToken === "string",
          create: () => result.status === "active", createToken: () => typeof result.jwt === "string",
        };
        assert.ok(checks[operation](), JSON.stringify(result));
        const asked = lines().map(template);
        if (support === "native") {
          assert.deepEqual(asked, [backEnd.endpoints[operation]]);
        } else {
          assert.equal(support, "emulated");
          assert.equal(backEnd.endpoints[operation], undefined);
          const others = Object.values(backEnd.endpoints);
          assert.ok(asked.length > 0 && asked.every((line) => others.includes(line)), asked.join(" "));
        }
      });
    }

    test("effect: what results say, and what becomes of the session's token", async () => {
      const { effect } = await ask();
      const { sessions, other, still, who } = await backEnd.signIn();
      assert.equal((await settles(sessions.revoke(other.id))).effect, effect);
      assert.equal((await settles(sessions.revokeOthers(...(backEnd.args?.({ who }).revokeOthers ?? [])), 20_000)).effect, effect);
      // Clerk's sessions have no token that this package would send.
      if (effect === "immediate") await fails(still(), "unauthenticated");
      else if (effect === "refresh-only" && name !== "clerk") await settles(still());
    });

    test("browser", async () => {
      const { browser } = await ask();
      // A base URL of one's own is a proxy's; Clerk's key is not for browsers even there.
      const options = { provider: backEnd.provider, token: jwt({ sid: "s" }), baseUrl: name === "ksef" ? undefined : "https://example.com" };
      const { sessions, sent } = faked(() => json(name === "clerk" ? { data: [], total_count: 0 } : { sessions: [] }), options);
      const list = () => sessions.list(...(name === "clerk" ? [{ userId: "u" }] : []));
      await inBrowser(async () => {
        if (!browser) await fails(list(), name === "clerk" ? "insecure" : "unsupported");
        else if (name === "better-auth") await fails(list(), "invalid_response");
        else await settles(list());
      });
      assert.equal(sent.length > 0, browser);
    });

    test("pageSize", async () => {
      const { pageSize } = await ask();
      const { sessions, sent, who } = await backEnd.signIn();
      const list = (more) => settles(sessions.list({ ...backEnd.args?.({ who }).list[0], ...more }));
      if (pageSize === null) {
        await fails(sessions.list({ pageSize: 10 }), name === "authvital, second generation" ? "unsupported" : "invalid_argument");
        assert.equal(sent.length, 0);
        return;
      }
      for (const wrong of [pageSize.min - 1, pageSize.max + 1]) await fails(list({ pageSize: wrong }), "invalid_argument");
      assert.equal(sent.length, 0);
      for (let more = 0; more < 4; more++) await sandbox.signInOn(name);
      assert.equal((await list()).count, pageSize.default);
      assert.equal((await list({ pageSize: pageSize.min })).count, pageSize.min);
      assert.equal((await list({ pageSize: pageSize.max })).count, 13);
    });
  });
}

test("every operation has a test for every back-end", () => {
  assert.deepEqual(Object.keys(EXPECTED), Object.keys(BACK_ENDS));
  for (const supports of Object.values(EXPECTED)) assert.equal(supports.split(" ").length, OPERATIONS.length);
});

// ---------------------------------------------------------------- the table in the README

/** The tables of a text, as rows of cells without their backticks. */
function tables(markdown) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.replaceAll("`", "").trim());
  return markdown.split(/\n(?!\s*\|)/).map((block) => block.split("\n").filter((line) => /^\s*\|/.test(line)))
    .filter((lines) => lines.length > 2).map((lines) => lines.filter((_, at) => at !== 1).map(cells));
}

test("README's table of what is supported", async (t) => {
  const names = ["authvital", "clerk", "ksef", "rest", "better-auth"];
  const nameOf = (cell) => names.find((name) => new RegExp(`\\b${name.replace("-", "[- ]")}\\b`, "i").test(cell));
  const isOperation = (cell) => OPERATIONS.includes(cell);
  let compared = 0;
  const compare = async (name, operation, cell) => {
    const said = /native|emulated|unsupported/.exec(cell)?.[0] ?? "unsupported";
    const found = await settles(createSessions({ provider: name, baseUrl: "https://example.com" }).capabilities());
    assert.equal(said, found[operation], `${name} ${operation}: README says ${cell}`);
    compared++;
  };
  for (const [header, ...rows] of tables(readFileSync(new URL("../../README.md", import.meta.url), "utf8"))) {
    const [across, down] = [header.filter(isOperation).length >= 3, rows.filter(([cell]) => isOperation(cell)).length >= 3];
    for (const row of across || down ? rows : []) {
      for (const [at, cell] of row.entries()) {
        // A table without a column of names is AuthVital's.
        if (across && isOperation(header[at])) await compare(isOperation(header[0]) ? "authvital" : (nameOf(row[0]) ?? assert.fail(`${row[0]} is no back-end`)), header[at], cell);
        if (down && at > 0 && nameOf(header[at]) && isOperation(row[0])) await compare(nameOf(header[at]), row[0], cell);
      }
    }
  }
  if (compared === 0) t.skip("README has no table of operations and their support");
  else t.diagnostic(`${compared} cells compared`);
});
