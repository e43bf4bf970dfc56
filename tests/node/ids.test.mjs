// Ids come from users and other servers: whatever they hold, they stay one segment of the path, or are refused before anything is sent.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { EMPTY_LIST, fails, faked, G1, G2, json, sandbox, signedIn } from "./support.mjs";

beforeEach(() => sandbox.reset());

/** An id, and how it is written. */
const ENCODED = {
  "../users": "..%2Fusers",
  "../../oauth/logout-all": "..%2F..%2Foauth%2Flogout-all",
  "a/b?c": "a%2Fb%3Fc",
  "a#b": "a%23b",
  "a\\b": "a%5Cb",
  "a;b=c&d": "a%3Bb%3Dc%26d",
  "...": "...",
  "%2e%2e": "%252e%252e",
  "%": "%25",
  " ": "%20",
  "a\r\nb": "a%0D%0Ab",
  "a\0b": "a%00b",
  "zażółć": "za%C5%BC%C3%B3%C5%82%C4%87",
  "\u{1F600}": "%F0%9F%98%80",
  "\u202E": "%E2%80%AE",
  "{id}": "%7Bid%7D",
  "__proto__": "__proto__",
  "http://evil.example.com/": "http%3A%2F%2Fevil.example.com%2F",
  ["a".repeat(512)]: "a".repeat(512),
};

const REFUSED = { "..": "..", ".": ".", "nothing": "", "10 kB": "a".repeat(10_000), "513 bytes": "a".repeat(513), "a long one in UTF-8": "ż".repeat(257) };
const WRONG = [undefined, null, 5, 0, true, {}, ["a"], Symbol("a"), new String("a"), { toString: () => "a" }];

for (const [generation, baseUrl, prefix, suffix] of [
  ["G1", G1, "POST /oauth/sessions/", "/revoke"],
  ["G2", G2, "DELETE /api/auth/sessions/", ""],
]) {
  test(`${generation}: every id stays one segment`, async () => {
    const { sessions } = await signedIn({ baseUrl });
    await sessions.list();
    await sandbox.forget();
    for (const [id, encoded] of Object.entries(ENCODED)) {
      // The sandbox does not know such a session; it is asked for it, and for nothing else.
      await fails(sessions.revoke(id), "not_found", JSON.stringify(id));
      assert.deepEqual(await sandbox.lines(), [`${prefix}${encoded}${suffix}`]);
      await sandbox.forget();
    }
    assert.equal((await sandbox.active()).length, 8, "nothing was ended");
  });

  test(`${generation}: what is no id is refused before anything is sent`, async () => {
    const { sessions } = await signedIn({ baseUrl });
    for (const [what, id] of Object.entries(REFUSED)) {
      await fails(sessions.revoke(id), "invalid_argument", what);
      await fails(sessions.revoke({ headers: { authorization: "Bearer a" } }, id), "invalid_argument", what);
      await fails(sessions.get(id), "invalid_argument", what);
    }
    for (const id of WRONG) {
      await fails(sessions.revoke(id), "invalid_argument");
      await fails(sessions.get(id), "invalid_argument");
    }
    assert.deepEqual(await sandbox.lines(), []);
  });
}

test("the URL that leaves", async () => {
  for (const [id, encoded] of Object.entries(ENCODED)) {
    const { sessions, sent } = faked(() => json({ success: true, message: "" }));
    await sessions.revoke(id);
    assert.equal(sent[0].url, `https://auth.example.com/oauth/sessions/${encoded}/revoke`);
  }
});

test("half a character is no id", async () => {
  const { sessions, sent } = faked(() => json({ success: true, message: "" }));
  // Two different ids must not become the same one on the way.
  await fails(sessions.revoke("a\uD800"), "invalid_argument");
  assert.equal(sent.length, 0);
});

test("hostile applicationIds stay one value", async () => {
  for (const applicationId of ["a&application_id=b", "a#b", "a b", "ż", "a/../b", "?"]) {
    const { sessions, sent } = faked(() => json(EMPTY_LIST));
    await sessions.list({ applicationId });
    const url = new URL(sent[0].url);
    assert.deepEqual([url.pathname, [...url.searchParams], url.hash], ["/oauth/sessions", [["application_id", applicationId]], ""]);
  }
});

test("hostile ids that a back-end lists are data", async () => {
  const ids = ["../x", "..", "<img src=x onerror=alert(1)>", "__proto__", "constructor"];
  const { sessions, sent } = faked((request) => json(request.method === "GET" ? { sessions: ids.map((id) => ({ id })), count: 5 } : { success: true, message: "" }), {
    refreshToken: `e30.${Buffer.from('{"sid":"constructor"}').toString("base64url")}.x`,
  });
  assert.deepEqual((await sessions.list()).sessions.map(({ id }) => id), ids);
  const error = await fails(sessions.revokeOthers(), "partial_revocation");
  assert.deepEqual(error.failed.map(({ id, error }) => [id, error.code]), [["..", "invalid_argument"]]);
  assert.equal(error.revoked.length, 3);
  for (const { url } of sent.slice(2)) assert.match(new URL(url).pathname, /^\/oauth\/sessions\/[^/]+\/revoke$/);
});
