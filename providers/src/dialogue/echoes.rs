//! What a vendor sent with a call and wants back when the call is told again: Gemini's thought signatures, DeepSeek's
//! reasoning. No conversation of ours carries it, so the adapter remembers it, for as long as it lives and there is room.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// By the id of the call. The oldest go when there are too many.
#[derive(Default)]
pub(crate) struct Echoes(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    order: VecDeque<String>,
    echoes: BTreeMap<String, String>,
    bytes: usize,
}

impl Echoes {
    /// Remembers what came with this call.
    pub(crate) fn keep(&self, call: &str, echo: &str) {
        if echo.is_empty() || echo.len() > LONGEST {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += echo.len();
        match kept.echoes.insert(call.to_owned(), echo.to_owned()) {
            Some(before) => kept.bytes -= before.len(),
            None => kept.order.push_back(call.to_owned()),
        }
        while kept.bytes > ROOM || kept.order.len() > MOST {
            let Some(oldest) = kept.order.pop_front() else { return };
            kept.bytes -= kept.echoes.remove(&oldest).map_or(0, |echo| echo.len());
        }
    }

    /// What came with this call.
    pub(crate) fn recall(&self, call: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).echoes.get(call).cloned()
    }
}

impl std::fmt::Debug for Echoes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Echoes")
    }
}

/// Calls of the conversations under way, generously; far below what hurts.
const MOST: usize = 4096;
const ROOM: usize = 16 << 20;
/// Signatures take kilobytes, reasoning some tens of them.
const LONGEST: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered_and_room_is_bounded() {
        let echoes = Echoes::default();
        echoes.keep("a", "one");
        echoes.keep("a", "two");
        echoes.keep("b", "");
        assert_eq!((echoes.recall("a").as_deref(), echoes.recall("b")), (Some("two"), None));
        let long = "x".repeat(LONGEST);
        for call in 0..200 {
            echoes.keep(&call.to_string(), &long);
        }
        assert_eq!((echoes.recall("a"), echoes.recall("199").is_some()), (None, true));
        let kept = echoes.0.lock().unwrap();
        assert!(kept.bytes <= ROOM && kept.bytes == kept.echoes.values().map(String::len).sum::<usize>());
        assert_eq!(kept.order.len(), kept.echoes.len());
    }
}
