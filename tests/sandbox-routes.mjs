// The sandbox that the tests are run against, and its own routes (see sandbox/README.md).
import assert from "node:assert/strict";

// As it is now: a test may put another one there for a client.
const { fetch } = globalThis;

const { SANDBOX_URL } = process.env;
if (!SANDBOX_URL) throw new Error("set SANDBOX_URL to a running sandbox, such as `cargo run -p sandbox` starts; `cargo xtask test` does");

export const sandboxUrl = SANDBOX_URL.replace(/\/$/, "");

/** What a route under /sandbox/ answers. */
export async function ask(method, route, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(`${sandboxUrl}/sandbox/${route}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${route}: ${response.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}
