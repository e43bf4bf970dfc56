// The software bill of materials of the package, as CycloneDX 1.6: `package.mjs` puts it into pkg/ as sbom.cdx.json. To look at it: `node xtask/sbom.mjs`.
//
// What is in the package besides this project's own files is the Rust that is compiled into both .wasm files. cargo itself says what that is: its unit graph lists each crate
// of the build, for wasm or for this machine (macros), the standard library's own included, which is built for the package, too. It is what the compiler is given;
// most of the standard library is then left out by the linker.
//
// The same sources give the same bytes: no time, and a serial number that is made of the contents.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The build of package.rs, with every feature that the package has. */
const BUILD = ["build", "--locked", "--lib", "--release", "--target", "wasm32-unknown-unknown", "--features", "edge", "-Zbuild-std=std,panic_abort"];
const CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index#";

const read = (...file) => readFileSync(join(root, ...file), "utf8");
const run = (program, ...args) => execFileSync(program, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26, env: { ...process.env, RUSTC_BOOTSTRAP: "1" } }).trim();
const purl = (type, name, version) => `pkg:${type}/${name.replace("@", "%40")}@${encodeURIComponent(version)}`;
const byRef = (a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1);

/** The checksums of a Cargo.lock, by `name@version`. */
export function checksums(lock) {
  const found = lock.matchAll(/^name = "([^"]+)"\nversion = "([^"]+)"\nsource = "[^"]+"\nchecksum = "([0-9a-f]{64})"$/gm);
  return new Map(Array.from(found, ([, name, version, checksum]) => [`${name}@${version}`, checksum]));
}

/** The version of a crate of this project's Cargo.lock. */
function locked(name) {
  return read("Cargo.lock").match(new RegExp(`^name = "${name}"\\nversion = "([^"]+)"$`, "m"))?.[1] ?? fail(`Cargo.lock has no ${name}`);
}

function fail(message) {
  throw new Error(`sbom.mjs: ${message}`);
}

/** The licence in the Cargo.toml above a source file, as an SPDX expression; older ones have a slash for OR. */
function license(source) {
  let folder = dirname(source);
  while (!existsSync(join(folder, "Cargo.toml")) && folder !== dirname(folder)) folder = dirname(folder);
  const expression = readFileSync(join(folder, "Cargo.toml"), "utf8").match(/^license = "([^"]+)"$/m)?.[1];
  return [{ expression: expression?.replaceAll(/ ?\/ ?/g, " OR ") ?? fail(`no licence in ${folder}`) }];
}

function tool(type, name, version, more) {
  const ref = purl(type, name, version);
  return { type: "application", "bom-ref": `build:${ref}`, name, version, ...more, purl: ref };
}

