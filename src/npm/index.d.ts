/**
 * auth-sessions: list, revoke and log out authentication sessions over several back-ends.
 *
 * Times are ISO 8601 strings in UTC with milliseconds. Everything that is thrown is a {@link SessionsError}.
 */

// ---------------------------------------------------------------- entry points

/**
 * A client of one back-end. Synchronous and cheap: nothing is fetched or compiled until the first call. No init step, no top-level await.
 * It throws nothing: what is wrong with the options is told by the first call, which rejects with `invalid_options`.
 */
export function createSessions(options: SessionsOptions): Sessions;

/** `createAuthVital(config).sessions` — the shape of AuthVital's server documentation, same object as `createSessions` with `provider: "authvital"` gives. */
export function createAuthVital(config: Omit<SessionsOptions, "provider">): {
  /** The client. */
  sessions: Sessions;
};

/** Parse a user agent into a label such as "Chrome on macOS"; unknown parts are null, never guessed. It starts no WebAssembly. Of very long ones the first 1024 bytes are read. */
export function describeDevice(userAgent: string | null): Promise<Device>;

/** The back-ends that are known by name: AuthVital, Clerk's Backend API, KSeF 2.0, a sessions API at `/api/v1/sessions` ("rest"), Better Auth. Others are described by a {@link RestProfile}. */
export type ProviderName = "authvital" | "clerk" | "ksef" | "rest" | "better-auth";

/** What `createSessions` takes. The object is copied: members that are set later have no effect. `undefined` is as if a member were not there. */
export interface SessionsOptions {
  /** Which back-end: one that is known by name, or any other, described as data. */
  provider: ProviderName | RestProfile;
  /**
   * Where the back-end is, path prefix included: "https://auth.example.com" (AuthVital, Better Auth, whose "/api/auth" is appended, and REST,
   * whose "/api/v1/sessions" is), "https://api.clerk.com/v1" (Clerk's default), "https://api.ksef.mf.gov.pl/v2" (KSeF's, or by `environment`).
   * A page may name its own origin by a path that begins with a slash, such as "/auth". No user, query or fragment.
   */
  baseUrl?: string;
  /** KSeF only, `invalid_options` elsewhere: picks the base URL. Default "production"; a `baseUrl` comes before it. */
  environment?: "production" | "demo" | "test";
  /** Access token without "Bearer", or Clerk's secret key. A function is asked before every request; null where there is none. If it throws: `unauthenticated`, with its error as `cause`. */
  token?: string | (() => string | null | undefined | Promise<string | null | undefined>);
  /** Refresh token, where the provider can refresh. With AuthVital it names the current session, too. A function is asked each time, as with `token`. */
  refreshToken?: string | (() => string | null | undefined | Promise<string | null | undefined>);
  /**
   * Told every new token pair, and awaited before any call uses it: by the call that refreshed until `totalTimeout`, by others for 3 seconds at most, as it may be this function
   * that calls. A logout goes at once. If it fails, the call that refreshed rejects with `internal`, and this client uses the new pair all the same.
   */
  onTokens?: (tokens: Tokens) => void | Promise<void>;
  /** OAuth client id, where refresh needs one: older AuthVital servers. */
  clientId?: string;
  /** Instead of the runtime's `fetch`; it is called with a `Request`. */
  fetch?: typeof fetch;
  /**
   * Sent with every request; those of a call come before them. `Authorization`, and what belongs to connection or body (`Host`, `Content-Length`…), is refused. A `cookie` among them
   * is not sent for somebody else's request.
   */
  headers?: Record<string, string>;
  // Written out: types of workers have no name for it.
  /** As `fetch` takes it; default: the runtime's. "include" where the back-end is on another origin and cookies sign the user in. */
  credentials?: "omit" | "same-origin" | "include";
  /** Milliseconds for one attempt, the reading of its answer included. Default 10 000. */
  timeout?: number;
  /** Milliseconds for the whole call, retries and waits included. Default 30 000. What is ended one by one has it for each session, not for the whole run. */
  totalTimeout?: number;
  /** Extra attempts for calls that are safe to repeat, from 0 to 100. Default 2. `refresh`, `create` and `refreshSession` are never repeated. */
  maxRetries?: number;
  /** Longest server-given wait, in seconds, that is waited out (default 10); a longer one rejects at once with `rate_limited`. */
  maxRetryAfter?: number;
  /** Cookies that `logout` clears on this side. Default: none. Each with the exact `path`, `domain` and `partitioned` that it was set with. */
  cookies?: CookieSpec[];
  /** Told what is sent and answered, without ids and tokens. */
  hooks?: Hooks;
  /**
   * Replaces the built-in labels of sessions that have a user agent, whatever the back-end says of them; the others keep what it says. Called once for each, and not awaited;
   * null, or an error, leaves the session without a `device`.
   */
  parseUserAgent?: (userAgent: string) => Device | null;
  /**
   * Asked once in a call when the back-end wants the user to authenticate again, and once for all calls that need it at the moment; true = try the call again, anything else rejects
   * with the error that it was given. It has 10 minutes, which are not the call's.
   */
  onReauthenticate?: (error: SessionsError) => boolean | Promise<boolean>;
  /** Allows a secret key (Clerk's) in a browser, which is `insecure` otherwise: everybody can read it there. Default false. */
  dangerouslyAllowBrowser?: boolean;
  /** Allows plain http to anything but loopback, which is `insecure` otherwise: anybody on the way can read the tokens. Default false. */
  allowInsecure?: boolean;
}

