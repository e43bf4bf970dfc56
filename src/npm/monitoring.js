export { auditEvent } from "./audit.js";
export { findings, remember } from "./findings.js";
export { subscribe, watch } from "./watch.js";
