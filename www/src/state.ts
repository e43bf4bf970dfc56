import type { Capabilities, Session, SessionsError } from "auth-sessions";
import type { User } from "./account";

export interface Notice {
  kind: "success" | "info" | "error";
  title: string;
  text: string | null;
  /** What "Try again" does. */
  retry?: "others" | "everywhere";
}

export interface State {
  /** Null: signed out. */
  user: User | null;
  /** Null: not known yet. This device comes first. */
  sessions: Session[] | null;
  capabilities: Capabilities | null;
  loading: boolean;
  /** Why the last attempt to load failed. */
  loadError: SessionsError | null;
  unreachable: boolean;
  /** What is under way: "sign-in", "others", "everywhere", "sign-out", or a session's id. */
  busy: ReadonlySet<string>;
  progress: { done: number; total: number } | null;
  /** Why a session could not be ended, by id. */
  failures: ReadonlyMap<string, string>;
  signInError: string | null;
  notice: Notice | null;
}

const signedOut: State = {
  user: null,
  sessions: null,
  capabilities: null,
  loading: false,
  loadError: null,
  unreachable: false,
  busy: new Set(),
  progress: null,
  failures: new Map(),
  signInError: null,
  notice: null,
};

let state = signedOut;
let render: (state: State) => void = () => {};

export const current = (): State => state;

export function update(change: Partial<State>): void {
  state = { ...state, ...change };
  render(state);
}

/** Starts over with another user, or with nobody; nothing of the one before stays. */
export function start(change: Partial<State>): void {
  state = signedOut;
  update(change);
}

export function onChange(callback: (state: State) => void): void {
  render = callback;
}

export function setBusy(key: string, busy: boolean): void {
  const next = new Set(state.busy);
  if (busy) next.add(key);
  else next.delete(key);
  update({ busy: next });
}

export function setFailure(id: string, text: string | null): void {
  const next = new Map(state.failures);
  if (text === null) next.delete(id);
  else next.set(id, text);
  update({ failures: next });
}
