package node

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// control is what tests ask for: faults, mostly. Each request is a POST whose query has the details; the answer is
// empty, or an error as text.
func (m *machine) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /counts", m.counts)
	mux.HandleFunc("POST /namespaces/{namespace}/schedule", func(w http.ResponseWriter, req *http.Request) {
		answer(w, m.schedule(req.PathValue("namespace")))
	})
	mux.HandleFunc("POST /nodes/{node}/{what}", m.controlNode)
	mux.HandleFunc("POST /containers/{namespace}/{pod}/{container}/{what}", m.controlContainer)
	return mux
}

// counts tells what is open, for tests that must not leave anything behind.
func (m *machine) counts(w http.ResponseWriter, _ *http.Request) {
	counts := map[string]int{"processes": m.reaper.running()}
	for _, n := range m.nodes {
		counts["connections of "+n.name] = n.link.open()
		counts["streams of "+n.name] = n.runtime.open()
	}
	json.NewEncoder(w).Encode(counts)
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
	query := req.URL.Query()
	var err error
	switch what := req.PathValue("what"); what {
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
		n.link.mu.Lock()
		if n.link.stalled == nil {
			n.link.stalled = make(chan struct{})
		}
		n.link.mu.Unlock()
	case "go-on":
		n.link.mu.Lock()
		if n.link.stalled != nil {
			close(n.link.stalled)
			n.link.stalled = nil
		}
		n.link.mu.Unlock()
	case "refuse-connections":
		n.link.mu.Lock()
		n.link.refusing, err = strconv.ParseBool(query.Get("on"))
		n.link.mu.Unlock()
	case "rate":
		n.link.mu.Lock()
		n.link.rate, err = strconv.Atoi(query.Get("bytes"))
		n.link.mu.Unlock()
	case "refuse-requests":
		n.refuse.mu.Lock()
		n.refuse.text = query.Get("text")
		n.refuse.status, err = strconv.Atoi(query.Get("status"))
		n.refuse.mu.Unlock()
	case "half-close":
		n.mu.Lock()
		n.halfClose, err = strconv.ParseBool(query.Get("on"))
		n.mu.Unlock()
	case "clock":
		var offset time.Duration
		offset, err = time.ParseDuration(query.Get("offset"))
		m.clock.offset.Store(int64(offset))
	default:
		err = fmt.Errorf("a node cannot do %q", what)
	}
	answer(w, err)
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
