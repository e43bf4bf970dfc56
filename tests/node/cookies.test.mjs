// Clearing cookies on a server: Set-Cookie values for the answer to the browser.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
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

describe("on a page", () => {
  /** A page at /account with such cookies: `name|path`. */
  function page(t, jar, { store, breaks } = {}) {
    t.after(() => ["document", "cookieStore", "location"].forEach((name) => delete globalThis[name]));
    const seen = () => [...jar].filter((cookie) => "/account".startsWith(cookie.split("|")[1]));
    const remove = (name, path) => jar.delete(`${name}|${path}`);
    globalThis.location = { origin: "https://app.example.com", href: "https://app.example.com/account", hostname: "app.example.com" };
    globalThis.document = {
      get cookie() {
        return seen().map((cookie) => `${cookie.split("|")[0]}=1`).join("; ");
      },
      set cookie(text) {
        if (breaks) throw new DOMException("sandboxed", "SecurityError");
        remove(text.split("=")[0], /Path=([^;]+)/.exec(text)[1]);
      },
    };
    if (store) globalThis.cookieStore = store;
    return jar;
  }
  const script = (name, path) => ({ name, path, httpOnly: false });

  test("one on another path goes as well, and is told from one of the same name", async (t) => {
    const jar = page(t, new Set(["t|/", "t|/admin", "u|/admin"]));
    const { cookies } = await logout([script("t", "/"), script("t", "/admin"), script("u", "/admin")]);
    assert.deepEqual(cookies.map(({ name, outcome }) => `${name} ${outcome}`), ["t cleared", "t not-visible", "u not-visible"]);
    assert.deepEqual([...jar], []);
  });

  test("two of one name that are both in sight are both cleared; one that is left over is told", async (t) => {
    page(t, new Set(["t|/", "t|/account"]));
    assert.deepEqual((await logout([script("t", "/"), script("t", "/account")])).cookies.map(({ outcome }) => outcome), ["cleared", "cleared"]);
    page(t, new Set(["t|/", "t|/account"]));
    assert.deepEqual((await logout([script("t", "/")])).cookies.map(({ outcome }) => outcome), ["still-present"]);
    page(t, new Set());
    assert.deepEqual((await logout([script("t", "/")])).cookies.map(({ outcome }) => outcome), ["absent"]);
  });

  test("a document that refuses is no reason to fail", async (t) => {
    page(t, new Set(["t|/"]), { breaks: true });
    const { server, cookies } = await logout([script("t", "/")]);
    assert.deepEqual([server, cookies[0].outcome], ["confirmed", "still-present"]);
  });

  test("a store that stops answering says nothing", async (t) => {
    for (const [answers, outcome] of [[[["t"], []], "cleared"], [[[], []], "absent"], [[["t"]], "not-visible"], [[[]], "not-visible"], [[["t"], ["t"]], "still-present"]]) {
      page(t, new Set());
      delete globalThis.document;
      let asked = 0;
      globalThis.cookieStore = { getAll: async () => answers[Math.min(asked++, 1)] ?? Promise.reject(new Error("no")), delete: async () => {} };
      assert.deepEqual((await logout([script("t", "/")])).cookies.map((cookie) => cookie.outcome), [outcome], JSON.stringify(answers));
    }
  });
});
