import type { Effect, ListOptions, Session, Sessions } from "./index.js";

/**
 * `auth-sessions/element`: the devices page as the custom element `<auth-session-list>`. Importing this defines it, once in a document; on a server it does nothing.
 *
 * ```js
 * import "auth-sessions/element";
 * document.querySelector("auth-session-list").sessions = createSessions({ … });
 * ```
 */

/**
 * Shows the sessions of `sessions`, and ends them after a confirmation. It needs neither a framework nor WebAssembly of its own, and works under a strict content security policy.
 * Texts are in the language of its `lang`, or that of the nearest element that has one. What comes from a session is shown as text only.
 */
export class AuthSessionList extends HTMLElement {
  /** What it lists and ends: what `createSessions` makes, or anything that does the same. Another object, or null, starts over. */
  sessions: ListedSessions | null;
  /** For the requests, e.g. `pageSize` or Clerk's `userId`; another object loads again. `applicationId` and `userId` also say what "all" and "others" are. */
  listOptions: Omit<ListOptions, "cursor" | "signal">;
  /** What is said about sessions; those of `findings()` of `auth-sessions/monitoring`. */
  findings: readonly ListedFinding[];
  /**
   * Changes as they happen, those of `watch()` of `auth-sessions/monitoring`. As a function it is called whenever the element comes into the document, with a signal for when it leaves;
   * an iterable itself is followed once.
   */
  watch: AsyncIterable<ListedChange> | ((signal: AbortSignal) => AsyncIterable<ListedChange>) | null;
  /** Instead of the built-in texts, all or some of them. */
  texts: Partial<Texts> | null;
  /** Level of its title, 1 to 6; groups and devices are below it. The attribute is `heading-level`; default 2. */
  headingLevel: number;

  /** Loads again. After a logout it starts over. */
  refresh(): Promise<void>;
  /** Ends this session, as its own button does: `logged-out` tells the outcome. Does not reject. */
  logout(): Promise<void>;

  addEventListener<Type extends keyof AuthSessionListEventMap>(type: Type, listener: (this: AuthSessionList, event: AuthSessionListEventMap[Type]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Type extends keyof AuthSessionListEventMap>(type: Type, listener: (this: AuthSessionList, event: AuthSessionListEventMap[Type]) => unknown, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}
export type ListedSessions = any; export type ListedFinding = any; export type ListedChange = any; export type Texts = any;
export interface LoggedOutDetail { reason: "logout" | "everywhere" | "ended"; confirmed: boolean; kind: "success" | "info" | "error"; message: string }
export interface AuthSessionListEventMap extends HTMLElementEventMap { "logged-out": CustomEvent<LoggedOutDetail>; reauthenticate: CustomEvent<{ retry(): Promise<void> }> }
