// Signing in is an application's own, and so this file is only for the demonstration: it has the sandbox check the password, and plays the parts that Clerk has
// outside its Backend API. With a real Clerk, clerk-js signs in on the page and keeps the cookie of the session token fresh; with KSeF your server authenticates and redeems
// the authentication token. Without SANDBOX_URL there is nothing here.
import { env } from "cloudflare:workers";
import { CLERK, KSEF, cookieOf, setCookie } from "./cookies";

interface SignedIn {
  access_token: string;
  refresh_token: string;
  user: { id: string; email: string; name: string };
}

/** `POST /clerk/sign-in`, `POST /ksef/sign-in` with `{"email","password"}`: sets the cookies; the answer has the user and nothing else. */
export async function signIn(request: Request): Promise<Response | null> {
  const url = new URL(request.url);
  const wire = /^\/(clerk|ksef)\/sign-in$/.exec(url.pathname)?.[1];
  if (!wire || !env.SANDBOX_URL) return null;
  if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
  // Otherwise another site could sign its visitors in here, as somebody of its choice.
  if (!isOwnPage(request, url)) return json(403, { message: "only pages of this origin may ask this" });
  if (!request.headers.get("content-type")?.startsWith("application/json")) return json(415, { message: "send JSON" });
  const text = await request.text();
  if (text.length > 4096) return json(413, { message: "the body is too large" });
  let credentials: { email?: unknown; password?: unknown };
  try {
    credentials = Object(JSON.parse(text));
  } catch {
    return json(400, { message: "send JSON" });
  }
  const { email, password } = credentials;
  if (typeof email !== "string" || typeof password !== "string") return json(400, { message: "send email and password" });
  const answer = await fetch(`${env.SANDBOX_URL}/sandbox/sign-in`, {
    method: "POST",
    // The session is the browser's, not this Worker's.
    headers: { "content-type": "application/json", "user-agent": request.headers.get("user-agent") ?? "" },
    body: JSON.stringify({ email, password, wire }),
    redirect: "manual",
  }).catch(() => null);
  if (!answer?.ok) return json(answer?.status === 401 ? 401 : 502, { message: answer?.status === 401 ? "wrong email or password" : "the sandbox can't be reached" });
  const { access_token, refresh_token, user } = await answer.json<SignedIn>();
  const [names, access, refresh] =
    wire === "ksef" ? [KSEF, access_token, refresh_token] : [CLERK, await clerkSessionToken(access_token, url.origin), `${access_token}~${refresh_token}`];
  return json(200, { user }, [setCookie(names.accessToken, access), setCookie(names.refreshToken, refresh)]);
}

/** A browser says where a request comes from, which no page can forge. Older ones say it in `Origin` only. */
function isOwnPage(request: Request, url: URL): boolean {
  const site = request.headers.get("sec-fetch-site");
  return site ? site === "same-origin" : request.headers.get("origin") === url.origin;
}

function json(status: number, body: object, cookies: string[] = []): Response {
  const headers = new Headers({ "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff" });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(JSON.stringify(body), { status, headers });
}

// ---------------------------------------------------------------- what clerk-js and Clerk's Frontend API do

/** Session tokens live for a minute. When it has run out, the sandbox is asked for the next one: it says no when the session has been ended. */
export async function withFreshClerkSession(request: Request, handle: (request: Request) => Promise<Response | null>): Promise<Response | null> {
  const { origin, pathname } = new URL(request.url);
  const client = cookieOf(request, CLERK.refreshToken.name);
  if (!env.SANDBOX_URL || !client || !pathname.startsWith("/clerk/api/")) return handle(request);
  const token = cookieOf(request, CLERK.accessToken.name);
  if (token && claimsOf(token).exp > now() + 5) return handle(request);
  const [expired = "", refresh = ""] = client.split("~");
  const renewed = await fetch(`${env.SANDBOX_URL}/clerk/v1/sessions/${claimsOf(expired).sid}/refresh`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${env.CLERK_SECRET_KEY}` },
    body: JSON.stringify({ expired_token: expired, refresh_token: refresh, request_origin: origin }),
    redirect: "manual",
  }).catch(() => null);
  if (!renewed?.ok) return handle(request);
  const fresh = await clerkSessionToken((await renewed.json<{ jwt: string }>()).jwt, origin);
  const headers = new Headers(request.headers);
  headers.set("cookie", `${CLERK.accessToken.name}=${fresh}`);
  const answer = await handle(new Request(request, { headers }));
  // A logout has cleared it on this very answer.
  if (answer && answer.headers.getSetCookie().length === 0) answer.headers.append("set-cookie", setCookie(CLERK.accessToken, fresh));
  return answer;
}

/** The sandbox signs its tokens with a secret that it keeps (HS256). Clerk signs with a private key (RS256), so that everybody can verify them: here, serve.mjs made a pair of keys. */
async function clerkSessionToken(token: string, azp: string): Promise<string> {
  const { iss, sub, sid } = claimsOf(token);
  const body = [{ alg: "RS256", typ: "JWT" }, { iss, sub, sid, azp, iat: now(), nbf: now(), exp: now() + 60 }].map((part) => base64url(new TextEncoder().encode(JSON.stringify(part)))).join(".");
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("pkcs8", bytes(env.SANDBOX_SIGNING_KEY ?? ""), algorithm, false, ["sign"]);
  return `${body}.${base64url(new Uint8Array(await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(body))))}`;
}

/** What a token says, unverified. */
function claimsOf(token: string): { iss: string; sub: string; sid: string; exp: number } {
  try {
    return JSON.parse(new TextDecoder().decode(bytes(token.split(".")[1] ?? "")));
  } catch {
    return { iss: "", sub: "", sid: "", exp: 0 };
  }
}

const now = (): number => Math.floor(Date.now() / 1000);
const bytes = (base64: string): Uint8Array => Uint8Array.from(atob(base64.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
const base64url = (data: Uint8Array): string => btoa(String.fromCharCode(...data)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
