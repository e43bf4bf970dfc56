// watch and subscribe: what is told, when it is asked for, and that nothing is left behind.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import { beforeEach, describe, mock, test } from "node:test";
import { pathToFileURL } from "node:url";
import { BASES, compiled, createSessions, faked, G1, json, never, project, sandbox, SECRET_KEY, SessionsError, settles, signedIn } from "./support.mjs";

const fromProject = createRequire(path.join(project, "import.mjs"));
const { remember, subscribe, watch } = await import(pathToFileURL(fromProject.resolve("auth-sessions/monitoring")));

const START = Date.parse("2026-03-01T12:00:00.000Z");
const MINUTE = 60_000;
const CHROME = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0";
/** An item of the plain REST API. */
const item = (id, more = {}) => ({ id, user_id: "u1", is_current: id === "me", user_agent: CHROME, ip_address: "203.0.113.7", created_at: "2026-03-01T11:00:00Z", last_active_at: "2026-03-01T11:30:00Z", ...more });
const [ME, A, B, C] = ["me", "a", "b", "c"].map((id) => item(id));

/** What is on its way gets where it goes; the clock stands still. */
async function settle() {
  for (let n = 0; n < 40; n++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Watches a back-end whose answer is `back.list`, an array of items, or `back.answer`, a function. `changes` are what was told, `tick(ms)` lets time pass, `asked` are the moments of requests, in milliseconds since the
 * start. Chance is `back.chance`.
 */
async function watching({ list = [], client = {}, watched = {}, chance = 0, start = subscribe } = {}, run) {
  await compiled();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: START });
  mock.method(Math, "random", () => chance);
  const back = { list };
  const asked = [];
  const { sessions, sent } = faked((...args) => {
    asked.push(Date.now() - START);
    return back.answer?.(...args) ?? json(back.list);
  }, { provider: "rest", baseUrl: "https://api.example.com", ...client });
  const changes = [];
  const tick = async (ms) => {
    mock.timers.tick(ms);
    await settle();
  };
  let stop = () => {};
  try {
    stop = start(sessions, (change) => void changes.push(change), watched);
    await settle();
    await run({ back, changes, asked, sent, tick, sessions, stop, kinds: () => changes.splice(0).map(({ type, session, finding, error }) => [type, session?.id ?? finding?.code ?? error?.code].filter(Boolean).join(" ")) });
  } finally {
    stop();
    mock.restoreAll();
    mock.timers.reset();
  }
}

/** Puts it in the place of a global, and back. */
async function having(globals, run) {
  const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
  try {
    return await run();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  }
}

// ---------------------------------------------------------------- what is told

