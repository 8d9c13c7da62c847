package node

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// control is what tests ask for: faults, mostly. Each request is a POST whose query has the details; the answer is
// empty, or an error as text.
func (m *machine) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /open", m.open)
	mux.HandleFunc("POST /namespaces/{namespace}/schedule", func(w http.ResponseWriter, req *http.Request) {
		answer(w, m.schedule(req.PathValue("namespace")))
	})
	mux.HandleFunc("POST /nodes/{node}/{what}", m.controlNode)
	mux.HandleFunc("POST /containers/{namespace}/{pod}/{container}/{what}", m.controlContainer)
	return mux
}

// open tells what is open, for tests that must not leave anything behind: process groups, upgraded connections to
// kubelets, and streams between those and their runtimes.
func (m *machine) open(w http.ResponseWriter, _ *http.Request) {
	upgrades, streams := 0, 0
	for _, n := range m.nodes {
		upgrades += n.kubelet.upgrades()
		streams += n.runtime.upgrades()
	}
	fmt.Fprintln(w, m.reaper.running(), upgrades, streams)
}

func (m *machine) controlNode(w http.ResponseWriter, req *http.Request) {
	var n *node
	for _, it := range m.nodes {
		if it.name == req.PathValue("node") {
			n = it
		}
	}
	if n == nil {
		http.Error(w, "there is no such node", http.StatusNotFound)
		return
	}
	answer(w, n.fail(req.PathValue("what"), req.URL.Query()))
}

// fail makes the node fail in some way, or ends that.
func (n *node) fail(what string, query url.Values) (err error) {
	switch what {
	case "kill-kubelet":
		n.kubelet.kill()
	case "start-kubelet":
		err = n.kubelet.start()
	case "kill-runtime":
		n.runtime.kill()
	case "start-runtime":
		err = n.runtime.start()
	case "cut":
		n.link.cut()
	case "stall":
		n.link.stall()
	case "go-on":
		n.link.goOn()
	case "refuse-connections":
		var on bool
		on, err = strconv.ParseBool(query.Get("on"))
		n.link.set(func(l *link) { l.refusing = on })
	case "rate":
		var bytes int
		bytes, err = strconv.Atoi(query.Get("bytes"))
		n.link.set(func(l *link) { l.rate = bytes })
	case "refuse-requests":
		var status int
		status, err = strconv.Atoi(query.Get("status"))
		n.refusal.set(status, query.Get("text"))
	case "clock":
		var offset time.Duration
		offset, err = time.ParseDuration(query.Get("offset"))
		n.clock.offset.Store(int64(offset))
	case "heal":
		err = n.heal()
	default:
		err = fmt.Errorf("a node cannot do %q", what)
	}
	return err
}

// heal ends all that fail began.
func (n *node) heal() error {
	n.link.goOn()
	n.link.set(func(l *link) { l.refusing, l.rate = false, 0 })
	n.refusal.set(0, "")
	n.clock.offset.Store(0)
	return errors.Join(n.kubelet.start(), n.runtime.start())
}

func (m *machine) controlContainer(w http.ResponseWriter, req *http.Request) {
	var c *container
	for _, n := range m.nodes {
		if p := n.find(req.PathValue("namespace"), req.PathValue("pod")); p != nil {
			c = p.lookUp(req.PathValue("container"))
		}
	}
	if c == nil {
		http.Error(w, "there is no such container", http.StatusNotFound)
		return
	}
	it, err := c.current()
	if err == nil {
		switch what := req.PathValue("what"); what {
		case "rotate-log":
			err = it.log.rotate()
		case "lose-log":
			err = it.log.lose()
		case "signal":
			var number int
			if number, err = strconv.Atoi(req.URL.Query().Get("number")); err == nil {
				it.process.signal(syscall.Signal(number))
			}
		default:
			err = fmt.Errorf("a container cannot do %q", what)
		}
	}
	answer(w, err)
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

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
		m.client, again, informers.WithNamespace(namespace),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
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
