// What users write compiles, and what would be a mistake does not. Never run.
import type { IncomingMessage } from "node:http";
import type { Request as ExpressRequest } from "express";
import { createAuthVital, createSessions, describeDevice, SessionsError } from "auth-sessions";
import { createSessionsHandler, type HandlerOptions } from "auth-sessions/edge";
import { auditEvent, findings, remember, subscribe, watch, type Finding, type History, type SessionChange, type WatchOptions } from "auth-sessions/monitoring";
import { edgeHandler } from "auth-sessions/profiles";
import wasm from "auth-sessions/sessions.wasm";
import { AuthSessionList, texts, type OwnTexts, type Texts } from "auth-sessions/element";
import * as slim from "auth-sessions/slim";
import type { Capabilities, Device, ErrorCode, LogoutResult, RevokeAllResult, RevokeResult, Session, SessionPage, Sessions, SessionsOptions, Tokens } from "auth-sessions";

/** Exactly this type. */
function is<T>() {
  return <U>(value: U & ([T] extends [U] ? ([U] extends [T] ? unknown : never) : never)) => void value;
}

// ---------------------------------------------------------------- making a client

const options: SessionsOptions = { provider: "authvital", baseUrl: "https://auth.example.com" };
const sessions = createSessions(options);
is<Sessions>()(sessions);
createSessions({ provider: "clerk", token: async () => null });
createSessions({ provider: "ksef", environment: "test", token: () => undefined, onTokens: async () => {} });
createSessions({ provider: { list: { method: "GET", path: "/s" }, revoke: { method: "DELETE", path: "/s/{id}" } }, baseUrl: "https://a.example.com" });
createSessions({ ...options, fetch, headers: { a: "b" }, credentials: "include", cookies: [{ name: "a", sameSite: "Lax" }], hooks: { onRequest: ({ url }) => void url } });
is<Sessions>()(createAuthVital({ baseUrl: "https://auth.example.com" }).sessions);

// @ts-expect-error: which back-end is not said
createSessions({ baseUrl: "https://auth.example.com" });
// @ts-expect-error: no such back-end
createSessions({ provider: "authvitae" });
// @ts-expect-error: a token is text
createSessions({ provider: "authvital", token: 1 });
// @ts-expect-error: headers are text
createSessions({ provider: "authvital", headers: { a: 1 } });
// @ts-expect-error: a misspelt option
createSessions({ provider: "authvital", baseURL: "https://auth.example.com" });
// @ts-expect-error: SameSite is written with a capital
createSessions({ provider: "authvital", cookies: [{ name: "a", sameSite: "lax" }] });
// @ts-expect-error: a cookie has a name
createSessions({ provider: "authvital", cookies: [{ path: "/" }] });
// @ts-expect-error: the provider is AuthVital
createAuthVital({ provider: "clerk" });
// @ts-expect-error: there is no init step
await sessions.init();

// ---------------------------------------------------------------- calling it

const page = await sessions.list();
is<SessionPage>()(page);
is<Session[]>()(page.sessions);
for await (const session of sessions.list({ applicationId: "a", signal: AbortSignal.timeout(1) })) {
  is<Session>()(session);
  is<string>()(session.id);
  is<boolean | null>()(session.current);
  is<Device | null>()(session.device);
  is<unknown>()(session.raw);
  // @ts-expect-error: it may be null
  session.userAgent.length;
  // @ts-expect-error: nobody promised its shape
  session.raw.id;
}
sessions.list().then(({ count }) => is<number>()(count)).catch(() => {}).finally(() => {});
is<RevokeResult>()(await sessions.revoke("id", { timeout: 1 }));
is<RevokeResult>()(await sessions.revokeCurrent());
is<RevokeAllResult>()(await sessions.revokeAll({ applicationId: "a" }));
is<RevokeAllResult>()(await sessions.revokeOthers({ onProgress: (done, total) => void (done + total) }));
is<number | null>()((await sessions.revokeAll()).count);
is<LogoutResult>()(await sessions.logout());
await sessions.logout("refresh token");
await sessions.logout({ refreshToken: "t", timeout: 1 });
is<Tokens>()(await sessions.refresh());
is<Session>()(await sessions.current());
is<Session>()(await sessions.get("id"));
is<Capabilities>()(await sessions.capabilities());
is<Device>()(await describeDevice(null));
const { list } = sessions;
await list();

