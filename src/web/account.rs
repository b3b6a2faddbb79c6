//! Finds the account of a request by the parameter `account`. Without it, a request is about the only account, or about all of
//! them.

use std::sync::Arc;

use super::service::Service;
use crate::collector::Account;

/// Why no account was found: a sentence for the client. It repeats nothing from the request.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAccount {
    /// No account has the name that was given.
    #[error("There is no such account. Accounts: {0}.")]
    Unknown(String),
    /// No name was given, and there is more than one account.
    #[error("The parameter account is required, because there are several accounts: {0}.")]
    Unnamed(String),
}

/// The account of this name; without a name, the only one.
pub(super) fn one(service: &Service, name: Option<&str>) -> Result<Arc<Account>, NoAccount> {
    service.collector.account(name).ok_or_else(|| {
        let names = service.collector.names().join(", ");
        match name {
            Some(_) => NoAccount::Unknown(names),
            None => NoAccount::Unnamed(names),
        }
    })
}

/// The account of this name; without a name, all of them.
pub(super) fn all(service: &Service, name: Option<&str>) -> Result<Vec<Arc<Account>>, NoAccount> {
    if name.is_some() {
        return one(service, name).map(|account| vec![account]);
    }
    let names = service.collector.names();
    // A reload may have removed an account meanwhile.
    let known = names
        .iter()
        .filter_map(|name| service.collector.account(Some(name)));
    Ok(known.collect())
}
