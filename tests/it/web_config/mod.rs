//! The exporter with a web configuration: TLS, client certificates, passwords, limits, and changes of all of them while it runs.

mod client_certificates;
mod flood;
mod passwords;
mod promtool;
mod real_prometheus;
mod reload;
mod rotation;
mod secrets;
mod tls;

use std::path::PathBuf;

use reqwest::{Certificate, ClientBuilder, RequestBuilder};
use tempfile::TempDir;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use crate::sources::tls::{Authority, Identity};
use crate::support::PATIENCE;
use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::twilio::Twilio;

/// Made-up passwords of the users `scraper` and `admin`.
const SCRAPER: &str = "correct horse båttery";
const ADMIN: &str = "made-up:with:colons";

/// A web configuration with the files that it names, in a directory of their own.
struct WebFiles {
    directory: TempDir,
    authority: Authority,
}

impl WebFiles {
    /// `server.crt` and `server.key` of an authority, and `web.yml` with this content.
    fn new(yaml: &str) -> Self {
        let files = Self {
            directory: tempfile::tempdir().unwrap(),
            authority: Authority::new(),
        };
        let identity = files.authority.identity("localhost");
        files.write("server.crt", &identity.certificate);
        files.write("server.key", &identity.key);
        files.write("client-ca.crt", &files.authority.pem());
        files.write("web.yml", yaml);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// An exporter of `twilio` with this web configuration, and `options`.
    async fn exporter_with(&self, twilio: &Twilio, options: Overrides) -> Exporter {
        let options = Overrides {
            web_config_file: Some(self.path("web.yml")),
            ..options
        };
        Exporter::start_with(&one_account(twilio, ""), Clock::System, options).await
    }

    async fn exporter(&self, twilio: &Twilio) -> Exporter {
        self.exporter_with(twilio, Overrides::default()).await
    }

    /// A client that trusts the authority. It has no connection yet, so its first request makes a handshake.
    fn client(&self, identity: Option<&Identity>) -> reqwest::Client {
        self.client_with(identity, |builder| builder)
    }

    fn client_with(
        &self,
        identity: Option<&Identity>,
        adjust: impl Fn(ClientBuilder) -> ClientBuilder,
    ) -> reqwest::Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority = Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .tls_certs_only([authority]);
        if let Some(Identity { certificate, key }) = identity {
            let pem = format!("{certificate}\n{key}");
            builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
        }
        adjust(builder).build().unwrap()
    }
}

/// The YAML of TLS, with `more` keys of the section, one a line.
fn tls(more: &str) -> String {
    let mut yaml =
        "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n".to_owned();
    for line in more.lines() {
        yaml.push_str("  ");
        yaml.push_str(line);
        yaml.push('\n');
    }
    yaml
}

/// The YAML of the users `scraper` and `admin`, at the lowest cost.
fn users() -> String {
    let hash = |password| bcrypt::hash(password, 4).unwrap();
    format!(
        "basic_auth_users:\n  scraper: {}\n  admin: {}\n",
        hash(SCRAPER),
        hash(ADMIN)
    )
}

/// The URL of a path over TLS.
fn https(exporter: &Exporter, path: &str) -> String {
    format!("https://localhost:{}{path}", exporter.address.port())
}

/// The status of a response.
async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// A scrape by the user `scraper`, without TLS.
async fn scrape(exporter: &Exporter) -> Exposition {
    let request = exporter.client.get(exporter.url("/metrics"));
    let response = request.basic_auth("scraper", Some(SCRAPER)).send().await;
    Exposition::parse(&response.unwrap().text().await.unwrap()).unwrap()
}
