//! Who may talk to the control plane, and how it proves itself: written to files in its folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::Error;

/// The kubeconfig's current context: an administrator with a client certificate.
pub const ADMIN_CONTEXT: &str = "admin";

/// The kubeconfig's context of an administrator with a bearer token.
pub const TOKEN_CONTEXT: &str = "token";

/// The kubeconfig's context of [`UNPRIVILEGED_USER`], with a bearer token.
pub const UNPRIVILEGED_CONTEXT: &str = "unprivileged";

/// The name of a user that no role is bound to.
pub const UNPRIVILEGED_USER: &str = "unprivileged";

/// The administrator's bearer token. It is no secret: the server listens on the loopback address
/// only, and every control plane has a certificate authority of its own.
pub(crate) const ADMIN_TOKEN: &str = "admin-token";
const UNPRIVILEGED_TOKEN: &str = "unprivileged-token";

/// Where the nodes seem to be, see `tests/control-plane/node`.
const NODE_ADDRESSES: [&str; 2] = ["198.51.100.1", "198.51.100.2"];

/// The group that RBAC lets do everything.
const ADMINISTRATORS: &str = "system:masters";

/// The files of a control plane's folder that prove something.
pub(crate) struct Credentials {
    pub(crate) ca: PathBuf,
    pub(crate) ca_key: PathBuf,
    pub(crate) serving: PathBuf,
    pub(crate) serving_key: PathBuf,
    admin: PathBuf,
    admin_key: PathBuf,
    /// The kubelets' own.
    pub(crate) kubelet: PathBuf,
    pub(crate) kubelet_key: PathBuf,
    /// kube-apiserver's, as a client of kubelets.
    pub(crate) kubelet_client: PathBuf,
    pub(crate) kubelet_client_key: PathBuf,
    pub(crate) service_account_key: PathBuf,
    pub(crate) service_account_public_key: PathBuf,
    /// kube-apiserver's `--token-auth-file`.
    pub(crate) tokens: PathBuf,
}

impl Credentials {
    /// Makes new ones and writes them to `folder`.
    pub(crate) fn create(folder: &Path) -> Result<Self, Error> {
        let files = Self {
            ca: folder.join("ca.crt"),
            ca_key: folder.join("ca.key"),
            serving: folder.join("kube-apiserver.crt"),
            serving_key: folder.join("kube-apiserver.key"),
            admin: folder.join("admin.crt"),
            admin_key: folder.join("admin.key"),
            kubelet: folder.join("kubelet.crt"),
            kubelet_key: folder.join("kubelet.key"),
            kubelet_client: folder.join("kubelet-client.crt"),
            kubelet_client_key: folder.join("kubelet-client.key"),
            service_account_key: folder.join("service-account.key"),
            service_account_public_key: folder.join("service-account.pub"),
            tokens: folder.join("tokens.csv"),
        };
        let ca = certificate_authority().map_err(Error::on("make a certificate authority"))?;
        write(&files.ca, &ca.pem())?;
        write(&files.ca_key, &ca.key().serialize_pem())?;

        let (certificate, key) = serving(&ca, "kube-apiserver", &["127.0.0.1", "::1", "localhost"])
            .map_err(Error::on("make kube-apiserver's certificate"))?;
        write(&files.serving, &certificate)?;
        write(&files.serving_key, &key)?;

        let (certificate, key) =
            administrator(&ca, "admin").map_err(Error::on("make the administrator's certificate"))?;
        write(&files.admin, &certificate)?;
        write(&files.admin_key, &key)?;

        let (certificate, key) =
            serving(&ca, "kubelet", &NODE_ADDRESSES).map_err(Error::on("make the kubelets' certificate"))?;
        write(&files.kubelet, &certificate)?;
        write(&files.kubelet_key, &key)?;

        let (certificate, key) = administrator(&ca, "kube-apiserver-kubelet-client")
            .map_err(Error::on("make kube-apiserver's certificate for kubelets"))?;
        write(&files.kubelet_client, &certificate)?;
        write(&files.kubelet_client_key, &key)?;

        let key = KeyPair::generate().map_err(Error::on("make the service accounts' key"))?;
        write(&files.service_account_key, &key.serialize_pem())?;
        write(&files.service_account_public_key, &key.public_key_pem())?;

        // Columns: token, user name, user id, groups.
        let tokens = format!(
            "{ADMIN_TOKEN},admin,admin,{ADMINISTRATORS}\n\
             {UNPRIVILEGED_TOKEN},{UNPRIVILEGED_USER},{UNPRIVILEGED_USER}\n"
        );
        write(&files.tokens, &tokens)?;
        Ok(files)
    }

    /// Writes a kubeconfig with the three contexts for the server at `server`.
    #[expect(clippy::unnecessary_debug_formatting, reason = "it quotes and escapes a path as YAML does")]
    pub(crate) fn write_kubeconfig(&self, path: &Path, server: &str) -> Result<(), Error> {
        let Self { ca, admin, admin_key, .. } = self;
        let kubeconfig = format!(
            "\
apiVersion: v1
kind: Config
clusters:
- name: control-plane
  cluster:
    server: {server}
    certificate-authority: {ca:?}
users:
- name: admin
  user:
    client-certificate: {admin:?}
    client-key: {admin_key:?}
- name: token
  user:
    token: {ADMIN_TOKEN}
- name: unprivileged
  user:
    token: {UNPRIVILEGED_TOKEN}
contexts:
- name: {ADMIN_CONTEXT}
  context: {{ cluster: control-plane, user: admin }}
- name: {TOKEN_CONTEXT}
  context: {{ cluster: control-plane, user: token }}
- name: {UNPRIVILEGED_CONTEXT}
  context: {{ cluster: control-plane, user: unprivileged }}
current-context: {ADMIN_CONTEXT}
"
        );
        write(path, &kubeconfig)
    }
}

fn certificate_authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "k8s-client test control plane");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn serving(
    ca: &CertifiedIssuer<'_, KeyPair>,
    name: &str,
    addresses: &[&str],
) -> Result<(String, String), rcgen::Error> {
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(addresses)?;
    params.distinguished_name.push(DnType::CommonName, name);
    signed(ca, params, ExtendedKeyUsagePurpose::ServerAuth)
}

fn administrator(ca: &CertifiedIssuer<'_, KeyPair>, name: &str) -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, ADMINISTRATORS);
    signed(ca, params, ExtendedKeyUsagePurpose::ClientAuth)
}

/// A certificate for `usage` and its key, both as PEM.
fn signed(
    ca: &CertifiedIssuer<'_, KeyPair>,
    mut params: CertificateParams,
    usage: ExtendedKeyUsagePurpose,
) -> Result<(String, String), rcgen::Error> {
    params.extended_key_usages = vec![usage];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, ca)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::on(format_args!("write {}", path.display())))
}
