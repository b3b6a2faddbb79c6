//! Dashboards as Grafana reads them: panels, queries, and values for their variables.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::prometheus::Prometheus;

/// Grafana's values for its own variables, for ten minutes that were scraped every second.
const BUILT_IN: &[(&str, &str)] = &[
    ("__interval", "1s"),
    ("__rate_interval", "4s"),
    ("__range", "600s"),
    ("__range_s", "600"),
];

/// The time range of graphs; longer than any of these tests takes.
const SHOWN_SECONDS: f64 = 60.0;

/// One of `grafana/*.json`.
pub(crate) struct Dashboard {
    pub(crate) file: String,
    pub(crate) json: Value,
}

/// One query of a panel, with its variables filled in.
pub(crate) struct Query {
    /// File, panel and letter, for failures.
    pub(crate) place: String,
    pub(crate) expr: String,
    instant: bool,
}

/// Values of variables by name.
pub(crate) type Chosen = BTreeMap<String, String>;

impl Dashboard {
    /// All of them, by file name.
    pub(crate) fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana");
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push(Self {
                    file: path.file_name().unwrap().to_string_lossy().into_owned(),
                    json: serde_json::from_str(&text).unwrap(),
                });
            }
        }
        found.sort_by(|one, other| one.file.cmp(&other.file));
        found
    }

    pub(crate) fn named(file: &str) -> Self {
        let mut all = Self::all().into_iter();
        all.find(|dashboard| dashboard.file == file).unwrap()
    }

    /// The panels that show something: all but the rows' titles.
    pub(crate) fn panels(&self) -> Vec<&Value> {
        let panels = array(&self.json["panels"]).iter();
        panels.filter(|panel| panel["type"] != "row").collect()
    }

    pub(crate) fn variables(&self) -> &[Value] {
        array(&self.json["templating"]["list"])
    }

    /// What Prometheus offers for a variable of the kind `query`, in Grafana's order.
    pub(crate) async fn options(
        &self,
        variable: &Value,
        chosen: &Chosen,
        prometheus: &Prometheus,
    ) -> Vec<String> {
        let text = fill(text(&variable["query"]["query"]), chosen);
        let mut options = if let Some(inner) = call("label_values", &text) {
            let (series, label) = inner.rsplit_once(", ").unwrap();
            let path = format!("/api/v1/label/{label}/values");
            let values = prometheus.get(&path, &[("match[]", series)]).await;
            let values = array(&values).iter();
            values.map(|value| self::text(value).to_owned()).collect()
        } else {
            let query = call("query_result", &text).unwrap();
            let (label, labels) = picked(self::text(&variable["regex"]));
            let data = prometheus.get("/api/v1/query", &[("query", query)]).await;
            let series = array(&data["result"]).iter();
            let value = |series: &Value| {
                let found = series["metric"].as_object().unwrap();
                assert!(found.keys().eq(&labels), "{series} for {labels:?}");
                self::text(&series["metric"][label]).to_owned()
            };
            series.map(value).collect::<Vec<_>>()
        };
        if variable["sort"] == 1 {
            options.sort();
        }
        options
    }

    /// A value for every variable: all if several can be chosen, otherwise the first one. `given` has priority.
    pub(crate) async fn choice(&self, given: &Chosen, prometheus: &Prometheus) -> Chosen {
        let mut chosen = Chosen::new();
        for variable in self.variables() {
            let name = text(&variable["name"]);
            let value = match text(&variable["type"]) {
                "datasource" => continue,
                "custom" => text(&variable["current"]["value"]).to_owned(),
                _ => {
                    let options = self.options(variable, &chosen, prometheus).await;
                    assert!(!options.is_empty(), "{}: nothing for ${name}", self.file);
                    if variable["includeAll"] == true {
                        text(&variable["allValue"]).to_owned()
                    } else {
                        options[0].clone()
                    }
                }
            };
            let value = given.get(name).cloned().unwrap_or(value);
            chosen.insert(name.to_owned(), value);
        }
        chosen
    }

    /// Every query of every panel.
    pub(crate) fn queries(&self, chosen: &Chosen) -> Vec<Query> {
        let panels = self.panels().into_iter();
        panels
            .filter(|panel| panel["type"] != "text")
            .flat_map(|panel| self.queries_of(panel, chosen))
            .collect()
    }

    /// The queries of the panel with that title.
    pub(crate) fn panel(&self, title: &str, chosen: &Chosen) -> Vec<Query> {
        let mut panels = self.panels().into_iter();
        let panel = panels.find(|panel| panel["title"] == title);
        self.queries_of(panel.unwrap_or_else(|| panic!("no panel {title}")), chosen)
    }

    fn queries_of(&self, panel: &Value, chosen: &Chosen) -> Vec<Query> {
        let query = |target: &Value| Query {
            place: format!(
                "{}: {} {}",
                self.file,
                text(&panel["title"]),
                text(&target["refId"])
            ),
            expr: fill(text(&target["expr"]), chosen),
            instant: target["instant"] == true,
        };
        array(&panel["targets"]).iter().map(query).collect()
    }
}