describe("changes", () => {
  test("what one poll tells was noticed at one moment: a session that is renewed is gone and there at the same time", async () => {
    await watching({ list: [ME, A, B] }, async ({ back, tick, changes }) => {
      let n = 0;
      mock.method(Date.prototype, "toISOString", () => `2026-03-01T12:00:00.${100 + n++}Z`);
      back.list = [ME, C, item("d")];
      await tick(MINUTE);
      assert.deepEqual(changes.map(({ type }) => type).sort(), ["added", "added", "removed", "removed"]);
      assert.equal(new Set(changes.map(({ at }) => at)).size, 1);
    });
  });

  test("more networks than a history keeps are no news the second time", async () => {
    const list = [ME, ...Array.from({ length: 150 }, (_, n) => item(`n${n}`, { ip_address: `198.51.${n}.1` }))];
    await watching({ list }, async ({ tick, kinds }) => {
      await tick(MINUTE);
      assert.deepEqual(kinds(), []);
    });
  });

  test("after a 401 another user's devices are not strange ones of the first", async () => {
    await watching({ list: [ME, A] }, async ({ back, tick, kinds }) => {
      back.answer = () => json({}, { status: 401 });
      await tick(MINUTE);
      back.answer = undefined;
      back.list = [item("me", { user_id: "u2", ip_address: "192.0.2.1" }), item("x", { user_id: "u2", user_agent: FIREFOX, ip_address: "198.51.100.1" })];
      for (let polls = 0; polls < 5; polls++) await tick(2 * MINUTE);
      assert.deepEqual(kinds().filter((kind) => kind.startsWith("finding")), []);
    });
  });

  test("the first list is the baseline: nothing is told", async () => {
    await watching({ list: [ME, A, item("odd", { user_agent: "???", created_at: "2020-01-01T00:00:00Z" })] }, async ({ tick, kinds, asked }) => {
      await tick(MINUTE);
      assert.deepEqual([kinds(), asked], [[], [0, MINUTE]]);
    });
  });

  test("added, removed and changed, each with the session and what it was", async () => {
    await watching({ list: [ME, A, B] }, async ({ back, tick, changes }) => {
      back.list = [ME, { ...B, ip_address: "203.0.113.8" }, C];
      await tick(MINUTE);
      assert.deepEqual(changes.map(({ type, session, previous, at }) => [type, session.id, session.ipAddress, previous && [previous.id, previous.ipAddress], at]), [
        ["removed", "a", "203.0.113.7", ["a", "203.0.113.7"], "2026-03-01T12:01:00.000Z"],
        ["changed", "b", "203.0.113.8", ["b", "203.0.113.7"], "2026-03-01T12:01:00.000Z"],
        ["added", "c", "203.0.113.7", null, "2026-03-01T12:01:00.000Z"],
      ]);
    });
  });

  test("what only raw has is no change", async () => {
    await watching({ list: [ME] }, async ({ back, tick, kinds }) => {
      back.list = [{ ...ME, hits: 7 }];
      await tick(MINUTE);
      assert.deepEqual(kinds(), []);
    });
  });

  test("a session that has run out is changed once, with its status, even if it is listed on", async () => {
    const ending = item("a", { expires_at: "2026-03-01T12:01:30Z", created_at: "2026-03-01T12:00:00Z" });
    await watching({ list: [ME, ending, item("old", { expires_at: "2026-03-01T11:00:00Z" })] }, async ({ tick, changes }) => {
      for (let n = 0; n < 4; n++) await tick(MINUTE);
      const told = changes.filter(({ type }) => type !== "finding");
      assert.deepEqual(told.map(({ type, session, previous, at }) => [type, session.id, session.status, previous.status, at]), [["changed", "a", "expired", "active", "2026-03-01T12:02:00.000Z"]]);
    });
  });

  test("the own one goes by what is listed, and not by the clock of this device", async () => {
    const ends = { expires_at: "2026-03-08T12:00:00Z", created_at: "2026-03-01T12:00:00Z" };
    const mine = item("me", ends);
    await watching({ list: [mine, item("a", ends)] }, async ({ back, tick, kinds, changes }) => {
      const told = () => (changes.splice(0, changes.length, ...changes.filter(({ type }) => type !== "finding")), kinds());
      await tick(MINUTE);
      await tick(8 * 24 * 60 * MINUTE);
      assert.deepEqual(told(), ["changed a"]);
      // Unmarked, because another tab refreshed: it is still known as the own one.
      back.list = [item("me", { ...ends, is_current: false })];
      await tick(MINUTE);
      assert.deepEqual(told(), ["removed a", "changed me"]);
      await tick(MINUTE);
      assert.deepEqual(told(), []);
      back.list = [item("me", { ...ends, status: "expired" })];
      await tick(MINUTE);
      assert.deepEqual(told(), ["changed me", "current-revoked"]);
    });
  });

  describe("a list without an end is an error, and what was seen before is kept", () => {
    const provider = { list: { method: "GET", path: "/s", cursor: { query: "c" }, next: "next" }, revoke: { method: "DELETE", path: "/s/{id}" } };
    for (const [what, page, most] of [
      ["of ever new pages", (n) => ({ sessions: [], next: `c${n}` }), 1001],
      ["of too many sessions", (n) => ({ sessions: Array.from({ length: 1000 }, (_, i) => ({ id: `${n}-${i}` })), next: `c${n}` }), 11],
      ["whose pages come again", (n) => ({ sessions: [{ id: `${n}` }], next: `c${n % 3}` }), 4],
    ]) {
      test(what, async () => {
        await watching({ client: { provider }, list: { sessions: [{ id: "a" }], next: null } }, async ({ back, tick, asked, kinds }) => {
          asked.length = 0;
          let n = 0;
          back.answer = () => json(page(n++));
          await tick(MINUTE);
          for (let i = 0; i < 200 && asked.length < most; i++) await settle();
          await settle();
          assert.deepEqual([kinds(), asked.length], [["error invalid_response"], most]);
          back.answer = undefined;
          await tick(2 * MINUTE);
          assert.deepEqual([kinds(), asked.length], [[], most + 1]);
        });
      });
    }

    test("of another make", async () => {
      let given = 0;
      const list = async function* () {
        for (;;) yield { id: `s${given++}` };
      };
      const changes = watch({ list })[Symbol.asyncIterator]();
      const { value } = await settles(changes.next(), 10_000);
      assert.deepEqual([value.error.code, given], ["invalid_response", 10_001]);
      await changes.return();
    });
  });

  test("a poll takes two minutes at most: it is given up, told as a timeout, and the next one is as usual", async () => {
    await compiled();
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: START });
    try {
      const signals = [];
      let isStuck = false;
      const list = ({ signal }) => (signals.push(signal), isStuck ? never() : [{ id: "a" }]);
      const told = [];
      const stop = subscribe({ list }, (change) => void told.push(change));
      const tick = async (ms) => {
        mock.timers.tick(ms);
        await settle();
      };
      await settle();
      isStuck = true;
      await tick(1.1 * MINUTE);
      await tick(2 * MINUTE - 1);
      assert.deepEqual([told, signals.length, signals[1].aborted], [[], 2, false]);
      await tick(1);
      assert.deepEqual(told.map(({ type, error }) => [type, error.code, error.transient]), [["error", "timeout", true]]);
      assert.equal(signals[1].aborted, true);
      isStuck = false;
      await tick(2.2 * MINUTE);
      assert.deepEqual([told.length, signals.length], [1, 3]);
      stop();
    } finally {
      mock.timers.reset();
    }
  });

  test("all pages are read, each as large as the back-end makes them", async () => {
    const page = (from, to) => Array.from({ length: to - from }, (_, n) => ({ id: `sess_${from + n}`, object: "session", status: "active", user_id: "user_1", created_at: START, last_active_at: START, expire_at: START * 2, abandon_at: START * 2 }));
    const client = { provider: "clerk", baseUrl: "https://api.clerk.example.com/v1", token: SECRET_KEY };
    await watching({ client, watched: { userId: "user_1" } }, async ({ back, tick, sent, kinds }) => {
      back.answer = (request) => json(page(...({ 0: [0, 500], 500: [500, 700] })[new URL(request.url).searchParams.get("offset") ?? 0]));
      sent.length = 0;
      await tick(MINUTE);
      await tick(MINUTE);
      assert.deepEqual(sent.slice(0, 2).map(({ url }) => new URL(url).searchParams.get("limit")), ["500", "500"]);
      assert.deepEqual(sent.slice(0, 2).map(({ url }) => new URL(url).searchParams.get("user_id")), ["user_1", "user_1"]);
      kinds();
      back.answer = () => json(page(0, 499));
      await tick(MINUTE);
      assert.equal(kinds().filter((kind) => kind.startsWith("removed")).length, 201);
    });
  });

  test("findings: new ones, once; a history of earlier visits is kept to", async () => {
    const other = item("b", { user_agent: FIREFOX, ip_address: "198.51.100.1" });
    await watching({ list: [ME] }, async ({ back, tick, changes, kinds }) => {
      back.list = [ME, other];
      await tick(MINUTE);
      const [, device, network] = changes;
      assert.deepEqual([device.finding.sessionIds, device.finding.evidence.device, network.finding.evidence.network], [["b"], "Firefox on Windows", "198.51.100.0/24"]);
      assert.deepEqual(kinds(), ["added b", "finding new_device", "finding new_network"]);
      await tick(MINUTE);
      assert.deepEqual(kinds(), []);
      back.list = [ME];
      await tick(MINUTE);
      back.list = [ME, other];
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["removed b", "added b"], "it is known now");
    });
    const { sessions } = faked(() => json([ME, other]), { provider: "rest", baseUrl: "https://api.example.com" });
    const history = remember((await sessions.list()).sessions);
    const kept = JSON.stringify(history);
    await watching({ list: [ME], watched: { history } }, async ({ back, tick, kinds }) => {
      back.list = [ME, other];
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["added b"]);
      assert.equal(JSON.stringify(history), kept);
    });
  });

  test("findings: a limit is told when it is passed and for whom it is new, not when it is passed by less", async () => {
    await watching({ list: [ME, A], watched: { thresholds: { maxConcurrent: 2 } } }, async ({ back, tick, kinds }) => {
      for (const [list, told] of [[[ME, A, B, C], 1], [[ME, A, B], 0], [[ME, A], 0], [[ME, A, B], 1], [[ME, A, B], 0], [[ME, A, B, C], 1]]) {
        back.list = list;
        await tick(MINUTE);
        assert.equal(kinds().filter((kind) => kind === "finding concurrent_sessions").length, told);
      }
    });
  });

  test("another user: what is theirs is told as a list, and not as strange devices", async () => {
    await watching({ list: [ME, A] }, async ({ back, tick, kinds }) => {
      const theirs = { user_id: "u2", user_agent: FIREFOX, ip_address: "198.51.100.1" };
      back.list = [item("x", { ...theirs, is_current: true }), item("y", theirs)];
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["removed me", "removed a", "added x", "added y"]);
      back.list.push(item("z", { user_id: "u2" }));
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["added z", "finding new_device", "finding new_network"]);
    });
  });
});

