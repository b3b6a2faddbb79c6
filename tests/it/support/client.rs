//! Asks an exporter over HTTP, as Prometheus and people do.

use std::net::SocketAddr;

use super::PATIENCE;
use super::exposition::Exposition;

/// A client for plain HTTP on this machine, whoever else may have made one before.
pub(crate) fn client() -> reqwest::Client {
    // reqwest wants to know all the same who would do TLS; the second to say so is told that it was said.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Longer than anything that is waited for: only a bug reaches it.
    let client = reqwest::Client::builder().no_proxy().timeout(2 * PATIENCE);
    client.build().unwrap()
}

/// A scrape of the program at `address`; `None` where nobody answers any more.
pub(crate) async fn scrape(client: &reqwest::Client, address: SocketAddr) -> Option<Exposition> {
    let request = client.get(format!("http://{address}/metrics"));
    let text = request.send().await.ok()?.text().await.ok()?;
    Some(Exposition::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}")))
}
