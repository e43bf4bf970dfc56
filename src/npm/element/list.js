import { h, patch } from "./dom.js";
import { Language } from "./language.js";
import css from "./style.css";
import { explain, isEnding, isOver, nameOf, stays, view } from "./view.js";

/** How often it looks again by itself while nothing answers, and how old a list may be that comes back into sight. */
const RETRY_EVERY = 10_000;
const OLD_AFTER = 30_000;
/** "5 minutes ago" moves on. */
const TICK_EVERY = 30_000;
/** Long enough for several things to be said in one go. */
const SAY_AFTER = 50;

const HEADING = "[tabindex='-1']";

const start = () => ({
  /** Null: not known yet. This device comes first. */
  sessions: null,
  /** Where the next page begins. */
  next: null,
  capabilities: null,
  loading: false,
  /** Why the last attempt to load failed. */
  problem: null,
  unreachable: false,
  /** What is under way: "others", "everywhere", "logout", or a session. */
  busy: new Set(),
  progress: null,
  /** Why a session could not be ended, by id. */
  failures: new Map(),
  notice: null,
  /** What `watch` said: sessions that are new, findings, and that this one is gone. */
  fresh: new Set(),
  told: [],
  ended: false,
  /** After the end of this session: why. */
  out: null,
});

// On a server there is nothing to extend, and nothing that would make one.
const Base = globalThis.HTMLElement ?? class {};

export class AuthSessionList extends Base {
  static observedAttributes = ["lang", "heading-level"];

  #sessions = null;
  #options = {};
  #findings = [];
  /** What its function said, and of which list. */
  #judged = {};
  #watch = null;
  #texts = null;

  #state = start();
  /** Another object whenever everything starts over: what was under way before is of no interest any more. */
  #life = {};
  #pages = 1;
  /** The session that was listed as the current one. */
  #mine = null;
  #listing = null;
  #loadedAt = 0;
  #language = null;
  #content = null;
  #live = null;
  #dialog = null;
  /** Takes the answer to what the dialog asks. */
  #answer = null;
  #said = [];
  /** What `watch` said is gone at one time. */
  #gone = [];
  #saying;
  #soon = null;
  #timer;
  /** Ends what runs only while it is connected, and the watch. */
  #connection = null;
  #following = null;

  // ---------------------------------------------------------------- what the application gives

  get sessions() {
    return this.#sessions;
  }

