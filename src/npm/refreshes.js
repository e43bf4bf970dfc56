import { fail } from "./error.js";

/** How long, in ms, a browser that still sends the old cookies is given the new tokens: requests that were on their way when they came. */
const LEEWAY = 10_000;
/** A token whose answer was lost must not be sent again; by then its browser has signed in anew. */
const LOST = 60 * 60_000;
/** Longer than a request can take. */
const OVER = 5 * 60_000;
/** How often, in ms, a request looks whether the refresh of another has come to its end. */
const LOOK = 10;
const MOST = 10_000;

/**
 * The refreshes of a handler, by refresh token: the requests of one browser come at once, and a refresh token can be used once. Requests share data and never a promise:
 * in workerd what belongs to one request must not be touched by another, and one whose browser went away may be stopped in the middle.
 */
export class Refreshes {
  #patience;
  #entries = new Map();
  #over = new Map();

  /** `timeout`: ms that a refresh may take. */
  constructor(timeout) {
    this.#patience = timeout + 1000;
  }

  /** New tokens for a request: those of another request with the same refresh token, or else those that `refresh` gets. */
  async share(visit, refresh) {
    const token = visit.state.refreshToken;
    this.#sweep();
    if (this.#over.has(token)) throw fail("unauthenticated", "the user has logged out");
    let entry = this.#entries.get(token);
    if (entry) await this.#end(entry);
    if (entry?.tokens) {
      this.adopt(visit, entry.tokens);
      return entry.tokens;
    }
    if (entry?.isLost) {
      // The client knows what to say to that.
      visit.memory.texts.spent = token;
      return refresh();
    }
    if (entry) throw entry.error;
    entry = { until: Infinity };
    this.#entries.set(token, entry);
    try {
      entry.tokens = await refresh();
      this.adopt(visit, entry.tokens);
      entry.until = Date.now() + LEEWAY;
      return entry.tokens;
    } catch (error) {
      entry.error = error;
      entry.isLost = visit.memory.texts.spent === token;
      entry.until = Date.now() + LOST;
      if (!entry.isLost) this.#entries.delete(token);
      throw error;
    } finally {
      entry.isDone = true;
    }
  }

  /** A request that was on its way when new tokens came uses those. */
  catchUp(visit) {
    const entry = this.#entries.get(visit.state.refreshToken);
    if (entry?.tokens && entry.until > Date.now()) this.adopt(visit, entry.tokens);
  }

  /** From now on the request uses these tokens, and its answer sets them. */
  adopt({ state }, tokens) {
    state.tokens = tokens;
    state.accessToken = tokens.accessToken;
    state.refreshToken = tokens.refreshToken ?? state.refreshToken;
  }

  /** Before a logout: it has to end what comes out of a refresh that is under way, and no answer may set tokens afterwards. */
  async settle(visit) {
    const token = visit.state.refreshToken;
    const entry = this.#entries.get(token);
    if (entry) await this.#end(entry);
    if (entry?.tokens) this.adopt(visit, entry.tokens);
    for (const ended of [token, visit.state.refreshToken]) {
      if (ended) this.#over.set(ended, Date.now() + OVER);
    }
  }

  /** The user has logged out meanwhile. */
  isOver({ state }) {
    return this.#over.has(state.refreshToken);
  }

  /** Waits until the refresh is over. One that takes too long was stopped with its request: its answer is lost. */
  async #end(entry) {
    for (const late = Date.now() + this.#patience; !entry.isDone && Date.now() < late; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    if (!entry.isDone) {
      entry.isLost = true;
      entry.until = Date.now() + LOST;
    }
  }

  #sweep() {
    const now = Date.now();
    for (const map of [this.#entries, this.#over]) {
      for (const [token, kept] of map) {
        if ((kept.until ?? kept) < now) map.delete(token);
      }
      // The oldest first.
      for (const token of map.keys()) {
        if (map.size <= MOST) break;
        map.delete(token);
      }
    }
  }
}
