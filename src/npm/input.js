import { removals } from "./cookies.js";
import { fail } from "./error.js";
import { readProfile } from "./profile.js";
import { FLAG, FUNCTION, HEADER, STRING, check, isFunction, isObject, isText, number, oneOf } from "./check.js";

/** Every method but `list`; the wasm side knows which of them a back-end has. */
export const METHODS = [
  "get", "current", "revoke", "revokeCurrent", "revokeAll", "revokeOthers", "logout", "refresh", "capabilities",
  "create", "createToken", "createTokenFromTemplate", "refreshSession",
];

const TAKES_REQUEST = ["list", "current", "revoke", "revokeCurrent", "revokeAll", "revokeOthers"];
const TAKES_ID = ["get", "revoke", "createToken", "createTokenFromTemplate", "refreshSession"];
const STATUSES = ["active", "revoked", "ended", "expired", "removed", "abandoned", "replaced"];

/** What a header may hold (RFC 9110, 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Of another connection or another body: some runtimes send them, and the request is broken. */
const RUNTIMES = /^(?:host|connection|content-length|transfer-encoding|keep-alive|upgrade|te|trailer|expect)$/i;

/** Timers count milliseconds in 31 bits. */
const LONGEST = 2 ** 31 - 1;

const SECRET = ["a string or a function", (value) => typeof value === "string" || isFunction(value)];
const HEADERS = [
  "a plain object of strings",
  (value) => isObject(value) && !Array.isArray(value) && !isFunction(value.entries) && Object.values(value).every((text) => typeof text === "string"),
];

const OPTIONS = {
  baseUrl: STRING, environment: oneOf("production", "demo", "test"), token: SECRET, refreshToken: SECRET, onTokens: FUNCTION, clientId: STRING,
  fetch: FUNCTION, headers: HEADERS, credentials: oneOf("omit", "same-origin", "include"), timeout: number(1, LONGEST), totalTimeout: number(1, LONGEST),
  maxRetries: number(0, 100), maxRetryAfter: number(0, 2_000_000), cookies: ["an array of objects", (value) => Array.isArray(value) && value.every(isObject)],
  hooks: ["an object of functions", isObject], parseUserAgent: FUNCTION, onReauthenticate: FUNCTION, dangerouslyAllowBrowser: FLAG, allowInsecure: FLAG,
};
const ARGUMENTS = {
  signal: ["an AbortSignal", (value) => isFunction(value.addEventListener) && isFunction(value.removeEventListener)], timeout: number(1, LONGEST), headers: HEADERS, onProgress: FUNCTION,
  applicationId: STRING, userId: STRING, clientId: STRING, status: oneOf(...STATUSES), pageSize: number(1, LONGEST),
  cursor: ["the next of a page", (value) => isText(value) && VALUE.test(value)], refreshToken: STRING,
};
/** What goes into the bodies of the methods that take an `input`; those with ! have to be there. */
const INPUTS = {
  create: { "userId!": STRING, activeOrganizationId: STRING },
  createToken: { expiresInSeconds: number(30, 315_360_000) },
  refreshSession: {
    "expiredToken!": STRING, "refreshToken!": STRING, "requestOrigin!": STRING, requestOriginatingIp: STRING, format: oneOf("token", "cookie"),
    requestHeaders: ["an object of arrays of strings", (value) => isObject(value) && Object.values(value).every((values) => Array.isArray(values) && values.every(isText))],
  },
};
INPUTS.createTokenFromTemplate = INPUTS.createToken;

const REQUEST = " (a request comes before them, itself: c.req.raw, event.request)";

const pairs = (headers) => Object.entries(headers ?? {});

/** Said before anything is sent: RFC 9110, 5.1 and 5.5. */
function checkHeaders(headers, code) {
  for (const [name, value] of pairs(headers)) {
    if (!HEADER[1](name) || !VALUE.test(value)) {
      throw fail(code, "a header can't be sent: no line breaks, no characters beyond Latin-1");
    }
    if (RUNTIMES.test(name)) throw fail(code, "headers can't hold Host, Connection, Content-Length and the like: forward by name what is needed");
    if (name.toLowerCase() === "authorization") throw fail(code, "headers can't hold Authorization: use token, or pass the request that is served");
  }
}

