//! The admin requests about stored tokens.

use serde_json::{Value, json};

use crate::core::Core;
use crate::core::error::Error;
use crate::core::field::{Fields, Required};
use crate::core::plugin::Plugin;
use crate::core::token::{StoredTokens, Tokens};

/// What to do with a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum TokenVerb {
    Add,
    Allow,
    Disallow,
    List,
    Remove,
}

impl TokenVerb {
    /// The request of this name in lower case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "add_token" => Self::Add,
            "allow_token" => Self::Allow,
            "disallow_token" => Self::Disallow,
            "list_tokens" => Self::List,
            "remove_token" => Self::Remove,
            _ => return None,
        })
    }
}

impl Core {
    /// Does it; gives the `data` of the reply, where it has any.
    pub(super) fn administer_tokens(&mut self, verb: TokenVerb, fields: Fields<'_>) -> Result<Option<Value>, Error> {
        let tokens = match &mut self.tokens {
            Tokens::Stored(tokens) => tokens,
            Tokens::Off | Tokens::Signed(_) => return Err(Error::no_stored_tokens()),
        };
        match verb {
            TokenVerb::Add => {
                let token = fields.string("token").required("token")?;
                let named = fields.array("plugins")?.unwrap_or_default();
                // Janus passes over what is no plugin here, and refuses it in the other requests.
                let plugins: Vec<_> = named.iter().filter_map(plugin).collect();
                tokens.allow(token, if named.is_empty() { &Plugin::ALL } else { &plugins });
                Ok(Some(granted(tokens, token)))
            }
            TokenVerb::Allow => {
                let (token, plugins) = parse_change(tokens, fields)?;
                tokens.allow(token, &plugins);
                Ok(Some(granted(tokens, token)))
            }
            TokenVerb::Disallow => {
                let (token, plugins) = parse_change(tokens, fields)?;
                tokens.disallow(token, &plugins);
                Ok(Some(granted(tokens, token)))
            }
            TokenVerb::List => Ok(Some(list(tokens))),
            TokenVerb::Remove => {
                let token = fields.string("token").required("token")?;
                if tokens.remove(token) { Ok(None) } else { Err(Error::token_not_removed()) }
            }
        }
    }
}

/// A token that exists, and plugins.
fn parse_change<'a>(tokens: &StoredTokens, fields: Fields<'a>) -> Result<(&'a str, Vec<Plugin>), Error> {
    let token = fields.string("token").required("token")?;
    let named = fields.full_array("plugins")?;
    if tokens.plugins(token).is_none() {
        return Err(Error::no_such_token(token));
    }
    let plugins = named.iter().map(plugin).collect::<Option<_>>().ok_or_else(Error::unknown_plugins)?;
    Ok((token, plugins))
}

/// What a token is good for now.
fn granted(tokens: &StoredTokens, token: &str) -> Value {
    json!({"plugins": tokens.plugins(token).map(packages).unwrap_or_default()})
}

/// A token that is good for nothing is left out.
fn list(tokens: &StoredTokens) -> Value {
    let useful = tokens.iter().filter(|(_, plugins)| !plugins.is_empty());
    let tokens: Vec<_> =
        useful.map(|(token, plugins)| json!({"token": token, "allowed_plugins": packages(plugins)})).collect();
    json!({ "tokens": tokens })
}

fn plugin(name: &Value) -> Option<Plugin> {
    name.as_str().and_then(Plugin::parse)
}

fn packages<'a>(plugins: impl IntoIterator<Item = &'a Plugin>) -> Vec<&'static str> {
    plugins.into_iter().map(|plugin| plugin.package()).collect()
}
