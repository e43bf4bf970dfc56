// What holds for all inputs of the JavaScript parts, with inputs made up: the same ones in every run.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CookieJar } from "tough-cookie";
import { SessionsError, createSessions, faked, json } from "./support.mjs";

// Others, and more of them: FUZZ_SEED and FUZZ_RUNS.
fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 1), numRuns: Number(process.env.FUZZ_RUNS ?? 300) });

/** What came of a call: a result, or a `SessionsError` with a code; never anything else. */
async function outcome(call) {
  let result;
  try {
    result = await call();
  } catch (error) {
    assert.ok(error instanceof SessionsError, `something else was thrown: ${String(error?.stack ?? error)}`);
    assert.match(error.code, /^[a-z_]+$/);
    assert.equal(typeof error.message, "string");
    return { error };
  }
  return { result };
}

// ---------------------------------------------------------------- cookies

const SITE = "https://app.example.com/a/b/page";
const optional = (arbitrary) => fc.option(arbitrary, { nil: undefined });
const name = fc
  .tuple(fc.constantFrom("", "", "", "__Host-", "__Secure-", "__Http-", "__Host-Http-", "__hOSt-"), fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,8}$/))
  .map((parts) => parts.join(""));
const cookie = fc.record({
  name,
  path: optional(fc.constantFrom("/", "/a", "/a/", "/a/b", "/a b", "/a,b=c")),
  domain: optional(fc.constantFrom("example.com", ".example.com", "app.example.com", "APP.example.com")),
  secure: optional(fc.boolean()),
  httpOnly: optional(fc.boolean()),
  partitioned: optional(fc.boolean()),
  sameSite: optional(fc.constantFrom("Strict", "Lax", "None")),
});

/** The cookie as the server that is logged out of would have set it. */
const asSet = ({ name, path, domain, secure, httpOnly, sameSite }, value) =>
  [
    `${name}=${value}`, `Path=${path ?? "/"}`, domain && `Domain=${domain}`, httpOnly && "HttpOnly", sameSite && `SameSite=${sameSite}`,
    (secure || sameSite === "None" || /^__(host|secure|http)-/i.test(name)) && "Secure",
  ].filter(Boolean).join("; ");

/** What is alive in a store: one that has run out is only left out when it is asked. */
const stored = async (jar) => (await jar.serialize()).cookies.filter(({ maxAge, expires }) => maxAge === undefined && expires === undefined).map(({ key, domain, path }) => `${key} ${domain} ${path}`).sort();

test("what clears cookies removes exactly these, by another's rules", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(cookie, { minLength: 1, maxLength: 4 }), fc.array(cookie, { maxLength: 4 }), async (named, others) => {
      const { sessions } = faked(() => json({ success: true, message: "ok" }), { cookies: named });
      const { result, error } = await outcome(() => sessions.logout());
      if (error) {
        // A browser would not have taken it either.
        assert.equal(error.code, "invalid_options");
        assert.ok(named.some(({ name, domain, path = "/" }) => /^__host-/i.test(name) && (domain || path !== "/")), error.message);
        return;
      }
      assert.equal(result.setCookie.length, named.length);
      const jar = new CookieJar(undefined, { prefixSecurity: "unsafe-disabled", rejectPublicSuffixes: false });
      const set = (header) => jar.setCookie(header, SITE, { ignoreError: false });
      for (const one of others) await set(asSet(one, "other"));
      const before = await stored(jar);
      const fresh = new CookieJar(undefined, { prefixSecurity: "unsafe-disabled", rejectPublicSuffixes: false });
      for (const one of named) {
        await set(asSet(one, "token"));
        await fresh.setCookie(asSet(one, "token"), SITE);
      }
      const ours = await stored(fresh);
      for (const header of result.setCookie) {
        assert.match(header, /^[\x20-\x7e]+$/);
        await set(header);
      }
      assert.deepEqual(await stored(jar), before.filter((one) => !ours.includes(one)));
    }),
  );
});

