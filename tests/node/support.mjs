// What the tests share: the package as it was packed and installed, the sandbox, and clients over either of its generations or over a fake fetch.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { mock } from "node:test";
import { pathToFileURL } from "node:url";
import { ask, sandboxUrl } from "../sandbox-routes.mjs";

const { PACKAGE_TARBALL } = process.env;
if (!PACKAGE_TARBALL) {
  throw new Error("set PACKAGE_TARBALL (made by `npm pack`); `cargo xtask test node` does");
}

// ---------------------------------------------------------------- the package

/** A project that has the tarball installed and nothing else. */
export const project = install(path.resolve(PACKAGE_TARBALL));
/** The package as it lies in that project. */
export const installed = path.join(project, "node_modules/auth-sessions");

/** Imported by its name, from a module of that project. */
export const { createSessions, createAuthVital, describeDevice, SessionsError } = await import(pathToFileURL(path.join(project, "import.mjs")));

function install(tarball) {
  const hash = createHash("sha256").update(readFileSync(tarball)).digest("hex").slice(0, 12);
  const parent = path.resolve(import.meta.dirname, "../../target/test/node");
  const directory = path.join(parent, hash);
  if (!existsSync(directory)) {
    rmSync(parent, { recursive: true, force: true });
    const fresh = `${directory}.${process.pid}`;
    mkdirSync(fresh, { recursive: true });
    writeFileSync(path.join(fresh, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    execFileSync("npm", ["install", tarball, "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--silent"], { cwd: fresh, stdio: "inherit" });
    writeFileSync(path.join(fresh, "import.mjs"), 'export * from "auth-sessions";\n');
    renameSync(fresh, directory);
  }
  return directory;
}

// ---------------------------------------------------------------- the sandbox

/** The base URLs of the two generations. */
export const G1 = `${sandboxUrl}/authvital`;
export const G2 = `${sandboxUrl}/authvital-g2`;
/** The base URLs of the other wires. */
export const BASES = { clerk: `${sandboxUrl}/clerk/v1`, ksef: `${sandboxUrl}/ksef/v2`, rest: `${sandboxUrl}/rest`, fastapi: `${sandboxUrl}/rest-fastapi` };
export const SECRET_KEY = "sk_test_sandbox_not_a_real_key";

export const sandbox = {
  /** Everything as after a fresh start. */
  async reset() {
    await ask("POST", "reset");
    await ask("DELETE", "requests");
  },
  /** A new session of a user; also its id and user. */
  async signIn(email = "demo@example.com", more = {}) {
    const { access_token: access, refresh_token: refresh } = await ask("POST", "sign-in", { email, password: `${email.split("@")[0]}-password`, ...more });
    return { access, refresh, id: claims(refresh).sid };
  },
  /** A new session on the wire of another back-end: `access`, `refresh`, `id`, `user`, `client` as that has them. */
  async signInOn(wire, email = "demo@example.com", agent) {
    const headers = { "content-type": "application/json", ...(agent && { "user-agent": agent }) };
    const body = JSON.stringify({ email, password: `${email.split("@")[0]}-password`, wire });
    const answer = await (await fetch(`${sandboxUrl}/sandbox/sign-in`, { method: "POST", headers, body })).json();
    return { access: answer.access_token, refresh: answer.refresh_token, id: String(answer.session_id), user: answer.user.id, client: answer.client_id };
  },
  /** The ids that a wire has for a user's living sessions, newest first. */
  async alive(wire, email) {
    return (await sandbox.rows(email)).filter(({ state }) => state === "active").map(({ ids }) => String(ids[wire]));
  },
  /** How a session ended, by a wire's id: null where it did not. */
  async endOf(wire, id, email) {
    return (await sandbox.rows(email)).find(({ ids }) => String(ids[wire]) === String(id)).ended_by;
  },
  faults: (...rules) => ask("PUT", "faults", rules),
  advance: (ms) => ask("POST", "clock", { advance_ms: ms }),
  rateLimit: (enabled) => ask("PUT", "rate-limit", { enabled }),
  /** What back-ends were asked since the last `forget`, as objects with `line`: method and path. */
  async requests() {
    const { requests } = await ask("GET", "requests");
    return requests
      .filter(({ path }) => !path.startsWith("/sandbox/"))
      .map((request) => ({ ...request, line: `${request.method} ${request.path.replace(/^\/authvital(-g2)?/, "")}` }));
  },
  async lines() {
    return (await sandbox.requests()).map(({ line }) => line);
  },
  forget: () => ask("DELETE", "requests"),
  /** Rows of the database. */
  async rows(email = "demo@example.com") {
    return (await ask("GET", `sessions?user=${email}`)).sessions;
  },
  async row(id, email) {
    return (await sandbox.rows(email)).find((row) => row.id === id);
  },
  async active(email) {
    return (await sandbox.rows(email)).filter(({ state }) => state === "active").map(({ id }) => id);
  },
};

/** A signed-in user and a client with their tokens. */
export async function signedIn(options = {}, ...who) {
  const user = await sandbox.signIn(...who);
  await sandbox.forget();
  const sessions = createSessions({ provider: "authvital", baseUrl: G1, token: user.access, refreshToken: user.refresh, clientId: "web-client", ...options });
  return { ...user, sessions };
}

// ---------------------------------------------------------------- tokens, fake fetch

/** The claims of a JWT. */
export const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

/** A JWT that nobody signed. */
export const jwt = (payload) => ["{}", JSON.stringify(payload), "x"].map((part) => Buffer.from(part).toString("base64url")).join(".");

export const json = (body, init) => new Response(JSON.stringify(body), { headers: { "content-type": "application/json" }, ...init });

export const EMPTY_LIST = { sessions: [], count: 0 };

/** A client over a fake `fetch`: `answer(request, number, init)` gives the response. The requests are in `sent`. */
export function faked(answer, options = {}) {
  const sent = [];
  const fake = (request, init) => {
    sent.push(request);
    return answer(request, sent.length, init);
  };
  const sessions = createSessions({ provider: "authvital", baseUrl: "https://auth.example.com", token: "access", maxRetries: 0, fetch: fake, ...options });
  return { sessions, sent };
}

/**
 * A client over the real `fetch`, or `through`. What it sends is in `sent`, in order: `line` (method and path after the base URL), `query`, `headers`, `body`.
 */
export function recorded({ fetch: through = globalThis.fetch, ...options }) {
  const sent = [];
  const root = new URL(options.baseUrl).pathname.replace(/\/$/, "");
  const recording = async (request, init) => {
    const { method } = request;
    const { pathname, search, searchParams, origin } = new URL(request.url);
    const entry = {
      origin, method, path: pathname.slice(root.length), search, query: Object.fromEntries(searchParams), headers: Object.fromEntries(request.headers), text: "", body: undefined,
    };
    entry.line = `${method} ${entry.path}`;
    sent.push(entry);
    entry.text = await request.clone().text();
    if (entry.text !== "") entry.body = JSON.parse(entry.text);
    return through(request, init);
  };
  const sessions = createSessions({ maxRetries: 0, ...options, fetch: recording });
  const lines = () => sent.map(({ line }) => line);
  return { sessions, sent, lines, forget: () => sent.splice(0) };
}

/** Runs it where `globalThis.navigator` says that it is a browser. */
export async function inBrowser(run) {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { userAgent, onLine: true } });
  try {
    return await run();
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete globalThis.navigator;
  }
}

