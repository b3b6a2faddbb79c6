//! A real Prometheus scrapes over TLS with a client certificate and a password.

use super::{SCRAPER, WebFiles, tls, users};
use crate::support::prometheus::Prometheus;
use crate::support::twilio::Twilio;

#[tokio::test]
async fn prometheus_scrapes_over_tls_with_a_certificate_and_a_password() {
    let twilio = Twilio::empty().await;
    let yaml = tls(
        "client_auth_type: RequireAndVerifyClientCert\nclient_ca_file: client-ca.crt\nclient_allowed_sans: [prometheus.example.com]\nmin_version: TLS13",
    ) + &users()
        + "read_only_users: [scraper]\n";
    let files = WebFiles::new(&yaml);
    let exporter = files.exporter(&twilio).await;
    let identity = files.authority.identity("prometheus.example.com");
    files.write("client.crt", &identity.certificate);
    files.write("client.key", &identity.key);
    files.write("password", SCRAPER);
    let file = |name: &str| files.path(name).display().to_string();
    let job = format!(
        "scheme: https\nenable_http2: true\nbasic_auth: {{username: scraper, password_file: '{}'}}\ntls_config:\n  ca_file: '{}'\n  cert_file: '{}'\n  key_file: '{}'\n  server_name: localhost\nstatic_configs: [{{targets: ['{}']}}]",
        file("password"),
        file("client-ca.crt"),
        file("client.crt"),
        file("client.key"),
        exporter.address
    );
    let prometheus = Prometheus::with_job(&exporter, &job).await;
    prometheus.comes_to("up", 1.0).await;
    prometheus.comes_to("twilio_email_up", 1.0).await;
    prometheus
        .comes_to("twilio_email_exporter_password_checks_total", 1.0)
        .await;
    let target = &prometheus.get("/api/v1/targets", &[]).await["activeTargets"][0];
    assert_eq!(target["lastError"], "");
    // A new password is valid immediately, and so is the old one when it is set again. Only the exporter's side
    // changes, because newer versions of Prometheus do not read a password's file again before each scrape.
    let hash = bcrypt::hash("another one", 4).unwrap();
    let changed = yaml.lines().map(|line| match line.split_once("scraper: ") {
        Some((indent, _)) => format!("{indent}scraper: {hash}"),
        None => line.to_owned(),
    });
    files.write("web.yml", &(changed.collect::<Vec<_>>().join("\n") + "\n"));
    prometheus.comes_to("up", 0.0).await;
    files.write("web.yml", &yaml);
    prometheus.comes_to("up", 1.0).await;
}
