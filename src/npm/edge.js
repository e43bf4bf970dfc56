import { defineHandler } from "./handler.js";
import { load } from "./load.edge.js";

export const createSessionsHandler = /* @__PURE__ */ defineHandler(load);
