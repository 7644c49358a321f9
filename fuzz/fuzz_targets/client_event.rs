//! Any bytes as what a client sends while a session lives: each line is a message, or lets the world do something.
//! Nothing panics, every answer is JSON that clients can read, and what begins ends.
//!
//! The first byte chooses the session. A line that begins with one of these is the world's: `s` and `q` sound and quiet,
//! `w` waiting, `p` and `u` understanding, `x` not understanding, `j` judging a pause, `t` thinking, `c` calling a function,
//! `e` having thought, `f` failing to think, `v` voicing, `r` a whole reply. All else is the client's.

#![no_main]

use libfuzzer_sys::fuzz_target;
use providers::llm::{Finish, Thought};
use voice_relay_fuzz::stage::{Stage, Understood};

/// Most lines of one run.
const MOST_LINES: usize = 64;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, script)) = input.split_first() else { return };
    let mut stage = Stage::new(choice);
    for line in script.split(|byte| *byte == b'\n').take(MOST_LINES) {
        // The transport lets only UTF-8 through.
        play(&mut stage, &String::from_utf8_lossy(line));
    }
    stage.ends();
});

fn play(stage: &mut Stage, line: &str) {
    let mut rest = line.chars();
    let act = rest.next();
    let rest = rest.as_str();
    let number = rest.bytes().fold(0_u8, |number, byte| number.wrapping_mul(10).wrapping_add(byte.wrapping_sub(b'0')));
    match act {
        Some('s') => stage.sounds(true, number),
        Some('q') => stage.sounds(false, number),
        Some('w') => stage.waits(u64::from(number) * 50),
        Some('p') => stage.understands(Understood::Partly(rest)),
        Some('u') => stage.understands(Understood::Wholly(rest)),
        Some('x') => stage.understands(Understood::Not),
        Some('j') => stage.advises(number),
        Some('t') => stage.thinks(Thought::Text(rest.to_owned())),
        Some('c') => {
            stage.thinks(Thought::CallStarted { call: "call_1".to_owned(), name: "f".to_owned() });
            stage.thinks(Thought::CallArguments(rest.to_owned()));
            stage.thinks(Thought::CallDone);
        }
        Some('e') => stage.thinks(Thought::Finished(match number % 4 {
            0 | 1 => Finish::Stop,
            2 => Finish::Length,
            _ => Finish::ContentFilter,
        })),
        Some('f') => stage.despairs(),
        Some('v') => stage.voices(u64::from(number) * 5),
        Some('r') => stage.replies(rest),
        Some(_) | None => stage.says(line),
    }
}