test("a Set-Cookie has no more parts than it should, whatever the options hold", async () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.constantFrom("/;", "a;b", "/\r\n", "a=b", "/é", "."));
  const flag = fc.oneof(fc.boolean(), fc.anything());
  await fc.assert(
    fc.asyncProperty(fc.record({ name: text, path: text, domain: text, sameSite: text, secure: flag, httpOnly: flag, partitioned: flag }, { requiredKeys: ["name"] }), async (one) => {
      const { sessions } = faked(() => json({ success: true, message: "ok" }), { cookies: [one] });
      const { result, error } = await outcome(() => sessions.logout());
      if (error) return assert.equal(error.code, "invalid_options");
      const [header] = result.setCookie;
      const known = /^(Path=\/[^;]*|Domain=[a-z\d.-]+|Max-Age=0|Expires=Thu, 01 Jan 1970 00:00:00 GMT|Secure|HttpOnly|Partitioned|SameSite=(Strict|Lax|None))$/;
      const [pair, ...attributes] = header.split("; ");
      assert.equal(pair, `${one.name}=`);
      assert.ok(attributes.every((attribute) => known.test(attribute)), header);
      assert.equal(new Set(attributes.map((attribute) => attribute.split("=")[0])).size, attributes.length, header);
    }),
  );
});

// ---------------------------------------------------------------- waiting

/** What the error says of waiting. */
async function waitOf(header) {
  const { sessions } = faked(() => new Response("{}", { status: 503, headers: header === undefined ? {} : { "retry-after": header } }));
  const { error } = await outcome(() => sessions.list());
  return error.retryAfter;
}

test("Retry-After is a number of seconds, or nothing", async () => {
  const noise = fc.oneof(
    fc.stringMatching(/^[\x20-\x7e]{0,30}$/),
    fc.stringMatching(/^[A-Z][a-z]{2}, [\w :-]{0,30} GMT$/),
    fc.constantFrom("", "-1", "1.5", "1e3", "NaN", "Infinity", "0x10", "Mon, 99 Foo 2026 00:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "999999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"),
  );
  await fc.assert(
    fc.asyncProperty(noise, async (header) => {
      const seconds = await waitOf(header);
      assert.ok(seconds === null || (Number.isInteger(seconds) && seconds >= 0 && seconds <= 2 ** 32 - 1), `${header}: ${seconds}`);
      if (/^\d+$/.test(header.trim())) assert.equal(seconds, Math.min(Number(header), 2 ** 32 - 1));
    }),
  );
  assert.equal(await waitOf(undefined), null);
});

test("Retry-After as a date is the time until then", async () => {
  const names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
  /** The three forms of RFC 9110, 5.6.7: the one of today, and two that are obsolete. */
  const forms = (date) => {
    const [day, number, month, year, time] = date.toUTCString().replace(",", "").split(" ");
    return [date.toUTCString(), `${names[date.getUTCDay()]}, ${number}-${month}-${year.slice(2)} ${time} GMT`, `${day} ${month} ${number.replace(/^0/, " ")} ${time} ${year}`];
  };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: -100_000, max: 10_000_000 }), fc.nat(2), async (seconds, form) => {
      const found = await waitOf(forms(new Date(Date.now() + seconds * 1000))[form]);
      // Nobody sends the obsolete ones: not to read them is to wait as without the header.
      if (form > 0 && found === null) return;
      assert.ok(Number.isInteger(found) && Math.abs(found - Math.max(0, seconds)) <= 2, `${seconds}: ${found}`);
    }),
    { numRuns: 100 },
  );
});

// ---------------------------------------------------------------- options and profiles

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withObjectString: true, withSparseArray: true, withTypedArray: true });
const PROFILE = {
  name: "example", effect: "immediate", auth: { header: "X-Session" }, csrf: { cookie: "c", header: "x-csrf" },
  list: {
    method: "GET", path: "/me/devices?a=1", items: "/data", fields: { id: ["uuid", "/a/0"], city: "/geo/city" }, time: "seconds", currentId: "/me", next: "/next",
    cursor: { query: "after&é" }, pageSize: { query: "limit", min: 1, max: 100, default: 20 },
  },
  revoke: { method: "POST", path: "/me/devices/{id}/end", body: { device: ["{id}"] }, gone: [410], success: [200] },
  logout: { method: "POST", path: "/out", body: { t: "{refreshToken}" } },
  refresh: { method: "POST", path: "/token", body: { refresh: "{refreshToken}" }, accessToken: "/access", refreshToken: "refresh", expiresIn: "in" },
};

