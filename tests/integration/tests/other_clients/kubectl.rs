//! kubectl, of the version of the control plane.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use k8s_client_integration_tests::TestResult;
use k8s_client_test_harness::build_kubectl;

use crate::{
    both::{Both, control_plane},
    same::same,
};

/// How long what follows from a write may take on the real server, where the next command is only asked to show it.
const DEADLINE: Duration = Duration::from_secs(60);

/// kubectl on both servers.
pub(crate) struct Kubectl {
    program: PathBuf,
    pub(crate) both: Both,
    /// Commands of which both servers said the same.
    compared: usize,
    differences: Vec<String>,
}

impl Kubectl {
    /// `None` where there is no Go to build it with.
    pub(crate) async fn start() -> TestResult<Option<Self>> {
        let Some(program) = build_kubectl()? else {
            println!("skipped: Go, which builds kubectl, is not installed");
            return Ok(None);
        };
        Ok(Some(Self { program, both: Both::start().await?, compared: 0, differences: Vec::new() }))
    }

    fn command(&self, server: usize, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let cache = self.both.folder.path().join(format!("cache{server}"));
        command.arg("--kubeconfig").arg(&self.both.servers[server]).arg("--cache-dir").arg(cache);
        command.args(["--namespace", &self.both.namespace]).args(arguments).stdin(Stdio::null());
        // Who edits is a program.
        command.env("KUBE_EDITOR", "sed -i s/blue/red/");
        command
    }

    /// What it prints on a server, to which of its outputs ever, and its exit code.
    fn run(&self, server: usize, arguments: &[&str]) -> TestResult<String> {
        let output = self.command(server, arguments).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Ok(format!("{}{}exit code {code}", text(&output.stdout), text(&output.stderr)))
    }

    /// Runs a command, given as words with blanks between, on both servers.
    pub(crate) fn same(&mut self, command: &str) -> TestResult {
        self.same_of(command, str::to_owned)
    }

    /// The same for the part of the output that is to be compared.
    pub(crate) fn same_of(&mut self, command: &str, part: impl Fn(&str) -> String) -> TestResult {
        let arguments: Vec<&str> = command.split(' ').collect();
        let [real, fake] = [self.run(0, &arguments)?, self.run(1, &arguments)?].map(|text| part(&same(&text)));
        self.compared += 1;
        if real != fake {
            self.differences.push(format!("kubectl {command}\n--- real\n{real}\n--- fake\n{fake}\n"));
        }
        Ok(())
    }

    /// Asks until the real server says that something has happened. The fake one must say so at once.
    fn settled(&self, command: &str, expected: &str) -> TestResult {
        let arguments: Vec<&str> = command.split(' ').collect();
        let end = std::time::Instant::now() + DEADLINE;
        loop {
            let said = self.run(0, &arguments)?;
            if said.contains(expected) {
                break;
            }
            assert!(std::time::Instant::now() < end, "kubectl {command} never said {expected:?}, but {said}");
            thread::sleep(Duration::from_millis(100));
        }
        let fake = self.run(1, &arguments)?;
        assert!(fake.contains(expected), "kubectl {command} on the fake: {fake}");
        Ok(())
    }

