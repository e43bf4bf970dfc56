import type { CookieSpec, ListOptions, SessionsOptions } from "./index.js";

/**
 * A backend-for-frontend in one function, for Workers, Deno, Bun, Node and any Fetch-style server. The browser holds only HttpOnly
 * cookies; this handler turns them into calls to the back-end. Answers null for a path that is not its own.
 *
 *   GET  {base}/sessions · POST {base}/sessions/{id}/revoke · POST {base}/sessions/revoke-others · POST {base}/logout-all · POST {base}/logout
 *
 * JSON as in the result types of `auth-sessions`; errors as `{"error":{"code","message"}}` with the matching status. The list takes `cursor` and `pageSize` as
 * query parameters. What options are is checked at once; what the back-end needs (a known `provider`, `baseUrl`, `scope`) is told by the first request: a 500 with the code `invalid_options`. That AuthVital wants a `clientId` shows only when a token has run out.
 *
 * Make it once, outside of requests: requests of one browser share their refresh within one handler.
 *
 * On Cloudflare Workers hand the promise to `ctx.waitUntil` too: a refresh must come to its end even if the browser goes away.
 *
 * @throws SessionsError `invalid_options`
 */
export function createSessionsHandler(options: HandlerOptions): (request: Request) => Promise<Response | null>;

export interface HandlerOptions {
  /** Without `token` and `refreshToken`, which come from the cookies; with Clerk `token` is the secret key. */
  sessions: SessionsOptions;
  /** Default "/api". */
  basePath?: string;
  /**
   * Default: access_token, refresh_token; Path=/; Secure; HttpOnly; SameSite=Lax. What a given one leaves out is as in the default; HttpOnly can't be switched off.
   * `also` are cleared on logout besides.
   */
  cookies?: { accessToken?: CookieSpec; refreshToken?: CookieSpec; also?: CookieSpec[] };
  /** Origins besides the request's own that may call the state-changing routes. */
  allowedOrigins?: string[];
  /**
   * Extra list options for this request, e.g. Clerk's userId from a verified token. With a secret key (Clerk) it is what says whose sessions these are: verify what the
   * request brings (the handler does not), and give `userId`, or null where nobody is signed in. Sessions of other users can't be ended then.
   */
  scope?: (request: Request) => ListOptions | null | Promise<ListOptions | null>;
}
