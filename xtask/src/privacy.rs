//! A plain scan of everything that is published, the repository's files and `pkg/`, for what must not be in there: paths
//! of the machine it was made on, addresses of package registries, real-looking tokens.

use crate::process::{command, output, root, show};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that only exist on somebody's machine. Put together here so that this file does not find itself.
const MACHINE_PATHS: &[&str] = &[concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/"), concat!("/", "Users/")];

/// Hosts that a lock file or a log can bring in.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("deb.", "debian.org"),
    concat!("files.", "pythonhosted.org"),
];

/// How the scan ended, when it found nothing wrong.
pub enum Found {
    /// All files are clean.
    Nothing,
    /// There is no list of files here, for this reason.
    NotLooked(String),
}

/// Scans the files; what is found is printed and an error.
pub fn check() -> Result<Found> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let Some(tracked) = output(command("git").args(list)) else {
        return Ok(Found::NotLooked("not a git clone".into()));
    };
    let mut files: Vec<PathBuf> = tracked.split('\0').filter(|f| !f.is_empty()).map(|f| root().join(f)).collect();
    collect(&root().join("pkg"), &mut files);

    let mut findings = Vec::new();
    let mut scanned = 0;
    for file in files.iter().filter(|file| file.is_file()) {
        let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
        scanned += 1;
        let name = show(file);
        findings.extend(scan(&name, &bytes).into_iter().map(|finding| format!("{name}{finding}")));
    }
    println!("{scanned} files scanned");
    if findings.is_empty() {
        return Ok(Found::Nothing);
    }
    for finding in &findings {
        println!("  {finding}");
    }
    bail!("{} places to clean up", findings.len())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// What is wrong in one file: `:LINE: what`.
fn scan(name: &str, bytes: &[u8]) -> Vec<String> {
    let binary = bytes.contains(&0);
    let text = String::from_utf8_lossy(bytes);
    // Tests make tokens up; so do the test modules at the end of source files.
    let mut tokens_allowed = name.starts_with("tests/") || binary;
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut add = |what: String| findings.push(format!(":{}: {what}", number + 1));
        for path in MACHINE_PATHS {
            if finds_path(line, path, binary) {
                add(format!("a path of some machine, {path}…"));
            }
        }
        for host in REGISTRY_HOSTS {
            if line.contains(host) {
                add(format!("a registry's address, {host}"));
            }
        }
        if name.ends_with("package-lock.json") && line.trim_start().starts_with("\"resolved\": \"http") {
            add("an address in a lock file (npm's omit-lockfile-registry-resolved leaves it out)".into());
        }
        if line.trim() == "#[cfg(test)]" {
            tokens_allowed = true;
        }
        if !tokens_allowed && has_token(line) {
            add("a token (JWT)".into());
        }
    }
    findings
}

/// Whether `line` has `path` where a path begins, not in the middle of a longer one or of an address. In a binary, where
/// strings stand side by side, any place counts.
fn finds_path(line: &str, path: &str, binary: bool) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        binary || !before.is_some_and(|c| c.is_alphanumeric() || "./_-*}".contains(c))
    })
}

/// Header and payload of a JWT: two long base64url words with a dot between, the first one a JSON object.
fn has_token(line: &str) -> bool {
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let words = line.split(|c: char| !is_base64url(c) && c != '.');
    words.flat_map(|word| word.match_indices("eyJ").filter_map(|(at, _)| word.get(at..))).any(|word| {
        let mut parts = word.split('.');
        parts.next().is_some_and(|header| header.len() >= 12) && parts.next().is_some_and(|payload| payload.len() >= 12)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_must_not_be_there() {
        let work = concat!("see /", "work/main/x");
        assert_eq!(scan("README.md", work.as_bytes()).len(), 1);
        assert_eq!(scan("README.md", concat!("https://example.com/", "work/x and ../", "work/y").as_bytes()).len(), 0);
        assert_eq!(scan("a.wasm", concat!("\0x/", "root/.cargo").as_bytes()).len(), 1);
        let lock = "  \"resolved\": \"https://mirror.example/x.tgz\",";
        assert_eq!(scan("www/package-lock.json", lock.as_bytes()).len(), 1);
        assert_eq!(scan("www/package-lock.json", b"  \"resolved\": \"../pkg\",").len(), 0);
    }

    #[test]
    fn tokens_are_for_tests_only() {
        let token = "let t = \"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2ln\";";
        assert_eq!(scan("src/a.rs", token.as_bytes()), [":1: a token (JWT)"]);
        assert_eq!(scan("src/a.rs", format!("fn a() {{}}\n#[cfg(test)]\n{token}").as_bytes()).len(), 0);
        assert_eq!(scan("tests/a.js", token.as_bytes()).len(), 0);
        assert!(!has_token("eyJ starts every one of them. eyJhbGciOiJI.x"));
    }
}
