//! The account `default`, whose credentials are in environment variables. A variable with `_FILE` at its end names a file that
//! holds the value.

use std::path::Path;

use super::credentials::{Credentials, Field, Given, Pair};
use super::form::Form;
use super::keys::TOKEN_URL;
use super::oauth;
use super::problem::Findings;
use super::secret::Secret;
use super::sid::Sid;

/// Looks up an environment variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What to do if there are no credentials.
const CURE: &str = "no credentials: set TWILIO_API_KEY and TWILIO_API_SECRET, TWILIO_OAUTH_CLIENT_ID and \
    TWILIO_OAUTH_CLIENT_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (or write each into a file: \
    TWILIO_API_SECRET_FILE, …); `twilio-email-exporter demo` needs no account";

/// The credentials in the variables.
pub(super) fn credentials(
    environment: Environment,
    findings: &mut Findings,
) -> Option<Credentials> {
    let key = pair(
        environment,
        Form::Sid(Sid::ApiKey),
        ["TWILIO_API_KEY", "TWILIO_API_SECRET"],
        findings,
    );
    let client = pair(
        environment,
        Form::ClientId,
        ["TWILIO_OAUTH_CLIENT_ID", "TWILIO_OAUTH_CLIENT_SECRET"],
        findings,
    );
    let token = pair(
        environment,
        Form::Sid(Sid::Account),
        ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"],
        findings,
    );
    let url = set(environment, TOKEN_URL);
    let given = Given {
        token_url: oauth::token_url(url.as_deref().map(|url| (TOKEN_URL, url)), findings),
        key,
        client,
        token,
    };
    if given.is_nothing() {
        findings.problem("environment", CURE);
        return None;
    }
    if url.is_some() && given.client.is_nothing() {
        findings.notice(TOKEN_URL, "not used: there is no TWILIO_OAUTH_CLIENT_ID");
    }
    given.choose(findings)
}

fn pair(environment: Environment, form: Form, names: [&str; 2], findings: &mut Findings) -> Pair {
    let [name, secret] = names;
    Pair {
        name: variable(environment, name, form, findings),
        name_place: name.to_owned(),
        secret: variable(environment, secret, Form::Secret, findings),
        secret_place: secret.to_owned(),
    }
}

/// The value of the variable `name`, or the content of the file in `name_FILE`.
fn variable(
    environment: Environment,
    name: &str,
    form: Form,
    findings: &mut Findings,
) -> Field<Secret> {
    let file_name = format!("{name}_FILE");
    match (set(environment, name), set(environment, &file_name)) {
        (None, None) => Field::Absent,
        (Some(_), Some(_)) => {
            findings.problem(
                name,
                format_args!("set together with {file_name}; unset one of the two"),
            );
            Field::Invalid
        }
        (Some(value), None) => Field::checked(findings.take(name, Secret::given(&value, form))),
        (None, Some(path)) => {
            let secret = Secret::in_file(&file_name, Path::new(""), &path, form);
            Field::checked(findings.take(&file_name, secret))
        }
    }
}

