import { FLAG, HEADER, STRING, check, isObject, number, oneOf } from "./check.js";
import { fail } from "./error.js";

const isList = (test) => (value) => Array.isArray(value) && value.every(test);
const POINTER = ["a member's name or a JSON Pointer", STRING[1]];
const OBJECT = ["an object", isObject];
const COUNT = number(1, 1e9);
const STATUSES = ["an array of HTTP statuses", isList(number(100, 599)[1])];
const ENDPOINT = {
  "method!": oneOf("GET", "POST", "PUT", "PATCH", "DELETE"),
  "path!": ["a path that begins with one slash, without steps such as ..; {id} is all that may be in braces", (value) => STRING[1](value) && /^\/(?!\/)(?!(?:.*\/)?(?:\.|%2[eE]){1,2}(?:[/?]|$))(?:[^\s"#\\{}]|\{id\})*$/.test(value)],
  own: FLAG, body: ['JSON, with no "{…}" but "{id}" and "{refreshToken}"', (value) => !/"\{(?!(id|refreshToken)\}")[^"]*\}"/.test(JSON.stringify(value))], success: STATUSES, gone: STATUSES,
};
const LIST = {
  ...ENDPOINT, items: POINTER, fields: OBJECT, time: oneOf("auto", "iso", "seconds", "milliseconds"), currentId: POINTER, next: POINTER,
  cursor: ["an object with query or header", (value) => (STRING[1](value.query) && value.query !== "") || HEADER[1](value.header)], pageSize: OBJECT,
};
const FIELDS = Object.fromEntries(
  ["id", "createdAt", "lastActiveAt", "expiresAt", "userAgent", "ipAddress", "current", "status", "userId", "tenant", "city", "country"].map((name) => [
    name, [`${POINTER[0]}, or an array of them`, (value) => isList(STRING[1])([].concat(value))],
  ]),
);
const PROFILE = {
  name: STRING, "list!": OBJECT, "revoke!": OBJECT, revokeAll: OBJECT, revokeOthers: OBJECT,
  logout: OBJECT, refresh: OBJECT, csrf: OBJECT, effect: oneOf("immediate", "refresh-only", "unknown"),
  auth: ['"bearer" or "cookie" or an object with header', (value) => value === "bearer" || value === "cookie" || HEADER[1](value.header)],
};

/** The same, and nothing else is there: a misspelt name would be a rule that is not kept. */
function inspect(object, table, path) {
  check(object, table, "invalid_options", `${path}.`);
  for (const name of Object.keys(object)) {
    if (!(name in table) && !(`${name}!` in table)) throw fail("invalid_options", `${path}.${name} is nothing that a profile has`);
  }
}

/** A `RestProfile`, checked, as the wasm side takes it: the cursor and the page's size are part of the request. */
export function readProfile(given) {
  try {
    given = JSON.parse(JSON.stringify(given));
  } catch {
    throw fail("invalid_options", "provider must be plain data: JSON");
  }
  inspect(given, PROFILE, "provider");
  const { list, revoke, csrf } = given;
  for (const name of ["list", "revoke", "revokeAll", "revokeOthers", "logout", "refresh"]) {
    const table = { list: LIST, refresh: { ...ENDPOINT, "accessToken!": POINTER, refreshToken: POINTER, expiresIn: POINTER } }[name] ?? ENDPOINT;
    if (given[name]) inspect(given[name], table, `provider.${name}`);
    if (given[name]?.body && given[name].method === "GET") throw fail("invalid_options", `provider.${name}.body: GET has none`);
  }
  if (!JSON.stringify([revoke.path, revoke.body]).includes("{id}")) throw fail("invalid_options", 'provider.revoke must have "{id}" in its path or body');
  if (csrf) inspect(csrf, { "cookie!": STRING, "header!": HEADER }, "provider.csrf");
  const { cursor, pageSize } = list;
  const fields = list.fields ?? {};
  inspect(fields, FIELDS, "provider.list.fields");
  for (const name of ["items", "currentId", "next"]) fields[name] = list[name] ?? undefined;
  for (const name in fields) fields[name] = fields[name]?.concat ? [].concat(fields[name]) : undefined;
  list.fields = fields;
  const add = (query, name) => (list.path += `${list.path.includes("?") ? "&" : "?"}${encodeURIComponent(query)}={${name}}`);
  if (cursor?.query) add(cursor.query, "cursor");
  else if (cursor) list.headers = { [cursor.header]: "{cursor}" };
  if (pageSize) {
    inspect(pageSize, { "query!": STRING, "min!": COUNT, "max!": COUNT, "default!": COUNT }, "provider.list.pageSize");
    add(pageSize.query, "pageSize");
    delete pageSize.query;
  }
  delete list.cursor;
  if (given.refresh) given.refresh.needs = ["refreshToken"];
  return { ...given, perOperation: true, headers: { accept: "application/json" } };
}
