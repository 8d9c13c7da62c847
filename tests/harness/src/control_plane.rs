//! Starting, using and ending a control plane: [`ControlPlane`].
//!
//! etcd comes first, then kube-apiserver, then the controllers; each starts when the one before answers. What has
//! started is in [`Running`], so that whatever fails on the way ends it all.

use std::{
    ffi::OsString,
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    ASSETS_VARIABLE, CONTROLLERS_VARIABLE, Error, KUBECONFIG_VARIABLE, NODES_VARIABLE, Nodes, Source,
    component::{self, Component, ETCD, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, TEST_NODE},
    credentials::Credentials,
    janitor::Janitor,
    probe::Probe,
    program,
};

/// How long a component may take until it is ready: seconds, and minutes where several control planes start at once on
/// a busy machine.
const DEADLINE: Duration = Duration::from_secs(240);

/// How many ports to try, should other processes take them between the choice and the use.
const PORTS: usize = 5;

/// A Kubernetes control plane to test against. One that was started here stops when this is dropped.
#[derive(Debug)]
pub struct ControlPlane {
    kubeconfig: PathBuf,
    controllers: bool,
    nodes: Option<Nodes>,
    /// `None` if it ran already.
    running: Option<Running>,
}

impl ControlPlane {
    /// Starts a control plane, or finds the one that the environment names; see the [crate].
    ///
    /// It is ready when this returns: every check of `/readyz` has passed and the controllers have
    /// given the `default` namespace its service account.
    pub fn start() -> Result<Self, Error> {
        Self::start_from(Source::from_env())
    }

    /// Starts, or finds, the control plane that `source` names.
    pub fn start_from(source: Source) -> Result<Self, Error> {
        match source {
            Source::Existing { kubeconfig, controllers, nodes } => {
                Ok(Self { controllers, nodes: nodes.map(Nodes::at), ..Self::existing(kubeconfig) })
            }
            Source::Assets(folder) => Self::start_programs(&folder, With::Everything),
            Source::Build => Self::start_programs(&program::build()?, With::Everything),
        }
    }

    /// Starts one, whatever runs already: for tests that kill parts of it.
    pub fn start_new() -> Result<Self, Error> {
        let assets = std::env::var_os(ASSETS_VARIABLE).filter(|folder| !folder.is_empty());
        Self::start_from(assets.map_or(Source::Build, |folder| Source::Assets(folder.into())))
    }

    /// Starts etcd and kube-apiserver alone, whatever runs already: for tests of what the server itself does, into
    /// which no controller and no node may write, and to which admission adds nothing.
    ///
    /// # Errors
    /// When there are no programs and Go, which builds them, is not installed; when they do not start.
    pub fn start_server_alone() -> Result<Self, Error> {
        match std::env::var_os(ASSETS_VARIABLE).filter(|folder| !folder.is_empty()) {
            Some(folder) => Self::start_programs(Path::new(&folder), With::Nothing),
            None => Self::start_programs(&program::build()?, With::Nothing),
        }
    }

    /// The cluster of a kubeconfig, which is left as it is. Tests that use the contexts other than
    /// the current one need them to be there, see [`TOKEN_CONTEXT`](crate::TOKEN_CONTEXT).
    pub fn existing(kubeconfig: impl Into<PathBuf>) -> Self {
        Self { kubeconfig: kubeconfig.into(), controllers: true, nodes: None, running: None }
    }

