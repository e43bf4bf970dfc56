import { load, reloadIfOld, restoreDemo, revoke, revokeEverywhere, revokeOthers, signIn, signOut } from "./actions";
import { currentUser } from "./account";
import { confirm } from "./confirm";
import { announce, patch } from "./dom";
import { afterlife, deviceName, devices } from "./format";
import { current, onChange, start, update, type State } from "./state";
import sprite from "./icons.svg?raw";
import { page } from "./view";

const RETRY_EVERY = 10_000;
const TICK_EVERY = 30_000;

const app = document.querySelector("#app");
if (!app) throw new Error("index.html has no #app");

// ---------------------------------------------------------------- rendering

onChange((state) => {
  const focused = document.activeElement;
  const row = focused?.closest("li, section");
  const neighbours = row && [row.nextElementSibling, row.previousElementSibling];
  const list = row?.closest("section");
  const screen = document.title;
  document.title = state.user ? "Your devices" : "Sign in – Your devices";
  patch(app, page(state));
  if (screen !== document.title) scrollTo(0, 0);
  if (focused && focused !== document.body && !focused.isConnected) refocus(neighbours ?? [], list ?? null);
});

/** What had the focus is gone: the next row's button gets it, else the heading of its section, else the page's. */
function refocus(neighbours: (Element | null)[], list: Element | null): void {
  const near = neighbours.find((element) => element?.matches("li") && element.isConnected)?.querySelector<HTMLElement>("button[data-action]");
  const heading = list?.isConnected ? list.querySelector<HTMLElement>("h2") : null;
  (near ?? heading ?? document.querySelector<HTMLElement>("h1"))?.focus({ preventScroll: !near });
}

// ---------------------------------------------------------------- what the user does

const handlers: Record<string, (id: string) => unknown> = {
  load: () => load(true),
  "sign-out": signOut,
  revoke: async (id) => {
    const session = current().sessions?.find((candidate) => candidate.id === id);
    if (!session) return;
    const name = deviceName(session);
    const known = [session.ipAddress, session.tenant].filter(Boolean).join(", ");
    const text = `It will have to sign in again. ${warning(false)}`;
    if (await confirm({ title: `Sign out ${name}?`, text: known ? `${known}. ${text}` : text, action: "Sign out" })) await revoke(id);
  },
  others: async () => {
    const count = current().sessions?.filter((session) => session.current !== true).length ?? 0;
    const text = `You stay signed in here. ${warning(count !== 1)}`;
    if (await confirm({ title: `Sign out ${count} other ${devices(count).split(" ")[1]}?`, text, action: "Sign out" })) await revokeOthers();
  },
  everywhere: async () => {
    const text = `Every session of your account ends, including this one: you’ll have to sign in again. ${warning(true)}`;
    if (await confirm({ title: "Sign out everywhere?", text, action: "Sign out everywhere" })) await revokeEverywhere();
  },
  "restore-demo": async () => {
    const text = "Everyone is signed out, and the sandbox’s devices are put back as they were at the start.";
    if (await confirm({ title: "Restore the demo data?", text, action: "Restore" })) await restoreDemo();
  },
  dismiss: () => update({ notice: null }),
  // These were confirmed when they were tried first.
  "retry-others": revokeOthers,
  "retry-everywhere": revokeEverywhere,
};

function warning(many: boolean): string {
  return afterlife(current().capabilities?.effect ?? "unknown", null, many) ?? "";
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target.closest<HTMLElement>("button[data-action]") : null;
  if (!target || target.getAttribute("aria-disabled") === "true") return;
  void handlers[target.dataset.action ?? ""]?.(target.dataset.id ?? "");
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.action !== "sign-in") return;
  event.preventDefault();
  const data = new FormData(form);
  void signIn(String(data.get("email") ?? "").trim(), String(data.get("password") ?? ""));
});

// ---------------------------------------------------------------- what happens by itself

const cutOff = ({ unreachable, loadError }: State) => unreachable || loadError?.code === "network" || loadError?.code === "timeout";

addEventListener("online", () => void load());
addEventListener("offline", () => {
  if (!current().user) return;
  update({ unreachable: true });
  announce("You’re offline. The list may be out of date.");
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) reloadIfOld();
});
setInterval(() => {
  if (current().user && !document.hidden && !current().loading && navigator.onLine && cutOff(current())) void load();
}, RETRY_EVERY);
// "5 minutes ago" moves on.
setInterval(() => update({}), TICK_EVERY);

// In the document, not fetched by each <use>: an icon that is first needed offline has to be there too.
document.body.append(new DOMParser().parseFromString(sprite, "image/svg+xml").documentElement);
start({ user: currentUser() });
void load();
