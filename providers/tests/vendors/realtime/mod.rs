//! Speech-to-speech models: one behaviour for all, what is each vendor's own, and their layers.

mod bounds;
mod gemini;
mod layers;
mod live;
mod openai;
mod server;
mod suite;
mod talk;
