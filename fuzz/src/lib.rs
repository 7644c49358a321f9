//! What the targets run: the pure part of live sessions, compiled from its place in the relay's tree.
//!
//! The relay as a library would bring sockets, a database and inference along, each instrumented at the price of minutes.
//! What decides and what reads bytes needs none of that; it finds itself under the same names as there.

mod listener;
pub mod stage;

#[path = "../../src/realtime"]
pub mod realtime {
    //! The pure modules of `src/realtime`.

    pub mod egress;
    pub mod ingest;
    pub mod protocol;
    pub mod session;
}
