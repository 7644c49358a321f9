//! Names of things in a session, and the seeded source they come from.
//!
//! Ids are made here and nowhere else, without a clock or randomness of their own, so a recorded session replays to the
//! same ids. They are at most 26 characters, inside the 32 that clients accept.

use std::{fmt, sync::Arc};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps an id as it stands on the wire.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The id as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A conversation item: `item_…`, or whatever the client called it.
    ItemId
);
text_id!(
    /// A response: `resp_…`.
    ResponseId
);
text_id!(
    /// A function call: `call_…`.
    CallId
);

/// A stretch of the user's audio that is transcribed as one utterance. Rises within a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct TurnId(pub u32);

/// The seeded source of ids.
#[derive(Clone, Debug)]
pub struct Ids {
    state: u64,
    turns: u32,
}

impl Ids {
    /// A source whose ids differ from those of any other seed, for all practical purposes.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed, turns: 0 }
    }

    /// The next item id.
    pub fn item(&mut self) -> ItemId {
        ItemId::new(format!("item_{}", self.suffix()))
    }

    /// The next response id.
    pub fn response(&mut self) -> ResponseId {
        ResponseId::new(format!("resp_{}", self.suffix()))
    }

    /// The next turn id.
    pub const fn turn(&mut self) -> TurnId {
        self.turns += 1;
        TurnId(self.turns)
    }

    /// 21 base-62 characters from two steps of SplitMix64 (Steele, Lea, Flood 2014).
    fn suffix(&mut self) -> String {
        const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut bits = (u128::from(self.step()) << 64) | u128::from(self.step());
        (0..21)
            .map(|_| {
                let digit = (bits % 62) as usize;
                bits /= 62;
                char::from(ALPHABET[digit])
            })
            .collect()
    }

    const fn step(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
