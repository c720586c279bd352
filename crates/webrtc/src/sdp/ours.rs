//! Offers of ours and the answers to them. They are written as answers are; and an answer is read as the offer
//! it would have been, so that there is one way into a transport. Knows no state: the same offer is made again later.

use super::MixTraits;
use super::answer::{Accepted, Audio, Head, Origin, mix_parameters, write};
use super::offer::{AudioOffer, ExtensionKind, HeaderExtension, Offer, Section};
use crate::error::OfferError;

/// Offers of Janus number their sections from zero.
pub(crate) const MID: &str = "0";
/// That of every browser for Opus.
pub(crate) const PAYLOAD_TYPE: u8 = 111;
/// As Janus numbers them.
pub(crate) const EXTENSIONS: [HeaderExtension; 2] = [
    HeaderExtension { id: 1, direction: None, kind: ExtensionKind::Mid },
    HeaderExtension { id: 2, direction: None, kind: ExtensionKind::AudioLevel },
];

/// The text of an offer with one audio section.
pub(crate) fn write_offer(terms: &Accepted<'_>, origin: Origin, traits: &MixTraits) -> String {
    let section =
        Section { kind: "audio".to_owned(), protocol: "UDP/TLS/RTP/SAVPF".to_owned(), mid: Some(MID.to_owned()) };
    let parameters = Some(mix_parameters(traits, terms.fec));
    let audio = Audio { index: 0, bundled: Some(MID), accepted: terms, parameters };
    write(Head { user_name: "-", session_name: &traits.session_name, origin }, &[section], Some(audio))
}

/// The audio of an answer to [`write_offer`], and whether it says `useinbandfec=1`.
pub(crate) fn read_answer(text: &str, we_are_lite: bool) -> Result<(AudioOffer, bool), OfferError> {
    let Offer { sections, audio, fec, .. } = Offer::parse(text, we_are_lite)?;
    let mut audio = audio.ok_or(OfferError::AnswerWithoutAudio)?;
    // A mid that is left out is that of the only section.
    if sections.len() != 1 || audio.mid != MID || !audio.payload_types.contains(&PAYLOAD_TYPE) {
        return Err(OfferError::AnswerToAnother { mid: MID, payload_type: PAYLOAD_TYPE });
    }
    audio.payload_types = vec![PAYLOAD_TYPE];
    // What was not offered cannot be accepted.
    audio.extensions.retain(|it| EXTENSIONS.iter().any(|offered| (offered.id, offered.kind) == (it.id, it.kind)));
    Ok((audio, fec))
}