// ---------------------------------------------------------------- the sessions object

/** A Fetch `Request`, or any server framework's request that has `headers`. Its `Authorization` is all that is looked at. */
export type IncomingRequest =
  | Request
  | {
      /** Names in any case. Several different `Authorization` headers are `invalid_argument`. */
      headers: Headers | Record<string, string | string[] | undefined>;
    };

/**
 * Methods with a `request` overload serve somebody else's request: its `Authorization` header is forwarded, nothing else of it. A request without one is
 * `unauthenticated`; the client's own token is never used for it. With Clerk the secret key is sent, and the request's token only tells the current session (`sid`).
 * A lone object with `headers` is a request; options with headers go second: `list(undefined, { headers })`. With `undefined` as the request the client serves itself.
 *
 * What a back-end can't do in one request is emulated, or `unsupported`: `capabilities()` tells. All methods work without their object: `const { list } = sessions`.
 */
export interface Sessions {
  /**
   * One page when awaited; every session of every page when iterated with `for await`. Clerk needs `userId` or `clientId`.
   *
   * AuthVital `GET /oauth/sessions`, newer `GET /api/auth/sessions`; Clerk `GET /sessions`; KSeF `GET /auth/sessions`; REST `GET /api/v1/sessions`;
   * Better Auth `GET /api/auth/list-sessions`.
   *
   * Rejects with `unauthenticated`, with `reauthentication_required` (Better Auth, where the session is not fresh), with `invalid_argument` for options that the back-end does not have, and with
   * `not_found` or `invalid_response` where there is no list below `baseUrl`.
   */
  list(options?: ListOptions): Listing;
  /** The same for the user whose request is served: one page when awaited, all when iterated. A request without `Authorization` is `unauthenticated`. `undefined` is the client itself. */
  list(request: IncomingRequest | undefined, options?: ListOptions): Listing;
  /**
   * One session by its id; `not_found` if there is none. Clerk `GET /sessions/{id}`, which reaches every session of the instance: check `userId`. Elsewhere it is looked up in the list, page by page.
   */
  get(id: string, options?: CallOptions): Promise<Session>;
  /**
   * The session this client itself is using. Better Auth `GET /api/auth/get-session`; elsewhere the one that the tokens name, or that the list marks.
   * Rejects with `current_unknown` where neither tells it: with AuthVital without a `refreshToken`, with Clerk without a request.
   */
  current(options?: CallOptions): Promise<Session>;
  /** The session that the request comes from, by its token or the list's mark. With AuthVital always `current_unknown`: its access tokens don't name one. */
  current(request: IncomingRequest, options?: CallOptions): Promise<Session>;
  /**
   * Ends one session. A session that was over before may be `already-revoked` in the result, or `not_found`, as the back-end says it; gone after a lost answer counts as revoked by this call.
   *
   * AuthVital `POST /oauth/sessions/{id}/revoke`, newer `DELETE /api/auth/sessions/{id}`; Clerk `POST /sessions/{id}/revoke`; KSeF `DELETE /auth/sessions/{id}`;
   * REST `DELETE /api/v1/sessions/{id}`; Better Auth `POST /api/auth/revoke-session`, after a list if this client has not seen the session.
   *
   * Rejects with `not_found`, with `forbidden` where the session is somebody else's and the back-end says so, and with `invalid_argument` for what can't be an id.
   */
  revoke(id: string, options?: CallOptions): Promise<RevokeResult>;
  /** The same for the user whose request is served. With Clerk it reaches every session of the instance: check that it is the user's own, by the `userId` of `get(id)`. */
  revoke(request: IncomingRequest, id: string, options?: CallOptions): Promise<RevokeResult>;
  /**
   * Ends the session this client itself is using, and clears no cookies: `logout` does. KSeF `DELETE /auth/sessions/current`; elsewhere the current session is looked up where that is
   * needed, then revoked; `current_unknown` if it can't be known. `id` of the result is "current" where it cannot be known.
   */
  revokeCurrent(options?: CallOptions): Promise<RevokeResult>;
  /** Ends the session that the request comes from; `current_unknown` if it can't be known, as always with AuthVital. */
  revokeCurrent(request: IncomingRequest, options?: CallOptions): Promise<RevokeResult>;
  /**
   * Ends all sessions, the current one included. Clerk needs `userId`.
   *
   * AuthVital `POST /oauth/logout-all`, newer `POST /api/auth/logout`; Better Auth `POST /api/auth/revoke-sessions`. Elsewhere every page is listed, then the sessions are ended one by one,
   * four at a time (KSeF's at its own pace), the current one last; if any fails: `partial_revocation`.
   */
  revokeAll(options?: RevokeAllOptions): Promise<RevokeAllResult>;
  /** Ends all sessions of the user whose request is served. */
  revokeAll(request: IncomingRequest, options?: RevokeAllOptions): Promise<RevokeAllResult>;
  /**
   * Everything but the current session; refuses with `current_unknown` rather than guess, and nothing is ended then. Clerk needs `userId`, and the user's request.
   *
   * Better Auth `POST /api/auth/revoke-other-sessions`. Elsewhere every page is listed, then the sessions are ended one by one, as by `revokeAll`; if any fails: `partial_revocation`.
   */
  revokeOthers(options?: RevokeAllOptions): Promise<RevokeAllResult>;
  /** Everything but the session that the request comes from; `current_unknown` if that can't be known, as always with AuthVital. */
  revokeOthers(request: IncomingRequest, options?: RevokeAllOptions): Promise<RevokeAllResult>;
  /**
   * Ends the current session and clears this side's cookies. Never rejects because the server failed: the result says so. It rejects only for what is wrong with options and arguments.
   * With a refresh token the session of that one is ended; where the back-end's logout takes none, `server` is "skipped". Without one, this client's own, and its tokens are forgotten
   * whatever the server says.
   *
   * AuthVital `POST /oauth/logout`, newer `POST /api/auth/logout`; KSeF `DELETE /auth/sessions/current`; REST `POST /api/v1/auth/logout`; Better Auth `POST /api/auth/sign-out`;
   * Clerk revokes the session that the token of the `request` names.
   */
  logout(refreshToken?: string): Promise<LogoutResult>;
  /** The same with options: of the request that is served, with a timeout, a signal, or headers. */
  logout(options: LogoutOptions): Promise<LogoutResult>;
  /**
   * New tokens, which `onTokens` is told, too. After a lost answer the same rotating refresh token is not sent again by this client; at most one in flight per client and, in browsers, per origin.
   * It is seldom needed: calls refresh by themselves. A refresh token that is missing, not accepted, or was sent before with its answer lost is `unauthenticated`.
   *
   * AuthVital `POST /oauth/token` (`invalid_options` without `clientId`), newer `POST /api/auth/refresh`; KSeF `POST /auth/token/refresh`; a profile's `refresh`; `unsupported` elsewhere.
   */
  refresh(options?: CallOptions): Promise<Tokens>;
  /** What the back-end can do, and how. Nothing is sent for it. */
  capabilities(): Promise<Capabilities>;

