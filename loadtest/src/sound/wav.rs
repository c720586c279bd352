//! Reads a WAV file's bytes: 16-bit PCM, any number of channels (the first is used). Opens no file.

use thiserror::Error;

use super::Recording;

/// Why a WAV file cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WavError {
    /// No RIFF/WAVE header.
    #[error("not a WAV file")]
    NotWav,
    /// A chunk ends before its length, or `fmt ` or `data` is missing.
    #[error("the file is cut off: no {0} chunk")]
    Missing(&'static str),
    /// Another sample format.
    #[error(
        "only 16-bit PCM is read (this is format {format}, {bits} bits); convert it: ffmpeg -i in.wav -ar 48000 -ac 1 -c:a pcm_s16le out.wav"
    )]
    Format {
        /// WAVE format tag.
        format: u16,
        /// Bits per sample.
        bits: u16,
    },
    /// A rate Opus does not take.
    #[error(
        "{0} Hz is not a rate of Opus (8000, 12000, 16000, 24000, 48000); convert it: ffmpeg -i in.wav -ar 48000 -ac 1 -c:a pcm_s16le out.wav"
    )]
    Rate(u32),
}

/// The first channel of a WAV file.
pub fn read_wav(bytes: &[u8]) -> Result<Recording, WavError> {
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(WavError::NotWav);
    }
    let format = chunk(bytes, b"fmt ").and_then(|chunk| chunk.first_chunk::<16>()).ok_or(WavError::Missing("fmt "))?;
    let data = chunk(bytes, b"data").ok_or(WavError::Missing("data"))?;
    let half = |at: usize| u16::from_le_bytes([format[at], format[at + 1]]);
    let (tag, channels, bits) = (half(0), usize::from(half(2)).max(1), half(14));
    let sampling_rate = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
    if tag != 1 || bits != 16 {
        return Err(WavError::Format { format: tag, bits });
    }
    if ![8_000, 12_000, 16_000, 24_000, 48_000].contains(&sampling_rate) {
        return Err(WavError::Rate(sampling_rate));
    }
    let samples = data
        .chunks_exact(2 * channels)
        .map(|sample| f32::from(i16::from_le_bytes([sample[0], sample[1]])) / 32_768.0)
        .collect();
    Ok(Recording { samples, sampling_rate })
}

fn chunk<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = bytes.get(12..)?;
    loop {
        let header = rest.first_chunk::<8>()?;
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let body = rest.get(8..)?;
        if &header[..4] == name {
            // A recording that was interrupted claims more than there is: take what is there.
            return Some(&body[..length.min(body.len())]);
        }
        // Chunks are padded to an even length.
        rest = body.get(length.checked_next_multiple_of(2)?..)?;
    }
}
