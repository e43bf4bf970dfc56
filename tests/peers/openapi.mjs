// Requests and answers held to an OpenAPI 3.0 document: what is wrong with them, as texts that hold no values and so no secrets.
//
// The documents are not part of this repository: see `specs`.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import Ajv from "ajv";
import addFormats from "ajv-formats";

const folder = process.env.AUTH_SESSIONS_SPECS ?? path.resolve(import.meta.dirname, "../../../shared/specs");

// What is known to be so although a document does not say it, or says it in prose alone.
const CLERK = {
  file: "clerk-sessions.openapi.json",
  query: ["__clerk_api_version"],
  headers: ["clerk-api-version"],
  // Every operation can meet the rate limit.
  responses: { 429: { description: "Too many requests", content: { "application/json": { schema: { $ref: "#/components/schemas/ClerkErrors" } } } } },
  // The document has no other shape for a list with `paginated`.
  page: { operation: "GetSessionList", parameter: "paginated", schema: (list) => ({ type: "object", required: ["data", "total_count"], properties: { data: list, total_count: { type: "integer", minimum: 0 } } }) },
};
const KSEF = {
  file: "ksef-auth-sessions.openapi.json",
  headers: ["x-error-format", "x-test-system-warning"],
  // Seen without the body that is documented.
  bodyless: ["403"],
  // The document's own example, and what is seen, has no offset.
  local: ["ExceptionInfo/timestamp"],
};

// Of a schema object, what says nothing about validity.
const REMARKS = new Set(["description", "title", "example", "default", "deprecated", "readOnly", "writeOnly", "externalDocs", "xml"]);

// Headers that any client may send. `cookie` is not among them: no API here wants one.
const ORDINARY = /^(accept|accept-encoding|accept-language|authorization|cache-control|connection|content-length|content-type|host|pragma|priority|sec-fetch-.*|sec-ch-.*|te|traceparent|tracestate|transfer-encoding|user-agent)$/;

/** The documents: `clerk` and `ksef`, or null where the folder (AUTH_SESSIONS_SPECS, or shared/specs beside the repository) is absent. */
export const specs = { clerk: load(CLERK), ksef: load(KSEF) };

/** Skips the test where the documents are absent. */
export function skipWithout(spec, t) {
  if (spec === null) t.skip("the OpenAPI documents (specs) are not present: name their folder in AUTH_SESSIONS_SPECS");
  return spec === null;
}

function load(known) {
  const file = path.join(folder, known.file);
  return existsSync(file) ? compile(JSON.parse(readFileSync(file, "utf8")), known) : null;
}

/** A document made ready for validation. `known`: see above. */
export function compile(document, known = {}) {
  if (!/^3\.0\./.test(document.openapi)) throw new Error(`OpenAPI ${document.openapi} is not 3.0`);
  const ajv = addFormats(new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }));
  const schemas = Object.fromEntries(Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => [name, jsonSchema(schema)]));
  for (const place of known.local ?? []) {
    const [name, property] = place.split("/");
    schemas[name].properties[property].format = "iso-date-time";
  }
  for (const [name, schema] of Object.entries(schemas)) ajv.addSchema(schema, name);
  const compiled = new Map();
  const check = (schema, value, where) => {
    if (!compiled.has(schema)) compiled.set(schema, ajv.compile(jsonSchema(schema)));
    const valid = compiled.get(schema);
    if (valid(value)) return [];
    return valid.errors.map(({ instancePath, message, params }) => `${where}${instancePath} ${message}${params.additionalProperty === undefined ? "" : `: ${params.additionalProperty}`}`);
  };
  const operations = [];
  for (const [template, item] of Object.entries(document.paths)) {
    for (const method of ["get", "put", "post", "delete", "patch", "head", "options"]) {
      if (item[method] === undefined) continue;
      const parameters = [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map((parameter) => dereference(document, parameter));
      operations.push({ method: method.toUpperCase(), template, segments: template.split("/"), definition: item[method], parameters });
    }
  }
  // So that /current is not taken for an {id}.
  const placeholders = ({ segments }) => segments.filter(isPlaceholder).length;
  operations.sort((a, b) => placeholders(a) - placeholders(b));
  return { document, known, operations, check };
}

function isPlaceholder(segment) {
  return /^\{.*\}$/.test(segment);
}

