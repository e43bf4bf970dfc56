// A thousand browsers at once on the handler in workerd, over the sandbox, while 5 of 100 requests to the back-end go wrong:
//
//     node tests/matrix/load.mjs [BROWSERS]        env PACKAGE_TARBALL, SANDBOX_BIN
//
// Each browser loads its page again and again (three requests at once), revokes a device now and then, and logs out in the end. Afterwards the sandbox's rows have to agree with
// everything that was answered: nothing is lost, nobody saw another's sessions, no refresh token was used twice, all is settled, and the memory of the wasm does not grow.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { NEWEST, workerd } from "./runtimes.mjs";
import { folderOf, makeProject, serve, target, within, work } from "./support.mjs";

const { PACKAGE_TARBALL, SANDBOX_BIN } = process.env;
if (!PACKAGE_TARBALL || !SANDBOX_BIN) throw new Error("set PACKAGE_TARBALL and SANDBOX_BIN; `cargo xtask test load` does");

const BROWSERS = Number(process.argv[2] ?? 1000);
/** So that what is revoked is often another browser's. */
const PER_USER = 4;
const ROUNDS = 6;
/** Pages that load at once, with three requests each: people look at a page before they go on. */
const AT_ONCE = 100;
const ACCESS_TTL = 4;
/** Requests of one browser afterwards, while nothing gets any larger: the memory must not either. */
const AFTERWARDS = 1000;
/** The memory of one step is used again by the next, so it is that of the largest answer: in 64 KiB pages, what larger lists may add during the load. */
const PAGES = 4;
/** No answer may take longer, in seconds. */
const DEADLINE = 40;

const began = Date.now();
await makeProject(path.resolve(PACKAGE_TARBALL));
const sandbox = await serve(path.resolve(SANDBOX_BIN), ["--db", path.join(work, "load.sqlite3"), "--reset", "--listen", "127.0.0.1:0", "--access-ttl", ACCESS_TTL]);
const folder = await folderOf("load", ["load/worker.mjs", "load/memory.mjs"]);
const server = await workerd(folder, NEWEST, { entry: "worker.mjs", bindings: { SANDBOX: sandbox.url } });

