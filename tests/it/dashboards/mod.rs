//! The dashboards in `grafana/`.

mod figures;
mod form;