  // Clerk; `unsupported` elsewhere
  /** Makes a session for a user. Clerk `POST /sessions`, for development and test instances: a production instance refuses it (`rejected`). `unsupported` elsewhere. Never repeated. */
  create(
    input: {
      /** The user's id. */
      userId: string;
      /** The organisation that is active in the session. Default: left to Clerk. */
      activeOrganizationId?: string;
    },
    options?: CallOptions,
  ): Promise<Session>;
  /**
   * Makes a session token, which lives so many seconds, from 30 to 315 360 000; null, which is sent as such, or nothing: Clerk's default. Clerk `POST /sessions/{id}/tokens`.
   * `not_found` if there is no such session; `unsupported` elsewhere.
   */
  createToken(id: string, input?: { expiresInSeconds?: number | null }, options?: CallOptions): Promise<{ jwt: string }>;
  /** The same by one of the instance's JWT templates, given by name. Clerk `POST /sessions/{id}/tokens/{template}`. `not_found` if there is no such session; `unsupported` elsewhere. */
  createTokenFromTemplate(id: string, template: string, input?: { expiresInSeconds?: number | null }, options?: CallOptions): Promise<{ jwt: string }>;
  /** Renews a session token that has run out. Clerk `POST /sessions/{id}/refresh`; `unsupported` elsewhere. Resolves to a token, or to cookies with `format: "cookie"`. Never repeated. */
  refreshSession(
    id: string,
    input: RefreshSessionInput,
    options?: CallOptions,
  ): Promise<
    | {
        /** The new token. */
        jwt: string;
      }
    | {
        /** The cookies, as Clerk gives them. */
        cookies: string[];
      }
  >;
}

