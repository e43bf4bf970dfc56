import { defineHandler } from "./handler.js";
import { load } from "./load.edge-light.js";

export const createSessionsHandler = /* @__PURE__ */ defineHandler(load);
