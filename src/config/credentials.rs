//! Secrets that stand in files: `NAME_FILE` in the environment, or systemd's credentials.
//!
//! A variable that is set itself goes before its file, a file named in the environment before systemd's. Files are read
//! anew whenever the configuration is, so a rotated key is found. See <https://systemd.io/CREDENTIALS/>.

use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use super::{problem::Problem, source::Source};

/// The environment, with what stands in files as if it stood in variables.
pub(super) struct Filed<'a> {
    inner: &'a dyn Source,
    found: BTreeMap<String, String>,
}

impl<'a> Filed<'a> {
    /// Looks for these variables' files, and for the file of any variable that begins with `prefix`. What cannot be read is
    /// a problem.
    pub(super) fn of(inner: &'a dyn Source, names: &[&str], prefix: &str, problems: &mut Vec<Problem>) -> Self {
        let mut wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let prefixed = inner.starting_with(prefix).into_keys();
        wanted.extend(prefixed.filter_map(|name| Some(name.strip_suffix(SUFFIX)?.to_owned())));
        let directory = inner.get("CREDENTIALS_DIRECTORY").filter(|directory| !directory.is_empty());
        let mut found = BTreeMap::new();
        for name in wanted {
            if inner.get(&name).is_some_and(|value| !value.is_empty()) {
                continue;
            }
            let file = format!("{name}{SUFFIX}");
            let named = inner.get(&file).filter(|path| !path.is_empty());
            let (origin, path) = match (named, &directory) {
                (Some(path), _) => (format!("environment {file}"), path),
                (None, Some(directory)) => {
                    let path = Path::new(directory).join(&name);
                    if !path.exists() {
                        continue;
                    }
                    (format!("credential {name}"), path.display().to_string())
                }
                (None, None) => continue,
            };
            match read(Path::new(&path)) {
                Ok(secret) => _ = found.insert(name, secret),
                Err(why) => problems.push(Problem { origin, key: String::new(), message: format!("{path}: {why}") }),
            }
        }
        Self { inner, found }
    }
}

impl Source for Filed<'_> {
    fn starting_with(&self, prefix: &str) -> BTreeMap<String, String> {
        let mut all = self.inner.starting_with(prefix);
        all.retain(|name, _| !name.ends_with(SUFFIX));
        let found = self.found.iter().filter(|(name, _)| name.starts_with(prefix));
        all.extend(found.map(|(name, value)| (name.clone(), value.clone())));
        all
    }

    fn get(&self, name: &str) -> Option<String> {
        self.found.get(name).cloned().or_else(|| self.inner.get(name))
    }
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if read as u64 > LARGEST {
        return Err("is larger than any key".to_owned());
    }
    let text = text.trim();
    if text.is_empty() { Err("is empty".to_owned()) } else { Ok(text.to_owned()) }
}

const SUFFIX: &str = "_FILE";
/// A service account's JSON has 2.4 KB.
const LARGEST: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_key_is_found_in_its_variable_then_its_file_then_systemds() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        std::fs::write(at("mounted"), "from-a-file\n").unwrap();
        std::fs::write(at("B_KEY"), "from-systemd").unwrap();
        std::fs::write(at("C_KEY"), "from-systemd").unwrap();
        let root = directory.path().display().to_string();
        let given = environment(&[
            ("A_KEY", "from-the-variable"),
            ("A_KEY_FILE", &at("mounted")),
            ("B_KEY_FILE", &at("mounted")),
            ("RELAY__X__API_KEY_FILE", &at("mounted")),
            ("CREDENTIALS_DIRECTORY", &root),
        ]);
        let mut problems = Vec::new();
        let filed = Filed::of(&given, &["A_KEY", "B_KEY", "C_KEY", "D_KEY"], "RELAY__", &mut problems);
        assert_eq!(problems, []);
        let got = ["A_KEY", "B_KEY", "C_KEY", "D_KEY"].map(|name| filed.get(name));
        let expected = [Some("from-the-variable"), Some("from-a-file"), Some("from-systemd"), None];
        assert_eq!(got, expected.map(|value| value.map(str::to_owned)));
        assert_eq!(filed.starting_with("RELAY__"), environment(&[("RELAY__X__API_KEY", "from-a-file")]));
    }

    #[test]
    fn a_file_that_gives_no_key_is_a_mistake_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        std::fs::write(at("empty"), " \n").unwrap();
        std::fs::write(at("huge"), "x".repeat(70_000)).unwrap();
        for (file, why) in [("missing", "No such file"), ("empty", "is empty"), ("huge", "larger than any key")] {
            let given = environment(&[("A_KEY_FILE", &at(file))]);
            let mut problems = Vec::new();
            Filed::of(&given, &["A_KEY"], "RELAY__", &mut problems);
            let [problem] = &problems[..] else { panic!("{file}: {problems:?}") };
            assert_eq!(problem.origin, "environment A_KEY_FILE");
            assert!(problem.message.contains(why) && problem.message.contains(file), "{problem}");
        }
    }
}
