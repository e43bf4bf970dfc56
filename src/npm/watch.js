import { isFunction, isObject, number } from "./check.js";
import { hmac } from "./digest.js";
import { SessionsError, fail, toSessionsError } from "./error.js";
import { findings, guarded, readOptions, remember } from "./findings.js";
import { isBrowser } from "./tabs.js";

/** Timers count milliseconds in 31 bits. */
const LONGEST = 2 ** 31 - 1;
const SHORTEST = 1000;
/** As far as errors put the next poll off. */
const PATIENCE = 15 * 60_000;
/** A tab that says nothing for so long after it should have is frozen. */
const FROZEN = 60_000;
/** KSeF takes 120 lists and revocations an hour: half of them are left to the application. */
const KSEF = 60_000;
/** Changes that nobody takes. */
const MOST = 1000;

const LIVE = ["active", "pending", "unknown"];
const OPTIONS = {
  interval: number(1, LONGEST),
  signal: ["an AbortSignal", (value) => isFunction(value.addEventListener) && isFunction(value.removeEventListener)],
};

/** Polls politely and reports what changed, from the first `next()` on. */
export function watch(sessions, options = {}) {
  return guarded("watch", () => {
    if (!isFunction(sessions?.list)) throw fail("invalid_argument", "watch takes what createSessions gives");
    readOptions(options, OPTIONS);
    // A copy: the caller's object may change later.
    const copy = { ...options };
    return { [Symbol.asyncIterator]: () => new Watcher(sessions, copy) };
  });
}

/** The same for a function; the answer stops it. The function is waited for, and what it throws is the application's. */
export function subscribe(sessions, onChange, options) {
  if (!isFunction(onChange)) throw toSessionsError(fail("invalid_argument", "onChange must be a function"), null, "subscribe");
  const changes = watch(sessions, options)[Symbol.asyncIterator]();
  let isStopped = false;
  (async () => {
    for (;;) {
      const { done, value } = await changes.next();
      if (done || isStopped) return;
      try {
        await onChange(value);
      } catch (error) {
        globalThis.reportError?.(error);
      }
    }
  })();
  return () => {
    isStopped = true;
    changes.return();
  };
}

/** Seen by somebody, and on the network: for what the runtime has no word is true. */
const isAwake = () => globalThis.document?.visibilityState !== "hidden" && globalThis.navigator?.onLine !== false;

/** What may be compared: `raw` may differ each time. */
const essence = ({ raw, ...session }) => JSON.stringify(session);

class Watcher {
  #sessions;
  #options;
  #list;
  /** What nobody has taken yet, and who waits for it. */
  #queue = [];
  #waiting = [];
  #state = "new";
  #stopping = new AbortController();
  /** When the next poll is due, and the wait for it. */
  #due = 0;
  #delay = 0;
  #timer;
  #isPolling = false;
  #failures = 0;
  #capabilities;
  /** The last good list, by id; the session of this client in it; and whether the back-end knew this client at last. */
  #seen;
  #mine;
  #isMarked = false;
  #isSignedIn = false;
  #history;
  #known;
  /** What tabs share: the channel, by its name, and the contest for the lock of that name. */
  #name;
  #channel;
  #contest;
  #leads = false;

