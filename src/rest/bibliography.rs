//! `/api/sessions/{id}/bibliography`: what a conversation cites, each document once, for people and for reference managers.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Context,
    citations::{EXPORTED, blocking, chosen, source, style},
    fault::Fault,
    filename,
    openapi::{Api, schema},
    page::Id,
};
use crate::{
    auth::Principal,
    documents::export,
    knowledge::{
        source::{Source, to_bibtex, to_ris},
        style::Style,
    },
    store::{Db, SessionId, StoreError, UserId, citations, sessions},
};

/// A document of a bibliography.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BibliographyEntry")]
struct Entry {
    #[serde(flatten)]
    source: Source,
    /// The reference in the style that was asked for, as plain text.
    formatted: String,
}

/// All that a conversation cites, each document once, in the order of the style.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Bibliography")]
struct Bibliography {
    #[schemars(extend("enum" = ["apa", "mla", "chicago"]))]
    format: &'static str,
    items: Vec<Entry>,
    /// They are all here.
    #[schemars(with = "Option<String>")]
    next: (),
}

/// How a bibliography is wanted.
enum Format {
    Style(Style),
    Bibtex,
    Ris,
}

/// `GET /api/sessions/{id}/bibliography?format=`: as JSON in a style, or as a file for a reference manager.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<SessionId>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let format = chosen(query.as_deref(), "format", FORMATS, Format::named)?.unwrap_or(Format::Style(Style::Apa));
    let session = sessions::get(&context.db, principal.user, id).await?;
    let (sources, all) = sources(&context.db, principal.user, id).await?;
    if !all {
        let message = format!("This conversation cites more than {MOST} documents: export it, or see its messages.");
        return Err(Fault::invalid("format", message).coded("too_long"));
    }
    let style = match format {
        Format::Style(style) => style,
        Format::Bibtex => {
            return Ok(file(session.title.as_deref(), "application/x-bibtex", "bib", to_bibtex(&sources)));
        }
        Format::Ris => {
            let kind = "application/x-research-info-systems";
            return Ok(file(session.title.as_deref(), kind, "ris", to_ris(&sources)));
        }
    };
    let items = blocking(move || {
        let written = style.bibliography(&sources).into_iter();
        written.map(|(at, formatted)| Entry { source: sources[at].clone(), formatted }).collect()
    });
    Ok(Json(Bibliography { format: style.as_str(), items: items.await?, next: () }).into_response())
}

/// A file that browsers save.
fn file(title: Option<&str>, kind: &'static str, extension: &str, text: String) -> Response {
    let name = filename::attachment(title.unwrap_or_default(), extension);
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, name)];
    (headers, text).into_response()
}

/// The documents a conversation cites, each once, as many as a bibliography has; and whether these are all.
async fn sources(db: &Db, user: UserId, session: SessionId) -> Result<(Vec<Source>, bool), StoreError> {
    let most = u32::try_from(MOST).unwrap_or(u32::MAX);
    let found = citations::of_session(db, user, session, most + 1).await?;
    let all = found.len() <= MOST;
    Ok((Source::unique(found.into_iter().take(MOST)), all))
}

/// A conversation's bibliography at the end of its export.
pub(super) async fn exported(db: &Db, user: UserId, session: SessionId) -> Result<export::Bibliography, Fault> {
    let (sources, complete) = sources(db, user, session).await?;
    let written = blocking(move || EXPORTED.bibliography(&sources)).await?;
    Ok(export::Bibliography { entries: written.into_iter().map(|(_, reference)| reference).collect(), complete })
}

/// Most documents of a bibliography: what one author wrote in one year is told apart by looking at each beside each other.
const MOST: usize = 500;
const FORMATS: &str = "`apa`, `mla`, `chicago`, `bibtex` or `ris`";

impl Format {
    fn named(name: &str) -> Option<Self> {
        match name {
            "bibtex" => Some(Self::Bibtex),
            "ris" => Some(Self::Ris),
            style => style.parse().ok().map(Self::Style),
        }
    }
}

pub(super) fn describe(api: &mut Api) {
    api.get(
        "/api/sessions/{id}/bibliography",
        "show_bibliography",
        "Lists what a conversation cites, each document once",
    )
    .query("format", style(&["apa", "mla", "chicago", "bibtex", "ris"]), "A style, or what reference managers read.")
    .gives::<Bibliography>(200, "All of them.", json!({"format": "apa", "items": [source()], "next": null}))
    .sends(200, "application/x-bibtex", schema::text(), "The same as a BibTeX file.")
    .sends(200, "application/x-research-info-systems", schema::text(), "The same as a RIS file.")
    .refuses(422, "The format is not known, or there are too many documents.");
}
