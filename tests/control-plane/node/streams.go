package node

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// instance returns what runs under an id.
func (n *node) instance(id string) (*instance, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.pods {
		p.mu.Lock()
		for _, c := range p.containers {
			if c.now != nil && c.now.id == id && c.now.process != nil {
				p.mu.Unlock()
				return c.now, nil
			}
		}
		p.mu.Unlock()
	}
	return nil, fmt.Errorf("container %q in namespace %q: not found", id, "k8s.io")
}

// Exec runs a command beside a container's program, and ends when its output has ended too.
func (n *node) Exec(
	_ context.Context, id string, words []string, in io.Reader, out, errOut io.WriteCloser, tty bool,
	resize <-chan remotecommand.TerminalSize,
) error {
	it, err := n.instance(id)
	if err != nil {
		return err
	}
	c := it.container
	what := program{words: words, environment: c.environment(), folder: c.folder(), tty: tty, stdin: in != nil}
	// A nil pointer in an interface would not be nil.
	if out != nil {
		what.stdout = out
	}
	if errOut != nil {
		what.stderr = errOut
	}
	process, err := it.exec(what)
	if err != nil {
		return fmt.Errorf("OCI runtime exec failed: exec failed: unable to start container process: %w", err)
	}
	go resizing(process, resize)
	if in != nil {
		go func() {
			io.Copy(process.stdin, in)
			process.stdin.Close()
		}()
	}
	code := process.wait()
	process.copied.Wait()
	it.forget(process)
	return exited(code)
}

// exec starts a command that ends with the instance.
func (it *instance) exec(what program) (*process, error) {
	it.mu.Lock()
	defer it.mu.Unlock()
	if it.over {
		return nil, fmt.Errorf("cannot exec in a stopped container")
	}
	process, err := start(what, it.container.pod.node.reaper)
	if err == nil {
		it.execs[process] = struct{}{}
	}
	return process, err
}

// forget leaves what the command left running in the background to the end of the instance.
func (it *instance) forget(process *process) {
	it.mu.Lock()
	defer it.mu.Unlock()
	if syscall.Kill(-process.group(), 0) != nil {
		delete(it.execs, process)
		process.release()
	}
}

func resizing(process *process, resize <-chan remotecommand.TerminalSize) {
	for size := range resize {
		process.resize(size.Width, size.Height)
	}
}

// Attach shows a container's output from now on, and hands it input, until one of both ends.
func (n *node) Attach(
	_ context.Context, id string, in io.Reader, out, errOut io.WriteCloser, tty bool,
	resize <-chan remotecommand.TerminalSize,
) error {
	it, err := n.instance(id)
	if err != nil {
		return err
	}
	viewer := &viewer{}
	if out != nil {
		viewer.stdout = out
	}
	if errOut != nil {
		viewer.stderr = errOut
	}
	it.viewers.add(viewer)
	defer it.viewers.remove(viewer)
	go resizing(it.process, resize)

	detached := make(chan struct{})
	if stdin := it.process.stdin; in != nil && stdin != nil {
		go func() {
			io.Copy(stdin, in)
			if it.container.spec.StdinOnce && !tty {
				stdin.Close() // The output goes on.
			} else {
				close(detached)
			}
		}()
	}
	select {
	case <-it.ended:
	case <-detached:
	}
	return nil
}

// PortForward connects a stream with a port of a pod.
func (n *node) PortForward(_ context.Context, id string, port int32, stream io.ReadWriteCloser) error {
	n.mu.Lock()
	p, known := n.pods[types.UID(id)]
	n.mu.Unlock()
	if !known {
		return fmt.Errorf("failed to find sandbox %q in store: not found", id)
	}
	connection, err := dial(context.Background(), p.address, strconv.Itoa(int(port)))
	if err != nil {
		return fmt.Errorf("failed to connect to localhost:%d inside namespace %q: %w", port, id, err)
	}
	defer connection.Close()
	if p.annotated(halfClose) {
		return forwardBoth(connection, stream)
	}
	return forwardAsRuntimes(connection, stream)
}

// forwardAsRuntimes gives the other direction a second when one has ended, as containerd and CRI-O do.
func forwardAsRuntimes(connection *net.TCPConn, stream io.ReadWriteCloser) error {
	ended := make(chan error, 2)
	go func() {
		_, err := io.Copy(stream, connection)
		ended <- err
	}()
	go func() {
		_, err := io.Copy(connection, stream)
		ended <- err
	}()
	err := <-ended
	select {
	case second := <-ended:
		if err == nil {
			err = second
		}
	case <-time.After(time.Second):
	}
	return err
}

// forwardBoth passes on the end of each direction, and ends with both.
func forwardBoth(connection *net.TCPConn, stream io.ReadWriteCloser) error {
	var both sync.WaitGroup
	var out, in error
	both.Go(func() {
		_, out = io.Copy(stream, connection)
		stream.Close()
	})
	both.Go(func() {
		_, in = io.Copy(connection, stream)
		connection.CloseWrite()
	})
	both.Wait()
	if out != nil {
		return out
	}
	return in
}
