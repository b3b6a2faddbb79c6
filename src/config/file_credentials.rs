//! The credentials of an account in the configuration file. The file contains SIDs; secrets are only in separate files.

use std::path::Path;

use url::Url;

use super::credentials::{Credentials, Field, Given, Pair};
use super::form::Form;
use super::oauth;
use super::problem::Findings;
use super::secret::Secret;
use super::sid::Sid;
use super::walk::{Mapping, Value};

const CURE: &str = "no credentials: give `api_key_sid` and `api_key_secret_file`, `oauth`, or `account_sid` and `auth_token_file`";

/// Takes the keys of the credentials from `account`. Relative paths start at `directory`, where the configuration is.
pub(super) fn read(
    account: &mut Mapping,
    directory: &Path,
    findings: &mut Findings,
) -> Option<Credentials> {
    let mut pair =
        |kind: Sid, [sid, secret, inline]: [&'static str; 3], findings: &mut Findings| Pair {
            name: match account.take(sid) {
                Some(value) => Field::checked(sid_text(kind, &value, findings)),
                None => Field::Absent,
            },
            name_place: account.place_of(sid),
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
    let (client, token_url) = oauth(account, directory, findings);
    let given = Given {
        key,
        client,
        token_url,
        token,
    };
    if given.is_nothing() {
        findings.problem(&account.place, CURE);
        return None;
    }
    given.choose(findings)
}

fn sid_text(kind: Sid, value: &Value, findings: &mut Findings) -> Option<Secret> {
    let text = value.text(findings)?;
    let sid = Secret::given(text, Form::Sid(kind));
    findings.take(&value.place, sid)
}

/// The secret in the file that the key `file` names; the key `inline` is refused.
fn secret_of(
    mapping: &mut Mapping,
    file: &'static str,
    inline: &'static str,
    directory: &Path,
    findings: &mut Findings,
) -> Field<Secret> {
    let value = mapping.take(file);
    if mapping.has_refused(inline) {
        let message = format_args!(
            "a secret must not be in this file: write it to a file of its own and set `{file}`"
        );
        findings.problem(&mapping.place_of(inline), message);
        return Field::Invalid;
    }
    let Some(value) = value else {
        return Field::Absent;
    };
    let Some(path) = value.text(findings) else {
        return Field::Invalid;
    };
    if path.is_empty() {
        findings.problem(&value.place, "empty; name a file");
        return Field::Invalid;
    }
    let secret = Secret::in_file(&value.place, directory, path, Form::Secret);
    Field::checked(findings.take(&value.place, secret))
}

/// The key `oauth`: the id and the secret of a client, and its token endpoint.
fn oauth(account: &mut Mapping, directory: &Path, findings: &mut Findings) -> (Pair, Option<Url>) {
    let mut client = Pair {
        name: Field::Absent,
        name_place: account.place_of("oauth"),
        secret: Field::Absent,
        secret_place: account.place_of("oauth"),
    };
    let Some(value) = account.take("oauth") else {
        return (client, None);
    };
    (client.name, client.secret) = (Field::Invalid, Field::Invalid);
    let Some(mut mapping) = value.mapping(findings) else {
        return (client, None);
    };
    if let Some(id) = mapping.require("client_id", findings)
        && let Some(text) = id.text(findings)
    {
        client.name = Field::checked(findings.take(&id.place, Secret::given(text, Form::ClientId)));
    }
    let [file, inline] = ["client_secret_file", "client_secret"];
    client.secret = match secret_of(&mut mapping, file, inline, directory, findings) {
        Field::Absent => {
            findings.problem(&mapping.place_of(file), "missing");
            Field::Invalid
        }
        found => found,
    };
    let token_url = match mapping.take("token_url") {
        Some(url) => {
            let text = url.text(findings);
            text.and_then(|text| oauth::token_url(Some((&url.place, text)), findings))
        }
        None => oauth::token_url(None, findings),
    };
    mapping.finish(findings);
    (client, token_url)
}
