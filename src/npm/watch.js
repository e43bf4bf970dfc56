import { FUNCTION, check, isFunction, isObject, number } from "./check.js";
import { hmac } from "./digest.js";
import { SessionsError, fail, toSessionsError } from "./error.js";
import { MINUTE, findings, guarded, readOptions, remember } from "./findings.js";
import { isBrowser } from "./tabs.js";

/** Timers count milliseconds in 31 bits. */
const LONGEST = 2 ** 31 - 1;
const SHORTEST = 1000;
/** As far as errors put the next poll off. */
const PATIENCE = 15 * MINUTE;
/** Changes that nobody takes; and pages of one poll; it may have ten times as many sessions. */
const MOST = 1000;
/** For all of them. */
const TOTAL = 2 * MINUTE;
/** So many lists of other tabs in a row are believed: the user of this one may have changed. */
const HEARSAY = 9;

const LIVE = ["active", "pending", "unknown"];
const OPTIONS = {
  interval: number(1, LONGEST),
  signal: ["an AbortSignal", (value) => isFunction(value.addEventListener)],
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
  guarded("subscribe", () => check({ onChange }, { "onChange!": FUNCTION }, "invalid_argument"));
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
  /** Of the poll under way. */
  #stopping;
  /** When the next poll is due, and the wait for it. */
  #due = 0;
  #delay = 0;
  #timer;
  #failures = 0;
  #capabilities;
  /** The last good list by id, and what is compared of it; the session of this client in it; and whether the back-end knew this client at last. */
  #seen;
  #texts;
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
  #heard = 0;
  /** Whose sessions they were, though nobody was signed in since. */
  #user;
  /** When what is told was noticed: all of one poll at once. */
  #at;

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

  async next() {
    if (this.#state === "new") this.#start();
    if (this.#queue.length > 0) {
      const value = this.#queue.shift();
      if (this.#queue.length === MOST - 1) this.#schedule();
      return { done: false, value };
    }
    if (this.#state === "over") return { done: true, value: undefined };
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async return(value) {
    this.#stop();
    return { done: true, value };
  }

  #start() {
    this.#state = "on";
    if (this.#options.signal?.aborted) return this.#stop();
    this.#listen("addEventListener");
    this.#schedule();
  }

  #listen(how) {
    this.#options.signal?.[how]?.("abort", this.#stop);
    globalThis.document?.[how]?.("visibilitychange", this.#schedule);
    for (const event of ["online", "offline"]) globalThis[how]?.(event, this.#schedule);
  }

  #stop = () => {
    if (this.#state === "over") return;
    this.#state = "over";
    clearTimeout(this.#timer);
    this.#listen("removeEventListener");
    this.#leave();
    this.#stopping?.abort();
    this.#queue.length = 0;
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  };

  #tell(change) {
    change.at = this.#at;
    const first = this.#waiting.shift();
    if (first) first({ done: false, value: change });
    else this.#queue.push(change);
  }

  // ---------------------------------------------------------------- when

  #schedule = () => {
    if (this.#state !== "on" || this.#stopping) return;
    clearTimeout(this.#timer);
    const isReady = isAwake() && this.#queue.length < MOST;
    this.#contend(isReady);
    if (!isReady) return;
    // Another tab polls for this one. If it should have a minute ago and says nothing, it is frozen, and this one does; and from time to time anyway.
    const spare = this.#name && !this.#leads && this.#heard < HEARSAY ? this.#delay + MINUTE : 0;
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
    // KSeF takes 120 lists and revocations an hour: half of them are left to the application.
    const usual = Math.max(this.#options.interval ?? MINUTE, SHORTEST, provider === "ksef" ? MINUTE * (pages || 1) : 0);
    this.#failures = error ? this.#failures + 1 : 0;
    const later = error ? Math.max(Math.min(usual * 2 ** this.#failures, Math.max(usual, PATIENCE)), (Number(error.retryAfter) || 0) * 1000) : usual;
    // Whose turn it is to see for itself comes first, and the one that polls for all need not.
    this.#delay = Math.min(later * (1 + ((this.#heard < HEARSAY) * Math.random()) / 10), LONGEST);
    this.#due = Date.now() + this.#delay;
  }

  // ---------------------------------------------------------------- polls

  async #poll() {
    this.#stopping = new AbortController();
    let outcome;
    try {
      const late = new Promise((_, reject) => {
        this.#timer = setTimeout(() => reject({ ...fail("timeout", "no list within 2 minutes"), transient: true }), TOTAL);
      });
      outcome = { list: await Promise.race([this.#read(this.#stopping), late]) };
    } catch (thrown) {
      outcome = { error: toSessionsError(thrown, null, "watch") };
    }
    // What is still on its way.
    this.#stopping.abort();
    this.#stopping = undefined;
    if (this.#state === "on") this.#share(this.#take(outcome));
    this.#schedule();
  }

  /** What a poll of this tab or of another one gave; labels and raw parts that can't be compared make it an error. */
  #take(outcome) {
    this.#at = new Date().toISOString();
    try {
      if (outcome.list) this.#listed(outcome.list);
    } catch (thrown) {
      outcome = { error: toSessionsError(thrown, null, "watch") };
    }
    if (outcome.error) this.#failed(outcome.error);
    return outcome;
  }

  /** Every page, each as large as the back-end makes them, but not for ever. */
  async #read({ signal }) {
    // Nothing is sent for it.
    this.#capabilities ??= await this.#sessions.capabilities?.();
    const options = { ...this.#list, signal };
    options.pageSize ??= this.#capabilities?.pageSize?.max;
    const list = [];
    const cursors = new Set();
    do {
      // A lone object with headers would be a request.
      const page = await (options.headers ? this.#sessions.list(undefined, options) : this.#sessions.list(options));
      // Of another make it may be any list.
      for await (const session of page.sessions ?? page) if (list.push(session) > 10 * MOST) break;
      if (list.length > 10 * MOST || cursors.size === MOST || cursors.has(page.next)) throw fail("invalid_response", "the list has no end");
      cursors.add((options.cursor = page.sessions && page.next));
    } while (options.cursor && !signal.aborted);
    return list;
  }

  #failed(error) {
    this.#putOff(error);
    this.#tell({ type: "error", error });
    // The back-end said so. A token that could not be had, a network that is away and a step-up say nothing of the session.
    if (error.code === "unauthenticated" && error.status !== null) this.#revoked();
  }

  #revoked() {
    if (this.#isSignedIn) this.#tell({ type: "current-revoked" });
    this.#isSignedIn = false;
    this.#mine = undefined;
  }

  #listed(list) {
    const [seen, texts] = [new Map(), new Map()];
    for (const session of list) {
      if (!isObject(session) || typeof session.id !== "string") continue;
      // What has run out since it was listed is over. The own one answers to a token that works: there the clock of this device would be wrong.
      const isOver = session.current !== true && session.id !== this.#mine?.id && session.status === "active" && Date.parse(session.expiresAt) <= Date.now();
      seen.set(session.id, isOver ? { ...session, status: "expired" } : session);
      texts.set(session.id, essence(seen.get(session.id)));
    }
    const [before, old] = [this.#seen, this.#texts];
    [this.#seen, this.#texts] = [seen, texts];
    this.#putOff();
    const added = [];
    if (before) {
      for (const [id, session] of before) if (!seen.has(id)) this.#tell({ type: "removed", session, previous: session });
      for (const [id, session] of seen) {
        const previous = before.get(id);
        if (!previous) added.push(session);
        if (texts.get(id) !== old.get(id)) this.#tell({ type: previous ? "changed" : "added", session, previous: previous ?? null });
      }
    }
    this.#follow(seen, added);
    this.#judge([...seen.values()], !before);
  }

  /** Looks where the session of this client is. */
  #follow(seen, added) {
    const mine = this.#mine;
    const isLive = (session) => session && LIVE.includes(session.status);
    // AuthVital gives every refresh a new session, and another tab may have refreshed: then this client's token still names the old one.
    const follows = ({ userAgent, userId }) => userAgent && userAgent === mine.userAgent && userId === mine.userId;
    const now = [...seen.values()].find((session) => session.current === true && isLive(session))
      ?? (mine && (isLive(seen.get(mine.id)) ? seen.get(mine.id) : added.find((session) => isLive(session) && follows(session))));
    if (mine && !now) return this.#revoked();
    // Somebody else's devices are no news.
    if (this.#user && now?.userId && now.userId !== this.#user) this.#known = this.#history = undefined;
    this.#user = now?.userId ?? this.#user;
    this.#mine = now;
    this.#isMarked ||= Boolean(now);
    // Where the back-end says which session is the current one, a list without it is no proof of being signed in.
    if (now || !this.#isMarked) this.#isSignedIn = true;
  }

  /** Findings that were not there before: about another session, or of another kind. */
  #judge(list, isFirst) {
    const { geo, thresholds } = this.#options;
    const known = new Set();
    isFirst ||= !this.#known;
    for (const finding of findings(list, { geo, thresholds, history: this.#history })) {
      const keys = finding.sessionIds.map((id) => `${finding.code} ${id}`);
      if (!isFirst && keys.some((key) => !this.#known.has(key))) this.#tell({ type: "finding", finding });
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
    try {
      // As text: labels are the application's, and may be what can't be cloned.
      const text = JSON.stringify(list ? { list } : { error: { ...error, message: error.message } });
      const { id, createdAt, userId, tenant } = this.#mine ?? {};
      // By an id alone, which may be a small number, two back-ends of one kind would be the same.
      const name = (createdAt || userId) && `auth-sessions ${hmac("watch", JSON.stringify([this.#capabilities?.provider, this.#options.interval, this.#list, id, createdAt, userId, tenant]))}`;
      if (list) this.#heard = 0;
      if (list && name !== this.#name) {
        this.#leave();
        if (!name || !isBrowser() || !navigator.locks) return;
        this.#channel = new BroadcastChannel(name);
        this.#channel.onmessage = ({ data }) => this.#hear(data);
        this.#name = name;
      } else if (this.#name) {
        this.#channel.postMessage(text);
      }
    } catch {
      // What can't be written can't be shared, and a sandboxed page has nobody to share it with.
      this.#leave();
    }
  }

  #leave() {
    this.#contend(false);
    this.#channel?.close();
    this.#channel = this.#name = undefined;
  }

  #hear(data) {
    if (this.#state !== "on" || this.#stopping || this.#queue.length >= MOST || this.#heard >= HEARSAY) return;
    try {
      const { list, error } = JSON.parse(data);
      this.#heard++;
      if (Array.isArray(list)) this.#take({ list });
      else if (typeof error?.code === "string") this.#take({ error: new SessionsError(error) });
    } catch {
      // It is no message of a tab.
    }
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
