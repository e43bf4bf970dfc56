import { SessionsError } from "./error.js";
import { fail } from "./sessions.js";

/** A larger answer is not a list of sessions. */
const MAX_BODY = 8 * 1024 * 1024;

/** Sessions that are ended at once, one by one: quick for a handful of devices, and polite. */
const CONCURRENCY = 4;

/** The next request would meet the same error. */
const DOOMS_THE_REST = ["aborted", "unauthenticated", "rate_limited", "reauthentication_required"];

const late = (what) => fail("timeout", `no ${what} in time: see the options timeout and totalTimeout`);

/**
 * What surrounds one call: the wasm side sees the world through this object alone. No method throws, and every promise settles:
 * with its value, or with a failure when time runs out or the caller's signal fires.
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
  #bodies = new WeakMap();

  /** `run` starts another call of the same client. */
  constructor(options, memory, call, run) {
    this.#options = options;
    this.#memory = memory;
    this.#call = call;
    this.#run = run;
  }

  /** The result of the whole call, within the total time. Emulated operations have theirs per request. */
  outcome(promise) {
    const paced = this.#call.operation === "revokeAll" || this.#call.operation === "revokeOthers";
    return paced ? promise : this.#within(promise, this.#totalTimeout, "result");
  }

  /** Nothing of this call goes on after it. */
  close() {
    this.#stop.abort();
  }

  now() {
    return Date.now();
  }

  random() {
    return Math.random();
  }

  is(what) {
    const { onLine, userAgent } = globalThis.navigator ?? {};
    // Node, Deno, Bun and the edge runtimes have a navigator too, but none of them claims to be a browser.
    return what === "offline" ? onLine === false : typeof userAgent === "string" && userAgent.startsWith("Mozilla/");
  }

  recall(key) {
    return this.#memory[key];
  }

  remember(key, value) {
    this.#memory[key] = value;
  }

  /** The access and the refresh token. */
  tokens() {
    return this.#kept(Promise.all([this.#ask("token", "access"), this.#ask("refreshToken", "refresh")]));
  }

  /** Sends; gives a `Response` of this realm, so that what is a mock or a polyfill outside is none inside. */
  fetch(request, method, url, attempt) {
    this.#hook("onRequest", { method, url, attempt });
    const began = Date.now();
    const ends = began + (this.#call.timeout ?? this.#options.timeout ?? 10_000);
    const controller = new AbortController();
    const abort = () => controller.abort();
    this.#stop.signal.addEventListener("abort", abort);
    const send = async () => {
      const { fetch = globalThis.fetch, credentials } = this.#options;
      if (typeof fetch !== "function") {
        throw fail("unsupported", "this runtime has no fetch: pass one as the option fetch");
      }
      try {
        // `fetch` is called as a function: some runtimes refuse it as a method. Nothing is set that was not asked for: edge runtimes refuse what they do not know.
        return await fetch(request, { signal: controller.signal, ...(credentials && { credentials }) });
      } catch (cause) {
        throw fail("network", "no answer from the back-end: check the network, its address, its certificate and its CORS settings", cause);
      }
    };
    const arrive = async () => {
      try {
        const response = await adopt(await this.#within(send(), ends - Date.now(), "answer"));
        this.#bodies.set(response, { began, ends, abort, event: { method, url, attempt, status: response.status } });
        return response;
      } catch (error) {
        abort();
        throw error;
      }
    };
    return this.#kept(arrive());
  }

  /** The body as bytes, of bounded size. */
  read(response, requestId = null) {
    const { began, ends, abort, event } = this.#bodies.get(response);
    const arrive = async () => {
      try {
        const body = await this.#within(readAll(response), ends - Date.now(), "answer");
        this.#hook("onResponse", { ...event, durationMs: Date.now() - began, requestId, warnings: [] });
        return body;
      } catch (error) {
        abort();
        throw error;
      } finally {
        this.#stop.signal.removeEventListener("abort", abort);
      }
    };
    return this.#kept(arrive());
  }

  sleep(delayMs, reason, attempt) {
    this.#hook("onRetry", { attempt, delayMs, reason });
    return this.#kept(this.#within(new Promise((resolve) => setTimeout(resolve, delayMs)), delayMs + 1000, "result"));
  }

  /** The new access token. */
  refresh() {
    return this.#kept(this.refreshed().then(({ accessToken }) => accessToken));
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

  /** Tells the caller new tokens. */
  tell(tokens) {
    const tell = async () => {
      try {
        await this.#options.onTokens?.(tokens);
      } catch (cause) {
        throw fail("internal", "onTokens failed: this client goes on with the new tokens, but they may not have been stored", cause);
      }
    };
    return this.#kept(this.#within(tell(), this.#totalTimeout, "end of onTokens"));
  }

  /** Ends sessions one by one; gives null or the error's code for each. */
  async each(ids) {
    const codes = ids.map(() => "internal");
    const { request, options = {}, onProgress } = this.#call;
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
    return codes;
  }

  get #totalTimeout() {
    return this.#options.totalTimeout ?? 30_000;
  }

  /** A token from the options: a function is asked; a fixed one gives way to the newest. */
  async #ask(option, newest) {
    const value = this.#options[option];
    if (typeof value !== "function") {
      return this.#memory.signedOut ? null : (this.#memory[newest] ?? value ?? null);
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

  /** A promise as the wasm side takes it: of its failures it sees the code, the message, and the number of the cause. */
  #kept(promise) {
    return promise.catch((error) => {
      const cause = SessionsError.is(error) ? error : error?.cause;
      const number = cause === undefined ? undefined : this.causes.push(cause) - 1;
      throw { code: String(error?.code ?? "internal"), message: String(error?.message ?? "an unexpected failure"), cause: number };
    });
  }

  /** The promise's outcome, unless time runs out, the caller's signal fires or the call is over first. */
  #within(promise, ms, what) {
    const { signal } = this.#call;
    const signals = signal ? [signal, this.#stop.signal] : [this.#stop.signal];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(reject, late(what)), Math.max(0, ms));
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

/** What `fetch` gave, as a `Response` of this realm. */
async function adopt(response) {
  if (response instanceof Response) {
    return response;
  }
  if (typeof response?.status !== "number" || typeof response.headers?.get !== "function") {
    throw fail("invalid_response", "fetch did not give a Response");
  }
  const { status } = response;
  if (status < 200 || status > 599) {
    throw fail("invalid_response", "the back-end answered with a redirect, which is not followed, or with a status that does not exist");
  }
  const headers = new Headers();
  for (const name of ["retry-after", "x-request-id", "set-cookie"]) {
    const value = response.headers.get(name);
    if (typeof value === "string") headers.set(name, value);
  }
  const body = await (response.arrayBuffer ? response.arrayBuffer() : response.text());
  return new Response([204, 205, 304].includes(status) ? null : body, { status, headers });
}

async function readAll(response) {
  const reader = response.body?.getReader();
  const chunks = [];
  let size = 0;
  try {
    for (let read; reader && !(read = await reader.read()).done; ) {
      size += read.value.length;
      if (size > MAX_BODY) break;
      chunks.push(read.value);
    }
  } catch (cause) {
    throw fail("network", "the connection was lost in the middle of the answer", cause);
  }
  if (size > MAX_BODY) {
    reader.cancel().catch(() => {});
    throw fail("invalid_response", "the answer is larger than 8 MiB");
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** What the application does with an event is its own business: the call goes on. */
function quietly(callback, ...args) {
  try {
    callback?.(...args);
  } catch {}
}
