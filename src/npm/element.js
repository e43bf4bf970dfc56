import { AuthSessionList } from "./element/list.js";

export { AuthSessionList };
export { texts } from "./element/language.js";

// Once in a document, whatever copies of this package are in it; nowhere on a server.
if (globalThis.customElements && !customElements.get("auth-session-list")) customElements.define("auth-session-list", AuthSessionList);
