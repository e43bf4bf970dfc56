import { createSessions, SessionsError, type Sessions, type SessionsOptions, type Tokens } from "auth-sessions";
import { askForPassword } from "./dialogs";
import { betterAuth, sandbox, type Server } from "./servers";

export interface User {
  id: string;
  email: string;
  name: string;
}

interface Account extends Tokens {
  user: User;
}

/** Signing in is an application's own affair, not the package's: each server has its own way. */
type SignIn = (server: Server, email: string, password: string) => Promise<Account>;

interface Entry {
  /** In the page's address: `#rest`. */
  id: string;
  name: string;
  options: Omit<SessionsOptions, "baseUrl">;
  /** Where it is and how one signs in there. Back-ends without this can't be called from a browser. */
  demo?: { server: Server; path: string; signIn: SignIn };
  /** It wants a sign-in that isn’t older than this, in words. */
  freshFor?: string;
}

export class SignInError extends Error {}

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

  get server(): Server | null {
    return this.#entry.demo?.server ?? null;
  }

  get user(): User | null {
    return this.#account?.user ?? null;
  }

  /** False also where it is a cookie that only the server can read. */
  get hasRefreshToken(): boolean {
    return Boolean(this.#account?.refreshToken);
  }

  /** It may ask for the password in between. */
  get asksAgain(): boolean {
    return this.#entry.freshFor !== undefined;
  }

  /** When this page's own access token runs out, where that is known. */
  get accessExpiresAt(): string | null {
    return this.#account?.expiresAt ?? null;
  }

  get sessions(): Sessions {
    this.#sessions ??= createSessions({
      ...this.#entry.options,
      ...this.#base(),
      token: () => this.#account?.accessToken,
      refreshToken: () => this.#account?.refreshToken,
      onTokens: (tokens) => {
        if (this.#account) this.#remember({ ...this.#account, ...tokens });
      },
      ...(this.asksAgain && { onReauthenticate: () => this.#signInAgain() }),
    });
    return this.#sessions;
  }

  /** Why it can't be called from here, in the package's own words where they are its; null where it can. */
  async whyNot(): Promise<{ text: string; code: string | null } | null> {
    if (this.server?.url === null) return { text: "It runs beside the sandbox: “cargo xtask start” starts it, or says why it can’t.", code: null };
    if (this.server) return null;
    // Asked rather than written down here. Nothing leaves this page, whatever the package says.
    const fetch = () => Promise.reject(new Error("not from a browser"));
    const error: unknown = await createSessions({ ...this.#entry.options, fetch }).list().catch((cause: unknown) => cause);
    return SessionsError.is(error) ? { text: asSentence(error.message), code: error.code } : null;
  }

  async signIn(email: string, password: string): Promise<User> {
    const { demo } = this.#entry;
    if (!demo) throw new SignInError(`${this.name} can’t be called from a browser.`);
    const account = await demo.signIn(demo.server, email, password);
    this.#remember(account);
    return account.user;
  }

  forget(): void {
    this.#account = null;
    sessionStorage.removeItem(this.#key);
  }

  /** Whether one store is behind both, as behind all wires of the sandbox. */
  sharesStoreWith(other: Backend): boolean {
    return this.server !== null && this.server === other.server;
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
      await createSessions({ ...this.#entry.options, ...this.#base(), token: stale.accessToken }).logout();
    }).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  #base(): { baseUrl?: string } {
    const { demo } = this.#entry;
    return demo?.server.url ? { baseUrl: demo.server.url + demo.path } : {};
  }

  // For a sandbox only: any script on the page can read these tokens. A real application leaves them in HttpOnly cookies behind its own server.
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
      return saved?.user && saved.accessToken ? saved : null;
    } catch {
      return null;
    }
  }
}

/** Every back-end of this page; another one is another entry here. The first is where the page begins. */
export const backends: readonly [Backend, ...Backend[]] = [
  new Backend({
    id: "authvital",
    name: "AuthVital",
    options: { provider: "authvital", clientId: "web-client", credentials: "omit" },
    demo: { server: sandbox, path: "/authvital", signIn: inSandbox({ wire: "authvital" }) },
  }),
  new Backend({
    id: "authvital-g2",
    name: "AuthVital 2nd generation",
    // Its refresh token is a cookie.
    options: { provider: "authvital", clientId: "web-client", credentials: "same-origin" },
    demo: { server: sandbox, path: "/authvital-g2", signIn: inSandbox({ wire: "authvital", cookies: true }) },
  }),
  new Backend({
    id: "rest",
    name: "REST API",
    options: { provider: "rest", credentials: "omit" },
    demo: { server: sandbox, path: "/rest", signIn: inSandbox({ wire: "rest" }) },
  }),
  new Backend({
    id: "better-auth",
    name: "Better Auth",
    // Its own page would have its cookies; this one has another origin and its plugin `bearer()`.
    options: { provider: "better-auth", credentials: "omit" },
    demo: { server: betterAuth, path: "", signIn: atBetterAuth },
    freshFor: "a day",
  }),
  new Backend({ id: "clerk", name: "Clerk", options: { provider: "clerk" } }),
  new Backend({ id: "ksef", name: "KSeF", options: { provider: "ksef" } }),
];

interface SandboxAnswer {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  user: User;
}

function inSandbox(how: { wire: string; cookies?: boolean }): SignIn {
  return async (server, email, password) => {
    const body: SandboxAnswer = await post(server, "/sandbox/sign-in", { email, password, ...how }, how.cookies ? "same-origin" : "omit");
    return {
      user: body.user,
      accessToken: body.access_token,
      refreshToken: body.refresh_token,
      expiresAt: new Date(Date.now() + body.expires_in * 1000).toISOString(),
    };
  };
}

async function atBetterAuth(server: Server, email: string, password: string): Promise<Account> {
  const { token, user }: { token: string; user: User } = await post(server, "/api/auth/sign-in/email", { email, password }, "omit");
  return { user: { id: user.id, email: user.email, name: user.name }, accessToken: token, refreshToken: null, expiresAt: null };
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

const asSentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
