// The page in a real browser, served by the Worker of www/edge in workerd (PAGE_URL), against the real sandbox (SANDBOX_URL); keeps screenshots in ARTIFACTS.
// With SANDBOX_DB (the sandbox's SQLite file) what the database says is read from the file itself too. BETTER_AUTH_URL is the real Better Auth that the page
// calls, too; without it the tests that need it are skipped.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import {
  accounts, active, banner, BETTER_AUTH_URL, betterAuth, betterAuthSessions, choose, databaseRow, databaseRows, DAY, DEMO, DESKTOP, devices, ended, endSession, focused,
  heading, hold, LIST, notice, ownIds, PAGE_URL, pageTest, PHONE, revoke, REVOKE, revokeButtons, row, SANDBOX_URL, screenshot, serverError, shows, signIn, status,
  submit, switchTo, tabTo, USER_AGENT, watchForTokens, wholesome,
} from "./support.mjs";

// ---------------------------------------------------------------- the tests

pageTest("signing in: a wrong password, the right one, a reload", async ({ page, expectProblem }) => {
  await heading(page, "Sign in");
  assert.equal(await page.getByLabel("Email").inputValue(), "demo@example.com");
  await wholesome(page, "signed-out");

  expectProblem(/status of 401/);
  await page.getByLabel("Password").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByText("That email and password don’t match.").first().waitFor();
  assert.equal(await page.getByLabel("Password").inputValue(), "wrong", "what was typed stays");
  assert.equal(await page.getByLabel("Password").getAttribute("aria-invalid"), "true");
  await status(page, /don’t match/);
  await wholesome(page, "wrong-password");

  await page.getByLabel("Password").fill("demo-password");
  await page.keyboard.press("Enter");
  await devices(page);
  assert.equal(await focused(page), "Your devices");
  await page.reload();
  await devices(page);
});

pageTest("the list: this device first, all that the database has, on every screen", async ({ page }) => {
  await signIn(page);
  const rows = page.getByRole("listitem");
  const alive = (await databaseRows()).filter((row) => row.state === "active");
  const mine = alive.filter((row) => row.user_id === alive.find((other) => other.user_agent === USER_AGENT).user_id);
  assert.ok(mine.length > 4, "a realistic handful is seeded");
  assert.equal(await rows.count(), mine.length);
  await rows.first().locator(".badge", { hasText: "This device" }).waitFor();
  await rows.first().getByRole("heading", { name: "Chrome on macOS" }).waitFor();
  assert.deepEqual(await rows.first().getByRole("button", { name: /Sign out/ }).evaluateAll((buttons) => buttons.map(({ dataset }) => dataset.action)), ["logout"]);
  assert.equal(await rows.locator(".badge").count(), 1);
  await page.getByRole("heading", { name: `Other devices (${mine.length - 1})` }).waitFor();

  const signedIn = rows.first().locator("time").first();
  assert.equal(await signedIn.textContent(), "just now");
  assert.match(await signedIn.getAttribute("datetime"), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.match(await signedIn.getAttribute("title"), /\d{4}, \d\d:\d\d/);
  await rows.first().getByText("Details").click();
  await rows.first().getByText(USER_AGENT).waitFor();
  await wholesome(page, "devices");
  await rows.first().getByText("Details").click();

  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await screenshot(page, `devices-${size}-${colorScheme}`);
    }
  }
});

pageTest("loading is shown and said", async ({ page }) => {
  const held = await hold(page, LIST);
  await submit(page);
  await page.locator("[aria-busy=true]").waitFor();
  await wholesome(page, "loading");
  held.release();
  await devices(page);
  assert.equal(await page.locator("[aria-busy=true]").count(), 0);
});

pageTest("revoking one device: cancelled by Escape, then done, and the database says so", async ({ page }) => {
  await signIn(page);
  const button = revokeButtons(page).first();
  const id = await button.getAttribute("data-id");
  const before = await page.getByRole("listitem").count();

  await button.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("may stay usable until its access token runs out").waitFor();
  await wholesome(page, "confirmation");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await active(page, "data-id"), id, "the focus is back");
  assert.equal(await page.getByRole("listitem").count(), before);
  assert.ok(!ended(await databaseRow(id)));

  const nextId = await revokeButtons(page).nth(1).getAttribute("data-id");
  await button.click();
  await dialog.getByRole("button", { name: "Sign out" }).click();
  await row(page, id).waitFor({ state: "detached" });
  const message = /has been signed out\. It may stay usable until .*its access token runs out\./;
  await notice(page).getByText(message).waitFor();
  await status(page, message);
  assert.equal(await active(page, "data-id"), nextId, "the next device has the focus");
  assert.equal(await page.getByRole("listitem").count(), before - 1);
  assert.ok(ended(await databaseRow(id)), "the database says that it is ended");
  assert.ok(!ended(await databaseRow(nextId)));
  await wholesome(page, "revoked");
  await screenshot(page, "revoked");

  await page.getByRole("button", { name: "Dismiss" }).click();
  await notice(page).waitFor({ state: "detached" });
  await page.reload();
  await devices(page);
  assert.equal(await row(page, id).count(), 0);
});

