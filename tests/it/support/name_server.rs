//! A name server on loopback that returns mail exchangers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::MX;
use hickory_resolver::proto::rr::{Name, RData, Record};
use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// What the name server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Responds with these mail exchangers, each with its preference.
    Exchangers(Vec<(u16, &'static str)>),
    /// Responds with an error.
    Error(ResponseCode),
    /// Responds with bytes that are not a message.
    Garbage,
    /// Does not respond.
    Silence,
}

/// A name server. Dropping the value stops it.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl NameServer {
    /// Without an answer, a domain does not exist.
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let answers = Arc::<Mutex<BTreeMap<String, Answer>>>::default();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (known, log) = (Arc::clone(&answers), Arc::clone(&asked));
        let server = tokio::spawn(async move {
            let mut buffer = [0; 4096];
            loop {
                let (size, client) = socket.recv_from(&mut buffer).await.unwrap();
                let request = Message::from_vec(&buffer[..size]).unwrap();
                let name = request.queries[0].name().to_ascii();
                log.lock().push(name.clone());
                let answer = known.lock().get(&name).cloned();
                let answer = answer.unwrap_or(Answer::Error(ResponseCode::NXDomain));
                if let Some(response) = response(&request, answer) {
                    socket.send_to(&response, client).await.unwrap();
                }
            }
        });
        Self {
            address,
            answers,
            asked,
            server,
        }
    }

    /// Sets the answer for a domain.
    pub(crate) fn answer(&self, domain: &str, answer: Answer) {
        self.answers.lock().insert(format!("{domain}."), answer);
    }

    /// The requested names, one for each request.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn response(request: &Message, answer: Answer) -> Option<Vec<u8>> {
    let mut response = request.clone();
    response.metadata.message_type = MessageType::Response;
    let name = request.queries[0].name().clone();
    match answer {
        Answer::Exchangers(hosts) => {
            for (preference, host) in hosts {
                let exchange = Name::from_ascii(host).unwrap();
                let data = RData::MX(MX::new(preference, exchange));
                response.add_answer(Record::from_rdata(name.clone(), 300, data));
            }
        }
        Answer::Error(code) => response.metadata.response_code = code,
        Answer::Garbage => return Some(b"no message".to_vec()),
        Answer::Silence => return None,
    }
    Some(response.to_vec().unwrap())
}
