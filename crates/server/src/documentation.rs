//! The documentation as pages on the admin listener: who is called at night finds the runbook of the version that runs. The files of
//! `docs/`, built into the binary. What they say is theirs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use include_dir::{Dir, include_dir};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../docs");

/// As of the console: nothing but what is in the binary.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves `/docs/README.md` and what it leads to, by the names of the files, so that their links need no change.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/docs", get(async || Redirect::permanent("docs/README.md")))
        .route("/docs/", get(async || Redirect::permanent("README.md")))
        .route("/docs/{*path}", get(async |Path(path): Path<String>| page(&path)))
}

fn page(path: &str) -> Response {
    let Some(file) = FILES.get_file(path) else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    let picture = match path.rsplit_once('.') {
        Some((_, "png")) => Some("image/png"),
        Some((_, "svg")) => Some("image/svg+xml"),
        Some(_) | None => None,
    };
    match (picture, file.contents_utf8()) {
        (Some(kind), _) => (headers, [(header::CONTENT_TYPE, kind)], file.contents()).into_response(),
        (None, Some(text)) => (headers, Html(rendered(text))).into_response(),
        (None, None) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A page of its own for a file in Markdown.
fn rendered(text: &str) -> String {
    let title = text.lines().next().unwrap_or_default().trim_start_matches("# ");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}: Plenum</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\"><link rel=\"stylesheet\" href=\"/theme.css\">\
         <link rel=\"stylesheet\" href=\"/console/document.css\"></head><body>\n\
         <nav><a href=\"README.md\">Documentation</a> <a href=\"runbook.md\">Runbook</a> <a href=\"../console/\">Console</a></nav>\n"
    );
    html::push_html(&mut page, with_anchors(kept_inside(Parser::new_ext(text, Options::ENABLE_TABLES))).into_iter());
    page.push_str("</body></html>\n");
    page
}

/// Of a link to a file of the repository that is not here, only the text.
fn kept_inside<'a>(events: impl Iterator<Item = Event<'a>>) -> impl Iterator<Item = Event<'a>> {
    let mut leads_out = false;
    events.filter(move |event| {
        if let Event::Start(Tag::Link { dest_url, .. }) = event {
            leads_out = dest_url.starts_with("../");
        }
        !(leads_out && matches!(event, Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link)))
    })
}

/// Headings get the ids that links name them by: those that GitHub gives them.
fn with_anchors<'a>(events: impl Iterator<Item = Event<'a>>) -> Vec<Event<'a>> {
    let mut seen = BTreeMap::new();
    let mut all: Vec<Event<'a>> = Vec::new();
    let mut heading = None;
    for event in events {
        if let Event::Start(Tag::Heading { .. }) = event {
            heading = Some((all.len(), String::new()));
        } else if let (Event::Text(text) | Event::Code(text), Some((_, words))) = (&event, &mut heading) {
            words.push_str(text);
        } else if let Event::End(TagEnd::Heading(_)) = event
            && let Some((start, words)) = heading.take()
            && let Event::Start(Tag::Heading { id, .. }) = &mut all[start]
        {
            *id = Some(CowStr::from(anchor(&words, &mut seen)));
        }
        all.push(event);
    }
    all
}

fn anchor(heading: &str, seen: &mut BTreeMap<String, usize>) -> String {
    let is_kept = |it: &char| it.is_alphanumeric() || matches!(it, '_' | '-' | ' ');
    let mut anchor = heading.to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-");
    let before = seen.entry(anchor.clone()).or_default();
    if *before > 0 {
        let _ = write!(anchor, "-{before}");
    }
    *before += 1;
    anchor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content_type(path: &str) -> Option<String> {
        let response = page(path);
        let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
        response.status().is_success().then(|| kind.to_owned())
    }

    #[test]
    fn texts_are_pages_and_pictures_are_pictures() {
        assert_eq!(content_type("runbook.md").as_deref(), Some("text/html; charset=utf-8"));
        assert_eq!(content_type("images/cost.svg").as_deref(), Some("image/svg+xml"));
        assert_eq!(content_type("images/room.png").as_deref(), Some("image/png"));
        assert_eq!(content_type("images/none.png"), None);
    }
}
