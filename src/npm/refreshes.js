import { fail } from "./error.js";
import { LOGGED_OUT, isAmong, spend } from "./host.js";

/** How long, in ms, a browser that still sends the old cookies is given the new tokens: requests that were on their way when they came. */
const LEEWAY = 10_000;
/** A token whose answer was lost must not be sent again for as long as its cookie may live. */
const LOST = 30 * 24 * 60 * 60_000;
/** How long, in ms, answers are kept from setting tokens of a user who has logged out: longer than most requests take. */
const OVER = 5 * 60_000;
/** How long, in ms, what came of a refresh is kept for requests that began before it: ending many sessions takes its time. */
const KEPT = 15 * 60_000;
/** How often, in ms, a request looks whether the refresh of another has come to its end. */
const LOOK = 10;
/** Entries that are kept. Anybody can send a logout with a made-up cookie: of those the fewer. */
const MOST = 10_000;
const MOST_OVER = 2000;

/**
 * The refreshes of a handler, by refresh token: the requests of one browser come at once, and a refresh token can be used once. Requests share data and never a promise:
 * in workerd what belongs to one request must not be touched by another, and one whose browser went away may be stopped in the middle.
 */
export class Refreshes {
  #timeout;
  #totalTimeout;
  /** A refresh under way, or what came of it: `tokens`, `error`, `isLost`, `isDone`, and `until` when it is kept. */
  #entries = new Map();
  /** The refresh tokens of users who have logged out, until when that is kept. */
  #over = new Map();

  constructor({ timeout, totalTimeout }) {
    this.#timeout = timeout ?? 10_000;
    this.#totalTimeout = totalTimeout ?? 30_000;
  }

  /** New tokens for a request: those that another request got for the same refresh token, or else those that `refresh` gets. */
  async share(visit, refresh) {
    const token = visit.state.refreshToken;
    this.#sweep();
    if (this.#over.has(token)) throw fail("unauthenticated", LOGGED_OUT);
    let earlier = this.#entries.get(token);
    if (earlier) {
      await this.#end(earlier);
      // Others have waited as well, and one of them has begun anew.
      const latest = this.#entries.get(token);
      if (latest && latest !== earlier) return this.share(visit, refresh);
    }
    // It was replaced too long ago: the back-end shall see that it comes again. Or what came of it is what is to be replaced.
    if (earlier?.tokens && (!this.#serves(earlier, visit) || earlier.tokens.accessToken === visit.state.accessToken)) earlier = undefined;
    if (earlier?.tokens) {
      this.adopt(visit, earlier.tokens);
      this.catchUp(visit);
      return visit.state.tokens;
    }
    if (earlier?.isLost) {
      // The client knows what to say to that.
      spend(visit.memory.texts, token);
      return refresh();
    }
    if (earlier) throw earlier.error;
    const entry = { until: Infinity };
    this.#entries.set(token, entry);
    visit.entry = entry;
    try {
      return await refresh();
    } catch (error) {
      entry.error = error;
      entry.isLost = isAmong(visit.memory.texts.spent, token);
      throw error;
    } finally {
      entry.isDone = true;
      entry.at = Date.now();
      entry.until = entry.at + (entry.isLost ? LOST : KEPT);
      if (!entry.tokens && !entry.isLost) {
        // Refused: for others that come with it, too. Otherwise the next request may try.
        if (entry.error?.code === "unauthenticated" && entry.error.status) entry.until = entry.at + LEEWAY;
        else this.#entries.delete(token);
      }
    }
  }

  /** New tokens are there, told before anybody else is: whatever happens now, they are not lost. */
  got(visit, tokens) {
    // Others may have given up on it.
    if (visit.entry) Object.assign(visit.entry, { tokens, isLost: false });
    if (this.#over.has(visit.state.refreshToken) && tokens.refreshToken) this.#over.set(tokens.refreshToken, Date.now() + OVER);
    this.adopt(visit, tokens);
  }

  /** From now on the request uses these tokens, and its answer sets them. */
  adopt({ state, had, memory }, tokens) {
    had.add(state.refreshToken);
    state.tokens = tokens;
    state.accessToken = tokens.accessToken;
    state.refreshToken = tokens.refreshToken ?? state.refreshToken;
    // The session that the former ones named is that of the newest.
    const replaced = [...had].filter((token) => token && token !== state.refreshToken).join("\n");
    if (replaced) Object.assign(memory.texts, { replaced, refreshToken: state.refreshToken });
  }

  /** A refresh with this request's token is under way, or has been: it may have made another session. */
  mayRenew({ state: { refreshToken } }) {
    const entry = this.#entries.get(refreshToken);
    return Boolean(entry) && !(entry.isDone && entry.tokens && (entry.tokens.refreshToken ?? refreshToken) === refreshToken);
  }

  /** A request with tokens that were replaced while it was on its way uses the new ones. */
  catchUp(visit) {
    for (let entry; (entry = this.#entries.get(visit.state.refreshToken))?.isDone && entry.tokens && this.#serves(entry, visit) && !visit.had.has(entry.tokens.refreshToken); ) {
      this.adopt(visit, entry.tokens);
    }
  }

  /** Requests that began before the tokens came, or were on their way then. */
  #serves({ isDone, at }, { began }) {
    return !isDone || began <= at || Date.now() < at + LEEWAY;
  }

  /** Waits for refreshes under way: a logout has to end what comes out of them. */
  async settle(visit) {
    this.#sweep();
    for (let entry; (entry = this.#entries.get(visit.state.refreshToken)) && !visit.had.has(visit.state.refreshToken); ) {
      await this.#end(entry);
      // Whoever comes with a token that was replaced long ago ends nobody's session but that one.
      if (!entry.tokens || !this.#serves(entry, visit)) return;
      this.adopt(visit, entry.tokens);
    }
  }

  /** The user has logged out: no answer sets tokens of this session any more, and none are refreshed. */
  end({ state, had }) {
    for (const token of [...had, state.refreshToken]) {
      if (token) this.#over.set(token, Date.now() + OVER);
    }
  }

  isOver({ state, had }) {
    return [...had, state.refreshToken].some((token) => this.#over.has(token));
  }

  /** Waits until the refresh is over. One that takes too long was stopped with its request: its answer is lost. */
  async #end(entry) {
    const began = Date.now();
    while (!entry.isDone && !entry.isLost && Date.now() - began < (entry.tokens ? this.#totalTimeout : this.#timeout + 1000)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    if (!entry.isDone && !entry.tokens) {
      entry.isLost = true;
      entry.until = Date.now() + LOST;
    }
  }

  #sweep() {
    const now = Date.now();
    for (const [map, most] of [[this.#entries, MOST], [this.#over, MOST_OVER]]) {
      for (const [token, kept] of map) {
        if ((kept.until ?? kept) < now) map.delete(token);
      }
      // The oldest first, but none that is under way.
      for (const [token, { until }] of map) {
        if (map.size <= most) break;
        if (until !== Infinity) map.delete(token);
      }
    }
  }
}
