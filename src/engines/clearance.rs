//! `[clinical]`: who may be told clinical contexts, and whether attached files are as confidential.

use serde::{Deserialize, Serialize};

use super::accounts::Accounts;

/// `[clinical]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clearance {
    /// Vendors and servers of one's own, by what goes before the slash of their engines' names. The engines of this process
    /// are always cleared: what they are told goes nowhere.
    pub cleared: Vec<String>,
    /// Whether what stands in attached files is kept from all others, too.
    pub attachments: bool,
}

impl Clearance {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self, accounts: &Accounts<'_>) -> Vec<(String, String)> {
        let unknown = self.cleared.iter().filter(|owner| !accounts.knows(owner));
        let message = |owner: &String| {
            format!(
                "`{owner}` is not known; allowed: vendors as in the names of their engines, and names of [compatible]"
            )
        };
        unknown.map(|owner| ("cleared".to_owned(), message(owner))).collect()
    }

    /// Whether the engine of this name may be told what is confidential.
    pub(super) fn covers(&self, engine: &str) -> bool {
        let owner = engine.split('/').next().unwrap_or_default();
        OURS.contains(&owner) || self.cleared.iter().any(|cleared| cleared == owner)
    }
}

/// Whose engines run in this process.
const OURS: [&str; 2] = ["local", "scripted"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_cleared_who_was_not_named_but_our_own() {
        let none = Clearance::default();
        assert!(none.covers("local/agent") && none.covers("scripted/llm"));
        assert!(!none.covers("openai/gpt-4.1-mini") && !none.covers("ollama/llama3.2") && !none.covers(""));
        let some = Clearance { cleared: vec!["ollama".into(), "azure".into()], attachments: false };
        assert!(some.covers("ollama/llama3.2") && some.covers("azure/live") && !some.covers("openai/azure"));
        assert!(!some.covers("azure-2/x") && !some.covers("olla/ma"));
    }
}
