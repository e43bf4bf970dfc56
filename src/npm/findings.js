import { STRING, FUNCTION, check, isObject } from "./check.js";
import { hmac, random } from "./digest.js";
import { fail, toSessionsError } from "./error.js";

export const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Radius of the earth in kilometres, its mean. */
const EARTH = 6371;

/** How much of each kind is remembered: the latest. */
const MOST = 100;

const DEFAULTS = { maxKmh: 805, minKm: 100, maxConcurrent: 10, staleDays: 30, longLivedDays: 90, expiringHours: 24 };
const POSITIVE = ["a finite number above 0", (value) => Number.isFinite(value) && value > 0];
const THRESHOLDS = {
  ...Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, POSITIVE])),
  minKm: ["a finite number from 0", (value) => Number.isFinite(value) && value >= 0],
  maxConcurrent: ["a whole number from 1", (value) => Number.isSafeInteger(value) && value > 0],
};
const HISTORY = {
  "salt!": STRING,
  "seen!": ["an object of arrays of strings", (value) => isObject(value) && Object.values(value).every((list) => Array.isArray(list) && list.every((mark) => typeof mark === "string"))],
};

/** What `findings`, `remember` and `watch` have in common; the thresholds, whole. */
export function readOptions(options, table = {}) {
  if (!isObject(options)) throw fail("invalid_options", "options must be an object");
  check(options, { geo: FUNCTION, thresholds: ["an object", isObject], history: ["a history: { salt, seen }", isObject], ...table }, "invalid_options");
  if (options.history) check(options.history, HISTORY, "invalid_options", "history.");
  const thresholds = options.thresholds ?? {};
  check(thresholds, THRESHOLDS, "invalid_options", "thresholds.");
  const limits = { ...DEFAULTS };
  for (const [name, value] of Object.entries(thresholds)) {
    // A misspelt one would be a limit that is not kept.
    if (!Object.hasOwn(limits, name)) throw fail("invalid_options", `thresholds.${name} is none of ${Object.keys(limits).join(", ")}`);
    limits[name] = value ?? limits[name];
  }
  return limits;
}

/** `work` with what it throws made a `SessionsError`. */
export function guarded(operation, work) {
  try {
    return work();
  } catch (error) {
    throw toSessionsError(error, null, operation);
  }
}

// ---------------------------------------------------------------- what a session says

const text = (value) => (typeof value === "string" && value.trim() ? value.trim() : null);
/** Milliseconds; NaN where it is unknown, with which no comparison holds. */
const time = (value) => (typeof value === "string" ? Date.parse(value) : NaN);

/** Longer ones are none (IPv6 with a zone has some 60 characters): anybody may write into `X-Forwarded-For`. */
const addressOf = (value) => (text(value)?.length <= 64 ? value.trim() : null);

/** The network of an address, as far as one subscriber has it: /24 of IPv4, /64 of IPv6. */
function networkOf(ip) {
  const four = ip?.match(/^(?:::ffff:)?((?:\d{1,3}\.){3})\d{1,3}$/i);
  if (four) return `${four[1]}0/24`;
  const address = ip?.toLowerCase().replace(/%.*/, "");
  if (!/^[\da-f:]+$/.test(address)) return null;
  const [head, tail] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const groups = tail ? [...head, ...Array(Math.max(0, 8 - head.length - tail.length)).fill("0"), ...tail] : head;
  if (groups.length !== 8) return null;
  const numbers = groups.map((group) => parseInt(group, 16));
  // IPv4 in the form of IPv6 (RFC 4291, 2.5.5.2).
  if (/^(0,){5}65535,/.test(numbers)) return `${numbers[6] >> 8}.${numbers[6] & 255}.${numbers[7] >> 8}.0/24`;
  return `${numbers.slice(0, 4).map((number) => number.toString(16)).join(":")}::/64`;
}

/** Back-ends write "PL" or "Poland", and a lookup perhaps the other. */
function countryOf(value) {
  const name = text(value);
  if (/^(xx|zz)$/i.test(name)) return null;
  if (!/^[a-z]{2}$/i.test(name)) return name;
  try {
    return new Intl.DisplayNames(["en"], { type: "region" }).of(name.toUpperCase());
  } catch {
    return name.toUpperCase();
  }
}

/** The caller's lookup, which may fail: once for each address. */
function places(geo) {
  const known = new Map();
  return (ip) => {
    if (!geo || !ip) return {};
    if (!known.has(ip)) {
      let place;
      try {
        const { latitude, longitude, country, city } = geo(ip);
        const within = (degrees, most) => typeof degrees === "number" && Math.abs(degrees) <= most;
        const at = within(latitude, 90) && within(longitude, 180) && { latitude, longitude };
        place = { at, country: countryOf(country), city: text(city) };
      } catch {
        place = {};
      }
      known.set(ip, place);
    }
    return known.get(ip);
  };
}

