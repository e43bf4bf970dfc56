// The package's own JavaScript over the crate's real wasm exports, in a real browser. Each case is a test of `npm.rs` by the same name.
export * from "./fetch.js";

let createSessions, describeDevice, loadExports, sandbox, SessionsError;

/** One after the other: the server of the test runner forgets connections when many are opened at once, and the page then never loads. */
async function load(importFile) {
  const modules = {};
  for (const file of ["../usual", "../device/bots", "../device/names", "../device/systems", "error", "check", "profile", "cookies", "input", "tabs", "first", "device", "read", "host", "sessions"]) {
    modules[file] = await importFile(new URL(`../../src/npm/${file}.js`, import.meta.url).href);
  }
  return { ...modules.sessions.define(loadExports), SessionsError: modules.error.SessionsError };
}

/** Called once, with the crate's export. What `load.js` does around it in the package is done here. */
export function connect(step, url) {
  sandbox = url?.replace(/\/$/, "");
  const next = (call, body = new Uint8Array()) => JSON.parse(new TextDecoder().decode(step(new TextEncoder().encode(JSON.stringify(call)), body)));
  loadExports = async () => next;
}

export const names = () => Object.keys(cases);

/** Runs a case; what is missing for it, or nothing. */
export async function run(name) {
  const { needsSandbox, test } = cases[name];
  if (!createSessions) ({ createSessions, describeDevice, SessionsError } = await settles(load((url) => import(url))));
  if (needsSandbox && !sandbox) return "no SANDBOX_URL";
  for (const cookie of document.cookie.split("; ").filter(Boolean)) document.cookie = `${cookie.split("=")[0]}=; Path=/; Max-Age=0`;
  await settles(test(), 20_000);
  return undefined;
}

// ---------------------------------------------------------------- helpers

