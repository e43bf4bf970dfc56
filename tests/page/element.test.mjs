// <auth-session-list> by itself, in a real browser under the page's own policy: the real package calls what a test answers for its back-end. What it does on the page is in page.test.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { texts } from "../../pkg/element.js";
import {
  active, DESKTOP, devices, LIST, notice, PAGE_URL, pageTest, PHONE, revoke, revokeButtons, row, SANDBOX_URL, screenshot, serverError, signIn, status, USER_AGENT, wholesome,
} from "./support.mjs";

const pkg = path.resolve(import.meta.dirname, "../../pkg");
const PROFILE = {
  list: { method: "GET", path: "/sessions", items: "/items", next: "/next", cursor: { query: "cursor" } },
  revoke: { method: "DELETE", path: "/sessions/{id}" },
  logout: { method: "POST", path: "/logout" },
  effect: "refresh-only",
};
const AGENTS = {
  here: USER_AGENT,
  phone: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1",
  linux: "Mozilla/5.0 (X11; Linux x86_64; rv:151.0) Gecko/20100101 Firefox/151.0",
  tablet: "Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1",
};
const HOUR = 60 * 60 * 1000;
// One moment for all: the list is sorted by time.
const NOW = Date.now();
const ago = (hours, from = NOW) => new Date(from - hours * HOUR).toISOString();
const item = (id, more) => ({
  id, current: id === "here", userAgent: AGENTS[id] ?? AGENTS.linux, ipAddress: "203.0.113.7", createdAt: ago(50), lastActiveAt: ago(id === "here" ? 0 : 2.01), expiresAt: ago(-100), ...more,
});
const ok = (body) => ({ status: 200, contentType: "application/json", body: JSON.stringify(body) });
const ITEMS = ["here", "phone", "linux", "tablet"].map((id) => item(id));

/** Puts an element on the page whose back-end answers with `answer(method, path, url)`; by default a list, and yes to everything. */
async function element(page, answer = () => null, { wrap = null, language = null } = {}) {
  const items = [...ITEMS];
  // Until then the page is still on its way.
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.route(`${PAGE_URL}/pkg/**`, (route) => route.fulfill({ contentType: "text/javascript", body: readFileSync(path.join(pkg, new URL(route.request().url()).pathname.slice(5))) }));
  await page.route(`${PAGE_URL}/fake/**`, async (route) => {
    const url = new URL(route.request().url());
    const [method, where] = [route.request().method(), url.pathname.replace("/fake", "")];
    await route.fulfill((await answer(method, where, url)) ?? (method === "GET" ? ok({ items }) : ok({})));
  });
  await page.evaluate(
    async ([profile, language]) => {
      const { createSessions } = await import("/pkg/index.js");
      const list = (window.list = document.createElement("auth-session-list"));
      if (language) list.lang = language;
      window.events = [];
      const note = (event) => window.events.push({ type: event.type, composed: event.composed, detail: JSON.parse(JSON.stringify(event.detail, (key, value) => (value instanceof Error ? { code: value.code } : value))) });
      for (const type of ["revoked", "logged-out", "reauthenticate", "session-change"]) document.addEventListener(type, note);
      list.addEventListener("error", note);
      window.sessions = createSessions({ provider: profile, baseUrl: "/fake", maxRetries: 0, token: "the-secret-token" });
      const heading = Object.assign(document.createElement("h1"), { textContent: "Security" });
      document.querySelector("main").classList.remove("page-narrow");
      document.querySelector("main").replaceChildren(heading, list);
    },
    [PROFILE, language],
  );
  if (wrap) await page.evaluate(wrap);
  await page.evaluate(() => (window.list.sessions = window.sessions));
}

const events = (page, type) => page.evaluate((type) => window.events.filter((event) => event.type === type).map(({ detail }) => detail), type);
const inList = (page, selector) => page.locator(`auth-session-list ${selector}`);
const confirm = (page, name) => page.getByRole("dialog").getByRole("button", { name, exact: true }).click();

// ---------------------------------------------------------------- languages

const LANGUAGES = {
  pl: { title: "Twoje urządzenia", others: "Inne urządzenia (3)", device: "Safari – iPhone", when: "2 godziny temu", out: "Wyloguj wszystkie inne", yes: "Wyloguj", done: "Wylogowano 3 inne urządzenia.", stays: /Dostęp może działać do czasu wygaśnięcia tokenów/ },
  de: { title: "Ihre Geräte", others: "Andere Geräte (3)", device: "Safari auf iPhone", when: "vor 2 Stunden", out: "Alle anderen abmelden", yes: "Abmelden", done: "3 andere Geräte wurden abgemeldet.", stays: /Sie können nutzbar bleiben, bis ihre Zugriffstoken ablaufen/ },
};
for (const [language, { title, others, device, when, out, yes, done, stays }] of Object.entries(LANGUAGES)) {
  pageTest(`in ${language}: texts, times and plurals`, async ({ page }) => {
    let items = ITEMS;
    await element(page, (method) => (method === "GET" ? ok({ items }) : ((items = [ITEMS[0]]), null)), { language });
    await page.getByRole("heading", { level: 2, name: title }).waitFor();
    await page.getByRole("heading", { level: 3, name: others }).waitFor();
    await page.getByRole("heading", { level: 4, name: device }).waitFor();
    const time = row(page, "phone").locator("time").first();
    assert.equal(await time.textContent(), when);
    assert.equal(await inList(page, ".list").getAttribute("lang"), language);
    await wholesome(page, `in-${language}`);
    for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      await page.setViewportSize(viewport);
      await screenshot(page, `element-${language}-${size}`);
    }
    await page.getByRole("button", { name: out }).click();
    await page.getByRole("dialog").getByText(stays).waitFor();
    await wholesome(page, `in-${language}-confirmation`);
    await confirm(page, yes);
    await notice(page).getByText(done).waitFor();
  });
}

