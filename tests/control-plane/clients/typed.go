package main

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// typed sends and reads objects of built-in kinds, which travel as protobuf.
func typed(ctx context.Context, config *rest.Config, client *kubernetes.Clientset, namespace, _ string) error {
	zero, labels := int32(0), map[string]string{"app": "typed"}
	deployments := client.AppsV1().Deployments(namespace)
	created, err := deployments.Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "typed", Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &zero,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "c", Image: "i:1", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
					Resources: corev1.ResourceRequirements{
						Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")},
					},
				}}},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	say("typed: created %s with %+v", created.Name, created.Spec.Template.Spec.Containers[0])
	say("typed: rolls out by %+v", created.Spec.Strategy.RollingUpdate)
	_, err = deployments.Create(ctx, created, metav1.CreateOptions{})
	say("typed: again: %v", err)
	_, err = deployments.Get(ctx, "nothing", metav1.GetOptions{})
	say("typed: %v, which is not found: %t", err, apierrors.IsNotFound(err))
	review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx,
		&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "get", Resource: "pods"},
		}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	say("typed: allowed %t", review.Status.Allowed)
	metadatas, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	list, err := metadatas.Resource(appsv1.SchemeGroupVersion.WithResource("deployments")).Namespace(namespace).
		List(ctx, metav1.ListOptions{LabelSelector: "app=typed"})
	if err != nil {
		return err
	}
	say("typed: metadata of %d with labels %v", len(list.Items), list.Items[0].Labels)
	foreground := metav1.DeletePropagationForeground
	options := metav1.DeleteOptions{PropagationPolicy: &foreground, Preconditions: metav1.NewUIDPreconditions("other")}
	err = deployments.Delete(ctx, "typed", options)
	say("typed: of another uid: %s", strings.ReplaceAll(fmt.Sprint(err), string(created.UID), "UID"))
	options.Preconditions = metav1.NewUIDPreconditions(string(created.UID))
	return deployments.Delete(ctx, "typed", options)
}
