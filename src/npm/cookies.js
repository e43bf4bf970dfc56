/** Clears cookies on a page and looks afterwards; null where there is none (a server), or where they are somebody else's. */
export async function clearCookies(removals, own) {
  const { document, cookieStore } = globalThis;
  const page = typeof document?.cookie === "string";
  if (!own || (!page && !cookieStore)) {
    return null;
  }
  const sees = async (name) =>
    page
      ? document.cookie.split(";").some((pair) => pair.split("=")[0].trim() === name)
      : Boolean(await settled(() => cookieStore.get(name)));

  const cleared = [];
  for (const { name, path, domain, partitioned, httpOnly, cookie } of removals) {
    const before = await sees(name);
    if (cookieStore) {
      await settled(() => cookieStore.delete({ name, path, ...(domain && { domain }), ...(partitioned && { partitioned }) }));
    }
    // Also after the store: browsers differ in which of the two knows partitions.
    if (page && (await sees(name))) {
      document.cookie = cookie;
    }
    cleared.push({ name, outcome: outcome({ httpOnly, inScope: inScope(domain, path) }, before, await sees(name)) });
  }
  return cleared;
}

/** HttpOnly cookies are out of a script's sight: nothing was cleared, and nothing is known. */
function outcome({ httpOnly, inScope }, before, after) {
  if (after) return "still-present";
  if (before) return "cleared";
  return httpOnly === false && inScope ? "absent" : "not-visible";
}

/** A script here would see the cookie if it were there and not HttpOnly. */
function inScope(domain, path) {
  const { hostname = "", pathname = "" } = globalThis.location ?? {};
  const below = path.endsWith("/") ? path : `${path}/`;
  return (!domain || hostname === domain || hostname.endsWith(`.${domain}`)) && (pathname === path || pathname.startsWith(below));
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
