import { h, icon, unseen } from "./dom.js";

/** Where the back-end knows no device (KSeF), how one signed in there is what tells sessions apart. The package's own labels ("Chrome on macOS", "Gmail app on iOS", "Bot") are put in the reader's words. */
export function nameOf({ device, method }, language) {
  const { texts } = language;
  const { label, browser, kind } = device ?? {};
  if (!label || (label === "Unknown device" && kind === "unknown")) return method?.name || texts.unknownDevice;
  const [, what, system] = /^(.+) on (.+)$/.exec(label) ?? [null, label];
  const own = browser ? { [browser]: browser, [`${browser} app`]: language.plain(texts.appName, { app: browser }) } : { App: texts.anyApp, Bot: texts.anyBot };
  if (!Object.hasOwn(own, what)) return label;
  return system ? language.plain(texts.deviceName, { browser: own[what], system }) : own[what];
}

/** What people can do about these is the same, unless the application has texts for them. */
const ALIKE = { timeout: "network", invalid_response: "server_error", conflict: "rejected" };

/** A problem as people are told of it: a title without a full stop, and what to do. */
export function explain({ code, until }, language) {
  const { errors, rateLimited } = language.texts;
  const { title, text } = errors[[code, ALIKE[code], "internal"].find((known) => Object.hasOwn(errors, known))];
  const wait = until - Date.now();
  return { title, text: wait > 0 ? language.plain(rateLimited, { time: language.wait(wait) }) : text };
}

/** What signing out leaves behind, said before and after; nothing where it ends everything at once. */
export function stays(effect, until, count, language) {
  const { texts } = language;
  if (effect === "immediate") return [];
  if (effect === "unknown") return language.nodes(texts.staysUnknown, { count });
  const time = language.clock(until);
  return language.nodes(time ? texts.staysUntil : texts.stays, { count, time });
}

/** Some back-ends list sessions that are over, too: those are no devices that are signed in. */
export const isOver = ({ status }) => ["revoked", "expired", "ended", "removed", "abandoned", "replaced"].includes(status);

/** Whether it is being ended. */
export const isEnding = ({ id, current }, busy) => busy.has(`session ${id}`) || busy.has("everywhere") || (busy.has("others") && current !== true);

const SYMBOLS = { success: "check", info: "info", error: "alert" };

