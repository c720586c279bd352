//! A receiver of posts of a test's own: it keeps what it is sent and answers as it is told to.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "it has threads and a clock of its own")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long a test waits for a post: some retries, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Receiver {
    port: u16,
    state: Arc<State>,
}

struct State {
    /// Statuses of the next answers; 200 when there are no more.
    answers: Mutex<Vec<u16>>,
    /// Where every answer sends the caller.
    location: Option<String>,
    posts: Mutex<Vec<Post>>,
    changed: Condvar,
    tls: Option<Arc<ServerConfig>>,
}

/// What came in one post.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) path: String,
    headers: HashMap<String, String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: String,
}

/// A certificate for localhost and who vouches for it.
pub(crate) struct Tls {
    pub(crate) authority: String,
    config: Arc<ServerConfig>,
}

impl Receiver {
    /// Answers with these statuses, and 200 after them.
    pub(crate) fn listen(answers: Vec<u16>) -> Self {
        Self::listen_on(TcpListener::bind("127.0.0.1:0").unwrap(), answers)
    }

    pub(crate) fn listen_on(listener: TcpListener, answers: Vec<u16>) -> Self {
        Self::start(listener, answers, None, None)
    }

    pub(crate) fn redirecting(location: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::start(listener, vec![], Some(location.to_owned()), None)
    }

    pub(crate) fn with_tls(tls: &Tls) -> Self {
        Self::start(TcpListener::bind("localhost:0").unwrap(), vec![], None, Some(Arc::clone(&tls.config)))
    }

    fn start(
        listener: TcpListener,
        answers: Vec<u16>,
        location: Option<String>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (posts, changed) = (Mutex::new(vec![]), Condvar::new());
        let state = Arc::new(State { answers: Mutex::new(answers), location, posts, changed, tls });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || match &state.tls {
                    Some(config) => {
                        let session = ServerConnection::new(Arc::clone(config)).unwrap();
                        state.converse(StreamOwned::new(session, stream));
                    }
                    None => state.converse(stream),
                });
            }
        });
        Self { port, state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(crate) fn count(&self) -> usize {
        self.state.posts.lock().unwrap().len()
    }

    /// The posts so far, once there are so many.
    pub(crate) fn posts(&self, count: usize) -> Vec<Post> {
        self.wait(|posts| posts.len() >= count)
    }

    /// The posts so far, once one has this in it.
    pub(crate) fn posts_until(&self, text: &str) -> Vec<Post> {
        self.wait(|posts| posts.iter().any(|post| post.body.contains(text)))
    }

    fn wait(&self, enough: impl Fn(&[Post]) -> bool) -> Vec<Post> {
        let posts = self.state.posts.lock().unwrap();
        let (posts, waited) = self.state.changed.wait_timeout_while(posts, PATIENCE, |posts| !enough(posts)).unwrap();
        assert!(!waited.timed_out(), "not all has come: {posts:?}");
        posts.clone()
    }
}

impl State {
    fn converse(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        while let Some(post) = read_post(&mut stream) {
            let mut answers = self.answers.lock().unwrap();
            let status = match &self.location {
                Some(_) => 307,
                None if answers.is_empty() => 200,
                None => answers.remove(0),
            };
            drop(answers);
            self.posts.lock().unwrap().push(post);
            self.changed.notify_all();
            let location = self.location.as_ref().map_or(String::new(), |url| format!("Location: {url}\r\n"));
            let answer = format!("HTTP/1.1 {status} Whatever\r\n{location}Content-Length: 2\r\n\r\nok");
            if stream.get_mut().write_all(answer.as_bytes()).and_then(|()| stream.get_mut().flush()).is_err() {
                return;
            }
        }
    }
}

fn read_post(stream: &mut BufReader<impl Read>) -> Option<Post> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut bytes = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut bytes).ok()?;
    Some(Post { path, headers, body: String::from_utf8_lossy(&bytes).into_owned(), bytes })
}

impl Post {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Tls {
    pub(crate) fn for_localhost() -> Self {
        let mut params = CertificateParams::default();
        // Without a name of its own it would pass for the certificate that it issues.
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![own.der().clone()], private).unwrap();
        Self { authority: authority.pem(), config: Arc::new(config) }
    }
}
