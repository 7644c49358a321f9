//! The page's files, as `scripts/web` built them and `build.rs` put them in, and the headers they go out with.
//!
//! Files under `assets/` have a fingerprint in their name and never change; `index.html` is asked for again each time.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// One file of the page.
#[derive(Clone, Copy)]
pub(super) struct File {
    /// Relative to the page's root, with slashes.
    path: &'static str,
    plain: &'static [u8],
    /// The same, compressed beforehand where that makes it smaller.
    gzip: Option<&'static [u8]>,
}

/// All there are; none if the page was not built.
pub(super) const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The file at `path` as the caller takes it, if there is one.
pub(super) fn find(files: &[File], path: &str, asked: &HeaderMap) -> Option<Response> {
    files.iter().find(|file| file.path == path).map(|file| file.answer(asked))
}

impl File {
    fn answer(&self, asked: &HeaderMap) -> Response {
        let tag = self.tag();
        let known = asked.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        let fresh = known.is_some_and(|tags| tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag));
        let squeezed = self.gzip.filter(|_| takes_gzip(asked));
        let mut response = match (fresh, squeezed) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, Some(gzip)) => ([(header::CONTENT_ENCODING, "gzip")], gzip).into_response(),
            (false, None) => self.plain.into_response(),
        };
        let cached = if self.path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
        headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
        // Weak: it names the file, however it is coded on its way.
        headers.extend(HeaderValue::from_str(&format!("W/{tag}")).map(|tag| (header::ETAG, tag)));
        headers.extend(GUARDS.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
        response
    }

    fn tag(&self) -> String {
        let digest = Sha256::digest(self.plain);
        format!("\"{}\"", digest[..12].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    fn kind(&self) -> &'static str {
        match self.path.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("woff2") => "font/woff2",
            Some("md") => "text/markdown; charset=utf-8",
            Some("txt") => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let taken = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    taken.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// What the page may do: nothing that does not come from here, nobody may frame it, and of all devices the microphone and
/// the loudspeaker alone. `'self'` of `connect-src` is also this host's WebSockets (Content Security Policy level 3).
const GUARDS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; media-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "microphone=(self), speaker-selection=(self), autoplay=(self), camera=(), geolocation=(), display-capture=()",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &[File] = &[
        File { path: "index.html", plain: b"<!doctype html>", gzip: Some(b"squeezed") },
        File { path: "assets/index-1a2b.js", plain: b"talk()", gzip: None },
    ];

    fn ask(path: &str, headers: &[(HeaderName, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        find(PAGE, path, &headers).unwrap()
    }

    fn said<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn what_never_changes_is_kept_for_good_and_the_page_itself_is_asked_for_again() {
        let page = ask("index.html", &[]);
        assert_eq!(
            (said(&page, "content-type"), said(&page, "cache-control")),
            ("text/html; charset=utf-8", "no-cache")
        );
        let script = ask("assets/index-1a2b.js", &[]);
        assert_eq!(said(&script, "content-type"), "text/javascript; charset=utf-8");
        assert!(said(&script, "cache-control").contains("immutable"));
        let tag = said(&page, "etag").to_owned();
        assert_eq!(ask("index.html", &[(header::IF_NONE_MATCH, &tag)]).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(ask("index.html", &[(header::IF_NONE_MATCH, "\"other\"")]).status(), StatusCode::OK);
    }

    #[test]
    fn only_who_takes_gzip_is_given_it() {
        let coding =
            |taken| said(&ask("index.html", &[(header::ACCEPT_ENCODING, taken)]), "content-encoding").to_owned();
        assert_eq!(coding("br, gzip;q=0.8"), "gzip");
        assert_eq!([coding("br"), coding("gzip;q=0"), coding("")], ["", "", ""].map(str::to_owned));
    }

    #[test]
    fn nothing_inline_and_nothing_foreign_may_run() {
        let page = ask("index.html", &[]);
        let policy = said(&page, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("http"));
        assert!(said(&page, "permissions-policy").contains("microphone=(self)"));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert!(find(PAGE, "assets/../index.html", &HeaderMap::new()).is_none());
        assert!(find(&[], "index.html", &HeaderMap::new()).is_none());
    }
}
