//! `POST /voice/voices`, `DELETE /voice/voices/{id}`: voices cloned from recordings, with the consent of whose they are.
//!
//! Both take the scope `admin`: they change the operator's account, and every clone takes one of its places. What has
//! begun is carried through though the client leaves, or a voice would be there that nobody knows of.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::{FromRequest, Multipart, Path, Request, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use providers::{ProviderError, elevenlabs::NewVoice};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

use super::{
    Context,
    fault::Fault,
    openapi::{Api, schema},
    provider, samples,
};
use crate::{auth::Principal, roster::Studio};

/// Where recordings of voices are held in memory, a few clients' at a time.
pub(super) struct Booths(Arc<Semaphore>);

impl Booths {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(BOOTHS)))
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Fault> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            let message = "Other voices are being cloned: try again in a moment.";
            Fault::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).after(Duration::from_secs(5))
        })
    }
}

/// A voice that was cloned just now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClonedVoice")]
struct View {
    id: String,
    name: String,
    /// The vendor.
    provider: String,
    /// Always.
    cloned: bool,
    /// Whether it has to be verified at the vendor before it speaks.
    requires_verification: bool,
}

/// `POST /voice/voices`: 201 with the new voice's id.
pub(super) async fn make(
    State(context): State<Arc<Context>>,
    Extension(booths): Extension<Arc<Booths>>,
    principal: Principal,
    request: Request,
) -> Result<Response, Fault> {
    let (vendor, studio) = studio(&context)?;
    let booth = booths.enter()?;
    let form = Multipart::from_request(request, &context).await.map_err(|_| {
        let message = "The body must be `multipart/form-data` with `name`, `consent` and `files`.";
        Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    })?;
    let draft = samples::read(form).await?;
    let name = draft.name.clone();
    let voice = NewVoice {
        name: draft.name,
        description: draft.description,
        labels: BTreeMap::new(),
        samples: draft.samples,
        // The form is none without.
        consent: true,
        remove_background_noise: false,
    };
    let cloned = carried_through(&context, async move {
        let cloned = studio.make(voice).await?;
        drop(booth);
        tracing::info!(voice.id = cloned.id, principal = %principal.user, "a voice was cloned");
        Ok(cloned)
    });
    let cloned = cloned.await?;
    let requires_verification = cloned.requires_verification;
    let told = View { id: cloned.id, name, provider: vendor, cloned: true, requires_verification };
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

/// `DELETE /voice/voices/{id}`: 204; 404 for whatever the account has not cloned itself.
pub(super) async fn remove(
    State(context): State<Arc<Context>>,
    principal: Principal,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Fault> {
    let (_, studio) = studio(&context)?;
    let Path(id) = id.map_err(|_| Fault::not_found())?;
    let deleted = carried_through(&context, async move {
        let deleted = studio.delete(id.clone()).await?;
        if deleted {
            tracing::info!(voice.id = id, principal = %principal.user, "a cloned voice was deleted");
        }
        Ok(deleted)
    });
    if deleted.await? { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Fault::not_found()) }
}

fn studio(context: &Context) -> Result<(String, Arc<dyn Studio>), Fault> {
    context.roster.studio().ok_or_else(|| {
        let message = "Voices cannot be cloned here: no voices of ElevenLabs are in use. It takes ELEVENLABS_API_KEY.";
        Fault::new(StatusCode::SERVICE_UNAVAILABLE, "not_configured", message)
    })
}

/// Does it on a task of its own. However it ends, the vendor may have done it: the voices are fetched anew.
async fn carried_through<T: Send + 'static>(
    context: &Arc<Context>,
    change: impl Future<Output = Result<T, ProviderError>> + Send + 'static,
) -> Result<T, Fault> {
    let roster = context.roster.clone();
    let changing = async move {
        let changed = change.await;
        roster.forget_voices();
        changed
    };
    let changed = tokio::spawn(changing.in_current_span()).await.map_err(|_| Fault::internal())?;
    changed.map_err(|error| provider::shelf(&error))
}

/// Clients whose recordings are held at once, 32 MiB each.
const BOOTHS: usize = 2;

pub(super) fn describe(api: &mut Api) {
    let parts = json!({
        "name": {"type": "string"},
        "description": {"type": "string"},
        "consent": schema::one_of(&["true"]),
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
    });
    let example = json!({
        "id": "XrExE9yKIg1WjnnlVkGX", "name": "Ann", "provider": "elevenlabs", "cloned": true,
        "requires_verification": false,
    });
    api.post("/voice/voices", "clone_voice", "Clones a voice from recordings, with the consent of whose it is")
        .takes_form(parts, &["name", "consent", "files"])
        .gives::<View>(201, "The voice.", example)
        .refuses(429, "Other voices are being cloned.");
    api.delete("/voice/voices/{id}", "delete_voice", "Deletes a voice that was cloned here")
        .part("id", schema::text(), "The voice.")
        .says_nothing(204, "It is gone.")
        .refuses(400, "The vendor cannot do this.");
}
