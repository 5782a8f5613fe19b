package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	// callTimeout is how long one answer may take.
	callTimeout = 30 * time.Second
	// maxAnswer is the most that is read of an answer.
	maxAnswer = 16 << 20
	// retries is how often a call that changes nothing, or was refused for its rate, is made again.
	retries = 4
	// minPause and maxPause lie between two attempts when the platform names no time.
	minPause, maxPause = 250 * time.Millisecond, 4 * time.Second
)

// Options make a Client.
type Options struct {
	// Platform is its name in messages, for example "Fly.io".
	Platform string
	// BaseURL is without a trailing slash.
	BaseURL string
	// Token is masked in every message.
	Token string
	// Authorize adds the token to a request; nil sends "Authorization: Bearer <token>".
	Authorize func(request *http.Request, token string)
	// Explain reads the body of an answer that is an error: the platform's own code, which may be empty, and what it says.
	// Nil reads {"message"} and {"error"}.
	Explain func(status int, body []byte) (code, message string)
	// RequestIDHeader is where the platform names a request, for its support.
	RequestIDHeader string
	// Governor is shared by all clients with this token; nil spaces nothing.
	Governor *Governor
}

// Client speaks HTTP with one platform. It is safe for concurrent use.
type Client struct {
	o    Options
	http *retryablehttp.Client
}

