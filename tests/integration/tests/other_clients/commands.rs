//! The commands of kubectl that make objects of flags, and change them: all of them send protobuf.

use k8s_client_integration_tests::TestResult;

use crate::kubectl::Kubectl;

/// Lines that differ for a reason: what admission adds to pods and to those who ask, which the fake server has none of.
fn without_what_admission_adds(text: &str) -> String {
    let added = ["serviceAccount", "priority:", "preemptionPolicy"];
    text.lines().filter(|line| !added.iter().any(|word| line.contains(word))).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_makes_the_same_objects_of_flags() -> TestResult {
    let Some(mut kubectl) = Kubectl::start().await? else { return Ok(()) };
    let own = kubectl.both.namespace.clone();
    for command in [
        &format!("create namespace {own}-more -o yaml")[..],
        &format!("create priorityclass {own}-high --value=7 -o yaml"),
        "create configmap settings --from-literal=color=blue -o yaml",
        "create configmap settings --from-literal=color=blue",
        "create secret generic key --from-literal=token=t -o yaml",
        "create secret tls pair --cert=/nothing --key=/nothing",
        "create deployment web --image=web:1 --port=80 -o yaml",
        "create deployment dry --image=web:1 --dry-run=server -o yaml",
        "create service clusterip inside --tcp=80:8080 -o jsonpath={.spec.ports}{.spec.type}",
        "create service nodeport outside --tcp=80 -o jsonpath={.spec.selector}{.spec.type}",
        "create service externalname other --external-name=example.com -o yaml",
        "create job once --image=job:1 -o jsonpath={.spec.template.spec}",
        "create cronjob daily --image=job:1 --schedule=@daily -o yaml",
        "create job by-hand --from=cronjob/daily -o jsonpath={.spec.template.spec}",
        "create role reader --verb=get,list --resource=pods,deployments.apps -o yaml",
        "create rolebinding readers --role=reader --user=jane -o yaml",
        "create quota few --hard=services=30,secrets=40 -o jsonpath={.spec}",
        "create poddisruptionbudget web --selector=app=web --min-available=1 -o yaml",
        "create serviceaccount robot -o yaml",
        "create ingress web --rule=example.com/path*=web:80,tls=pair -o yaml",
        "autoscale deployment web --max=3 --cpu=80% -o yaml",
        "autoscale deployment nothing --max=3",
        "expose deployment web --port=80 --target-port=8080 --name=exposed -o jsonpath={.spec.ports}{.spec.selector}",
        "set image deployment/web web=web:2",
        "set image deployment/nothing web=web:2",
        "set env deployment/web COLOR=blue",
        "set resources deployment/web --requests=cpu=100m",
        "set serviceaccount deployment web robot",
        "set selector service inside app=web",
        "label configmap settings tier=a",
        "label configmap settings bad/label/key=a",
        "annotate configmap settings note=blue",
        "edit configmap settings",
        "get configmap settings -o yaml",
        "edit configmap nothing",
        "auth can-i get pods",
        "auth can-i list deployments.apps --all-namespaces",
        "auth can-i create pods --subresource=exec",
        "get configmaps -l a==b==c",
        "get configmaps -l bad/label/key",
        "get configmaps -l bad/label/key=a",
        "get configmaps -l a=-",
        "get configmaps -l a,,b",
        "get configmaps --field-selector=a",
        "delete configmap settings",
        &format!("delete namespace {own}-more"),
        &format!("delete priorityclass {own}-high"),
    ] {
        kubectl.same(command)?;
    }
    let run = "run one --image=pod:1 --restart=Never --labels=a=b --env=A=b --port=80 -o jsonpath={.metadata.labels}";
    kubectl.same_of(run, without_what_admission_adds)?;
    kubectl.finish();
    Ok(())
}
