package node

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

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

func resizeTerminal(terminal *os.File, width, height uint16) error {
	return control(terminal, func(descriptor int) error {
		return unix.IoctlSetWinsize(descriptor, unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width})
	})
}
