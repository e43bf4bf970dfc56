/**
 * Clears cookies on a page and looks afterwards; null where there is none (a server), or where they are somebody else's. `removals` are the `Set-Cookie`
 * values that clear them, those with a domain last.
 */
export async function clearCookies(cookies, removals, own) {
  const specs = cookies.map((cookie) => ({ ...cookie, path: cookie.path ?? "/" })).sort((a, b) => Boolean(a.domain) - Boolean(b.domain));
  const { cookieStore } = globalThis;
  // A sandboxed frame has a document that refuses.
  const document = await settled(() => typeof globalThis.document?.cookie === "string" && globalThis.document);
  if (!own || (!document && !cookieStore)) {
    return null;
  }
  const sees = async (name) =>
    document
      ? document.cookie.split(";").some((pair) => pair.split("=")[0].trim() === name)
      : Boolean(await settled(() => cookieStore.get(name)));

  const before = [];
  for (const { name } of specs) before.push(await sees(name));
  for (const [index, { name, path, domain, partitioned }] of specs.entries()) {
    if (cookieStore) {
      await settled(() => cookieStore.delete({ name, path, ...(domain && { domain: domain.replace(/^\./, "") }), ...(partitioned && { partitioned }) }));
    }
    // Also after the store: browsers differ in which of the two knows partitions. Scripts can't say HttpOnly.
    if (document && (await sees(name))) {
      document.cookie = removals[index].replace("; HttpOnly", "");
    }
  }
  // Only now: two of them may have the same name.
  const cleared = [];
  for (const [index, { name, path, domain, httpOnly }] of specs.entries()) {
    cleared.push({ name, outcome: outcome(httpOnly, inScope(domain, path), before[index], await sees(name)) });
  }
  return cleared;
}

/** HttpOnly cookies are out of a script's sight, also where another one of that name is in it: nothing is known of them. */
function outcome(httpOnly, inScope, before, after) {
  if (after) return "still-present";
  if (before && !httpOnly) return "cleared";
  return httpOnly === false && inScope ? "absent" : "not-visible";
}

/** A script here would see the cookie if it were there and not HttpOnly. Browsers go by the address the page was loaded from: only "/" is sure. */
function inScope(domain, path) {
  const { hostname = "" } = globalThis.location ?? {};
  const wide = domain?.replace(/^\./, "").toLowerCase();
  return path === "/" && (!wide || hostname === wide || hostname.endsWith(`.${wide}`));
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