/** What every method but `capabilities` takes last; with `logout` it stands beside `refreshToken`. A name that nobody knows is `invalid_argument`. */
export interface CallOptions {
  /** Ends the call with `aborted`, the signal's reason as `cause`. What is ended one by one rejects with `partial_revocation` and stops; `logout` resolves all the same. */
  signal?: AbortSignal;
  /** Milliseconds for one attempt, instead of the client's `timeout`. An emulated revoke-all has its deadline per request, not for the whole paced run. */
  timeout?: number;
  /** Headers for the requests of this call. They come before the client's own of the same name; what is refused there is refused here. */
  headers?: Record<string, string>;
}

/** What `list` takes. What a back-end does not have is refused before anything is sent, rather than show more than was asked for. */
export interface ListOptions extends CallOptions {
  /** AuthVital: the sessions of one application only. `unsupported` with newer servers, which ignore it; `invalid_argument` elsewhere. */
  applicationId?: string;
  /** Clerk: the sessions of this user. It, or `clientId`, has to be there. `invalid_argument` elsewhere. */
  userId?: string;
  /** Clerk: the sessions of one of Clerk's clients. It is not the option `clientId` of `createSessions`. `invalid_argument` elsewhere. */
  clientId?: string;
  /** Clerk: the sessions with one status: "active", "revoked", "ended", "expired", "removed", "abandoned" or "replaced". Default: all. `invalid_argument` elsewhere. */
  status?: string;
  /** Sessions per request; checked against the back-end's own limits (`capabilities().pageSize`) before anything is sent. Default: the back-end's. `invalid_argument` where it has none. */
  pageSize?: number;
  /** `next` of an earlier page. Default: the first page. */
  cursor?: string;
}
/** What `revokeAll` and `revokeOthers` take. What a back-end does not have is refused before anything is sent, rather than end more than was asked for. */
export interface RevokeAllOptions extends CallOptions {
  /** AuthVital: the sessions of one application only. `unsupported` with newer servers, which ignore it; `invalid_argument` elsewhere. */
  applicationId?: string;
  /** Clerk: the user whose sessions are ended. It has to be there. `invalid_argument` elsewhere. */
  userId?: string;
  /** Called after each session of an emulated revoke-all, whether or not it could be ended: how many are done, of how many. Not called where one request ends all. Its errors are ignored. */
  onProgress?: (done: number, total: number) => void;
}
/** What `logout` takes instead of a refresh token. */
export interface LogoutOptions extends CallOptions {
  /**
   * The request that is served: its `Authorization` is forwarded, which it needs unless `refreshToken` is given, and the cookies come as `setCookie`. Older AuthVital servers go by
   * `refreshToken` alone.
   */
  request?: IncomingRequest;
  /** The refresh token whose session is ended. Default: this client's own, unless a request is served. An empty one is nobody's, and not this client's either. */
  refreshToken?: string;
}
/** What Clerk's `POST /sessions/{id}/refresh` takes. */
export interface RefreshSessionInput {
  /** The session token that has run out. */
  expiredToken: string;
  /** The refresh token that belongs to it. The client's own is never taken for it. */
  refreshToken: string;
  /** The origin of the request that is served. */
  requestOrigin: string;
  /** The headers of that request: each name with all of its values. Default: none are sent. */
  requestHeaders?: Record<string, string[]>;
  /** The address from which that request came. Default: none is sent. */
  requestOriginatingIp?: string;
  /** What comes back: a token (`jwt`), or `cookies`. Default: left to Clerk. */
  format?: "token" | "cookie";
}

