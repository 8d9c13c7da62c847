//! A cache that several programs share, kubectl among them: [`DiskCache`].

use std::{
    collections::{HashMap, HashSet},
    env,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use k8s_client_runtime::{RestClient, schema::GroupVersion};

use super::files::{Files, GROUPS, resources_file};
use crate::{
    DiscoveryClient,
    asking::Asking,
    discovery::{Answer, Discovery},
    error::Result,
    model::{ApiGroup, ApiResourceList, ServerResources},
    wire::plain::{GroupsFile, ResourcesFile, read_groups_file, read_resources_file},
};

/// Keeps the answers of a [`Discovery`] in files, as kubectl does and where kubectl can read it.
///
/// A folder belongs to one server. It holds `servergroups.json` and, for each group-version,
/// `GROUP/VERSION/serverresources.json`. A file counts for the time to live from when it was written. Several processes
/// may use a folder at the same time: files appear whole or not at all. A file that is damaged or cannot be read is as
/// good as none, and one that cannot be written is left: the cache never makes a discovery fail. Only regular files of
/// at most 16 MiB are read.
///
/// A group-version that could not be read is not kept, so whoever asks next asks the server again. After
/// [`invalidate`](Discovery::invalidate) only files that this cache writes from then on count.
///
/// Each call reads the files; put a [`MemoryCache`](crate::MemoryCache) in front, or use it through a
/// [`RestMapper`](crate::RestMapper), to read them once.
///
/// ```no_run
/// use std::time::Duration;
///
/// use k8s_client_discovery::{DiscoveryClient, DiskCache, RestMapper};
///
/// # async fn example(client: k8s_client_runtime::RestClient) -> Result<(), k8s_client_discovery::Error> {
/// let server = DiscoveryClient::new(&client);
/// // kubectl's own files, or without a home directory a folder of this program's.
/// let files = DiskCache::kubectl(&server).unwrap_or_else(|| {
///     DiskCache::new(server, "/var/cache/my-tool/prod", Duration::from_secs(600))
/// });
/// let mapping = RestMapper::new(files).mapping_for("deploy").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DiskCache {
    inner: Arc<dyn Discovery>,
    files: Files,
    state: Mutex<State>,
    /// For everything.
    asking: Asking,
}

#[derive(Debug, Default)]
struct State {
    /// The files that this cache wrote, and when it asked for what is in them.
    written: HashMap<PathBuf, Instant>,
    /// Whether only those count, and from when on.
    valid_from: Option<Instant>,
}

/// How long kubectl lets its files live.
const KUBECTL_TIME_TO_LIVE: Duration = Duration::from_secs(6 * 60 * 60);

impl DiskCache {
    /// A cache in this folder, which is made when there is something to put in it.
    pub fn new(discovery: impl Discovery + 'static, directory: impl Into<PathBuf>, time_to_live: Duration) -> Self {
        Self {
            inner: Arc::new(discovery),
            files: Files::new(directory.into(), time_to_live),
            state: Mutex::default(),
            asking: Asking::default(),
        }
    }

    /// The cache that kubectl has of the same server: six hours, in `discovery/HOST` of `$KUBECACHEDIR` or else of
    /// `~/.kube/cache`. `None` where there is no home directory.
    pub fn kubectl(discovery: &DiscoveryClient) -> Option<Self> {
        let configured = env::var_os("KUBECACHEDIR").filter(|path| !path.is_empty()).map(PathBuf::from);
        let cache = configured.or_else(|| Some(env::home_dir()?.join(".kube").join("cache")))?;
        let directory = cache.join("discovery").join(Self::host_directory(discovery.rest_client()));
        Some(Self::new(discovery.clone(), directory, KUBECTL_TIME_TO_LIVE))
    }

