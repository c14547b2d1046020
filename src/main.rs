//! benefactor's command line: read the arguments, run one command, end with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    benefactor::cli::main()
}