pageTest("a device that was signed out elsewhere meanwhile", async ({ page, anotherPage }) => {
  await signIn(page);
  const other = await anotherPage();
  await signIn(other);
  const id = await revokeButtons(page).last().getAttribute("data-id");
  await revoke(page, id);
  await revoke(other, id);
  await notice(other).getByText(/was already signed out\./).waitFor();
});

pageTest("the keyboard alone", async ({ page }) => {
  await heading(page, "Sign in");
  await tabTo(page, "Password");
  await page.keyboard.press("Enter");
  await devices(page);
  const button = revokeButtons(page).first();
  const id = await button.getAttribute("data-id");
  await tabTo(page, await button.textContent());
  await page.keyboard.press("Enter");
  assert.equal(await focused(page), "Cancel", "the harmless answer is the first");
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), await button.textContent());
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Sign out");
  await page.keyboard.press("Enter");
  await row(page, id).waitFor({ state: "detached" });
  assert.ok(ended(await databaseRow(id)));
  await tabTo(page, "Dismiss");
  await page.keyboard.press("Enter");
  await notice(page).waitFor({ state: "detached" });
});

pageTest("signing out the others leaves this one", async ({ page }) => {
  await signIn(page);
  const ids = await ownIds(page);
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("dialog").getByText("You stay signed in here.").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "No other devices" }).waitFor();
  await notice(page).getByText(`${ids.others.length} other devices have been signed out. They may stay usable`).waitFor();
  assert.equal(await page.getByRole("listitem").count(), 1);
  for (const id of ids.others) assert.ok(ended(await databaseRow(id)), id);
  assert.ok(!ended(await databaseRow(ids.here)));
  await wholesome(page, "no-other-devices");
  await screenshot(page, "no-other-devices");
});

pageTest("signing out the others, one of which fails", async ({ page, expectProblem }) => {
  await signIn(page);
  expectProblem(/status of 500/);
  const { others } = await ownIds(page);
  const stubborn = others[1];
  const failing = (url) => url.pathname.endsWith(`/oauth/sessions/${stubborn}/revoke`);
  await page.route(failing, (route) => route.fulfill(serverError));
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await notice(page).getByText("1 device couldn’t be signed out.").waitFor();
  await row(page, stubborn).getByText("Something went wrong on the server.").waitFor();
  assert.equal(await page.getByRole("listitem").count(), 2);
  await wholesome(page, "partly-signed-out");
  await screenshot(page, "partly-signed-out");
  await page.unroute(failing);
  await notice(page).getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "No other devices" }).waitFor();
  assert.ok(ended(await databaseRow(stubborn)));
});

pageTest("one device that can’t be signed out", async ({ page, expectProblem }) => {
  await signIn(page);
  expectProblem(/status of 500/);
  await page.route(REVOKE, (route) => route.fulfill(serverError));
  const id = await revokeButtons(page).first().getAttribute("data-id");
  await revoke(page, id);
  await row(page, id).getByText(/Couldn’t be signed out. Something went wrong on the server/).waitFor();
  await status(page, /couldn’t be signed out/);
  assert.equal(await active(page, "data-id"), id);
  await wholesome(page, "revoke-failed");
  await page.unroute(REVOKE);
  await revoke(page, id);
  await row(page, id).waitFor({ state: "detached" });
});

pageTest("signing out everywhere", async ({ page }) => {
  await signIn(page);
  const ids = await ownIds(page);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await page.getByRole("dialog").getByText("including this one").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out everywhere" }).click();
  await heading(page, "Sign in");
  await page.locator("#notice").getByText(/You’ve been signed out of \d+ devices, including this one\. They may stay usable until .* this one until \d\d:\d\d\./).waitFor();
  assert.equal(await focused(page), "Sign in");
  for (const id of [ids.here, ...ids.others]) assert.ok(ended(await databaseRow(id)), id);
  await wholesome(page, "signed-out-everywhere");
  await page.reload();
  await heading(page, "Sign in");
});

