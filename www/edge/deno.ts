// deno run --allow-net --allow-env deno.ts
import { createSessionsHandler } from "auth-sessions/edge";

const handle = createSessionsHandler({
  sessions: { provider: "ksef", environment: "test", baseUrl: Deno.env.get("KSEF_API_URL") },
  basePath: "/ksef/api",
  cookies: { accessToken: { name: "__Host-ksef_access" }, refreshToken: { name: "__Host-ksef_refresh" } },
});

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.env.get("PORT") ?? 3000) }, async (request) => (await handle(request)) ?? new Response("not found", { status: 404 }));
