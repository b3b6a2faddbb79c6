//! All accounts: those of the file, or the one from the environment. Options about operations are allowed only with one account.

use super::account::{self, Account, Defaults, Names};
use super::environment::{self, Environment};
use super::problem::Findings;
use super::walk::Value;

/// The account `default`.
pub(super) fn from_environment(
    environment: Environment,
    defaults: &Defaults,
    findings: &mut Findings,
) -> Vec<Account> {
    let credentials = environment::credentials(environment, findings);
    let mut account = account::default(credentials, defaults);
    if let Some(account) = &mut account {
        watch(account, defaults);
        tell_idle(account, "--discovery", findings);
    }
    account.into_iter().collect()
}

/// The accounts of the list `accounts`.
pub(super) fn from_file(
    value: &Value,
    defaults: &Defaults,
    findings: &mut Findings,
) -> Vec<Account> {
    let Some(items) = value.list(findings) else {
        return Vec::new();
    };
    if items.is_empty() {
        let message = "an empty list; add an account, or remove `accounts` to use the account of the environment";
        findings.problem(&value.place, message);
    }
    if items.len() > 1 && !defaults.operations.is_empty() {
        let message = format_args!(
            "the file has {} accounts; set the operations as `operations` of one of them",
            items.len()
        );
        findings.problem("--operation", message);
    }
    let mut names = Names::new();
    let mut accounts = Vec::new();
    for item in &items {
        if let Some(mut account) = account::read(item, defaults, &mut names, findings) {
            watch(&mut account, defaults);
            tell_idle(&account, &item.place, findings);
            accounts.push(account);
        }
    }
    accounts
}

/// Adds the operations of the command line. An operation that is also in the file keeps its labels.
fn watch(account: &mut Account, defaults: &Defaults) {
    for id in defaults.operations {
        account.operations.entry(*id).or_default();
    }
}

fn tell_idle(account: &Account, place: &str, findings: &mut Findings) {
    let is_listed = !account.operations.is_empty()
        || !account.operation_files.is_empty()
        || !account.operation_urls.is_empty();
    if !account.discovery && !is_listed {
        findings.notice(
            place,
            "no operation can be found: discovery is off and no operations are configured",
        );
    }
}