function dereference(document, value) {
  while (value?.$ref !== undefined) value = value.$ref.slice(2).split("/").reduce((at, key) => at[key.replaceAll("~1", "/").replaceAll("~0", "~")], document);
  return value;
}

/** A schema object as JSON Schema, which has no `nullable` and lets `$ref` stand beside others. */
function jsonSchema(schema) {
  if (schema.$ref !== undefined) return { $ref: schema.$ref.replace("#/components/schemas/", "") };
  const result = {};
  for (const [key, value] of Object.entries(schema)) {
    if (REMARKS.has(key) || key.startsWith("x-") || key === "nullable") continue;
    if (key === "properties") result[key] = Object.fromEntries(Object.entries(value).map(([name, property]) => [name, jsonSchema(property)]));
    else if (["allOf", "anyOf", "oneOf"].includes(key)) result[key] = value.map(jsonSchema);
    else if (["items", "not"].includes(key) || (key === "additionalProperties" && typeof value === "object")) result[key] = jsonSchema(value);
    else result[key] = value;
  }
  if (schema.nullable !== true) return result;
  // With a type, null is one more type (which an `enum` may still refuse); without one, it is one more alternative.
  if (result.type !== undefined) return { ...result, type: [result.type, "null"] };
  return Object.keys(result).length === 0 ? result : { anyOf: [{ type: "null" }, result] };
}

/** The operation of a request, and the values in its path; null when there is none. */
export function operationOf(spec, method, pathname) {
  const segments = pathname.split("/");
  for (const operation of spec.operations) {
    if (operation.method !== method.toUpperCase() || operation.segments.length !== segments.length) continue;
    if (operation.segments.every((segment, at) => (isPlaceholder(segment) ? segments[at] !== "" : segment === segments[at]))) {
      return { operation, values: Object.fromEntries(operation.segments.flatMap((segment, at) => (isPlaceholder(segment) ? [[segment.slice(1, -1), segments[at]]] : []))) };
    }
  }
  return null;
}

