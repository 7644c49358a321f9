//! The vendors themselves, where `LIVE_PROVIDER_TESTS=1` and a vendor's key allow it.

use std::{env, sync::Arc};

use providers::{LanguageModel, Secret, anthropic, azure, deepseek, gemini, openai};

/// The language models whose keys are set.
pub(crate) fn models() -> Vec<(&'static str, Arc<dyn LanguageModel>)> {
    if env::var("LIVE_PROVIDER_TESTS").as_deref() != Ok("1") {
        println!("skipped: the vendors themselves; LIVE_PROVIDER_TESTS is not 1");
        return Vec::new();
    }
    [openai(), anthropic(), gemini(), deepseek(), azure()].into_iter().flatten().collect()
}

fn openai() -> Option<(&'static str, Arc<dyn LanguageModel>)> {
    let config = openai::Config { key: key("OPENAI_API_KEY"), ..openai::Config::default() };
    config.key.as_ref()?;
    Some(("live openai", Arc::new(openai::LanguageModel::new("openai/live", "gpt-4o-mini", Arc::new(config)))))
}

fn anthropic() -> Option<(&'static str, Arc<dyn LanguageModel>)> {
    let config = anthropic::Config { key: key("ANTHROPIC_API_KEY"), ..anthropic::Config::default() };
    config.key.as_ref()?;
    let model = anthropic::LanguageModel::new("anthropic/live", "claude-haiku-4-5", Arc::new(config));
    Some(("live anthropic", Arc::new(model)))
}

fn gemini() -> Option<(&'static str, Arc<dyn LanguageModel>)> {
    let config = gemini::Config { key: key("GEMINI_API_KEY"), ..gemini::Config::default() };
    config.key.as_ref()?;
    Some(("live gemini", Arc::new(gemini::LanguageModel::new("gemini/live", "gemini-2.5-flash", Arc::new(config)))))
}

fn deepseek() -> Option<(&'static str, Arc<dyn LanguageModel>)> {
    let config = deepseek::Config { key: key("DEEPSEEK_API_KEY"), ..deepseek::Config::default() };
    config.key.as_ref()?;
    let model = deepseek::LanguageModel::new("deepseek/live", "deepseek-v4-flash", Arc::new(config));
    Some(("live deepseek", Arc::new(model)))
}

fn azure() -> Option<(&'static str, Arc<dyn LanguageModel>)> {
    let base_url = env::var("AZURE_OPENAI_ENDPOINT").ok()?;
    let deployment = env::var("AZURE_OPENAI_DEPLOYMENT").ok()?;
    let config = azure::llm::Config { base_url, key: key("AZURE_OPENAI_API_KEY"), ..azure::llm::Config::default() };
    config.key.as_ref()?;
    Some(("live azure", Arc::new(azure::LanguageModel::new("azure/live", deployment, Arc::new(config)))))
}

fn key(name: &str) -> Option<Secret> {
    let key = env::var(name).ok().filter(|key| !key.is_empty());
    if key.is_none() {
        println!("skipped: {name} is not set");
    }
    key.map(Secret::from)
}