pageTest("the language is that of the nearest element that has one, also when it changes", async ({ page }) => {
  await element(page);
  await devices(page);
  const title = inList(page, ".title");
  assert.equal(await title.textContent(), "Your devices");
  await page.evaluate(() => (document.documentElement.lang = "pl-PL"));
  await page.getByRole("heading", { name: "Twoje urządzenia" }).waitFor();
  await page.evaluate(() => (document.querySelector("main").lang = "de-AT"));
  await page.getByRole("heading", { name: "Ihre Geräte" }).waitFor();
  await page.evaluate(() => (window.list.lang = "en"));
  await page.getByRole("heading", { name: "Your devices" }).waitFor();
  for (const unknown of ["fr", "x_nonsense", "constructor"]) {
    await page.evaluate((language) => (window.list.lang = language), unknown);
    assert.equal(await title.textContent(), "Your devices", unknown);
    assert.match(await inList(page, ".list").getAttribute("lang"), /^en/, "for screen readers");
  }
});

pageTest("Polish has four plurals, and every language every text", async ({ page }) => {
  const shape = (value) => (typeof value === "string" || value.other !== undefined ? "" : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)])));
  for (const language of ["pl", "de"]) assert.deepEqual(shape(texts[language]), shape(texts.en), language);
  // What is filled in is the same everywhere.
  const places = (value) => (typeof value === "string" ? [...new Set(value.match(/\{\w+\}/g))].sort() : value.other ? places(value.other) : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, places(inner)])));
  for (const language of ["pl", "de"]) assert.deepEqual(places(texts[language]), places(texts.en), language);
  const said = [];
  for (const count of [1, 2, 5, 22]) {
    const items = [...Array(count)].map((_, index) => item(`s${index}`));
    await page.unrouteAll();
    await element(page, (method) => (method === "GET" ? ok({ items }) : null), { language: "pl" });
    const live = inList(page, "[role=status]");
    await live.filter({ hasText: /Zalogow/ }).waitFor({ state: "attached" });
    said.push((await live.textContent()).replace("Wczytywanie urządzeń… ", ""));
  }
  assert.deepEqual(said, ["Zalogowane jest 1 urządzenie.", "Zalogowane są 2 urządzenia.", "Zalogowanych jest 5 urządzeń.", "Zalogowane są 22 urządzenia."]);
});

pageTest("texts of one's own, some or in another language", async ({ page }) => {
  await element(page);
  await devices(page);
  await page.evaluate(() => (window.list.texts = { title: "", intro: "", signOut: "Kick <b>out</b>", findings: { new_city: "First time in {city}" } }));
  assert.equal(await inList(page, ".title").count(), 0);
  await page.getByRole("heading", { level: 2, name: "Other devices (3)" }).waitFor();
  assert.equal(await revokeButtons(page).first().locator("span").first().textContent(), "Kick <b>out</b> Safari on iPhone");
  await page.evaluate(() => (window.list.findings = [{ code: "new_city", severity: "low", confidence: "low", sessionIds: ["phone"], evidence: { city: "Łódź" } }]));
  await row(page, "phone").getByText("First time in Łódź").waitFor();
  await page.evaluate(() => {
    window.list.lang = "fr";
    window.list.texts = { title: "Vos appareils", lastActive: "Actif {time}" };
  });
  await page.getByRole("heading", { name: "Vos appareils" }).waitFor();
  assert.match(await row(page, "phone").locator(".bits").nth(1).textContent(), /^Actif il y a 2 heures/);
  await page.evaluate(() => (window.list.texts = null));
  await page.getByRole("heading", { name: "Your devices" }).waitFor();
});

pageTest("from right to left", async ({ page }) => {
  await element(page);
  await devices(page);
  await page.evaluate(() => (document.documentElement.dir = "rtl"));
  const [icon, button] = await Promise.all([row(page, "phone").locator(".device-icon").boundingBox(), row(page, "phone").locator("button").boundingBox()]);
  assert.ok(icon.x > button.x, "the icon comes first");
  // English goes from left to right even there, its full stops too, and begins where the page's texts do.
  const afterLast = (selector) => inList(page, selector).first().evaluate((element) => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (texts.nextNode());
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    range.setStart(range.endContainer, range.endOffset - 1);
    return Math.round(element.getBoundingClientRect().right - range.getBoundingClientRect().right);
  });
  await page.evaluate(() => (window.list.findings = [{ code: "new_device", severity: "low", confidence: "low", sessionIds: ["phone"], evidence: {} }]));
  for (const selector of [".intro", "section[aria-labelledby=others-title] h3", ".finding > span"]) assert.equal(await afterLast(selector), 0, selector);
  await wholesome(page, "rtl");
  for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    await page.setViewportSize(viewport);
    await screenshot(page, `element-rtl-${size}`);
  }
});