describe("current-revoked", () => {
  test("a list without it, once, until there is one again", async () => {
    await watching({ list: [ME, A] }, async ({ back, tick, kinds }) => {
      back.list = [A];
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["removed me", "current-revoked"]);
      await tick(MINUTE);
      back.answer = () => json({ detail: "no" }, { status: 401 });
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["error unauthenticated"], "it was told");
      back.answer = undefined;
      back.list = [A, item("again", { is_current: true })];
      await tick(2 * MINUTE);
      assert.deepEqual(kinds(), ["added again"]);
      back.list = [A];
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["removed again", "current-revoked"]);
    });
  });

  for (const status of ["revoked", "ended", "expired"]) {
    test(`listed as ${status}`, async () => {
      await watching({ list: [ME, A] }, async ({ back, tick, kinds }) => {
        back.list = [{ ...ME, status }, A];
        await tick(MINUTE);
        assert.deepEqual(kinds(), ["changed me", "current-revoked"]);
      });
    });
  }

  test("a 401, with the error before it; again only after it worked", async () => {
    await watching({ list: [A] }, async ({ back, tick, kinds }) => {
      back.answer = () => json({ detail: "no" }, { status: 401 });
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["error unauthenticated", "current-revoked"]);
      await tick(2 * MINUTE);
      assert.deepEqual(kinds(), ["error unauthenticated"]);
    });
  });

  test("a 401 at first is an error: there was no session", async () => {
    await watching({ client: { fetch: async () => json({}, { status: 401 }) } }, async ({ kinds }) => assert.deepEqual(kinds(), ["error unauthenticated"]));
  });

  for (const [what, answer, code] of [
    ["the network", () => Promise.reject(new TypeError("fetch failed")), "network"],
    ["a server error", () => json({}, { status: 500 }), "server_error"],
    ["a refusal", () => json({ detail: "no" }, { status: 403 }), "forbidden"],
    ["too many requests", () => json({}, { status: 429, headers: { "content-type": "application/json", "retry-after": "60" } }), "rate_limited"],
    ["a page of a proxy", () => new Response("<html>", { headers: { "content-type": "text/html" } }), "invalid_response"],
  ]) {
    test(`not because of ${what}`, async () => {
      await watching({ list: [ME, A] }, async ({ back, tick, kinds }) => {
        back.answer = answer;
        await tick(MINUTE);
        assert.deepEqual(kinds(), [`error ${code}`]);
        back.answer = undefined;
        await tick(3 * MINUTE);
        assert.deepEqual(kinds(), [], "and what comes after it is compared with what was before it");
      });
    });
  }

  test("not because a token function has none, or fails", async () => {
    let token = () => "t";
    await watching({ list: [ME], client: { token: () => token() } }, async ({ tick, kinds }) => {
      token = () => {
        throw new Error("storage");
      };
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["error unauthenticated"]);
    });
  });

  test("not where a refresh made a new session of it, here or in another tab", async () => {
    await watching({ list: [ME, A] }, async ({ back, tick, kinds }) => {
      back.list = [A, item("here", { is_current: true })];
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["removed me", "added here"]);
      // The other tab's: this one's token still names the old one.
      back.list = [A, item("there", { is_current: false })];
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["removed here", "added there"]);
      back.list = [A];
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["removed there", "current-revoked"]);
    });
  });

  test("but where another kind of device signs in at that moment", async () => {
    await watching({ list: [ME, A] }, async ({ back, tick, kinds }) => {
      back.list = [A, item("b", { user_agent: FIREFOX })];
      await tick(MINUTE);
      assert.deepEqual(kinds(), ["removed me", "added b", "current-revoked", "finding new_device"]);
    });
  });
});