/** The active sessions with what is looked at, each kind of trait as `[what is compared, what may be shown]`. What is no session is left out. */
function readSessions(sessions, geo, now) {
  if (!Array.isArray(sessions)) throw fail("invalid_argument", "sessions must be an array: await list(), and take its sessions");
  const placeOf = places(geo);
  const ids = new Set();
  return sessions.flatMap((session) => {
    try {
      const { id, status, device, userAgent, location, raw } = session;
      const ip = addressOf(session.ipAddress);
      const expires = time(session.expiresAt);
      if (typeof id !== "string" || ids.has(id)) return [];
      ids.add(id);
      if (status !== "active" || expires <= now) return [];
      const place = placeOf(ip);
      const country = place.country ?? countryOf(location?.country);
      const city = place.city ?? text(location?.city);
      const parts = [device?.browser, device?.os, device?.kind === "unknown" ? null : device?.kind].map(text);
      const label = text(device?.label);
      // Without the versions: an update makes no new device.
      const agent = text(userAgent)?.replace(/[\d._]+/g, "");
      const trait = (value, shown = value) => (value ? [value.toLowerCase(), shown] : null);
      const isRecognised = parts.some(Boolean);
      return [{
        id, label, raw, expires, at: place.at, isRecognised,
        isCurrent: session.current === true,
        created: time(session.createdAt),
        active: time(session.lastActiveAt),
        hasAgent: Boolean(agent || device),
        traits: {
          device: trait(isRecognised ? parts.join("|") : agent, label),
          network: trait(networkOf(ip)),
          city: city && trait(`${country ?? ""}|${city}`, [city, country].filter(Boolean).join(", ")),
          country: trait(country),
        },
      }];
    } catch {
      return [];
    }
  });
}

/** With the severity and the confidence of what is new. */
const KINDS = { device: ["medium", "medium"], network: ["low", "low"], city: ["low", "low"], country: ["medium", "medium"] };

/** Marks of one history. Addresses are few: who has the salt can try them all. So the salt is as private as the history. */
function marker(salt) {
  const known = new Map();
  return (kind, [value]) => {
    const key = `${kind} ${value}`;
    if (!known.has(key)) known.set(key, hmac(salt, key).slice(0, 32));
    return known.get(key);
  };
}

/** The history with these sessions in it; a new one with a salt of its own where there is none. What is given stays as it is. */
export function remember(sessions, options = {}) {
  return guarded("remember", () => {
    readOptions(options);
    const { salt = random(), seen = {} } = options.history ?? {};
    const mark = marker(salt);
    const read = readSessions(sessions, options.geo, -Infinity);
    const kinds = Object.keys(KINDS).map((kind) => {
      const marks = read.flatMap(({ traits }) => (traits[kind] ? [mark(kind, traits[kind])] : []));
      // The latest come last: the oldest are the first to go.
      return [kind, [...new Set([...(seen[kind] ?? []), ...marks].reverse())].slice(0, Math.max(MOST, marks.length)).reverse()];
    });
    return { salt, seen: Object.fromEntries(kinds) };
  });
}

// ---------------------------------------------------------------- findings

const radians = (degrees) => (degrees * Math.PI) / 180;

/** Kilometres, by the haversine formula. */
function distance(one, other) {
  const [lat, other_lat] = [radians(one.latitude), radians(other.latitude)];
  const half = (a, b) => Math.sin((a - b) / 2) ** 2;
  return 2 * EARTH * Math.asin(Math.min(1, Math.sqrt(half(lat, other_lat) + Math.cos(lat) * Math.cos(other_lat) * half(radians(one.longitude), radians(other.longitude)))));
}

const finding = (code, severity, confidence, sessions, evidence) => ({ code, severity, confidence, sessionIds: sessions.map(({ id }) => id), evidence });

/** Advisory: what a person would want to be told about these sessions. */
export function findings(sessions, options = {}) {
  return guarded("findings", () => {
    const limits = readOptions(options, { now: ["an ISO 8601 time", (value) => Number.isFinite(time(value))] });
    const now = options.now ? time(options.now) : Date.now();
    const active = readSessions(sessions, options.geo, now);
    return [
      ...newTraits(active, options.history), ...impossibleTravel(active, limits), ...concurrent(active, limits, now),
      ...active.flatMap((session) => ofOne(session, limits, now)), ...unknownDevices(active),
    ];
  });
}

/** What was not seen before, one finding for each device, network and place. A kind of which nothing was seen yet is not known well enough. */
function newTraits(active, history) {
  if (!history) return [];
  const mark = marker(history.salt);
  return Object.entries(KINDS).flatMap(([kind, [severity, confidence]]) => {
    const seen = new Set(history.seen[kind]);
    if (seen.size === 0) return [];
    const groups = new Map();
    for (const session of active) {
      const trait = session.traits[kind];
      if (!trait || seen.has(mark(kind, trait))) continue;
      const group = groups.get(trait[0]);
      if (group) group.push(session);
      else groups.set(trait[0], [session]);
    }
    return [...groups.values()].map((group) =>
      // Whoever reads it sits at the current one.
      finding(`new_${kind}`, group.every(({ isCurrent }) => isCurrent) ? "info" : severity, confidence, group, { [kind]: group[0].traits[kind][1], known: seen.size }),
    );
  });
}

