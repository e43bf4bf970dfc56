/**
 * auth-sessions/monitoring: watching a user's sessions, telling what is remarkable about them, and events for an audit log. No WebAssembly.
 *
 * Everything here is advisory: it is for showing and logging, and nothing should be allowed or refused by it. Decisions belong to a trusted back-end (OWASP ASVS 5.0, 7.2.1).
 * What is thrown is a `SessionsError`; from this entry test for it with `SessionsError.is`.
 */
import type { ListOptions, LogoutResult, RevokeAllResult, RevokeResult, Session, Sessions, SessionsError } from "./index.js";

// ---------------------------------------------------------------- watch

/**
 * Polls politely and reports what changed, from the first `next()` on: `for await (const change of watch(sessions)) …`. Each loop over it polls for itself.
 *
 * - **Baseline**: the first list is what later ones are compared with; it gives no changes and no findings.
 * - **Order**: of one poll first `removed`, then `added` and `changed`, then `current-revoked`, then findings.
 * - **Pace**: `interval`, up to a tenth later by chance. Not while the page is hidden or offline; at once when it is back and a poll is overdue. After an error twice as long as before, up to
 *   15 minutes, and never before `retryAfter`. A poll that takes more than 2 minutes is given up (`timeout`); one of
 *   more than 10 000 sessions or 1000 pages is an error, too (`invalid_response`). Of KSeF's 120 lists an hour it takes no more than half: a poll a minute for each page of 100.
 * - **Tabs**: after its own first list, one visible tab polls for all of an origin (Web Locks, BroadcastChannel) that list the same with the same session. Without locks, and where the list doesn't
 *   say which session is the current one, or neither when it began nor whose it is, each tab polls. A visible tab that hears of
 *   others asks by itself every tenth time, and then notices that its user has changed. Lists go over the channel, to be heard by scripts of the same origin only; tokens never do. When
 *   another user signs in, start another watch: until it notices, a tab may tell what others list.
 * - **End**: it ends with its signal, or when the loop is left. Errors don't end it: they are changes, and it goes on.
 *
 * @throws SessionsError `invalid_options` for wrong `interval`, `thresholds`, `history`, `geo` or `signal`; `invalid_argument` where `sessions` is none. What is wrong with the list options comes as a change.
 */
export function watch(sessions: Sessions, options?: WatchOptions): AsyncIterable<SessionChange>;

/**
 * The same with a function instead of a loop; it begins at once. The answer stops it: then the function is not called any more. If the function is async, the next change waits for it; what it throws goes
 * to the runtime's `reportError`, where there is one, and stops nothing.
 */
export function subscribe(sessions: Sessions, onChange: (change: SessionChange) => void | Promise<void>, options?: WatchOptions): () => void;

/** The other options are those of the list: `applicationId`, `userId`, `status`, `headers`, … `pageSize` is by default the largest that the back-end has. */
export interface WatchOptions extends ListOptions {
  /** Milliseconds from one poll to the next; default 60 000. Less than 1000 is taken as 1000. */
  interval?: number;
  geo?: GeoLookup;
  thresholds?: Partial<Thresholds>;
  /** What was seen on earlier visits. It is not changed: what is new goes into a copy inside. Default: what the first list has. */
  history?: History;
}

/**
 * `at`: ISO 8601, when it was noticed.
 *
 * - `added`: listed now and not before; `previous` is null. `removed`: not listed any more; `session` and `previous` are both as it was listed last. `changed`: any member but `raw` differs.
 *   A session whose `expiresAt` has passed is `changed`, with the status `expired`, at the next poll, even if it is still listed as active; the current one's status is the listed one. With AuthVital each refresh makes a new session of the old one:
 *   one is removed and one is added.
 * - `current-revoked`: the session of this client is over, once. Either the list of a working token is without it or has it as ended; or the back-end answers `unauthenticated`, also after a refresh (an
 *   `error` says so just before). Never because of the network, a server error, a step-up (`reauthentication_required`), or tokens that your own functions don't have.
 * - `finding`: see {@link findings}; told when it is about a session that it was not about at the poll before.
 */
export type SessionChange =
  | { type: "added" | "removed" | "changed"; session: Session; previous: Session | null; at: string }
  | { type: "current-revoked"; at: string }
  | { type: "finding"; finding: Finding; at: string }
  | { type: "error"; error: SessionsError; at: string };

// ---------------------------------------------------------------- findings

/**
 * Advisory: what a person would want to be told about these sessions. Pure: the same input gives the same findings, in the same order, and nothing is kept. Only active sessions count; those whose
 * `expiresAt` has passed don't. What a back-end doesn't tell gives no finding.
 *
 * `now` is an ISO 8601 time, by default the clock's. A `geo` that throws or gives nonsense is as if it knew nothing.
 *
 * @throws SessionsError `invalid_options`, `invalid_argument` (`sessions` is no array); of the sessions themselves nothing throws.
 */
export function findings(sessions: Session[], options?: { history?: History; geo?: GeoLookup; thresholds?: Partial<Thresholds>; now?: string }): Finding[];