  set sessions(value) {
    value ??= null;
    if (value === this.#sessions && !this.#state.out) return;
    this.#sessions = value;
    this.#startOver();
  }

  get listOptions() {
    return this.#options;
  }

  set listOptions(value) {
    // Another application's or user's sessions are another list.
    const { applicationId, userId } = this.#options;
    this.#options = value ?? {};
    const isOther = applicationId !== this.#options.applicationId || userId !== this.#options.userId;
    // After a logout there is none, and what became of that stays to be read.
    if (isOther && !this.#state.out) this.#startOver();
    else void this.#reload();
  }

  get findings() {
    return this.#findings;
  }

  set findings(value) {
    this.#findings = value ?? [];
    this.#judged = {};
    this.#render();
  }

  get watch() {
    return this.#watch;
  }

  set watch(value) {
    value ??= null;
    if (value === this.#watch) return;
    this.#watch = value;
    void this.#follow();
  }

  get texts() {
    return this.#texts;
  }

  set texts(value) {
    this.#texts = value ?? null;
    this.#language = null;
    this.#render();
  }

  get headingLevel() {
    return Number.parseInt(this.getAttribute("heading-level")) || 2;
  }

  set headingLevel(value) {
    this.setAttribute("heading-level", value);
  }

  /** Looks again, also after a logout: then from the start. */
  async refresh() {
    if (this.#state.out) this.#startOver();
    else await this.#load(true);
  }

  /** Puts the focus on its first heading. */
  focus(options) {
    this.#content?.querySelector(HEADING)?.focus(options);
  }

  // ---------------------------------------------------------------- its life in the document

  connectedCallback() {
    // Set on it before its class was known.
    for (const name of ["sessions", "listOptions", "findings", "watch", "texts", "headingLevel"]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    if (!this.shadowRoot) this.#build();
    const { signal } = (this.#connection = new AbortController());
    addEventListener("online", () => void this.#reload(), { signal });
    addEventListener("offline", () => this.#goOffline(), { signal });
    document.addEventListener("visibilitychange", () => !document.hidden && Date.now() - this.#loadedAt > OLD_AFTER && void this.#reload(), { signal });
    const observer = new MutationObserver(() => this.#render());
    observer.observe(document, { subtree: true, attributeFilter: ["lang"] });
    signal.addEventListener("abort", () => observer.disconnect());
    this.#render();
    void this.#reload();
    void this.#follow();
  }

  disconnectedCallback() {
    // What is asked is about what was shown: no. What only fills the list stops; what ends sessions goes on.
    this.#dialog.close("");
    this.#connection.abort();
    this.#listing?.abort();
    this.#following?.abort();
    clearTimeout(this.#timer);
    this.#state = { ...this.#state, loading: false };
  }

  attributeChangedCallback() {
    this.#render();
  }

  #build() {
    const root = this.attachShadow({ mode: "open" });
    // Not a <style>, which a strict content security policy would refuse.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    this.#content = h("div", {});
    this.#live = h("p", { class: "unseen", role: "status" });
    this.#dialog = h("dialog", { class: "dialog", "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text", closedby: "any" });
    // The browser tells later that it was closed: it may have been opened anew meanwhile.
    this.#dialog.addEventListener("close", () => this.#dialog.open || this.#answered());
    root.append(this.#content, this.#live, this.#dialog);
    root.addEventListener("click", (event) => {
      const button = event.target.closest?.("button");
      if (this.#dialog.contains(button)) this.#dialog.close(button.value);
      else if (button && button.getAttribute("aria-disabled") !== "true") void this.#act(button.dataset.action, button.dataset.id);
    });
  }

  // ---------------------------------------------------------------- rendering

  /** `isSoon`: of many changes at once only the last is worth a rendering. */
  #update(change, isSoon) {
    this.#state = { ...this.#state, ...change };
    if (isSoon) this.#soon ??= setTimeout(() => this.#render(), 100);
    else this.#render();
  }

  #render() {
    clearTimeout(this.#soon);
    this.#soon = null;
    if (!this.#content || !this.isConnected) return;
    const { shadowRoot: root } = this;
    const focused = root.activeElement;
    const row = focused?.closest("li, section");
    const neighbours = [row?.nextElementSibling, row?.previousElementSibling];
    const section = row?.closest("section");
    const state = { ...this.#state, findings: this.#allFindings() };
    patch(this.#content, view(state, this.#speak(), this.headingLevel));
    if (focused && root.activeElement !== focused) {
      // What had the focus is gone: the next row's button gets it, else the heading of its section, else the first one. Moving it took the focus away.
      const moved = focused.isConnected;
      const near = moved ? focused : neighbours.find((element) => element?.matches("li") && element.isConnected)?.querySelector("button[data-action]");
      (near ?? (section?.isConnected ? section.querySelector(HEADING) : this))?.focus({ preventScroll: moved || !near });
    }
    this.#schedule();
  }

  #speak() {
    const tag = closest(this, "[lang]")?.lang || navigator.language;
    if (this.#language?.asked !== tag) this.#language = Object.assign(new Language(tag, this.#texts), { asked: tag });
    return this.#language;
  }

  #allFindings() {
    const { told, sessions, next } = this.#state;
    // One about several is over with one of them, or when there are no longer too many. Others may be on pages that aren't shown.
    const isStill = ({ sessionIds, evidence }) => {
      if (next || sessionIds.length < 3) return true;
      const left = sessionIds.filter((id) => sessions?.some((session) => session.id === id)).length;
      return left > (evidence?.limit ?? sessionIds.length - 1);
    };
    const all = [...this.#judge(), ...told.filter(isStill)];
    return [...new Map(all.map((finding) => [`${finding.code} ${[...finding.sessionIds].sort().join(" ")}`, finding])).values()];
  }

  /** What the application says of this list: asked once for each. */
  #judge() {
    const { sessions } = this.#state;
    if (typeof this.#findings !== "function") return this.#findings;
    if (!sessions || sessions === this.#judged.sessions) return this.#judged.findings ?? [];
    this.#judged = { sessions };
    try {
      // Spread here: what is no list is an error of the function's, too.
      this.#judged.findings = [...(this.#findings([...sessions]) ?? [])];
    } catch (error) {
      this.#emit("error", { error, operation: "findings" }, { bubbles: false });
    }
    return this.#judged.findings ?? [];
  }

  /** Says something to screen-reader users: emptied first, because the same sentence twice in a row would not be read again. */
  #say(text) {
    if (!this.isConnected) return;
    this.#said.push(text);
    this.#live.textContent = "";
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => (this.#live.textContent = this.#said.splice(0).join(" ")), SAY_AFTER);
  }

  #tell(notice) {
    this.#update({ notice });
    this.#say(said(notice, this.#speak()));
  }

  /** Whether nobody handled it. */
  #emit(type, detail, options) {
    return this.dispatchEvent(new CustomEvent(type, { bubbles: true, composed: true, detail, ...options }));
  }

  // ---------------------------------------------------------------- what happens by itself

  #schedule() {
    clearTimeout(this.#timer);
    const { problem, unreachable, failures } = this.#state;
    const cutOff = unreachable || isCutOff(problem);
    const now = Date.now();
    const waits = [problem, ...failures.values()].some((failed) => failed?.until > now);
    const isOver = problem?.until > now ? () => problem.until <= Date.now() : () => cutOff && navigator.onLine;
    this.#timer = setTimeout(
      () => {
        if (!document.hidden && !this.#state.loading && isOver()) void this.#reload();
        else this.#render();
      },
      waits ? 1000 : cutOff ? RETRY_EVERY : TICK_EVERY,
    );
  }

  #goOffline() {
    if (!this.#state.sessions || this.#state.out) return this.#render();
    this.#update({ unreachable: true });
    const { texts } = this.#speak();
    this.#say(`${texts.offline}. ${texts.stale}`);
  }

  /** Without being asked to, so not where the user would be asked something in turn, and not before a pause is over. */
  async #reload() {
    const { problem } = this.#state;
    if (problem?.code !== "reauthentication_required" && !(problem?.until > Date.now())) await this.#load();
  }

  async #follow() {
    this.#following?.abort();
    if (!this.#watch || !this.isConnected || this.#state.out) return;
    const following = (this.#following = new AbortController());
    const { signal } = following;
    try {
      const changes = (typeof this.#watch === "function" ? this.#watch(signal) : this.#watch)[Symbol.asyncIterator]();
      // Its own promise may stay pending for long; whether it is let go is not waited for.
      signal.addEventListener("abort", () => void Promise.resolve(changes.return?.()).catch(() => {}));
      for (let step = await changes.next(); !step.done && !signal.aborted; step = await changes.next()) this.#apply(step.value);
    } catch (error) {
      if (!signal.aborted) this.#emit("error", { error, operation: "watch" }, { bubbles: false });
    }
  }

  #apply(change) {
    const { sessions, out } = this.#state;
    if (out) return;
    const { type } = change;
    if (sessions && change.session) this.#applySession(change, sessions);
    else if (type === "finding") this.#applyFinding(change.finding);
    else if (type === "current-revoked") {
      this.#update({ ended: true });
      this.#say(this.#speak().texts.ended);
      void this.#reload();
    } else if (type === "error" && change.error.code !== "rate_limited") {
      // It shows the same, and looks again by itself.
      void this.#reload();
    }
    this.#emit("session-change", change);
  }

  #applySession({ type, session, at }, sessions) {
    const language = this.#speak();
    const name = nameOf(session, language);
    const isListed = sessions.some(({ id }) => id === session.id);
    const others = sessions.filter(({ id }) => id !== session.id);
    // What has run out by the clock of this device only is for the next list to leave out.
    const isGone = type === "removed" || (isOver(session) && session.status !== "expired");
    if (isGone && type !== "added") {
      const text = language.plain(language.texts.removed, { name });
      this.#gone.push({ session, at, text });
      this.#update({ sessions: others }, true);
      // What is ended here is told here.
      if (isListed && !isEnding(session, this.#state.busy)) this.#say(text);
    } else if (isListed) {
      this.#update({ sessions: [...others, session].sort(thisDeviceFirst) }, true);
    } else if (type === "added" && !isOver(session)) {
      // Some back-ends make another session of one whenever it is renewed. That is no sign-in.
      const old = this.#gone.find((gone) => gone.at === at && gone.session.userAgent === session.userAgent && gone.session.ipAddress === session.ipAddress);
      if (old && old.session.id === this.#mine?.id) this.#mine = session;
      const isNew = !old && !session.current;
      this.#update({ sessions: [...others, session].sort(thisDeviceFirst), ...(isNew && { fresh: new Set(this.#state.fresh).add(session.id) }) }, true);
      if (isNew) this.#say(language.plain(language.texts.added, { name }));
      this.#gone = this.#gone.filter((gone) => gone !== old && gone.at === at);
      this.#said = this.#said.filter((text) => text !== old?.text);
    }
    // It began before this.
    if (this.#state.loading) void this.#load();
  }

  #applyFinding(finding) {
    const { code, sessionIds, evidence } = finding;
    const language = this.#speak();
    // One that has grown stands for itself as it was.
    const others = this.#state.told.filter((old) => old.code !== code || !old.sessionIds.every((id) => sessionIds.includes(id)));
    this.#update({ told: [...others, finding] }, true);
    const { findings } = language.texts;
    if (Object.hasOwn(findings, code)) this.#say(language.plain(findings[code], evidence));
  }

  // ---------------------------------------------------------------- the list

  #startOver() {
    this.#listing?.abort();
    this.#dialog?.close("");
    this.#life = {};
    this.#mine = null;
    this.#pages = 1;
    this.#state = start();
    this.#render();
    void this.#load();
    if (this.#following?.signal.aborted !== false) void this.#follow();
  }

  /** Fetches the list anew, on top of whatever is shown. `aloud`: the user waits for it, so its outcome is announced. */
  async #load(aloud = !this.#state.sessions || this.#state.unreachable) {
    const sessions = this.#sessions;
    if (!sessions || !this.isConnected || this.#state.out) return;
    this.#listing?.abort();
    const { signal } = (this.#listing = new AbortController());
    const language = this.#speak();
    this.#update({ loading: true });
    if (!this.#state.sessions && !this.#state.problem) this.#say(language.texts.loading);
    try {
      if (!sessions.capabilities) throw TypeError("sessions must be what createSessions gives");
      const capabilities = this.#state.capabilities ?? (await sessions.capabilities());
      // A session that moves meanwhile may stand on two pages.
      const found = new Map();
      let next = null;
      for (let page = 0; page === 0 || (next && page < this.#pages); page++) {
        if (signal.aborted) return;
        const options = { ...this.#options, ...(next && { cursor: next }), signal };
        // A lone object with headers would be a request.
        const answer = await (options.headers ? sessions.list(undefined, options) : sessions.list(options));
        for (const session of answer.sessions) if (!isOver(session)) found.set(session.id, session);
        next = answer.next;
      }
      if (signal.aborted) return;
      const failures = new Map([...this.#state.failures].filter(([id]) => found.has(id)));
      const ended = this.#isGone([...found.values()], next);
      this.#loadedAt = Date.now();
      this.#update({ ended, capabilities, sessions: [...found.values()].sort(thisDeviceFirst), next, failures, loading: false, problem: null, unreachable: false });
      if (aloud) this.#say(language.plain(language.texts.loaded, { count: found.size }));
    } catch (error) {
      if (signal.aborted) return;
      const repeated = this.#state.problem?.code === codeOf(error);
      const problem = this.#failed(error, "list");
      if (!problem) return;
      this.#update({ loading: false, problem });
      if (!repeated) this.#say(said(shown(problem), language));
    }
  }

  /** Whether a list that would say which session is this page's is without it: then that has ended, although the access token still opens the list. */
  #isGone(list, next) {
    const { sessions, ended } = this.#state;
    const mine = this.#mine;
    // A refresh may make another session of it, which not every back-end says is the current one.
    const follows = ({ id, userAgent }) => id === mine.id || (userAgent !== null && userAgent === mine.userAgent && !sessions?.some((known) => known.id === id));
    const now = list.find(({ current }) => current === true) ?? (mine && list.find(follows));
    if (now) this.#mine = now;
    // Where no session is marked as this one, a list that opens is all there is to know.
    return !now && mine !== null && (ended || !next);
  }

  // ---------------------------------------------------------------- what the user does

  async #act(action, id) {
    const { problem, notice, failures, sessions } = this.#state;
    const session = sessions?.find((each) => each.id === id);
    switch (action) {
      case "load":
        return this.#again(problem, () => this.#load(true));
      case "more":
        this.#pages++;
        return this.#load(true);
      case "logout":
        return this.logout();
      case "dismiss":
        return this.#update({ notice: null });
      // What was confirmed when it was tried first.
      case "retry":
        return this.#again(notice?.problem, notice?.retry);
      case "revoke-again":
        return this.#again(failures.get(id), () => this.#revoke(session));
      case "revoke":
        return (await this.#confirmOne(session)) && this.#revoke(session);
      case "others":
        return (await this.#confirmMany("confirmOthers", "signOut")) && this.#revokeOthers();
      case "everywhere":
        return (await this.#confirmMany("confirmEverywhere", "everywhere")) && this.#revokeEverywhere();
    }
  }

  /** Tries once more. Where the back-end wants to know who asks, the application may sign the user in first; otherwise `onReauthenticate` of the sessions gets its turn. */
  async #again(problem, retry) {
    const life = this.#life;
    // A client that is set meanwhile may be another user's.
    const again = async () => life === this.#life && retry();
    if (problem?.code === "reauthentication_required" && !this.#emit("reauthenticate", { error: problem.error, retry: again }, { cancelable: true })) return;
    await again();
  }

  #confirmOne(session) {
    if (!session) return false;
    const language = this.#speak();
    const { texts } = language;
    const known = [session.ipAddress, session.location?.city, session.location?.country, session.tenant].filter(Boolean);
    return this.#ask(language.nodes(texts.confirmOne, { name: nameOf(session, language) }), texts.confirmOneText, 1, texts.signOut, known);
  }

  #confirmMany(title, action) {
    const { texts } = this.#speak();
    return this.#ask(texts[title], texts[`${title}Text`], 2, texts[action]);
  }

  /** Escape, Cancel and a click outside are a no. The browser traps the focus and gives it back. */
  #ask(title, text, count, action, about = []) {
    const dialog = this.#dialog;
    if (dialog.open) return false;
    const language = this.#speak();
    dialog.lang = language.tag;
    dialog.replaceChildren(
      h(
        "div",
        {},
        h("h2", { id: "dialog-title", class: "dialog-title" }, title),
        h(
          "div",
          { id: "dialog-text", class: "dialog-text" },
          about.length > 0 && h("p", { class: "bits" }, about.map((part) => h("span", { class: "bit" }, h("bdi", {}, part)))),
          h("p", {}, text, " ", stays(this.#state.capabilities?.effect ?? "unknown", null, count, language), " ", language.texts.noUndo),
        ),
        h("div", { class: "dialog-actions" }, h("button", { class: "button", value: "", autofocus: true }, language.texts.cancel), h("button", { class: "button danger-solid", value: "confirmed" }, action)),
      ),
    );
    this.#answered();
    dialog.returnValue = "";
    const opener = this.shadowRoot.activeElement;
    dialog.showModal();
    return new Promise((resolve) => {
      this.#answer = (yes) => {
        resolve(yes);
        // Where it came from may be gone.
        if (opener?.isConnected === false) this.focus({ preventScroll: true });
      };
    });
  }

  #answered() {
    const answer = this.#answer;
    this.#answer = null;
    answer?.(this.#dialog.returnValue === "confirmed");
  }

  /** Runs a task unless the same one is under way. `alive`: whether anybody still wants to know how it ends. */
  async #exclusively(key, task) {
    if (this.#state.busy.has(key)) return;
    const life = this.#life;
    const mark = (isBusy) => {
      const busy = new Set(this.#state.busy);
      if (isBusy) busy.add(key);
      else busy.delete(key);
      this.#update({ busy, ...(!isBusy && { progress: null }) });
    };
    mark(true);
    try {
      await task(() => life === this.#life && !this.#state.out);
    } finally {
      if (life === this.#life) mark(false);
    }
  }

  async #revoke(session) {
    if (!session) return;
    const { id } = session;
    const values = { name: nameOf(session, this.#speak()) };
    await this.#exclusively(`session ${id}`, async (alive) => {
      this.#fail(id, null);
      try {
        const { outcome, effect, accessTokenValidUntil } = await this.#sessions.revoke(id);
        if (!alive()) return;
        this.#remove([id]);
        const isNews = outcome !== "already-revoked";
        this.#tell({
          kind: isNews ? "success" : "info",
          title: (language) => language.nodes(isNews ? language.texts.doneOne : language.texts.alreadyOne, values),
          text: (language) => stays(effect, accessTokenValidUntil, 1, language),
        });
        this.#emit("revoked", { scope: "one", ids: [id], failed: [], count: 1, effect, accessTokenValidUntil });
      } catch (error) {
        if (!alive()) return;
        if (codeOf(error) === "not_found") {
          this.#remove([id]);
          this.#tell({ kind: "info", title: (language) => language.nodes(language.texts.alreadyOne, values) });
        } else {
          const problem = this.#failed(error, "revoke");
          if (!problem) return;
          this.#fail(id, problem);
          const language = this.#speak();
          this.#say(`${language.plain(language.texts.failedOne, values)} ${said(shown(problem), language)}`);
          return;
        }
      }
      void this.#load();
    });
  }

  async #revokeOthers() {
    await this.#many("others", "revokeOthers", () => this.#revokeOthers(), (result) => {
      this.#remove(result.revoked ?? []);
      this.#tell(many(result));
      // Without the ids, this tells what is left.
      void this.#load();
    });
  }

  async #revokeEverywhere() {
    await this.#many("everywhere", "revokeAll", () => this.#revokeEverywhere(), (result) => {
      const { count, effect, accessTokenValidUntil } = result;
      this.#leave("everywhere", true, {
        kind: "success",
        title: (language) => (count === null ? language.texts.doneEverywhereAll : language.nodes(language.texts.doneEverywhere, { count })),
        // The time is that of our own token; the others' aren't known.
        text: (language) => {
          const time = effect === "refresh-only" && language.clock(accessTokenValidUntil);
          return time ? language.nodes(language.texts.staysEverywhere, { time }) : stays(effect, null, 2, language);
        },
      });
    });
  }

  /** Ends several sessions; what did not work is told as it is. */
  async #many(scope, operation, retry, done) {
    await this.#exclusively(scope, async (alive) => {
      this.#update({ notice: null, failures: new Map() });
      try {
        const onProgress = (finished, total) => alive() && this.#update({ progress: { done: finished, total } }, true);
        const { listOptions: { applicationId, userId } } = this;
        const result = await this.#sessions[operation]({ ...(applicationId && { applicationId }), ...(userId && { userId }), onProgress });
        if (!alive()) return;
        const { revoked, count, effect, accessTokenValidUntil } = result;
        this.#emit("revoked", { scope, ids: revoked, failed: [], count, effect, accessTokenValidUntil });
        // Whoever was told may have set another client.
        if (alive()) done(result);
      } catch (error) {
        if (!alive()) return;
        const problem = this.#failed(error, operation);
        if (!problem) return;
        if (problem.code === "partial_revocation") {
          const { revoked = [], failed = [] } = error;
          this.#emit("revoked", { scope, ids: revoked, failed: failed.map(({ id }) => id), count: revoked.length, effect: this.#state.capabilities?.effect ?? "unknown", accessTokenValidUntil: null });
          if (!alive()) return;
          this.#remove(revoked);
          this.#update({ failures: new Map(failed.map((each) => [each.id, problemOf(each.error)])) });
          this.#tell({
            kind: "error",
            title: (language) => language.nodes(language.texts.partly, { count: failed.length }),
            text: (language) => [revoked.length > 0 && [language.nodes(language.texts.partlyDone, { count: revoked.length }), " "], language.texts.partlyWhy],
            retry,
          });
        } else {
          this.#tell({ kind: "error", ...shown(problem), retry, problem });
        }
        void this.#load();
      }
    });
  }

  /** Ends this session. Never rejects because the server failed: what it says then is told. */
  async logout() {
    if (!this.#sessions || this.#state.out) return;
    await this.#exclusively("logout", async (alive) => {
      // It would only say that this session is over.
      this.#listing?.abort();
      this.#update({ loading: false });
      let result;
      try {
        result = await this.#sessions.logout();
      } catch (error) {
        if (!alive()) return;
        const problem = this.#failed(error, "logout");
        if (problem) this.#tell({ kind: "error", ...shown(problem), retry: () => this.logout(), problem });
        return;
      }
      if (!alive()) return;
      const { server, error } = result;
      const wasOver = (server === "rejected" && (!error || error.code === "not_found")) || (server === "skipped" && !error);
      const [kind, title, text] =
        server === "confirmed" ? ["success", "loggedOut"] : wasOver ? ["info", "loggedOut", "loggedOutAlready"] : ["error", "loggedOutHere", "loggedOutHereText"];
      this.#leave("logout", kind !== "error", { kind, title: ({ texts }) => texts[title], text: ({ texts }) => texts[text] });
    });
  }

  #remove(ids) {
    this.#update({ sessions: this.#state.sessions?.filter(({ id }) => !ids.includes(id)) ?? null });
  }

  #fail(id, problem) {
    const failures = new Map(this.#state.failures);
    if (problem) failures.set(id, problem);
    else failures.delete(id);
    this.#update({ failures });
  }

  /** The one place that looks at every error: signed out is the end, no answer means the banner. Null where it has been told already. */
  #failed(error, operation) {
    const problem = problemOf(error);
    const life = this.#life;
    this.#emit("error", { error, operation }, { bubbles: false });
    // Whoever was told may have set another client.
    if (life !== this.#life) return null;
    if (problem.code === "unauthenticated") {
      this.#leave("ended", true, { kind: "info", ...shown(problem) });
      return null;
    }
    this.#update({ unreachable: isCutOff(problem) });
    return problem;
  }

  /** The session has ended: nothing of it stays. */
  #leave(reason, confirmed, notice) {
    this.#listing?.abort();
    this.#following?.abort();
    this.#dialog?.close("");
    this.#life = {};
    this.#state = { ...start(), out: notice };
    this.#render();
    const message = said(notice, this.#speak());
    this.#say(message);
    this.#emit("logged-out", { reason, confirmed, kind: notice.kind, message });
  }
}

// ---------------------------------------------------------------- small parts

/** Where a function of the application's for tokens fails, the user is as signed in as before. */
const codeOf = (error) => (typeof error?.code !== "string" || (error.code === "unauthenticated" && error.status === null && "cause" in error) ? "internal" : error.code);

/** A failure, and when it may be tried again. */
const problemOf = (error) => ({ error, code: codeOf(error), until: codeOf(error) === "rate_limited" && error.retryAfter > 0 ? Date.now() + error.retryAfter * 1000 : 0 });

const isCutOff = (problem) => problem?.code === "network" || problem?.code === "timeout";

/** A problem as a notice. */
const shown = (problem) => ({ title: (language) => explain(problem, language).title, text: (language) => explain(problem, language).text });

/** A notice as it is said. */
function said({ title, text }, language) {
  const [first, second] = [title, text].map((part) => h("p", {}, part?.(language)).textContent);
  return `${first}${/[.!?]$/.test(first) ? "" : "."}${second && ` ${second}`}`;
}

function many({ count, effect, accessTokenValidUntil }) {
  if (count === 0) return { kind: "info", title: ({ texts }) => texts.noneOthers };
  return {
    kind: "success",
    title: (language) => (count === null ? language.texts.doneOthersAll : language.nodes(language.texts.doneOthers, { count })),
    text: (language) => stays(effect, accessTokenValidUntil, count ?? 2, language),
  };
}

function thisDeviceFirst(a, b) {
  const lastSeen = (session) => Date.parse(session.lastActiveAt ?? session.createdAt ?? "") || 0;
  return Number(b.current === true) - Number(a.current === true) || lastSeen(b) - lastSeen(a);
}

/** `closest` that goes out of shadow trees, too. */
const closest = (node, selector) => node?.closest?.(selector) ?? (node?.getRootNode().host ? closest(node.getRootNode().host, selector) : null);