pageTest("signing out", async ({ page }) => {
  await signIn(page);
  const ids = await ownIds(page);
  await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await heading(page, "Sign in");
  await page.locator("#notice").getByText("You’ve been signed out.").waitFor();
  assert.ok(ended(await databaseRow(ids.here)));
  assert.ok(!ended(await databaseRow(ids.others[0])));
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

pageTest("signing out while the server fails is told honestly", async ({ page, expectProblem }) => {
  await signIn(page);
  expectProblem(/status of 500/);
  await page.route("**/authvital/oauth/logout", (route) => route.fulfill(serverError));
  await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await page.locator("#notice").getByText("You’ve been signed out on this device only.").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await wholesome(page, "signed-out-here-only");
});

pageTest("an error instead of the list, and over the list", async ({ page, expectProblem }) => {
  expectProblem(/status of 500/);
  await page.route(LIST, (route) => route.fulfill(serverError));
  await submit(page);
  await page.getByRole("heading", { name: "Something went wrong on the server" }).waitFor();
  await status(page, /Something went wrong on the server/);
  await wholesome(page, "error");
  await screenshot(page, "error");
  await page.unroute(LIST);
  await page.getByRole("button", { name: "Try again" }).click();
  await devices(page);

  await page.route(LIST, (route) => route.fulfill(serverError));
  const count = await page.getByRole("listitem").count();
  await page.getByRole("button", { name: "Refresh" }).click();
  await banner(page).getByText("The list may be out of date.").waitFor();
  assert.equal(await page.getByRole("listitem").count(), count);
  await wholesome(page, "error-over-list");
  await page.unroute(LIST);
  await banner(page).getByRole("button", { name: "Try again" }).click();
  await banner(page).waitFor({ state: "detached" });
});

pageTest("offline: a banner, an honest failure, and back again by itself", async ({ page, expectProblem }) => {
  expectProblem(/ERR_INTERNET_DISCONNECTED/);
  await signIn(page);
  await page.context().setOffline(true);
  await banner(page).getByText("You’re offline.").waitFor();
  await status(page, /You’re offline/);
  await wholesome(page, "offline");
  await screenshot(page, "offline");
  const id = await revokeButtons(page).first().getAttribute("data-id");
  await revoke(page, id);
  await row(page, id).getByText(/can’t be reached/).waitFor();
  await page.context().setOffline(false);
  await banner(page).waitFor({ state: "detached" });
  await status(page, /\d+ devices signed in\./);
  assert.ok(!ended(await databaseRow(id)));
  await revoke(page, id);
  await row(page, id).waitFor({ state: "detached" });
});

pageTest("offline before there is a list", async ({ page, expectProblem }) => {
  expectProblem(/ERR_INTERNET_DISCONNECTED/);
  await page.route(LIST, (route) => route.abort("internetdisconnected"));
  await submit(page);
  await page.getByRole("heading", { name: "The server can’t be reached" }).waitFor();
  await page.context().setOffline(true);
  await page.getByRole("heading", { name: "You’re offline" }).waitFor();
  await wholesome(page, "offline-without-list");
  await page.unroute(LIST);
  await page.context().setOffline(false);
  await devices(page);
});

pageTest("a session that the server doesn’t accept any more", async ({ page, expectProblem }) => {
  await signIn(page);
  expectProblem(/status of 401/);
  const refused = { status: 401, contentType: "application/json", body: JSON.stringify({ message: "Invalid access token", error: "Unauthorized", statusCode: 401 }) };
  await page.route("**/authvital/oauth/**", (route) => route.fulfill(refused));
  await page.getByRole("button", { name: "Refresh" }).click();
  await heading(page, "Sign in");
  await page.locator("#notice").getByText("Your session has ended or was signed out from another device.").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await wholesome(page, "session-ended");
  await page.unroute("**/authvital/oauth/**");
  await submit(page);
  await devices(page);
});

pageTest("no session at all, as after signing out everywhere from elsewhere", async ({ page, anotherPage }) => {
  await signIn(page);
  const other = await anotherPage();
  await signIn(other);
  await other.getByRole("button", { name: "Sign out everywhere" }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Sign out everywhere" }).click();
  await heading(other, "Sign in");
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByRole("heading", { name: "No active sessions" }).waitFor();
  await page.getByText(/This page goes on working until its access token runs out\./).waitFor();
  await wholesome(page, "empty");
  await screenshot(page, "empty");
  await page.getByRole("button", { name: "Sign in again" }).click();
  await heading(page, "Sign in");
});

pageTest("hostile and endless texts, unknown devices, a list without this device", async ({ page }) => {
  await signIn(page);
  const session = { createdAt: "2026-01-31T09:30:00.000Z", expiresAt: "2027-01-31T09:30:00.000Z", ipAddress: null, tenant: null };
  const sessions = [
    { ...session, id: "11111111-1111-4111-8111-111111111111", userAgent: '<img src=x onerror="document.title=1">' + "x".repeat(2000), tenant: "<script>document.title=1</script>" + "y".repeat(300) },
    { ...session, id: "22222222-2222-4222-8222-222222222222", userAgent: null },
  ];
  await page.route(LIST, (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify({ sessions, count: sessions.length }) }));
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("This device has been signed out.").waitFor();
  await page.getByText("The server didn’t record which browser or app this is.").waitFor();
  assert.equal(await page.getByRole("heading", { name: "Unknown device" }).count(), 2);
  for (const summary of await page.locator("summary").all()) await summary.click();
  assert.equal(await page.locator("auth-session-list img, auth-session-list script").count(), 0);
  assert.equal(await page.title(), "Your devices");
  await wholesome(page, "hostile");
});

pageTest("the demo data can be put back", async ({ page }) => {
  await signIn(page);
  const id = await revokeButtons(page).first().getAttribute("data-id");
  await revoke(page, id);
  await row(page, id).waitFor({ state: "detached" });
  const left = await page.getByRole("listitem").count();
  await page.getByRole("button", { name: "Restore the demo data" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  await page.locator("#notice").getByText("The demo data has been restored.").waitFor();
  await submit(page);
  await devices(page);
  assert.equal(await page.getByRole("listitem").count(), left + 1);
});

// ---------------------------------------------------------------- the switch between back-ends

pageTest("the switch: by keyboard, kept in the address, an account for each", async ({ page }) => {
  await signIn(page);
  await shows(page, "AuthVital");
  await wholesome(page, "switch");
  assert.equal(new URL(page.url()).hash, "", "the first one needs no name");

  await tabTo(page, "REST API");
  await page.keyboard.press("Enter");
  await heading(page, "Sign in");
  await status(page, /^REST API\. Sign in$/);
  assert.equal(await focused(page), "REST API", "the focus stays");
  assert.equal(new URL(page.url()).hash, "#rest");
  await shows(page, "REST API");
  await page.reload();
  await shows(page, "REST API");
  await signIn(page);

  // Signed in at both, and a reload keeps it.
  await choose(page, "AuthVital");
  await heading(page, "Your devices");
  await devices(page);
  await page.goBack();
  await shows(page, "REST API");
  await heading(page, "Your devices");
  await page.reload();
  await devices(page);
  assert.deepEqual(await accounts(page), ["authvital", "rest"]);

  await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await page.locator("#notice").getByText("You’ve been signed out.").waitFor();
  assert.deepEqual(await accounts(page), ["authvital"]);
  await choose(page, "AuthVital");
  await devices(page);
  assert.equal(await page.locator(".notice").count(), 0, "what is said about one back-end stays there");
});

pageTest("an address that names no back-end shows the first", async ({ page }) => {
  await page.goto(`${PAGE_URL}/#constructor`);
  await shows(page, "AuthVital");
  await heading(page, "Sign in");
});

pageTest("what is under way goes on behind another back-end, and is told there", async ({ page }) => {
  await signIn(page);
  const id = await revokeButtons(page).first().getAttribute("data-id");
  const held = await hold(page, REVOKE);
  await revoke(page, id);
  await row(page, id).locator("button[aria-disabled=true]").waitFor();
  await choose(page, "REST API");
  await heading(page, "Sign in");
  const answered = page.waitForResponse(REVOKE);
  held.release();
  await answered;
  await signIn(page);
  assert.equal(await notice(page).count(), 0);
  assert.ok(ended(await databaseRow(id)));
  await choose(page, "AuthVital");
  await notice(page).getByText("has been signed out.").waitFor();
  assert.equal(await row(page, id).count(), 0);
});

pageTest("a question is not answered behind another back-end", async ({ page }) => {
  await page.goto(`${PAGE_URL}/#rest`);
  await choose(page, "AuthVital");
  await signIn(page);
  const id = await revokeButtons(page).first().getAttribute("data-id");
  await revokeButtons(page).first().click();
  await page.getByRole("dialog").waitFor();
  await page.goBack();
  await shows(page, "REST API");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.ok(!ended(await databaseRow(id)));
});

const sandboxSessions = async (of) => (await databaseRows()).filter((row) => row.state === "active" && row.user === of);
const OTHERS = [
  { id: "authvital-g2", name: "AuthVital 2nd generation", alive: async (of) => (await sandboxSessions(of)).map((row) => row.id), after: /signed out\. (It|They) may stay usable until/, expected: /status of 404/ },
  { id: "rest", name: "REST API", alive: async (of) => (await sandboxSessions(of)).map((row) => String(row.ids.rest)), after: /signed out\. (It|They) may stay usable for a while/ },
  { id: "better-auth", name: "Better Auth", alive: (of) => betterAuthSessions(of), after: /signed out\.$/ },
  { id: "clerk", name: "Clerk", alive: async (of) => (await sandboxSessions(of)).map((row) => row.ids.clerk), after: /signed out\. (It|They) may stay usable until/, behind: true },
  { id: "ksef", name: "KSeF", alive: async (of) => (await sandboxSessions(of)).map((row) => row.ids.ksef), after: /signed out\. (It|They) may stay usable until/, behind: true, here: /Token|Certyfikat|Podpis|Pieczęć|Profil/ },
];

for (const { id: backend, name, alive, after: afterwards, expected, behind, here = "Chrome on macOS" } of OTHERS) {
  pageTest(`${name}: the list, one device, the others, signing out, signing out everywhere`, async ({ page, expectProblem }) => {
    // The first call finds out which generation it is.
    if (expected) expectProblem(expected);
    const secrets = behind && (await watchForTokens(page));
    const before = await alive(DEMO);
    const strangers = await alive("other@example.com");
    await page.goto(`${PAGE_URL}/#${backend}`);
    await shows(page, name);
    await signIn(page);
    const listed = await alive(DEMO);
    const ids = await ownIds(page);
    assert.deepEqual([ids.here, ...ids.others].sort(), listed.toSorted(), "all that the store has");
    assert.deepEqual(listed.filter((id) => !before.includes(id)), [ids.here], "this device is the one that has just signed in");
    await page.getByRole("listitem").first().locator(".badge", { hasText: "This device" }).waitFor();
    await page.getByRole("listitem").first().getByRole("heading", { name: here }).waitFor();
    assert.equal(await page.getByText("HttpOnly cookies").count(), behind ? 1 : 0);
    await secrets?.check();
    await wholesome(page, backend);
    for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      await page.setViewportSize(viewport);
      await screenshot(page, `${backend}-${size}`);
    }

    const [id, ...rest] = ids.others;
    await revoke(page, id);
    await row(page, id).waitFor({ state: "detached" });
    await notice(page).locator("p").filter({ hasText: afterwards }).waitFor();
    assert.deepEqual((await alive(DEMO)).toSorted(), [ids.here, ...rest].sort(), "that one has ended");

    await page.getByRole("button", { name: "Sign out all others" }).click();
    await page.getByRole("dialog").getByText("You stay signed in here.").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "No other devices" }).waitFor();
    await notice(page).locator("p").filter({ hasText: afterwards }).waitFor();
    assert.deepEqual(await alive(DEMO), [ids.here], "the others have ended, this one goes on");

    await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
    await page.locator("#notice").getByText("You’ve been signed out.").waitFor();
    assert.deepEqual(await alive(DEMO), []);
    assert.deepEqual(await accounts(page), []);
    if (behind) assert.deepEqual(await page.context().cookies(), [], "the handler has cleared them");

    await signIn(page);
    assert.equal((await alive(DEMO)).length, 1);
    await page.getByRole("button", { name: "Sign out everywhere" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out everywhere" }).click();
    await page.locator("#notice").getByText(/You’ve been signed out (everywhere|of 1 device)/).waitFor();
    assert.deepEqual(await alive(DEMO), []);
    assert.deepEqual(await alive("other@example.com"), strangers, "nobody else is signed out");
    await secrets?.check();
  }, { needs: backend });
}

pageTest("AuthVital 2nd generation: renewed by its cookie, which no script can read", async ({ page, expectProblem }) => {
  expectProblem(/status of 40[14]/);
  await page.goto(`${PAGE_URL}/#authvital-g2`);
  await signIn(page);
  const { here } = await ownIds(page);
  assert.equal(await page.evaluate(() => document.cookie), "");
  assert.ok((await fetch(`${SANDBOX_URL}/sandbox/clock`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ advance_ms: 3_700_000 }) })).ok);
  await page.getByRole("button", { name: "Refresh" }).click();
  // The new refresh token is the browser's: nothing here names the current session any more, and nothing is guessed.
  await page.getByRole("heading", { name: /^Devices \(\d+\)$/ }).waitFor();
  assert.equal((await databaseRow(here)).ended_by, "rotated");
  assert.equal(await page.getByText("This device").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Sign out all others" }).count(), 0);
  const [{ id }] = (await sandboxSessions(DEMO)).filter((row) => row.user_agent === USER_AGENT);
  await wholesome(page, "authvital-g2-renewed");
  await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await page.locator("#notice").getByText("You’ve been signed out.").waitFor();
  assert.ok(ended(await databaseRow(id)));
});

pageTest("Better Auth wants a fresh sign-in: no, a wrong password, yes", async ({ page, expectProblem }) => {
  expectProblem(/status of 40[13]/);
  await page.goto(`${PAGE_URL}/#better-auth`);
  await signIn(page);
  const { here } = await ownIds(page);
  const count = (await betterAuthSessions(DEMO)).length;
  await betterAuth("POST", "/test/age", { id: here, ms: DAY + 1 });

  await page.getByRole("button", { name: "Refresh" }).click();
  const dialog = page.getByRole("dialog", { name: "Please sign in again" });
  await dialog.getByText("within a day of a sign-in. Enter the password of demo@example.com").waitFor();
  assert.equal(await active(page, "type"), "password");
  await wholesome(page, "sign-in-again");
  await screenshot(page, "sign-in-again");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await banner(page).getByText("Please sign in again.").waitFor();
  assert.equal(await page.getByRole("listitem").count(), count, "the list stays");
  await wholesome(page, "not-fresh");
  await page.evaluate(() => dispatchEvent(new Event("online")));
  assert.equal(await dialog.count(), 0, "nobody is asked unless they want something");

  await banner(page).getByRole("button", { name: "Sign in again" }).click();
  await dialog.waitFor();
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await dialog.getByRole("alert").getByText("That email and password don’t match.").waitFor();
  assert.equal(await active(page, "type"), "password");
  await wholesome(page, "sign-in-again-wrong");
  await page.keyboard.type("demo-password");
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await banner(page).waitFor({ state: "detached" });
  const ids = await ownIds(page);
  const alive = await betterAuthSessions(DEMO);
  assert.notEqual(ids.here, here, "a new session");
  assert.deepEqual([ids.here, ...ids.others].sort(), alive.toSorted());
  assert.ok(!alive.includes(here), "in place of the old one");
  assert.equal(alive.length, count);
  await page.reload();
  await devices(page);
}, { needs: "better-auth" });

pageTest("Better Auth wants a fresh sign-in before there is a list, and the back button is a no", async ({ page, expectProblem }) => {
  expectProblem(/status of 403/);
  await page.goto(`${PAGE_URL}/#rest`);
  await choose(page, "Better Auth");
  await signIn(page);
  await betterAuth("POST", "/test/age", { id: (await ownIds(page)).here, ms: DAY + 1 });
  await page.reload();
  const dialog = page.getByRole("dialog", { name: "Please sign in again" });
  await dialog.waitFor();
  await page.goBack();
  await dialog.waitFor({ state: "detached" });
  await shows(page, "REST API");
  await heading(page, "Sign in");
  await choose(page, "Better Auth");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.locator(".state").getByRole("heading", { name: "Please sign in again" }).waitFor();
  await wholesome(page, "not-fresh-without-list");
  await page.locator(".state").getByRole("button", { name: "Sign in again" }).click();
  await dialog.getByLabel("Password").fill("demo-password");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await devices(page);
}, { needs: "better-auth" });

// ---------------------------------------------------------------- behind the handler

for (const [backend, name, cookies] of [["clerk", "Clerk", ["__Host-clerk_session", "__Host-clerk_client"]], ["ksef", "KSeF", ["__Host-ksef_access", "__Host-ksef_refresh"]]]) {
  pageTest(`${name}: the tokens are HttpOnly cookies, renewed on the way, and of no use to other sites`, async ({ page, expectProblem }) => {
    await page.goto(`${PAGE_URL}/#${backend}`);
    await page.getByText("HttpOnly cookies").waitFor();
    await wholesome(page, `${backend}-signed-out`);
    await screenshot(page, `${backend}-signed-out`);
    expectProblem(/status of 401/);
    await page.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("That email and password don’t match.").first().waitFor();
    assert.deepEqual(await page.context().cookies(), []);
    await page.getByLabel("Password").fill("demo-password");

    const secrets = await watchForTokens(page);
    await signIn(page);
    await secrets.check();
    const ids = await ownIds(page);
    const jar = await page.context().cookies();
    assert.deepEqual(jar.map(({ name }) => name).sort(), cookies.toSorted());
    for (const { name, domain, path, httpOnly, secure, sameSite } of jar) assert.deepEqual([name, domain, path, httpOnly, secure, sameSite], [name, "127.0.0.1", "/", true, true, "Lax"]);

    // A token that says the same, but nobody has signed.
    const [head, payload, signature] = jar.find(({ name }) => name === cookies[0]).value.split(".");
    const forged = `${cookies[0]}=${head}.${payload}.${[...signature].reverse().join("")}`;
    const refused = await fetch(`${PAGE_URL}/${backend}/api/sessions`, { headers: { cookie: forged, "sec-fetch-site": "same-origin" } });
    assert.equal(refused.status, 401);

    // The access token has run out, and the browser has dropped it.
    await page.context().clearCookies({ name: cookies[0] });
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.waitForResponse(`${PAGE_URL}/${backend}/api/sessions`);
    await devices(page);
    assert.deepEqual(await ownIds(page), ids, "the same session");
    assert.equal((await page.context().cookies()).length, 2);
    await secrets.check();

    // Another page of this machine is another origin, though of the same site, so that the cookies go with it. One under another name is another site.
    expectProblem(/status of 403|blocked by CORS policy|ERR_FAILED/);
    const before = await sandboxSessions(DEMO);
    const elsewhere = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>elsewhere</title>"));
    await once(elsewhere.listen(0, "127.0.0.1"), "listening");
    elsewhere.unref();
    for (const host of ["127.0.0.1", "localhost"]) {
      const origin = `http://${host}:${elsewhere.address().port}`;
      const attacker = await page.context().newPage();
      for (const path of ["sessions/revoke-others", `sessions/${ids.others[0]}/revoke`, "logout-all", "logout"]) {
        for (const how of ["fetch", "form"]) {
          await attacker.goto(`${origin}/`);
          const answered = attacker.waitForResponse((response) => response.url().startsWith(PAGE_URL) && response.request().method() === "POST");
          await attacker.evaluate(
            ([url, how]) => {
              if (how === "fetch") return void fetch(url, { method: "POST", mode: "no-cors", credentials: "include" }).catch(() => {});
              const form = Object.assign(document.createElement("form"), { action: url, method: "post" });
              document.body.append(form);
              form.submit();
            },
            [`${PAGE_URL}/${backend}/api/${path}`, how],
          );
          assert.equal((await answered).status(), 403, `${origin} ${path} by ${how}`);
          if (how === "form") await attacker.waitForURL(`${PAGE_URL}/**`);
        }
      }
      await attacker.goto(`${origin}/`);
      const answered = attacker.waitForResponse(`${PAGE_URL}/${backend}/sign-in`);
      await attacker.evaluate((url) => void fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: '{"email":"other@example.com","password":"other-password"}' }), `${PAGE_URL}/${backend}/sign-in`);
      assert.equal((await answered).status(), 403, "nor can they sign somebody in");
      const read = await attacker.evaluate((url) => fetch(url, { credentials: "include" }).then((response) => response.text(), () => "refused"), `${PAGE_URL}/${backend}/api/sessions`);
      assert.equal(read, "refused");
      await attacker.close();
    }
    assert.deepEqual((await sandboxSessions(DEMO)).map(({ id }) => id), before.map(({ id }) => id), "nothing has ended");
    assert.equal((await page.context().cookies()).length, 2);
    await page.getByRole("button", { name: "Refresh" }).click();
    await devices(page);

    await endSession(backend, ids.here);
    await page.getByRole("button", { name: "Refresh" }).click();
    await banner(page).getByText("This device has been signed out.").waitFor();
    await wholesome(page, `${backend}-ended`);
  });

  pageTest(`${name}: a device that was signed out elsewhere has to sign in when its access token has run out`, async ({ page, expectProblem }) => {
    expectProblem(/status of 401/);
    await page.goto(`${PAGE_URL}/#${backend}`);
    await signIn(page);
    await endSession(backend, (await ownIds(page)).here);
    await page.context().clearCookies({ name: cookies[0] });
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.locator("#notice").getByText("Your session has ended or was signed out from another device.").waitFor();
    assert.deepEqual(await accounts(page), []);
    await signIn(page);
  });
}