const NAMES = {
  en: ["Gmail app on iOS", "App on iOS", "Bot", "curl", "Windows", "Unknown device"],
  pl: ["Aplikacja Gmail – iOS", "Aplikacja – iOS", "Bot", "curl", "Windows", "Nieznane urządzenie"],
  de: ["Gmail-App auf iOS", "App auf iOS", "Bot", "curl", "Windows", "Unbekanntes Gerät"],
};
pageTest("apps, bots and what isn't known are named in the reader's language, too; a label of the application's stays", async ({ page }) => {
  const agents = ["Gmail/6.0.250210 CFNetwork/3826.400.120 Darwin/24.3.0", "Mine/1.0 CFNetwork/3826.400.120 Darwin/24.3.0", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.5.0", "Mozilla/5.0 (Windows NT 10.0)", "something else"];
  const items = agents.map((userAgent, index) => item(`s${index}`, { userAgent, lastActiveAt: ago(index + 1) }));
  await element(page, (method) => (method === "GET" ? ok({ items }) : null));
  await devices(page);
  for (const [language, names] of Object.entries(NAMES)) {
    await page.evaluate((language) => (window.list.lang = language), language);
    assert.deepEqual(await inList(page, ".device-name bdi").allTextContents(), names, language);
  }
  await page.evaluate(() => {
    const { list } = window.sessions;
    const labels = [{ label: "Bot on Duty", kind: "app", browser: "Bot" }, { label: "My app on the couch", kind: "app", browser: null }, { label: "constructor", kind: "app", browser: null }];
    window.list.sessions = { ...window.sessions, list: async (options) => {
      const answer = await list(options);
      return { ...answer, sessions: labels.map((device, at) => ({ ...answer.sessions[at], device })) };
    } };
  });
  await inList(page, ".device-name").getByText("constructor").waitFor();
  assert.deepEqual(await inList(page, ".device-name bdi").allTextContents(), ["Bot auf Duty", "My app on the couch", "constructor"]);
});

// ---------------------------------------------------------------- what is shown

pageTest("this device's clock is behind the server's: what has happened is not still to come", async ({ page }) => {
  await element(page, (method) => (method === "GET" ? ok({ items: [item("here", { createdAt: ago(-26), lastActiveAt: ago(-0.005, Date.now()), expiresAt: ago(-2.01) })] }) : null));
  await devices(page);
  assert.deepEqual(await row(page, "here").locator(".bits").nth(1).locator(".bit").allTextContents(), ["Last active just now", "Signed in just now", "Expires in 2 hours"]);
});

pageTest("sessions that are over are no devices, whoever says so", async ({ page }) => {
  const over = ["revoked", "expired", "ended", "removed", "abandoned", "replaced"];
  const items = [...ITEMS, ...over.map((status) => item(status, { status })), ...["pending", "blocked", "unheard-of"].map((status) => item(status, { status }))];
  await element(page, (method) => (method === "GET" ? ok({ items }) : null));
  await page.getByRole("heading", { name: "Other devices (6)" }).waitFor();
  for (const status of over) assert.equal(await row(page, status).count(), 0, status);
  await page.evaluate(() => {
    const waiting = [];
    window.change = (change) => waiting.shift()({ value: { at: "2026-01-31T09:30:00.000Z", previous: null, ...change }, done: false });
    window.list.watch = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise((resolve) => waiting.push(resolve)) }) });
  });
  const change = (type, id, status) => page.evaluate(async ([type, id, status]) => {
    const { sessions } = await window.sessions.list();
    window.change({ type, session: { ...sessions.find((session) => session.id === id), status } });
  }, [type, id, status]);
  await change("added", "replaced", "replaced");
  await change("changed", "phone", "revoked");
  await row(page, "phone").waitFor({ state: "detached" });
  await status(page, /^Safari on iPhone isn’t signed in any more\.$/);
  // By the clock of this device only: the next list tells.
  await change("changed", "tablet", "expired");
  await change("changed", "linux", "ended");
  await row(page, "linux").waitFor({ state: "detached" });
  for (const [id, count] of [["replaced", 0], ["tablet", 1]]) assert.equal(await row(page, id).count(), count, id);
});


pageTest("findings: beside what they are about, above all where it is several, nothing where it is nothing", async ({ page }) => {
  await element(page);
  await devices(page);
  const codes = Object.keys(texts.en.findings);
  assert.equal(codes.length, 13);
  const about = (code, sessionIds, severity = "medium") => ({ code, severity, confidence: "high", sessionIds, evidence: {} });
  for (const code of codes) {
    await page.evaluate((findings) => (window.list.findings = findings), [about(code, ["phone"]), about(code, ["phone"])]);
    assert.deepEqual(await row(page, "phone").locator(".finding").allTextContents(), [texts.en.findings[code]], code);
    assert.equal(await inList(page, ".finding").count(), 1, code);
  }
  await page.evaluate((findings) => (window.list.findings = findings), [
    about("impossible_travel", ["here", "linux"], "high"), about("new_device", ["phone"]), about("stale_session", ["tablet"], "low"), about("concurrent_sessions", ["here", "phone", "linux", "tablet"]),
    about("new_city", ["gone"]), about("constructor", ["phone"]), about("of_a_newer_package", ["phone"]),
  ]);
  assert.equal(await inList(page, ".finding").count(), 5);
  for (const id of ["here", "linux"]) assert.equal(await row(page, id).locator(".finding.high").count(), 1, id);
  await page.getByRole("region", { name: "Worth a look" }).getByText(texts.en.findings.concurrent_sessions).waitFor();
  await wholesome(page, "findings");
  await screenshot(page, "element-findings");
});

pageTest("findings: a function is asked once for each list; what it throws is an error, and the list stays", async ({ page }) => {
  await element(page);
  await devices(page);
  await page.evaluate(async () => {
    const { findings, remember } = await import("/pkg/monitoring.js");
    window.asked = [];
    const history = remember((await window.sessions.list()).sessions.filter(({ current }) => current));
    window.list.findings = (shown) => {
      window.asked.push(shown.map(({ id }) => id).sort().join());
      return findings(shown.splice(0), { history });
    };
  });
  await row(page, "phone").getByText(texts.en.findings.new_device).waitFor();
  assert.equal(await row(page, "here").locator(".finding").count(), 0);
  await page.evaluate(() => {
    window.list.lang = "de";
    window.list.texts = {};
  });
  await row(page, "phone").getByText(texts.de.findings.new_device).waitFor();
  assert.deepEqual(await page.evaluate(() => window.asked), ["here,linux,phone,tablet"]);
  await page.evaluate(() => window.list.refresh());
  assert.deepEqual(await page.evaluate(() => window.asked.length), 2);
  await page.evaluate(() => (window.list.findings = () => { throw new Error("broken"); }));
  await page.evaluate(() => (window.list.lang = "pl"));
  assert.equal(await inList(page, ".finding").count(), 0);
  assert.equal(await page.getByRole("listitem").count(), 4);
  // What gives no list is an error, too: for this list and for the next.
  await page.evaluate(() => (window.list.findings = async () => []));
  await page.evaluate(() => window.list.refresh());
  assert.equal(await page.getByRole("listitem").count(), 4);
  assert.deepEqual((await events(page, "error")).map(({ operation }) => operation), ["findings", "findings", "findings"]);
});

