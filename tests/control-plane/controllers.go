package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/dynamic"
	certificatesinformers "k8s.io/client-go/informers/certificates/v1"
	schedulinginformers "k8s.io/client-go/informers/scheduling/v1beta1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/klog/v2"
	pkgcontroller "k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/certificates/approver"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/certificates/signer"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/cronjob"
	"k8s.io/kubernetes/pkg/controller/daemon"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/disruption"
	"k8s.io/kubernetes/pkg/controller/endpoint"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/endpointslicemirroring"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/replication"
	"k8s.io/kubernetes/pkg/controller/resourcequota"
	"k8s.io/kubernetes/pkg/controller/scheduling/podgroupprotection"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/controller/statefulset"
	"k8s.io/kubernetes/pkg/controller/ttlafterfinished"
	"k8s.io/kubernetes/pkg/controller/volume/pvcprotection"
	"k8s.io/kubernetes/pkg/controller/volume/pvprotection"
	"k8s.io/kubernetes/pkg/controller/volume/vacprotection"
	"k8s.io/kubernetes/pkg/features"
	quotainstall "k8s.io/kubernetes/pkg/quota/v1/install"
	serviceaccounttoken "k8s.io/kubernetes/pkg/serviceaccount"
)

// controllers are those whose work the user of a client sees: without them something would never get
// ready or never get deleted. Each takes a cold build about a second of processor time, so one more
// is no harm.
//
// The real kube-controller-manager has more. Those that need nodes, volumes or metrics have nothing
// to do in the tests. The Pod garbage collector would bring in the whole scheduler, which takes a
// hundred seconds; without it a Pod on a node that has no kubelet is deleted only with a grace period
// of 0.
var controllers = []struct {
	name string
	make func(context.Context, *controllerManager) (controller, error)
}{
	// What comes with a namespace, and goes with it.
	{"namespace", newNamespace},
	{"serviceaccount", newServiceAccount},
	{"serviceaccount-token", newServiceAccountToken},
	{"root-ca-certificate-publisher", newRootCACertificatePublisher},
	{"resourcequota", newResourceQuota},
	{"garbage-collector", newGarbageCollector},

	// Workloads.
	{"deployment", newDeployment},
	{"replicaset", newReplicaSet},
	{"replicationcontroller", newReplicationController},
	{"statefulset", newStatefulSet},
	{"daemonset", newDaemonSet},
	{"job", newJob},
	{"cronjob", newCronJob},
	{"ttl-after-finished", newTTLAfterFinished},
	{"disruption", newDisruption},

	// Services.
	{"endpoints", newEndpoints},
	{"endpointslice", newEndpointSlice},
	{"endpointslice-mirroring", newEndpointSliceMirroring},

	// Those that remove a finalizer which kube-apiserver gives to every such object.
	{"persistentvolumeclaim-protection", newPersistentVolumeClaimProtection},
	{"persistentvolume-protection", newPersistentVolumeProtection},
	{"volumeattributesclass-protection", newVolumeAttributesClassProtection},
	{"podgroup-protection", newPodGroupProtection},

	// Access.
	{"clusterrole-aggregation", newClusterRoleAggregation},
	{"certificatesigningrequest-approving", newCertificateApproving},
	{"kubelet-serving-signing", signing(signer.NewKubeletServingCSRSigningController)},
	{"kubelet-client-signing", signing(signer.NewKubeletClientCSRSigningController)},
	{"kube-apiserver-client-signing", signing(signer.NewKubeAPIServerClientCSRSigningController)},
	{"legacy-unknown-signing", signing(signer.NewLegacyUnknownCSRSigningController)},
}

// controller is the form that most of Kubernetes' controllers have.
type controller interface {
	// Run returns soon after the context is done.
	Run(ctx context.Context, workers int)
}

// controllerFunc is a controller that is a function.
type controllerFunc func(ctx context.Context, workers int)

func (run controllerFunc) Run(ctx context.Context, workers int) { run(ctx, workers) }

func newNamespace(ctx context.Context, m *controllerManager) (controller, error) {
	const recheck = 5 * time.Minute
	return namespace.NewNamespaceController(
		ctx, m.client, m.metadata, m.client.Discovery().ServerPreferredNamespacedResources,
		m.informers.Core().V1().Namespaces(), recheck, corev1.FinalizerKubernetes,
	), nil
}

func newServiceAccount(ctx context.Context, m *controllerManager) (controller, error) {
	core := m.informers.Core().V1()
	return serviceaccount.NewServiceAccountsController(
		klog.FromContext(ctx), core.ServiceAccounts(), core.Namespaces(), m.client,
		serviceaccount.DefaultServiceAccountsControllerOptions(),
	)
}

