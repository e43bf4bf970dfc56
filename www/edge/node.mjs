// node node.mjs
import { serve } from "@hono/node-server";
import { createSessionsHandler } from "auth-sessions/edge";

const handle = createSessionsHandler({
  sessions: { provider: "ksef", environment: "test", baseUrl: process.env.KSEF_API_URL },
  basePath: "/ksef/api",
  cookies: { accessToken: { name: "__Host-ksef_access" }, refreshToken: { name: "__Host-ksef_refresh" } },
});

const port = Number(process.env.PORT ?? 3000);
serve({ fetch: async (request) => (await handle(request)) ?? new Response("not found", { status: 404 }), hostname: "127.0.0.1", port }, () => console.log(`listening on http://127.0.0.1:${port}`));
