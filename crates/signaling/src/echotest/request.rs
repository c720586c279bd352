//! The one request of the EchoTest: fields are checked in the order the API checks them, and those about video, codecs
//! and recordings are checked only.

use super::error::Error;
use crate::core::field::Fields;
use crate::core::jsep::JsepKind;
use crate::core::plugin::Call;

/// A valid request.
#[derive(Debug)]
pub(super) struct Request {
    /// Whether audio comes back from now on.
    pub(super) audio: Option<bool>,
}

/// The codec of our answers.
const CODEC: &str = "opus";
/// Layers of a video, of which we have none.
const HIGHEST_LAYER: u64 = 2;

impl Request {
    /// Without an offer something must be asked for; with one, an empty request says enough.
    pub(super) fn parse(call: Call<'_>) -> Result<Self, Error> {
        let fields = Fields(call.body);
        let audio = fields.boolean("audio")?;
        let audio_codec = fields.string("audiocodec")?;
        let mut is_asked = audio.is_some() || audio_codec.is_some();
        is_asked |= fields.boolean("video")?.is_some();
        is_asked |= fields.string("videocodec")?.is_some();
        is_asked |= fields.string("videoprofile")?.is_some();
        is_asked |= fields.boolean("opusred")?.is_some();
        is_asked |= fields.natural("bitrate")?.is_some();
        is_asked |= fields.boolean("record")?.is_some();
        // A name is none of the things that can be asked for alone.
        fields.string("filename")?;
        let substream = fields.natural("substream")?;
        let temporal = fields.natural("temporal")?;
        is_asked |= substream.is_some() || temporal.is_some();
        is_asked |= fields.natural("fallback")?.is_some();
        is_asked |= fields.integer("min_delay")?.is_some();
        is_asked |= fields.integer("max_delay")?.is_some();
        for (name, layer) in [("substream", substream), ("temporal", temporal)] {
            if layer.is_some_and(|layer| layer > HIGHEST_LAYER) {
                return Err(Error::no_such_layer(name));
            }
        }
        if let Some(codec) = audio_codec.filter(|codec| !codec.eq_ignore_ascii_case(CODEC)) {
            return Err(Error::unsupported_codec(codec));
        }
        match call.jsep.map(|jsep| jsep.kind) {
            Some(JsepKind::Answer) => Err(Error::unexpected_answer()),
            None if !is_asked => Err(Error::nothing_asked()),
            None | Some(JsepKind::Offer) => Ok(Self { audio }),
        }
    }
}
