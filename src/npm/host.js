import { SessionsError, fail } from "./error.js";

/** A larger answer is not a list of sessions. */
const MAX_BODY = 8 * 1024 * 1024;

/** Sessions that are ended at once, one by one: quick for a handful of devices, and polite. */
const CONCURRENCY = 4;

/** The next request would meet the same error. */
const DOOMS_THE_REST = ["aborted", "unauthenticated", "rate_limited", "reauthentication_required"];

const late = (what) => fail("timeout", `no ${what} in time: see the options timeout and totalTimeout`);

/**
 * Drives one call. The wasm side says what to do next and is told what happened; timers, signals, `fetch` and the caller's functions are here. Whatever
 * is waited for settles: when time runs out or the caller's signal fires, with a failure.
 */
export class Host {
  /** What was thrown outside, by number: the wasm side hands numbers through. */
  causes = [];
  /** The errors of sessions that could not be ended. */
  failures = [];
  #options;
  #memory;
  #call;
  #run;
  #stop = new AbortController();

  /** `memory` has what lasts from call to call; `run` starts another call of the same client. */
  constructor(options, memory, call, run) {
    this.#options = options;
    this.#memory = memory;
    this.#call = call;
    this.#run = run;
  }

  /** Nothing of this call goes on after it. */
  close() {
    this.#stop.abort();
  }

  /** The result, within the total time. Emulated operations have theirs per request. */
  drive(call) {
    const paced = this.#call.operation === "revokeAll" || this.#call.operation === "revokeOthers";
    const driven = this.#steps(call);
    return paced ? driven : this.#within(driven, this.#totalTimeout, "result");
  }

  async #steps(call) {
    const { onLine, userAgent } = globalThis.navigator ?? {};
    const around = {
      // Node, Deno, Bun and the edge runtimes have a navigator too, but none of them claims to be a browser.
      browser: typeof userAgent === "string" && userAgent.startsWith("Mozilla/"),
      offline: onLine === false,
      memory: this.#memory.texts,
    };
    try {
      for (let event = { event: "start" }; ; ) {
        const { body = NOTHING, ...told } = event;
        const now = { ...told, ...around, now: Date.now(), random: Math.trunc(Math.random() * 1000) };
        const action = JSON.parse(call.step(JSON.stringify(now), body));
        Object.assign(this.#memory.texts, action.remember);
        if (action.do === "done") return action.value;
        if (action.do === "fail") throw action.error;
        try {
          event = await this[`_${action.do}`](action);
        } catch (error) {
          // Of a failure the wasm side sees the code, the message, and the number of the cause.
          const cause = SessionsError.is(error) ? error : error?.cause;
          const number = cause === undefined ? null : this.causes.push(cause) - 1;
          const { code = "internal", message = "an unexpected failure" } = error ?? {};
          event = { event: "failed", code: String(code), message: String(message), cause: number, fatal: action.do !== "send" };
        }
      }
    } finally {
      call.free();
    }
  }

