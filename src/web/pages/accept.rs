//! Decides between HTML and JSON by `Accept` (RFC 9110, section 12.5.1).

/// Whether a client prefers JSON to HTML. Without a preference it gets HTML.
pub(super) fn prefers_json(accept: Option<&str>) -> bool {
    let accept = accept.unwrap_or_default();
    quality(accept, "application", "json") > quality(accept, "text", "html")
}

/// The quality of the most specific range that matches; 0 if none does.
fn quality(accept: &str, kind: &str, subtype: &str) -> f32 {
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let (range_kind, range_subtype) = parts.next()?.split_once('/')?;
        let is = |range: &str, name: &str| range.eq_ignore_ascii_case(name);
        let precision = match (range_kind, range_subtype) {
            (a, b) if is(a, kind) && is(b, subtype) => 2,
            (a, "*") if is(a, kind) => 1,
            ("*", "*") => 0,
            _ => return None,
        };
        let quality = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            is(name.trim(), "q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
        });
        Some((precision, quality.unwrap_or(1.0)))
    });
    let best = ranges.max_by_key(|(precision, _)| *precision);
    best.map_or(0.0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_clients_that_prefer_it() {
        for json in [
            "application/json",
            "APPLICATION/JSON; q=0.5",
            "text/html;q=0.4, application/json;q=0.5",
            "application/*",
            "application/json, text/html;q=0.9, */*;q=0.1",
            "*/*;q=0.5, application/json",
        ] {
            assert!(prefers_json(Some(json)), "{json}");
        }
        for html in [
            "",
            "*/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/json;q=0, text/html",
            "application/json;q=x",
            "application/json;q=0.2, */*",
            ";;,=/,",
        ] {
            assert!(!prefers_json(Some(html)), "{html}");
        }
        assert!(!prefers_json(None));
    }
}
