import { isFunction, isObject } from "./check.js";
import { clearCookies, removals } from "./cookies.js";
import { label } from "./device.js";
import { fail, toSessionsError } from "./error.js";
import { Host, LOGGED_OUT, isAmong } from "./host.js";
import { listen } from "./tabs.js";
import { METHODS, mergeHeaders, readArguments, readOptions } from "./input.js";

/** The package's functions, over a way to get at the wasm side and the driver of calls. */
export function define(load, Driver = Host) {
  async function wasm() {
    try {
      return await load();
    } catch (cause) {
      throw fail("internal", "WebAssembly could not be started: see the cause. A Content-Security-Policy has to allow 'wasm-unsafe-eval'", cause);
    }
  }

  function create(options, more) {
    // A copy: the caller's object may change later. Tokens given as functions are asked before every request.
    let broken;
    try {
      options = typeof options === "object" && options !== null ? { ...options, ...more } : options;
    } catch (cause) {
      options = {};
      broken = fail("invalid_options", "an option can't be read: see the cause", cause);
    }
    let config;
    // What lasts between calls lives here and not in wasm: nothing has to be freed, and nothing is lost with an instance.
    const memory = { texts: {}, paced: [], refreshing: new Map(), tellings: new Set(), leaving: 0 };

    /** `known` is what a call that is part of another knows of it: the token that a refresh `renews`, the `user`. */
    async function run(operation, args, known) {
      try {
        if (broken) throw broken;
        config ??= readOptions(options);
        if (options.refreshToken) listen();
        const call = readArguments(operation, args);
        const host = new Driver(options, memory, call, run);
        if (operation === "refresh" && !known) {
          return await host.refreshed();
        }
        const { authorization, endedToken } = call.input;
        const { texts } = memory;
        // With a secret key, no logout is the client's own; an empty token is nobody's.
        const isOwn = operation === "logout" && authorization === undefined && options.provider !== "clerk" && endedToken !== "" && (endedToken === undefined || [options.refreshToken, texts.refreshToken].includes(endedToken) || isAmong(texts.replaced, endedToken));
        const headers = mergeHeaders(options, call);
        const sendsCookies = config.sendsCookies || headers.some(([name]) => /^cookie$/i.test(name));
        const state = { goal: operation, ...known, ...config, ...call.input, headers, sendsCookies };
        const drive = async (more) => host.drive(() => host.ready(wasm()), Object.assign(state, more));
        memory.leaving += isOwn;
        if (operation === "logout") await host.settle();
        const result = await (operation === "refresh" ? host.alone(`auth-sessions ${config.base}`, known.renews, drive) : drive()).catch((thrown) => {
          const error = toSessionsError(thrown, options.provider, operation);
          if (operation !== "logout" || !["internal", "timeout", "aborted"].includes(error.code)) throw error;
          // Even where wasm does not start, or traps, the user is logged out on this side.
          if (isOwn) {
            Object.assign(texts, { signedOut: `1${texts.signedOut ?? ""}`, accessToken: null, refreshToken: null, due: null, currentId: null });
            Object.assign(memory, { handles: undefined, plain: undefined });
          }
          const server = state.event === "answer" ? "rejected" : state.sent ? "unreachable" : "skipped";
          return { success: false, message: error.message, server, error };
        }).finally(() => (memory.leaving -= isOwn));
        const finished = await finish(result, options, call);
        // Whoever called while cookies were cleared meant the user who was leaving.
        if (isOwn) texts.signedOut = `1${texts.signedOut ?? ""}`;
        return finished;
      } catch (error) {
        throw toSessionsError(error, options?.provider, operation);
      }
    }

    /** The sessions of all pages, from the first one on. */
    async function* iterate(first, args, signedOut) {
      const ids = new Set();
      const cursors = new Set();
      for (let page = await first; ; ) {
        // Pages shift while they are read: a session may come twice.
        for (const session of page.sessions) {
          if (!ids.has(session.id)) yield session;
          ids.add(session.id);
        }
        if (page.next === null) return;
        if (cursors.has(page.next) || cursors.size > 10_000) {
          throw toSessionsError(fail("invalid_response", "the next page was there before"), options.provider, "list");
        }
        cursors.add(page.next);
        // (request, options) or (options): the cursor goes into the options.
        const isServed = args[0]?.headers;
        const at = args.length > 1 || isServed ? 1 : 0;
        // Whom a request is of has not logged out.
        if (!isServed && memory.texts.signedOut !== signedOut) throw toSessionsError(fail("unauthenticated", LOGGED_OUT), options.provider, "list");
        const next = [...args];
        next[at] = { ...next[at], cursor: page.next };
        page = await run("list", next);
      }
    }

    const sessions = {
      list(...args) {
        const { signedOut } = memory.texts;
        const first = run("list", args);
        // Not by assignment: V8 takes functions that are assigned for constants, and keeps them, with all that they know, until it collects everything. Lists took twice the time.
        return Object.defineProperty(first, Symbol.asyncIterator, { value: () => iterate(first, args, signedOut) });
      },
    };
    for (const method of METHODS) {
      sessions[method] = (...args) => run(method, args);
    }
    // One for all: a token function that finds the session over may be among those who log out.
    let leaving;
    sessions.logout = (...args) => (args.length ? run("logout", args) : (leaving ??= run("logout", args).finally(() => (leaving = undefined))));
    return sessions;
  }

  return {
    createSessions: (options) => create(options),
    createAuthVital: (config) => ({ sessions: create(config, { provider: "authvital" }) }),
    describeDevice: async (userAgent) => {
      try {
        if (userAgent !== null && typeof userAgent !== "string") {
          throw fail("invalid_argument", "describeDevice takes a user agent: a string, or null");
        }
        return label(userAgent ?? "", "", "", null);
      } catch (error) {
        throw toSessionsError(error, null, "describeDevice");
      }
    },
  };
}

/** What is left to do in JavaScript once a result is there. */
async function finish(result, options, call) {
  const { operation } = call;
  const { parseUserAgent } = options;
  if (parseUserAgent) {
    for (const session of result.sessions ?? (["get", "current", "create"].includes(operation) ? [result] : [])) {
      try {
        // Without an agent there is only what the back-end itself says of the device.
        if (session.userAgent === null) continue;
        const device = parseUserAgent(session.userAgent);
        // A promise is none, and its rejection nobody's.
        if (isFunction(device?.then)) device.then(null, () => {});
        session.device = isObject(device) && !isFunction(device.then) ? device : null;
      } catch {
        // A label is not worth failing for.
        session.device = null;
      }
    }
  }
  if (operation === "logout") {
    // Serving a request: the browser's cookies go with the answer to it.
    const own = call.input.authorization === undefined;
    const specs = options.cookies ?? [];
    const cookies = await clearCookies(specs, own);
    return {
      ...result,
      cookies: cookies ?? specs.map(({ name }) => ({ name, outcome: "not-visible" })),
      setCookie: cookies ? [] : removals(specs),
      error: result.error && toSessionsError(result.error, options.provider, operation),
    };
  }
  return result;
}
