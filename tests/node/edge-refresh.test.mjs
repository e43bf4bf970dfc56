// The handler's refreshes: one for all requests of a browser that come together, its tokens on their answers, never again after a lost answer, and none after a logout.
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { APP, BASES, EMPTY_LIST, G1, G2, OWN_PAGE, asking, browserOf, claims, cookieOf, createSessionsHandler, fastForward, held, json, jwt, never, sandbox } from "./support.mjs";

const AUTHVITAL = { provider: "authvital", baseUrl: G1, clientId: "web-client" };
const REST = {
  list: { method: "GET", path: "/api/v1/sessions" }, revoke: { method: "DELETE", path: "/api/v1/sessions/{id}" }, logout: { method: "POST", path: "/api/v1/auth/logout" },
  refresh: { method: "POST", path: "/api/v1/auth/refresh", body: { refresh_token: "{refreshToken}" }, accessToken: "/data/access_token", refreshToken: "/data/refresh_token", expiresIn: "/data/expires_in" },
};
const LIST = "GET /api/sessions";
const OUT = "POST /api/logout";
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const RAN_OUT = jwt({ exp: 1 });

// ---------------------------------------------------------------- the real sandbox

/** A signed-in user and a handler; `count` is how often the sandbox was asked for new tokens. */
async function signedIn(options, wire) {
  await sandbox.reset();
  const user = wire ? await sandbox.signInOn(wire) : await sandbox.signIn();
  await sandbox.forget();
  const ask = asking({ ...options, sessions: { ...AUTHVITAL, ...options?.sessions } });
  const count = async () => (await sandbox.lines()).filter((line) => /\/(token|refresh)$/.test(line)).length;
  return { ...user, ask, count, cookie: cookieOf(user), old: cookieOf({ refresh: user.refresh }) };
}

const replayed = async () => (await sandbox.rows()).some(({ ended_by }) => ended_by === "replay");
const valuesOf = ({ set }) => Object.fromEntries(Object.entries(set).map(([name, { value }]) => [name, value]));

describe("one refresh, and the new cookies on the same answer", () => {
  for (const [what, cookie, before] of [
    ["the access cookie is gone", ({ refresh }) => cookieOf({ refresh }), []],
    ["the access cookie is empty", ({ refresh }) => `access_token=; refresh_token=${refresh}`, []],
    ["the access cookie is garbage", ({ refresh }) => `access_token=%zz; refresh_token=${refresh}`, []],
    ["the access token has run out", ({ refresh }) => cookieOf({ access: RAN_OUT, refresh }), []],
    ["the back-end refuses it", ({ refresh }) => cookieOf({ access: jwt({ exp: 4e9 }), refresh }), ["GET /oauth/sessions"]],
  ]) {
    test(what, async () => {
      const user = await signedIn();
      const answer = await user.ask(LIST, { cookie: cookie(user) });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(await sandbox.lines(), [...before, "POST /oauth/token", "GET /oauth/sessions"]);
      const { access_token: access, refresh_token: refresh } = valuesOf(answer);
      assert.notEqual(refresh, user.refresh);
      assert.equal(claims(refresh).sid, answer.body.sessions.find(({ current }) => current).id);
      assert.equal((await sandbox.row(user.id)).ended_by, "rotated");
      await sandbox.forget();
      const next = await user.ask(LIST, { cookie: cookieOf({ access, refresh }) });
      assert.deepEqual([next.status, next.cookies, await sandbox.lines()], [200, [], ["GET /oauth/sessions"]]);
      assert.equal(await replayed(), false);
    });
  }

  for (const line of ["POST /api/sessions/ID/revoke", "POST /api/sessions/revoke-others", "POST /api/logout-all", OUT]) {
    test(`${line}, too`, async () => {
      const { ask, old, count } = await signedIn();
      const { id } = await sandbox.signIn();
      const answer = await ask(line.replace("ID", id), { cookie: old });
      // A refresh token is all that this back-end's logout takes.
      assert.deepEqual([answer.status, answer.body.success, await count()], [200, true, line === OUT ? 0 : 1], answer.text);
      const ends = line.includes("logout");
      assert.deepEqual(Object.values(valuesOf(answer)).every((value) => (value === "") === ends), true);
      assert.equal(answer.cookies.length, 2);
      assert.equal(await replayed(), false);
      if (line === "POST /api/logout-all") assert.deepEqual(await sandbox.active(), []);
      if (line === OUT) assert.equal((await sandbox.active()).length, 8, "the session is ended");
    });
  }

  for (const [name, sessions, wire, rotates] of [
    ["AuthVital, second generation", { baseUrl: G2 }, undefined, true], ["KSeF", { provider: "ksef", baseUrl: BASES.ksef }, "ksef", false], ["a profile", { provider: REST, baseUrl: BASES.rest }, "rest", true],
  ]) {
    test(name, async () => {
      const { ask, old, count } = await signedIn({ sessions }, wire);
      const answer = await ask(LIST, { cookie: old });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(Object.keys(answer.set), rotates ? ["access_token", "refresh_token"] : ["access_token"]);
      // The second generation is found out first.
      assert.equal(await count(), wire ? 1 : 2);
    });
  }

  test("also beside an error", async () => {
    const { ask, old, count } = await signedIn({ sessions: { maxRetries: 0 } });
    for (const fault of [{ status: 500 }, { status: 404 }, { status: 429 }, { drop: "head" }, { truncate: true }]) {
      await sandbox.faults({ route: "POST /authvital/oauth/sessions/{id}/revoke", fault });
      const answer = await ask("POST /api/sessions/x/revoke", { cookie: old });
      assert.ok(answer.status >= 400);
      assert.deepEqual(Object.keys(answer.set), ["access_token", "refresh_token"], answer.text);
    }
    assert.equal(await count(), 1);
  });

  test("refused in the middle of many revocations, too", async () => {
    const { ask, refresh, count, id } = await signedIn();
    await sandbox.faults({ route: "POST /authvital/oauth/sessions/{id}/revoke", fault: { status: 401 }, times: 3 });
    const answer = await ask("POST /api/sessions/revoke-others", { cookie: cookieOf({ access: (await sandbox.signIn()).access, refresh }) });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(await count(), 1);
    assert.equal(await replayed(), false);
    assert.ok(id && answer.set.refresh_token);
  });
});

