// What the tests of the page share: the browser, a page that must have nothing to complain of, what is on it, and what the sandbox's database says.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const axeSource = createRequire(import.meta.url)("axe-core").source;
export const PAGE_URL = (process.env.PAGE_URL ?? "http://127.0.0.1:4800").replace(/\/$/, "");
export const SANDBOX_URL = (process.env.SANDBOX_URL ?? "http://127.0.0.1:4802").replace(/\/$/, "");
export const BETTER_AUTH_URL = process.env.BETTER_AUTH_URL;
export const ARTIFACTS = process.env.ARTIFACTS ?? path.resolve(import.meta.dirname, "../../target/artifacts");
export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };
export const USER_AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
export const LIST = "**/authvital/oauth/sessions";
export const REVOKE = "**/authvital/oauth/sessions/*/revoke";

let browser;

before(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  });
});

after(() => browser?.close());

export const DEMO = "demo@example.com";
export const DAY = 24 * 60 * 60 * 1000;

export const serverError = { status: 500, contentType: "application/json", body: JSON.stringify({ message: "Internal server error", statusCode: 500 }) };

/** A test with a fresh sandbox and page; nothing in the console or against the CSP but what it expects. */
export function pageTest(name, body, { needs } = {}) {
  const skip = needs === "better-auth" && !BETTER_AUTH_URL && "BETTER_AUTH_URL is not set";
  test(name, { timeout: 60_000, skip }, async () => {
    for (const reset of [`${SANDBOX_URL}/sandbox/reset`, BETTER_AUTH_URL && `${BETTER_AUTH_URL}/test/reset`]) {
      if (reset) assert.ok((await fetch(reset, { method: "POST" })).ok);
    }
    await fetch(`${SANDBOX_URL}/sandbox/requests`, { method: "DELETE" });
    const problems = [];
    const expected = [];
    const contexts = [];
    const newPage = async () => {
      const context = await browser.newContext({ viewport: DESKTOP, userAgent: USER_AGENT, locale: "en-GB", reducedMotion: "reduce" });
      contexts.push(context);
      context.setDefaultTimeout(15_000);
      const page = await context.newPage();
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.exposeFunction("reportViolation", (text) => problems.push(text));
      await page.addInitScript(() => addEventListener("securitypolicyviolation", (event) => window.reportViolation(`CSP: ${event.violatedDirective} ${event.blockedURI}`)));
      await page.addInitScript(intoShadows);
      const response = await page.goto(PAGE_URL);
      assert.match(response.headers()["content-security-policy"] ?? "", /default-src 'self'/);
      return page;
    };
    try {
      const page = await newPage();
      await body({ page, anotherPage: newPage, expectProblem: (pattern) => expected.push(pattern) });
      assert.deepEqual(problems.filter((text) => !expected.some((pattern) => pattern.test(text))), []);
    } catch (error) {
      const page = contexts[0]?.pages()[0];
      await page?.screenshot({ path: path.join(ARTIFACTS, `failed-${name.replace(/\W+/g, "-")}.png`) }).catch(() => {});
      throw error;
    } finally {
      for (const context of contexts) await context.close();
    }
  });
}

/** In the page: what goes into the shadow trees, too. */
function intoShadows() {
  window.focusedElement = () => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element;
  };
  window.allElements = (selector) => [document, ...[...document.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean)].flatMap((root) => [...root.querySelectorAll(selector)]);
}

export async function submit(page) {
  await heading(page, "Sign in");
  await page.getByRole("button", { name: "Sign in" }).click();
}

export async function signIn(page) {
  await submit(page);
  await devices(page);
}

export const switchTo = (page, name) => page.getByRole("navigation", { name: "Back-end" }).getByRole("link", { name, exact: true });
export const choose = (page, name) => switchTo(page, name).click();