    /// Writes a file that commands name.
    fn file(&self, name: &str, text: &str) -> TestResult<String> {
        let path = self.both.folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    pub(crate) fn finish(self) {
        println!("{} commands said the same", self.compared - self.differences.len());
        let (differ, all) = (self.differences.len(), self.compared);
        assert!(self.differences.is_empty(), "{differ} of {all} commands differ:\n{}", self.differences.join("\n"));
    }
}

/// The versions that Kubernetes has: other tests define groups meanwhile.
fn without_groups_of_tests(text: &str) -> String {
    text.lines().filter(|line| !line.contains("example.com")).collect::<Vec<_>>().join("\n")
}

/// The lines in an order of their own: that of objects with random names means nothing.
fn in_any_order(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Fields and their types. The specs, which the fake server's documents are made of, have no prose and no enums.
fn without_prose(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("enum:"));
    let fields = lines.skip_while(|line| !line.starts_with("FIELDS:"));
    fields.collect::<Vec<_>>().join("\n")
}

const THINGS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {tier: a}}
data: {color: blue, size: big}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {token: t}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, clusterIP: None, ports: [{port: 80, name: http}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: web}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [\"\"], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: 0 3 * * *
  suspend: true
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: 'c:1'}]}}}}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: lease}
spec: {holderIdentity: me}
";

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_says_the_same_of_objects() -> TestResult {
    let Some(mut kubectl) = Kubectl::start().await? else { return Ok(()) };
    let things = kubectl.file("things.yaml", THINGS)?;
    kubectl.same("version")?;
    kubectl.same_of("api-versions", without_groups_of_tests)?;
    kubectl.same("api-resources --api-group=apps")?;
    kubectl.same("api-resources --api-group= --sort-by=name -o wide")?;
    kubectl.same(&format!("create -f {things}"))?;
    kubectl.same(&format!("create -f {things}"))?;
    kubectl.same("get configmap settings")?;
    kubectl.same("get configmaps -l tier=a -o wide --show-labels")?;
    kubectl.same("get secret key")?;
    kubectl.same("get service web -o wide")?;
    kubectl.same("get pvc,networkpolicy,role,rolebinding,pdb,cronjob,lease -o wide")?;
    kubectl.same("get namespaces kube-system -o wide")?;
    kubectl.same("get configmap settings -o yaml")?;
    kubectl.same("get configmap settings -o json --show-managed-fields")?;
    kubectl.same("get configmap settings -o jsonpath={.data.color}")?;
    kubectl.same("get configmap settings -o custom-columns=N:.metadata.name,C:.data.color")?;
    kubectl.same("describe configmap settings")?;
    kubectl.same("describe secret key")?;
    kubectl.same("describe cronjob nightly")?;
    kubectl.same("describe role reader")?;
    kubectl.same("label configmap settings x=y")?;
    kubectl.same("label configmap settings x=z")?;
    kubectl.same("label configmap settings x=z --overwrite")?;
    kubectl.same("label configmap settings x-")?;
    kubectl.same("annotate configmap settings note=short")?;
    kubectl.same("patch configmap settings --type=merge -p {\"data\":{\"k\":\"v\"}}")?;
    kubectl.same("patch configmap settings --type=json -p [{\"op\":\"remove\",\"path\":\"/data/size\"}]")?;
    kubectl.same("patch configmap settings --type=json -p [{\"op\":\"test\",\"path\":\"/data/k\",\"value\":\"x\"}]")?;
    kubectl.same("get configmap settings -o yaml")?;
    kubectl.same("explain configmap.nothing")?;
    for explained in ["deployment", "pod.spec.containers", "service.spec.ports", "configmap", "cronjob.spec"] {
        kubectl.same_of(&format!("explain {explained} --recursive"), without_prose)?;
    }
    let wrong = kubectl.file(
        "wrong.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: wrong}, datta: {a: b}, data: {n: 5}}",
    )?;
    kubectl.same(&format!("apply -f {wrong}"))?;
    kubectl.same(&format!("create -f {wrong} --validate=ignore"))?;
    for refused in [
        "get nothing",
        "get configmap nothing",
        "delete configmap nothing",
        "get pods --field-selector=spec.foo=1",
        "wait --for=delete configmap/nothing --timeout=5s",
        "scale deployment nothing --replicas=1",
    ] {
        kubectl.same(refused)?;
    }
    kubectl.same(&format!("delete -f {things}"))?;
    kubectl.same("get configmaps settings")?;
    kubectl.finish();
    Ok(())
}

