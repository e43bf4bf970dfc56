// The handler with a secret key, which opens everybody's sessions: whose they are is for `scope` to say, and nobody gets at another user's.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BASES, SECRET_KEY, asking, claims, cookieOf, json, jwt, never, sandbox } from "./support.mjs";

const DANA = "demo@example.com";
const OSKAR = "other@example.com";
const ROUTES = ["GET /api/sessions", "POST /api/sessions/ID/revoke", "POST /api/sessions/revoke-others", "POST /api/logout-all"];

/** Two users, and a handler whose scope says that Dana asks, unless `options` says otherwise. */
async function users(options) {
  await sandbox.reset();
  const [dana, oskar] = [await sandbox.signInOn("clerk", DANA), await sandbox.signInOn("clerk", OSKAR)];
  await sandbox.forget();
  const ask = asking({ sessions: { provider: "clerk", baseUrl: BASES.clerk, token: SECRET_KEY, maxRetries: 0 }, cookies: { accessToken: { name: "__session" } }, scope: () => ({ userId: dana.user }), ...options });
  return { dana, oskar, ask, cookie: `__session=${dana.access}` };
}

/** A handler whose back-end is not to be asked; what it was asked is in `sent`. */
function silent(scope, more) {
  const sent = [];
  const fetch = async ({ url }) => (sent.push(url), json({ id: "sess_1", user_id: "user_1", status: "active", data: [], total_count: 0 }));
  return { sent, ask: asking({ sessions: { provider: "clerk", token: SECRET_KEY, fetch, ...more }, scope }), cookie: `access_token=${jwt({ exp: 4e9, sid: "sess_1", sub: "user_1" })}` };
}

/** Nobody's session has ended: 8 of Dana and 3 of Oskar, if nobody else signed in. */
async function untouched(dana = 8, oskar = 3) {
  assert.deepEqual([(await sandbox.alive("clerk", DANA)).length, (await sandbox.alive("clerk", OSKAR)).length], [dana, oskar]);
}

const isError = (answer, status, code, about = "") => assert.deepEqual([answer.status, answer.body?.error?.code, answer.cookies], [status, code, []], `${about} ${answer.text}`);

/** A session token that nobody signed. */
const forged = (sid, more) => jwt({ exp: 4e9, sid, ...more });

// ---------------------------------------------------------------- whose sessions

