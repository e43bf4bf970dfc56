// Imports nothing: the crate's feature `fetch` uses this file by itself.

/** What a browser would silently ignore is refused. */
const RULES = [
  ["name", /^[\w!#$%&'*+.^`|~-]+$/, "a token: no spaces, no separators"],
  ["path", /^\/[ -:<-~]*$/, "a path that starts with /"],
  ["domain", /^\.?[a-z\d-][a-z\d.-]*$/i, "a host name"],
  ["sameSite", /^(Strict|Lax|None)$/, '"Strict" or "Lax" or "None"'],
  ...["secure", "partitioned", "httpOnly"].map((name) => [name, undefined, "true or false"]),
];

const wrong = (what) => ({ code: "invalid_options", message: `cookies: ${what}` });

/**
 * Cookies to clear, with all that decides which one goes (RFC 6265bis): one goes only if the deleting one has the same name, domain, path and partition, and
 * is acceptable itself. Host-only ones come first and domain ones last, since stores that keep one entry per name then keep the wider one.
 */
function specs(cookies) {
  const checked = cookies.map((cookie) => {
    for (const [name, rule, what] of RULES) {
      const value = cookie[name] ?? (name === "name" ? "" : undefined);
      if (value !== undefined && !(rule ? typeof value === "string" && rule.test(value) : typeof value === "boolean")) throw wrong(`${name} must be ${what}`);
    }
    const { name, path, domain, secure, sameSite, partitioned, httpOnly } = cookie;
    const has = (prefix) => name.toLowerCase().startsWith(prefix);
    const isHost = has("__host-");
    const isHttp = has("__http-") || has("__host-http-");
    if (isHost && (domain || (path ?? "/") !== "/")) throw wrong("a __Host- cookie has no domain and the path /");
    return {
      name, path: path ?? "/", partitioned, sameSite, httpOnly: isHttp || httpOnly,
      // A leading dot means nothing to a browser, but the Cookie Store API refuses it.
      domain: domain?.replace(/^\./, "").toLowerCase(),
      secure: secure || isHost || isHttp || has("__secure-") || partitioned || sameSite === "None",
    };
  });
  return checked.sort((a, b) => Boolean(a.domain) - Boolean(b.domain));
}

/** The `Set-Cookie` values that clear cookies. */
export function removals(cookies) {
  return specs(cookies).map(({ name, path, domain, secure, sameSite, partitioned, httpOnly }) =>
    [
      `${name}=`, `Path=${path}`, domain && `Domain=${domain}`, "Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      secure && "Secure", httpOnly && "HttpOnly", sameSite && `SameSite=${sameSite}`, partitioned && "Partitioned",
    ].filter(Boolean).join("; "),
  );
}

/** Clears cookies on a page and looks afterwards; null where there is none (a server), or where they are somebody else's. */
export async function clearCookies(cookies, own) {
  const { cookieStore } = globalThis;
  // A sandboxed frame has a document that refuses.
  const document = await settled(() => typeof globalThis.document?.cookie === "string" && globalThis.document);
  if (!own || (!document && !cookieStore)) {
    return null;
  }
  /** How many of that name are in sight: nothing where the browser does not say. */
  const count = (name) => settled(async () => (document ? document.cookie.split(";").filter((pair) => pair.split("=")[0].trim() === name) : await cookieStore.getAll(name)).length);

  const all = specs(cookies);
  const values = removals(cookies);
  const counts = [];
  for (const [index, { name, path, domain, partitioned }] of all.entries()) {
    const before = await count(name);
    if (cookieStore) {
      await settled(() => cookieStore.delete({ name, path, ...(domain && { domain }), ...(partitioned && { partitioned }) }));
    }
    // Also after the store: browsers differ in which of the two knows partitions. Scripts can't say HttpOnly. What is out of sight here, on another path, goes as well.
    if (document) await settled(() => (document.cookie = values[index].replace("; HttpOnly", "")));
    counts.push([before, await count(name)]);
  }
  // Only now: two of them may have the same name.
  const cleared = [];
  for (const [index, { name, path, domain, httpOnly }] of all.entries()) {
    cleared.push({ name, outcome: outcome(httpOnly, inScope(domain, path), ...counts[index], await count(name)) });
  }
  return cleared;
}

/** HttpOnly cookies are out of a script's sight, also where another one of that name is in it: nothing is known of them. */
function outcome(httpOnly, inScope, before, after, left) {
  if (left > 0) return "still-present";
  if (before > after && !httpOnly) return "cleared";
  return httpOnly === false && inScope && before === 0 && left === 0 ? "absent" : "not-visible";
}

/** A script here would see the cookie if it were there and not HttpOnly. Browsers go by the address the page was loaded from: only "/" is sure. */
function inScope(domain, path) {
  const { hostname = "" } = globalThis.location ?? {};
  return path === "/" && (!domain || hostname === domain || hostname.endsWith(`.${domain}`));
}

/** What a cookie store gives. One that does not answer must not hold up a logout. */
function settled(ask) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 2000);
    const done = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
    (async () => ask())().then(done, () => done());
  });
}
