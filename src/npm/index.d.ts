/**
 * auth-sessions: list, revoke and log out authentication sessions over several back-ends.
 *
 * Times are ISO 8601 strings in UTC with milliseconds. Everything that is thrown is a {@link SessionsError}.
 */

// ---------------------------------------------------------------- entry points

/** Synchronous and cheap: nothing is fetched or compiled until the first call. No init step, no top-level await. */
export function createSessions(options: SessionsOptions): Sessions;

/** `createAuthVital(config).sessions` — the shape of AuthVital's server documentation, same object. */
export function createAuthVital(config: Omit<SessionsOptions, "provider">): { sessions: Sessions };

/** Parse a user agent into a label such as "Chrome on macOS"; unknown parts are null, never guessed. It starts no WebAssembly. Of very long ones the first 1024 bytes are read. */
export function describeDevice(userAgent: string | null): Promise<Device>;

export type ProviderName = "authvital" | "clerk" | "ksef" | "rest" | "better-auth";

export interface SessionsOptions {
  provider: ProviderName | RestProfile;
  /**
   * Where the back-end is, path prefix included: "https://auth.example.com" (AuthVital, Better Auth, whose "/api/auth" is appended, and REST,
   * whose "/api/v1/sessions" is), "https://api.clerk.com/v1" (Clerk's default), "https://api.ksef.mf.gov.pl/v2" (KSeF's, or by `environment`).
   */
  baseUrl?: string;
  /** KSeF only: picks the base URL. */
  environment?: "production" | "demo" | "test";
  /** Access token, or Clerk's secret key. A function is asked before every request. */
  token?: string | (() => string | null | undefined | Promise<string | null | undefined>);
  /** Refresh token, where the provider can refresh. */
  refreshToken?: string | (() => string | null | undefined | Promise<string | null | undefined>);
  /** Told every new token pair, and awaited before any call uses it, for 3 seconds at most: it may be this function that calls. A logout goes at once. */
  onTokens?: (tokens: Tokens) => void | Promise<void>;
  /** OAuth client id, where refresh needs one. */
  clientId?: string;
  fetch?: typeof fetch;
  headers?: Record<string, string>;
  // Written out: types of workers have no name for it.
  credentials?: "omit" | "same-origin" | "include";
  /** Milliseconds for one attempt (default 10 000) and for the whole call, retries included (default 30 000). */
  timeout?: number;
  totalTimeout?: number;
  /** Extra attempts for calls that are safe to repeat (default 2). */
  maxRetries?: number;
  /** Longest server-given wait, in seconds, that is waited out (default 10); a longer one rejects at once with `rate_limited`. */
  maxRetryAfter?: number;
  /** Cookies that `logout` clears on this side. */
  cookies?: CookieSpec[];
  hooks?: Hooks;
  /**
   * Replaces the built-in labels of sessions that have a user agent, whatever the back-end says of them; the others keep what it says. Called once for each, and not awaited;
   * null, or an error, leaves the session without a `device`.
   */
  parseUserAgent?: (userAgent: string) => Device | null;
  /** Asked once when the back-end wants the user to authenticate again; true = try the call again. */
  onReauthenticate?: (error: SessionsError) => boolean | Promise<boolean>;
  /** A secret key in a browser, and a token over plain http to anything but loopback, are refused unless these say otherwise. */
  dangerouslyAllowBrowser?: boolean;
  allowInsecure?: boolean;
}

// ---------------------------------------------------------------- the sessions object

/** A Fetch `Request`, or any server framework's request that has `headers`. */
export type IncomingRequest = Request | { headers: Headers | Record<string, string | string[] | undefined> };

/**
 * Methods with a `request` overload serve somebody else's request: its `Authorization` header is forwarded, nothing else of it. A request without one is
 * `unauthenticated`; the client's own token is never used for it. With Clerk the secret key is sent, and the request's token only tells the current session (`sid`).
 * A lone object with `headers` is a request; options with headers go second: `list(undefined, { headers })`.
 */
