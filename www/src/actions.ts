import { SessionsError, type RevokeAllResult, type Session } from "auth-sessions";
import { forget, resetSandbox, sessions, signIn as askSandbox, SignInError } from "./account";
import { announce } from "./dom";
import { afterlife, clockTime, deviceName, devices, explain } from "./format";
import { current, setBusy, setFailure, start, update, type Notice } from "./state";

let listing: AbortController | null = null;
let loadedAt = 0;

export async function signIn(email: string, password: string): Promise<void> {
  await exclusively("sign-in", async () => {
    update({ signInError: null });
    try {
      const user = await askSandbox(email, password);
      start({ user });
      void load();
    } catch (error) {
      const text = error instanceof SignInError ? error.message : "Something went wrong on this page. Reload it and try again.";
      update({ signInError: text });
      announce(text);
    }
  });
}

/** Fetches the list anew, on top of whatever is shown. `aloud`: the user waits for it, so its outcome is announced. */
export async function load(aloud = !current().sessions || current().unreachable): Promise<void> {
  if (!current().user) return;
  listing?.abort();
  listing = new AbortController();
  const { signal } = listing;
  update({ loading: true });
  if (!current().sessions && !current().loadError) announce("Loading your devices…");
  try {
    const capabilities = current().capabilities ?? (await sessions.capabilities());
    const found: Session[] = [];
    for await (const session of sessions.list({ signal })) found.push(session);
    if (signal.aborted) return;
    const failures = new Map([...current().failures].filter(([id]) => found.some((session) => session.id === id)));
    loadedAt = Date.now();
    update({ capabilities, sessions: found.sort(thisDeviceFirst), failures, loading: false, loadError: null, unreachable: false });
    if (aloud) announce(`${devices(found.length)} signed in.`);
  } catch (cause) {
    if (signal.aborted) return;
    const error = asSessionsError(cause);
    if (!error) {
      update({ loading: false });
      throw cause;
    }
    if (leftBecauseOf(error)) return;
    const repeated = current().loadError?.code === error.code;
    update({ loading: false, loadError: error });
    if (!repeated) announce(sentence(explain(error)));
  }
}

/** For a page that was out of sight: others may have signed in or out meanwhile. */
export function reloadIfOld(): void {
  if (Date.now() - loadedAt > 30_000) void load();
}

export async function revoke(id: string): Promise<void> {
  const session = current().sessions?.find((candidate) => candidate.id === id);
  if (!session) return;
  const name = deviceName(session);
  await exclusively(id, async () => {
    setFailure(id, null);
    try {
      const result = await sessions.revoke(id);
      if (!current().user) return;
      remove(id);
      if (result.outcome === "already-revoked") {
        notify({ kind: "info", title: `${name} was already signed out.`, text: afterlife(result.effect, result.accessTokenValidUntil) });
      } else {
        notify({ kind: "success", title: `${name} has been signed out.`, text: afterlife(result.effect, result.accessTokenValidUntil) });
      }
      void load();
    } catch (cause) {
      const error = failure(cause);
      if (!error) return;
      if (error.code === "not_found") {
        remove(id);
        notify({ kind: "info", title: `${name} was already signed out.`, text: null });
        void load();
        return;
      }
      const text = sentence(explain(error));
      setFailure(id, text);
      announce(`${name} couldn’t be signed out. ${text}`);
    }
  });
}

export async function revokeOthers(): Promise<void> {
  await exclusively("others", async () => {
    update({ notice: null, failures: new Map() });
    try {
      const result = await sessions.revokeOthers({ onProgress: (done, total) => update({ progress: { done, total } }) });
      if (!current().user) return;
      const ended = new Set(result.revoked);
      // Without the ids, the load below tells what is left.
      update({ sessions: current().sessions?.filter((session) => !ended.has(session.id)) ?? null });
      notify(doneNotice(result, "other "));
      void load();
    } catch (cause) {
      const error = failure(cause);
      if (!error) return;
      if (error.code === "partial_revocation") partly(error);
      else notify({ kind: "error", ...explain(error), retry: "others" });
      void load();
    } finally {
      update({ progress: null });
    }
  });
}

