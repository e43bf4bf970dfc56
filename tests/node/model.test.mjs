// Whatever comes in whichever order: calls, answers that are lost, tokens that run out, logouts and other users, interleaved by chance, the same in every run. What must hold then
// holds of a model of AuthVital's first generation, where each refresh makes another session and a refresh token that comes a second time is theft.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import { APP, SessionsError, compiled, createSessions, createSessionsHandler, json, jwt, setCookie } from "./support.mjs";

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

  /** A `fetch` whose requests are answered when the scheduler says so; `look` is told whose tokens they come with. */
  fetch(scheduler, faults, look = () => {}) {
    const lost = (code) => new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) });
    return async (request) => {
      const { pathname } = new URL(request.url);
      const text = await request.text();
      const body = text ? JSON.parse(text) : {};
      const token = request.headers.get("authorization")?.replace("Bearer ", "");
      const known = this.access.get(token) ?? this.refresh.get(body.refresh_token);
      if (known) look(known, request, pathname);
      const fault = faults.pop() ?? "none";
      await scheduler.schedule(Promise.resolve(), `${request.method} ${pathname} ${fault}`);
      if (fault === "lost before") throw lost("ECONNRESET");
      if (fault === "unsent") throw lost("ECONNREFUSED");
      if (fault === "503") return new Response(null, { status: 503 });
      const answer = this.answer(request.method, pathname, body, token);
      await scheduler.schedule(Promise.resolve(), "answer");
      if (fault === "lost after") throw lost("ECONNRESET");
      return fault === "page" ? new Response("<html>", { headers: { "content-type": "text/html" } }) : answer;
    };
  }

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

  const fetch = backEnd.fetch(scheduler, faults, ({ row }, request, pathname) => {
    const call = calls[request.headers.get("x-call")];
    if (row.era >= 0 && row.era < overBefore) wrong.push(`${pathname} with tokens of somebody who has logged out`);
    if (!call) return;
    call.user ??= row.user;
    if (call.user !== row.user) wrong.push(`a ${call.what} was carried out on two users`);
    if (call.user !== call.by && call.swaps === app.swaps) wrong.push(`a ${call.what} of ${call.by} was carried out on ${call.user}`);
  });
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

  await play(scheduler, commands, commandsByName, pending, wrong);
  return wrong;
}

/** Begins one after the other, so many steps between them, and goes on until nothing is left; nobody waits for anything but the scheduler and the clock. */
async function play(scheduler, commands, byName, pending, wrong) {
  const step = async () => {
    await turn();
    await turn();
    if (scheduler.count() > 0) await scheduler.waitNext(1);
    else mock.timers.tick(50);
  };
  for (const { what, steps, ...more } of commands) {
    byName[what](more);
    for (let n = 0; n < steps; n++) await step();
  }
  for (let n = 0; pending.size > 0; n++) {
    if (n > 5000) {
      wrong.push("a call has not settled");
      break;
    }
    await step();
  }
}

const ROUTES = ["GET sessions", "GET sessions", "POST revoke", "POST revoke own", "POST sessions/revoke-others", "POST logout-all", "POST logout", "expire", "sign in"];