// ---------------------------------------------------------------- when

describe("the pace", () => {
  test("every minute, up to a tenth later by chance", async () => {
    await watching({ list: [ME], chance: 0.999 }, async ({ tick, asked }) => {
      await tick(65_993);
      assert.deepEqual(asked, [0]);
      await tick(2);
      assert.equal(asked.length, 2);
    });
  });

  for (const [interval, real] of [[5000, 5000], [1, 1000], [null, 60_000], [undefined, 60_000]]) {
    test(`an interval of ${interval} is ${real} ms`, async () => {
      await watching({ list: [ME], watched: { interval } }, async ({ tick, asked }) => {
        for (let n = 0; n < 3; n++) await tick(real);
        await tick(real - 1);
        assert.deepEqual(asked, [0, real, 2 * real, 3 * real]);
      });
    });
  }

  test("errors put it off, twice as long each time, up to a quarter of an hour; then it is as before", async () => {
    await watching({ list: [ME] }, async ({ back, tick, asked }) => {
      back.answer = () => json({}, { status: 503 });
      for (let n = 0; n < 60; n++) await tick(MINUTE);
      assert.deepEqual(asked.map((ms) => ms / MINUTE), [0, 1, 3, 7, 15, 30, 45, 60]);
      back.answer = undefined;
      for (let n = 0; n < 17; n++) await tick(MINUTE);
      assert.deepEqual(asked.slice(8).map((ms) => ms / MINUTE), [75, 76, 77]);
    });
  });

  test("a longer interval is never shortened by an error", async () => {
    await watching({ list: [ME], watched: { interval: 60 * MINUTE } }, async ({ back, tick, asked }) => {
      back.answer = () => json({}, { status: 503 });
      for (let n = 0; n < 5; n++) await tick(30 * MINUTE);
      assert.deepEqual(asked.map((ms) => ms / MINUTE), [0, 60, 120]);
    });
  });

  test("Retry-After is obeyed, however long", async () => {
    await watching({ list: [ME] }, async ({ back, tick, asked }) => {
      back.answer = () => json({}, { status: 429, headers: { "retry-after": "3600" } });
      await tick(MINUTE);
      back.answer = undefined;
      for (let n = 0; n < 60; n++) await tick(MINUTE);
      assert.deepEqual(asked.map((ms) => ms / MINUTE), [0, 1, 61]);
    });
  });

  for (const [sessions, minutes] of [[1, 1], [100, 1], [101, 2], [250, 3]]) {
    test(`KSeF, ${sessions} sessions: half of what it takes in an hour at most, whatever the interval`, async () => {
      const items = Array.from({ length: sessions }, (_, n) => ({ referenceNumber: `20260131-AU-0123456789-${String(n).padStart(10, "0")}-01`, isCurrent: n === 0, startDate: "2026-03-01T11:00:00Z", status: { code: 200, description: "ok" } }));
      let requests = 0;
      const fetch = async (request) => {
        requests++;
        const from = Number(request.headers.get("x-continuation-token") ?? 0);
        const size = Number(new URL(request.url).searchParams.get("pageSize"));
        return json({ items: items.slice(from, from + size), continuationToken: from + size < items.length ? String(from + size) : null });
      };
      const client = { provider: "ksef", environment: "test", baseUrl: undefined, fetch };
      await watching({ client, watched: { interval: 1000 } }, async ({ tick, kinds }) => {
        for (let n = 0; n < 59; n++) await tick(MINUTE);
        assert.deepEqual(kinds(), []);
        const pages = Math.ceil(sessions / 100);
        assert.equal(requests, Math.ceil(60 / minutes) * pages);
        assert.ok(requests <= 60);
      });
    });
  }

  test("a clock that is set back stops nothing", async () => {
    await watching({ list: [ME] }, async ({ tick, asked }) => {
      mock.method(Date, "now", () => START - 60 * MINUTE);
      await tick(MINUTE);
      assert.equal(asked.length, 2);
    });
  });

  test("a consumer that takes nothing is not polled for without end", async () => {
    let n = 0;
    const list = () => Array.from({ length: 500 }, (_, i) => item(`s${n}-${i}`, { user_agent: null, ip_address: null }));
    await compiled();
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: START });
    try {
      const { sessions } = faked(() => (n++, json(list())), { provider: "rest", baseUrl: "https://api.example.com" });
      const changes = watch(sessions, { thresholds: { maxConcurrent: 10_000 } })[Symbol.asyncIterator]();
      const first = changes.next();
      await settle();
      for (let i = 0; i < 20; i++) {
        mock.timers.tick(2 * MINUTE);
        await settle();
      }
      assert.equal((await first).value.type, "removed");
      assert.equal(n, 3);
      while (n === 3) {
        await changes.next();
        await settle();
      }
      assert.equal(n, 4, "and goes on when it has");
      await changes.return();
    } finally {
      mock.timers.reset();
    }
  });
});

