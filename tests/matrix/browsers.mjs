// The real browsers. One library drives both: Chromium over its own protocol, Firefox over WebDriver BiDi, which needs no driver program beside it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import puppeteer from "puppeteer-core";
import { CannotRun, endWithRun, within, withMore, work } from "./support.mjs";
import { checkReport, told } from "./verify.mjs";

const BROWSERS = {
  chromium: {
    browser: "chrome",
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
    agent: /Chrome\//,
  },
  firefox: { browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", args: [], agent: /Firefox\// },
};
const SCOPES = { page: "Window", worker: "DedicatedWorkerGlobalScope", serviceWorker: "ServiceWorkerGlobalScope" };
/** The one thing that a browser may complain of: the scenario has a request that is answered 401. */
const EXPECTED = /^Failed to load resource: the server responded with a status of 401/;
/** Seconds for a page, all in. */
const LIMIT = 40;

export class Browsers {
  #running = new Map();

  /** Each is started once, by the first cell that needs it. */
  get(name) {
    if (!this.#running.has(name)) this.#running.set(name, launch(name));
    return this.#running.get(name);
  }

  /** What `run(page)` gives, and what the browser complained of, in a page with a profile of its own; `url` is a page made of `fixtures/browser/scopes.js`. */
  async #open(name, url, cookies, run) {
    const browser = await this.get(name);
    const profile = await browser.createBrowserContext();
    const problems = [];
    const visit = async () => {
      if (cookies.length > 0) await profile.setCookie(...cookies);
      const page = await profile.newPage();
      page.on("console", (message) => ["error", "warn"].includes(message.type()) && !EXPECTED.test(message.text()) && problems.push(`${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
      await page.goto(url);
      while (!await page.evaluate(() => Boolean(globalThis.matrix))) await new Promise((resolve) => setTimeout(resolve, 20));
      return await run(page, profile);
    };
    try {
      return { ...await within(LIMIT, `the page ${url}`, visit()), problems };
    } catch (error) {
      throw withMore(error, problems.join("\n"));
    } finally {
      profile.close().catch(() => {});
    }
  }

  /** The scenario in a page, or in a worker that it starts. With `handler`, a path, the tokens are in cookies that only its server sees, and the page asks that. */
  async check(sandbox, name, url, kind, handler) {
    const job = await sandbox.job();
    const tokens = handler ? { access_token: job.access, refresh_token: job.refresh } : {};
    const { hostname } = new URL(url);
    const cookies = Object.entries(tokens).map(([name, value]) => ({ name, value, domain: hostname, path: "/", httpOnly: true, secure: true, sameSite: "Lax" }));
    const given = handler ? { options: { baseUrl: handler, headers: { "x-matrix-base-url": sandbox.baseUrl } }, other: job.other } : told(job);
    const { said, violations, left, problems } = await this.#open(name, url, cookies, async (page, profile) => ({
      said: await page.evaluate((kind, job) => globalThis.matrix[kind](job), kind, given),
      violations: await page.evaluate(() => globalThis.matrix.violations),
      left: (await profile.cookies()).map(({ name }) => name),
    }));
    await checkReport(sandbox, job, { ...said, violations: [...violations, ...(said.violations ?? [])] }, { scope: SCOPES[kind], agent: BROWSERS[name].agent });
    assert.deepEqual(left, [], "cookies after the logout");
    assert.deepEqual(problems, [], "what the browser complained of");
  }

  /** That the policy of these pages is in force: without 'wasm-unsafe-eval' nothing works, and the error says why. */
  async checkPolicy(sandbox, name, url) {
    const given = told(await sandbox.job());
    const { said } = await this.#open(name, url, [], async (page) => ({ said: await page.evaluate((job) => globalThis.matrix.page(job), given) }));
    assert.match(said.failed ?? "no error", /^SessionsError: .*'wasm-unsafe-eval'.* \(internal\)/);
  }

  async close() {
    await Promise.allSettled([...this.#running.values()].map(async (browser) => (await browser).close()));
  }
}

async function launch(name) {
  const { browser, executablePath, args } = BROWSERS[name];
  if (!existsSync(executablePath)) throw new CannotRun(`${executablePath} is not installed`);
  const userDataDir = path.join(work, `home/${name}`);
  const launched = await puppeteer.launch({ browser, executablePath, args, userDataDir, headless: true, timeout: 60_000, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
  endWithRun(launched.process().pid);
  return launched;
}
