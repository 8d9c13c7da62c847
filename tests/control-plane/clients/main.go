// Clients does what programs of client-go do, on the server of a kubeconfig: discovery and the RESTMapper, shared
// informers, the dynamic client, server-side apply and leader election. It says what it saw, a line for each thing, and
// ends with an error if something never came. The tests of the fake API server compare what it says of both servers.
//
// It is a program of its own since the control plane needs none of this.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const limit = 30 * time.Second

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: clients KUBECONFIG NAMESPACE GROUP")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		os.Exit(1)
	}
}

func run(kubeconfig, namespace, group string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	ctx, cancel := context.WithTimeout(context.Background(), 4*limit)
	defer cancel()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	defer undefine(config, group)
	for _, step := range []struct {
		name string
		run  func(context.Context, *rest.Config, *kubernetes.Clientset, string, string) error
	}{
		{"definition", define},
		{"discovery", discover},
		{"typed", typed},
		{"informers", inform},
		{"apply", apply},
		{"dynamic", dynamically},
		{"election", elect},
	} {
		if err := step.run(ctx, config, client, namespace, group); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func say(format string, arguments ...any) {
	fmt.Printf(format+"\n", arguments...)
}

// until waits for something that comes.
func until(ctx context.Context, what string, is func() bool) error {
	end := time.Now().Add(limit)
	for !is() {
		if time.Now().After(end) || ctx.Err() != nil {
			return fmt.Errorf("it never came that %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

var definitions = schema.GroupVersionResource{
	Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
}

// undefine takes away what define has created.
func undefine(config *rest.Config, group string) {
	if client, err := dynamic.NewForConfig(config); err == nil {
		// Whoever uses the server next is told nothing of what could not be cleaned up.
		_ = client.Resource(definitions).Delete(context.Background(), "widgets."+group, metav1.DeleteOptions{})
	}
}

// define creates the kind that the other steps use, as any client of custom resources does.
func define(ctx context.Context, config *rest.Config, _ *kubernetes.Clientset, _, group string) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	definitions := client.Resource(definitions)
	text := map[string]any{"type": "string"}
	definition := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "widgets." + group},
		"spec": map[string]any{
			"group": group, "scope": "Namespaced",
			"names": map[string]any{"plural": "widgets", "kind": "Widget", "shortNames": []any{"wd"}},
			"versions": []any{map[string]any{
				"name": "v1", "served": true, "storage": true,
				"subresources": map[string]any{"status": map[string]any{}},
				"schema": map[string]any{"openAPIV3Schema": map[string]any{
					"type": "object",
					"properties": map[string]any{
						"spec": map[string]any{
							"type": "object", "properties": map[string]any{"color": text},
						},
						"status": map[string]any{
							"type": "object", "properties": map[string]any{"phase": text},
						},
					},
				}},
			}},
		},
	}}
	if _, err := definitions.Create(ctx, definition, metav1.CreateOptions{}); err != nil {
		return err
	}
	widgets := client.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "widgets"})
	return until(ctx, "the widgets are served", func() bool {
		_, err := widgets.List(ctx, metav1.ListOptions{})
		return err == nil
	})
}

func discover(ctx context.Context, config *rest.Config, client *kubernetes.Clientset, _, group string) error {
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	say("version %s.%s", version.Major, version.Minor)
	for _, legacy := range []bool{false, true} {
		discoverer := discovery.NewDiscoveryClientForConfigOrDie(config)
		discoverer.UseLegacyDiscovery = legacy
		lists, err := discoverer.ServerPreferredResources()
		if err != nil {
			return err
		}
		var names []string
		for _, list := range lists {
			if strings.Contains(list.GroupVersion, "example.com") {
				continue
			}
			for _, resource := range list.APIResources {
				names = append(names, fmt.Sprintf("%s %s %s", list.GroupVersion, resource.Name, resource.Verbs))
			}
		}
		sort.Strings(names)
		say("preferred, legacy %t: %s", legacy, strings.Join(names, "; "))
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	short := restmapper.NewShortcutExpander(mapper, client.Discovery(), nil)
	for _, partial := range []schema.GroupVersionResource{
		{Resource: "deploy"}, {Resource: "pods"}, {Group: "batch", Resource: "jobs"}, {Resource: "wd", Group: group},
		{Resource: "hpa"},
	} {
		kind, err := short.KindFor(partial)
		if err != nil {
			return err
		}
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return err
		}
		say("mapped %s: %s, %s, %s", partial.Resource, mapping.Resource, kind, mapping.Scope.Name())
	}
	if _, err := mapper.RESTMapping(schema.GroupKind{Group: group, Kind: "Gadget"}); !meta.IsNoMatchError(err) {
		return fmt.Errorf("a kind that is not there: %v", err)
	}
	return nil
}

