//! The log of the program at level trace has no secret of the web configuration.

use super::{ADMIN, SCRAPER, WebFiles, status, tls, users};
use crate::support::eventually;
use crate::support::exporter::{SID, TOKEN};
use crate::support::program::Program;
use crate::support::twilio::Twilio;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_at_trace_has_no_password_hash_or_key() {
    let twilio = Twilio::empty().await;
    let yaml =
        tls("client_auth_type: RequestClientCert") + &users() + "read_only_users: [scraper]\n";
    let files = WebFiles::new(&yaml);
    let path = files.path("web.yml");
    let base_url = twilio.base_url();
    let variables = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", base_url.as_str()),
        ("TWILIO_EMAIL_WEB_LISTEN_ADDRESS", "127.0.0.1:0"),
        ("TWILIO_EMAIL_WEB_CONFIG_FILE", path.to_str().unwrap()),
        ("TWILIO_EMAIL_LOG_LEVEL", "trace"),
    ];
    let mut program =
        Program::exporter(&["--web.enable-lifecycle", "--web.enable-api"], &variables);
    let address = program.address();
    let url = |path: &str| format!("https://localhost:{}{path}", address.port());
    let identity = files.authority.identity("client.example.com");
    let client = files.client(Some(&identity));
    for (name, password, expected) in [
        ("scraper", SCRAPER, 200),
        ("admin", ADMIN, 200),
        ("scraper", "wr0ng-password", 401),
        ("unkn0wn-user", ADMIN, 401),
    ] {
        let request = client.get(url("/metrics")).basic_auth(name, Some(password));
        assert_eq!(status(request).await, expected, "{name}");
    }
    let post = client
        .post(url("/-/reload"))
        .basic_auth("scraper", Some(SCRAPER));
    assert_eq!(status(post).await, 403);
    // Keys, hashes and whole files in wrong places.
    let key = std::fs::read_to_string(files.path("server.key")).unwrap();
    let hash = bcrypt::hash("t0p-s3cret", 4).unwrap();
    for wrong in [
        format!(
            "tls_server_config:\n  cert_file: server.key\n  key_file: web.yml\nbasic_auth_users: {{scraper: '{}'}}\n",
            &hash[..50]
        ),
        format!("basic_auth_users:\n  {hash}: t0p-s3cret\n"),
        format!("{key}\n"),
        format!(
            "tls_server_config:\n  key: |\n    {}\n  cert: t0p-s3cret\n",
            key.replace('\n', "\n    ")
        ),
    ] {
        files.write("web.yml", &wrong);
        let reload = client
            .post(url("/-/reload"))
            .basic_auth("admin", Some(ADMIN));
        let response = reload.send().await.unwrap();
        assert_eq!(response.status(), 500, "{wrong}");
        let text = response.text().await.unwrap();
        for secret in [&hash[10..40], "t0p-s3cret", &key[30..60]] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    let refused = || program.stderr().matches("cannot reload").count();
    eventually("the log has it", || async { refused() >= 4 }).await;
    // Only a reload logs a known problem again.
    let before = refused();
    program.signal("HUP");
    eventually("SIGHUP loads it too", || async { refused() > before }).await;
    let log = program.stderr();
    assert!(
        log.contains("level=debug") || log.contains("level=trace"),
        "{log}"
    );
    let hashes: Vec<&str> = yaml
        .split_whitespace()
        .filter(|word| word.starts_with("$2"))
        .collect();
    assert_eq!(hashes.len(), 2);
    let mut secrets = vec![
        SCRAPER,
        ADMIN,
        "wr0ng-password",
        "unkn0wn-user",
        "t0p-s3cret",
        &hash[10..40],
        TOKEN,
    ];
    secrets.extend(hashes.iter().map(|hash| &hash[10..40]));
    secrets.extend(
        key.lines()
            .filter(|line| !line.starts_with("-----"))
            .map(|line| &line[..30.min(line.len())]),
    );
    for secret in secrets {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
