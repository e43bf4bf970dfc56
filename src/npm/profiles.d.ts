import type { RestProfile } from "./index.js";

/**
 * The profile of the routes that `createSessionsHandler` of `auth-sessions/edge` serves:
 * `createSessions({ provider: edgeHandler, baseUrl: "/api" })`, with the handler's `basePath` as `baseUrl`. The tokens are in HttpOnly cookies, so that the page has none.
 */
export const edgeHandler: RestProfile;
