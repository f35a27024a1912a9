//! The command line of `mortise connectors`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Connectors {
    /// Checks manifests and shows every violation with its place. Ends with 1 where there is an error.
    Lint(Lint),
    /// Prints a manifest in its canonical form: a file, or the id of a bundled one.
    Show {
        /// A file or an id.
        manifest: String,
    },
    /// Shows every request that a manifest leads to, to the byte. Words in capitals stand where secrets would.
    Simulate(Simulate),
    /// Says what a new version of a manifest changes for connections that run already.
    Diff(Diff),
    /// Writes manifests from another broker's list of providers, and says what they could not express.
    Import(Import),
    /// Prints a manifest of what a provider publishes about itself, or an MCP server.
    Discover(Discover),
    /// Lives the whole life of connectors against the sandbox, which plays each provider as its manifest describes it.
    /// Ends with 1 where something is not as described.
    Test(Test),
    /// Prints the JSON Schema of manifests, for editors.
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// YAML or JSON files; `-` is standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// How findings are written.
    #[arg(long, value_enum, default_value_t = Findings::Text)]
    pub(crate) format: Findings,
    /// Ends with 1 where there is a warning, too.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Findings {
    /// For people, with the line and a caret.
    Text,
    /// One document, with the members that `POST /v1/connectors/validate` answers.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// A file or the id of a bundled manifest.
    pub(crate) manifest: String,
    /// A variable's value, as in `--set subdomain=acme`. Those left out get a stand-in.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
    /// The client's id.
    #[arg(long, default_value = "CLIENT_ID")]
    pub(crate) client_id: String,
    /// Where the provider sends customers back.
    #[arg(long, default_value = "https://mortise.example/oauth/callback/APP")]
    pub(crate) redirect_uri: String,
    /// What the app asks for beside the manifest's own scopes, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) scopes: Vec<String>,
    /// How requests are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Files or ids of bundled manifests.
    #[arg(required_unless_present = "catalog")]
    pub(crate) manifests: Vec<String>,
    /// Every bundled manifest, too.
    #[arg(long)]
    pub(crate) catalog: bool,
    /// Instead: says how this sample of the provider's reply is read; `-` is standard input. Of secrets, nothing is shown.
    #[arg(long, value_name = "FILE", conflicts_with = "catalog")]
    pub(crate) reply: Option<PathBuf>,
    /// Which request the reply answers.
    #[arg(long, value_enum, requires = "reply", default_value_t = ReplyTo::Token)]
    pub(crate) reply_to: ReplyTo,
    /// The status with which it came.
    #[arg(long, requires = "reply", default_value_t = 200, value_parser = clap::value_parser!(u16).range(200..600))]
    pub(crate) status: u16,
    /// A variable's value, as in `--set subdomain=acme`, for a single manifest. Those left out get a stand-in.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Which request a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplyTo {
    /// The one that brings the first token.
    Token,
    /// One that renews it.
    Refresh,
    /// The call of the manifest's `identity`.
    Identity,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The version that connections run with: a file or the id of a bundled manifest.
    pub(crate) before: String,
    /// The new version: a file or the id of a bundled manifest.
    pub(crate) after: String,
    /// How changes are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Whose list it is.
    #[arg(long, value_enum)]
    pub(crate) from: Foreign,
    /// The list: for Nango, its `providers.yaml`.
    pub(crate) file: PathBuf,
    /// The folder to write manifests to, one file each; left out, nothing is written. Files that are there already stay.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Only these entries, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Discover {
    /// The issuer, or the address of its metadata under /.well-known/.
    pub(crate) url: String,
    /// The URL is that of an MCP server, or another protected resource, whose metadata names the issuer.
    #[arg(long)]
    pub(crate) mcp: bool,
    /// What the connector is called; made of the host if left out.
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// The provider's name as customers know it; the host if left out.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The grant, as in the manifest's `auth.grant`.
    #[arg(long, default_value = "authorization_code")]
    pub(crate) grant: String,
    /// Private ranges that may be called, as CIDR separated by commas.
    #[arg(long, env = "MORTISE_EGRESS_ALLOW", value_delimiter = ',')]
    pub(crate) egress_allow: Vec<ipnet::IpNet>,
}

/// Whose lists can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Foreign {
    /// The `providers.yaml` of Nango.
    Nango,
}