pageTest("hostile texts stay text, and turn nothing else around", async ({ page, expectProblem }) => {
  expectProblem(/status of 500/);
  const evil = '"><img src=x onerror="document.title=1"><script>document.title=1</script>';
  const turned = "\u202Egpj.exe\u2066\u2069\u2069</bdi>";
  const items = [
    item("here"),
    item(`${evil} ${turned}`, { userAgent: evil + turned, ipAddress: evil, tenant: turned, city: turned, country: "javascript:alert(1)" }),
    item("constructor", { userAgent: null, ipAddress: "__proto__", lastActiveAt: "no time", createdAt: 1e300 }),
    item("linux"),
  ];
  await element(page, (method) => (method === "GET" ? ok({ items }) : serverError), {
    wrap: () => {
      // A name, too, which the labels of the package would not let through.
      const { list } = window.sessions;
      window.sessions = { ...window.sessions, list: async (options) => {
        const answer = await list(options);
        return { ...answer, sessions: answer.sessions.map((session) => (session.current ? session : { ...session, device: { ...session.device, label: `\u202E${session.userAgent}`, kind: "__proto__" }, method: { category: "x", code: "<b>", name: "\u202E<i>" } })) };
      } };
    },
  });
  await devices(page);
  assert.equal(await page.getByRole("listitem").count(), 4);
  await page.evaluate((evil) => (window.list.findings = [{ code: "new_device", severity: `high" style="color:red`, confidence: "x", sessionIds: ["linux"], evidence: { device: evil } }]), evil);
  for (const summary of await page.locator("summary").all()) await summary.click();
  await revokeButtons(page).first().click();
  await page.getByRole("dialog").waitFor();
  await wholesome(page, "hostile-confirmation");
  await confirm(page, "Sign out");
  await inList(page, ".failure").first().waitFor();
  assert.equal(await page.title(), "Sign in – Your devices");
  const found = await page.evaluate(() => window.allElements(".list *, dialog *").filter((element) => element.matches("img, script, b, i, a, [style], [href], [src], [onerror]")).map((element) => element.outerHTML));
  assert.deepEqual(found, []);
  // Each name and address is isolated, and a mark in it does not move its neighbours.
  const label = inList(page, ".device-name bdi").last();
  assert.ok((await label.textContent()).startsWith("\u202E"));
  const [badge, name] = [await row(page, "here").locator(".badge").boundingBox(), await row(page, "here").locator(".device-name bdi").boundingBox()];
  assert.ok(badge.x > name.x);
  await wholesome(page, "hostile-element");
});

pageTest("what the back-end can't do is not offered", async ({ page }) => {
  await element(page, undefined, {
    wrap: () => {
      const { capabilities } = window.sessions;
      window.sessions = { ...window.sessions, capabilities: async () => ({ ...(await capabilities()), revoke: "unsupported", revokeOthers: "unsupported", revokeAll: "unsupported", logout: "unsupported" }) };
    },
  });
  await devices(page);
  assert.deepEqual(await inList(page, "button").evaluateAll((buttons) => buttons.map(({ dataset }) => dataset.action)), ["load"]);
  await wholesome(page, "unsupported");
});

pageTest("more pages, of which this device is on the last", async ({ page }) => {
  const pages = { "": { items: [item("phone"), item("linux")], next: "2" }, 2: { items: [item("linux"), item("tablet")], next: "3" }, 3: { items: [item("here")] } };
  const asked = [];
  await element(page, (method, where, url) => (method === "GET" ? (asked.push(url.searchParams.get("cursor") ?? ""), ok(pages[asked.at(-1)])) : null));
  await page.getByRole("heading", { name: "Devices (2+)" }).waitFor();
  const more = page.getByRole("button", { name: "Show more" });
  await wholesome(page, "more");
  await more.click();
  await page.getByRole("heading", { name: "Devices (3+)" }).waitFor();
  await more.click();
  await page.getByRole("heading", { name: "Other devices (3)" }).waitFor();
  assert.equal(await page.getByRole("listitem").first().getAttribute("data-id"), "here");
  assert.equal(await more.count(), 0);
  assert.equal(await active(page, "tabindex"), "-1", "what had the focus is gone: a heading has it");
  assert.deepEqual(asked, ["", "", "2", "", "2", "3"]);
});

pageTest("headings begin at the level that they are given", async ({ page }) => {
  await element(page);
  await devices(page);
  for (const level of [1, 3, 6]) {
    await page.evaluate((level) => window.list.setAttribute("heading-level", level), level);
    await page.getByRole("heading", { level, name: "Your devices" }).waitFor();
    await page.getByRole("heading", { level: Math.min(level + 1, 6), name: "Other devices (3)" }).waitFor();
    await page.getByRole("heading", { level: Math.min(level + 2, 6), name: "Safari on iPhone" }).waitFor();
  }
});

pageTest("colours of one's own, parts, forced colours, less motion", async ({ page }) => {
  await element(page);
  await devices(page);
  const look = (selector, property) => inList(page, selector).first().evaluate((node, property) => getComputedStyle(node)[property], property);
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("auth-session-list { --auth-sessions-surface: rgb(1, 2, 3); color-scheme: dark } auth-session-list::part(device-name) { letter-spacing: 3px }");
    document.adoptedStyleSheets = [sheet];
  });
  assert.equal(await look(".card", "backgroundColor"), "rgb(1, 2, 3)");
  assert.equal(await look(".device-name", "letterSpacing"), "3px");
  assert.equal(await look(".title", "color"), "rgb(236, 238, 242)", "the colour scheme is the page's affair");
  await page.evaluate(() => (document.adoptedStyleSheets = []));
  await page.emulateMedia({ forcedColors: "active" });
  assert.equal(await look(".badge", "borderTopStyle"), "solid");
  await wholesome(page, "forced-colours");
  await page.emulateMedia({ forcedColors: "none" });
  await page.evaluate(() => (window.list.sessions = { ...window.sessions, list: () => new Promise(() => {}) }));
  assert.equal(await look(".bone", "animationName"), "none");
  await page.emulateMedia({ reducedMotion: "no-preference" });
  assert.equal(await look(".bone", "animationName"), "breathe");
});

// ---------------------------------------------------------------- what fails

