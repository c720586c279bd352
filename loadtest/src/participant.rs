//! One participant as a state machine: its dialogue, its peer connection, what it says and what it hears.
//! Knows no socket, no thread and no clock.
//!
//! Call `handle_*`, then take all of [`Participant::poll_output`]. `handle_frame` is to be called once per 20 ms.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dialogue::{Dialogue, Invitation, Progress, Request};
use crate::dtls::Identity;
use crate::listening::{Hearing, Listening, Onset};
use crate::notice::Notice;
use crate::peer::{Peer, PeerError, PeerOutput};
use crate::sequence::{Sequence, rtp_sequence};
use crate::sound::Reel;
use crate::tone::Tone;

/// A join that takes longer has failed; browsers give up DTLS after about as long.
const JOIN_LIMIT: Duration = Duration::from_secs(30);

/// What a participant is, from the plan of the run.
#[derive(Clone)]
pub struct Character {
    /// What it asks the server for.
    pub invitation: Invitation,
    /// What it says; `None` sends nothing at all.
    pub reel: Option<Arc<Reel>>,
    /// Frames by which it is ahead of the others with the same reel.
    pub offset: u64,
    /// The tone it says, if it is one.
    pub tone: Option<Tone>,
    /// For full ones: the tones of the room and their amplitude. Light ones have `None` and decode nothing.
    pub ears: Option<(Arc<[Tone]>, f32)>,
    /// Host of the API, preferred for media.
    pub api_host: Option<IpAddr>,
}

/// What a participant wants done.
#[derive(Debug)]
pub enum ParticipantOutput {
    /// A request for the server.
    Request(Request),
    /// A socket, connected to this address; answer with [`Participant::handle_bound`].
    Bind(SocketAddr),
    /// A datagram for it.
    Transmit(Vec<u8>),
    /// The datagram before held the first sample of its tone.
    OnsetSent(Tone),
    /// A tone set in.
    OnsetHeard(Onset),
    /// Audio flows both ways.
    Joined(JoinTimes),
    /// It is no longer there: of its own will, or for a reason.
    Gone(Option<String>),
}

/// How long the parts of a join took, from the opening of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JoinTimes {
    /// Until the server's SDP.
    pub answered: Duration,
    /// Until ICE and DTLS were through.
    pub connected: Duration,
    /// Until the first packet of audio.
    pub audible: Duration,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// On its way in.
    Joining,
    /// Connected, audio has come.
    Present,
    /// Left or failed.
    Gone,
}

/// One participant.
pub struct Participant {
    character: Character,
    identity: Identity,
    dialogue: Dialogue,
    peer: Option<Peer>,
    listening: Option<Listening>,
    sequence: Sequence,
    presence: Presence,
    started: Instant,
    times: JoinTimes,
    sent: u64,
    last_arrival: Option<Instant>,
    outputs: VecDeque<ParticipantOutput>,
}

impl Participant {
    /// One that begins to join.
    pub fn new(character: Character, identity: Identity, now: Instant) -> Self {
        let listening = character
            .ears
            .as_ref()
            .and_then(|(tones, amplitude)| Listening::new(tones, *amplitude, character.tone).ok());
        let mut participant = Self {
            dialogue: Dialogue::new(character.invitation.clone(), now),
            character,
            identity,
            peer: None,
            listening,
            sequence: Sequence::default(),
            presence: Presence::Joining,
            started: now,
            times: JoinTimes::default(),
            sent: 0,
            last_arrival: None,
            outputs: VecDeque::new(),
        };
        participant.flush_requests();
        participant
    }

    /// Takes a message from the server.
    pub fn handle_notice(&mut self, notice: Notice, now: Instant) {
        if self.presence == Presence::Gone {
            return;
        }
        match self.dialogue.handle_notice(notice) {
            None => {}
            Some(Progress::Joined) => self.offer(now),
            Some(Progress::Answered(sdp)) => self.answered(&sdp, now),
            Some(Progress::Closed) => self.go(None),
            Some(Progress::Failed(reason)) => self.go(Some(reason)),
        }
        self.flush_requests();
    }

    /// The connection to the server is gone.
    pub fn handle_disconnect(&mut self, reason: &str) {
        self.go(Some(reason.to_owned()));
    }

    /// The socket asked for is there.
    pub fn handle_bound(&mut self, local: SocketAddr, now: Instant) {
        let Some(peer) = &mut self.peer else {
            return;
        };
        match peer.handle_bound(local, now) {
            Ok(candidate) => self.dialogue.trickle(&candidate),
            Err(error) => return self.go(Some(error.to_string())),
        }
        self.flush_requests();
        self.flush_peer(now);
    }

    /// Takes a datagram from the server. Returns the time since the packet before, if it is audio.
    pub fn handle_datagram(&mut self, datagram: &[u8], arrival: Instant) -> Option<Duration> {
        let mut interval = None;
        if let Some(number) = rtp_sequence(datagram) {
            self.sequence.observe(number);
            interval = self.last_arrival.replace(arrival).map(|last| arrival.saturating_duration_since(last));
            self.note_audible(arrival);
        }
        if let Some(peer) = &mut self.peer {
            let result = peer.handle_datagram(datagram, arrival);
            self.check(result);
            self.flush_peer(arrival);
        }
        interval
    }