describe("scope", () => {
  test("is obligatory: without it nothing is sent", async () => {
    for (const scope of [undefined, null]) {
      const { ask, cookie, sent } = silent(scope);
      for (const line of ROUTES) isError(await ask(line, { cookie }), 500, "invalid_options", line);
      assert.match((await ask(ROUTES[0], { cookie })).body.error.message, /scope/);
      const out = await ask("POST /api/logout", { cookie });
      assert.ok(out.status === 500 || out.body.success === false);
      assert.deepEqual(sent, []);
    }
  });

  for (const [what, found] of [["null", null], ["undefined", undefined], ["nothing in it", {}], ["userId null", { userId: null }], ["only a clientId", { clientId: "client_7765622d636c69656e74" }],
    ["only a status", { status: "active" }]]) {
    test(`${what}: nobody is signed in, and nothing is sent`, async () => {
      const { ask, cookie, sent } = silent(async () => found);
      for (const line of ROUTES) isError(await ask(line, { cookie }), 401, "unauthenticated", line);
      const out = await ask("POST /api/logout", { cookie });
      assert.deepEqual([out.status, out.body.success, out.body.server, out.cookies.length], [200, false, "skipped", 2]);
      assert.deepEqual(sent, []);
    });
  }

  for (const [what, scope] of [
    ["throws", () => { throw new Error(SECRET_KEY); }], ["rejects", () => Promise.reject(new Error(SECRET_KEY))], ["rejects with nothing", () => Promise.reject()], ["a number", () => 5],
    ["a user's id as text", () => "user_1"], ["true", () => true],
    ["userId empty", () => ({ userId: "" })], ["userId a number", () => ({ userId: 5 })], ["userId true", () => ({ userId: true })], ["userId an array", () => ({ userId: ["user_1"] })],
    ["userId an object", () => ({ userId: { toString: () => "user_1" } })], ["userId NaN", () => ({ userId: NaN })],
    ["members that throw", () => ({ get userId() { throw new Error(SECRET_KEY); } })], ["a function", () => () => ({ userId: "user_1" })],
  ]) {
    test(`that gives nonsense (${what}) gets nothing, and nothing is sent`, async () => {
      const { ask, cookie, sent } = silent(scope);
      for (const line of ROUTES) {
        const answer = await ask(line, { cookie });
        assert.ok([401, 500].includes(answer.status), `${line} ${answer.status} ${answer.text}`);
        assert.ok(!answer.text.includes(SECRET_KEY) && answer.cookies.length === 0, answer.text);
      }
      const out = await ask("POST /api/logout", { cookie });
      assert.deepEqual([out.status, out.body.success, out.cookies.length], [200, false, 2], out.text);
      assert.ok(!out.text.includes(SECRET_KEY));
      assert.deepEqual(sent, []);
    });
  }

  test("that hangs is given up", async () => {
    const { ask, cookie, sent } = silent(never, { totalTimeout: 50 });
    isError(await ask(ROUTES[0], { cookie }), 500, "internal");
    const out = await ask("POST /api/logout", { cookie });
    assert.deepEqual([out.status, out.body.server, out.cookies.length], [200, "skipped", 2]);
    assert.deepEqual(sent, []);
  });

  test("is asked with the browser's request, once for each", async () => {
    const seen = [];
    const { ask, cookie, dana } = await users({ scope: (request) => {
      seen.push([request.method, new URL(request.url).pathname, request.headers.get("cookie")]);
      return { userId: dana.user };
    } });
    await ask(`POST /api/sessions/${dana.id}/revoke`, { cookie });
    assert.deepEqual(seen, [["POST", `/api/sessions/${dana.id}/revoke`, cookie]]);
  });

  test("nothing that the browser says changes it", async () => {
    const { ask, cookie, dana, oskar } = await users();
    const mine = (await sandbox.alive("clerk", DANA)).toSorted();
    for (const query of [`userId=${oskar.user}`, `user_id=${oskar.user}`, `pageSize=10&user_id=${oskar.user}`, `cursor=0&userId=${oskar.user}`, `scope=${oskar.user}`, `cursor=0%26user_id%3D${oskar.user}`]) {
      const answer = await ask(`GET /api/sessions?${query}`, { cookie: `${cookie}; userId=${oskar.user}`, "x-user-id": oskar.user, authorization: `Bearer ${oskar.access}` });
      if (answer.status === 400) continue;
      assert.deepEqual(answer.body.sessions.map(({ id }) => id).toSorted(), mine, query);
      assert.ok(answer.body.sessions.every(({ userId }) => userId === dana.user));
    }
    // Nor whose token it is: the scope said who this is.
    const answer = await ask("GET /api/sessions", { cookie: `__session=${oskar.access}` });
    assert.deepEqual(answer.body.sessions.map(({ id }) => id).toSorted(), mine);
    assert.equal(answer.text.includes(oskar.id), false);
  });

  test("its other options count, too", async () => {
    const { ask, cookie, dana } = await users();
    await ask(`POST /api/sessions/${(await sandbox.alive("clerk", DANA)).at(-1)}/revoke`, { cookie });
    const limited = asking({ sessions: { provider: "clerk", baseUrl: BASES.clerk, token: SECRET_KEY }, scope: () => ({ userId: dana.user, status: "active", pageSize: 3 }) });
    const page = await limited("GET /api/sessions", { cookie });
    assert.deepEqual([page.body.sessions.length, page.body.total], [3, 7], page.text);
  });
});

// ---------------------------------------------------------------- somebody else's