describe("requests of one browser that come together", () => {
  for (const [what, access] of [["without an access cookie", undefined], ["with one that has run out", RAN_OUT], ["with one that the back-end refuses", jwt({ exp: 4e9 })]]) {
    test(`${what}: one refresh, and all set the same cookies`, async () => {
      const { ask, refresh, count } = await signedIn();
      const { id } = await sandbox.signIn();
      const cookie = cookieOf({ access, refresh });
      const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(n === 7 ? `POST /api/sessions/${id}/revoke` : LIST, { cookie })));
      assert.deepEqual(answers.map(({ status }) => status), answers.map(() => 200));
      assert.equal(await count(), 1);
      for (const answer of answers) assert.deepEqual(valuesOf(answer), valuesOf(answers[0]));
      assert.deepEqual(Object.keys(answers[0].set), ["access_token", "refresh_token"]);
      assert.equal(await replayed(), false);
    });
  }

  test("and one that comes late with the old cookie gets the same tokens", async () => {
    const { ask, access, refresh, old, count } = await signedIn();
    const first = await ask(LIST, { cookie: old });
    for (const cookie of [old, cookieOf({ access, refresh }), cookieOf({ access: RAN_OUT, refresh }), cookieOf({ access: jwt({ exp: 4e9 }), refresh })]) {
      const late = await ask(LIST, { cookie });
      assert.equal(late.status, 200, late.text);
      assert.deepEqual(valuesOf(late), valuesOf(first), cookie.slice(0, 20));
      assert.equal(late.body.sessions.find(({ current }) => current).id, claims(valuesOf(first).refresh_token).sid);
    }
    assert.equal(await count(), 1);
    assert.equal(await replayed(), false);
  });

  test("two browsers of one user are two", async () => {
    const { ask, old, count } = await signedIn();
    const other = await sandbox.signIn();
    const answers = await Promise.all([old, cookieOf({ refresh: other.refresh }), old].map((cookie) => ask(LIST, { cookie })));
    assert.equal(await count(), 2);
    const [a, b, c] = answers.map(valuesOf);
    assert.deepEqual(a, c);
    assert.notEqual(a.refresh_token, b.refresh_token);
  });

  test("two handlers do not know of each other, as documented", async () => {
    const { old, count } = await signedIn();
    const [one, two] = [asking({ sessions: AUTHVITAL }), asking({ sessions: AUTHVITAL })];
    await one(LIST, { cookie: old });
    assert.equal((await two(LIST, { cookie: old })).status, 401);
    assert.equal(await count(), 2);
  });
});

