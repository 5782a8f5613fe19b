package deployments_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	api "github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
)

// railwaySchema is Railway's schema from the directory of schemas. It is read once: it has 6,000 lines.
func railwaySchema(t testing.TB, dir string) *ast.Schema {
	t.Helper()
	schemas.Lock()
	defer schemas.Unlock()
	if schemas.railway == nil {
		text, err := os.ReadFile(filepath.Join(dir, "railway", "schema.graphql"))
		require.NoError(t, err)
		schema, err := gqlparser.LoadSchema(&ast.Source{Name: "railway", Input: string(text)})
		require.NoError(t, err)
		schemas.railway = schema
	}
	return schemas.railway
}

var schemas struct {
	sync.Mutex
	railway *ast.Schema
}

// railwaySpec holds an exchange against Railway's schema: the operation, its variables, and everything that the double answers.
// The text of every operation that the client can send is checked as well, also of those that no test needs.
func railwaySpec(t testing.TB, dir string) func(cloudfault.Exchange) {
	t.Helper()
	schema := railwaySchema(t, dir)
	for _, operation := range api.Operations() {
		_, errs := gqlparser.LoadQueryWithRules(schema, operation, nil)
		require.Empty(t, errs, operation)
	}
	return func(e cloudfault.Exchange) {
		if e.Request.Method != http.MethodPost || e.Status != http.StatusOK {
			return // the edge's own answers, and requests that are wrong on purpose
		}
		var request struct {
			Query     string         `json:"query"`
			Variables map[string]any `json:"variables"`
		}
		if !assert.NoError(t, json.Unmarshal(e.RequestBody, &request)) {
			return
		}
		doc, errs := gqlparser.LoadQueryWithRules(schema, request.Query, nil)
		if !assert.Empty(t, errs, request.Query) {
			return
		}
		_, err := validator.VariableValues(schema, doc.Operations[0], request.Variables)
		assert.NoError(t, err, "%s with %v", request.Query, request.Variables)
		var answer struct {
			Data   map[string]any   `json:"data"`
			Errors []map[string]any `json:"errors"`
		}
		if assert.NoError(t, json.Unmarshal(e.Answer, &answer)) && len(answer.Errors) == 0 {
			fitsSelection(t, schema, answer.Data, doc.Operations[0].SelectionSet, doc.Operations[0].Name)
		}
	}
}

// fitsSelection checks that an object has exactly the fields that were selected, each of its type.
func fitsSelection(t testing.TB, schema *ast.Schema, object map[string]any, set ast.SelectionSet, where string) {
	assert.Len(t, object, len(set), where)
	for _, selection := range set {
		field, ok := selection.(*ast.Field)
		if !assert.True(t, ok, where) {
			continue
		}
		value, there := object[field.Alias]
		assert.True(t, there, "%s has no %s", where, field.Alias)
		fitsType(t, schema, value, field.Definition.Type, field.SelectionSet, where+"."+field.Alias)
	}
}

func fitsType(t testing.TB, schema *ast.Schema, value any, of *ast.Type, set ast.SelectionSet, where string) {
	switch {
	case value == nil:
		assert.False(t, of.NonNull, "%s is null, and its type is %s", where, of)
	case of.Elem != nil:
		list, ok := value.([]any)
		assert.True(t, ok, "%s is no list", where)
		for _, one := range list {
			fitsType(t, schema, one, of.Elem, set, where+"[]")
		}
	default:
		fitsDefinition(t, schema, value, schema.Types[of.NamedType], set, where)
	}
}

func fitsDefinition(t testing.TB, schema *ast.Schema, value any, def *ast.Definition, set ast.SelectionSet, where string) {
	switch def.Kind {
	case ast.Object:
		object, ok := value.(map[string]any)
		if assert.True(t, ok, "%s is no object", where) {
			fitsSelection(t, schema, object, set, where)
		}
		return
	case ast.Enum:
		assert.NotNil(t, def.EnumValues.ForName(fmt.Sprint(value)), "%s is %v, which is no %s", where, value, def.Name)
		return
	}
	switch def.Name {
	case "String", "ID":
		assert.IsType(t, "", value, where)
	case "Boolean":
		assert.IsType(t, true, value, where)
	case "Int":
		number, ok := value.(float64)
		assert.True(t, ok && number == float64(int32(number)), "%s is %v, which is no Int", where, value)
	case "DateTime":
		_, err := time.Parse(time.RFC3339, fmt.Sprint(value))
		assert.NoError(t, err, where)
	case "EnvironmentVariables":
		variables, ok := value.(map[string]any)
		assert.True(t, ok, where)
		for name, v := range variables {
			assert.IsType(t, "", v, where+"."+name)
		}
	default:
		assert.Fail(t, "the check does not know the scalar "+def.Name, where)
	}
}
