//! Makes `pkg/`: cargo and wasm-bindgen through wasm-pack, wasm-opt, then the JavaScript around it.

use crate::process::{self, Group, command, output, root, run, target, which};
use anyhow::{Context, Result, bail};
use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

/// What wasm-pack says when it runs wasm-opt. When it can't find it, it says nothing much and ships unoptimised wasm.
const OPTIMIZING: &str = "Optimizing wasm binaries with `wasm-opt`";

/// What it says besides that would only mislead: that folder is not the package yet, and it can't ask for updates here.
const BESIDE_THE_POINT: &[&str] = &["Your wasm pkg is ready", "failed to get wasm-pack version"];

/// What makes panics in the standard library too a plain trap, without texts and without code to format them: 10 % of the wasm. Not stable yet, so the
/// compiler has to be told that this is meant; it is the same compiler as everywhere else. The tests run on the ordinary build.
///
/// Functions return two words as two results (the tool conventions' multi-value ABI), and not through memory: that is 3 % of the wasm, and what makes `Text` pay. It holds for what
/// the linker compiles; the compiler's own helpers come compiled, without it, so none that is called may return two words (`__multi3`, for checked multiplications of 64 bits, does). That is a warning of the linker's, and so an error.
///
/// And the linker does the LTO: rustc's own leaves out the allocator's functions, so that it can't see that this package's does nothing to free memory
/// (`src/js/arena.rs`). That is another 10 %.
///
/// Its stack of 1 MiB would stand before the data, and make every address a byte longer and the memory 17 pages. The deepest JSON that is read takes 16 KiB (`tests/node/stack.test.mjs`); running out of it is a trap.
const LEAN: &[&str] = &[
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
    "-Zfmt-debug=none",
    "-Clinker-plugin-lto",
    "-Clink-arg=--lto-O3",
    "-Clink-arg=-mllvm",
    "-Clink-arg=-target-abi=experimental-mv",
    "-Clink-arg=--fatal-warnings",
    "-Clink-arg=-zstack-size=65536",
];

/// What rustc's wasm uses; the same as in Cargo.toml, for wasm-pack's own wasm-opt.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds the crate for the web, without and with the handler for the edge, and assembles `pkg/` from both.
pub fn build() -> Result<()> {
    if which("wasm-opt").is_none() {
        bail!("wasm-opt is missing: `npm ci` in xtask/ brings it");
    }
    // Unpacks the crates, so that their folder is known before they are compiled.
    run(command("cargo").args(["fetch", "--quiet", "--target", "wasm32-unknown-unknown"])).context("could not get the crates")?;
    let out = target().join("wasm");
    for (folder, features) in [("pkg", &[][..]), ("edge", &["--features", "edge"])] {
        wasm(&out.join(folder), features)?;
    }
    run(command("node").arg("xtask/package.mjs").arg(&out))
}

/// A build that traps where the tests ask for it, and reads sessions itself: the file.
pub fn trapping() -> Result<PathBuf> {
    wasm(&target().join("test/trap"), &["--features", "trap,read"])
}

/// One build by wasm-pack: the file.
fn wasm(out: &Path, features: &[&str]) -> Result<PathBuf> {
    let _ = fs::remove_dir_all(out);
    let mut wasm_pack = command("wasm-pack");
    wasm_pack
        .args(["build", ".", "--release", "--target", "web", "--mode", "no-install"])
        .args(["--no-pack", "--no-typescript", "--no-gitignore", "--out-name", "auth_sessions", "--out-dir"])
        .arg(out)
        .args(["--", "-Zbuild-std=std,panic_abort"])
        .args(features)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags())
        .stderr(Stdio::piped());
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        wasm_pack.env("CARGO_TERM_COLOR", "always");
    }
    if !run_watching(&mut wasm_pack, OPTIMIZING)? {
        bail!("wasm-pack did not run wasm-opt; is `wasm-opt` switched off in [package.metadata.wasm-pack] of Cargo.toml?");
    }
    let wasm = out.join("auth_sessions_bg.wasm");
    trim(&wasm)?;
    Ok(wasm)
}

/// What wasm-bindgen's glue would need and `src/npm/wasm.js` does not, goes: half a percent, and all imports.
fn trim(wasm: &Path) -> Result<()> {
    run(command("wasm-metadce").args(FEATURES).arg("--graph-file=xtask/exports.json").arg(wasm).arg("-o").arg(wasm).stdout(Stdio::null()))?;
    run(command("wasm-opt")
        .args(FEATURES)
        .args(["-Oz", "--always-inline-max-function-size=2", "--one-caller-inline-max-function-size=300", "--converge", "--strip-target-features"])
        .arg(wasm)
        .arg("-o")
        .arg(wasm))
}

/// Prints the sizes of what `pkg/` makes a browser download; with `enforce`, an error when that is over the budget.
pub fn sizes(enforce: bool) -> Result<()> {
    run(command("node").arg("xtask/size.mjs").args(enforce.then_some("--enforce")))
}

/// Packs `pkg/` as it would be published and returns the tarball.
pub fn tarball() -> Result<PathBuf> {
    let dir = target().join("package");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir)?;
    process::run_quiet("tarball", command("wasm-pack").args(["pack", "pkg"]))?;
    // It leaves it where it would be packed itself the next time.
    let is_tarball = |path: &PathBuf| path.extension().is_some_and(|end| end == "tgz");
    let files = fs::read_dir(root().join("pkg"))?.collect::<Result<Vec<_>, _>>()?;
    let packed = files.into_iter().map(|file| file.path()).find(is_tarball).context("`wasm-pack pack` left no tarball in pkg/")?;
    let tarball = dir.join(packed.file_name().unwrap_or_default());
    fs::rename(&packed, &tarball)?;
    Ok(tarball)
}

/// Runs `command`, passing its standard error on, and says whether `needle` was in it.
fn run_watching(command: &mut std::process::Command, needle: &str) -> Result<bool> {
    let mut group = Group::spawn(command)?;
    let mut found = false;
    if let Some(stderr) = group.child().stderr.take() {
        for line in BufReader::new(stderr).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            found |= line.contains(needle);
            if !BESIDE_THE_POINT.iter().any(|words| line.contains(words)) {
                eprintln!("{line}");
            }
        }
    }
    let status = group.wait_forever()?;
    if !status.success() {
        bail!("wasm-pack failed; the reason stands above");
    }
    Ok(found)
}

/// The caller's own flags, and: no path of this machine in the binary (panic messages name source files). That makes the
/// size the same on every machine, too.
fn rustflags() -> OsString {
    let mut flags: Vec<String> = match (env::var("CARGO_ENCODED_RUSTFLAGS"), env::var("RUSTFLAGS")) {
        (Ok(flags), _) => flags.split('\x1f').filter(|flag| !flag.is_empty()).map(str::to_owned).collect(),
        (_, Ok(flags)) => flags.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let mut hide = |path: PathBuf, name: &str| flags.push(format!("--remap-path-prefix={}={name}", path.display()));
    // rustc takes the last prefix that fits, so the general ones come first.
    hide(root().to_owned(), ".");
    if let Some(sysroot) = output(command("rustc").args(["--print", "sysroot"])) {
        hide(PathBuf::from(sysroot).join("lib/rustlib/src/rust"), "rust");
    }
    for registry in fs::read_dir(cargo_home().join("registry/src")).into_iter().flatten().flatten() {
        hide(registry.path(), "crates");
    }
    flags.extend(LEAN.iter().map(|flag| (*flag).to_owned()));
    flags.join("\x1f").into()
}

fn cargo_home() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}
