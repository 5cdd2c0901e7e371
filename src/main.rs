//! The thin binary: arguments, environment, dispatch.

use std::process::ExitCode;

use clap::Parser;
use sunmill::cli::{Cli, Environment, run};

fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    match run(Cli::parse(), &environment) {
        Ok(code) => code,
        Err(failure) => failure.tell(),
    }
}