export interface Sessions {
  /** One page when awaited; every session of every page when iterated with `for await`. */
  list(options?: ListOptions): Listing;
  list(request: IncomingRequest | undefined, options?: ListOptions): Listing;
  get(id: string, options?: CallOptions): Promise<Session>;
  /** The session this client itself is using. */
  current(options?: CallOptions): Promise<Session>;
  current(request: IncomingRequest, options?: CallOptions): Promise<Session>;
  revoke(id: string, options?: CallOptions): Promise<RevokeResult>;
  revoke(request: IncomingRequest, id: string, options?: CallOptions): Promise<RevokeResult>;
  /** `id` of the result is "current" where it cannot be known. */
  revokeCurrent(options?: CallOptions): Promise<RevokeResult>;
  revokeCurrent(request: IncomingRequest, options?: CallOptions): Promise<RevokeResult>;
  revokeAll(options?: RevokeAllOptions): Promise<RevokeAllResult>;
  revokeAll(request: IncomingRequest, options?: RevokeAllOptions): Promise<RevokeAllResult>;
  /** Everything but the current session; refuses with `current_unknown` rather than guess. */
  revokeOthers(options?: RevokeAllOptions): Promise<RevokeAllResult>;
  revokeOthers(request: IncomingRequest, options?: RevokeAllOptions): Promise<RevokeAllResult>;
  /** Ends the current session and clears this side's cookies. Never rejects because the server failed: the result says so. */
  logout(refreshToken?: string): Promise<LogoutResult>;
  logout(options: LogoutOptions): Promise<LogoutResult>;
  /** New tokens. After a lost answer the same rotating refresh token is not sent again by this client; at most one in flight per client and, in browsers, per origin. */
  refresh(options?: CallOptions): Promise<Tokens>;
  capabilities(): Promise<Capabilities>;

  // Clerk; `unsupported` elsewhere
  create(input: { userId: string; activeOrganizationId?: string }, options?: CallOptions): Promise<Session>;
  createToken(id: string, input?: { expiresInSeconds?: number | null }, options?: CallOptions): Promise<{ jwt: string }>;
  createTokenFromTemplate(id: string, template: string, input?: { expiresInSeconds?: number | null }, options?: CallOptions): Promise<{ jwt: string }>;
  refreshSession(id: string, input: RefreshSessionInput, options?: CallOptions): Promise<{ jwt: string } | { cookies: string[] }>;
}

/** `timeout` is per attempt. An emulated revoke-all has its deadline per request, not for the whole paced run. */
export interface CallOptions { signal?: AbortSignal; timeout?: number; headers?: Record<string, string> }

export interface ListOptions extends CallOptions {
  /** AuthVital */ applicationId?: string;
  /** Clerk */ userId?: string; clientId?: string; status?: string;
  /** Sessions per request; checked against the back-end's own limits before anything is sent. */
  pageSize?: number;
  /** `next` of an earlier page. */
  cursor?: string;
}
export interface RevokeAllOptions extends CallOptions {
  applicationId?: string;
  /** Clerk */ userId?: string;
  /** Called after each session of an emulated revoke-all. */
  onProgress?: (done: number, total: number) => void;
}
export interface LogoutOptions extends CallOptions { request?: IncomingRequest; refreshToken?: string }
export interface RefreshSessionInput {
  expiredToken: string; refreshToken: string; requestOrigin: string;
  requestHeaders?: Record<string, string[]>; requestOriginatingIp?: string; format?: "token" | "cookie";
}

export interface Listing extends Promise<SessionPage>, AsyncIterable<Session> {}

export interface SessionPage {
  sessions: Session[];
  /** `sessions.length`, or the back-end's own count where it sends one. */
  count: number;
  /** All sessions on all pages, where the back-end says. */
  total: number | null;
  /** Opaque; null on the last page. */
  next: string | null;
}

