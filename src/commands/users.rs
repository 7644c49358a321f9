//! `voice-relay users`: people's accounts, for whoever runs the relay; works beside a running one.

use clap::{Args, Subcommand};
use secrecy::ExposeSecret;

use super::Failure;
use crate::{
    app,
    auth::{AccountError, Auth},
    clock::Clock,
    config::Config,
};

#[derive(Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Give somebody who forgot theirs a new password, and show it once; every login of theirs ends
    ResetPassword {
        /// The e-mail they log in by
        email: String,
    },
}

pub(super) async fn run(arguments: Arguments, config: &Config) -> Result<(), Failure> {
    let db = app::open(config).await?;
    let auth = Auth::beside(db, Clock::system()).await.map_err(app::StartError::from)?;
    match arguments.action {
        Action::ResetPassword { email } => reset(&auth, &email).await,
    }
}

async fn reset(auth: &Auth, email: &str) -> Result<(), Failure> {
    let password = auth.reset_password(email).await.map_err(|error| match error {
        AccountError::Wrong => Failure::Other(format!("nobody logs in by the e-mail `{email}`")),
        AccountError::Unavailable(error) => app::StartError::from(error).into(),
        AccountError::Weak(_) | AccountError::Taken | AccountError::TooMany { .. } | AccountError::Busy => {
            Failure::Other(error.to_string())
        }
    })?;
    println!("{}", password.expose_secret());
    eprintln!("it is not shown again; its owner changes it after the next login");
    Ok(())
}
