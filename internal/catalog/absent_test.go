package catalog_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// written are inputs of every kind, with something on every level and every image given, so that a new default changes nothing
// here. The hashes that they lead to are in testdata/hashes.txt.
var written = map[contract.Kind]struct {
	input any
	json  string
}{
	contract.LogsPipeline: {catalog.LogsPipelineInput{}, `{"labels":{"team":"a"},"collector":{"image":"c:1","grpc_port":14317},"loki":{"image":"l:1"},
		"grafana":{"image":"g:1","port":3300}}`},
	contract.MetricsPipeline:  {catalog.MetricsPipelineInput{}, `{"prometheus":{"image":"p:1","scrape_targets":[{"targets":["a:1"]}]},"grafana":{"image":"g:1"}}`},
	contract.TracingPipeline:  {catalog.TracingPipelineInput{}, `{"jaeger":{"image":"j:1"},"grafana":{"image":"g:1"}}`},
	contract.DatabasePipeline: {catalog.DatabasePipelineInput{}, `{"neo4j":{"image":"n:1"},"qdrant":{"image":"q:1"}}`},
	contract.ContainerService: {catalog.ContainerServiceInput{}, `{"image":"app:1","ports":{"http":{"container":80}},"health":{"http":{"port":"http"}},
		"volumes":{"data":{"path":"/data"}}}`},
	contract.ChatService:         {catalog.ChatServiceInput{}, `{"image":"chat:1","neo4j":{"image":"n:1"},"cloudflare":{"zone":"example.com","token":{"env":"TOKEN"}}}`},
	contract.ContainerLogsIngest: {catalog.ContainerLogsIngestInput{}, `{"loki_endpoint":"http://loki:3100","collector":{"image":"c:1"}}`},
	contract.OTLPIngest:          {catalog.OTLPIngestInput{}, `{"otlp_endpoint":"http://collector:4318","collector":{"image":"c:1"}}`},
	contract.FlyioDeployment:     {catalog.FlyioInput{}, `{"image":"nginx:1","health":{"path":"/up"},"secrets":{"KEY":{"env":"KEY"}}}`},
	contract.RailwayDeployment:   {catalog.RailwayInput{}, `{"image":"nginx:1","health":{"path":"/up"}}`},
	contract.RenderDeployment:    {catalog.RenderInput{}, `{"image":"nginx:1","health":{"path":"/up"}}`},
	contract.StdoutIngest:        {catalog.StdoutIngestInput{}, `{"endpoint":"http://127.0.0.1:4318","files":{"include":["/var/log/*.log"]},"headers":{"x":{"env":"X"}}}`},
}

// hashes are all digests that an input leads to: of its containers, their labels, a release, and the memo of a start.
func hashes(t *testing.T, kind contract.Kind, input string) []string {
	t.Helper()
	ref := contract.NewRef(kind, "", "app")
	request := contract.Request{ServiceName: "app", Operation: contract.OpCreate, Input: json.RawMessage(input)}
	out := []string{"memo " + request.Digest()}
	for _, entry := range catalog.All() {
		if entry.Kind != kind {
			continue
		}
		stack, err := entry.Expand(ref, json.RawMessage(input))
		require.NoError(t, err)
		for _, c := range stack.Components {
			requireNoNull(t, c.Input)
			requireNoNull(t, c.LiveInput)
			out = append(out, fmt.Sprintf("%s %s label %s live %s", c.Name, c.ConfigHash(), c.Input, c.LiveInput))
		}
	}
	for _, entry := range catalog.Deployments() {
		if entry.Kind != kind {
			continue
		}
		deployment, err := entry.Expand(ref, json.RawMessage(input))
		require.NoError(t, err)
		requireNoNull(t, deployment.Input)
		out = append(out, "release "+deployment.Release)
	}
	if kind == contract.StdoutIngest {
		ingest, err := catalog.ExpandStdoutIngest(ref, json.RawMessage(input))
		require.NoError(t, err)
		out = append(out, "ingest "+ingest.Digest())
	}
	return out
}