pageTest("Clerk and KSeF at once: cookies of their own, and signing out at one leaves the other", async ({ page }) => {
  for (const name of ["Clerk", "KSeF"]) {
    await choose(page, name);
    await signIn(page);
  }
  assert.equal((await page.context().cookies()).length, 4);
  await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await page.locator("#notice").getByText("You’ve been signed out.").waitFor();
  assert.deepEqual(await accounts(page), ["clerk"]);
  await choose(page, "Clerk");
  await page.reload();
  await devices(page);
  assert.deepEqual((await page.context().cookies()).map(({ name }) => name).sort(), ["__Host-clerk_client", "__Host-clerk_session"]);
});

pageTest("KSeF knows no devices: how one signed in is shown", async ({ page }) => {
  await page.goto(`${PAGE_URL}/#ksef`);
  await signIn(page);
  const names = await page.getByRole("heading", { level: 3 }).allTextContents();
  assert.ok(new Set(names).size > 1 && !names.some((name) => /^Unknown device/.test(name)), names.join(", "));
  await page.getByRole("listitem").first().getByText("Details").click();
  await page.getByRole("listitem").first().getByText(/ \((token\.ksef|xades\.[a-z-]+|national-node\.[a-z-]+|other\.[a-z-]+)\)$/).waitFor();
  await wholesome(page, "ksef-details");
});

