import { defineHandler } from "./handler.js";
import { load } from "./load.workerd.js";

export const createSessionsHandler = /* @__PURE__ */ defineHandler(load);
