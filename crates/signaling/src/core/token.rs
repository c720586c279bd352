//! Tokens: who may use the server, and which of its plugins, as an operator has stored it or as a back-end has signed
//! it. Knows no request.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::config::Config;
use super::plugin::Plugin;

/// The realm of tokens for the core itself; a plugin's is its package.
const CORE_REALM: &str = "janus";

/// How requests may show by a token that they are allowed.
#[derive(Debug)]
pub(crate) enum Tokens {
    /// Not at all.
    Off,
    /// By one that the operator has stored.
    Stored(StoredTokens),
    /// By one that carries its own proof.
    Signed(Box<SignedTokens>),
}

impl Tokens {
    /// As configured; `started` is the moment whose wall clock time the configuration tells.
    pub(crate) fn new(config: &Config, started: Instant) -> Self {
        match SignedTokens::new(config, started) {
            Some(signed) => Self::Signed(Box::new(signed)),
            None if config.token_auth => Self::Stored(StoredTokens::default()),
            None => Self::Off,
        }
    }

    /// As configured anew. What the operator has stored stays.
    pub(crate) fn reconfigure(&mut self, config: &Config, started: Instant) {
        let stays = matches!((&self, Self::new(config, started)), (Self::Stored(_), Self::Stored(_)));
        if !stays {
            *self = Self::new(config, started);
        }
    }

    /// Whether a request with this token may be made at all.
    pub(crate) fn permit(&self, token: &str, now: Instant) -> bool {
        match self {
            Self::Off => true,
            Self::Stored(stored) => stored.contains(token),
            Self::Signed(signed) => signed.permits(token, CORE_REALM, None, now),
        }
    }

    /// Whether a handle may be attached to this plugin with this token.
    pub(crate) fn permit_plugin(&self, token: &str, plugin: Plugin, now: Instant) -> bool {
        match self {
            Self::Off => true,
            Self::Stored(stored) => stored.plugins(token).is_some_and(|plugins| plugins.contains(&plugin)),
            Self::Signed(signed) => signed.permits(token, CORE_REALM, Some(plugin.package()), now),
        }
    }
}

/// The tokens of the operator, each with the plugins it is good for.
#[derive(Debug, Default)]
pub(crate) struct StoredTokens(BTreeMap<String, BTreeSet<Plugin>>);

impl StoredTokens {
    pub(crate) fn contains(&self, token: &str) -> bool {
        self.0.contains_key(token)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &BTreeSet<Plugin>)> {
        self.0.iter().map(|(token, plugins)| (token.as_str(), plugins))
    }

    /// Makes a token good for these plugins too; a new one, if there is none yet.
    pub(crate) fn allow(&mut self, token: &str, plugins: &[Plugin]) {
        self.0.entry(token.to_owned()).or_default().extend(plugins);
    }

    /// Makes a token good for these plugins no more.
    pub(crate) fn disallow(&mut self, token: &str, plugins: &[Plugin]) {
        if let Some(allowed) = self.0.get_mut(token) {
            allowed.retain(|plugin| !plugins.contains(plugin));
        }
    }

    /// False if there was no such token.
    pub(crate) fn remove(&mut self, token: &str) -> bool {
        self.0.remove(token).is_some()
    }

    /// The plugins that a token is good for; `None` if there is no such token.
    pub(crate) fn plugins(&self, token: &str) -> Option<&BTreeSet<Plugin>> {
        self.0.get(token)
    }
}

/// Tokens `<expiry>,<realm>[,<descriptor>…]:<signature>`: the expiry in seconds since 1970, the signature the Base64 of
/// an HMAC-SHA1 of what stands before the colon.
#[derive(Clone, Debug)]
pub(crate) struct SignedTokens {
    key: hmac::Key,
    started: Instant,
    /// The time since 1970 at `started`.
    wall_clock: Duration,
}

impl SignedTokens {
    /// `None` unless `config` has tokens on and a secret to sign them with.
    pub(crate) fn new(config: &Config, started: Instant) -> Option<Self> {
        let secret = config.token_auth_secret.as_ref().filter(|_| config.token_auth)?;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
        Some(Self { key, started, wall_clock: config.wall_clock })
    }

    /// Whether a token is genuine, has not expired, and is for this realm and, where one is asked for, has this
    /// descriptor.
    pub(crate) fn permits(&self, token: &str, realm: &str, descriptor: Option<&str>, now: Instant) -> bool {
        let Some((data, signature)) = token.split_once(':') else { return false };
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        // Compares in constant time.
        if hmac::verify(&self.key, data.as_bytes(), &signature).is_err() {
            return false;
        }
        let mut parts = data.split(',');
        let expiry = parts.next().and_then(|expiry| expiry.parse::<u64>().ok());
        let today = (self.wall_clock + now.saturating_duration_since(self.started)).as_secs();
        expiry.is_some_and(|expiry| today <= expiry)
            && parts.next() == Some(realm)
            && descriptor.is_none_or(|descriptor| parts.any(|part| part == descriptor))
    }
}