describe("a lost answer", () => {
  for (const [what, fault] of [["dropped", { drop: "head", after: true }], ["dropped in the body", { drop: "body" }], ["cut", { truncate: true }], ["a proxy's 502", { status: 502, after: true }],
    ["a proxy's page", { body: "<html>", "content-type": "text/html", after: true }], ["late", { hang: "head", after: true }]]) {
    test(`${what}: an error, then 401, and the token is never sent again`, async () => {
      const { ask, old, count } = await signedIn({ sessions: { timeout: fault.hang ? 200 : 10_000 } });
      await sandbox.faults({ route: "POST /authvital/oauth/token", fault, times: 1 });
      const together = await Promise.all([ask(LIST, { cookie: old }), ask(LIST, { cookie: old }), ask(LIST, { cookie: old })]);
      for (const { status, cookies } of together) assert.ok([401, 502, 504].includes(status) && cookies.length === 0, `${status}`);
      for (let times = 0; times < 3; times++) {
        const { status, cookies, body } = await ask(LIST, { cookie: old });
        assert.deepEqual([status, body.error.code, cookies], [401, "unauthenticated", []]);
      }
      const out = await ask(OUT, { cookie: old });
      assert.deepEqual([out.status, out.cookies.length], [200, 2]);
      assert.equal(await count(), 1);
      assert.equal(await replayed(), false);
    });
  }

  test("of one browser is nothing for another", async () => {
    const { ask, old } = await signedIn();
    const other = await sandbox.signIn("other@example.com");
    await sandbox.faults({ route: "POST /authvital/oauth/token", fault: { drop: "head", after: true }, times: 1 });
    await ask(LIST, { cookie: old });
    assert.equal((await ask(LIST, { cookie: cookieOf({ refresh: other.refresh }) })).status, 200);
  });
});

describe("a refresh that the back-end refuses", () => {
  test("is 401 and leaves the cookies alone: another answer may have set newer ones", async () => {
    const { ask, cookie, old, id, count } = await signedIn();
    await asking({ sessions: AUTHVITAL })(OUT, { cookie });
    assert.equal((await sandbox.row(id)).ended_by, "logout");
    const together = await Promise.all([1, 2, 3].map(() => ask(LIST, { cookie: old })));
    for (const { status, body, cookies } of together) assert.deepEqual([status, body.error.code, cookies], [401, "unauthenticated", []]);
    assert.equal(await count(), 1);
  });

  test("for now (429) may be tried again", async () => {
    const { ask, old, count } = await signedIn();
    await sandbox.faults({ route: "POST /authvital/oauth/token", fault: { status: 429, "retry-after": "7" }, times: 1 });
    const first = await ask(LIST, { cookie: old });
    assert.deepEqual([first.status, first.body.error.code, first.headers.get("retry-after"), first.cookies], [429, "rate_limited", "7", []]);
    assert.equal((await ask(LIST, { cookie: old })).status, 200);
    assert.equal(await count(), 2);
    assert.equal(await replayed(), false);
  });
});

// ---------------------------------------------------------------- a back-end that answers when it is told to

/** Held until it is opened. */
function gate() {
  let open;
  const promise = new Promise((resolve) => (open = resolve));
  return { promise, open: () => open() };
}

async function until(isSo, what = isSo) {
  for (let turns = 0; !isSo(); turns++) {
    assert.ok(turns < 20_000, `never: ${what}`);
    await new Promise((resolve) => (turns % 50 === 49 ? setTimeout(resolve, 1) : setImmediate(resolve)));
  }
}

/**
 * A handler over a back-end whose refresh tokens are r-1, r-2, … and access tokens a-1, a-2, …. `lines` has what was asked and with which token: "token r-1", "sessions a-2", "logout r-2".
 * `answers` has, by line or by its first word, functions whose answer counts instead, if there is one.
 */
