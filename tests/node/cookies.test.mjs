// Clearing cookies on a server: Set-Cookie values for the answer to the browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fails, faked, json, settles } from "./support.mjs";

const GONE = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
const confirmed = () => json({ success: true, message: "Logged out" });
const logout = (cookies, answer = confirmed) => settles(faked(answer, { cookies }).sessions.logout());

test("every attribute that decides which cookie goes is repeated", async () => {
  for (const [spec, expected] of [
    [{ name: "a" }, `a=; Path=/; ${GONE}`],
    [{ name: "a", path: "/app" }, `a=; Path=/app; ${GONE}`],
    [{ name: "a", domain: "example.com" }, `a=; Path=/; Domain=example.com; ${GONE}`],
    [{ name: "a", domain: ".Example.COM" }, `a=; Path=/; Domain=example.com; ${GONE}`],
    [{ name: "a", secure: true }, `a=; Path=/; ${GONE}; Secure`],
    [{ name: "a", httpOnly: true }, `a=; Path=/; ${GONE}; HttpOnly`],
    [{ name: "a", sameSite: "Lax" }, `a=; Path=/; ${GONE}; SameSite=Lax`],
    [{ name: "a", sameSite: "Strict" }, `a=; Path=/; ${GONE}; SameSite=Strict`],
    // A browser refuses these without Secure.
    [{ name: "a", sameSite: "None" }, `a=; Path=/; ${GONE}; Secure; SameSite=None`],
    [{ name: "a", partitioned: true }, `a=; Path=/; ${GONE}; Secure; Partitioned`],
    [{ name: "__Host-a" }, `__Host-a=; Path=/; ${GONE}; Secure`],
    [{ name: "__Host-a", path: "/" }, `__Host-a=; Path=/; ${GONE}; Secure`],
    [{ name: "__Secure-a", domain: "example.com" }, `__Secure-a=; Path=/; Domain=example.com; ${GONE}; Secure`],
    [{ name: "__Http-a" }, `__Http-a=; Path=/; ${GONE}; Secure; HttpOnly`],
  ]) {
    assert.deepEqual((await logout([spec])).setCookie, [expected]);
  }
});

test("host-only ones first, domain ones last, otherwise in order", async () => {
  const { setCookie, cookies } = await logout([{ name: "a", domain: "example.com" }, { name: "a" }, { name: "c", domain: "example.com" }, { name: "b", path: "/b" }]);
  assert.deepEqual(setCookie.map((cookie) => [cookie.split("=")[0], cookie.includes("Domain")]), [["a", false], ["b", false], ["a", true], ["c", true]]);
  assert.deepEqual(cookies, ["a", "a", "c", "b"].map((name) => ({ name, outcome: "not-visible" })), "a server sees none of them");
});

test("each is a value that a server can append to its answer", async () => {
  const { setCookie } = await logout([{ name: "access_token" }, { name: "refresh_token", path: "/auth", httpOnly: true, sameSite: "Strict", secure: true }]);
  const headers = new Headers();
  for (const cookie of setCookie) headers.append("set-cookie", cookie);
  assert.deepEqual(headers.getSetCookie(), setCookie);
});

test("no cookies, nothing to clear", async () => {
  for (const cookies of [undefined, []]) {
    const result = await logout(cookies);
    assert.deepEqual([result.cookies, result.setCookie], [[], []]);
  }
});

test("cleared whatever the server said", async () => {
  for (const [answer, server] of [
    [confirmed, "confirmed"],
    [() => json({}, { status: 500 }), "rejected"],
    [() => Promise.reject(new TypeError("fetch failed")), "unreachable"],
  ]) {
    const result = await logout([{ name: "access_token" }], answer);
    assert.deepEqual([result.server, result.setCookie], [server, [`access_token=; Path=/; ${GONE}`]]);
  }
});

test("what a browser would ignore is invalid_options, on the first call of any method", async () => {
  for (const spec of [
    {}, { name: "" }, { name: "a b" }, { name: "a=b" }, { name: "a;b" }, { name: "a\r\nSet-Cookie: b=c" }, { name: "é" }, { name: 1 },
    { name: "a", path: "app" }, { name: "a", path: "" }, { name: "a", path: "/;Domain=evil.example.com" }, { name: "a", path: "/\n" },
    { name: "a", domain: "" }, { name: "a", domain: "a;b" }, { name: "a", domain: "https://example.com" }, { name: "a", domain: "example.com\r\n" }, { name: "a", domain: "." },
    { name: "a", sameSite: "lax" }, { name: "a", sameSite: "Never" }, { name: "a", secure: "yes" }, { name: "a", httpOnly: 1 },
    { name: "__Host-a", domain: "example.com" }, { name: "__Host-a", path: "/app" }, { name: "__HOST-a", path: "/app" },
    { name: "__Secure-a", secure: false }, { name: "__Host-a", secure: false }, { name: "a", sameSite: "None", secure: false },
  ]) {
    const { sessions, sent } = faked(confirmed, { cookies: [spec] });
    // Where `secure: false` contradicts the rest, either is fine: refused, or cleared with Secure.
    if (spec.secure === false) {
      const cookies = await sessions.logout().then(({ setCookie }) => setCookie, ({ code }) => code);
      assert.ok(cookies === "invalid_options" || cookies[0].includes("; Secure"), JSON.stringify(spec));
      continue;
    }
    await fails(sessions.list(), "invalid_options", JSON.stringify(spec));
    await fails(sessions.logout(), "invalid_options", JSON.stringify(spec));
    assert.equal(sent.length, 0);
  }
});