/** Everything that an error says, with its causes and those of its parts, as one text. */
export function told(error) {
  const seen = new Set();
  const visit = (value) => {
    if (typeof value !== "object" || value === null || seen.has(value)) return [String(value)];
    seen.add(value);
    return Object.getOwnPropertyNames(value).flatMap((name) => [name, ...visit(value[name])]);
  };
  return visit(error).join("\n");
}

/** A real server on loopback that answers with `answer(request)`: `[status, body?, headers?]`, text as a page; it ends with the test. What it was asked is in `seen`. */
export async function serve(context, answer) {
  const seen = [];
  const server = createServer(async (incoming, outgoing) => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    const { method, url, headers } = incoming;
    const request = { method, url, line: `${method} ${url}`, headers, body };
    seen.push(request);
    const [status, content, more] = answer(request);
    const isPage = typeof content === "string";
    const type = content === undefined ? {} : { "content-type": isPage ? "text/html" : "application/json" };
    outgoing.writeHead(status, { ...type, ...more }).end(isPage ? content : JSON.stringify(content));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${server.address().port}`, seen, lines: () => seen.map(({ line }) => line) };
}

/** Promises that are awaited one after the other: none of them is unhandled meanwhile. */
export function held(...promises) {
  for (const promise of promises) promise.catch(() => {});
  return promises;
}

/** All that `for await` gives. */
export async function every(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** A promise that never settles. */
export const never = () => new Promise(() => {});

// ---------------------------------------------------------------- outcomes

/** The promise's outcome; fails when there is none in time. */
export async function settles(promise, ms = 5000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `the promise did not settle within ${ms} ms` })), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error that the promise rejects with: a real SessionsError of that code. */
export async function fails(promise, code, about = "") {
  let value;
  try {
    value = await settles(promise);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(error instanceof SessionsError && error instanceof Error && SessionsError.is(error), `${about} a SessionsError, not ${error?.stack ?? error}`);
    assert.equal(error.code, code, `${about} ${error.message}`);
    assert.equal(error.name, "SessionsError");
    return error;
  }
  assert.fail(`${about} resolved with ${JSON.stringify(value)} instead of rejecting with ${code}`);
}

/** That takes real time, so it comes before the clock is taken over. */
export const compiled = () => createSessions({ provider: "rest", baseUrl: "https://api.example.com" }).capabilities();

/** Runs the clock of this process forward, `step` by step, until the promise settles; how many milliseconds that took. For calls over a fake fetch. */
export async function fastForward(start, most = 120_000, step = 10) {
  await compiled();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
  try {
    const began = Date.now();
    let settled = false;
    const promise = start();
    promise.then(() => (settled = true), () => (settled = true));
    // A few turns of the event loop for each tick: nothing but the clock is waited for.
    for (let turn = 0; !settled; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (turn % 4 === 3 && !settled) mock.timers.tick(step);
      assert.ok(Date.now() - began <= most, `the promise did not settle within ${most} ms of fast time`);
    }
    return { elapsed: Date.now() - began, promise };
  } finally {
    mock.timers.reset();
  }
}

/** A time in a result: that many milliseconds, give or take a second. */
export function closeTo(time, expected) {
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Math.abs(Date.parse(time) - expected) < 3000, `${time} is not ${new Date(expected).toISOString()}`);
}

export const seconds = (n) => new Date(n * 1000).toISOString();

// ---------------------------------------------------------------- the handler for the edge

const fromProject = createRequire(path.join(project, "import.mjs"));
export const { createSessionsHandler } = await import(pathToFileURL(fromProject.resolve("auth-sessions/edge")));
export const { edgeHandler } = await import(pathToFileURL(fromProject.resolve("auth-sessions/profiles")));

/** The origin of the application whose pages ask the handler. */
export const APP = "https://app.example.com";

/** What a browser says of a request that a page of the handler's own origin makes. */
export const OWN_PAGE = { origin: APP, "sec-fetch-site": "same-origin" };

/** The `Cookie` header for these tokens. */
export const cookieOf = ({ access, refresh }) => [access && `access_token=${access}`, refresh && `refresh_token=${refresh}`].filter(Boolean).join("; ");

/** A `Set-Cookie` value: name, value, and attributes by name in lower case. */
export function setCookie(text) {
  const [pair, ...attributes] = text.split("; ");
  const [name, value] = pair.split(/=(.*)/s);
  return { name, value, ...Object.fromEntries(attributes.map((attribute) => attribute.split(/=(.*)/s)).map(([name, value]) => [name.toLowerCase(), value ?? true])) };
}

/**
 * A handler, asked as a page of its own origin asks it: `ask("POST /api/logout", { cookie })`; the other members are headers. Null where it passes; otherwise `status`, `headers`, `text`,
 * `body` (JSON) and `set`: the cookies that are set, by name. `init.url` is the address as the server sees it.
 */
export function asking(options) {
  const handle = typeof options === "function" ? options : createSessionsHandler(options);
  return async (line, headers = {}, { url, ...init } = {}) => {
    const [method, target] = line.split(" ");
    const given = Object.entries({ ...OWN_PAGE, ...headers }).filter(([, value]) => value !== undefined && value !== null);
    const answer = await settles(handle(new Request(url ?? APP + target, { method, headers: given, ...init })), 15_000);
    if (answer === null) return null;
    const text = await answer.text();
    const cookies = answer.headers.getSetCookie();
    const set = Object.fromEntries(cookies.map(setCookie).map((cookie) => [cookie.name, cookie]));
    return { status: answer.status, headers: answer.headers, text, body: text === "" ? null : JSON.parse(text), cookies, set };
  };
}

/**
 * A browser with a page of the handler's origin: `fetch` for the page's client, with the cookies in `jar` (name to value), as the answers set and clear them. What the page's scripts get to
 * see is in `seen`: every answer's text and headers but `Set-Cookie`.
 */
export function browserOf(handle, jar = {}) {
  const seen = [];
  const fetch = async (request) => {
    const headers = new Headers(request.headers);
    for (const [name, value] of Object.entries(OWN_PAGE)) headers.set(name, value);
    const cookie = Object.entries(jar).map(([name, value]) => `${name}=${value}`).join("; ");
    if (cookie) headers.set("cookie", cookie);
    const answer = await handle(new Request(request, { headers }));
    if (answer === null) return new Response("<!doctype html>", { status: 404, headers: { "content-type": "text/html" } });
    for (const { name, value, "max-age": age } of answer.headers.getSetCookie().map(setCookie)) {
      if (age === "0") delete jar[name];
      else jar[name] = value;
    }
    const shown = new Headers(answer.headers);
    shown.delete("set-cookie");
    const text = await answer.text();
    seen.push([...shown].flat().join("\n") + text);
    return new Response(text === "" ? null : text, { status: answer.status, headers: shown });
  };
  return { jar, seen, fetch, sessions: createSessions({ provider: edgeHandler, baseUrl: `${APP}/api`, fetch, maxRetries: 0 }) };
}