// newServiceAccountToken makes the controller of Secrets of type kubernetes.io/service-account-token.
func newServiceAccountToken(ctx context.Context, m *controllerManager) (controller, error) {
	key, err := keyutil.PrivateKeyFromFile(m.options.serviceAccountKey)
	if err != nil {
		return nil, fmt.Errorf("read --service-account-private-key-file: %w", err)
	}
	rootCA, err := m.rootCA()
	if err != nil {
		return nil, err
	}
	generator, err := serviceaccounttoken.JWTTokenGenerator(serviceaccounttoken.LegacyIssuer, key)
	if err != nil {
		return nil, err
	}
	core := m.informers.Core().V1()
	return serviceaccount.NewTokensController(
		klog.FromContext(ctx), core.ServiceAccounts(), core.Secrets(), m.client,
		serviceaccount.TokensControllerOptions{TokenGenerator: generator, RootCA: rootCA},
	)
}

// newRootCACertificatePublisher makes the controller of the ConfigMaps kube-root-ca.crt.
func newRootCACertificatePublisher(_ context.Context, m *controllerManager) (controller, error) {
	rootCA, err := m.rootCA()
	if err != nil {
		return nil, err
	}
	core := m.informers.Core().V1()
	return rootcacertpublisher.NewPublisher(core.ConfigMaps(), core.Namespaces(), m.client, rootCA)
}

func (m *controllerManager) rootCA() ([]byte, error) {
	text, err := os.ReadFile(m.options.rootCA)
	if err != nil {
		return nil, fmt.Errorf("read --root-ca-file: %w", err)
	}
	return text, nil
}

func newResourceQuota(ctx context.Context, m *controllerManager) (controller, error) {
	const recount = 5 * time.Minute
	lister := generic.ListerFuncForResourceFunc(m.informers.ForResource)
	configuration, err := quotainstall.NewQuotaConfigurationForControllers(lister, m.informers)
	if err != nil {
		return nil, err
	}
	discover := m.client.Discovery().ServerPreferredNamespacedResources
	quotas, err := resourcequota.NewController(ctx, &resourcequota.ControllerOptions{
		QuotaClient:               m.client.CoreV1(),
		ResourceQuotaInformer:     m.informers.Core().V1().ResourceQuotas(),
		ResyncPeriod:              pkgcontroller.StaticResyncPeriodFunc(recount),
		InformerFactory:           m.anyInformers,
		ReplenishmentResyncPeriod: pkgcontroller.StaticResyncPeriodFunc(resyncPeriod),
		DiscoveryFunc:             discover,
		IgnoredResourcesFunc:      configuration.IgnoredResources,
		InformersStarted:          m.informersStarted,
		Registry:                  generic.NewRegistry(configuration.Evaluators()),
		UpdateFilter:              quotainstall.DefaultUpdateFilter(),
	})
	return controllerFunc(func(ctx context.Context, workers int) {
		go quotas.Sync(ctx, discover, discoveryPeriod)
		quotas.Run(ctx, workers)
	}), err
}

func newGarbageCollector(ctx context.Context, m *controllerManager) (controller, error) {
	graph := garbagecollector.NewDependencyGraphBuilder(
		ctx, m.metadata, m.mapper, garbagecollector.DefaultIgnoredResources(), m.anyInformers, m.informersStarted,
	)
	collector, err := garbagecollector.NewComposedGarbageCollector(ctx, m.client, m.metadata, m.mapper, graph)
	return controllerFunc(func(ctx context.Context, workers int) {
		go collector.Sync(ctx, m.client.Discovery(), discoveryPeriod)
		collector.Run(ctx, workers, discoveryPeriod)
	}), err
}

func newDeployment(ctx context.Context, m *controllerManager) (controller, error) {
	apps := m.informers.Apps().V1()
	return deployment.NewDeploymentController(
		ctx, apps.Deployments(), apps.ReplicaSets(), m.informers.Core().V1().Pods(), m.client,
	)
}

func newReplicaSet(ctx context.Context, m *controllerManager) (controller, error) {
	return replicaset.NewReplicaSetController(
		ctx, m.informers.Apps().V1().ReplicaSets(), m.informers.Core().V1().Pods(), m.client,
		replicaset.BurstReplicas,
	), nil
}

func newReplicationController(ctx context.Context, m *controllerManager) (controller, error) {
	core := m.informers.Core().V1()
	return replication.NewReplicationManager(
		ctx, core.Pods(), core.ReplicationControllers(), m.client, replication.BurstReplicas,
	), nil
}

func newStatefulSet(ctx context.Context, m *controllerManager) (controller, error) {
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	return statefulset.NewStatefulSetController(
		ctx, core.Pods(), apps.StatefulSets(), core.PersistentVolumeClaims(), apps.ControllerRevisions(), m.client,
	), nil
}

func newDaemonSet(ctx context.Context, m *controllerManager) (controller, error) {
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	return daemon.NewDaemonSetsController(
		ctx, apps.DaemonSets(), apps.ControllerRevisions(), core.Pods(), core.Nodes(), m.client,
		flowcontrol.NewBackOff(time.Second, 15*time.Minute),
	)
}

func newJob(ctx context.Context, m *controllerManager) (controller, error) {
	var workloads schedulinginformers.WorkloadInformer
	var podGroups schedulinginformers.PodGroupInformer
	if utilfeature.DefaultFeatureGate.Enabled(features.WorkloadWithJob) {
		scheduling := m.informers.Scheduling().V1beta1()
		workloads, podGroups = scheduling.Workloads(), scheduling.PodGroups()
	}
	return job.NewController(
		ctx, m.client, m.informers.Core().V1().Pods(), m.informers.Batch().V1().Jobs(), workloads, podGroups,
	)
}

