import { SessionsError, type RevokeAllResult, type Session } from "auth-sessions";
import { SignInError } from "./backends";
import { afterlife, clockTime, deviceName, devices, explain } from "./format";
import type { Notice, View } from "./state";

export async function signIn(view: View, email: string, password: string): Promise<void> {
  await exclusively(view, "sign-in", async () => {
    view.update({ signInError: null });
    try {
      const user = await view.backend.signIn(email, password);
      view.start({ user });
      void load(view);
    } catch (error) {
      const text = error instanceof SignInError ? error.message : "Something went wrong on this page. Reload it and try again.";
      view.update({ signInError: text });
      view.announce(text);
    }
  });
}

/** Fetches the list anew, on top of whatever is shown. `aloud`: the user waits for it, so its outcome is announced. */
export async function load(view: View, aloud = !view.state.sessions || view.state.unreachable): Promise<void> {
  // What is not shown is loaded when it is: until then nobody would know what a password is asked for.
  if (!view.state.user || !view.isShown) return;
  view.listing?.abort();
  view.listing = new AbortController();
  const { signal } = view.listing;
  view.update({ loading: true });
  if (!view.state.sessions && !view.state.loadError) view.announce("Loading your devices…");
  try {
    const capabilities = view.state.capabilities ?? (await view.backend.sessions.capabilities());
    const found: Session[] = [];
    for await (const session of view.backend.sessions.list({ signal })) found.push(session);
    if (signal.aborted) return;
    const failures = new Map([...view.state.failures].filter(([id]) => found.some((session) => session.id === id)));
    view.loadedAt = Date.now();
    view.update({ capabilities, sessions: found.sort(thisDeviceFirst), failures, loading: false, loadError: null, unreachable: false });
    if (aloud) view.announce(`${devices(found.length)} signed in.`);
  } catch (cause) {
    if (signal.aborted) return;
    const error = asSessionsError(cause);
    if (!error) {
      view.update({ loading: false });
      throw cause;
    }
    if (leftBecauseOf(view, error)) return;
    const repeated = view.state.loadError?.code === error.code;
    view.update({ loading: false, loadError: error });
    if (!repeated) view.announce(sentence(explain(error)));
  }
}

/** For a page that was out of sight: others may have signed in or out meanwhile. */
export function reloadIfOld(view: View): void {
  if (Date.now() - view.loadedAt > 30_000) reload(view);
}

/** Without being asked to, so not where the user would be asked something in turn. */
export function reload(view: View): void {
  if (view.state.loadError?.code !== "reauthentication_required") void load(view);
}

/** Stops what only fills the page. */
export function leaveAlone(view: View): void {
  view.listing?.abort();
  if (view.state.loading) view.update({ loading: false });
}

export async function revoke(view: View, id: string): Promise<void> {
  const session = view.state.sessions?.find((candidate) => candidate.id === id);
  if (!session) return;
  const name = deviceName(session);
  await exclusively(view, id, async () => {
    view.setFailure(id, null);
    try {
      const result = await view.backend.sessions.revoke(id);
      if (!view.state.user) return;
      remove(view, id);
      if (result.outcome === "already-revoked") {
        notify(view, { kind: "info", title: `${name} was already signed out.`, text: afterlife(result.effect, result.accessTokenValidUntil) });
      } else {
        notify(view, { kind: "success", title: `${name} has been signed out.`, text: afterlife(result.effect, result.accessTokenValidUntil) });
      }
      void load(view);
    } catch (cause) {
      const error = failure(view, cause);
      if (!error) return;
      if (error.code === "not_found") {
        remove(view, id);
        notify(view, { kind: "info", title: `${name} was already signed out.`, text: null });
        void load(view);
        return;
      }
      const text = sentence(explain(error));
      view.setFailure(id, text);
      view.announce(`${name} couldn’t be signed out. ${text}`);
    }
  });
}

export async function revokeOthers(view: View): Promise<void> {
  await exclusively(view, "others", async () => {
    view.update({ notice: null, failures: new Map() });
    try {
      const result = await view.backend.sessions.revokeOthers({ onProgress: (done, total) => view.update({ progress: { done, total } }) });
      if (!view.state.user) return;
      const ended = new Set(result.revoked);
      // Without the ids, the load below tells what is left.
      view.update({ sessions: view.state.sessions?.filter((session) => !ended.has(session.id)) ?? null });
      notify(view, doneNotice(result, "other "));
      void load(view);
    } catch (cause) {
      const error = failure(view, cause);
      if (!error) return;
      if (error.code === "partial_revocation") partly(view, error);
      else notify(view, { kind: "error", ...explain(error), retry: "others" });
      void load(view);
    } finally {
      view.update({ progress: null });
    }
  });
}