/// A deployment whose pods run on a node of the control plane. What admission of a real server adds to its pods stands
/// here already.
fn deployment(image: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, labels: {{app: web}}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      nodeName: websocket-node
      automountServiceAccountToken: false
      serviceAccountName: default
      priority: 0
      preemptionPolicy: PreemptLowerPriority
      terminationGracePeriodSeconds: 1
      tolerations:
      - {{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}}
      - {{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 300}}
      containers: [{{name: web, image: '{image}', ports: [{{containerPort: 80}}]}}]
"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_says_the_same_of_a_deployments_life() -> TestResult {
    let Some(mut kubectl) = Kubectl::start().await? else { return Ok(()) };
    if control_plane().nodes().is_none() || !control_plane().has_controllers() {
        return Ok(());
    }
    let first = kubectl.file("first.yaml", &deployment("web:1"))?;
    let second = kubectl.file("second.yaml", &deployment("web:2"))?;
    let settled = |kubectl: &Kubectl, replicas: u32| {
        let path =
            "{.status.observedGeneration}.{.status.replicas}.{.status.availableReplicas}.{.status.terminatingReplicas}";
        let generation = kubectl.run(1, &["get", "deployment", "web", "-o", "jsonpath={.metadata.generation}"])?;
        let generation = generation.trim_end_matches("exit code 0");
        let command = format!("get deployment web -o jsonpath={path}");
        kubectl.settled(&command, &format!("{generation}.{replicas}.{replicas}.0"))
    };
    let rows = "get deployments,replicasets,pods -o wide";
    kubectl.same(&format!("diff -f {first}"))?;
    kubectl.same(&format!("apply -f {first}"))?;
    settled(&kubectl, 2)?;
    kubectl.same("rollout status deployment/web --watch=false")?;
    kubectl.same_of(rows, in_any_order)?;
    kubectl.same("get pods -l app=web --show-labels")?;
    kubectl.same("describe deployment web --show-events=false")?;
    kubectl.same_of("describe replicasets --show-events=false", in_any_order)?;
    kubectl.same("get deployment web -o yaml")?;
    kubectl.same(&format!("apply -f {first}"))?;
    kubectl.same(&format!("diff -f {first}"))?;
    kubectl.same(&format!("diff -f {second}"))?;
    kubectl.same(&format!("apply -f {second}"))?;
    kubectl.same("rollout status deployment/web --timeout=60s -w=false")?;
    settled(&kubectl, 2)?;
    kubectl.same("rollout history deployment/web")?;
    kubectl.same_of("get replicasets -o wide", in_any_order)?;
    kubectl.same("rollout undo deployment/web")?;
    settled(&kubectl, 2)?;
    kubectl.same_of("describe replicasets --show-events=false", in_any_order)?;
    kubectl.same("scale deployment/web --replicas=3 --current-replicas=2")?;
    settled(&kubectl, 3)?;
    kubectl.same("get deployment web -o yaml --show-managed-fields=false")?;
    kubectl.same("wait --for=condition=Available deployment/web --timeout=20s")?;
    kubectl.same("wait --for=jsonpath={.status.readyReplicas}=3 deployment/web --timeout=20s")?;
    kubectl.same("patch deployment web -p {\"spec\":{\"replicas\":1}}")?;
    kubectl.same("set image deployment/web web=web:3")?;
    settled(&kubectl, 1)?;
    kubectl.same("rollout pause deployment/web")?;
    kubectl.same("rollout resume deployment/web")?;
    settled(&kubectl, 1)?;
    kubectl.same_of(rows, in_any_order)?;
    kubectl.same(&format!("apply --server-side --field-manager=other -f {second}"))?;
    kubectl.same(&format!("apply --server-side --field-manager=other --force-conflicts -f {second}"))?;
    settled(&kubectl, 2)?;
    kubectl.same("delete deployment web --cascade=foreground --timeout=60s")?;
    kubectl.settled("get replicasets,pods", "No resources found")?;
    kubectl.same("get deployments,replicasets,pods")?;
    kubectl.finish();
    Ok(())
}

