import { fail } from "./error.js";

/** What tabs told each other of refreshes: by back-end and old refresh token the new pair, or null where the answer was lost. */
const news = new Map();
/** Where there are no locks: the lowest number that a tab has drawn for a refresh, and the refreshes that are under way here. */
const claims = new Map();
const working = new Set();
let channel;

/** Refreshes that are remembered: a tab may be idle for days, and have the first token still. */
const MOST = 1000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Node, Deno, Bun and the edge runtimes have a navigator too, but none of them claims to be a browser. */
export const isBrowser = () => /^Mozilla\//.test(globalThis.navigator?.userAgent);

/** Listens from now on: what another tab refreshes later is known then. Whether there can be other tabs. */
export function listen() {
  // On servers tokens are of many users: nothing is shared.
  if (channel || !isBrowser() || !globalThis.BroadcastChannel) return channel;
  channel = new BroadcastChannel("auth-sessions");
  channel.onmessage = ({ data }) => {
    const [key, pair, claim] = Array.isArray(data) ? data : [];
    if (typeof key !== "string") return;
    if (data.length < 2) {
      // A tab that was not there asks.
      const found = newest(...key.split("\n"));
      if (found !== undefined) channel.postMessage([key, found]);
      return;
    }
    if (typeof claim !== "number") return note(key, pair);
    if (claim > 1) {
      // That tab has come to its end.
      if ([data[3], -1].includes(claims.get(key))) claims.delete(key);
      return;
    }
    claims.set(key, Math.min(claim, claims.get(key) ?? 1));
    if (claims.size > 50) claims.delete(claims.keys().next().value);
    // Whoever comes too late is told.
    if (working.has(key) && claim >= 0) channel.postMessage([key, null, -1]);
  };
  // Node's own keeps the process alive.
  channel.unref?.();
  return channel;
}

function note(key, pair) {
  news.set(key, pair);
  if (news.size > MOST) news.delete(news.keys().next().value);
}

/**
 * The newest pair that is known for an old refresh token; null where an answer was lost, undefined where nothing is known. Where the token stays the same (or in a cookie), so that it may be used
 * again, what came of it until `since` is old.
 */
export function newest(name, token, since) {
  let found;
  for (let n = 0; n < MOST; n++) {
    const next = news.get(`${name}\n${token}`);
    const stays = next && (next.refreshToken ?? token) === token;
    if (next === undefined || (stays && next.at <= since)) break;
    found = next;
    if (!next || stays) break;
    token = next.refreshToken;
  }
  return found;
}

/** Tells the other tabs, and when it was: their clock is the same. */
export function tell(name, token, pair) {
  const key = `${name}\n${token}`;
  pair = pair && { ...pair, at: Date.now() };
  note(key, pair);
  channel.postMessage([key, pair]);
}

/**
 * Does the work in one tab of this origin at a time (Web Locks; without them, by drawing lots). `ms` is how long a tab waits for its turn. When it has it, it has heard what
 * came of others' work, if there was any: it asks, and gives them a moment to answer. The work is told since when.
 */
export async function alone(name, token, ms, work) {
  const key = `${name}\n${token}`;
  const since = Date.now();
  const hear = async (late, isOver = () => false) => {
    while (newest(name, token, since) === undefined && Date.now() < late && !isOver()) await sleep(10);
  };
  const locks = globalThis.navigator?.locks;
  let isIn;
  const enter = (patience) => async (lock) => {
    if (!lock) return;
    isIn = true;
    await hear(Date.now() + patience);
    return work(since);
  };
  channel.postMessage([key]);
  if (locks) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), ms);
    try {
      const done = await locks.request(name, { ifAvailable: true }, enter(50));
      return isIn ? done : await locks.request(name, { signal: controller.signal }, enter(200));
    } catch (error) {
      // A page that may not have locks (sandboxed, or about to go away) does it by itself.
      if (isIn) throw error;
      if (controller.signal.aborted) throw { ...fail("timeout", "another tab has been refreshing for too long"), transient: true };
      return await work(since);
    } finally {
      clearTimeout(timer);
    }
  }
  const lot = Math.random();
  for (const late = since + ms; newest(name, token, since) === undefined && Date.now() < late; ) {
    channel.postMessage([key, null, lot]);
    await sleep(100);
    if (!(claims.get(key) < lot)) break;
    // That one may come to its end with nothing to tell: then the others draw again.
    await hear(late, () => !claims.has(key));
  }
  working.add(key);
  try {
    return await work(since);
  } finally {
    working.delete(key);
    claims.delete(key);
    channel.postMessage([key, null, 2, lot]);
  }
}
