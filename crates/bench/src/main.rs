//! `make bench`: measures the built program as its users run it, and writes `docs/benchmarks.md`.
//!
//! Server, worker and database are processes of their own. Every figure runs alone, cleans up after itself, and stands
//! beside the CPU that others took meanwhile and beside something else of the same run, because absolute figures say
//! more about the machine than about the program. Deliberately absent: any limit that fails.

mod bare;
mod catalogue;
mod document;
mod engine;
mod fetch;
mod figure;
mod figures;
mod idle;
mod load;
mod machine;
mod options;
mod plot;
mod print;
mod processor;
mod provider;
mod refresh;
mod report;
mod seed;
mod service;
mod site;
mod start;
mod storage;
mod template;
mod untouched;
mod verdict;

use clap::Parser as _;
use std::process::ExitCode;

// The same allocator as the measured program, so that the bare handler differs from it in nothing but its work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match options::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::note(format!("{error:?}"));
            ExitCode::FAILURE
        }
    }
}
