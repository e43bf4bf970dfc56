import { createSessions } from "auth-sessions/slim";
import { over } from "./client.mjs";

/** Where files beside a module can't be fetched: in Node. */
export { initialize } from "auth-sessions/slim";
export const connect = over(createSessions);