    /// The one control plane of this process, started when it is first asked for. It ends with the
    /// process.
    ///
    /// # Panics
    /// When it cannot be started: then no test can go on.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<ControlPlane, Error>> = OnceLock::new();
        match SHARED.get_or_init(Self::start) {
            Ok(control_plane) => control_plane,
            Err(error) => panic!("{error}"),
        }
    }

    /// The kubeconfig, whose current context is an administrator's. The files it names last as long
    /// as the control plane.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Whether controllers run, so that a Deployment gets its Pods, a new namespace its service
    /// account and a deleted one its end.
    pub fn has_controllers(&self) -> bool {
        self.controllers
    }

    /// The nodes that run pods, with their faults. `None` if the cluster has none of ours: those of other clusters run
    /// pods too, but cannot be made to fail, and take no commands of this machine.
    pub fn nodes(&self) -> Option<&Nodes> {
        self.nodes.as_ref()
    }

    /// The server's URL, unless it ran already: then only the kubeconfig has it.
    pub fn server(&self) -> Option<&str> {
        self.running.as_ref().map(|running| running.server.as_str())
    }

    /// The folder with the components' logs, `kube-apiserver.log` and so on, unless they ran
    /// already.
    pub fn logs(&self) -> Option<&Path> {
        self.running.as_ref().map(|running| running.folder.path())
    }

    /// The process ids of the components, unless they ran already.
    pub fn process_ids(&self) -> Vec<u32> {
        let running = self.running.iter();
        running.flat_map(|running| &running.components).map(Component::process_id).collect()
    }

    /// Kills kube-apiserver as a crash would, without a chance to end its connections. etcd and the
    /// controllers go on.
    ///
    /// # Errors
    /// When the control plane was not started here.
    pub fn kill_kube_apiserver(&mut self) -> Result<(), Error> {
        self.running()?.kill_kube_apiserver()
    }

    /// Starts kube-apiserver again after [`kill_kube_apiserver`](Self::kill_kube_apiserver), with the
    /// same address. It is ready when this returns.
    ///
    /// # Errors
    /// When the control plane was not started here, or kube-apiserver does not become ready.
    pub fn restart_kube_apiserver(&mut self) -> Result<(), Error> {
        self.running()?.restart_kube_apiserver()
    }

    fn running(&mut self) -> Result<&mut Running, Error> {
        let kubeconfig = self.kubeconfig.display();
        let error = format!("the cluster of {kubeconfig} was not started here, so it cannot be killed or started");
        self.running.as_mut().ok_or_else(|| Error::new(error))
    }

    /// The variables that make [`ControlPlane::start`] of other processes find this one.
    pub fn environment(&self) -> [(&'static str, OsString); 3] {
        [
            (KUBECONFIG_VARIABLE, self.kubeconfig.clone().into()),
            (CONTROLLERS_VARIABLE, self.controllers.to_string().into()),
            (NODES_VARIABLE, self.nodes.as_ref().map(|nodes| nodes.socket().into()).unwrap_or_default()),
        ]
    }

    /// Stops what was started here and removes its folder. Dropping does the same, but cannot return
    /// an error.
    pub fn stop(mut self) -> Result<(), Error> {
        match self.running.take() {
            Some(mut running) => {
                let tried = format!("remove {}", running.folder.path().display());
                running.clean_up().map_err(Error::on(tried))
            }
            None => Ok(()),
        }
    }

    fn start_programs(assets: &Path, with: With) -> Result<Self, Error> {
        let assets = assets.canonicalize().map_err(Error::on(format_args!("open {}", assets.display())))?;
        for program in [ETCD, KUBE_APISERVER] {
            if !assets.join(program).exists() {
                let assets = assets.display();
                return Err(Error::new(format!(
                    "{assets} has no {program}: {ASSETS_VARIABLE} must name a folder with {ETCD} and {KUBE_APISERVER}"
                )));
            }
        }
        let mut running = Running::new()?;
        running.start(&assets, with)?;
        Ok(Self {
            kubeconfig: running.kubeconfig(),
            controllers: running.components.iter().any(|component| component.is(KUBE_CONTROLLER_MANAGER)),
            nodes: running.nodes.clone(),
            running: Some(running),
        })
    }
}

/// What runs beside etcd and kube-apiserver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    Nothing,
    /// Controllers and nodes, as far as there are programs of them.
    Everything,
}

/// The components that have been started so far.
#[derive(Debug)]
struct Running {
    server: String,
    nodes: Option<Nodes>,
    /// What kube-apiserver is started with again.
    again: Option<Again>,
    components: Vec<Component>,
    janitor: Janitor,
    /// Everything is in here: credentials, kubeconfig, etcd's data, logs.
    folder: TempDir,
}

#[derive(Debug)]
struct Again {
    assets: PathBuf,
    flags: component::Flags,
    port: u16,
    probe: Probe,
}

impl Running {
    fn new() -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("k8s-client-test-")
            .tempdir()
            .map_err(Error::on("create a temporary folder"))?;
        Ok(Self {
            server: String::new(),
            nodes: None,
            again: None,
            components: Vec::new(),
            janitor: Janitor::start(folder.path()).map_err(Error::on("start sh"))?,
            folder,
        })
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Starts all components.
    fn start(&mut self, assets: &Path, with: With) -> Result<(), Error> {
        let folder = self.folder.path().to_owned();
        let credentials = Credentials::create(&folder)?;
        let probe = Probe::trusting(&credentials.ca)?;

        self.start_component(ETCD, &component::etcd_flags(&folder), assets)?;

        // A folder of envtest's lacks this one, and may lack the controllers.
        let runs = |program| with == With::Everything && assets.join(program).exists();
        let nodes = runs(TEST_NODE);
        if nodes {
            component::write_egress_selector(&folder)?;
        }
        let flags = |port| {
            let mut flags = component::kube_apiserver_flags(&folder, &credentials, port, nodes);
            if with == With::Nothing {
                flags.push(component::without_additions());
            }
            flags
        };
        let port = self.start_kube_apiserver(assets, &credentials, flags, &probe)?;

        if nodes {
            let flags = component::test_node_flags(&folder, &credentials, &self.kubeconfig());
            self.start_component(TEST_NODE, &flags, assets)?;
            self.nodes = Some(Nodes::at(component::control_socket(&folder)));
        }
        if runs(KUBE_CONTROLLER_MANAGER) {
            let flags = component::kube_controller_manager_flags(&credentials, &self.kubeconfig());
            self.start_component(KUBE_CONTROLLER_MANAGER, &flags, assets)?;
            self.wait_for_kube_apiserver(&probe, port, "/api/v1/namespaces/default/serviceaccounts/default")?;
        }
        if let Some(nodes) = self.nodes.clone() {
            self.wait_for("/readyz of the nodes", || nodes.ready())?;
        }
        let flags = flags(port);
        self.again = Some(Again { assets: assets.to_owned(), flags, port, probe });
        Ok(())
    }