    /// kubectl's name for the folder of a server: `127.0.0.1_6443`.
    pub fn host_directory(client: &RestClient) -> PathBuf {
        let url = client.get().url();
        let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
        let allowed = |character: char| character.is_ascii_alphanumeric() || "_./()".contains(character);
        let safe: String = host.chars().map(|character| if allowed(character) { character } else { '_' }).collect();
        safe.split('/').filter(|segment| !matches!(*segment, "" | "." | "..")).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing can panic while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with files away from the threads that must not wait. Nothing if the runtime ends meanwhile.
    async fn with_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files, &Trusted) -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let (files, trusted) = (self.files.clone(), self.lock().trusted());
        tokio::task::spawn_blocking(move || work(&files, &trusted)).await.ok().flatten()
    }

    async fn groups_in_files(&self) -> Option<Vec<ApiGroup>> {
        self.with_files(read_groups).await
    }

    async fn everything_in_files(&self) -> Option<Arc<ServerResources>> {
        let everything = self.with_files(|files, trusted| {
            let groups = read_groups(files, trusted)?;
            let group_versions = groups.iter().flat_map(ApiGroup::group_versions);
            let resources = group_versions.map(|wanted| read_list(files, trusted, &wanted)).collect::<Option<_>>()?;
            Some(Arc::new(ServerResources { groups, resources, ..ServerResources::default() }))
        });
        everything.await
    }

    async fn everything(&self) -> Result<Arc<ServerResources>> {
        let ask = async {
            let asked = Instant::now();
            let everything = self.inner.groups_and_resources().await?;
            let to_write = Arc::clone(&everything);
            let written = self.with_files(move |files, _| Some(write_everything(files, &to_write))).await;
            self.note(written.unwrap_or_default(), asked);
            Ok(everything)
        };
        self.asking.once(|| self.everything_in_files(), ask).await
    }

    async fn list(&self, group_version: &GroupVersion) -> Result<ApiResourceList> {
        let wanted = group_version.clone();
        if let Some(list) = self.with_files(move |files, trusted| read_list(files, trusted, &wanted)).await {
            return Ok(list);
        }
        let asked = Instant::now();
        let list = self.inner.resources(group_version).await?;
        let to_write = list.clone();
        let written = self.with_files(move |files, _| write_list(files, &to_write)).await;
        self.note(written.into_iter().collect(), asked);
        Ok(list)
    }

    fn note(&self, written: Vec<PathBuf>, asked: Instant) {
        self.lock().written.extend(written.into_iter().map(|path| (path, asked)));
    }
}

impl Discovery for DiskCache {
    fn groups(&self) -> Answer<'_, Vec<ApiGroup>> {
        Box::pin(async {
            match self.groups_in_files().await {
                Some(groups) => Ok(groups),
                None => Ok(self.everything().await?.groups.clone()),
            }
        })
    }

    fn resources<'a>(&'a self, group_version: &'a GroupVersion) -> Answer<'a, ApiResourceList> {
        Box::pin(self.list(group_version))
    }

    fn groups_and_resources(&self) -> Answer<'_, Arc<ServerResources>> {
        Box::pin(self.everything())
    }

    fn invalidate_before(&self, instant: Instant) -> bool {
        let inner = self.inner.invalidate_before(instant);
        let valid_from = if inner { Instant::now() } else { instant };
        let mut state = self.lock();
        state.valid_from = state.valid_from.max(Some(valid_from));
        // How old the answers in files of other programs are is not known.
        inner || state.written.get(&PathBuf::from(GROUPS)).is_none_or(|asked| *asked < valid_from)
    }
}

impl State {
    fn trusted(&self) -> Trusted {
        let valid_from = self.valid_from?;
        let valid = self.written.iter().filter(|(_, asked)| **asked >= valid_from);
        Some(valid.map(|(path, _)| path.clone()).collect())
    }
}

/// The files that count; all, if `None`.
type Trusted = Option<HashSet<PathBuf>>;

fn counts(trusted: &Trusted, path: &PathBuf) -> bool {
    trusted.as_ref().is_none_or(|trusted| trusted.contains(path))
}

fn read_groups(files: &Files, trusted: &Trusted) -> Option<Vec<ApiGroup>> {
    let path = PathBuf::from(GROUPS);
    let groups = counts(trusted, &path).then(|| files.read(&path, read_groups_file)).flatten()?;
    (!groups.is_empty()).then_some(groups)
}

fn read_list(files: &Files, trusted: &Trusted, wanted: &GroupVersion) -> Option<ApiResourceList> {
    let path = resources_file(wanted)?;
    let read = |document: &_| read_resources_file(document, wanted);
    counts(trusted, &path).then(|| files.read(&path, read)).flatten()
}

/// Returns which files were written.
fn write_everything(files: &Files, everything: &ServerResources) -> Vec<PathBuf> {
    // A file from better days would hide that it cannot be read now.
    for path in everything.failures.keys().filter_map(resources_file) {
        files.remove(&path);
    }
    let groups_are_known = everything.failures.keys().all(|failed| !failed.version.is_empty());
    if !groups_are_known {
        files.remove(GROUPS.as_ref());
    }
    let mut written: Vec<PathBuf> = everything.resources.iter().filter_map(|list| write_list(files, list)).collect();
    // Groups come last: whoever finds them finds their resources.
    let worth_keeping = groups_are_known && !everything.groups.is_empty();
    if worth_keeping && files.write(GROUPS.as_ref(), &GroupsFile::of(&everything.groups)) {
        written.push(PathBuf::from(GROUPS));
    }
    written
}

fn write_list(files: &Files, list: &ApiResourceList) -> Option<PathBuf> {
    let path = resources_file(&list.group_version)?;
    files.write(&path, &ResourcesFile::of(list)).then_some(path)
}
