//! The dashboards in `grafana/`.

mod form;
mod values;
