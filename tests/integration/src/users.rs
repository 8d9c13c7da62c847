//! Users with few rights.

use k8s_client::{Clientset, Config, config::Impersonation};
use serde_json::json;

use crate::{Test, object, unique};

impl Test {
    /// The client of a new user who may do this in the namespace, and nothing else. The authorizer hears of it a little
    /// later.
    pub async fn user(&self, resources: &[&str], verbs: &[&str]) -> Clientset {
        let user = unique("user");
        let rbac = self.client.rbac_v1();
        if !verbs.is_empty() {
            let rules = json!([{ "apiGroups": [""], "resources": resources, "verbs": verbs }]);
            let role = object(json!({ "metadata": { "name": user }, "rules": rules }));
            rbac.roles(&self.namespace).create(&role).await.expect("an administrator may give rights");
            let binding = object(json!({
                "metadata": { "name": user },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user },
                "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }],
            }));
            rbac.role_bindings(&self.namespace).create(&binding).await.expect("an administrator may give rights");
        }
        let mut config = Config::from_kubeconfig(&self.kubeconfig).expect("the control plane's kubeconfig is good");
        config.impersonate = Some(Impersonation::user(&user));
        Clientset::new(&config).expect("the control plane's kubeconfig is good")
    }
}