export async function revokeEverywhere(): Promise<void> {
  await exclusively("everywhere", async () => {
    update({ notice: null });
    try {
      const result = await sessions.revokeAll();
      const until = result.accessTokenValidUntil;
      const done = doneNotice(result, "");
      leave({
        ...done,
        title: result.count === null ? "You’ve been signed out everywhere." : `You’ve been signed out of ${devices(result.count)}, including this one.`,
        // The time is that of our own token; the others' aren't known.
        text: until && result.effect === "refresh-only" ? `They may stay usable until their access tokens run out, this one’s at ${clockTime(until)}.` : done.text,
      });
    } catch (cause) {
      const error = failure(cause);
      if (!error) return;
      if (error.code === "partial_revocation") partly(error);
      else notify({ kind: "error", ...explain(error), retry: "everywhere" });
      void load();
    }
  });
}

export async function signOut(): Promise<void> {
  await exclusively("sign-out", async () => {
    listing?.abort();
    const result = await sessions.logout();
    if (result.server === "confirmed") {
      leave({ kind: "success", title: "You’ve been signed out.", text: null });
    } else if (result.server === "rejected" && (!result.error || result.error.code === "not_found")) {
      leave({ kind: "info", title: "You’ve been signed out.", text: "This session had already been ended." });
    } else {
      leave({
        kind: "error",
        title: "You’ve been signed out on this device only.",
        text: "The server didn’t confirm it, so this session may stay in your list of devices until it expires.",
      });
    }
  });
}

export async function restoreDemo(): Promise<void> {
  await exclusively("reset", async () => {
    if (await resetSandbox()) leave({ kind: "info", title: "The demo data has been restored.", text: "Sign in to see the devices again." });
    else notify({ kind: "error", title: "The demo data couldn’t be restored", text: "The sandbox didn’t confirm it. Check that it is running." });
  });
}

function doneNotice(result: RevokeAllResult, which: "other " | ""): Notice {
  if (result.count === 0) return { kind: "info", title: `No ${which}device was signed in any more.`, text: null };
  const many = result.count !== 1;
  const title = result.count === null ? `All ${which}devices have been signed out.` : `${result.count} ${which}${many ? "devices have" : "device has"} been signed out.`;
  return { kind: "success", title, text: afterlife(result.effect, result.accessTokenValidUntil, many) };
}

function partly(error: SessionsError): void {
  const ended = new Set(error.revoked);
  const failed = error.failed ?? [];
  update({
    sessions: current().sessions?.filter((session) => !ended.has(session.id)) ?? null,
    failures: new Map(failed.map(({ id, error: reason }) => [id, sentence(explain(reason))])),
  });
  notify({
    kind: "error",
    title: `${devices(failed.length)} couldn’t be signed out.`,
    text: `${ended.size > 0 ? `${devices(ended.size)} ${ended.size === 1 ? "was" : "were"} signed out. ` : ""}The list says why.`,
    retry: "others",
  });
}

function remove(id: string): void {
  update({ sessions: current().sessions?.filter((session) => session.id !== id) ?? null });
}

/** Runs a task unless the same one is under way. */
async function exclusively(key: string, task: () => Promise<void>): Promise<void> {
  if (current().busy.has(key)) return;
  setBusy(key, true);
  try {
    await task();
  } finally {
    setBusy(key, false);
  }
}

/** What an action says about its failure; null where the page is already on its way to the sign-in form. */
function failure(cause: unknown): SessionsError | null {
  const error = asSessionsError(cause);
  if (!error) throw cause;
  return leftBecauseOf(error) ? null : error;
}

const asSessionsError = (cause: unknown): SessionsError | null => (SessionsError.is(cause) ? cause : null);

/** The one place that looks at every error: signed out means the sign-in form, no answer means the offline banner. */
function leftBecauseOf(error: SessionsError): boolean {
  // An action may end after the user has signed out; its outcome is of no interest any more.
  if (!current().user) return true;
  if (error.code === "unauthenticated" || error.code === "reauthentication_required") {
    leave({ kind: "info", ...explain(error) });
    return true;
  }
  update({ unreachable: error.code === "network" || error.code === "timeout" });
  return false;
}

function leave(notice: Notice): void {
  listing?.abort();
  forget();
  start({});
  notify(notice);
}

function notify(notice: Notice): void {
  update({ notice });
  announce(sentence(notice));
}

const sentence = ({ title, text }: { title: string; text: string | null }): string => [/[.!?]$/.test(title) ? title : `${title}.`, text].filter(Boolean).join(" ");

function thisDeviceFirst(a: Session, b: Session): number {
  const lastSeen = (session: Session) => Date.parse(session.lastActiveAt ?? session.createdAt ?? "") || 0;
  return Number(b.current === true) - Number(a.current === true) || lastSeen(b) - lastSeen(a);
}
