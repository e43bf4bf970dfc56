//! Serving the devices page.

use sandbox::Config;

use crate::admin::Folder;
use crate::harness::*;

#[tokio::test]
async fn files_have_their_types_and_the_policy() {
    let folder = Folder::new("page");
    let page = folder.0.join("dist");
    std::fs::create_dir_all(page.join("assets")).unwrap();
    std::fs::write(folder.0.join("secret.txt"), "secret").unwrap();
    std::fs::write(page.join("index.html"), "<!doctype html>").unwrap();
    std::fs::write(page.join("assets/a.js"), "1").unwrap();
    std::fs::write(page.join("assets/a.css"), "a{}").unwrap();
    std::fs::write(page.join("assets/a.wasm"), b"\0asm").unwrap();
    let sandbox = Sandbox::with(Config { page: Some(page), ..config() }).await;
    for (path, content_type, cache) in [
        ("/", "text/html", "no-store"),
        ("/index.html", "text/html", "no-store"),
        ("/assets/a.js", "text/javascript", "no-cache"),
        ("/assets/a.css", "text/css", "no-cache"),
        ("/assets/a.wasm", "application/wasm", "no-cache"),
    ] {
        let answer = sandbox.get(path).send().await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert_eq!(answer.header("cache-control"), Some(cache), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(
            answer.header("content-security-policy"),
            Some(
                "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                 frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
            )
        );
    }
    for path in ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%5c..%5csecret.txt", "//secret.txt", "/missing.js"] {
        let answer = sandbox.get(path).send().await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("secret"));
    }
    assert_eq!(sandbox.post("/").send().await.status, 405);
}

#[tokio::test]
async fn the_policy_names_the_other_origins_that_the_page_may_call() {
    let folder = Folder::new("connect");
    std::fs::write(folder.0.join("index.html"), "<!doctype html>").unwrap();
    let connect_origins = vec!["http://127.0.0.1:4801".to_owned(), "https://auth.example.com".to_owned()];
    let sandbox = Sandbox::with(Config { page: Some(folder.0.clone()), connect_origins, ..config() }).await;
    let answer = sandbox.get("/").send().await;
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("; connect-src 'self' http://127.0.0.1:4801 https://auth.example.com; "), "{policy}");

    // Nothing else gets into the policy by it.
    for origin in ["*", "https://a.example; script-src *", "'unsafe-inline'", "https:"] {
        let config = Config { page: Some(folder.0.clone()), connect_origins: vec![origin.to_owned()], ..config() };
        assert!(sandbox::start(config).await.is_err(), "{origin}");
    }
}

#[tokio::test]
async fn without_a_page_it_says_so() {
    let sandbox = Sandbox::start().await;
    let answer = sandbox.get("/").send().await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("--page"));
    assert_eq!(sandbox.get("/x").send().await.status, 404);
}

#[tokio::test]
async fn a_page_that_is_not_built_is_an_error_at_the_start() {
    let folder = Folder::new("no-page");
    let config = Config { page: Some(folder.0.clone()), ..config() };
    let error = sandbox::start(config).await.err().unwrap();
    assert!(error.to_string().contains("index.html"), "{error}");
}
