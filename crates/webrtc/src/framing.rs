//! Datagrams in a stream of bytes: each with its length before it (RFC 4571 section 2). Pure; knows no socket and not what
//! is in a datagram.

use std::ops::Range;

/// Bytes of the length.
const HEADER: usize = 2;
/// As much as is read of a datagram over UDP; browsers send at most 1200 bytes or so.
const MAX_FRAME: usize = 1600;
/// Bytes that are read at once: two of the longest frames, or thirty of speech.
const READ: usize = 2 * (HEADER + MAX_FRAME);
/// Bytes that wait for a client that does not keep up, besides those that the kernel holds: half a second of audio, or a flight of
/// a handshake. What would wait longer is of no use to anybody.
const MAX_UNSENT: usize = 4096;

/// Takes frames out of a stream.
#[derive(Debug)]
pub(crate) struct FrameReader {
    bytes: Box<[u8]>,
    /// What was read and not taken.
    filled: Range<usize>,
}

/// No peer of WebRTC sends frames of this length; the stream is something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameTooLong;

impl FrameReader {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; READ].into(), filled: 0..0 }
    }

    /// Where the next bytes of the stream belong. Not empty once [`FrameReader::next`] has returned `None`.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.bytes.copy_within(self.filled.clone(), 0);
        self.filled = 0..self.filled.len();
        &mut self.bytes[self.filled.end..]
    }

    /// So many bytes are there now.
    pub(crate) fn fill(&mut self, count: usize) {
        self.filled.end = (self.filled.end + count).min(READ);
    }

    /// The next frame, if the whole of it is there. Empty ones, which keep a connection alive, are left out.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, FrameTooLong> {
        while let Some(frame) = self.frame()? {
            self.filled.start = frame.end;
            if !frame.is_empty() {
                return Ok(Some(&self.bytes[frame]));
            }
        }
        Ok(None)
    }

    /// The next frame, which stays.
    pub(crate) fn peek(&self) -> Result<Option<&[u8]>, FrameTooLong> {
        Ok(self.frame()?.map(|frame| &self.bytes[frame]))
    }

    fn frame(&self) -> Result<Option<Range<usize>>, FrameTooLong> {
        let [high, low, ..] = self.bytes[self.filled.clone()] else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_FRAME {
            return Err(FrameTooLong);
        }
        let start = self.filled.start + HEADER;
        let frame = start..start + length;
        Ok((frame.end <= self.filled.end).then_some(frame))
    }
}

/// Frames on their way into a stream.
#[derive(Debug, Default)]
pub(crate) struct FrameQueue {
    bytes: Vec<u8>,
    sent: usize,
}

impl FrameQueue {
    /// Adds the whole frame, or nothing of it: `false` if too much waits already.
    pub(crate) fn push(&mut self, frame: &[u8]) -> bool {
        let waiting = self.bytes.len() - self.sent;
        let Ok(length) = u16::try_from(frame.len()) else { return false };
        if waiting + HEADER + frame.len() > MAX_UNSENT {
            return false;
        }
        self.bytes.drain(..self.sent);
        self.sent = 0;
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend_from_slice(frame);
        true
    }

    /// What waits.
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// So many bytes of it are in the stream.
    pub(crate) fn advance(&mut self, count: usize) {
        self.sent = (self.sent + count).min(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Carries frames through a stream that passes so many bytes at a time, over and over.
    fn carry(frames: &[Vec<u8>], pieces: &[usize]) -> Vec<Vec<u8>> {
        let (mut queue, mut reader) = (FrameQueue::default(), FrameReader::new());
        let (mut pieces, mut arrived) = (pieces.iter().cycle(), Vec::new());
        for frame in frames {
            assert!(queue.push(frame));
            while !queue.unsent().is_empty() {
                let (unsent, space) = (queue.unsent(), reader.space());
                let count = unsent.len().min(space.len()).min(*pieces.next().unwrap());
                space[..count].copy_from_slice(&unsent[..count]);
                queue.advance(count);
                reader.fill(count);
                while let Some(frame) = reader.next().unwrap() {
                    arrived.push(frame.to_vec());
                }
            }
        }
        arrived
    }

    proptest! {
        #[test]
        fn frames_arrive_as_they_were_however_the_stream_is_cut(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=MAX_FRAME), 0..20),
            pieces in prop::collection::vec(1_usize..4000, 1..10),
        ) {
            prop_assert_eq!(carry(&frames, &pieces), frames);
        }

        /// Whatever comes, a frame is at most as long as allowed and there is room for more, or the stream is refused.
        #[test]
        fn any_bytes_are_frames_or_refused(stream in prop::collection::vec(any::<u8>(), 0..20_000)) {
            let mut reader = FrameReader::new();
            let mut rest = &stream[..];
            'stream: while !rest.is_empty() {
                let space = reader.space();
                prop_assert!(!space.is_empty());
                let count = space.len().min(rest.len());
                space[..count].copy_from_slice(&rest[..count]);
                rest = &rest[count..];
                reader.fill(count);
                loop {
                    match reader.next() {
                        Ok(Some(frame)) => prop_assert!((1..=MAX_FRAME).contains(&frame.len())),
                        Ok(None) => break,
                        Err(FrameTooLong) => break 'stream,
                    }
                }
            }
        }
    }

    #[test]
    fn the_longest_frame_passes_and_a_longer_one_ends_the_stream() {
        let mut reader = FrameReader::new();
        let longest = [&(MAX_FRAME as u16).to_be_bytes()[..], &[7; MAX_FRAME]].concat();
        reader.space()[..longest.len()].copy_from_slice(&longest);
        reader.fill(longest.len());
        assert_eq!(reader.peek(), Ok(Some(&[7; MAX_FRAME][..])));
        assert_eq!(reader.next(), Ok(Some(&[7; MAX_FRAME][..])));

        reader.space()[..2].copy_from_slice(&(MAX_FRAME as u16 + 1).to_be_bytes());
        reader.fill(2);
        assert_eq!(reader.next(), Err(FrameTooLong));
        assert_eq!(reader.peek(), Err(FrameTooLong));
    }

    #[test]
    fn empty_frames_are_left_out() {
        let mut reader = FrameReader::new();
        reader.space()[..7].copy_from_slice(&[0, 0, 0, 0, 0, 1, 9]);
        reader.fill(7);

        assert_eq!(reader.next(), Ok(Some(&[9][..])));
        assert_eq!(reader.next(), Ok(None));
    }

    #[test]
    fn what_does_not_fit_is_dropped_whole() {
        let mut queue = FrameQueue::default();
        let frame = [1; 1000];
        let taken = (0..10).filter(|_| queue.push(&frame)).count();
        assert_eq!(taken, 4);
        assert_eq!(queue.unsent().len(), 4 * 1002);

        queue.advance(1500);
        assert!(queue.push(&frame), "half of the second frame has left");
        assert!(!queue.push(&frame));
        assert_eq!(queue.unsent().len(), 5 * 1002 - 1500);
    }
}