/** The client's headers and the call's, which come before them. The client's cookie is a credential: it never serves somebody else's request. */
export function mergeHeaders({ headers }, { input, options }) {
  const own = pairs(headers).filter(([name]) => input.authorization === undefined || name.toLowerCase() !== "cookie");
  return [...new Map([...own, ...pairs(options.headers)].map(([name, value]) => [name.toLowerCase(), [name, value]])).values()];
}

/** The client's options, as the wasm side takes them. */
export function readOptions(options) {
  if (!isObject(options)) {
    throw fail("invalid_options", "createSessions takes an object with provider and baseUrl");
  }
  check(options, OPTIONS, "invalid_options");
  removals(options.cookies ?? []);
  checkHeaders(options.headers, "invalid_options");
  const profile = isObject(options.provider) ? readProfile(options.provider) : undefined;
  for (const name of ["Request", "Response", "Headers", "URL", "AbortController"]) {
    // Said before anything is sent, rather than as a failure half-way.
    if (!isFunction(globalThis[name])) throw fail("unsupported", `this runtime has no ${name}`);
  }
  const {
    provider, baseUrl, environment, token, refreshToken, clientId, credentials, allowInsecure, dangerouslyAllowBrowser, onReauthenticate, totalTimeout, maxRetries, maxRetryAfter,
  } = options;
  const { isOwn, ...base } = readBase(baseUrl);
  return {
    provider: profile ? "rest" : typeof provider === "string" ? provider : "",
    profile,
    ...base,
    environment,
    clientId,
    // Cookies may authenticate without a token. A page sends its own origin's by itself.
    sendsCookies: credentials ? credentials !== "omit" : !token && !refreshToken && isOwn,
    allowInsecure: allowInsecure ?? false,
    dangerouslyAllowBrowser: dangerouslyAllowBrowser ?? false,
    canReauthenticate: Boolean(onReauthenticate),
    totalTimeout: totalTimeout ?? 30_000,
    maxRetries: maxRetries ?? 2,
    maxRetryAfter: maxRetryAfter ?? 10,
  };
}

/** Where the back-end is, read by the parser that the requests will go through. A page may name its own origin by path. */
function readBase(baseUrl) {
  const wrong = (what) => fail("invalid_options", `baseUrl ${what}, such as "https://auth.example.com"`);
  if (!baseUrl) return {};
  let url;
  try {
    // "auth.example.com" is no path of the page's.
    if (!/^(?:[a-z][a-z\d+.-]*:|\/(?!\/))/i.test(baseUrl)) throw baseUrl;
    url = new URL(baseUrl, globalThis.location?.href);
  } catch {
    throw wrong("must be an absolute URL, or on a page a path that begins with /");
  }
  const { protocol, hostname, username, password, search, hash, origin, pathname } = url;
  if (!/^https?:$/.test(protocol) || username || password || search || hash) {
    throw wrong("must be an http(s) URL without user, query or fragment");
  }
  // Nobody between here and there can read along: https, or this very machine.
  const isSecure = protocol === "https:" || /^(127(\.\d+){3}|\[::1\]|(.+\.)?localhost)$/.test(hostname);
  return { base: origin + pathname.replace(/\/+$/, ""), isSecure, isOwn: origin === globalThis.location?.origin };
}

