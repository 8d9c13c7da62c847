// Extract answers what client-go extracts: the tests of k8s-client compare their own answers with it.
//
// It reads a question a line from standard input, as JSON, and writes an answer a line:
//
//	{"object": {…}, "fieldManager": "me", "subresource": "status"}
//
// An answer is the apply configuration, or {"error": "…"}. The object must have its apiVersion and kind.
//
// It is a program of its own since the control plane needs none of this.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/applyconfiguration/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	admissionregistration "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
	apps "k8s.io/client-go/applyconfigurations/apps/v1"
	autoscaling "k8s.io/client-go/applyconfigurations/autoscaling/v2"
	batch "k8s.io/client-go/applyconfigurations/batch/v1"
	coordination "k8s.io/client-go/applyconfigurations/coordination/v1"
	core "k8s.io/client-go/applyconfigurations/core/v1"
	discovery "k8s.io/client-go/applyconfigurations/discovery/v1"
	flowcontrol "k8s.io/client-go/applyconfigurations/flowcontrol/v1"
	networking "k8s.io/client-go/applyconfigurations/networking/v1"
	policy "k8s.io/client-go/applyconfigurations/policy/v1"
	rbac "k8s.io/client-go/applyconfigurations/rbac/v1"
	resource "k8s.io/client-go/applyconfigurations/resource/v1"
	scheduling "k8s.io/client-go/applyconfigurations/scheduling/v1"
	storage "k8s.io/client-go/applyconfigurations/storage/v1"
)

type question struct {
	Object       json.RawMessage `json:"object"`
	FieldManager string          `json:"fieldManager"`
	Subresource  string          `json:"subresource"`
}

// extractor decodes the question's object and gives it to one of client-go's functions.
type extractor func(question) (any, error)

func of[Object, Configuration any](extract func(*Object, string, string) (*Configuration, error)) extractor {
	return func(question question) (any, error) {
		object := new(Object)
		if err := json.Unmarshal(question.Object, object); err != nil {
			return nil, err
		}
		return extract(object, question.FieldManager, question.Subresource)
	}
}

var extractors = map[metav1.TypeMeta]extractor{
	{APIVersion: "admissionregistration.k8s.io/v1", Kind: "ValidatingAdmissionPolicy"}: of(admissionregistration.ExtractValidatingAdmissionPolicyFrom),
	{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"}:          of(apiextensions.ExtractCustomResourceDefinitionFrom),
	{APIVersion: "apps/v1", Kind: "ControllerRevision"}:                                of(apps.ExtractControllerRevisionFrom),
	{APIVersion: "apps/v1", Kind: "DaemonSet"}:                                         of(apps.ExtractDaemonSetFrom),
	{APIVersion: "apps/v1", Kind: "Deployment"}:                                        of(apps.ExtractDeploymentFrom),
	{APIVersion: "apps/v1", Kind: "ReplicaSet"}:                                        of(apps.ExtractReplicaSetFrom),
	{APIVersion: "apps/v1", Kind: "StatefulSet"}:                                       of(apps.ExtractStatefulSetFrom),
	{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"}:                    of(autoscaling.ExtractHorizontalPodAutoscalerFrom),
	{APIVersion: "batch/v1", Kind: "CronJob"}:                                          of(batch.ExtractCronJobFrom),
	{APIVersion: "batch/v1", Kind: "Job"}:                                              of(batch.ExtractJobFrom),
	{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"}:                              of(coordination.ExtractLeaseFrom),
	{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"}:                         of(discovery.ExtractEndpointSliceFrom),
	{APIVersion: "flowcontrol.apiserver.k8s.io/v1", Kind: "FlowSchema"}:                of(flowcontrol.ExtractFlowSchemaFrom),
	{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"}:                              of(networking.ExtractIngressFrom),
	{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"}:                        of(networking.ExtractNetworkPolicyFrom),
	{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"}:                             of(policy.ExtractPodDisruptionBudgetFrom),
	{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole"}:                  of(rbac.ExtractClusterRoleFrom),
	{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "Role"}:                         of(rbac.ExtractRoleFrom),
	{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "RoleBinding"}:                  of(rbac.ExtractRoleBindingFrom),
	{APIVersion: "resource.k8s.io/v1", Kind: "ResourceClaim"}:                          of(resource.ExtractResourceClaimFrom),
	{APIVersion: "scheduling.k8s.io/v1", Kind: "PriorityClass"}:                        of(scheduling.ExtractPriorityClassFrom),
	{APIVersion: "storage.k8s.io/v1", Kind: "StorageClass"}:                            of(storage.ExtractStorageClassFrom),
	{APIVersion: "v1", Kind: "ConfigMap"}:                                              of(core.ExtractConfigMapFrom),
	{APIVersion: "v1", Kind: "LimitRange"}:                                             of(core.ExtractLimitRangeFrom),
	{APIVersion: "v1", Kind: "Namespace"}:                                              of(core.ExtractNamespaceFrom),
	{APIVersion: "v1", Kind: "Node"}:                                                   of(core.ExtractNodeFrom),
	{APIVersion: "v1", Kind: "PersistentVolume"}:                                       of(core.ExtractPersistentVolumeFrom),
	{APIVersion: "v1", Kind: "PersistentVolumeClaim"}:                                  of(core.ExtractPersistentVolumeClaimFrom),
	{APIVersion: "v1", Kind: "Pod"}:                                                    of(core.ExtractPodFrom),
	{APIVersion: "v1", Kind: "ResourceQuota"}:                                          of(core.ExtractResourceQuotaFrom),
	{APIVersion: "v1", Kind: "Secret"}:                                                 of(core.ExtractSecretFrom),
	{APIVersion: "v1", Kind: "Service"}:                                                of(core.ExtractServiceFrom),
	{APIVersion: "v1", Kind: "ServiceAccount"}:                                         of(core.ExtractServiceAccountFrom),
}

func main() {
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "extract: %v\n", err)
		os.Exit(1)
	}
}

func answerAll(input io.Reader, output io.Writer) error {
	questions, answers := json.NewDecoder(bufio.NewReader(input)), json.NewEncoder(output)
	for {
		var question question
		switch err := questions.Decode(&question); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
		answer, err := answer(question)
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}

func answer(question question) (any, error) {
	var kind metav1.TypeMeta
	if err := json.Unmarshal(question.Object, &kind); err != nil {
		return nil, err
	}
	extract, known := extractors[kind]
	if !known {
		return nil, fmt.Errorf("no extract function for %s %s", kind.APIVersion, kind.Kind)
	}
	return extract(question)
}
