//! The vendors' public prices, in US dollars, as they were read in November 2026. They are for orientation: vendors change
//! them, and contracts have others. `prices.list` in the configuration goes before them.
//!
//! - Anthropic: <https://platform.claude.com/docs/en/about-claude/pricing>; Haiku 5.5 as for prompts of up to 100 000 tokens.
//! - Deepgram: <https://deepgram.com/pricing>, pay as you go, streaming, as quoted on 2026-08-01 (Nova), 2026-11-04 (Flux
//!   multilingual) and 2026-05-04 (Flux English, Aura) by those who track it. Nova-3 is that of one language.
//! - DeepSeek: <https://api-docs.deepseek.com/quick_start/pricing>, as quoted on 2026-10-27; peak hours, which cost twice the
//!   others.
//! - OpenAI: <https://developers.openai.com/api/docs/pricing> and its pages on models, as quoted between March and November
//!   2026. The realtime models charge more for tokens of sound, which are not told apart: they have no price here.
//!   Embeddings: <https://developers.openai.com/api/docs/models/text-embedding-3-large>.
//!
//! ElevenLabs, Azure and Google charge by plan, region or date; without a line of the operator's they are unknown.

/// As in `prices.list`.
pub(super) const KNOWN: &[&str] = &[
    "anthropic/claude-fable-5-1* input=10 cached=0.25 output=50",
    "anthropic/claude-haiku-4-5* input=1 cached=0.1 output=5",
    "anthropic/claude-haiku-5-5* input=0.1 cached=0.01 output=0.5",
    "anthropic/claude-opus-4-5* input=5 cached=0.5 output=25",
    "anthropic/claude-opus-4-6* input=5 cached=0.5 output=25",
    "anthropic/claude-opus-4-7* input=5 cached=0.5 output=25",
    "anthropic/claude-opus-4-8* input=5 cached=0.5 output=25",
    "anthropic/claude-opus-5* input=5 cached=0.5 output=25",
    "anthropic/claude-opus-5-5* input=4 cached=0.2 output=20",
    "anthropic/claude-sonnet-4-5* input=3 cached=0.3 output=15",
    "anthropic/claude-sonnet-4-6* input=3 cached=0.3 output=15",
    "anthropic/claude-sonnet-5* input=2 cached=0.2 output=10",
    "anthropic/claude-sonnet-5-5* input=2 cached=0.1 output=10",
    "deepgram/aura-2* characters=0.03",
    "deepgram/flux-general-en* minute=0.0065",
    "deepgram/flux-general-multi* minute=0.0078",
    "deepgram/nova-3 minute=0.0048",
    "deepseek/deepseek-flash* input=0.3 cached=0.006 output=1.2",
    "deepseek/deepseek-v4-pro* input=1.32 cached=0.044 output=3.96",
    "openai/gpt-4.1 input=2 cached=0.5 output=8",
    "openai/gpt-4.1-mini input=0.4 cached=0.1 output=1.6",
    "openai/gpt-4.1-nano input=0.1 cached=0.025 output=0.4",
    "openai/gpt-4o input=2.5 cached=1.25 output=10",
    "openai/gpt-4o-mini input=0.15 cached=0.075 output=0.6",
    "openai/gpt-5-mini input=0.25 cached=0.025 output=2",
    "openai/gpt-5.2 input=1.75 cached=0.175 output=14",
    "openai/gpt-5.4 input=2.5 cached=0.25 output=15",
    "openai/gpt-5.4-mini input=0.75 cached=0.075 output=4.5",
    "openai/gpt-5.4-nano input=0.2 cached=0.02 output=1.25",
    "openai/gpt-5.5 input=5 cached=0.5 output=30",
    "openai/text-embedding-3-large input=0.13",
    "openai/text-embedding-3-small input=0.02",
];
