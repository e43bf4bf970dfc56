//! The accept loop. It is our own, on hyper, because faults have to close connections without an answer, which no framework's loop lets a
//! handler do: here the service fails, and hyper closes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower_http::services::ServeDir;
use tower_service::Service as _;

use crate::ambient::{Clock as _, http_time};
use crate::app::App;
use crate::fault::{self, Dropped, Fault};
use crate::http::{Failure, Origins, Peer};
use crate::{admin, wire};

/// Connections at the same time; more have to wait. Small enough for the usual limit of open files.
const MAX_CONNECTIONS: u32 = 512;
/// How long a client may take to send the head of a request, and how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// How long open requests may go on when the sandbox is to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The files that are served at `/`.
pub struct Page {
    folder: PathBuf,
    policy: HeaderValue,
}

impl Page {
    /// A page that may call its own origin and these.
    pub fn new(folder: PathBuf, connect_origins: &[String]) -> anyhow::Result<Self> {
        let connect: String = connect_origins.iter().map(|origin| format!(" {origin}")).collect();
        let policy = format!(
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'{connect}; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        );
        Ok(Self { folder, policy: policy.try_into()? })
    }
}

/// Everything that the sandbox answers.
pub fn router(app: &Arc<App>, page: Option<Page>) -> Router {
    let router = Router::new().nest(admin::MOUNT, admin::router(Arc::clone(app)));
    let router = wire::mount(router, app);
    match page {
        Some(Page { folder, policy }) => {
            let files = Router::new().fallback_service(ServeDir::new(folder));
            router.fallback_service(files.layer(middleware::from_fn_with_state(policy, page_headers)))
        }
        None => router.fallback(no_page),
    }
}

async fn page_headers(State(policy): State<HeaderValue>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_html = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, if is_html { "no-store" } else { "no-cache" }),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn no_page(request: Request) -> Response {
    if request.uri().path() == "/" && request.method() == Method::GET {
        return "The sandbox is running, without a page (start it with --page DIR).\n".into_response();
    }
    Failure::new(StatusCode::NOT_FOUND, "Not Found").into_response()
}

/// Serves until `stop` changes, then lets open requests end, but not for long.
pub async fn serve(listener: TcpListener, router: Router, app: Arc<App>, mut stop: watch::Receiver<()>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.changed() => break,
            accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (listener.accept().await, place)
            } => accepted,
        };
        let (stream, peer, place) = match accepted {
            (Ok((stream, peer)), Ok(place)) => (stream, peer, place),
            (Err(error), _) => {
                // The client is gone, or there are no files left: a short rest helps with the one and does not hurt with the other.
                eprintln!("sandbox: cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            (_, Err(_)) => break, // the semaphore is never closed
        };
        let (router, app, stop) = (router.clone(), Arc::clone(&app), stop.clone());
        tokio::spawn(async move {
            connection(stream, peer, router, app, stop).await;
            drop(place);
        });
    }
    drop(listener);
    // All places are free when all connections are closed; each closes within STOP_TIMEOUT.
    let all = places.acquire_many(MAX_CONNECTIONS);
    tokio::time::timeout(STOP_TIMEOUT * 2, all).await.ok();
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, app: Arc<App>, mut stop: watch::Receiver<()>) {
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request| {
        let (router, app) = (router.clone(), Arc::clone(&app));
        async move { answer(request, peer, router, &app).await }
    });
    let connection = http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // Errors are the client's going away, and our own faults.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(STOP_TIMEOUT, connection).await.ok();
        }
    }
}

/// One request: from the host check through the log and the faults to the routes.
async fn answer(request: hyper::Request<Incoming>, peer: SocketAddr, router: Router, app: &App) -> Result<Response, Dropped> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer.ip()));
    let mut response = if app.origins.host_is_ours(request.headers()) {
        logged(request, router, app).await?
    } else {
        let message = "The sandbox answers to addresses and localhost only, not to other host names";
        Failure::new(StatusCode::MISDIRECTED_REQUEST, message).into_response()
    };
    // The sandbox's time, not the machine's: clients measure clock skew by it. A fault may have set another.
    if !response.headers().contains_key(header::DATE)
        && let Ok(date) = HeaderValue::from_str(&http_time(app.clock.now_ms()))
    {
        response.headers_mut().insert(header::DATE, date);
    }
    Ok(response)
}

async fn logged(request: Request, router: Router, app: &App) -> Result<Response, Dropped> {
    let path = request.uri().path();
    let is_wire = wire::is_wire(path);
    let names_charset = wire::names_charset(path);
    let is_sign_in = path == admin::SIGN_IN;
    let is_ours = path.strip_prefix(admin::MOUNT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let number = (is_wire || is_sign_in).then(|| app.log.begin(&request));
    let fault = if is_ours && !is_sign_in { Ok(None) } else { fault_for(&request, app, is_wire) };
    let mut response = match fault {
        Ok(None) => route(request, router).await,
        Ok(Some(fault)) => {
            if let Some(number) = number {
                app.log.faulted(number);
            }
            let cors = cors_headers(&request, app);
            fault.play(request, cors, |request| route(request, router)).await?
        }
        Err(mistake) => {
            let name: HeaderName = fault::HEADER;
            Failure::bad_request(format!("{name}: {mistake}")).into_response()
        }
    };
    if let Some(number) = number {
        app.log.answered(number, response.status().as_u16());
    }
    if !names_charset && response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json; charset=utf-8") {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}

/// The fault that a request brings along, or else the one that is set for it.
fn fault_for(request: &Request, app: &App, is_wire: bool) -> Result<Option<Fault>, String> {
    if let Some(value) = request.headers().get(fault::HEADER) {
        let text = value.to_str().map_err(|error| error.to_string())?;
        return Fault::from_header(text).map(Some);
    }
    Ok(app.faults.take(request.method(), request.uri().path(), is_wire))
}

fn cors_headers(request: &Request, app: &App) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(origin) = request.headers().get(header::ORIGIN)
        && wire::has_cors(request.uri().path())
        && app.origins.allows(request.headers(), origin)
    {
        Origins::expose(&mut headers, origin);
    }
    headers
}

async fn route(request: Request, mut router: Router) -> Response {
    // A router is always ready and never fails.
    match router.call(request).await {
        Ok(response) => response,
        Err(never) => {
            let never: Infallible = never;
            match never {}
        }
    }
}
