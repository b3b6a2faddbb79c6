//! Links to the dashboards in `grafana/`, if a Grafana is configured.

use std::fmt::Write;

use url::Url;

use crate::operation::OperationId;

/// The dashboard of an account, and that of one operation: `uid` in `grafana/*.json`.
const OVERVIEW: &str = "twilio-email-overview";
const OPERATION: &str = "twilio-email-operation";

/// The dashboard of an account; without a name, of all accounts.
pub(super) fn overview(base: &Url, account: Option<&str>) -> String {
    let variables = account.map(|account| ("var-account", account));
    dashboard(base, OVERVIEW, variables)
}

/// The dashboard of one operation, from its creation to now.
pub(super) fn operation(base: &Url, account: &str, id: &str) -> String {
    let variables = [("var-account", account), ("var-operation_id", id)];
    let mut link = dashboard(base, OPERATION, variables);
    if let Ok(id) = id.parse::<OperationId>() {
        let _ = write!(link, "&from={}&to=now", id.created().as_millis());
    }
    link
}

fn dashboard<'v>(
    base: &Url,
    uid: &str,
    variables: impl IntoIterator<Item = (&'v str, &'v str)>,
) -> String {
    let mut url = base.clone();
    // The configuration accepts only URLs that have a path.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push("d").push(uid);
    }
    for (name, value) in variables {
        url.query_pairs_mut().append_pair(name, value);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_link_names_the_dashboard_and_its_variables() {
        let base = Url::parse("https://example.com/grafana/").unwrap();
        assert_eq!(
            operation(&base, "a&b", "comms_operation_1"),
            "https://example.com/grafana/d/twilio-email-operation?var-account=a%26b&var-operation_id=comms_operation_1"
        );
        let root = Url::parse("http://grafana:3000").unwrap();
        assert_eq!(
            overview(&root, None),
            "http://grafana:3000/d/twilio-email-overview"
        );
    }

    #[test]
    fn the_dashboards_have_these_uids_and_variables() {
        let dashboards = [
            (
                OVERVIEW,
                include_str!("../../../grafana/overview.json"),
                &["account"][..],
            ),
            (
                OPERATION,
                include_str!("../../../grafana/operation.json"),
                &["account", "operation_id"],
            ),
        ];
        for (uid, text, variables) in dashboards {
            let dashboard: Value = serde_json::from_str(text).unwrap();
            assert_eq!(dashboard["uid"], uid);
            let known = dashboard["templating"]["list"].as_array().unwrap();
            for variable in variables {
                let is_known = known.iter().any(|known| known["name"] == **variable);
                assert!(is_known, "{uid} {variable}");
            }
        }
    }
}
