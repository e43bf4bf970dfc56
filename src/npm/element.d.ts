/**
 * `auth-sessions/element`: the devices page as the custom element `<auth-session-list>`. Importing this defines the element, once in a document whatever copies of the package are in it; on a server it does
 * nothing.
 *
 * ```js
 * import { createSessions } from "auth-sessions";
 * import "auth-sessions/element";
 *
 * document.querySelector("auth-session-list").sessions = createSessions({ … });
 * ```
 */
import type { Effect, ErrorCode, ListOptions, Session, Sessions, SessionsError } from "./index.js";
import type { Finding, SessionChange } from "./monitoring.js";

/** Of `Sessions`, what the element calls. */
export type ListedSessions = Pick<Sessions, "list" | "revoke" | "revokeOthers" | "revokeAll" | "logout" | "capabilities">;

/**
 * Lists the sessions of `sessions`, and ends them after a confirmation. It needs neither a framework nor WebAssembly of its own, and works under a strict content security policy. What comes from a session is
 * shown as text only. What the back-end can't do is not offered.
 *
 * Its texts are in the language of its `lang` attribute, of the nearest element around it that has one, or of the browser: English, German and Polish, otherwise English. Times and plurals are by `Intl`.
 *
 * The slot `logged-out` is shown after the end of the session: the place for a link to your sign-in.
 */
export class AuthSessionList extends HTMLElement {
  /** What `createSessions` makes, or anything that does the same. Another object, or null, starts over; null shows it as loading. */
  sessions: ListedSessions | null;
  /**
   * For the list, e.g. `pageSize` or Clerk's `userId`; another object loads again, so keep it the same from one render to the next. `applicationId` and `userId` also say what "all" and "others" are.
   */
  listOptions: Omit<ListOptions, "cursor" | "signal">;
  /**
   * What is said of sessions, from `findings` of `auth-sessions/monitoring`: beside the one or two devices that a finding is about, else above all. Those of `watch` come on top. A function is asked once for
   * each list that is shown; what it throws is an `error`.
   */
  findings: readonly Finding[] | ((sessions: Session[]) => readonly Finding[]);
  /**
   * Changes as they happen, from `watch` of `auth-sessions/monitoring`; they are shown, said to screen readers, and sent on as `session-change`. A function is called whenever the element comes into the
   * document, with a signal for when it leaves, and is what to use where the element may move: an iterable is asked for its iterator whenever the element comes into the document, which a generator answers once only.
   */
  watch: AsyncIterable<SessionChange> | ((signal: AbortSignal) => AsyncIterable<SessionChange>) | null;
  /** Texts of your own, all or some, instead of the built-in ones; with them the dates are in the element's language whatever it is. */
  texts: OwnTexts | null;
  /** Level of its title, 1 to 6; groups are one below, devices two, and none below 6. The attribute is `heading-level`; default 2. */
  headingLevel: number;

  /** Loads again. After a logout it starts over. Doesn't reject: what fails is shown, and is an `error`. */
  refresh(): Promise<void>;
  /** Ends this session, as its own button does; `logged-out` says how. Doesn't reject. */
  logout(): Promise<void>;
  /** Puts the focus on its first heading. */
  focus(options?: FocusOptions): void;

