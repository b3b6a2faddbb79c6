//! Secrets that change while the exporter runs: no restart, no lost values, and one line in the log.

use std::os::unix::fs::symlink;

use super::*;
use crate::support::exporter::{SID, account_at};

const KEY: &str = "SK0123456789abcdef0123456789abcdef";

/// The kinds of secrets in files.
#[derive(Debug, Clone, Copy)]
enum Kind {
    AuthToken,
    ApiKeySecret,
    ClientSecret,
}

const KINDS: [Kind; 3] = [Kind::AuthToken, Kind::ApiKeySecret, Kind::ClientSecret];

/// An account whose secret is in a file, and the clock that the test sets.
struct Account {
    kind: Kind,
    clock: Clock,
    twilio: Twilio,
    exporter: Exporter,
}

impl Account {
    /// The file at `path` contains `secret`.
    async fn new(kind: Kind, path: &Path, secret: &str) -> Self {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        twilio.put(Duration::from_mins(5), json!({"total": 1}));
        // No other user name and password is accepted.
        twilio
            .handle
            .set_logins(vec![BasicLogin::new("nobody", "x")]);
        accept(&twilio, kind, secret);
        let (url, file) = (twilio.base_url(), path.display());
        let account = match kind {
            Kind::AuthToken => account_at("default", &url, "").replace(
                "auth_token_file: token",
                &format!("auth_token_file: {file}"),
            ),
            Kind::ApiKeySecret => account_at("default", &url, "")
                .replace(
                    &format!("account_sid: {SID}"),
                    &format!("api_key_sid: {KEY}"),
                )
                .replace(
                    "auth_token_file: token",
                    &format!("api_key_secret_file: {file}"),
                ),
            Kind::ClientSecret => oauth_account("default", &url, &token_url(&twilio), path, ""),
        };
        assert!(account.contains(&file.to_string()), "{account}");
        let exporter = Exporter::start_at(&format!("accounts:\n{account}"), clock.clone()).await;
        Self {
            kind,
            clock,
            twilio,
            exporter: exporter.settled().await,
        }
    }

    /// From now on Twilio accepts only this secret.
    fn rotate(&self, secret: &str) {
        accept(&self.twilio, self.kind, secret);
        self.twilio.handle.revoke_tokens();
    }

    async fn next(&self) -> Exposition {
        pass(&self.clock, INTERVAL);
        self.exporter.scrape().await
    }

    /// Whether it is up after another collection.
    async fn is_up(&self) -> bool {
        self.next().await.of_account("up") == Some(1.0)
    }
}

fn accept(twilio: &Twilio, kind: Kind, secret: &str) {
    match kind {
        Kind::AuthToken => twilio.handle.set_logins(vec![BasicLogin::new(SID, secret)]),
        Kind::ApiKeySecret => twilio.handle.set_logins(vec![BasicLogin::new(KEY, secret)]),
        Kind::ClientSecret => twilio
            .handle
            .set_clients(vec![BasicLogin::new(CLIENT, secret)]),
    }
}

#[tokio::test]
async fn a_secret_that_changes_at_twilio_and_in_the_file_fails_no_collection() {
    for kind in KINDS {
        let secrets = Secrets::new();
        let account = Account::new(kind, &secrets.write("s", "first"), "first").await;
        assert!(account.is_up().await, "{kind:?}");
        for secret in ["second", "third"] {
            account.rotate(secret);
            secrets.write("s", secret);
            let seen = account.next().await;
            seen.expect("rotated", &[("up", 1.0), ("collection_complete", 1.0)]);
        }
        let seen = account.next().await;
        // Only a token keeps the account up until the file changes.
        let wanted = if matches!(kind, Kind::ClientSecret) {
            2.0
        } else {
            0.0
        };
        let failures: f64 = seen.failures().values().sum();
        assert!((failures - wanted).abs() < 0.1, "{kind:?}: {failures}");
    }
}

