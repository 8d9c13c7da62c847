// Merge answers what Kubernetes' own libraries make of sequences of writes: the tests of k8s-client-fake compare their
// merges, owners and conflicts with it.
//
// It reads a sequence a line from standard input, as JSON, and writes an answer a line:
//
//	{"apiVersion": "apps/v1", "kind": "Deployment", "empty": {…}, "steps": [
//	  {"operation": "apply", "apiVersion": "apps/v1", "manager": "me", "force": true, "body": {…}, "seconds": 1},
//	  {"operation": "merge", "apiVersion": "apps/v1", "manager": "you", "body": {"spec": {"replicas": 2}}}]}
//
// An answer has a result for each step: {"object": {…}, "fields": ["{…}", …]}, where fields is the FieldsV1 of each
// entry of managedFields in the library's own order, or {"error": {"code": 409, "message": "…", "causes": […]}}. The
// object that a step leaves is what the next one starts from; after an error it is the one of before.
//
// Types come from the OpenAPI definitions that are compiled into kube-apiserver, or from those of "models" that a step
// chooses. Time stands still but
// for the seconds of the steps, and begins at the year 2000: everything runs in a bubble of testing/synctest.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager"
	endpointsopenapi "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	builder "k8s.io/kube-openapi/pkg/builder3"
	"k8s.io/kube-openapi/pkg/util"
	"k8s.io/kube-openapi/pkg/validation/spec"
	generated "k8s.io/kubernetes/pkg/generated/openapi"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

type sequence struct {
	// The version in which the object is stored.
	APIVersion string                    `json:"apiVersion"`
	Kind       string                    `json:"kind"`
	Empty      json.RawMessage           `json:"empty"`
	Models     []map[string]*spec.Schema `json:"models"`
	// FieldsV1 by subresource.
	Reset map[string]json.RawMessage `json:"reset"`
	Steps []step                     `json:"steps"`
}

type step struct {
	Operation   string          `json:"operation"`
	APIVersion  string          `json:"apiVersion"`
	Subresource string          `json:"subresource"`
	Models      int             `json:"models"`
	Manager     string          `json:"manager"`
	Force       bool            `json:"force"`
	Body        json.RawMessage `json:"body"`
	Seconds     int             `json:"seconds"`
}

type result struct {
	Object map[string]any `json:"object,omitempty"`
	Fields []string       `json:"fields,omitempty"`
	Error  *refusal       `json:"error,omitempty"`
}

type refusal struct {
	Code    int                  `json:"code"`
	Message string               `json:"message"`
	Causes  []metav1.StatusCause `json:"causes,omitempty"`
}

func main() {
	klog.SetLogger(logr.Discard())
	answer := func(t *testing.T) {
		synctest.Test(t, func(*testing.T) {
			if err := answerAll(os.Stdin, os.Stdout); err != nil {
				fmt.Fprintf(os.Stderr, "merge: %v\n", err)
				os.Exit(1)
			}
		})
	}
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "answer", F: answer}}, nil, nil)
}

func answerAll(input io.Reader, output io.Writer) error {
	builtIn, err := builtInTypes()
	if err != nil {
		return err
	}
	types, err := managedfields.NewTypeConverter(builtIn, false)
	if err != nil {
		return err
	}
	sequences, answers := json.NewDecoder(bufio.NewReader(input)), json.NewEncoder(output)
	for {
		var sequence sequence
		switch err := sequences.Decode(&sequence); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
		results, err := sequence.run(builtIn, types)
		if err != nil {
			return err
		}
		if err := answers.Encode(results); err != nil {
			return err
		}
	}
}

// builtInTypes makes the models as kube-apiserver makes it, for all kinds of client-go's scheme.
func builtInTypes() (map[string]*spec.Schema, error) {
	namer := endpointsopenapi.NewDefinitionNamer(scheme.Scheme)
	config := genericapiserver.DefaultOpenAPIV3Config(generated.GetOpenAPIDefinitions, namer)
	definitions := generated.GetOpenAPIDefinitions(func(string) spec.Ref { return spec.Ref{} })
	var names []string
	for kind := range scheme.Scheme.AllKnownTypes() {
		object, err := scheme.Scheme.New(kind)
		if err != nil {
			return nil, err
		}
		if name := util.GetCanonicalTypeName(object); definitions[name].Schema.Type != nil {
			names = append(names, name)
		}
	}
	return builder.BuildOpenAPIDefinitionsForResources(config, names...)
}

func (s *sequence) run(builtIn map[string]*spec.Schema, types managedfields.TypeConverter) ([]result, error) {
	converters := []managedfields.TypeConverter{}
	for _, models := range s.Models {
		for name, model := range builtIn {
			models[name] = model
		}
		converter, err := managedfields.NewTypeConverter(models, false)
		if err != nil {
			return nil, err
		}
		converters = append(converters, converter)
	}
	if s.Models == nil {
		converters = append(converters, types)
	}
	empty, err := decoded(s.Empty)
	if err != nil {
		return nil, err
	}
	live, results := empty.DeepCopy(), []result{}
	for _, step := range s.Steps {
		time.Sleep(time.Duration(step.Seconds) * time.Second)
		manager, err := s.manager(&step, converters[step.Models], empty)
		if err != nil {
			return nil, err
		}
		object, err := step.write(manager, live.DeepCopy())
		if err != nil {
			results = append(results, result{Error: refused(err)})
			continue
		}
		if live.GetUID() != "" {
			kept, err := fieldmanager.IgnoreManagedFieldsTimestampsTransformer(context.Background(), object, live)
			if err != nil {
				return nil, err
			}
			object = kept.(*unstructured.Unstructured)
		} else {
			object.SetUID("1")
		}
		live = object.DeepCopy()
		fields, err := texts(live)
		if err != nil {
			return nil, err
		}
		results = append(results, result{Object: live.Object, Fields: fields})
	}
	return results, nil
}

