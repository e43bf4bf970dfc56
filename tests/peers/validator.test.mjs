// That openapi.mjs finds what is wrong: without that, the tests that use it could not fail.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, test } from "node:test";
import { compile, recordingFetch, skipWithout, specs, validateRequest, validateResponse } from "./openapi.mjs";

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };
const BEARER = { authorization: "Bearer x" };
const REFERENCE = "20251010-AU-19F5E39000-39B5B182BA-B8";

const schemaOf = (schema) => ({ content: { "application/json": { schema } } });

/** A document of our own with one of each thing. */
const small = compile({
  openapi: "3.0.3",
  security: [{ bearerAuth: [] }],
  paths: {
    "/things": {
      get: {
        parameters: [
          { name: "limit", in: "query", required: true, schema: { type: "integer", minimum: 1 } },
          { name: "deep", in: "query", schema: { type: "boolean" } },
          { name: "X-Mark", in: "header", required: true, schema: { type: "string", minLength: 2 } },
        ],
        responses: { 200: { ...schemaOf({ $ref: "#/components/schemas/Thing" }), headers: { "X-Left": { required: true, schema: { type: "integer" } } } }, 204: { description: "nothing" } },
      },
      post: { security: [], requestBody: schemaOf({ type: "object", required: ["name"], properties: { name: { type: "string" } } }), responses: { 204: { description: "done" } } },
    },
    "/things/{id}": { delete: { parameters: [{ name: "id", in: "path", required: true, schema: { type: "string", maxLength: 3 } }], responses: { 204: { description: "done" } } } },
    "/things/all": { delete: { responses: { 202: { description: "soon" } } } },
  },
  components: {
    schemas: {
      Thing: {
        type: "object",
        additionalProperties: false,
        required: ["id"],
        properties: {
          id: { type: "string", example: "t-1" },
          at: { type: "string", format: "date-time", nullable: true },
          kind: { type: "string", enum: ["a", "b"], nullable: true },
          owner: { allOf: [{ $ref: "#/components/schemas/Owner" }], nullable: true, description: "whose" },
          more: { type: "object", additionalProperties: { nullable: true } },
        },
      },
      Owner: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
    },
  },
});

