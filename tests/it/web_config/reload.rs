//! Changes of the web configuration while the exporter runs.

use twilio_email_exporter::config::Overrides;

use super::{ADMIN, SCRAPER, WebFiles, scrape, status, tls, users};
use crate::support::eventually;
use crate::support::exporter::Exporter;
use crate::support::twilio::Twilio;

const SUCCESSFUL: &str = "twilio_email_exporter_web_config_last_reload_successful";
const SUCCESS: &str = "twilio_email_exporter_web_config_last_reload_success_timestamp_seconds";

async fn is_accepted(exporter: &Exporter, name: &str, password: &str) -> bool {
    let request = exporter.client.get(exporter.url("/metrics"));
    status(request.basic_auth(name, Some(password))).await == 200
}

#[tokio::test]
async fn a_new_password_is_valid_when_the_file_has_changed() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&users());
    let exporter = files.exporter(&twilio).await;
    assert!(is_accepted(&exporter, "admin", ADMIN).await);
    let first = scrape(&exporter).await;
    assert_eq!(first.value(SUCCESSFUL, &[]), Some(1.0));
    let hash = bcrypt::hash("another one", 4).unwrap();
    let scraper = bcrypt::hash(SCRAPER, 4).unwrap();
    files.write(
        "web.yml",
        &format!("basic_auth_users:\n  scraper: {scraper}\n  admin: {hash}\n"),
    );
    eventually("the new password is valid", || {
        is_accepted(&exporter, "admin", "another one")
    })
    .await;
    assert!(!is_accepted(&exporter, "admin", ADMIN).await);
    let then = scrape(&exporter).await;
    assert!(then.value(SUCCESS, &[]) > first.value(SUCCESS, &[]));
}

#[tokio::test]
async fn a_broken_file_keeps_the_current_configuration() {
    let twilio = Twilio::empty().await;
    let good = users();
    let files = WebFiles::new(&good);
    let exporter = files.exporter(&twilio).await;
    let successful = || async { scrape(&exporter).await.value(SUCCESSFUL, &[]) };
    for broken in [
        "basic_auth_users: {scraper: s3cret}\n",
        "not: [yaml",
        // Protection is never turned off, as a file that is being written would do.
        "",
        "basic_auth_users: {}\n",
        // TLS is turned on by a restart only.
        &(tls("") + &good),
    ] {
        files.write("web.yml", broken);
        eventually(broken, || async { successful().await == Some(0.0) }).await;
        assert!(is_accepted(&exporter, "scraper", SCRAPER).await);
        assert!(!is_accepted(&exporter, "scraper", "s3cret").await);
        assert_eq!(exporter.get("/metrics").await.status(), 401);
        files.write("web.yml", &good);
        eventually("it is good again", || async {
            successful().await == Some(1.0)
        })
        .await;
    }
    std::fs::remove_file(files.path("web.yml")).unwrap();
    eventually("the file is missing", || async {
        successful().await == Some(0.0)
    })
    .await;
    assert!(is_accepted(&exporter, "scraper", SCRAPER).await);
}

#[tokio::test]
async fn a_reload_applies_the_file_at_once_and_reports_its_problems() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&users());
    let options = Overrides {
        enable_lifecycle: Some(true),
        ..Overrides::default()
    };
    let exporter = files.exporter_with(&twilio, options).await;
    let reload = |password: &str| {
        let request = exporter.client.post(exporter.url("/-/reload"));
        let request = request.basic_auth("admin", Some(password));
        async move {
            let response = request.send().await;
            let response = response.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        }
    };
    let hash = bcrypt::hash("another one", 4).unwrap();
    files.write("web.yml", &format!("basic_auth_users: {{admin: {hash}}}\n"));
    let response = reload(ADMIN).await;
    let expected = "The configuration was loaded again.\nThe web configuration was loaded again.\n";
    assert_eq!(response, (200, expected.to_owned()));
    assert!(!is_accepted(&exporter, "admin", ADMIN).await);
    assert!(is_accepted(&exporter, "admin", "another one").await);

    files.write(
        "web.yml",
        "basic_auth_users: {admin: s3cret}\nrate_limit: 1\n",
    );
    let (status, text) = reload("another one").await;
    assert_eq!(status, 500);
    for part in [
        "The configuration was loaded again.",
        "The web configuration was not reloaded: 2 problems",
        "basic_auth_users.admin: expected a bcrypt hash",
        "rate_limit: expected a mapping",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("s3cret"), "{text}");
    assert!(is_accepted(&exporter, "admin", "another one").await);
}

#[tokio::test]
async fn without_a_web_configuration_nothing_of_it_is_exposed() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await;
    let text = exporter.get("/metrics").await.text().await.unwrap();
    for name in ["web_config", "password_checks"] {
        assert!(!text.contains(name), "{name}");
    }
}
