// What the peers share: the sandbox they are run against, and recordings that are held to the documents where those are present.
import assert from "node:assert/strict";
import { recordingFetch } from "./openapi.mjs";

// As it is now: a test may put another one there for a client.
const { fetch } = globalThis;

const { SANDBOX_URL } = process.env;
if (!SANDBOX_URL) throw new Error("set SANDBOX_URL to a running sandbox, such as `cargo run -p sandbox` starts");

const sandboxUrl = SANDBOX_URL.replace(/\/$/, "");

/** Base URLs, as the clients here want them: theirs end before the version. */
export const CLERK = `${sandboxUrl}/clerk`;
export const KSEF = `${sandboxUrl}/ksef`;
export const SECRET_KEY = "sk_test_sandbox_not_a_real_key";

async function ask(method, route, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(`${sandboxUrl}/sandbox/${route}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${route}: ${response.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}

export const sandbox = {
  reset: () => ask("POST", "reset"),
  /** A new session on a wire: `access`, `refresh`, `id` and `user` as that wire has them, and what else it has. */
  async signIn(wire, email = "demo@example.com") {
    const { access_token: access, refresh_token: refresh, session_id: id, user, ...more } = await ask("POST", "sign-in", { email, password: `${email.split("@")[0]}-password`, wire });
    return { access, refresh, id, user: user.id, authenticationToken: more.authentication_token, client: more.client_id };
  },
  faults: (...rules) => ask("PUT", "faults", rules),
  advance: (ms) => ask("POST", "clock", { advance_ms: ms }),
  rateLimit: (enabled) => ask("PUT", "rate-limit", { enabled }),
  /** A user's rows, newest first. */
  rows: async (email = "demo@example.com") => (await ask("GET", `sessions?user=${email}`)).sessions,
  /** The row of a wire's id. */
  async row(wire, id) {
    const { sessions } = await ask("GET", "sessions");
    return sessions.find(({ ids }) => ids[wire] === id);
  },
};

/** The claims of a JWT. */
export const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

/** A recording; one that records nothing where the document is absent. */
export const recorder = (spec, base) => (spec === null ? { fetch, violations: [], calls: [] } : recordingFetch(spec, base, { fetch }));

/** Takes out of a recording again what was done wrong on purpose, which has to be exactly this. */
export function onPurpose(spec, recording, ...violations) {
  if (spec !== null) assert.deepEqual(recording.violations.splice(0), violations);
}

/** What the promise rejects with. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("it succeeded");
}

/** Asks until the answer has that status: for limits that count requests. All at once, because some are per second. */
export async function provoke(status, most, request) {
  const answers = await Promise.all(Array.from({ length: most }, request));
  return answers.find((answer) => answer.status === status) ?? assert.fail(`no ${status} in ${most} requests`);
}