/** One session, the same for every back-end. Plain data: it can be serialised, stored and compared. */
export interface Session {
  id: string;
  status: "active" | "revoked" | "expired" | "ended" | "removed" | "abandoned" | "replaced" | "pending" | "blocked" | "unknown";
  /** Times: ISO 8601, UTC, milliseconds ("2026-01-31T09:30:00.000Z"); null where the back-end does not say. */
  createdAt: string | null;
  lastActiveAt: string | null;
  expiresAt: string | null;
  userAgent: string | null;
  ipAddress: string | null;
  tenant: string | null;
  userId: string | null;
  /** null: the back-end does not say, and neither the token nor an earlier `current()` tells it (no extra request is made for it). */
  current: boolean | null;
  device: Device | null;
  location: { city: string | null; country: string | null } | null;
  /** How the user authenticated (KSeF). */
  method: { category: string; code: string; name: string } | null;
  /** The item as the back-end sent it, secrets removed. */
  raw: unknown;
}

/**
 * What the user agent says, or the back-end where it has read that itself. Unknown parts are null, never guessed, and there are no versions: browsers freeze those of systems
 * and devices. The words may become more with each release.
 */
export interface Device {
  /** For people: "Chrome on Windows", "Safari on iPhone", "Gmail app on iOS", "Unknown device". */
  label: string;
  /** The family, the same on telephones: "Chrome", "Samsung Internet". Of an app or an HTTP client its name: "Gmail", "curl". Bots have none. */
  browser: string | null;
  /** The family: "Windows", "macOS", "iOS" (iPads, too), "Android", "Linux", "ChromeOS"… */
  os: string | null;
  /** "app": apps, views in them, and HTTP clients. "tablet" on Android: the agent leaves "Mobile" out, as tablets do. An iPad that asks for desktop pages says it is a Mac. */
  kind: "desktop" | "mobile" | "tablet" | "bot" | "app" | "unknown";
}

/** What a revocation really ends. "refresh-only": access tokens already handed out go on working until they expire. */
export type Effect = "immediate" | "refresh-only" | "unknown";

export interface RevokeResult {
  id: string;
  success: boolean;
  outcome: "revoked" | "already-revoked";
  /** `success` is also true where a retry found the session gone: this call ended it. */
  message: string | null;
  effect: Effect;
  /** Latest moment at which an access token of the session can still be accepted: our own token's `exp` for our own session; for another one null, or now plus the back-end's published lifetime. */
  accessTokenValidUntil: string | null;
}
export interface RevokeAllResult {
  success: boolean;
  /** null where the back-end does not say how many it ended (Better Auth, AuthVital's newer generation). */
  count: number | null;
  message: string | null;
  /** Ids, where they are known. If any revocation failed the call rejects with `partial_revocation`, which has `revoked` and `failed`. */
  revoked: string[] | null;
  effect: Effect;
  accessTokenValidUntil: string | null;
}
export interface LogoutResult {
  /** True only if the server confirmed. */
  success: boolean;
  message: string | null;
  /** rejected: any answer that is not a confirmation, 5xx included; unreachable: no answer. */
  server: "confirmed" | "rejected" | "unreachable" | "skipped";
  cookies: { name: string; outcome: "cleared" | "absent" | "still-present" | "not-visible" }[];
  /** On a server: `Set-Cookie` values to append to the response, one header each. */
  setCookie: string[];
  /** Why the server did not confirm. */
  error: SessionsError | null;
}
/** `refreshToken` is the one that is valid now, also where the back-end does not rotate it. */
export interface Tokens { accessToken: string; refreshToken: string | null; expiresAt: string | null }

export type Support = "native" | "emulated" | "unsupported";
export interface Capabilities {
  provider: string;
  list: Support; get: Support; current: Support; revoke: Support; revokeCurrent: Support; revokeAll: Support; revokeOthers: Support;
  logout: Support; refresh: Support; create: Support; createToken: Support;
  effect: Effect;
  /** False where the back-end sends no CORS headers or wants a secret key: call it from a server or an edge worker. */
  browser: boolean;
  pageSize: { min: number; max: number; default: number } | null;
}

// ---------------------------------------------------------------- errors

export type ErrorCode =
  | "invalid_options" | "invalid_argument" | "unsupported" | "insecure"
  | "unauthenticated" | "reauthentication_required" | "forbidden" | "not_found" | "conflict" | "rejected"
  | "rate_limited" | "server_error" | "network" | "timeout" | "aborted" | "invalid_response"
  | "current_unknown" | "partial_revocation" | "internal";