  addEventListener<Type extends keyof AuthSessionListEventMap>(type: Type, listener: (this: AuthSessionList, event: AuthSessionListEventMap[Type]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Type extends keyof AuthSessionListEventMap>(type: Type, listener: (this: AuthSessionList, event: AuthSessionListEventMap[Type]) => unknown, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

/** The built-in texts, e.g. to start one's own from. */
export const texts: { readonly en: Texts; readonly pl: Texts; readonly de: Texts };

// ---------------------------------------------------------------- events

/** All are `CustomEvent`s that bubble and leave shadow trees, but for `error`, which does not bubble. None has a token. */
export interface AuthSessionListEvents {
  /** Sessions have ended, also where some others failed, or where one was over already. */
  revoked: CustomEvent<RevokedDetail>;
  /** The session of this client has ended, or is not accepted any more: the place to go to your sign-in. */
  "logged-out": CustomEvent<LoggedOutDetail>;
  /**
   * The user wants what the back-end does only after a fresh sign-in (`reauthentication_required`), and has pressed "Sign in again". `onReauthenticate` of the sessions was asked before, if there is one, and said no.
   * With `preventDefault()` it is yours: sign in, then call `retry`. Otherwise the element tries again at once, so that `onReauthenticate` is asked once more.
   */
  reauthenticate: CustomEvent<ReauthenticateDetail>;
  /** A call failed. The element says so itself; this is for your log. Doesn't bubble, so that it is not taken for an error of a script. */
  error: CustomEvent<ErrorDetail>;
  /** What `watch` said. */
  "session-change": CustomEvent<SessionChange>;
}
// `error` of other elements is an Event of another kind.
export type AuthSessionListEventMap = Omit<HTMLElementEventMap, keyof AuthSessionListEvents> & AuthSessionListEvents;

export interface RevokedDetail {
  scope: "one" | "others" | "everywhere";
  /** Null where the back-end doesn't say. */
  ids: string[] | null;
  /** Those that could not be ended. */
  failed: string[];
  count: number | null;
  effect: Effect;
  /** See `RevokeResult`. */
  accessTokenValidUntil: string | null;
}

export interface LoggedOutDetail {
  /** `ended`: nobody is signed in any more. The back-end answered `unauthenticated`, or there is no token. */
  reason: "logout" | "everywhere" | "ended";
  /** False where the server didn't confirm a logout: the session may still be there. */
  confirmed: boolean;
  kind: "success" | "info" | "error";
  /** What the user is told, in the element's language: for a page that shows it elsewhere. */
  message: string;
}

export interface ReauthenticateDetail {
  error: SessionsError;
  /** Does what was wanted, without asking for a confirmation again. After another `sessions`, or `listOptions` of another user or application, it does nothing. */
  retry: () => Promise<void>;
}

export interface ErrorDetail {
  /** A `SessionsError`, unless your own `sessions`, `watch` or `findings` threw something else. */
  error: unknown;
  operation: "list" | "revoke" | "revokeOthers" | "revokeAll" | "logout" | "watch" | "findings";
}

// ---------------------------------------------------------------- texts

/** By the categories of `Intl.PluralRules` for `{count}`; what is left out is `other`. */
export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** Every text; `{name}`, `{time}`, `{count}` and the like are filled in. An empty `title` or `intro` is left out; without a title, groups have its level. */
export interface Texts {
  title: string; intro: string; refresh: string; loading: string;
  /** On a button whose action is under way */
  busy: string;
  /** `{count}` */
  loaded: Plural;
  thisDevice: string;
  /** `{count}`, "12+" while there are more pages */
  otherDevices: string; allDevices: string;
  more: string; noOthers: string; noOthersText: string; empty: string; emptyText: string; ended: string; endedText: string;
  signInAgain: string; retry: string;
  signOut: string; signingOut: string;
  /** `{done}`, `{total}` */
  signingOutOf: string;
  signOutOthers: string; everywhere: string; everywhereText: string;
  cancel: string;
  /** `{name}` */
  confirmOne: string;
  confirmOneText: string; confirmOthers: string; confirmOthersText: string; confirmEverywhere: string; confirmEverywhereText: string; noUndo: string;
  /** What a revocation leaves behind, of one device or several; `{time}` */
  stays: Plural; staysUntil: Plural; staysUnknown: Plural; staysEverywhere: string;
  /** `{name}` */
  doneOne: string; alreadyOne: string; failedOne: string;
  /** `{count}` */
  doneOthers: Plural; doneEverywhere: Plural; partly: Plural; partlyDone: Plural;
  doneOthersAll: string; noneOthers: string; doneEverywhereAll: string; partlyWhy: string; failed: string;
  loggedOut: string; loggedOutAlready: string; loggedOutHere: string; loggedOutHereText: string;
  stale: string; offline: string; offlineText: string; offlineEmpty: string;
  /** `{time}`, such as "in 25 seconds" */
  rateLimited: string;
  notification: string; dismiss: string;
  /** `{time}`, such as "5 minutes ago" */
  lastActive: string; signedIn: string; expires: string; expired: string;
  justNow: string; soon: string;
  /** `{browser}`, `{system}` */
  deviceName: string;
  /** `{app}`, such as "Gmail"; and what isn't known more closely */
  appName: string; anyApp: string; anyBot: string;
  unknownDevice: string; noAgent: string; strangeAgent: string; noAddress: string; noAddressNorAgent: string;
  details: string; agent: string; address: string; method: string; created: string; expiry: string; id: string; notRecorded: string;
  isNew: string;
  /** `{name}` */
  added: string; removed: string;
  worthALook: string;
  /** A title without a full stop, and what to do. Without one of their own, `timeout` is as `network`, `invalid_response` as `server_error`, `conflict` as `rejected`, and the others are `internal`. */
  errors: { internal: ErrorText } & Partial<Record<ErrorCode, ErrorText>>;
  /** The members of a finding's `evidence` are filled in by their names: `{city}`. */
  findings: Record<Finding["code"], string>;
}
export interface ErrorText { title: string; text: string }

/** Some of them; of `errors` and `findings` some, too. */
export type OwnTexts = Partial<Omit<Texts, "errors" | "findings">> & { errors?: Partial<Record<ErrorCode, ErrorText>>; findings?: Partial<Texts["findings"]> };

declare global {
  interface HTMLElementTagNameMap {
    "auth-session-list": AuthSessionList;
  }
}