  constructor(sessions, options) {
    this.#sessions = sessions;
    this.#options = options;
    const { interval, geo, thresholds, history, signal, ...list } = options;
    this.#list = list;
    this.#history = history;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  next() {
    if (this.#state === "new") this.#start();
    if (this.#queue.length > 0) {
      const value = this.#queue.shift();
      if (this.#queue.length === MOST - 1) this.#schedule();
      return Promise.resolve({ done: false, value });
    }
    if (this.#state === "over") return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(value) {
    this.#stop();
    return Promise.resolve({ done: true, value });
  }

  #start() {
    this.#state = "on";
    const { signal } = this.#options;
    if (signal?.aborted) return this.#stop();
    signal?.addEventListener("abort", this.#stop);
    globalThis.document?.addEventListener?.("visibilitychange", this.#schedule);
    for (const event of ["online", "offline"]) globalThis.addEventListener?.(event, this.#schedule);
    this.#schedule();
  }

  #stop = () => {
    if (this.#state === "over") return;
    this.#state = "over";
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#stop);
    globalThis.document?.removeEventListener?.("visibilitychange", this.#schedule);
    for (const event of ["online", "offline"]) globalThis.removeEventListener?.(event, this.#schedule);
    this.#leave();
    this.#stopping.abort();
    this.#queue.length = 0;
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  };

  #tell(change) {
    const [first] = this.#waiting.splice(0, 1);
    if (first) first({ done: false, value: change });
    else this.#queue.push(change);
  }

  // ---------------------------------------------------------------- when

  #schedule = () => {
    clearTimeout(this.#timer);
    if (this.#state !== "on" || this.#isPolling) return;
    const isReady = isAwake() && this.#queue.length < MOST;
    this.#contend(isReady);
    if (!isReady) return;
    // Another tab polls for this one. If it should have long ago and says nothing, this one does.
    const spare = this.#name && !this.#leads ? this.#delay + FROZEN : 0;
    const wait = Math.min(this.#due + spare - Date.now(), this.#delay + spare, LONGEST);
    if (wait <= 0) return void this.#poll();
    this.#timer = setTimeout(() => {
      // Whatever the clock says, which may have been set.
      this.#due = -Infinity;
      this.#schedule();
    }, wait);
  };

  /** Sets when the next poll is due: a little later each time by chance, so that clients don't keep step. */
  #putOff(error) {
    const { provider, pageSize } = this.#capabilities ?? {};
    const pages = Math.ceil((this.#seen?.size ?? 0) / (this.#list.pageSize ?? pageSize?.max ?? Infinity));
    const usual = Math.max(this.#options.interval ?? 60_000, SHORTEST, provider === "ksef" ? KSEF * Math.max(1, pages) : 0);
    this.#failures = error ? this.#failures + 1 : 0;
    const later = error ? Math.max(Math.min(usual * 2 ** this.#failures, Math.max(usual, PATIENCE)), (Number(error.retryAfter) || 0) * 1000) : usual;
    this.#delay = Math.min(later * (1 + Math.random() / 10), LONGEST);
    this.#due = Date.now() + this.#delay;
  }

  // ---------------------------------------------------------------- polls

  async #poll() {
    this.#isPolling = true;
    let outcome;
    try {
      outcome = { list: await this.#read() };
    } catch (thrown) {
      outcome = { error: toSessionsError(thrown, null, "watch") };
    }
    this.#isPolling = false;
    if (this.#state === "on") this.#share(this.#take(outcome));
    this.#schedule();
  }

  /** What a poll of this tab or of another one gave; labels and raw parts that can't be compared make it an error. */
  #take(outcome) {
    try {
      if (outcome.list) this.#listed(outcome.list);
    } catch (thrown) {
      outcome = { error: toSessionsError(thrown, null, "watch") };
    }
    if (outcome.error) this.#failed(outcome.error);
    return outcome;
  }

  /** Every page, each as large as the back-end makes them. */
  async #read() {
    // Nothing is sent for it.
    this.#capabilities ??= await this.#sessions.capabilities?.();
    const options = { ...this.#list, signal: this.#stopping.signal };
    options.pageSize ??= this.#capabilities?.pageSize?.max;
    const list = [];
    // A lone object with headers would be a request.
    for await (const session of options.headers ? this.#sessions.list(undefined, options) : this.#sessions.list(options)) list.push(session);
    return list;
  }

  #failed(error) {
    const at = new Date().toISOString();
    this.#putOff(error);
    this.#tell({ type: "error", error, at });
    // The back-end said so. A token that could not be had, a network that is away and a step-up say nothing of the session.
    if (error.code === "unauthenticated" && error.status !== null) this.#revoked(at);
  }

  #revoked(at) {
    if (this.#isSignedIn) this.#tell({ type: "current-revoked", at });
    this.#isSignedIn = false;
    this.#mine = undefined;
  }

  #listed(list) {
    const now = Date.now();
    const at = new Date(now).toISOString();
    const seen = new Map();
    for (const session of list) {
      if (!isObject(session) || typeof session.id !== "string") continue;
      // Lists are made when they are asked for: what has run out since is over, whoever still lists it.
      const isOver = session.status === "active" && Date.parse(session.expiresAt) <= now;
      seen.set(session.id, isOver ? { ...session, status: "expired" } : session);
    }
    const before = this.#seen;
    this.#seen = seen;
    this.#putOff();
    const added = [];
    if (before) {
      for (const [id, session] of before) if (!seen.has(id)) this.#tell({ type: "removed", session, previous: session, at });
      for (const [id, session] of seen) {
        const previous = before.get(id);
        if (!previous) added.push(session);
        if (!previous || essence(session) !== essence(previous)) this.#tell({ type: previous ? "changed" : "added", session, previous: previous ?? null, at });
      }
    }
    this.#follow(seen, added, at);
    this.#judge([...seen.values()], !before, at);
  }

  /** Looks where the session of this client is. */
  #follow(seen, added, at) {
    const mine = this.#mine;
    const isLive = (session) => session && LIVE.includes(session.status);
    // AuthVital gives every refresh a new session, and another tab may have refreshed: then this client's token still names the old one.
    const follows = ({ userAgent, userId }) => userAgent && userAgent === mine.userAgent && userId === mine.userId;
    const now = [...seen.values()].find((session) => session.current === true && isLive(session))
      ?? (mine && (isLive(seen.get(mine.id)) ? seen.get(mine.id) : added.find((session) => isLive(session) && follows(session))));
    if (mine && !now) return this.#revoked(at);
    // Somebody else's devices are no news.
    if (mine?.userId && now.userId && now.userId !== mine.userId) this.#known = this.#history = undefined;
    this.#mine = now;
    this.#isMarked ||= Boolean(now);
    // Where the back-end says which session is the current one, a list without it is no proof of being signed in.
    if (now || !this.#isMarked) this.#isSignedIn = true;
  }

  /** Findings that were not there before: about another session, or of another kind. */
  #judge(list, isFirst, at) {
    const { geo, thresholds } = this.#options;
    const known = new Set();
    isFirst ||= !this.#known;
    for (const finding of findings(list, { geo, thresholds, history: this.#history })) {
      const keys = finding.sessionIds.map((id) => `${finding.code} ${id}`);
      if (!isFirst && keys.some((key) => !this.#known.has(key))) this.#tell({ type: "finding", finding, at });
      for (const key of keys) known.add(key);
    }
    this.#known = known;
    this.#history = remember(list, { geo, history: this.#history });
  }

  // ---------------------------------------------------------------- tabs

  /**
   * Tells the other tabs what came of a poll. They belong together where the same list was asked for with the same session: each has seen that for itself, by its own first poll, so that
   * no two users and no two clients are mixed up. Where the session changes (a refresh, another user) tabs part, and meet again at the new one.
   */
  #share({ list, error }) {
    // What is wrong with one tab only is for the others to find out.
    if (error && !error.transient) return this.#leave();
    const name = this.#mine && `auth-sessions ${hmac("watch", JSON.stringify([
      this.#capabilities?.provider, this.#options.interval, this.#list, this.#mine.id, this.#mine.createdAt, this.#mine.userId, this.#mine.tenant,
    ]))}`;
    if (list && name !== this.#name) {
      this.#leave();
      this.#join(name);
    } else if (this.#name) {
      const { code, message, provider, operation, status, serverCode, requestId, retryAfter, transient } = error ?? {};
      // As text: labels are the application's, and may be what can't be cloned.
      this.#channel.postMessage(JSON.stringify(list ? { list } : { error: { code, message, provider, operation, status, serverCode, requestId, retryAfter, transient } }));
    }
  }

  #join(name) {
    if (!name || !isBrowser() || !globalThis.BroadcastChannel || !globalThis.navigator.locks) return;
    try {
      this.#channel = new BroadcastChannel(name);
    } catch {
      // A sandboxed page has no others.
      return;
    }
    this.#name = name;
    this.#channel.onmessage = ({ data }) => this.#hear(data);
  }

  #leave() {
    this.#contend(false);
    this.#channel?.close();
    this.#channel = this.#name = undefined;
  }

  #hear(data) {
    if (this.#state !== "on" || this.#isPolling || this.#queue.length >= MOST) return;
    let told;
    try {
      told = JSON.parse(data);
    } catch {
      return;
    }
    if (Array.isArray(told?.list)) this.#take({ list: told.list });
    else if (typeof told?.error?.code === "string") this.#take({ error: new SessionsError(told.error) });
    this.#schedule();
  }

  /** One tab holds the lock, and polls. It lets go as soon as it may not poll. */
  #contend(wants) {
    if (!wants) {
      this.#contest?.abort();
      this.#contest = undefined;
      this.#leads = false;
    } else if (this.#name && !this.#contest) {
      const contest = (this.#contest = new AbortController());
      const { signal } = contest;
      const lead = () => new Promise((resolve) => {
        if (signal.aborted) return resolve();
        signal.addEventListener("abort", resolve);
        this.#leads = true;
        this.#schedule();
      });
      navigator.locks.request(this.#name, { signal }, lead).catch(() => {
        // Not given up but refused: this tab polls for itself.
        if (this.#contest === contest) {
          this.#leave();
          this.#schedule();
        }
      });
    }
  }
}
