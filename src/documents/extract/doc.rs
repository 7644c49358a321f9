//! Word documents of before 2007: `antiword` or `catdoc` reads them, whichever is installed.

use std::path::Path;

use super::{
    Extracted, Failed, Limits,
    program::{self, Outcome},
    prose::Prose,
};

pub(super) fn read(path: &Path, limits: &Limits) -> Result<Extracted, Failed> {
    let (program, options) = READERS
        .into_iter()
        .find(|(program, _)| program::is_installed(program))
        .ok_or_else(|| Failed::Unsupported(MISSING.into()))?;
    let mut arguments: Vec<_> = options.iter().map(|option| option.as_ref()).collect();
    arguments.push(path.as_os_str());
    match program::run(program, &arguments, Vec::new(), limits) {
        Outcome::Done(output) => {
            let mut prose = Prose::new(limits.text_bytes);
            prose.push(&String::from_utf8_lossy(&output));
            let mut warnings = Vec::new();
            Ok(Extracted { text: prose.finish(&mut warnings), warnings, ..Extracted::default() })
        }
        Outcome::TooLong => Err(Failed::TooLong(limits.seconds)),
        Outcome::Failed => Err(Failed::Damaged(format!("{program} cannot read it"))),
    }
}

/// Programs and what makes them write UTF-8 in lines as long as paragraphs.
const READERS: [(&str, &[&str]); 2] =
    [("antiword", &["-m", "UTF-8.txt", "-w", "0"]), ("catdoc", &["-d", "utf-8", "-w"])];

const MISSING: &str = "old Word documents (.doc) are not read: neither antiword nor catdoc is installed on this server; \
                       saved as .docx they are";
