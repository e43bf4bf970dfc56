import { FUNCTION, STRING, check, isFunction, isObject } from "./check.js";
import { removals } from "./cookies.js";
import { fail, toSessionsError } from "./error.js";
import { Host } from "./host.js";
import { METHODS, readArguments, readOptions } from "./input.js";
import { readProfile } from "./profile.js";
import { Refreshes } from "./refreshes.js";
import { define } from "./sessions.js";

const COOKIE = { path: "/", secure: true, httpOnly: true, sameSite: "Lax" };
const OBJECT = ["an object", (value) => isObject(value) && !Array.isArray(value)];
const OPTIONS = {
  "sessions!": OBJECT, cookies: OBJECT, scope: FUNCTION,
  basePath: ['a path such as "/api"', (value) => typeof value === "string" && /^(\/(?!\.\.?(\/|$))[\w.~!$&'()*+,;=:@-]+)*\/?$/.test(value)],
  allowedOrigins: ['an array of origins such as "https://app.example.com"', (value) => Array.isArray(value) && value.every(isOrigin)],
};
const COOKIES = { accessToken: OBJECT, refreshToken: OBJECT, also: ["an array of objects", (value) => Array.isArray(value) && value.every(isObject)] };

function isOrigin(value) {
  try {
    return new URL(value).origin === value && /^https?:[^*]+$/.test(value);
  } catch {
    return false;
  }
}

/** What the client learns of the back-end, whoever asks: which dialect it speaks, for some by operation, whether its ids are numbers, and its clock. The rest is one user's. */
const OF_BACK_ENDS = ["dialect", "numbers", "skew", "list", ...METHODS];

/** A refresh is shared with other requests of the same browser. The call that does it, and not the one that waits for it: that may give up. */
class HandlerHost extends Host {
  #visit;

  constructor(options, memory, call, run) {
    super(options, options.visit.memory, call, run);
    this.#visit = options.visit;
  }

  /** Tabs are nothing to a server, not even to one in a service worker. */
  alone(name, token, drive) {
    return drive();
  }

  async settle() {
    await super.settle();
    await this.#visit.refreshes.settle(this.#visit);
  }

  mayRenew() {
    return super.mayRenew() || this.#visit.refreshes.mayRenew(this.#visit);
  }

  drive(step, state) {
    const drive = () => super.drive(step, state);
    return state.goal === "refresh" ? this.#visit.refreshes.share(this.#visit, drive) : drive();
  }
}

/** `createSessionsHandler`, over a way to get at the wasm side. Which route is meant, who may ask, cookies and answers are decided there (`src/edge`). */
export function defineHandler(load) {
  const { createSessions } = define(load, HandlerHost);

  return function createSessionsHandler(options) {
    let config;
    try {
      config = readHandlerOptions(options);
    } catch (error) {
      throw toSessionsError(error, options?.sessions?.provider, null);
    }
    const { sessions, scope, cookies, known } = config;
    const refreshes = new Refreshes(sessions);
    const learnt = {};

    async function serve(request, url) {
      let step;
      try {
        step = await load();
      } catch {
        return failure('WebAssembly could not be started. On Workers, bundle with the condition "workerd", as Wrangler does: they compile no wasm later');
      }
      const header = (name) => request.headers.get(name);
      const state = {
        ...known, event: "start", method: request.method, path: url.pathname, origin: url.origin, host: header("host"), cursor: url.searchParams.get("cursor"), pageSize: url.searchParams.get("pageSize"), from: header("origin"), site: header("sec-fetch-site"),
        cookie: header("cookie"), size: Number(header("content-length")) || 0, preflight: header("access-control-request-method"),
      };
      // `had`: the refresh tokens before the one of now.
      const visit = { state, refreshes, began: Date.now(), had: new Set(), memory: { texts: { ...learnt }, paced: [], refreshing: new Map(), tellings: new Set() }, found: null };
      for (;;) {
        // By the back-end's clock, as soon as that is known: a wrong one here makes no token look expired, and no cookie.
        state.now = Date.now() + (Number(visit.memory.texts.skew) || 0);
        const action = step([state]);
        Object.assign(state, action.keep);
        if (action.do === "pass") return null;
        if (action.do === "answer") {
          if (action.ends) refreshes.end(visit);
          return answer(action);
        }
        try {
          if (action.do === "scope") {
            await ask(request, visit);
            state.event = "scoped";
          } else {
            state.value = await call(action, visit);
            state.event = action.do === "refresh" ? "refreshed" : "result";
          }
        } catch (error) {
          state.event = "failed";
          state.error = plain(toSessionsError(error, sessions.provider, action.operation));
        }
        // Newer tokens may have come meanwhile: an answer that is late must not set the older ones.
        if (action.do === "call" && !state.isKey) refreshes.catchUp(visit);
        state.isOver = refreshes.isOver(visit);
        for (const [name, text] of Object.entries(visit.memory.texts)) {
          if (OF_BACK_ENDS.includes(name)) learnt[name] = text;
        }
      }
    }

    /** Whose sessions these are is the application's to say. */
    async function ask(request, visit) {
      let found;
      try {
        found = (await within(scope(request), sessions.totalTimeout ?? 30_000)) ?? null;
      } catch (cause) {
        throw fail("internal", "scope failed", cause);
      }
      try {
        if (found !== null && !isObject(found)) throw found;
        readArguments("list", [undefined, found ?? {}]);
      } catch {
        throw fail("invalid_options", "scope must give list options, or null");
      }
      visit.found = found;
      visit.state.scope = found && { userId: found.userId, applicationId: found.applicationId };
    }

    async function call({ operation, id }, visit) {
      const { state } = visit;
      if (!state.isKey && (sessions.token || sessions.refreshToken)) {
        throw fail("invalid_options", "leave token and refreshToken out of sessions: they come from the browser's cookies");
      }
      // A refresh finds out itself whether another request was quicker.
      if (operation !== "refresh") refreshes.catchUp(visit);
      const client = createSessions({
        ...sessions,
        ...(!state.isKey && {
          token: () => state.accessToken,
          refreshToken: () => state.refreshToken,
          onTokens: async (tokens) => {
            refreshes.got(visit, tokens);
            await sessions.onTokens?.({ ...tokens });
          },
        }),
        cookies,
        visit,
      });
      const { signal, headers, timeout, ...found } = visit.found ?? {};
      const common = { signal, headers, timeout };
      const served = state.isKey && state.accessToken ? [{ headers: { authorization: `Bearer ${state.accessToken}` } }] : [];
      switch (operation) {
        case "list": {
          const { cursor, pageSize } = state;
          return await client.list(served[0], { ...found, ...common, ...(cursor && { cursor }), ...(pageSize && { pageSize: Number(pageSize) }) });
        }
        case "get":
        case "revoke":
          return await client[operation](id, common);
        case "logout": {
          await refreshes.settle(visit);
          refreshes.end(visit);
          const result = await client.logout(served.length ? { ...common, request: served[0] } : common);
          return { ...result, error: result.error && plain(result.error) };
        }
        case "refresh":
          return await client.refresh(common);
        case "revokeAll":
          await refreshes.settle(visit);
        // And then as the others.
        default:
          return await client[operation](served[0], { applicationId: found.applicationId, userId: found.userId, ...common });
      }
    }

    return async (request) => {
      let url;
      try {
        url = new URL(request.url);
        if (!isFunction(request.headers.get)) throw new TypeError("no headers");
      } catch (cause) {
        throw toSessionsError(fail("invalid_argument", "the handler takes a Fetch Request; on Node, an adapter makes one", cause), sessions.provider, null);
      }
      // Most requests of a site are none of ours, and cost nothing.
      if (!url.pathname.startsWith(`${known.base}/`)) return null;
      try {
        return await serve(request, url);
      } catch {
        return failure("an unexpected failure");
      }
    };
  };
}

function readHandlerOptions(options) {
  if (!isObject(options)) throw fail("invalid_options", "createSessionsHandler takes an object with sessions");
  check(options, OPTIONS, "invalid_options");
  const { sessions, basePath = "/api", cookies = {}, allowedOrigins = [], scope } = options;
  check(cookies ?? {}, COOKIES, "invalid_options", "cookies.");
  readOptions(sessions);
  if (sessions.cookies) throw fail("invalid_options", "the handler clears its own cookies: name others in cookies.also");
  const { provider } = sessions;
  const profile = isObject(provider) ? readProfile(provider) : undefined;
  if (profile?.auth === "cookie") throw fail("invalid_options", 'the handler sends tokens in headers: it can\'t serve a profile with auth "cookie"');
  const access = { ...COOKIE, name: "access_token", ...defined(cookies?.accessToken) };
  const refresh = { ...COOKIE, name: "refresh_token", ...defined(cookies?.refreshToken) };
  for (const [name, { httpOnly }] of Object.entries({ access, refresh })) {
    if (!httpOnly) throw fail("invalid_options", `cookies.${name}Token must be HttpOnly: scripts must not see tokens`);
  }
  if (access.name === refresh.name) throw fail("invalid_options", "cookies: the two tokens need cookies of different names");
  const all = [access, refresh, ...(cookies?.also ?? [])];
  return {
    sessions: { ...sessions },
    scope,
    cookies: all,
    known: {
      provider: profile ? "rest" : String(provider),
      profile,
      base: (basePath ?? "/api").replace(/\/$/, ""),
      allowed: [...(allowedOrigins ?? [])],
      access: cookie(access),
      refresh: cookie(refresh),
      removals: removals(all),
      hasScope: Boolean(scope),
    },
  };
}

const defined = (object) => Object.fromEntries(Object.entries(object ?? {}).filter(([, value]) => (value ?? null) !== null));

/** Set as it will be cleared. */
function cookie(spec) {
  const [removal] = removals([spec]);
  return { name: spec.name, attributes: removal.slice(spec.name.length + 1).replace(/; (Max-Age|Expires)=[^;]+/g, "") };
}

function answer({ status, headers, cookies, body }) {
  const all = new Headers(headers);
  for (const value of cookies) all.append("set-cookie", value);
  return new Response(body, { status, headers: all });
}

function failure(message) {
  const body = JSON.stringify({ error: { code: "internal", message } });
  return answer({ status: 500, headers: { "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff" }, cookies: [], body });
}

/** What the browser is told of an error. */
const plain = ({ code, message, status, retryAfter, revoked, failed }) => ({
  code, message, status, retryAfter, revoked, failed: failed?.map(({ id, error }) => ({ id, error: { code: error.code, message: error.message } })),
});

/** The promise's outcome, unless it is late. */
function within(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
