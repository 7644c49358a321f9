//! What models may have done in a conversation, by voice and in writing alike.

use std::sync::Arc;

use providers::tool::Toolbox;
use uuid::Uuid;

/// Knows what there is for whom.
pub trait Toolboxes: Send + Sync {
    /// What models may have done in a conversation of this principal, with what they may do and no more.
    fn of(&self, principal: &str, conversation: Uuid) -> Arc<dyn Toolbox>;
}
