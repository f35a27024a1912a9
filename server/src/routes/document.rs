//! What the OpenAPI document says of every operation alike, and of the whole.

use crate::call::Repeats;
use crate::problem::{Code, ProblemBody};
use mortise_domain::ApiScope;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema as _;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    ResponseBuilder,
};

/// The security scheme's name.
const SCHEME: &str = "api_key";

const TAGS: &[(&str, &str)] = &[
    ("tokens", "Valid access tokens: what integration code asks for."),
    ("connections", "One customer's grant at one app."),
    ("connect sessions", "Short-lived links with which customers connect."),
    ("customers", "The end customers, named by your ids."),
    ("apps", "OAuth clients registered at providers."),
    ("connectors", "Providers, described by manifests."),
    ("moves", "An app's connections on their way to another version of its connector."),
    ("api keys", "Keys of one environment."),
    ("holds", "What an admin switched off."),
    ("environments", "Worlds that share nothing."),
    ("operations", "For whoever runs the service."),
];

const DESCRIPTION: &str = "\
Customers connect their accounts at third-party OAuth providers on a hosted page; integration code gets a valid access \
token by one call.

Errors are problem documents (RFC 9457) with a stable `code`; the member `type` leads to its documentation. Every answer \
carries `X-Request-Id`. Times are RFC 3339 in UTC, durations whole seconds. Lists have at most 100 items and an opaque \
`next_cursor`. Unknown members and parameters are refused.";

/// Adds security, problems and the idempotency header.
pub(super) fn complete(operation: &mut Operation, scope: Option<ApiScope>, repeats: Repeats, codes: &BTreeSet<Code>) {
    let security = match scope {
        Some(scope) => {
            let line = format!("Needs the scope `{scope}`.");
            let text = operation.description.take().map_or(line.clone(), |text| format!("{text}\n\n{line}"));
            operation.description = Some(text);
            SecurityRequirement::new(SCHEME, [scope.as_str()])
        }
        None => SecurityRequirement::default(),
    };
    operation.security = Some(vec![security]);
    if repeats == Repeats::Kept {
        operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key().build()));
    }
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    for (status, codes) in by_status {
        let lines: Vec<_> = codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title())).collect();
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(lines.join(" ")).content("application/problem+json", body);
        operation.responses.responses.insert(status.to_string(), RefOr::T(response.build()));
    }
    let words: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let extension = ExtensionsBuilder::new().add("x-problem-codes", words).build();
    operation.extensions.get_or_insert_default().merge(extension);
}

fn idempotency_key() -> ParameterBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "A key of your choice, such as a random UUID. Sent again within 24 hours with the same body, the request is not \
             carried out again: its first answer is repeated with `Idempotent-Replayed: true`.",
        ))
        .schema(Some(text))
}

/// The whole document.
pub(super) fn assemble(paths: Paths, mut components: Components) -> OpenApi {
    let mut schemas = Vec::new();
    ProblemBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.schemas.insert("Problem".to_owned(), <ProblemBody<'_> as utoipa::PartialSchema>::schema());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "An API key in the header `Authorization: Bearer …` (RFC 6750). It belongs to one environment and has scopes.",
    ));
    components.security_schemes.insert(SCHEME.to_owned(), RefOr::T(SecurityScheme::Http(bearer.build())));
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("Mortise")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license));
    let tags = TAGS.iter().map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)).build());
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags.collect::<Vec<_>>()))
        .build()
}
