// Signs users in, and compares what a cell says it did with what the sandbox has. A cell knows none of the expectations.
import assert from "node:assert/strict";

const EMAIL = "demo@example.com";
/** Two are signed in for each cell; what their devices are called, only the user agents say. */
const OWN = { agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", label: "Chrome on macOS" };
const OTHER = { agent: "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", label: "Firefox on Linux" };
/** Some of the sandbox's demo data. */
const DEMO = ["Chrome on Windows", "Edge on Windows", "Safari on iPhone"];

/** Seconds for one request. */
const LIMIT = 20;

/** What a cell that has the tokens itself is told of its job. */
export const told = ({ baseUrl, access, refresh, other }) => ({ options: { provider: "authvital", baseUrl, token: access, refreshToken: refresh }, other });

export class Sandbox {
  constructor(url) {
    this.url = url.replace(/\/$/, "");
    this.baseUrl = `${this.url}/authvital`;
  }

  async #ask(method, route, body, headers = {}) {
    const response = await fetch(`${this.url}/sandbox/${route}`, {
      method, headers: { "content-type": "application/json", ...headers }, body: body && JSON.stringify(body), signal: AbortSignal.timeout(LIMIT * 1000),
    });
    assert.ok(response.ok, `the sandbox: ${method} ${route}: ${response.status}`);
    return response.json();
  }

  async #signIn({ agent }, email = EMAIL) {
    const { access_token: access, refresh_token: refresh } = await this.#ask("POST", "sign-in", { email, password: `${email.split("@")[0]}-password` }, { "user-agent": agent });
    return { access, refresh, id: JSON.parse(Buffer.from(refresh.split(".")[1], "base64url")).sid };
  }

  reset() {
    return this.#ask("POST", "reset");
  }

  /** A session for a cell, with its tokens and id, and the id of another one of the same user that it may end. */
  async job(email) {
    const { access, refresh, id: own } = await this.#signIn(OWN, email);
    const { id: other } = await this.#signIn(OTHER, email);
    return { baseUrl: this.baseUrl, access, refresh, own, other };
  }

  /** A session on another wire, by that wire's id. */
  async signInOn(wire) {
    const { access_token: access, refresh_token: refresh, session_id: id } = await this.#ask("POST", "sign-in", { email: EMAIL, password: "demo-password", wire });
    return { access, refresh, id };
  }

  async rows() {
    return (await this.#ask("GET", `sessions?user=${EMAIL}`)).sessions;
  }

  /** How often it was asked this since the last `forget`. */
  async asked(line) {
    const { requests } = await this.#ask("GET", "requests");
    return requests.filter(({ method, path }) => `${method} ${path}` === line).length;
  }

  forget() {
    return this.#ask("DELETE", "requests");
  }

  /** How a session ended; null while it has not. */
  async ended(id) {
    const row = (await this.rows()).find((row) => row.id === id);
    assert.ok(row, `the sandbox has no session ${id}`);
    return row.ended_by;
  }
}

/** Fails unless the list is the user's: other cells' sessions come and go meanwhile, so of those only that they exist is looked at. */
async function checkList(sandbox, listed, { own, other }) {
  const known = new Set((await sandbox.rows()).map(({ id }) => id));
  for (const { id } of listed) assert.ok(known.has(id), `a session that the sandbox has not: ${id}`);
  const found = (id) => listed.find((session) => session.id === id);
  assert.deepEqual(found(own), { id: own, label: OWN.label, current: true }, "its own session in the list");
  assert.deepEqual(found(other), { id: other, label: OTHER.label, current: false }, "the other session in the list");
  for (const label of DEMO) assert.ok(listed.some((session) => session.label === label), `no ${label} in the list`);
  assert.equal(listed.filter(({ current }) => current).length, 1, "current sessions in the list");
}

async function checkEnded(sandbox, { own, other }) {
  assert.equal(await sandbox.ended(other), "revoked", "how the sandbox ended the session that was revoked");
  assert.equal(await sandbox.ended(own), "logout", "how the sandbox ended the session that logged out");
}

