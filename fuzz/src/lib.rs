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

    pub mod transport {
        //! What reads a client's bytes before a session has begun.

        pub mod webrtc {
            //! An offer and its answer.

            pub mod config;
            pub mod offer;
            pub mod reach;
        }
    }
}
