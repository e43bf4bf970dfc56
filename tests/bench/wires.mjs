// The back-ends as their clients see them: bodies as they are on the wire, made up but the same in every run, and what they answer. In Node, in workerd's and in Chromium's reach.

const AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
  "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
];
const PLACES = [["Warsaw", "PL", "Poland"], ["Kraków", "PL", "Poland"], ["Berlin", "DE", "Germany"], ["São Paulo", "BR", "Brazil"]];
const START = Date.UTC(2026, 0, 1);

/** As many letters and digits, of a number and what it is for. */
function token(seed, length, alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") {
  let state = [...seed].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16777619) >>> 0, 2166136261);
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return alphabet[Math.floor((state / 2 ** 32) * alphabet.length)];
  }).join("");
}

const hex = (seed, length) => token(seed, length, "0123456789abcdef");
const uuid = (seed) => [8, 4, 4, 4, 12].map((length, at) => hex(`${seed}${at}`, length)).join("-");
const pick = (list, number) => list[number % list.length];
const minutes = (number) => START + number * 60_000;
const iso = (ms) => new Date(ms).toISOString();
const address = (number) => `203.0.113.${number % 256}`;

function clerkSession(number) {
  const [city, country] = pick(PLACES, number);
  const id = `sess_${token(`session${number}`, 27)}`;
  return {
    object: "session", id, user_id: "user_2bench", client_id: `client_${token(`client${number}`, 27)}`, status: "active", last_active_at: minutes(number) + 3_600_000,
    expire_at: minutes(number) + 604_800_000, abandon_at: minutes(number) + 2_592_000_000, created_at: minutes(number), updated_at: minutes(number) + 3_600_123, actor: null, last_active_organization_id: null,
    latest_activity: {
      object: "session_activity", id: `sess_activity_${token(`activity${number}`, 27)}`, device_type: pick(["Windows", "iPhone", "Macintosh", "Linux", "Android"], number), is_mobile: [1, 4].includes(number % 5),
      browser_name: pick(["Chrome", "Mobile Safari", "Safari", "Firefox", "Chrome Mobile"], number), browser_version: pick(["142.0.0.0", "26.0", "18.1", "145.0"], number), ip_address: address(number), city, country,
    },
    tasks: null,
  };
}

const betterAuthSession = (number) => ({
  expiresAt: iso(minutes(number) + 604_800_000), token: token(`token${number}`, 32), createdAt: iso(minutes(number)), updatedAt: iso(minutes(number) + 3_600_000), ipAddress: address(number),
  userAgent: pick(AGENTS, number), userId: token("user", 32), id: token(`session${number}`, 32),
});

const orySession = (number) => ({
  id: uuid(`session${number}`), active: true, expires_at: iso(minutes(number) + 604_800_000), authenticated_at: iso(minutes(number)), authenticator_assurance_level: "aal1",
  authentication_methods: [{ method: "password", aal: "aal1", completed_at: iso(minutes(number)) }], issued_at: iso(minutes(number)),
  identity: { id: uuid("user"), schema_id: "preset://email", schema_url: "https://bench.example/schemas/cHJlc2V0Oi8vZW1haWw", state: "active", traits: { email: "demo@example.com" } },
  devices: [{ id: uuid(`device${number}`), ip_address: address(number), user_agent: pick(AGENTS, number), location: pick(PLACES, number).slice(0, 2).join(", ") }],
});

const appwriteSession = (number) => ({
  $id: hex(`session${number}`, 20), $createdAt: iso(minutes(number)).replace("Z", "+00:00"), $updatedAt: iso(minutes(number)).replace("Z", "+00:00"), userId: hex("user", 20),
  expire: iso(minutes(number) + 604_800_000).replace("Z", "+00:00"), provider: "email", providerUid: "demo@example.com", providerAccessToken: "", providerAccessTokenExpiry: "", providerRefreshToken: "",
  ip: address(number), osCode: pick(["WIN", "IOS", "MAC", "UBT", "AND"], number), osName: pick(["Windows", "iOS", "Mac", "Ubuntu", "Android"], number), osVersion: "10", clientType: "browser",
  clientCode: "CH", clientName: pick(["Chrome", "Mobile Safari", "Safari", "Firefox", "Chrome Mobile"], number), clientVersion: "142.0", clientEngine: "Blink", clientEngineVersion: "142.0.0.0", deviceName: "desktop",
  deviceBrand: null, deviceModel: null, countryCode: pick(PLACES, number)[1], countryName: pick(PLACES, number)[2], current: number === 0, factors: ["password"], secret: "", mfaUpdatedAt: "",
});

