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

/** Hours since 1970 and how they are written, and how seconds of the hour and milliseconds are. */
const [HOURS, STARTS, SECONDS, MILLISECONDS] = [[], [], [], []];

/** As `toISOString` writes it, in a tenth of its time; null outside the years 0 to 9999. */
function iso(ms) {
  if (!(ms >= -62_167_219_200_000 && ms < 253_402_300_800_000)) return null;
  const hour = Math.floor(ms / 3_600_000);
  const slot = hour & 1023;
  if (HOURS[slot] !== hour) {
    HOURS[slot] = hour;
    STARTS[slot] = new Date(hour * 3_600_000).toISOString().slice(0, 14);
  }
  // Whole numbers of 32 bits are quicker than others.
  const rest = (ms - hour * 3_600_000) | 0;
  const second = (rest / 1000) | 0;
  const millisecond = rest % 1000;
  return STARTS[slot] + ((SECONDS[second] ??= `${pad((second / 60) | 0)}:${pad(second % 60)}.`) + (MILLISECONDS[millisecond] ??= `${`${1000 + millisecond}`.slice(1)}Z`));
}

/** A time, as the list writes times, in ISO 8601. Seconds are what comes before 1973 as milliseconds, and after 5138 as seconds. A time without an offset is taken as UTC. */
function moment(value, unit) {
  if (typeof value === "string") {
    if (CANONICAL.test(value)) return value;
    const [, year, month, date, hour, minute, second = 0, fraction = "", sign = "+", hours = 0, minutes = 0] = value.match(ISO) ?? [];
    const at = new Date(0);
    at.setUTCFullYear(year, month - 1, date);
    if (at.getUTCDate() !== Number(date) || at.getUTCMonth() !== month - 1) return null;
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
 * (`values`) for its id (`ids`). Nothing where it is no JSON. `plan` is what the wasm side says of the answer, `call` what is asked of this client.
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
  const list = [{ id: "0", userAgent, createdAt: 0, expiresAt: "1970-01-01T00:00:00.000Z" }];
  const name = plan.list.fields?.items?.[0];
  readSessions(plan, new TextEncoder().encode(JSON.stringify(name ? { [name]: list } : list)), { goal: "list" });
}

/** The names of what is in a value, and which of them are those of secrets; `paths` of an item are those that may lead to something. Most are like the one before. */
function shapeOf(value, before) {
  if (before && hasNames(value, before.names)) return before;
  const names = Object.keys(value);
  return { names, secrets: new Set(names.filter((name) => SECRET.test(name))), empty: null, paths: null };
}

/** Without a list of the names, which would be garbage for each item. */
function hasNames(value, names) {
  let at = 0;
  for (const name in value) if (name !== names[at++]) return false;
  // The last is the object's own, and not one of all objects: then all are.
  return at === names.length && (at === 0 || Object.hasOwn(value, names[at - 1]));
}

// What is below are functions of this module and not of an answer, which comes along: machine code of functions that nobody has at the moment is gone with the engine's next collection of everything.

/** What the first of the paths that leads to something usable leads to, as it is used, or null. */
function first(value, paths, use, answer) {
  for (const path of paths) {
    const found = use(path.length === 1 ? value[path[0]] : follow(value, path), answer);
    if (found !== null) return found;
  }
  return null;
}

const items = (value) => (Array.isArray(value) ? value : null);
const flag = (value) => (typeof value === "boolean" ? value : null);
const any = (value) => value ?? null;
const whole = (value) => (typeof value === "number" ? Math.trunc(value) + 0 : null);
const timeOf = (value, { list }) => moment(value, list.time);

/** Texts that are not blank, and numbers. */
function usable(value, { isQuoted }) {
  if (typeof value === "string") return value.charCodeAt(0) > 32 || value.trim() !== "" ? value : null;
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && !isQuoted) throw LONG;
  return Number.isFinite(value) ? value : null;
}

function text(value, answer) {
  const found = usable(value, answer);
  return typeof found === "number" ? String(found) : found;
}

/** Looks at all of it, so that nothing is too deep in what is kept. */
function hasSecrets(value, depth, answer, { names, secrets } = (answer.shapes[depth] = shapeOf(value, answer.shapes[depth]))) {
  if (depth > MAX_DEPTH) throw MAX_DEPTH;
  let has = false;
  for (const name of secrets) has ||= isHidden(value[name], name);
  for (const name of names) {
    const found = value[name];
    if (isObject(found) && found !== answer.inside && hasSecrets(found, depth + 1, answer)) has = true;
  }
  return has;
}