/**
 * Between a sign-in and the one before it; and, as weaker evidence, between a sign-in and another session's activity next to it in time. Two activities don't count: a device left at home goes on by itself.
 */
function impossibleTravel(active, { maxKmh, minKm }) {
  const signIns = active.filter(({ at }) => at).map((session) => ({ session, when: session.created, isSignIn: true }));
  const activities = signIns.map(({ session }) => ({ session, when: session.active }));
  const found = new Map();
  for (const [confidence, all] of [["medium", signIns], ["low", [...signIns, ...activities]]]) {
    const moments = all.filter(({ when }) => Number.isFinite(when)).sort((one, other) => one.when - other.when);
    for (let i = 1; i < moments.length; i++) {
      const [from, to] = [moments[i - 1], moments[i]];
      const key = JSON.stringify([from.session.id, to.session.id].sort());
      if (from.session === to.session || !(from.isSignIn || to.isSignIn) || found.has(key)) continue;
      const km = distance(from.session.at, to.session.at);
      // Back-ends' clocks are not that exact: less than a minute is a minute.
      const minutes = Math.max(1, (to.when - from.when) / MINUTE);
      const kmh = km / (minutes / 60);
      if (km < minKm || kmh <= maxKmh) continue;
      const where = ({ session: { traits } }) => (traits.city ?? traits.country)?.[1] ?? null;
      // Never of high confidence: lookups are mistaken, and VPNs are elsewhere.
      found.set(key, finding("impossible_travel", "high", confidence, [from.session, to.session], {
        km: Math.round(km), minutes: Math.round(minutes), kmh: Math.round(kmh), limitKmh: maxKmh, from: where(from), to: where(to),
      }));
    }
  }
  return [...found.values()];
}

function concurrent(active, { maxConcurrent, staleDays }, now) {
  const found = [];
  if (active.length > maxConcurrent) found.push(finding("concurrent_sessions", "low", "high", active, { sessions: active.length, limit: maxConcurrent }));
  // What nobody has used for long is not in use at the same time.
  const used = active.filter((session) => session.traits.country && !(now - session.active >= staleDays * DAY));
  const countries = [...new Map(used.map(({ traits }) => traits.country)).values()].sort();
  if (countries.length > 1) found.push(finding("concurrent_countries", "medium", "medium", used, { countries: countries.join(", "), count: countries.length }));
  return found;
}

function ofOne(session, { staleDays, longLivedDays, expiringHours }, now) {
  const { created, active, expires, raw, label } = session;
  const found = [];
  const add = (code, severity, confidence, evidence) => found.push(finding(code, severity, confidence, [session], { device: label, ...evidence }));
  const days = (since) => Math.floor((now - since) / DAY);
  if (now - active >= staleDays * DAY) add("stale_session", "low", "high", { days: days(active), limit: staleDays });
  if (now - created >= longLivedDays * DAY) add("long_lived_session", "low", "high", { days: days(created), limit: longLivedDays });
  // Sessions of a day would be about to expire all the time: no more than the last quarter.
  const window = Math.min(expiringHours * HOUR, expires > created ? (expires - created) / 4 : Infinity);
  if (expires - now <= window) add("expiring_soon", "info", "high", { minutes: Math.ceil((expires - now) / MINUTE) });
  const actor = actorOf(raw);
  if (actor) add("impersonated", "high", "high", { by: actor.by });
  const token = tokenEnd(raw);
  if (token > expires) add("token_outlives_session", "medium", "high", { minutes: Math.ceil((token - expires) / MINUTE) });
  return found;
}

/** Where the back-end tells of agents at all, a session without one that can be told. */
function unknownDevices(active) {
  if (!active.some(({ hasAgent }) => hasAgent)) return [];
  return active.filter(({ isRecognised }) => !isRecognised).map((session) => finding("unknown_device", "low", "low", [session], { device: session.label, network: session.traits.network?.[1] ?? null }));
}

/** A member of what the back-end sent; it may be anything. */
const member = (raw, ...names) => names.map((name) => (isObject(raw) && Object.hasOwn(raw, name) ? raw[name] : null)).find((value) => value !== null && value !== undefined);

/** Somebody else acts as the user: Clerk's `actor` and RFC 8693's `act` have a `sub`, Better Auth's `impersonatedBy` is an id. */
function actorOf(raw) {
  // One that is empty hides no other.
  for (const name of ["actor", "act", "impersonatedBy", "impersonated_by", "impersonator"]) {
    const actor = member(raw, name);
    const by = text(isObject(actor) ? member(actor, "sub", "id", "email") : typeof actor === "number" && actor > 0 ? `${actor}` : actor);
    if (by || (isObject(actor) && Object.keys(actor).length > 0)) return { by };
  }
}

/** When the access token ends, where the back-end lists that. */
function tokenEnd(raw) {
  const value = member(raw, "accessTokenExpiresAt", "access_token_expires_at", "accessTokenValidUntil", "access_token_valid_until", "tokenExpiresAt", "token_expires_at");
  // Seconds or milliseconds since 1970, as others write them.
  return Number.isFinite(value) ? value * (value < 1e11 ? 1000 : 1) : time(value);
}