/** The scenario's report is right, and the sandbox agrees. */
export async function checkReport(sandbox, job, said, { scope, agent }) {
  if (said.failed) throw new Error(said.failed);
  await checkEnded(sandbox, job);
  await checkList(sandbox, said.listed, job);
  assert.deepEqual(said.revoked, { id: job.other, success: true, outcome: "revoked" });
  assert.deepEqual(said.monitored, { noticed: true, found: 0, events: ["https://schemas.openid.net/secevent/caep/event-type/session-revoked"] });
  assert.deepEqual(said.logout, { server: "confirmed" });
  assert.deepEqual(said.error, { code: "unauthenticated", status: 401, is: true, instance: true });
  assert.deepEqual(said.violations ?? [], [], "violations of the content security policy");
  if (scope) assert.equal(said.scope, scope, "the scope that the cell ran in");
  if (agent) assert.match(said.agent, agent, "the runtime that the cell ran in");
}

/** The scenario in a server that answers `POST /scenario` below `url`. */
export async function checkScenario(sandbox, url, expected = {}) {
  const job = await sandbox.job();
  const body = JSON.stringify(told(job));
  const response = await fetch(`${url}/scenario`, { method: "POST", headers: { "content-type": "application/json" }, body, signal: AbortSignal.timeout(LIMIT * 1000) });
  const text = await response.text();
  assert.ok(response.ok, `the server answered ${response.status}: ${text.slice(0, 500)}`);
  await checkReport(sandbox, job, JSON.parse(text), expected);
}

/** The handler of ./edge, served below `url`, as a browser would ask it. */
export async function checkHandler(sandbox, url) {
  const { origin } = new URL(url);
  const job = await sandbox.job();
  const ask = async (method, path, headers = {}) => {
    const response = await fetch(url + path, { method, redirect: "manual", headers: { "x-matrix-base-url": sandbox.baseUrl, ...headers }, signal: AbortSignal.timeout(LIMIT * 1000) });
    const text = await response.text();
    const body = /json/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : text;
    return { status: response.status, body, cookies: response.headers.getSetCookie(), summary: `${method} ${path} ${Object.keys(headers)}: ${response.status} ${text.slice(0, 300)}` };
  };
  const cookie = `access_token=${job.access}; refresh_token=${job.refresh}`;

  const list = await ask("GET", "/api/sessions", { cookie });
  assert.equal(list.status, 200, list.summary);
  await checkList(sandbox, list.body.sessions.map(({ id, device, current }) => ({ id, label: device?.label ?? null, current })), job);
  const anonymous = await ask("GET", "/api/sessions");
  assert.deepEqual([anonymous.status, anonymous.body.error?.code], [401, "unauthenticated"], anonymous.summary);
  const elsewhere = await ask("GET", "/api/something-else", { cookie });
  assert.deepEqual([elsewhere.status, elsewhere.body], [404, "not the handler's"], elsewhere.summary);

  const revoke = `/api/sessions/${job.other}/revoke`;
  for (const headers of [{}, { origin: "https://evil.example" }, { origin, "sec-fetch-site": "cross-site" }]) {
    const refused = await ask("POST", revoke, { cookie, ...headers });
    assert.equal(refused.status, 403, refused.summary);
  }
  assert.equal(await sandbox.ended(job.other), null, "a refused request must not end a session");
  const revoked = await ask("POST", revoke, { cookie, origin });
  assert.equal(revoked.status, 200, revoked.summary);
  assert.deepEqual([revoked.body.id, revoked.body.success], [job.other, true], revoked.summary);

  const logout = await ask("POST", "/api/logout", { cookie, origin, "sec-fetch-site": "same-origin" });
  assert.equal(logout.status, 200, logout.summary);
  for (const name of ["access_token", "refresh_token"]) {
    const clears = (value) => value.startsWith(`${name}=;`) && /max-age=0|expires=thu, 01 jan 1970/i.test(value);
    assert.ok(logout.cookies.some(clears), `${name} is not cleared by ${logout.cookies.join(" | ")}`);
  }
  await checkEnded(sandbox, job);
}
