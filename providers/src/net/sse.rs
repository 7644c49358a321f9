//! Server-sent events from bytes in any chunking, per the WHATWG HTML standard, sections 9.2.5 and 9.2.6
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! Lines end in `\r\n`, `\n` or `\r`; comments and unknown fields are skipped. The standard drops an event that is still
//! open when the connection ends; here it is given if its lines were complete, since servers leave out the last blank
//! line: half a line is no data. Memory is bounded by [`LONGEST`].

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    /// Its lines of data, joined by `\n`.
    pub(crate) data: String,
}

/// A line or event outgrew [`LONGEST`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an event exceeds {LONGEST} bytes")]
pub(crate) struct TooLong;

/// Longest line and event in bytes: far above any chunk of a model, far below what hurts.
pub(crate) const LONGEST: usize = 1 << 20;

/// Bytes in, events out.
#[derive(Default, Debug)]
pub(crate) struct Decoder {
    line: Vec<u8>,
    data: Option<String>,
    /// The last byte was `\r`: a `\n` after it belongs to it.
    carriage: bool,
    begun: bool,
}

impl Decoder {
    /// Appends the events that these bytes complete.
    ///
    /// # Errors
    ///
    /// [`TooLong`]; the decoder is then of no more use.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<Event>) -> Result<(), TooLong> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.carriage) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + part.len() > LONGEST {
                return Err(TooLong);
            }
            self.line.extend_from_slice(part);
            bytes = rest;
            if let Some(&ending) = rest.first() {
                self.carriage = ending == b'\r';
                bytes = &rest[1..];
                self.end_line(out)?;
            }
        }
        Ok(())
    }

    /// The connection ended: an event whose last line was complete counts as sent.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        self.data.take().map(|data| Event { data })
    }

    fn end_line(&mut self, out: &mut Vec<Event>) -> Result<(), TooLong> {
        let line = std::mem::take(&mut self.line);
        let line = if std::mem::replace(&mut self.begun, true) { &line[..] } else { without_mark(&line) };
        if line.is_empty() {
            out.extend(self.data.take().map(|data| Event { data }));
            return Ok(());
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or(&[]);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        // Older llama.cpp servers report failures in a field named "error".
        if matches!(&line[..colon], b"data" | b"error") {
            self.append(&String::from_utf8_lossy(value))?;
        }
        Ok(())
    }

    fn append(&mut self, value: &str) -> Result<(), TooLong> {
        let Some(data) = &mut self.data else {
            self.data = Some(value.to_owned());
            return Ok(());
        };
        if data.len() + value.len() > LONGEST {
            return Err(TooLong);
        }
        data.push('\n');
        data.push_str(value);
        Ok(())
    }
}

fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(chunks: &[&[u8]]) -> Vec<String> {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        for chunk in chunks {
            decoder.feed(chunk, &mut events).unwrap();
        }
        events.extend(decoder.finish());
        events.into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn events_are_data_lines_up_to_an_empty_line() {
        for (text, expected) in [
            ("data: a\n\ndata: b\n\n", &["a", "b"][..]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            ("data:a\ndata:  b\n\n", &["a\n b"]),
            ("data: a\r\ndata: b\r\n\r\n", &["a\nb"]),
            (": keep-alive\n\n: again\ndata: a\n\n", &["a"]),
            ("event: x\nid: 7\nretry: 10\nnonsense\ndata: a\n\n", &["a"]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("data\n\n", &[""]),
            ("error: {}\n\n", &["{}"]),
            ("data: [DONE]\n", &["[DONE]"]),
            ("data: a\n\ndata: {\"half", &["a"]),
            ("", &[]),
        ] {
            assert_eq!(decode(&[text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn endless_lines_and_events_are_refused() {
        let mut decoder = Decoder::default();
        let chunk = vec![b'x'; 64 << 10];
        let fed = (0..100).try_for_each(|_| decoder.feed(&chunk, &mut Vec::new()));
        assert_eq!(fed, Err(TooLong));
        let mut decoder = Decoder::default();
        let line = [b"data: ".as_slice(), &vec![b'x'; 64 << 10], b"\n"].concat();
        let fed = (0..100).try_for_each(|_| decoder.feed(&line, &mut Vec::new()));
        assert_eq!(fed, Err(TooLong));
    }

    proptest::proptest! {
        #[test]
        fn chunking_makes_no_difference(
            text in "(data: |data:|: |event: |é|x|\r\n|\n|\r|\n\n){0,40}",
            cuts in proptest::collection::vec(0usize..200, 0..8),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            proptest::prop_assert_eq!(decode(&chunks), decode(&[bytes]));
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let mut decoder = Decoder::default();
            let _ = decoder.feed(&bytes, &mut Vec::new());
            let _ = decoder.finish();
        }
    }
}
