package node

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

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
