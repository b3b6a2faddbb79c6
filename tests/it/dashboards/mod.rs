//! The dashboards in `grafana/`.

mod choices;
mod deliverability;
mod form;
mod scenes;
mod values;
mod verdict;