    /// Returns its port once it is ready.
    ///
    /// kube-apiserver takes no listener and no port 0, so a port is chosen that is free now and
    /// another one if it is not any more by the time kube-apiserver listens.
    fn start_kube_apiserver(
        &mut self,
        assets: &Path,
        credentials: &Credentials,
        flags: impl Fn(u16) -> component::Flags,
        probe: &Probe,
    ) -> Result<u16, Error> {
        let mut attempt = 1;
        loop {
            let port = free_port().map_err(Error::on("find a free port"))?;
            self.start_component(KUBE_APISERVER, &flags(port), assets)?;
            match self.wait_for_kube_apiserver(probe, port, "/readyz") {
                Ok(()) => {
                    self.server = format!("https://127.0.0.1:{port}");
                    credentials.write_kubeconfig(&self.kubeconfig(), &self.server)?;
                    return Ok(port);
                }
                Err(error) => {
                    let lost = self.components.pop_if(|it| it.lost_its_port());
                    if lost.is_none() || attempt == PORTS {
                        return Err(error);
                    }
                    attempt += 1;
                }
            }
        }
    }

    fn kill_kube_apiserver(&mut self) -> Result<(), Error> {
        if let Some(position) = self.components.iter().position(|component| component.is(KUBE_APISERVER)) {
            let mut component = self.components.remove(position);
            // Before its id can be another's.
            self.janitor
                .forget(component.process_id())
                .map_err(Error::on("take kube-apiserver off the janitor's list"))?;
            component.kill();
        }
        Ok(())
    }

    fn restart_kube_apiserver(&mut self) -> Result<(), Error> {
        self.kill_kube_apiserver()?;
        let Some(Again { assets, flags, port, probe }) = self.again.take() else {
            return Err(Error::new("kube-apiserver has never been ready, so it cannot be started again".to_owned()));
        };
        let started = self
            .start_component(KUBE_APISERVER, &flags, &assets)
            .and_then(|()| self.wait_for_kube_apiserver(&probe, port, "/readyz"));
        self.again = Some(Again { assets, flags, port, probe });
        started
    }

    fn start_component(&mut self, name: &'static str, flags: &component::Flags, assets: &Path) -> Result<(), Error> {
        let folder = self.folder.path();
        let component = Component::start(name, flags, assets, folder, &mut self.janitor)?;
        self.components.push(component);
        Ok(())
    }

    fn wait_for_kube_apiserver(&mut self, probe: &Probe, port: u16, path: &str) -> Result<(), Error> {
        self.wait_for(&format!("https://127.0.0.1:{port}{path}"), || probe.get(port, path))
    }

    /// Until `get`, which gets `what`, succeeds: the component that was started last is to bring that about.
    fn wait_for(&mut self, what: &str, get: impl Fn() -> io::Result<()>) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            let answer = match get() {
                Ok(()) => return Ok(()),
                Err(answer) => answer,
            };
            for component in &mut self.components {
                if let Some(status) = component.ended() {
                    return Err(component.error(format_args!("ended early ({status})")));
                }
            }
            if started.elapsed() > DEADLINE
                && let Some(component) = self.components.last()
            {
                let waited = DEADLINE.as_secs();
                return Err(component.error(format_args!(
                    "is not ready after {waited} s; the last answer to GET {what} was: {answer}"
                )));
            }
            thread::sleep(Duration::from_millis(25));
        }
    }

    fn clean_up(&mut self) -> io::Result<()> {
        // The janitor first: it must not kill by process ids that are free again.
        self.janitor.dismiss();
        for component in self.components.iter_mut().rev() {
            component.kill();
        }
        self.components.clear();
        match std::fs::remove_dir_all(self.folder.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error cannot be returned from here; `ControlPlane::stop` returns it.
        let _ = self.clean_up();
    }
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
