// The devices page and its backend-for-frontend in one Worker: the browser has HttpOnly cookies, the Worker makes calls to Clerk and KSeF of them.
import { env } from "cloudflare:workers";
import { verifyToken } from "@clerk/backend";
import { createSessionsHandler } from "auth-sessions/edge";
import { CLERK, KSEF, cookieOf } from "./cookies";
import { signIn, withFreshClerkSession } from "./sandbox";

const clerk = createSessionsHandler({
  sessions: { provider: "clerk", baseUrl: env.CLERK_API_URL, token: env.CLERK_SECRET_KEY },
  basePath: "/clerk/api",
  cookies: CLERK,
  // The secret key opens everybody's sessions: only a verified token says whose are asked for.
  async scope(request) {
    const token = cookieOf(request, CLERK.accessToken.name);
    const claims = token && (await verifyToken(token, { jwtKey: env.CLERK_JWT_KEY, authorizedParties: [new URL(request.url).origin] }).catch(() => null));
    // Clerk lists ended sessions, too.
    return claims ? { userId: claims.sub, status: "active" } : null;
  },
});

const ksef = createSessionsHandler({
  sessions: { provider: "ksef", baseUrl: env.KSEF_API_URL },
  basePath: "/ksef/api",
  cookies: KSEF,
});

export default {
  fetch(request, _env, ctx) {
    const answer = serve(request);
    // A refresh has to come to its end, and its cookies to be remembered, even if the browser goes away.
    ctx.waitUntil(answer);
    return answer;
  },
} satisfies ExportedHandler;

async function serve(request: Request): Promise<Response> {
  // With a real Clerk this is `(await clerk(request)) ?? …`: see sandbox.ts for what the sandbox can't do.
  return (await withFreshClerkSession(request, clerk)) ?? (await ksef(request)) ?? (await signIn(request)) ?? (await page(request));
}

/** The files of the page, with the headers that keep other scripts out of it. */
async function page(request: Request): Promise<Response> {
  const file = await env.ASSETS.fetch(request);
  const answer = new Response(file.body, file);
  const policy = [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${["'self'", env.CONNECT_ORIGINS].filter(Boolean).join(" ")}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ];
  answer.headers.set("content-security-policy", policy.join("; "));
  answer.headers.set("x-content-type-options", "nosniff");
  answer.headers.set("referrer-policy", "no-referrer");
  return answer;
}
