import { createSessions, type Sessions, type SessionsOptions, type Tokens } from "auth-sessions";
import { watch, type SessionChange } from "auth-sessions/monitoring";
import { edgeHandler } from "auth-sessions/profiles";
import { askForPassword } from "./dialogs";
import { betterAuth, handler, sandbox, type Server } from "./servers";

export interface User {
  id: string;
  email: string;
  name: string;
}

interface Account {
  user: User;
  /** None where they are cookies that only the server can read. */
  tokens?: Tokens;
}

/** Signing in is an application's own affair, not the package's: each server has its own way. */
type SignIn = (server: Server, email: string, password: string) => Promise<Account>;

interface Entry {
  /** In the page's address: `#rest`. */
  id: string;
  name: string;
  options: Omit<SessionsOptions, "baseUrl">;
  /** What this page calls, and how one signs in there. */
  server: Server;
  path: string;
  signIn: SignIn;
  /** Where its tokens are, if not on this page. */
  note?: string;
  /** It wants a sign-in that isn’t older than this, in words. */
  freshFor?: string;
}

export class SignInError extends Error {}

export const DEMO = { email: "demo@example.com", password: "demo-password" };

/** Milliseconds; a minute is enough where it isn't for a demonstration. */
const WATCH_EVERY = 3000;

