import { FLAG, STRING, check, isObject, oneOf } from "./check.js";
import { hmac, random } from "./digest.js";
import { fail, toSessionsError } from "./error.js";

const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const LEVELS = { info: "LOW", low: "LOW", medium: "MEDIUM", high: "HIGH" };
const OVER = ["revoked", "expired", "ended", "removed", "abandoned", "replaced", "blocked"];

/** Of this page or process, where the caller has none: its events can be compared with each other, and with no others. */
let ownSalt;

const seconds = (value) => {
  const time = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isFinite(time) ? Math.floor(time / 1000) : undefined;
};
const nothing = (why) => fail("invalid_argument", `${why}: there is no event for it`);

/** Type, ids and own claims of the event. Nothing that did not happen becomes one. */
function read(change) {
  change = Object(change);
  const { type, session, finding } = change;
  const revoked = (ids, reason, more) => ({ name: "session-revoked", ids, claims: { ...(reason && { reason_admin: { en: reason } }), ...more } });
  if (type === "added" && session) return { name: "session-established", ids: [session.id], agent: session.userAgent, claims: {} };
  if (type === "removed" && session) return revoked([session.id], "The session is not listed any more.");
  if (type === "changed" && session) {
    if (!OVER.includes(session.status) || OVER.includes(change.previous?.status)) throw nothing("the session goes on");
    return revoked([session.id], `The session is listed as ${session.status}.`);
  }
  if (type === "current-revoked") return revoked(["current"], "The session of this client is over.");
  if (type === "finding" && finding) {
    return { name: "risk-level-change", ids: finding.sessionIds, claims: { principal: "SESSION", current_level: LEVELS[finding.severity] ?? "LOW", risk_reason: finding.code } };
  }
  if (type !== undefined) throw nothing("no session began or ended");
  if (Array.isArray(change.cookies) && "server" in change) {
    if (change.success !== true || change.server !== "confirmed") throw nothing("the logout was not confirmed");
    return revoked(["current"]);
  }
  const isOne = "outcome" in change;
  if (isOne || ("revoked" in change && "count" in change)) {
    const ids = isOne ? [change.id] : (change.revoked ?? []);
    if (change.success !== true || change.count === 0 || (change.revoked && ids.length === 0)) throw nothing("this call ended no session");
    // What was handed out before may go on working for a while.
    return revoked(ids, null, { effect: change.effect, access_token_valid_until: seconds(change.accessTokenValidUntil), count: change.count ?? undefined });
  }
  throw fail("invalid_argument", "auditEvent takes a change of watch, or the result of a revocation or a logout");
}

/** An event in the form of OpenID CAEP 1.0, as the claims of a security event token (RFC 8417) that nobody has signed. */
export async function auditEvent(change, options = {}) {
  try {
    if (!isObject(options)) throw fail("invalid_options", "options must be an object");
    const table = {
      initiatedBy: oneOf("user", "admin", "policy", "system"), plainIds: FLAG, salt: STRING,
      now: ["an ISO 8601 time", (value) => seconds(value) !== undefined],
    };
    check(options, table, "invalid_options");
    const { name, ids, agent, claims } = read(change);
    if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string")) throw fail("invalid_argument", "the ids of sessions must be strings");
    const salt = options.salt ?? (ownSalt ??= random());
    const mark = (id) => (options.plainIds || id === "current" ? id : hmac(salt, id));
    const now = seconds(options.now) ?? Math.floor(Date.now() / 1000);
    const event = {
      event_timestamp: seconds(change.at) ?? now,
      ...(options.initiatedBy && { initiating_entity: options.initiatedBy }),
      ...(typeof agent === "string" && { fp_ua: hmac(salt, agent) }),
      ...claims,
      // Of one event there is one subject; the application knows the user that they belong to.
      ...(ids.length > 1 && { session_ids: ids.map(mark) }),
    };
    return JSON.parse(JSON.stringify({
      iat: now,
      jti: random(),
      sub_id: { format: "opaque", id: ids.length === 1 ? mark(ids[0]) : "several" },
      events: { [CAEP + name]: event },
    }));
  } catch (error) {
    throw toSessionsError(error, null, "auditEvent");
  }
}
