//! gRPC to providers, over the HTTP/2 that reqwest brings: messages both ways at once, and what statuses mean.
//!
//! Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>. Messages are never compressed: what goes over
//! the wire is sound. `http://` addresses are spoken to without TLS, by prior knowledge.

mod call;
mod frames;
mod lines;
mod status;

pub(crate) use call::{Answers, Asking, Method};
