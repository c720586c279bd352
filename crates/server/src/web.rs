//! The pages: the files of `web/`, built into the binary.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use include_dir::{Dir, File, include_dir};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../web");

/// Where the console is.
const CONSOLE: &str = "/console";
/// What the console needs of the room page.
const SHARED: [&str; 4] = ["theme.css", "backoff.js", "hemicycle.js", "icon.svg"];
/// The console has power over all rooms: nothing may run or be loaded there that is not in the binary, and no page may frame it.
const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                              base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves the room page at `/` and what it loads beside it. Other paths are left to the API on the same port.
pub(crate) fn router() -> Router {
    FILES.files().fold(Router::new(), |router, file| {
        let served = get(move || async move { response(file) });
        match name(file) {
            "index.html" => router.route("/", served),
            name => router.route(&format!("/{name}"), served),
        }
    })
}

/// Serves the console. It holds no secret: what it shows it asks of the REST API, with the token.
pub(crate) fn console() -> Router {
    let shared = SHARED.iter().filter_map(|name| FILES.get_file(name));
    let own = FILES.get_dir(CONSOLE.trim_start_matches('/')).into_iter().flat_map(Dir::files);
    let start = Router::new().route(CONSOLE, get(async || Redirect::permanent("console/")));
    shared.chain(own).fold(start, |router, file| {
        let served = get(move || async move { protected(file) });
        let path = file.path().to_string_lossy();
        router.route(&format!("/{}", path.trim_end_matches("index.html")), served)
    })
}

fn protected(file: &'static File<'static>) -> Response {
    let mut response = response(file);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONSOLE_POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn response(file: &'static File<'static>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type(name(file))),
        // The page belongs to the server's version: a browser asks each time.
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, file.contents()).into_response()
}

fn name(file: &'static File<'static>) -> &'static str {
    file.path().file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("webmanifest") => "application/manifest+json",
        Some(_) | None => "application/octet-stream",
    }
}
