//! The client of one kind, with every verb there is.

use std::{borrow::Cow, fmt, marker::PhantomData};

use http::Method;
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};

use super::{
    AllNamespaces, AnyScope, Apply, Attach, Cluster, Create, Delete, DeleteCollection, Exec, Get, HasStream, List,
    Logs, Modify, Namespaced, OneObject, Patch, PatchRequest, PortForward, ProxyRequest, Scope, Update, Watch,
    resource_path::ResourcePath,
};
use crate::{
    apply::Applicable,
    codec::{Codec, Kind, Listable},
    object::AnyObject,
    rest::{Request, RestClient},
    schema::GroupVersionResource,
};

/// A client of one kind, generic over it: for the types of your own custom resources, which
/// [`custom_resource!`](macro@crate::custom_resource) makes of structs.
///
/// The kinds of Kubernetes itself have generated clients, which offer only the verbs and the scope that the API has for
/// them. This one trusts you with the verbs; the scope is checked by the kind's [`Kind::Scope`].
///
/// Where the objects are need not be known before the program runs: [`at`](ResourceClient::at) takes it as a value. The
/// dynamic client is made so.
///
/// ```no_run
/// use k8s_client_runtime::{Error, RestClient, custom_resource, resource::ResourceClient};
/// use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Certificate {
///     metadata: ObjectMeta,
///     spec: CertificateSpec,
/// }
///
/// #[derive(Deserialize, Serialize)]
/// #[serde(rename_all = "camelCase")]
/// struct CertificateSpec {
///     dns_names: Vec<String>,
/// }
///
/// custom_resource!(Certificate, "example.com/v1", "certificates", Namespaced);
///
/// async fn example(client: RestClient) -> Result<(), Error> {
///     let certificates = ResourceClient::<Certificate>::namespaced(&client, "default");
///     let web = certificates.get("web").await?;
///     println!("{:?}", web.spec.dns_names);
///     let everywhere = ResourceClient::<Certificate>::all_namespaces(&client).list().await?;
///     println!("{} in all namespaces", everywhere.items.len());
///     Ok(())
/// }
/// ```
pub struct ResourceClient<K, S = Namespaced> {
    client: RestClient,
    path: ResourcePath,
    scope: S,
    kind: PhantomData<fn() -> K>,
}

impl<K> ResourceClient<K> {
    /// The objects of one namespace.
    pub fn namespaced(client: &RestClient, namespace: &str) -> ResourceClient<K, Namespaced>
    where
        K: Kind<Scope = NamespaceResourceScope>,
    {
        ResourceClient::new(client, ResourcePath::of::<K>(), Namespaced { namespace: namespace.into() })
    }

    /// The objects of all namespaces.
    pub fn all_namespaces(client: &RestClient) -> ResourceClient<K, AllNamespaces>
    where
        K: Kind<Scope = NamespaceResourceScope>,
    {
        ResourceClient::new(client, ResourcePath::of::<K>(), AllNamespaces)
    }

    /// The objects of the cluster, for a kind without namespaces.
    pub fn cluster(client: &RestClient) -> ResourceClient<K, Cluster>
    where
        K: Kind<Scope = ClusterResourceScope>,
    {
        ResourceClient::new(client, ResourcePath::of::<K>(), Cluster)
    }
}

impl<K> ResourceClient<K> {
    /// The objects of a resource that is known only at run time.
    ///
    /// ```no_run
    /// # async fn example(client: k8s_client_runtime::RestClient) -> Result<(), k8s_client_runtime::Error> {
    /// use k8s_client_runtime::{codec::Json, resource::{AnyScope, ResourceClient}, schema::GroupVersionResource};
    ///
    /// // Any codec will do, such as `Json` of a type of your own that has only the fields you need.
    /// let certificates = GroupVersionResource::new("example.com", "v1", "certificates");
    /// let scope = AnyScope::unknown().namespace("default");
    /// let certificates = ResourceClient::<Json<serde_json::Value>>::at(&client, &certificates, scope);
    /// println!("{}", certificates.get("web").await?["spec"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn at(client: &RestClient, resource: &GroupVersionResource, scope: AnyScope) -> ResourceClient<K, AnyScope>
    where
        K: Codec,
    {
        ResourceClient::new(client, ResourcePath::at(resource), scope)
    }
}

