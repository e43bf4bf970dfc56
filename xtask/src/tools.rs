//! The tools that the verbs need: which are there, and how the others are installed. Everything is pinned: the Rust tools
//! here and in Cargo.lock, the npm ones in the lock files.

use crate::process::{self, command, hint, output, root, run_quiet, which};
use anyhow::{Context, Result, anyhow, bail};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::OnceLock,
    thread,
    time::Instant,
};

const WASM_PACK: &str = "0.15.1";
const CARGO_DENY: &str = "0.20.2";
const WASM_TARGET: &str = "wasm32-unknown-unknown";
const OLDEST_NODE: u32 = 20;

/// Something that has to be there before a verb or a test step can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// rustfmt and clippy.
    Lints,
    /// The standard library for wasm: ready for tests, and as source for the package (see `package.rs`).
    WasmTarget,
    /// wasm-bindgen and wasm-pack.
    WasmTools,
    /// cargo-deny.
    Deny,
    /// esbuild and wasm-opt, from `xtask/package.json`.
    Packager,
    /// What the tests in Node use, from `tests/package.json`.
    TestModules,
    /// What runs the Worker of the page, from `www/edge/package.json`.
    WorkerModules,
    /// Runtimes and bundlers, from `tests/matrix/package.json`.
    Matrix,
    /// The clients that the package is measured beside, from `tests/bench/package.json`.
    Peers,
    /// Chromium and its driver.
    Chromium,
    /// Firefox.
    Firefox,
}

impl Need {
    const ALL: [Self; 11] = [
        Self::Lints,
        Self::WasmTarget,
        Self::WasmTools,
        Self::Deny,
        Self::Packager,
        Self::TestModules,
        Self::WorkerModules,
        Self::Matrix,
        Self::Peers,
        Self::Chromium,
        Self::Firefox,
    ];

    fn title(self) -> String {
        match self {
            Self::Lints => "rustfmt and clippy".into(),
            Self::WasmTarget => format!("Rust target {WASM_TARGET} and the standard library's source"),
            Self::WasmTools => {
                let bindgen = bindgen_version().unwrap_or_else(|_| "?".into());
                format!("wasm-bindgen {bindgen}, wasm-pack {WASM_PACK}")
            }
            Self::Deny => format!("cargo-deny {CARGO_DENY}"),
            Self::Packager => format!("esbuild and wasm-opt (npm, Node {OLDEST_NODE}+)"),
            Self::TestModules => "test modules (npm)".into(),
            Self::WorkerModules => "workerd, for the page's handler (npm)".into(),
            Self::Matrix => "workerd, Deno, Bun, Next, bundlers (npm)".into(),
            Self::Peers => "other clients, to compare with (npm)".into(),
            Self::Chromium => "Chromium and chromedriver".into(),
            Self::Firefox => "Firefox".into(),
        }
    }

    /// What it is busy with while it waits: needs on different lanes are installed at the same time.
    fn lane(self) -> Lane {
        match self {
            Self::Lints | Self::WasmTarget | Self::WasmTools | Self::Deny => Lane::Rust,
            Self::Packager | Self::TestModules | Self::WorkerModules | Self::Matrix | Self::Peers => Lane::Npm,
            Self::Chromium | Self::Firefox => Lane::Debian,
        }
    }

    fn is_there(self) -> bool {
        match self {
            Self::Lints => runs("cargo", &["fmt", "--version"]) && runs("cargo", &["clippy", "--version"]),
            Self::WasmTarget => has_wasm_target() && has_std_source(),
            Self::WasmTools => bindgen_version().is_ok_and(|bindgen| {
                has_version("wasm-bindgen", &bindgen) && has_version("wasm-bindgen-test-runner", &bindgen) && has_version("wasm-pack", WASM_PACK)
            }),
            Self::Deny => has_version("cargo-deny", CARGO_DENY),
            Self::Packager => check_node().is_ok() && npm_is_current("xtask"),
            Self::TestModules => check_node().is_ok() && npm_is_current("tests"),
            Self::WorkerModules => check_node().is_ok() && npm_is_current("www/edge"),
            Self::Matrix => check_node().is_ok() && npm_is_current("tests/matrix"),
            Self::Peers => check_node().is_ok() && npm_is_current("tests/bench"),
            Self::Chromium => chromium().is_some() && which("chromedriver").is_some(),
            Self::Firefox => firefox().is_some(),
        }
    }

    fn install(self) -> Result<()> {
        match self {
            Self::Lints => rustup(&["component", "add", "rustfmt", "clippy"]),
            Self::WasmTarget => rustup(&["target", "add", WASM_TARGET]).and_then(|()| rustup(&["component", "add", "rust-src"])),
            Self::WasmTools => install_wasm_tools(),
            Self::Deny => install_rust_tools(&[("cargo-deny", CARGO_DENY)]),
            Self::Packager => npm_ci("xtask"),
            Self::TestModules => npm_ci("tests"),
            Self::WorkerModules => npm_ci("www/edge"),
            Self::Matrix => npm_ci("tests/matrix"),
            Self::Peers => npm_ci("tests/bench"),
            Self::Chromium => install_debian(&["chromium", "chromium-driver"]),
            Self::Firefox => install_debian(&["firefox-esr"]),
        }
    }
}