export async function revokeEverywhere(view: View): Promise<void> {
  await exclusively(view, "everywhere", async () => {
    view.update({ notice: null });
    try {
      const result = await view.backend.sessions.revokeAll({ onProgress: (done, total) => view.update({ progress: { done, total } }) });
      const until = result.accessTokenValidUntil;
      const done = doneNotice(result, "");
      leave(view, {
        ...done,
        title: result.count === null ? "You’ve been signed out everywhere." : `You’ve been signed out of ${devices(result.count)}, including this one.`,
        // The time is that of our own token; the others' aren't known.
        text: until && result.effect === "refresh-only" ? `They may stay usable until their access tokens run out, this one’s at ${clockTime(until)}.` : done.text,
      });
    } catch (cause) {
      const error = failure(view, cause);
      if (!error) return;
      if (error.code === "partial_revocation") partly(view, error);
      else notify(view, { kind: "error", ...explain(error), retry: "everywhere" });
      void load(view);
    } finally {
      view.update({ progress: null });
    }
  });
}

export async function signOut(view: View): Promise<void> {
  await exclusively(view, "sign-out", async () => {
    view.listing?.abort();
    const result = await view.backend.sessions.logout();
    if (result.server === "confirmed") {
      leave(view, { kind: "success", title: "You’ve been signed out.", text: null });
    } else if ((result.server === "rejected" && (!result.error || result.error.code === "not_found")) || (result.server === "skipped" && !result.error)) {
      leave(view, { kind: "info", title: "You’ve been signed out.", text: "This session had already been ended." });
    } else {
      leave(view, {
        kind: "error",
        title: "You’ve been signed out on this device only.",
        text: "The server didn’t confirm it, so this session may stay in your list of devices until it expires.",
      });
    }
  });
}

/** `others`: the views of all back-ends. */
export async function restoreDemo(view: View, others: Iterable<View>): Promise<void> {
  await exclusively(view, "reset", async () => {
    const { store } = view.backend.server;
    if (!(await store.reset())) {
      notify(view, { kind: "error", title: "The demo data couldn’t be restored", text: `${store.name} didn’t confirm it. Check that it is running.` });
      return;
    }
    for (const other of others) {
      if (other.backend.sharesStoreWith(view.backend)) drop(other);
    }
    notify(view, { kind: "info", title: "The demo data has been restored.", text: "Sign in to see the devices again." });
  });
}

function doneNotice(result: RevokeAllResult, which: "other " | ""): Notice {
  if (result.count === 0) return { kind: "info", title: `No ${which}device was signed in any more.`, text: null };
  const many = result.count !== 1;
  const title = result.count === null ? `All ${which}devices have been signed out.` : `${result.count} ${which}${many ? "devices have" : "device has"} been signed out.`;
  return { kind: "success", title, text: afterlife(result.effect, result.accessTokenValidUntil, many) };
}

function partly(view: View, error: SessionsError): void {
  const ended = new Set(error.revoked);
  const failed = error.failed ?? [];
  view.update({
    sessions: view.state.sessions?.filter((session) => !ended.has(session.id)) ?? null,
    failures: new Map(failed.map(({ id, error: reason }) => [id, sentence(explain(reason))])),
  });
  notify(view, {
    kind: "error",
    title: `${devices(failed.length)} couldn’t be signed out.`,
    text: `${ended.size > 0 ? `${devices(ended.size)} ${ended.size === 1 ? "was" : "were"} signed out. ` : ""}The list says why.`,
    retry: "others",
  });
}

function remove(view: View, id: string): void {
  view.update({ sessions: view.state.sessions?.filter((session) => session.id !== id) ?? null });
}

/** Runs a task unless the same one is under way. */
async function exclusively(view: View, key: string, task: () => Promise<void>): Promise<void> {
  if (view.state.busy.has(key)) return;
  view.setBusy(key, true);
  try {
    await task();
  } finally {
    view.setBusy(key, false);
  }
}

/** What an action says about its failure; null where the page is already on its way to the sign-in form. */
function failure(view: View, cause: unknown): SessionsError | null {
  const error = asSessionsError(cause);
  if (!error) throw cause;
  return leftBecauseOf(view, error) ? null : error;
}

const asSessionsError = (cause: unknown): SessionsError | null => (SessionsError.is(cause) ? cause : null);

/** The one place that looks at every error: signed out means the sign-in form, no answer means the offline banner. */
function leftBecauseOf(view: View, error: SessionsError): boolean {
  // An action may end after the user has signed out; its outcome is of no interest any more.
  if (!view.state.user) return true;
  if (error.code === "unauthenticated" || (error.code === "reauthentication_required" && !view.backend.asksAgain)) {
    leave(view, { kind: "info", ...explain(error) });
    return true;
  }
  view.update({ unreachable: error.code === "network" || error.code === "timeout" });
  return false;
}

function leave(view: View, notice: Notice): void {
  drop(view);
  notify(view, notice);
}

function drop(view: View): void {
  view.listing?.abort();
  view.backend.forget();
  view.start({});
}

function notify(view: View, notice: Notice): void {
  view.update({ notice });
  view.announce(sentence(notice));
}

const sentence = ({ title, text }: { title: string; text: string | null }): string => [/[.!?]$/.test(title) ? title : `${title}.`, text].filter(Boolean).join(" ");

function thisDeviceFirst(a: Session, b: Session): number {
  const lastSeen = (session: Session) => Date.parse(session.lastActiveAt ?? session.createdAt ?? "") || 0;
  return Number(b.current === true) - Number(a.current === true) || lastSeen(b) - lastSeen(a);
}
