//! Which conformance cases the dialogues must cite. A case that concerns the core and is not cited is a failure, so
//! that none is forgotten.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// The sections of the conformance cases that concern the core: session level, handle level, PeerConnection events;
/// AudioBridge rooms, participants, moderation, files, media; EchoTest; admin.
const IN_SCOPE: [RangeInclusive<u16>; 3] = [56..=159, 160..=401, 402..=439];

/// Cases in those sections that are not the core's, or not yet.
const ELSEWHERE: &[(RangeInclusive<u16>, &str)] = &[
    (266..=268, "what an answer accepts is the webrtc plane's"),
    (270..=270, "directions are the webrtc plane's"),
    (375..=378, "what is heard and sent is the mixer's"),
    (382..=382, "loss is the mixer's"),
    (384..=387, "what is heard and sent is the mixer's"),
    (394..=394, "the parameters of an echo are the webrtc plane's"),
    (396..=396, "G.711 comes later"),
    (397..=397, "directions are the webrtc plane's"),
    (398..=398, "recordings come later"),
    (400..=400, "redundant audio is none of ours"),
    (403..=405, "paths are the transport's"),
];

#[test]
fn every_case_that_concerns_the_core_is_cited() {
    let cited: BTreeSet<u16> = crate::script::scripts().into_iter().flat_map(|script| script.cases).collect();
    let elsewhere = |case: &u16| ELSEWHERE.iter().any(|(cases, _)| cases.contains(case));

    let missing: Vec<_> =
        IN_SCOPE.iter().cloned().flatten().filter(|case| !elsewhere(case) && !cited.contains(case)).collect();

    assert!(missing.is_empty(), "{} cases are cited nowhere: {missing:?}", missing.len());
}