const isHidden = (value, name) => typeof value === "string" || isObject(value) || name === "__proto__";

function withoutSecrets(value, depth, answer, shape = (answer.shapes[depth] = shapeOf(value, answer.shapes[depth]))) {
  if (Array.isArray(value)) return value.map((found) => (isObject(found) ? withoutSecrets(found, depth + 1, answer) : found));
  const { names, secrets } = shape;
  // All names at once: one after the other takes longer, and more memory.
  const copy = { ...(shape.empty ??= Object.fromEntries(names.filter((name) => !secrets.has(name)).map((name) => [name]))) };
  for (const name of names) {
    const found = value[name];
    if (!secrets.has(name) || !isHidden(found, name)) copy[name] = isObject(found) ? withoutSecrets(found, depth + 1, answer) : found;
  }
  return copy;
}

/** The item's state; a list that tells none holds live sessions. */
function statusOf(item, answer) {
  const { shape: { paths }, list: { statuses = {} } } = answer;
  // Some write a moment before all time for "never".
  if (first(item, paths.revoked, timeOf, answer) > "1970-01-01T00:00:00.000Z") return "revoked";
  const word = first(item, paths.status, text, answer);
  if (word === null) return "active";
  // Most are like the one before.
  if (word !== answer.word) {
    const told = Object.hasOwn(statuses, word) ? statuses[word] : word.toLowerCase();
    Object.assign(answer, { word, status: STATUSES.includes(told) ? told : "unknown" });
  }
  return answer.status;
}

/** What the server makes of the user agent counts. */
function deviceOf(item, userAgent, answer) {
  const { paths } = answer.shape;
  const agent = userAgent ?? "";
  let browser = first(item, paths.browser, text, answer) ?? "";
  const os = first(item, paths.os, text, answer) ?? "";
  // Beside a system that is the browser; elsewhere it may be an OAuth client.
  if (!browser && os) browser = text(item.clientName, answer) ?? "";
  const system = `${os} ${first(item, paths.deviceType, text, answer) ?? ""}`;
  const size = agent.length + browser.length + system.length;
  if (size < 2) return null;
  const isMobile = first(item, paths.isMobile, flag);
  for (const made of LABELS) {
    if (made.agent === agent && made.system === system && made.browser === browser && made.isMobile === isMobile) return { ...made.device };
  }
  const device = label(agent, system, browser, isMobile);
  if (size < 1000 && LABELS.push({ agent, system, browser, isMobile, device }) > MAX_LABELS) LABELS.shift();
  return { ...device };
}

function methodOf(item, answer) {
  const method = first(item, answer.shape.paths.method, any);
  const [category, code, name] = ["category", "code", "displayName"].map((name) => text(method?.[name], answer));
  return category !== null && code !== null && name !== null ? { category, code, name } : null;
}

function sessionOf(item, id, current, answer) {
  const { list, shape } = answer;
  const raw = hasSecrets(item, list.own ? -1 : 0, answer, shape) ? withoutSecrets(item, 0, answer, shape) : item;
  // They are sessions already.
  if (list.own) return raw;
  const { paths } = shape;
  const city = first(item, paths.city, text, answer);
  const country = first(item, paths.country, text, answer);
  const userAgent = first(item, paths.userAgent, text, answer);
  return {
    id,
    status: statusOf(item, answer),
    createdAt: first(item, paths.createdAt, timeOf, answer),
    lastActiveAt: first(item, paths.lastActiveAt, timeOf, answer),
    expiresAt: first(item, paths.expiresAt, timeOf, answer),
    userAgent,
    ipAddress: first(item, paths.ipAddress, text, answer),
    tenant: first(item, paths.tenant, text, answer),
    userId: first(item, paths.userId, text, answer),
    current,
    device: deviceOf(item, userAgent, answer),
    location: city !== null || country !== null ? { city, country } : null,
    method: paths.method.length > 0 ? methodOf(item, answer) : null,
    raw,
  };
}

/** The id, or null; the answer's shape is the item's from then on. */
function idOf(item, answer) {
  if (!isObject(item) || Array.isArray(item)) return null;
  shape(item, answer);
  return first(item, answer.shape.paths.id, usable, answer);
}

function shape(item, answer) {
  const shape = shapeOf(item, answer.shape);
  if (shape === answer.shape) return;
  const { said } = answer;
  shape.paths = {};
  for (const member of Object.keys(said)) shape.paths[member] = said[member].filter(([name]) => name === undefined || shape.names.includes(name));
  PLACES.shape = answer.shape = shape;
}