/**
 * | code | severity, confidence | when | evidence |
 * |---|---|---|---|
 * | `new_device` | medium, medium | browser, system and kind of device are none of the history; versions don't count | `device`, `known` |
 * | `new_network` | low, low | the address is in no network of the history: /24 of IPv4, /64 of IPv6 | `network`, `known` |
 * | `new_city` | low, low | by `geo`, else by the back-end's `location` | `city`, `known` |
 * | `new_country` | medium, medium | the same | `country`, `known` |
 * | `impossible_travel` | high, medium or low | two sign-ins, one after the other, at least `minKm` apart, that would take more than `maxKmh`: medium. A sign-in and another session's last activity next to it in time: low. Needs `geo` | `km`, `minutes`, `kmh`, `limitKmh`, `from`, `to` |
 * | `concurrent_sessions` | low, high | more than `maxConcurrent` active sessions | `sessions`, `limit` |
 * | `concurrent_countries` | medium, medium | active sessions that are not stale are in several countries | `countries`, `count` |
 * | `stale_session` | low, high | not used for `staleDays` | `device`, `days`, `limit` |
 * | `long_lived_session` | low, high | signed in `longLivedDays` ago | `device`, `days`, `limit` |
 * | `expiring_soon` | info, high | ends within `expiringHours`, and is in the last quarter of its life | `device`, `minutes` |
 * | `unknown_device` | low, low | its device can't be told, though the back-end tells devices | `device`, `network` |
 * | `impersonated` | high, high | somebody else acts as the user: Clerk's `actor`, Better Auth's `impersonatedBy`, RFC 8693's `act` in `raw` | `device`, `by` |
 * | `token_outlives_session` | medium, high | `raw` says when the access token ends (`accessTokenExpiresAt` or the like), and that is after the session. None of the built-in back-ends lists it; what a revocation leaves working is in its result, `accessTokenValidUntil` | `device`, `minutes` |
 *
 * The `new_…` kinds compare with `history`, one finding for each new device, network or place, and are `info` where it is only the current session's. Without a history, or with one that has nothing of that
 * kind yet, there are none.
 */
export interface Finding {
  code: "new_device" | "new_network" | "new_city" | "new_country" | "impossible_travel" | "concurrent_sessions" | "concurrent_countries" | "stale_session"
    | "long_lived_session" | "expiring_soon" | "unknown_device" | "impersonated" | "token_outlives_session";
  /** How bad it would be. */
  severity: "info" | "low" | "medium" | "high";
  /** How likely it is so. Addresses and agents are weak evidence: VPNs, mobile networks and lookups that are wrong are common. */
  confidence: "low" | "medium" | "high";
  sessionIds: string[];
  /** Words and whole numbers for the user's own display. Labels of devices, cities and networks (`203.0.113.0/24`); never a whole address, a user agent or a secret. */
  evidence: Record<string, string | number | boolean | null>;
}

export interface Thresholds {
  /** Kilometres an hour; default 805, about an airliner's. */
  maxKmh: number;
  /** Kilometres that are too little to count, as lookups are not exact; default 100. */
  minKm: number;
  /** Active sessions; default 10. */
  maxConcurrent: number;
  /** Days without use; default 30. */
  staleDays: number;
  /** Days since the sign-in; default 90. */
  longLivedDays: number;
  /** Hours to the end; default 24. */
  expiringHours: number;
}

/** Where an address is, by a database of yours; synchronous. Degrees; `country` as a code ("PL") or a name. Where it knows the country it comes before the back-end's `location`. */
export type GeoLookup = (ip: string) => { latitude: number; longitude: number; country?: string; city?: string } | null;

/**
 * What was seen before: by kind (`device`, `network`, `city`, `country`) 100 marks or as many as the list has, the latest last; plain data that the application stores where it likes, for each user. A mark is the first half of
 * an HMAC-SHA-256 under `salt`: it tells nothing by itself and can't be compared with another history's. But networks are few: whoever has the salt can try them all, so keep the history as personal data.
 */
export interface History { salt: string; seen: Record<string, string[]> }

/**
 * The history with these sessions in it, the active ones; without `history` a new one, with a random salt. What is given stays as it is:
 * `const told = findings(list, { history }); history = remember(list, { history })`. With the same `geo` as for the findings.
 */
export function remember(sessions: Session[], options?: { history?: History; geo?: GeoLookup }): History;

// ---------------------------------------------------------------- audit

/**
 * An event for the application's own audit log, in the form of OpenID CAEP 1.0: the claims of a security event token (RFC 8417), not signed, without `iss` and `aud`. Times are seconds since 1970.
 *
 * | of | becomes |
 * |---|---|
 * | `added` | `session-established`, with `fp_ua`, a hash of the user agent |
 * | `removed`, `changed` to a status that is over, `current-revoked` | `session-revoked`, with `reason_admin` |
 * | `finding` | `risk-level-change`: `principal` `SESSION`, `current_level`, and the code as `risk_reason` |
 * | a result with `success: true`; of a logout `server: "confirmed"` | `session-revoked`, with `effect`, `access_token_valid_until` and `count`, which CAEP has not, where they are known |
 *
 * Everything else rejects with `invalid_argument`, because it did not happen, or not to a session: a logout that was not confirmed, a session that was gone already, a revoke-all that ended none, a session that changed and
 * goes on, an error.
 *
 * `sub_id` is `{ format: "opaque", id }`. The id is an HMAC-SHA-256 under `salt`, in hexadecimal, unless `plainIds`; `"current"` where it isn't known. Events about several sessions have the id `"several"` and the hashes as
 * `session_ids`: put the user there that you know. Without `salt` one is made for this page or process: its events can be compared with each other only. `initiating_entity` is there if `initiatedBy` is given.
 * `now` is an ISO 8601 time for `iat`, and for `event_timestamp` where the change has no time of its own.
 */
export function auditEvent(
  change: SessionChange | RevokeResult | RevokeAllResult | LogoutResult,
  options?: { initiatedBy?: "user" | "admin" | "policy" | "system"; plainIds?: boolean; salt?: string; now?: string },
): Promise<Record<string, unknown>>;
