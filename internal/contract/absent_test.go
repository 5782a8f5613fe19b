package contract_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestWithoutNulls(t *testing.T) {
	for document, want := range map[string]string{
		`null`:                               ``,
		``:                                   ``,
		`{}`:                                 `{}`,
		`{"a":null,"b":{"c":null},"d":""}`:   `{"b":{},"d":""}`,
		`{"a":[null,{"b":null,"c":1}]}`:      `{"a":[null,{"c":1}]}`,
		`{"large":123456789012345678901}`:    `{"large":123456789012345678901}`,
		`{"text":"null","flag":false,"n":0}`: `{"flag":false,"n":0,"text":"null"}`,
		`not JSON`:                           `not JSON`,
	} {
		require.Equal(t, want, string(contract.WithoutNulls(json.RawMessage(document))), document)
	}
}

// Only diagnostics need to know which attribute a part came from: renaming one must not make another container.
func TestAttributesForDiagnosticsAreInNoHash(t *testing.T) {
	plain := contract.Component{Name: "app", Ports: []contract.Port{{Name: "http"}}, Volumes: []contract.Volume{{Name: "data"}}, Joins: []contract.Join{{}}}
	named := contract.Component{
		Name: "app", Ports: []contract.Port{{Name: "http", Attribute: "ports.http"}},
		Volumes: []contract.Volume{{Name: "data", Attribute: "volumes.data"}}, Joins: []contract.Join{{Attribute: "env.URL"}},
	}
	require.Equal(t, plain.ConfigHash(), named.ConfigHash())
	require.Equal(t, "ports.http", named.Ports[0].Attribute, "the component itself keeps it")
}