/**
 * The only thing that is ever thrown; options are checked on the first call. A refused redirect is `invalid_response`; a `Retry-After` beyond `maxRetryAfter` is
 * `rate_limited` whatever the status; a token function that throws is `unauthenticated` with its cause. No message, property or stack holds a token, cookie or secret key.
 */
export class SessionsError extends Error {
  readonly name: "SessionsError";
  readonly code: ErrorCode;
  readonly provider: string | null;
  readonly operation: string | null;
  /** HTTP status, where there was an answer. */
  readonly status: number | null;
  /** The back-end's own code, e.g. "resource_not_found", "21301". */
  readonly serverCode: string | null;
  readonly requestId: string | null;
  /** Seconds. */
  readonly retryAfter: number | null;
  /** Worth trying again later without any change. */
  readonly transient: boolean;
  /** Field-level or exception details as the back-end gave them. */
  readonly details: unknown;
  readonly cause?: unknown;
  /** `partial_revocation` only. */
  readonly revoked?: string[];
  readonly failed?: { id: string; error: SessionsError }[];
  /** Works across realms and duplicate copies of the package. */
  static is(value: unknown): value is SessionsError;
}

// ---------------------------------------------------------------- cookies, hooks

export interface CookieSpec { name: string; path?: string; domain?: string; secure?: boolean; sameSite?: "Strict" | "Lax" | "None"; partitioned?: boolean; httpOnly?: boolean }

export interface Hooks {
  /** `warnings`: what the back-end says beside its answer (KSeF's X-System-Warning). URLs in hooks are templates (`/oauth/sessions/{id}/revoke`): no ids, no tokens. */
  onRequest?(event: { operation: string; method: string; url: string; attempt: number }): void;
  onResponse?(event: { operation: string; method: string; url: string; attempt: number; status: number; durationMs: number; requestId: string | null; warnings: string[] }): void;
  onRetry?(event: { operation: string; attempt: number; delayMs: number; reason: ErrorCode }): void;
}

// ---------------------------------------------------------------- any other REST back-end, described as data

/** `provider: "rest"` is the built-in profile for `/api/v1/sessions`; any other is described with this. */
export interface RestProfile {
  name?: string;
  list: RestEndpoint & {
    /** JSON Pointer to the array; omitted: found by itself. */
    items?: string;
    /** Where each field is, relative to an item: a name, or a JSON Pointer ("/device/ip"); first match wins; omitted: found by itself. */
    fields?: Partial<Record<"id" | "createdAt" | "lastActiveAt" | "expiresAt" | "userAgent" | "ipAddress" | "current" | "status" | "userId" | "tenant" | "city" | "country", string | string[]>>;
    time?: "auto" | "iso" | "seconds" | "milliseconds";
    /** JSON Pointer to the current session's id, and to the next page's cursor. */
    currentId?: string; next?: string;
    /** Where the cursor goes. */
    cursor?: { query: string } | { header: string };
    pageSize?: { query: string; min: number; max: number; default: number };
  };
  revoke: RestEndpoint;
  revokeAll?: RestEndpoint; revokeOthers?: RestEndpoint; logout?: RestEndpoint;
  /** `"{refreshToken}"` in the body is replaced; the three are JSON Pointers into the answer. */
  refresh?: RestEndpoint & { accessToken: string; refreshToken?: string; expiresIn?: string };
  auth?: "bearer" | "cookie" | { header: string };
  /** Read from a cookie (`document.cookie`; on a server the `cookie` among `headers`), sent as a header. */
  csrf?: { cookie: string; header: string };
  effect?: Effect;
}
export interface RestEndpoint {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `{id}` is replaced, percent-encoded. */
  path: string;
  /** JSON; a string value "{id}" is replaced: as a number if the id was listed as one, else as a string. */
  body?: unknown;
  /** Statuses that mean success (default: any 2xx), and those that mean "it was already gone". */
  success?: number[]; gone?: number[];
}
