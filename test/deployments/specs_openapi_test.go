package deployments_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
)

// openAPI is a schema that knows exactly the fields that it names.
type openAPI struct {
	doc *openapi3.T
	// prefix is what stands before the schema's paths.
	prefix string
	// excused tells the known error of the schema that an error is, or nothing.
	excused func(e cloudfault.Exchange, path, text string) string
}

var loaded sync.Map // by file, because a schema takes a while to read

// loadOpenAPI reads a schema.
func loadOpenAPI(t testing.TB, file string) *openapi3.T {
	t.Helper()
	if known, ok := loaded.Load(file); ok {
		doc, ok := known.(*openapi3.T)
		require.True(t, ok)
		return doc
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	require.NoError(t, err)
	if doc.Components != nil {
		for _, schema := range doc.Components.Schemas {
			closeSchema(schema)
		}
	}
	loaded.Store(file, doc)
	return doc
}

// closeSchema makes an object with named properties refuse all others: a misspelt field must not pass.
func closeSchema(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil || ref.Ref != "" {
		return
	}
	s := ref.Value
	if len(s.Properties) > 0 && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil && len(s.AllOf) == 0 {
		no := false
		s.AdditionalProperties.Has = &no
	}
	for _, property := range s.Properties {
		closeSchema(property)
	}
	closeSchema(s.Items)
}

// check holds an exchange against the schema.
func (o openAPI) check(t testing.TB, e cloudfault.Exchange) {
	path := strings.TrimPrefix(e.Request.URL.Path, o.prefix)
	if path == e.Request.URL.Path && o.prefix != "" {
		return // the application's own, not the API's
	}
	template, item, params := o.find(path)
	if !assert.NotNil(t, item, "the schema has no path %s", path) {
		return
	}
	operation := item.GetOperation(e.Request.Method)
	if !assert.NotNil(t, operation, "the schema has no %s %s", e.Request.Method, template) {
		return
	}
	request := httptest.NewRequestWithContext(context.Background(), e.Request.Method, e.Request.URL.RequestURI(), bytes.NewReader(e.RequestBody))
	request.Header = e.Request.Header.Clone()
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: params,
		Route:   &routers.Route{Spec: o.doc, Path: template, PathItem: item, Method: e.Request.Method, Operation: operation},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true},
	}
	where := e.Request.Method + " " + template
	if e.Status < 400 { // what a double refuses may be wrong on purpose
		o.judge(t, e, template, where+": request", openapi3filter.ValidateRequest(context.Background(), input))
	}
	if e.Status >= 300 && operation.Responses.Status(e.Status) == nil {
		return // the schema leaves most errors out
	}
	o.judge(t, e, template, where+": answer", openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: e.Status, Header: http.Header{"Content-Type": e.Header["Content-Type"]},
		Body:    io.NopCloser(bytes.NewReader(e.Answer)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}))
}

func (o openAPI) judge(t testing.TB, e cloudfault.Exchange, template, where string, err error) {
	if err == nil {
		return
	}
	if what := o.excused(e, template, err.Error()); what != "" {
		knownError(what)
		return
	}
	t.Errorf("%s does not fit the schema: %v\nrequest: %s\nanswer: %s", where, err, e.RequestBody, e.Answer)
}

// find is the schema's path for a path; literal segments go before parameters.
func (o openAPI) find(path string) (template string, item *openapi3.PathItem, params map[string]string) {
	parts := strings.Split(path, "/")
	best := -1
	for candidate, value := range o.doc.Paths.Map() {
		names := strings.Split(candidate, "/")
		if len(names) != len(parts) {
			continue
		}
		found, literal, fits := map[string]string{}, 0, true
		for i, name := range names {
			switch {
			case strings.HasPrefix(name, "{"):
				found[strings.Trim(name, "{}")] = parts[i]
			case name == parts[i]:
				literal++
			default:
				fits = false
			}
		}
		if fits && literal > best {
			template, item, params, best = candidate, value, found, literal
		}
	}
	return template, item, params
}

// flySpec holds exchanges against Fly.io's schema of the Machines API.
func flySpec(t testing.TB, dir string) func(cloudfault.Exchange) {
	o := openAPI{
		doc: loadOpenAPI(t, filepath.Join(dir, "fly", "machines-openapi3.trimmed.json")), prefix: "/v1",
		excused: func(e cloudfault.Exchange, path, _ string) string {
			switch {
			case strings.HasSuffix(path, "/lease") && e.Request.Method == http.MethodPost && bytes.Contains(e.Answer, []byte(`"data"`)):
				return "Fly.io: the answer of a lease is in an envelope {status, data}, which the schema does not know"
			case strings.HasSuffix(path, "/secrets") && bytes.Contains(e.RequestBody, []byte("null")):
				return "Fly.io: a secret is unset by the value null, which the schema does not allow"
			default:
				return ""
			}
		},
	}
	return func(e cloudfault.Exchange) { o.check(t, e) }
}

// A check that cannot fail is a defect: what does not fit must be found.
func TestSchemaCheckFindsWhatDoesNotFit(t *testing.T) {
	dir := os.Getenv(specsVariable)
	if dir == "" {
		t.Skipf("NOT RUN: there are no schemas without %s; make test-specs SPECS=DIR sets it", specsVariable)
	}
	request := func(method, path, body, answer string, status int) cloudfault.Exchange {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set("Content-Type", "application/json")
		return cloudfault.Exchange{Request: r, RequestBody: []byte(body), Answer: []byte(answer), Status: status, Header: http.Header{"Content-Type": {"application/json"}}}
	}
	for name, e := range map[string]cloudfault.Exchange{
		"a path":              request("GET", "/v1/appz", "", "{}", 200),
		"a method":            request("PUT", "/v1/apps/x", "", "{}", 200),
		"a parameter missing": request("GET", "/v1/apps", "", `{"apps":[]}`, 200),
		"a field sent":        request("POST", "/v1/apps", `{"nam":"x"}`, "{}", 201),
		"a type sent":         request("POST", "/v1/apps", `{"name":1}`, "{}", 201),
		"a field answered":    request("GET", "/v1/apps/x", "", `{"idd":"x"}`, 200),
		"a type answered":     request("GET", "/v1/apps/x", "", `{"id":1}`, 200),
		"a status":            request("GET", "/v1/apps/x", "", `{"id":"x"}`, 204),
	} {
		t.Run(name, func(t *testing.T) {
			recorder := &failures{TB: t}
			flySpec(recorder, dir)(e)
			require.NotZero(t, recorder.count)
		})
	}
}

// failures counts what a check finds, without failing the test.
type failures struct {
	testing.TB
	count int
}

// Errorf implements testing.TB.
func (f *failures) Errorf(string, ...any) { f.count++ }