    /// Says what is to be said in this frame, and lets timers run.
    pub fn handle_frame(&mut self, frame: u64, now: Instant) {
        let reel = self.character.reel.as_ref().filter(|_| self.is_connected());
        let Some(spoken) = reel.and_then(|reel| reel.frame(frame + self.character.offset)) else {
            return self.handle_timeout(now);
        };
        let Some(peer) = &mut self.peer else {
            return;
        };
        // Sending runs the peer's timers as well; twice per frame would double the cost of a light participant.
        let result = peer.send(spoken, frame, now);
        let onset = self.character.tone.filter(|_| spoken.onset);
        self.sent += 1;
        self.check(result);
        self.flush_peer(now);
        if let Some(tone) = onset {
            self.outputs.push_back(ParticipantOutput::OnsetSent(tone));
        }
        self.handle_timeout_of_dialogue(now);
    }

    /// Lets timers run.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.handle_timeout_of_dialogue(now);
        if let Some(peer) = &mut self.peer {
            let result = peer.handle_timeout(now);
            self.check(result);
            self.flush_peer(now);
        }
    }

    /// Leaves, as a browser does whose page is closed by its user.
    pub fn leave(&mut self, now: Instant) {
        if let Some(peer) = &mut self.peer {
            peer.close(now);
            self.flush_peer(now);
        }
        self.dialogue.leave();
        self.flush_requests();
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<ParticipantOutput> {
        self.outputs.pop_front()
    }

    /// Where it stands.
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// Whether the handshake is over.
    pub fn is_connected(&self) -> bool {
        self.peer.as_ref().is_some_and(Peer::is_connected)
    }

    /// Whether it decodes.
    pub fn is_full(&self) -> bool {
        self.listening.is_some()
    }

    /// The counters of the stream it receives.
    pub fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    /// Packets sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// What it heard since the last call; `None` for a light one.
    pub fn take_hearing(&mut self) -> Option<Hearing> {
        self.listening.as_mut().map(Listening::take_hearing)
    }

    fn handle_timeout_of_dialogue(&mut self, now: Instant) {
        if self.presence == Presence::Joining && now.saturating_duration_since(self.started) > JOIN_LIMIT {
            return self.go(Some(self.where_it_stuck().to_owned()));
        }
        self.dialogue.handle_timeout(now);
        self.flush_requests();
    }

    fn offer(&mut self, now: Instant) {
        match Peer::new(&self.identity, self.listening.is_none(), now) {
            Ok((peer, sdp)) => {
                self.peer = Some(peer);
                self.dialogue.offer(&sdp);
            }
            Err(error) => self.go(Some(error.to_string())),
        }
    }

    fn answered(&mut self, sdp: &str, now: Instant) {
        self.times.answered = now.saturating_duration_since(self.started);
        let Some(peer) = &mut self.peer else {
            return;
        };
        match peer.handle_answer(sdp, self.character.api_host) {
            Ok(remote) => self.outputs.push_back(ParticipantOutput::Bind(remote)),
            Err(error) => self.go(Some(error.to_string())),
        }
    }

    fn note_audible(&mut self, now: Instant) {
        if self.presence == Presence::Joining {
            self.presence = Presence::Present;
            self.times.audible = now.saturating_duration_since(self.started);
            self.outputs.push_back(ParticipantOutput::Joined(self.times));
        }
    }

    fn check(&mut self, result: Result<(), PeerError>) {
        if let Err(error) = result {
            self.go(Some(error.to_string()));
        }
    }

    fn go(&mut self, reason: Option<String>) {
        if self.presence != Presence::Gone {
            self.presence = Presence::Gone;
            self.peer = None;
            self.outputs.push_back(ParticipantOutput::Gone(reason));
        }
    }

    fn where_it_stuck(&self) -> &'static str {
        match (self.times.answered.is_zero(), self.times.connected.is_zero()) {
            (true, _) => "no answer from the server within 30 s",
            (false, true) => "ICE or DTLS not through within 30 s",
            (false, false) => "no audio within 30 s of joining",
        }
    }

    fn flush_requests(&mut self) {
        while let Some(request) = self.dialogue.poll_request() {
            self.outputs.push_back(ParticipantOutput::Request(request));
        }
    }

    fn flush_peer(&mut self, now: Instant) {
        while let Some(output) = self.peer.as_mut().and_then(Peer::poll_output) {
            match output {
                PeerOutput::Transmit(datagram) => self.outputs.push_back(ParticipantOutput::Transmit(datagram)),
                PeerOutput::Connected => self.times.connected = now.saturating_duration_since(self.started),
                PeerOutput::Packet { sequence, timestamp, payload } => {
                    if let Some(listening) = &mut self.listening {
                        let onsets = listening.handle_packet(sequence, timestamp, &payload, now);
                        self.outputs.extend(onsets.into_iter().map(ParticipantOutput::OnsetHeard));
                    }
                }
                PeerOutput::Down => self.go(Some("the peer connection went down".to_owned())),
            }
        }
    }
}
