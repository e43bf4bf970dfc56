//! The accept loop: slow clients, reused connections, stopping.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::*;

#[tokio::test]
async fn slow_clients_do_not_stop_others() {
    let sandbox = Sandbox::start().await;
    let mut slow = Vec::new();
    for part in ["", "GET / HT", "POST /authvital/oauth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"]
        .iter()
        .cycle()
        .take(30)
    {
        let mut stream = TcpStream::connect(sandbox.running.address).await.unwrap();
        stream.write_all(part.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    assert_eq!(sandbox.get("/sandbox/health").send().await.status, 200);
    drop(slow);
}

#[tokio::test]
async fn connections_are_reused() {
    let sandbox = Sandbox::start().await;
    let mut stream = TcpStream::connect(sandbox.running.address).await.unwrap();
    for _ in 0..3 {
        let request = b"GET /authvital/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut text = String::new();
        while !text.ends_with('}') {
            let mut buffer = [0; 1024];
            let len = stream.read(&mut buffer).await.unwrap();
            assert_ne!(len, 0, "closed after {text:?}");
            text.push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
        assert!(text.starts_with("HTTP/1.1 404 Not Found\r\n"), "{text}");
    }
}

#[tokio::test]
async fn garbage_gets_no_further() {
    let sandbox = Sandbox::start().await;
    let mut stream = TcpStream::connect(sandbox.running.address).await.unwrap();
    stream.write_all(b"\x16\x03\x01\x02\0\x01\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    assert!(!String::from_utf8_lossy(&answer).contains("200"));
    assert_eq!(sandbox.get("/sandbox/health").send().await.status, 200);
}

#[tokio::test]
async fn stopping_closes_idle_and_hanging_connections() {
    let sandbox = Sandbox::start().await;
    let _idle = TcpStream::connect(sandbox.running.address).await.unwrap();
    let mut hanging = TcpStream::connect(sandbox.running.address).await.unwrap();
    let request = b"GET /authvital/x HTTP/1.1\r\nHost: localhost\r\nX-Sandbox-Fault: hang\r\n\r\n";
    hanging.write_all(request).await.unwrap();
    while sandbox.log().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let address = sandbox.running.address;
    tokio::time::timeout(Duration::from_secs(10), sandbox.running.stop()).await.expect("stops");
    let mut rest = Vec::new();
    hanging.read_to_end(&mut rest).await.ok();
    assert!(rest.is_empty());
    assert!(TcpStream::connect(address).await.is_err());
}
