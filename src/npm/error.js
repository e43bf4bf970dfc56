const BRAND = Symbol.for("auth-sessions.SessionsError");

/** The only thing that auth-sessions throws. */
export class SessionsError extends Error {
  /** Takes the contract's fields by name; what is not given is null. */
  constructor({ message, cause, revoked, failed, ...fields }) {
    super(message, cause === undefined ? undefined : { cause });
    for (const name of ["code", "provider", "operation", "status", "serverCode", "requestId", "retryAfter", "details"]) {
      this[name] = fields[name] ?? null;
    }
    this.transient = fields.transient === true;
    if (failed) {
      Object.assign(this, { revoked, failed });
    }
  }

  get name() {
    return "SessionsError";
  }

  get [BRAND]() {
    return true;
  }

  /** Also for instances of other realms and of other copies of this package. */
  static is(value) {
    // Proxies may throw.
    try {
      return value[BRAND] === true;
    } catch {
      return false;
    }
  }
}

/** A failure on its way: what `SessionsError` is made of. */
export const fail = (code, message, cause) => ({ code, message, cause });

export function toSessionsError(error, provider, operation) {
  if (SessionsError.is(error)) return error;
  let name = typeof provider === "string" ? provider : provider ? "rest" : null;
  let isFailure;
  try {
    name = provider?.name ?? name;
    isFailure = typeof error.code === "string" && typeof error.message === "string" && !(error instanceof Error);
  } catch {}
  if (!isFailure) error = fail("internal", "an unexpected failure; its cause says more", error);
  return new SessionsError({ ...error, provider: name, operation });
}