describe("somebody else's session", () => {
  test("can't be revoked: 404, the same as one that nobody has, and only looked up", async () => {
    const { ask, cookie, oskar } = await users();
    const [theirs, nobodys] = [await ask(`POST /api/sessions/${oskar.id}/revoke`, { cookie }), await ask("POST /api/sessions/sess_0000000000000000000000000000000f/revoke", { cookie })];
    isError(theirs, 404, "not_found");
    assert.deepEqual(theirs.body, nobodys.body, "whether somebody has it is nobody's business");
    assert.deepEqual(await sandbox.lines(), [`GET /clerk/v1/sessions/${oskar.id}`, "GET /clerk/v1/sessions/sess_0000000000000000000000000000000f"]);
    await untouched();
  });

  test("named by a forged token can't be logged out: skipped, the cookies go", async () => {
    const { ask, dana, oskar } = await users();
    for (const token of [forged(oskar.id), forged(oskar.id, { sub: dana.user }), forged(oskar.id, { arn: dana.id }), oskar.access]) {
      const out = await ask("POST /api/logout", { cookie: `__session=${token}` });
      assert.deepEqual([out.status, out.body.success, out.body.server, out.cookies.length], [200, false, "skipped", 2], out.text);
    }
    assert.ok((await sandbox.lines()).every((line) => line.startsWith("GET ")));
    await untouched();
  });

  test("is not ended by logout-all and revoke-others, whatever the token says", async () => {
    for (const line of ["POST /api/sessions/revoke-others", "POST /api/logout-all"]) {
      for (const token of ["oskar's", "forged"]) {
        const { ask, dana, oskar } = await users();
        const answer = await ask(line, { cookie: `__session=${token === "forged" ? forged(oskar.id, { sub: oskar.user }) : oskar.access}` });
        if (line.endsWith("others")) isError(answer, 409, "current_unknown");
        else assert.equal(answer.body.success, true, answer.text);
        assert.equal((await sandbox.alive("clerk", OSKAR)).length, 3);
        assert.equal((await sandbox.alive("clerk", DANA)).length, line.endsWith("others") ? 8 : 0);
        assert.ok(!answer.text.includes(oskar.id) && dana.id);
      }
    }
  });

  test("whose user the back-end doesn't say, or says otherwise, is nobody's", async () => {
    for (const user_id of [null, undefined, "", 5, "user_2", "USER_1", "user_1 ", "user_10", ["user_1"], { id: "user_1" }]) {
      const sent = [];
      const fetch = async (request) => {
        sent.push(request.method);
        return json({ id: "sess_1", user_id, status: "active" });
      };
      const ask = asking({ sessions: { provider: "clerk", token: SECRET_KEY, fetch }, scope: () => ({ userId: "user_1" }) });
      isError(await ask("POST /api/sessions/sess_1/revoke"), 404, "not_found", JSON.stringify(user_id));
      const out = await ask("POST /api/logout", { cookie: `access_token=${forged("sess_1")}` });
      assert.deepEqual([out.body.success, out.body.server], [false, "skipped"]);
      assert.deepEqual(sent, ["GET", "GET"], JSON.stringify(user_id));
    }
  });

  test("ids that look like paths of the Backend API stay ids", async () => {
    const sent = [];
    const fetch = async ({ method, url }) => {
      sent.push(`${method} ${new URL(url).pathname}`);
      return json({ id: "x", user_id: "user_1", status: "active", data: [], total_count: 0 });
    };
    const ask = asking({ sessions: { provider: "clerk", token: SECRET_KEY, fetch }, scope: () => ({ userId: "user_1" }) });
    for (const id of ["..%2fusers%2fuser_2", "..%2F..%2Fv1%2Fusers", "x%2Frevoke", "x%3Fuser_id=y", "x%23", "%2e%2e%2fusers"]) await ask(`POST /api/sessions/${id}/revoke`);
    await ask("POST /api/logout", { cookie: `access_token=${forged("../users/user_2")}` });
    await ask("POST /api/logout", { cookie: `access_token=${forged("..")}` });
    assert.ok(sent.length > 0 && sent.every((line) => /^(GET|POST) \/v1\/sessions\/[^/]+(\/revoke)?$/.test(line)), sent.join("\n"));
  });
});