/** `(request?, id?, options?)`, as each method takes them. */
export function readArguments(operation, args) {
  const input = {};
  let rest = [...args];
  const request = [];
  if (operation === "logout") {
    rest = [{}];
    if (isFunction(args[0]?.then) || !["undefined", "object", "string"].includes(typeof args[0])) {
      throw fail("invalid_argument", "logout takes a refresh token, or options: is an await missing?");
    }
    if (typeof args[0] === "string") {
      // An empty cookie is nobody's token, and not this client's either.
      input.endedToken = args[0];
    } else if (isObject(args[0])) {
      // Taken for options, a request would have all of its headers forwarded.
      if (isObject(args[0].headers) && ("url" in args[0] || "method" in args[0])) {
        throw fail("invalid_argument", "logout takes a request as { request }");
      }
      rest = [args[0]];
      input.endedToken = args[0].refreshToken ?? undefined;
      // A browser's logout comes with cookies alone: then the refresh token has to be given.
      if (args[0].request) input.authorization = authorization(args[0].request, args[0].refreshToken);
    }
  } else if (TAKES_REQUEST.includes(operation)) {
    if (isObject(rest[0]?.headers)) {
      request.push(rest.shift());
      input.authorization = authorization(request[0]);
    } else if (operation !== "revoke" && rest.length > 1) {
      const [first] = rest;
      if (first !== undefined && first !== null) throw fail("invalid_argument", "the first argument must be a request with headers, or undefined");
      rest.shift();
    }
  }
  for (const name of [TAKES_ID.includes(operation) && "id", operation === "createTokenFromTemplate" && "template"]) {
    if (!name) continue;
    input[name] = rest.shift();
    if (!input[name] || !isText(input[name])) throw fail("invalid_argument", `${name} must be ${name === "id" ? "a session's id" : "a template's name"}, a string`);
  }
  if (INPUTS[operation]) {
    const given = rest.shift() ?? {};
    if (!isObject(given)) throw fail("invalid_argument", "input must be an object");
    check(given, INPUTS[operation], "invalid_argument");
    for (const key of Object.keys(INPUTS[operation])) {
      const name = key.replace("!", "");
      // Not the client's own; and nothing that was not asked for, as it would be taken for the client's.
      input[name === "refreshToken" ? "sessionRefreshToken" : name] = given[name];
    }
  }
  const options = rest[0] ?? {};
  // What is not known as a request must not be taken for options: they would end what is this client's own.
  const isPlain = isObject(options) && !Object.getPrototypeOf(Object.getPrototypeOf(options) ?? Object.prototype);
  if (!isPlain) throw fail("invalid_argument", `options must be a plain object${REQUEST}`);
  // A name that nobody knows may be a misspelt one: without it, more would be ended than was meant.
  for (const name in options) {
    if (!ARGUMENTS[name] && options[name] != null && !(name === "request" && operation === "logout")) throw fail("invalid_argument", `there is no option ${name}${REQUEST}`);
  }
  check(options, ARGUMENTS, "invalid_argument");
  checkHeaders(options.headers, "invalid_argument");
  for (const name of ["applicationId", "userId", "status", "pageSize", "cursor", "clientId"]) {
    if (options[name] === "") throw fail("invalid_argument", `${name} must not be empty`);
    // The client's own clientId is another one.
    input[name === "clientId" ? "ofClient" : name] ??= options[name];
  }
  const { signal, timeout, onProgress } = options;
  return { operation, input, request, options, signal: signal ?? undefined, timeout: timeout ?? undefined, onProgress };
}

/** The `Authorization` of a Fetch `Request`, or of any framework's request with a plain `headers` object. Nothing else of it is looked at. */
function authorization({ headers }, optional) {
  const found = isFunction(headers?.get)
    ? [headers.get("authorization")]
    : pairs(headers).filter(([name]) => name.toLowerCase() === "authorization").flatMap(([, value]) => value);
  const values = [...new Set(found.filter((value) => typeof value === "string" && value.trim() !== ""))];
  if (values.length === 0 && optional) return "";
  if (values.length === 0) throw fail("unauthenticated", "the request has no Authorization header (options come after it, or after undefined)");
  if (values.length > 1 || !VALUE.test(values[0])) throw fail("invalid_argument", "the request has several Authorization headers, or one that can't be sent");
  return values[0];
}
