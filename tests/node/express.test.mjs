// The server example of the documentation, as it stands, under both Express versions that are in use.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, beforeEach, test } from "node:test";
import cookieParser from "cookie-parser";
import { createAuthVital, G1, sandbox, SessionsError } from "./support.mjs";

const require = createRequire(import.meta.url);

function example(app) {
  const authvital = createAuthVital({ baseUrl: G1 });
  app.get('/api/sessions', async (req, res) => {
    const { sessions, count } = await authvital.sessions.list(req);
    res.json({ count, devices: sessions.map(({ id, userAgent, ipAddress, createdAt, expiresAt }) => ({ id, userAgent, ipAddress, createdAt, expiresAt })) });
  });
  app.post('/api/sessions/:id/revoke', async (req, res) => res.json(await authvital.sessions.revoke(req, req.params.id)));
  app.post('/api/logout-all', async (req, res) => { const r = await authvital.sessions.revokeAll(req); res.json({ message: `Logged out of ${r.count} devices` }); });
  app.post('/api/logout', async (req, res) => {
    await authvital.sessions.logout(req.cookies.refresh_token);
    res.clearCookie('refresh_token').json({ message: 'Logged out' });
  });
}

for (const name of ["express", "express4"]) {
  const { version } = require(`${name}/package.json`);
  let server, user;

  before(async () => {
    const express = (await import(name)).default;
    const app = express();
    app.use(cookieParser());
    example(app);
    app.use((error, req, res, next) => res.status(error.status ?? 500).json({ code: error.code }));
    server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  after(() => server.close().closeAllConnections());

  const call = async (method, path, headers = { authorization: `Bearer ${user.access}`, cookie: "theme=dark" }) => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { method, headers });
    return { status: response.status, body: await response.json(), cookies: response.headers.getSetCookie() };
  };

  const under = (what, run) =>
    test(`Express ${version}: ${what}`, async () => {
      await sandbox.reset();
      user = await sandbox.signIn();
      await sandbox.forget();
      await run();
    });

  under("lists", async () => {
    const { body } = await call("GET", "/api/sessions");
    assert.equal(body.count, 8);
    assert.deepEqual(Object.keys(body.devices[0]), ["id", "userAgent", "ipAddress", "createdAt", "expiresAt"]);
    const [request] = await sandbox.requests();
    assert.deepEqual([request.cookie, request.authorization], [false, true]);
  });

  under("revokes", async () => {
    const other = await sandbox.signIn();
    const { body } = await call("POST", `/api/sessions/${other.id}/revoke`);
    assert.deepEqual([body.id, body.success, body.outcome], [other.id, true, "revoked"]);
    assert.equal((await sandbox.row(other.id)).ended_by, "revoked");
    assert.equal((await call("POST", `/api/sessions/${other.id}/revoke`)).body.success, false);
  });

  under("logs out everywhere", async () => {
    assert.deepEqual((await call("POST", "/api/logout-all")).body, { message: "Logged out of 8 devices" });
    assert.deepEqual(await sandbox.active(), []);
  });

  under("logs out", async () => {
    const { cookies } = await call("POST", "/api/logout", { cookie: `refresh_token=${user.refresh}` });
    assert.match(cookies[0], /^refresh_token=;/);
    assert.equal((await sandbox.row(user.id)).ended_by, "logout");
    assert.equal((await sandbox.requests())[0].cookie, false, "the token goes in the body");
    assert.equal((await call("POST", "/api/logout", {})).status, 200, "also without a cookie");
    assert.equal((await call("GET", "/api/sessions")).body.count, 7, "others are still served");
  });

  // Express 4 does not catch what async handlers reject with; an application of it has to do that by itself.
  if (name === "express") {
    under("errors reach the error handler with their code", async () => {
      assert.deepEqual((await call("GET", "/api/sessions", {})).body, { code: "unauthenticated" });
      assert.deepEqual(await sandbox.lines(), []);
      const oskar = await sandbox.signIn("other@example.com");
      assert.deepEqual((await call("POST", `/api/sessions/${oskar.id}/revoke`)).body, { code: "forbidden" });
      const path = encodeURIComponent("../logout-all?x=");
      assert.deepEqual((await call("POST", `/api/sessions/${path}/revoke`)).body, { code: "not_found" });
      assert.equal((await sandbox.active()).length, 8, "an id from the path stays an id");
    });
  }
}

test("README's error handler answers no failure with a success", () => {
  const [source] = readFileSync(new URL("../../README.md", import.meta.url), "utf8").match(/^app\.use\(\(error[^]*?^\}\);/m);
  let handle;
  new Function("app", "SessionsError", source)({ use: (given) => (handle = given) }, SessionsError);
  const answered = (code, status) => {
    const res = { status: (number) => ((res.number = number), res), json: (body) => (res.body = body) };
    handle(new SessionsError({ code, status, message: "no" }), null, res, assert.fail);
    assert.equal(res.body.code, code);
    return res.number;
  };
  for (const [code, status, expected] of [
    ["rejected", 200, 502], ["invalid_response", 204, 502], ["invalid_response", 302, 502], ["network", null, 502], ["forbidden", 401, 403], ["unauthenticated", null, 401], ["not_found", 404, 404], ["server_error", 503, 503],
  ]) {
    assert.equal(answered(code, status), expected, `${code} ${status}`);
  }
});