/** The same of the handler, with two browsers that have a user each. */
async function visits(scheduler, { commands, faults, retries }) {
  const backEnd = new BackEnd();
  const { wrong } = backEnd;
  const handle = createSessionsHandler({ sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", maxRetries: retries, fetch: backEnd.fetch(scheduler, faults) } });
  const browsers = ["alice", "bob"].map((user) => ({ user, jar: {}, row: null, over: new Set() }));
  const signIn = (browser) => {
    browser.row = backEnd.signIn(browser.user, 0);
    browser.jar = { access_token: browser.row.access, refresh_token: browser.row.refresh };
  };
  for (const browser of browsers) {
    for (let n = 0; n < 2; n++) backEnd.signIn(browser.user, -1);
    signIn(browser);
  }
  const first = (row) => [...backEnd.rows.values()].find(({ next }) => next === row) ?? null;
  const origin = (row) => (first(row) ? origin(first(row)) : row);
  const pending = new Set();

  const ask = (line, browser, check = () => {}) => {
    const [method, target] = line.split(" ");
    const cookie = Object.entries(browser.jar).map(([name, value]) => `${name}=${value}`).join("; ");
    const own = browser.row;
    const headers = { origin: APP, "sec-fetch-site": "same-origin", ...(cookie && { cookie }) };
    const promise = handle(new Request(`${APP}/api/${target}`, { method, headers })).then(
      async (answer) => {
        const body = await answer.json();
        if (answer.status === 500) wrong.push(`${line}: ${body.error.message}`);
        for (const { name, value, "max-age": age } of answer.headers.getSetCookie().map(setCookie)) {
          if (age === "0") delete browser.jar[name];
          else {
            const { row: set } = backEnd.access.get(value) ?? backEnd.refresh.get(value);
            if (set.user !== browser.user) wrong.push("tokens of another user");
            if (browser.over.has(origin(set))) wrong.push(`${line}: tokens of a session that was logged out`);
            browser.jar[name] = value;
            if (name === "refresh_token") browser.row = set;
          }
        }
        if (answer.ok) check(body, own);
      },
      (error) => wrong.push(`${line}: ${error.stack}`),
    );
    pending.add(promise);
    promise.finally(() => pending.delete(promise));
  };
  const revoke = (browser, row) =>
    ask(`POST sessions/${row.id}/revoke`, browser, ({ success, outcome }, own) => {
      if (row.isAlive) wrong.push(`${outcome}, and it lives`);
      if (row === own && success && BackEnd.tip(row).isAlive) wrong.push("revoked, and what a refresh has made of it lives");
    });
  const byRoute = {
    "GET sessions": (browser) => ask("GET sessions", browser, ({ sessions }) => {
      if (sessions.some(({ id }) => backEnd.rows.get(id).user !== browser.user)) wrong.push("another user's sessions");
    }),
    "POST revoke": (browser) => revoke(browser, [...backEnd.rows.values()].find(({ user, era, isAlive }) => user === browser.user && era === -1 && isAlive) ?? browser.row),
    "POST revoke own": (browser) => revoke(browser, browser.row),
    "POST sessions/revoke-others": (browser) => ask("POST sessions/revoke-others", browser, ({ revoked }) => {
      for (const id of revoked ?? []) if (backEnd.rows.get(id).isAlive) wrong.push("revoked, and it lives");
    }),
    "POST logout-all": (browser) => ask("POST logout-all", browser, (_, own) => {
      if (own.isAlive) wrong.push("all revoked, and the own one lives");
    }),
    "POST logout": (browser) => ask("POST logout", browser, ({ success }, own) => {
      if (success && BackEnd.tip(own).isAlive) wrong.push("a logout was confirmed, and the session lives");
      browser.over.add(origin(own));
    }),
    "sign in": (browser) => !browser.jar.refresh_token && signIn(browser),
  };
  const byName = Object.fromEntries(Object.entries(byRoute).map(([name, go]) => [name, ({ who }) => go(browsers[who])]));
  byName.expire = () => {
    for (const known of backEnd.access.values()) known.isOver = true;
  };
  await play(scheduler, commands, byName, pending, wrong);
  return wrong;
}

async function holds(arbitrary, tell) {
  await compiled();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.UTC(2026, 0, 1) });
  try {
    const property = fc.asyncProperty(fc.scheduler(), arbitrary, async (scheduler, given) => {
      assert.deepEqual(await tell(scheduler, { ...given, faults: [...given.faults] }), []);
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS, includeErrorInReport: true });
  } finally {
    mock.timers.reset();
  }
}

const faults = fc.array(fc.constantFrom(...FAULTS), { maxLength: 20 });
const retries = fc.nat(2);

test("a client: no token twice, nobody else's, nothing reported that is not so", () =>
  holds(
    fc.record({ commands: fc.array(fc.record({ what: fc.constantFrom(...COMMANDS), steps: fc.nat(12) }), { minLength: 1, maxLength: 10 }), faults, asks: fc.boolean(), retries }),
    story,
  ));

test("a handler: no token twice, nobody else's, none after a logout, nothing reported that is not so", () =>
  holds(
    fc.record({ commands: fc.array(fc.record({ what: fc.constantFrom(...ROUTES), steps: fc.nat(12), who: fc.nat(1) }), { minLength: 1, maxLength: 10 }), faults, retries }),
    visits,
  ));
