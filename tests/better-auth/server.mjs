// The real Better Auth over HTTP on loopback, with demo users: what the package says about it is tested against itself.
//
//   node tests/better-auth/server.mjs [--port N] [--allow-origin ORIGIN]… [--rate-limit] [--stdin]
//
// prints one line on stdout, "better-auth listening on http://127.0.0.1:PORT", and stops on SIGTERM, SIGINT or, with
// --stdin, when its standard input ends. It lets everybody in: its passwords stand below and in its tests.
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { bearer } from "better-auth/plugins";

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

// Addresses are from the ranges for documentation (RFC 5737, RFC 3849). The first device of each user is where they signed up.
const PEOPLE = [
  {
    email: "demo@example.com",
    name: "Dana Demo",
    devices: [
      { age: 5 * DAY, ip: "198.51.100.9", agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/151.0.0.0 Safari/537.36 Edg/151.0.0.0" },
      { age: 3 * DAY, ip: "203.0.113.140", agent: "Mozilla/5.0 (Linux; Android 16; SAMSUNG SM-S938B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36" },
      { age: 2 * DAY }, // by a program that names neither itself nor an address
      { age: DAY + 3 * HOUR, ip: "198.51.100.77", agent: "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:151.0) Gecko/20100101 Firefox/151.0" },
      { age: 9 * HOUR, ip: "2001:db8:4f2:1c00::7", agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1" },
      { age: 2 * HOUR, ip: "203.0.113.24", agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/152.0.0.0 Safari/537.36" },
    ],
  },
  {
    email: "other@example.com",
    name: "Oskar Other",
    devices: [
      { age: 4 * DAY, ip: "198.51.100.160", agent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/152.0.0.0 Mobile Safari/537.36" },
      { age: 5 * HOUR, ip: "203.0.113.201", agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Safari/605.1.15" },
    ],
  },
];
const passwordOf = ({ email }) => `${email.split("@")[0]}-password`;

/** A listening server. `allowOrigins`: pages of these origins may call, with credentials. `rateLimit`: Better Auth's own one, as in production. */
export async function start({ port = 0, allowOrigins = [], rateLimit = false } = {}) {
  for (const origin of allowOrigins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) throw new Error(`${JSON.stringify(origin)} is not an origin such as http://localhost:5173`);
  }
  let app;
  const server = createServer((request, response) => app(request, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  try {
    app = await application(url, allowOrigins, rateLimit);
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    url,
    async stop() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function application(url, allowOrigins, rateLimit) {
  const store = {};
  const auth = betterAuth({
    baseURL: url,
    secret: randomBytes(32).toString("hex"),
    database: memoryAdapter(store),
    emailAndPassword: { enabled: true, password: { hash, verify } },
    plugins: [bearer()],
    trustedOrigins: allowOrigins,
    // In the store, where a reset can clear it; its default is a map of the module.
    rateLimit: { enabled: rateLimit, storage: "database" },
    // Its default depends on NODE_ENV, with which there would be no origin rules under some test runners.
    advanced: { disableOriginCheck: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  const { rateLimit: limiter } = await auth.$context;
  const handle = toNodeHandler(auth);
  const log = requestLog();

  /** Everything as after a start: the people, and their sign-ins by Better Auth's own API. */
  async function reset() {
    limiter.enabled = false;
    Object.assign(store, { user: [], session: [], account: [], verification: [], rateLimit: [] });
    for (const person of PEOPLE) {
      const password = passwordOf(person);
      for (const [index, { age, ip, agent }] of person.devices.entries()) {
        const headers = new Headers({ "content-type": "application/json" });
        if (ip) headers.set("x-forwarded-for", ip);
        if (agent) headers.set("user-agent", agent);
        const [route, body] = index === 0 ? ["sign-up", { email: person.email, password, name: person.name }] : ["sign-in", { email: person.email, password }];
        const response = await auth.handler(new Request(`${url}/api/auth/${route}/email`, { method: "POST", headers, body: JSON.stringify(body) }));
        if (!response.ok) throw new Error(`${route} of ${person.email} answered ${response.status}`);
        makeOlder(store.session.at(-1), age);
      }
    }
    limiter.enabled = rateLimit;
    log.clear();
    return { users: store.user.length, sessions: store.session.length };
  }

  const sessions = (email) => {
    const emails = new Map(store.user.map((user) => [user.id, user.email]));
    const rows = store.session.map(({ id, userId, createdAt, updatedAt, expiresAt, userAgent, ipAddress }) => ({ id, user: emails.get(userId), createdAt, updatedAt, expiresAt, userAgent, ipAddress }));
    return { sessions: email === null ? rows : rows.filter(({ user }) => user === email) };
  };

  const routes = {
    "POST /test/reset": reset,
    "GET /test/sessions": (_, query) => sessions(query.get("user")),
    "POST /test/age": ({ id, ms }) => {
      if (!Number.isSafeInteger(ms) || ms < 0) throw new Refused(400, "ms is not a number of milliseconds");
      const session = store.session.find((session) => session.id === id);
      if (!session) throw new Refused(404, "there is no session of that id");
      makeOlder(session, ms);
      return { id, createdAt: session.createdAt, expiresAt: session.expiresAt };
    },
    "GET /test/requests": () => log.read(),
    "DELETE /test/requests": () => log.clear(),
    "POST /test/rate-limit": ({ enabled }) => {
      if (typeof enabled !== "boolean") throw new Refused(400, "enabled is neither true nor false");
      limiter.enabled = enabled;
      store.rateLimit = [];
      return { enabled };
    },
  };

  await reset();

  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, url);
    const { origin } = request.headers;
    const allowed = origin === url || allowOrigins.includes(origin);
    if (allowed) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-allow-credentials", "true");
      response.setHeader("access-control-expose-headers", "set-auth-token");
    }
    response.setHeader("vary", "origin");
    const forAuth = pathname.startsWith("/api/auth/");
    if (forAuth) log.add(request, response, pathname);
    if (request.method === "OPTIONS") {
      if (allowed) {
        response.setHeader("access-control-allow-methods", "GET, POST, DELETE");
        response.setHeader("access-control-allow-headers", "authorization, content-type");
      }
      return response.writeHead(204).end();
    }
    if (forAuth) return handle(request, response);
    try {
      // Not for foreign pages: a simple POST would need no preflight.
      if (origin !== undefined && !allowed) throw new Refused(403, "this origin is not allowed");
      const route = Object.hasOwn(routes, `${request.method} ${pathname}`) && routes[`${request.method} ${pathname}`];
      if (!route) throw new Refused(404, `there is no ${request.method} ${pathname}`);
      answer(response, 200, await route(await bodyOf(request), searchParams));
    } catch (error) {
      answer(response, error instanceof Refused ? error.status : 500, { message: error.message });
    }
  };
}

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function answer(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** The JSON object in a body; an empty one when there is no body. */
async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (text === "") return {};
  let value;
  try {
    value = JSON.parse(text);
  } catch {}
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Refused(400, "the body is not a JSON object");
  return value;
}

/** As if everything about it had happened that much earlier. */
function makeOlder(session, ms) {
  for (const field of ["createdAt", "updatedAt", "expiresAt"]) session[field] = new Date(session[field].getTime() - ms);
}

/** The last 1000 requests to Better Auth: names of headers, never their values. `status` is null while there is no answer. */
function requestLog() {
  let requests = [];
  return {
    add(request, response, path) {
      const entry = { method: request.method, path, status: null, headers: Object.keys(request.headers).sort() };
      requests.push(entry);
      if (requests.length > 1000) requests.shift();
      // When the head is made, not when the answer is through: who has read the answer finds its status here.
      const { writeHead } = response;
      response.writeHead = function (status, ...more) {
        entry.status = status;
        return writeHead.call(this, status, ...more);
      };
    },
    read: () => ({ requests }),
    clear() {
      requests = [];
      return { requests };
    },
  };
}

// Cheap on purpose: nothing here is worth protecting, and each start hashes a password for every seeded session.
const scrypt = (password, salt) => scryptSync(password, salt, 32, { N: 16 });

async function hash(password) {
  const salt = randomBytes(16);
  return `${salt.toString("hex")}:${scrypt(password, salt).toString("hex")}`;
}

async function verify({ hash, password }) {
  const [salt, key] = hash.split(":").map((part) => Buffer.from(part, "hex"));
  return timingSafeEqual(scrypt(password, salt), key);
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      "allow-origin": { type: "string", multiple: true, default: [] },
      "rate-limit": { type: "boolean", default: false },
      stdin: { type: "boolean", default: false },
    },
  });
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65535) throw new Error(`--port ${values.port} is not a port`);
  const { url, stop } = await start({ port: Number(values.port), allowOrigins: values["allow-origin"], rateLimit: values["rate-limit"] });
  const end = () => stop().then(() => process.exit(0));
  process.once("SIGTERM", end).once("SIGINT", end);
  if (values.stdin) process.stdin.once("end", end).once("error", end).resume();
  console.log(`better-auth listening on ${url}`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