// manager is what a step's endpoint has.
func (s *sequence) manager(
	step *step, types managedfields.TypeConverter, empty *unstructured.Unstructured,
) (*managedfields.FieldManager, error) {
	stored, err := schema.ParseGroupVersion(s.APIVersion)
	if err != nil {
		return nil, err
	}
	version, err := schema.ParseGroupVersion(step.APIVersion)
	if err != nil {
		return nil, err
	}
	reset := map[fieldpath.APIVersion]fieldpath.Filter{}
	if fields, ok := s.Reset[step.Subresource]; ok {
		set := fieldpath.NewSet()
		if err := set.FromJSON(strings.NewReader(string(fields))); err != nil {
			return nil, err
		}
		reset[fieldpath.APIVersion(step.APIVersion)] = fieldpath.NewExcludeSetFilter(set)
	}
	return managedfields.NewDefaultCRDFieldManager(types, renaming{}, renaming{}, empties{empty},
		version.WithKind(s.Kind), stored, step.Subresource, reset)
}

func (s *step) write(
	manager *managedfields.FieldManager, live *unstructured.Unstructured,
) (written *unstructured.Unstructured, err error) {
	defer func() {
		// kube-apiserver answers so as well.
		if recover() != nil {
			err = errors.New("This request caused apiserver to panic. Look in the logs for details.")
		}
	}()
	if s.Operation == "apply" {
		config, err := decoded(s.Body)
		if err != nil {
			return nil, err
		}
		object, err := manager.Apply(live, config, s.Manager, s.Force)
		if err != nil {
			return nil, err
		}
		return object.(*unstructured.Unstructured), nil
	}
	stored := live.GetAPIVersion()
	request := live.DeepCopy()
	request.SetAPIVersion(s.APIVersion)
	patched, err := s.patched(request)
	if err != nil {
		return nil, err
	}
	patched.SetAPIVersion(stored)
	return manager.UpdateNoErrors(live, patched, s.Manager).(*unstructured.Unstructured), nil
}

// patched does what kube-apiserver does with the body before ownership is looked at.
func (s *step) patched(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	switch s.Operation {
	case "replace":
		return decoded(s.Body)
	case "merge":
		before, err := json.Marshal(live.Object)
		if err != nil {
			return nil, err
		}
		after, err := jsonpatch.MergePatch(before, s.Body)
		if err != nil {
			return nil, err
		}
		return decoded(after)
	case "strategic":
		patch, err := decoded(s.Body)
		if err != nil {
			return nil, err
		}
		sample, err := scheme.Scheme.New(live.GroupVersionKind())
		if err != nil {
			return nil, err
		}
		after, err := strategicpatch.StrategicMergeMapPatch(live.Object, patch.Object, sample)
		return &unstructured.Unstructured{Object: after}, err
	}
	return nil, fmt.Errorf("unknown operation %q", s.Operation)
}

// decoded is the JSON as the server reads it: whole numbers stay whole.
func decoded(body []byte) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	return object, utiljson.Unmarshal(body, &object.Object)
}

func refused(err error) *refusal {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		refusal := &refusal{Code: int(status.Status().Code), Message: status.Status().Message}
		if details := status.Status().Details; details != nil {
			refusal.Causes = details.Causes
		}
		return refusal
	}
	code := http.StatusInternalServerError
	switch err { // As kube-apiserver does for patches.
	case mergepatch.ErrBadJSONDoc, mergepatch.ErrBadPatchFormatForPrimitiveList,
		mergepatch.ErrBadPatchFormatForRetainKeys, mergepatch.ErrBadPatchFormatForSetElementOrderList:
		code = http.StatusBadRequest
	case mergepatch.ErrNoListOfLists, mergepatch.ErrPatchContentNotMatchRetainKeys:
		code = http.StatusUnprocessableEntity
	}
	return &refusal{Code: code, Message: err.Error()}
}

// texts are the sets of fields in the library's own order, which maps of Go do not keep.
func texts(object *unstructured.Unstructured) ([]string, error) {
	texts := []string{}
	for _, entry := range object.GetManagedFields() {
		set := fieldpath.NewSet()
		if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
			return nil, err
		}
		text, err := set.ToJSON()
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

// renaming converts between versions as custom resources without a webhook do, and has no defaults.
type renaming struct{}

func (renaming) Convert(_, _, _ any) error { return errors.New("not called") }

func (renaming) ConvertToVersion(in runtime.Object, version runtime.GroupVersioner) (runtime.Object, error) {
	object := in.(*unstructured.Unstructured).DeepCopy()
	if target, ok := version.KindForGroupVersionKinds([]schema.GroupVersionKind{object.GroupVersionKind()}); ok {
		object.SetGroupVersionKind(target)
	}
	return object, nil
}

func (renaming) ConvertFieldLabel(schema.GroupVersionKind, string, string) (string, string, error) {
	return "", "", errors.New("not called")
}

func (renaming) Default(runtime.Object) {}

type empties struct{ object *unstructured.Unstructured }

func (e empties) New(schema.GroupVersionKind) (runtime.Object, error) {
	return e.object.DeepCopy(), nil
}
