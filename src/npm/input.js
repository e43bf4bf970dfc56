import { fail } from "./error.js";

/** Every method but `list`; the wasm side knows which of them a back-end has. */
export const METHODS = [
  "get", "current", "revoke", "revokeCurrent", "revokeAll", "revokeOthers", "logout", "refresh", "capabilities",
  "create", "createToken", "createTokenFromTemplate", "refreshSession",
];

const TAKES_REQUEST = ["list", "current", "revoke", "revokeCurrent", "revokeAll", "revokeOthers"];
const TAKES_ID = ["get", "revoke"];
const NOT_BUILT = ["create", "createToken", "createTokenFromTemplate", "refreshSession"];

/** Timers count milliseconds in 31 bits. */
const LONGEST = 2 ** 31 - 1;

const isObject = (value) => typeof value === "object" && value !== null;
/** Half a surrogate pair would become another character on its way, and an id another id. */
const isText = (value) => {
  try {
    return typeof value === "string" && encodeURIComponent(value) >= "";
  } catch {
    return false;
  }
};
const isFunction = (value) => typeof value === "function";
const number = (least, most) => [`a whole number from ${least} to ${most}`, (value) => Number.isInteger(value) && value >= least && value <= most];
const oneOf = (...names) => [names.map((name) => `"${name}"`).join(" or "), (value) => names.includes(value)];
const STRING = ["a string of Unicode text", isText];
const FLAG = ["true or false", (value) => typeof value === "boolean"];
const FUNCTION = ["a function", isFunction];
const SECRET = ["a string or a function", (value) => typeof value === "string" || isFunction(value)];
const HEADERS = [
  "a plain object of strings",
  (value) => isObject(value) && !Array.isArray(value) && !isFunction(value.entries) && Object.values(value).every((text) => typeof text === "string"),
];

const OPTIONS = {
  baseUrl: STRING, token: SECRET, refreshToken: SECRET, onTokens: FUNCTION, clientId: STRING,
  fetch: FUNCTION, headers: HEADERS, credentials: oneOf("omit", "same-origin", "include"), timeout: number(1, LONGEST), totalTimeout: number(1, LONGEST),
  maxRetries: number(0, 100), maxRetryAfter: number(0, 2_000_000), cookies: ["an array of objects", (value) => Array.isArray(value) && value.every(isObject)],
  hooks: ["an object of functions", isObject], parseUserAgent: FUNCTION, allowInsecure: FLAG,
};
const COOKIE = {
  name: STRING, path: STRING, domain: STRING, secure: FLAG, sameSite: oneOf("Strict", "Lax", "None"), partitioned: FLAG, httpOnly: FLAG,
};
const ARGUMENTS = {
  signal: ["an AbortSignal", (value) => isFunction(value.addEventListener)], timeout: number(1, LONGEST), headers: HEADERS, onProgress: FUNCTION,
  applicationId: STRING, pageSize: number(1, LONGEST), cursor: STRING, refreshToken: STRING,
};

/** `undefined` and `null` are as if they were not there. */
function check(object, table, code, prefix = "") {
  for (const [name, [what, isRight]] of Object.entries(table)) {
    const value = object[name];
    if (value !== undefined && value !== null && !isRight(value)) {
      throw fail(code, `${prefix}${name} must be ${what}`);
    }
  }
}

const pairs = (headers) => Object.entries(headers ?? {});

/** The client's options, as the wasm side takes them. */
export function readOptions(options) {
  if (!isObject(options)) {
    throw fail("invalid_options", "createSessions takes an object with at least provider and baseUrl");
  }
  check(options, OPTIONS, "invalid_options");
  for (const cookie of options.cookies ?? []) check(cookie, COOKIE, "invalid_options", "cookies: ");
  if (isObject(options.provider)) {
    throw fail("unsupported", "this version reads no REST profiles yet");
  }
  for (const name of ["Request", "Response", "Headers", "URL", "URLSearchParams", "AbortController"]) {
    // Said before anything is sent, rather than as a failure half-way.
    if (!isFunction(globalThis[name])) throw fail("unsupported", `this runtime has no ${name}`);
  }
  const { provider, baseUrl, clientId, headers, credentials, allowInsecure, totalTimeout, maxRetries, maxRetryAfter, cookies } = options;
  return {
    provider: typeof provider === "string" ? provider : "",
    ...readBase(baseUrl),
    clientId,
    headers: pairs(headers),
    // Cookies may authenticate without a token.
    sendsCookies: credentials === "include" || credentials === "same-origin" || pairs(headers).some(([name]) => name.toLowerCase() === "cookie"),
    allowInsecure: allowInsecure ?? false,
    totalTimeout: totalTimeout ?? 30_000,
    maxRetries: maxRetries ?? 2,
    maxRetryAfter: maxRetryAfter ?? 10,
    cookies: cookies ?? [],
  };
}

/** Where the back-end is, read by the parser that the requests will go through. A page may name its own origin by path. */
function readBase(baseUrl) {
  const wrong = (what) => fail("invalid_options", `baseUrl ${what}, such as "https://auth.example.com"`);
  if (!baseUrl) return {};
  let url;
  try {
    url = new URL(baseUrl, globalThis.location?.href);
  } catch {
    throw wrong("must be an absolute URL");
  }
  const { protocol, hostname, username, password, search, hash, origin, pathname } = url;
  if (!/^https?:$/.test(protocol) || username || password || search || hash) {
    throw wrong("must be an http(s) URL without user, query or fragment");
  }
  // Nobody between here and there can read along: https, or this very machine.
  const isSecure = protocol === "https:" || /^(127(\.\d+){3}|\[::1\]|(.+\.)?localhost)$/.test(hostname);
  return { base: origin + pathname.replace(/\/+$/, ""), isSecure };
}

/** `(request?, id?, options?)`, as each method takes them. */
export function readArguments(operation, args) {
  const input = {};
  if (NOT_BUILT.includes(operation)) return { operation, input };
  let rest = [...args];
  const request = [];
  if (operation === "logout") {
    rest = [{}];
    if (typeof args[0] === "string") {
      // An empty cookie is nobody's token, and not this client's either.
      input.endedToken = args[0];
    } else if (isObject(args[0])) {
      // Taken for options, a request would have all of its headers forwarded.
      if (isObject(args[0].headers) && ("url" in args[0] || "method" in args[0])) {
        throw fail("invalid_argument", "logout takes a refresh token or options: pass a request as { request }");
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
  if (TAKES_ID.includes(operation)) {
    input.id = rest.shift();
    if (!input.id || !isText(input.id)) throw fail("invalid_argument", "id is missing: pass a session's id, a string");
  }
  const options = rest[0] ?? {};
  if (!isObject(options)) throw fail("invalid_argument", "options must be an object");
  check(options, ARGUMENTS, "invalid_argument");
  for (const name of ["pageSize", "cursor", "userId", "clientId", "status"]) {
    // Ignored, it would show or end more than was asked for.
    if (options[name] !== undefined) throw fail("invalid_argument", `this back-end has no ${name}`);
  }
  if (options.applicationId === "") throw fail("invalid_argument", "applicationId must not be empty");
  input.applicationId = options.applicationId;
  input.callHeaders = pairs(options.headers);
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
  if (values.length === 0) throw fail("unauthenticated", "the request has no Authorization header");
  if (values.length > 1) throw fail("invalid_argument", "the request has several Authorization headers");
  return values[0];
}
