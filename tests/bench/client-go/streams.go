package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
)

// These are what tests/bench/rust/shared has for the other programs.
const (
	serverPod  = "server"
	sourcePort = "9000"
	shortBytes = 100
)

// streams does the jobs of processes in containers and of forwarded ports.
type streams struct {
	config *rest.Config
	core   rest.Interface
	task   task
}

func (s streams) do(ctx context.Context) (int, error) {
	switch s.task.job {
	case "exec":
		for range s.task.size {
			if err := s.exec(ctx, nil, io.Discard, "true"); err != nil {
				return 0, err
			}
		}
		return s.task.size, nil
	case "exec-output":
		counted := &counter{}
		err := s.exec(ctx, nil, counted, "head", "-c", strconv.Itoa(s.task.size), "/dev/zero")
		return counted.bytes, err
	case "exec-input":
		var written bytes.Buffer
		if err := s.exec(ctx, io.LimitReader(zeros{}, int64(s.task.size)), &written, "wc", "-c"); err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(written.String()))
	case "port-forward":
		return s.portForward(s.task.size, shortBytes)
	default:
		return s.portForward(1, s.task.size)
	}
}

type counter struct{ bytes int }

func (c *counter) Write(bytes []byte) (int, error) {
	c.bytes += len(bytes)
	return len(bytes), nil
}

// zeros is an input without an end.
type zeros struct{}

func (zeros) Read(bytes []byte) (int, error) {
	clear(bytes)
	return len(bytes), nil
}

func (s streams) request(subresource string) *rest.Request {
	return s.core.Get().Resource("pods").Namespace(s.task.namespace).Name(serverPod).SubResource(subresource)
}

func (s streams) exec(ctx context.Context, stdin io.Reader, stdout io.Writer, command ...string) error {
	options := &corev1.PodExecOptions{Command: command, Stdin: stdin != nil, Stdout: true, Stderr: true}
	url := s.request("exec").VersionedParams(options, scheme.ParameterCodec).URL()
	executor, err := remotecommand.NewWebSocketExecutor(s.config, "GET", url.String())
	if err != nil {
		return err
	}
	return executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: io.Discard})
}

// portForward makes connections to the pod's port, one after the other, as a PortForwarder does for those that it
// accepts, and asks each for so many bytes.
func (s streams) portForward(connections, bytes int) (int, error) {
	items := 0
	var tunnel httpstream.Connection
	for number := range connections {
		if tunnel == nil {
			dialer, err := portforward.NewSPDYOverWebsocketDialerForStreaming(s.request("portforward").URL(), s.config)
			if err != nil {
				return 0, err
			}
			if tunnel, _, err = dialer.Dial(portforward.PortForwardProtocolV1Name); err != nil {
				return 0, err
			}
		}
		count, err := ask(tunnel, number, bytes)
		if err != nil {
			return 0, err
		}
		items += count
		if s.task.single {
			tunnel.Close()
			tunnel = nil
		}
	}
	return items, nil
}

// ask connects to the pod's port, asks it for so many bytes and counts those that come.
func ask(tunnel httpstream.Connection, number, bytes int) (int, error) {
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, sourcePort)
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(number))
	problems, err := tunnel.CreateStream(headers)
	if err != nil {
		return 0, err
	}
	problems.Close()
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	connection, err := tunnel.CreateStream(headers)
	if err != nil {
		return 0, err
	}
	defer tunnel.RemoveStreams(problems, connection)
	if _, err := fmt.Fprintf(connection, "%d\n", bytes); err != nil {
		return 0, err
	}
	counted := &counter{}
	if _, err := io.Copy(counted, connection); err != nil {
		return 0, err
	}
	connection.Close()
	problem, err := io.ReadAll(problems)
	if err == nil && len(problem) > 0 {
		err = fmt.Errorf("%s", problem)
	}
	return counted.bytes, err
}
