// The package's types are the contract's, in both directions: what users wrote against one compiles against the other.
import type * as contract from "../../../shared/api.d.ts";
import type * as own from "auth-sessions";
import type * as edge from "auth-sessions/edge";
import type * as monitoring from "auth-sessions/monitoring";

/** Holds only where each is assignable to the other, method parameters included. */
type Same<A extends B, B extends C, C = A> = [A, B];

// ---------------------------------------------------------------- values

type Values = [
  Same<typeof own.createSessions, typeof contract.createSessions>,
  Same<typeof own.createAuthVital, typeof contract.createAuthVital>,
  Same<typeof own.describeDevice, typeof contract.describeDevice>,
  Same<typeof edge.createSessionsHandler, typeof contract.createSessionsHandler>,
  Same<typeof monitoring.watch, typeof contract.watch>,
  Same<typeof monitoring.findings, typeof contract.findings>,
  Same<typeof monitoring.auditEvent, typeof contract.auditEvent>,
];
declare let ownError: typeof own.SessionsError;
declare let contractError: typeof contract.SessionsError;
ownError = contractError;
contractError = ownError;

type Missing = Same<Exclude<keyof typeof contract, keyof typeof own | keyof typeof edge | keyof typeof monitoring | "default">, never>;
type Extra = Same<Exclude<keyof typeof own, keyof typeof contract | "default">, never>;

// ---------------------------------------------------------------- types: check.mjs looks that each of the contract is here

type Types = [
  Same<own.ProviderName, contract.ProviderName>,
  Same<own.SessionsOptions, contract.SessionsOptions>,
  Same<edge.HandlerOptions, contract.HandlerOptions>,
  Same<own.IncomingRequest, contract.IncomingRequest>,
  Same<own.Sessions, contract.Sessions>,
  Same<own.CallOptions, contract.CallOptions>,
  Same<own.ListOptions, contract.ListOptions>,
  Same<own.RevokeAllOptions, contract.RevokeAllOptions>,
  Same<own.LogoutOptions, contract.LogoutOptions>,
  Same<own.RefreshSessionInput, contract.RefreshSessionInput>,
  Same<own.Listing, contract.Listing>,
  Same<own.SessionPage, contract.SessionPage>,
  Same<own.Session, contract.Session>,
  Same<own.Device, contract.Device>,
  Same<own.Effect, contract.Effect>,
  Same<own.RevokeResult, contract.RevokeResult>,
  Same<own.RevokeAllResult, contract.RevokeAllResult>,
  Same<own.LogoutResult, contract.LogoutResult>,
  Same<own.Tokens, contract.Tokens>,
  Same<own.Support, contract.Support>,
  Same<own.Capabilities, contract.Capabilities>,
  Same<own.ErrorCode, contract.ErrorCode>,
  Same<own.SessionsError, contract.SessionsError>,
  Same<own.CookieSpec, contract.CookieSpec>,
  Same<own.Hooks, contract.Hooks>,
  Same<own.RestProfile, contract.RestProfile>,
  Same<own.RestEndpoint, contract.RestEndpoint>,
  Same<monitoring.WatchOptions, contract.WatchOptions>,
  Same<monitoring.SessionChange, contract.SessionChange>,
  Same<monitoring.Finding, contract.Finding>,
  Same<monitoring.Thresholds, contract.Thresholds>,
  Same<monitoring.GeoLookup, contract.GeoLookup>,
  Same<monitoring.History, contract.History>,
];

/** Optional members make types assignable that lack them: the names have to be the same, too. */
type Members = [
  Same<keyof own.SessionsOptions, keyof contract.SessionsOptions>,
  Same<keyof edge.HandlerOptions, keyof contract.HandlerOptions>,
  Same<keyof NonNullable<edge.HandlerOptions["cookies"]>, keyof NonNullable<contract.HandlerOptions["cookies"]>>,
  Same<keyof own.Sessions, keyof contract.Sessions>,
  Same<keyof own.CallOptions, keyof contract.CallOptions>,
  Same<keyof own.ListOptions, keyof contract.ListOptions>,
  Same<keyof own.RevokeAllOptions, keyof contract.RevokeAllOptions>,
  Same<keyof own.LogoutOptions, keyof contract.LogoutOptions>,
  Same<keyof own.RefreshSessionInput, keyof contract.RefreshSessionInput>,
  Same<keyof own.Session, keyof contract.Session>,
  Same<keyof own.RevokeResult, keyof contract.RevokeResult>,
  Same<keyof own.RevokeAllResult, keyof contract.RevokeAllResult>,
  Same<keyof own.LogoutResult, keyof contract.LogoutResult>,
  Same<keyof own.Capabilities, keyof contract.Capabilities>,
  Same<keyof own.SessionsError, keyof contract.SessionsError>,
  Same<keyof own.CookieSpec, keyof contract.CookieSpec>,
  Same<keyof own.Hooks, keyof contract.Hooks>,
  Same<keyof own.RestProfile, keyof contract.RestProfile>,
  Same<keyof own.RestProfile["list"], keyof contract.RestProfile["list"]>,
  Same<keyof own.RestEndpoint, keyof contract.RestEndpoint>,
  Same<keyof monitoring.WatchOptions, keyof contract.WatchOptions>,
  Same<keyof NonNullable<Parameters<typeof monitoring.findings>[1]>, keyof NonNullable<Parameters<typeof contract.findings>[1]>>,
  Same<keyof NonNullable<Parameters<typeof monitoring.auditEvent>[1]>, keyof NonNullable<Parameters<typeof contract.auditEvent>[1]>>,
];

export type { Values, Missing, Extra, Types, Members };