/// The variable's value. An empty value counts as unset, because compose files omit a variable in this way.
fn set(environment: Environment, name: &str) -> Option<String> {
    environment(name).filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const ACCOUNT: &str = "AC00000000000000000000000000000000";
    const KEY: &str = "SK00000000000000000000000000000000";

    /// `username:password`, or the problems and notices.
    fn read(variables: &[(&str, &str)]) -> (String, Vec<String>) {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(each, _)| *each == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let mut findings = Findings::default();
        let login = match credentials(&lookup, &mut findings) {
            Some(Credentials::Basic { username, password }) => {
                let sid = username.text().expose_secret();
                format!("{}:{}", &sid[..2], password.text().expose_secret())
            }
            Some(Credentials::Client(client)) => {
                let [id, secret] =
                    [&client.id, &client.secret].map(|each| each.text().expose_secret());
                format!("{id}:{secret} {}", client.token_url)
            }
            None => String::new(),
        };
        let reported = findings.problems.iter().chain(&findings.notices);
        (login, reported.map(ToString::to_string).collect())
    }

    #[test]
    fn either_pair_of_credentials_is_enough_and_an_account_sid_may_be_alone() {
        let nothing: Vec<String> = Vec::new();
        let account = ("TWILIO_ACCOUNT_SID", ACCOUNT);
        let token = [account, ("TWILIO_AUTH_TOKEN", "t\n")];
        assert_eq!(read(&token), ("AC:t".into(), nothing.clone()));
        let key = [
            account,
            ("TWILIO_API_KEY", KEY),
            ("TWILIO_API_SECRET", "s"),
            ("TWILIO_AUTH_TOKEN", ""),
        ];
        assert_eq!(read(&key), ("SK:s".into(), nothing));
    }

    #[test]
    fn of_two_pairs_the_api_key_is_used_and_a_notice_names_the_other() {
        let both = [
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("TWILIO_AUTH_TOKEN", "t"),
            ("TWILIO_API_KEY", KEY),
            ("TWILIO_API_SECRET", "s"),
        ];
        let notice = "TWILIO_AUTH_TOKEN: not used: the API key of TWILIO_API_KEY has priority";
        assert_eq!(read(&both), ("SK:s".into(), vec![notice.to_owned()]));
    }

    #[test]
    fn an_oauth_client_is_enough() {
        let client = [
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("TWILIO_OAUTH_CLIENT_ID", "id"),
            ("TWILIO_OAUTH_CLIENT_SECRET", "s"),
        ];
        let twilio = format!("id:s {}", oauth::DEFAULT_TOKEN_URL);
        assert_eq!(read(&client), (twilio, Vec::new()));
        let url = ("TWILIO_OAUTH_TOKEN_URL", "http://127.0.0.1:1/t");
        let elsewhere = [&client[..], &[url]].concat();
        assert_eq!(
            read(&elsewhere),
            ("id:s http://127.0.0.1:1/t".into(), Vec::new())
        );
        let wrong = [&client[..], &[("TWILIO_OAUTH_TOKEN_URL", "here")]].concat();
        let (login, reported) = read(&wrong);
        assert_eq!((login.as_str(), reported.len()), ("", 1));
        assert!(reported[0].starts_with("TWILIO_OAUTH_TOKEN_URL: expected a URL like "));
    }

    #[test]
    fn credentials_that_can_be_revoked_alone_have_priority_and_a_notice_names_the_rest() {
        let client = [
            ("TWILIO_OAUTH_CLIENT_ID", "id"),
            ("TWILIO_OAUTH_CLIENT_SECRET", "s"),
        ];
        let token = [("TWILIO_ACCOUNT_SID", ACCOUNT), ("TWILIO_AUTH_TOKEN", "t")];
        let (login, reported) = read(&[client, token].concat());
        assert!(login.starts_with("id:s "), "{login}");
        let preferred = "the OAuth client of TWILIO_OAUTH_CLIENT_ID has priority";
        assert_eq!(
            reported,
            [format!("TWILIO_AUTH_TOKEN: not used: {preferred}")]
        );
        let key = [("TWILIO_API_KEY", KEY), ("TWILIO_API_SECRET", "k")];
        let (login, reported) = read(&[key, client, token].concat());
        assert_eq!(login, "SK:k");
        let preferred = "not used: the API key of TWILIO_API_KEY has priority";
        let unused = ["TWILIO_OAUTH_CLIENT_ID", "TWILIO_AUTH_TOKEN"];
        assert_eq!(
            reported,
            unused.map(|place| format!("{place}: {preferred}"))
        );
        let url = [("TWILIO_OAUTH_TOKEN_URL", "https://127.0.0.1/t")];
        let (login, reported) = read(&[&key[..], &url].concat());
        let unused = "TWILIO_OAUTH_TOKEN_URL: not used: there is no TWILIO_OAUTH_CLIENT_ID";
        assert_eq!(
            (login.as_str(), reported),
            ("SK:k", vec![unused.to_owned()])
        );
    }

    #[test]
    fn half_pairs_name_the_other_half() {
        for (name, value, reported) in [
            (
                "TWILIO_ACCOUNT_SID",
                ACCOUNT,
                "TWILIO_AUTH_TOKEN: missing, but needed with TWILIO_ACCOUNT_SID",
            ),
            (
                "TWILIO_AUTH_TOKEN",
                "t",
                "TWILIO_ACCOUNT_SID: missing, but needed with TWILIO_AUTH_TOKEN",
            ),
            (
                "TWILIO_API_KEY",
                KEY,
                "TWILIO_API_SECRET: missing, but needed with TWILIO_API_KEY",
            ),
            (
                "TWILIO_OAUTH_CLIENT_ID",
                "id",
                "TWILIO_OAUTH_CLIENT_SECRET: missing, but needed with TWILIO_OAUTH_CLIENT_ID",
            ),
            (
                "TWILIO_OAUTH_CLIENT_SECRET",
                "s",
                "TWILIO_OAUTH_CLIENT_ID: missing, but needed with TWILIO_OAUTH_CLIENT_SECRET",
            ),
            (
                "TWILIO_API_SECRET",
                "s",
                "TWILIO_API_KEY: missing, but needed with TWILIO_API_SECRET",
            ),
        ] {
            assert_eq!(
                read(&[(name, value)]),
                (String::new(), vec![reported.to_owned()])
            );
        }
    }

    #[test]
    fn without_credentials_the_error_names_all_pairs_and_the_demo() {
        let (_, reported) = read(&[("TWILIO_API_KEY", " ")]);
        assert_eq!(reported, [format!("environment: {CURE}")]);
    }

    #[test]
    fn a_file_replaces_a_value_and_both_together_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let (sid, token) = (file("sid", &format!("{ACCOUNT}\n")), file("token", "t\n"));
        let files = [
            ("TWILIO_ACCOUNT_SID_FILE", sid.as_str()),
            ("TWILIO_AUTH_TOKEN_FILE", &token),
        ];
        assert_eq!(read(&files), ("AC:t".into(), Vec::new()));
        let twice = [files[0], files[1], ("TWILIO_AUTH_TOKEN", "t")];
        let reported =
            "TWILIO_AUTH_TOKEN: set together with TWILIO_AUTH_TOKEN_FILE; unset one of the two";
        assert_eq!(read(&twice), (String::new(), vec![reported.to_owned()]));
    }

    #[test]
    fn no_value_is_repeated() {
        let wrong = [
            ("TWILIO_ACCOUNT_SID", "s3cret"),
            ("TWILIO_AUTH_TOKEN", "s3 cret"),
        ];
        let (login, reported) = read(&wrong);
        assert_eq!((login.as_str(), reported.len()), ("", 2));
        assert!(!reported.concat().contains("s3"), "{reported:?}");
    }
}
