// What the package says it is made of: sbom.cdx.json, by the schema of CycloneDX 1.6 and by what is really there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { before, test } from "node:test";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { checksums, sbom } from "../../xtask/sbom.mjs";
import { installed } from "./support.mjs";

const text = readFileSync(path.join(installed, "sbom.cdx.json"), "utf8");
const manifest = JSON.parse(readFileSync(path.join(installed, "package.json"), "utf8"));
const lock = readFileSync(path.join(import.meta.dirname, "../../Cargo.lock"), "utf8");
const bom = JSON.parse(text);
const inside = bom.components.filter(({ scope }) => scope === "required");
let valid;

before(() => {
  const folder = path.join(path.dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json")), "res/schema");
  const read = (name) => JSON.parse(readFileSync(path.join(folder, name), "utf8"));
  // Under the names by which they refer to each other.
  const schemas = Object.fromEntries(["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"].map((name) => [`http://cyclonedx.org/schema/${name}`, read(name)]));
  // Two formats that ajv hasn't; the bill has no value of either.
  const ajv = new Ajv({ strict: false, formats: { "iri-reference": true, "idn-email": true }, schemas });
  addFormats(ajv);
  const validate = ajv.compile(read("bom-1.6.SNAPSHOT.schema.json"));
  valid = (bom) => validate(bom) || validate.errors.map(({ instancePath, message }) => `${instancePath} ${message}`).join("; ");
});

test("it is CycloneDX 1.6", () => {
  assert.equal(bom.specVersion, "1.6");
  assert.equal(valid(bom), true);
  for (const wrong of [{ serialNumber: "1" }, { components: [{ name: "x" }] }, { metadata: { timestamp: "yesterday" } }, { made: "up" }]) {
    assert.notEqual(valid({ ...bom, ...wrong }), true, `the schema has to refuse ${JSON.stringify(wrong)}`);
  }
});

test("it is this package's", () => {
  const { name, version, purl, licenses } = bom.metadata.component;
  assert.deepEqual([name, version, purl, licenses], ["auth-sessions", manifest.version, `pkg:npm/auth-sessions@${manifest.version}`, [{ expression: manifest.license }]]);
});

test("it has what is compiled into the wasm, and says what only made it", () => {
  const names = inside.map(({ name }) => name);
  for (const name of ["rust-std", "wasm-bindgen", "hashbrown"]) assert.ok(names.includes(name), name);
  // The macros ran on the machine that built it.
  assert.equal(bom.components.find(({ name }) => name === "syn").scope, "excluded");
  // The client for Rust, tests and the sandbox are no part of it.
  for (const name of ["js-sys", "web-sys", "serde", "gloo-net", "wasm-bindgen-test", "axum"]) assert.ok(!bom.components.some((component) => component.name === name), name);
  const tools = bom.formulation[0].components.map(({ name }) => name).sort();
  assert.deepEqual(tools, ["binaryen", "esbuild", "rustc", "wasm-bindgen-cli", "wasm-pack"]);
});

test("each has a version, a licence and a place it comes from; crates have the hash of Cargo.lock", () => {
  const locked = checksums(lock);
  for (const { name, version, licenses, purl, hashes } of bom.components) {
    assert.match(version, /^\d+\.\d+\.\d+/, name);
    assert.match(licenses[0].expression, /^[\w.() -]+$/, name);
    if (name === "rust-std") continue;
    assert.equal(purl, `pkg:cargo/${name}@${version}`);
    assert.match(hashes[0].content, /^[0-9a-f]{64}$/, name);
    // Those of the standard library are in a lock file of its own.
    if (locked.has(`${name}@${version}`)) assert.equal(hashes[0].content, locked.get(`${name}@${version}`), name);
  }
  assert.ok(locked.has(`wasm-bindgen@${inside.find(({ name }) => name === "wasm-bindgen").version}`));
});

test("who needs whom: everything inside is reached from the package", () => {
  const needs = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  assert.equal(new Set(bom.components.map((component) => component["bom-ref"])).size, bom.components.length);
  const reached = new Set([bom.metadata.component["bom-ref"]]);
  for (const ref of reached) for (const next of needs.get(ref) ?? assert.fail(ref)) reached.add(next);
  for (const component of bom.components) assert.ok(reached.has(component["bom-ref"]), component.name);
});

test("made again it is the same, to the byte", () => {
  assert.equal(sbom(manifest), text);
  assert.doesNotMatch(text, /"timestamp"/);
});
