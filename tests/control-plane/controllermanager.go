package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/controller-manager/pkg/informerfactory"
)

const (
	// workers is how many objects each controller works on at a time.
	workers = 10

	// discoveryPeriod is how long it may take until the garbage collector and the quotas know of a
	// new CustomResourceDefinition; the real kube-controller-manager takes as long.
	discoveryPeriod = 30 * time.Second

	// resyncPeriod is how often informers repeat all they know, which nothing here relies on.
	resyncPeriod = 12 * time.Hour
)

// controllerManager is what the controllers share.
type controllerManager struct {
	options options

	config   *rest.Config
	client   kubernetes.Interface
	metadata metadata.Interface
	mapper   *restmapper.DeferredDiscoveryRESTMapper

	// informers tell of built-in resources, anyInformers of custom ones too, though only of their
	// objects' metadata.
	informers    informers.SharedInformerFactory
	anyInformers informerfactory.InformerFactory

	// informersStarted is closed once they are. After that a controller that comes to need another
	// one starts it itself.
	informersStarted chan struct{}
}

// runControllerManager runs all controllers until SIGINT or SIGTERM, then waits for what they are
// at; a second signal ends that too.
func runControllerManager(arguments []string) error {
	options, err := parseOptions(arguments)
	if err != nil {
		return err
	}
	manager, err := newControllerManager(options)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // From here on a signal has its usual effect again.
	return manager.run(ctx)
}

func newControllerManager(options options) (*controllerManager, error) {
	config, err := clientcmd.BuildConfigFromFlags("", options.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read --kubeconfig %s: %w", options.kubeconfig, err)
	}
	config.QPS = float32(options.qps)
	config.Burst = options.burst
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON

	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a metadata client: %w", err)
	}
	typed := informers.NewSharedInformerFactory(client, resyncPeriod)
	untyped := metadatainformer.NewSharedInformerFactory(metadataClient, resyncPeriod)
	return &controllerManager{
		options:          options,
		config:           config,
		client:           client,
		metadata:         metadataClient,
		mapper:           restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery())),
		informers:        typed,
		anyInformers:     informerfactory.NewInformerFactory(typed, untyped),
		informersStarted: make(chan struct{}),
	}, nil
}

func (m *controllerManager) run(ctx context.Context) error {
	go wait.Until(m.mapper.Reset, discoveryPeriod, ctx.Done())

	// All are made before any runs, because to make one is to ask for the informers it needs.
	var running []controller
	for _, it := range controllers {
		controller, err := it.make(ctx, m)
		if err != nil {
			return fmt.Errorf("make the %s controller: %w", it.name, err)
		}
		if controller != nil {
			running = append(running, controller)
		}
	}
	m.anyInformers.Start(ctx.Done())
	close(m.informersStarted)

	var group sync.WaitGroup
	for _, controller := range running {
		group.Go(func() { controller.Run(ctx, workers) })
	}
	<-ctx.Done()
	group.Wait()
	return nil
}

// options are the flags. The real kube-controller-manager has all of them, so that the test harness
// starts either in the same way.
type options struct {
	kubeconfig        string
	qps               float64
	burst             int
	rootCA            string
	serviceAccountKey string
	signingCert       string
	signingKey        string
}

func parseOptions(arguments []string) (options, error) {
	var it options
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.StringVar(&it.kubeconfig, "kubeconfig", "", "how to reach kube-apiserver")
	flags.Float64Var(&it.qps, "kube-api-qps", 20, "how many requests to send to it in a second")
	flags.IntVar(&it.burst, "kube-api-burst", 30, "how many to send at once")
	flags.StringVar(&it.rootCA, "root-ca-file", "", "what Pods are to trust it by")
	flags.StringVar(&it.serviceAccountKey, "service-account-private-key-file", "", "what signs tokens")
	flags.StringVar(&it.signingCert, "cluster-signing-cert-file", "", "what signs certificates")
	flags.StringVar(&it.signingKey, "cluster-signing-key-file", "", "and its key")
	flags.Func("feature-gates", "as kube-apiserver's", utilfeature.DefaultMutableFeatureGate.Set)

	// What this program does anyway, and the real one has to be told.
	for name, value := range map[string]string{"controllers": "*", "leader-elect": "false", "secure-port": "0"} {
		flags.Func(name, "always "+value, func(given string) error {
			if given != value {
				return fmt.Errorf("must be %s", value)
			}
			return nil
		})
	}

	flags.SetOutput(io.Discard) // An error tells more without all flags around it.
	if err := flags.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		os.Exit(0)
	} else if err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("takes flags only, not %q", flags.Args())
	}
	for _, name := range []string{
		"kubeconfig", "root-ca-file", "service-account-private-key-file",
		"cluster-signing-cert-file", "cluster-signing-key-file",
	} {
		if flags.Lookup(name).Value.String() == "" {
			return options{}, fmt.Errorf("needs the flag --%s", name)
		}
	}
	return it, nil
}
