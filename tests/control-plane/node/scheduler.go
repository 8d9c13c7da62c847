package node

import (
	"context"
	"log"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// schedule gives the nodes the pods of a namespace that no node has, from now on, in turn. A real scheduler would take
// as long to build as all controllers together, and decide nothing that a test looks at.
func (m *machine) schedule(namespace string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.scheduled[namespace] {
		return nil
	}
	m.scheduled[namespace] = true
	const again = time.Minute // After an error.
	factory := informers.NewSharedInformerFactoryWithOptions(
		m.client, again, informers.WithNamespace(namespace), informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", "").String()
		}),
	)
	turn := 0
	bind := func(object any) {
		pod := object.(*corev1.Pod)
		if pod.DeletionTimestamp != nil || len(pod.Spec.SchedulingGates) > 0 {
			return
		}
		turn++
		binding := &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: namespace, UID: pod.UID},
			Target:     corev1.ObjectReference{Kind: "Node", Name: m.nodes[turn%len(m.nodes)].name},
		}
		err := m.client.CoreV1().Pods(namespace).Bind(context.Background(), binding, metav1.CreateOptions{})
		if err != nil {
			log.Printf("bind pod %s/%s: %v", namespace, pod.Name, err)
		}
	}
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: bind, UpdateFunc: func(_, object any) { bind(object) },
	})
	factory.Start(nil)
	return err
}
