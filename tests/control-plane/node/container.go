package node

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kind is which list of the pod a container stands in.
type kind int

const (
	initial kind = iota
	regular
	ephemeral
)

const never = corev1.RestartPolicyNever

// missingImage is an image that cannot be pulled. All others are here already.
const missingImage = "k8s-client.test/missing"

// The pauses between restarts; kubelet's are 10 s and 5 minutes.
const (
	firstPause   = 250 * time.Millisecond
	longestPause = 10 * time.Second
)

// container is one name in a pod, and the processes that run for it one after the other.
type container struct {
	pod  *pod
	kind kind
	spec corev1.Container
	// sidecar is an init container that goes on, until the regular ones have ended.
	sidecar bool
	// ending is closed when it is to end.
	ending <-chan struct{}

	// Locked by the pod.
	status corev1.ContainerStatus
	// now is the instance that runs or was the last to; before is the one before it.
	now, before *instance
}

// instance is one run of a container, with an id and a log of its own.
type instance struct {
	container *container
	id        string
	log       *logFile
	viewers   viewers
	process   *process
	// ended is closed when nothing runs any more and all output has been handed on.
	ended chan struct{}

	mu    sync.Mutex
	execs map[*process]struct{}
	over  bool
}

func newContainer(p *pod, kind kind, it *corev1.Container) *container {
	reason := "ContainerCreating"
	if kind == regular && p.hasInitial() {
		reason = "PodInitializing"
	}
	notYet := false
	sidecar := it.RestartPolicy != nil && *it.RestartPolicy == corev1.ContainerRestartPolicyAlways
	ending := p.ending
	if sidecar {
		ending = p.completed
	}
	return &container{
		pod: p, kind: kind, spec: *it, sidecar: sidecar, ending: ending,
		status: corev1.ContainerStatus{
			Name: it.Name, Image: it.Image, Started: &notYet,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
		},
	}
}

func (p *pod) hasInitial() bool { return len(p.containers) > 0 && p.containers[0].kind == initial }

// live runs the container until its policy says that it is over or the pod ends, and returns the last exit code.
func (c *container) live(policy corev1.RestartPolicy) int {
	pause := time.Duration(0) // The first restart is at once.
	for {
		if c.spec.Image == missingImage {
			c.wait("ErrImagePull", "rpc error: code = NotFound desc = "+missingImage+": not found")
			<-c.ending
			return 1
		}
		started := time.Now()
		code, stopped := c.once()
		if stopped || policy == never || policy == corev1.RestartPolicyOnFailure && code == 0 {
			return code
		}
		if time.Since(started) > longestPause {
			pause = 0
		}
		if pause > 0 {
			c.wait("CrashLoopBackOff", fmt.Sprintf("back-off %s restarting failed container=%s", pause, c.spec.Name))
			select {
			case <-time.After(pause):
			case <-c.ending:
				return code
			}
		}
		pause = min(max(2*pause, firstPause), longestPause)
		c.pod.mu.Lock()
		c.status.RestartCount++
		c.pod.mu.Unlock()
	}
}

// wait tells why the container does not run.
func (c *container) wait(reason, message string) {
	c.change(func() {
		if c.status.State.Terminated != nil {
			c.status.LastTerminationState = c.status.State
		}
		c.status.State = corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message},
		}
	})
}

// change changes the status and has it written.
func (c *container) change(change func()) {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	change()
	c.pod.touch()
}

// once runs the container's program once, and returns its exit code and whether the pod is ending.
func (c *container) once() (code int, stopped bool) {
	started := metav1.NewTime(c.pod.node.clock.now())
	it, err := c.start()
	if err != nil {
		c.change(func() { c.terminate(it, 128, started, "StartError", err.Error()) })
		return 128, isClosed(c.ending)
	}
	c.change(func() {
		if c.status.State.Terminated != nil {
			c.status.LastTerminationState = c.status.State
		}
		yes := true
		c.status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}
		c.status.ContainerID, c.status.ImageID = containerID(it), c.spec.Image
		c.status.Started, c.status.Ready = &yes, c.kind == regular || c.sidecar
	})
	ended := make(chan int, 1)
	go func() { ended <- it.wait() }()
	select {
	case code = <-ended:
	case <-c.ending:
		code = it.stop(ended)
	}
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	c.change(func() { c.terminate(it, code, started, reason, "") })
	return code, isClosed(c.ending)
}

// terminate puts the end of an instance into the status. The pod is locked.
func (c *container) terminate(it *instance, code int, started metav1.Time, reason, message string) {
	no := false
	c.status.ContainerID = containerID(it)
	c.status.Started = &no
	c.status.Ready = c.kind == initial && code == 0
	c.status.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: int32(code), Reason: reason, Message: message, ContainerID: containerID(it),
		StartedAt: started, FinishedAt: metav1.NewTime(c.pod.node.clock.now()),
	}}
}

