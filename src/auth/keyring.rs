//! The public keys that access tokens are checked by, as far as they were asked for.
//!
//! What is here is never wrong, since a key does not change; whether it is still good is asked of the store.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::store::{Db, SigningKeyId, StoreError, signing};

/// Public keys by their ids.
#[derive(Default)]
pub(super) struct Keyring(Mutex<BTreeMap<SigningKeyId, Vec<u8>>>);

impl Keyring {
    /// The public half of a key; `None` if there is no such key.
    pub(super) async fn public(&self, db: &Db, key: SigningKeyId) -> Result<Option<Vec<u8>>, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let found = signing::public(db, key).await?;
        if let Some(public) = &found {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST {
                known.pop_first();
            }
            known.insert(key, public.clone());
        }
        Ok(found)
    }
}

/// Two are good at a time; ids sort by age, so the oldest goes.
const MOST: usize = 4;