impl<K, S> ResourceClient<K, S> {
    fn new(client: &RestClient, path: ResourcePath, scope: S) -> Self {
        Self { client: client.clone(), path, scope, kind: PhantomData }
    }

    /// The client that the requests go through.
    pub fn rest_client(&self) -> &RestClient {
        &self.client
    }
}

impl<K> ResourceClient<K, AnyScope> {
    /// The same client for the objects of one namespace.
    pub fn namespace(self, namespace: &str) -> Self {
        Self { scope: self.scope.namespace(namespace), ..self }
    }
}

impl<K, S: Scope> ResourceClient<K, S> {
    /// Lists the objects.
    pub fn list(&self) -> List<K>
    where
        K: Listable,
    {
        List::new(self.everywhere())
    }

    /// Watches the objects for changes.
    pub fn watch(&self) -> Watch<K>
    where
        K: Listable,
    {
        Watch::new(self.everywhere())
    }

    fn everywhere(&self) -> Request {
        self.scope.add_to(self.path.request(&self.client, Method::GET))
    }
}

impl<K, S: OneObject> ResourceClient<K, S> {
    /// Deletes all objects, or those that the selectors choose.
    pub fn delete_collection(&self) -> DeleteCollection<K>
    where
        K: Listable,
    {
        DeleteCollection::new(self.request(Method::DELETE))
    }

    fn request(&self, method: Method) -> Request {
        self.scope.add_to_one(self.path.request(&self.client, method))
    }

    fn named(&self, method: Method, name: &str) -> Request {
        self.request(method).name(name)
    }

    fn subresource(&self, method: Method, name: &str, subresource: impl Into<Cow<'static, str>>) -> Request {
        self.named(method, name).subresource(subresource)
    }

    /// A request for the object that the body itself names.
    fn named_by(&self, method: Method, object: &impl AnyObject) -> Request {
        match object.name() {
            Some(name) => self.named(method, name),
            None => self.request(method).wrong(format!("metadata.name of the {} is not set", self.path.kind())),
        }
    }
}

impl<K: Codec<Object: AnyObject>, S: OneObject> ResourceClient<K, S> {
    /// Replaces the object, which must be the version last read, or the server answers with a conflict.
    pub fn update(&self, object: &K::Object) -> Update<K> {
        Update::new::<K>(self.named_by(Method::PUT, object), object)
    }

    /// Replaces the object's status and nothing else of it.
    pub fn update_status(&self, object: &K::Object) -> Update<K> {
        Update::new::<K>(self.named_by(Method::PUT, object).subresource("status"), object)
    }
}

impl<K: Codec, S: OneObject> ResourceClient<K, S> {
    /// Reads the named object.
    pub fn get(&self, name: &str) -> Get<K> {
        Get::new(self.named(Method::GET, name))
    }

    /// Creates the object.
    pub fn create(&self, object: &K::Object) -> Create<K> {
        Create::new::<K>(self.request(Method::POST), object)
    }

    /// Creates something at the resource itself that is answered with another type, such as a binding.
    pub fn create_answering<C: Codec>(&self, object: &K::Object) -> Create<C> {
        Create::new::<K>(self.request(Method::POST), object)
    }

