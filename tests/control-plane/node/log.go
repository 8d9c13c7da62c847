package node

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// longestPiece is where container runtimes cut a line.
const longestPiece = 16 << 10

// kept is how many files of a log there are, the one that is written among them; kubelet's default.
const kept = 5

// clock is the nodes' clock, which can be wrong.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// logFile is a container's log as container runtimes write it: a line a piece, with a time stamp, the stream, and F for
// a piece that ends its line or P for one that does not.
type logFile struct {
	path  string
	clock *clock

	mu   sync.Mutex
	file *os.File
}

func createLog(path string, clock *clock) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	it := &logFile{path: path, clock: clock}
	return it, it.open()
}

func (l *logFile) open() (err error) {
	l.file, err = os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	return err
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file.Close()
}

// rotate does what kubelet and runtime do together: the file gets another name, then a new one is written to.
func (l *logFile) rotate() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The real name's stamp is of seconds. This one lets a test rotate more often.
	if err := os.Rename(l.path, l.path+time.Now().Format(".20060102-150405.000000000")); err != nil {
		return err
	}
	old := l.file
	if err := l.open(); err != nil {
		return err
	}
	old.Close()
	rotated, err := filepath.Glob(l.path + ".*") // Sorted, which is by age.
	for len(rotated) >= kept && err == nil {
		err = os.Remove(rotated[0])
		rotated = rotated[1:]
	}
	return err
}

// lose takes the file away that is read, as when a disk is cleaned by hand.
func (l *logFile) lose() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return os.Remove(l.path)
}

// logStream is what writes stdout or stderr to the log.
type logStream struct {
	log  *logFile
	name string
	line []byte
}

func (s *logStream) Write(output []byte) (int, error) {
	taken := len(output)
	for len(output) > 0 {
		end := bytes.IndexByte(output, '\n')
		piece := output[:max(end, 0)]
		if end < 0 {
			piece = output
		}
		room := longestPiece - len(s.line)
		if len(piece) > room {
			s.line = append(s.line, piece[:room]...)
			output = output[room:]
			s.write("P")
			continue
		}
		s.line = append(s.line, piece...)
		output = output[len(piece):]
		if end >= 0 {
			output = output[1:]
			s.write("F")
		}
	}
	return taken, nil
}

// finish writes a last line that has no end.
func (s *logStream) finish() {
	if len(s.line) > 0 {
		s.write("P")
	}
}

func (s *logStream) write(tag string) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	stamp := s.log.clock.now().UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
	// One write a piece: whoever reads the file meanwhile sees whole ones.
	fmt.Fprintf(s.log.file, "%s %s %s %s\n", stamp, s.name, tag, s.line)
	s.line = s.line[:0]
}

// viewers are those who are attached to a container.
type viewers struct {
	mu  sync.Mutex
	all map[*viewer]struct{}
}

type viewer struct{ stdout, stderr io.Writer }

func (v *viewers) add(it *viewer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all == nil {
		v.all = map[*viewer]struct{}{}
	}
	v.all[it] = struct{}{}
}

func (v *viewers) remove(it *viewer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.all, it)
}

// write hands output to all; who fails gets no more. As with real runtimes, who takes nothing stops the container.
func (v *viewers) write(output []byte, stream func(*viewer) io.Writer) {
	v.mu.Lock()
	var all []*viewer
	for it := range v.all {
		all = append(all, it)
	}
	v.mu.Unlock()
	for _, it := range all {
		if to := stream(it); to != nil {
			if _, err := to.Write(output); err != nil {
				v.remove(it)
			}
		}
	}
}