function arrange({ list, item: place, current: told, isCurrent }, body, { goal, id: wanted, access, isPaged }, isQuoted = false) {
  const { fields = {}, handle: handlePath } = list;
  const source = JSON.stringify(fields);
  if (PLACES?.source !== source) {
    USUAL ??= Object.fromEntries(usual.trim().split("\n").map((line) => line.split(":")).map(([member, paths]) => [member, paths.split(" ").map(steps)]));
    PLACES = { source, said: { method: [] }, shape: null };
    for (const member of [...Object.keys(USUAL), "method"]) PLACES.said[member] = fields[member]?.map(steps) ?? USUAL[member] ?? [];
  }
  const { said } = PLACES;
  const answer = { list, said, isQuoted, shape: PLACES.shape, shapes: [], inside: null, word: null, status: "" };
  const hasHandles = handlePath !== undefined;
  const handleSteps = steps(handlePath ?? "");
  const handleOf = (item) => (hasHandles ? (follow(item, handleSteps) ?? null) : null);

  if (!isObject(body) || body.success === false) return { listed: {} };
  if (place !== null) {
    const item = follow(body, steps(place));
    const id = idOf(item, answer);
    if (id === null) return { listed: {} };
    const current = isCurrent ? true : goal === "create" || told === null ? null : told === String(id);
    return { listed: { found: { id, handle: handleOf(item) } }, session: sessionOf(item, String(id), current, answer) };
  }
  const all = first(body, said.items, items);
  if (!all) return { listed: {} };
  const isList = goal === "list";
  if (isList) answer.inside = all;
  if (answer.inside !== body) hasSecrets(body, 0, answer);
  // Tokens that name none of the sessions tell nothing about any of them. A mark that only one of them has says something of the others.
  const named = first(body, said.currentId, text, answer);
  const current = named ?? told;
  // What a profile names counts, and not what marks may mean that it does not.
  const marks = fields.currentId && !fields.current && named !== null ? [] : null;
  const [count, total] = [said.count, said.total].map((paths) => first(body, paths, whole)).map((number) => (number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : null));
  const listed = { size: all.length, areNumbers: false, count, total, next: first(body, said.next, text, answer) };
  let [oneIs, isListed] = [false, false];
  const handles = { ids: [], values: [] };
  const entries = [];
  for (let at = 0; at < all.length; at++) {
    const item = all[at];
    // What was copied is not needed any more.
    if (isList) all[at] = null;
    const id = idOf(item, answer);
    if (id === null) return { listed: { lacks: "id" } };
    const words = String(id);
    listed.areNumbers = typeof id === "number" || Boolean(isQuoted && /^-?\d{16,}$/.test(words));
    const handle = handleOf(item);
    if (hasHandles) {
      handles.ids.push(words);
      handles.values.push(handle);
    }
    // Better Auth's tokens may come with a signature.
    const uses = handle && access?.startsWith(handle) && /^(\.|$)/.test(access.slice(handle.length));
    const mark = first(item, marks ?? answer.shape.paths.current, flag) ?? (uses ? true : null);
    oneIs ||= mark === true;
    isListed ||= words === current;
    entries.push(isList ? sessionOf(item, words, mark, answer) : { item, id, handle, words, current: mark });
  }
  // Where a token's id is always a session's, it is on another page.
  const isElsewhere = list.isStable && current !== null && (isPaged || listed.next !== null || total > all.length);
  if (!list.own && (oneIs || isListed || isElsewhere)) {
    for (const entry of entries) entry.current ??= oneIs ? false : (isList ? entry.id : entry.words) === current;
  }
  if (isList) return { listed, handles, sessions: entries };
  const byId = ["get", "revoke"].includes(goal);
  const isWanted = (entry) => (byId ? entry.words === wanted : ["current", "revokeCurrent", "logout"].includes(goal) && entry.current);
  const found = entries.filter(isWanted).at(-1);
  const [currents, ids] = [[], []];
  for (const entry of entries) {
    if (entry === found) continue;
    if (entry.current) currents.push(entry.words);
    else if (shape(entry.item, answer), STATUSES.indexOf(statusOf(entry.item, answer)) < 3) ids.push(entry.words);
  }
  Object.assign(listed, { currents, ids });
  if (!found) return { listed, handles };
  shape(found.item, answer);
  return { listed: { ...listed, found: { id: found.id, handle: found.handle } }, handles, session: sessionOf(found.item, found.words, found.current, answer) };
}
