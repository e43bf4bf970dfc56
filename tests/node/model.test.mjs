// Whatever comes in whichever order: calls, answers that are lost, tokens that run out, logouts and other users, interleaved by chance, the same in every run. What must hold then
// holds of a model of AuthVital's first generation, where each refresh makes another session and a refresh token that comes a second time is theft.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import { SessionsError, compiled, createSessions, json, jwt } from "./support.mjs";

const SEED = Number(process.env.FUZZ_SEED ?? 1);
const RUNS = Number(process.env.FUZZ_RUNS ?? 1500);
const turn = () => new Promise((resolve) => setImmediate(resolve));

class BackEnd {
  rows = new Map();
  /** By token: its row, and of access tokens whether they have run out. */
  access = new Map();
  refresh = new Map();
  wrong = [];
  #number = 0;

  signIn(user, era, from) {
    const id = `row${++this.#number}`;
    const tokens = { access: jwt({ sub: user, n: this.#number }), refresh: jwt({ sub: user, sid: id }) };
    const row = { id, user, era, isAlive: true, next: null, ...tokens };
    if (from) Object.assign(from, { next: row, isAlive: false });
    this.rows.set(id, row);
    this.access.set(tokens.access, { row, isOver: false });
    this.refresh.set(tokens.refresh, { row });
    return row;
  }

  static tip(row) {
    return row.next ? BackEnd.tip(row.next) : row;
  }

  aliveOf = (user) => [...this.rows.values()].filter((row) => row.user === user && row.isAlive);

  answer(method, path, body, token) {
    if (path === "/oauth/token") {
      const known = this.refresh.get(body.refresh_token);
      if (known.row.next) this.wrong.push("a refresh token was used twice");
      if (!known.row.isAlive) return json({ message: "Session has been revoked", error: "Unauthorized", statusCode: 401 }, { status: 401 });
      const { access, refresh } = this.signIn(known.row.user, known.row.era, known.row);
      return json({ access_token: access, refresh_token: refresh, token_type: "Bearer" });
    }
    if (path === "/oauth/logout") {
      if (!body.refresh_token) return json({ success: true, message: "Logged out (no active session)" });
      const { row } = this.refresh.get(body.refresh_token) ?? {};
      const success = row?.isAlive ?? true;
      if (row) row.isAlive = false;
      return json({ success, message: "Logged out" });
    }
    const known = this.access.get(token);
    if (!known || known.isOver) return json({ message: "Invalid access token", error: "Unauthorized", statusCode: 401 }, { status: 401 });
    const { user } = known.row;
    if (method === "GET") {
      const sessions = this.aliveOf(user).map(({ id }) => ({ id, createdAt: "2026-01-01T00:00:00.000Z", expiresAt: "2026-02-01T00:00:00.000Z", userAgent: null, ipAddress: null, tenant: null }));
      return json({ sessions, count: sessions.length });
    }
    if (path === "/oauth/logout-all") {
      const rows = this.aliveOf(user);
      for (const row of rows) row.isAlive = false;
      return json({ success: true, message: `Revoked ${rows.length} session(s)`, count: rows.length });
    }
    const row = this.rows.get(path.split("/")[3]);
    if (!row) return json({ message: "Session not found", error: "Not Found", statusCode: 404 }, { status: 404 });
    if (row.user !== user) return json({ message: "Cannot revoke another user's session", error: "Unauthorized", statusCode: 401 }, { status: 401 });
    const success = row.isAlive;
    row.isAlive = false;
    return json({ success, message: success ? "Session revoked successfully" : "Session not found or already revoked" });
  }
}

const FAULTS = ["none", "none", "none", "none", "lost before", "lost after", "503", "page", "unsent"];
const COMMANDS = ["list", "list", "revoke", "revoke own", "revokeCurrent", "revokeOthers", "revokeAll", "refresh", "logout", "switch", "swap", "expire", "give up"];

/** One story; gives what did not hold. */
async function story(scheduler, { commands, faults, asks, retries }) {
  const backEnd = new BackEnd();
  const { wrong } = backEnd;
  const users = ["alice", "bob"];
  /** The application: who is signed in, since which sign-in, and their tokens. A swap is a sign-in without a logout. */
  const app = { user: "alice", era: 0, swaps: 0 };
  const calls = [];
  const store = (row) => Object.assign(app, { access: row.access, refresh: row.refresh, row });
  for (const user of users) for (let n = 0; n < 2; n++) backEnd.signIn(user, -1);
  store(backEnd.signIn("alice", 0));
  let [overBefore, leaving] = [0, 0];

  const fetch = async (request) => {
    const { pathname } = new URL(request.url);
    const text = await request.text();
    const body = text ? JSON.parse(text) : {};
    const token = request.headers.get("authorization")?.replace("Bearer ", "");
    const known = backEnd.access.get(token) ?? backEnd.refresh.get(body.refresh_token);
    const call = calls[request.headers.get("x-call")];
    if (known && known.row.era >= 0 && known.row.era < overBefore) wrong.push(`${pathname} with tokens of somebody who has logged out`);
    if (call && known) {
      call.user ??= known.row.user;
      if (call.user !== known.row.user) wrong.push(`a ${call.what} was carried out on two users`);
      if (call.user !== call.by && call.swaps === app.swaps) wrong.push(`a ${call.what} of ${call.by} was carried out on ${call.user}`);
    }
    const fault = faults.pop() ?? "none";
    await scheduler.schedule(Promise.resolve(), `${request.method} ${pathname} ${fault}`);
    if (fault === "lost before" || fault === "unsent") {
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: fault === "unsent" ? "ECONNREFUSED" : "ECONNRESET" }) });
    }
    if (fault === "503") return new Response(null, { status: 503 });
    const answer = backEnd.answer(request.method, pathname, body, token);
    await scheduler.schedule(Promise.resolve(), "answer");
    if (fault === "lost after") throw new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNRESET" }) });
    return fault === "page" ? new Response("<html>", { headers: { "content-type": "text/html" } }) : answer;
  };
  const functions = {
    token: async () => {
      if (asks) await scheduler.schedule(Promise.resolve(), "token");
      return app.access;
    },
    refreshToken: async () => {
      if (asks) await scheduler.schedule(Promise.resolve(), "refreshToken");
      return app.refresh;
    },
  };
  const sessions = createSessions({
    provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", fetch, maxRetries: retries, ...functions,
    onTokens: async ({ accessToken, refreshToken }) => {
      const { row } = backEnd.refresh.get(refreshToken);
      // Of users who come without a logout only the application knows.
      if (row.era === app.era) Object.assign(app, { access: accessToken, refresh: refreshToken, row });
      else if (row.era < overBefore) wrong.push("onTokens was told tokens of somebody who has logged out");
      await scheduler.schedule(Promise.resolve(), "onTokens");
    },
  });

  const pending = new Set();
  const begin = (what, start, check = () => {}) => {
    const call = { what, by: app.user, era: app.era, swaps: app.swaps, row: app.row };
    const options = { headers: { "x-call": String(calls.push(call) - 1) } };
    const promise = start(options).then(
      (result) => check(result, call),
      (error) => {
        if (!(error instanceof SessionsError) || error.code === "internal") wrong.push(`${what}: ${error?.stack ?? error}`);
        const said = JSON.stringify({ ...error, message: error.message });
        for (const token of [...backEnd.access.keys(), ...backEnd.refresh.keys()]) if (said.includes(token)) wrong.push(`${what}: a token in its error`);
      },
    );
    pending.add(promise);
    promise.finally(() => pending.delete(promise));
    return promise;
  };
  const signIn = () => {
    app.user = users[1 - users.indexOf(app.user)];
    store(backEnd.signIn(app.user, app.era));
  };
  const logOut = () => {
    leaving++;
    return begin("logout", () => sessions.logout(), (out, { row, era }) => {
      if (out.success && BackEnd.tip(row).isAlive) wrong.push("a logout was confirmed, and the session lives");
      if (out.success !== (out.server === "confirmed")) wrong.push("success without a confirmation");
      overBefore = Math.max(overBefore, era + 1);
      if (app.era === era) Object.assign(app, { access: null, refresh: null, era: era + 1 });
    }).finally(() => leaving--);
  };
  const revoke = (row) =>
    begin("revoke", (options) => sessions.revoke(row.id, options), ({ success, outcome, id }, call) => {
      if (row.isAlive) wrong.push(`${outcome}, and it lives`);
      if (row === call.row && success && BackEnd.tip(row).isAlive) wrong.push("revoked, and what a refresh has made of it lives");
      if (id !== row.id) wrong.push("another id");
    });
  const commandsByName = {
    list: () => begin("list", (options) => sessions.list(options), ({ sessions }, call) => {
      const ids = sessions.map(({ id }) => backEnd.rows.get(id).user);
      if (ids.some((user) => user !== call.user)) wrong.push("another user's sessions");
    }),
    revoke: () => revoke([...backEnd.rows.values()].find(({ user, era, isAlive }) => user === app.user && era === -1 && isAlive) ?? app.row),
    "revoke own": () => revoke(app.row),
    revokeCurrent: () => begin("revokeCurrent", (options) => sessions.revokeCurrent(options), ({ success }, { row, user }) => {
      if (row.user === user && success && BackEnd.tip(row).isAlive) wrong.push("the current one revoked, and it lives");
    }),
    revokeOthers: () => begin("revokeOthers", (options) => sessions.revokeOthers(options), ({ revoked }) => {
      for (const id of revoked ?? []) if (backEnd.rows.get(id).isAlive) wrong.push("revoked, and it lives");
    }),
    revokeAll: () => begin("revokeAll", (options) => sessions.revokeAll(options), (_, { row }) => {
      if (row.isAlive) wrong.push("all revoked, and the own one lives");
    }),
    refresh: () => begin("refresh", () => sessions.refresh(), ({ accessToken }, { by, swaps }) => {
      const { row } = backEnd.access.get(accessToken);
      if (row.user !== by && swaps === app.swaps) wrong.push("a refresh gave another user's tokens");
    }),
    logout: logOut,
    switch: () => void logOut().then(() => !app.access && signIn()),
    swap: () => {
      // Whom a logout is of is known when it asks for the tokens.
      if (!app.access || leaving > 0) return;
      app.swaps++;
      app.era++;
      signIn();
    },
    expire: () => {
      for (const known of backEnd.access.values()) known.isOver = true;
    },
    "give up": () => {
      const controller = new AbortController();
      begin("list", (options) => sessions.list({ ...options, signal: controller.signal }));
      void scheduler.schedule(Promise.resolve(), "give up").then(() => controller.abort());
    },
  };

  const step = async () => {
    await turn();
    await turn();
    if (scheduler.count() > 0) await scheduler.waitNext(1);
    else mock.timers.tick(50);
  };
  for (const { what, steps } of commands) {
    commandsByName[what]();
    for (let n = 0; n < steps; n++) await step();
  }
  for (let n = 0; pending.size > 0; n++) {
    if (n > 5000) {
      wrong.push("a call has not settled");
      break;
    }
    await step();
  }
  return wrong;
}

test("whatever comes in whichever order: no token twice, nobody else's, nothing reported that is not so", async () => {
  await compiled();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.UTC(2026, 0, 1) });
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.record({
          commands: fc.array(fc.record({ what: fc.constantFrom(...COMMANDS), steps: fc.nat(12) }), { minLength: 1, maxLength: 10 }),
          faults: fc.array(fc.constantFrom(...FAULTS), { maxLength: 20 }),
          asks: fc.boolean(),
          retries: fc.nat(2),
        }),
        async (scheduler, given) => {
          assert.deepEqual(await story(scheduler, { ...given, faults: [...given.faults] }), []);
        },
      ),
      { seed: SEED, numRuns: RUNS, includeErrorInReport: true },
    );
  } finally {
    mock.timers.reset();
  }
});
