package node

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// nodeNetwork is where the nodes seem to be. kube-apiserver proxies to no loopback address, so it must not see theirs.
const nodeNetwork = "198.51.100."

// podNetwork is where pods seem to be. Both are networks that no machine has.
const podNetwork = "198.18."

func (n *node) ip() string { return nodeNetwork + strconv.Itoa(n.number+1) }

// egress is kube-apiserver's way to nodes and pods, by CONNECT: it knows where they really are. What is neither is
// reached as it would be without this.
func (m *machine) egress(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodConnect {
		http.Error(w, "only CONNECT is served here", http.StatusMethodNotAllowed)
		return
	}
	host, port, n, err := m.locate(req.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if n != nil && n.link.isRefusing() {
		http.Error(w, "connection refused by a fault that a test asked for", http.StatusBadGateway)
		return
	}
	there, err := dial(req.Context(), host, port)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		there.Close()
		return
	}
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		here.Close()
		there.Close()
		return
	}
	link := &m.elsewhere
	if n != nil {
		link = &n.link
	}
	link.join(&buffer{here, buffered.Reader}, there)
}

// locate returns where an address of the cluster really is, and whose it is.
func (m *machine) locate(address string) (host, port string, owner *node, err error) {
	host, port, err = net.SplitHostPort(address)
	if number, ok := strings.CutPrefix(host, nodeNetwork); ok {
		for _, n := range m.nodes {
			if number == strconv.Itoa(n.number+1) {
				return "127.0.0.1", port, n, err
			}
		}
	}
	if rest, ok := strings.CutPrefix(host, podNetwork); ok {
		high, _, _ := strings.Cut(rest, ".")
		if number, e := strconv.Atoi(high); e == nil && number>>7 < len(m.nodes) {
			return m.podAddress(rest), port, m.nodes[number>>7], err
		}
	}
	return host, port, nil, err
}

// aside is how far above a port of the privileged ones a pod may listen instead: the nodes' user may not be root.
const (
	aside      = 10000
	privileged = 1024
)

// dial connects to a port, or to the one that a pod listens on instead.
func dial(ctx context.Context, host, port string) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: 30 * time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if number, e := strconv.Atoi(port); err != nil && e == nil && number < privileged && strings.HasPrefix(host, "127.") {
		other, e := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(number+aside)))
		if e == nil {
			connection, err = other, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return connection.(*net.TCPConn), nil
}

// link is the way between kube-apiserver and a node, with faults on demand.
type link struct {
	mu    sync.Mutex
	joins map[*join]struct{}
	// stalled is closed when bytes may pass again; nil if they may.
	stalled  chan struct{}
	refusing bool
	// rate is how many bytes may pass in a second, in each direction of each connection; 0 is no limit.
	rate int
}

// join is a connection through the link.
type join struct{ here, there net.Conn }

func (j *join) close() {
	j.here.Close()
	j.there.Close()
}

// join connects both until both directions have ended, or one fails.
func (l *link) join(here, there net.Conn) {
	it := &join{here, there}
	l.mu.Lock()
	if l.joins == nil {
		l.joins = map[*join]struct{}{}
	}
	l.joins[it] = struct{}{}
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { l.copy(it, there, here) })
	both.Go(func() { l.copy(it, here, there) })
	both.Wait()
	it.close()
	l.mu.Lock()
	delete(l.joins, it)
	l.mu.Unlock()
}

func (l *link) copy(it *join, to, from net.Conn) {
	bytes := make([]byte, 32<<10)
	for {
		read, err := from.Read(bytes)
		l.pass(read)
		if read > 0 {
			if _, err := to.Write(bytes[:read]); err != nil {
				it.close()
				return
			}
		}
		if err == io.EOF {
			if half, ok := to.(interface{ CloseWrite() error }); ok {
				half.CloseWrite()
			}
			return
		}
		if err != nil {
			it.close()
			return
		}
	}
}

// pass waits until so many bytes may pass.
func (l *link) pass(bytes int) {
	l.mu.Lock()
	stalled, rate := l.stalled, l.rate
	l.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	if rate > 0 {
		time.Sleep(time.Duration(bytes) * time.Second / time.Duration(rate))
	}
}

func (l *link) isRefusing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refusing
}

func (l *link) set(change func(*link)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

func (l *link) stall() {
	l.set(func(l *link) {
		if l.stalled == nil {
			l.stalled = make(chan struct{})
		}
	})
}

func (l *link) goOn() {
	l.set(func(l *link) {
		if l.stalled != nil {
			close(l.stalled)
			l.stalled = nil
		}
	})
}

// cut ends all connections.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for it := range l.joins {
		it.close()
	}
}

// buffer is a connection of which something was read already.
type buffer struct {
	net.Conn
	reader *bufio.Reader
}

func (b *buffer) Read(bytes []byte) (int, error) { return b.reader.Read(bytes) }

// CloseWrite is what passes on the end of one direction.
func (b *buffer) CloseWrite() error {
	if half, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return b.Close()
}
