// Control-plane is etcd, kube-apiserver, kube-controller-manager and two nodes in one program: what the
// tests of k8s-client and its quickstart run against.
//
// Like busybox, it is the program it is called as. The test harness (../harness) builds it into a
// folder and links their names to it, which makes that folder one of the kind that envtest's
// KUBEBUILDER_ASSETS names; so the harness starts what it built and what it was given alike. The
// program may also be called by its own name, with the component as first argument:
//
//	control-plane kube-apiserver --help
//
// One program instead of four compiles as fast, links once rather than four times, and its pages are
// shared by the four processes.
//
// etcd and kube-apiserver are whole. kube-controller-manager is Kubernetes' own controllers too, but
// not all of them (controllers.go) and with a start of our own (controllermanager.go), which saves a
// first build a fifth of its compile time. The nodes (node) are ours, around Kubernetes' own servers of
// streams and logs.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // time zones of CronJobs, on machines without a zone database

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s-client.test/control-plane/node"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // the build's version as a metric
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if filepath.Base(os.Args[0]) == "control-plane" && len(os.Args) > 1 {
		os.Args = os.Args[1:]
	}
	// The first two are all that the component's own main package does.
	switch name := filepath.Base(os.Args[0]); name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		if err := runControllerManager(os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
	case "test-node":
		if err := node.Run(os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
	case "image":
		if err := node.RunImage(os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
	default:
		const names = "etcd, kube-apiserver, kube-controller-manager or test-node"
		fmt.Fprintf(os.Stderr, "%s: call it as, or with, %s\n", name, names)
		os.Exit(2)
	}
}
