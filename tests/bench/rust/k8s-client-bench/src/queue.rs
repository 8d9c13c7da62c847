//! A work queue with one that adds and several that take.

use bench_shared::{Error, ITEMS, WORKERS};
use k8s_client_queue::Queue;
use tokio::task::JoinSet;

pub(crate) async fn run() -> Result<usize, Error> {
    let queue = Queue::<String>::new();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let queue = queue.clone();
        workers.spawn(async move {
            let mut done = 0;
            while let Some(item) = queue.next().await {
                item.done();
                done += 1;
            }
            done
        });
    }
    // In a task of the runtime, as what feeds the queue of a program is.
    let adding = tokio::spawn(async move {
        for number in 0..ITEMS {
            queue.add(bench_shared::item_name(number));
        }
        queue.close();
    });
    adding.await?;
    let mut done = 0;
    while let Some(worker) = workers.join_next().await {
        done += worker?;
    }
    Ok(done)
}