function backEnd(answers = {}, options = {}) {
  const lines = [];
  const fetch = async (request) => {
    const text = await request.text();
    const token = text.includes("refresh_token") ? JSON.parse(text).refresh_token : request.headers.get("authorization")?.slice(7);
    const what = new URL(request.url).pathname.split("/").at(-1);
    lines.push(`${what} ${token}`);
    const answer = await (answers[`${what} ${token}`] ?? answers[what])?.(token);
    if (answer) return answer;
    if (what === "sessions") return json(EMPTY_LIST);
    if (what !== "token") return json({ success: true, message: "done", count: 1 });
    const next = Number(token.slice(2)) + 1;
    return json({ access_token: `a-${next}`, refresh_token: `r-${next}`, expires_in: 3600 });
  };
  const handle = createSessionsHandler({ ...options, sessions: { provider: "authvital", baseUrl: "https://auth.example.com", clientId: "c", maxRetries: 0, fetch, ...options.sessions } });
  return { lines, handle, ask: asking(handle), refreshes: () => lines.filter((line) => line.startsWith("token ")) };
}

const R1 = "refresh_token=r-1";
const refused = () => json({ message: "no" }, { status: 401 });

/** Lets time jump: `Date` alone, all timers go on. */
function clock(context) {
  mock.timers.enable({ apis: ["Date"], now: Date.now() });
  context.after(() => mock.timers.reset());
  return (ms) => mock.timers.setTime(Date.now() + ms);
}

describe("time", () => {
  test("up to 10 seconds later the old cookie gets the new tokens; then the back-end decides", async (context) => {
    const wait = clock(context);
    let times = 0;
    const { ask, lines } = backEnd({ "token r-1": () => (times++ ? refused() : undefined) });
    const first = await ask(LIST, { cookie: R1 });
    wait(9 * SECOND);
    const late = await ask(LIST, { cookie: R1 });
    assert.deepEqual(valuesOf(late), { access_token: "a-2", refresh_token: "r-2" });
    assert.equal(Number(late.set.access_token["max-age"]), Number(first.set.access_token["max-age"]) - 9, "it lives no longer for that");
    wait(1001);
    const after = await ask(LIST, { cookie: R1 });
    assert.deepEqual([after.status, after.cookies], [401, []]);
    assert.deepEqual(lines, ["token r-1", "sessions a-2", "sessions a-2", "token r-1"]);
  });

  test("the ten seconds begin when the tokens are there", async (context) => {
    const wait = clock(context);
    const { promise, open } = gate();
    const { ask, refreshes } = backEnd({ token: () => promise }, { sessions: { timeout: 60 * SECOND, totalTimeout: 60 * SECOND } });
    const first = ask(LIST, { cookie: R1 });
    await until(() => refreshes().length);
    wait(9 * SECOND);
    open();
    await first;
    wait(9 * SECOND);
    assert.equal((await ask(LIST, { cookie: R1 })).status, 200);
    assert.equal(refreshes().length, 1);
  });

  test("a chain of refreshes within them leads to the newest", async () => {
    const { ask, lines } = backEnd();
    await ask(LIST, { cookie: R1 });
    await ask(LIST, { cookie: "refresh_token=r-2" });
    lines.length = 0;
    for (const cookie of [R1, "refresh_token=r-2", "access_token=a-1; refresh_token=r-1"]) assert.deepEqual(valuesOf(await ask(LIST, { cookie })), { access_token: "a-3", refresh_token: "r-3" });
    assert.deepEqual(lines, ["sessions a-3", "sessions a-3", "sessions a-3"]);
  });

  for (const later of [9 * SECOND, MINUTE, 59 * MINUTE, 2 * HOUR, 24 * HOUR]) {
    test(`a token whose answer was lost is not sent again ${later / SECOND} s later`, async (context) => {
      const wait = clock(context);
      const { ask, refreshes } = backEnd({ token: () => json({}, { status: 502 }) });
      await ask(LIST, { cookie: R1 });
      wait(later);
      assert.equal((await ask(LIST, { cookie: R1 })).status, 401);
      assert.deepEqual(refreshes(), ["token r-1"]);
    });
  }
});