/** One of xtask/package.json. */
function npmTool(name) {
  const { version, integrity, license } = JSON.parse(read("xtask/package-lock.json")).packages[`node_modules/${name}`];
  return tool("npm", name, version, { hashes: [{ alg: "SHA-512", content: Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex") }], licenses: [{ expression: license }] });
}

/** The bill for the package with this package.json, as text. */
export function sbom({ name, version, description, license: own }) {
  const rust = run("rustc", "--version").split(" ")[1];
  const library = join(run("rustc", "--print", "sysroot"), "lib/rustlib/src/rust/library");
  const graph = JSON.parse(run("cargo", ...BUILD, "--unit-graph", "-Zunstable-options"));
  // A crate of both is of the same bytes in both.
  const sums = new Map([...checksums(readFileSync(join(library, "Cargo.lock"), "utf8")), ...checksums(read("Cargo.lock"))]);

  const self = purl("npm", name, version);
  const std = {
    type: "library",
    "bom-ref": `pkg:github/rust-lang/rust@${rust}`,
    name: "rust-std",
    version: rust,
    description: "The Rust standard library, built from the source that comes with the compiler.",
    scope: "required",
    licenses: [{ expression: "MIT OR Apache-2.0" }],
    cpe: `cpe:2.3:a:rust-lang:rust:${rust}:*:*:*:*:*:*:*`,
    purl: `pkg:github/rust-lang/rust@${rust}`,
  };
  const components = new Map([[std["bom-ref"], std]]);
  const dependencies = new Map([[self, new Set([std["bom-ref"]])], [std["bom-ref"], new Set()]]);

  const refOf = ({ pkg_id, is_std }) => {
    if (pkg_id.startsWith(CRATES_IO)) return purl("cargo", ...pkg_id.slice(CRATES_IO.length).split("@"));
    if (is_std) return std["bom-ref"];
    return graph.roots.some((index) => graph.units[index].pkg_id === pkg_id) ? self : fail(`${pkg_id} comes from neither crates.io nor the Rust compiler`);
  };
  for (const unit of graph.units) {
    const ref = refOf(unit);
    if (unit.pkg_id.startsWith(CRATES_IO)) {
      const [crate, version] = unit.pkg_id.slice(CRATES_IO.length).split("@");
      // For wasm, and no build script: it is linked. What else there is (macros and their crates) has only run on the machine of the build.
      const linked = unit.platform !== null && unit.mode === "build";
      const scope = linked || components.get(ref)?.scope === "required" ? "required" : "excluded";
      const content = sums.get(`${crate}@${version}`) ?? fail(`no checksum of ${crate} ${version}`);
      components.set(ref, { type: "library", "bom-ref": ref, name: crate, version, scope, hashes: [{ alg: "SHA-256", content }], licenses: license(unit.target.src_path), purl: ref });
    }
    if (!dependencies.has(ref)) dependencies.set(ref, new Set());
    for (const { index } of unit.dependencies) {
      const on = refOf(graph.units[index]);
      // Everything is on the standard library, even its own crates.
      if (on !== ref && on !== std["bom-ref"]) dependencies.get(ref).add(on);
    }
  }

  const wasmPack = read("xtask/src/tools.rs").match(/^const WASM_PACK: &str = "([^"]+)";$/m)?.[1] ?? fail("xtask/src/tools.rs has no WASM_PACK");
  const tools = [
    { type: "application", "bom-ref": "build:rustc", name: "rustc", version: rust, licenses: [{ expression: "MIT OR Apache-2.0" }], cpe: std.cpe },
    tool("cargo", "wasm-bindgen-cli", locked("wasm-bindgen"), { licenses: [{ expression: "MIT OR Apache-2.0" }] }),
    tool("cargo", "wasm-pack", wasmPack, { licenses: [{ expression: "MIT OR Apache-2.0" }] }),
    npmTool("binaryen"),
    npmTool("esbuild"),
  ];

  const bom = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      lifecycles: [{ phase: "build" }],
      // By the standard these are what made the bill; what made the package is in `formulation`.
      tools: { components: [{ type: "application", name: "cargo", version: run("cargo", "--version").split(" ")[1], description: "its unit graph, read by xtask/sbom.mjs" }] },
      component: { type: "library", "bom-ref": self, name, version, description, licenses: [{ expression: own }], purl: self },
    },
    components: [...components.values()].sort(byRef),
    dependencies: [...dependencies].map(([ref, on]) => ({ ref, dependsOn: [...on].sort() })).sort((a, b) => (a.ref < b.ref ? -1 : 1)),
    formulation: [{ "bom-ref": "build", components: tools.sort(byRef) }],
  };
  return `${JSON.stringify(numbered(bom), null, 2)}\n`;
}

/** With a serial number (a UUID of version 8, whose bits are one's own) that is that of these contents. */
function numbered({ $schema, bomFormat, specVersion, ...rest }) {
  const bytes = createHash("sha256").update(JSON.stringify(rest)).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const uuid = bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return { $schema, bomFormat, specVersion, serialNumber: `urn:uuid:${uuid}`, ...rest };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const version = read("Cargo.toml").match(/^\[workspace\.package\]\nversion = "([^"]+)"/m)[1];
  process.stdout.write(sbom({ ...JSON.parse(read("src/npm/package.json")), version }));
}