describe("hidden and offline", () => {
  /** A page, as far as it is looked at. */
  const page = (visibilityState = "visible") => Object.assign(new EventTarget(), { visibilityState });

  test("nothing is asked while hidden; at once when it is seen and a poll is overdue, else when it is due", async () => {
    const document = page();
    const show = (state) => {
      document.visibilityState = state;
      document.dispatchEvent(new Event("visibilitychange"));
      return settle();
    };
    await having({ document }, () => watching({ list: [ME] }, async ({ tick, asked }) => {
      await show("hidden");
      for (let n = 0; n < 9; n++) await tick(MINUTE / 2);
      assert.deepEqual(asked, [0]);
      await show("visible");
      assert.deepEqual(asked, [0, 4.5 * MINUTE]);
      await show("hidden");
      await tick(MINUTE / 2);
      await show("visible");
      assert.equal(asked.length, 2);
      await tick(MINUTE / 2);
      assert.equal(asked.length, 3);
    }));
  });

  test("a page that is opened in the background asks when it is seen", async () => {
    const document = page("hidden");
    await having({ document }, () => watching({ list: [ME] }, async ({ tick, asked }) => {
      await tick(MINUTE);
      assert.deepEqual(asked, []);
      document.visibilityState = "visible";
      document.dispatchEvent(new Event("visibilitychange"));
      await settle();
      assert.deepEqual(asked, [MINUTE]);
    }));
  });

  test("nothing is asked while offline; at once when the network is back", async () => {
    const events = new EventTarget();
    const navigator = { onLine: false, userAgent: "Node.js/20" };
    const globals = { navigator, addEventListener: (...args) => events.addEventListener(...args), removeEventListener: (...args) => events.removeEventListener(...args) };
    await having(globals, () => watching({ list: [ME] }, async ({ tick, asked, kinds }) => {
      await tick(MINUTE);
      assert.deepEqual([asked, kinds()], [[], []]);
      navigator.onLine = true;
      events.dispatchEvent(new Event("online"));
      await settle();
      assert.deepEqual(asked, [MINUTE]);
      navigator.onLine = false;
      events.dispatchEvent(new Event("offline"));
      await tick(5 * MINUTE);
      assert.deepEqual(asked, [MINUTE]);
    }));
  });
});

// ---------------------------------------------------------------- its end

describe("the end", () => {
  const counted = () => {
    const target = Object.assign(new EventTarget(), { visibilityState: "visible" });
    const count = () => ["visibilitychange", "online", "offline"].reduce((sum, name) => sum + getEventListeners(target, name).length, 0);
    return { globals: { document: target, addEventListener: target.addEventListener.bind(target), removeEventListener: target.removeEventListener.bind(target) }, count };
  };

  test("leaving the loop takes every timer and listener with it", async () => {
    const { globals, count } = counted();
    const controller = new AbortController();
    await having(globals, async () => {
      const { sessions } = await signedIn();
      let calls = 0;
      const listed = { ...sessions, list: (...args) => (calls++ ? [{ id: "x" }] : sessions.list(...args)) };
      for await (const { type } of watch(listed, { interval: 1, signal: controller.signal })) {
        assert.equal(type, "removed");
        assert.ok(count() === 3 && getEventListeners(controller.signal, "abort").length === 1);
        break;
      }
      assert.deepEqual([count(), getEventListeners(controller.signal, "abort").length], [0, 0]);
    });
  });

  test("its signal ends it: the loop is over, what waits is settled, the request is given up", async () => {
    const { globals, count } = counted();
    const controller = new AbortController();
    await having(globals, async () => {
      let given;
      const { sessions } = faked((request, _, init) => ((given = init.signal), never()));
      const changes = watch(sessions, { signal: controller.signal })[Symbol.asyncIterator]();
      const waiting = [changes.next(), changes.next()];
      while (!given) await settle();
      controller.abort(new Error("why"));
      assert.deepEqual(await settles(Promise.all(waiting)), [{ done: true, value: undefined }, { done: true, value: undefined }]);
      assert.deepEqual(await changes.next(), { done: true, value: undefined });
      await settle();
      assert.equal(given.aborted, true);
      assert.deepEqual([count(), getEventListeners(controller.signal, "abort").length], [0, 0]);
    });
  });

  test("a signal that has fired: nothing is asked", async () => {
    const { sessions, sent } = faked(() => json([]));
    for await (const change of watch(sessions, { signal: AbortSignal.abort() })) assert.fail(change.type);
    assert.equal(sent.length, 0);
  });

  test("nothing begins before somebody asks, and each loop is its own", async () => {
    const { sessions, sent } = faked(() => json([ME]), { provider: "rest", baseUrl: "https://api.example.com" });
    const changes = watch(sessions);
    await settle();
    assert.equal(sent.length, 0);
    const loops = [changes[Symbol.asyncIterator](), changes[Symbol.asyncIterator]()];
    for (const loop of loops) loop.next();
    while (sent.length < 2) await settle();
    await Promise.all(loops.map((loop) => loop.return()));
    assert.deepEqual(await loops[0].return("x"), { done: true, value: "x" });
  });

  test("a function that is stopped is not called again, not even in the middle", async () => {
    let calls = 0;
    const start = (sessions, _, options) => {
      const stop = subscribe(sessions, () => void (calls++, stop()), options);
      return stop;
    };
    await watching({ list: [ME], start }, async ({ back, tick, asked }) => {
      back.list = [ME, A, B, C];
      for (let n = 0; n < 3; n++) await tick(MINUTE);
      assert.deepEqual([calls, asked.length], [1, 2]);
    });
  });

  test("what the function throws is the application's, and stops nothing; a slow one is waited for", async () => {
    const reported = [];
    let release;
    const calls = [];
    const start = (sessions, _, options) => subscribe(sessions, ({ session }) => {
      calls.push(session.id);
      if (session.id === "a") throw new Error("mine");
      return session.id === "b" ? new Promise((resolve) => (release = resolve)) : undefined;
    }, options);
    await having({ reportError: (error) => reported.push(error.message) }, () => watching({ list: [ME], start }, async ({ back, tick }) => {
      back.list = [ME, A, B, C];
      await tick(MINUTE);
      assert.deepEqual([calls, reported], [["a", "b"], ["mine"]]);
      release();
      await settle();
      assert.deepEqual(calls, ["a", "b", "c"]);
    }));
  });
});

