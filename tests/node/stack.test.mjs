// The wasm's stack has 64 KiB (`xtask/src/package.rs`). The deepest that is read, in answers and in what is told to the wasm side, leaves half of it as it was.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { createSessions, installed } from "./support.mjs";

const STACK = 64 * 1024;

const instances = [];
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args) {
    instances.push(Reflect.construct(target, args));
    return instances.at(-1);
  },
});

/** It grows downwards, from memory that is all zeros. */
function assertRoom() {
  assert.ok(instances.length > 0);
  for (const { exports } of instances) {
    const lowest = new Uint8Array(exports.memory.buffer).findIndex((byte) => byte !== 0);
    assert.ok(lowest < STACK, `no stack of ${STACK} bytes at the beginning of the memory: the first that was written is ${lowest}`);
    assert.ok(lowest >= STACK / 2, `${STACK - lowest} bytes of the stack were used`);
  }
}

const nested = (depth, open, close, value = "1") => open.repeat(depth) + value + close.repeat(depth);

test("answers as deep as they are read, and deeper", async () => {
  const codes = new Set();
  for (const provider of ["authvital", "clerk", "better-auth", "rest"]) {
    for (const depth of [60, 61, 62, 63, 64, 65, 1000]) {
      for (const [open, close] of [["[", "]"], ['{"data":', "}"], ['{"sessions":', "}"], ['{"error":', "}"]]) {
        const value = nested(depth, open, close);
        for (const body of [value, `{"sessions":[{"id":"a","more":${value}}]}`, `[{"id":"a","more":${value}}]`, nested(depth, open, close, '[{"id":"a"}]')]) {
          for (const status of [200, 400]) {
            const sessions = createSessions({ provider, baseUrl: "https://auth.example", clientId: "web", token: "t", refreshToken: "r", fetch: async () => new Response(body, { status }) });
            for (const call of [() => sessions.list(), () => sessions.revokeAll(), () => sessions.refresh(), () => sessions.logout()]) {
              const { code, error } = await call().catch((thrown) => thrown);
              codes.add(code ?? error?.code ?? "done");
            }
          }
        }
      }
    }
  }
  assert.ok(codes.has("done") && codes.has("invalid_response") && !codes.has("internal"), [...codes].join());
  assertRoom();
});

test("a profile's bodies as deep as they are read, and deeper", async () => {
  for (const depth of [120, 125, 126, 127, 128, 130, 1000]) {
    for (const [open, close] of [["[", "]"], ['{"a":', "}"]]) {
      const provider = { list: { method: "GET", path: "/s" }, revoke: { method: "POST", path: "/revoke", body: JSON.parse(nested(depth, open, close, '"{id}"')) } };
      const sessions = createSessions({ provider, baseUrl: "https://auth.example", token: "t", fetch: async () => new Response(null, { status: 204 }) });
      const { code } = await sessions.revoke("a").catch((thrown) => thrown);
      assert.equal(code, depth > 125 ? "invalid_options" : undefined, `${depth} ${open}`);
    }
  }
  assertRoom();
});

test("a call as deep as it is read, and deeper", async () => {
  const module = await WebAssembly.compile(readFileSync(path.join(installed, "auth_sessions.wasm")));
  for (const depth of [126, 127, 128, 129, 10_000]) {
    for (const [open, close] of [["[", "]"], ['{"a":', "}"]]) {
      const { memory, __wbindgen_malloc, step } = new WebAssembly.Instance(module).exports;
      const put = (text) => {
        const bytes = Buffer.from(text);
        const at = __wbindgen_malloc(bytes.length, 1);
        new Uint8Array(memory.buffer).set(bytes, at);
        return [at, bytes.length];
      };
      const [at, size] = step(...put(`{"event":"start","goal":"list","keep":${nested(depth, open, close)}}`), ...put(""));
      assert.equal(JSON.parse(Buffer.from(memory.buffer, at, size)).error.code, "invalid_options");
      assertRoom();
    }
  }
});
