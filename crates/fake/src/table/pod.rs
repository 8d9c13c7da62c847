//! The row of a pod.

use serde_json::{Value, json};

use super::row::{NONE, Row};

pub(super) fn cells(row: &Row<'_>) -> Vec<Value> {
    let summary = Summary::of(row);
    let gates = row.items("/spec/readinessGates");
    let met = gates.iter().filter(|gate| row.has(gate["conditionType"].as_str().unwrap_or_default())).count();
    let gates = if gates.is_empty() { NONE.to_owned() } else { format!("{met}/{}", gates.len()) };
    vec![
        row.name(),
        format!("{}/{}", summary.ready, summary.containers).into(),
        summary.reason.into(),
        summary.restarts.into(),
        row.age(),
        row.text_or("/status/podIP", NONE),
        row.text_or("/spec/nodeName", NONE),
        row.text_or("/status/nominatedNodeName", NONE),
        json!(gates),
    ]
}

/// What a row says of the containers.
struct Summary {
    containers: usize,
    ready: usize,
    reason: String,
    restarts: String,
}

/// How often containers were started again, and when one of them last ended.
#[derive(Default)]
struct Restarts<'a> {
    count: i64,
    last: &'a str,
}

impl<'a> Restarts<'a> {
    fn add(&mut self, status: &'a Value) {
        self.count += status["restartCount"].as_i64().unwrap_or_default();
        // Times are in the order of their texts.
        let ended = status["lastState"]["terminated"]["finishedAt"].as_str().unwrap_or_default();
        self.last = self.last.max(ended);
    }
}

/// Why a container has ended.
fn ending(terminated: &Value) -> String {
    let number = |name: &str| terminated[name].as_i64().unwrap_or_default();
    match terminated["reason"].as_str().unwrap_or_default() {
        "" if number("signal") != 0 => format!("Signal:{}", number("signal")),
        "" => format!("ExitCode:{}", number("exitCode")),
        reason => reason.to_owned(),
    }
}

impl Summary {
    fn of(row: &Row<'_>) -> Self {
        let init = row.items("/spec/initContainers");
        let stays = |name: &Value| init.iter().any(|it| it["name"] == *name && it["restartPolicy"] == "Always");
        let mut summary = Self {
            containers: row.items("/spec/containers").len() + init.iter().filter(|it| stays(&it["name"])).count(),
            ready: 0,
            reason: row.text("/status/phase").to_owned(),
            restarts: String::new(),
        };
        if !row.text("/status/reason").is_empty() {
            row.text("/status/reason").clone_into(&mut summary.reason);
        }
        let conditions = row.items("/status/conditions");
        if conditions.iter().any(|it| it["type"] == "PodScheduled" && it["reason"] == "SchedulingGated") {
            "SchedulingGated".clone_into(&mut summary.reason);
        }
        let (mut restarts, mut of_staying) = (Restarts::default(), Restarts::default());
        let mut is_initializing = false;
        for (index, status) in row.items("/status/initContainerStatuses").iter().enumerate() {
            restarts.add(status);
            if stays(&status["name"]) {
                of_staying.add(status);
            }
            let terminated = &status["state"]["terminated"];
            if terminated["exitCode"] == 0 {
                continue;
            }
            if stays(&status["name"]) && status["started"] == true {
                summary.ready += usize::from(status["ready"] == true);
                continue;
            }
            let waits = status["state"]["waiting"]["reason"].as_str().unwrap_or_default();
            summary.reason = match waits {
                _ if terminated.is_object() => format!("Init:{}", ending(terminated)),
                "" | "PodInitializing" => format!("Init:{index}/{}", init.len()),
                reason => format!("Init:{reason}"),
            };
            is_initializing = true;
            break;
        }
        if !is_initializing || row.has("Initialized") {
            restarts = of_staying;
            summary.take_containers(row, &mut restarts);
        }
        let is_over = matches!(row.text("/status/phase"), "Succeeded" | "Failed");
        if row.is_being_deleted() && row.text("/status/reason") == "NodeLost" {
            "Unknown".clone_into(&mut summary.reason);
        } else if row.is_being_deleted() && !is_over {
            "Terminating".clone_into(&mut summary.reason);
        }
        summary.restarts = match (restarts.count, restarts.last) {
            (0, _) | (_, "") => restarts.count.to_string(),
            (count, last) => format!("{count} ({} ago)", row.since(last).as_str().unwrap_or_default()),
        };
        summary
    }

    fn take_containers<'a>(&mut self, row: &Row<'a>, restarts: &mut Restarts<'a>) {
        let (mut runs, mut error) = (false, String::new());
        for status in row.items("/status/containerStatuses").iter().rev() {
            restarts.add(status);
            let terminated = &status["state"]["terminated"];
            match status["state"]["waiting"]["reason"].as_str().unwrap_or_default() {
                "" => {}
                reason => {
                    reason.clone_into(&mut self.reason);
                    continue;
                }
            }
            if terminated.is_object() {
                self.reason = ending(terminated);
                if terminated["exitCode"] != 0 {
                    error.clone_from(&self.reason);
                }
            } else if status["ready"] == true && status["state"]["running"].is_object() {
                runs = true;
                self.ready += 1;
            }
        }
        // What still runs says more than what is done.
        if self.reason == "Completed" {
            match () {
                () if runs && row.has("Ready") => "Running".clone_into(&mut self.reason),
                () if !error.is_empty() => self.reason = error,
                () if runs => "NotReady".clone_into(&mut self.reason),
                () => {}
            }
        }
    }
}
