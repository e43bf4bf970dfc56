import { h } from "./dom.js";
import { de } from "./de.js";
import { en } from "./en.js";
import { pl } from "./pl.js";

export const texts = { en, pl, de };

const MINUTE = 60_000;
const UNITS = [["year", 365 * 1440], ["month", 30 * 1440], ["day", 1440], ["hour", 60], ["minute", 1]];

/** The texts and formats of one language, the application's own texts first. */
export class Language {
  #relative;
  #moment;
  #clock;
  #plural;

  /** A language that is not built in is English, unless the application has texts for it: then dates and plurals are in it. */
  constructor(tag, own) {
    const [primary] = tag.toLowerCase().split("-");
    const known = Object.hasOwn(texts, primary);
    const base = known ? texts[primary] : en;
    this.tag = known || own ? regional(tag) : "en";
    const over = (texts, own) => ({ ...texts, ...Object.fromEntries(Object.entries(own ?? {}).filter(([, text]) => text != null)) });
    this.texts = { ...over(base, own), errors: over(base.errors, own?.errors), findings: over(base.findings, own?.findings) };
    this.#relative = new Intl.RelativeTimeFormat(this.tag);
    this.#moment = new Intl.DateTimeFormat(this.tag, { dateStyle: "medium", timeStyle: "short" });
    this.#clock = new Intl.DateTimeFormat(this.tag, { timeStyle: "short" });
    this.#plural = new Intl.PluralRules(this.tag);
  }

  /** What goes into the document for a text. Each value stands by itself: neither markup nor marks for the direction of writing get out of it. */
  nodes(text, values = {}) {
    const form = typeof text === "string" ? text : (text[this.#plural.select(values.count)] ?? text.other);
    return form.split(/\{(\w+)\}/).map((part, index) => {
      if (index % 2 === 0) return part;
      const value = values[part] ?? "";
      return typeof value === "object" ? value : h("bdi", {}, String(value));
    });
  }

  /** The same to be said. */
  plain(text, values) {
    return this.nodes(text, values).map((node) => node.textContent ?? node).join("");
  }

  /** "5 minutes ago"; null where that is no time. */
  time(iso, format = (date) => this.#ago(date)) {
    const date = new Date(iso ?? NaN);
    return Number.isNaN(date.getTime()) ? null : h("time", { datetime: date.toISOString(), title: this.#moment.format(date) }, format(date));
  }

  /** The same of what has happened: by a clock that is behind the server's it may seem to be still to come. */
  since(iso) {
    return this.time(iso, (date) => this.#ago(Math.min(date, Date.now())));
  }

  moment(iso) {
    return this.time(iso, (date) => this.#moment.format(date));
  }

  /** "14:32" today, with the date on any other day. */
  clock(iso) {
    return this.time(iso, (date) => (date.toDateString() === new Date().toDateString() ? this.#clock : this.#moment).format(date));
  }

  /** "in 25 seconds" */
  wait(milliseconds) {
    const [amount, unit] = milliseconds > 90_000 ? [milliseconds / MINUTE, "minute"] : [milliseconds / 1000, "second"];
    return this.#relative.format(Math.ceil(amount), unit);
  }

  #ago(date) {
    const minutes = (date - Date.now()) / MINUTE;
    const [unit, length] = UNITS.find(([, length]) => Math.abs(minutes) >= length) ?? [];
    if (!unit) return minutes > 0 ? this.texts.soon : this.texts.justNow;
    return this.#relative.format(Math.round(minutes / length), unit);
  }
}

/** The reader's own region decides between 14:32 and 2:32 pm where the page leaves that open. What is no language is English. */
function regional(tag) {
  try {
    const [asked] = Intl.getCanonicalLocales(tag);
    return (!asked.includes("-") && navigator.languages.find((own) => own.startsWith(`${asked}-`))) || asked;
  } catch {
    return "en";
  }
}
