import { AuthSessionList, type LoggedOutDetail } from "auth-sessions/element";
import { backends, DEMO, SignInError, type Backend } from "./backends";
import { closeDialogs, confirm } from "./dialogs";
import { announce, byId, copyOf, find, h, icon, whileBusy } from "./dom";
import sprite from "./icons.svg?raw";
import { findServers } from "./servers";

type Notice = Pick<LoggedOutDetail, "kind" | "message">;

/** What the page shows of one back-end. Each has its own list: what is under way at one ends there, also when another is shown meanwhile. */
class View {
  list: AuthSessionList | null = null;
  /** Over the form, after a logout. */
  notice: Notice | null = null;

  constructor(readonly backend: Backend) {
    if (backend.user) this.enter();
  }

  /** Somebody has signed in. */
  enter(): void {
    const list = new AuthSessionList();
    list.headingLevel = 1;
    list.addEventListener("logged-out", ({ detail }) => this.leave(detail));
    list.addEventListener("reauthenticate", (event) => {
      // Where the password is asked for on the way, the list just tries again.
      if (this.backend.asksAgain) return;
      event.preventDefault();
      void list.logout();
    });
    this.list = list;
    this.notice = null;
  }

  /** Nothing of the user before stays. */
  leave(notice: Notice | null): void {
    this.backend.forget();
    this.list = null;
    this.notice = notice;
    if (this !== view) return;
    show();
    if (notice) announce(notice.message);
  }
}

// In the document, not fetched by each <use>: an icon that is first needed offline has to be there too.
document.body.append(new DOMParser().parseFromString(sprite, "image/svg+xml").documentElement);
const views = backends.map((backend) => new View(backend));
const main = byId("main");
let view = named();

/** The view whose back-end the address names. */
function named(): View {
  const [first] = views;
  const found = views.find(({ backend }) => `#${backend.id}` === location.hash) ?? first;
  if (!found) throw new Error("there is no back-end");
  return found;
}

// ---------------------------------------------------------------- what is shown

