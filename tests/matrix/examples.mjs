// Rows of the handler's examples for other runtimes, www/edge, as they stand there: against the sandbox's KSeF.
import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import path from "node:path";
import { binary, folderOf, freePorts, here, link, serve, withMore } from "./support.mjs";

const EXAMPLES = {
  "node.mjs": (file) => [process.execPath, [file]],
  "deno.ts": (file) => [binary("deno", "deno"), ["run", "--no-remote", "--no-prompt", "--allow-net", "--allow-env", file]],
  "bun.ts": (file) => [binary("bun", "bin/bun"), ["--no-install", file]],
};

async function check(sandbox, url) {
  const { access, refresh, id } = await sandbox.signInOn("ksef");
  const cookie = `__Host-ksef_access=${access}; __Host-ksef_refresh=${refresh}`;
  const ask = (method, route) => fetch(url + route, { method, headers: { cookie, origin: url }, signal: AbortSignal.timeout(20_000) });
  const list = await ask("GET", "/ksef/api/sessions");
  const { sessions } = await list.json();
  assert.deepEqual([list.status, sessions.find(({ current }) => current)?.id], [200, id]);
  const logout = await ask("POST", "/ksef/api/logout");
  assert.deepEqual([logout.status, (await logout.json()).server, logout.headers.getSetCookie().length], [200, "confirmed", 2]);
  assert.equal((await sandbox.rows()).find(({ ids }) => ids.ksef === id).ended_by, "logout");
  assert.equal((await ask("GET", "/elsewhere")).status, 404);
}

export const exampleRows = Object.entries(EXAMPLES).map(([file, command], index) => ({
  name: `www/edge/${file}`,
  cells: {
    async edge({ sandbox }) {
      const folder = await folderOf(`examples/${file}`, []);
      await link("@hono/node-server", "hono");
      await copyFile(path.join(here, "../../www/edge", file), path.join(folder, file));
      const [port] = await freePorts(1, 4900 + 10 * index);
      const server = await serve(...command(file), { cwd: folder, env: { PORT: port, KSEF_API_URL: `${sandbox.url}/ksef/v2` } });
      try {
        await check(sandbox, server.url.replace(/\/$/, ""));
      } catch (error) {
        throw withMore(error, server.output());
      } finally {
        server.stop();
      }
    },
  },
}));
