//! A bucket of S3, Google Cloud Storage or Azure, and files put into it in parts.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder, path,
};
use secrecy::ExposeSecret;
use tokio::{fs::File, io::AsyncReadExt, sync::Semaphore};
use uuid::Uuid;

use super::{Config, StorageError, config::SCHEMES};

/// Where in a bucket files go.
#[derive(Debug)]
pub(super) struct Bucket {
    prefix: String,
    /// How many parts are held in memory at once, whatever the number of requests.
    parts: Semaphore,
}

/// A client of the bucket that the configuration names. Without an account or a secret it takes what the machine gives:
/// the vendor's own variables, or the identity of the instance.
pub(super) fn open(config: &Config) -> Result<(Arc<dyn ObjectStore>, Bucket), StorageError> {
    let unusable =
        |error: object_store::Error| StorageError::Unusable { url: config.url.clone(), reason: error.to_string() };
    let store = client(config).map_err(unusable)?;
    let rest = SCHEMES.iter().find_map(|scheme| config.url.strip_prefix(scheme)).unwrap_or_default();
    let prefix = rest.split_once('/').map_or("", |(_, prefix)| prefix.trim_matches('/')).to_owned();
    Ok((store, Bucket { prefix, parts: Semaphore::new(PARTS) }))
}

fn client(config: &Config) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (account, secret) = (given(&config.account), given(config.secret.expose_secret()));
    let (endpoint, plain) = (given(&config.endpoint), config.endpoint.starts_with("http://"));
    // The prefix is ours to add; the builders take the bucket alone from the URL.
    if config.url.starts_with("s3://") {
        // One object at a time is what every store that speaks S3 can delete.
        let builder = AmazonS3Builder::from_env().with_url(&config.url).with_disable_bulk_delete(true);
        let mut builder = builder.with_allow_http(plain).with_retry(patience());
        if let Some(region) = given(&config.region) {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let (Some(account), Some(secret)) = (account, secret) {
            builder = builder.with_access_key_id(account).with_secret_access_key(secret);
        }
        return Ok(Arc::new(builder.build()?));
    }
    if config.url.starts_with("gs://") {
        let mut builder = GoogleCloudStorageBuilder::from_env().with_url(&config.url).with_retry(patience());
        if let Some(secret) = secret {
            builder = builder.with_service_account_key(secret);
        }
        return Ok(Arc::new(builder.build()?));
    }
    let builder = MicrosoftAzureBuilder::from_env().with_url(&config.url).with_retry(patience());
    let mut builder = builder.with_allow_http(plain);
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(account) = account {
        builder = builder.with_account(account);
    }
    if let Some(secret) = secret {
        builder = builder.with_access_key(secret);
    }
    Ok(Arc::new(builder.build()?))
}

/// How often a request is sent again and for how long: whoever uploads waits for it.
fn patience() -> RetryConfig {
    RetryConfig { max_retries: 4, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() }
}

impl Bucket {
    pub(super) fn path(&self, key: Uuid) -> path::Path {
        path::Path::from(format!("{}/{key}", self.prefix))
    }

    /// Puts a file there: whole where it is small, else in parts, which become one object at the end or none.
    pub(super) async fn put(&self, store: &dyn ObjectStore, to: &path::Path, file: &Path) -> Result<(), StorageError> {
        let mut file = File::open(file).await?;
        let _held = self.parts.acquire().await.map_err(std::io::Error::other)?;
        let first = part(&mut file).await?;
        if first.len() < PART {
            store.put(to, first.into()).await?;
            return Ok(());
        }
        let mut upload = store.put_multipart(to).await?;
        match send(&mut *upload, first, &mut file).await {
            Ok(()) => Ok(()),
            Err(error) => {
                // What is not taken back here, the bucket's own rule for unfinished uploads removes.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }
}

async fn send(upload: &mut dyn MultipartUpload, first: Bytes, file: &mut File) -> Result<(), StorageError> {
    let mut next = first;
    while !next.is_empty() {
        upload.put_part(next.into()).await?;
        next = part(file).await?;
    }
    upload.complete().await?;
    Ok(())
}

/// The next part; empty at the end.
async fn part(file: &mut File) -> Result<Bytes, StorageError> {
    let mut bytes = Vec::with_capacity(PART);
    file.take(PART as u64).read_to_end(&mut bytes).await?;
    Ok(bytes.into())
}

/// The least that S3 takes as a part, but for the last, in bytes.
const PART: usize = 5 << 20;
/// Parts in memory at once: 20 MiB.
const PARTS: usize = 4;