describe("requests", () => {
  const GET = ["GET", "/things"];
  const X = { ...BEARER, "x-mark": "ab" };
  for (const [name, args, ...violations] of [
    ["one that is right", [...GET, "limit=1&deep=true", X]],
    ["an unknown path", ["GET", "/thing"], "GET /thing is not documented"],
    ["an unknown method", ["PATCH", "/things"], "PATCH /things is not documented"],
    ["an empty segment", ["DELETE", "/things/"], "DELETE /things/ is not documented"],
    ["a missing query parameter", [...GET, "", X], "GET /things: query parameter limit is missing"],
    ["a value out of range", [...GET, "limit=0", X], "GET /things: query parameter limit must be >= 1"],
    ["text for a number", [...GET, "limit=1.0", X], "GET /things: query parameter limit must be integer"],
    ["an empty number", [...GET, "limit=", X], "GET /things: query parameter limit must be integer"],
    ["text for a boolean", [...GET, "limit=1&deep=1", X], "GET /things: query parameter deep must be boolean"],
    ["a parameter twice", [...GET, "limit=1&limit=2", X], "GET /things: query parameter limit is there more than once"],
    ["an unknown parameter", [...GET, "limit=1&secret=value", X], "GET /things: query parameter secret is not documented"],
    ["a missing header", [...GET, "limit=1", BEARER], "GET /things: header parameter X-Mark is missing"],
    ["a wrong header", [...GET, "limit=1", { ...BEARER, "X-MARK": "a" }], "GET /things: header x-mark must NOT have fewer than 2 characters"],
    ["an unknown header", [...GET, "limit=1", { ...X, "x-other": "1" }], "GET /things: header x-other is not documented"],
    ["a cookie", [...GET, "limit=1", { ...X, cookie: "a=b" }], "GET /things: header cookie is not documented"],
    ["no token", [...GET, "limit=1", { "x-mark": "ab" }], "GET /things: there is no bearer token in authorization"],
    ["another scheme", [...GET, "limit=1", { ...X, authorization: "Basic x" }], "GET /things: there is no bearer token in authorization"],
    ["a body where none belongs", [...GET, "limit=1", X, "{}"], "GET /things: it takes no body"],
    ["a path value", ["DELETE", "/things/a%20b", "", BEARER]],
    ["a path value that is too long", ["DELETE", "/things/abcd", "", BEARER], "DELETE /things/{id}: path parameter id must NOT have more than 3 characters"],
    ["a path value that is no text", ["DELETE", "/things/%zz", "", BEARER], "DELETE /things/{id}: path parameter id is not percent-encoded text"],
    ["a fixed segment before a placeholder", ["DELETE", "/things/all", "x=1", BEARER], "DELETE /things/all: query parameter x is not documented"],
    ["a body that is right", ["POST", "/things", "", JSON_TYPE, '{"name":"n"}']],
    ["a missing body", ["POST", "/things", "", {}], "POST /things: the body is missing"],
    ["a body of another type", ["POST", "/things", "", { "content-type": "text/plain" }, '{"name":"n"}'], "POST /things: the content type is text/plain and not application/json"],
    ["a body without a type", ["POST", "/things", "", {}, '{"name":"n"}'], "POST /things: the content type is missing and not application/json"],
    ["a body that is not JSON", ["POST", "/things", "", JSON_TYPE, "{"], "POST /things: the body is not JSON"],
    ["a body without a property", ["POST", "/things", "", JSON_TYPE, "{}"], "POST /things: body must have required property 'name'"],
    ["a property of another type", ["POST", "/things", "", JSON_TYPE, '{"name":1}'], "POST /things: body/name must be string"],
  ]) {
    test(name, () => assert.deepEqual(validateRequest(small, ...args), violations));
  }
});

describe("answers", () => {
  const H = { ...JSON_TYPE, "x-left": "3" };
  const ok = (body, headers = H) => ["GET", "/things", 200, headers, JSON.stringify(body)];
  for (const [name, args, ...violations] of [
    ["one that is right", ok({ id: "1", at: "2025-10-11T12:23:56.0154302+00:00", kind: "a", owner: { name: "n", unknown: 1 }, more: { any: null, thing: [1] } })],
    ["null where it may be", ok({ id: "1", at: null, owner: null })],
    ["null where it may not be", ok({ id: null }), "GET /things 200: body/id must be string"],
    ["null that an enum does not have", ok({ id: "1", kind: null }), "GET /things 200: body/kind must be equal to one of the allowed values"],
    ["a missing property", ok({}), "GET /things 200: body must have required property 'id'"],
    ["an unknown property", ok({ id: "1", extra: 1 }), "GET /things 200: body must NOT have additional properties: extra"],
    ["something that is no time", ok({ id: "1", at: "2025-10-11" }), 'GET /things 200: body/at must match format "date-time"'],
    ["a time without an offset", ok({ id: "1", at: "2025-10-11T12:23:56" }), 'GET /things 200: body/at must match format "date-time"'],
    ["a missing header", ok({ id: "1" }, JSON_TYPE), "GET /things 200: header x-left is missing"],
    ["a wrong header", ok({ id: "1" }, { ...H, "x-left": "soon" }), "GET /things 200: header x-left must be integer"],
    ["another status", ["GET", "/things", 404, JSON_TYPE, "{}"], "GET /things 404: this status is not documented"],
    ["a missing body", ["GET", "/things", 200, H, ""], "GET /things 200: the body is missing"],
    ["another type", ["GET", "/things", 200, { ...H, "content-type": "text/html" }, "{}"], "GET /things 200: the content type is text/html and not application/json"],
    ["no JSON", ["GET", "/things", 200, H, "<html>"], "GET /things 200: the body is not JSON"],
    ["nothing where nothing belongs", ["GET", "/things?limit=1", 204, {}, ""]],
    ["something where nothing belongs", ["GET", "/things", 204, JSON_TYPE, "{}"], "GET /things 204: it has no body"],
    ["an unknown path", ["GET", "/thing?a=b", 200, H, "{}"], "GET /thing is not documented"],
  ]) {
    test(name, () => assert.deepEqual(validateResponse(small, ...args), violations));
  }

  test("in an alternative that may be null, what is wrong is said", () => {
    const violations = validateResponse(small, ...ok({ id: "1", owner: {} }));
    assert.ok(violations.includes("GET /things 200: body/owner must have required property 'name'"), violations.join("\n"));
  });

  test("no value is ever repeated", () => {
    const violations = [
      ...validateRequest(small, "GET", "/things", "limit=SECRET&SECRETS=1&deep=SECRET", { ...BEARER, authorization: "Basic SECRET", "x-mark": "S", cookie: "SECRET" }, "SECRET"),
      ...validateResponse(small, "GET", "/things?SECRET=SECRET", 200, { ...JSON_TYPE, "x-left": "SECRET" }, JSON.stringify({ id: ["SECRET"], at: "SECRET", kind: "SECRET", owner: "SECRET" })),
    ];
    assert.ok(violations.length >= 9, violations.join("\n"));
    // Names are said; what stands for them is not a value.
    assert.deepEqual(violations.filter((violation) => violation.replace("SECRETS", "").includes("SECRET")), []);
  });
});

