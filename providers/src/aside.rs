//! What models are told beside a conversation.

use std::{fmt, sync::Arc};

/// A part of a prompt that engines see only behind [`Told`](crate::layers::Told), some of it only those that are cleared;
/// adapters do not read it. `Debug` prints nothing of it; reading it takes a visible [`expose`](Self::expose).
#[derive(Clone, PartialEq, Eq)]
pub struct Aside {
    confidential: Arc<str>,
    open: Arc<str>,
}

impl Aside {
    /// Text as a model is to read it: what only cleared engines may be told, and what all are. `None` if there is neither.
    pub fn new(confidential: impl Into<Arc<str>>, open: impl Into<Arc<str>>) -> Option<Self> {
        let (confidential, open) = (confidential.into(), open.into());
        (!confidential.is_empty() || !open.is_empty()).then_some(Self { confidential, open })
    }

    /// What an engine is told that is cleared, or not; `None` if that is nothing.
    pub fn expose(&self, cleared: bool) -> Option<String> {
        let parts = [Some(&*self.confidential).filter(|_| cleared), Some(&*self.open)];
        let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| parts.join("\n\n"))
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[ASIDE]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_cleared_is_told_what_is_open_and_nothing_is_printed() {
        let both = Aside::new("asthma", "a letter").unwrap();
        assert_eq!(
            (both.expose(true), both.expose(false)),
            (Some("asthma\n\na letter".into()), Some("a letter".into()))
        );
        assert_eq!(Aside::new("asthma", "").unwrap().expose(false), None);
        assert_eq!(Aside::new("", ""), None);
        assert_eq!(format!("{:?}", Some(both)), "Some([ASIDE])");
    }
}