func requireNoNull(t *testing.T, document json.RawMessage) {
	t.Helper()
	require.NotContains(t, string(document), "null", "what was not written is absent")
}

// An upgrade must not make another container, release or tail for a user who has changed nothing.
func TestHashesStay(t *testing.T) {
	var all strings.Builder
	for _, kind := range slices.SortedFunc(maps.Keys(written), func(a, b contract.Kind) int { return strings.Compare(a.Name, b.Name) }) {
		for _, line := range hashes(t, kind, written[kind].json) {
			fmt.Fprintf(&all, "%s %s\n", kind.Name, line)
		}
	}
	compare(t, "hashes.txt", all.String())
}

func TestEveryKindHasAWrittenInput(t *testing.T) {
	require.Len(t, written, len(contract.Kinds()))
}

// A version that has one more optional attribute sends it as null, or has it as nil where nobody wrote it. An older one that is
// sent the null, and the newer one itself, come to the same labels, hashes and digests as before.
func TestAnAttributeThatNobodyUsesChangesNothing(t *testing.T) {
	for kind, w := range written {
		t.Run(kind.Name, func(t *testing.T) {
			before := reflect.New(reflect.TypeOf(w.input))
			require.NoError(t, json.Unmarshal([]byte(w.json), before.Interface()))
			after := reflect.New(grown(reflect.TypeOf(w.input)))
			require.NoError(t, json.Unmarshal([]byte(w.json), after.Interface()))

			plain, err := json.Marshal(after.Interface())
			require.NoError(t, err)
			require.Contains(t, string(plain), `"brand_new":null`, "the type has grown, or this test proves nothing")
			was, err := contract.Encode(before.Interface())
			require.NoError(t, err)
			is, err := contract.Encode(after.Interface())
			require.NoError(t, err)
			require.JSONEq(t, string(was), string(is), "labels, requests and records are made by Encode")
			require.Equal(t, hashes(t, kind, w.json), hashes(t, kind, string(plain)), "a worker that does not know the attribute")
		})
	}
}

// grown is t with one more optional attribute in every object.
func grown(t reflect.Type) reflect.Type {
	switch t.Kind() {
	case reflect.Pointer:
		return reflect.PointerTo(grown(t.Elem()))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return t
		}
		return reflect.SliceOf(grown(t.Elem()))
	case reflect.Map:
		return reflect.MapOf(t.Key(), grown(t.Elem()))
	case reflect.Struct:
		fields := append(grownFields(t), reflect.StructField{Name: "BrandNew", Type: reflect.TypeFor[*string](), Tag: `json:"brand_new"`})
		return reflect.StructOf(fields)
	default:
		return t
	}
}

func grownFields(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous && field.Tag.Get("json") == "" {
			fields = append(fields, grownFields(field.Type)...)
			continue
		}
		fields = append(fields, reflect.StructField{Name: field.Name, Type: grown(field.Type), Tag: field.Tag})
	}
	return fields
}

func TestAnAttributeOfANewerProviderIsRefusedWithItsName(t *testing.T) {
	for kind, input := range map[contract.Kind]string{
		contract.ContainerService: `{"image":"app:1","extra_hosts":{"a":"10.0.0.1"}}`,
		contract.LogsPipeline:     `{"collector":{"extra_hosts":["a"]}}`,
	} {
		for _, entry := range catalog.All() {
			if entry.Kind == kind {
				_, err := entry.Expand(contract.NewRef(kind, "", "app"), json.RawMessage(input))
				failure := contract.AsFailure(err)
				require.NotNil(t, failure)
				require.Equal(t, contract.InvalidInput, failure.Class)
				require.Contains(t, failure.Cause, `"extra_hosts"`)
				require.Equal(t, catalog.UpgradeWorker, failure.Hint)
			}
		}
	}
}