// Seen counts what handlers were told, by kind of event and name.
type seen struct{ events chan string }

func (s seen) handler() cache.ResourceEventHandler {
	name := func(object any) string {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		return object.(metav1.Object).GetName()
	}
	return cache.ResourceEventHandlerDetailedFuncs{
		AddFunc:    func(object any, initial bool) { s.events <- fmt.Sprintf("added %s initial=%t", name(object), initial) },
		UpdateFunc: func(_, object any) { s.events <- "updated " + name(object) },
		DeleteFunc: func(object any) { s.events <- "deleted " + name(object) },
	}
}

// next says the next events in order.
func (s seen) next(ctx context.Context, who string, count int) error {
	for range count {
		select {
		case event := <-s.events:
			say("%s: %s", who, event)
		case <-time.After(limit):
			return fmt.Errorf("%s was told too little", who)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func inform(ctx context.Context, config *rest.Config, client *kubernetes.Clientset, namespace, group string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	maps := client.CoreV1().ConfigMaps(namespace)
	labeled := func(name, value string) *corev1.ConfigMap {
		return &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"seen": value}},
			Data:       map[string]string{"k": "1"},
		}
	}
	if _, err := maps.Create(ctx, labeled("before", "yes"), metav1.CreateOptions{}); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = "seen=yes" }))
	informer := factory.Core().V1().ConfigMaps()
	told := seen{make(chan string, 100)}
	if _, err := informer.Informer().AddEventHandler(told.handler()); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		say("synced %s: %t", kind, synced)
	}
	if err := told.next(ctx, "informer", 1); err != nil {
		return err
	}
	created, err := maps.Create(ctx, labeled("a", "yes"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if _, err := maps.Create(ctx, labeled("hidden", "no"), metav1.CreateOptions{}); err != nil {
		return err
	}
	stale := created.DeepCopy()
	created.Data["k"] = "2"
	if _, err := maps.Update(ctx, created, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if _, err := maps.Update(ctx, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("a stale update: %v", err)
	}
	// Out of the selection and into it again.
	for _, value := range []string{"no", "yes"} {
		patch := fmt.Appendf(nil, `{"metadata":{"labels":{"seen":%q}}}`, value)
		if _, err := maps.Patch(ctx, "a", types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	if err := maps.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
		return err
	}
	if err := told.next(ctx, "informer", 5); err != nil {
		return err
	}
	_, err = informer.Lister().ConfigMaps(namespace).Get("hidden")
	say("lister: hidden is not found: %t", apierrors.IsNotFound(err))

	page, err := maps.List(ctx, metav1.ListOptions{Limit: 1, LabelSelector: "seen"})
	if err != nil {
		return err
	}
	rest, err := maps.List(ctx, metav1.ListOptions{Limit: 1, LabelSelector: "seen", Continue: page.Continue})
	if err != nil {
		return err
	}
	say("pages: %s, then %s", page.Items[0].Name, rest.Items[0].Name)

	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	widgets := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "widgets"}
	dynamicFactory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamicClient, 0, namespace, nil)
	ofWidgets := seen{make(chan string, 100)}
	if _, err := dynamicFactory.ForResource(widgets).Informer().AddEventHandler(ofWidgets.handler()); err != nil {
		return err
	}
	dynamicFactory.Start(ctx.Done())
	dynamicFactory.WaitForCacheSync(ctx.Done())
	widget := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1", "kind": "Widget", "metadata": map[string]any{"name": "seen"},
	}}
	resource := dynamicClient.Resource(widgets).Namespace(namespace)
	if _, err := resource.Create(ctx, widget, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := resource.Delete(ctx, "seen", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return ofWidgets.next(ctx, "dynamic informer", 2)
}

func apply(ctx context.Context, _ *rest.Config, client *kubernetes.Clientset, namespace, _ string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	wanted := func(color string) *applycorev1.ConfigMapApplyConfiguration {
		return applycorev1.ConfigMap("applied", namespace).WithData(map[string]string{"color": color})
	}
	if _, err := maps.Apply(ctx, wanted("blue"), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	_, err := maps.Apply(ctx, wanted("red"), metav1.ApplyOptions{FieldManager: "two"})
	say("apply: conflict %t: %v", apierrors.IsConflict(err), err)
	forced, err := maps.Apply(ctx, wanted("red"), metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil {
		return err
	}
	extracted, err := applycorev1.ExtractConfigMap(forced, "two")
	if err != nil {
		return err
	}
	say("apply: two has %v", extracted.Data)
	return nil
}

func dynamically(ctx context.Context, config *rest.Config, _ *kubernetes.Clientset, namespace, group string) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	widgets := client.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "widgets"}).
		Namespace(namespace)
	widget := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1", "kind": "Widget", "metadata": map[string]any{"name": "one"},
		"spec": map[string]any{"color": "blue", "unknown": "dropped"},
	}}
	created, err := widgets.Create(ctx, widget, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	say("dynamic: created %v, generation %d", created.Object["spec"], created.GetGeneration())
	watch, err := widgets.Watch(ctx, metav1.ListOptions{ResourceVersion: created.GetResourceVersion()})
	if err != nil {
		return err
	}
	defer watch.Stop()
	patch := []byte(`{"spec":{"color":"red"}}`)
	if _, err := widgets.Patch(ctx, "one", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return err
	}
	status := []byte(`{"status":{"phase":"Ready"},"spec":{"color":"ignored"}}`)
	patched, err := widgets.Patch(ctx, "one", types.MergePatchType, status, metav1.PatchOptions{}, "status")
	if err != nil {
		return err
	}
	say("dynamic: %v, %v, generation %d", patched.Object["spec"], patched.Object["status"], patched.GetGeneration())
	if err := widgets.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return err
	}
	for range 3 {
		select {
		case event := <-watch.ResultChan():
			object := event.Object.(*unstructured.Unstructured)
			say("dynamic: %s %v", event.Type, object.Object["spec"])
		case <-time.After(limit):
			return fmt.Errorf("the watch says too little")
		}
	}
	return nil
}