#[tokio::test]
async fn the_collection_after_a_secret_was_corrected_succeeds() {
    for kind in KINDS {
        let secrets = Secrets::new();
        let account = Account::new(kind, &secrets.write("s", "wrong"), "right").await;
        for _ in 0..2 {
            let seen = account.next().await;
            seen.expect("wrong", &[("up", 0.0), ("collection_complete", 0.0)]);
        }
        // A secret that was wrong from the start is in its backoff after the first request.
        assert_eq!(account.twilio.handle.counts().total, 1, "{kind:?}");
        secrets.write("s", "right");
        assert!(account.is_up().await, "{kind:?}");
        // The secret changes at Twilio first, as after a leak.
        account.rotate("other");
        assert!(!account.is_up().await, "{kind:?}");
        secrets.write("s", "other");
        assert!(account.is_up().await, "{kind:?}");
    }
}

#[tokio::test]
async fn a_new_secret_behind_a_swapped_symlink_is_read() {
    for kind in KINDS {
        let secrets = Secrets::new();
        // As in Kubernetes: secret -> ..data/secret, ..data -> a directory with a time in its name.
        for (version, secret) in [("..1", "first"), ("..2", "second")] {
            std::fs::create_dir(secrets.path(version)).unwrap();
            secrets.write(&format!("{version}/secret"), secret);
        }
        symlink("..1", secrets.path("..data")).unwrap();
        symlink("..data/secret", secrets.path("secret")).unwrap();
        let account = Account::new(kind, &secrets.path("secret"), "first").await;
        assert!(account.is_up().await, "{kind:?}");
        account.rotate("second");
        symlink("..2", secrets.path("..data_tmp")).unwrap();
        std::fs::rename(secrets.path("..data_tmp"), secrets.path("..data")).unwrap();
        std::fs::remove_dir_all(secrets.path("..1")).unwrap();
        assert!(account.is_up().await, "{kind:?}");
    }
}