test("a keyword that is not understood is not passed over", () => {
  const document = { openapi: "3.0.3", paths: { "/x": { get: { responses: { 200: schemaOf({ type: "string", maxLenght: 3 }) } } } } };
  const spec = compile(document);
  assert.throws(() => validateResponse(spec, "GET", "/x", 200, JSON_TYPE, '"abc"'), /maxLenght/);
  assert.throws(() => compile({ ...document, openapi: "3.1.0" }), /is not 3\.0/);
});

describe("recordingFetch", () => {
  test("lets right calls through, collects what is wrong, and asks nobody else", async (t) => {
    const seen = [];
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      seen.push(`${request.method} ${request.url} ${body}`);
      if (request.method === "POST") return response.writeHead(204).end();
      response.writeHead(200, { ...JSON_TYPE, "x-left": "1" }).end('{"id":1}');
    });
    server.listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const origin = `http://127.0.0.1:${server.address().port}`;

    const recording = recordingFetch(small, `${origin}/v1/`);
    const { fetch } = recording; // must not need its `this`
    await fetch(`${origin}/v1/things`, { method: "POST", headers: JSON_TYPE, body: '{"name":"n"}' });
    assert.deepEqual([recording.violations, recording.calls], [[], ["POST /things 204"]]);
    const response = await fetch(new Request(`${origin}/v1/things?limit=0`, { headers: { ...BEARER, "x-mark": "ab" } }));
    assert.deepEqual(await response.json(), { id: 1 }, "the caller still gets the body");
    assert.deepEqual(recording.violations, ["GET /things: query parameter limit must be >= 1", "GET /things 200: body/id must be string"]);
    await assert.rejects(fetch(`${origin}/elsewhere`), TypeError);
    await assert.rejects(fetch(`${origin}/v1x/things`), TypeError);
    assert.equal(recording.violations.length, 4);
    assert.deepEqual(recording.calls, ["POST /things 204", "GET /things 200"]);
    assert.deepEqual(seen, ['POST /v1/things {"name":"n"}', "GET /v1/things?limit=0 "]);
  });

  test("a failure of the fetch below it stays what it is", async () => {
    const failure = new Error("no network");
    const recording = recordingFetch(small, "https://api.example.com", { fetch: () => Promise.reject(failure) });
    await assert.rejects(recording.fetch("https://api.example.com/things?limit=1", { headers: { ...BEARER, "x-mark": "ab" } }), failure);
    assert.deepEqual([recording.violations, recording.calls], [[], []]);
  });
});

