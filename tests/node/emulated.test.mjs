// What this package makes of other operations, the same for every back-end: get, current, revokeCurrent, revokeAll, revokeOthers, logout.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SECRET_KEY, fails, faked, fastForward, held, json, jwt, never, settles, told } from "./support.mjs";

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
const padded = (n) => `${n}`.padStart(4, "0");

/** How each back-end lists sessions and ends them. `others`, `all`: the arguments of revokeOthers and revokeAll; null where that is native. */
const BACK_ENDS = {
  "authvital": {
    provider: "authvital", id: (n) => `s-${padded(n)}`, options: (current) => ({ refreshToken: jwt({ sid: current }) }),
    list: (ids) => ({ sessions: ids.map((id) => ({ id })), count: ids.length }), revoked: () => json({ success: true, message: "Session revoked successfully" }),
    all: null, revokeLine: (id) => `POST /oauth/sessions/${id}/revoke`, concurrency: 4,
  },
  "clerk": {
    provider: "clerk", id: (n) => `sess_${padded(n)}`, options: () => ({ token: SECRET_KEY }),
    list: (ids) => ({ data: ids.map((id) => ({ id, status: "active" })), total_count: ids.length }), revoked: (id) => json({ id, status: "revoked" }),
    others: (current, more) => [bearer(jwt({ sid: current })), { userId: "user_1", ...more }], all: (current, more) => [bearer(jwt({ sid: current })), { userId: "user_1", ...more }],
    revokeLine: (id) => `POST /sessions/${id}/revoke`, concurrency: 4,
  },
  "ksef": {
    provider: "ksef", id: (n) => `20260131-AU-0F8FAD5BD9-000000${padded(n)}-70`, options: () => ({}),
    list: (ids, current) => ({
      continuationToken: null, items: ids.map((referenceNumber) => ({ referenceNumber, isCurrent: referenceNumber === current })),
    }), revoked: () => new Response(null, { status: 204 }),
    revokeLine: (id) => `DELETE /auth/sessions/${id}`, concurrency: 1,
  },
  "rest": {
    provider: "rest", id: (n) => `s-${padded(n)}`, options: () => ({}),
    list: (ids, current) => ({
      success: true, data: { sessions: ids.map((id) => ({ id, is_current: id === current })), total_count: ids.length },
    }), revoked: () => json({ success: true, data: {} }),
    revokeLine: (id) => `DELETE /api/v1/sessions/${id}`, concurrency: 4,
  },
};

