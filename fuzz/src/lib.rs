//! What the targets run: the pure part of live sessions, compiled from its place in the relay's tree.
//!
//! The relay as a library would bring sockets, a database and inference along, each instrumented at the price of minutes.
//! What decides and what reads bytes needs none of that; it finds itself under the same names as there.

mod listener;
pub mod stage;
pub mod telephone;

#[path = "../../src/realtime"]
pub mod realtime {
    //! The pure modules of `src/realtime`.

    pub mod egress;
    pub mod ingest;
    pub mod protocol;
    pub mod session;

    pub mod transport {
        //! What of reaching a client is pure.

        pub(crate) mod telephony {
            //! All of a call but its socket.

            mod asterisk;
            pub(crate) mod dialect;
            pub(crate) mod ear;
            pub(crate) mod mouth;
            mod raw;
            mod telnyx;
            mod twilio;
            mod vonage;
            mod wire;
        }

        pub mod webrtc {
            //! An offer and its answer.

            pub mod config;
            pub mod offer;
            pub mod reach;
        }
    }
}
