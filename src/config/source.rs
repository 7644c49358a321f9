//! Where settings come from, so that tests can stand in for the process.

use std::collections::BTreeMap;

/// Reads the environment.
pub trait Source {
    /// All variables whose names start with `prefix`, by name. What is not Unicode of a value is U+FFFD, so that it is
    /// refused where it would otherwise be overlooked.
    fn starting_with(&self, prefix: &str) -> BTreeMap<String, String>;

    /// One variable, if set; likewise.
    fn get(&self, name: &str) -> Option<String>;
}

/// The process's own environment.
pub struct Environment;

impl Source for Environment {
    fn starting_with(&self, prefix: &str) -> BTreeMap<String, String> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
            .filter(|(name, _)| name.starts_with(prefix))
            .collect()
    }

    fn get(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }
}

impl Source for BTreeMap<String, String> {
    fn starting_with(&self, prefix: &str) -> BTreeMap<String, String> {
        self.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(n, v)| (n.clone(), v.clone())).collect()
    }

    fn get(&self, name: &str) -> Option<String> {
        Self::get(self, name).cloned()
    }
}
