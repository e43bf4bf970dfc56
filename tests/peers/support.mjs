// What the peers share: the sandbox they are run against, and recordings that are held to the documents where those are present.
import assert from "node:assert/strict";
import { ask, sandboxUrl } from "../sandbox-routes.mjs";
import { recordingFetch } from "./openapi.mjs";

// As it is now: a test may put another one there for a client.
const { fetch } = globalThis;

/** Base URLs, as the clients here want them: theirs end before the version. */
export const CLERK = `${sandboxUrl}/clerk`;
export const KSEF = `${sandboxUrl}/ksef`;
export const SECRET_KEY = "sk_test_sandbox_not_a_real_key";

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
