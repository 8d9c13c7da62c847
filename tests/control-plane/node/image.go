package node

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sort"
	"strconv"
	"strings"
	"syscall"
)

// RunImage is what runs in a container without a command, whatever its image is, until SIGTERM: a web server, and with
// flags servers of plain TCP too.
func RunImage(arguments []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	web := flags.Int("port", 80, "where the web server listens")
	echo := flags.Int("echo", 0, "where all that comes is sent back, until its end")
	sink := flags.Int("sink", 0, "where all that comes is counted; its end is answered with the count and the SHA-256")
	source := flags.Int("source", 0, "where a line with a number is answered with as many bytes")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	for _, it := range []struct {
		port  int
		serve func(*net.TCPConn)
	}{{*echo, serveEcho}, {*sink, serveSink}, {*source, serveSource}} {
		if it.port == 0 {
			continue
		}
		listener, err := listen(it.port)
		if err != nil {
			return err
		}
		go accept(listener, it.serve)
	}
	listener, err := listen(*web)
	if err != nil {
		return err
	}
	fmt.Printf("%s listens on port %d\n", os.Getenv("HOSTNAME"), *web)
	go http.Serve(listener, http.HandlerFunc(serveWeb))
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
	return nil
}

// listen listens at the pod's address, aside if the user may not use the port.
func listen(port int) (net.Listener, error) {
	address := func(port int) string { return net.JoinHostPort(os.Getenv("POD_IP"), strconv.Itoa(port)) }
	listener, err := net.Listen("tcp", address(port))
	if errors.Is(err, os.ErrPermission) {
		listener, err = net.Listen("tcp", address(port+aside))
	}
	return listener, err
}

func accept(listener net.Listener, serve func(*net.TCPConn)) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			serve(connection.(*net.TCPConn))
		}()
	}
}

func serveEcho(connection *net.TCPConn) { io.Copy(connection, connection) }

func serveSink(connection *net.TCPConn) {
	sum := sha256.New()
	count, err := io.Copy(sum, connection)
	if err == nil {
		fmt.Fprintf(connection, "%d %x\n", count, sum.Sum(nil))
	}
}

func serveSource(connection *net.TCPConn) {
	line, err := bufio.NewReader(connection).ReadString('\n')
	count, bad := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err == nil && bad == nil {
		io.CopyN(connection, zeros{}, count)
	}
}

type zeros struct{}

func (zeros) Read(bytes []byte) (int, error) {
	clear(bytes)
	return len(bytes), nil
}

// serveWeb logs each request. It answers those for /headers with what it got, /status/N with that status, /redirect
// with a redirect to /there, an Upgrade to the protocol echo with that, others with the request's line and its body.
func serveWeb(w http.ResponseWriter, req *http.Request) {
	fmt.Printf("%s %s\n", req.Method, req.URL)
	if req.Header.Get("Upgrade") == "echo" {
		upgrade(w, req)
		return
	}
	if status, ok := strings.CutPrefix(req.URL.Path, "/status/"); ok {
		number, err := strconv.Atoi(status)
		if err != nil || number < 200 || number > 599 {
			number = http.StatusBadRequest
		}
		w.WriteHeader(number)
	}
	switch req.URL.Path {
	case "/redirect":
		http.Redirect(w, req, "/there", http.StatusFound)
	case "/headers":
		var lines []string
		for name, values := range req.Header {
			lines = append(lines, fmt.Sprintf("%s: %s\n", name, strings.Join(values, ", ")))
		}
		sort.Strings(lines)
		fmt.Fprintf(w, "Host: %s\n%s", req.Host, strings.Join(lines, ""))
	default:
		fmt.Fprintf(w, "%s: %s %s\n", os.Getenv("HOSTNAME"), req.Method, req.URL)
		io.Copy(w, req.Body)
	}
}

// upgrade sends the request's line, then all that comes back.
func upgrade(w http.ResponseWriter, req *http.Request) {
	connection, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
	fmt.Fprintf(connection, "%s%s %s\n", head, req.Method, req.URL)
	io.Copy(connection, buffered)
}