// ---------------------------------------------------------------- what it is given

test("wrong options are refused at once, by the entry's own errors", () => {
  const { sessions } = faked(() => json([]));
  const thrown = (call, code, said) => assert.throws(call, (error) => SessionsError.is(error) && error.code === code && said.test(error.message));
  for (const interval of [0, -1, 1.5, NaN, Infinity, 2 ** 31, "60"]) thrown(() => watch(sessions, { interval }), "invalid_options", /interval/);
  thrown(() => watch(sessions, { signal: {} }), "invalid_options", /signal/);
  thrown(() => watch(sessions, { geo: 1 }), "invalid_options", /geo/);
  thrown(() => watch(sessions, { thresholds: { maxkmh: 1 } }), "invalid_options", /maxkmh/);
  thrown(() => watch(sessions, { history: {} }), "invalid_options", /salt/);
  thrown(() => watch(sessions, null), "invalid_options", /options/);
  for (const none of [undefined, null, {}, "x"]) thrown(() => watch(none), "invalid_argument", /createSessions/);
  thrown(() => subscribe(sessions, {}), "invalid_argument", /onChange/);
});

test("what is wrong with the list's options comes as an error, and headers as headers", async () => {
  await watching({ watched: { pageSize: 0 } }, async ({ kinds, asked }) => assert.deepEqual([kinds(), asked], [["error invalid_argument"], []]));
  await watching({ list: [ME], watched: { headers: { "x-one": "1" } } }, async ({ sent, kinds }) => {
    assert.equal(sent[0].headers.get("x-one"), "1");
    assert.equal(sent[0].headers.get("authorization"), "Bearer access");
    assert.deepEqual(kinds(), []);
  });
});

test("sessions of another make: what is none is passed over, what can't be compared is an error, and it goes on", async () => {
  await compiled();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: START });
  try {
    let list = [null, 7, { id: 7 }, { id: "a", expiresAt: Symbol("x"), status: "pending" }];
    const changes = [];
    const stop = subscribe({ list: () => list }, ({ type, session, error }) => void changes.push([type, session?.id ?? error.code].join(" ")));
    await settle();
    const circular = { id: "b" };
    circular.self = circular;
    const step = async (next) => {
      list = next;
      mock.timers.tick(5 * MINUTE);
      await settle();
      return changes.splice(0);
    };
    assert.deepEqual(await step([...list, { id: "b" }]), ["added b"]);
    assert.deepEqual(await step([{ id: "d" }, circular]), ["error internal"], "and nothing of a list that is not understood");
    assert.deepEqual(await step({}), ["error internal"]);
    assert.deepEqual(await step([{ id: "c" }]), ["removed a", "removed b", "added c"]);
    stop();
  } finally {
    mock.timers.reset();
  }
});

// ---------------------------------------------------------------- tabs (in real browsers: tests/matrix/tabs.mjs)

