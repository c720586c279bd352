//! The room page: the files of `web/`, built into the binary.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use include_dir::{Dir, File, include_dir};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../web");

/// Serves the page at `/` and what it loads beside it. Other paths are left to the API on the same port.
pub(crate) fn router() -> Router {
    FILES.files().fold(Router::new(), |router, file| {
        let path = file.path().to_string_lossy();
        let served = get(move || async move { response(file) });
        match &*path {
            "index.html" => router.route("/", served),
            _ => router.route(&format!("/{path}"), served),
        }
    })
}

fn response(file: &'static File<'static>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type(&file.path().to_string_lossy())),
        // The page belongs to the server's version: a browser asks each time.
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, file.contents()).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("webmanifest") => "application/manifest+json",
        Some(_) | None => "application/octet-stream",
    }
}
