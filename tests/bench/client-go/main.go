// The benchmark's jobs, done by client-go with its defaults but for the limit of requests, which it would wait for.
//
// PROGRAM <job> <namespace> <size> [--json|--single] does one job, prints one line of JSON and waits for the end of its standard
// input, so that `cargo xtask bench` can read its CPU time and its memory in /proc while it is still there.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// timeLimit ends a job that hangs, such as a watch for events that do not come.
const timeLimit = 10 * time.Minute

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	task, err := parse(arguments)
	if err != nil {
		return err
	}
	config, clientset, err := connect(task)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	items, err := task.do(ctx, config, clientset)
	if err != nil {
		return err
	}

	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Printf(`{"items": %d, "allocations": %d, "allocated_bytes": %d}`+"\n",
		items, memory.Mallocs, memory.TotalAlloc)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// task is what the program is told to do.
type task struct {
	job       string
	namespace string
	size      int
	// Whether the client is to speak JSON where it would speak protobuf.
	json bool
	// Whether each forwarded connection is to have one of its own to the server.
	single bool
	// What an informer is told of its server.
	server forgetful
}

func parse(arguments []string) (task, error) {
	json := len(arguments) == 4 && arguments[3] == "--json"
	single := len(arguments) == 4 && arguments[3] == "--single"
	if len(arguments) != 3 && !json && !single {
		return task{}, fmt.Errorf("usage: PROGRAM <job> <namespace> <size> [--json|--single]")
	}
	size, err := strconv.Atoi(arguments[2])
	if err != nil {
		return task{}, fmt.Errorf("size: %w", err)
	}
	server := forgetful{lost: new(atomic.Bool), readAgain: make(chan struct{}, 1)}
	return task{
		job: arguments[0], namespace: arguments[1], size: size, json: json, single: single, server: server,
	}, nil
}

func connect(task task) (*rest.Config, *kubernetes.Clientset, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, nil, err
	}
	// Five requests a second by default; what is compared is work, not waiting.
	config.QPS = -1
	config.DisableCompression = task.job == "list-plain"
	if task.json {
		// Without a choice, typed clients of built-in kinds speak protobuf.
		config.ContentType = "application/json"
	}
	if task.job == "informer" {
		config.Wrap(func(below http.RoundTripper) http.RoundTripper {
			server := task.server
			server.below = below
			return server
		})
	}
	clientset, err := kubernetes.NewForConfig(config)
	return config, clientset, err
}
