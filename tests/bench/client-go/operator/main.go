// examples/one-group-operator as it is written with client-go: for its build time and its size.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	typedv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
)

func main() {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	apps, err := typedv1.NewForConfig(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		// Watches end: the server closes them in time, and connections break.
		if err := labelDeployments(context.Background(), apps); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		time.Sleep(time.Second)
	}
}

func labelDeployments(ctx context.Context, apps typedv1.AppsV1Interface) error {
	// A watch without a version starts with all the deployments there are.
	events, err := apps.Deployments(metav1.NamespaceAll).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		deployment, ok := event.Object.(*appsv1.Deployment)
		if !ok || (event.Type != watch.Added && event.Type != watch.Modified) {
			continue
		}
		if _, labelled := deployment.Labels["team"]; labelled {
			continue
		}
		if err := label(ctx, apps.Deployments(deployment.Namespace), deployment.Name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		fmt.Printf("labelled %s/%s\n", deployment.Namespace, deployment.Name)
	}
	return nil
}

// label reads, changes and updates until nobody else was faster.
func label(ctx context.Context, deployments typedv1.DeploymentInterface, name string) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		deployment, err := deployments.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if deployment.Labels == nil {
			deployment.Labels = map[string]string{}
		}
		if _, labelled := deployment.Labels["team"]; !labelled {
			deployment.Labels["team"] = "unowned"
		}
		_, err = deployments.Update(ctx, deployment, metav1.UpdateOptions{FieldManager: "one-group-operator"})
		return err
	})
}