pageTest("too many requests: how long to wait, and again by itself", async ({ page, expectProblem }) => {
  expectProblem(/status of 429/);
  await page.clock.install();
  let limited = true;
  await element(page, (method) => (limited ? { status: 429, headers: { "retry-after": "40" }, contentType: "application/json", body: "{}" } : null));
  await page.getByRole("heading", { name: "Too many requests" }).waitFor();
  await inList(page, ".state").getByText(/The server asks for a pause\. Try again in (40|39) seconds\./).waitFor();
  assert.equal(await page.getByRole("button", { name: "Try again" }).getAttribute("aria-disabled"), "true");
  await wholesome(page, "rate-limited");
  await page.clock.runFor(10_000);
  await inList(page, ".state").getByText(/Try again in (30|29|28) seconds\./).waitFor();
  limited = false;
  await page.clock.runFor(32_000);
  await devices(page);

  limited = true;
  await revoke(page, "phone");
  await row(page, "phone").getByText(/Too many requests\. The server asks for a pause\. Try again in \d+ seconds\./).waitFor();
  assert.equal(await row(page, "phone").locator("button").getAttribute("aria-disabled"), "true");
  await page.clock.runFor(42_000);
  assert.equal(await row(page, "phone").locator("button").getAttribute("aria-disabled"), null);
});

pageTest("the back-end wants a fresh sign-in, which is the application's", async ({ page }) => {
  const stubborn = () => {
    const { revoke } = window.sessions;
    window.fresh = false;
    window.sessions = { ...window.sessions, revoke: (id) => (window.fresh ? revoke(id) : Promise.reject(Object.assign(new Error("no"), { code: "reauthentication_required" }))) };
  };
  await element(page, undefined, { wrap: stubborn });
  await devices(page);
  await revoke(page, "phone");
  await row(page, "phone").getByText("Please sign in again.").waitFor();
  await wholesome(page, "reauthenticate");
  const again = row(page, "phone").getByRole("button", { name: "Sign in again Safari on iPhone" });
  // Nobody handles it: it is tried again, so that `onReauthenticate` would be asked.
  await again.click();
  await status(page, /couldn’t be signed out\. Please sign in again\./);
  assert.equal((await events(page, "reauthenticate")).length, 1);
  await page.evaluate(() =>
    window.list.addEventListener("reauthenticate", (event) => {
      event.preventDefault();
      window.retry = event.detail.retry;
    }),
  );
  await again.click();
  assert.equal((await events(page, "error")).length, 2, "nothing is tried before it says so");
  await page.evaluate(() => {
    window.fresh = true;
    return window.retry();
  });
  await notice(page).getByText("Safari on iPhone has been signed out.").waitFor();
});

pageTest("progress, a partial revocation, and what the events say", async ({ page, expectProblem }) => {
  expectProblem(/status of 500/);
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const left = new Set(["here", "phone", "linux", "tablet"]);
  await element(page, async (method, where) => {
    if (method === "GET") return ok({ items: ITEMS.filter(({ id }) => left.has(id)) });
    const id = where.split("/").at(-1);
    if (id === "tablet") await released;
    if (id === "linux") return serverError;
    left.delete(id);
    return null;
  });
  await devices(page);
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await confirm(page, "Sign out");
  await page.getByRole("button", { name: "Signing out 3 of 3…" }).waitFor();
  await wholesome(page, "progress");
  release();
  await notice(page).getByText("1 device couldn’t be signed out. 2 devices were signed out. The list says why.").waitFor();
  await row(page, "linux").getByText("Couldn’t be signed out. Something went wrong on the server.").waitFor();
  assert.deepEqual(await events(page, "revoked"), [{ scope: "others", ids: ["phone", "tablet"], failed: ["linux"], count: 2, effect: "refresh-only", accessTokenValidUntil: null }]);
  assert.deepEqual((await events(page, "error")).map(({ error, operation }) => [error.code, operation]), [["partial_revocation", "revokeOthers"]]);

  await page.evaluate(() => {
    const link = Object.assign(document.createElement("a"), { slot: "logged-out", href: "/in", textContent: "Back in" });
    // It is the page's, with the page's looks.
    Object.assign(link.style, { display: "block", minBlockSize: "44px" });
    window.list.append(link);
    return window.list.logout();
  });
  await page.getByRole("heading", { name: "You’ve been signed out." }).waitFor();
  await page.getByRole("link", { name: "Back in" }).waitFor();
  assert.deepEqual(await events(page, "logged-out"), [{ reason: "logout", confirmed: true, kind: "success", message: "You’ve been signed out." }]);
  const all = await page.evaluate(() => window.events);
  assert.ok(all.every(({ composed }) => composed));
  assert.ok(!JSON.stringify(all).includes("the-secret-token"));
  await wholesome(page, "element-logged-out");
  await screenshot(page, "element-logged-out");
  // It starts over, and the client says that it has been signed out.
  await page.evaluate(() => window.list.refresh());
  await page.getByRole("heading", { name: "You’ve been signed out", exact: true }).waitFor();
  assert.deepEqual((await events(page, "logged-out")).map(({ reason }) => reason), ["logout", "ended"]);
});

pageTest("asked again right after a no: what is said then counts, once", async ({ page }) => {
  let items = ITEMS;
  const asked = [];
  await element(page, (method, where) => {
    if (method === "GET") return ok({ items });
    asked.push(`${method} ${where}`);
    items = items.filter(({ id }) => where !== `/sessions/${id}`);
    return null;
  });
  const id = await revokeButtons(page).first().getAttribute("data-id");
  // The browser tells later that a dialog was closed; fingers are quicker now and then.
  await page.evaluate((id) => {
    const { shadowRoot } = window.list;
    const [button, dialog] = [shadowRoot.querySelector(`button[data-action=revoke][data-id="${id}"]`), shadowRoot.querySelector("dialog")];
    button.click();
    dialog.close("");
    button.click();
  }, id);
  await confirm(page, "Sign out");
  await row(page, id).waitFor({ state: "detached" });
  assert.deepEqual((await events(page, "revoked")).map(({ ids }) => ids), [[id]]);
  assert.deepEqual(asked, [`DELETE /sessions/${id}`]);
});

pageTest("an error of the list does not look like one of a script", async ({ page, expectProblem }) => {
  expectProblem(/status of 500/);
  await page.evaluate(() => addEventListener("error", () => (window.wasTold = true)));
  await element(page, () => serverError);
  await page.getByRole("heading", { name: "Something went wrong on the server" }).waitFor();
  assert.equal((await events(page, "error")).length, 1);
  assert.equal(await page.evaluate(() => window.wasTold), undefined);
});

