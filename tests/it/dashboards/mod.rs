//! The dashboards in `grafana/`.

mod choices;
mod deliverability;
mod figures;
mod form;
mod scenes;
mod verdict;
