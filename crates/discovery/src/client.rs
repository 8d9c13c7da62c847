//! The client that asks the server: [`DiscoveryClient`].

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::{join_all, try_join};
use k8s_client_runtime::{
    ErrorKind, RestClient,
    rest::{Request, Response},
    schema::GroupVersion,
};
use k8s_openapi::apimachinery::pkg::version::Info;

use crate::{
    discovery::{Answer, Discovery},
    error::{Error, Result},
    model::{ApiGroup, ApiResourceList, ServerResources},
    openapi::{OpenApiDocument, OpenApiV3Index, OpenApiV3Path},
    wire::{Root, aggregated, content_type, plain},
};

/// Asks an API server what it serves.
///
/// Groups and resources come in two requests from servers that have aggregated discovery (all since Kubernetes 1.30).
/// Of others, each group-version is asked for, all at the same time. One that does not answer is reported beside the
/// rest.
///
/// It keeps nothing: for that there are [`MemoryCache`](crate::MemoryCache) and [`DiskCache`](crate::DiskCache).
/// Cloning it is cheap.
///
/// ```no_run
/// use k8s_client_discovery::{Discovery as _, DiscoveryClient, GroupVersion};
///
/// # async fn example(client: k8s_client_runtime::RestClient) -> Result<(), k8s_client_discovery::Error> {
/// let discovery = DiscoveryClient::new(&client);
/// println!("{}", discovery.server_version().await?.git_version);
///
/// let deployments = GroupVersion::new("apps", "v1").with_resource("deployments");
/// assert!(discovery.is_served(&deployments).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DiscoveryClient {
    client: RestClient,
    timeout: Duration,
}

/// client-go's time limit of a discovery request.
const TIMEOUT: Duration = Duration::from_secs(32);

/// How often one of many group-versions is asked for again when its server asks for a pause, before the others go on
/// without it. All wait for each pause.
const RETRIES_OF_EACH: u32 = 1;

/// Aggregated discovery first; a server that does not have it answers with the plain document.
const AGGREGATED_OR_PLAIN: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// For a server that refuses even to look at the above.
const PLAIN: &str = "application/json";

impl DiscoveryClient {
    /// A client that asks the server of another client.
    pub fn new(client: &RestClient) -> Self {
        Self { client: client.clone(), timeout: TIMEOUT }
    }

    /// The same with another time limit for each request. 32 seconds by default, as in client-go.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The client that the requests go through.
    pub fn rest_client(&self) -> &RestClient {
        &self.client
    }

