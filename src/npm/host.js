import { SessionsError, fail, toSessionsError } from "./error.js";
import { first } from "./first.js";
import { prepare, readSessions } from "./read.js";
import { alone, isBrowser, listen, newest, tell } from "./tabs.js";

/** A larger answer is not a list of sessions. */
const MAX_BODY = 8 * 1024 * 1024;

/** Sessions that are ended at once, one by one: quick for a handful of devices, and polite. */
const CONCURRENCY = 4;

/** Clocks that differ by less, in ms, are the same. */
const LATENCY = 5000;

/** How long, in ms, a call whose token is good for a moment yet waits for a new one. */
const EARLY = 3000;

/** People take their time to sign in again, but not for ever. */
const REAUTHENTICATION = 10 * 60 * 1000;

export const LOGGED_OUT = "the user has logged out";

/** The next request would meet the same error. */
const DOOMS_THE_REST = ["aborted", "unauthenticated", "rate_limited", "reauthentication_required"];

const sourceOf = ({ method, url, headers, body }) => JSON.stringify([method, url, headers, body]);
const late = (what) => ({ ...fail("timeout", `no ${what} in time: see timeout and totalTimeout`), transient: true });
const aborted = (signal) => fail("aborted", "the call was aborted", signal.reason);

/**
 * Drives one call. The wasm side says what to do next and is told what happened; timers, signals, `fetch` and the caller's functions are here. Whatever
 * is waited for settles: when time runs out or the caller's signal fires, with a failure.
 */
export class Host {
  /** What was thrown outside, by number: the wasm side hands numbers through. */
  #causes = [];
  /** The errors of sessions that could not be ended, and of a refresh inside this call. */
  #failures = [];
  #refreshError;
  #options;
  #memory;
  #call;
  #run;
  #began = Date.now();
  #ends;
  #step;
  /** A request that was sent before the wasm side was there to say so. */
  #early;
  /** What a plain list hangs on, as a text: empty where its tokens are not known yet, not set where it may be none. */
  #key;
  /** The sessions in the last answer, if there were any, and the ids of all that were told: pages shift while they are read. */
  #read = {};
  #ids = new Set();

  /** `memory` has what lasts from call to call; `run` starts another call of the same client. */
  constructor(options, memory, call, run) {
    this.#options = options;
    this.#memory = memory;
    this.#call = call;
    this.#run = run;
    this.#ends = Date.now() + this.#totalTimeout;
  }

