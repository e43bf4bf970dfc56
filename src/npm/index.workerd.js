import { load } from "./load.workerd.js";
import { define } from "./sessions.js";

export { SessionsError } from "./error.js";
export const { createSessions, createAuthVital, describeDevice } = /* @__PURE__ */ define(load);