#[derive(PartialEq)]
enum Lane {
    Rust,
    Npm,
    Debian,
}

/// What could not be had, and why.
pub type Missing = Vec<(Need, String)>;

/// Installs what is missing of `needs`, independent things at the same time.
pub fn ensure(needs: &[Need]) -> Missing {
    let start = Instant::now();
    let absent: Vec<Need> = Need::ALL.into_iter().filter(|need| needs.contains(need) && !need.is_there()).collect();
    if absent.is_empty() {
        println!("Tools: all there.");
        return Missing::new();
    }
    println!("Tools: installing what is missing (only the first time).");
    let absent = &absent;
    let lane = |lane: Lane| -> Missing {
        let mine = absent.iter().filter(|need| need.lane() == lane);
        mine.filter_map(|need| match need.install() {
            Ok(()) if need.is_there() => None,
            Ok(()) => Some((*need, format!("{} were installed, but can't be found afterwards", need.title()))),
            Err(error) => Some((*need, format!("{error:#}"))),
        })
        .collect()
    };
    let missing = thread::scope(|scope| {
        let others = [scope.spawn(|| lane(Lane::Npm)), scope.spawn(|| lane(Lane::Debian))];
        let mut missing = lane(Lane::Rust);
        for other in others {
            missing.extend(other.join().unwrap_or_default());
        }
        missing
    });
    println!("Tools: {} s.", start.elapsed().as_secs());
    missing
}

/// Like [`ensure`], with one error that names everything that could not be had.
pub fn require(needs: &[Need]) -> Result<()> {
    let missing = ensure(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let mut reasons: Vec<_> = missing.into_iter().map(|(_, reason)| reason).collect();
    reasons.dedup();
    bail!("{}", reasons.join("\n\n"))
}

/// Prints what is there and what a verb would install.
pub fn doctor() -> ExitCode {
    println!("cargo   {}", output(command("cargo").arg("--version")).unwrap_or_else(|| "missing".into()));
    match check_node() {
        Ok(version) => println!("node    {version}"),
        Err(error) => println!("node    {error:#}"),
    }
    println!("tools   {}", tools_dir().display());
    for need in Need::ALL {
        let state = if need.is_there() { "there  " } else { "missing" };
        println!("{state} {}", need.title());
    }
    ExitCode::SUCCESS
}

/// The `PATH` of every child: the project's own tools first, so that another version elsewhere can't get in the way.
pub fn path() -> OsString {
    static PATH: OnceLock<OsString> = OnceLock::new();
    PATH.get_or_init(|| {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let own = [root().join("xtask/node_modules/.bin"), tools_dir().join("bin")];
        let all = own.into_iter().chain(env::split_paths(&inherited));
        // Fails only when one of them has a `:` in it; then the inherited one has to do.
        env::join_paths(all).unwrap_or(inherited)
    })
    .clone()
}

/// Chromium, or Chrome.
pub fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(which)
}

/// Firefox, or its long-term version.
pub fn firefox() -> Option<PathBuf> {
    ["firefox-esr", "firefox"].into_iter().find_map(which)
}

/// `npm ci` in `dir`, unless what it installed last time came from the same lock file.
pub fn npm_ci(dir: &str) -> Result<()> {
    check_node()?;
    if npm_is_current(dir) {
        return Ok(());
    }
    let folder = root().join(dir);
    let lock =
        fs::read(folder.join("package-lock.json")).with_context(|| format!("{dir}/package-lock.json can't be read (made by `npm install` in {dir}/)"))?;
    // No install scripts: none of the modules needs one, and some try to download.
    let mut npm = command("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--install-links=false"]).current_dir(&folder);
    run_quiet(&format!("npm modules of {dir}"), &mut npm)
        .map_err(hint("`npm ci` needs the npm registry: check the network and npm's `registry` and `proxy` settings"))?;
    fs::write(npm_stamp(&folder), lock).context("could not write the stamp of `npm ci`")
}

fn npm_stamp(folder: &Path) -> PathBuf {
    folder.join("node_modules/.installed-lock.json")
}

/// Whether `node_modules` was made from the lock file as it is now.
fn npm_is_current(dir: &str) -> bool {
    let folder = root().join(dir);
    let stamp = fs::read(npm_stamp(&folder)).ok();
    stamp.is_some() && stamp == fs::read(folder.join("package-lock.json")).ok()
}

