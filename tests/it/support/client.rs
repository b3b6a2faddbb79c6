//! A client for plain HTTP on this machine, and a scrape with it.

use std::net::SocketAddr;

use super::PATIENCE;
use super::exposition::Exposition;

/// A client for plain HTTP on this machine.
pub(crate) fn client() -> reqwest::Client {
    // reqwest needs a default TLS provider even for plain HTTP. Installing it a second time fails, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Longer than any expected wait, so that only a bug reaches it.
    let client = reqwest::Client::builder().no_proxy().timeout(2 * PATIENCE);
    client.build().unwrap()
}

/// A scrape of the program at `address`; `None` if it no longer responds.
pub(crate) async fn scrape(client: &reqwest::Client, address: SocketAddr) -> Option<Exposition> {
    let request = client.get(format!("http://{address}/metrics"));
    let text = request.send().await.ok()?.text().await.ok()?;
    Some(Exposition::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}")))
}