impl Query {
    /// What is wrong with its result, if it has no values.
    pub(crate) async fn fault(&self, prometheus: &Prometheus) -> Option<String> {
        let response = if self.instant {
            prometheus
                .query_api("/api/v1/query", &[("query", &self.expr)])
                .await
        } else {
            let now = prometheus.value("vector(time())").await;
            let now = now.expect("a Prometheus that knows the time");
            let (start, end) = ((now - SHOWN_SECONDS).to_string(), now.to_string());
            let query = [
                ("query", self.expr.as_str()),
                ("start", &start),
                ("end", &end),
                ("step", "1"),
            ];
            prometheus.query_api("/api/v1/query_range", &query).await
        };
        let result = match response {
            Ok(response) => response["result"].clone(),
            Err(error) => return Some(format!("{}: {error}", self.place)),
        };
        let mut samples = array(&result).iter().flat_map(samples);
        if samples.any(f64::is_finite) {
            return None;
        }
        Some(format!("{}: no values for {}", self.place, self.expr))
    }
}

/// The values of a series, from an instant or a range query.
fn samples(series: &Value) -> Vec<f64> {
    let value = |sample: &Value| text(&sample[1]).parse().unwrap();
    match &series["values"] {
        Value::Array(samples) => samples.iter().map(value).collect(),
        _ => vec![value(&series["value"])],
    }
}

/// `text` with a value for every variable in it.
pub(crate) fn fill(text: &str, chosen: &Chosen) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, variable, after)) = next_variable(rest) {
        let built_in = BUILT_IN.iter().find(|(name, _)| *name == variable);
        let value = chosen.get(variable).map(String::as_str);
        let value = value.or(built_in.map(|(_, value)| *value));
        filled.push_str(before);
        if variable.chars().all(|c| c.is_ascii_digit()) {
            // A group of a pattern, which Grafana leaves as it is.
            filled.push('$');
            filled.push_str(variable);
        } else {
            filled.push_str(value.unwrap_or_else(|| panic!("no value for ${variable} in {text}")));
        }
        rest = after;
    }
    filled + rest
}

/// The names of all variables in `text`.
pub(crate) fn variables_in(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, variable, after)) = next_variable(rest) {
        found.push(variable);
        rest = after;
    }
    found
}

/// The text before the next `$name`, `${name}` or `${name:format}`, the name, and the text after it.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('$')?;
    if let Some(braced) = rest.strip_prefix('{') {
        let (inner, after) = braced.split_once('}')?;
        let name = inner.split([':', '.']).next()?;
        return Some((before, name, after));
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
    Some((before, name, after))
}

/// The label whose value a variable's pattern takes, and all labels that it expects, in order.
fn picked(pattern: &str) -> (&str, Vec<&str>) {
    if let Some(label) = pattern
        .strip_prefix(r"/\{")
        .and_then(|rest| rest.strip_suffix(r#"="(.*)"\}/"#))
    {
        return (label, vec![label]);
    }
    // One label is the value, and another is shown to people.
    let ends = pattern.match_indices(r#"="(?<"#);
    let labels = ends.map(|(end, _)| {
        let begin = pattern[..end].rfind(|c: char| !c.is_ascii_lowercase() && c != '_');
        &pattern[begin.unwrap() + 1..end]
    });
    let labels: Vec<_> = labels.collect();
    let value = labels
        .iter()
        .find(|label| pattern.contains(&format!(r#"{label}="(?<value>"#)));
    (value.unwrap_or_else(|| panic!("{pattern}")), labels)
}

/// The arguments of a call of `function`.
fn call<'a>(function: &str, text: &'a str) -> Option<&'a str> {
    let rest = text.strip_prefix(function)?;
    rest.strip_prefix('(')?.strip_suffix(')')
}

pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

pub(crate) fn array(value: &Value) -> &[Value] {
    let array = value.as_array();
    array.unwrap_or_else(|| panic!("not a list: {value}"))
}
