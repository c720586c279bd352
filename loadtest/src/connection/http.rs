//! As much of an HTTP/1.1 client as a long poll and a scrape need: one request at a time on a connection that is kept.

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::server_url::ServerUrl;

/// No answer of a server is longer than this.
const LONGEST_BODY: usize = 64 << 20;

/// A connection to one host.
#[derive(Debug)]
pub struct HttpConnection {
    host: String,
    port: u16,
    authority: String,
    stream: Option<BufReader<TcpStream>>,
}

impl HttpConnection {
    /// To the host of `url`; connects with the first request.
    pub fn new(url: &ServerUrl) -> Self {
        Self { host: url.host.clone(), port: url.port, authority: url.authority(), stream: None }
    }

    /// Status and body of the answer. A body makes it a POST, none a GET.
    pub async fn request(&mut self, path: &str, body: Option<&str>) -> anyhow::Result<(u16, String)> {
        let kept = self.stream.is_some();
        match self.exchange(path, body).await {
            // A server may close a kept connection at any time; that is no failure.
            Err(_) if kept => {
                self.stream = None;
                self.exchange(path, body).await
            }
            result => result,
        }
    }

    async fn exchange(&mut self, path: &str, body: Option<&str>) -> anyhow::Result<(u16, String)> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let tcp = TcpStream::connect((self.host.as_str(), self.port))
                    .await
                    .with_context(|| format!("cannot connect to {}", self.authority))?;
                tcp.set_nodelay(true)?;
                BufReader::new(tcp)
            }
        };
        let head = match body {
            None => format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.authority),
            Some(body) => format!(
                "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                self.authority,
                body.len(),
            ),
        };
        stream.write_all(head.as_bytes()).await?;
        let (status, body, keep) = read_response(&mut stream).await?;
        self.stream = keep.then_some(stream);
        Ok((status, body))
    }
}

async fn read_response(stream: &mut BufReader<TcpStream>) -> anyhow::Result<(u16, String, bool)> {
    let status_line = read_line(stream).await?;
    let status = status_line.split_ascii_whitespace().nth(1).and_then(|code| code.parse().ok());
    let status: u16 = status.with_context(|| format!("not HTTP: {status_line:?}"))?;
    let (mut length, mut chunked, mut keep) = (None, false, true);
    loop {
        let line = read_line(stream).await?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = Some(value.parse::<usize>().context("Content-Length")?),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => keep = !value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let line = read_line(stream).await?;
            let size = usize::from_str_radix(line.split(';').next().unwrap_or_default(), 16).context("chunk size")?;
            read_into(stream, &mut body, size).await?;
            read_line(stream).await?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = length {
        read_into(stream, &mut body, length).await?;
    } else {
        keep = false;
        stream.read_to_end(&mut body).await?;
    }
    Ok((status, String::from_utf8(body).context("body is not UTF-8")?, keep))
}

async fn read_into(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>, length: usize) -> anyhow::Result<()> {
    let start = body.len();
    if start + length > LONGEST_BODY {
        bail!("an answer of more than {LONGEST_BODY} bytes");
    }
    body.resize(start + length, 0);
    stream.read_exact(&mut body[start..]).await?;
    Ok(())
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        bail!("the server closed the connection");
    }
    Ok(line.trim_end().to_owned())
}
