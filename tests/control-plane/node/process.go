package node

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	utilexec "k8s.io/utils/exec"
)

// program is what to run, and what its streams are.
type program struct {
	words       []string
	environment []string
	folder      string
	// tty gives it a terminal, whose output goes to stdout.
	tty bool
	// stdin gives it one that is open until process.stdin is closed.
	stdin bool
	// What takes its output; nil drops it.
	stdout, stderr io.Writer
}

// process is a running program with a process group of its own.
type process struct {
	cmd    *exec.Cmd
	reaper *reaper
	// stdin is nil if it has none.
	stdin io.WriteCloser
	// terminal is nil if it has none.
	terminal *os.File
	// copied is done when its output has ended and was handed on.
	copied   sync.WaitGroup
	outputs  []*os.File
	released sync.Once
}

func start(it program, reaper *reaper) (*process, error) {
	if len(it.words) == 0 {
		return nil, errors.New("no command was given")
	}
	p := &process{cmd: exec.Command(it.words[0], it.words[1:]...), reaper: reaper}
	p.cmd.Dir, p.cmd.Env = it.folder, it.environment
	// Ours to close when the program has them, or does not start.
	var theirs, ours []*os.File
	closeAll := func(files []*os.File) {
		for _, file := range files {
			file.Close()
		}
	}
	defer func() { closeAll(theirs) }()

	output := map[*os.File]io.Writer{}
	if it.tty {
		master, slave, err := openTerminal()
		if err != nil {
			return nil, fmt.Errorf("open a terminal: %w", err)
		}
		theirs, ours = append(theirs, slave), append(ours, master)
		p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		p.terminal, output[master] = master, it.stdout
		if it.stdin {
			p.stdin = terminalInput{master}
		}
	} else {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if it.stdin {
			reader, writer, err := os.Pipe()
			if err != nil {
				return nil, err
			}
			theirs, ours = append(theirs, reader), append(ours, writer)
			p.cmd.Stdin, p.stdin = reader, writer
		}
		for _, stream := range []struct {
			from *io.Writer
			to   io.Writer
		}{{&p.cmd.Stdout, it.stdout}, {&p.cmd.Stderr, it.stderr}} {
			if stream.to == nil {
				continue
			}
			reader, writer, err := os.Pipe()
			if err != nil {
				closeAll(ours)
				return nil, err
			}
			theirs, ours = append(theirs, writer), append(ours, reader)
			*stream.from, output[reader] = writer, stream.to
		}
	}
	if err := p.cmd.Start(); err != nil {
		closeAll(ours)
		return nil, err
	}
	reaper.add(p.group())
	for from, to := range output {
		p.outputs = append(p.outputs, from)
		p.copied.Go(func() {
			if to == nil {
				to = io.Discard
			}
			// A program goes on when nobody takes its output any more.
			io.Copy(&untilItFails{to: to}, from)
			from.Close()
		})
	}
	return p, nil
}

// group is the id of the process group.
func (p *process) group() int { return p.cmd.Process.Pid }

// wait returns its exit code once the program has ended. Its output may still be on the way.
func (p *process) wait() int {
	p.cmd.Wait() // An error is in the state too.
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

// signal reaches all of the group.
func (p *process) signal(signal syscall.Signal) {
	syscall.Kill(-p.group(), signal) // It may have ended.
}

// end kills what there is of the group. A program that left the group may hold an output for ever, so that is given up
// soon.
func (p *process) end() {
	p.signal(syscall.SIGKILL)
	p.release()
	time.AfterFunc(time.Second, func() {
		for _, output := range p.outputs {
			output.Close()
		}
	})
}

// release takes the group off the list of those that run.
func (p *process) release() {
	p.released.Do(func() {
		p.reaper.remove(p.group())
		if p.stdin != nil && p.terminal == nil {
			p.stdin.Close()
		}
	})
}

func (p *process) resize(width, height uint16) {
	if p.terminal != nil {
		resizeTerminal(p.terminal, width, height) // It may be closed already.
	}
}

// exited is the error that tells a client the exit code.
func exited(code int) error {
	if code == 0 {
		return nil
	}
	return utilexec.CodeExitError{Err: fmt.Errorf("exit status %d", code), Code: code}
}

// untilItFails drops what comes after an error.
type untilItFails struct {
	to     io.Writer
	failed bool
}

func (u *untilItFails) Write(bytes []byte) (int, error) {
	if !u.failed {
		_, err := u.to.Write(bytes)
		u.failed = err != nil
	}
	return len(bytes), nil
}

// terminalInput is what is typed. Its end is the key that stands for it.
type terminalInput struct{ terminal *os.File }

func (t terminalInput) Write(bytes []byte) (int, error) { return t.terminal.Write(bytes) }

func (t terminalInput) Close() error {
	_, err := t.terminal.Write([]byte{4})
	return err
}

// reaperScript reads ids of process groups, one a line, until the pipe closes, which it does however the nodes ended;
// then it kills them. A minus before an id takes it off the list.
const reaperScript = `
while read -r group; do
    case $group in
    -*)
        kept=
        for one in $groups; do [ "-$one" = "$group" ] || kept="$kept $one"; done
        groups=$kept
        ;;
    *) groups="$groups $group" ;;
    esac
done
for one in $groups; do kill -9 "-$one"; done
`

// reaper ends the processes of pods together with this one, even if this one is killed.
type reaper struct {
	mu   sync.Mutex
	pipe io.Writer
	// groups counts those that have not ended.
	groups int
}

func newReaper() (*reaper, error) {
	cmd := exec.Command("sh", "-c", reaperScript, "k8s-client-test-reaper")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Out of reach of what ends this process.
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &reaper{pipe: pipe}, cmd.Start()
}

func (r *reaper) add(group int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups++
	fmt.Fprintf(r.pipe, "%d\n", group)
}

func (r *reaper) remove(group int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups--
	fmt.Fprintf(r.pipe, "-%d\n", group)
}

// running is how many process groups there are.
func (r *reaper) running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.groups
}