  /**
   * The result. A logout has one even when time runs out or the caller gives up. `load` gives the wasm side's step; `state` is what it is told, and it says what to keep in it.
   */
  async drive(load, state) {
    state.browser = isBrowser();
    state.offline = globalThis.navigator?.onLine === false;
    state.event = "start";
    state.signedOut = this.#memory.texts.signedOut ?? null;
    const { token, refreshToken, provider, hooks } = this.#options;
    const isList = state.goal === "list" && state.authorization === undefined;
    const isFirst = typeof provider === "string" && Object.hasOwn(first, provider) && state.base && state.isSecure && !state.environment && !state.headers.length;
    const mayBePlain = isList && (this.#memory.plain || isFirst);
    const isFixed = typeof token !== "function" && typeof refreshToken !== "function" && state.authorization === undefined;
    if ((mayBePlain || isFixed) && !this.#call.signal?.aborted) {
      await this.#act({ do: "tokens", own: true }, state);
      if (state.event === "tokens") state.event = "start";
    }
    // Whether a token is due is for the wasm side to say where there is a refresh token; without one the back-end's clock (`skew`) makes no difference.
    if (isList && state.event === "start" && !state.refresh) this.#key = "access" in state ? JSON.stringify({ ...state, memory: { ...this.#memory.texts, skew: undefined } }) : "";
    const action = mayBePlain && state.event === "start" ? this.#plain(state, isFirst) : undefined;
    try {
      if (action) this.#early = this.#request(action);
      // While the answer is on its way there is time for what takes some the first time. The device of the page itself is most likely in it.
      if (action && state.browser) prepare(action.read, globalThis.navigator?.userAgent ?? null);
      const page = action && !hooks ? await this.#page(action, state) : undefined;
      if (page) return page;
      this.#step = await load();
      return await this.#steps(state);
    } finally {
      this.#early?.controller.abort();
    }
  }

  /**
   * What to send for a list about which nothing has to be thought, because the wasm side would say the same again: a step is a pure function. Of a client's first list it was asked when the package
   * was made (`xtask/package.mjs`).
   */
  #plain({ access, refresh, base }, isFirst) {
    const { plain, texts } = this.#memory;
    if (this.#key && plain?.key === this.#key) return plain.action;
    const knowsNothing = Object.keys(texts).every((name) => !refresh && ["skew", "numbers"].includes(name));
    if (!isFirst || !knowsNothing || !/^[!-~]+$/.test(access ?? "") || Object.values(this.#call.input).some((value) => value !== undefined)) return;
    const own = sessionIn(access);
    const current = own ?? (refresh ? sessionIn(refresh) : null);
    if (own === undefined || current === undefined) return;
    const { provider } = this.#options;
    const { path, headers: needed, read } = first[provider];
    return { method: "GET", url: base + path, template: path, headers: needed.map(([name, value]) => [name, value.replace("{token}", () => access)]), body: null, attempt: 1, read: { ...read, current } };
  }

  /** The result of a list if its answer is as plain as that: sessions, all on one page, and no failure. */
  async #page(action, state) {
    const received = await this.#early.answer.catch(() => ({}));
    const { listed, sessions } = this.#received(action, received, state);
    const { size, areNumbers, count, total, next } = listed ?? {};
    const { isOffset, success, gone } = action.read.list;
    const isLast = isOffset ? total !== null && size >= total && this.#call.input.cursor === undefined : next === null;
    if (!(size > 0) || !isLast || success || gone) return;
    this.#early = undefined;
    this.#memory.texts.numbers = areNumbers ? "1" : null;
    return { sessions, count: count ?? size, total, next: null };
  }

  async #steps(state) {
    let sent;
    for (let body, steps = 1; ; steps++) {
      state.now = state.event === "start" ? this.#began : Date.now();
      state.random = Math.trunc(Math.random() * 1000);
      state.memory = this.#memory.texts;
      state.isRefreshing = this.mayRenew();
      state.isRenewed = state.goal === "revoke" && state.authorization === undefined && state.memory.replaced?.split("\n").some((token) => sessionIn(token) === (state.foundId ?? state.id));
      let action;
      try {
        action = this.#step(state, body);
      } catch (error) {
        // Nobody knows what the answer was.
        if (state.goal === "refresh" && state.sent) spend(this.#memory.texts, this.#newest(state.refresh));
        throw error;
      }
      state.listed = undefined;
      Object.assign(this.#memory.texts, action.remember);
      // What was learnt of one user is nothing for the next.
      if ("signedOut" in action.remember) Object.assign(this.#memory, { handles: undefined, plain: undefined });
      // Before anybody hears of the answer: a call in a hook must not have new tokens yet.
      const telling = action.do === "tell" && this.#act(action, state);
      if (state.event === "answer") {
        const { requestId, warnings } = action;
        this.#hook("onResponse", { ...state.about, requestId, warnings: warnings ? warnings.split("|").map((text) => text.trim()) : [] });
      }
      if (action.do === "fail") throw this.#named(action.error);
      if (action.do === "done") {
        // Of sessions the wasm side knows no more than it has to.
        const value = action.value ?? this.#read.session;
        if (this.#read.sessions && value.sessions === null) value.sessions = this.#read.sessions;
        // Start, request, answer, and no more pages. Where the tokens were asked for in between, the next list does so first.
        if (this.#key !== undefined && steps === (this.#key ? 2 : 3) && value.next === null) this.#memory.plain = { key: this.#key, action: sent };
        if (value.error) value.error = this.#named(value.error);
        // What is over is looked for again: what its revocation took may be taken as well when it ends nothing.
        if (/^revoke(?!$)/.test(state.goal)) this.#memory.handles = undefined;
        else if (state.goal === "revoke" && this.#memory.handles) byId(this.#memory.handles).delete(state.id);
        return value;
      }
      sent = action;
      Object.assign(state, action.keep);
      body = await (telling || this.#act(action, state));
    }
  }

  /** Does what is to be done, and puts what came of it into the state; gives the body of an answer. */
  async #act(action, state) {
    try {
      const { body, ...told } = await this[`_${action.do}`](action, state);
      Object.assign(state, told);
      return body;
    } catch (error) {
      // Of a failure the wasm side sees the code, the message, and the number of the cause.
      const { code = "internal", message = "an unexpected failure", cause } = error ?? {};
      const number = cause === undefined ? null : this.#causes.push(cause) - 1;
      state.event = "failed";
      // What went nowhere is spent nowhere.
      if (state.goal !== "logout" && isUnsent(error)) state.sent = null;
      state.failure = { code: String(code), message: String(message), cause: number, fatal: action.do !== "send" };
    }
  }

  /** An error of the wasm side with what its numbers stand for. */
  #named({ cause, failed, ...error }) {
    const thrown = cause === null ? undefined : this.#causes[cause];
    if (thrown !== undefined && thrown === this.#refreshError) return thrown;
    return { ...error, cause: thrown, failed: failed?.map((one) => this.#failures[one] ?? { ...one, error: toSessionsError(one.error, this.#options.provider, "revoke") }) };
  }

  /** Somebody else's request comes with its own, unless it is served with a secret key. */
  async _tokens({ own }, { goal, id, foundId, headers, renews, signedOut, isGone }) {
    const { tellings } = this.#memory;
    if (isGone) await this.settle();
    // Nobody uses new tokens before they are stored. A logout does: nothing of them will be left.
    if (own && goal !== "logout") for (const { done, until } of tellings) await this.#within(done, until - Date.now(), "result").catch(() => {});
    if (this.#call.signal?.aborted) throw aborted(this.#call.signal);
    // A refresh is of the token that it was decided of, whoever has signed in since. And the function that wants the other token may be waiting for it.
    const isRefresh = renews !== undefined;
    const isAlone = isRefresh && typeof this.#options.provider === "string";
    const [access, refresh] = own ? await Promise.all([isAlone ? null : this.#ask("token", "accessToken"), isRefresh ? renews : this.#ask("refreshToken", "refreshToken")]) : [];
    const { handles, texts } = this.#memory;
    // The functions may have the next user's tokens by now.
    if (own && goal !== "logout" && signedOut !== (texts.signedOut ?? null)) throw fail("unauthenticated", LOGGED_OUT);
    // Of the session that was found it is known already.
    const about = id ?? (["current", "revokeCurrent", "logout"].includes(goal) && texts.learntWith === access && texts.currentId);
    const isKnown = about && !foundId && access && handles?.of === access;
    const handle = isKnown ? byId(handles).get(about) : undefined;
    return { event: "tokens", access, refresh, csrf: own ? this.#csrf(headers) : undefined, ...(!foundId && { handle: handle ?? null }) };
  }

  /** The value of the profile's CSRF cookie: of the page, or among the headers on a server. */
  #csrf(headers) {
    const name = this.#options.provider.csrf?.cookie;
    const cookies = name && (globalThis.document?.cookie ?? headers.find(([header]) => /^cookie$/i.test(header))?.[1]);
    const pair = cookies?.split(";").find((pair) => pair.split("=")[0].trim() === name);
    return pair?.slice(pair.indexOf("=") + 1).trim();
  }

  async _send(action, state) {
    if (this.#call.signal?.aborted) throw aborted(this.#call.signal);
    if (this.#ends <= Date.now()) {
      // Nothing is lost that was not sent.
      state.sent = null;
      throw late("answer");
    }
    const early = this.#early;
    this.#early = undefined;
    const isSame = early && sourceOf(early.action) === sourceOf(action);
    if (!isSame) early?.controller.abort();
    const { about, began, answer } = isSame ? early : this.#request(action);
    const received = await answer;
    const { listed } = isSame && this.#read.listed ? this.#read : this.#received(action, received, state);
    const { answered, received: headers, body } = received;
    // What can't be used, and what is empty, is for the wasm side to look at.
    const isUsed = listed?.size > 0 || listed?.found;
    return { event: "answer", answered, received: headers, listed, body: isUsed ? undefined : body, about: { ...about, status: answered, durationMs: Date.now() - began } };
  }

  /** What is to be known of an answer, and the sessions in it. */
  #received({ read: plan }, { answered, body, skew }, { goal, id, access: own, authorization, page, cursor }) {
    this.#memory.texts.skew = skew ?? this.#memory.texts.skew;
    const access = own ?? authorization?.replace(/^Bearer /, "");
    const success = plan?.item === null ? plan.list.success : undefined;
    const isSuccess = success ? success.includes(answered) : answered >= 200 && answered < 300;
    this.#read = (plan && isSuccess && readSessions(plan, body, { goal, id, access, isPaged: (page ?? cursor ?? null) !== null })) || {};
    const { handles, listed } = this.#read;
    const isNew = (id) => !this.#ids.has(id) && this.#ids.add(id);
    if (listed?.ids) {
      // Which one is the current session has to be known in any case.
      const most = this.#ids.size + listed.currents.length + listed.ids.length;
      listed.currents = listed.currents.filter((id, at) => isNew(id) || at === 0);
      listed.ids = listed.ids.filter(isNew);
      listed.again = most - this.#ids.size;
    }
    if (handles?.ids.length && authorization === undefined) this.#memory.handles = Object.assign(handles, { of: access });
    return this.#read;
  }

  /** Sends a request. Redirects are never followed: they could carry a secret to another origin. ("error" is refused by some edge runtimes.) */
  #request(action) {
    const { method, url, template, headers, body, attempt, isLong } = action;
    const { fetch: own, credentials, timeout = 10_000 } = this.#options;
    const fetch = own ?? globalThis.fetch;
    if (typeof fetch !== "function") throw fail("unsupported", "this runtime has no fetch: pass one as the option fetch");
    let [what, init] = [url];
    try {
      const merged = new Headers();
      for (const [name, value] of headers) {
        // Cookies are joined otherwise than other headers.
        if (/^cookie$/i.test(name) && merged.has(name)) merged.set(name, `${merged.get(name)}; ${value}`);
        else merged.append(name, value);
      }
      // Nothing is set that was not asked for: edge runtimes refuse what they do not know. But browsers keep answers that don't forbid it (a 410 for ever), and so does Next.js on the server.
      init = { method, headers: merged, redirect: "manual", ...("cache" in Request.prototype && { cache: "no-store" }), ...(body !== null && { body }), ...(credentials && { credentials }) };
      // The runtime's own makes a request of it by itself.
      if (own) [what, init] = [new Request(url, init)];
    } catch (cause) {
      throw refused(cause);
    }
    const about = { method, url: template, attempt };
    this.#hook("onRequest", about);
    const began = Date.now();
    const limit = Math.min(isLong ? Infinity : (this.#call.timeout ?? timeout), this.#ends - began);
    if (limit <= 0) throw late("answer");
    const controller = new AbortController();
    const answer = this.#within(receive(fetch, what, { ...init, signal: controller.signal }, began + limit), limit, "answer").catch((error) => {
      controller.abort();
      throw error;
    });
    // One that nobody waits for any more is nobody's failure.
    answer.catch(() => {});
    return { action, about, began, answer, controller };
  }

  async _wait({ ms, reason, attempt }) {
    this.#hook("onRetry", { attempt, delayMs: ms, reason });
    await this.#sleep(ms);
    return { event: "waited" };
  }

  async _refresh({ keep }, { access, refresh }) {
    try {
      this.#stays();
      // Of the token that this was decided of: another call may have a newer one in a moment. One that comes before its time is worth no long wait.
      const pair = await this.#shared(this.#newest(refresh), keep.isEarly ? EARLY : this.#totalTimeout);
      this.#memory.old = access;
      return { event: "refreshed", refreshed: pair.accessToken, wasAdopted: pair === this.#memory.adopted };
    } catch (error) {
      this.#refreshError = SessionsError.is(error) ? error : undefined;
      throw fail(error.code, error.message, this.#refreshError ?? error.cause);
    }
  }

  async _tell({ value }) {
    const done = Promise.resolve(value).then((pair) => this.#options.onTokens?.(pair)).catch((cause) => {
      throw fail("internal", "onTokens failed: this client uses the new tokens, but they may not be stored", cause);
    });
    // It may be onTokens itself that calls: others wait for it until then, all in all.
    const telling = { done, until: Date.now() + Math.min(EARLY, this.#totalTimeout / 10) };
    const { tellings } = this.#memory;
    tellings.add(telling);
    try {
      await this.#within(done, this.#totalTimeout, "end of onTokens");
    } finally {
      tellings.delete(telling);
    }
    return { event: "told" };
  }

  /** Asks the user to sign in again: one dialog for all calls that need it at the moment. The time they take is not the call's. */
  async _reauthenticate({ error }) {
    const memory = this.#memory;
    const ask = async () => {
      try {
        return await this.#options.onReauthenticate(toSessionsError(this.#named(error), this.#options.provider, this.#call.operation));
      } catch (cause) {
        throw fail(error.code, "onReauthenticate failed", cause);
      }
    };
    this.#ends = Date.now() + REAUTHENTICATION;
    const dialog = (memory.dialog ??= { answer: ask(), waiting: 0 });
    dialog.waiting++;
    try {
      return { event: "reauthenticated", again: (await this.#within(dialog.answer, REAUTHENTICATION, "answer of onReauthenticate")) === true };
    } finally {
      // Nobody waits for it any more, whether or not it was answered.
      if (--dialog.waiting === 0 && memory.dialog === dialog) memory.dialog = undefined;
      this.#ends = Date.now() + this.#totalTimeout;
    }
  }

  /** Each has its own total time; there is none for the whole run. The current session comes last: without it there is no ending the others. */
  async _each({ ids, last, limits }, { user }) {
    this.#ends = Infinity;
    const { request, options: { headers }, signal, timeout, onProgress } = this.#call;
    const { texts } = this.#memory;
    const { signedOut } = texts;
    const before = last && !request.length && (await this.#newestAsked());
    // A refresh may have made another session of the current one, unless it was another user's. (One within its revocation is seen there.)
    const isRenewed = async (index) => index === ids.length - 1 && isAmong(texts.replaced, before) && texts.refreshToken === (await this.#newestAsked());
    const codes = ids.map(() => "internal");
    let next = 0;
    let done = 0;
    let doom;
    const worker = async (end) => {
      while (next < end) {
        const index = next++;
        try {
          if (!request.length && texts.signedOut !== signedOut) doom ??= fail("unauthenticated", LOGGED_OUT);
          if (doom) throw doom;
          const slot = await this.#pace(limits ?? []);
          try {
            const own = { signal, timeout, headers };
            const looks = await isRenewed(index);
            let gone;
            await this.#run("revoke", [...request, ids[index], own], { user }).catch((error) => {
              if (error.code !== "not_found" || !looks) throw error;
              gone = error;
            });
            if (looks) {
              if (!(await isRenewed(index))) throw gone ?? fail("unauthenticated", "another user has signed in");
              await this.#run("revokeCurrent", [request[0], own], { user }).catch((error) => {
                // It was the listed one all the same, or the back-end says that it is over.
                const isOver = error.code === "not_found" || (error.code === "unauthenticated" && error.status) || (error.code === "current_unknown" && !gone);
                if (!isOver) throw error;
              });
            }
          } finally {
            // Not when it was sent: the back-end counts from its arrival.
            slot.at = Date.now();
          }
          codes[index] = null;
        } catch (error) {
          this.#failures[index] = { id: ids[index], error };
          codes[index] = error.code;
          if (DOOMS_THE_REST.includes(error.code)) doom ??= error;
        }
        quietly(onProgress, ++done, ids.length);
      }
    };
    const others = ids.length - last;
    await Promise.all(Array.from({ length: limits ? 1 : CONCURRENCY }, () => worker(others)));
    await worker(ids.length);
    // They may have to be looked for.
    this.#ids.clear();
    this.#ends = Date.now() + this.#totalTimeout;
    return { event: "each", codes };
  }

  /** Waits until one more revocation keeps to all limits, those of earlier runs of this client counted. */
  async #pace(limits) {
    const { paced } = this.#memory;
    const wait = () => Math.max(0, ...limits.map(([ms, most]) => Math.min(ms, (paced.at(-most)?.at ?? -Infinity) + ms - Date.now())));
    for (let ms; (ms = wait()) > 0; ) await this.#sleep(ms);
    paced.splice(0, paced.length - Math.max(0, ...limits.map(([, most]) => most)));
    const slot = { at: Date.now() };
    paced.push(slot);
    return slot;
  }

  async #sleep(ms) {
    let timer;
    try {
      await this.#within(new Promise((resolve) => (timer = setTimeout(resolve, ms))), ms + 1000, "result");
    } finally {
      clearTimeout(timer);
    }
  }

  /** New tokens for a call that wants them whatever it has. */
  async refreshed() {
    const { signal } = this.#call;
    if (signal?.aborted) throw aborted(signal);
    this.#stays();
    const { refreshing } = this.#memory;
    const asking = this.#ask("refreshToken", "refreshToken");
    // From now on a logout waits.
    refreshing.set(asking, asking);
    try {
      const token = this.#newest(await asking);
      return this.#shared(token);
    } finally {
      refreshing.delete(asking);
    }
  }

  /** Nobody would end what comes out of a refresh that begins while the user is logging out. */
  #stays() {
    if (this.#memory.leaving) throw fail("unauthenticated", "the user is logging out");
  }

  /** One refresh for all calls of this client that ask meanwhile with the same token. It goes on when a caller gives up: its answer must not be lost. */
  #shared(token, patience = this.#totalTimeout) {
    const { operation, timeout, options } = this.#call;
    const { refreshing } = this.#memory;
    const own = operation === "refresh" ? [{ timeout, headers: options.headers }] : [];
    const shared = refreshing.get(token) ?? this.#run("refresh", own, { renews: token }).finally(() => refreshing.delete(token));
    refreshing.set(token, shared);
    return this.#within(shared, patience, "end of the refresh and its onTokens");
  }

  /** A refresh, unless another tab has done it meanwhile: then its tokens are taken. A token whose answer another tab has lost is not sent again. */
  alone(name, old, drive) {
    if (!listen()) return drive();
    const { texts } = this.#memory;
    return alone(name, old, this.#totalTimeout, async (since) => {
      let adopted = newest(name, old, since);
      if (adopted === null) spend(texts, old);
      const now = adopted === undefined && (await this.#newestAsked());
      // The application's own storage knows of newer ones.
      const access = now && now !== old && (await this.#ask("token", "accessToken"));
      // It may be half written.
      if (access) adopted = { accessToken: access, refreshToken: now, expiresAt: null };
      if (adopted) return (this.#memory.adopted = await drive({ adopted }));
      try {
        const pair = await drive();
        tell(name, old, pair);
        return pair;
      } catch (error) {
        // It may be onTokens that failed.
        if (isAmong(texts.replaced, old) && texts.refreshToken) tell(name, old, { accessToken: texts.accessToken, refreshToken: texts.refreshToken, expiresAt: null });
        else if (isAmong(texts.spent, old)) tell(name, old, null);
        throw error;
      }
    });
  }

  /** Waits for what is needed first: no longer than for all the rest. */
  ready(promise) {
    return this.#within(promise, this.#totalTimeout, "WebAssembly");
  }

  /** Waits until no refresh is under way: a logout has to end the session that comes out of it. */
  async settle() {
    try {
      while (this.#isRefreshing) await this.#sleep(10);
    } catch {}
  }

  /** The tokens that onTokens is told are there already: a logout in it ends their session. */
  get #isRefreshing() {
    const { refreshing, tellings } = this.#memory;
    return refreshing.size > tellings.size;
  }

  /** The session of this call's tokens may be made another one meanwhile. */
  mayRenew() {
    return this.#isRefreshing;
  }

  get #totalTimeout() {
    return this.#options.totalTimeout ?? 30_000;
  }

  /** A token from the options: a function is asked; a fixed one gives way to the newest. */
  async #ask(option, newest) {
    const value = this.#options[option];
    const { texts } = this.#memory;
    if (typeof value !== "function") {
      return texts.signedOut ? null : (texts[newest] ?? value ?? null);
    }
    const ask = async () => {
      try {
        return await value();
      } catch (cause) {
        throw fail("unauthenticated", `the ${option} function failed`, cause);
      }
    };
    const answer = await this.#within(ask(), this.#totalTimeout, option);
    if (answer !== null && answer !== undefined && typeof answer !== "string") {
      throw fail("invalid_options", `${option} must give a string, or null where there is none`);
    }
    // Who still gives an old one may go on so: it must not be the first to be forgotten.
    if (isAmong(texts.replaced, answer)) texts.replaced = [...new Set([answer, ...texts.replaced.split("\n")])].join("\n");
    // It may not have heard of the newest.
    if (option === "token" && answer && answer === this.#memory.old) return texts.accessToken ?? answer;
    return answer || null;
  }

  /** The refresh token that will be sent: whoever was asked may not have heard of the newest one. */
  #newest(token) {
    const { texts } = this.#memory;
    return (isAmong(texts.replaced, token) && texts.refreshToken) || token;
  }

  async #newestAsked() {
    return this.#newest(await this.#ask("refreshToken", "refreshToken"));
  }

  #hook(name, event) {
    quietly((told) => this.#options.hooks?.[name]?.(told), { operation: this.#call.operation, ...event });
  }

  /** The promise's outcome, unless time runs out or the caller's signal fires first. */
  #within(promise, ms, what) {
    const { signal } = this.#call;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(reject, late(what)), Math.max(0, Math.min(ms, this.#ends - Date.now())));
      const stop = () => done(reject, aborted(signal));
      const done = (settle, value) => {
        settle(value);
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
      };
      signal?.addEventListener("abort", stop);
      promise.then((value) => done(resolve, value), (error) => done(reject, error));
      if (signal?.aborted) stop();
    });
  }
}

/** Made when one is asked for: most lists are only shown. */
const byId = (handles) => (handles.byId ??= new Map(handles.ids.map((id, at) => [id, handles.values[at]])));

/** Node's errors hold what has come that they could not read: a server's echo of the request is in it, with the token. */
function bare(cause) {
  try {
    for (let at = cause, n = 0; at && n < 9; at = at.cause, n++) if (at.name === "HTTPParserError") delete at.data;
  } catch {}
  return cause;
}

/** Node says so where there was nobody to send anything to. */
const isUnsent = (error) => /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/.test(error?.cause?.cause?.code);

const refused = (cause) => fail("invalid_options", "the runtime refuses this request: check headers and credentials", cause);

/** Status, headers and the whole body as bytes. Responses of mocks and polyfills are taken by their members. */
async function receive(fetch, what, init, ends) {
  let response;
  try {
    // As a function: some runtimes refuse it as a method.
    response = await fetch(what, init);
  } catch (cause) {
    try {
      if (init.method) new Request(what, { ...init, signal: null });
    } catch {
      throw refused(cause);
    }
    throw fail("network", "no answer: check the network, baseUrl, the certificate and CORS", bare(cause));
  }
  const received = {};
  let status;
  let ahead;
  try {
    const { headers } = response;
    status = response.status;
    // A redirect that a browser hides has the status 0.
    if (!Number.isInteger(status) || (status !== 0 && (status < 200 || status > 599))) throw new RangeError("its status is none");
    const sent = Date.parse(headers.get("date"));
    for (const name of READ_HEADERS) {
      const value = headers.get(name);
      if (typeof value === "string") received[name] = value;
      // A date in one of three forms (RFC 9110, 5.6.7), one of them without a zone: in seconds from now. Nonsense stays nonsense.
      if (name === "retry-after" && /^[A-Z][a-z]{2}/.test(value)) received[name] = String(Math.max(0, Math.ceil((Date.parse(/GMT$/.test(value) ? value : `${value} GMT`) - (sent || Date.now())) / 1000)));
    }
    // How far the back-end's clock is ahead. It tells whole seconds, and the answer was on its way: less is no difference. Across origins it is rarely to be seen.
    ahead = sent - Date.now();
  } catch (cause) {
    throw fail("invalid_response", "fetch did not give a Response", cause);
  }
  let body;
  try {
    body = await readAll(response, ends, init.signal);
  } catch (cause) {
    throw fail("network", "the connection was lost during the answer", bare(cause));
  }
  if (typeof body === "string") {
    throw fail("invalid_response", body);
  }
  return { answered: status, received, body, ...(Number.isFinite(ahead) && { skew: String(Math.abs(ahead) < LATENCY ? 0 : ahead) }) };
}

/** Of an answer's headers, those that anything here looks at. Across origins a browser shows only what the server exposes. */
const READ_HEADERS = ["retry-after", "x-retry-after", "x-ratelimit-reset", "x-request-id", "set-cookie", "location", "x-system-warning", "www-authenticate"];

/** The bytes, or what is wrong with them. What has no stream is asked for all at once. Nobody reads on after the signal: not every body hears it (a mock's, a service worker's). */
async function readAll(response, ends, signal) {
  const large = "the answer is larger than 8 MiB";
  const strange = "the answer's body is no stream of bytes";
  const reader = response.body?.getReader?.();
  if (!reader) {
    if (!response.arrayBuffer && !response.text) return strange;
    const whole = response.arrayBuffer ? await response.arrayBuffer() : new TextEncoder().encode(await response.text());
    return whole.byteLength > MAX_BODY ? large : new Uint8Array(whole);
  }
  const leave = () => quietly(() => reader.cancel());
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave);
  const chunks = [];
  let size = 0;
  for (let read; !(read = await reader.read()).done; chunks.push(read.value)) {
    // Not `instanceof`: it may be of another realm.
    if (read.value?.BYTES_PER_ELEMENT !== 1) return strange;
    size += read.value.length;
    // The clock too: chunks that are always there leave the timers no turn.
    if (size > MAX_BODY || Date.now() > ends) {
      leave();
      // Without an end, the timer has its turn now.
      return size > MAX_BODY ? large : new Promise(() => {});
    }
  }
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(size);
  size = 0;
  for (const chunk of chunks) {
    whole.set(chunk, size);
    size += chunk.length;
  }
  return whole;
}

/** The session that a token names, unverified (see `src/jwt.rs`): null where it names none, nothing where that can't be read. */
function sessionIn(token) {
  const [, payload, end] = token.split(".");
  if (end === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const { sid, arn } = JSON.parse(text);
    const id = sid ?? arn ?? "";
    return typeof id === "string" && /^[\w-]*$/.test(payload) && text.split(/[[{]/).length < 64 ? id || null : undefined;
  } catch {}
}

/** A token is among those that are kept in lines: `spent`, or `replaced`. */
export const isAmong = (lines, token) => Boolean(token) && Boolean(lines?.split("\n").includes(token));

/** The answer to a refresh with this token was lost: it must not be sent again. */
export function spend(texts, token) {
  texts.spent = `${token}\n${texts.spent ?? ""}`;
}

/** What the application does with an event is its own business: the call goes on. */
function quietly(callback, ...args) {
  try {
    Promise.resolve(callback?.(...args)).catch(() => {});
  } catch {}
}