function show(): void {
  const { backend, list } = view;
  const { obstacle, server, user } = backend;
  const isOpen = obstacle === null;
  // It is known only now where the back-end is.
  if (isOpen && list) list.sessions ??= backend.sessions;
  const [title, focused] = [document.title, document.activeElement];
  document.title = obstacle ? `${backend.name} – Your devices` : user ? "Your devices" : "Sign in – Your devices";

  for (const link of document.querySelectorAll<HTMLAnchorElement>("#switch a")) {
    if (link.hash === `#${backend.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  byId("account").hidden = !isOpen || !user;
  byId("account-initials").textContent = initials(user?.name || user?.email || "");
  byId("account-name").textContent = user?.name || (user?.email ?? "");
  byId("account-email").textContent = user?.email ?? "";
  byId("which").textContent = `This is a sandbox: real sessions, test data only. Back-end: ${backend.name}.`;
  byId("store").hidden = !server.url;
  if (server.url) byId<HTMLAnchorElement>("rows").href = server.store.rowsUrl ?? "";

  main.classList.toggle("page-narrow", !isOpen || !list);
  main.replaceChildren(...(obstacle ? [obstacleOf(obstacle)] : !isOpen ? [] : list ? [demoOf(list, backend), list] : signInOf(view)));
  main.ariaBusy = obstacle === undefined ? "true" : null;
  if (title !== document.title) scrollTo(0, 0);
  // What had the focus is gone with the screen it was on.
  if (focused && !focused.checkVisibility()) (list && isOpen ? list : main.querySelector<HTMLElement>("h1"))?.focus({ preventScroll: true });
}

const noteOf = (note: string | null) => note && h("p", { class: "note" }, icon("lock"), h("span", {}, note));

function obstacleOf({ title, text }: { title: string; text: string }): Node {
  return h("section", { class: "card obstacle", "aria-labelledby": "obstacle-title" }, icon("blocked"), h("h1", { id: "obstacle-title", tabindex: "-1" }, title), h("p", {}, text));
}

function signInOf(shown: View): Node[] {
  const { backend, notice } = shown;
  const card = copyOf("sign-in-template");
  const form = find(card, "form");
  const [email, password, error, button] = [find<HTMLInputElement>(form, "#email"), find<HTMLInputElement>(form, "#password"), find(form, "#sign-in-error"), find(form, "button")];
  [email.value, password.value] = [DEMO.email, DEMO.password];
  card.append(noteOf(backend.note) || "");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void whileBusy(button, "Signing in…", async () => {
      try {
        await backend.signIn(email.value.trim(), password.value);
      } catch (cause) {
        const text = cause instanceof SignInError ? cause.message : "Something went wrong on this page. Reload it and try again.";
        error.replaceChildren(icon("alert"), h("span", {}, text));
        error.hidden = false;
        for (const field of [email, password]) {
          field.ariaInvalid = "true";
          field.setAttribute("aria-describedby", "sign-in-error");
        }
        if (shown === view) announce(text);
        return;
      }
      shown.enter();
      if (shown === view) show();
    });
  });
  const symbol = { success: "check", info: "info", error: "alert" };
  return [...(notice ? [h("div", { id: "notice", class: `notice notice-${notice.kind}` }, icon(symbol[notice.kind]), h("p", {}, notice.message))] : []), card];
}

/** What is around the list, to try it. */
function demoOf(list: AuthSessionList, backend: Backend): Node {
  const demo = copyOf("demo-template");
  const language = find<HTMLSelectElement>(demo, "#language");
  language.value = list.lang || "en";
  language.addEventListener("change", () => (list.lang = language.value));
  const watching = find<HTMLInputElement>(demo, "#watch");
  watching.checked = list.watch !== null;
  watching.addEventListener("change", () => (list.watch = watching.checked ? (signal) => backend.watch(signal) : null));
  const elsewhere = find(demo, "#elsewhere");
  elsewhere.hidden = !backend.isDemo;
  elsewhere.addEventListener("click", () => {
    void whileBusy(elsewhere, "Signing in…", async () => {
      const text = await backend.signInElsewhere().then(() => "Signed in on another device.", (error: Error) => error.message);
      announce(text);
      if (!list.watch) await list.refresh();
    });
  });
  demo.prepend(noteOf(backend.note) || "");
  return demo;
}

function initials(name: string): string {
  const words = name.split(/[\s@.]+/).filter(Boolean);
  return [words[0], words.length > 1 ? words[1] : ""].map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
}

/** Again when it is known what runs. */
function drawSwitch(): void {
  byId("switch").replaceChildren(
    ...views.map(({ backend: { id, name, obstacle } }) => h("a", { href: `#${id}` }, name, obstacle && icon("blocked"), obstacle && h("span", { class: "visually-hidden" }, " (not running)"))),
  );
}

/** On a small screen the switch is wider than its place. */
function reveal(): void {
  const strip = byId("switch");
  const link = strip.querySelector<HTMLElement>("[aria-current]");
  if (link) strip.scrollLeft = link.offsetLeft - (strip.clientWidth - link.offsetWidth) / 2;
}

// ---------------------------------------------------------------- what the user does

byId("sign-out").addEventListener("click", ({ currentTarget }) => {
  const { list } = view;
  if (list && currentTarget instanceof HTMLElement) void whileBusy(currentTarget, "Signing out…", () => list.logout());
});

byId("restore").addEventListener("click", async ({ currentTarget }) => {
  const asked = view;
  const { store } = asked.backend.server;
  if (!(currentTarget instanceof HTMLElement)) return;
  if (!(await confirm("Restore the demo data?", "Everyone is signed out, and the devices are put back as they were at the start.", "Restore"))) return;
  await whileBusy(currentTarget, "Restoring…", async () => {
    if (!(await store.reset())) {
      announce(`The demo data couldn’t be restored. ${store.name} didn’t confirm it. Check that it is running.`);
      return;
    }
    const notice: Notice = { kind: "info", message: "The demo data has been restored. Sign in to see the devices again." };
    for (const other of views) if (other.backend.sharesStoreWith(asked.backend)) other.leave(other === asked ? notice : null);
  });
});

// A link of the switch, the back button, an address typed by hand.
addEventListener("hashchange", () => {
  const next = named();
  if (next === view) return;
  closeDialogs();
  view = next;
  show();
  reveal();
  announce(`${view.backend.name}. ${view.list ? "Your devices" : (main.querySelector("h1")?.textContent ?? "")}`);
});

addEventListener("resize", reveal);

drawSwitch();
show();
await findServers();
drawSwitch();
show();
reveal();
