//! A line in the hands of a gateway that sends anything.

use std::time::{Duration, Instant};

use crate::realtime::transport::telephony::{
    dialect::{Dialect, Said, Word},
    ear::Ear,
    mouth::{Mouth, SAMPLES},
};

/// Most frames one message may become: two seconds of sound, and a second of silence for what was lost, each with what
/// waited.
const MOST_FRAMES: usize = 100 + 50 + 4 * 100;

/// A call, from its first message on.
pub struct Telephone {
    dialect: Dialect,
    stream: String,
    line: Option<(Ear, Mouth)>,
    now: Instant,
    sound: Vec<u8>,
}

impl Telephone {
    /// A line of one of the dialects.
    pub fn new(choice: u8) -> Self {
        let dialect = Dialect::ALL[usize::from(choice) % Dialect::ALL.len()];
        Self { dialect, stream: String::new(), line: None, now: Instant::now(), sound: Vec::new() }
    }

    /// The gateway sends this; whether the call goes on.
    pub fn hears(&mut self, message: &[u8], binary: bool) -> bool {
        self.now += Duration::from_millis(20);
        let word = match binary {
            true => self.dialect.read_binary(),
            false => self.dialect.read(&String::from_utf8_lossy(message), &mut self.sound),
        };
        let word = match word {
            Ok(word) => word,
            Err(fault) => {
                assert!((1002..=1009).contains(&fault.code()) && fault.reason().len() <= 123);
                return false;
            }
        };
        match (word, &mut self.line) {
            (Word::Start(start), None) => {
                assert!(start.parameters.iter().all(|(_, value)| value.len() <= 4_096));
                let made = Ear::new(start.format).and_then(|ear| Ok((ear, Mouth::new(start.format, self.now)?)));
                self.stream = start.stream;
                self.line = made.ok();
                assert!(self.line.is_some(), "a format that is served cannot be: {:?}", start.format);
                true
            }
            (Word::Sound { place }, Some((ear, _))) => {
                let sound = if binary { message } else { &self.sound };
                let mut frames = 0;
                let heard = ear.hear(place, sound, |_| frames += 1);
                assert!(frames <= MOST_FRAMES, "{frames} frames of one message");
                heard.is_ok()
            }
            (Word::Mark(mark), Some((_, mouth))) => {
                mouth.marked(self.now, mark);
                assert!(mouth.lag(self.now).is_none_or(|lag| lag <= Duration::from_secs(2)));
                true
            }
            (Word::Key(key), Some(_)) => {
                assert!(key.is_ascii_digit() || matches!(key, '*' | '#' | 'A'..='D'));
                true
            }
            (Word::Nothing | Word::Event, _) => true,
            (Word::Start(_) | Word::Sound { .. } | Word::Mark(_) | Word::Key(_) | Word::Stop, _) => false,
        }
    }

    /// The assistant speaks, is held, goes on, or is cut.
    pub fn speaks(&mut self, act: u8) {
        let Some((_, mouth)) = &mut self.line else { return };
        match act % 4 {
            0 => drop(mouth.hold(self.now)),
            1 => mouth.resume(),
            2 => drop(mouth.flush(self.now)),
            _ => {
                let mut sent = 0;
                while mouth.wants(self.now) {
                    let sound = mouth.again(self.now).unwrap_or_else(|| mouth.say(self.now, &[i16::from(act); SAMPLES]));
                    assert!(!sound.is_empty());
                    readable(&self.dialect.sound(&self.stream, &sound));
                    sent += 1;
                    assert!(sent <= 8, "never more than the lead at once");
                    if let Some(mark) = mouth.mark(false) {
                        readable(&self.dialect.mark(&self.stream, mark));
                    }
                }
            }
        }
        readable(&self.dialect.clear(&self.stream));
    }
}

/// What goes out as JSON is JSON, whatever the gateway called its stream.
fn readable(said: &Said) {
    if let Said::Text(text) = said
        && text.starts_with('{')
    {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
    }
}