/// A definition whose group no other test has.
fn definition(group: &str) -> String {
    format!(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {{status: {{}}, scale: {{specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}}}
    additionalPrinterColumns:
    - {{name: Color, type: string, jsonPath: .spec.color, description: The color.}}
    - {{name: Replicas, type: integer, jsonPath: .spec.replicas}}
    - {{name: Age, type: date, jsonPath: .metadata.creationTimestamp}}
    schema:
      openAPIV3Schema:
        type: object
        description: A widget.
        properties:
          spec:
            type: object
            description: What is wanted.
            required: [color]
            properties:
              color: {{type: string, description: The color., enum: [red, blue]}}
              replicas: {{type: integer, description: How many.}}
          status: {{type: object, properties: {{replicas: {{type: integer}}}}}}
"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_says_the_same_of_custom_resources() -> TestResult {
    let Some(mut kubectl) = Kubectl::start().await? else { return Ok(()) };
    let group = format!("{}.example.com", kubectl.both.namespace);
    let defined = kubectl.file("crd.yaml", &definition(&group))?;
    let widget = |color: &str| {
        format!(
            "{{apiVersion: {group}/v1, kind: Widget, metadata: {{name: one}}, spec: {{color: {color}, replicas: 2}}}}"
        )
    };
    let (red, green) = (kubectl.file("red.yaml", &widget("red"))?, kubectl.file("green.yaml", &widget("green"))?);
    let of = |command: &str| command.replace("WIDGETS", &format!("widgets.{group}"));
    kubectl.same(&format!("create -f {defined}"))?;
    kubectl.same(&format!("wait --for=condition=Established -f {defined} --timeout=20s"))?;
    kubectl.settled(&of("get WIDGETS"), "No resources found")?;
    // The documents of a real server follow later.
    kubectl.settled(&of("explain WIDGETS.spec.color"), "The color.")?;
    kubectl.same(&format!("get crd widgets.{group} -o wide"))?;
    kubectl.same(&format!("api-resources --api-group={group} --cached=false"))?;
    kubectl.same(&format!("create -f {green}"))?;
    kubectl.same(&format!("create -f {red}"))?;
    for command in [
        "get WIDGETS",
        "get WIDGETS one -o yaml",
        "get WIDGETS -o wide",
        "describe WIDGETS one",
        "explain WIDGETS.spec",
        "explain WIDGETS --recursive",
        "scale WIDGETS one --replicas=4",
        "patch WIDGETS one --type=merge -p {\"spec\":{\"color\":\"blue\"}}",
        "patch WIDGETS one -p {\"spec\":{\"color\":\"blue\"}}",
        "label WIDGETS one a=b",
    ] {
        kubectl.same(&of(command))?;
    }
    kubectl.same(&format!("apply -f {red}"))?;
    kubectl.same(&format!("apply --server-side -f {red}"))?;
    kubectl.same(&format!("diff -f {red}"))?;
    kubectl.same(&of("get WIDGETS one -o yaml --show-managed-fields"))?;
    kubectl.same(&format!("delete -f {red}"))?;
    kubectl.same(&format!("delete crd widgets.{group} --timeout=30s"))?;
    kubectl.finish();
    Ok(())
}

/// What `kubectl get -w` prints, line by line.
struct Watching {
    program: Child,
    lines: mpsc::Receiver<String>,
}

impl Watching {
    fn start(mut command: Command) -> TestResult<Self> {
        let mut program = command.stdout(Stdio::piped()).spawn()?;
        let output = program.stdout.take().ok_or("it has no output")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { program, lines })
    }

    fn next(&self, count: usize) -> TestResult<String> {
        let lines = (0..count).map(|_| self.lines.recv_timeout(DEADLINE)).collect::<Result<Vec<_>, _>>()?;
        Ok(same(&lines.join("\n")))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_watches_the_same() -> TestResult {
    let Some(kubectl) = Kubectl::start().await? else { return Ok(()) };
    let object = |label: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: watched, labels: {{tier: {label}}}}}, data: {{a: b}}}}"
        )
    };
    let (inside, outside) = (kubectl.file("inside.yaml", &object("a"))?, kubectl.file("outside.yaml", &object("b"))?);
    let mut said = Vec::new();
    for server in [0, 1] {
        let watch = ["get", "configmaps", "-w", "-l", "tier=a", "--output-watch-events"];
        let do_it = |arguments: &[&str]| kubectl.run(server, arguments).map(drop);
        do_it(&["apply", "-f", &inside])?;
        let watching = Watching::start(kubectl.command(server, &watch))?;
        let mut text = watching.next(2)?;
        do_it(&["patch", "configmap", "watched", "-p", "{\"data\":{\"c\":\"d\"}}"])?;
        do_it(&["apply", "-f", &outside])?;
        do_it(&["apply", "-f", &inside])?;
        do_it(&["delete", "configmap", "watched"])?;
        text.push('\n');
        text.push_str(&watching.next(4)?);
        said.push(text);
    }
    assert_eq!(said[0], said[1]);
    assert!(said[1].contains("DELETED watched"), "{}", said[1]);
    Ok(())
}
