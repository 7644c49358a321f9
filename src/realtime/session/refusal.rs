//! Errors that answer a client's command.

use std::sync::Arc;

use super::{
    ids::ResponseId,
    output::{ClientError, Event, Output},
};

/// Why a command is refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
    param: Option<&'static str>,
}

impl Refusal {
    /// A refusal for programs and people.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), param: None }
    }

    /// Names the offending field.
    pub(super) fn of(mut self, param: &'static str) -> Self {
        self.param = Some(param);
        self
    }

    /// A second response in the default conversation.
    pub(super) fn busy(active: &ResponseId) -> Self {
        let message = format!(
            "Conversation already has an active response in progress: {active}. \
             Wait until the response is finished before creating a new one."
        );
        Self::new("conversation_already_has_active_response", message)
    }

    /// An item that is not there.
    pub(super) fn unknown(code: &'static str, item: &impl std::fmt::Display) -> Self {
        Self::new(code, format!("No item with id '{item}' is in the conversation.")).of("item_id")
    }

    /// Tells the client, echoing the id of its command.
    pub(super) fn tell(self, event_id: Option<Arc<str>>, out: &mut Vec<Output>) {
        tell(
            out,
            Event::Error(ClientError {
                kind: "invalid_request_error",
                code: Some(self.code),
                message: self.message,
                param: self.param.map(str::to_owned),
                event_id,
            }),
        );
    }
}

/// Tells the client.
pub(super) fn tell(out: &mut Vec<Output>, event: Event) {
    out.push(Output::Notify(Box::new(event)));
}
