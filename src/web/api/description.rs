//! `GET /api/v1/openapi.json`: the description of the API for programs.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// `OpenAPI` 3.1 (<https://spec.openapis.org/oas/v3.1.0>). Tests compare the handlers with it.
const OPENAPI: &str = include_str!("openapi.json");

pub(super) async fn description() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}

#[cfg(test)]
mod tests {
    use super::OPENAPI;
    use crate::label;

    #[test]
    fn the_description_lists_the_label_names_that_are_not_allowed() {
        let described: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let refused = described.pointer("/components/schemas/Labels/propertyNames/not/enum");
        let refused: Vec<_> = refused.unwrap().as_array().unwrap().iter().collect();
        let known = label::refused_names();
        assert_eq!(refused.len(), known.count());
        for name in label::refused_names() {
            assert!(refused.iter().any(|each| *each == name), "{name}");
        }
    }
}