/** What the sandbox takes for another device, one after the other. */
const DEVICES = [
  { user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:151.0) Gecko/20100101 Firefox/151.0", ip_address: "192.0.2.44" },
  { user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1", ip_address: "2001:db8:77::9" },
  { user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/151.0.0.0 Safari/537.36 Edg/151.0.0.0", ip_address: "203.0.113.201" },
];
let devices = 0;

/** A back-end that this page can show, with the account that is signed in there. */
export class Backend {
  readonly id: string;
  readonly name: string;
  readonly #entry: Entry;
  #sessions: Sessions | null = null;
  #account: Account | null;
  #asking: Promise<boolean> | null = null;

  constructor(entry: Entry) {
    this.id = entry.id;
    this.name = entry.name;
    this.#entry = entry;
    this.#account = this.#restore();
  }

  get server(): Server {
    return this.#entry.server;
  }

  get note(): string | null {
    return this.#entry.note ?? null;
  }

  get user(): User | null {
    return this.#account?.user ?? null;
  }

  /** It may ask for the password in between. */
  get asksAgain(): boolean {
    return this.#entry.freshFor !== undefined;
  }

  get sessions(): Sessions {
    this.#sessions ??= this.#client(this.asksAgain ? { onReauthenticate: () => this.#signInAgain() } : {});
    return this.#sessions;
  }

  /** What changes there. By another client, as nobody should be asked for a password without having wanted something. */
  watch(signal: AbortSignal): AsyncIterable<SessionChange> {
    return watch(this.#client({}), { signal, interval: WATCH_EVERY });
  }

  /** Why it can't be called now; null where it can, undefined while that isn't known. */
  get obstacle(): { title: string; text: string } | null | undefined {
    const { name, url } = this.server;
    if (url === undefined) return undefined;
    if (url !== null) return null;
    const why = this.server === handler ? `${this.name} takes no calls from browsers, so this page goes through a handler. ` : "";
    return { title: `${name} isn’t running`, text: `${why}“cargo xtask start” starts it, or says why it can’t.` };
  }

  async signIn(email: string, password: string): Promise<User> {
    const account = await this.#entry.signIn(this.server, email, password);
    this.#remember(account);
    return account.user;
  }

  /** Whether its password is known here. */
  get isDemo(): boolean {
    return this.user?.email === DEMO.email;
  }

  /** As the demo user does on another device; nothing of it stays here. */
  async signInElsewhere(): Promise<void> {
    const { store } = this.server;
    if (store === sandbox) await post(store, "/sandbox/sign-in", { ...DEMO, ...DEVICES[devices++ % DEVICES.length] }, "omit");
    else await post(store, "/api/auth/sign-in/email", DEMO, "omit");
  }

  #client(more: Partial<SessionsOptions>): Sessions {
    return createSessions({
      ...this.#entry.options,
      baseUrl: this.#baseUrl,
      token: () => this.#account?.tokens?.accessToken,
      refreshToken: () => this.#account?.tokens?.refreshToken,
      onTokens: (tokens) => {
        if (this.#account) this.#remember({ ...this.#account, tokens });
      },
      ...more,
    });
  }

  forget(): void {
    this.#account = null;
    sessionStorage.removeItem(this.#key);
  }

  /** Whether one store is behind both, as behind all wires of the sandbox. */
  sharesStoreWith(other: Backend): boolean {
    return this.server.store === other.server.store;
  }

  /** For a back-end that wants a fresh sign-in. Several calls may want it at once; the user is asked once. */
  #signInAgain(): Promise<boolean> {
    const stale = this.#account;
    const { freshFor } = this.#entry;
    if (!stale || !freshFor) return Promise.resolve(false);
    const text = `${this.name} lists devices only within ${freshFor} of a sign-in. Enter the password of ${stale.user.email} to go on.`;
    this.#asking ??= askForPassword(text, stale.user.email, async (password) => {
      await this.signIn(stale.user.email, password);
      // Otherwise this device would be listed twice.
      await createSessions({ ...this.#entry.options, baseUrl: this.#baseUrl, token: () => stale.tokens?.accessToken }).logout();
    }).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  get #baseUrl(): string {
    return this.server.url + this.#entry.path;
  }

  // For a sandbox only: any script on the page can read tokens here. A real application leaves them in HttpOnly cookies behind its own server, as the last two entries below do.
  get #key(): string {
    return `auth-sessions.account.${this.id}`;
  }

  #remember(account: Account): void {
    this.#account = account;
    sessionStorage.setItem(this.#key, JSON.stringify(account));
  }

  #restore(): Account | null {
    try {
      const saved: Account | null = JSON.parse(sessionStorage.getItem(this.#key) ?? "null");
      return saved?.user ? saved : null;
    } catch {
      return null;
    }
  }
}

const BEHIND_HANDLER = "Your tokens are HttpOnly cookies behind a handler: no script can read them.";

/** Every back-end of this page; another one is another entry here. The first is where the page begins. */
export const backends: readonly [Backend, ...Backend[]] = [
  new Backend({
    id: "authvital",
    name: "AuthVital",
    options: { provider: "authvital", clientId: "web-client", credentials: "omit" },
    server: sandbox,
    path: "/authvital",
    signIn: inSandbox({ wire: "authvital" }),
  }),
  new Backend({
    id: "authvital-g2",
    name: "AuthVital 2nd generation",
    // Its refresh token is a cookie of its own origin.
    options: { provider: "authvital", clientId: "web-client", credentials: "include" },
    server: sandbox,
    path: "/authvital-g2",
    signIn: inSandbox({ wire: "authvital", cookies: true }),
  }),
  new Backend({
    id: "rest",
    name: "REST API",
    options: { provider: "rest", credentials: "omit" },
    server: sandbox,
    path: "/rest",
    signIn: inSandbox({ wire: "rest" }),
  }),
  new Backend({
    id: "better-auth",
    name: "Better Auth",
    // Its own page would have its cookies; this one has another origin and its plugin `bearer()`.
    options: { provider: "better-auth", credentials: "omit" },
    server: betterAuth,
    path: "",
    signIn: atBetterAuth,
    freshFor: "a day",
  }),
  new Backend({ id: "clerk", name: "Clerk", options: { provider: edgeHandler }, server: handler, path: "/clerk/api", signIn: atHandler("/clerk/sign-in"), note: BEHIND_HANDLER }),
  new Backend({ id: "ksef", name: "KSeF", options: { provider: edgeHandler }, server: handler, path: "/ksef/api", signIn: atHandler("/ksef/sign-in"), note: BEHIND_HANDLER }),
];

interface SandboxAnswer {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  user: User;
}

function inSandbox(how: { wire: string; cookies?: boolean }): SignIn {
  return async (server, email, password) => {
    const body: SandboxAnswer = await post(server, "/sandbox/sign-in", { email, password, ...how }, how.cookies ? "include" : "omit");
    const expiresAt = new Date(Date.now() + body.expires_in * 1000).toISOString();
    return { user: body.user, tokens: { accessToken: body.access_token, refreshToken: body.refresh_token, expiresAt } };
  };
}

async function atBetterAuth(server: Server, email: string, password: string): Promise<Account> {
  const { token, user }: { token: string; user: User } = await post(server, "/api/auth/sign-in/email", { email, password }, "omit");
  return { user: { id: user.id, email: user.email, name: user.name }, tokens: { accessToken: token, refreshToken: null, expiresAt: null } };
}

/** The handler's server sets the cookies; its answer has the user and nothing else. */
function atHandler(path: string): SignIn {
  return (server, email, password) => post<Account>(server, path, { email, password }, "same-origin");
}

async function post<Answer>(server: Server, path: string, body: object, credentials: RequestCredentials): Promise<Answer> {
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials };
  const response = await fetch(server.url + path, init).catch(() => {
    throw new SignInError(`${server.name} can’t be reached. Check that it is running, then try again.`);
  });
  if (response.status === 401) throw new SignInError("That email and password don’t match.");
  if (!response.ok) throw new SignInError(`${server.name} couldn’t sign you in (status ${response.status}). Try again in a moment.`);
  return response.json().catch(() => {
    throw new SignInError(`${server.name} gave an answer that can’t be read. Try again in a moment.`);
  });
}
