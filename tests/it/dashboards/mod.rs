//! The dashboards in `grafana/`.

mod choices;
mod form;
mod scenes;
mod values;
mod verdict;
