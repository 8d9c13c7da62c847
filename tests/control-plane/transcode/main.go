// Transcode writes objects as Kubernetes' own codecs do: the tests of k8s-client compare their protobuf with it.
//
// It reads an object a line from standard input, and writes an answer a line:
//
//	{"body": "<base64>"}                      JSON or protobuf, which it can tell apart
//	{"json": {…}, "protobuf": "<base64>"}     the same object in both forms, or {"error": "…"}
//
// It is a program of its own since the control plane needs none of this.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

type question struct {
	Body []byte `json:"body"`
}

type answer struct {
	JSON     json.RawMessage `json:"json,omitempty"`
	Protobuf []byte          `json:"protobuf,omitempty"`
	Error    string          `json:"error,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "transcode:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	types := scheme.Scheme
	if err := apiextensions.AddToScheme(types); err != nil {
		return err
	}
	if err := apiregistration.AddToScheme(types); err != nil {
		return err
	}
	inJSON := kjson.NewSerializerWithOptions(kjson.DefaultMetaFactory, types, types, kjson.SerializerOptions{})
	inProtobuf := protobuf.NewSerializer(types, types)

	questions := bufio.NewReader(in)
	answers := bufio.NewWriter(out)
	for {
		line, err := questions.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			encoded, err := json.Marshal(transcoded(line, inJSON, inProtobuf))
			if err != nil {
				return err
			}
			if _, err := answers.Write(append(encoded, '\n')); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return answers.Flush()
		}
		if err != nil {
			return err
		}
	}
}

func transcoded(line []byte, inJSON, inProtobuf runtime.Serializer) answer {
	fail := func(err error) answer { return answer{Error: err.Error()} }
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return fail(err)
	}
	codec := inJSON
	if bytes.HasPrefix(asked.Body, []byte("k8s\x00")) {
		codec = inProtobuf
	}
	object, kind, err := codec.Decode(asked.Body, nil, nil)
	if err != nil {
		return fail(err)
	}
	// Decoding leaves it in the object for JSON alone.
	object.GetObjectKind().SetGroupVersionKind(*kind)
	var asJSON, asProtobuf bytes.Buffer
	if err := inJSON.Encode(object, &asJSON); err != nil {
		return fail(err)
	}
	if err := inProtobuf.Encode(object, &asProtobuf); err != nil {
		return fail(err)
	}
	return answer{JSON: asJSON.Bytes(), Protobuf: asProtobuf.Bytes()}
}
