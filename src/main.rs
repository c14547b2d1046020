//! benefactor's command line.
fn main() {}