/** A parameter's value from its text; the text itself where it is not of that type, which the schema then refuses. */
function parameterValue(spec, parameter, text) {
  const { type } = dereference(spec.document, parameter.schema);
  if (type === "integer" && /^-?\d+$/.test(text)) return Number(text);
  if (type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  return text;
}

/**
 * What is wrong with a request. `path` is what follows the base URL, percent-encoded as it is sent; `query` is anything that
 * `new URLSearchParams` takes, `headers` anything that `new Headers` takes, `body` a text or undefined.
 */
export function validateRequest(spec, method, path, query, headers, body) {
  const line = `${method.toUpperCase()} ${path}`;
  const found = operationOf(spec, method, path);
  if (found === null) return [`${line} is not documented`];
  const { operation, values } = found;
  const { definition, parameters } = operation;
  const about = `${operation.method} ${operation.template}: `;
  const violations = [];
  const say = (text) => violations.push(about + text);
  const known = (place) => parameters.filter((parameter) => parameter.in === place);

  for (const parameter of known("path")) {
    try {
      violations.push(...spec.check(parameter.schema, parameterValue(spec, parameter, decodeURIComponent(values[parameter.name])), `${about}path parameter ${parameter.name}`));
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      say(`path parameter ${parameter.name} is not percent-encoded text`);
    }
  }

  const given = new URLSearchParams(query ?? undefined);
  for (const name of new Set(given.keys())) {
    const parameter = known("query").find((parameter) => parameter.name === name);
    if (parameter === undefined) {
      if (!spec.known.query?.includes(name)) say(`query parameter ${name} is not documented`);
    } else if (given.getAll(name).length > 1) {
      say(`query parameter ${name} is there more than once`);
    } else {
      violations.push(...spec.check(parameter.schema, parameterValue(spec, parameter, given.get(name)), `${about}query parameter ${name}`));
    }
  }

  const sent = new Headers(headers ?? undefined);
  for (const [name, value] of sent) {
    const parameter = known("header").find((parameter) => parameter.name.toLowerCase() === name);
    if (parameter !== undefined) violations.push(...spec.check(parameter.schema, parameterValue(spec, parameter, value), `${about}header ${name}`));
    else if (!ORDINARY.test(name) && !spec.known.headers?.includes(name)) say(`header ${name} is not documented`);
  }

  for (const parameter of parameters) {
    if (parameter.required && ((parameter.in === "query" && !given.has(parameter.name)) || (parameter.in === "header" && !sent.has(parameter.name)))) say(`${parameter.in} parameter ${parameter.name} is missing`);
  }

  const security = definition.security ?? spec.document.security ?? [];
  if (security.length > 0 && !/^Bearer \S+$/i.test(sent.get("authorization") ?? "")) say("there is no bearer token in authorization");

  const wanted = dereference(spec.document, definition.requestBody);
  const empty = body === undefined || body === null || body === "";
  if (wanted === undefined) {
    if (!empty) say("it takes no body");
  } else if (empty) {
    // `required` is false unless said: but no body has none of the properties that are.
    if (wanted.required || Object.values(wanted.content).some(({ schema }) => dereference(spec.document, schema).required?.length > 0)) say("the body is missing");
  } else {
    checkContent(spec, wanted.content, sent, body, about, violations);
  }
  return violations;
}

/**
 * What is wrong with an answer. `path` as in `validateRequest`, but a query may follow it: some answers depend on it. `body` is a
 * text or undefined.
 */
export function validateResponse(spec, method, path, status, headers, body) {
  const [pathname, query] = path.split("?");
  const found = operationOf(spec, method, pathname);
  if (found === null) return [`${method.toUpperCase()} ${pathname} is not documented`];
  const { definition, template } = found.operation;
  const about = `${method.toUpperCase()} ${template} ${status}: `;
  const response = dereference(spec.document, definition.responses[status] ?? spec.known.responses?.[status] ?? definition.responses.default);
  if (response === undefined) return [`${about}this status is not documented`];

  const got = new Headers(headers ?? undefined);
  const violations = [];
  for (const [name, definition] of Object.entries(response.headers ?? {})) {
    const header = dereference(spec.document, definition);
    if (got.has(name)) violations.push(...spec.check(header.schema, parameterValue(spec, header, got.get(name)), `${about}header ${name.toLowerCase()}`));
    else if (header.required) violations.push(`${about}header ${name.toLowerCase()} is missing`);
  }

  const empty = body === undefined || body === null || body === "";
  if (response.content === undefined) {
    if (!empty) violations.push(`${about}it has no body`);
  } else if (empty) {
    if (!spec.known.bodyless?.includes(String(status))) violations.push(`${about}the body is missing`);
  } else {
    const { page } = spec.known;
    const paged = page !== undefined && definition.operationId === page.operation && new URLSearchParams(query).get(page.parameter) === "true" && status === 200;
    checkContent(spec, paged ? pagedContent(spec, response) : response.content, got, body, about, violations);
  }
  return violations;
}

/** The content of a list that may come as a page. */
function pagedContent(spec, response) {
  spec.paged ??= Object.fromEntries(Object.entries(response.content).map(([type, { schema }]) => [type, { schema: { anyOf: [schema, spec.known.page.schema(schema)] } }]));
  return spec.paged;
}

/** Content type and body against the documented ones. */
function checkContent(spec, content, headers, body, about, violations) {
  const type = (headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (!Object.hasOwn(content, type)) return violations.push(`${about}the content type is ${type || "missing"} and not ${Object.keys(content).join(" or ")}`);
  let value;
  try {
    value = JSON.parse(body);
  } catch {
    return violations.push(`${about}the body is not JSON`);
  }
  violations.push(...spec.check(content[type].schema, value, `${about}body`));
}

/**
 * A `fetch` that holds what goes through it to the document. `base` is the URL that stands for the document's server.
 * `violations` collects what is wrong, `calls` what was asked: "GET /sessions 200", without the query.
 */
export function recordingFetch(spec, base, { fetch = globalThis.fetch } = {}) {
  const root = base.replace(/\/$/, "");
  const violations = [];
  const calls = [];
  return {
    violations,
    calls,
    async fetch(input, init) {
      const request = new Request(input, init);
      if (!request.url.startsWith(`${root}/`)) {
        violations.push("a request went elsewhere than to the base URL");
        throw new TypeError("this fetch asks the base URL alone");
      }
      const { search } = new URL(request.url);
      const path = request.url.slice(root.length).split(/[?#]/)[0];
      const body = await request.clone().text();
      violations.push(...validateRequest(spec, request.method, path, search, request.headers, body));
      // Not the arguments: their body can be a stream, which is spent by now.
      const response = await fetch(request);
      calls.push(`${request.method} ${path} ${response.status}`);
      violations.push(...validateResponse(spec, request.method, path + search, response.status, response.headers, await response.clone().text()));
      return response;
    },
  };
}