  async _tokens() {
    const [access, refresh] = await Promise.all([this.#ask("token", "access"), this.#ask("refreshToken", "refresh")]);
    return { event: "tokens", access, refresh };
  }

  /** Redirects are never followed: they could carry a secret to another origin. ("error" is refused by some edge runtimes.) */
  async _send({ method, url, template, headers, body, attempt }) {
    const about = { method, url: template, attempt };
    this.#hook("onRequest", about);
    const { fetch = globalThis.fetch, credentials, timeout = 10_000 } = this.#options;
    if (typeof fetch !== "function") {
      throw fail("unsupported", "this runtime has no fetch: pass one as the option fetch");
    }
    let request;
    try {
      // Nothing is set that was not asked for: edge runtimes refuse what they do not know.
      request = new Request(url, { method, headers, redirect: "manual", ...(body !== null && { body }), ...(credentials && { credentials }) });
    } catch {
      throw fail("invalid_options", "the runtime refuses this request: check baseUrl, headers and credentials");
    }
    const began = Date.now();
    const controller = new AbortController();
    try {
      const answer = await this.#within(receive(fetch, request, controller.signal), this.#call.timeout ?? timeout, "answer");
      const requestId = answer.headers["x-request-id"] ?? null;
      this.#hook("onResponse", { ...about, status: answer.status, durationMs: Date.now() - began, requestId, warnings: [] });
      return { event: "answer", ...answer };
    } catch (error) {
      controller.abort();
      throw error;
    }
  }

  async _wait({ ms, reason, attempt }) {
    this.#hook("onRetry", { attempt, delayMs: ms, reason });
    let timer;
    try {
      await this.#within(new Promise((resolve) => (timer = setTimeout(resolve, ms))), ms + 1000, "result");
    } finally {
      clearTimeout(timer);
    }
    return { event: "waited" };
  }

  async _refresh() {
    return { event: "refreshed", access: (await this.refreshed()).accessToken };
  }

  async _tell({ value }) {
    const tell = async () => {
      try {
        await this.#options.onTokens?.(value);
      } catch (cause) {
        throw fail("internal", "onTokens failed: this client goes on with the new tokens, but they may not have been stored", cause);
      }
    };
    await this.#within(tell(), this.#totalTimeout, "end of onTokens");
    return { event: "told" };
  }

  async _each({ ids }) {
    const codes = ids.map(() => "internal");
    const { request, options, onProgress } = this.#call;
    let next = 0;
    let done = 0;
    let doom;
    const worker = async () => {
      while (next < ids.length) {
        const index = next++;
        try {
          if (doom) throw doom;
          await this.#run("revoke", [...request, ids[index], options]);
          codes[index] = null;
        } catch (error) {
          this.failures[index] = { id: ids[index], error };
          codes[index] = error.code;
          if (DOOMS_THE_REST.includes(error.code)) doom ??= error;
        }
        quietly(onProgress, ++done, ids.length);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    return { event: "each", codes };
  }

  /** One refresh for all calls of this client that ask meanwhile. It goes on when a caller gives up: its answer must not be lost. */
  refreshed() {
    this.#memory.refreshing ??= this.#run("refresh", [], true).finally(() => {
      this.#memory.refreshing = undefined;
    });
    return this.#within(this.#memory.refreshing, this.#totalTimeout, "result");
  }

  /** Waits until no refresh is under way: a logout has to end the session that comes out of it. */
  async settle() {
    if (this.#memory.refreshing) {
      await this.#within(this.#memory.refreshing, this.#totalTimeout, "result").catch(() => {});
    }
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
    return answer || null;
  }

  #hook(name, event) {
    const { hooks } = this.#options;
    quietly(hooks?.[name]?.bind(hooks), { operation: this.#call.operation, ...event });
  }

  /** The promise's outcome, unless time runs out, the caller's signal fires or the call is over first. */
  #within(promise, ms, what) {
    const { signal } = this.#call;
    const signals = signal ? [signal, this.#stop.signal] : [this.#stop.signal];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(reject, late(what)), ms);
      const stop = () => done(reject, signal?.aborted ? fail("aborted", "the call was aborted", signal.reason) : late(what));
      const done = (settle, value) => {
        clearTimeout(timer);
        for (const each of signals) each.removeEventListener("abort", stop);
        settle(value);
      };
      for (const each of signals) each.addEventListener("abort", stop);
      promise.then((value) => done(resolve, value), (error) => done(reject, error));
      if (signals.some((each) => each.aborted)) stop();
    });
  }
}

const NOTHING = new Uint8Array();

/** Status, headers and the whole body as bytes. Responses of mocks and polyfills are taken by their members. */
async function receive(fetch, request, signal) {
  let response;
  try {
    // `fetch` is called as a function: some runtimes refuse it as a method.
    response = await fetch(request, { signal });
  } catch (cause) {
    throw fail("network", "no answer from the back-end: check the network, its address, its certificate and its CORS settings", cause);
  }
  if (typeof response?.status !== "number" || typeof response.headers?.get !== "function") {
    throw fail("invalid_response", "fetch did not give a Response");
  }
  const headers = {};
  for (const name of READ_HEADERS) {
    const value = response.headers.get(name);
    if (typeof value === "string") headers[name] = value;
  }
  try {
    return { status: response.status, headers, body: await readAll(response) };
  } catch (cause) {
    throw cause === TOO_LARGE ? cause : fail("network", "the connection was lost in the middle of the answer", cause);
  }
}

/** Of an answer's headers, those that anything here looks at. Across origins a browser shows only what the server exposes. */
const READ_HEADERS = ["retry-after", "x-request-id", "set-cookie"];

const TOO_LARGE = fail("invalid_response", "the answer is larger than 8 MiB");

async function readAll(response) {
  const reader = response.body?.getReader?.();
  if (!reader) {
    // What has no stream is asked for all at once.
    const whole = response.arrayBuffer ? await response.arrayBuffer() : new TextEncoder().encode(await response.text());
    if (whole.byteLength > MAX_BODY) throw TOO_LARGE;
    return new Uint8Array(whole);
  }
  const chunks = [];
  let size = 0;
  for (let read; !(read = await reader.read()).done; chunks.push(read.value)) {
    size += read.value.length;
    if (size > MAX_BODY) {
      reader.cancel().catch(() => {});
      throw TOO_LARGE;
    }
  }
  return chunks.length === 1 ? chunks[0] : new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** What the application does with an event is its own business: the call goes on. */
function quietly(callback, ...args) {
  try {
    callback?.(...args);
  } catch {}
}
