//! The account `default`, whose credentials stand in environment variables.

use std::path::Path;

use secrecy::SecretString;

use super::credentials::{self, Credentials, Found, Pair, Sid};
use super::problem::Findings;
use super::secret;

/// Looks up an environment variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What to do without any credentials.
const CURE: &str = "no credentials: set TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_ACCOUNT_SID and \
    TWILIO_AUTH_TOKEN (each may name a file instead: TWILIO_API_SECRET_FILE, …); `twilio-email-exporter demo` needs \
    no account";

/// The credentials in the variables.
pub(super) fn credentials(
    environment: Environment,
    findings: &mut Findings,
) -> Option<Credentials> {
    let key = pair(
        environment,
        Sid::ApiKey,
        ["TWILIO_API_KEY", "TWILIO_API_SECRET"],
        findings,
    );
    let token = pair(
        environment,
        Sid::Account,
        ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"],
        findings,
    );
    if key.is_nothing() && token.is_nothing() {
        findings.problem("environment", CURE);
        return None;
    }
    credentials::choose(key, token, findings)
}

fn pair(environment: Environment, sid: Sid, names: [&str; 2], findings: &mut Findings) -> Pair {
    let [sid_name, secret_name] = names;
    Pair {
        sid: variable(environment, sid_name, findings).as_sid(sid, sid_name, findings),
        sid_place: sid_name.to_owned(),
        secret: variable(environment, secret_name, findings),
        secret_place: secret_name.to_owned(),
    }
}

/// The variable `name`, or what is in the file that `name_FILE` names. Empty ones count as unset: that is how compose
/// files leave a variable out.
fn variable(environment: Environment, name: &str, findings: &mut Findings) -> Found<SecretString> {
    let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    let file_name = format!("{name}_FILE");
    match (set(name), set(&file_name)) {
        (None, None) => Found::Nothing,
        (Some(_), Some(_)) => {
            findings.problem(
                name,
                format_args!("set beside {file_name}; unset one of the two"),
            );
            Found::Wrong
        }
        (Some(value), None) => Found::told(findings.take(name, secret::from_text(&value))),
        (None, Some(path)) => {
            Found::told(findings.take(&file_name, secret::from_file(Path::new(&path))))
        }
    }
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
                format!("{}:{}", &username[..2], password.expose_secret())
            }
            None => String::new(),
        };
        let told = findings.problems.iter().chain(&findings.notices);
        (login, told.map(ToString::to_string).collect())
    }

    #[test]
    fn either_pair_will_do_and_a_lone_account_sid_does_no_harm() {
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
    fn with_both_pairs_the_key_is_taken_and_told() {
        let both = [
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("TWILIO_AUTH_TOKEN", "t"),
            ("TWILIO_API_KEY", KEY),
            ("TWILIO_API_SECRET", "s"),
        ];
        let notice = "TWILIO_AUTH_TOKEN: not used: the API key of TWILIO_API_KEY is preferred";
        assert_eq!(read(&both), ("SK:s".into(), vec![notice.to_owned()]));
    }

    #[test]
    fn half_pairs_name_the_other_half() {
        for (name, value, told) in [
            (
                "TWILIO_ACCOUNT_SID",
                ACCOUNT,
                "TWILIO_AUTH_TOKEN: missing, but needed beside TWILIO_ACCOUNT_SID",
            ),
            (
                "TWILIO_AUTH_TOKEN",
                "t",
                "TWILIO_ACCOUNT_SID: missing, but needed beside TWILIO_AUTH_TOKEN",
            ),
            (
                "TWILIO_API_KEY",
                KEY,
                "TWILIO_API_SECRET: missing, but needed beside TWILIO_API_KEY",
            ),
            (
                "TWILIO_API_SECRET",
                "s",
                "TWILIO_API_KEY: missing, but needed beside TWILIO_API_SECRET",
            ),
        ] {
            assert_eq!(
                read(&[(name, value)]),
                (String::new(), vec![told.to_owned()])
            );
        }
    }

    #[test]
    fn nothing_at_all_names_both_ways_and_the_demo() {
        let (_, told) = read(&[("TWILIO_API_KEY", " ")]);
        assert_eq!(told, [format!("environment: {CURE}")]);
    }

    #[test]
    fn files_stand_in_for_values_but_not_beside_them() {
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
        let told = "TWILIO_AUTH_TOKEN: set beside TWILIO_AUTH_TOKEN_FILE; unset one of the two";
        assert_eq!(read(&twice), (String::new(), vec![told.to_owned()]));
    }

    #[test]
    fn no_value_is_repeated() {
        let wrong = [
            ("TWILIO_ACCOUNT_SID", "s3cret"),
            ("TWILIO_AUTH_TOKEN", "s3 cret"),
        ];
        let (login, told) = read(&wrong);
        assert_eq!((login.as_str(), told.len()), ("", 2));
        assert!(!told.concat().contains("s3"), "{told:?}");
    }
}
