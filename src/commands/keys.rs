//! `voice-relay keys`: API keys of this machine's relay; works beside a running one.

use std::time::Duration;

use clap::{Args, Subcommand};
use secrecy::ExposeSecret;

use super::Failure;
use crate::{
    app,
    auth::{Auth, Scope, Scopes},
    clock::Clock,
    config::Config,
    store::{self, Db, KeyId, StoreError, keys},
};

#[derive(Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key and show it once
    Create {
        /// What it is for
        #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        name: String,
        /// What it may do: realtime, speech, sessions, admin (repeat for several) [default: all but admin]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// Days until it ends by itself
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// List the keys that are not revoked
    List,
    /// End a key for good
    Revoke {
        /// Its id, as `keys list` shows it
        id: String,
    },
    /// Sign access tokens with a new key; what the one before signed stays good until the next rotation
    RotateSigningKey,
}

pub(super) async fn run(arguments: Arguments, config: &Config) -> Result<(), Failure> {
    let clock = Clock::system();
    let db = app::open(config).await?;
    let auth = Auth::beside(db.clone(), clock.clone()).await.map_err(app::StartError::from)?;
    let done = match arguments.action {
        Action::Create { name, scopes, days } => create(&auth, &clock, &name, &scopes, days).await,
        Action::List => list(&auth, &db).await,
        Action::Revoke { id } => revoke(&auth, &id).await?,
        Action::RotateSigningKey => rotate(&auth).await,
    };
    Ok(done.map_err(app::StartError::from)?)
}

async fn create(auth: &Auth, clock: &Clock, name: &str, scopes: &[Scope], days: Option<u32>) -> Result<(), StoreError> {
    let scopes = if scopes.is_empty() { Scopes::usual() } else { scopes.iter().copied().collect() };
    let ends = days.map(|days| store::timestamp(clock.wall() + Duration::from_secs(86_400) * days));
    let made = auth.create_key(auth.owner().id, name, scopes, ends).await?;
    println!("{}", made.secret.expose_secret());
    eprintln!("key {} ({name}) may: {}; it is not shown again", made.kept.id, made.kept.scopes);
    Ok(())
}

async fn list(auth: &Auth, db: &Db) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = keys::list(db, auth.owner().id, after.as_ref(), 100).await?;
        for key in &page.items {
            let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {at:.0}"));
            let ends = key.expires_at.map_or_else(|| "no end".to_owned(), |at| format!("ends {at:.0}"));
            println!("{}  {}…  {}  [{}]  {ends}, {used}", key.id, key.hint, key.name, key.scopes);
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn rotate(auth: &Auth) -> Result<(), StoreError> {
    let key = auth.rotate_signing_key().await?;
    eprintln!("key {key} signs access tokens from here on; those of the one before it stay good until they expire");
    Ok(())
}

async fn revoke(auth: &Auth, id: &str) -> Result<Result<(), StoreError>, Failure> {
    let unknown = || Failure::Other(format!("no key has the id `{id}`; see `voice-relay keys list`"));
    let id: KeyId = id.parse().map_err(|_| unknown())?;
    match auth.revoke_key(auth.owner().id, id).await {
        Err(StoreError::NotFound) => Err(unknown()),
        other => Ok(other),
    }
}