    /// The version of the server.
    pub fn server_version(&self) -> Answer<'_, Info> {
        Box::pin(async { Ok(self.ask("/version", PLAIN).await?.json().await?) })
    }

    /// The OpenAPI v2 document, which describes everything at once: several megabytes of JSON.
    pub fn openapi_v2(&self) -> Answer<'_, OpenApiDocument> {
        self.fetching_document("/openapi/v2", None)
    }

    /// The index of the OpenAPI v3 documents, of which each group-version has one.
    pub fn openapi_v3(&self) -> Answer<'_, OpenApiV3Index> {
        Box::pin(async {
            let request = self.request("/openapi/v3", PLAIN);
            let url = request.url();
            // API servers call this JSON plain text.
            let body = request.send().await?.bytes().await?;
            serde_json::from_slice(&body).map_err(|error| Error::unreadable(url, &error))
        })
    }

    /// An OpenAPI v3 document that the index names.
    ///
    /// What comes is the newest: if it changed since the index was read, its hash is another.
    pub fn openapi_v3_document<'a>(&'a self, path: &'a OpenApiV3Path) -> Answer<'a, OpenApiDocument> {
        self.fetching_document(path.path(), path.hash())
    }

    fn fetching_document<'a>(&'a self, path: &'a str, hash: Option<&'a str>) -> Answer<'a, OpenApiDocument> {
        Box::pin(async move {
            let of_hash = self.request(path, PLAIN).query("hash", hash.unwrap_or_default()).send().await;
            let response = match of_hash {
                // The server redirects to the newer document, which it also gives to those who name no hash.
                Err(error) if hash.is_some() && error.code().is_some_and(|code| (300..400).contains(&code)) => {
                    self.ask(path, PLAIN).await?
                }
                answer => answer?,
            };
            OpenApiDocument::read(response).await
        })
    }

    fn request(&self, path: &str, accept: &str) -> Request {
        self.client.get().abs_path(path).header("accept", accept).timeout(self.timeout)
    }

    async fn ask(&self, path: &str, accept: &str) -> Result<Response> {
        Ok(self.request(path, accept).send().await?)
    }

    /// What `/api` or `/apis` answers, in the best form that the server has.
    async fn root(&self, root: Root) -> Result<Answered> {
        let answer = match self.ask(root.path(), AGGREGATED_OR_PLAIN).await {
            Err(error) if error.request_error().is_some_and(k8s_client_runtime::Error::is_not_acceptable) => {
                self.ask(root.path(), PLAIN).await
            }
            answer => answer,
        };
        let response = match answer {
            // An API server that only extends another has no core group.
            Err(error) if root == Root::Core && error.is_not_found() => return Ok(Answered::default()),
            answer => answer?,
        };
        let aggregated = content_type::is_aggregated(response.headers());
        let document = response.json().await?;
        let read = match root {
            _ if aggregated => aggregated::read(&document, root),
            Root::Core => Ok(plain::read_core(&document)),
            Root::Groups => plain::read_groups(&document),
        };
        let found = read.map_err(|problem| Error::unreadable(self.request(root.path(), PLAIN).url(), &problem))?;
        Ok(Answered { aggregated, found })
    }

    async fn roots(&self) -> Result<(Answered, Answered)> {
        try_join(self.root(Root::Core), self.root(Root::Groups)).await
    }

    async fn everything(&self) -> Result<ServerResources> {
        let (core, groups) = self.roots().await?;
        // No core group at all is not a sign of an old server.
        let is_whole = groups.aggregated && (core.aggregated || core.found.groups.is_empty());
        let mut all = core.found;
        all.merge(groups.found);
        if !is_whole {
            self.ask_for_each(&mut all).await;
        }
        report(&all);
        Ok(all)
    }

    /// Asks for each group-version of the groups, all at the same time.
    async fn ask_for_each(&self, all: &mut ServerResources) {
        let wanted: Vec<GroupVersion> = all.groups.iter().flat_map(ApiGroup::group_versions).collect();
        let mut lists = BTreeMap::new();
        let mut failures = self.ask_for(&wanted, &mut lists).await;
        // client-go tries twice. One that has used up its time has stalled the rest long enough.
        let again: Vec<GroupVersion> =
            failures.iter().filter(|(_, error)| !ran_out_of_time(error)).map(|(failed, _)| failed.clone()).collect();
        for failed in &again {
            failures.remove(failed);
        }
        failures.extend(self.ask_for(&again, &mut lists).await);
        all.resources = wanted.iter().filter_map(|group_version| lists.remove(group_version)).collect();
        all.failures.extend(failures);
    }

    /// Fills in the lists of those that answer, and returns what is with the others.
    async fn ask_for(
        &self,
        wanted: &[GroupVersion],
        lists: &mut BTreeMap<GroupVersion, ApiResourceList>,
    ) -> BTreeMap<GroupVersion, Error> {
        let list = |group_version| self.list(group_version, |request| request.max_retries(RETRIES_OF_EACH));
        let answers = join_all(wanted.iter().map(list)).await;
        let mut failures = BTreeMap::new();
        for (group_version, answer) in wanted.iter().zip(answers) {
            match answer {
                Ok(list) => drop(lists.insert(group_version.clone(), list)),
                Err(error) => drop(failures.insert(group_version.clone(), error)),
            }
        }
        failures
    }

    async fn list(
        &self,
        group_version: &GroupVersion,
        options: impl FnOnce(Request) -> Request,
    ) -> Result<ApiResourceList> {
        let GroupVersion { group, version } = group_version;
        let request = self.client.get().group_version(group, version).header("accept", PLAIN).timeout(self.timeout);
        let request = options(request);
        let url = request.url();
        let document = request.send().await?.json().await?;
        plain::read_resources(&document, group_version).map_err(|problem| Error::unreadable(url, &problem))
    }
}

impl Discovery for DiscoveryClient {
    fn groups(&self) -> Answer<'_, Vec<ApiGroup>> {
        Box::pin(async {
            let (core, groups) = self.roots().await?;
            let mut all = core.found;
            all.merge(groups.found);
            Ok(all.groups)
        })
    }

    fn resources<'a>(&'a self, group_version: &'a GroupVersion) -> Answer<'a, ApiResourceList> {
        Box::pin(self.list(group_version, |request| request))
    }

    fn groups_and_resources(&self) -> Answer<'_, Arc<ServerResources>> {
        Box::pin(async { Ok(Arc::new(self.everything().await?)) })
    }
}

/// What a root has answered.
#[derive(Default)]
struct Answered {
    /// Whether it has the resources too, and not the groups alone.
    aggregated: bool,
    found: ServerResources,
}

fn ran_out_of_time(error: &Error) -> bool {
    error.request_error().is_some_and(|error| error.kind() == ErrorKind::Timeout)
}

fn report(all: &ServerResources) {
    for (group_version, error) in &all.failures {
        tracing::debug!(%group_version, %error, "this group-version could not be read; the rest goes on without it");
    }
}
