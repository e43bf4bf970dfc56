declare namespace Cloudflare {
  interface Env {
    ASSETS: Fetcher;
    CLERK_API_URL: string;
    CLERK_JWT_KEY: string;
    CLERK_SECRET_KEY: string;
    KSEF_API_URL: string;
    /** Other origins that the page calls by itself, with spaces between them. */
    CONNECT_ORIGINS?: string;
    /** Only where the sandbox plays the back-ends (serve.mjs), with the key that stands in for Clerk's own. */
    SANDBOX_URL?: string;
    SANDBOX_SIGNING_KEY?: string;
  }
}