/**
 * What `list` gives: the first page as a promise, and all sessions of all pages for `for await`. The first request goes out at once, the others as the loop gets there.
 * Pages may shift meanwhile: a session that is on two of them comes once.
 */
export interface Listing extends Promise<SessionPage>, AsyncIterable<Session> {}

/** One page of a list. */
export interface SessionPage {
  /** In the back-end's order. */
  sessions: Session[];
  /** `sessions.length`, or the back-end's own count where it sends one. */
  count: number;
  /** All sessions on all pages, where the back-end says. */
  total: number | null;
  /** For the option `cursor` of the next call. Opaque; null on the last page. */
  next: string | null;
}

/** One session, the same for every back-end. Plain data: it can be serialised, stored and compared. */
export interface Session {
  /** What `revoke` and `get` take. Always a string, also where the back-end has numbers. With AuthVital a refresh makes a new one. */
  id: string;
  /** "active" also where the back-end says nothing, "unknown" where it has another word. "pending": signing in is not complete. "blocked": by KSeF. With any other it is over. */
  status: "active" | "revoked" | "expired" | "ended" | "removed" | "abandoned" | "replaced" | "pending" | "blocked" | "unknown";
  /** When it began. As all times: ISO 8601, UTC, milliseconds ("2026-01-31T09:30:00.000Z"); null where the back-end does not say. With AuthVital the last refresh. */
  createdAt: string | null;
  /** When it was last used, as far as the back-end tells: with KSeF the last refresh, with Better Auth when it was last prolonged. ISO 8601, or null. */
  lastActiveAt: string | null;
  /** When it ends by itself: with KSeF the end of the refresh token. ISO 8601, or null. */
  expiresAt: string | null;
  /** The user agent as the back-end has kept it; null where it tells none (Clerk, KSeF). */
  userAgent: string | null;
  /** The address as the back-end has kept it, or null. */
  ipAddress: string | null;
  /** The tenant that it belongs to, where the back-end tells one. */
  tenant: string | null;
  /** The user whose session it is, where the back-end tells. */
  userId: string | null;
  /** The session that asks. null: the back-end does not say, and neither the token nor an earlier `current()` tells it (no extra request is made for it). */
  current: boolean | null;
  /** The device, for people; null where neither a user agent nor anything else is known of it. */
  device: Device | null;
  /** Where the back-end places it; null where it says nothing of that. */
  location: {
    /** In the back-end's words, or null. */
    city: string | null;
    /** In the back-end's words, or null. */
    country: string | null;
  } | null;
  /** How the user authenticated (KSeF); null elsewhere. */
  method: {
    /** KSeF's category. */
    category: string;
    /** KSeF's code. */
    code: string;
    /** For people: KSeF's display name. */
    name: string;
  } | null;
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

/**
 * What a revocation really ends. "immediate": the session's next request is refused. "refresh-only": access tokens already handed out go on working until they expire.
 * "unknown": nobody has said how the server checks tokens.
 */
export type Effect = "immediate" | "refresh-only" | "unknown";

/** What became of one revocation. */
export interface RevokeResult {
  /** The session's id; "current" for a current session whose id cannot be known. */
  id: string;
  /** True where this call ended the session, also where a retry found it gone: then an earlier attempt of this call did it. False with `already-revoked`. */
  success: boolean;
  /** "already-revoked": it was over before, and the back-end says so. */
  outcome: "revoked" | "already-revoked";
  /** The back-end's words, or null. */
  message: string | null;
  /** What the revocation ends. */
  effect: Effect;
  /**
   * Latest moment at which an access token of the session can still be accepted, ISO 8601: our own token's `exp` for our own session; for another one null, or now plus a token's lifetime,
   * where the back-end publishes that or it is taken to be our own token's (AuthVital). null with the effect "immediate".
   */
  accessTokenValidUntil: string | null;
}
/** What became of `revokeAll` or `revokeOthers`. If any revocation failed the call rejects with `partial_revocation`, which has `revoked` and `failed`. */
export interface RevokeAllResult {
  /** True: what was asked for is done. */
  success: boolean;
  /** How many were ended; null where the back-end does not say how many it ended (Better Auth, AuthVital's newer generation). */
  count: number | null;
  /** The back-end's words; null where it has none, and where the sessions were ended one by one. */
  message: string | null;
  /** Ids, where they are known: where the sessions were ended one by one. Those that were gone already count. */
  revoked: string[] | null;
  /** What the revocation ends. */
  effect: Effect;
  /** Latest moment at which an access token of any of them can still be accepted, ISO 8601; null where that is not known, with the effect "immediate", and where none was there to be ended. */
  accessTokenValidUntil: string | null;
}
/** What became of a logout, on the server and on this side. */
export interface LogoutResult {
  /** True only if the server confirmed. */
  success: boolean;
  /** The back-end's words, or those of `error`. */
  message: string | null;
  /** rejected: any answer that is not a confirmation, 5xx included; unreachable: no answer; skipped: nothing was sent. */
  server: "confirmed" | "rejected" | "unreachable" | "skipped";
  /** What became of each of the cookies in the option `cookies`. */
  cookies: {
    /** The cookie's name. */
    name: string;
    /**
     * "cleared": it was seen, and is gone. "absent": there was none. "still-present": one of that name is in sight, of another path or domain. "not-visible": nothing is known of it: HttpOnly,
     * of another path, or the browser's to clear by `setCookie`.
     */
    outcome: "cleared" | "absent" | "still-present" | "not-visible";
  }[];
  /** On a server: `Set-Cookie` values to append to the response, one header each. Empty in a browser, unless a request was served. */
  setCookie: string[];
  /** Why the server did not confirm; null where it did. */
  error: SessionsError | null;
}
/** A pair of tokens after a refresh. */
export interface Tokens {
  /** The new access token. */
  accessToken: string;
  /** The one that is valid now, also where the back-end does not rotate it; null where it is in a cookie that no script can read. */
  refreshToken: string | null;
  /** When the access token runs out, ISO 8601: by its own `exp`, or by the answer; null where neither says. */
  expiresAt: string | null;
}

/** "native": the back-end does it in one request. "emulated": this package makes it of other requests. "unsupported": it can't be done, and the method rejects with `unsupported`. */
export type Support = "native" | "emulated" | "unsupported";
/** What a back-end can do, and what this package makes of it. */
export interface Capabilities {
  /** The back-end's name, or the `name` of the profile; "rest" if it has none. */
  provider: string;
  /** Native everywhere. */
  list: Support;
  /** Emulated: looked up in the list. */
  get: Support;
  /** Emulated: the session that the tokens name or the list marks; `current_unknown` if neither does. */
  current: Support;
  /** Native everywhere. */
  revoke: Support;
  /** Emulated: the current session is looked up where that is needed, then revoked. */
  revokeCurrent: Support;
  /** Emulated: every page is listed, then the sessions are ended one by one, with `onProgress`. */
  revokeAll: Support;
  /** Emulated: the same without the current session. */
  revokeOthers: Support;
  /** Emulated: the current session is revoked. */
  logout: Support;
  /** Never emulated. Where it is native and there is a refresh token, calls refresh by themselves after a 401. */
  refresh: Support;
  /** Clerk only. */
  create: Support;
  /** Clerk only. It stands for `createTokenFromTemplate` and `refreshSession`, too. */
  createToken: Support;
  /** What a revocation ends. */
  effect: Effect;
  /** False where the back-end sends no CORS headers or wants a secret key: call it from a server or an edge worker. */
  browser: boolean;
  /** The limits of the option `pageSize`; null where the back-end has none, and the option is refused. */
  pageSize: {
    /** The least. */
    min: number;
    /** The most. */
    max: number;
    /** As many come if nothing is asked for. */
    default: number;
  } | null;
}

// ---------------------------------------------------------------- errors

/**
 * What went wrong, as a stable name from a closed set.
 *
 * - `invalid_options`: an option of the client is wrong or missing, and the message names it. Nothing was sent.
 * - `invalid_argument`: the same of an argument of this call.
 * - `unsupported`: this back-end, or this runtime, can't do it.
 * - `insecure`: it would expose a secret: use https, and a secret key on servers only. Nothing was sent.
 * - `unauthenticated`: no token, or not accepted (401): have the user sign in.
 * - `reauthentication_required`: the back-end wants a fresh sign-in first: see `onReauthenticate`.
 * - `forbidden`: the back-end does not allow it (403).
 * - `not_found`: it is not there (404, 410).
 * - `conflict`: the state does not allow it (409).
 * - `rejected`: the back-end refused for another reason: another 4xx, or a refusal in a 200.
 * - `rate_limited`: too many requests (429), or a wait beyond `maxRetryAfter`: wait `retryAfter` seconds.
 * - `server_error`: the back-end failed (5xx): try again later, if `transient` is true.
 * - `network`: no answer: DNS, TLS, CORS or the connection. Try again later.
 * - `timeout`: no answer in time. Try again later.
 * - `aborted`: your signal fired; its reason is the `cause`.
 * - `invalid_response`: the answer is not what the back-end's protocol says: check `baseUrl`. A refused redirect, too.
 * - `current_unknown`: which session is the current one can't be known: set `refreshToken`, or pass the user's request.
 * - `partial_revocation`: some of several revocations failed: see `revoked` and `failed`.
 * - `internal`: a defect, a failing `onTokens`, or WebAssembly that could not start: see `cause`.
 */
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
  /** Always "SessionsError". */
  readonly name: "SessionsError";
  /** What went wrong. Branch on this, not on the message, which is for people. */
  readonly code: ErrorCode;
  /** The back-end's name, or the profile's ("rest" if it has none); null where no back-end is concerned. */
  readonly provider: string | null;
  /** The method that failed: "list", "revoke"… */
  readonly operation: string | null;
  /** HTTP status, where there was an answer. */
  readonly status: number | null;
  /** The back-end's own code, e.g. "resource_not_found", "21301". */
  readonly serverCode: string | null;
  /** The back-end's id of the request, for its support: of the header `X-Request-Id`, or of the answer. null where it tells none. */
  readonly requestId: string | null;
  /** How long the back-end asks to wait, in seconds; null where it does not say. */
  readonly retryAfter: number | null;
  /** Worth trying again later without any change: `network`, `timeout`, `rate_limited`, and `server_error` but for a 501. */
  readonly transient: boolean;
  /** Field-level or exception details as the back-end gave them, or null. */
  readonly details: unknown;
  /** What was thrown outside, where anything was: by `fetch`, by one of your functions, or the signal's reason. */
  readonly cause?: unknown;
  /** `partial_revocation` only: the ids of the sessions that are ended. */
  readonly revoked?: string[];
  /** `partial_revocation` only: the sessions that are not ended, and why. */
  readonly failed?: {
    /** The session's id. */
    id: string;
    /** Why it could not be ended. */
    error: SessionsError;
  }[];
  /** Whether a value is a `SessionsError`. Works across realms and duplicate copies of the package, where `instanceof` does not. */
  static is(value: unknown): value is SessionsError;
}

