package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
)

// DefaultBaseURL is the API's own address.
const DefaultBaseURL = "https://api.cloudflare.com/client/v4"

// maxPages bounds a list whose filter Cloudflare does not follow.
const maxPages = 50

// envelope is around every answer. Success decides, whatever the status says.
type envelope struct {
	Success    bool            `json:"success"`
	Errors     []apiError      `json:"errors"`
	Result     json.RawMessage `json:"result"`
	ResultInfo struct {
		Page       int `json:"page"`
		PerPage    int `json:"per_page"`
		TotalCount int `json:"total_count"`
	} `json:"result_info"`
}

type apiError struct {
	Code    int        `json:"code"`
	Message string     `json:"message"`
	Chain   []apiError `json:"error_chain"`
}

// token is what Cloudflare says of the token that asks.
type token struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	ExpiresOn string `json:"expires_on"`
}

type zone struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Status      string   `json:"status"`
	NameServers []string `json:"name_servers"`
}

type record struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Content string `json:"content"`
}

type tunnel struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Status    string  `json:"status"`
	DeletedAt *string `json:"deleted_at"`
}

// connector is a cloudflared process and its connections.
type connector struct {
	ID          string `json:"id"`
	Connections []struct {
		Pending bool `json:"is_pending_reconnect"`
	} `json:"conns"`
}

func newClient(baseURL, secret string) *cloud.Client {
	if baseURL == "" {
		baseURL = DefaultBaseURL
	}
	return cloud.New(cloud.Options{Platform: "Cloudflare", BaseURL: baseURL, Token: secret, Explain: explain, RequestIDHeader: "Cf-Ray"})
}

// explain reads the first error of an answer, and what is behind it.
func explain(_ int, body []byte) (code, message string) {
	var answer envelope
	if json.Unmarshal(body, &answer) != nil || len(answer.Errors) == 0 {
		return "", cloud.Quote(string(body))
	}
	first := answer.Errors[0]
	code, message = strconv.Itoa(first.Code), first.Message
	for _, behind := range first.Chain {
		message += ": " + behind.Message
	}
	return code, cloud.Quote(message + " (code " + code + ")")
}

// get asks for one thing. An answer that is no success is a *cloud.Error.
func get[T any](ctx context.Context, c *cloud.Client, path string, query url.Values) (T, envelope, error) {
	var out T
	var answer envelope
	got, err := c.Do(ctx, cloud.Request{Method: http.MethodGet, Path: path, Query: query}, &answer)
	if err != nil {
		return out, answer, err
	}
	if !answer.Success {
		refusal := &cloud.Error{Platform: "Cloudflare", Method: http.MethodGet, Path: path, Status: got.Status}
		refusal.Code, refusal.Message = explain(got.Status, got.Body)
		return out, answer, refusal
	}
	if err := json.Unmarshal(answer.Result, &out); err != nil {
		return out, answer, &cloud.Error{Platform: "Cloudflare", Method: http.MethodGet, Path: path, Status: got.Status, Cause: err}
	}
	return out, answer, nil
}

// list asks for all pages.
func list[T any](ctx context.Context, c *cloud.Client, path string, query url.Values) ([]T, error) {
	var all []T
	for page := 1; ; page++ {
		query.Set("page", strconv.Itoa(page))
		some, answer, err := get[[]T](ctx, c, path, query)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) == 0 || len(all) >= answer.ResultInfo.TotalCount || page == maxPages {
			return all, nil
		}
	}
}

// refused returns the answer with which Cloudflare turned a request down; nil when it gave none, or asked for patience.
func refused(err error) *cloud.Error {
	var answer *cloud.Error
	if errors.As(err, &answer) && answer.Cause == nil && answer.Status != 0 && answer.Status < http.StatusInternalServerError &&
		answer.Status != http.StatusTooManyRequests && answer.Status != http.StatusRequestTimeout {
		return answer
	}
	return nil
}