for (const [name, backEnd] of Object.entries(BACK_ENDS)) {
  const { provider, id, options, list, revoked, revokeLine, concurrency } = backEnd;
  const other = (more) => (more === undefined ? [] : [more]);
  const othersArgs = (current, more) => backEnd.others?.(current, more) ?? other(more);
  const allArgs = (current, more) => backEnd.all?.(current, more) ?? other(more);

  /** A client of a back-end with so many sessions, of which one is the current; `end(id, number)` may answer a revocation otherwise. */
  function make(count, { current = id(2), end = () => undefined, answer, ...more } = {}) {
    const ids = Array.from({ length: count }, (_, n) => id(n));
    const ended = [];
    const state = { open: 0, most: 0 };
    const { sessions, sent } = faked(async (request) => {
      const line = `${request.method} ${new URL(request.url).pathname}`;
      if (request.method === "GET") return answer?.(request) ?? json(list(ids, current));
      const target = ids.find((id) => line === revokeLine(id)) ?? assert.fail(line);
      state.most = Math.max(state.most, ++state.open);
      await new Promise((resolve) => setImmediate(resolve));
      state.open--;
      ended.push(target);
      return (await end(target, ended.length)) ?? revoked(target);
    }, { provider, ...options(current), ...more });
    return { sessions, sent, ended, ids, current, state };
  }
  const others = ({ ids, current }) => ids.filter((id) => id !== current);

  describe(name, () => {
    test("revokeOthers ends each of the others once, and not the current one", async () => {
      const made = make(9);
      const { success, count, revoked: told, message } = await settles(made.sessions.revokeOthers(...othersArgs(made.current)));
      assert.deepEqual([success, count, message], [true, 8, null]);
      assert.deepEqual([told.toSorted(), made.ended.toSorted()], [others(made), others(made)]);
      assert.equal(made.sent.filter(({ method }) => method === "GET").length, 1);
      assert.ok(made.state.most <= concurrency, `${made.state.most} at once`);
      assert.equal(made.state.most, concurrency, "and no fewer");
    });

    if (backEnd.all !== null) {
      test("revokeAll ends the current one last, when all the others are done", async () => {
        let open = 0;
        const made = make(9, {
          async end(target) {
            if (target === id(2)) assert.equal(open, 0);
            open++;
            await new Promise((resolve) => setImmediate(resolve));
            open--;
          },
        });
        const { count, revoked: told } = await settles(made.sessions.revokeAll(...allArgs(made.current)));
        assert.deepEqual([count, told.at(-1), made.ended.at(-1), made.ended.toSorted()], [9, made.current, made.current, made.ids]);
      });

      test("revokeAll: if the others could not be ended, the current one is still tried, and the error is exact", async () => {
        const made = make(5, { end: (target) => (target === id(0) ? json({}, { status: 500 }) : undefined) });
        const error = await fails(made.sessions.revokeAll(...allArgs(made.current)), "partial_revocation");
        assert.deepEqual(error.failed.map(({ id, error: { code } }) => [id, code]), [[id(0), "server_error"]]);
        assert.deepEqual(error.revoked.toSorted(), made.ids.slice(1));
        assert.equal(made.ended.at(-1), made.current);
      });

      test("revokeAll where there is none: nothing is ended, and that is a success", async () => {
        const made = make(0);
        const { success, count, revoked: told, accessTokenValidUntil } = await settles(made.sessions.revokeAll(...allArgs(made.current)));
        assert.deepEqual([success, count, told, accessTokenValidUntil, made.sent.length], [true, 0, [], null, 1]);
      });
    }

    test("revokeOthers where the current one is not listed: current_unknown, and nothing is ended", async () => {
      const made = make(4, { current: id(9) });
      await fails(made.sessions.revokeOthers(...othersArgs(made.current)), "current_unknown");
      assert.deepEqual([made.ended, made.sent.length], [[], 1]);
    });

    test("revokeOthers with the current one alone: nothing to do", async () => {
      const made = make(1, { current: id(0) });
      const { count, revoked: told } = await settles(made.sessions.revokeOthers(...othersArgs(made.current)));
      assert.deepEqual([count, told, made.sent.length], [0, [], 1]);
    });

    test("progress counts every session, failed or not, also when the function throws", async () => {
      const progress = [];
      const onProgress = (done, total) => {
        progress.push([done, total]);
        throw new Error("mine");
      };
      const made = make(6, { end: (target) => (target === id(4) ? json({}, { status: 403 }) : undefined) });
      const error = await fails(made.sessions.revokeOthers(...othersArgs(made.current, { onProgress })), "partial_revocation");
      assert.deepEqual(progress, [1, 2, 3, 4, 5].map((done) => [done, 5]));
      assert.deepEqual([error.revoked.length, error.failed.length, error.operation], [4, 1, "revokeOthers"]);
      assert.equal(error.failed[0].error.operation, "revoke");
    });

    test("one that is gone meanwhile counts as ended", async () => {
      const made = make(4, { end: (target) => (target === id(1) ? json({}, { status: 404 }) : undefined) });
      const { count, revoked: told } = await settles(made.sessions.revokeOthers(...othersArgs(made.current)));
      assert.deepEqual([count, told.toSorted()], [3, others(made)]);
    });

    test("what would meet every further one stops the run", async () => {
      for (const [status, code] of [[401, "unauthenticated"], [429, "rate_limited"]]) {
        const made = make(12, { refreshToken: options(id(2)).refreshToken, end: () => json({}, { status }) });
        const error = await fails(made.sessions.revokeOthers(...othersArgs(made.current)), "partial_revocation");
        assert.deepEqual([error.revoked, error.failed.length, new Set(error.failed.map(({ error }) => error.code))], [[], 11, new Set([code])]);
        assert.ok(made.ended.length <= concurrency, `${made.ended.length} were tried`);
      }
    });

    test("a list that fails is the list's error, and nothing is ended", async () => {
      for (const [status, code] of [[401, "unauthenticated"], [403, "forbidden"], [500, "server_error"]]) {
        const made = make(4, { answer: () => json({}, { status }) });
        const error = await fails(made.sessions.revokeOthers(...othersArgs(made.current)), code);
        assert.deepEqual([error.status, error.operation, made.ended], [status, "revokeOthers", []]);
      }
      const broken = make(4, { answer: () => json({ nothing: true }) });
      await fails(broken.sessions.revokeOthers(...othersArgs(broken.current)), "invalid_response");
      assert.deepEqual(broken.ended, []);
    });

    test("a signal: before, during the list, and between revocations", async () => {
      const before = make(4);
      await fails(before.sessions.revokeOthers(...othersArgs(before.current, { signal: AbortSignal.abort() })), "aborted");
      assert.equal(before.sent.length, 0);

      const controller = new AbortController();
      const during = make(4, {
        answer() {
          setImmediate(() => controller.abort("why"));
          return never();
        },
      });
      const error = await fails(during.sessions.revokeOthers(...othersArgs(during.current, { signal: controller.signal })), "aborted");
      assert.deepEqual([error.cause, during.ended], ["why", []]);

      const between = new AbortController();
      const made = make(20);
      const partial = await fails(
        made.sessions.revokeOthers(...othersArgs(made.current, { signal: between.signal, onProgress: (done) => done === 6 && between.abort() })), "partial_revocation",
      );
      assert.equal(partial.revoked.length + partial.failed.length, 19);
      assert.ok(partial.revoked.length >= 6 && partial.revoked.length <= 6 + concurrency, `${partial.revoked.length}`);
      assert.ok(partial.failed.every(({ error: { code } }) => code === "aborted"));
    });

    test("the time of one attempt is each request's own", async () => {
      const made = make(4, { end: (target) => (target === id(1) ? never() : undefined) });
      const { elapsed, promise } = await fastForward(() => made.sessions.revokeOthers(...othersArgs(made.current, { timeout: 700 })));
      const error = await fails(promise, "partial_revocation");
      assert.deepEqual(error.failed.map(({ id, error: { code } }) => [id, code]), [[id(1), "timeout"]]);
      assert.deepEqual(error.revoked.toSorted(), others(made).filter((other) => other !== id(1)));
      assert.ok(elapsed >= 700 && elapsed < 3000, `${elapsed} ms`);
    });

    test("a revocation that is refused for a while is tried again", async () => {
      let refused = 0;
      const made = make(4, { maxRetries: 2, end: (target) => (target === id(1) && refused++ < 2 ? json({}, { status: 503 }) : undefined) });
      const { promise } = await fastForward(() => made.sessions.revokeOthers(...othersArgs(made.current)));
      assert.equal((await promise).count, 3);
      assert.equal(made.ended.filter((target) => target === id(1)).length, 3);
    });

    test("the call's headers go with every request", async () => {
      const made = make(4);
      await settles(made.sessions.revokeOthers(...(backEnd.others?.(made.current, { headers: { "x-trace": "t-1" } }) ?? [undefined, { headers: { "x-trace": "t-1" } }])));
      assert.equal(made.sent.length, 4);
      assert.ok(made.sent.every(({ headers }) => headers.get("x-trace") === "t-1"));
    });

    test("hooks see each request, with the operation it belongs to, and no ids", async () => {
      const events = [];
      const made = make(3, { hooks: { onResponse: (event) => events.push(event) } });
      await settles(made.sessions.revokeOthers(...othersArgs(made.current)));
      assert.deepEqual(events.map(({ operation }) => operation), ["revokeOthers", "revoke", "revoke"]);
      assert.ok(made.ids.every((id) => !JSON.stringify(events).includes(id)));
    });

    test("the error of a partial revocation can be shown: no secrets, and plain ids", async () => {
      const secret = provider === "clerk" ? SECRET_KEY : "access-token-0123456789";
      const made = make(3, { token: secret, end: () => json({ message: `bad ${secret}` }, { status: 500 }) });
      const error = await fails(made.sessions.revokeOthers(...othersArgs(made.current)), "partial_revocation");
      assert.ok(!told(error).includes(secret));
      assert.deepEqual(error.failed.map(({ id }) => id).toSorted(), others(made));
    });
  });
}

