//! The credentials of an account in the file: SIDs stand there, secrets only in files of their own.

use std::path::Path;

use super::credentials::{self, Credentials, Found, Pair, Sid};
use super::problem::Findings;
use super::secret;
use super::walk::{Mapping, Value};

const CURE: &str = "no credentials: give `api_key_sid` and `api_key_secret_file`, or `account_sid` and `auth_token_file`";

/// Takes the keys of the credentials from `account`. Files are found from `directory`, where the configuration is.
pub(super) fn read(
    account: &mut Mapping,
    directory: &Path,
    findings: &mut Findings,
) -> Option<Credentials> {
    let mut pair =
        |kind: Sid, [sid, secret, inline]: [&'static str; 3], findings: &mut Findings| Pair {
            sid: match account.take(sid) {
                Some(value) => Found::told(sid_text(kind, &value, findings)),
                None => Found::Nothing,
            },
            sid_place: account.place_of(sid),
            secret: secret_of(account, secret, inline, directory, findings),
            secret_place: account.place_of(secret),
        };
    let token = pair(
        Sid::Account,
        ["account_sid", "auth_token_file", "auth_token"],
        findings,
    );
    let key = pair(
        Sid::ApiKey,
        ["api_key_sid", "api_key_secret_file", "api_key_secret"],
        findings,
    );
    let oauth = account.take("oauth");
    if let Some(oauth) = &oauth {
        check_oauth(oauth, directory, findings);
    }
    let oauth_alone = key.is_nothing() && token.secret.is_nothing();
    match oauth {
        Some(oauth) if oauth_alone => {
            findings.problem(
                &oauth.place,
                "OAuth credentials are not supported by this version; use an API key",
            );
            return None;
        }
        Some(oauth) => findings.notice(
            &oauth.place,
            "not used by this version: the other credentials are",
        ),
        None if key.is_nothing() && token.is_nothing() => {
            findings.problem(&account.place, CURE);
            return None;
        }
        None => {}
    }
    credentials::choose(key, token, findings)
}

fn sid_text(kind: Sid, value: &Value, findings: &mut Findings) -> Option<String> {
    let text = value.text(findings)?;
    findings.take(&value.place, kind.check(text))
}

/// The secret in the file that the key `file` names; the key `inline` is refused.
fn secret_of(
    mapping: &mut Mapping,
    file: &'static str,
    inline: &'static str,
    directory: &Path,
    findings: &mut Findings,
) -> Found<secrecy::SecretString> {
    let value = mapping.take(file);
    if mapping.has_refused(inline) {
        let message = format_args!(
            "a secret does not stand in this file: write it into a file of its own and name that as `{file}`"
        );
        findings.problem(&mapping.place_of(inline), message);
        return Found::Wrong;
    }
    let Some(value) = value else {
        return Found::Nothing;
    };
    let Some(path) = value.text(findings) else {
        return Found::Wrong;
    };
    if path.is_empty() {
        findings.problem(&value.place, "empty; name a file");
        return Found::Wrong;
    }
    Found::told(findings.take(&value.place, secret::from_file(&directory.join(path))))
}

/// Holds `oauth` to its shape, so that a file written for a later version is checked as far as this one can.
fn check_oauth(oauth: &Value, directory: &Path, findings: &mut Findings) {
    let Some(mut mapping) = oauth.mapping(findings) else {
        return;
    };
    if let Some(id) = mapping.require("client_id", findings) {
        id.text(findings);
    }
    let secret = secret_of(
        &mut mapping,
        "client_secret_file",
        "client_secret",
        directory,
        findings,
    );
    if secret.is_nothing() {
        findings.problem(&mapping.place_of("client_secret_file"), "missing");
    }
    mapping.finish(findings);
}