async function post(route, body) {
  const response = await fetch(`${sandbox.url}/sandbox/${route}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  assert.ok(response.ok, `${route}: ${response.status}`);
  return response.json();
}

/** Lets so many in at once. */
function gate(size) {
  const waiting = [];
  let free = size;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

const turn = gate(AT_ONCE);

/** Runs the jobs, so many at once. */
async function pool(jobs, size) {
  let next = 0;
  await Promise.all(Array.from({ length: size }, async () => {
    while (next < jobs.length) await jobs[next++]();
  }));
}

const sid = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sid;
const load = async () => (await fetch(`${server.url}/load`)).json();
const told = { statuses: {}, revoked: new Set(), loggedOut: new Set(), requests: 0, signedOut: [], took: [] };

class Browser {
  cookies = {};
  /** Every session that was ever this browser's, and every one that it was shown. */
  own = new Set();
  shown = new Set();

  constructor(number) {
    this.number = number;
    this.email = `user-${Math.floor(number / PER_USER)}@example.com`;
  }

  async signIn() {
    const { access_token, refresh_token } = await post("sign-in", { email: this.email, password: "load-password" });
    this.cookies = { access_token, refresh_token };
    this.own.add(sid(refresh_token));
  }

  /** As a browser does it: the cookies of now go with it, and those of the answer are kept. */
  async ask(method, route) {
    const cookie = Object.entries(this.cookies).map((pair) => pair.join("=")).join("; ");
    const start = Date.now();
    const response = await within(DEADLINE, `${method} ${route}`, fetch(server.url + route, { method, headers: { cookie, ...(method === "POST" && { origin: server.url }) } }));
    const body = await within(DEADLINE, `the body of ${method} ${route}`, response.json());
    told.took.push(Date.now() - start);
    told.requests++;
    const kind = response.ok ? String(response.status) : `${response.status} ${body.error?.code}`;
    told.statuses[kind] = (told.statuses[kind] ?? 0) + 1;
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (value) this.cookies[name] = value;
      else delete this.cookies[name];
      if (value && name === "refresh_token") this.own.add(sid(value));
    }
    assert.ok(response.ok || body.error, `${response.status} without an error`);
    return { status: response.status, body };
  }

  async page() {
    const answers = await Promise.all([this.ask("GET", "/api/sessions"), this.ask("GET", "/api/sessions"), this.ask("GET", "/api/sessions")]);
    for (const { status, body } of answers) {
      if (status !== 200) continue;
      for (const { id, current } of body.sessions) {
        this.shown.add(id);
        if (current) assert.ok(this.own.has(id), "another browser's session is called this one");
      }
    }
    return answers;
  }

  async live() {
    for (let round = 0; round < ROUNDS; round++) await turn(() => this.look(round));
    if (this.number % 2 === 0) await turn(() => this.leave());
  }

  async look(round) {
    const answers = await this.page();
    if (answers.some(({ status }) => status === 401)) {
      told.signedOut.push(sid(this.cookies.refresh_token));
      await this.signIn();
    } else {
      const other = answers.find(({ status }) => status === 200)?.body.sessions.find(({ current }) => current === false);
      if (other && (this.number + round) % 9 === 0) {
        const { status, body } = await this.ask("POST", `/api/sessions/${other.id}/revoke`);
        if (status === 200) {
          assert.ok(body.success || body.outcome === "already-revoked", JSON.stringify(body));
          told.revoked.add(other.id);
        }
      }
    }
  }

  async leave() {
    const mine = this.cookies.refresh_token;
    const { status, body } = await this.ask("POST", "/api/logout");
    assert.equal(status, 200, "a logout is always answered");
    assert.deepEqual(this.cookies, {}, "a logout clears the cookies");
    assert.equal(body.success, body.server === "confirmed");
    if (body.success) told.loggedOut.add(sid(mine));
  }
}

try {
  const browsers = Array.from({ length: BROWSERS }, (_, number) => new Browser(number));
  const emails = [...new Set(browsers.map(({ email }) => email))];
  await pool(emails.map((email) => () => post("users", { email, password: "load-password", name: email })), 8);
  await pool(browsers.map((browser) => () => browser.signIn()), 8);
  console.log(`${BROWSERS} browsers of ${emails.length} users are signed in after ${Math.round((Date.now() - began) / 1000)} s`);

  // So that everything is compiled and the memory has the size that it needs.
  await pool(browsers.slice(0, 50).map((browser) => () => browser.page()), 50);
  const before = await load();
  const start = Date.now();
  await within(300, "the whole load", Promise.all(browsers.map((browser) => browser.live())));
  const seconds = (Date.now() - start) / 1000;
  const after = await load();
  const last = new Browser(0);
  await last.signIn();
  for (let n = 0; n < AFTERWARDS; n++) await last.ask("GET", "/api/sessions");
  const end = await load();

  const { sessions: rows } = await (await fetch(`${sandbox.url}/sandbox/sessions`)).json();
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const { email, shown } of browsers) {
    for (const id of shown) assert.equal(byId.get(id)?.user, email, "a session of another user was shown");
  }
  for (const id of told.revoked) assert.equal(byId.get(id).state, "ended", "said to be revoked, and is not");
  for (const id of told.loggedOut) assert.notEqual(byId.get(id).state, "active", "said to be logged out, and is not");
  // A user who has to sign in again was revoked, or the answer to a refresh was lost: then the session may be there still.
  const without = told.signedOut.filter((id) => byId.get(id).ended_by !== "revoked");
  assert.ok(without.length <= after.lostRefreshes, `${without.length} had to sign in again, and only ${after.lostRefreshes} refreshes were lost`);
  assert.deepEqual(rows.filter(({ ended_by }) => ended_by === "replay"), [], "a refresh token was used twice");
  assert.equal(after.open, 0, "requests that were never answered");
  assert.deepEqual([end.instances, end.wasmBytes], [1, after.wasmBytes], "the memory grew though nothing else did");
  assert.ok(after.wasmBytes - before.wasmBytes <= PAGES * 65_536, `the memory grew by ${(after.wasmBytes - before.wasmBytes) / 65_536} pages`);
  assert.ok(after.faults / after.requests > 0.03, "there were faults");

  told.took.sort((a, b) => a - b);
  const figures = {
    browsers: BROWSERS, users: emails.length, requests: told.requests, seconds, perSecond: Math.round(told.requests / seconds),
    medianMs: told.took[told.took.length >> 1], p99Ms: told.took[Math.floor(told.took.length * 0.99)], longestMs: told.took.at(-1),
    toBackEnd: after.requests, faults: after.faults, statuses: told.statuses, revoked: told.revoked.size, loggedOut: told.loggedOut.size, signedInAgain: told.signedOut.length, lostRefreshes: after.lostRefreshes,
    refreshes: rows.filter(({ ended_by }) => ended_by === "rotated").length, replays: 0, unsettled: after.open, wasmBytes: { before: before.wasmBytes, after: after.wasmBytes, afterwards: end.wasmBytes },
  };
  console.log(figures);
  await mkdir(path.join(target, "artifacts"), { recursive: true });
  await writeFile(path.join(target, "artifacts/load.json"), `${JSON.stringify(figures, null, 2)}\n`);
} finally {
  server.stop();
  sandbox.stop();
}
