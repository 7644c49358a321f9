//! Any bytes as a WAV file: read whole and in pieces, both must agree, and what was read can be written.
#![no_main]

use audio::{
    Clip, Encoding,
    wav::{self, Reader},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&cut, bytes)) = input.split_first() else { return };
    let whole = wav::read(bytes);
    let (mut reader, mut samples) = (Reader::new(), Vec::new());
    let pushed = bytes.chunks(usize::from(cut) + 1).try_for_each(|chunk| reader.push(chunk, &mut samples));
    let pieces = pushed.and_then(|()| reader.finish()).map(|rate| Clip::new(rate, samples));
    assert_eq!(whole, pieces);
    if let Ok(clip) = whole {
        assert_eq!(wav::read(&wav::write(&clip, Encoding::Pcm16)), Ok(clip));
    }
});