describe("another tab has the lock", () => {
  /** Runs it where there are tabs, with locks that others hold: `names` are those that were asked for. */
  const withTabs = (run, request = (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))) => {
    const names = [];
    const locks = { request: (name, { signal }) => (names.push(name), request(signal)) };
    return having({ navigator: { userAgent: "Mozilla/5.0", onLine: true, locks } }, () => run(names));
  };
  /** Says that to the tabs of that name. */
  const say = async (name, ...texts) => {
    const channel = new BroadcastChannel(name);
    for (const text of texts) channel.postMessage(text);
    await settle();
    channel.close();
  };

  test("this one asks for nothing and tells what it hears; when nothing is said for too long, it asks", async () => {
    await withTabs((names) => watching({ list: [ME, A] }, async ({ tick, asked, kinds, sessions }) => {
      const { sessions: list } = await sessions.list();
      asked.length = 0;
      await tick(MINUTE);
      await say(names[0], JSON.stringify({ list: list.slice(0, 1) }));
      assert.deepEqual([kinds(), asked], [["removed a"], []]);
      await tick(3 * MINUTE - 1);
      assert.deepEqual(asked, []);
      await tick(1);
      assert.deepEqual([kinds(), asked], [["added a"], [4 * MINUTE]]);
    }));
  });

  test("errors are heard, with their wait", async () => {
    await withTabs((names) => watching({ list: [ME] }, async ({ tick, asked, changes, kinds }) => {
      await say(names[0], JSON.stringify({ error: { code: "rate_limited", message: "slowly", status: 429, retryAfter: 3600, transient: true } }));
      const [{ error }] = changes;
      assert.ok(SessionsError.is(error) && error.status === 429 && error.retryAfter === 3600 && error.serverCode === null);
      assert.deepEqual(kinds(), ["error rate_limited"]);
      for (let n = 0; n < 120; n++) await tick(MINUTE);
      assert.deepEqual(asked, [0]);
      await tick(MINUTE);
      assert.equal(asked.length, 2);
    }));
  });

  test("what is no message is nothing, and nothing that is said makes it ask faster", async () => {
    await withTabs((names) => watching({ list: [ME] }, async ({ tick, asked, kinds }) => {
      await say(names[0], "", "{", "null", "7", "{}", 7, null, { list: [] }, JSON.stringify({ list: 7 }), JSON.stringify({ error: {} }), JSON.stringify({ list: [null, {}, { id: 7 }, { id: "me", status: "active" }] }));
      assert.deepEqual(kinds(), ["changed me"]);
      await say(names[0], ...Array(50).fill(JSON.stringify({ error: { code: "network", message: "x", retryAfter: "x" } })), JSON.stringify({ error: { code: "network", message: "x", retryAfter: -1e9 } }));
      await tick(MINUTE);
      assert.deepEqual(asked, [0]);
    }));
  });

  test("the name is a hash, the same for the same session, and for no other user, options or back-end", async () => {
    const nameOf = (setting) => withTabs(async (names) => {
      await watching({ list: [ME, A], ...setting }, async () => {});
      assert.equal(names.length, 1);
      assert.match(names[0], /^auth-sessions [\da-f]{64}$/);
      return names[0];
    });
    const own = await nameOf({});
    assert.equal(await nameOf({ list: [{ ...ME, last_active_at: "2026-03-01T11:59:00Z", ip_address: "198.51.100.1" }] }), own);
    const others = [
      { list: [item("other", { is_current: true })] }, { list: [{ ...ME, user_id: "u2" }] }, { list: [{ ...ME, created_at: "2026-03-01T11:00:01Z" }] },
      { watched: { interval: 5000 } }, { watched: { timeout: 5000 } }, { watched: { headers: { a: "b" } } },
      { client: { provider: { name: "mine", list: { method: "GET", path: "/api/v1/sessions" }, revoke: { method: "DELETE", path: "/s/{id}" } } } },
    ];
    const all = [own];
    for (const setting of others) all.push(await nameOf(setting));
    assert.equal(new Set(all).size, all.length);
  });

  test("where the list doesn't say which session is the current one, each tab asks", async () => {
    await withTabs((names) => watching({ list: [A] }, async ({ tick, asked }) => {
      await tick(MINUTE);
      assert.deepEqual([asked, names], [[0, MINUTE], []]);
    }));
  });

  test("where its session has neither a time nor a user, each tab asks: its id alone may be another back-end's", async () => {
    for (const [more, isAlone] of [[{ created_at: null, user_id: null }, true], [{ created_at: null }, false], [{ user_id: null }, false]]) {
      await withTabs((names) => watching({ list: [{ ...ME, ...more }] }, async ({ tick, asked }) => {
        await tick(MINUTE);
        assert.deepEqual([asked.length, names.length], isAlone ? [2, 0] : [1, 1]);
      }));
    }
  });

  test("every tenth time it asks by itself: where another user has signed in, it goes on with theirs", async () => {
    await withTabs((names) => watching({ list: [ME, A] }, async ({ back, tick, asked, kinds, sessions }) => {
      const { sessions: [me, a] } = await sessions.list();
      asked.length = 0;
      const turns = async (first, second) => {
        for (let n = 0; n < 9; n++) {
          await tick(MINUTE - 1);
          await say(names[0], JSON.stringify({ list: n % 2 ? second : first }));
        }
      };
      await turns([me], [me, a]);
      assert.deepEqual([kinds().length, asked.length], [9, 0]);
      await say(names[0], JSON.stringify({ list: [me, a] }));
      assert.deepEqual(kinds(), [], "nine in a row were believed");
      await tick(MINUTE);
      assert.deepEqual([kinds(), asked.length, names.length], [["added a"], 1, 1], "the same user: they stay together");
      await turns([me, a], [me, a]);
      back.list = [item("x", { is_current: true, user_id: "u2" })];
      await tick(MINUTE);
      assert.deepEqual([kinds(), asked.length, names.length], [["removed me", "removed a", "added x"], 2, 2]);
      await say(names[0], JSON.stringify({ list: [me] }));
      assert.deepEqual(kinds(), [], "what the others say is not for this one any more");
    }));
  });

  test("a list that can't be written is not shared: nothing is thrown, and each tab asks", async () => {
    const cycle = {};
    cycle.self = cycle;
    for (const raw of [cycle, 1n]) {
      const held = [];
      const locks = { request: (name, { signal }, lead) => (held.push(signal), lead({})) };
      await having({ navigator: { userAgent: "Mozilla/5.0", onLine: true, locks } }, async () => {
        mock.timers.enable({ apis: ["setTimeout", "Date"], now: START });
        let polls = 0;
        const told = [];
        const stop = subscribe({ list: () => (polls++, [{ id: "me", status: "active", current: true, userId: "u", raw: polls === 2 ? {} : raw }]) }, ({ type }) => void told.push(type));
        try {
          await settle();
          for (let n = 0; n < 4; n++) {
            mock.timers.tick(1.1 * MINUTE);
            await settle();
          }
          // The second one could be: together from there to the third one.
          assert.deepEqual([polls, told, held.map(({ aborted }) => aborted)], [5, [], [true]]);
        } finally {
          stop();
          mock.timers.reset();
        }
      });
    }
  });

  test("where locks are refused, each tab asks", async () => {
    await withTabs(() => watching({ list: [ME] }, async ({ tick, asked }) => {
      await tick(MINUTE);
      await tick(MINUTE);
      assert.deepEqual(asked, [0, MINUTE, 2 * MINUTE]);
    }), async () => {
      throw new DOMException("no", "SecurityError");
    });
  });

  test("on a server nothing is shared, whatever the runtime has", async () => {
    const locks = { request: () => assert.fail("a lock was asked for") };
    await having({ navigator: { userAgent: "Node.js/24", locks } }, () => watching({ list: [ME] }, async ({ tick, asked }) => {
      await tick(MINUTE);
      assert.equal(asked.length, 2);
    }));
  });

  test("a tab that leads tells what it lists; when its own token is refused it lets another one try, and says nothing", async () => {
    const held = [];
    await having({ navigator: { userAgent: "Mozilla/5.0", onLine: true, locks: { request: (name, { signal }, lead) => (held.push({ name, signal }), lead({})) } } }, () => watching({ list: [ME, A] }, async ({ back, tick, kinds }) => {
      const heard = [];
      const channel = new BroadcastChannel(held[0].name);
      channel.onmessage = ({ data }) => heard.push(data);
      back.list = [ME];
      await tick(MINUTE);
      assert.deepEqual(heard.map((text) => JSON.parse(text).list.map(({ id }) => id)), [["me"]]);
      assert.ok(!heard[0].includes("access"), "the token");
      back.answer = () => json({}, { status: 503 });
      await tick(MINUTE);
      assert.deepEqual(heard.slice(1).map((text) => JSON.parse(text).error.code), ["server_error"]);
      assert.equal(held[0].signal.aborted, false);
      back.answer = () => json({}, { status: 401 });
      await tick(2 * MINUTE);
      assert.deepEqual([heard.length, held[0].signal.aborted], [2, true]);
      assert.deepEqual(kinds(), ["removed a", "error server_error", "error unauthenticated", "current-revoked"]);
      channel.close();
    }));
  });
});