// ---------------------------------------------------------------- one by one

describe("get, current, revokeCurrent and logout from the list", () => {
  const PROFILE = { list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" } };
  const server = (items, options) => faked((request) => (request.method === "GET" ? json(items) : new Response(null, { status: 204 })), { provider: PROFILE, ...options });
  const lines = (sent) => sent.map(({ method, url }) => `${method} ${new URL(url).pathname}`);

  test("get compares whole ids, as texts", async () => {
    const { sessions, sent } = server([{ id: 12 }, { id: 1 }, { id: "01" }]);
    for (const id of ["1", "12", "01"]) assert.equal((await settles(sessions.get(id))).id, id);
    for (const id of ["2", "1.0", "001", " 1", "constructor", "__proto__"]) await fails(sessions.get(id), "not_found", id);
    assert.ok(lines(sent).every((line) => line === "GET /s"));
  });

  test("revokeCurrent and logout: the list, then the revocation of the current one", async () => {
    for (const [operation, check] of [["revokeCurrent", ({ id, success }) => id === "b" && success], ["logout", ({ success, server }) => success && server === "confirmed"]]) {
      const { sessions, sent } = server([{ id: "a" }, { id: "b", current: true }]);
      const result = await settles(sessions[operation]());
      assert.ok(check(result), JSON.stringify(result));
      assert.deepEqual(lines(sent), ["GET /s", "DELETE /s/b"]);
    }
  });

  test("where the current one can't be known, nothing is ended", async () => {
    for (const items of [[], [{ id: "a" }], [{ id: "a", current: false }]]) {
      const { sessions, sent } = server(items);
      for (const operation of ["current", "revokeCurrent", "revokeOthers"]) await fails(sessions[operation](), "current_unknown", operation);
      const { success, error } = await settles(sessions.logout());
      assert.deepEqual([success, error.code], [false, "current_unknown"]);
      assert.ok(lines(sent).every((line) => line === "GET /s"));
    }
  });

  test("a list that says it has more than it shows: no revoke-all pretends to be complete", async () => {
    const { sessions, sent } = server({ sessions: [{ id: "a", current: true }, { id: "b" }], total: 5 });
    for (const operation of ["revokeAll", "revokeOthers"]) await fails(sessions[operation](), "invalid_response", operation);
    assert.ok(lines(sent).every((line) => line === "GET /s"));
    assert.equal((await settles(sessions.list())).total, 5);
  });

  test("sessions that are over are not ended again, and one that is there twice is ended once", async () => {
    const { sessions, sent } = server([
      { id: "a", current: true }, { id: "b", revoked_at: "2026-01-31T09:30:00Z" }, { id: "c", status: "expired" }, { id: "d" }, { id: "d" }, { id: "e", status: "active" },
    ]);
    const { count, revoked } = await settles(sessions.revokeAll());
    assert.deepEqual([count, revoked], [3, ["d", "e", "a"]]);
    assert.deepEqual(lines(sent).toSorted(), ["DELETE /s/a", "DELETE /s/d", "DELETE /s/e", "GET /s"]);
  });

  test("pages that shift: each is ended once, the current one last or not at all", async () => {
    const paged = { ...PROFILE, list: { method: "GET", path: "/s", items: "/items", currentId: "/me", next: "/next", cursor: { query: "c" } } };
    for (const [pages, others, operations = ["revokeAll", "revokeOthers"]] of [
      [[{ items: ["a"] }, { items: ["b", "c", "d"] }, { items: ["b", "e", "d"], me: "d" }], ["a", "b", "c", "e"]],
      [[{ items: ["a", "d"], me: "d" }, { items: ["d", "b"], me: "d" }, { items: ["d", "a"] }], ["a", "b"]],
      // Marked as the current one, too: that is the first, for revokeAll.
      [[{ items: ["a", "b"] }, { items: [["d"], ["a"], ["a"]] }, { items: [["a"], "e"] }], ["a", "b", "e"], ["revokeAll"]],
    ]) {
      const fetch = ({ method, url }) => {
        if (method !== "GET") return new Response(null, { status: 204 });
        const at = Number(new URL(url).searchParams.get("c") ?? 0);
        const { items, me } = pages[at];
        return json({ items: items.map((id) => (typeof id === "string" ? { id } : { id: id[0], current: true })), me, next: at + 1 < pages.length ? String(at + 1) : undefined });
      };
      for (const operation of operations) {
        const { sessions, sent } = faked(fetch, { provider: paged });
        const { revoked } = await settles(sessions[operation]());
        const expected = operation === "revokeAll" ? [...others, "d"] : others;
        assert.deepEqual(revoked.toSorted(), expected.toSorted());
        if (operation === "revokeAll") assert.equal(revoked.at(-1), "d");
        assert.equal(lines(sent).filter((line) => line.startsWith("DELETE")).length, revoked.length);
      }
    }
  });

  test("a token that is refused in the middle is refreshed once, and all are ended", async () => {
    const refresh = { method: "POST", path: "/r", body: { t: "{refreshToken}" }, accessToken: "a" };
    let refreshes = 0;
    const { sessions, sent } = faked((request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/r") return json({ a: `token-${++refreshes}` });
      if (request.method === "GET") return json(Array.from({ length: 10 }, (_, n) => ({ id: `s${n}`, current: n === 0 })));
      return request.headers.get("authorization") === "Bearer old" ? json({}, { status: 401 }) : new Response(null, { status: 204 });
    }, { provider: { ...PROFILE, refresh }, token: "old", refreshToken: "r" });
    const { count } = await settles(sessions.revokeOthers());
    assert.deepEqual([count, refreshes], [9, 1]);
    assert.equal(lines(sent).filter((line) => line === "POST /r").length, 1);
  });
});

const SIX = { sessions: Array.from({ length: 6 }, (_, at) => ({ id: `s${at}`, current: at === 0 })) };

test("onReauthenticate: one dialog for all that need it", async () => {
  for (const again of [true, false]) {
    let [asked, isFresh] = [0, false];
    const { sessions } = faked((request) => (request.method === "GET" ? json(SIX) : isFresh ? new Response(null, { status: 204 }) : json({ code: "SESSION_NOT_FRESH" }, { status: 403 })), {
      provider: "rest",
      onReauthenticate: async () => {
        asked++;
        await new Promise((resolve) => setImmediate(resolve));
        return (isFresh = again);
      },
    });
    if (again) assert.equal((await settles(sessions.revokeOthers())).count, 5);
    else assert.equal((await fails(sessions.revokeOthers(), "partial_revocation")).failed.length, 5);
    assert.equal(asked, 1);
  }
  // One that throws at once is not kept.
  let asked = 0;
  const { sessions } = faked(() => json({ code: "SESSION_NOT_FRESH" }, { status: 403 }), {
    provider: "rest",
    onReauthenticate: () => {
      asked++;
      throw new Error("no");
    },
  });
  for (const times of [1, 2]) {
    await fails(sessions.revoke("a"), "reauthentication_required");
    assert.equal(asked, times);
  }
});

test("where no session is known at the address for it, nothing was ended", async () => {
  const { sessions, sent } = faked((request) => (request.method === "GET" ? json(SIX) : json({ message: "Cannot DELETE" }, { status: 404 })), { provider: "rest" });
  const error = await fails(sessions.revokeOthers(), "partial_revocation");
  assert.deepEqual([error.revoked, error.failed.map(({ id, error }) => [id, error.code])], [[], [1, 2, 3, 4, 5].map((at) => [`s${at}`, "not_found"])]);
  assert.equal(sent.filter(({ method }) => method === "GET").length, 2);
  assert.equal((await fails(sessions.revokeAll(), "partial_revocation")).failed.length, 6);
});

test("where they have all gone by themselves, they are", async () => {
  let lists = 0;
  const { sessions } = faked((request) => (request.method === "GET" ? json(lists++ ? { sessions: SIX.sessions.slice(0, 1) } : SIX) : json({}, { status: 404 })), { provider: "rest" });
  assert.deepEqual((await settles(sessions.revokeOthers())).revoked, [1, 2, 3, 4, 5].map((at) => `s${at}`));
});

test("onReauthenticate: a dialog that nobody waits for any more stands in nobody's way", async () => {
  let asked = 0;
  const { sessions } = faked(() => json({ code: "SESSION_NOT_FRESH" }, { status: 403 }), { provider: "rest", onReauthenticate: () => (asked++ ? false : never()) });
  const controller = new AbortController();
  const first = sessions.revoke("a", { signal: controller.signal });
  while (!asked) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await fails(first, "aborted");
  await fails(sessions.revoke("a"), "reauthentication_required");
  assert.equal(asked, 2);
});

test("onReauthenticate: one that gives up leaves the dialog to those that still wait, and to those that come", async () => {
  let [asked, answer] = [0];
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const { sessions, sent } = faked(() => json({ code: "SESSION_NOT_FRESH" }, { status: 403 }), { provider: "rest", onReauthenticate: () => (asked++, new Promise((resolve) => (answer = resolve))) });
  const controller = new AbortController();
  const [given, waiting] = [sessions.revoke("a", { signal: controller.signal }), sessions.revoke("b")];
  held(given, waiting);
  while (sent.length < 2 || !asked) await turn();
  await turn();
  controller.abort();
  await fails(given, "aborted");
  const late = sessions.revoke("c");
  held(late);
  while (sent.length < 3) await turn();
  for (let turns = 0; turns < 5; turns++) await turn();
  answer(false);
  for (const one of [waiting, late]) await fails(one, "reauthentication_required");
  assert.equal(asked, 1);
});

test("a session that is renewed while it is ended is ended once", async () => {
  let [live, refreshes] = ["s1", 0];
  const posts = [];
  const { sessions } = faked((request) => {
    const { pathname } = new URL(request.url);
    if (request.method === "GET") return json({ sessions: [{ id: live }] });
    if (pathname === "/t") return json({ access: jwt({ sid: (live = `s${++refreshes + 1}`) }), refresh: jwt({ sid: live, n: refreshes }) });
    posts.push(pathname);
    if (!refreshes) return json({}, { status: 401 });
    return pathname === `/s/${live}` ? new Response(null, { status: 204 }) : json({ message: "over" }, { status: 403 });
  }, {
    provider: { list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" }, refresh: { method: "POST", path: "/t", body: { token: "{refreshToken}" }, accessToken: "access", refreshToken: "refresh" } },
    token: jwt({ sid: "s1" }), refreshToken: jwt({ sid: "s1" }),
  });
  assert.deepEqual((await settles(sessions.revokeAll())).revoked, ["s1"]);
  assert.deepEqual(posts, ["/s/s1", "/s/s2"]);
});

const BARE = { list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" } };

/** A REST server with these sessions, whose DELETE is a 204 whatever the id. `answer` is what its list says besides. */
function rest(ids, answer, options) {
  const live = new Set(ids);
  const { sessions, sent } = faked((request) => {
    const { pathname } = new URL(request.url);
    if (request.method === "GET") return json(answer([...live], new URL(request.url)));
    live.delete(pathname.split("/").at(-1));
    return new Response(null, { status: 204 });
  }, { provider: "rest", ...options });
  return { sessions, sent, live };
}

test("an id in a token is a session's where the list has it, or the wire says so: nothing else is ended for it", async () => {
  const token = jwt({ sid: "of-the-identity-provider" });
  const marked = rest(["1", "2"], (ids) => ({ sessions: ids.map((id) => ({ id, is_current: id === "1" })) }), { token });
  assert.equal((await settles(marked.sessions.revokeCurrent())).id, "1");
  assert.deepEqual([...marked.live], ["2"]);
  const unmarked = rest(["1", "2"], (ids) => ({ sessions: ids.map((id) => ({ id })) }), { token, provider: BARE });
  await fails(unmarked.sessions.revokeCurrent(), "current_unknown");
  const { server } = await settles(unmarked.sessions.logout());
  assert.deepEqual([server, unmarked.live.size], ["skipped", 2]);
});

test("the current session that a profile names counts, and no mark that it does not", async () => {
  const { sessions, live } = rest(["a", "b", "c"], (ids) => ({ meta: { me: "b" }, items: ids.map((id) => ({ id, current: id === "a" })) }), {
    provider: { ...BARE, list: { method: "GET", path: "/s", items: "items", currentId: "/meta/me" } },
  });
  assert.deepEqual((await settles(sessions.list())).sessions.map(({ current }) => current), [false, true, false]);
  await settles(sessions.revokeOthers());
  assert.deepEqual([...live], ["b"]);
});

test("sessions that are not listed are none that all or others are without", async () => {
  // Inactive ones are in the total of some.
  const inactive = rest(["1", "2"], (ids) => ({ sessions: ids.map((id) => ({ id, is_current: id === "1" })), total_count: 3, active_count: 2 }));
  assert.equal((await settles(inactive.sessions.revokeOthers())).count, 1);
  // One moves to the page before while that is read, and another one is not seen.
  const paged = { ...BARE, list: { method: "GET", path: "/s", items: "items", next: "next", cursor: { query: "c" } } };
  const shifting = rest([..."abcd"], (ids, { searchParams }) => ({ items: (searchParams.has("c") ? ["b", "c"] : ["a", "b"]).map((id) => ({ id, current: id === "a" })), total: 4, next: searchParams.has("c") ? null : "2" }), { provider: paged });
  for (const operation of ["revokeOthers", "revokeAll"]) await fails(shifting.sessions[operation](), "invalid_response", operation);
  assert.equal(shifting.live.size, 4);
  // There is a next page that can't be asked for.
  const cut = rest([..."abcd"], (ids) => ({ sessions: ids.slice(0, 2).map((id) => ({ id })), next_cursor: "p2" }), { provider: BARE });
  await fails(cut.sessions.revokeAll(), "invalid_response");
  assert.equal(cut.live.size, 4);
  assert.equal((await settles(cut.sessions.list())).sessions.length, 2);
});

test("an emulated logout whose answer was lost, and that finds the session gone, has ended it", async () => {
  let deletes = 0;
  const { sessions } = faked((request) => {
    if (request.method === "GET") return json({ sessions: [{ id: "1", is_current: true }] });
    if (deletes++ === 0) throw new TypeError("lost");
    return json({ error: { code: "session_not_found" } }, { status: 404 });
  }, { provider: BARE, maxRetries: 1 });
  assert.equal((await settles(sessions.logout())).server, "confirmed");
});
