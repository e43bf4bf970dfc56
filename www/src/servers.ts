/** Routes for a demo: every session in the store, and a fresh start. */
interface StoreRoutes {
  rows: string;
  reset: string;
}

/** What runs behind this page. */
export class Server {
  /** Undefined: not known yet. Null: it isn't running. */
  url: string | null | undefined;
  /** Where the sessions are: here, or behind it. */
  readonly store: Server;
  readonly #routes: StoreRoutes | null;

  constructor(
    readonly name: string,
    behind: StoreRoutes | Server,
  ) {
    this.store = behind instanceof Server ? behind : this;
    this.#routes = behind instanceof Server ? null : behind;
  }

  get rowsUrl(): string | null {
    return this.#routes && this.url + this.#routes.rows;
  }

  /** Puts users, devices and sessions back as they were seeded. */
  async reset(): Promise<boolean> {
    const response = this.#routes && (await fetch(this.url + this.#routes.reset, { method: "POST" }).catch(() => null));
    return response?.ok ?? false;
  }
}

/** Several back-ends over one store. */
export const sandbox = new Server("The sandbox", { rows: "/sandbox/sessions", reset: "/sandbox/reset" });
export const betterAuth = new Server("The Better Auth server", { rows: "/test/sessions", reset: "/test/reset" });
/** The Worker of `www/edge`, which serves this page too: it calls what can't be called from here. */
export const handler = new Server("The handler", sandbox);

/** Learns where they are: `cargo xtask start` puts that into a file beside this page. */
export async function findServers(): Promise<void> {
  const found: Record<string, unknown> = await fetch("/backends.json", { cache: "no-store" })
    .then((response) => (response.ok ? response.json() : {}))
    .catch(() => ({}));
  const locate = (name: string): URL | null => {
    const url = found[name];
    return typeof url === "string" ? new URL(url, location.origin) : null;
  };
  const store = locate("sandbox");
  // Another name would be another site, to which no cookie goes.
  if (store?.hostname === "127.0.0.1" && location.hostname === "localhost") store.hostname = "localhost";
  sandbox.url = store?.origin ?? null;
  betterAuth.url = locate("better-auth")?.origin ?? null;
  handler.url = locate("handler")?.origin ?? null;
}
