//! Any bytes as what a gateway sends into a call: nothing panics, nothing grows beyond its bounds, all that goes out can be
//! read.
//!
//! The first byte chooses the dialect. Each line is a message; one that begins with a byte above 0x7f is binary, one that
//! begins with `=` lets the assistant do what its next byte says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use voice_relay_fuzz::telephone::Telephone;

/// Most lines of one run.
const MOST_LINES: usize = 64;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, script)) = input.split_first() else { return };
    let mut call = Telephone::new(choice);
    for line in script.split(|byte| *byte == b'\n').take(MOST_LINES) {
        let goes_on = match line.split_first() {
            Some((b'=', act)) => {
                call.speaks(act.first().copied().unwrap_or_default());
                true
            }
            Some((0x80.., sound)) => call.hears(sound, true),
            Some(_) | None => call.hears(line, false),
        };
        if !goes_on {
            return;
        }
    }
});
