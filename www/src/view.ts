import type { Session } from "auth-sessions";
import { h, s, type Child } from "./dom";
import { absoluteTime, clockTime, deviceName, explain, relativeTime } from "./format";
import type { Backend } from "./backends";
import type { Notice, State, View } from "./state";

/** The whole page for what is shown of one back-end. Buttons name their action in `data-action`; main.ts listens. */
export function page(view: View, views: readonly View[]): HTMLElement {
  const { state, backend } = view;
  const { obstacle } = backend;
  const isOpen = obstacle === null;
  const { user, notice } = state;
  return h(
    "div",
    { id: "app" },
    header(isOpen ? state : { ...state, user: null }, backendSwitch(view, views)),
    obstacle === undefined
      ? h("main", { class: "page page-narrow", "aria-busy": "true" })
      : obstacle
        ? h("main", { class: "page page-narrow" }, obstacleCard(obstacle))
        : user
          ? h("main", { class: "page" }, ...devicesPage(state, backend))
          : h("main", { class: "page page-narrow" }, ...signInPage(state, backend)),
    footer(state, backend),
    isOpen && user && notice && toast(notice),
  );
}

// ---------------------------------------------------------------- frame

function header({ user, busy }: State, navigation: Child): HTMLElement {
  const brand = h("span", { class: "brand" }, icon("logo"), h("span", { class: "brand-name" }, "auth-sessions"), h("span", { class: "chip" }, "Sandbox"));
  const account =
    user &&
    h(
      "div",
      { class: "account" },
      h("span", { class: "avatar", "aria-hidden": "true" }, initials(user.name || user.email)),
      h("span", { class: "account-text" }, h("span", { class: "account-name" }, user.name || user.email), h("span", { class: "account-email" }, user.email)),
      button("sign-out", "Sign out", { busy: busy.has("sign-out"), busyLabel: "Signing out…" }),
    );
  return h("header", { class: "header" }, h("div", { class: "header-inner" }, brand, account), navigation);
}

/** Links, so that the address says which back-end it is: a reload, a bookmark and the back button keep to it. */
function backendSwitch(shown: View, views: readonly View[]): HTMLElement {
  return h(
    "nav",
    { class: "switch", "aria-label": "Back-end" },
    h(
      "div",
      { class: "switch-inner" },
      ...views.map(({ backend }) =>
        h(
          "a",
          { href: `#${backend.id}`, "aria-current": backend === shown.backend ? "page" : null },
          backend.name,
          backend.obstacle && icon("blocked"),
          backend.obstacle && hidden(" (not running)"),
        ),
      ),
    ),
  );
}

function footer({ busy }: State, { name, server }: Backend): HTMLElement {
  return h(
    "footer",
    { class: "footer" },
    h("p", {}, `This is a sandbox: real sessions, test data only. Back-end: ${name}.`),
    server.url && h(
      "p",
      { class: "footer-links" },
      h("a", { href: server.store.rowsUrl, target: "_blank", rel: "noopener" }, "What the database says", hidden(" (opens in a new tab)")),
      button("restore-demo", "Restore the demo data", { kind: "link", busy: busy.has("reset"), busyLabel: "Restoring…" }),
    ),
  );
}

// ---------------------------------------------------------------- back-ends that can't be shown

function obstacleCard({ title, text }: { title: string; text: string }): HTMLElement {
  return h(
    "section",
    { id: "obstacle", class: "card obstacle", "aria-labelledby": "obstacle-title" },
    h("span", { class: "state-icon" }, icon("blocked")),
    h("h1", { id: "obstacle-title", tabindex: "-1" }, title),
    h("p", { id: "obstacle-reason" }, text),
  );
}

// ---------------------------------------------------------------- signed out

function signInPage({ busy, signInError, notice }: State, { note }: Backend): Child[] {
  return [
    notice && h("div", { id: "notice", class: `notice notice-${notice.kind}` }, ...noticeContent(notice)),
    h(
      "div",
      { id: "sign-in", class: "card sign-in" },
      h("h1", { tabindex: "-1" }, "Sign in"),
      h("p", { class: "muted" }, "to see the devices that are signed in to your account."),
      h(
        "form",
        { class: "form", "data-action": "sign-in", novalidate: true },
        signInError && h("p", { id: "sign-in-error", class: "form-error" }, icon("alert"), h("span", {}, signInError)),
        field("email", "Email", { type: "email", autocomplete: "username", value: "demo@example.com" }, signInError),
        field("password", "Password", { type: "password", autocomplete: "current-password", value: "demo-password" }, signInError),
        button(null, "Sign in", { kind: "primary", busy: busy.has("sign-in"), busyLabel: "Signing in…" }),
      ),
      h("p", { class: "hint" }, "Demo account: ", h("code", {}, "demo@example.com"), " with the password ", h("code", {}, "demo-password"), ". It’s filled in for you."),
      noteLine(note),
    ),
  ];
}

