// What the tests of the Rust client need of JavaScript: fetch functions that misbehave, and what became of them.

const never = () => new Promise(() => {});
const json = (body, init) => Promise.resolve(Response.json(body, init));

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
  // The first token is refused, the next one is not; a refresh takes a while.
  rotates: async (request) => {
    if (!request.url.endsWith("/oauth/token")) return json({ sessions: [], count: 0 }, { status: request.headers.get("authorization") === "Bearer old" ? 401 : 200 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    return json({ access_token: "new", refresh_token: "r2", expires_in: 60 });
  },
};

/** A fetch of that kind; what it was asked is in `asked`, and the signal of the last one in `signal`. */
export function misbehaving(kind) {
  const fetch = function (request) {
    fetch.asked.push(`${request.method} ${new URL(request.url).pathname}`);
    fetch.signal = request.signal;
    fetch.redirect = request.redirect;
    fetch.self = this;
    return BODIES[kind](request);
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