// ---------------------------------------------------------------- live

pageTest("live: a second browser signs in, is remarkable, goes away; then this one", async ({ page }) => {
  await signIn(page);
  const count = await page.getByRole("listitem").count();
  const baseline = page.waitForResponse(LIST);
  await page.getByLabel("Watch for changes").check();
  await (await baseline).finished();
  await page.getByRole("button", { name: "Sign in on another device" }).click();
  const fresh = inList(page, ".device").filter({ has: page.locator(".new") });
  await fresh.getByRole("heading", { name: /Firefox on Windows/ }).waitFor();
  await status(page, /New sign-in: Firefox on Windows\./);
  await fresh.getByText(texts.en.findings.new_device).waitFor();
  assert.equal(await page.getByRole("listitem").filter({ has: page.locator("details") }).count(), count + 1);
  await wholesome(page, "live");
  await screenshot(page, "live");

  const id = await fresh.getAttribute("data-id");
  const elsewhere = async (id) => {
    const { access_token } = await (await fetch(`${SANDBOX_URL}/sandbox/sign-in`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ email: "demo@example.com", password: "demo-password", user_agent: AGENTS.tablet }) })).json();
    assert.equal((await fetch(`${SANDBOX_URL}/authvital/oauth/sessions/${id}/revoke`, { method: "POST", headers: { authorization: `Bearer ${access_token}` } })).status, 200);
  };
  await row(page, id).locator("summary").focus();
  await elsewhere(id);
  await row(page, id).waitFor({ state: "detached" });
  await status(page, /Firefox on Windows isn’t signed in any more\./);
  assert.equal(await active(page, "data-action"), "revoke", "the next device has the focus");

  await elsewhere(await page.getByRole("listitem").first().getAttribute("data-id"));
  await inList(page, ".banner").getByText("This device has been signed out.").waitFor();
  await status(page, /This device has been signed out\./);
  await page.getByLabel("Watch for changes").uncheck();
});

pageTest("changes one by one: renewed is not new, what fails is looked at, and it ends with the element", async ({ page }) => {
  await element(page);
  await devices(page);
  await page.evaluate(() => {
    window.began = [];
    window.list.watch = (signal) => {
      window.began.push(signal);
      const waiting = [];
      window.change = (change) => waiting.shift()?.({ value: { at: "2026-01-31T09:30:00.000Z", ...change }, done: false });
      return { [Symbol.asyncIterator]: () => ({ next: () => new Promise((resolve) => waiting.push(resolve)) }) };
    };
  });
  const change = (type, id, more) => page.evaluate(async ([type, id, more]) => {
    const { sessions } = await window.sessions.list();
    window.change({ type, session: { ...(sessions.find((session) => session.id === "phone")), id, ...more }, previous: null });
  }, [type, id, more]);
  await change("removed", "phone");
  await row(page, "phone").waitFor({ state: "detached" });
  await change("added", "renewed");
  await row(page, "renewed").waitFor();
  assert.equal(await row(page, "renewed").locator(".new").count(), 0, "the same device, at the same time");
  await change("added", "stranger", { ipAddress: "198.51.100.9" });
  await row(page, "stranger").locator(".new").waitFor();
  await change("changed", "stranger", { ipAddress: "198.51.100.10" });
  await row(page, "stranger").getByText("198.51.100.10").first().waitFor();
  await change("changed", "of another page");
  assert.equal(await row(page, "of another page").count(), 0);
  assert.equal((await events(page, "session-change")).length, 5);

  await page.evaluate(() => window.list.remove());
  assert.deepEqual(await page.evaluate(() => window.began.map(({ aborted }) => aborted)), [true]);
  await page.evaluate(() => document.querySelector("main").append(window.list));
  assert.deepEqual(await page.evaluate(() => window.began.map(({ aborted }) => aborted)), [true, false]);
  await page.evaluate(() => {
    window.list.watch = (async function* () {
      throw new Error("broken");
    })();
  });
  assert.deepEqual(await page.evaluate(() => window.began.map(({ aborted }) => aborted)), [true, true]);
  await page.waitForFunction(() => window.events.some(({ type }) => type === "error"));
  assert.deepEqual((await events(page, "error")).map(({ operation }) => operation), ["watch"]);
});

// ---------------------------------------------------------------- being defined, being used