#[tokio::test]
async fn the_last_secret_is_used_while_the_file_has_none() {
    for kind in KINDS {
        let secrets = Secrets::new();
        let path = secrets.write("s", "first");
        let account = Account::new(kind, &path, "first").await;
        let without: [&dyn Fn(); 5] = [
            &|| std::fs::remove_file(&path).unwrap(),
            &|| drop(secrets.write("s", "")),
            &|| drop(secrets.write("s", "two words")),
            &|| std::fs::write(&path, b"\xff\xfe").unwrap(),
            &|| std::fs::write(&path, vec![b'x'; 100_000]).unwrap(),
        ];
        for (at, lose) in without.iter().enumerate() {
            lose();
            for _ in 0..2 {
                let seen = account.next().await;
                let when = format!("{kind:?} {at}");
                seen.expect(&when, &[("up", 1.0), ("collection_complete", 1.0)]);
                assert_eq!(seen.failures().len(), 0, "{when}: {:?}", seen.failures());
            }
            secrets.write("s", "first");
            assert!(account.is_up().await, "{kind:?} {at}");
        }
        // The file returns with another secret.
        std::fs::remove_file(&path).unwrap();
        account.rotate("second");
        assert!(!account.is_up().await, "{kind:?}");
        secrets.write("s", "second");
        assert!(account.is_up().await, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_file_is_logged_once_and_so_is_its_return() {
    let secrets = Secrets::new();
    let path = secrets.write("s", "made-up-first");
    let twilio = Twilio::empty().await;
    let first = BasicLogin::new(SID, "made-up-first");
    twilio.handle.set_logins(vec![first]);
    let (file, url) = (path.display().to_string(), twilio.base_url());
    let running = Running::new(&[
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN_FILE", &file),
        ("TWILIO_EMAIL_BASE_URL", &url),
    ])
    .settled()
    .await;
    running.scrape().await;
    std::fs::remove_file(&path).unwrap();
    for _ in 0..3 {
        assert_eq!(running.scrape().await.of_account("up"), Some(1.0));
    }
    // A different error is logged as well.
    secrets.write("s", "");
    for _ in 0..3 {
        assert_eq!(running.scrape().await.of_account("up"), Some(1.0));
    }
    secrets.write("s", "made-up-second");
    let second = BasicLogin::new(SID, "made-up-second");
    twilio.handle.set_logins(vec![second]);
    for _ in 0..3 {
        assert_eq!(running.scrape().await.of_account("up"), Some(1.0));
    }
    let log = running.log();
    for (level, words) in [
        ("level=warn", "No such file"),
        ("level=warn", "is empty; write the secret into it"),
        ("level=info", "can be read again"),
        (
            "level=info",
            "has new content; the exporter uses it from now on",
        ),
    ] {
        let words = [level, words, "account=default", "TWILIO_AUTH_TOKEN_FILE"];
        assert_eq!(count(&log, &words), 1, "{words:?}: {log}");
    }
    assert_eq!(count(&log, &["TWILIO_AUTH_TOKEN_FILE"]), 4, "{log}");
    assert_eq!(count(&log, &["made-up-"]), 0, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_key_in_files_is_replaced_only_as_a_pair() {
    let secrets = Secrets::new();
    let other = KEY.replace('0', "f");
    let twilio = Twilio::empty().await;
    let first = BasicLogin::new(KEY, "made-up-first");
    twilio.handle.set_logins(vec![first]);
    let sid = secrets.write("sid", KEY).display().to_string();
    let secret = secrets.write("s", "made-up-first").display().to_string();
    let url = twilio.base_url();
    let running = Running::new(&[
        ("TWILIO_API_KEY_FILE", &sid),
        ("TWILIO_API_SECRET_FILE", &secret),
        ("TWILIO_EMAIL_BASE_URL", &url),
    ])
    .settled()
    .await;
    assert_eq!(running.scrape().await.of_account("up"), Some(1.0));
    let second = BasicLogin::new(&other, "made-up-second");
    twilio.handle.set_logins(vec![second]);
    secrets.write("s", "made-up-second");
    // The new secret belongs to a SID that is not in the file yet; then the file contains an invalid SID.
    for half in [KEY, "made-up-second"] {
        secrets.write("sid", half);
        assert_eq!(running.scrape().await.of_account("up"), Some(0.0));
    }
    secrets.write("sid", &other);
    assert_eq!(running.scrape().await.of_account("up"), Some(1.0));
    let log = running.log();
    let words = [
        "level=warn",
        "TWILIO_API_KEY_FILE",
        "an API key SID is `SK`",
    ];
    assert_eq!(count(&log, &words), 1, "{log}");
    for secret in ["made-up-", KEY, &other] {
        assert_eq!(count(&log, &[secret]), 0, "{secret} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_the_client_secret_nor_the_token_is_exposed_or_logged() {
    for fault in ["", "token=401", "401", "token=wrong-json", "token=500"] {
        let twilio = Twilio::empty().await;
        twilio.put(Duration::from_hours(1), json!({"total": 1}));
        if !fault.is_empty() {
            twilio.fault(fault);
        }
        let (base, url) = (twilio.base_url(), token_url(&twilio));
        let running = Running::new(&[
            ("TWILIO_OAUTH_CLIENT_ID", CLIENT),
            ("TWILIO_OAUTH_CLIENT_SECRET", SECRET),
            ("TWILIO_OAUTH_TOKEN_URL", &url),
            ("TWILIO_EMAIL_BASE_URL", &base),
        ])
        .settled()
        .await;
        let up = running.scrape().await.of_account("up");
        assert_eq!(up, Some(f64::from(u8::from(fault.is_empty()))), "{fault}");
        let pages = [running.get("/metrics").await, running.get("/").await];
        let log = running.log();
        assert!(
            count(&log, &["endpoint=token", "request to Twilio"]) > 0,
            "{log}"
        );
        for secret in [CLIENT, SECRET, "simulated-access-token"] {
            for text in pages.iter().chain([&log]) {
                assert!(!text.contains(secret), "{fault}: {secret} in {text}");
            }
        }
    }
}