function field(name: string, label: string, attributes: Record<string, string>, error: string | null): HTMLElement {
  return h(
    "div",
    { class: "field" },
    h("label", { for: name }, label),
    h("input", { id: name, name, required: true, spellcheck: "false", "aria-invalid": error ? "true" : null, "aria-describedby": error ? "sign-in-error" : null, ...attributes }),
  );
}

// ---------------------------------------------------------------- devices

function devicesPage(state: State, backend: Backend): Child[] {
  const { sessions, loading, loadError, busy, unreachable } = state;
  const title = h(
    "div",
    { id: "title", class: "title" },
    h(
      "div",
      {},
      h("h1", { tabindex: "-1" }, "Your devices"),
      h("p", { class: "muted" }, "Where you’re signed in. If you don’t recognise a device, sign it out and change your password."),
      noteLine(backend.note),
    ),
    sessions && button("load", "Refresh", { kind: "icon", icon: "refresh", busy: loading, busyLabel: "Refreshing…" }),
  );
  if (!sessions) return [title, loadError && !navigator.onLine ? offlineCard(state) : loadError ? errorCard(state) : skeleton()];

  const here = sessions.filter((session) => session.current === true);
  const others = sessions.filter((session) => session.current !== true);
  const supports = (operation: "revokeOthers" | "revokeAll") => state.capabilities?.[operation] !== "unsupported";
  return [
    title,
    (unreachable || (!navigator.onLine && !!loadError)) && banner(loading),
    !unreachable && loadError && staleBanner(state),
    endedHere(state, backend) && endedBanner(backend),
    here.length > 0 &&
      h(
        "section",
        { id: "this-device", "aria-labelledby": "this-device-title" },
        h("h2", { id: "this-device-title", class: "visually-hidden", tabindex: "-1" }, "This device"),
        h("ul", { class: "card" }, ...here.map((session) => device(session, state, backend))),
      ),
    others.length > 0
      ? section(
          "other-devices",
          here.length > 0 ? `Other devices (${others.length})` : `Devices (${others.length})`,
          here.length > 0 &&
            supports("revokeOthers") &&
            button("others", "Sign out all others", { kind: "danger", busy: busy.has("others"), busyLabel: progressLabel(state) }),
          h("ul", { class: "card" }, ...others.map((session) => device(session, state, backend))),
        )
      : here.length > 0
        ? section("other-devices", "Other devices", null, onlyHere())
        : nowhere(state, backend),
    sessions.length > 0 &&
      supports("revokeAll") &&
      section(
        "everywhere",
        "Sign out everywhere",
        null,
        h(
          "div",
          { class: "card row" },
          h("p", { class: "muted" }, "Lost a device, or something looks wrong? End every session at once, including this one."),
          button("everywhere", "Sign out everywhere", { kind: "danger", busy: busy.has("everywhere"), busyLabel: progressLabel(state) }),
        ),
      ),
  ];
}

const noteLine = (note: string | null) => note && h("p", { class: "note" }, icon("lock"), h("span", {}, note));

function section(id: string, title: string, action: Child, content: Child): HTMLElement {
  return h("section", { id, "aria-labelledby": `${id}-title` }, h("div", { class: "section-head" }, h("h2", { id: `${id}-title`, tabindex: "-1" }, title), action), content);
}