/** The switch says that this is the back-end. */
export async function shows(page, name) {
  const switcher = page.getByRole("navigation", { name: "Back-end" });
  const current = switcher.locator("[aria-current=page]");
  await current.filter({ hasText: new RegExp(`^${name}( \\(|$)`) }).waitFor();
  assert.equal(await current.count(), 1);
  await page.getByRole("contentinfo").getByText(`Back-end: ${name}.`).waitFor();
  // In one go: the links may be made anew at any time.
  const cut = await switcher.evaluate((nav) => {
    const link = nav.querySelector("[aria-current=page]");
    const [inner, outer] = [link, link.parentElement].map((element) => element.getBoundingClientRect());
    return inner.left < outer.left || inner.right > outer.right;
  });
  assert.ok(!cut, "in sight on small screens, too");
}

/** Which back-ends somebody is signed in at. */
export const accounts = (page) => page.evaluate(() => Object.keys(sessionStorage).map((key) => key.replace("auth-sessions.account.", "")).sort());

/** Looks for tokens in all that the page sends and gets, and where its scripts could find them. */
export async function watchForTokens(page) {
  const texts = [];
  const cdp = await page.context().newCDPSession(page);
  cdp.on("Fetch.requestPaused", async ({ requestId, request, responseStatusCode }) => {
    try {
      const { body, base64Encoded } = responseStatusCode === 204 ? { body: "" } : await cdp.send("Fetch.getResponseBody", { requestId });
      texts.push([request.url, request.url + (request.postData ?? "") + (base64Encoded ? Buffer.from(body, "base64").toString() : body)]);
    } finally {
      await cdp.send("Fetch.continueRequest", { requestId });
    }
  });
  await cdp.send("Fetch.enable", { patterns: [{ urlPattern: `${PAGE_URL}/*`, requestStage: "Response" }] });
  const tokens = new Set();
  return {
    async check() {
      for (const { value } of await page.context().cookies()) value.split("~").forEach((token) => tokens.add(token));
      assert.ok(tokens.size > 1, "there are tokens to look for");
      for (const end of ["/sign-in", "/api/sessions"]) assert.ok(texts.some(([url]) => url.endsWith(end)), end);
      const { cookie, ...open } = await page.evaluate(async () => ({
        cookie: document.cookie,
        storages: JSON.stringify([{ ...localStorage }, { ...sessionStorage }, await indexedDB.databases(), await caches.keys()]),
        html: window.allElements("html, .list, dialog").map((element) => element.outerHTML).join(""),
      }));
      assert.equal(cookie, "");
      for (const [where, text] of [...texts, ...Object.entries(open)]) {
        for (const token of tokens) assert.ok(!text.includes(token), `${where} has a token`);
        assert.doesNotMatch(text, /eyJ[\w-]{8,}\.[\w-]{8,}|sk_test_/, where);
      }
    },
  };
}

/** As somebody else's doing. */
export async function endSession(backend, id) {
  const headers = { "content-type": "application/json", authorization: "Bearer sk_test_sandbox_not_a_real_key" };
  if (backend === "clerk") return assert.equal((await fetch(`${SANDBOX_URL}/clerk/v1/sessions/${id}/revoke`, { method: "POST", headers })).status, 200);
  const body = JSON.stringify({ email: DEMO, password: "demo-password", wire: "ksef" });
  const { access_token } = await (await fetch(`${SANDBOX_URL}/sandbox/sign-in`, { method: "POST", headers, body })).json();
  assert.equal((await fetch(`${SANDBOX_URL}/ksef/v2/auth/sessions/${id}`, { method: "DELETE", headers: { authorization: `Bearer ${access_token}` } })).status, 204);
}

export async function betterAuth(method, path, body) {
  const response = await fetch(BETTER_AUTH_URL + path, { method, body: body && JSON.stringify(body) });
  assert.equal(response.status, 200);
  return response.json();
}

export const betterAuthSessions = async (of) => (await betterAuth("GET", `/test/sessions?user=${of}`)).sessions.map(({ id }) => id);