// New returns a client. It connects to nothing.
func New(o Options) *Client {
	if o.Governor == nil {
		o.Governor = (&Governors{}).For(o.Platform, o.Token)
	}
	if o.Authorize == nil {
		o.Authorize = func(r *http.Request, token string) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	if o.Explain == nil {
		o.Explain = explain
	}
	c := &Client{o: o}
	c.http = &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: governed{o.Governor}, Timeout: callTimeout,
			// A redirect would repeat a POST as a GET without its body.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		RetryMax: retries, RetryWaitMin: minPause, RetryWaitMax: maxPause,
		CheckRetry: checkRetry, Backoff: backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	return c
}

// transport is shared, so that connections are.
var transport http.RoundTripper = &http.Transport{
	Proxy:       http.ProxyFromEnvironment,
	DialContext: (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	// The rest is as in http.DefaultTransport.
	ForceAttemptHTTP2: true, MaxIdleConns: 100, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
}

// governed lets the governor see every attempt.
type governed struct{ governor *Governor }

// RoundTrip implements http.RoundTripper.
func (g governed) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := transport.RoundTrip(r)
	if err == nil {
		limit, _ := r.Context().Value(limitKey{}).(Limit)
		g.governor.Learn(limit, response)
	}
	return response, err
}

// Request is one call.
type Request struct {
	Method, Path string
	Query        url.Values
	// Body is sent as JSON; nil sends none. A *Raw is sent as it is.
	Body   any
	Header http.Header
	Limit  Limit
	// Safe marks a call that changes nothing although its method could, such as a GraphQL query: it is retried like a GET.
	Safe bool
}

// Raw is a body that is not JSON.
type Raw struct {
	ContentType string
	Data        []byte
}

// Answer is a call's successful answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

type (
	safeKey  struct{}
	limitKey struct{}
)

func (r Request) safe() bool {
	return r.Safe || r.Method == http.MethodGet || r.Method == http.MethodHead
}

// Do makes the call and decodes the answer's JSON into out, unless out is nil or there is no body. Every failure but the end
// of ctx is an *Error.
func (c *Client) Do(ctx context.Context, r Request, out any) (Answer, error) {
	request, err := c.request(ctx, r)
	if err != nil {
		return Answer{}, c.unsent(ctx, r, err)
	}
	if pause := c.o.Governor.Pause(r.Limit); pause > maxGoverned {
		e := c.failed(r, http.StatusTooManyRequests, nil, nil, nil)
		e.RetryAfter, e.Message = pause, "an earlier answer asks to wait for "+pause.Round(time.Second).String()
		return Answer{}, e
	}
	if err := c.o.Governor.Wait(ctx, r.Limit); err != nil {
		return Answer{}, c.unsent(ctx, r, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, c.unanswered(ctx, r, err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through the body
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Answer{}, c.unanswered(ctx, r, err)
	}
	answer := Answer{Status: response.StatusCode, Header: response.Header, Body: body}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return answer, c.failed(r, response.StatusCode, response.Header, body, nil)
	}
	if out != nil && len(bytes.TrimSpace(body)) > 0 {
		if err := json.Unmarshal(body, out); err != nil {
			return answer, c.failed(r, response.StatusCode, response.Header, nil, err)
		}
	}
	return answer, nil
}

func (c *Client) request(ctx context.Context, r Request) (*retryablehttp.Request, error) {
	ctx = context.WithValue(context.WithValue(ctx, safeKey{}, r.safe()), limitKey{}, r.Limit)
	var body any
	contentType := ""
	switch b := r.Body.(type) {
	case nil:
	case *Raw:
		body, contentType = b.Data, b.ContentType
	default:
		data, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		body, contentType = data, "application/json"
	}
	address := c.o.BaseURL + r.Path
	if len(r.Query) > 0 {
		address += "?" + r.Query.Encode()
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, r.Method, address, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "terraform-provider-orch")
	for name, values := range r.Header {
		request.Header[name] = values
	}
	if c.o.Token != "" {
		c.o.Authorize(request.Request, c.o.Token)
	}
	return request, nil
}

// checkRetry allows another attempt where the first has certainly done nothing: calls that change nothing, and calls that
// were refused for their rate.
func checkRetry(ctx context.Context, response *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err == nil && limited(response) {
		// What takes longer than that is not waited for with a worker's slot in hand.
		return pauseOf(response) <= maxGoverned, nil
	}
	safe, _ := ctx.Value(safeKey{}).(bool)
	if !safe || err != nil {
		return safe, nil //nolint:nilerr // an error returned here would take the place of the call's own
	}
	return response.StatusCode == http.StatusRequestTimeout || response.StatusCode >= http.StatusInternalServerError, nil
}

// backoff is as long as the platform asks for.
func backoff(least, most time.Duration, attempt int, response *http.Response) time.Duration {
	if response != nil {
		if pause := pauseOf(response); pause > 0 {
			return pause
		}
	}
	return retryablehttp.LinearJitterBackoff(least, most, attempt, nil)
}

// maxGoverned is the longest pause that a call waits through.
const maxGoverned = 2 * time.Minute

// unsent is the failure of a call that was never made: nothing can have come of it.
func (c *Client) unsent(ctx context.Context, r Request, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := c.failed(r, 0, nil, nil, err)
	e.Ambiguous = false
	return e
}

func (c *Client) unanswered(ctx context.Context, r Request, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return c.failed(r, 0, nil, nil, err)
}

func (c *Client) failed(r Request, status int, header http.Header, body []byte, cause error) *Error {
	e := &Error{Platform: c.o.Platform, Method: r.Method, Path: r.Path, Status: status, hide: c.o.Token}
	var wrapped *url.Error
	if errors.As(cause, &wrapped) {
		cause = wrapped.Err
	}
	e.Cause = cause
	if header != nil {
		e.RequestID, e.RetryAfter = header.Get(c.o.RequestIDHeader), pauseOf(&http.Response{StatusCode: status, Header: header})
	}
	if body != nil {
		e.Code, e.Message = c.o.Explain(status, body)
	}
	if location := header.Get("Location"); e.redirected() && location != "" {
		e.Message += "; it leads to " + location
	}
	e.Ambiguous = !r.safe() && ambiguous(status, cause)
	return e
}

// ambiguous reports that a call may have been carried out all the same.
func ambiguous(status int, cause error) bool {
	if status == 0 {
		// Who was never connected to has carried out nothing.
		var dial *net.OpError
		return cause != nil && (!errors.As(cause, &dial) || dial.Op != "dial")
	}
	return status == http.StatusRequestTimeout || status >= http.StatusInternalServerError || status >= 200 && status < 300
}

// explain reads the usual forms of an error.
func explain(_ int, body []byte) (code, message string) {
	var known struct {
		Message string          `json:"message"`
		Error   json.RawMessage `json:"error"`
		Code    json.RawMessage `json:"code"`
		Status  json.RawMessage `json:"status"`
	}
	if json.Unmarshal(body, &known) != nil {
		return "", Quote(string(body))
	}
	var text string
	if known.Message == "" && json.Unmarshal(known.Error, &text) == nil {
		known.Message = text
	}
	for _, raw := range []json.RawMessage{known.Code, known.Status} {
		var word string
		if code == "" && json.Unmarshal(raw, &word) == nil {
			code = word
		}
	}
	if known.Message == "" {
		known.Message = string(body)
	}
	return code, Quote(known.Message)
}

// maxQuote is the most that is quoted of an answer.
const maxQuote = 300

// Quote makes a text fit into a sentence: one line, not too long.
func Quote(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxQuote {
		text = text[:maxQuote] + "…"
	}
	return strings.ToValidUTF8(text, "")
}
