// The sandbox's answers against the documents of the APIs that it stands for: every operation, every documented status.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { operationOf, skipWithout, specs, validateRequest, validateResponse } from "./openapi.mjs";
import { CLERK, KSEF, provoke, sandbox, SECRET_KEY } from "./support.mjs";

const JSON_TYPE = { "content-type": "application/json" };
const PROBLEM = { "x-error-format": "problem-details" };
const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** Asks the sandbox and holds the answer to the document; `seen` collects "METHOD /template status type". */
function asker(spec, base, seen) {
  return async function ask(line, { headers, body, query = "", proper = false } = {}) {
    const [method, path] = line.split(" ");
    // What is meant as a right request has to be one: otherwise a success says little.
    if (proper) assert.deepEqual(validateRequest(spec, method, path, query, headers, body), [], line);
    const response = await fetch(`${base}${path}${query && `?${query}`}`, { method, headers, body });
    const text = await response.text();
    const violations = validateResponse(spec, method, path + (query && `?${query}`), response.status, response.headers, text);
    assert.deepEqual(violations, [], `${line} answered ${response.status} ${text}`);
    seen.add(`${method} ${operationOf(spec, method, path).operation.template} ${response.status}${text === "" ? "" : ` ${response.headers.get("content-type").split(";")[0]}`}`);
    return { status: response.status, value: text === "" ? null : JSON.parse(text), headers: response.headers };
  };
}

/** Every documented answer was seen, but for those that are named. */
function assertCovered(spec, seen, ...missing) {
  const documented = spec.operations.flatMap(({ method, template, definition }) =>
    Object.keys(definition.responses).flatMap((status) => {
      let response = definition.responses[status];
      if (response.$ref) response = spec.document.components.responses[response.$ref.split("/").at(-1)];
      return response.content ? Object.keys(response.content).map((type) => `${method} ${template} ${status} ${type}`) : [`${method} ${template} ${status}`];
    }),
  );
  assert.deepEqual(documented.filter((answer) => !seen.has(answer)).sort(), missing.sort());
}