// ---------------------------------------------------------------- one's own

describe("one's own session", () => {
  test("is looked up and revoked", async () => {
    const { ask, cookie } = await users();
    const target = (await sandbox.alive("clerk", DANA)).at(-1);
    const answer = await ask(`POST /api/sessions/${target}/revoke`, { cookie });
    assert.deepEqual([answer.status, answer.body.id, answer.body.outcome], [200, target, "revoked"]);
    assert.deepEqual(await sandbox.lines(), [`GET /clerk/v1/sessions/${target}`, `POST /clerk/v1/sessions/${target}/revoke`]);
    await untouched(7, 3);
  });

  test("without a session token: list, revoke and logout-all work; which one is current is not known", async () => {
    const { ask, dana } = await users();
    for (const cookie of [null, "__session=opaque", `__session=${jwt({ exp: 1 })}`, `access_token=${dana.access}`, "__session=two words"]) {
      const list = await ask("GET /api/sessions", { cookie });
      assert.deepEqual([list.status, list.body.sessions.every(({ current }) => current === null)], [200, true], list.text);
      isError(await ask("POST /api/sessions/revoke-others", { cookie }), 409, "current_unknown");
      const out = await ask("POST /api/logout", { cookie });
      assert.deepEqual([out.body.success, out.body.server, out.cookies.length], [false, "skipped", 2]);
    }
    await untouched();
    assert.equal((await ask(`POST /api/sessions/${dana.id}/revoke`, { cookie: null })).status, 200);
    assert.equal((await ask("POST /api/logout-all", { cookie: null })).body.count, 7);
    await untouched(0, 3);
  });

  test("logout-all where scope gives headers and there is no session token", async () => {
    const { dana } = await users();
    const ask = asking({ sessions: { provider: "clerk", baseUrl: BASES.clerk, token: SECRET_KEY }, scope: () => ({ userId: dana.user, headers: { "x-trace": "1" } }) });
    assert.equal((await ask("POST /api/logout-all", { cookie: null })).status, 200);
    await untouched(0, 3);
  });

  test("logout ends the one that the token names, and no other", async () => {
    const { ask, dana, cookie } = await users();
    const out = await ask("POST /api/logout", { cookie });
    assert.deepEqual([out.body.success, out.body.server], [true, "confirmed"], out.text);
    assert.ok(["revoked", "logout"].includes(await sandbox.endOf("clerk", dana.id, DANA)));
    await untouched(7, 3);
    assert.deepEqual(out.cookies.map((text) => text.split("=")[0]), ["__session", "refresh_token"]);
  });

  test("a page has no raw, and a whole session but for that", async () => {
    const { ask, cookie, dana } = await users();
    const { body, text } = await ask("GET /api/sessions", { cookie });
    assert.ok(body.sessions.every(({ raw, userId }) => raw === null && userId === dana.user));
    assert.equal(body.sessions.find(({ current }) => current).id, dana.id);
    for (const hidden of [SECRET_KEY, dana.access, "client_id", "last_active_organization_id", '"actor"']) assert.ok(!text.includes(hidden), hidden);
  });

  test("tokens are not refreshed with a secret key, and none are set", async () => {
    const { ask, dana } = await users();
    const cookie = `${cookieOf({ refresh: "r" })}; __session=${jwt({ ...claims(dana.access), exp: 1 })}`;
    assert.deepEqual((await ask("GET /api/sessions", { cookie })).cookies, []);
    assert.ok((await ask(`POST /api/sessions/${dana.id}/revoke`, { cookie })).cookies.every((line) => line.includes("Max-Age=0")), "this very session");
    assert.ok((await sandbox.lines()).every((line) => /^(GET|POST) \/clerk\/v1\/sessions/.test(line)));
  });
});

// ---------------------------------------------------------------- the key

