// tsc --strict over this folder, as each kind of project resolves the package. The contract lies beside the project; where it does not, that check is skipped.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

const here = import.meta.dirname;
const root = path.resolve(here, "../..");
const contract = path.resolve(root, "../shared/api.d.ts");
const tsc = path.resolve(here, "../node_modules/typescript/bin/tsc");

let failed = false;
const fail = (message) => {
  console.error(`FAILED ${message}`);
  failed = true;
};

if (!existsSync(path.join(root, "pkg/index.d.ts"))) {
  console.error("pkg/ is missing: `cargo xtask build` makes it");
  process.exit(1);
}

// The package under its name, as the tests' own dependency.
const link = path.resolve(here, "../node_modules/auth-sessions");
if (!existsSync(link) || realpathSync(link) !== realpathSync(path.join(root, "pkg"))) {
  rmSync(link, { recursive: true, force: true });
  symlinkSync(path.join(root, "pkg"), link, "dir");
}

const files = [path.join(here, "usage.ts")];
if (existsSync(contract)) {
  files.push(path.join(here, "contract.ts"));
  const compared = readFileSync(path.join(here, "contract.ts"), "utf8");
  for (const [, name] of readFileSync(contract, "utf8").matchAll(/^export (?:declare )?(?:abstract )?(?:function|class|interface|type|const) (\w+)/gm)) {
    if (!new RegExp(`\\b(own|edge|monitoring)\\.${name}\\b`).test(compared)) fail(`contract: ${name} is not compared in contract.ts`);
  }
} else {
  console.log("SKIPPED contract: ../shared/api.d.ts is not there; the package's types are compared with nothing");
}

const scratch = path.join(root, "target/test/types");
mkdirSync(scratch, { recursive: true });
for (const [moduleResolution, module] of [["bundler", "esnext"], ["node16", "node16"], ["nodenext", "nodenext"]]) {
  const config = path.join(scratch, `tsconfig.${moduleResolution}.json`);
  const compilerOptions = {
    strict: true, noEmit: true, exactOptionalPropertyTypes: false, noUncheckedIndexedAccess: true, noPropertyAccessFromIndexSignature: true,
    skipLibCheck: false, allowImportingTsExtensions: true, target: "es2022", lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
    types: ["node"], typeRoots: [path.resolve(here, "../node_modules/@types")], module, moduleResolution,
  };
  writeFileSync(config, JSON.stringify({ compilerOptions, files }));
  const { status } = spawnSync(process.execPath, [tsc, "--project", config, "--pretty", "false"], { stdio: "inherit", cwd: root });
  if (status === 0) console.log(`passed  ${moduleResolution}: ${files.map((file) => path.basename(file)).join(", ")}`);
  else fail(moduleResolution);
}
process.exit(failed ? 1 : 0);