/** The whole list for what is known of it. Buttons name their action in `data-action`; the element listens. */
export function view(state, language, level) {
  const { sessions, busy, loading, problem, notice, out, capabilities, next } = state;
  const { texts } = language;
  const nodes = (text, values) => language.nodes(text, values);

  // ---------------------------------------------------------------- small parts

  // Without a title of its own, the element's groups come first below the page's.
  const base = Math.min(Math.max(Number.parseInt(level) || 2, 1), 6) - (texts.title ? 0 : 1);
  const heading = (below, attributes, ...children) => h(`h${Math.min(base + below, 6)}`, { tabindex: "-1", ...attributes }, ...children);

  /** A busy button is aria-disabled, not disabled: it would lose the focus. */
  const button = (action, label, { kind = "", symbol, id, isBusy, busyLabel, off, hidden, describedBy } = {}) =>
    h(
      "button",
      {
        type: "button", class: `button ${kind}`.trim(), "data-action": action, "data-id": id, "data-busy": isBusy,
        "aria-disabled": (isBusy || off) && "true", "aria-describedby": describedBy, title: symbol && label,
      },
      symbol && icon(symbol),
      h("span", { class: symbol && "unseen" }, isBusy && busyLabel ? busyLabel : label, hidden && unseen(" ", h("bdi", {}, hidden))),
    );

  const supports = (operation) => capabilities?.[operation] !== "unsupported";
  const signsInAgain = (failed) => failed?.code === "reauthentication_required";
  const waits = (failed) => failed?.until > Date.now();

  /** Where signing in again is what helps, the button says so. */
  const again = (action, failed, options) =>
    button(action, signsInAgain(failed) ? texts.signInAgain : texts.retry, { busyLabel: texts.busy, off: waits(failed), ...options });

  const progress = () => (state.progress ? language.plain(texts.signingOutOf, { done: Math.min(state.progress.done + 1, state.progress.total), total: state.progress.total }) : texts.signingOut);

  const banner = (key, kind, symbol, title, text, action) =>
    h("div", { key, class: `banner ${kind}` }, icon(symbol), h("p", {}, h("strong", {}, title), " ", text), action);

  const card = (key, symbol, title, text, action) =>
    h("div", { key, class: "card state" }, h("span", { class: "state-icon" }, icon(symbol)), heading(1, {}, title), h("p", { class: "muted" }, text), action);

  const sentence = (title) => (/[.!?…]$/.test(title) ? title : `${title}.`);

  // ---------------------------------------------------------------- one session

  const findings = state.findings.filter(({ code, sessionIds }) => Object.hasOwn(texts.findings, code) && (sessionIds.length === 0 || sessions?.some(({ id }) => sessionIds.includes(id))));
  const finding = ({ code, severity, evidence }) =>
    h("li", { class: `finding ${severity}` }, icon(severity === "info" || severity === "low" ? "info" : "alert"), h("span", {}, nodes(texts.findings[code], evidence)));
  /** One that is about several devices stands above them all. */
  const isAboutOne = ({ sessionIds }) => sessionIds.length === 1 || sessionIds.length === 2;
  const list = (about, attributes) => about.length > 0 && h("ul", { class: "findings", role: "list", ...attributes }, about.map(finding));

  const when = (session) =>
    [
      [texts.lastActive, language.since(session.lastActiveAt)],
      [texts.signedIn, language.since(session.createdAt)],
      [Date.parse(session.expiresAt) < Date.now() ? texts.expired : texts.expires, language.time(session.expiresAt)],
    ]
      .filter(([, time]) => time)
      .map(([text, time]) => h("span", { class: "bit" }, nodes(text, { time })));

  const device = (session, index) => {
    const { id, userAgent, ipAddress, tenant, location, method } = session;
    const name = nameOf(session, language);
    const here = session.current === true;
    const failed = state.failures.get(id);
    const ending = isEnding(session, busy);
    const place = [location?.city, location?.country].filter(Boolean).join(", ");
    const isNamedByMethod = !session.device?.label && Boolean(method);
    const isKnown = isNamedByMethod || session.device?.browser || session.device?.os || ["bot", "app"].includes(session.device?.kind);
    const where = [ipAddress ?? (isNamedByMethod ? texts.noAddressNorAgent : texts.noAddress), place, tenant].filter(Boolean);
    // Not the session's id: an id here has no spaces.
    const [whereId, whenId] = [`where-${here}-${index}`, `when-${here}-${index}`];
    const options = { id, isBusy: ending, busyLabel: texts.signingOut, hidden: name, describedBy: `${whereId} ${whenId}` };
    const act = here
      ? supports("logout") && button("logout", texts.signOut, { isBusy: busy.has("logout"), busyLabel: texts.signingOut, hidden: texts.thisDevice })
      : supports("revoke") && (failed ? again(signsInAgain(failed) ? "revoke-again" : "revoke", failed, options) : button("revoke", texts.signOut, options));
    return h(
      "li",
      { key: `session ${id}`, class: here ? "device current" : "device", "data-id": id, "aria-busy": ending && "true" },
      h("span", { class: "device-icon" }, icon(session.device?.kind)),
      h(
        "div",
        { class: "device-text" },
        heading(2, { class: "device-name" }, h("bdi", {}, name), here && h("span", { class: "badge" }, texts.thisDevice), !here && state.fresh.has(id) && h("span", { class: "badge new" }, texts.isNew)),
        !isKnown && h("p", { class: "meta" }, userAgent ? texts.strangeAgent : texts.noAgent),
        h("p", { id: whereId, class: "meta bits" }, where.map((part) => h("span", { class: "bit" }, h("bdi", {}, part)))),
        h("p", { id: whenId, class: "meta bits" }, when(session)),
        list(findings.filter((about) => isAboutOne(about) && about.sessionIds.includes(id))),
        failed && h("p", { class: "failure" }, icon("alert"), h("span", {}, texts.failed, " ", sentence(explain(failed, language).title), " ", explain(failed, language).text)),
      ),
      act && h("div", { class: "device-action" }, act),
      details(session, name),
    );
  };

  const details = ({ userAgent, ipAddress, method, createdAt, expiresAt, id }, name) => {
    const rows = [
      [texts.agent, userAgent],
      [texts.address, ipAddress],
      ...(method ? [[texts.method, `${method.name} (${method.code})`]] : []),
      [texts.created, language.moment(createdAt)],
      [texts.expiry, language.moment(expiresAt)],
      [texts.id, id],
    ];
    return h(
      "details",
      { class: "details" },
      h("summary", {}, icon("chevron"), h("span", {}, texts.details, unseen(" ", h("bdi", {}, name)))),
      h("dl", {}, rows.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, typeof value === "object" && value ? value : h("bdi", {}, value ?? texts.notRecorded))))),
    );
  };

  const group = (key, title, action, ...content) =>
    h("section", { key, class: "group", "aria-labelledby": `${key}-title` }, h("div", { class: "group-head" }, heading(1, { id: `${key}-title` }, title), action), content);

  // ---------------------------------------------------------------- states

  const skeleton = () => {
    const bones = h("div", { class: "device" }, h("span", { class: "device-icon bone" }), h("div", { class: "device-text" }, ["name", "long", "medium"].map((length) => h("span", { class: `bone ${length}` }))));
    return h("div", { key: "loading", class: "card skeleton", "aria-hidden": "true" }, [bones, bones.cloneNode(true), bones.cloneNode(true)]);
  };

  const without = () => {
    if (!problem) return [h("p", { key: "loading-text", class: "unseen" }, texts.loading), skeleton()];
    const { title, text } = navigator.onLine ? explain(problem, language) : { title: texts.offline, text: texts.offlineEmpty };
    return card("problem", navigator.onLine ? "alert" : "offline", title, text, again("load", problem, { kind: "primary", isBusy: loading }));
  };

  /** Over a list that is shown but may be wrong. */
  const stale = () => {
    if (!problem && !state.unreachable) return null;
    const isCutOff = !navigator.onLine || state.unreachable;
    const { title, text } = navigator.onLine ? explain(problem ?? { code: "network" }, language) : { title: texts.offline, text: texts.offlineText };
    return banner("stale", isCutOff ? "info" : "error", isCutOff ? "offline" : "alert", sentence(title), [texts.stale, " ", text], again("load", problem, { isBusy: loading }));
  };

  const devices = () => {
    const here = sessions.filter(({ current }) => current === true);
    const others = sessions.filter(({ current }) => current !== true);
    const leave = supports("logout") && button("logout", texts.signInAgain, { isBusy: busy.has("logout"), busyLabel: texts.signingOut });
    const count = next ? `${others.length}+` : others.length;
    const about = findings.filter((each) => !isAboutOne(each));
    return [
      stale(),
      // Where a revocation ends everything at once, the next load says more.
      state.ended && sessions.length > 0 && capabilities?.effect !== "immediate" && banner("ended", "info", "info", texts.ended, texts.endedText, leave),
      about.length > 0 && group("findings", texts.worthALook, null, list(about, { class: "findings card" })),
      here.length > 0 && h("section", { key: "here", class: "group", "aria-labelledby": "here-title" }, heading(1, { id: "here-title", class: "unseen" }, texts.thisDevice), h("ul", { class: "card", role: "list" }, here.map(device))),
      others.length > 0 || next
        ? group(
            "others",
            nodes(here.length > 0 ? texts.otherDevices : texts.allDevices, { count }),
            here.length > 0 && supports("revokeOthers") && button("others", texts.signOutOthers, { kind: "danger", isBusy: busy.has("others"), busyLabel: progress() }),
            others.length > 0 && h("ul", { class: "card", role: "list" }, others.map(device)),
            next && h("div", { class: "more" }, button("more", texts.more, { isBusy: loading, busyLabel: texts.busy })),
          )
        : here.length > 0
          ? card("empty", "check", texts.noOthers, texts.noOthersText)
          : card("empty", "info", texts.empty, [texts.emptyText, capabilities?.effect === "refresh-only" && ` ${texts.endedText}`], leave),
      sessions.length > 0 && supports("revokeAll") &&
        group("everywhere", texts.everywhere, null, h("div", { class: "card row" }, h("p", { class: "muted" }, texts.everywhereText), button("everywhere", texts.everywhere, { kind: "danger", isBusy: busy.has("everywhere"), busyLabel: progress() }))),
    ];
  };

  /** After it has ended here; the application's own way back in is in the slot. */
  const after = () => card("out", SYMBOLS[out.kind], out.title(language), out.text?.(language), h("slot", { name: "logged-out" }));

  const toast = ({ kind, title, text, retry, problem: failed }) => {
    const more = text?.(language);
    return h(
      "section",
      { key: "notice", class: `notice ${kind}`, "aria-label": texts.notification },
      icon(SYMBOLS[kind]),
      h("p", {}, h("strong", {}, title(language)), more?.length > 0 && [" ", more]),
      retry && again("retry", failed),
      button("dismiss", texts.dismiss, { kind: "icon-only plain", symbol: "close" }),
    );
  };

  return h(
    "div",
    { class: "list", lang: language.tag, "aria-busy": (!sessions && !problem && !out) && "true" },
    texts.title &&
      h(
        "div",
        { key: "head", class: "head" },
        h("div", {}, heading(0, { class: "title" }, texts.title), texts.intro && h("p", { class: "intro muted" }, texts.intro)),
        sessions && !out && button("load", texts.refresh, { kind: "icon-only", symbol: "refresh", isBusy: loading, busyLabel: texts.busy, off: waits(problem) }),
      ),
    out ? after() : sessions ? devices() : without(),
    !out && notice && toast(notice),
  );
}
