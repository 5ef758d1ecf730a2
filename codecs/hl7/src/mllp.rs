//! MLLP: a message stands between the bytes 0x0B and 0x1C 0x0D.

use crate::parse::BYTES_MAX;

const BEGIN: u8 = 0x0b;
const END: [u8; 2] = [0x1c, 0x0d];

/// A message in its frame.
pub fn frame(message: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(message.len() + 3);
    bytes.push(BEGIN);
    bytes.extend_from_slice(message.as_bytes());
    bytes.extend_from_slice(&END);
    bytes
}

/// Why a stream cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a message is longer than {BYTES_MAX} bytes")]
    TooLong,
    #[error("byte {0:#04x} stands where a message begins with 0x0b")]
    NoBegin(u8),
}

/// Takes frames out of a stream, whatever pieces it comes in. It never holds more than one message and one piece.
#[derive(Debug, Default)]
pub struct Frames {
    held: Vec<u8>,
}

impl Frames {
    /// More of the stream came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next whole message. After an error the stream cannot be followed any more.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        // Line ends between frames are common and harmless.
        let blank = self.held.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.held.drain(..blank);
        match self.held.first() {
            None => return Ok(None),
            Some(&BEGIN) => {}
            Some(other) => return Err(FrameError::NoBegin(*other)),
        }
        match self.held.windows(2).position(|pair| pair == END) {
            Some(end) if end > BYTES_MAX => Err(FrameError::TooLong),
            Some(end) => {
                let message = self.held[1..end].to_vec();
                self.held.drain(..end + 2);
                Ok(Some(message))
            }
            None if self.held.len() > BYTES_MAX + 3 => Err(FrameError::TooLong),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn messages_come_out_as_they_went_in(messages in proptest::collection::vec("[A-Z|^\r]{0,40}", 0..5), piece in 1usize..17) {
            let stream: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
            let (mut frames, mut out) = (Frames::default(), Vec::new());
            for piece in stream.chunks(piece) {
                frames.push(piece);
                while let Some(message) = frames.take().unwrap() {
                    out.push(String::from_utf8(message).unwrap());
                }
            }
            prop_assert_eq!(out, messages);
        }

        #[test]
        fn no_stream_breaks_the_frames(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut frames = Frames::default();
            frames.push(&bytes);
            while let Ok(Some(_)) = frames.take() {}
        }
    }

    #[test]
    fn what_is_too_long_or_begins_wrong_is_told() {
        let mut frames = Frames::default();
        frames.push(b"GET / HTTP/1.1");
        assert_eq!(frames.take(), Err(FrameError::NoBegin(b'G')));
        let mut frames = Frames::default();
        frames.push(&[BEGIN]);
        frames.push(&vec![b'A'; BYTES_MAX + 3]);
        assert_eq!(frames.take(), Err(FrameError::TooLong));
    }
}
