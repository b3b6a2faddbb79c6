//! The stylesheet, the script and the icon. Their names contain a hash of their content, so that a browser may cache them forever and never
//! mixes versions.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

const STYLE: &str = include_str!("assets/page.css");
const SCRIPT: &str = include_str!("assets/page.js");
const ICON: &str = include_str!("assets/icon.svg");

const STYLE_HASH: u64 = hash(STYLE.as_bytes());
const SCRIPT_HASH: u64 = hash(SCRIPT.as_bytes());
const ICON_HASH: u64 = hash(ICON.as_bytes());

/// The path of the stylesheet.
pub(super) fn style() -> String {
    format!("/assets/page-{STYLE_HASH:016x}.css")
}

/// The path of the script that keeps a page current.
pub(super) fn script() -> String {
    format!("/assets/page-{SCRIPT_HASH:016x}.js")
}

/// The path of the icon.
pub(super) fn icon() -> String {
    format!("/assets/icon-{ICON_HASH:016x}.svg")
}

/// Serves one of them.
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let path = format!("/assets/{name}");
    let all = [
        (style(), "text/css; charset=utf-8", STYLE),
        (script(), "text/javascript; charset=utf-8", SCRIPT),
        (icon(), "image/svg+xml", ICON),
    ];
    match all.into_iter().find(|(known, ..)| *known == path) {
        Some((_, content_type, content)) => {
            let headers = [
                (CONTENT_TYPE, content_type),
                (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// FNV-1a: it names versions and protects nothing.
const fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_content_has_another_name() {
        // The test vectors of FNV-1a.
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_ne!(style(), script());
    }
}