func containerID(it *instance) string { return "k8s-client-test://" + it.id }

// start starts an instance. One that does not start has an id and a log all the same.
func (c *container) start() (*instance, error) {
	c.pod.mu.Lock()
	it := &instance{
		container: c, ended: make(chan struct{}), execs: map[*process]struct{}{},
		id: fmt.Sprintf("%016x%016x%016x%016x", rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64()),
	}
	c.before, c.now = c.now, it
	name := fmt.Sprintf("%d.log", c.status.RestartCount)
	c.pod.mu.Unlock()

	var err error
	it.log, err = createLog(filepath.Join(c.pod.node.logFolder(c.pod, c.spec.Name), name), &c.pod.node.clock)
	if err == nil {
		stdout := &logStream{log: it.log, name: "stdout"}
		stderr := &logStream{log: it.log, name: "stderr"}
		err = it.run(stdout, stderr)
	}
	if err != nil {
		close(it.ended)
	}
	return it, err
}

func (it *instance) run(stdout, stderr *logStream) error {
	c := it.container
	words, err := c.words()
	if err != nil {
		return err
	}
	process, err := start(program{
		words: words, environment: c.environment(), folder: c.folder(),
		tty: c.spec.TTY, stdin: c.spec.Stdin,
		stdout: io.MultiWriter(stdout, viewing{it, func(v *viewer) io.Writer { return v.stdout }}),
		stderr: io.MultiWriter(stderr, viewing{it, func(v *viewer) io.Writer { return v.stderr }}),
	}, c.pod.node.reaper)
	if err != nil {
		it.log.close()
		return fmt.Errorf("failed to create containerd task: %w", err)
	}
	c.pod.mu.Lock()
	it.process = process
	c.pod.mu.Unlock()
	go func() {
		process.copied.Wait()
		stdout.finish()
		stderr.finish()
		it.log.close()
		close(it.ended)
	}()
	return nil
}

// wait returns the exit code when nothing of the instance runs any more.
func (it *instance) wait() int {
	code := it.process.wait()
	it.process.end()
	it.mu.Lock()
	it.over = true
	for process := range it.execs {
		process.end() // They share the container's fate.
	}
	it.mu.Unlock()
	<-it.ended
	return code
}

// stop asks the program to end, then makes it.
func (it *instance) stop(ended <-chan int) int {
	it.process.signal(syscall.SIGTERM)
	it.container.pod.mu.Lock()
	grace := it.container.pod.grace
	it.container.pod.mu.Unlock()
	select {
	case code := <-ended:
		return code
	case <-time.After(grace):
		it.process.signal(syscall.SIGKILL)
		return <-ended
	}
}

// kill ends what runs, without a chance to clean up. The pod is locked.
func (c *container) kill() {
	if c.now != nil && c.now.process != nil {
		c.now.process.signal(syscall.SIGKILL)
	}
}

// current returns the instance if it runs.
func (c *container) current() (*instance, error) {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	if c.now == nil || c.now.process == nil || c.status.State.Running == nil {
		return nil, fmt.Errorf("container %q of pod %s/%s is not running", c.spec.Name, c.pod.namespace, c.pod.name)
	}
	return c.now, nil
}

// words is the command line. An image's own program is the one of image.go.
func (c *container) words() ([]string, error) {
	if len(c.spec.Command) > 0 {
		return append(append([]string{}, c.spec.Command...), c.spec.Args...), nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	words := []string{self, "image"}
	for _, port := range c.spec.Ports {
		if port.Protocol == corev1.ProtocolTCP {
			words = append(words, fmt.Sprintf("--port=%d", port.ContainerPort))
			break
		}
	}
	return append(words, c.spec.Args...), nil
}

func (c *container) folder() string {
	return filepath.Join(c.pod.folder, c.spec.WorkingDir)
}

// environment is that of the container's processes.
func (c *container) environment() []string {
	all := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.pod.folder, "TMPDIR=" + c.pod.folder, "HOSTNAME=" + c.pod.name,
		"POD_IP=" + c.pod.address,
	}
	for _, it := range c.spec.Env {
		all = append(all, it.Name+"="+it.Value)
	}
	return all
}

// viewing hands output to those who are attached.
type viewing struct {
	instance *instance
	stream   func(*viewer) io.Writer
}

func (v viewing) Write(output []byte) (int, error) {
	v.instance.viewers.write(output, v.stream)
	return len(output), nil
}
