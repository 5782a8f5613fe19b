package railway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	// DefaultURL is Railway's own API.
	DefaultURL = "https://backboard.railway.com"
	// path is where the API answers below its base URL.
	path = "/graphql/v2"
	// source must stand in the query string: without one, Railway's edge answers 429 at about ten requests a second.
	source = "terraform-provider-orch"
)

// requests is the least that a paid plan allows.
var requests = cloud.Limit{Key: "requests", Every: 100 * time.Millisecond, Burst: 10}

// Client is Railway's API with one token. It is safe for concurrent use.
type Client struct{ http *cloud.Client }

// New returns a client for the API below baseURL; empty is Railway's own. A project token goes into a header of its own: in
// the place of an account's or a workspace's token it is not known.
func New(baseURL, token string, projectToken bool, governor *cloud.Governor) *Client {
	if baseURL == "" {
		baseURL = DefaultURL
	}
	options := cloud.Options{Platform: "Railway", BaseURL: baseURL, Token: token, Explain: explain, Governor: governor}
	if projectToken {
		options.Authorize = func(r *http.Request, token string) { r.Header.Set("Project-Access-Token", token) }
	}
	return &Client{cloud.New(options)}
}

// problem is an element of a GraphQL answer's errors.
type problem struct {
	Message    string `json:"message"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
	TraceID string `json:"traceId"`
}

// operationOf finds kind and name in an operation's text.
var operationOf = regexp.MustCompile(`^(query|mutation) (\w+)`)

// do sends one operation and decodes its data. A mutation is sent once; a query is sent again while that may help.
func do[Out any](ctx context.Context, c *Client, query string, variables any) (Out, error) {
	var answer struct {
		Data   *Out      `json:"data"`
		Errors []problem `json:"errors"`
	}
	operation := operationOf.FindStringSubmatch(query)
	body := map[string]any{"query": query}
	if variables != nil {
		body["variables"] = variables
	}
	safe := operation[1] == "query"
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: path, Query: url.Values{"source": {source}}, Body: body, Safe: safe, Limit: requests,
	}, &answer)
	var failed *cloud.Error
	if errors.As(err, &failed) {
		failed.Method, failed.Path = operation[1], operation[2]
	}
	var none Out
	switch {
	case err != nil:
		return none, err
	case len(answer.Errors) > 0:
		return none, refused(operation[1], operation[2], answer.Errors[0])
	case answer.Data == nil:
		return none, refused(operation[1], operation[2], problem{Message: "an answer without data"})
	}
	return *answer.Data, nil
}

// confirm sends a mutation that answers true.
func confirm(ctx context.Context, c *Client, query, field string, variables any) error {
	out, err := do[map[string]bool](ctx, c, query, variables)
	if err == nil && !out[field] {
		return refused("mutation", field, problem{Message: "Railway answered that it was not done"})
	}
	return err
}

// meanings are what Railway's messages stand for. The code says nothing: it is INTERNAL_SERVER_ERROR in nearly every case.
var meanings = []struct {
	contains string
	class    contract.ErrorClass
	hint     string
}{
	{"Not Authorized", contract.Denied, "check the token: it may be wrong or expired, or of a kind that cannot do this; the token of an account or of a workspace can make " +
		"and delete projects, a project's token cannot"},
	{"Project Token not found", contract.Denied, "check the token: Railway knows no such project token"},
	{"already exists", contract.Conflict, ""},
	{"creating projects too quickly", contract.Unavailable, ""},
	{"Failed to create service domain", contract.NotFound, ""}, // the instance is not ready yet
	{"Commit not found", contract.InvalidInput, ""},
	{"ServiceInstance not found", contract.NotFound, ""},
	{"Project not found", contract.NotFound, ""},
	{"Environment not found", contract.NotFound, ""},
	{"Service not found", contract.NotFound, ""},
	{"Deployment not found", contract.NotFound, ""},
	{"Problem processing request", contract.Unavailable, ""},
	{"rate limit", contract.Unavailable, ""},
}

// refused is the error that Railway's answer means. A mutation that failed for a reason that is not known may have been done.
func refused(kind, operation string, p problem) *cloud.Error {
	failed := &cloud.Error{
		Platform: "Railway", Method: kind, Path: operation, Status: http.StatusOK, Code: p.Extensions.Code,
		Message: cloud.Quote(p.Message), RequestID: p.TraceID, Class: contract.InvalidInput,
	}
	for _, m := range meanings {
		if strings.Contains(strings.ToLower(p.Message), strings.ToLower(m.contains)) {
			failed.Class, failed.Hint = m.class, m.hint
			break
		}
	}
	if p.Extensions.Code == "UNAUTHENTICATED" {
		failed.Class, failed.Hint = contract.Denied, meanings[0].hint
	}
	failed.Ambiguous = kind == "mutation" && failed.Class == contract.Unavailable && strings.Contains(p.Message, "Problem processing")
	return failed
}

// explain reads an answer whose status is an error: GraphQL's form, or the edge's plain text such as "error code: 1015".
func explain(_ int, body []byte) (code, message string) {
	var answer struct {
		Errors  []problem `json:"errors"`
		Message string    `json:"message"`
	}
	switch {
	case json.Unmarshal(body, &answer) != nil:
		return "", cloud.Quote(string(body))
	case len(answer.Errors) > 0:
		return answer.Errors[0].Extensions.Code, cloud.Quote(answer.Errors[0].Message)
	case answer.Message != "":
		return "", cloud.Quote(answer.Message)
	default:
		return "", cloud.Quote(string(body))
	}
}
