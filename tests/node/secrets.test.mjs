// Tokens are in the requests and nowhere else: no error, hook event or URL shows one, not even when the other side repeats it.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { beforeEach, test } from "node:test";
import { inspect } from "node:util";
import { EMPTY_LIST, G1, G2, SessionsError, createSessions, fails, faked, json, never, sandbox, settles, signedIn, told } from "./support.mjs";

beforeEach(() => sandbox.reset());

const MARK = "MARKED-4f1c";
const payload = Buffer.from(`{"sid":"me","exp":4000000000,"mark":"${MARK}"}`).toString("base64url");
const SECRETS = {
  token: `head.${payload}.${MARK}-access`,
  refreshToken: `head.${payload}.${MARK}-refresh`,
  cookie: `session=${MARK}-cookie`,
  key: `${MARK}-key`,
  incoming: `Bearer ${MARK}-incoming`,
  ended: `${MARK}-ended`,
  fresh: `${MARK}-fresh`,
};

/** Fails where any of it holds a secret: message, stack, JSON, every property, hidden ones too. */
function clean(value, what) {
  const seen = new Set();
  const look = (value, path) => {
    if (typeof value === "string") {
      for (const form of [MARK, payload, encodeURIComponent(MARK), Buffer.from(MARK).toString("base64").slice(0, 12)]) assert.ok(!value.includes(form), `${what}: ${path} holds a secret: ${value}`);
    } else if (typeof value === "object" && value !== null && !seen.has(value)) {
      seen.add(value);
      for (const key of Reflect.ownKeys(value)) {
        // What others threw is theirs, and handed on as it is.
        if (key !== "cause" || SessionsError.is(value.cause)) look(value[key], `${path}.${String(key)}`);
      }
      if (SessionsError.is(value)) {
        look(`${value}`, `${path} as text`);
        look(JSON.stringify(value), `${path} as JSON`);
        if (value.cause === undefined) look(inspect(value, { depth: 9, showHidden: true }), `${path} inspected`);
      }
    }
  };
  look(value, "it");
}

const CALLS = {
  list: (sessions) => sessions.list(),
  revoke: (sessions) => sessions.revoke("id"),
  revokeCurrent: (sessions) => sessions.revokeCurrent(),
  revokeAll: (sessions) => sessions.revokeAll(),
  revokeOthers: (sessions) => sessions.revokeOthers(),
  refresh: (sessions) => sessions.refresh(),
  logout: (sessions) => sessions.logout(),
  "logout of another": (sessions) => sessions.logout(SECRETS.ended),
  "list for a request": (sessions) => sessions.list({ headers: { authorization: SECRETS.incoming, cookie: SECRETS.cookie } }),
};

/** Everything that the request holds, said back. */
async function echo(request) {
  const headers = JSON.stringify([...request.headers]);
  return `${request.url} ${headers} ${await request.clone().text()} ${SECRETS.token} ${SECRETS.refreshToken}`;
}

const ANSWERS = {
  "refuses and repeats all": async (request, status = 400) => {
    const text = [...request.headers].map(([, value]) => value).join(" ") + " " + Object.values(await request.clone().json().catch(() => ({}))).join(" ");
    return json({ message: text, error: text, statusCode: status }, { status, headers: { "x-request-id": text.slice(0, 900) } });
  },
  "repeats all with 401": (request) => ANSWERS["refuses and repeats all"](request, 401),
  "repeats all with 404": (request) => ANSWERS["refuses and repeats all"](request, 404),
  "repeats all in a page": async (request) => new Response(`<html>${await echo(request)}`, { status: 500 }),
  "repeats all in a 200 that is not JSON": async (request) => new Response(await echo(request)),
  "declines and repeats all": async (request) => json({ success: false, message: [...request.headers].join(" ") + (await request.clone().text()) }),
  "redirects to a place that repeats all": async (request) => new Response(null, { status: 302, headers: { location: `https://elsewhere.example.com/?${encodeURIComponent(await echo(request))}` } }),
  "gives an empty list": () => json(EMPTY_LIST),
  "is not there": () => Promise.reject(new TypeError("fetch failed")),
  "breaks, saying all": async (request) => { throw new Error(await echo(request)); },
  "throws a string with all": async (request) => { throw await echo(request); },
  "is something else, whose body breaks, saying all": async (request) => { const text = await echo(request); return { status: 200, headers: new Headers(), text: () => Promise.reject(new Error(text)) }; },
  "never answers": never,
};

