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

	"golang.org/x/sys/unix"
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
	copied  sync.WaitGroup
	outputs []*os.File
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

// end kills what is left of the group after wait. A program that left the group may hold an output for ever, so that is
// given up soon.
func (p *process) end() {
	p.signal(syscall.SIGKILL)
	p.reaper.remove(p.group())
	time.AfterFunc(time.Second, func() {
		for _, output := range p.outputs {
			output.Close()
		}
	})
}

func (p *process) resize(width, height uint16) {
	if p.terminal != nil {
		control(p.terminal, func(descriptor int) error {
			return unix.IoctlSetWinsize(descriptor, unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width})
		})
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

// openTerminal returns both ends of a pseudo terminal.
func openTerminal() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	var number int
	err = control(master, func(descriptor int) (err error) {
		if number, err = unix.IoctlGetInt(descriptor, unix.TIOCGPTN); err != nil {
			return err
		}
		return unix.IoctlSetPointerInt(descriptor, unix.TIOCSPTLCK, 0)
	})
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, slave, nil
}

// control calls with the descriptor of a file, and leaves the file as it is, which File.Fd would not.
func control(file *os.File, call func(descriptor int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(descriptor uintptr) { failed = call(int(descriptor)) }); err != nil {
		return err
	}
	return failed
}