const ORY = {
  name: "ory", list: { method: "GET", path: "/sessions", fields: { createdAt: "issued_at", lastActiveAt: "authenticated_at" } }, revoke: { method: "DELETE", path: "/sessions/{id}" }, auth: { header: "X-Session-Token" },
};
const APPWRITE = {
  name: "appwrite", list: { method: "GET", path: "/account/sessions", fields: { lastActiveAt: "$updatedAt", country: "countryCode" } }, revoke: { method: "DELETE", path: "/account/sessions/{id}" },
  auth: { header: "X-Appwrite-JWT" },
};

/**
 * A back-end: what stands before its paths, a session of its list and that list; how it is listed and how a session is ended (`ended` tells which); the peer that speaks to it and what the others
 * are told. `most` is as many sessions as fit into the 8 MiB that this package reads.
 */
export const WIRES = {
  "better-auth": {
    prefix: "", session: betterAuthSession, body: (sessions) => sessions, most: 10_000,
    list: "GET /api/auth/list-sessions", revoke: /^POST \/api\/auth\/revoke-session$/, ended: (_, body, sessions) => sessions.find(({ token }) => token === JSON.parse(body).token)?.id, answer: () => ({ status: true }),
    peer: { app: "better-auth", package: "better-auth" }, plain: "betterAuth", options: { provider: "better-auth" },
  },
  clerk: {
    prefix: "/v1", session: clerkSession, body: (data, total_count) => ({ data, total_count }), most: 10_000,
    list: "GET /v1/sessions", revoke: /^POST \/v1\/sessions\/([^/]+)\/revoke$/, ended: ([, id]) => id, answer: (session) => ({ ...session, status: "revoked" }),
    peer: { app: "clerk", package: "@clerk/backend" }, plain: "clerk", options: { provider: "clerk", dangerouslyAllowBrowser: true }, scope: { userId: "user_2bench" },
  },
  ory: {
    prefix: "", session: orySession, body: (sessions) => sessions, most: 1000,
    list: "GET /sessions", revoke: /^DELETE \/sessions\/([^/]+)$/, ended: ([, id]) => id, answer: null,
    peer: { app: "ory", package: "@ory/client-fetch" }, plain: "ory", options: { provider: ORY },
  },
  appwrite: {
    prefix: "/v1", session: appwriteSession, body: (sessions, total) => ({ total, sessions }), most: 1000,
    list: "GET /v1/account/sessions", revoke: /^DELETE \/v1\/account\/sessions\/([^/]+)$/, ended: ([, id]) => id, answer: null,
    peer: { app: "appwrite", package: "appwrite" }, plain: "appwrite", options: { provider: APPWRITE, headers: { "X-Appwrite-Project": "bench" } },
  },
};

const idOf = ({ id, $id }) => id ?? $id;

/** A back-end with so many sessions: it answers a request line with `{ status, bytes }`, and knows what it was asked. */
export class BackEnd {
  /** The ids that were ended, in order. */
  ended = [];
  lists = 0;

  constructor(name, count) {
    this.wire = WIRES[name];
    this.sessions = Array.from({ length: count }, (_, number) => this.wire.session(number));
    this.ids = this.sessions.map(idOf);
    this.whole = this.#bytes(this.wire.body(this.sessions, count));
  }

  /** What the apps are told. */
  given(origin) {
    const { prefix, options, scope, list } = this.wire;
    const [baseUrl, token] = [origin + prefix, "sk_test_bench"];
    return { baseUrl, token, options: { ...options, baseUrl, token }, scope, listUrl: `${origin}${list.split(" ")[1]}` };
  }

  /** A page of it where the request names one in Clerk's way, when it is told to. */
  answer(method, url, body, inPages = false) {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const line = `${method} ${pathname}`;
    if (line === this.wire.list) {
      this.lists++;
      if (!inPages) return { status: 200, bytes: this.whole };
      const [limit, offset] = [Number(searchParams.get("limit") ?? 10), Number(searchParams.get("offset") ?? 0)];
      return { status: 200, bytes: this.#bytes(this.wire.body(this.sessions.slice(offset, offset + limit), this.sessions.length)) };
    }
    const match = line.match(this.wire.revoke);
    const id = match && this.wire.ended(match, body, this.sessions);
    const at = this.ids.indexOf(id);
    if (at < 0) return { status: 404, bytes: this.#bytes({ message: `there is no ${line}` }) };
    this.ended.push(id);
    return this.wire.answer ? { status: 200, bytes: this.#bytes(this.wire.answer(this.sessions[at])) } : { status: 204, bytes: null };
  }

  /** Throws unless these are all of its sessions: nobody is measured doing nothing. */
  check(sessions) {
    if (sessions.length !== this.ids.length) throw new Error(`${sessions.length} sessions instead of ${this.ids.length}`);
    const wrong = sessions.findIndex((session, at) => idOf(session) !== this.ids[at]);
    if (wrong >= 0) throw new Error(`session ${wrong} has the id ${idOf(sessions[wrong])} instead of ${this.ids[wrong]}`);
  }

  #bytes(value) {
    return new TextEncoder().encode(JSON.stringify(value));
  }
}
