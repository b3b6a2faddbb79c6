//! The dashboards in `grafana/`.

mod choices;
mod figures;
mod form;
mod scenes;
mod verdict;
