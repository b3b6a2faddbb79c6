//! Chooses the faults for a request and counts them down. All delays apply, and the first other effect.

use std::time::Duration;

use super::effect::Effect;
use super::rule::{Fault, FaultScope};
use crate::simulator::api_request::ApiRequest;

/// The effect of `faults` on `request`: its delay, and the effect on its response. Counts down the faults that it uses.
pub(in crate::simulator) fn choose(
    faults: &mut Vec<Fault>,
    request: &ApiRequest,
) -> (Duration, Option<Effect>) {
    let (mut delay, mut on_response) = (Duration::ZERO, None);
    for fault in faults.iter_mut().filter(|fault| fault.matches(request)) {
        match &fault.effect {
            Effect::Slow(span) => delay += *span,
            effect if on_response.is_none() => on_response = Some(effect.clone()),
            _ => continue,
        }
        fault.times = fault.times.map(|times| times.saturating_sub(1));
    }
    faults.retain(|fault| fault.times != Some(0));
    (delay, on_response)
}

impl Fault {
    fn matches(&self, request: &ApiRequest) -> bool {
        let scope = match (&self.scope, request) {
            (FaultScope::All, _)
            | (FaultScope::Send, ApiRequest::Send)
            | (FaultScope::Token, ApiRequest::Token) => true,
            (FaultScope::List(page), ApiRequest::Operations(query))
            | (FaultScope::Emails(page), ApiRequest::Emails(query)) => {
                page.is_none_or(|page| page == query.page_number())
            }
            (FaultScope::UnfilteredEmails, ApiRequest::Emails(query)) => query.operation.is_none(),
            (FaultScope::Operation(wanted), ApiRequest::Operation(id)) => {
                wanted.as_ref().is_none_or(|wanted| wanted == id)
            }
            _ => false,
        };
        scope && (request.is_list() || !self.effect.is_of_lists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_end_after_their_number_of_requests_and_delays_add_up() {
        let mut faults: Vec<Fault> = ["operation=slow:2s", "slow:1s:times=1", "500:times=2", "404"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let request = ApiRequest::Operation("x".to_owned());
        let mut struck = || {
            let (delay, effect) = choose(&mut faults, &request);
            let Some(Effect::Status { code, .. }) = effect else {
                panic!("{effect:?}");
            };
            (delay.as_secs(), code)
        };
        assert_eq!(struck(), (3, 500));
        assert_eq!(struck(), (2, 500));
        assert_eq!(struck(), (2, 404));
    }

    #[test]
    fn faults_of_lists_do_not_affect_other_requests() {
        let mut faults = vec![Fault::new(Effect::Empty).times(1)];
        let (_, effect) = choose(&mut faults, &ApiRequest::Operation("x".to_owned()));
        assert_eq!(effect, None);
        assert_eq!(faults.len(), 1);
    }
}
