//! Finds metrics, labels and rates in a text: `PromQL`, a template or prose. It uses no grammar, only what is around names.

const PREFIX: &str = "twilio_email_";

/// A metric that is named, and the labels that are selected by directly after it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    /// It ends with `_` and an ellipsis or asterisk, for several metrics.
    pub(super) is_prefix: bool,
}

/// A call of `rate`, `irate` or `increase`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) metric: String,
    /// `None` if it is a variable.
    pub(super) seconds: Option<u64>,
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// All metrics of the exporter, and all that its rules record, as they are named in `text`.
pub(super) fn mentions(text: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(PREFIX).map(|at| at + from) {
        let begins = text[..at].rfind(|c| !is_of_name(c)).map_or(0, |before| {
            before + text[before..].chars().next().map_or(1, char::len_utf8)
        });
        let rest = &text[begins..];
        let length = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(length);
        from = begins + length;
        let name = name.trim_end_matches(':');
        // `__meta_twilio_email_` and the like belong to others; the bare prefix is prose.
        let own = name.starts_with(PREFIX) || name.contains(":twilio_email_");
        if !own || name == PREFIX {
            continue;
        }
        found.push(Mention {
            name: name.to_owned(),
            labels: selected(after),
            is_prefix: name.ends_with('_') && after.starts_with(['…', '*', '<', '{', '`']),
        });
    }
    found
}

/// The labels of the selector that `text` begins with, if it does.
fn selected(text: &str) -> Vec<String> {
    let Some(inside) = text.strip_prefix('{') else {
        return Vec::new();
    };
    let (mut labels, mut label, mut quoted, mut escaped) =
        (Vec::new(), String::new(), false, false);
    for c in inside.chars() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '"' => quoted = true,
            '}' => break,
            ',' => label.clear(),
            '=' | '!' if !label.trim().is_empty() => {
                labels.push(std::mem::take(&mut label).trim().to_owned());
            }
            '~' | '=' | '!' => {}
            c => label.push(c),
        }
    }
    labels
}

/// The labels inside `by (…)`, `on (…)` and their like.
pub(super) fn grouped_labels(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in [
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
    ] {
        for (at, _) in text.match_indices(word) {
            let alone = !text[..at].ends_with(is_of_name);
            let rest = text[at + word.len()..].trim_start();
            let Some(inside) = rest.strip_prefix('(').filter(|_| alone) else {
                continue;
            };
            let inside = &inside[..inside.find(')').unwrap_or(0)];
            let labels = inside.split(',').map(str::trim);
            // In prose a bracket may follow `on` or `by` as well; labels are single words.
            if labels
                .clone()
                .all(|label| !label.is_empty() && label.chars().all(is_of_name))
            {
                found.extend(labels.map(str::to_owned));
            }
        }
    }
    found
}

/// All calls of functions that are for counters alone.
pub(super) fn rates(text: &str) -> Vec<Rate> {
    let mut found = Vec::new();
    for word in ["rate(", "irate(", "increase("] {
        for (at, _) in text.match_indices(word) {
            let inside = &text[at + word.len()..];
            let metric: String = inside.chars().take_while(|c| is_of_name(*c)).collect();
            let Some(window) = inside
                .find('[')
                .filter(|_| !text[..at].ends_with(is_of_name))
            else {
                continue;
            };
            let window: String = inside[window + 1..]
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            if !metric.is_empty() {
                found.push(Rate {
                    metric,
                    seconds: seconds(&window),
                });
            }
        }
    }
    found
}

fn seconds(span: &str) -> Option<u64> {
    let unit = span.chars().last()?;
    let number: u64 = span[..span.len() - 1].parse().ok()?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    Some(number * factor)
}

/// The queries in the fenced `promql` blocks of a page: each begins at the margin and goes on over indented lines.
pub(super) fn queries(page: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut margin = None;
    for line in page.lines() {
        let indent = line.len() - line.trim_start().len();
        let Some(inside) = margin else {
            margin = line.trim().eq("```promql").then_some(indent);
            continue;
        };
        match line.trim() {
            "```" => margin = None,
            "" => {}
            query if indent == inside => found.push(query.to_owned()),
            more => {
                let last = found.last_mut().expect("a query begins at the margin");
                last.push('\n');
                last.push_str(more);
            }
        }
    }
    found
}

#[test]
fn metrics_labels_rates_and_queries_are_found_in_a_text() {
    let labels = |text| grouped_labels(text).join(" ");
    assert_eq!(labels("sum by (a, b) (x) / on(c) group_left () y"), "a b c");
    assert_eq!(
        labels("sum without (a) (x) and baby (b), on (two words)"),
        "a"
    );
    let rate = |metric: &str, seconds| Rate {
        metric: metric.to_owned(),
        seconds,
    };
    assert_eq!(
        rates("rate(x{a=\"b\"}[5m]) + increase(y[$__range]) + derivate(z[1h])"),
        [rate("x", Some(300)), rate("y", None)]
    );
    let page = "a\n```promql\nx\n  / y\nz\n```\nb\n   ```promql\n   w\n   ```\n```sh\nv\n```\n";
    assert_eq!(queries(page), ["x\n/ y", "z", "w"]);
}