/// Node's version, when it is new enough and npm is there too.
fn check_node() -> Result<String> {
    let how = format!("install Node {OLDEST_NODE} or newer with npm (https://nodejs.org) and run this again");
    let version = output(command("node").arg("--version")).ok_or_else(|| anyhow!("Node is missing: {how}"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        bail!("Node {version} is too old: {how}");
    }
    which("npm").ok_or_else(|| anyhow!("npm is missing: {how}"))?;
    Ok(version)
}

fn runs(program: &str, args: &[&str]) -> bool {
    output(command(program).args(args)).is_some()
}

/// `wasm-pack 0.15.1`: name and version are the first two words.
fn has_version(program: &str, version: &str) -> bool {
    output(command(program).arg("--version")).is_some_and(|line| line.split_whitespace().nth(1) == Some(version))
}

fn has_wasm_target() -> bool {
    output(command("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]))
        .is_some_and(|dir| fs::read_dir(dir).is_ok_and(|mut files| files.next().is_some()))
}

fn has_std_source() -> bool {
    output(command("rustc").args(["--print", "sysroot"])).is_some_and(|sysroot| Path::new(&sysroot).join("lib/rustlib/src/rust/library").is_dir())
}

fn rustup(args: &[&str]) -> Result<()> {
    let line = format!("rustup {}", args.join(" "));
    if which("rustup").is_none() {
        bail!("rustup is missing, and `{line}` is needed: install Rust with rustup (https://rustup.rs)");
    }
    run_quiet(&line, command("rustup").args(args)).map_err(hint("rustup needs the network"))
}

/// The version of wasm-bindgen in Cargo.lock; its command line tool must be exactly the same.
fn bindgen_version() -> Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("could not read Cargo.lock")?;
    locked_version(&lock, "wasm-bindgen").ok_or_else(|| anyhow!("wasm-bindgen is not in Cargo.lock"))
}

fn locked_version(lock: &str, name: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    let version = lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

/// Where the Rust tools are kept between runs and clones, one folder for each set of versions.
fn tools_dir() -> PathBuf {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = match env::var_os("AUTH_SESSIONS_TOOLS") {
        Some(dir) => root().join(dir),
        None => env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).unwrap_or_else(|| process::target().join("cache")).join("auth-sessions"),
    };
    let bindgen = bindgen_version().unwrap_or_else(|_| "none".into());
    base.join(format!("tools-wasm-bindgen-{bindgen}-wasm-pack-{WASM_PACK}"))
}

fn install_wasm_tools() -> Result<()> {
    let bindgen = bindgen_version()?;
    let mut tools = Vec::new();
    if !(has_version("wasm-bindgen", &bindgen) && has_version("wasm-bindgen-test-runner", &bindgen)) {
        tools.push(("wasm-bindgen-cli", &*bindgen));
    }
    if !has_version("wasm-pack", WASM_PACK) {
        tools.push(("wasm-pack", WASM_PACK));
    }
    install_rust_tools(&tools)
}

/// From crates.io: prebuilt binaries are not published there. Unoptimised, without debug info and without TLS (the
/// tools' own downloads are switched off here), which takes about two minutes on two cores, and cargo-deny two more; the
/// release builds that `cargo install` makes by default take twelve, and would save seconds.
fn install_rust_tools(tools: &[(&str, &str)]) -> Result<()> {
    let dir = tools_dir();
    let build = dir.join("build");
    for (name, version) in tools {
        let mut install = command("cargo");
        install
            .args(["install", "--debug", "--no-default-features", "--force", "--root"])
            .arg(&dir)
            .arg(format!("{name}@={version}"))
            .env("CARGO_TARGET_DIR", &build)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
            // What the caller sets for this project is not meant for the tools.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_BUILD_TARGET");
        run_quiet(&format!("{name} {version}"), &mut install)
            .map_err(hint(format!("{name} {version} is installed from crates.io: check the network and cargo's settings")))?;
    }
    // Some 500 MB that nothing needs any more.
    let _ = fs::remove_dir_all(build);
    Ok(())
}

fn install_debian(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if which("apt-get").is_none() {
        bail!("{names}: not found, and this is not a Debian: install Chromium (or Chrome) with the chromedriver of the same version, and Firefox");
    }
    if output(command("id").arg("-u")).as_deref() != Some("0") {
        bail!("{names}: not found, and only root can install them: sudo apt-get install {names}");
    }
    let apt = |label: &str, args: &[&str]| {
        let mut apt = command("apt-get");
        apt.args(["-q", "-o", "DPkg::Lock::Timeout=300"]).args(args).env("DEBIAN_FRONTEND", "noninteractive");
        run_quiet(label, &mut apt)
    };
    let install: Vec<_> = ["install", "-y", "--no-install-recommends"].iter().chain(packages).copied().collect();
    apt("apt-get update", &["update"])
        .and_then(|()| apt(&format!("Debian packages {names}"), &install))
        .map_err(hint("apt-get needs the network and Debian's package sources"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_of_that_very_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