pageTest("a second copy of the package, and properties that were set before the first", async ({ page }) => {
  await element(page);
  await devices(page);
  const second = await page.evaluate(async () => {
    const { AuthSessionList } = await import("/pkg/element.js");
    return [AuthSessionList === customElements.get("auth-session-list"), typeof AuthSessionList];
  });
  assert.deepEqual(second, [false, "function"]);
  const early = await page.context().newPage();
  // Another document, in which nothing is defined yet.
  await early.route(`${PAGE_URL}/empty`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><auth-session-list></auth-session-list>" }));
  await early.route(`${PAGE_URL}/pkg/**`, (route) => route.fulfill({ contentType: "text/javascript", body: readFileSync(path.join(pkg, new URL(route.request().url()).pathname.slice(5))) }));
  await early.goto(`${PAGE_URL}/empty`);
  await early.evaluate(async () => {
    const list = document.querySelector("auth-session-list");
    list.texts = { title: "Early" };
    list.headingLevel = 4;
    await import("/pkg/element.js");
  });
  await early.getByRole("heading", { level: 4, name: "Early" }).waitFor();
  assert.equal(await early.locator("auth-session-list [aria-busy=true]").count(), 1, "without sessions it is loading");
});

pageTest("another client starts over; nothing of the one before stays", async ({ page }) => {
  let hold = null;
  await element(page, async (method) => {
    if (method !== "GET") await hold;
    return null;
  });
  await devices(page);
  let release;
  hold = new Promise((resolve) => (release = resolve));
  await revoke(page, "phone");
  await page.evaluate(() => (window.list.sessions = { ...window.sessions, list: async () => ({ sessions: [], count: 0, total: 0, next: null }) }));
  await page.getByRole("heading", { name: "No active sessions" }).waitFor();
  release();
  await page.evaluate(() => window.sessions.list());
  assert.equal(await notice(page).count(), 0);
  assert.deepEqual(await events(page, "revoked"), []);
});

// ---------------------------------------------------------------- while something else happens

/** A watch that tells what `change(page, type, id, more)` says, and the signals of all that began. */
const follow = (page) => page.evaluate(() => {
  window.began = [];
  window.list.watch = (signal) => {
    window.began.push(signal);
    const [waiting, queue] = [[], []];
    window.change = (change) => {
      const value = { at: "2026-01-31T09:30:00.000Z", previous: null, ...change };
      if (waiting.length) waiting.shift()({ value, done: false });
      else queue.push(value);
    };
    return { [Symbol.asyncIterator]: () => ({ next: () => new Promise((resolve) => (queue.length ? resolve({ value: queue.shift(), done: false }) : waiting.push(resolve))) }) };
  };
});
const change = (page, type, id, more) => page.evaluate(async ([type, id, more]) => {
  const { sessions } = await window.sessions.list();
  window.change({ type, session: { ...(sessions.find((session) => session.id === id) ?? sessions.at(-1)), id, ...more } });
}, [type, id, more]);

pageTest("a poll in which everything has changed is shown at once", async ({ page }) => {
  const items = [item("here"), ...Array.from({ length: 60 }, (_, n) => item(`s${n}`))];
  await element(page, (method) => (method === "GET" ? ok({ items }) : null));
  await devices(page);
  await follow(page);
  const times = await page.evaluate(async () => {
    const { sessions } = await window.sessions.list();
    const { format } = Intl.RelativeTimeFormat.prototype;
    let count = 0;
    Intl.RelativeTimeFormat.prototype.format = function (...args) {
      count++;
      return format.apply(this, args);
    };
    for (const session of sessions.slice(1)) window.change({ type: "changed", session: { ...session, ipAddress: "198.51.100.77" } });
    const last = () => [...window.list.shadowRoot.querySelectorAll("li")].every((row) => row.dataset.id === "here" || row.textContent.includes("198.51.100.77"));
    while (!last()) await new Promise((resolve) => requestAnimationFrame(resolve));
    Intl.RelativeTimeFormat.prototype.format = format;
    return count;
  });
  assert.ok(times <= 4 * items.length, `${times} times were written`);
});

pageTest("a device that is gone beneath the question is still asked for, and the answer told", async ({ page, expectProblem }) => {
  expectProblem(/404/);
  const sent = [];
  await element(page, (method, where) => {
    if (method === "GET") return null;
    sent.push(`${method} ${where}`);
    return { status: 404, contentType: "application/json", body: "{}" };
  });
  await devices(page);
  await follow(page);
  await row(page, "phone").locator("button[data-action=revoke]").click();
  await page.getByRole("dialog").waitFor();
  await change(page, "removed", "phone");
  await row(page, "phone").waitFor({ state: "detached" });
  await confirm(page, "Sign out");
  await status(page, /Safari on iPhone/);
  assert.deepEqual(sent, ["DELETE /sessions/phone"]);
});

pageTest("the focus stays on a device that moves, and comes back where its dialog's device is gone", async ({ page }) => {
  await element(page);
  await devices(page);
  await follow(page);
  await row(page, "tablet").locator("button[data-action=revoke]").focus();
  await change(page, "changed", "tablet", { lastActiveAt: ago(0.5), ipAddress: "198.51.100.5" });
  await row(page, "tablet").getByText("198.51.100.5").first().waitFor();
  assert.equal(await active(page, "data-id"), "tablet");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await change(page, "removed", "tablet");
  await row(page, "tablet").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.notEqual(await page.evaluate(() => document.activeElement.localName), "body");
});

pageTest("another application's or user's list is another list: no question about the one before, no false end", async ({ page }) => {
  const sent = [];
  await element(page, (method, where, url) => {
    if (method !== "GET") sent.push(where);
    return null;
  });
  await devices(page);
  await page.evaluate(() => {
    const { list } = window.sessions;
    // Another user's: this device is not in it.
    window.list.sessions = { ...window.sessions, list: async ({ userId } = {}) => { const page = await list(); return userId === "bob" ? { ...page, sessions: page.sessions.filter(({ id }) => id !== "here") } : page; } };
  });
  await row(page, "here").waitFor();
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("dialog").waitFor();
  await page.evaluate(() => (window.list.listOptions = { userId: "bob" }));
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await row(page, "here").waitFor({ state: "detached" });
  await row(page, "phone").waitFor();
  assert.equal(await inList(page, "").getByText("This device has been signed out").count(), 0);
  assert.deepEqual(sent, []);
});

pageTest("after a sign-out elsewhere no dialog stays, and after the next sign-in changes are told again", async ({ page, expectProblem }) => {
  expectProblem(/401/);
  let isOver = false;
  await element(page, () => (isOver ? { status: 401, contentType: "application/json", body: "{}" } : null));
  await devices(page);
  await follow(page);
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("dialog").waitFor();
  isOver = true;
  await page.evaluate(() => void window.list.refresh());
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.deepEqual(await page.evaluate(() => window.began.map(({ aborted }) => aborted)), [true]);
  isOver = false;
  await page.evaluate(() => window.list.refresh());
  await devices(page);
  assert.deepEqual(await page.evaluate(() => window.began.map(({ aborted }) => aborted)), [true, false]);
});

pageTest("who hears of an error may set another client: that one is not ended", async ({ page, expectProblem }) => {
  expectProblem(/401/);
  let isOver = false;
  await element(page, (method, where, url) => (isOver ? { status: 401, contentType: "application/json", body: "{}" } : null));
  await devices(page);
  await page.evaluate(() => {
    const second = { ...window.sessions, list: async () => ({ sessions: [], count: 0, total: 0, next: null }) };
    window.list.addEventListener("error", () => (window.list.sessions = second), { once: true });
  });
  isOver = true;
  await page.evaluate(() => void window.list.refresh());
  await page.getByRole("heading", { name: "No active sessions" }).waitFor();
  assert.deepEqual(await events(page, "logged-out"), []);
});

pageTest("that this session has ended stays said, where the list has more pages", async ({ page }) => {
  let items = ITEMS;
  await element(page, (method) => (method === "GET" ? ok({ items, next: items === ITEMS ? null : "more" }) : null));
  await devices(page);
  await follow(page);
  items = ITEMS.slice(1);
  await page.evaluate(() => window.change({ type: "current-revoked" }));
  await row(page, "here").waitFor({ state: "detached" });
  await inList(page, "").getByText("This device has been signed out").first().waitFor();
});

pageTest("texts of one's own that are not there are the usual ones; a finding about several is over with one of them", async ({ page }) => {
  await element(page);
  await devices(page);
  await page.evaluate(() => (window.list.texts = { otherDevices: undefined, lastActive: undefined, signOut: undefined, confirmOne: undefined, findings: { new_device: undefined }, errors: undefined }));
  await page.getByRole("heading", { level: 3, name: "Other devices (3)" }).waitFor();
  await follow(page);
  await page.evaluate(() => window.change({ type: "finding", finding: { code: "concurrent_sessions", severity: "medium", confidence: "high", sessionIds: ["here", "phone", "linux", "tablet"], evidence: {} } }));
  const said = inList(page, ".finding");
  await said.filter({ hasText: texts.en.findings.concurrent_sessions }).waitFor();
  await change(page, "removed", "linux");
  await said.waitFor({ state: "detached" });
  // As long as there are too many, it is not over.
  await page.evaluate(() => window.change({ type: "finding", finding: { code: "concurrent_sessions", severity: "medium", confidence: "high", sessionIds: ["tablet", "here", "phone"], evidence: { limit: 1 } } }));
  await said.waitFor();
  await change(page, "removed", "tablet");
  await row(page, "tablet").waitFor({ state: "detached" });
  assert.equal(await said.count(), 1);
  await row(page, "phone").locator("button[data-action=revoke]").click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

pageTest("this device's session that another tab has renewed is still this device", async ({ page }) => {
  let items = ITEMS;
  await element(page, (method) => (method === "GET" ? ok({ items }) : null));
  await devices(page);
  await follow(page);
  items = [{ ...ITEMS[0], id: "renewed", current: false }, ...ITEMS.slice(1)];
  await page.evaluate(() => {
    const old = window.sessions.list().then(({ sessions }) => sessions.find(({ id }) => id === "renewed"));
    return old.then((session) => {
      window.change({ type: "removed", session: { ...session, id: "here" } });
      window.change({ type: "added", session });
    });
  });
  await row(page, "renewed").waitFor();
  await page.evaluate(() => window.list.refresh());
  assert.equal(await inList(page, "").getByText("This device has been signed out").count(), 0);
});

pageTest("who forgets the user after a sign-out that the back-end did not confirm takes nothing of that back", async ({ page, expectProblem }) => {
  expectProblem(/500/);
  const counted = () => {
    const { list } = window.sessions;
    window.sessions = { ...window.sessions, list: (...args) => (window.lists++, list(...args)) };
  };
  await element(page, (method, where) => (/logout/.test(where) ? { status: 500, contentType: "application/json", body: "{}" } : null), { wrap: counted });
  await devices(page);
  await page.evaluate(() =>
    window.list.addEventListener("logged-out", () => {
      window.lists = 0;
      window.list.listOptions = { userId: "nobody" };
    }),
  );
  await page.evaluate(() => window.list.logout());
  // Asked for after what a list begins with.
  await page.evaluate(() => window.sessions.capabilities());
  assert.equal(await page.evaluate(() => window.lists), 0);
  await page.getByText("Signed out on this device only").first().waitFor();
  assert.equal((await events(page, "logged-out")).length, 1);
  assert.equal(await row(page, "here").count(), 0);
});

pageTest("after a device is gone, Cancel at the next one gives the focus back to its button", async ({ page }) => {
  await element(page);
  await devices(page);
  await row(page, "linux").locator("button[data-action=revoke]").click();
  await confirm(page, "Sign out");
  await status(page, /Firefox on Linux|signed out/);
  await row(page, "phone").locator("button[data-action=revoke]").click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await active(page, "data-id"), "phone");
});

pageTest("the same finding told twice is shown once; where no session is marked as this one, a list that opens takes an end back", async ({ page }) => {
  const items = ITEMS.map((each) => ({ ...each, current: null }));
  await element(page, (method) => (method === "GET" ? ok({ items }) : null));
  await row(page, "phone").waitFor();
  await follow(page);
  const finding = (sessionIds) => ({ code: "impossible_travel", severity: "high", confidence: "high", sessionIds, evidence: {} });
  await page.evaluate((finding) => (window.list.findings = [finding]), finding(["here", "phone", "linux"]));
  await page.evaluate((finding) => window.change({ type: "finding", finding }), finding(["linux", "here", "phone"]));
  await page.getByRole("region", { name: "Worth a look" }).waitFor();
  assert.equal(await page.getByRole("region", { name: "Worth a look" }).locator(".finding").count(), 1);
  await page.evaluate(() => window.change({ type: "current-revoked" }));
  const banner = inList(page, "strong").getByText("This device has been signed out");
  await banner.waitFor({ state: "detached" });
  await page.evaluate(() => window.list.refresh());
  assert.equal(await banner.count(), 0);
});

pageTest("what was to be tried again after a fresh sign-in is not tried with another client", async ({ page }) => {
  const stubborn = () => {
    window.ended = 0;
    window.other = { ...window.sessions, revokeAll: async () => (window.ended++, { revoked: null, count: null, effect: "immediate", accessTokenValidUntil: null }) };
    window.sessions = { ...window.sessions, revokeAll: () => Promise.reject(Object.assign(new Error("no"), { code: "reauthentication_required" })) };
  };
  await element(page, undefined, { wrap: stubborn });
  await devices(page);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await confirm(page, "Sign out everywhere");
  await page.evaluate(() =>
    window.list.addEventListener("reauthenticate", (event) => {
      event.preventDefault();
      window.list.sessions = window.other;
      window.retried = event.detail.retry();
    }),
  );
  await notice(page).getByRole("button", { name: "Sign in again" }).click();
  await page.waitForFunction(() => window.retried);
  await page.evaluate(() => window.retried);
  assert.equal(await page.evaluate(() => window.ended), 0);
});
