import { leaveAlone, load, reload, reloadIfOld, restoreDemo, revoke, revokeEverywhere, revokeOthers, signIn, signOut } from "./actions";
import { backends } from "./backends";
import { closeDialogs, confirm } from "./dialogs";
import { patch } from "./dom";
import { afterlife, deviceName, devices } from "./format";
import { findServers } from "./servers";
import { onChange, View, type State } from "./state";
import sprite from "./icons.svg?raw";
import { page } from "./view";

const RETRY_EVERY = 10_000;
const TICK_EVERY = 30_000;

const app = document.querySelector("#app");
if (!app) throw new Error("index.html has no #app");

const views = backends.map((backend) => new View(backend));
/** The view whose back-end the address names. */
const named = (): View => {
  const [first] = views;
  const found = views.find(({ backend }) => `#${backend.id}` === location.hash) ?? first;
  if (!found) throw new Error("there is no back-end");
  return found;
};
let view = named();

// ---------------------------------------------------------------- rendering

onChange((shown) => {
  const focused = document.activeElement;
  const row = focused?.closest("li, section");
  const neighbours = row && [row.nextElementSibling, row.previousElementSibling];
  const list = row?.closest("section");
  const screen = document.title;
  document.title = shown.backend.obstacle ? `${shown.backend.name} – Your devices` : shown.state.user ? "Your devices" : "Sign in – Your devices";
  patch(app, page(shown, views));
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
  load: () => load(view, true),
  "sign-out": () => signOut(view),
  revoke: async (id) => {
    const session = view.state.sessions?.find((candidate) => candidate.id === id);
    if (!session) return;
    const asked = view;
    const name = deviceName(session);
    const known = [session.ipAddress, session.tenant].filter(Boolean).join(", ");
    const text = `It will have to sign in again. ${warning(false)}`.trim();
    if (await confirm({ title: `Sign out ${name}?`, text: known ? `${known}. ${text}` : text, action: "Sign out" })) await revoke(asked, id);
  },
  others: async () => {
    const count = view.state.sessions?.filter((session) => session.current !== true).length ?? 0;
    const text = `You stay signed in here. ${warning(count !== 1)}`.trim();
    if (await confirm({ title: `Sign out ${count} other ${devices(count).split(" ")[1]}?`, text, action: "Sign out" })) await revokeOthers(view);
  },
  everywhere: async () => {
    const text = `Every session of your account ends, including this one: you’ll have to sign in again. ${warning(true)}`.trim();
    if (await confirm({ title: "Sign out everywhere?", text, action: "Sign out everywhere" })) await revokeEverywhere(view);
  },
  "restore-demo": async () => {
    const text = "Everyone is signed out, and the devices are put back as they were at the start.";
    if (await confirm({ title: "Restore the demo data?", text, action: "Restore" })) await restoreDemo(view, views);
  },
  dismiss: () => view.update({ notice: null }),
  // These were confirmed when they were tried first.
  "retry-others": () => revokeOthers(view),
  "retry-everywhere": () => revokeEverywhere(view),
};

function warning(many: boolean): string {
  return afterlife(view.state.capabilities?.effect ?? "unknown", null, many) ?? "";
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
  void signIn(view, String(data.get("email") ?? "").trim(), String(data.get("password") ?? ""));
});

// A link of the switch, the back button, an address typed by hand.
addEventListener("hashchange", () => {
  const next = named();
  if (next === view) return;
  closeDialogs();
  leaveAlone(view);
  view = next;
  view.show();
  reveal();
  view.announce(`${view.backend.name}. ${document.querySelector("h1")?.textContent ?? ""}`);
  begin();
});

/** On a small screen the switch is wider than its place. */
function reveal(): void {
  const [strip, link] = [".switch-inner", ".switch [aria-current]"].map((selector) => document.querySelector<HTMLElement>(selector));
  if (strip && link) strip.scrollLeft = link.offsetLeft - (strip.clientWidth - link.offsetWidth) / 2;
}

addEventListener("resize", reveal);

/** Unless it isn't known yet where the back-end is. */
function begin(): void {
  if (view.backend.server.url) reload(view);
}

// ---------------------------------------------------------------- what happens by itself

const cutOff = ({ unreachable, loadError }: State) => unreachable || loadError?.code === "network" || loadError?.code === "timeout";

addEventListener("online", () => reload(view));
addEventListener("offline", () => {
  if (!view.state.user) return;
  view.update({ unreachable: true });
  view.announce("You’re offline. The list may be out of date.");
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) reloadIfOld(view);
});
setInterval(() => {
  if (view.state.user && !document.hidden && !view.state.loading && navigator.onLine && cutOff(view.state)) reload(view);
}, RETRY_EVERY);
// "5 minutes ago" moves on.
setInterval(() => view.update({}), TICK_EVERY);

// In the document, not fetched by each <use>: an icon that is first needed offline has to be there too.
document.body.append(new DOMParser().parseFromString(sprite, "image/svg+xml").documentElement);
for (const each of views) each.start({ user: each.backend.user });
view.show();
reveal();
await findServers();
view.show();
reveal();
begin();
