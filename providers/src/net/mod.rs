//! What providers share towards the network.

pub(crate) mod events;
pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod pcm;
pub(crate) mod refusal;
pub(crate) mod sse;
pub(crate) mod warm;
pub(crate) mod ws;