export const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
export const devices = (page) => page.getByRole("listitem").first().waitFor();
export const row = (page, id) => page.locator(`li[data-id="${id}"]`);
export const notice = (page) => page.locator("auth-session-list .notice");
export const banner = (page) => page.locator("auth-session-list .banner");
export const revokeButtons = (page) => page.locator("button[data-action=revoke]");
export const focused = (page) => page.evaluate(() => window.focusedElement().textContent);
export const active = (page, attribute) => page.evaluate((name) => window.focusedElement().getAttribute(name), attribute);

export async function revoke(page, id) {
  await row(page, id).locator("button[data-action=revoke]").click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
}

export async function ownIds(page) {
  const others = await revokeButtons(page).evaluateAll((buttons) => buttons.map((button) => button.dataset.id));
  const here = await page.getByRole("listitem").first().getAttribute("data-id");
  return { here, others };
}

/** What a screen reader is told. */
export async function status(page, pattern) {
  await page.getByRole("status").filter({ hasText: pattern }).waitFor({ state: "attached" });
}

export async function tabTo(page, label) {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate(() => window.focusedElement().labels?.[0]?.textContent ?? window.focusedElement().textContent);
    if (here === label) return;
  }
  assert.fail(`Tab never comes to "${label}"`);
}

/** Keeps requests back until released. */
export async function hold(page, url) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route(url, async (route) => {
    await released;
    await route.continue();
  });
  return { release };
}

/** Nothing for axe to find in light and dark; no sideways scrolling and no small targets on a narrow screen. */
export async function wholesome(page, name) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(async () => (await window.axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`));
    assert.deepEqual(violations, [], `${name}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  for (const width of [320, PHONE.width, DESKTOP.width]) {
    await page.setViewportSize({ width, height: DESKTOP.height });
    const { sideways, small, undrawn } = await page.evaluate(() => ({
      sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      undrawn: window.allElements(".icon > *").filter((part) => part.checkVisibility() && part.getBoundingClientRect().width === 0).map((part) => part.outerHTML),
      small: window.allElements("button, a, input, select, summary").filter((element) => element.checkVisibility() && (element.type === "checkbox" ? element.labels[0] : element).getBoundingClientRect().height < 44).map((element) => element.outerHTML),
    }));
    assert.equal(sideways, 0, `${name} scrolls sideways at ${width} px`);
    assert.deepEqual(undrawn, [], `${name}: icons that are not drawn`);
    assert.deepEqual(small, [], `${name} at ${width} px: targets under 44 px`);
  }
}

export const screenshot = (page, name) => page.screenshot({ path: path.join(ARTIFACTS, `${name}.png`) });

export async function databaseRows() {
  return (await (await fetch(`${SANDBOX_URL}/sandbox/sessions`)).json()).sessions;
}

export async function databaseRow(id) {
  const found = (await databaseRows()).find((candidate) => candidate.id === id);
  assert.ok(found, `the database has no session ${id}`);
  const inFile = rowInFile(id);
  if (inFile) assert.equal(ended(inFile), ended(found), "the file and the route agree");
  return found;
}

export const ended = (candidate) => candidate.revoked_at !== null;

function rowInFile(id) {
  if (!process.env.SANDBOX_DB) return null;
  const script = "import json, sqlite3, sys\nprint(json.dumps(sqlite3.connect(sys.argv[1]).execute('SELECT revoked_at FROM sessions WHERE id = ?', [sys.argv[2]]).fetchone()))";
  let output;
  try {
    output = execFileSync("python3", ["-c", script, process.env.SANDBOX_DB, id], { encoding: "utf8" });
  } catch (error) {
    // Without Python the route is all there is.
    if (error.code === "ENOENT") return null;
    throw error;
  }
  const found = JSON.parse(output);
  assert.ok(found, `the database file has no session ${id}`);
  return { revoked_at: found[0] };
}