const ok = (value, what) => {
  if (!value) throw new Error(what);
};
const same = (actual, expected, what = "") => ok(JSON.stringify(actual) === JSON.stringify(expected), `${what} ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
const never = () => new Promise(() => {});
const EMPTY = () => Response.json({ sessions: [], count: 0 });

async function settles(promise, ms = 5000) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`not settled within ${ms} ms`)), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function fails(promise, code, what = "") {
  let value;
  try {
    value = await settles(promise);
  } catch (error) {
    ok(error instanceof SessionsError && error instanceof Error && SessionsError.is(error), `${what}: no SessionsError but ${error?.stack ?? error}`);
    same([error.name, error.code], ["SessionsError", code], `${what} ${error.message}:`);
    return error;
  }
  throw new Error(`${what}: resolved with ${JSON.stringify(value)} instead of failing with ${code}`);
}

/** A client over a fake fetch. */
function faked(fetch, options = {}) {
  return createSessions({ provider: "authvital", baseUrl: "https://auth.example.com", token: "secret-access", maxRetries: 0, fetch, ...options });
}

async function ask(method, path, body, more) {
  const init = { method, ...more, ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }) };
  const response = await fetch(`${sandbox}/sandbox/${path}`, init);
  ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

/** A signed-in user of the sandbox, and a client of theirs. */
async function signedIn(options = {}, cookies = false) {
  const who = { email: "demo@example.com", password: "demo-password", cookies };
  const { access_token: token, refresh_token: refreshToken } = await ask("POST", "sign-in", who, cookies ? { credentials: "include" } : {});
  const sessions = createSessions({ provider: "authvital", baseUrl: `${sandbox}/authvital`, token, refreshToken, clientId: "web-client", ...options });
  return { sessions, token, refreshToken, id: JSON.parse(atob(refreshToken.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sid };
}

const row = async (id) => (await ask("GET", "sessions?user=demo@example.com")).sessions.find((session) => session.id === id);

/**
 * A page below /snippets: cookies go by the address that a document was loaded from, and `history` does not change that. Some file of ours does for a page;
 * the package is loaded anew in it.
 */
async function withFrame(use) {
  const frame = document.createElement("iframe");
  frame.src = new URL("../../src/npm/error.js", import.meta.url);
  const loaded = new Promise((resolve) => (frame.onload = resolve));
  document.body.append(frame);
  await settles(loaded);
  const page = frame.contentWindow;
  try {
    const theirs = await settles(load((url) => page.eval(`import(${JSON.stringify(url)})`)));
    await use(page, theirs.createSessions, theirs.SessionsError);
  } finally {
    frame.remove();
  }
}

/** What a logout on that page says of these cookies. */
async function cleared(createSessions, cookies, page = globalThis) {
  const fetch = async () => page.Response.json({ success: true, message: "bye" });
  const sessions = createSessions({ provider: "authvital", baseUrl: "https://auth.example.com", refreshToken: "r", fetch, cookies });
  const result = await settles(sessions.logout());
  same([result.success, result.error?.message, result.setCookie], [true, undefined, []], "on a page");
  return result.cookies.map(({ name, outcome }) => `${name}: ${outcome}`);
}

async function outcomes(createSessions, page) {
  page.document.cookie = "a=1; Path=/";
  page.document.cookie = "deep=1; Path=/snippets";
  page.document.cookie = "hidden=1; Path=/elsewhere";
  page.document.cookie = "both=1; Path=/";
  page.document.cookie = "both=1; Path=/snippets";
  // A script's own cookie beside the HttpOnly one that is meant.
  page.document.cookie = "twin=1; Path=/";
  const specs = [
    { name: "a" },
    { name: "gone", httpOnly: false },
    { name: "unknown" },
    { name: "deep", path: "/snippets" },
    { name: "hidden", path: "/elsewhere", httpOnly: false },
    { name: "both" },
    { name: "twin", httpOnly: true },
    { name: "foreign", domain: "example.com", httpOnly: false },
  ];
  same(await cleared(createSessions, specs, page), [
    "a: cleared", "gone: absent", "unknown: not-visible", "deep: cleared", "hidden: not-visible", "both: still-present", "twin: not-visible",
    "foreign: not-visible",
  ]);
  same(page.document.cookie, "both=1");
  same(await cleared(createSessions, [{ name: "both", path: "/snippets" }], page), ["both: cleared"]);
  same(page.document.cookie, "");
}

// ---------------------------------------------------------------- cases

const test = (test) => ({ test });
const sandboxed = (test) => ({ needsSandbox: true, test });

const cases = {
  errors_are_real_and_hold_no_token: test(async () => {
    const said = { message: "no: secret-access, secret-refresh" };
    const fetches = {
      unauthenticated: async () => Response.json(said, { status: 401 }),
      forbidden: async () => Response.json(said, { status: 403, headers: { "x-request-id": "secret-access" } }),
      invalid_response: async () => new Response("<html>secret-access</html>"),
      server_error: async () => Response.json(said, { status: 500 }),
    };
    for (const [code, fetch] of Object.entries(fetches)) {
      const error = await fails(faked(fetch).list(), code, code);
      ok(error.stack.includes("SessionsError"), "a stack of its own");
      same([error.provider, error.operation], ["authvital", "list"]);
      for (const text of [error.message, error.stack, JSON.stringify(error), String(error)]) ok(!text.includes("secret-access"), `${code}: a token in ${text}`);
    }
    await fails(createSessions(null).list(), "invalid_options");
    await fails(faked(EMPTY).revoke(".."), "invalid_argument");
    await fails(faked(EMPTY).create({}), "invalid_argument");
    await fails(faked(EMPTY).create({ userId: "u" }), "unsupported");
  }),

  describes_devices: test(async () => {
    const device = await describeDevice(navigator.userAgent);
    same([device.browser, device.kind], ["Headless Chrome", "desktop"], navigator.userAgent);
    await fails(describeDevice(7), "invalid_argument");
  }),

  abort_reasons_that_are_no_errors: test(async () => {
    for (const reason of ["why", null, 7, { why: 1 }]) {
      same((await fails(faked(EMPTY).list({ signal: AbortSignal.abort(reason) }), "aborted", "before")).cause, reason);
      const controller = new AbortController();
      let seen;
      const fetch = (request, { signal }) => {
        seen = signal;
        queueMicrotask(() => controller.abort(reason));
        return never();
      };
      same((await fails(faked(fetch).list({ signal: controller.signal }), "aborted", "meanwhile")).cause, reason);
      ok(seen.aborted, "fetch is told");
    }
    const controller = new AbortController();
    const real = faked(undefined, { baseUrl: location.origin });
    queueMicrotask(() => controller.abort("why"));
    await fails(real.list({ signal: controller.signal }), "aborted", "the browser's own fetch");
  }),

  headers_with_line_breaks: test(async () => {
    for (const value of ["a\r\nx-evil: 1", "a\n", "a\0"]) {
      await fails(faked(EMPTY, { headers: { "x-a": value } }).list(), "invalid_options");
      await fails(faked(EMPTY).list(undefined, { headers: { "x-a": value } }), "invalid_argument");
      await fails(faked(EMPTY, { token: `t${value}` }).list(), "invalid_options");
    }
  }),

  fetches_that_misbehave: test(async () => {
    const cases = [
      ["never settles", never, "timeout"],
      ["throws", () => { throw "why"; }, "network"],
      ["rejects with a string", () => Promise.reject("why"), "network"],
      ["rejects with nothing", () => Promise.reject(), "network"],
      ["gives nothing", () => {}, "invalid_response"],
      ["gives a plain object", () => ({ ok: true }), "invalid_response"],
      ["gives a Response.error()", () => Response.error(), "invalid_response"],
      ["gives a redirect", () => Response.redirect("https://evil.example"), "invalid_response"],
      ["gives a body that was read", async () => { const r = EMPTY(); await r.text(); return r; }, "network"],
      ["gives a body that breaks", () => new Response(new ReadableStream({ pull: (c) => c.error("why") })), "network"],
      ["gives a body that hangs", () => new Response(new ReadableStream({ pull: never })), "timeout"],
      ["gives a body without end", () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1 << 20)) })), "invalid_response"],
      ["gives a body of text", () => new Response(new ReadableStream({ pull: (c) => { c.enqueue("{}"); c.close(); } })), null],
    ];
    for (const [what, fetch, code] of cases) {
      const listed = faked(fetch, { timeout: 100 }).list();
      if (code) await fails(listed, code, what);
      else await settles(listed).catch((error) => ok(SessionsError.is(error), `${what}: ${error}`));
    }
    // By members, as mocks and polyfills have them.
    const mock = { status: 200, headers: new Map(), text: async () => '{"sessions":[],"count":0}' };
    same((await settles(faked(() => mock).list())).count, 0);
  }),

  logout_resolves_whatever_happens: test(async () => {
    const network = await settles(faked(() => Promise.reject("why"), { refreshToken: "r" }).logout());
    same([network.success, network.server, network.error.code], [false, "unreachable", "network"]);
    ok(network.error instanceof SessionsError, "a real one");
    const late = await settles(faked(never, { refreshToken: "r", timeout: 50 }).logout());
    same([late.server, late.error.code], ["unreachable", "timeout"]);
  }),

  cookies_with_the_cookie_store: test(() =>
    withFrame(async (page, createSessions) => {
      ok(page.cookieStore, "Chromium has one here");
      await outcomes(createSessions, page);
    }),
  ),

  cookies_with_document_cookie: test(() =>
    withFrame(async (page, createSessions) => {
      Object.defineProperty(page, "cookieStore", { value: undefined });
      ok(page.cookieStore === undefined, "it is hidden");
      await outcomes(createSessions, page);
    }),
  ),

  errors_of_another_realm_are_known: test(() =>
    withFrame(async (page, createSessions, Theirs) => {
      const error = await settles(createSessions({}).list()).catch((error) => error);
      same([error instanceof Theirs, error instanceof SessionsError, error instanceof Error, SessionsError.is(error), Theirs.is(error)], [true, false, false, true, true]);
      same([SessionsError.is(new Error("no")), SessionsError.is(null), SessionsError.is({ code: "internal" })], [false, false, false]);
    }),
  ),

  cookies_of_the_served_request_stay: test(async () => {
    document.cookie = "mine=1; Path=/";
    const sessions = faked(async () => Response.json({ success: true }), { cookies: [{ name: "mine" }] });
    const request = { headers: { authorization: "Bearer theirs" } };
    const { cookies, setCookie } = await settles(sessions.logout({ request, refreshToken: "theirs" }));
    same([cookies, setCookie.length, document.cookie], [[{ name: "mine", outcome: "not-visible" }], 1, "mine=1"]);
  }),

  lists_and_revokes_over_cors: sandboxed(async () => {
    const { sessions, id } = await signedIn();
    const other = await signedIn();
    const page = await settles(sessions.list());
    same([page.count, page.sessions.filter(({ current }) => current).map((session) => session.id)], [page.sessions.length, [id]]);
    const revoked = await settles(sessions.revoke(other.id));
    same([revoked.success, revoked.outcome, revoked.effect], [true, "revoked", "refresh-only"]);
    same((await row(other.id)).state, "ended");
    const again = await settles(sessions.revoke(other.id));
    same([again.success, again.outcome], [false, "already-revoked"]);
  }),

  logs_out_over_cors: sandboxed(async () => {
    document.cookie = "access_token=1; Path=/";
    const { sessions, id } = await signedIn({ cookies: [{ name: "access_token" }] });
    const result = await settles(sessions.logout());
    same([result.success, result.server, result.cookies], [true, "confirmed", [{ name: "access_token", outcome: "cleared" }]]);
    same((await row(id)).ended_by, "logout");
    await fails(sessions.list(), "unauthenticated", "afterwards");
  }),

  http_only_cookies_are_never_called_cleared: sandboxed(async () => {
    const names = ["auth_token", "refresh_token", "idp_session"];
    const { sessions } = await signedIn({ cookies: names.map((name) => ({ name })) }, true);
    ok(!document.cookie.includes("auth_token"), "they are HttpOnly");
    const sent = async () => {
      await ask("DELETE", "requests");
      await fetch(`${sandbox}/authvital/oauth/sessions`, { credentials: "include" });
      return (await ask("GET", "requests")).requests.at(-1).cookie;
    };
    ok(await sent(), "they are there");
    const { cookies } = await settles(sessions.logout());
    same(cookies.map(({ outcome }) => outcome), ["not-visible", "not-visible", "not-visible"]);
    // This origin's logout went without credentials, so the server's answer has cleared none of them.
    ok(await sent(), "they are still there");
    const second = { baseUrl: `${sandbox}/authvital-g2`, credentials: "include" };
    const byServer = await signedIn({ cookies: names.map((name) => ({ name })), ...second }, true);
    same((await settles(byServer.sessions.logout())).cookies[0].outcome, "not-visible");
    ok(!(await sent()), "the server has cleared them");
  }),

  refuses_what_cors_refuses: sandboxed(async () => {
    const { sessions } = await signedIn({ headers: { "x-custom": "1" }, maxRetries: 0 });
    await fails(sessions.list(), "network", "a header that the preflight does not allow");
  }),

  cookies_after_a_change_of_history: test(async () => {
    document.cookie = "later=1; Path=/later";
    history.replaceState(null, "", "/later/page");
    try {
      // Chromium shows a document the cookies of the address it was loaded from: whether this one is there can't be seen.
      const [outcome] = await cleared(createSessions, [{ name: "later", path: "/later", httpOnly: false }]);
      ok(outcome !== "later: absent", "it was there");
    } finally {
      history.replaceState(null, "", "/");
    }
  }),
};
