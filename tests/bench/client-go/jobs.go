package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"
)

// These are what tests/bench/rust/shared has for the other programs.
const (
	lists             = 5
	page              = 500
	mostGets          = 2_000
	mostGetsAtOnce    = 5_000
	requestsAtOnce    = 64
	writes            = 500
	configurationSize = 20
)

// do does the task and tells how many items it saw.
func (t task) do(ctx context.Context, config *rest.Config, clientset *kubernetes.Clientset) (int, error) {
	pods := clientset.CoreV1().Pods(t.namespace)
	switch t.job {
	case "list":
		return list(ctx, pods, lists)
	case "list-plain":
		return list(ctx, pods, 1)
	case "list-paged":
		return listPaged(ctx, pods)
	case "list-streamed":
		return listStreamed(ctx, pods)
	case "watch":
		return watchEvents(ctx, pods, t.size)
	case "get":
		return get(ctx, pods, min(t.size, mostGets))
	case "get-concurrent":
		return getConcurrent(ctx, pods, min(t.size, mostGetsAtOnce))
	case "write":
		return write(ctx, clientset.CoreV1().ConfigMaps(t.namespace))
	case "informer":
		return informer(ctx, clientset, t)
	case "logs":
		return logs(ctx, pods)
	case "exec", "exec-output", "exec-input", "port-forward", "port-forward-output":
		return streams{config, clientset.CoreV1().RESTClient(), t}.do(ctx)
	case "queue":
		return queue(), nil
	default:
		return 0, fmt.Errorf("%s: no such job", t.job)
	}
}

func list(ctx context.Context, pods typedv1.PodInterface, times int) (int, error) {
	items := 0
	for range times {
		all, err := pods.List(ctx, metav1.ListOptions{})
		if err != nil {
			return 0, err
		}
		items += len(all.Items)
	}
	return items, nil
}

func listPaged(ctx context.Context, pods typedv1.PodInterface) (int, error) {
	items := 0
	for range lists {
		options := metav1.ListOptions{Limit: page}
		for {
			one, err := pods.List(ctx, options)
			if err != nil {
				return 0, err
			}
			items += len(one.Items)
			if one.Continue == "" {
				break
			}
			options.Continue = one.Continue
		}
	}
	return items, nil
}

// listStreamed reads item after item; client-go's way to do so is a pager.
func listStreamed(ctx context.Context, pods typedv1.PodInterface) (int, error) {
	items := 0
	for range lists {
		pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return pods.List(ctx, options)
		})
		err := pages.EachListItem(ctx, metav1.ListOptions{}, func(runtime.Object) error {
			items++
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return items, nil
}

func watchEvents(ctx context.Context, pods typedv1.PodInterface, events int) (int, error) {
	watcher, err := pods.Watch(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return 0, err
	}
	defer watcher.Stop()
	seen := 0
	for event := range watcher.ResultChan() {
		switch event.Type {
		case watch.Error:
			return 0, fmt.Errorf("the watch ended: %v", event.Object)
		case watch.Bookmark:
		default:
			seen++
		}
		if seen == events {
			return seen, nil
		}
	}
	return 0, fmt.Errorf("the watch ended after %d of %d events", seen, events)
}

// podName is the name of a pod that `seed` has made.
func podName(number int) string {
	return fmt.Sprintf("web-%05d", number)
}

func get(ctx context.Context, pods typedv1.PodInterface, count int) (int, error) {
	for number := range count {
		if _, err := pods.Get(ctx, podName(number), metav1.GetOptions{}); err != nil {
			return 0, err
		}
	}
	return count, nil
}

func getConcurrent(ctx context.Context, pods typedv1.PodInterface, count int) (int, error) {
	ended := make(chan error, requestsAtOnce)
	for first := range requestsAtOnce {
		go func() {
			for number := first; number < count; number += requestsAtOnce {
				if _, err := pods.Get(ctx, podName(number), metav1.GetOptions{}); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for range requestsAtOnce {
		if err := <-ended; err != nil {
			return 0, err
		}
	}
	return count, nil
}

func write(ctx context.Context, configMaps typedv1.ConfigMapInterface) (int, error) {
	patch := []byte(`{"data":{"patched":"yes"}}`)
	for number := range writes {
		// Another name for each process, as one may have been stopped half-way.
		name := fmt.Sprintf("written-%d-%d", os.Getpid(), number)
		configMap := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Data:       map[string]string{"settings": configuration()},
		}
		created, err := configMaps.Create(ctx, configMap, metav1.CreateOptions{})
		if err != nil {
			return 0, err
		}
		created.Data["updated"] = "yes"
		if _, err := configMaps.Update(ctx, created, metav1.UpdateOptions{}); err != nil {
			return 0, err
		}
		if _, err := configMaps.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return 0, err
		}
		if err := configMaps.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			return 0, err
		}
	}
	return writes, nil
}

// configuration is about a kilobyte of text, as a configuration file has.
func configuration() string {
	var text strings.Builder
	for number := range configurationSize {
		fmt.Fprintf(&text, "setting-%02d: a value of the usual length, %d\n", number, number)
	}
	return text.String()
}

// logs reads a log line by line.
func logs(ctx context.Context, pods typedv1.PodInterface) (int, error) {
	log, err := pods.GetLogs("log", &corev1.PodLogOptions{}).Stream(ctx)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	lines, count := bufio.NewScanner(log), 0
	for lines.Scan() {
		count++
	}
	return count, lines.Err()
}