function device(session: Session, state: State, backend: Backend): HTMLElement {
  const id = `device-${encodeURIComponent(session.id)}`;
  const name = deviceName(session);
  const busy = state.busy.has(session.id) || (state.busy.has("others") && session.current !== true);
  const failure = state.failures.get(session.id);
  const place = [session.location?.city, session.location?.country].filter(Boolean).join(", ");
  const isNamedByMethod = !session.device && session.method !== null;
  const where = [session.ipAddress ?? (isNamedByMethod ? "Browser and IP address not recorded" : "IP address not recorded"), place, session.tenant].filter((part): part is string => Boolean(part));
  const unknown = isNamedByMethod ? null : unknownBecause(session, backend);
  return h(
    "li",
    { id, class: "device", "aria-busy": busy ? "true" : null },
    h("span", { class: "device-icon" }, icon(session.device?.kind ?? "unknown")),
    h(
      "div",
      { class: "device-text" },
      h("h3", { class: "device-name" }, h("span", { id: `${id}-name` }, name), session.current === true && h("span", { class: "badge" }, "This device")),
      unknown && h("p", { class: "device-meta" }, unknown),
      h("p", { id: `${id}-where`, class: "device-meta parts" }, ...where.map((part) => h("span", { class: "part" }, part))),
      h("p", { id: `${id}-when`, class: "device-meta parts" }, ...when(session)),
      failure && h("p", { class: "device-failure" }, icon("alert"), h("span", {}, `Couldn’t be signed out. ${failure}`)),
    ),
    session.current !== true &&
      h(
        "div",
        { class: "device-action" },
        button("revoke", failure ? "Try again" : "Sign out", {
          id: session.id,
          busy,
          busyLabel: "Signing out…",
          hidden: failure ? `: sign out ${name}` : ` ${name}`,
          describedBy: `${id}-where ${id}-when`,
        }),
      ),
    details(session, name),
  );
}

function when(session: Session): Child[] {
  const parts: Child[][] = [];
  if (session.lastActiveAt) parts.push(["Last active ", time(session.lastActiveAt)]);
  if (session.createdAt) parts.push(["Signed in ", time(session.createdAt)]);
  if (session.expiresAt) parts.push([Date.parse(session.expiresAt) < Date.now() ? "Expired " : "Expires ", time(session.expiresAt)]);
  return parts.map((part) => h("span", { class: "part" }, ...part));
}

/** Why a device has no proper name. */
function unknownBecause({ userAgent, device }: Session, { name }: Backend): string | null {
  if (device?.browser || device?.os || device?.kind === "bot" || device?.kind === "app") return null;
  return userAgent ? "It gave a browser string that this page doesn’t know." : `${name} didn’t record which browser or app this is.`;
}

function details(session: Session, name: string): HTMLElement {
  const rows: [string, Child][] = [
    ["Browser string", session.userAgent ?? "Not recorded"],
    ["IP address", session.ipAddress ?? "Not recorded"],
    ...(session.method ? [["Signed in with", `${session.method.name} (${session.method.code})`] as [string, Child]] : []),
    // A refresh makes a new row on some back-ends, so this may be younger than the sign-in itself.
    ["Signed in or last renewed", session.createdAt ? time(session.createdAt, absoluteTime) : "Not recorded"],
    ["Expires", session.expiresAt ? time(session.expiresAt, absoluteTime) : "Not recorded"],
    ["Session ID", session.id],
  ];
  return h(
    "details",
    { class: "device-details" },
    h("summary", {}, icon("chevron"), h("span", {}, "Details", hidden(` of ${name}`))),
    h("dl", {}, ...rows.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)))),
  );
}

// ---------------------------------------------------------------- states of the list

function skeleton(): HTMLElement {
  const line = (width: string) => h("span", { class: `bone bone-${width}` });
  const row = () => h("div", { class: "device" }, h("span", { class: "device-icon bone" }), h("div", { class: "device-text" }, line("name"), line("long"), line("medium")));
  return h(
    "section",
    { id: "loading", "aria-busy": "true", "aria-label": "Loading your devices" },
    h("div", { class: "card", "aria-hidden": "true" }, row(), row(), row(), row()),
  );
}

function stateCard(id: string, symbol: string, title: string, text: string, action: Child): HTMLElement {
  return h("div", { id, class: "card state" }, h("span", { class: "state-icon" }, icon(symbol)), h("h2", {}, title), h("p", { class: "muted" }, text), action);
}

/** Where the password is asked for, the button says so. */
function loadAgain({ loadError, loading }: State, kind?: "primary"): HTMLElement {
  const [label, busyLabel] = loadError?.code === "reauthentication_required" ? ["Sign in again", "Signing in…"] : ["Try again", "Trying again…"];
  return button("load", label, { ...(kind && { kind }), busy: loading, busyLabel });
}

function errorCard(state: State): HTMLElement {
  const { loadError } = state;
  const { title, text } = loadError ? explain(loadError) : { title: "", text: "" };
  return stateCard("load-error", "alert", title, text, loadAgain(state, "primary"));
}

const offlineCard = (state: State) => stateCard("load-error", "offline", "You’re offline", "Your devices will be listed as soon as you’re back online.", loadAgain(state, "primary"));

const onlyHere = () => stateCard("empty", "check", "No other devices", "You’re only signed in on this one.", null);