// ---------------------------------------------------------------- what isn't running

const NOT_RUNNING = [
  { key: "better-auth", names: ["Better Auth"], title: "The Better Auth server isn’t running", url: BETTER_AUTH_URL, id: "better-auth", unreachable: "The Better Auth server can’t be reached." },
  { key: "handler", names: ["Clerk", "KSeF"], title: "The handler isn’t running", url: `${PAGE_URL}/clerk`, id: "clerk", unreachable: "The handler can’t be reached." },
];

for (const { key, names, title, url, id, unreachable } of NOT_RUNNING) {
  pageTest(`${title}: the switch says so, the others work`, async ({ page, expectProblem }) => {
    const servers = await (await fetch(`${PAGE_URL}/backends.json`)).json();
    await page.route("**/backends.json", (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify({ ...servers, [key]: null }) }));
    await page.reload();
    for (const name of names) {
      const link = switchTo(page, `${name} (not running)`);
      await link.waitFor();
      await link.click();
      await heading(page, title);
      await page.getByText("“cargo xtask start” starts it, or says why it can’t.").waitFor();
      assert.equal(await page.locator("main form, main button").count(), 0);
      assert.equal(await page.getByRole("button", { name: "Restore the demo data" }).count(), 0);
      await wholesome(page, `${name}-not-running`);
      await screenshot(page, `${name.toLowerCase().replace(" ", "-")}-not-running`);
    }
    await choose(page, "AuthVital");
    await signIn(page);

    if (!url) return;
    // Gone after the page had found it.
    expectProblem(/ERR_CONNECTION_REFUSED/);
    await page.unroute("**/backends.json");
    await page.goto(`${PAGE_URL}/#${id}`);
    await page.reload();
    await page.route(`${url}/**`, (route) => route.abort("connectionrefused"));
    await submit(page);
    await page.getByText(`${unreachable} Check that it is running, then try again.`).first().waitFor();
  });
}

pageTest("restoring the demo data signs out everywhere in that store, and nowhere else", async ({ page }) => {
  for (const name of ["AuthVital", "Better Auth", "REST API"]) {
    await choose(page, name);
    await signIn(page);
  }
  await page.getByRole("button", { name: "Restore the demo data" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  await page.locator("#notice").getByText("The demo data has been restored.").waitFor();
  assert.deepEqual(await accounts(page), ["better-auth"]);
  await choose(page, "AuthVital");
  await heading(page, "Sign in");

  await choose(page, "Better Auth");
  await devices(page);
  const id = await revokeButtons(page).first().getAttribute("data-id");
  await revoke(page, id);
  await row(page, id).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Restore the demo data" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  await page.locator("#notice").getByText("The demo data has been restored.").waitFor();
  assert.equal((await betterAuthSessions(DEMO)).length, 6);
  assert.equal(await page.getByRole("link", { name: "What the database says" }).getAttribute("href"), `${BETTER_AUTH_URL}/test/sessions`);
}, { needs: "better-auth" });