    /// Reads, changes and updates the named object, and does it again when somebody else changed it meanwhile.
    pub fn modify<'f>(&self, name: &str, change: impl FnMut(&mut K::Object) + Send + 'f) -> Modify<'f, K> {
        Modify::new(self.named(Method::GET, name), self.named(Method::PUT, name), change)
    }

    /// Deletes the named object.
    pub fn delete(&self, name: &str) -> Delete<K> {
        Delete::new(self.named(Method::DELETE, name))
    }

    /// Changes parts of the named object.
    pub fn patch(&self, name: &str, patch: &Patch) -> PatchRequest<K> {
        PatchRequest::new(self.named(Method::PATCH, name), patch)
    }

    /// Applies a configuration: the server merges it by field ownership and makes the object when there is none.
    ///
    /// The configuration names its object: the kind's own, such as a generated `…ApplyConfiguration`, or a
    /// `serde_json::Value`.
    pub fn apply(&self, configuration: &impl Applicable<K>) -> Apply<K> {
        Apply::new(self.request(Method::PATCH), configuration)
    }

    /// Applies a configuration to the status of the object that it names, and to nothing else of it.
    pub fn apply_status(&self, configuration: &impl Applicable<K>) -> Apply<K> {
        Apply::new(self.request(Method::PATCH).subresource("status"), configuration)
    }

    /// Reads a subresource of the named object.
    pub fn get_subresource<C: Codec>(&self, name: &str, subresource: impl Into<Cow<'static, str>>) -> Get<C> {
        Get::new(self.subresource(Method::GET, name, subresource))
    }

    /// Creates a subresource of the named object, answered with the type of `A`.
    pub fn create_subresource<B: Codec, A: Codec>(
        &self,
        name: &str,
        subresource: impl Into<Cow<'static, str>>,
        body: &B::Object,
    ) -> Create<A> {
        Create::new::<B>(self.subresource(Method::POST, name, subresource), body)
    }

    /// Replaces a subresource of the named object.
    pub fn update_subresource<C: Codec>(
        &self,
        name: &str,
        subresource: impl Into<Cow<'static, str>>,
        object: &C::Object,
    ) -> Update<C> {
        Update::new::<C>(self.subresource(Method::PUT, name, subresource), object)
    }

    /// Deletes a subresource of the named object.
    pub fn delete_subresource<C: Codec>(&self, name: &str, subresource: impl Into<Cow<'static, str>>) -> Delete<C> {
        Delete::new(self.subresource(Method::DELETE, name, subresource))
    }

    /// Changes parts of a subresource of the named object.
    pub fn patch_subresource<C: Codec>(
        &self,
        name: &str,
        subresource: impl Into<Cow<'static, str>>,
        patch: &Patch,
    ) -> PatchRequest<C> {
        PatchRequest::new(self.subresource(Method::PATCH, name, subresource), patch)
    }

    /// Applies a configuration to a subresource of the named object.
    pub fn apply_subresource<C: Codec>(
        &self,
        subresource: impl Into<Cow<'static, str>>,
        configuration: &impl Applicable<C>,
    ) -> Apply<C> {
        Apply::new(self.request(Method::PATCH).subresource(subresource), configuration)
    }

    /// Reads the log of the named pod's containers.
    pub fn logs(&self, name: &str) -> Logs
    where
        K: HasStream<Logs>,
    {
        Logs::new(self.subresource(Method::GET, name, "log"))
    }

    /// Runs a command in a container of the named pod.
    pub fn exec(&self, name: &str) -> Exec
    where
        K: HasStream<Exec>,
    {
        Exec::new(self.subresource(Method::GET, name, "exec"))
    }

    /// Attaches to a running container of the named pod.
    pub fn attach(&self, name: &str) -> Attach
    where
        K: HasStream<Attach>,
    {
        Attach::new(self.subresource(Method::GET, name, "attach"))
    }

    /// Forwards ports of the named pod.
    pub fn port_forward(&self, name: &str) -> PortForward
    where
        K: HasStream<PortForward>,
    {
        PortForward::new(self.subresource(Method::GET, name, "portforward"))
    }

    /// Sends an HTTP request through the API server to the named object: a pod, a service or a node.
    pub fn proxy(&self, name: &str) -> ProxyRequest
    where
        K: HasStream<ProxyRequest>,
    {
        ProxyRequest::new(self.request(Method::GET), name)
    }
}

impl<K, S: Clone> Clone for ResourceClient<K, S> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), path: self.path.clone(), scope: self.scope.clone(), kind: PhantomData }
    }
}

impl<K, S: fmt::Debug> fmt::Debug for ResourceClient<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceClient")
            .field("client", &self.client)
            .field("resource", &&self.path)
            .field("scope", &self.scope)
            .finish()
    }
}
