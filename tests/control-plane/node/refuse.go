package node

import (
	"net/http"
	"sync"
)

// refusal is an answer that the kubelet gives to every request for a stream or a log.
type refusal struct {
	mu     sync.Mutex
	status int
	text   string
}

func (n *node) refused(w http.ResponseWriter) bool {
	n.refuse.mu.Lock()
	defer n.refuse.mu.Unlock()
	if n.refuse.status == 0 {
		return false
	}
	http.Error(w, n.refuse.text, n.refuse.status)
	return true
}
