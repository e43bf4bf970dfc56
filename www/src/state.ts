import type { Capabilities, Session, SessionsError } from "auth-sessions";
import type { Backend, User } from "./backends";
import { announce } from "./dom";

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

let shown: View | null = null;
let render: (view: View) => void = () => {};

/** What the page shows of one back-end. Each has its own: what is under way at one ends there, also when another is shown meanwhile. */
export class View {
  state: State = signedOut;
  listing: AbortController | null = null;
  loadedAt = 0;

  constructor(readonly backend: Backend) {}

  get isShown(): boolean {
    return this === shown;
  }

  show(): void {
    shown = this;
    render(this);
  }

  update(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    if (this.isShown) render(this);
  }

  /** Starts over with another user, or with nobody; nothing of the one before stays. */
  start(change: Partial<State>): void {
    this.state = signedOut;
    this.update(change);
  }

  setBusy(key: string, busy: boolean): void {
    const next = new Set(this.state.busy);
    if (busy) next.add(key);
    else next.delete(key);
    this.update({ busy: next });
  }

  setFailure(id: string, text: string | null): void {
    const next = new Map(this.state.failures);
    if (text === null) next.delete(id);
    else next.set(id, text);
    this.update({ failures: next });
  }

  announce(text: string): void {
    if (this.isShown) announce(text);
  }
}

export function onChange(callback: (view: View) => void): void {
  render = callback;
}
