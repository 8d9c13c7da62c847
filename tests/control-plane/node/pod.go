package node

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// pod is a pod of the node, from the moment it is seen until it is gone from the API.
type pod struct {
	node            *node
	namespace, name string
	uid             types.UID
	// ip is the address that the API tells, address the one that its processes listen on.
	ip, address string
	folder      string
	started     time.Time

	// ending is closed when the containers are to end, completed when the sidecars are, and finished when no process is
	// left.
	ending, completed, finished chan struct{}
	// changed has an item when the status has changed.
	changed chan struct{}
	// work is done when no container runs and none will.
	work   sync.WaitGroup
	policy corev1.RestartPolicy

	mu         sync.Mutex
	object     *corev1.Pod
	containers []*container
	grace      time.Duration
	stopped    bool
	// known are the conditions that were told last.
	known map[corev1.PodConditionType]corev1.PodCondition
}

// update takes a pod that is new, has changed or is being deleted.
func (n *node) update(object *corev1.Pod) {
	n.mu.Lock()
	p, known := n.pods[object.UID]
	if !known {
		p = n.newPod(object)
		n.pods[object.UID] = p
	}
	n.mu.Unlock()
	p.update(object)
	if !known {
		go p.run()
	}
}

// remove takes a pod that the API has no more.
func (n *node) remove(object *corev1.Pod) {
	n.mu.Lock()
	p, known := n.pods[object.UID]
	n.mu.Unlock()
	if !known {
		return
	}
	p.end(0)
	go func() {
		<-p.finished
		n.mu.Lock()
		delete(n.pods, p.uid)
		n.mu.Unlock()
		os.RemoveAll(p.folder)
		os.RemoveAll(n.logFolder(p, ""))
	}()
}

func (n *node) newPod(object *corev1.Pod) *pod {
	n.next++
	low := n.next%254 + 1
	high := n.number<<7 | n.next/254%128
	p := &pod{
		node: n, namespace: object.Namespace, name: object.Name, uid: object.UID,
		ip:        fmt.Sprintf(podNetwork+"%d.%d", high, low),
		address:   n.podAddress(fmt.Sprintf("%d.%d", high, low)),
		folder:    filepath.Join(n.folder, "pods", string(object.UID)),
		started:   time.Now(),
		ending:    make(chan struct{}),
		completed: make(chan struct{}),
		finished:  make(chan struct{}),
		changed:   make(chan struct{}, 1),
		policy:    object.Spec.RestartPolicy,
		known:     map[corev1.PodConditionType]corev1.PodCondition{},
	}
	if seconds := object.Spec.TerminationGracePeriodSeconds; seconds != nil {
		p.grace = time.Duration(*seconds) * time.Second
	}
	for i := range object.Spec.InitContainers {
		p.add(initial, &object.Spec.InitContainers[i])
	}
	for i := range object.Spec.Containers {
		p.add(regular, &object.Spec.Containers[i])
	}
	return p
}

