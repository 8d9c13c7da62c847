//! Much of it: a hundred megabytes each way, with checksums.

use std::io;

use k8s_client_integration_tests::{Test, TestResult, nodes, soon};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

const ALL: usize = 100 << 20;

/// Bytes that repeat after a length that is no power of two, so that a part that is lost or comes twice is seen.
fn pattern() -> Vec<u8> {
    (0..(1_u32 << 20) - 77).map(|number| (number.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

fn in_hex(hash: Sha256) -> String {
    use std::fmt::Write as _;

    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[tokio::test]
async fn a_hundred_megabytes_pass_each_way() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        test.run_script(&node, "web", "exec sleep 1000").await;
        let exec = test.client.core_v1().pods(&test.namespace).exec("web");
        let exec = exec.command(["sh", "-c", "tee /dev/stderr | sha256sum >&2"]);
        for exec in [exec.clone(), exec.spdy()] {
            let both = exec.stdin(true).stdout(false);
            let mut process = both.await?;
            let mut stdin = process.stdin.take().ok_or("no input")?;
            let mut stderr = process.stderr.take().ok_or("no output")?;
            let pattern = pattern();
            let writing = async {
                let (mut hash, mut left) = (Sha256::new(), ALL);
                while left > 0 {
                    let part = &pattern[..left.min(pattern.len())];
                    hash.update(part);
                    stdin.write_all(part).await?;
                    left -= part.len();
                }
                drop(stdin);
                Ok::<_, io::Error>(in_hex(hash))
            };
            let reading = async {
                let (mut hash, mut left, mut rest) = (Sha256::new(), ALL, Vec::new());
                while let Some(chunk) = stderr.chunk().await? {
                    let (part, after) = chunk.split_at(left.min(chunk.len()));
                    hash.update(part);
                    left -= part.len();
                    rest.extend_from_slice(after);
                }
                Ok((in_hex(hash), rest))
            };
            let (sent, (came, theirs)) = soon("all bytes", async { tokio::try_join!(writing, reading) }).await?;
            assert_eq!(came, sent, "from the pod, {}", node.name());
            assert!(theirs.starts_with(sent.as_bytes()), "to the pod, {}", node.name());
            assert!(process.wait().await?.success());
        }
    }
    Ok(())
}