func newCronJob(ctx context.Context, m *controllerManager) (controller, error) {
	batch := m.informers.Batch().V1()
	return cronjob.NewControllerV2(ctx, batch.Jobs(), batch.CronJobs(), m.client)
}

func newTTLAfterFinished(ctx context.Context, m *controllerManager) (controller, error) {
	return ttlafterfinished.New(ctx, m.informers.Batch().V1().Jobs(), m.client), nil
}

func newDisruption(ctx context.Context, m *controllerManager) (controller, error) {
	discovery := m.client.Discovery()
	scales, err := scale.NewForConfig(
		m.config, m.mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(discovery),
	)
	if err != nil {
		return nil, err
	}
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	return disruption.NewDisruptionController(
		ctx, core.Pods(), m.informers.Policy().V1().PodDisruptionBudgets(), core.ReplicationControllers(),
		apps.ReplicaSets(), apps.Deployments(), apps.StatefulSets(), m.client, m.mapper, scales, discovery,
	), nil
}

// noBatching makes the controllers of Services act on every change at once.
const noBatching = 0

func newEndpoints(ctx context.Context, m *controllerManager) (controller, error) {
	core := m.informers.Core().V1()
	return endpoint.NewEndpointController(
		ctx, core.Pods(), core.Services(), core.Endpoints(), m.client, noBatching,
	), nil
}

func newEndpointSlice(ctx context.Context, m *controllerManager) (controller, error) {
	const perSlice = 100
	core := m.informers.Core().V1()
	return endpointslice.NewController(
		ctx, core.Pods(), core.Services(), core.Nodes(), m.informers.Discovery().V1().EndpointSlices(),
		perSlice, m.client, noBatching,
	), nil
}

// newEndpointSliceMirroring makes the controller of slices for Endpoints that a user wrote.
func newEndpointSliceMirroring(ctx context.Context, m *controllerManager) (controller, error) {
	const perSubset = 1000
	core := m.informers.Core().V1()
	return endpointslicemirroring.NewController(
		ctx, core.Endpoints(), m.informers.Discovery().V1().EndpointSlices(), core.Services(),
		perSubset, m.client, noBatching,
	), nil
}

func newPersistentVolumeClaimProtection(ctx context.Context, m *controllerManager) (controller, error) {
	core := m.informers.Core().V1()
	return pvcprotection.NewPVCProtectionController(
		klog.FromContext(ctx), core.PersistentVolumeClaims(), core.Pods(), m.client,
	)
}

func newPersistentVolumeProtection(ctx context.Context, m *controllerManager) (controller, error) {
	return pvprotection.NewPVProtectionController(
		klog.FromContext(ctx), m.informers.Core().V1().PersistentVolumes(), m.client,
	)
}

func newVolumeAttributesClassProtection(ctx context.Context, m *controllerManager) (controller, error) {
	core := m.informers.Core().V1()
	return vacprotection.NewVACProtectionController(
		klog.FromContext(ctx), m.client, core.PersistentVolumeClaims(), core.PersistentVolumes(),
		m.informers.Storage().V1().VolumeAttributesClasses(),
	)
}

func newPodGroupProtection(ctx context.Context, m *controllerManager) (controller, error) {
	if !utilfeature.DefaultFeatureGate.Enabled(features.GenericWorkload) {
		return nil, nil
	}
	return podgroupprotection.NewPodGroupProtectionController(
		klog.FromContext(ctx), m.informers.Scheduling().V1beta1().PodGroups(), m.informers.Core().V1().Pods(), m.client,
	)
}

func newClusterRoleAggregation(_ context.Context, m *controllerManager) (controller, error) {
	return clusterroleaggregation.NewClusterRoleAggregation(
		m.informers.Rbac().V1().ClusterRoles(), m.client.RbacV1(),
	), nil
}

func newCertificateApproving(ctx context.Context, m *controllerManager) (controller, error) {
	return approver.NewCSRApprovingController(ctx, m.client, m.certificateSigningRequests()), nil
}

// signing makes a controller that signs what one of the built-in signers is asked to.
func signing(newSigner func(
	ctx context.Context, client kubernetes.Interface, requests certificatesinformers.CertificateSigningRequestInformer,
	cert, key string, lifetime time.Duration,
) (*signer.CSRSigningController, error)) func(context.Context, *controllerManager) (controller, error) {
	const lifetime = 365 * 24 * time.Hour
	return func(ctx context.Context, m *controllerManager) (controller, error) {
		return newSigner(
			ctx, m.client, m.certificateSigningRequests(), m.options.signingCert, m.options.signingKey, lifetime,
		)
	}
}

func (m *controllerManager) certificateSigningRequests() certificatesinformers.CertificateSigningRequestInformer {
	return m.informers.Certificates().V1().CertificateSigningRequests()
}