// ---------------------------------------------------------------- the real sandbox

describe("against the sandbox", () => {
  beforeEach(() => sandbox.reset());

  test("a session that is revoked elsewhere is removed; the own one, revoked elsewhere, is current-revoked", async (context) => {
    const somebody = createSessions({ provider: "authvital", baseUrl: G1, token: (await sandbox.signIn()).access });
    const { sessions, id } = await signedIn();
    const other = await sandbox.signIn();
    const changes = watch(sessions, { interval: 1 })[Symbol.asyncIterator]();
    context.after(() => changes.return());
    const next = async () => (await settles(changes.next(), 10_000)).value;
    const first = next();
    while (!(await sandbox.lines()).includes("GET /oauth/sessions")) await settle();
    await settle();
    await sessions.revoke(other.id);
    const { type, session } = await first;
    assert.deepEqual([type, session.id], ["removed", other.id]);
    await somebody.revoke(id);
    const told = [await next()];
    while (told.at(-1).type !== "current-revoked") told.push(await next());
    // That the other client was active is a change, too.
    assert.deepEqual(told.filter(({ type }) => type !== "changed").map(({ type, session }) => [type, session?.id]), [["removed", id], ["current-revoked", undefined]]);
  });

  test("the own one, where a revoked session's token is refused: a 401, and current-revoked", async (context) => {
    const [user, other] = [await sandbox.signInOn("rest"), await sandbox.signInOn("rest")];
    await sandbox.forget();
    const sessions = createSessions({ provider: "rest", baseUrl: BASES.rest, token: user.access });
    const changes = watch(sessions, { interval: 1 })[Symbol.asyncIterator]();
    context.after(() => changes.return());
    const next = async () => (await settles(changes.next(), 10_000)).value;
    const first = next();
    while ((await sandbox.lines()).length === 0) await settle();
    await createSessions({ provider: "rest", baseUrl: BASES.rest, token: other.access }).revoke(user.id);
    assert.equal((await first).error.code, "unauthenticated");
    assert.equal((await next()).type, "current-revoked");
  });
});
