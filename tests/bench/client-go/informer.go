package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

const (
	mostChanges = 5_000
	queueItems  = 1_000_000
	workers     = 8
	// How long watches last, in seconds, so that they soon begin anew.
	watchSeconds = "10"
	// How long it takes at most to show what was read anew.
	settled = 3 * time.Second
	// What a server that has forgotten a version says to a watch from there.
	expired = `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",` +
		`"message":"too old resource version","reason":"Expired","code":410}}` + "\n"
)

// part tells the result of a part of the job, and waits until it is to go on.
func part(input *bufio.Reader, items int) error {
	fmt.Printf(`{"items": %d}`+"\n", items)
	_, err := input.ReadString('\n')
	return err
}

// wait waits for a channel to be closed, or to have something.
func wait(ctx context.Context, channel <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-channel:
		return nil
	}
}

// informer follows the namespace's pods: until it has them all, while many of them change, and when it reads them anew.
// Then it looks at each of them.
func informer(ctx context.Context, clientset *kubernetes.Clientset, t task) (int, error) {
	factory := informers.NewSharedInformerFactoryWithOptions(clientset, 0, informers.WithNamespace(t.namespace))
	pods := factory.Core().V1().Pods().Informer()
	expected := int64(min(t.size, mostChanges))
	var updates atomic.Int64
	updated := make(chan struct{})
	// What a controller would put into its queue.
	key := func(object any) {
		if _, err := cache.MetaNamespaceKeyFunc(object); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	handler, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: key,
		UpdateFunc: func(_, object any) {
			key(object)
			if updates.Add(1) == expected {
				close(updated)
			}
		},
		DeleteFunc: key,
	})
	if err != nil {
		return 0, err
	}
	factory.Start(ctx.Done())
	if err := wait(ctx, handler.HasSyncedChecker().Done()); err != nil {
		return 0, err
	}
	input := bufio.NewReader(os.Stdin)
	if err := part(input, len(pods.GetStore().ListKeys())); err != nil {
		return 0, err
	}

	if err := wait(ctx, updated); err != nil {
		return 0, err
	}
	if err := part(input, int(expected)); err != nil {
		return 0, err
	}

	t.server.lost.Store(true)
	// What was told of the first time.
	<-t.server.readAgain
	if err := wait(ctx, t.server.readAgain); err != nil {
		return 0, err
	}
	time.Sleep(settled)
	keys := pods.GetStore().ListKeys()
	if err := part(input, len(keys)); err != nil {
		return 0, err
	}

	lister, seen := factory.Core().V1().Pods().Lister().Pods(t.namespace), 0
	for _, key := range keys {
		pod, err := lister.Get(strings.TrimPrefix(key, t.namespace+"/"))
		if err == nil && len(pod.Spec.Containers) > 0 {
			seen++
		}
	}
	return seen, nil
}

// forgetful is a server whose watches end soon, and that forgets a version when it is told to.
type forgetful struct {
	below http.RoundTripper
	// Whether the version of the next watch is forgotten.
	lost *atomic.Bool
	// Has something when everything was asked for.
	readAgain chan struct{}
}

func (f forgetful) RoundTrip(request *http.Request) (*http.Response, error) {
	query := request.URL.Query()
	if query.Get("watch") == "" {
		f.tellOfRead()
		return f.below.RoundTrip(request)
	}
	if query.Get("sendInitialEvents") == "true" {
		f.tellOfRead()
	} else if f.lost.Swap(false) {
		return &http.Response{
			StatusCode: http.StatusOK,
			Status:     "200 OK",
			Proto:      "HTTP/1.1",
			ProtoMajor: 1,
			ProtoMinor: 1,
			Header:     http.Header{"Content-Type": []string{"application/json"}},
			Body:       io.NopCloser(strings.NewReader(expired)),
			Request:    request,
		}, nil
	}
	query.Set("timeoutSeconds", watchSeconds)
	shorter := request.Clone(request.Context())
	shorter.URL.RawQuery = query.Encode()
	return f.below.RoundTrip(shorter)
}

func (f forgetful) tellOfRead() {
	select {
	case f.readAgain <- struct{}{}:
	default:
	}
}

// queue has one that adds and several that take.
func queue() int {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	counts := make(chan int)
	for range workers {
		go func() {
			done := 0
			for {
				item, shutdown := queue.Get()
				if shutdown {
					counts <- done
					return
				}
				queue.Forget(item)
				queue.Done(item)
				done++
			}
		}()
	}
	for number := range queueItems {
		queue.Add(fmt.Sprintf("namespace-%03d/web-%07d", number%1_000, number))
	}
	queue.ShutDown()
	done := 0
	for range workers {
		done += <-counts
	}
	return done
}