// ---------------------------------------------------------------- cookies, hooks

/**
 * A cookie as it was set. One is cleared only by the same name, domain, path and partition (RFC 6265bis); what a browser would silently ignore is `invalid_options`.
 * The defaults are those of the option `cookies`; the handler of `auth-sessions/edge` has its own.
 */
export interface CookieSpec {
  /** Its name. What the prefixes `__Host-`, `__Secure-` and `__Http-` demand need not be said. */
  name: string;
  /** Default "/". */
  path?: string;
  /** Default: none, for a cookie of this host only. A leading dot means nothing. */
  domain?: string;
  /** Default false, but true where the prefix, `partitioned` or SameSite=None demands it. */
  secure?: boolean;
  /** Default: left out. */
  sameSite?: "Strict" | "Lax" | "None";
  /** Whether it was set with `Partitioned` (CHIPS). Default false. */
  partitioned?: boolean;
  /** True: out of a script's sight, so that a browser's logout says `not-visible`. False: surely not, so that none in sight is `absent`. Default: not known; none in sight is `not-visible`. */
  httpOnly?: boolean;
}

/**
 * Told what is sent and answered. They are not awaited, and their errors are ignored. URLs in hooks are templates (`/oauth/sessions/{id}/revoke`) without host and query: no ids, no tokens.
 * A refresh, and each revocation of several, is an operation of its own.
 */
