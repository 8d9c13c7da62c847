// Package node is two nodes of a cluster: a kubelet each, as far as kube-apiserver asks it, and pods that run as
// processes of this machine. Nothing here needs root, a container runtime or a network.
//
// What travels through it is real: Kubernetes' own streaming server of container runtimes, its reader of container
// logs and its translators of WebSockets. The two nodes differ in one thing. One declares that its kubelet takes
// WebSockets, so kube-apiserver hands them on; for the other kube-apiserver translates them to SPDY. Every client
// meets both kinds of nodes, and they fail in different ways.
//
// A pod's containers see the file system of the machine. They start in a folder of their pod's, and listen on an
// address of their pod's, which the variable POD_IP has.
package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/cri-streaming/pkg/streaming"
)

// taint keeps the pods of DaemonSets and the like away: the nodes are for those who ask for them.
const taint = "k8s-client.test/node"

// halfClose is the annotation of pods whose forwarded ports end each direction by itself.
const halfClose = "k8s-client.test/half-close"

// machine is what the nodes share.
type machine struct {
	client kubernetes.Interface
	folder string
	reaper *reaper
	clock  clock
	// network is the second number of the addresses of all pods, 127.N.x.y, and no other program's; 0 if they share
	// 127.0.0.1.
	network int
	nodes   []*node
	// elsewhere is the way to what is neither a node nor a pod.
	elsewhere link

	mu sync.Mutex
	// scheduled are the namespaces whose pods the nodes take.
	scheduled map[string]bool
}

// node is one of the two.
type node struct {
	*machine
	name   string
	number int
	// webSockets is whether the kubelet takes them.
	webSockets bool

	// kubelet is asked by kube-apiserver. runtime serves the streams of containers, and is asked by the kubelet.
	kubelet, runtime *server
	streams          streaming.Server
	link             link
	refusal          refusal

	mu   sync.Mutex
	pods map[types.UID]*pod
	next int
}

// Run runs the nodes until SIGINT or SIGTERM.
func Run(arguments []string) error {
	var kubeconfig, folder, ca, certificate, key, egressPath, controlPath string
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.StringVar(&kubeconfig, "kubeconfig", "", "how to reach kube-apiserver")
	flags.StringVar(&folder, "root-dir", "", "where the files of pods and their logs are")
	flags.StringVar(&ca, "client-ca-file", "", "what kube-apiserver's certificate is checked against")
	flags.StringVar(&certificate, "tls-cert-file", "", "the kubelets' certificate")
	flags.StringVar(&key, "tls-private-key-file", "", "and its key")
	flags.StringVar(&egressPath, "egress-socket", "", "kube-apiserver's way to nodes and pods; made here")
	flags.StringVar(&controlPath, "control-socket", "", "where faults are asked for; made here")
	flags.SetOutput(io.Discard)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	for _, name := range []string{
		"kubeconfig", "root-dir", "client-ca-file", "tls-cert-file", "tls-private-key-file",
		"egress-socket", "control-socket",
	} {
		if flags.Lookup(name).Value.String() == "" {
			return fmt.Errorf("needs the flag --%s", name)
		}
	}

	client, err := newClient(kubeconfig)
	if err != nil {
		return err
	}
	config, err := kubeletTLS(ca, certificate, key)
	if err != nil {
		return err
	}
	reaper, err := newReaper()
	if err != nil {
		return fmt.Errorf("start what ends the processes of pods: %w", err)
	}
	m := &machine{client: client, folder: folder, reaper: reaper, scheduled: map[string]bool{}}
	reserved, err := m.reserveNetwork()
	if err != nil {
		return err
	}
	if reserved != nil {
		defer reserved.Close()
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := listenAndServeUnix(egressPath, http.HandlerFunc(m.egress)); err != nil {
		return err
	}
	for number, it := range []struct {
		name       string
		webSockets bool
	}{{"spdy-node", false}, {"websocket-node", true}} {
		n := &node{
			machine: m, name: it.name, number: number, webSockets: it.webSockets,
			pods: map[types.UID]*pod{},
		}
		m.nodes = append(m.nodes, n)
		if err := n.start(ctx, config); err != nil {
			return fmt.Errorf("start %s: %w", n.name, err)
		}
	}
	// Last, because its answers say that all is ready.
	if err := listenAndServeUnix(controlPath, m.control()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil // The reaper ends what runs.
}

func newClient(kubeconfig string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read --kubeconfig %s: %w", kubeconfig, err)
	}
	config.QPS = -1 // No limit.
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	return kubernetes.NewForConfig(config)
}

func kubeletTLS(ca, certificate, key string) (*tls.Config, error) {
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("read --client-ca-file: %w", err)
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--client-ca-file %s has no certificate", ca)
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("read --tls-cert-file and its key: %w", err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientCAs:    clients,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}, nil
}

// start makes the node's servers, registers it and takes its pods from now on.
func (n *node) start(ctx context.Context, kubeletTLS *tls.Config) error {
	n.runtime = &server{handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		n.streams.ServeHTTP(w, req)
	})}
	if err := n.runtime.start(); err != nil {
		return err
	}
	config := streaming.DefaultConfig
	config.BaseURL = &url.URL{Scheme: "http", Host: n.runtime.address()}
	streams, err := streaming.NewServer(config, n)
	if err != nil {
		return err
	}
	n.streams = streams
	n.kubelet = &server{handler: n.handler(), tls: kubeletTLS}
	if err := n.kubelet.start(); err != nil {
		return err
	}
	if err := n.register(ctx); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(
		n.client, 0, informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", n.name).String()
		}),
	)
	_, err = factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { n.update(object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { n.update(object.(*corev1.Pod)) },
		DeleteFunc: func(object any) {
			if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = tombstone.Obj
			}
			n.remove(object.(*corev1.Pod))
		},
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return nil
}

// register makes the Node object, or takes over the one that is there.
func (n *node) register(ctx context.Context) error {
	nodes := n.client.CoreV1().Nodes()
	object := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:   n.name,
			Labels: map[string]string{corev1.LabelHostname: n.name, corev1.LabelOSStable: "linux"},
		},
		Spec: corev1.NodeSpec{Taints: []corev1.Taint{{Key: taint, Effect: corev1.TaintEffectNoSchedule}}},
	}
	_, err := nodes.Create(ctx, object, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	object, err = nodes.Get(ctx, n.name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	object.Status.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: n.ip()},
		{Type: corev1.NodeHostName, Address: n.name},
	}
	object.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(n.kubelet.port())
	now := metav1.Now()
	object.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
		LastHeartbeatTime: now, LastTransitionTime: now,
	}}
	if n.webSockets {
		object.Status.DeclaredFeatures = []string{"ExtendWebSocketsToKubelet"}
	}
	_, err = nodes.UpdateStatus(ctx, object, metav1.UpdateOptions{})
	return err
}

// find returns the pod of a namespace and name that came last.
func (n *node) find(namespace, name string) *pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found *pod
	for _, it := range n.pods {
		if it.namespace == namespace && it.name == name && (found == nil || found.started.Before(it.started)) {
			found = it
		}
	}
	return found
}

// listenAndServeUnix serves on a socket in the file system from now on.
func listenAndServeUnix(path string, handler http.Handler) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	go http.Serve(listener, handler)
	return nil
}

func (n *node) logFolder(p *pod, container string) string {
	return filepath.Join(n.folder, "logs", p.namespace+"_"+p.name+"_"+string(p.uid), container)
}
