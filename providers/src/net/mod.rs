//! What providers share towards the network.

pub(crate) mod http;
pub(crate) mod sse;
