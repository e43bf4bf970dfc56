// Sessions in the answers of back-ends. The engine's own JSON reader makes the objects, and what is here arranges them: nothing that crosses into wasm and back comes near to that.
// The rules are those of `src/model.rs`, which reads for the Rust API; `tests/node/read.test.mjs` compares both.
import usual from "../usual.js";
import { isObject } from "./check.js";
import { label } from "./device.js";

/** Nesting beyond this is refused: no back-end needs it. */
const MAX_DEPTH = 64;

/** From the fourth on the session is over and can't be revoked any more. */
const STATUSES = ["active", "pending", "blocked", "revoked", "expired", "ended", "removed", "abandoned", "replaced"];

/** Names of credentials, whatever the back-end. The last one would be an object's prototype in a copy. */
const SECRET = /(?:tokens?|secret|password|api_?key)$|^__proto__$/i;

/** The form of `toISOString`; days that not every month has are looked at more closely. */
const CANONICAL = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const ISO = /^\s*(\d{4})-(\d\d)-(\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60))?(?:[.,](\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):?([0-5]\d)?)?\s*$/;

/** A number that JavaScript can't hold exactly. */
const LONG = Symbol();

const pad = (number) => (number < 10 ? `0${number}` : number);

/** A name, or a JSON Pointer (RFC 6901), as the names on the way. */
const steps = (path) => (path[0] === "/" ? path.slice(1).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~")) : path ? [path] : []);

function follow(value, path) {
  for (const step of path) {
    if (!isObject(value)) return;
    value = value[step];
  }
  return value;
}

/** What the first of the paths that leads to something usable leads to, as it is used, or null. */
function first(value, paths, use) {
  for (const path of paths) {
    const found = use(path.length === 1 ? value[path[0]] : follow(value, path));
    if (found !== null) return found;
  }
  return null;
}

const items = (value) => (Array.isArray(value) ? value : null);
const flag = (value) => (typeof value === "boolean" ? value : null);
const any = (value) => value ?? null;
const whole = (value) => (typeof value === "number" ? Math.trunc(value) : null);

/** Days and how they are written, and how minutes of the day, seconds and milliseconds are. */
const [DAYS, DATES, MINUTES, SECONDS, MILLISECONDS] = [[], [], [], [], []];

/** As `toISOString` writes it, in a tenth of its time; null outside the years 0 to 9999. */
function iso(ms) {
  if (!(ms >= -62_167_219_200_000 && ms < 253_402_300_800_000)) return null;
  const days = Math.floor(ms / 86_400_000);
  const slot = days & 63;
  if (DAYS[slot] !== days) {
    DAYS[slot] = days;
    DATES[slot] = new Date(days * 86_400_000).toISOString().slice(0, 11);
  }
  // Whole numbers of 32 bits are quicker than others.
  const rest = (ms - days * 86_400_000) | 0;
  const minute = (rest / 60_000) | 0;
  const second = ((rest / 1000) | 0) % 60;
  const millisecond = rest % 1000;
  return DATES[slot] + (MINUTES[minute] ??= `${pad((minute / 60) | 0)}:${pad(minute % 60)}:`) + (SECONDS[second] ??= `${pad(second)}.`) + (MILLISECONDS[millisecond] ??= `${`${1000 + millisecond}`.slice(1)}Z`);
}

/** A time, as the list writes times, in ISO 8601. Seconds are what comes before 1973 as milliseconds, and after 5138 as seconds. A time without an offset is taken as UTC. */
function moment(value, unit) {
  if (typeof value === "string") {
    if (CANONICAL.test(value)) return value;
    const [, year, month, date, hour, minute, second = 0, fraction = "", sign = "+", hours = 0, minutes = 0] = value.match(ISO) ?? [];
    const at = new Date(0);
    at.setUTCFullYear(year, month - 1, date);
    if (at.getUTCDate() !== Number(date)) return null;
    // A leap second is shown as the last millisecond that other clocks know.
    const ms = second === "60" ? 59_999 : second * 1000 + Math.trunc(`0.${fraction}` * 1000 + 1e-7);
    return iso(at.getTime() + (hour * 60 + Number(minute) - `${sign}1` * (hours * 60 + Number(minutes))) * 60_000 + ms);
  }
  // Parse Server's dates.
  if (isObject(value)) return value.iso === undefined || isObject(value.iso) ? null : moment(value.iso, unit);
  if (typeof value !== "number" || unit === "iso") return null;
  const isMilliseconds = unit === "milliseconds" || (unit !== "seconds" && Math.abs(value) >= 100_000_000_000);
  // A millisecond is more than what is lost in a double.
  return iso(isMilliseconds ? Math.trunc(value) : Math.trunc(value * 1000 + (value < 0 ? -0.0005 : 0.0005)));
}

let USUAL;
/** Where things are, for the profile and the kind of items that came last. */
let PLACES;

/** The last labels that were made, for all clients, with what they were made of: users have few devices. */
const LABELS = [];
const MAX_LABELS = 32;

/**
 * What an answer says of sessions: `listed` for the wasm side (see `src/client/mod.rs`), `sessions` or the `session` that it is about, and `handles`, what the revocation of each takes
 * for its id. Nothing where it is no JSON. `plan` is what the wasm side says of the answer, `call` what is asked of this client.
 */
export function readSessions(plan, bytes, call) {
  try {
    const json = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    try {
      return arrange(plan, JSON.parse(json), call);
    } catch (error) {
      if (error !== LONG) throw error;
    }
    // Ids that are numbers of so many digits are taken as texts. (Longer ones than 400 digits are none.)
    const isLong = (found) => found.length < 400 && /^-?\d{16,}$/.test(found) && !Number.isSafeInteger(Number(found));
    return arrange(plan, JSON.parse(json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (found) => (isLong(found) ? `"${found}"` : found))), call, true);
  } catch {
    // No JSON, or too deep: what that means is for the wasm side to say.
  }
}