// @ts-expect-error: which one?
await sessions.revoke();
// @ts-expect-error: an id is text
await sessions.revoke(1);
// @ts-expect-error: an id may be missing
await sessions.revoke(undefined as string | undefined);
// @ts-expect-error: a client has no application of that name
await sessions.list({ application: "a" });
// @ts-expect-error: revoke knows no application
await sessions.revoke("id", { applicationId: "a" });
// @ts-expect-error: a page is no array
page.map(() => {});
// @ts-expect-error: a list is asynchronous
for (const session of sessions.list()) void session;
// @ts-expect-error: its result is not there yet
sessions.list().sessions;
// @ts-expect-error: outcomes are a closed set
(await sessions.revoke("id")).outcome === "failed";
// @ts-expect-error: a user agent is asked for
await describeDevice();

// ---------------------------------------------------------------- serving a request

declare const request: Request;
declare const express: ExpressRequest;
declare const node: IncomingMessage;
for (const incoming of [request, express, node, { headers: new Headers() }, { headers: { authorization: "Bearer a" } }, { headers: { authorization: ["a", "b"], host: undefined } }]) {
  is<SessionPage>()(await sessions.list(incoming));
  is<RevokeResult>()(await sessions.revoke(incoming, "id"));
  is<RevokeResult>()(await sessions.revokeCurrent(incoming));
  is<RevokeAllResult>()(await sessions.revokeAll(incoming, { applicationId: "a" }));
  is<RevokeAllResult>()(await sessions.revokeOthers(incoming));
  is<Session>()(await sessions.current(incoming));
  await sessions.logout({ request: incoming, refreshToken: "t" });
}
await sessions.list(undefined, { headers: { a: "b" } });
await sessions.revoke(express, String(express.params["id"]));

// @ts-expect-error: the id is missing
await sessions.revoke(request);
// @ts-expect-error: the request is not there, and the client's own token must not take its place
await sessions.revoke(undefined, "id");
// @ts-expect-error: the same
await sessions.revokeAll(undefined, {});
// @ts-expect-error: the request comes first
await sessions.revoke("id", request);
// @ts-expect-error: these serve the client itself only
await sessions.refresh(request);

// ---------------------------------------------------------------- errors

try {
  await sessions.list();
} catch (error) {
  // @ts-expect-error: it may be anything
  error.code;
  if (SessionsError.is(error)) {
    is<ErrorCode>()(error.code);
    is<"SessionsError">()(error.name);
    is<number | null>()(error.retryAfter);
    is<{ id: string; error: SessionsError }[] | undefined>()(error.failed);
    const standard: Error = error;
    void standard;
    // @ts-expect-error: errors don't change
    error.code = "network";
    // @ts-expect-error: no such code
    if (error.code === "not-found") throw error;
  }
  if (error instanceof SessionsError) is<string | null>()(error.operation);
}

// ---------------------------------------------------------------- the other entries

const handle = createSessionsHandler({
  sessions: { provider: "clerk", token: "key" },
  cookies: { accessToken: { name: "__session" }, also: [{ name: "other" }] },
  allowedOrigins: ["https://app.example.com"],
  scope: async (incoming) => (incoming.headers.has("cookie") ? { userId: "user_1" } : null),
});
is<Response | null>()(await handle(new Request("https://a.example.com/api/sessions")));
const handlerOptions: HandlerOptions = { sessions: { provider: "ksef" } };
void handlerOptions;
// @ts-expect-error: it needs to know the back-end
createSessionsHandler({ basePath: "/api" });

