//! Style sheets, scripts and the mark, compiled into the program.
//!
//! A page names an asset by its content: `/assets/page-1a2b3c4d5e6f.css` may be cached for ever. Under any other name the
//! newest content is served and asked for again, so that two versions of the program can answer the same browser.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// The address of an asset.
pub(super) fn url(name: &str) -> String {
    match (Assets::get(name), name.rsplit_once('.')) {
        (Some(file), Some((stem, extension))) => format!("/assets/{stem}-{}.{extension}", tag(&file)),
        _ => format!("/assets/{name}"),
    }
}

fn tag(file: &EmbeddedFile) -> String {
    hex::encode(&file.metadata.sha256_hash()[..6])
}

/// `GET /assets/{name}`
pub(super) async fn serve(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let (plain, asked) = untagged(&name);
    let Some(file) = Assets::get(&plain).or_else(|| Assets::get(&name)) else {
        return HttpResponse::NotFound()
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .content_type("text/plain; charset=utf-8")
            .body("There is no such file.");
    };
    let tag = tag(&file);
    let entity = format!("\"{tag}\"");
    let caching = if asked.as_deref() == Some(&*tag) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == entity.as_bytes());
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::ETAG, entity))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
        // An SVG opened on its own is a document: it gets no rights.
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .content_type(content_type(&plain));
    if known { answer.finish() } else { answer.body(file.data.into_owned()) }
}

/// `page-1a2b3c4d5e6f.css` as `page.css` and the tag; a name without a tag as it is.
fn untagged(name: &str) -> (String, Option<String>) {
    let split = || {
        let (stem, extension) = name.rsplit_once('.')?;
        let (stem, tag) = stem.rsplit_once('-')?;
        let tagged = tag.len() == 12 && tag.bytes().all(|b| b.is_ascii_hexdigit());
        tagged.then(|| (format!("{stem}.{extension}"), Some(tag.to_owned())))
    };
    split().unwrap_or_else(|| (name.to_owned(), None))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
