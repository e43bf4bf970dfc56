// The handler: what a Worker has of this package, so that its pages hold no token.
import { createSessionsHandler } from "auth-sessions/edge";

export const connect = ({ options: { provider, baseUrl } }) => ({ handle: createSessionsHandler({ sessions: { provider, baseUrl } }) });
