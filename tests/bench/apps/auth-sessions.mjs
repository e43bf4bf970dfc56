import { createSessions } from "auth-sessions";
import { over } from "./client.mjs";

export const connect = over(createSessions);
