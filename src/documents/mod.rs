//! Documents: what leaves the relay as a file.
//!
//! Pure: text and fonts in, bytes out. Where conversations come from and where files go is the business of `rest`.

pub mod export;