describe("the secret key", () => {
  test("is in the Authorization and nowhere else; the browser's token is sent to nobody", async () => {
    const seen = [];
    const fetch = async (request) => {
      seen.push([request.headers.get("authorization"), `${request.url} ${[...request.headers].flat()} ${await request.text()}`]);
      return json(request.method === "GET" && !request.url.includes("?") ? { id: "sess_1", user_id: "user_1", status: "active" } : { data: [{ id: "sess_1", user_id: "user_1", status: "active" }], total_count: 1, id: "sess_1", status: "revoked" });
    };
    const ask = asking({ sessions: { provider: "clerk", token: SECRET_KEY, fetch }, scope: () => ({ userId: "user_1" }) });
    const token = forged("sess_1");
    for (const line of [...ROUTES, "POST /api/logout"]) {
      const answer = await ask(line.replace("ID", "sess_1"), { cookie: `access_token=${token}` });
      assert.ok(!`${answer.text}${[...answer.headers].flat()}`.includes(SECRET_KEY));
    }
    assert.ok(seen.length >= 7);
    for (const [authorization, all] of seen) {
      assert.equal(authorization, `Bearer ${SECRET_KEY}`);
      assert.ok(!all.includes(token), all);
    }
  });

  test("wrong or missing is the server's mistake, and says nothing of it", async () => {
    for (const token of ["sk_test_wrong_key_0000", () => "sk_test_wrong_key_0000", undefined, () => null, () => { throw new Error("SECRET vault"); }]) {
      const { ask, cookie, dana } = await users({ sessions: { provider: "clerk", baseUrl: BASES.clerk, token, maxRetries: 0 } });
      for (const line of ROUTES) {
        const answer = await ask(line.replace("ID", dana.id), { cookie });
        assert.ok(answer.status >= 400 && !answer.text.includes("sk_test") && !answer.text.includes("SECRET"), answer.text);
        assert.notEqual(answer.body.error.code, "not_found");
      }
      const out = await ask("POST /api/logout", { cookie });
      assert.deepEqual([out.status, out.body.success, out.cookies.length], [200, false, 2]);
    }
  });

  test("wrong or missing: the user is signed in, and so it isn't 401", async () => {
    for (const token of ["sk_test_wrong_key_0000", undefined]) {
      const { ask, cookie } = await users({ sessions: { provider: "clerk", baseUrl: BASES.clerk, token, maxRetries: 0 } });
      assert.notEqual((await ask("GET /api/sessions", { cookie })).status, 401, `${token}`);
    }
  });
});

test("many users at once: nobody gets another's", async () => {
  const fetch = async (request) => {
    const { searchParams, pathname } = new URL(request.url);
    await new Promise((resolve) => setImmediate(resolve));
    const user = searchParams.get("user_id");
    if (user) return json({ data: [{ id: `sess_${user}`, user_id: user, status: "active" }], total_count: 1 });
    const [, , , id] = pathname.split("/");
    return json({ id, user_id: id.slice(5), status: request.method === "GET" ? "active" : "revoked" });
  };
  const ask = asking({ sessions: { provider: "clerk", token: SECRET_KEY, fetch }, scope: async (request) => {
    await new Promise((resolve) => setImmediate(resolve));
    return { userId: request.headers.get("cookie").slice(5) };
  } });
  await Promise.all(Array.from({ length: 200 }, async (_, n) => {
    const cookie = `user=u${n % 50}`;
    const { body } = await ask("GET /api/sessions", { cookie });
    assert.deepEqual(body.sessions.map(({ id, userId }) => [id, userId]), [[`sess_u${n % 50}`, `u${n % 50}`]]);
    const own = await ask(`POST /api/sessions/sess_u${n % 50}/revoke`, { cookie });
    assert.deepEqual([own.status, own.body.id], [200, `sess_u${n % 50}`]);
    isError(await ask(`POST /api/sessions/sess_u${(n + 1) % 50}/revoke`, { cookie }), 404, "not_found");
  }));
});
