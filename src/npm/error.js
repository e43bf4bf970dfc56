const BRAND = Symbol.for("auth-sessions.SessionsError");

/** The only thing that auth-sessions throws. */
export class SessionsError extends Error {
  constructor({ message, cause, code, provider, operation, status, serverCode, requestId, retryAfter, transient, details, revoked, failed }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.provider = provider ?? null;
    this.operation = operation ?? null;
    this.status = status ?? null;
    this.serverCode = serverCode ?? null;
    this.requestId = requestId ?? null;
    this.retryAfter = retryAfter ?? null;
    this.transient = transient ?? false;
    this.details = details ?? null;
    if (failed) {
      this.revoked = revoked;
      this.failed = failed;
    }
  }

  get name() {
    return "SessionsError";
  }

  get [BRAND]() {
    return true;
  }

  static is(value) {
    return typeof value === "object" && value !== null && value[BRAND] === true;
  }
}

/** A failure on its way: what `SessionsError` is made of. */
export const fail = (code, message, cause) => ({ code, message, cause });