describe("whoever refreshes for the others", () => {
  test("may go away: its tokens are not lost, and the token is not sent again", async () => {
    const controller = new AbortController();
    const { promise, open } = gate();
    const { ask, lines } = backEnd({ "token r-1": () => promise }, { scope: (request) => (request.headers.get("x-first") ? { signal: controller.signal } : null) });
    const [first] = held(ask(LIST, { cookie: R1, "x-first": "1" }));
    await until(() => lines.length);
    controller.abort();
    const gone = await first;
    assert.deepEqual([gone.status, gone.body.error.code], [503, "aborted"]);
    const second = ask(LIST, { cookie: R1 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    open();
    const answer = await second;
    assert.deepEqual([answer.status, valuesOf(answer)], [200, { access_token: "a-2", refresh_token: "r-2" }], answer.text);
    assert.deepEqual(lines, ["token r-1", "sessions a-2"]);
  });

  for (const [what, sessions] of [["totalTimeout is the shorter one", { totalTimeout: 60, timeout: 5000 }], ["timeout is", { timeout: 60 }], ["they are the same", { timeout: 60, totalTimeout: 60 }]]) {
    test(`may run out of time, where ${what}: then it is lost for all, and they don't hang`, async () => {
      const { ask, refreshes } = backEnd({ token: never }, { sessions });
      const began = Date.now();
      const answers = await Promise.all([1, 2, 3].map(() => ask(LIST, { cookie: R1 })));
      for (const { status, cookies } of answers) assert.deepEqual([[401, 504].includes(status), cookies], [true, []], `${status}`);
      assert.ok(Date.now() - began < 3000);
      assert.equal((await ask(LIST, { cookie: R1 })).status, 401);
      assert.deepEqual(refreshes(), ["token r-1"]);
    });
  }

  test("may be stopped in the middle, as workers are: the others wait for timeout and a second more", async () => {
    const { ask, refreshes } = backEnd({ token: never }, { sessions: { timeout: 5000 } });
    // Its timers go with the mock.
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
    held(ask(LIST, { cookie: R1 }));
    try {
      await until(() => refreshes().length, "the refresh");
    } finally {
      mock.timers.reset();
    }
    const { elapsed, promise } = await fastForward(() => Promise.all([ask(LIST, { cookie: R1 }), ask(OUT, { cookie: R1 })]));
    const [list, out] = await promise;
    assert.ok(elapsed >= 5000 && elapsed <= 6500, `${elapsed}`);
    assert.deepEqual([list.status, list.cookies, out.status, out.cookies.length], [401, [], 200, 2]);
    const later = await fastForward(() => ask(LIST, { cookie: R1 }));
    assert.deepEqual([(await later.promise).status, later.elapsed < 500], [401, true], `nobody waits for it again: ${later.elapsed}`);
    assert.deepEqual(refreshes(), ["token r-1"]);
  });

  test("may be slower than the others wait: they are sent to sign in, and the tokens serve late requests for ten seconds like any others", async () => {
    const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    let times = 0;
    const { ask, lines } = backEnd({ "token r-1": () => (times++ ? refused() : later(8000)) }, { sessions: { timeout: 5000 }, scope: () => ({ timeout: 20_000 }) });
    const after = [];
    const { promise } = await fastForward(async () => {
      const [slow, other] = held(ask(LIST, { cookie: R1 }), ask(LIST, { cookie: R1 }));
      assert.equal((await other).status, 401);
      assert.deepEqual(valuesOf(await slow), { access_token: "a-2", refresh_token: "r-2" });
      for (const ms of [5000, 4000, 2000, 2000]) {
        await later(ms);
        after.push(await ask(LIST, { cookie: R1 }));
      }
    });
    await promise;
    assert.deepEqual(after.map(({ status }) => status), [200, 200, 401, 401], lines.join());
    assert.deepEqual(lines.filter((line) => line.startsWith("token")), ["token r-1", "token r-1"], "what the back-end refused is known for ten seconds, too");
  });

  test("may be overtaken: an answer that is late sets the newest tokens, and not those that it began with", async () => {
    let release;
    const slow = new Promise((resolve) => (release = resolve));
    let times = 0;
    const { ask, lines } = backEnd({ "sessions a-2": () => (times++ ? refused() : slow) });
    const late = ask(LIST, { cookie: R1 });
    while (!lines.includes("sessions a-2")) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(valuesOf(await ask(LIST, { cookie: R1 })), { access_token: "a-3", refresh_token: "r-3" });
    release();
    assert.deepEqual(valuesOf(await late), { access_token: "a-3", refresh_token: "r-3" });
    assert.deepEqual(lines.filter((line) => line.startsWith("token")), ["token r-1", "token r-2"]);
  });

  test("may fail to store the tokens: the browsers get them, and the old one is not sent again", async () => {
    let fails = true;
    const onTokens = async () => {
      if (fails) throw new Error("SECRET database");
    };
    const { ask, refreshes } = backEnd({}, { sessions: { onTokens } });
    const answers = await Promise.all([1, 2, 3].map(() => ask(LIST, { cookie: R1 })));
    for (const answer of answers) {
      assert.ok([200, 500].includes(answer.status));
      assert.ok(!answer.text.includes("SECRET"), answer.text);
      assert.deepEqual(valuesOf(answer), { access_token: "a-2", refresh_token: "r-2" }, answer.text);
    }
    fails = false;
    assert.deepEqual(valuesOf(await ask(LIST, { cookie: R1 })), { access_token: "a-2", refresh_token: "r-2" });
    assert.deepEqual(refreshes(), ["token r-1"]);
  });

  test("may be slow to store them", async () => {
    const { promise, open } = gate();
    const { ask, refreshes } = backEnd({}, { sessions: { onTokens: () => promise, timeout: 100, totalTimeout: 150 } });
    const answers = await Promise.all([1, 2].map(() => ask(LIST, { cookie: R1 })));
    assert.ok(answers.some(({ set }) => set.refresh_token?.value === "r-2"), "at least the one that got them");
    open();
    assert.deepEqual(valuesOf(await ask(LIST, { cookie: R1 })), { access_token: "a-2", refresh_token: "r-2" });
    assert.deepEqual(refreshes(), ["token r-1"]);
  });
});

test("a new token that the back-end refuses at once is no reason for a loop", async () => {
  const { ask, refreshes } = backEnd({ sessions: refused });
  const answer = await ask(LIST, { cookie: R1 });
  assert.equal(answer.status, 401);
  assert.ok(refreshes().length <= 2, refreshes().join());
  // What the browser holds then is the newest.
  assert.equal(valuesOf(answer).refresh_token, `r-${refreshes().length + 1}`);
});

test("many browsers at once: each gets its own", async () => {
  const { ask, refreshes } = backEnd();
  await Promise.all(Array.from({ length: 200 }, async (_, n) => {
    const own = (n % 50) * 10;
    const answer = await ask(LIST, { cookie: `refresh_token=r-${own}` });
    assert.deepEqual([answer.status, valuesOf(answer)], [200, { access_token: `a-${own + 1}`, refresh_token: `r-${own + 1}` }]);
  }));
  assert.equal(refreshes().length, 50);
});

// ---------------------------------------------------------------- a logout is the end

describe("a logout", () => {
  for (const [line, ended] of [[OUT, "logout r-2"], ["POST /api/logout-all", "logout-all a-2"]]) {
    test(`${line} waits for a refresh under way, ends what comes out of it, and no answer sets tokens afterwards`, async () => {
      const [first, second] = [gate(), gate()];
      const { ask, lines } = backEnd({ "token r-1": () => first.promise, "sessions a-2": () => second.promise });
      const lists = held(ask(LIST, { cookie: R1 }), ask(LIST, { cookie: R1 }));
      await until(() => lines.length);
      const [out] = held(ask(line, { cookie: R1 }));
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.deepEqual(lines, ["token r-1"], "it waits");
      first.open();
      const answer = await out;
      assert.deepEqual([answer.status, answer.body.success, answer.cookies.length], [200, true, 2], answer.text);
      assert.ok(answer.cookies.every((cookie) => /Max-Age=0/.test(cookie)));
      assert.ok(lines.includes(ended), lines.join());
      second.open();
      for (const list of await Promise.all(lists)) assert.deepEqual(list.cookies, []);
      for (const cookie of [R1, "refresh_token=r-2"]) {
        const { status, cookies } = await ask(LIST, { cookie });
        assert.deepEqual([status, cookies], [401, []], cookie);
      }
      for (const cookie of ["access_token=a-1; refresh_token=r-1", "access_token=a-2; refresh_token=r-2"]) assert.deepEqual((await ask(LIST, { cookie })).cookies, [], cookie);
      assert.deepEqual(lines.filter((line) => line.startsWith("token")), ["token r-1"]);
    });

    test(`${line}: a browser's jar is empty in the end`, async () => {
      for (let turns = 0; turns < 8; turns++) {
        const { promise, open } = gate();
        const { handle, lines } = backEnd({ token: () => promise });
        const { jar, fetch } = browserOf(handle, { refresh_token: "r-1" });
        const list = () => fetch(new Request(`${APP}/api/sessions`));
        const all = held(list(), list(), fetch(new Request(APP + line.split(" ")[1], { method: "POST" })), list());
        await until(() => lines.length);
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        open();
        await Promise.all(all);
        assert.deepEqual(jar, {});
      }
    });
  }

  test("on the real sandbox: whatever comes at the same time, the session is over", async () => {
    for (const line of [OUT, "POST /api/logout-all"]) {
      const { ask, old, id } = await signedIn();
      const before = (await sandbox.active()).filter((one) => one !== id);
      await Promise.all([ask(LIST, { cookie: old }), ask(LIST, { cookie: old }), ask(line, { cookie: old }), ask(LIST, { cookie: old })]);
      assert.deepEqual((await sandbox.active()).toSorted(), line === OUT ? before.toSorted() : []);
      assert.equal(await replayed(), false);
    }
  });

  for (const line of [OUT, "POST /api/logout-all"]) {
    test(`${line} follows a chain of refreshes to its end`, async () => {
      const [first, second] = [gate(), gate()];
      const { ask, lines } = backEnd({ "sessions a-2": refused, "token r-1": () => first.promise, "token r-2": () => second.promise });
      const [list] = held(ask(LIST, { cookie: R1 }));
      await until(() => lines.length);
      const [out] = held(ask(line, { cookie: R1 }));
      first.open();
      await until(() => lines.includes("token r-2"));
      await new Promise((resolve) => setTimeout(resolve, 30));
      second.open();
      await out;
      assert.ok(lines.includes(line === OUT ? "logout r-3" : "logout-all a-3"), lines.join());
      // Whether it was sent before or after the logout.
      const late = await list;
      assert.ok(late.cookies.length === 0 || lines.indexOf("sessions a-3") < lines.findIndex((line) => line.startsWith("logout")), lines.join());
    });
  }

  test("is the end for a refresh that outlasts its patience, too", async () => {
    const later = (ms, answer) => new Promise((resolve) => setTimeout(resolve, ms, answer));
    const notHere = () => later(9000, json({ message: "Cannot POST /oauth/token", error: "Not Found", statusCode: 404 }, { status: 404 }));
    const there = () => later(9000, new Response('{"access_token":"a-2","expires_in":60}', { headers: { "set-cookie": "refresh_token=r-2; Path=/" } }));
    const { handle, lines } = backEnd({ token: notHere, refresh: there });
    const ask = (method, path) => handle(new Request(APP + path, { method, headers: { ...OWN_PAGE, cookie: R1 } }));
    const { promise } = await fastForward(() => Promise.all([ask("GET", "/api/sessions"), later(100).then(() => ask("POST", "/api/logout"))]));
    const [list, out] = (await promise).map(({ headers }) => headers.getSetCookie());
    assert.equal(out.length, 2);
    // Or the logout has waited even for that, and ends what came out of it.
    assert.ok(list.length === 0 || lines.indexOf("sessions a-2") < lines.indexOf("logout r-2"), `${lines}`);
    assert.deepEqual(lines.slice(0, 2), ["token r-1", "refresh undefined"]);
  });

  test("that fails is one, too: nothing is refreshed with those tokens any more", async () => {
    const { ask, lines } = backEnd({ logout: () => json({}, { status: 500 }) });
    const out = await ask(OUT, { cookie: "access_token=a-1; refresh_token=r-1" });
    assert.deepEqual([out.body.server, out.cookies.length], ["rejected", 2]);
    assert.deepEqual([(await ask(LIST, { cookie: R1 })).status, lines], [401, ["logout r-1"]]);
  });

  test("everywhere that fails is none: the user is still signed in", async () => {
    const { ask } = backEnd({ "logout-all": () => json({}, { status: 500 }) });
    const out = await ask("POST /api/logout-all", { cookie: R1 });
    assert.deepEqual([out.status, valuesOf(out)], [502, { access_token: "a-2", refresh_token: "r-2" }]);
    const next = await ask(LIST, { cookie: "refresh_token=r-2" });
    assert.deepEqual([next.status, valuesOf(next)], [200, { access_token: "a-3", refresh_token: "r-3" }]);
  });

  test("whose own refresh is lost or refused is tried with the old tokens", async () => {
    for (const answer of [() => json({}, { status: 502 }), refused, () => Promise.reject(new TypeError("gone"))]) {
      const profile = { ...REST, logout: { method: "POST", path: "/logout" }, refresh: { ...REST.refresh, path: "/token" } };
      const { ask, lines } = backEnd({ token: answer }, { sessions: { provider: profile } });
      const out = await ask(OUT, { cookie: `access_token=${RAN_OUT}; ${R1}` });
      assert.deepEqual([out.status, out.body.server, out.cookies.length, lines], [200, "confirmed", 2, ["token r-1", `logout ${RAN_OUT}`]]);
    }
  });

  test("with a token that was replaced long ago ends nothing of what came after it", async (context) => {
    const wait = clock(context);
    const { ask, lines } = backEnd();
    await ask(LIST, { cookie: R1 });
    wait(11 * SECOND);
    await ask(OUT, { cookie: R1 });
    assert.deepEqual(lines.filter((line) => line.startsWith("logout")), ["logout r-1"]);
    assert.equal((await ask(LIST, { cookie: "access_token=a-2; refresh_token=r-2" })).status, 200);
  });

  test("of one browser is nothing to another", async () => {
    const { ask } = backEnd();
    await ask(OUT, { cookie: R1 });
    const other = await ask(LIST, { cookie: "refresh_token=r-50" });
    assert.deepEqual(valuesOf(other), { access_token: "a-51", refresh_token: "r-51" });
  });

  test("and the next sign-in begins anew", async () => {
    const { ask } = backEnd();
    await ask(OUT, { cookie: R1 });
    assert.equal((await ask(LIST, { cookie: "access_token=a-70; refresh_token=r-70" })).status, 200);
    assert.deepEqual(valuesOf(await ask(LIST, { cookie: "refresh_token=r-70" })), { access_token: "a-71", refresh_token: "r-71" });
  });

  for (const [what, sessions] of [["with refreshes", {}], ["without", { provider: "rest" }]]) {
    test(`leaves nothing behind for ever: a back-end ${what}`, async (context) => {
      const wait = clock(context);
      const kept = new Set();
      const { set } = Map.prototype;
      context.after(() => (Map.prototype.set = set));
      Map.prototype.set = function (key, value) {
        if (/^r-\d+$/.test(key)) kept.add(this);
        return set.call(this, key, value);
      };
      const { ask } = backEnd({}, { sessions });
      for (let n = 100; n < 130; n++) await ask(OUT, { cookie: `access_token=a; refresh_token=r-${n}` });
      wait(2 * HOUR);
      await ask(OUT, { cookie: "access_token=a; refresh_token=r-999" });
      for (const map of kept) assert.ok(map.size <= 3, `${map.size} are kept`);
      assert.ok(kept.size > 0);
    });
  }
});

test("where the token is not replaced: requests that come together share a refresh each time that it is due", async (context) => {
  const wait = clock(context);
  const sent = [];
  const fetch = async (request) => {
    if (request.method === "GET") return json(EMPTY_LIST);
    sent.push((await request.json()).refresh_token);
    return json({ access_token: jwt({ exp: Math.floor(Date.now() / SECOND) + 60 }), expires_in: 60, token_type: "Bearer" });
  };
  const ask = asking({ sessions: { provider: { ...REST, refresh: { ...REST.refresh, accessToken: "access_token", refreshToken: undefined } }, baseUrl: "https://auth.example.com", fetch } });
  for (const times of [1, 2, 3]) {
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(LIST, { cookie: R1 })));
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 200]);
    assert.equal(sent.length, times);
    wait(61 * SECOND);
  }
});

test("a clock that is hours ahead takes no cookie away", async (context) => {
  const wait = clock(context);
  wait(2 * HOUR);
  const there = () => new Date(Date.now() - 2 * HOUR);
  const tokens = () => ({ access_token: jwt({ exp: Math.floor(there() / SECOND) + 3600 }), refresh_token: jwt({ exp: Math.floor(there() / SECOND) + 5400 }), expires_in: 3600, token_type: "Bearer" });
  const fetch = async ({ method }) => {
    const answer = json(method === "GET" ? EMPTY_LIST : tokens());
    answer.headers.set("date", there().toUTCString());
    return answer;
  };
  const ask = asking({ sessions: { ...AUTHVITAL, baseUrl: "https://auth.example.com", fetch } });
  const { set } = await ask(LIST, { cookie: R1 });
  assert.ok(Number(set.access_token["max-age"]) > 3000 && Number(set.refresh_token["max-age"]) > 5000, JSON.stringify(set));
});

test("cookies in the client's form are refused", () => {
  assert.throws(() => createSessionsHandler({ sessions: AUTHVITAL, cookies: [{ name: "a" }] }), { code: "invalid_options" });
});