const nowhere = ({ capabilities }: State, backend: Backend) =>
  stateCard(
    "empty",
    "info",
    "No active sessions",
    `${backend.name} lists no session for your account.${capabilities?.effect === "refresh-only" ? ` This page works until its access token runs out${untilClock(backend)}.` : ""}`,
    button("sign-out", "Sign in again", { kind: "primary" }),
  );

function banner(loading: boolean): HTMLElement {
  const [title, text] = navigator.onLine
    ? ["The server can’t be reached.", "The list may be out of date. It’s tried again by itself."]
    : ["You’re offline.", "The list may be out of date. It’s updated as soon as you’re back online."];
  return h(
    "div",
    { id: "offline", class: "notice notice-info" },
    icon("offline"),
    h("p", {}, h("strong", {}, title), ` ${text}`),
    button("load", "Try now", { busy: loading, busyLabel: "Trying…" }),
  );
}

function staleBanner(state: State): HTMLElement | null {
  const { loadError } = state;
  if (!loadError) return null;
  const { title, text } = explain(loadError);
  return h(
    "div",
    { id: "stale", class: "notice notice-error" },
    icon("alert"),
    h("p", {}, h("strong", {}, `${title}.`), ` The list may be out of date. ${text}`),
    loadAgain(state),
  );
}

/** The list would say which session is this page's. If none is, it is gone, although the access token still opens the list. */
const endedHere = ({ sessions, capabilities }: State, backend: Backend) =>
  capabilities?.effect !== "immediate" && backend.isToldWhichIsItsOwn && !!sessions && sessions.length > 0 && !sessions.some((session) => session.current);

function endedBanner(backend: Backend): HTMLElement {
  return h(
    "div",
    { id: "ended", class: "notice notice-info" },
    icon("info"),
    h("p", {}, h("strong", {}, "This device has been signed out."), ` This page goes on working until its access token runs out${untilClock(backend)}.`),
    button("sign-out", "Sign in again", {}),
  );
}

function untilClock(backend: Backend): string {
  const until = backend.accessExpiresAt;
  return until ? ` at ${clockTime(until)}` : "";
}

// ---------------------------------------------------------------- small parts

function toast(notice: Notice): HTMLElement {
  return h(
    "section",
    { id: "toast", class: `toast notice-${notice.kind}`, "aria-label": "Notification" },
    ...noticeContent(notice),
    notice.retry && button(`retry-${notice.retry}`, "Try again", {}),
    button("dismiss", "Dismiss", { kind: "icon plain", icon: "close" }),
  );
}

interface ButtonOptions {
  kind?: "primary" | "danger" | "icon" | "icon plain" | "link";
  icon?: string;
  id?: string;
  busy?: boolean;
  busyLabel?: string;
  /** Added to the label for those who can't see what the button stands next to. */
  hidden?: string;
  describedBy?: string;
}

/** A busy button is aria-disabled, not disabled: it would lose the focus. */
function button(action: string | null, label: string, options: ButtonOptions): HTMLElement {
  const { kind, busy = false } = options;
  const text = busy && options.busyLabel ? options.busyLabel : label;
  return h(
    "button",
    {
      type: action ? "button" : "submit",
      class: kind === "link" ? "link" : ["button", ...(kind?.split(" ").map((part) => `button-${part}`) ?? [])].join(" "),
      "data-action": action,
      "data-id": options.id,
      "aria-disabled": busy ? "true" : null,
      "aria-describedby": options.describedBy,
      title: options.icon ? label : null,
    },
    options.icon ? icon(options.icon) : null,
    h("span", { class: options.icon ? "visually-hidden" : null }, text, options.hidden && hidden(options.hidden)),
  );
}

/** For screen readers only. */
const hidden = (text: string) => h("span", { class: "visually-hidden" }, text);

function icon(name: string): SVGElement {
  return s("svg", { class: "icon", "aria-hidden": "true" }, s("use", { href: `#icon-${name}` }));
}

function time(iso: string, format: (iso: string) => string = relativeTime): HTMLElement {
  return h("time", { datetime: iso, title: absoluteTime(iso) }, format(iso));
}

function progressLabel({ progress }: State): string {
  return progress ? `Signing out ${Math.min(progress.done + 1, progress.total)} of ${progress.total}…` : "Signing out…";
}

function noticeContent({ kind, title, text }: Notice): Child[] {
  return [icon({ success: "check", info: "info", error: "alert" }[kind]), h("p", {}, h("strong", {}, title), text && ` ${text}`)];
}

function initials(name: string): string {
  const words = name.split(/[\s@.]+/).filter(Boolean);
  return [words[0], words.length > 1 ? words[1] : ""].map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
}
