//! A vendor's account, as far as it is the same with every vendor: where it is, and its key.

use secrecy::ExposeSecret;

use crate::{Secret, net::http::endpoint};

/// Every mistake: the key it is under, and what is allowed.
pub(crate) fn problems(base_url: &str, key: Option<&Secret>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if let Err(why) = endpoint(base_url, "models") {
        problems.push(("base_url", why));
    }
    if key.is_some_and(|key| !key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())) {
        problems.push(("key", "must consist of printable ASCII characters without spaces".to_owned()));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_keys_are_checked() {
        assert!(problems("https://api.vendor.example/v1", Some(&"k-1".into())).is_empty());
        let keys: Vec<_> = problems("localhost:1", Some(&"two words".into())).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["base_url", "key"]);
    }
}
