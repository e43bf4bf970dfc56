// bun bun.ts
import { createSessionsHandler } from "auth-sessions/edge";

const handle = createSessionsHandler({
  sessions: { provider: "ksef", environment: "test", baseUrl: process.env.KSEF_API_URL },
  basePath: "/ksef/api",
  cookies: { accessToken: { name: "__Host-ksef_access" }, refreshToken: { name: "__Host-ksef_refresh" } },
});

const server = Bun.serve({ hostname: "127.0.0.1", port: process.env.PORT ?? 3000, fetch: async (request) => (await handle(request)) ?? new Response("not found", { status: 404 }) });
console.log(`listening on ${server.url}`);