/** Reads a session of that user agent, once: engines compile what runs, and tables are made ready. */
export function prepare(plan, userAgent) {
  if (LABELS.length > 0) return;
  const list = [{ id: "0", userAgent, createdAt: 0, expiresAt: new Date(0).toISOString() }];
  const name = plan.list.fields?.items?.[0];
  readSessions(plan, new TextEncoder().encode(JSON.stringify(name ? { [name]: list } : list)), { goal: "list" });
}

function arrange({ list, item: place, current: told, isCurrent }, body, { goal, id: wanted, access }, isQuoted) {
  const { fields = {}, statuses = {}, time: unit, handle: handlePath } = list;
  const source = JSON.stringify(fields);
  if (PLACES?.source !== source) {
    USUAL ??= Object.fromEntries(usual.trim().split("\n").map((line) => line.split(":")).map(([member, paths]) => [member, paths.split(" ").map(steps)]));
    PLACES = { source, said: { method: [] }, keys: [] };
    for (const member of [...Object.keys(USUAL), "method"]) PLACES.said[member] = fields[member]?.map(steps) ?? USUAL[member] ?? [];
  }
  const { said } = PLACES;
  const hasHandles = handlePath !== undefined;
  const handleSteps = steps(handlePath ?? "");
  const timeOf = (value) => moment(value, unit);
  /** Texts that are not blank, and numbers. */
  const usable = (value) => {
    if (Number.isInteger(value) && !Number.isSafeInteger(value) && !isQuoted) throw LONG;
    return (typeof value === "string" ? value.charCodeAt(0) > 32 || value.trim() !== "" : Number.isFinite(value)) ? value : null;
  };
  const text = (value) => {
    const found = usable(value);
    return typeof found === "number" ? String(found) : found;
  };

  // Most items have the same names as the one before, of this list and of the last.
  let { keys, paths } = PLACES;
  let inside;
  const seen = [];
  const sameAs = (before, names) => {
    let at = names.length;
    if (before.length !== at) return false;
    while (at-- > 0) if (before[at] !== names[at]) return false;
    return true;
  };
  /** Which paths such an item may have. */
  const shape = (item) => {
    const names = Object.keys(item);
    if (paths && sameAs(keys, names)) return;
    paths = {};
    for (const member in said) paths[member] = said[member].filter(([name]) => name === undefined || names.includes(name));
    PLACES.keys = keys = names;
    PLACES.paths = paths;
  };
  const known = new Map();
  const isSecret = (name) => known.get(name) ?? (known.set(name, SECRET.test(name)), known.get(name));
  const isHidden = (name, value) => (typeof value === "string" || isObject(value) || name === "__proto__") && isSecret(name);
  /** Looks at all of it, so that nothing is too deep in what is kept. */
  const hasSecrets = (value, depth, names = Object.keys(value)) => {
    if (depth > MAX_DEPTH) throw MAX_DEPTH;
    let before = seen[depth];
    if (!before || !sameAs(before.names, names)) before = seen[depth] = { names, hides: !Array.isArray(value) && names.some(isSecret) };
    const { hides } = before;
    let has = false;
    for (const name of names) {
      const found = value[name];
      if (hides && isHidden(name, found)) has = true;
      if (isObject(found) && found !== inside && hasSecrets(found, depth + 1)) has = true;
    }
    return has;
  };
  const withoutSecrets = (value) => {
    if (!isObject(value)) return value;
    if (Array.isArray(value)) return value.map(withoutSecrets);
    const copy = {};
    for (const name of Object.keys(value)) if (!isHidden(name, value[name])) copy[name] = withoutSecrets(value[name]);
    return copy;
  };

  let [lastWord, lastStatus] = [];
  /** The item's state; a list that tells none holds live sessions. */
  const statusOf = (item) => {
    // Some write a moment before all time for "never".
    if (first(item, paths.revoked, timeOf) > "1970-01-01T00:00:00.000Z") return "revoked";
    const word = first(item, paths.status, text);
    if (word === null) return "active";
    // Most are like the one before.
    if (word !== lastWord) {
      const told = Object.hasOwn(statuses, word) ? statuses[word] : word.toLowerCase();
      [lastWord, lastStatus] = [word, STATUSES.includes(told) ? told : "unknown"];
    }
    return lastStatus;
  };
  /** What the server makes of the user agent counts. */
  const deviceOf = (item, userAgent) => {
    const agent = userAgent ?? "";
    let browser = first(item, paths.browser, text) ?? "";
    const os = first(item, paths.os, text) ?? "";
    // Beside a system that is the browser; elsewhere it may be an OAuth client.
    if (!browser && os) browser = text(item.clientName) ?? "";
    const system = `${os} ${first(item, paths.deviceType, text) ?? ""}`;
    const size = agent.length + browser.length + system.length;
    if (size < 2) return null;
    const isMobile = first(item, paths.isMobile, flag);
    for (const made of LABELS) {
      if (made.agent === agent && made.system === system && made.browser === browser && made.isMobile === isMobile) return { ...made.device };
    }
    const device = label(agent, system, browser, isMobile);
    if (size < 1000 && LABELS.push({ agent, system, browser, isMobile, device }) > MAX_LABELS) LABELS.shift();
    return { ...device };
  };
  const methodOf = (item) => {
    const method = first(item, paths.method, any);
    const [category, code, name] = ["category", "code", "displayName"].map((name) => text(method?.[name]));
    return category !== null && code !== null && name !== null ? { category, code, name } : null;
  };
  const sessionOf = (item, id, current) => {
    // They are sessions already; but what is too deep or secret is so there, too.
    if (hasSecrets(item, 0, keys)) item = withoutSecrets(item);
    if (list.own) return item;
    const [city, country] = [first(item, paths.city, text), first(item, paths.country, text)];
    const userAgent = first(item, paths.userAgent, text);
    return {
      id,
      status: statusOf(item),
      createdAt: first(item, paths.createdAt, timeOf),
      lastActiveAt: first(item, paths.lastActiveAt, timeOf),
      expiresAt: first(item, paths.expiresAt, timeOf),
      userAgent,
      ipAddress: first(item, paths.ipAddress, text),
      tenant: first(item, paths.tenant, text),
      userId: first(item, paths.userId, text),
      current,
      device: deviceOf(item, userAgent),
      location: city !== null || country !== null ? { city, country } : null,
      method: paths.method.length > 0 ? methodOf(item) : null,
      raw: item,
    };
  };
  const handleOf = (item) => (hasHandles ? (follow(item, handleSteps) ?? null) : null);
  const idOf = (item) => (isObject(item) && !Array.isArray(item) ? (shape(item), first(item, paths.id, usable)) : null);

  if (!isObject(body)) return { listed: {} };
  if (place !== null) {
    const item = follow(body, steps(place));
    const id = idOf(item);
    if (id === null) return { listed: {} };
    const current = isCurrent ? true : goal === "create" || told === null ? null : told === String(id);
    return { listed: { found: { id, handle: handleOf(item) } }, session: sessionOf(item, String(id), current) };
  }
  const all = first(body, said.items, items);
  if (!all) return { listed: {} };
  const isList = goal === "list";
  inside = isList ? all : null;
  if (inside !== body) hasSecrets(body, 0);
  // Tokens that name none of the sessions tell nothing about any of them. A mark that only one of them has says something of the others.
  const current = first(body, said.currentId, text) ?? told;
  let [oneIs, isListed, areNumbers] = [false, false, false];
  const handles = new Map();
  const entries = [];
  for (const item of all) {
    const id = idOf(item);
    if (id === null) return { listed: { lacks: "id" } };
    const words = String(id);
    areNumbers = typeof id === "number" || Boolean(isQuoted && /^-?\d{16,}$/.test(words));
    const handle = handleOf(item);
    if (hasHandles) handles.set(words, handle);
    // Better Auth's tokens may come with a signature.
    const uses = handle && access && (access === handle || access.startsWith(`${handle}.`));
    const mark = first(item, paths.current, flag) ?? (uses ? true : null);
    oneIs ||= mark === true;
    isListed ||= words === current;
    entries.push(isList ? sessionOf(item, words, mark) : { item, id, handle, words, current: mark });
  }
  if (!list.own && (oneIs || isListed)) {
    for (const entry of entries) entry.current ??= oneIs ? false : (isList ? entry.id : entry.words) === current;
  }
  const [count, total] = [said.count, said.total].map((paths) => first(body, paths, whole)).map((number) => (number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : null));
  const listed = { size: all.length, areNumbers, count, total, next: first(body, said.next, text) };
  if (isList) return { listed, handles, sessions: entries };
  const byId = ["get", "revoke"].includes(goal);
  const isWanted = (entry) => (byId ? entry.words === wanted : ["current", "revokeCurrent", "logout"].includes(goal) && entry.current);
  const found = entries.filter(isWanted).at(-1);
  const [currents, ids] = [[], []];
  for (const entry of entries) {
    if (entry === found) continue;
    if (entry.current) currents.push(entry.words);
    else if (shape(entry.item), STATUSES.indexOf(statusOf(entry.item)) < 3) ids.push(entry.words);
  }
  Object.assign(listed, { currents, ids });
  if (!found) return { listed, handles };
  shape(found.item);
  return { listed: { ...listed, found: { id: found.id, handle: found.handle } }, handles, session: sessionOf(found.item, found.words, found.current) };
}
