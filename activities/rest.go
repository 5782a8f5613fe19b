package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	// callTimeout is how long one answer may take.
	callTimeout = 10 * time.Second
	// maxAnswer is the most that is read of an answer; dashboards are the largest.
	maxAnswer = 8 << 20
	// maxQuote is the most that is quoted of an answer in a sentence.
	maxQuote = 200
)

// direct asks components of our own: no proxy from the environment comes between, and no connection outlives the container
// that it led to.
var direct = &http.Client{
	Timeout: callTimeout, CheckRedirect: noRedirect,
	Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, DisableKeepAlives: true},
}

// routed asks systems that are not our own, by the way that the environment prescribes.
var routed = &http.Client{Timeout: callTimeout, CheckRedirect: noRedirect}

// noRedirect shows redirections to the caller: Go would repeat a POST as a GET without its body.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// rest speaks JSON over HTTP with one system.
type rest struct {
	// name is what the system is called in messages, for example "Grafana".
	name string
	// base is its address without a trailing slash.
	base   string
	client *http.Client
	// authorize adds the login to a request; nil is none.
	authorize func(*http.Request)
}

// answer is what a system said to one request.
type answer struct {
	status int
	body   []byte
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// decode reads the answer's JSON into out.
func (a answer) decode(out any) error { return json.Unmarshal(a.body, out) }

// said is what the answer says in a few words: the message of its JSON where there is one.
func (a answer) said() string {
	var known struct {
		Message string `json:"message"`
		// Qdrant says "status": {"error": "…"}, but "status": "ok" when all is well.
		Status json.RawMessage `json:"status"`
		// Jaeger says "errors": [{"code": 404, "msg": "…"}].
		Errors []struct {
			Msg string `json:"msg"`
		} `json:"errors"`
		Error json.RawMessage `json:"error"`
	}
	text := string(a.body)
	if a.decode(&known) == nil {
		var status struct {
			Error string `json:"error"`
		}
		var plain string
		switch {
		case known.Message != "":
			text = known.Message
		case len(known.Errors) > 0 && known.Errors[0].Msg != "":
			text = known.Errors[0].Msg
		case json.Unmarshal(known.Status, &status) == nil && status.Error != "":
			text = status.Error
		case json.Unmarshal(known.Error, &plain) == nil && plain != "":
			text = plain
		}
	}
	return quote(text)
}

// String is the status and what was said, for example "404 Not Found: Data source not found".
func (a answer) String() string {
	text := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	if said := a.said(); said != "" {
		text += ": " + said
	}
	return text
}

func quote(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxQuote {
		text = text[:maxQuote] + "…"
	}
	return strings.ToValidUTF8(text, "")
}

// at is the address for people: a password that somebody wrote into the URL is not shown.
func (r rest) at() string {
	if u, err := url.Parse(r.base); err == nil {
		return u.Redacted()
	}
	return r.base
}

// call sends one request and returns the answer, whatever its status. No answer at all is Unavailable.
func (r rest) call(ctx context.Context, method, path string, body any) (answer, error) {
	var payload io.Reader = http.NoBody
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return answer{}, contract.Fail(contract.Internal, "encode a request to %s: %v", r.name, err)
		}
		payload = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.base+path, payload)
	if err != nil {
		return answer{}, contract.Fail(contract.InvalidInput, "%s cannot be asked at %s: %v", r.name, r.at(), bare(err))
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Accept", "application/json")
	if r.authorize != nil {
		r.authorize(request)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return answer{}, contract.Fail(contract.Unavailable, "%s at %s does not answer: %v", r.name, r.at(), bare(err))
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through the body
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, contract.Fail(contract.Unavailable, "the answer of %s at %s broke off: %v", r.name, r.at(), err)
	}
	if to := response.Header.Get("Location"); to != "" && response.StatusCode/100 == 3 {
		return answer{}, contract.Fail(contract.InvalidInput, "%s at %s redirects to %s", r.name, r.at(), to)
	}
	return answer{status: response.StatusCode, body: data}, nil
}

// bare is an error of the HTTP client without the method and URL that it begins with: messages say where in their own way.
func bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// classOf is the class of a failure, and Internal for any other error.
func classOf(err error) contract.ErrorClass {
	failure := contract.AsFailure(err)
	if failure != nil {
		return failure.Class
	}
	return contract.Internal
}
