//! The client that asks the server: [`DiscoveryClient`].

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::{join_all, try_join};
use k8s_client_runtime::{
    ErrorKind, RestClient,
    http::{HeaderMap, header},
    rest::{Request, Response},
    schema::GroupVersion,
};
use k8s_openapi::apimachinery::pkg::version::Info;

use crate::{
    discovery::{Answer, Discovery},
    error::{Error, Result},
    model::{ApiGroup, ApiResourceList, ServerResources},
    openapi::{OpenApiDocument, OpenApiV3Index, OpenApiV3Path},
    wire::{Aggregated, CoreVersions, GroupList, ResourceList},
};

/// Asks an API server what it serves.
///
/// Groups and resources come in two requests from servers that have aggregated discovery (all since Kubernetes 1.30). Of
/// others, each group-version is asked for, all at the same time. One that does not answer is reported beside the rest.
///
/// It keeps nothing: for that there are [`MemoryCache`](crate::MemoryCache) and [`DiskCache`](crate::DiskCache). Cloning it
/// is cheap.
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
    async fn root(&self, root: Root) -> Result<Document> {
        let answer = match self.ask(root.path(), AGGREGATED_OR_PLAIN).await {
            Err(error) if error.request_error().is_some_and(k8s_client_runtime::Error::is_not_acceptable) => {
                self.ask(root.path(), PLAIN).await
            }
            answer => answer,
        };
        let response = match answer {
            // An API server that only extends another has no core group.
            Err(error) if root == Root::Core && error.is_not_found() => return Ok(Document::Plain(Vec::new())),
            answer => answer?,
        };
        // The body does not tell: the plain document would be read as an aggregated one with nothing in it.
        if is_aggregated(response.headers()) {
            return Ok(Document::Aggregated(response.json().await?));
        }
        Ok(Document::Plain(match root {
            Root::Core => response.json::<CoreVersions>().await?.into_groups(),
            Root::Groups => response.json::<GroupList>().await?.into_groups(),
        }))
    }

    async fn roots(&self) -> Result<(Document, Document)> {
        try_join(self.root(Root::Core), self.root(Root::Groups)).await
    }

    async fn everything(&self) -> Result<ServerResources> {
        let all = match self.roots().await? {
            (Document::Aggregated(core), Document::Aggregated(groups)) => {
                let (mut all, others) = (core.into_resources(), groups.into_resources());
                all.groups.extend(others.groups);
                all.resources.extend(others.resources);
                all.failures.extend(others.failures);
                all
            }
            // No core group at all is no sign of an old server.
            (Document::Plain(core), Document::Aggregated(groups)) if core.is_empty() => groups.into_resources(),
            (core, groups) => self.each([core.groups(), groups.groups()].concat()).await,
        };
        report(&all);
        Ok(all)
    }

    /// Asks for each group-version of the groups, all at the same time.
    async fn each(&self, groups: Vec<ApiGroup>) -> ServerResources {
        let wanted: Vec<GroupVersion> = groups.iter().flat_map(ApiGroup::group_versions).collect();
        let mut lists = BTreeMap::new();
        let mut failures = self.ask_for(&wanted, &mut lists).await;
        // client-go tries twice. One that has used up its time has stalled the rest long enough.
        let again: Vec<GroupVersion> =
            failures.iter().filter(|(_, error)| !ran_out_of_time(error)).map(|(failed, _)| failed.clone()).collect();
        for failed in &again {
            failures.remove(failed);
        }
        failures.extend(self.ask_for(&again, &mut lists).await);
        let resources = wanted.iter().filter_map(|group_version| lists.remove(group_version)).collect();
        ServerResources { groups, resources, failures }
    }

    /// Fills in the lists of those that answer, and returns what is with the others.
    async fn ask_for(
        &self,
        wanted: &[GroupVersion],
        lists: &mut BTreeMap<GroupVersion, ApiResourceList>,
    ) -> BTreeMap<GroupVersion, Error> {
        let answers = join_all(wanted.iter().map(|group_version| self.list(group_version))).await;
        let mut failures = BTreeMap::new();
        for (group_version, answer) in wanted.iter().zip(answers) {
            match answer {
                Ok(list) => drop(lists.insert(group_version.clone(), list)),
                Err(error) => drop(failures.insert(group_version.clone(), error)),
            }
        }
        failures
    }

    async fn list(&self, group_version: &GroupVersion) -> Result<ApiResourceList> {
        let GroupVersion { group, version } = group_version;
        let request = self.client.get().group_version(group, version).header("accept", PLAIN).timeout(self.timeout);
        Ok(request.send().await?.json::<ResourceList>().await?.into_list(group_version))
    }
}

impl Discovery for DiscoveryClient {
    fn groups(&self) -> Answer<'_, Vec<ApiGroup>> {
        Box::pin(async {
            let (core, groups) = self.roots().await?;
            Ok([core.groups(), groups.groups()].concat())
        })
    }

    fn resources<'a>(&'a self, group_version: &'a GroupVersion) -> Answer<'a, ApiResourceList> {
        Box::pin(self.list(group_version))
    }

    fn groups_and_resources(&self) -> Answer<'_, Arc<ServerResources>> {
        Box::pin(async { Ok(Arc::new(self.everything().await?)) })
    }
}

/// Where the groups begin.
#[derive(Clone, Copy, PartialEq)]
enum Root {
    Core,
    Groups,
}

impl Root {
    fn path(self) -> &'static str {
        match self {
            Self::Core => "/api",
            Self::Groups => "/apis",
        }
    }
}

/// What a root answers.
enum Document {
    /// Groups with their resources.
    Aggregated(Aggregated),
    /// Groups alone.
    Plain(Vec<ApiGroup>),
}

impl Document {
    fn groups(self) -> Vec<ApiGroup> {
        match self {
            Self::Aggregated(aggregated) => aggregated.groups(),
            Self::Plain(groups) => groups,
        }
    }
}

/// Whether the content type has the parameters of aggregated discovery, in whichever order.
fn is_aggregated(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parameters: Vec<_> = content_type.split(';').skip(1).map(str::trim).collect();
    ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"].iter().all(|wanted| parameters.contains(wanted))
}

fn ran_out_of_time(error: &Error) -> bool {
    error.request_error().is_some_and(|error| error.kind() == ErrorKind::Timeout)
}

fn report(all: &ServerResources) {
    for (group_version, error) in &all.failures {
        tracing::debug!(%group_version, %error, "this group-version could not be read; the rest goes on without it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregated_answers_are_told_by_the_parameters_of_their_content_type() {
        for (content_type, aggregated) in [
            ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", true),
            ("application/json; as=APIGroupDiscoveryList; v=v2; g=apidiscovery.k8s.io; charset=utf-8", true),
            ("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList", false),
            ("application/json", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, content_type.parse().expect("it is plain ASCII"));
            assert_eq!(is_aggregated(&headers), aggregated, "{content_type}");
        }
        assert!(!is_aggregated(&HeaderMap::new()));
    }
}
