package node

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// server is an HTTP server that can be killed, and started again with the same address.
type server struct {
	handler http.Handler
	tls     *tls.Config

	mu          sync.Mutex
	listener    net.Listener
	known       string
	connections map[*tracked]struct{}
}

func (s *server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	address := s.known
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.listener, s.known, s.connections = listener, listener.Addr().String(), map[*tracked]struct{}{}
	serving := net.Listener(&tracking{Listener: listener, server: s})
	if s.tls != nil {
		serving = tls.NewListener(serving, s.tls)
	}
	// Connections that are killed are nobody's error.
	go (&http.Server{Handler: s.handler, ErrorLog: log.New(io.Discard, "", 0), ConnState: s.note}).Serve(serving)
	return nil
}

// kill does to the connections what the end of the process would do to them, and listens no more.
func (s *server) kill() {
	s.mu.Lock()
	listener, connections := s.listener, s.connections
	s.listener, s.connections = nil, nil
	s.mu.Unlock()
	if listener != nil {
		listener.Close()
	}
	for connection := range connections {
		connection.Conn.Close()
	}
}

func (s *server) address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known
}

func (s *server) port() int {
	address, err := net.ResolveTCPAddr("tcp", s.address())
	if err != nil {
		return 0
	}
	return address.Port
}

// note notes upgrades.
func (s *server) note(connection net.Conn, state http.ConnState) {
	if outer, ok := connection.(*tls.Conn); ok {
		connection = outer.NetConn()
	}
	if it, ok := connection.(*tracked); ok && state == http.StateHijacked {
		s.mu.Lock()
		defer s.mu.Unlock()
		it.upgraded = true
	}
}

// upgrades counts the connections that an upgrade took over.
func (s *server) upgrades() (count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for it := range s.connections {
		if it.upgraded {
			count++
		}
	}
	return count
}

// tracking tells the server of its connections, those that upgrades took over too.
type tracking struct {
	net.Listener
	server *server
}

func (t *tracking) Accept() (net.Conn, error) {
	connection, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	it := &tracked{Conn: connection, server: t.server}
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	if t.server.listener != t.Listener {
		connection.Close() // It was killed in between.
		return nil, net.ErrClosed
	}
	t.server.connections[it] = struct{}{}
	return it, nil
}

type tracked struct {
	net.Conn
	server   *server
	upgraded bool
}

func (t *tracked) Close() error {
	t.server.mu.Lock()
	delete(t.server.connections, t)
	t.server.mu.Unlock()
	return t.Conn.Close()
}

// CloseWrite is what passes on the end of one direction.
func (t *tracked) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return t.Close()
}