func elect(ctx context.Context, config *rest.Config, client *kubernetes.Clientset, namespace, _ string) error {
	leads := make(chan string, 10)
	start := func(identity string) (context.CancelFunc, chan struct{}, error) {
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, "election", client.CoreV1(),
			client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: identity})
		if err != nil {
			return nil, nil, err
		}
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
				Lock: lock, ReleaseOnCancel: true,
				LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 100 * time.Millisecond,
				Callbacks: leaderelection.LeaderCallbacks{
					OnStartedLeading: func(context.Context) { leads <- identity },
					OnStoppedLeading: func() {},
				},
			})
		}()
		return cancel, done, nil
	}
	next := func() (string, error) {
		select {
		case leader := <-leads:
			return leader, nil
		case <-time.After(limit):
			return "", fmt.Errorf("nobody leads")
		}
	}
	endOne, oneEnded, err := start("one")
	if err != nil {
		return err
	}
	leader, err := next()
	if err != nil {
		return err
	}
	say("election: %s leads", leader)
	endTwo, twoEnded, err := start("two")
	if err != nil {
		return err
	}
	endOne()
	<-oneEnded
	if leader, err = next(); err != nil {
		return err
	}
	lease, err := client.CoordinationV1().Leases(namespace).Get(ctx, "election", metav1.GetOptions{})
	if err != nil {
		return err
	}
	say("election: %s leads, transitions %d, the lease is of %s", leader, *lease.Spec.LeaseTransitions,
		*lease.Spec.HolderIdentity)
	endTwo()
	<-twoEnded
	return nil
}
