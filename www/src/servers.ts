/** What runs behind this page: the sandbox that serves it, with several back-ends over one store, and Better Auth beside it. */
export class Server {
  /** Undefined: not known yet. Null: it isn't running. */
  url: string | null | undefined;
  /** Its routes for a demo: every session in its store, and a fresh start. */
  readonly #rows: string;
  readonly #reset: string;

  constructor(
    readonly name: string,
    { url, rows, reset }: { url?: string; rows: string; reset: string },
  ) {
    this.url = url;
    this.#rows = rows;
    this.#reset = reset;
  }

  get rowsUrl(): string {
    return this.url + this.#rows;
  }

  /** Puts users, devices and sessions back as they were seeded. */
  async reset(): Promise<boolean> {
    const response = await fetch(this.url + this.#reset, { method: "POST" }).catch(() => null);
    return response?.ok ?? false;
  }
}

export const sandbox = new Server("The sandbox", { url: location.origin, rows: "/sandbox/sessions", reset: "/sandbox/reset" });
export const betterAuth = new Server("The Better Auth server", { rows: "/test/sessions", reset: "/test/reset" });

/** Learns where the servers are that run beside the sandbox: `cargo xtask start` puts that into a file beside this page. */
export async function findServers(): Promise<void> {
  const found: Record<string, unknown> = await fetch("/backends.json")
    .then((response) => (response.ok ? response.json() : {}))
    .catch(() => ({}));
  const url = found["better-auth"];
  betterAuth.url = typeof url === "string" ? url : null;
}
