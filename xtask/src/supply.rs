//! What the project is made of and where that comes from: the crates (`deny.toml`, Cargo.lock), the npm modules (the lock files), what is known against
//! them, and whether the package can be made again from its sources, byte for byte.

use crate::{
    privacy::Found,
    process::{command, output, root, run, run_within, show, target},
};
use anyhow::{Context, Result, anyhow, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// How long a service may take to answer, or a git server to be cloned from.
const PATIENCE: Duration = Duration::from_secs(120);

/// Modules with install scripts. `tools::npm_ci` runs none, and everything works: these look after a binary that comes with an optional dependency, and
/// sharp (of miniflare and Next) isn't used.
const INSTALL_SCRIPTS: &[&str] = &["bun", "deno", "esbuild", "sharp", "workerd"];

/// `cargo deny` on bans, licences and sources, as `deny.toml` has them.
pub fn deny() -> Result<()> {
    run(command("cargo-deny").args(["--workspace", "--locked", "check", "bans", "licenses", "sources"]))
}

/// What is known against the crates (RustSec) and the npm modules (npm's audit). Either may be out of reach, which is no success.
pub fn advisories() -> Result<Found> {
    let unseen: Vec<String> = [rustsec()?, npm_audit()?].into_iter().filter_map(not_looked).collect();
    Ok(if unseen.is_empty() { Found::Nothing } else { Found::NotLooked(unseen.join("; ")) })
}

fn not_looked(found: Found) -> Option<String> {
    match found {
        Found::Nothing => None,
        Found::NotLooked(why) => Some(why),
    }
}

fn rustsec() -> Result<Found> {
    // The database is a git repository, which git fetches.
    let mut fetch = command("cargo-deny");
    fetch.args(["--workspace", "--locked", "fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0");
    let (fetched, said) = attempt("advisory database", &mut fetch)?;
    if let Err(error) = fetched {
        return match no_database(&said, &error.to_string()) {
            Some(why) => Ok(Found::NotLooked(format!("RustSec's database can't be had: {why}"))),
            None => bail!("{error:#}:\n{said}"),
        };
    }
    run(command("cargo-deny").args(["--workspace", "--frozen", "check", "advisories"]))?;
    println!("RustSec: nothing known against the crates");
    Ok(Found::Nothing)
}

/// Why the database could not be fetched; nothing where it is something else that failed.
fn no_database(said: &str, error: &str) -> Option<String> {
    if error.contains("was still running") {
        return Some(error.to_owned());
    }
    let line = |start: &str| said.lines().rev().find_map(|line| line.split_once(start)).map(|(_, rest)| rest.to_owned());
    line("failed to fetch advisory database ").map(|failed| line("fatal: ").unwrap_or(failed))
}

/// Of what is installed to build, or by those who take an example as it is, anything counts; of what only tests use, what is serious.
fn npm_audit() -> Result<Found> {
    let Some(locks) = lock_files() else { return Ok(Found::NotLooked("not a git clone".into())) };
    for lock in &locks {
        let folder = lock.parent().unwrap_or(root());
        for arguments in [["--omit=dev", "--audit-level=low"], ["--include=dev", "--audit-level=high"]] {
            let mut npm = command("npm");
            npm.args(["audit", "--package-lock-only"]).args(arguments).current_dir(folder);
            let (audited, said) = attempt("npm audit", &mut npm)?;
            if audited.is_err() {
                if let Some(why) = no_audit(&said) {
                    return Ok(Found::NotLooked(format!("npm's registry has no audit here: {why}")));
                }
                bail!("npm audit {} in {}:\n{said}", arguments.join(" "), show(folder));
            }
        }
        println!("npm: nothing known against {}", show(lock));
    }
    Ok(Found::Nothing)
}

/// Why npm could not ask at all, without the registry's address. Nothing when it could, and has found something.
fn no_audit(said: &str) -> Option<String> {
    said.to_lowercase().contains("audit endpoint returned an error").then(|| {
        let warning = said.lines().find_map(|line| line.split_once(" audit ").filter(|(npm, _)| npm.starts_with("npm ")));
        let words = warning.map_or("no reason given", |(_, words)| words).split_whitespace();
        words.filter(|word| !word.contains("://")).collect::<Vec<_>>().join(" ").trim_end_matches(" - POST").to_owned()
    })
}

/// Runs `command` within [`PATIENCE`]: how that went, and all that it said.
fn attempt(label: &str, command: &mut Command) -> Result<(Result<()>, String)> {
    let log = target().join("xtask").join(format!("{}.log", label.replace(' ', "-")));
    fs::create_dir_all(log.parent().unwrap_or(root()))?;
    let file = fs::File::create(&log).with_context(|| format!("could not write {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    let result = run_within(command, PATIENCE);
    Ok((result, String::from_utf8_lossy(&fs::read(&log)?).into_owned()))
}

/// Every entry of every lock file has the hash of what it stands for, and none has an install script that nobody has looked at.
pub fn locks() -> Result<Found> {
    let Some(locks) = lock_files() else { return Ok(Found::NotLooked("not a git clone".into())) };
    let mut findings = Vec::new();
    for lock in &locks {
        let (entries, found) = scan_npm(&read(lock)?);
        println!("{}: {entries} modules", show(lock));
        if entries == 0 {
            findings.push(format!("{}: no modules", show(lock)));
        }
        findings.extend(found.into_iter().map(|finding| format!("{}: {finding}", show(lock))));
    }
    let (crates, found) = scan_cargo(&read(&root().join("Cargo.lock"))?);
    println!("Cargo.lock: {crates} crates of crates.io");
    findings.extend(found.into_iter().map(|finding| format!("Cargo.lock: {finding}")));
    if findings.is_empty() {
        return Ok(Found::Nothing);
    }
    bail!("{}", findings.join("\n"))
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))
}

/// How many modules a package-lock.json has, and what is wrong with them. By lines: npm always writes it in the same form, and another one is an error.
fn scan_npm(lock: &str) -> (usize, Vec<String>) {
    let (mut entries, mut findings) = (0, Vec::new());
    let mut name = "";
    let (mut hashed, mut script) = (false, false);
    for line in lock.lines().skip_while(|line| *line != "  \"packages\": {").skip(1).take_while(|line| *line != "  }") {
        let fields = line.strip_prefix("      ");
        if let Some(key) = line.strip_prefix("    \"").and_then(|rest| rest.strip_suffix("\": {")) {
            (name, hashed, script) = (key, false, false);
        } else if matches!(line, "    }" | "    },") {
            // The rest is the project itself, and the package that it links to.
            if let Some((_, module)) = name.rsplit_once("node_modules/") {
                entries += 1;
                if !hashed {
                    findings.push(format!("{name} has no SHA-512"));
                }
                if script && !INSTALL_SCRIPTS.contains(&module) {
                    findings.push(format!("{name} has an install script: see whether it is needed, as none is run (INSTALL_SCRIPTS in xtask/src/supply.rs)"));
                }
            }
        } else if let Some(field) = fields {
            hashed |= field.starts_with("\"integrity\": \"sha512-") || field == "\"link\": true" || field == "\"link\": true,";
            script |= field.starts_with("\"hasInstallScript\": true");
        } else {
            findings.push(format!("not as npm writes it: {line}"));
        }
    }
    (entries, findings)
}

/// How many crates a Cargo.lock has from elsewhere, and what is wrong with them.
fn scan_cargo(lock: &str) -> (usize, Vec<String>) {
    let (mut crates, mut findings) = (0, Vec::new());
    for package in lock.split("[[package]]\n").skip(1) {
        let field = |name: &str| package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        let Some(source) = field("source") else { continue };
        crates += 1;
        if source != "\"registry+https://github.com/rust-lang/crates.io-index\"" || field("checksum").is_none() {
            findings.push(format!("{} is not from crates.io, or has no checksum", field("name").unwrap_or_default()));
        }
    }
    (crates, findings)
}

/// The package-lock.json files of the repository.
fn lock_files() -> Option<Vec<PathBuf>> {
    Some(files()?.into_iter().filter(|file| file.file_name().is_some_and(|name| name == "package-lock.json")).collect())
}

/// The repository's files, as they are now.
fn files() -> Option<Vec<PathBuf>> {
    let list = output(command("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    Some(list.split('\0').filter(|file| !file.is_empty()).map(|file| root().join(file)).filter(|file| file.is_file()).collect())
}

/// Builds the package again: of a copy of the files in another folder, by an xtask of its own, with nothing compiled before. Its bytes must be those of `pkg/`.
pub fn reproducible() -> Result<Found> {
    let Some(files) = files() else { return Ok(Found::NotLooked("not a git clone".into())) };
    let base = target().join("reproducible");
    // Of another length than the root's own path.
    let copy = base.join("of/the/same/files");
    for old in [&copy, &base.join("target")] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| format!("could not remove {}", old.display()))?;
        }
    }
    for file in &files {
        let to = copy.join(file.strip_prefix(root())?);
        fs::create_dir_all(to.parent().unwrap_or(&copy))?;
        fs::copy(file, &to).with_context(|| format!("could not copy {}", show(file)))?;
    }
    let mut build = command("cargo");
    build
        .args(["run", "--quiet", "--locked", "--package", "xtask", "--", "build"])
        .current_dir(&copy)
        .env("CARGO_TARGET_DIR", base.join("target"))
        // Another place in the world, too.
        .envs([("TZ", "Asia/Kathmandu"), ("LC_ALL", "C")]);
    if let Some(dir) = env::var_os("AUTH_SESSIONS_TOOLS") {
        build.env("AUTH_SESSIONS_TOOLS", root().join(dir));
    }
    run(&mut build)?;

    let (ours, theirs) = (root().join("pkg"), copy.join("pkg"));
    let differences = differences(&ours, &theirs)?;
    if !differences.is_empty() {
        bail!("pkg/ and the one in {} differ:\n  {}", show(&copy), differences.join("\n  "));
    }
    let packed = integrity(&ours)?;
    if packed != integrity(&theirs)? {
        bail!("the files are the same, but npm packs them differently");
    }
    println!("Both builds have the same bytes in every file. Of the tarball that npm makes of them:\n  {packed}");
    // Half a gigabyte. What was compiled there is of no use to anybody else.
    let _ = fs::remove_dir_all(base);
    Ok(Found::Nothing)
}

/// The hash of a folder's tarball, as the registry shows it (`npm view auth-sessions dist.integrity`).
fn integrity(folder: &Path) -> Result<String> {
    let said = output(command("npm").args(["pack", "--dry-run", "--json", "--ignore-scripts"]).arg(folder)).ok_or_else(|| anyhow!("`npm pack` failed"))?;
    let hash = said.lines().find_map(|line| line.trim().strip_prefix("\"integrity\": \"")?.split('"').next());
    hash.map(str::to_owned).context("`npm pack` named no integrity")
}

/// Files that only one of two folders has, or that are not the same in both.
fn differences(left: &Path, right: &Path) -> Result<Vec<String>> {
    let (mut names, mut more) = (Vec::new(), Vec::new());
    list(left, left, &mut names)?;
    list(right, right, &mut more)?;
    let mut found: Vec<String> = more.iter().filter(|name| !names.contains(name)).map(|name| format!("{}: only in the second", name.display())).collect();
    for name in &names {
        if !more.contains(name) {
            found.push(format!("{}: only in the first", name.display()));
            continue;
        }
        let (a, b) = (fs::read(left.join(name))?, fs::read(right.join(name))?);
        if a != b {
            let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
            found.push(format!("{}: {} and {} bytes, the first {same} the same", name.display(), a.len(), b.len()));
        }
    }
    Ok(found)
}

fn list(base: &Path, folder: &Path, names: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            list(base, &path, names)?;
        } else {
            names.push(path.strip_prefix(base)?.to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"{
  "lockfileVersion": 3,
  "packages": {
    "": {
      "name": "x"
    },
    "../pkg": {
      "version": "0.0.0"
    },
    "node_modules/a": {
      "version": "1.0.0",
      "integrity": "sha512-AA==",
      "hasInstallScript": true,
      "dependencies": {
        "b": "1"
      }
    },
    "node_modules/a/node_modules/@s/b": {
      "version": "1.0.0",
      "integrity": "sha512-AA=="
    },
    "node_modules/auth-sessions": {
      "resolved": "../pkg",
      "link": true
    }
  }
}
"#;

    #[test]
    fn modules_need_a_hash_and_no_unknown_script() {
        let (entries, findings) = scan_npm(LOCK);
        assert_eq!((entries, findings.len()), (3, 1), "{findings:?}");
        assert!(findings[0].starts_with("node_modules/a has an install script"), "{findings:?}");
        assert_eq!(scan_npm(&LOCK.replace("node_modules/a\"", "node_modules/esbuild\"")).1, Vec::<String>::new());
        assert_eq!(scan_npm(&LOCK.replace("sha512", "sha1")).1.len(), 3);
        let one_line = "    \"node_modules/c\": { \"version\": \"1.0.0\" },\n    \"node_modules/a\": {";
        assert!(scan_npm(&LOCK.replace("    \"node_modules/a\": {", one_line)).1[0].starts_with("not as npm writes it"));
        assert_eq!(scan_npm(&LOCK.replace("  ", "\t")).0, 0);
    }

    #[test]
    fn crates_come_from_crates_io_with_a_checksum() {
        let own = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        let lock = format!("{own}\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\nchecksum = \"00\"\n");
        assert_eq!(scan_cargo(&lock), (1, vec![]));
        assert_eq!(scan_cargo(&lock.replace("checksum", "chksum")).1.len(), 1);
        assert_eq!(scan_cargo(&lock.replace("registry+", "git+")).1, ["\"a\" is not from crates.io, or has no checksum"]);
    }

    #[test]
    fn only_a_database_that_can_not_be_had_is_an_excuse() {
        let said = "2026-01-01 00:00:00 [ERROR] failed to fetch database: failed to fetch advisory database https://example.com/db with cli: failed to clone: []\nCloning into 'x'...\nfatal: unable to access it\n";
        assert_eq!(no_database(said, "`cargo-deny` failed (exit code 1)").as_deref(), Some("unable to access it"));
        assert!(no_database("", "`cargo-deny` was still running after 120 s and was ended").is_some());
        assert_eq!(no_database("[ERROR] failed to validate configuration file deny.toml\n", "`cargo-deny` failed (exit code 1)"), None);
    }

    #[test]
    fn an_audit_that_was_not_answered_is_none() {
        let refused = "npm warn audit 405 Method Not Allowed - POST https://registry.example/-/npm/v1/security/advisories/bulk\nnpm error audit endpoint returned an error\n";
        assert_eq!(no_audit(refused).as_deref(), Some("405 Method Not Allowed"));
        let unreachable =
            "npm WARN audit request to https://registry.example/bulk failed, reason: connect ECONNREFUSED\nnpm ERR! audit endpoint returned an error\n";
        assert_eq!(no_audit(unreachable).as_deref(), Some("request to failed, reason: connect ECONNREFUSED"));
        assert_eq!(no_audit("# npm audit report\n\nleft-pad  *\nSeverity: high\n\n1 high severity vulnerability\n"), None);
    }

    #[test]
    fn folders_are_compared_byte_by_byte() -> Result<()> {
        let base = env::temp_dir().join(format!("xtask-supply-{}", std::process::id()));
        for (folder, text) in [("one", "abc"), ("two", "abd")] {
            fs::create_dir_all(base.join(folder).join("in"))?;
            fs::write(base.join(folder).join("in/file"), text)?;
            fs::write(base.join(folder).join("same"), "same")?;
            fs::write(base.join(folder).join(format!("only-{folder}")), "")?;
        }
        let mut found = differences(&base.join("one"), &base.join("two"))?;
        found.sort();
        assert_eq!(found, ["in/file: 3 and 3 bytes, the first 2 the same", "only-one: only in the first", "only-two: only in the second"]);
        assert_eq!(differences(&base.join("one"), &base.join("one"))?, Vec::<String>::new());
        fs::remove_dir_all(base)?;
        Ok(())
    }

    /// The bill of materials is of the build that package.rs makes.
    #[test]
    fn the_bill_is_of_this_build() {
        for part in ["-Zbuild-std=std,panic_abort", "--features\", \"edge"] {
            assert!(include_str!("package.rs").contains(part) && include_str!("../sbom.mjs").contains(part), "{part}");
        }
    }

    /// SECURITY.md's table of the ASVS names tests: `file` "name", with … for what a test goes through.
    #[test]
    fn the_tests_that_security_md_names_exist() -> Result<()> {
        let text = read(&root().join("SECURITY.md"))?;
        let mut named = 0;
        for row in text.lines().filter(|line| line.starts_with("| ")) {
            for part in row.split("`tests/").skip(1) {
                let (file, names) = part.split_once('`').context("an end of the file's name")?;
                let source = read(&root().join("tests").join(file))?;
                for name in names.split('"').skip(1).step_by(2) {
                    named += 1;
                    let is_there = source.lines().any(|line| {
                        let mut rest = Some(line);
                        name.split('…').all(|part| {
                            rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
                            rest.is_some()
                        })
                    });
                    assert!(is_there, "tests/{file} has no \"{name}\"");
                }
            }
        }
        assert!(named > 40, "only {named}");
        Ok(())
    }
}