// update takes over what may change of a pod: containers to debug it, and its end.
func (p *pod) update(object *corev1.Pod) {
	p.mu.Lock()
	p.object = object
	for i := range object.Spec.EphemeralContainers {
		it := corev1.Container(object.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		if p.container(it.Name) == nil && !p.stopped {
			c := p.add(ephemeral, &it)
			p.work.Go(func() { c.live(never) })
		}
	}
	p.mu.Unlock()
	if object.DeletionTimestamp != nil {
		grace := int64(corev1.DefaultTerminationGracePeriodSeconds)
		if object.DeletionGracePeriodSeconds != nil {
			grace = *object.DeletionGracePeriodSeconds
		}
		p.end(time.Duration(grace) * time.Second)
	}
}

// end has the containers end. A later, shorter grace period has no effect but that of none, which is for those that are
// gone from the API.
func (p *pod) end(grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped && grace > 0 {
		return
	}
	p.grace = grace
	if p.stopped {
		for _, c := range p.containers {
			c.kill()
		}
		return
	}
	p.stopped = true
	close(p.ending)
}

// run starts the containers in their order, waits for the pod's end, and confirms it.
func (p *pod) run() {
	defer close(p.finished)
	changed := p.changed
	var reporting sync.WaitGroup
	reporting.Go(func() {
		for range changed {
			p.report()
		}
	})
	changed <- struct{}{}
	if err := os.MkdirAll(p.folder, 0o755); err != nil {
		log.Printf("pod %s/%s: %v", p.namespace, p.name, err)
	}
	var main sync.WaitGroup
	if p.initialize() {
		for _, c := range p.all(regular) {
			main.Go(func() { c.live(p.policy) })
		}
	}
	main.Wait()
	close(p.completed)
	<-p.ending
	p.work.Wait()
	p.mu.Lock()
	p.changed = nil // Nobody touches it any more.
	p.mu.Unlock()
	close(changed)
	reporting.Wait()
	p.report()
	p.confirm()
}

// initialize runs the init containers, and returns whether the others may start.
func (p *pod) initialize() bool {
	policy := p.policy
	if policy == corev1.RestartPolicyAlways {
		policy = corev1.RestartPolicyOnFailure
	}
	for _, c := range p.all(initial) {
		if c.sidecar {
			p.work.Go(func() { c.live(corev1.RestartPolicyAlways) })
		} else if code := c.live(policy); code != 0 || isClosed(p.ending) {
			return false
		}
	}
	return !isClosed(p.ending)
}

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// confirm deletes the object, which the API keeps until its node says that nothing runs any more.
func (p *pod) confirm() {
	p.mu.Lock()
	deleted := p.object.DeletionTimestamp != nil
	p.mu.Unlock()
	if !deleted {
		return
	}
	now := int64(0)
	p.retry(func(ctx context.Context) error {
		return p.node.client.CoreV1().Pods(p.namespace).Delete(ctx, p.name, metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &p.uid},
		})
	})
}

// touch has the status written soon. The pod is locked.
func (p *pod) touch() {
	select {
	case p.changed <- struct{}{}:
	default: // It will be anyway, or the pod has finished.
	}
}

// report writes the status.
func (p *pod) report() {
	p.mu.Lock()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.uid}, "status": p.status()})
	p.mu.Unlock()
	if err != nil {
		log.Printf("status of pod %s/%s: %v", p.namespace, p.name, err)
		return
	}
	p.retry(func(ctx context.Context) error {
		_, err := p.node.client.CoreV1().Pods(p.namespace).Patch(
			ctx, p.name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status",
		)
		return err
	})
}

// retry asks again while the API server is away. A pod that is gone is none of its errors.
func (p *pod) retry(ask func(ctx context.Context) error) {
	const patience = 2 * time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return
		}
		if ctx.Err() != nil {
			log.Printf("pod %s/%s: %v", p.namespace, p.name, err)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (p *pod) add(kind kind, it *corev1.Container) *container {
	c := newContainer(p, kind, it)
	p.containers = append(p.containers, c)
	return c
}

// container returns the one of this name. The pod is locked.
func (p *pod) container(name string) *container {
	for _, c := range p.containers {
		if c.spec.Name == name {
			return c
		}
	}
	return nil
}

func (p *pod) annotated(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.object.Annotations[name]
	return ok
}

func (p *pod) lookUp(name string) *container {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.container(name)
}

func (p *pod) all(kind kind) (all []*container) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.containers {
		if c.kind == kind {
			all = append(all, c)
		}
	}
	return all
}

// podAddress is where the processes of a pod listen, by the last two numbers of its IP.
func (m *machine) podAddress(rest string) string {
	if m.network == 0 {
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.%d.%s", m.network, rest)
}

// reserveNetwork chooses addresses for the pods that no other control plane on this machine uses, and returns what
// keeps them.
func (m *machine) reserveNetwork() (net.Listener, error) {
	// Any port will do that all copies of this program use.
	const first, last, port = 16, 240, 47126
	var err error
	for i := range last - first {
		network := first + (os.Getpid()+i)%(last-first)
		var listener net.Listener
		listener, err = net.Listen("tcp", fmt.Sprintf("127.%d.255.254:%d", network, port))
		if err == nil {
			m.network = network
			return listener, nil
		}
	}
	if runtime.GOOS != "linux" {
		return nil, nil // Other systems have one loopback address, which all pods share.
	}
	return nil, fmt.Errorf("no addresses for pods: %w", err)
}