export interface Hooks {
  /** `warnings`: what the back-end says beside its answer (KSeF's X-System-Warning). URLs in hooks are templates (`/oauth/sessions/{id}/revoke`): no ids, no tokens. */
  onRequest?(event: { operation: string; method: string; url: string; attempt: number }): void;
  onResponse?(event: { operation: string; method: string; url: string; attempt: number; status: number; durationMs: number; requestId: string | null; warnings: string[] }): void;
  onRetry?(event: { operation: string; attempt: number; delayMs: number; reason: ErrorCode }): void;
}

// ---------------------------------------------------------------- any other REST back-end, described as data

/**
 * `provider: "rest"` is the built-in profile for `/api/v1/sessions`; any other is described with this. Plain data: JSON. `list` and `revoke` are all that is needed: what is
 * missing is emulated, `refresh` is `unsupported`. A member that no profile has is `invalid_options`. A JSON Pointer begins with "/"; numbers in it count from 0.
 */
export interface RestProfile {
  /** `provider` in capabilities and errors. Default "rest". */
  name?: string;
  /** The endpoint of the list, and how its answer is read. */
  list: RestEndpoint & {
    /** JSON Pointer to the array; "" is the answer itself; omitted: found by itself. */
    items?: string;
    /** Where each field is, relative to an item: a name, or a JSON Pointer ("/device/ip"); first match wins; omitted: found by itself. */
    fields?:
      | Partial<
          Record<
            "id" | "createdAt" | "lastActiveAt" | "expiresAt" | "userAgent" | "ipAddress" | "current" | "status" | "userId" | "tenant" | "city" | "country",
            string | string[]
          >
        >
     ;
    /** How times are written; seconds and milliseconds count from 1970. Default "auto": by form and size. */
    time?: "auto" | "iso" | "seconds" | "milliseconds";
    /** JSON Pointer to the current session's id, from the top of the answer. Default: `/current_session_id`, or marks in the items. */
    currentId?: string;
    /** JSON Pointer to the next page's cursor; null, empty, 0 or absent on the last page. Omitted: found by itself. */
    next?: string;
    /** Where the cursor goes. Without it the list is one page. */
    cursor?:
      | {
          /** The query parameter. */
          query: string;
        }
      | {
          /** The header. */
          header: string;
        }
     ;
    /** The option `pageSize` of `list`, and its limits. Without it the option is refused. */
    pageSize?:
      | {
          /** The query parameter. */
          query: string;
          /** The least that may be asked for. */
          min: number;
          /** The most that may be asked for, and what is asked for where all pages are needed. */
          max: number;
          /** As many come if nothing is asked for. */
          default: number;
        }
     ;
  };
  /** Ends one session: "{id}" in its path or body. */
  revoke: RestEndpoint;
  /** One request that ends all sessions, the current one included. Default: emulated. */
  revokeAll?: RestEndpoint;
  /** One request that ends all sessions but the current one. Default: emulated. */
  revokeOthers?: RestEndpoint;
  /** Ends the current session. With "{refreshToken}" in its body `logout(refreshToken)` ends that token's. Default: the current session is looked up and revoked. */
  logout?: RestEndpoint;
  /** Gets new tokens. `"{refreshToken}"` in the body is replaced; the three are JSON Pointers into the answer. Default: `unsupported`. */
  refresh?:
    | (RestEndpoint & {
        /** JSON Pointer to the new access token. */
        accessToken: string;
        /** JSON Pointer to the new refresh token. Without it the old one is taken to stay. */
        refreshToken?: string;
        /** JSON Pointer to the lifetime of the access token in seconds. The token's own `exp` comes before it. */
        expiresIn?: string;
      })
   ;
  /** Where the token goes: "bearer" (`Authorization`, the default), "cookie" (no token is sent), or a header of its own. Other people's requests can be served with "bearer" only. */
  auth?:
    | "bearer"
    | "cookie"
    | {
        /** The header, which gets the bare token. */
        header: string;
      }
   ;
  /** Read from a cookie (`document.cookie`; on a server the `cookie` among `headers`), sent as a header with everything but GET. Default: none. */
  csrf?:
    | {
        /** The cookie's name. */
        cookie: string;
        /** The header's name. */
        header: string;
      }
   ;
  /** What a revocation ends. Default "unknown": say more only if you know how the server checks tokens. */
  effect?: Effect;
}
/** One request of a {@link RestProfile}. */
export interface RestEndpoint {
  /** The HTTP method. */
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Begins with one slash, comes after `baseUrl`, and may have a query. `{id}` is replaced, percent-encoded. */
  path: string;
  /** JSON; a string value "{id}" is replaced: as a number if the id was listed as one, else as a string. GET has none. Default: none. */
  body?: unknown;
  /** Statuses that mean success; no other does then. Default: any 2xx. */
  success?: number[];
  /** Statuses that mean "it was already gone": `revoke` resolves with `already-revoked`, `logout` is confirmed. Default: none; 404 and 410 are `not_found`. */
  gone?: number[];
}
