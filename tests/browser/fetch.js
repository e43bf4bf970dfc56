// What the tests of the Rust client need of JavaScript: fetch functions that misbehave, and what became of them.

const never = () => new Promise(() => {});
const json = (body, init) => Promise.resolve(Response.json(body, init));

const ksef = (index) => `20260101-AU-${String(index).padStart(10, "0")}-0123456789-AB`;

const BODIES = {
  never,
  throws: () => { throw "why"; },
  rejects: () => Promise.reject("why"),
  rejectsWithNothing: () => Promise.reject(),
  nothing: () => undefined,
  object: () => ({ status: 200, headers: new Headers(), text: async () => "{}" }),
  thenable: () => ({ get then() { throw "why"; } }),
  error: () => Response.error(),
  redirect: () => Response.redirect("https://evil.example"),
  used: async () => { const used = Response.json({}); await used.text(); return used; },
  locked: () => { const locked = Response.json({}); locked.body.getReader(); return locked; },
  breaks: () => new Response(new ReadableStream({ pull: (c) => c.error("why") })),
  hangs: () => new Response(new ReadableStream({ pull: never, cancel: never })),
  endless: () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1 << 20)), cancel: () => Promise.reject("why") })),
  starving: () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(0)) })),
  text: () => new Response(new ReadableStream({ pull: (c) => { c.enqueue("{}"); c.close(); } })),
  html: () => new Response("<html>"),
  empty: () => json({ sessions: [], count: 0 }),
  loggedOut: () => json({ success: true, message: "bye" }),
  unauthenticated: () => json({ message: "no" }, { status: 401 }),
  declined: (request) => (request.method === "GET" ? json({ sessions: ["me", "a", "b", "c", "d", "e", "f"].map((id) => ({ id })), count: 7 }) : json({ message: "no" }, { status: 401 })),
  some: (request) => (request.method === "GET" ? json({ sessions: ["me", "a", "b"].map((id) => ({ id })), count: 3 }) : request.url.includes("/a/") ? json({ success: true }) : json({}, { status: 403 })),
  // Clerk, with sessions of which one is over. The current one can't be ended before the others are.
  clerk: async (request, fetch) => {
    const { pathname } = new URL(request.url);
    fetch.body = await request.text();
    if (request.method === "GET") return json({ data: ["me", "a", "b", "c"].map((id) => ({ id, status: id === "c" ? "ended" : "active", user_id: "u" })), total_count: 4 });
    if (pathname.endsWith("/refresh")) return json({ object: "cookies", cookies: ["a=1"] });
    if (pathname.endsWith("/revoke")) {
      if (pathname.includes("/me/") && fetch.ended !== 2) return json({}, { status: 403 });
      await new Promise((resolve) => setTimeout(resolve, 5));
      fetch.ended = (fetch.ended ?? 0) + 1;
      return json({ id: "a", status: "revoked", user_id: "u" });
    }
    return json(pathname.includes("/tokens") ? { object: "token", jwt: "a.b.c" } : { id: "new", status: "active", user_id: "u" });
  },
  // KSeF, with twelve sessions, the first of which is the current one.
  ksef: (request) => (request.method === "GET" ? json({ items: Array.from({ length: 12 }, (_, index) => ({ referenceNumber: ksef(index), status: { code: 200 } })) }) : new Response(null, { status: 204 })),
  // Better Auth, which wants a sign-in that is not long ago for one revocation, and then does it.
  notFresh: (request, { asked }) =>
    request.method === "GET" ? json([{ id: "a", token: "handle" }]) : asked.length > 2 ? json({ status: true }) : json({ code: "SESSION_NOT_FRESH", message: "no" }, { status: 403 }),
  // The first token is refused, the next one is not; a refresh takes a while.
  rotates: async (request) => {
    if (!request.url.endsWith("/oauth/token")) return json({ sessions: [], count: 0 }, { status: request.headers.get("authorization") === "Bearer old" ? 401 : 200 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    return json({ access_token: "new", refresh_token: "r2", expires_in: 60 });
  },
  // Each refresh token can be used once, and is long.
  usesUp: async (request, fetch) => {
    if (!request.url.endsWith("/oauth/token")) return json({ success: true });
    const { refresh_token } = await request.json();
    fetch.used ??= new Set();
    if (fetch.used.has(refresh_token)) return json({ error: "invalid_grant" }, { status: 400 });
    fetch.used.add(refresh_token);
    return json({ access_token: `a${fetch.used.size}`, refresh_token: `r${fetch.used.size}`.padEnd(900, "-") });
  },
  // The refresh token stays the same, and what it gives takes a while.
  stays: async (request) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (request.url.endsWith("/oauth/token")) return json({ access_token: "new" });
    return json({ sessions: [], count: 0, success: true }, { status: request.headers.get("authorization") === "Bearer old" ? 401 : 200 });
  },
  // Each refresh makes another session: the next one is "next".
  renews: (request) => (request.url.endsWith("/oauth/token") ? json({ access_token: "new", refresh_token: `e30.${btoa('{"sid":"next"}')}.x` }) : json({ success: request.url.includes("/next/"), message: "" })),
  unavailable: (request) => (request.method === "GET" ? json({}, { status: 503 }) : json({ success: true })),
};

/** A fetch of that kind; what it was asked is in `asked`, and more about the last one beside it. */
export function misbehaving(kind) {
  const fetch = function (request) {
    const { pathname, search } = new URL(request.url);
    fetch.asked.push(`${request.method} ${pathname}${search}`);
    fetch.headers = JSON.stringify([...request.headers]);
    fetch.signal = request.signal;
    fetch.redirect = request.redirect;
    fetch.self = this;
    return BODIES[kind](request, fetch);
  };
  fetch.asked = [];
  return fetch;
}

export const kinds = () => Object.keys(BODIES);

/** Timers that are set and neither cleared nor fired, counted while `watch` is on. */
const timers = new Set();
const { setTimeout: set, clearTimeout: clear } = globalThis;
export function watchTimers(on) {
  timers.clear();
  globalThis.setTimeout = on ? (f, ms, ...rest) => {
    const id = set((...args) => { timers.delete(id); f(...args); }, ms, ...rest);
    timers.add(id);
    return id;
  } : set;
  globalThis.clearTimeout = on ? (id) => { timers.delete(id); clear(id); } : clear;
}
export const openTimers = () => timers.size;

export async function signIn(sandbox, email) {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ email, password: `${email.split("@")[0]}-password` }) };
  const { access_token, refresh_token } = await (await fetch(`${sandbox}/sandbox/sign-in`, init)).json();
  return [access_token, refresh_token];
}

/** Method and path of what back-ends were asked since the last time. */
export async function requests(sandbox) {
  const { requests } = await (await fetch(`${sandbox}/sandbox/requests`)).json();
  await fetch(`${sandbox}/sandbox/requests`, { method: "DELETE" });
  return requests.filter(({ path, preflight }) => !preflight && !path.startsWith("/sandbox/")).map(({ method, path }) => `${method} ${path}`);
}

export const reset = (sandbox) => fetch(`${sandbox}/sandbox/reset`, { method: "POST" });
