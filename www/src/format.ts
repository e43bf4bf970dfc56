import type { Effect, ErrorCode, Session, SessionsError } from "auth-sessions";

// The page is in English, so its times are too; an English reader's own region decides between 14:32 and 2:32 pm.
const locale = navigator.languages.find((language) => /^en\b/.test(language)) ?? "en-GB";
const relativeFormat = new Intl.RelativeTimeFormat(locale);
const dateTimeFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const timeFormat = new Intl.DateTimeFormat(locale, { timeStyle: "short" });

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function relativeTime(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relativeFormat.format(Math.round(seconds / length), unit);
  }
  return seconds > 0 ? "in less than a minute" : "just now";
}

export const absoluteTime = (iso: string): string => dateTimeFormat.format(new Date(iso));

/** "14:32" today, with the date on any other day. */
export function clockTime(iso: string, now = Date.now()): string {
  const date = new Date(iso);
  return date.toDateString() === new Date(now).toDateString() ? timeFormat.format(date) : dateTimeFormat.format(date);
}

/** Where the back-end knows no device (KSeF), how one signed in there is what tells sessions apart. */
export const deviceName = (session: Session): string => session.device?.label || session.method?.name || "Unknown device";

export const devices = (count: number): string => `${count} ${count === 1 ? "device" : "devices"}`;

/** What signing out leaves behind, said before and after. Null where it ends everything at once. */
export function afterlife(effect: Effect, until: string | null, many = false): string | null {
  const it = many ? "They" : "It";
  const token = many ? "their access tokens run out" : "its access token runs out";
  if (effect === "immediate") return null;
  if (effect === "unknown") return `${it} may stay usable for a while: the back-end doesn’t say how soon this takes effect.`;
  return until ? `${it} may stay usable until ${clockTime(until)}, when ${token}.` : `${it} may stay usable until ${token}.`;
}

interface Explanation {
  title: string;
  text: string;
}

const EXPLANATIONS: Record<ErrorCode, Explanation> = {
  network: { title: "The server can’t be reached", text: "Check your connection. This page tries again by itself." },
  timeout: { title: "The server takes too long", text: "It didn’t answer in time. This page tries again by itself." },
  server_error: { title: "Something went wrong on the server", text: "It isn’t anything you did. Try again in a moment." },
  rate_limited: { title: "Too many requests", text: "The server asks for a pause. Try again in a minute." },
  invalid_response: { title: "The server’s answer can’t be read", text: "It sent something unexpected. Try again in a moment." },
  unauthenticated: { title: "You’ve been signed out", text: "Your session has ended or was signed out from another device. Sign in again to see your devices." },
  reauthentication_required: { title: "Please sign in again", text: "For your security, the server wants you to confirm who you are." },
  forbidden: { title: "That isn’t allowed", text: "This session doesn’t belong to your account, or you may not end it." },
  not_found: { title: "It’s no longer there", text: "The session has ended in the meantime." },
  conflict: { title: "Something changed in the meantime", text: "Reload the list and try again." },
  rejected: { title: "The server refused", text: "It didn’t accept the request. Reload the list and try again." },
  current_unknown: { title: "This device can’t be told apart", text: "The server doesn’t say which session is yours, so the others can’t be signed out safely. You can still sign them out one by one." },
  partial_revocation: { title: "Some devices couldn’t be signed out", text: "They are marked in the list." },
  aborted: { title: "Stopped", text: "The request was stopped before it was done." },
  unsupported: { title: "Not available", text: "This back-end can’t do that." },
  insecure: { title: "The connection isn’t secure", text: "Access tokens are only sent over HTTPS." },
  invalid_options: { title: "This page isn’t set up correctly", text: "Its settings were refused. Please tell whoever runs it." },
  invalid_argument: { title: "This page made a mistake", text: "Its request was refused. Please tell whoever runs it." },
  internal: { title: "Something went wrong on this page", text: "Reload it and try again." },
};

export function explain(error: SessionsError): Explanation {
  // A newer package may know a code that this table doesn't.
  const explanation = EXPLANATIONS[error.code] ?? EXPLANATIONS.internal;
  if (error.code === "rate_limited" && error.retryAfter) {
    return { ...explanation, text: `The server asks for a pause. Try again in ${Math.ceil(error.retryAfter)} seconds.` };
  }
  return explanation;
}