is<Sessions>()(createSessions({ provider: edgeHandler, baseUrl: "/api" }));

slim.initialize(new URL("https://a.example.com/sessions.wasm"));
slim.initialize(fetch("/sessions.wasm"));
slim.initialize(wasm);
is<Sessions>()(slim.createSessions({ provider: "rest", baseUrl: "https://a.example.com" }));
is<typeof SessionsError>()(slim.SessionsError);

// ---------------------------------------------------------------- monitoring

const watched: WatchOptions = { interval: 60_000, userId: "u", signal: AbortSignal.timeout(1), thresholds: { maxKmh: 900 }, geo: (ip) => (ip ? { latitude: 1, longitude: 2, city: "a" } : null) };
for await (const change of watch(sessions, watched)) {
  is<SessionChange>()(change);
  if (change.type === "finding") is<Finding>()(change.finding);
  else if (change.type === "error") is<SessionsError>()(change.error);
  else if (change.type === "current-revoked") is<string>()(change.at);
  else is<Session | null>()(change.previous);
  is<Record<string, unknown>>()(await auditEvent(change, { initiatedBy: "user", salt: "s" }));
}
is<() => void>()(subscribe(sessions, async (change) => void change.at, watched));
const history: History = remember(page.sessions);
is<Finding[]>()(findings(page.sessions, { history, now: new Date().toISOString() }));
await auditEvent(await sessions.revokeAll());
await auditEvent(await sessions.logout(), { plainIds: true });

// @ts-expect-error: a misspelt threshold
findings(page.sessions, { thresholds: { maxkmh: 1 } });
// @ts-expect-error: a page is no array of sessions
findings(page);
// @ts-expect-error: a lookup is synchronous
watch(sessions, { geo: async () => null });
// @ts-expect-error: tokens are no result
await auditEvent(await sessions.refresh());

// ---------------------------------------------------------------- the element

const element = document.createElement("auth-session-list");
is<AuthSessionList>()(element);
element.sessions = sessions;
element.sessions = null;
// Anything that does the same will do.
element.sessions = { list: sessions.list, revoke: sessions.revoke, revokeOthers: sessions.revokeOthers, revokeAll: sessions.revokeAll, logout: sessions.logout, capabilities: sessions.capabilities };
element.listOptions = { userId: "user_1", pageSize: 50 };
element.findings = findings((await sessions.list()).sessions);
element.findings = (shown) => findings(shown, { history });
element.watch = watch(sessions);
element.watch = (signal) => watch(sessions, { signal });
element.texts = { title: "Devices", loaded: { one: "one", other: "{count}" }, errors: { network: { title: "a", text: "b" } }, findings: { new_city: "{city}" } };
element.texts = texts.pl;
element.headingLevel = 3;
element.addEventListener("revoked", ({ detail }) => is<string[] | null>()(detail.ids));
element.addEventListener("logged-out", ({ detail }) => is<"logout" | "everywhere" | "ended">()(detail.reason));
element.addEventListener("reauthenticate", (event) => {
  event.preventDefault();
  is<Promise<void>>()(event.detail.retry());
});
element.addEventListener("error", ({ detail }) => SessionsError.is(detail.error) && is<ErrorCode>()(detail.error.code));
element.addEventListener("click", (event) => is<number>()(event.clientX));
await element.refresh();
await element.logout();
const own: OwnTexts = {};
is<Texts>()({ ...texts.en, title: own.title ?? "" });

// @ts-expect-error: no such text
element.texts = { heading: "Devices" };
// @ts-expect-error: a plural has a form for the rest
element.texts = { loaded: { one: "one" } };
// @ts-expect-error: pages are the element's own affair
element.listOptions = { cursor: "2" };
// @ts-expect-error: what was ended is said by `ids`
element.addEventListener("revoked", ({ detail }) => detail.sessions);
