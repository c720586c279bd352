//! Lists of who may connect: beginnings of addresses in Janus, networks here.

use std::net::{IpAddr, Ipv4Addr};

use jcfg::Value;

use super::Place;
use super::value::text;
use crate::config::ConfigError;

/// `"127.,192.168.0."` as networks. One that can't be one refuses the start: to leave it out would let everybody in.
pub(super) fn list(place: &Place, value: &Value) -> Result<Vec<String>, ConfigError> {
    let list = text(place, value)?;
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let wrong = |entry: &str| {
        let problem = format!("\"{entry}\" must be an address, or one that ends at a dot, such as \"192.168.0.\"");
        ConfigError::foreign(place, &problem)
    };
    entries.map(|entry| network(entry).ok_or_else(|| wrong(entry))).collect()
}

fn network(entry: &str) -> Option<String> {
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address.to_string());
    }
    let parts: Vec<u8> = entry.strip_suffix('.')?.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    if parts.len() > 3 {
        return None;
    }
    let part = |index: usize| parts.get(index).copied().unwrap_or(0);
    Some(format!("{}/{}", Ipv4Addr::new(part(0), part(1), part(2), 0), parts.len() * 8))
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn the_beginning_of_an_address_is_a_network() {
        for (entry, expected) in [
            ("127.", Some("127.0.0.0/8")),
            ("192.168.0.", Some("192.168.0.0/24")),
            ("10.1.2.3", Some("10.1.2.3")),
            ("::1", Some("::1")),
            ("192.16", None),
            ("1.2.3.4.", None),
            ("fe80:", None),
        ] {
            assert_eq!(network(entry).as_deref(), expected, "{entry}");
        }
    }
}
