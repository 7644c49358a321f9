//! Where files are kept, how large they may be, and what looks at them first.

use std::path::Path;

use providers::Secret;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::clamd::Address;

/// `[storage]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`; empty = a folder of the data dir.
    pub url: String,
    /// The bucket's region, where its store has regions.
    pub region: String,
    /// Base URL of a store that is not the vendor's own, such as MinIO.
    pub endpoint: String,
    /// The access key's id (S3) or the storage account's name (Azure).
    pub account: String,
    /// The secret access key (S3), the service account's JSON (Google), the account's key (Azure).
    #[serde(serialize_with = "providers::secret::hide")]
    pub secret: Secret,
    /// Largest file that is taken, in MiB.
    pub max_file_size_mb: u64,
    /// The scanner: `tcp://host:port` or `unix:/path/of/socket`; empty = files are not scanned.
    pub clamd: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            region: String::new(),
            endpoint: String::new(),
            account: String::new(),
            secret: String::new().into(),
            max_file_size_mb: 50,
            clamd: String::new(),
        }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let bucket = SCHEMES.iter().find_map(|scheme| self.url.strip_prefix(scheme));
        if !self.url.is_empty() && bucket.is_none_or(|bucket| bucket.is_empty() || bucket.starts_with('/')) {
            let allowed = "must be s3://bucket/prefix, gs://bucket/prefix or az://container/prefix, or empty";
            wrong.push(("url", allowed.into()));
        }
        let host = ["https://", "http://"].iter().find_map(|scheme| self.endpoint.strip_prefix(scheme));
        if !self.endpoint.is_empty() && host.is_none_or(str::is_empty) {
            wrong.push(("endpoint", "must be a URL such as https://minio.example.org:9000, or empty".into()));
        }
        if self.url.is_empty() && !(self.endpoint.is_empty() && self.secret.expose_secret().is_empty()) {
            wrong.push(("url", "must be given where an endpoint or a secret is".into()));
        }
        if !(1..=LARGEST_MB).contains(&self.max_file_size_mb) {
            wrong.push(("max_file_size_mb", format!("must be between 1 and {LARGEST_MB}")));
        }
        if !self.clamd.is_empty() && Address::parse(&self.clamd).is_none() {
            wrong.push(("clamd", "must be tcp://host:port or unix:/path/of/socket, or empty".into()));
        }
        wrong
    }

    /// Largest file, in bytes.
    pub(super) const fn most(&self) -> u64 {
        self.max_file_size_mb << 20
    }

    /// The folder for files of this relay, below its data dir.
    pub(super) fn folder(data_dir: &Path) -> std::path::PathBuf {
        data_dir.join("files")
    }
}

/// How URLs of stores begin.
pub(super) const SCHEMES: [&str; 3] = ["s3://", "gs://", "az://"];
/// More than any document; S3 takes 10 000 parts.
const LARGEST_MB: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(change: impl FnOnce(&mut Config)) -> Vec<&'static str> {
        let mut config = Config::default();
        change(&mut config);
        config.validate().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn what_cannot_be_is_told_by_its_key() {
        assert!(wrong(|_| ()).is_empty());
        assert!(wrong(|config| config.url = "s3://bucket/some/prefix".into()).is_empty());
        assert!(wrong(|config| config.clamd = "unix:/run/clamav/clamd.ctl".into()).is_empty());
        for url in ["/srv/files", "ftp://x", "s3://", "s3:///x"] {
            assert_eq!(wrong(|config| config.url = url.into()), ["url"], "{url}");
        }
        for clamd in ["localhost:3310", "tcp://localhost", "tcp://:3310", "unix:", "unix:relative"] {
            assert_eq!(wrong(|config| config.clamd = clamd.into()), ["clamd"], "{clamd}");
        }
        assert_eq!(wrong(|config| config.max_file_size_mb = 0), ["max_file_size_mb"]);
        assert_eq!(wrong(|config| config.secret = "s".to_owned().into()), ["url"]);
        assert_eq!(wrong(|config| config.endpoint = "minio:9000".into()), ["endpoint", "url"]);
    }
}