/** Every place in a value, as the names that lead there. */
const places = (value, path = []) => [path, ...(typeof value === "object" && value !== null ? Object.keys(value).flatMap((key) => places(value[key], [...path, key])) : [])];
const PLACES = places(PROFILE).slice(1);

function changed(path, value, extra) {
  const profile = structuredClone(PROFILE);
  const parent = path.slice(0, -1).reduce((at, key) => at[key], profile);
  if (extra === undefined) parent[path.at(-1)] = value;
  else parent[extra] = value;
  return profile;
}


/** Calls of a client that may not be one. Whatever is sent goes to `base`. */
async function use(options) {
  const sent = [];
  const fetch = async (request) => {
    sent.push(request.url);
    return json({ data: [{ uuid: "a" }], next: null });
  };
  const sessions = createSessions(typeof options === "object" && options !== null ? { ...options, fetch } : options);
  const outcomes = [];
  for (const call of [() => sessions.capabilities(), () => sessions.list(), () => sessions.revoke("a/../b"), () => sessions.logout()]) outcomes.push(await outcome(call));
  for (const url of sent) assert.ok(url.startsWith("https://api.example.com/v2/"), url);
  return outcomes;
}

const CLIENT = { baseUrl: "https://api.example.com/v2", token: "t", refreshToken: "r", maxRetries: 0 };

test("a profile is taken or refused", async () => {
  const [whole] = await use({ ...CLIENT, provider: PROFILE });
  assert.equal(whole.result?.provider, "example");
  const value = fc.oneof(anything, fc.constantFrom(...PLACES.map((path) => path.reduce((at, key) => at[key], PROFILE))), fc.constantFrom("//evil.example", "/../..", "/{id", "/{x}", "\\", "/a b", "{id}", "__proto__", ["/a"], { header: ["x"] }));
  const extra = optional(fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", "needs", "headers", "own", "statuses", "handle")));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PLACES), value, extra, async (path, value, extra) => {
      const [{ error }] = await use({ ...CLIENT, provider: changed(path, value, extra) });
      assert.ok(!error || ["invalid_options", "unsupported"].includes(error.code), `${error?.code}: ${error?.message} ${error?.cause?.stack}`);
    }),
  );
});

test("options of any kind give a result or a SessionsError", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, fc.record({ provider: anything, baseUrl: fc.oneof(fc.webUrl(), anything) }), fc.dictionary(fc.constantFrom("headers", "cookies", "timeout", "credentials", "hooks", "token", "environment"), anything).map((more) => ({ ...CLIENT, provider: "rest", ...more }))), async (options) => {
      const sessions = createSessions(typeof options === "object" && options !== null ? { ...options, fetch: async () => json([]) } : options);
      await outcome(() => sessions.capabilities());
      await outcome(() => sessions.list());
    }),
  );
});

test("ids and arguments of any kind give a result or a SessionsError, and an id stays one segment", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(".", "..", "%2e%2e", "a/../b", "a?b#c", "\ud800"), anything), anything, async (id, options) => {
      const { sessions, sent } = faked(() => json({ success: true, message: "ok" }));
      await outcome(() => sessions.revoke(id));
      for (const { url } of sent) {
        const [, segment] = /^https:\/\/auth\.example\.com\/oauth\/sessions\/([^/?#]+)\/revoke$/.exec(url) ?? assert.fail(url);
        assert.equal(decodeURIComponent(segment), id);
      }
      await outcome(() => sessions.revoke(id, options));
      await outcome(() => sessions.list(options));
      await outcome(() => sessions.logout(options));
    }),
  );
});