describe("Clerk", () => {
  const seen = new Set();
  const ask = specs.clerk && asker(specs.clerk, `${CLERK}/v1`, seen);
  const headers = bearer(SECRET_KEY);
  const post = (value) => ({ headers: { ...headers, ...JSON_TYPE }, body: JSON.stringify(value) });
  let user;
  before(async () => {
    await sandbox.reset();
    user = await sandbox.signIn("clerk");
  });

  /** A test that is skipped where the document is absent. */
  const checks = (name, run) => test(name, (t) => skipWithout(specs.clerk, t) || run());
  const answers = async (status, code, ...request) => {
    const answer = await ask(...request);
    assert.deepEqual([answer.status, answer.value.errors?.[0]?.code], [status, code], JSON.stringify(answer.value));
  };

  checks("every operation succeeds as documented", async () => {
    for (const query of [`user_id=${user.user}`, `client_id=${user.client}&limit=500&offset=0`, `user_id=${user.user}&paginated=true`, `user_id=${user.user}&paginated=false&status=active`, `user_id=${user.user}&__clerk_api_version=2026-05-12`]) {
      const { status, value } = await ask("GET /sessions", { headers, query, proper: true });
      assert.deepEqual([status, Array.isArray(value), (value.data ?? value).length > 0], [200, !query.includes("paginated=true"), true], query);
    }
    const right = async (line, more) => assert.equal((await ask(line, { headers, ...more, proper: true })).status, 200, line);
    await right("POST /sessions", post({ user_id: user.user }));
    await right(`GET /sessions/${user.id}`);
    await right(`GET /sessions/${user.id}`, { headers: { ...headers, "Clerk-API-Version": "2026-05-12" } });
    await right(`POST /sessions/${user.id}/tokens`);
    await right(`POST /sessions/${user.id}/tokens`, post({ expires_in_seconds: null }));
    await right(`POST /sessions/${user.id}/tokens/sandbox`, post({ expires_in_seconds: 315_360_000 }));
    const refresh = { expired_token: user.access, refresh_token: user.refresh, request_origin: "https://app.example.com" };
    await right(`POST /sessions/${user.id}/refresh`, post(refresh));
    await right(`POST /sessions/${user.id}/refresh`, post({ ...refresh, format: "cookie", request_headers: { "x-a": ["1", "2"] }, request_originating_ip: null }));
    // Afterwards: ended sessions are documented, too.
    await right(`POST /sessions/${user.id}/revoke`);
    await right(`GET /sessions/${user.id}`);
  });

  checks("sessions of every kind", async () => {
    const statuses = new Set();
    for (const days of [0, 8, 60]) {
      await sandbox.advance(days * 24 * 3600 * 1000);
      const { value } = await ask("GET /sessions", { headers, query: `user_id=${user.user}&limit=500` });
      for (const { status } of value) statuses.add(status);
    }
    assert.deepEqual([...statuses].sort(), ["abandoned", "active", "expired", "revoked"]);
    await sandbox.reset();
    user = await sandbox.signIn("clerk");
  });

  checks("401 everywhere without the key, with another and with no bearer token", async () => {
    for (const line of ["GET /sessions", "POST /sessions", `GET /sessions/${user.id}`, `POST /sessions/${user.id}/refresh`, `POST /sessions/${user.id}/revoke`, `POST /sessions/${user.id}/tokens`, `POST /sessions/${user.id}/tokens/sandbox`]) {
      await answers(401, "authentication_invalid", line);
      await answers(401, "clerk_key_invalid", line, { headers: bearer("sk_test_somebody_elses") });
      await answers(401, "authorization_header_format_invalid", line, { headers: { authorization: "Basic abc" } });
    }
  });

  checks("400 for what can't be understood", async () => {
    await answers(400, "missing_query_parameter", "GET /sessions", { headers });
    await answers(400, "malformed_request_parameters", "GET /sessions", { headers: { ...headers, "Clerk-API-Version": "2026-05-12" }, query: `user_id=${user.user}&__clerk_api_version=2026-05-12` });
    for (const line of ["POST /sessions", `POST /sessions/${user.id}/refresh`]) await answers(400, "malformed_request_parameters", line, { headers: { ...headers, ...JSON_TYPE }, body: "{" });
    for (const line of [`GET /sessions/${user.id}`, `POST /sessions/${user.id}/revoke`]) await answers(400, "malformed_request_parameters", line, { headers: { ...headers, "Clerk-API-Version": "newest" } });
  });

  checks("422 for values that are not allowed", async () => {
    for (const query of ["limit=0", "limit=501", "limit=x", "offset=-1", "status=pending", "status=gone", "paginated=perhaps"]) await answers(422, "form_param_value_invalid", "GET /sessions", { headers, query: `user_id=${user.user}&${query}` });
    await answers(422, "form_param_value_invalid", "POST /sessions", post({ user_id: 1 }));
    assert.equal((await ask("POST /sessions", post({}))).status, 422);
  });

  checks("404 for sessions, users, templates that there are not", async () => {
    await answers(404, "resource_not_found", "POST /sessions", post({ user_id: "user_nobody" }));
    for (const line of ["GET /sessions/sess_unknown", "POST /sessions/sess_unknown/revoke", "POST /sessions/sess_unknown/tokens", "POST /sessions/sess_unknown/tokens/sandbox", `POST /sessions/${user.id}/tokens/unknown`]) await answers(404, "resource_not_found", line, { headers });
  });

  checks("401 for a refresh that has anything wrong with it", async () => {
    const right = { expired_token: user.access, refresh_token: user.refresh, request_origin: "https://app.example.com" };
    for (const wrong of [{ expired_token: undefined }, { refresh_token: undefined }, { request_origin: undefined }, { refresh_token: "unknown" }, { expired_token: "unknown" }, { format: "xml" }, { request_headers: "x" }, { unknown: 1 }]) {
      assert.equal((await ask(`POST /sessions/${user.id}/refresh`, post({ ...right, ...wrong }))).status, 401, JSON.stringify(Object.keys(wrong)));
    }
  });

  checks("429 with the seconds to wait", async () => {
    await sandbox.rateLimit(true);
    try {
      const { headers: got } = await provoke(429, 101, () => ask(`GET /sessions/${user.id}`, { headers }));
      assert.match(got.get("retry-after"), /^([1-9]|10)$/);
    } finally {
      await sandbox.rateLimit(false);
    }
  });

  checks("answers are exactly application/json, as the official client wants it, and nothing has CORS headers", async () => {
    for (const more of [{ headers }, { headers: { ...headers, origin: "http://localhost:5173" } }, { headers: { origin: "http://localhost:5173" } }]) {
      const { headers: got } = await ask(`GET /sessions/${user.id}`, more);
      assert.equal(got.get("content-type"), "application/json");
      assert.deepEqual([...got.keys()].filter((name) => name.startsWith("access-control-")), []);
    }
  });

  checks("nothing documented was left out", () => assertCovered(specs.clerk, seen));
});

