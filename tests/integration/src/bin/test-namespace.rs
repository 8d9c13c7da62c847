//! Makes a namespace, prints its name, and deletes it when standard input ends: for programs that have no client of
//! their own.

use std::io::{self, Read as _, Write as _};

use k8s_client_integration_tests::Test;

#[tokio::main]
async fn main() -> io::Result<()> {
    let test = Test::namespace().await;
    writeln!(io::stdout(), "{}", test.namespace)?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