describe("the two documents", () => {
  test("Clerk: a session passes, and what differs from one does not", (t) => {
    if (skipWithout(specs.clerk, t)) return;
    const session = { object: "session", id: "s", user_id: "u", client_id: "c", status: "active", last_active_at: 1, expire_at: 1, abandon_at: 1, updated_at: 1, created_at: 1 };
    const check = (body, path = "/sessions/s") => validateResponse(specs.clerk, "GET", path, 200, JSON_TYPE, JSON.stringify(body));
    assert.deepEqual(check({ ...session, actor: null, latest_activity: null, tasks: null, last_active_organization_id: null }), []);
    assert.deepEqual(check({ ...session, latest_activity: { id: "a", object: "session_activity", is_mobile: false }, tasks: [{ key: "k" }], actor: { sub: "x" } }), []);
    for (const wrong of [{ status: "gone" }, { id: 1 }, { created_at: "2025" }, { created_at: 1.5 }, { extra: 1 }, { client_id: null }, { latest_activity: {} }, { tasks: [{}] }]) {
      assert.notDeepEqual(check({ ...session, ...wrong }), [], JSON.stringify(wrong));
    }
    // A page is one only where it was asked for.
    const page = { data: [session], total_count: 1 };
    assert.deepEqual([check([session], "/sessions"), check([session], "/sessions?paginated=true"), check(page, "/sessions?user_id=u&paginated=true")], [[], [], []]);
    assert.notDeepEqual(check(page, "/sessions"), []);
    assert.notDeepEqual(check({ ...page, data: [{}] }, "/sessions?paginated=true"), []);
    const errors = { errors: [{ message: "m", long_message: "l", code: "c" }] };
    assert.deepEqual(validateResponse(specs.clerk, "GET", "/sessions", 429, JSON_TYPE, JSON.stringify(errors)), []);
    assert.notDeepEqual(validateResponse(specs.clerk, "GET", "/sessions", 429, JSON_TYPE, '{"errors":[{}]}'), []);
    assert.notDeepEqual(validateResponse(specs.clerk, "GET", "/sessions", 403, JSON_TYPE, JSON.stringify(errors)), []);
  });

  test("Clerk: requests", (t) => {
    if (skipWithout(specs.clerk, t)) return;
    const check = (...args) => validateRequest(specs.clerk, ...args);
    assert.deepEqual(check("GET", "/sessions", { user_id: "u", status: "active", limit: "500", offset: "0", paginated: "true" }, { ...BEARER, "Clerk-API-Version": "2026-05-12" }), []);
    assert.deepEqual(check("GET", "/sessions", "__clerk_api_version=2026-05-12", BEARER), []);
    assert.deepEqual(check("POST", "/sessions/s/revoke", "", BEARER), []);
    assert.deepEqual(check("POST", "/sessions/s/tokens", "", { ...BEARER, ...JSON_TYPE }, '{"expires_in_seconds":null}'), []);
    for (const wrong of [["GET", "/sessions", "status=pending", BEARER], ["GET", "/sessions", "limit=501", BEARER], ["GET", "/sessions", "offset=-1", BEARER], ["GET", "/sessions", "paginated=yes", BEARER], ["POST", "/sessions/s/revoke", "", { ...BEARER, ...JSON_TYPE }, "{}"], ["POST", "/sessions/s/tokens", "", { ...BEARER, ...JSON_TYPE }, '{"expires_in_seconds":29}'], ["POST", "/sessions/s/refresh", "", { ...BEARER, ...JSON_TYPE }, '{"expired_token":"a","refresh_token":"b","request_origin":"c","more":1}'], ["DELETE", "/sessions/s", "", BEARER]]) {
      assert.equal(check(...wrong).length, 1, wrong.slice(0, 3).join(" "));
    }
  });

  test("KSeF: its own examples pass, and what differs from one does not", (t) => {
    if (skipWithout(specs.ksef, t)) return;
    const { paths, components } = specs.ksef.document;
    const list = paths["/auth/sessions"].get.responses[200].content["application/json"].example;
    const check = (status, type, body) => validateResponse(specs.ksef, "GET", "/auth/sessions", status, { "content-type": type }, JSON.stringify(body));
    const { ExceptionResponse, BadRequestProblemDetails, UnauthorizedProblemDetails, ForbiddenProblemDetails, TooManyRequestsResponse, TooManyRequestsProblemDetails } = components.schemas;
    const problem = "application/problem+json";
    for (const [status, type, body] of [[200, "application/json", list], [400, "application/json", ExceptionResponse.example], [400, problem, BadRequestProblemDetails.example], [401, problem, UnauthorizedProblemDetails.example], [403, problem, ForbiddenProblemDetails.example], [429, "application/json", TooManyRequestsResponse.example], [429, problem, TooManyRequestsProblemDetails.example]]) {
      assert.deepEqual(check(status, type, body), [], `${status} ${type}`);
      if (status !== 200 && type === problem) assert.notDeepEqual(check(status, type, { ...body, timestamp: "soon" }), [], `${status}`);
    }
    for (const wrong of [{ referenceNumber: "short" }, { startDate: "yesterday" }, { startDate: "2025-10-11T12:23:56" }, { status: { code: "200", description: "d" } }, { authenticationMethod: "Password" }, { authenticationMethodInfo: { category: "Token", code: "c" } }, { isCurrent: null }]) {
      assert.notDeepEqual(check(200, "application/json", { items: [{ ...list.items[0], ...wrong }] }), [], JSON.stringify(wrong));
    }
    assert.deepEqual(check(200, "application/json", { items: [{ ...list.items[0], lastTokenRefreshDate: null, isTokenRedeemed: null, future: 1 }], continuationToken: null }), []);
    assert.deepEqual(validateResponse(specs.ksef, "DELETE", `/auth/sessions/${REFERENCE}`, 204, {}, ""), []);
    assert.deepEqual(validateResponse(specs.ksef, "GET", "/auth/sessions", 403, {}, ""), []);
    assert.notDeepEqual(validateResponse(specs.ksef, "GET", "/auth/sessions", 401, {}, ""), []);
  });

  test("KSeF: requests", (t) => {
    if (skipWithout(specs.ksef, t)) return;
    const check = (...args) => validateRequest(specs.ksef, ...args);
    assert.deepEqual(check("GET", "/auth/sessions", "pageSize=100", { ...BEARER, "x-continuation-token": "t", "X-Error-Format": "problem-details" }), []);
    assert.deepEqual(check("DELETE", "/auth/sessions/current", "", BEARER), []);
    assert.deepEqual(check("DELETE", `/auth/sessions/${REFERENCE}`, "", BEARER), []);
    assert.deepEqual(check("POST", "/auth/token/refresh", "", BEARER), []);
    for (const wrong of [["GET", "/auth/sessions", "pageSize=9", BEARER], ["GET", "/auth/sessions", "pageSize=101", BEARER], ["GET", "/auth/sessions", "page=1", BEARER], ["DELETE", `/auth/sessions/${REFERENCE.slice(1)}`, "", BEARER], ["POST", "/auth/token/refresh", "", { ...BEARER, ...JSON_TYPE }, "{}"], ["POST", "/auth/token/redeem", "", {}]]) {
      assert.equal(check(...wrong).length, 1, wrong.slice(0, 3).join(" "));
    }
  });

  test("where they are absent, tests are skipped and say why", () => {
    const program = `import { skipWithout, specs } from ${JSON.stringify(String(pathToFileURL(path.join(import.meta.dirname, "openapi.mjs"))))};
      const said = []; console.log(JSON.stringify([specs, skipWithout(specs.ksef, { skip: (text) => said.push(text) }), skipWithout({}, null), said]));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { env: { ...process.env, AUTH_SESSIONS_SPECS: path.join(import.meta.dirname, "nowhere") }, encoding: "utf8" });
    assert.deepEqual(JSON.parse(stdout || "null"), [{ clerk: null, ksef: null }, true, false, ["the OpenAPI documents (specs) are not present: name their folder in AUTH_SESSIONS_SPECS"]], stderr);
  });
});
