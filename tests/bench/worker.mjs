// A Worker that lists: with a client, or by the handler.
import { connect } from "./app.mjs";

let client;
export default {
  async fetch(request, env) {
    client ??= connect(JSON.parse(env.GIVEN));
    if (client.handle) return (await client.handle(request)) ?? new Response(null, { status: 404 });
    return Response.json({ sessions: await client.list() });
  },
};
