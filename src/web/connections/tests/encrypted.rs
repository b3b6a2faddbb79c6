//! An exporter with TLS, and its clients.

use std::future::poll_fn;

use h2::client::{ResponseFuture, SendRequest};
use hyper::body::Bytes;
use parking_lot::RwLock;
use rcgen::{CertificateParams, KeyPair};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;

/// A made-up certificate for `localhost` and its key.
pub(super) struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        }
    }

    /// A server with this identity, which offers these protocols and requests a certificate.
    pub(super) fn server(&self, protocols: &[&str]) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(Arc::new(AnyCertificate))
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .unwrap();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().into())
            .collect();
        Arc::new(config)
    }

    /// A client that trusts this identity and offers these protocols.
    pub(super) fn connector(&self, protocols: &[&str], own: Option<&Self>) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match own {
            Some(own) => builder
                .with_client_auth_cert(vec![own.certificate.clone()], own.key.clone_key())
                .unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().into())
            .collect();
        TlsConnector::from(Arc::new(config))
    }
}

/// Accepts every certificate, and clients without one.
#[derive(Debug)]
pub(super) struct AnyCertificate;

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = ring::default_provider();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A configuration that the test replaces.
pub(super) struct Rotating(pub(super) RwLock<Arc<ServerConfig>>);

impl TlsSource for Rotating {
    fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read())
    }
}

pub(super) struct Encrypted {
    pub(super) scene: Scene,
    pub(super) identity: Identity,
    pub(super) source: Arc<Rotating>,
}

impl Encrypted {
    pub(super) fn new(protocols: &[&str]) -> Self {
        let identity = Identity::new();
        let source = Arc::new(Rotating(RwLock::new(identity.server(protocols))));
        let scene = Scene::with_tls(LIMITS, Some(Arc::clone(&source) as Arc<dyn TlsSource>));
        Self {
            scene,
            identity,
            source,
        }
    }

    pub(super) async fn connect(&self, connector: TlsConnector) -> TlsStream<DuplexStream> {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = self.scene.connect();
        connector.connect(name, stream).await.unwrap()
    }

    /// A client of HTTP/2 that has room for this number of bytes of each response.
    pub(super) async fn http_2(&self, window: u32) -> SendRequest<Bytes> {
        let connector = self.identity.connector(&["h2", "http/1.1"], None);
        let stream = self.connect(connector).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (client, connection) = h2::client::Builder::new()
            .initial_window_size(window)
            .handshake(stream)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }
}

/// Sends a request.
pub(super) async fn get_h2(client: &mut SendRequest<Bytes>, path: &str) -> ResponseFuture {
    poll_fn(|context| client.poll_ready(context)).await.unwrap();
    let request = hyper::Request::get(format!("https://localhost{path}"));
    let request = request.body(()).unwrap();
    client.send_request(request, true).unwrap().0
}

/// Reads a response's body, and gives the client room for more.
pub(super) async fn text_of(response: ResponseFuture) -> String {
    let mut body = response.await.unwrap().into_body();
    let mut text = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        text.extend_from_slice(&data);
    }
    String::from_utf8(text).unwrap()
}

/// Waits until the connection is closed. Returns how long that took.
pub(super) async fn until_gone(client: &mut SendRequest<Bytes>) -> Duration {
    let began = Instant::now();
    while get_ready(client).await {
        sleep(Duration::from_millis(1)).await;
    }
    began.elapsed()
}

pub(super) async fn get_ready(client: &mut SendRequest<Bytes>) -> bool {
    poll_fn(|context| client.poll_ready(context)).await.is_ok()
}
