/** What a member of anything is: proxies and getters may throw. */
function attempt(read) {
  try {
    return read();
  } catch {}
}

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
    return attempt(() => value?.[BRAND] === true) ?? false;
  }
}

/** A failure on its way: what `SessionsError` is made of. */
export const fail = (code, message, cause) => ({ code, message, cause });

export function toSessionsError(error, provider, operation) {
  if (SessionsError.is(error)) return error;
  const about = { provider: typeof provider === "string" ? provider : (attempt(() => provider.name) ?? (provider ? "rest" : null)), operation };
  if (!attempt(() => typeof error.code === "string" && typeof error.message === "string" && !(error instanceof Error))) {
    error = fail("internal", "an unexpected failure; its cause says more", error);
  }
  return new SessionsError({ ...error, ...about });
}