describe("KSeF", () => {
  const seen = new Set();
  const ask = specs.ksef && asker(specs.ksef, `${KSEF}/v2`, seen);
  let user;
  before(async () => {
    await sandbox.reset();
    user = await sandbox.signIn("ksef");
  });

  const checks = (name, run) => test(name, (t) => skipWithout(specs.ksef, t) || run());
  const lines = (reference) => ["GET /auth/sessions", "DELETE /auth/sessions/current", `DELETE /auth/sessions/${reference}`, "POST /auth/token/refresh", "POST /auth/token/redeem"];
  const answers = async (status, line, more) => {
    const answer = await ask(line, more);
    assert.equal(answer.status, status, JSON.stringify(answer.value));
    return answer;
  };
  /** In both forms of a 400. */
  async function refuses(code, line, { headers, ...more }) {
    const { value: old } = await answers(400, line, { headers, ...more });
    assert.deepEqual(old.exception.exceptionDetailList.map(({ exceptionCode }) => exceptionCode), [code]);
    const { value: problem, headers: got } = await answers(400, line, { headers: { ...headers, ...PROBLEM }, ...more });
    assert.deepEqual(problem.errors.map((error) => error.code), [code]);
    assert.match(got.get("content-type"), /^application\/problem\+json/);
  }

  checks("every operation succeeds as documented", async () => {
    const right = async (status, line, more) => answers(status, line, { ...more, proper: true });
    for (let n = 0; n < 5; n++) await sandbox.signIn("ksef");
    const { value, headers } = await right(200, "GET /auth/sessions", { headers: bearer(user.access), query: "pageSize=10" });
    assert.match(headers.get("content-type"), /^application\/json; charset=utf-8$/i);
    assert.equal(value.items.length, 10);
    const { value: rest } = await right(200, "GET /auth/sessions", { headers: { ...bearer(user.access), "x-continuation-token": value.continuationToken } });
    assert.ok(rest.items.length > 0 && !rest.continuationToken);
    await right(200, "POST /auth/token/refresh", { headers: bearer(user.refresh) });
    await right(200, "POST /auth/token/redeem", { headers: bearer(user.authenticationToken) });
    const { headers: warned } = await right(200, "GET /auth/sessions", { headers: { ...bearer(user.access), "x-test-system-warning": "[W1]: first" } });
    assert.equal(warned.get("x-system-warning"), "[W1]: first");
    await right(204, `DELETE /auth/sessions/${rest.items.at(-1).referenceNumber}`, { headers: bearer(user.access) });
    const another = await sandbox.signIn("ksef");
    await right(204, "DELETE /auth/sessions/current", { headers: bearer(another.refresh) });
  });

  checks("400 in both forms", async () => {
    const headers = bearer(user.access);
    for (const query of ["pageSize=9", "pageSize=101", "pageSize=x"]) await refuses(21405, "GET /auth/sessions", { headers, query });
    await refuses(21418, "GET /auth/sessions", { headers: { ...headers, "x-continuation-token": "not a token" } });
    for (const reference of ["short", "20260131-AU-0F8FAD5BD9-CB469FA165-70", `${user.id}0`, user.id.toLowerCase()]) await refuses(21405, `DELETE /auth/sessions/${reference}`, { headers });
    const ended = await sandbox.signIn("ksef");
    await answers(204, "DELETE /auth/sessions/current", { headers: bearer(ended.access) });
    await refuses(21301, "POST /auth/token/refresh", { headers: bearer(ended.refresh) });
    await refuses(21301, "POST /auth/token/redeem", { headers: bearer(ended.authenticationToken) });
    await refuses(21301, "POST /auth/token/redeem", { headers: bearer(user.authenticationToken) });
  });

  checks("401 everywhere without a token, with none of ours and with one that has expired", async () => {
    const old = await sandbox.signIn("ksef");
    for (const line of lines(user.id)) {
      for (const headers of [{}, bearer("unknown"), { authorization: "Basic abc" }]) {
        const { headers: got } = await answers(401, line, { headers });
        assert.match(got.get("content-type"), /^application\/problem\+json/);
      }
    }
    await sandbox.advance(901_000);
    for (const line of lines(user.id).slice(0, 3)) await answers(401, line, { headers: bearer(old.access) });
    await answers(401, "POST /auth/token/redeem", { headers: bearer(old.authenticationToken) });
    await sandbox.advance(7 * 24 * 3600 * 1000);
    await answers(401, "POST /auth/token/refresh", { headers: bearer(old.refresh) });
    await sandbox.reset();
    user = await sandbox.signIn("ksef");
  });

  checks("403 for tokens of another kind, and with a reason for somebody else's session", async () => {
    for (const [line, token] of [["GET /auth/sessions", user.refresh], ["GET /auth/sessions", user.authenticationToken], ["DELETE /auth/sessions/current", user.authenticationToken], [`DELETE /auth/sessions/${user.id}`, user.refresh], ["POST /auth/token/refresh", user.access], ["POST /auth/token/redeem", user.refresh]]) await answers(403, line, { headers: bearer(token) });
    const stranger = await sandbox.signIn("ksef", "other@example.com");
    const { value } = await answers(403, `DELETE /auth/sessions/${stranger.id}`, { headers: bearer(user.access) });
    assert.equal(value.reasonCode, "insufficient-resource-access");
  });

  checks("429 in both forms, with the seconds to wait", async () => {
    for (const more of [{}, PROBLEM]) {
      for (const line of lines(user.id)) {
        // Without a token: limits come first, and no session is lost by this. Counting starts anew for each.
        await sandbox.rateLimit(true);
        const { headers } = await provoke(429, line.startsWith("POST") ? 200 : 31, () => ask(line, { headers: more }));
        assert.match(headers.get("retry-after"), /^([1-9]|[1-5]\d|60)$/);
        assert.match(headers.get("content-type"), more === PROBLEM ? /^application\/problem\+json/ : /^application\/json/);
      }
    }
    await sandbox.rateLimit(false);
  });

  checks("nothing has CORS headers", async () => {
    for (const [line, more] of [["GET /auth/sessions", bearer(user.access)], ["GET /auth/sessions", {}]]) {
      const { headers } = await ask(line, { headers: { ...more, origin: "http://localhost:5173" } });
      assert.deepEqual([...headers.keys()].filter((name) => name.startsWith("access-control-")), []);
    }
  });

  checks("nothing documented was left out", () =>
    assertCovered(
      specs.ksef,
      seen,
      // There is nothing in these to be wrong about, and no body was seen where the kind of a token was wrong.
      "GET /auth/sessions 403 application/problem+json",
      "DELETE /auth/sessions/current 400 application/json",
      "DELETE /auth/sessions/current 400 application/problem+json",
      "DELETE /auth/sessions/current 403 application/problem+json",
      "POST /auth/token/refresh 403 application/problem+json",
      "POST /auth/token/redeem 403 application/problem+json",
    ));
});
