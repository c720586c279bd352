//! Opens the ports, before anything runs: one that is taken refuses the start and names its key.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use signaling::{Api, UnixSocket};
use tokio::net::TcpListener;
use webrtc::{Acceptor, Driver};

use crate::config::{ConfigError, Media, Unix};

/// Addresses of this machine that are announced at most; each costs a client connectivity checks.
const ANNOUNCED_AT_MOST: usize = 8;

/// Opens a TCP port. `key` is what set its number.
pub(crate) async fn tcp(
    file: Option<&Path>,
    key: &str,
    address: IpAddr,
    port: u16,
) -> Result<TcpListener, ConfigError> {
    TcpListener::bind((address, port)).await.map_err(|error| refusal(file, key, SocketAddr::new(address, port), &error))
}

/// Opens the UDP ports of the net threads, counted up from the configured one.
pub(crate) fn udp(file: Option<&Path>, media: &Media, threads: usize) -> Result<Vec<Driver>, ConfigError> {
    let address = media.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let mut drivers = Vec::with_capacity(threads);
    for index in 0..threads {
        let port = match media.port {
            0 => 0,
            first => u16::try_from(usize::from(first) + index).map_err(|_| {
                ConfigError::value(
                    file,
                    "media.port",
                    &format!("at most {}: {threads} net threads take a port each", 65536 - threads),
                )
            })?,
        };
        let address = SocketAddr::new(address, port);
        drivers.push(Driver::bind(address).map_err(|error| refusal(file, "media.port", address, &error))?);
    }
    Ok(drivers)
}

/// Opens the TCP port for audio, if one is configured.
pub(crate) fn media_tcp(file: Option<&Path>, media: &Media) -> Result<Option<Acceptor>, ConfigError> {
    let Some(port) = media.tcp_port else { return Ok(None) };
    let address = SocketAddr::new(media.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), port);
    Acceptor::bind(address).map(Some).map_err(|error| refusal(file, "media.tcp_port", address, &error))
}

/// Binds the Unix sockets that are configured.
pub(crate) fn unix(file: Option<&Path>, unix: &Unix) -> Result<Vec<(Api, UnixSocket)>, ConfigError> {
    let configured = [
        (Api::Janus, "unix.path", &unix.path, unix.r#type),
        (Api::Admin, "unix.admin_path", &unix.admin_path, unix.admin_type),
    ];
    let mut listeners = Vec::new();
    for (api, key, path, kind) in configured {
        let Some(path) = path else { continue };
        let listener = UnixSocket::bind(path, kind.into()).map_err(|error| {
            let right = format!("a path where nothing is and that this user may write to: {}: {error}", path.display());
            ConfigError::value(file, key, &right)
        })?;
        listeners.push((api, listener));
    }
    Ok(listeners)
}

/// The addresses that clients are told, loopback last: the configured one, or all of this machine that fit the socket.
pub(crate) fn media_addresses(media: &Media) -> io::Result<Vec<IpAddr>> {
    if let Some(address) = media.address {
        return Ok(vec![address]);
    }
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|address| matches!(address, IpAddr::V4(v4) if !v4.is_link_local()))
        .collect();
    addresses.sort_by_key(IpAddr::is_loopback);
    addresses.dedup();
    addresses.truncate(ANNOUNCED_AT_MOST);
    Ok(addresses)
}

fn refusal(file: Option<&Path>, key: &str, address: SocketAddr, error: &io::Error) -> ConfigError {
    let kind = error.kind();
    if kind == io::ErrorKind::AddrNotAvailable {
        let section = key.split('.').next().unwrap_or(key);
        let right = format!("an address of this machine: {} is not", address.ip());
        return ConfigError::value(file, &format!("{section}.address"), &right);
    }
    let right = if kind == io::ErrorKind::AddrInUse {
        format!("a port that is free: {address} is taken")
    } else if kind == io::ErrorKind::PermissionDenied {
        format!("a port that this user may open: {address} is not")
    } else {
        format!("a port that can be opened: {address}: {error}")
    };
    ConfigError::value(file, key, &right)
}
