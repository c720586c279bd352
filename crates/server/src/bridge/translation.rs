//! The planes describe the same things in words of their own, so that none depends on another: here they are translated. Must not
//! know who is who.

pub(super) fn answer_traits(traits: signaling::AnswerTraits) -> webrtc::AnswerTraits {
    match traits {
        signaling::AnswerTraits::Mix(traits) => webrtc::AnswerTraits::Mix(mix_traits(traits)),
        signaling::AnswerTraits::Echo => webrtc::AnswerTraits::Echo,
    }
}

pub(super) fn mix_traits(traits: signaling::MixTraits) -> webrtc::MixTraits {
    let signaling::MixTraits { session_name, max_playback_rate, stereo, dtx } = traits;
    webrtc::MixTraits { session_name, max_playback_rate, stereo, dtx }
}

pub(super) fn media_answer(answer: webrtc::Answer) -> signaling::Answer {
    let webrtc::Answer { sdp, audio, audio_level, fec, candidates, .. } = answer;
    signaling::Answer { sdp, candidates, audio, audio_level, fec }
}

pub(super) fn transport_info(info: webrtc::TransportInfo) -> signaling::TransportInfo {
    let webrtc::TransportInfo { ice, dtls, audio } = info;
    signaling::TransportInfo {
        ice: signaling::IceInfo {
            lite: ice.lite,
            controlling: ice.controlling,
            state: ice.state,
            connected_at: ice.connected_at,
            local_candidates: ice.local_candidates,
            remote_candidates: ice.remote_candidates,
            selected_pair: ice.selected_pair,
            over_tcp: ice.over_tcp,
        },
        dtls: signaling::DtlsInfo {
            fingerprint: dtls.fingerprint,
            remote_fingerprint: dtls.remote_fingerprint,
            active: dtls.active,
            connected_at: dtls.connected_at,
        },
        audio: signaling::AudioInfo {
            mid: audio.mid,
            payload_type: audio.payload_type,
            ssrc: audio.ssrc,
            remote_ssrc: audio.remote_ssrc,
            sends: audio.sends,
            receives: audio.receives,
            extensions: audio.extensions,
            network: network_statistics(audio.received, audio.sent, audio.quality),
        },
    }
}

pub(super) fn network_statistics(
    received: webrtc::Flow,
    sent: webrtc::Flow,
    quality: webrtc::Quality,
) -> signaling::NetworkStatistics {
    let flow =
        |webrtc::Flow { packets, bytes, bytes_last_second }| signaling::Flow { packets, bytes, bytes_last_second };
    let webrtc::Quality { rtt, lost, lost_by_remote, jitter_ms, jitter_of_remote_ms } = quality;
    let (received, sent) = (flow(received), flow(sent));
    signaling::NetworkStatistics { received, sent, rtt, lost, lost_by_remote, jitter_ms, jitter_of_remote_ms }
}

pub(super) fn mix_statistics(statistics: mixer::MemberStatistics) -> signaling::MixStatistics {
    let mixer::MemberStatistics { level, audible, delay, queued, packets, late, dropped, concealed, restored } =
        statistics;
    signaling::MixStatistics { level, audible, delay, queued, packets, late, dropped, concealed, restored }
}

pub(super) fn room_settings(settings: &signaling::RoomSettings) -> mixer::RoomSettings {
    mixer::RoomSettings {
        sampling_rate: mixer::SamplingRate::from_hz(settings.sampling_rate).unwrap_or(mixer::SamplingRate::Hz48000),
        stereo: settings.stereo,
        muted: settings.muted,
        trust_levels: settings.trust_levels,
        talk_detection: settings.talk_detection.map(talk_detection),
        max_speakers: settings.max_speakers,
        silence_threshold: settings.silence_threshold,
        shared_encoding: settings.shared_encoding,
    }
}

pub(super) fn member_settings(settings: &signaling::MemberSettings) -> mixer::MemberSettings {
    mixer::MemberSettings {
        muted: settings.muted,
        admin: settings.admin,
        volume: settings.volume,
        position: settings.position,
        bitrate: settings.bitrate,
        complexity: settings.complexity,
        expected_loss: settings.expected_loss,
        fec: settings.fec,
        suspended: settings.suspended,
        talk_detection: settings.talk_detection.map(talk_detection),
    }
}

fn talk_detection(detection: signaling::TalkDetection) -> mixer::TalkDetection {
    let signaling::TalkDetection { active_packets, average_level } = detection;
    mixer::TalkDetection { active_packets, average_level }
}

/// A packet on its way from a net thread to a mix thread.
pub(crate) fn incoming_audio(packet: webrtc::AudioPacket) -> mixer::AudioPacket {
    let webrtc::AudioPacket { sequence, timestamp, audio_level, payload, arrival } = packet;
    mixer::AudioPacket { sequence, timestamp, audio_level, payload, arrival }
}

/// A packet on its way from a mix thread to a net thread.
pub(crate) fn outgoing_audio(peer: webrtc::PeerSlot, packet: mixer::MixedPacket) -> webrtc::MixedAudio {
    let mixer::MixedPacket { media_time, payload } = packet;
    webrtc::MixedAudio { peer, media_time, payload }
}