for (const [what, answer] of Object.entries(ANSWERS)) {
  test(`a back-end that ${what}`, async () => {
    for (const [name, call] of Object.entries(CALLS)) {
      const events = [];
      const hook = (event) => events.push(event);
      const { sessions, sent } = faked(answer, {
        token: SECRETS.token,
        refreshToken: SECRETS.refreshToken,
        clientId: "c",
        headers: { cookie: SECRETS.cookie, "x-api-key": SECRETS.key },
        hooks: { onRequest: hook, onResponse: hook, onRetry: hook },
        timeout: 20,
        totalTimeout: 500,
      });
      let outcome;
      try {
        outcome = await settles(call(sessions));
      } catch (error) {
        outcome = error;
        assert.ok(SessionsError.is(error), `${name}: ${error?.stack ?? error}`);
      }
      // A success may quote the back-end.
      clean(SessionsError.is(outcome) ? outcome : (outcome.error ?? {}), `${name}, error`);
      clean(events, `${name}, hooks`);
      for (const { url } of sent) clean(url, `${name}, URL`);
    }
  });
}

test("hooks see templates: no id, no query, no host", async () => {
  for (const baseUrl of [G1, G2]) {
    const urls = [];
    const { sessions, id } = await signedIn({ baseUrl, hooks: { onRequest: ({ url }) => urls.push(url) } });
    if (baseUrl === G1) await sessions.list({ applicationId: "app-web" });
    await sessions.revoke(id);
    assert.ok(urls.length >= 2);
    for (const url of urls) assert.match(url, /^\/(oauth|api\/auth)\/(sessions|sessions\/\{id\}|sessions\/\{id\}\/revoke)$/);
  }
});

test("new tokens don't show either, when storing them fails", async () => {
  const { sessions } = faked(() => json({ access_token: SECRETS.fresh, refresh_token: `${SECRETS.fresh}-r` }), { refreshToken: SECRETS.refreshToken, clientId: "c", onTokens: () => Promise.reject("disk full") });
  clean(await sessions.refresh().catch((error) => error), "onTokens");
});

test("wrong options and arguments are not repeated", async () => {
  for (const options of [
    { token: `${MARK} with spaces` },
    { token: `${MARK}\n` },
    { token: () => ({ MARK }) },
    { baseUrl: `https://user:${MARK}@example.com` },
    { baseUrl: `https://example.com/?token=${MARK}` },
    { baseUrl: `http://example.com/` },
    { headers: { "x-key": `${MARK}\n` } },
    { headers: { authorization: `Bearer ${MARK}` } },
    { provider: MARK },
    { cookies: [{ name: `${MARK} ` }] },
  ]) {
    const sessions = createSessions({ provider: "authvital", baseUrl: "https://auth.example.com", token: SECRETS.token, ...options });
    const error = await sessions.list().then(() => assert.fail(JSON.stringify(options)), (error) => error);
    // `provider` repeats the option of that name.
    if (!options.provider) clean(error, JSON.stringify(options));
  }
  const { sessions } = faked(() => json(EMPTY_LIST));
  for (const headers of [{ authorization: [`Bearer ${MARK}-1`, `Bearer ${MARK}-2`] }, { authorization: `Bearer ${MARK}\n` }]) {
    clean(await sessions.list({ headers }).catch((error) => error), "several");
  }
});

test("the client shows no token when it is printed", async () => {
  const { sessions } = faked(() => json(EMPTY_LIST), { token: SECRETS.token, refreshToken: SECRETS.refreshToken });
  await sessions.list();
  clean(inspect(sessions, { depth: 9, showHidden: true }), "inspect");
  clean(JSON.stringify(sessions), "JSON");
});

test("secrets in the items of a list are not in raw", async () => {
  const item = { id: "a", createdAt: "2026-01-01T00:00:00Z", refresh_token: SECRETS.refreshToken, accessToken: SECRETS.token, token: SECRETS.fresh, nested: { secret: SECRETS.key, password: SECRETS.key } };
  const { sessions } = faked(() => json({ sessions: [item], count: 1 }), { token: SECRETS.token, refreshToken: SECRETS.refreshToken });
  clean((await sessions.list()).sessions, "raw");
});

test("an echo of the request in the runtime's own error is taken out", async (t) => {
  const server = createServer((socket) => socket.once("data", (request) => socket.end(request)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { sessions } = faked((request) => fetch(request), { baseUrl: `http://127.0.0.1:${server.address().port}`, token: "MARK-secret" });
  const error = await fails(sessions.list(), "network");
  assert.equal(error.cause.cause.name, "HTTPParserError");
  assert.ok(!told(error).includes("MARK-secret") && !inspect(error, { depth: 9 }).includes("MARK-secret"));
});

test("nor is a token in an answer as it would stand in an address", async () => {
  const token = "ab+cd/efgh1234567==";
  const { sessions } = faked(() => json({ message: `bad ${encodeURIComponent(token)}`, errors: [{ token: encodeURIComponent(token) }] }, { status: 400 }), { token });
  const error = await fails(sessions.list(), "rejected");
  assert.ok(!told(error).includes(encodeURIComponent(token)), error.message);
});
