//! Keys that sign access tokens. The newest signs; so that tokens outlive a rotation, the one before is good as well.

use jiff::Timestamp;
use secrecy::SecretBox;

use super::{
    Db, SigningKeyId, StoreError, column,
    sql::{Record, Row, Tx, query},
};

/// A key as kept.
#[derive(Debug)]
pub struct SigningKey {
    /// Its id, the `kid` of what it signs.
    pub id: SigningKeyId,
    /// PKCS#8.
    pub secret: SecretBox<[u8]>,
}

/// A key that is to be kept. It has no `Debug`, which would show it.
#[derive(Clone, Copy)]
pub struct NewKey<'a> {
    /// PKCS#8.
    pub secret: &'a [u8],
    /// The 32 bytes of an Ed25519 public key.
    pub public: &'a [u8],
}

/// Keeps `new` as the key that signs if there is none.
pub async fn first(db: &Db, new: NewKey<'_>, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = db.write_alone().await?;
    if query("SELECT EXISTS (SELECT 1 FROM signing_keys)").fetch_one::<bool>(&mut tx).await? {
        return Ok(());
    }
    insert(&mut tx, &new, now).await?;
    tx.commit().await
}

/// Makes `new` the key that signs. The one before stays good, those before it do not.
pub async fn rotate(db: &Db, new: NewKey<'_>, now: Timestamp) -> Result<SigningKeyId, StoreError> {
    let mut tx = db.write_alone().await?;
    let made = insert(&mut tx, &new, now).await?;
    query("DELETE FROM signing_keys WHERE id NOT IN (SELECT id FROM signing_keys ORDER BY id DESC LIMIT 2)")
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(made)
}

/// The key that signs.
pub async fn newest(db: &Db) -> Result<SigningKey, StoreError> {
    query("SELECT id, secret FROM signing_keys ORDER BY id DESC LIMIT 1").fetch_found(db.reader()).await
}

/// The public half of a key that is good.
pub async fn public(db: &Db, key: SigningKeyId) -> Result<Option<Vec<u8>>, StoreError> {
    query("SELECT public FROM signing_keys WHERE id = $1").bind(key).fetch_optional(db.reader()).await
}

async fn insert(tx: &mut Tx, new: &NewKey<'_>, now: Timestamp) -> Result<SigningKeyId, StoreError> {
    let id = SigningKeyId::new(now);
    query("INSERT INTO signing_keys (id, secret, public, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(new.secret)
        .bind(new.public)
        .bind(column::millis(now))
        .execute(tx)
        .await?;
    Ok(id)
}

impl Record for SigningKey {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let secret: Vec<u8> = row.get("secret")?;
        Ok(Self { id: column::parsed(row, "id")?, secret: SecretBox::new(secret.into()) })
    }
}
