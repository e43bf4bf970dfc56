import { createSessions, type Tokens } from "auth-sessions";

/** The back-end this page talks to; another one is another entry here. */
export const backend = { provider: "authvital", name: "AuthVital", path: "/authvital" } as const;

export interface User {
  id: string;
  email: string;
  name: string;
}

interface Account extends Tokens {
  user: User;
}

interface SignInAnswer {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  user: User;
}

// For a sandbox only: any script on the page can read these tokens. A real application leaves them in HttpOnly cookies behind its own server.
const KEY = "auth-sessions.account";
let account: Account | null = restore();

export const sessions = createSessions({
  provider: backend.provider,
  baseUrl: location.origin + backend.path,
  clientId: "web-client",
  token: () => account?.accessToken,
  refreshToken: () => account?.refreshToken,
  onTokens: (tokens) => {
    if (account) remember({ ...account, ...tokens });
  },
});

export const currentUser = (): User | null => account?.user ?? null;

/** When this page's own access token runs out. */
export const accessExpiresAt = (): string | null => account?.expiresAt ?? null;

export class SignInError extends Error {}

/** Signing in is the sandbox's own affair, not the package's: every application has its own way. */
export async function signIn(email: string, password: string): Promise<User> {
  const response = await fetch("/sandbox/sign-in", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  }).catch(() => {
    throw new SignInError("The sandbox can’t be reached. Check that it is running, then try again.");
  });
  if (response.status === 401) throw new SignInError("That email and password don’t match. The demo account is below the form.");
  if (!response.ok) throw new SignInError(`The sandbox couldn’t sign you in (status ${response.status}). Try again in a moment.`);
  const body: SignInAnswer = await response.json().catch(() => {
    throw new SignInError("The sandbox gave an answer that can’t be read. Try again in a moment.");
  });
  remember({
    user: body.user,
    accessToken: body.access_token,
    refreshToken: body.refresh_token,
    expiresAt: new Date(Date.now() + body.expires_in * 1000).toISOString(),
  });
  return body.user;
}

export function forget(): void {
  account = null;
  sessionStorage.removeItem(KEY);
}

/** Puts the sandbox's users, devices and sessions back as they were seeded. */
export async function resetSandbox(): Promise<boolean> {
  const response = await fetch("/sandbox/reset", { method: "POST" }).catch(() => null);
  return response?.ok ?? false;
}

function remember(next: Account): void {
  account = next;
  sessionStorage.setItem(KEY, JSON.stringify(next));
}

function restore(): Account | null {
  try {
    const saved: Account | null = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    return saved?.user && saved.accessToken ? saved : null;
  } catch {
    return null;
  }
}
