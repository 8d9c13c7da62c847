package node

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/proxy"
	translator "k8s.io/apiserver/pkg/util/proxy"
	cri "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/logs"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/streaming/pkg/httpstream/wsstream"
)

// handler is what kube-apiserver asks a kubelet.
func (n *node) handler() http.Handler {
	mux := http.NewServeMux()
	streams := func(serve func(http.ResponseWriter, *http.Request, *pod)) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			if n.refusal.answers(w) {
				return
			}
			p := n.find(req.PathValue("namespace"), req.PathValue("pod"))
			if p == nil {
				http.Error(w, "pod does not exist", http.StatusNotFound)
				return
			}
			serve(w, req, p)
		}
	}
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", streams(n.serveExec))
	mux.HandleFunc("/attach/{namespace}/{pod}/{container}", streams(n.serveAttach))
	mux.HandleFunc("/portForward/{namespace}/{pod}", streams(n.servePortForward))
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", streams(n.serveLogs))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	return mux
}

// command is what exec and attach have in common.
func (n *node) command(
	w http.ResponseWriter, req *http.Request, p *pod,
	open func(id string, options *remotecommand.Options) (string, error),
) {
	options, err := remotecommand.NewOptions(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c := p.lookUp(req.PathValue("container"))
	if c == nil {
		streaming.WriteError(fmt.Errorf("container not found (%q)", req.PathValue("container")), w)
		return
	}
	it, err := c.current()
	if err != nil {
		streaming.WriteError(err, w)
		return
	}
	to, err := open(it.id, options)
	if err != nil {
		streaming.WriteError(err, w)
		return
	}
	target, err := url.Parse(to)
	if err != nil {
		streaming.WriteError(err, w)
		return
	}
	handler := http.Handler(proxy.NewUpgradeAwareHandler(target, nil, false, true, responder{}))
	if n.webSockets && wsstream.IsWebSocketRequestWithStreamCloseProtocol(req) {
		handler = translator.NewStreamTranslatorHandler(target, nil, 0, translator.Options{
			Stdin: options.Stdin, Stdout: options.Stdout, Stderr: options.Stderr, Tty: options.TTY,
		})
	}
	handler.ServeHTTP(w, req)
}

func (n *node) serveExec(w http.ResponseWriter, req *http.Request, p *pod) {
	n.command(w, req, p, func(id string, options *remotecommand.Options) (string, error) {
		response, err := n.streams.GetExec(&runtimeapi.ExecRequest{
			ContainerId: id, Cmd: req.URL.Query()["command"],
			Stdin: options.Stdin, Stdout: options.Stdout, Stderr: options.Stderr, Tty: options.TTY,
		})
		return response.GetUrl(), err
	})
}

func (n *node) serveAttach(w http.ResponseWriter, req *http.Request, p *pod) {
	n.command(w, req, p, func(id string, options *remotecommand.Options) (string, error) {
		response, err := n.streams.GetAttach(&runtimeapi.AttachRequest{
			ContainerId: id,
			Stdin:       options.Stdin, Stdout: options.Stdout, Stderr: options.Stderr, Tty: options.TTY,
		})
		return response.GetUrl(), err
	})
}

func (n *node) servePortForward(w http.ResponseWriter, req *http.Request, p *pod) {
	tunnel := n.webSockets && wsstream.IsWebSocketRequestWithTunnelingProtocol(req)
	options := &portforward.V4Options{}
	if !tunnel {
		var err error
		if options, err = portforward.NewV4Options(req); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	response, err := n.streams.GetPortForward(&runtimeapi.PortForwardRequest{
		PodSandboxId: string(p.uid), Port: options.Ports,
	})
	if err != nil {
		streaming.WriteError(err, w)
		return
	}
	target, err := url.Parse(response.Url)
	if err != nil {
		streaming.WriteError(err, w)
		return
	}
	handler := http.Handler(proxy.NewUpgradeAwareHandler(target, nil, false, true, responder{}))
	if tunnel {
		handler = translator.NewTunnelingHandler(handler)
	}
	handler.ServeHTTP(w, req)
}

type responder struct{}

func (responder) Error(w http.ResponseWriter, _ *http.Request, err error) {
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

func (n *node) serveLogs(w http.ResponseWriter, req *http.Request, p *pod) {
	var options corev1.PodLogOptions
	codec := legacyscheme.ParameterCodec
	if err := codec.DecodeParameters(req.URL.Query(), corev1.SchemeGroupVersion, &options); err != nil {
		http.Error(w, `{"message": "Unable to decode query."}`, http.StatusBadRequest)
		return
	}
	name := req.PathValue("container")
	c := p.lookUp(name)
	if c == nil {
		http.Error(w, fmt.Sprintf("container %q not found in pod %q", name, p.name), http.StatusNotFound)
		return
	}
	it, err := c.logged(options.Previous)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body := flushing{w, http.NewResponseController(w)}
	stdout, stderr := io.Writer(body), io.Writer(body)
	if options.Stream != nil {
		switch *options.Stream {
		case corev1.LogStreamStdout:
			stderr = nil
		case corev1.LogStreamStderr:
			stdout = nil
		}
	}
	// From here on an error is more text of a log, because the head has gone out; kubelet does the same.
	w.Header().Set("Transfer-Encoding", "chunked")
	body.Write(nil)
	err = logs.ReadLogs(req.Context(), it.log.path, it.id, n.logOptions(&options), state{instance: it}, stdout, stderr)
	if err != nil {
		io.WriteString(w, err.Error())
	}
}

// logged returns the instance whose log is asked for. The errors are kubelet's.
func (c *container) logged(previous bool) (*instance, error) {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	waiting := c.status.State.Waiting
	switch {
	case previous && c.status.LastTerminationState.Terminated == nil:
		return nil, fmt.Errorf("previous terminated container %q in pod %q not found", c.spec.Name, c.pod.name)
	case previous && waiting == nil:
		return c.before, nil
	case c.now != nil:
		return c.now, nil
	}
	reason := waiting.Reason
	if reason == "ErrImagePull" {
		reason = "image can't be pulled"
	}
	return nil, fmt.Errorf("container %q in pod %q is waiting to start: %s", c.spec.Name, c.pod.name, reason)
}

func (n *node) logOptions(asked *corev1.PodLogOptions) *logs.LogOptions {
	options := &logs.LogOptions{
		Follow: asked.Follow, Timestamp: asked.Timestamps, TailLines: asked.TailLines, LimitBytes: asked.LimitBytes,
	}
	if asked.SinceSeconds != nil {
		options.Since = n.clock.now().Add(-time.Duration(*asked.SinceSeconds) * time.Second)
	}
	if asked.SinceTime != nil {
		options.Since = asked.SinceTime.Time
	}
	return options
}

// flushing sends each line at once.
type flushing struct {
	http.ResponseWriter
	controller *http.ResponseController
}

func (f flushing) Write(line []byte) (int, error) {
	written, err := f.ResponseWriter.Write(line)
	if err == nil {
		err = f.controller.Flush()
	}
	return written, err
}

// state tells the reader of a log whether more may come.
type state struct {
	cri.RuntimeService
	instance *instance
}

func (s state) ContainerStatus(context.Context, string, bool) (*runtimeapi.ContainerStatusResponse, error) {
	state := runtimeapi.ContainerState_CONTAINER_RUNNING
	select {
	case <-s.instance.ended:
		state = runtimeapi.ContainerState_CONTAINER_EXITED
	default:
	}
	return &runtimeapi.ContainerStatusResponse{Status: &runtimeapi.ContainerStatus{State: state}}, nil
}

// refusal is an answer that the kubelet gives to every request for a stream or a log; none if the status is 0.
type refusal struct {
	mu     sync.Mutex
	status int
	text   string
}

func (r *refusal) set(status int, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.text = status, text
}

// answers answers a request, if it is to.
func (r *refusal) answers(w http.ResponseWriter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status != 0 {
		http.Error(w, r.text, r.status)
	}
	return r.status != 0
}
