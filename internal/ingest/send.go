package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	// maxRetryAfter bounds what a receiver may ask for.
	maxRetryAfter = 5 * time.Minute
	maxAnswer     = 64 << 10
	maxQuote      = 300
)

// sender sends requests to one OTLP/HTTP receiver.
type sender struct {
	url string
	// shown is the URL for people: a password that somebody wrote into it is not shown.
	shown    string
	timeout  time.Duration
	client   *http.Client
	watch    *watch
	squeezed *gzip.Writer // nil sends as it is
	buffer   bytes.Buffer

	// headers are found out anew after each request that was not taken: a file may hold another token by then. hidden is what
	// of them must be shown to nobody.
	headers map[string]string
	hidden  []string
	spec    contract.Ingest
	secrets Secrets
}

func newSender(spec contract.Ingest, secrets Secrets, w *watch) (*sender, error) {
	s := &sender{
		spec: spec, secrets: secrets,
		url: spec.Endpoint + "/v1/logs", timeout: time.Duration(spec.Timeout * float64(time.Second)), watch: w,
		client: &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	u, err := url.Parse(s.url)
	if err != nil {
		return nil, fmt.Errorf("the endpoint cannot be used: %w", err)
	}
	s.shown = u.Redacted()
	// On the same host, squeezing costs more than what it saves.
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		if s.squeezed, err = gzip.NewWriterLevel(&s.buffer, gzip.BestSpeed); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *sender) close() { s.client.CloseIdleConnections() }

// verdict is what a receiver made of a request.
type verdict struct {
	// taken is true when the request is done with; rejected is how many of its lines were refused all the same.
	taken    bool
	rejected int64
	// refused is true when the receiver will never take the request as it is.
	refused bool
	// after is how long the receiver asked to wait; 0 leaves it to the sender.
	after time.Duration
	why   error
}

// send sends a request until it is taken or refused, or ctx ends, which is the only error.
func (s *sender) send(ctx context.Context, body []byte) (verdict, error) {
	backoff := firstBackoff
	for {
		v := s.try(ctx, body)
		if v.taken || v.refused {
			s.watch.taken()
			return v, nil
		}
		if ctx.Err() != nil {
			return v, ctx.Err()
		}
		s.watch.stuck(v.why)
		s.headers = nil
		pause := backoff + rand.N(backoff/2)
		if v.after > 0 {
			pause = min(v.after, maxRetryAfter)
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(pause):
		}
		backoff = min(maxBackoff, 2*backoff)
	}
}

func (s *sender) try(ctx context.Context, body []byte) verdict {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.findHeaders(); err != nil {
		return verdict{why: err}
	}
	response, err := s.post(ctx, body)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return verdict{why: fmt.Errorf("%s does not answer: %w", s.shown, err)}
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through the body
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return verdict{why: fmt.Errorf("the answer of %s broke off: %w", s.shown, err)}
	}
	return s.judge(response, answer)
}

func (s *sender) findHeaders() (err error) {
	if s.headers != nil {
		return nil
	}
	s.headers, s.hidden, err = s.secrets.Headers(s.spec)
	failure := contract.AsFailure(err)
	if failure != nil && failure.Hint != "" {
		return fmt.Errorf("%w; %s", err, failure.Hint)
	}
	return err
}

func (s *sender) post(ctx context.Context, body []byte) (*http.Response, error) {
	encoding := ""
	if s.squeezed != nil {
		s.buffer.Reset()
		s.squeezed.Reset(&s.buffer)
		if _, err := s.squeezed.Write(body); err != nil {
			return nil, err
		}
		if err := s.squeezed.Close(); err != nil {
			return nil, err
		}
		body, encoding = s.buffer.Bytes(), "gzip"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range s.headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("User-Agent", "orch-worker")
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	return s.client.Do(request)
}

// judge reads an answer. Only what is wrong with the lines themselves refuses them; everything else, a wrong address
// included, can be put right while they wait.
func (s *sender) judge(response *http.Response, answer []byte) verdict {
	status := response.StatusCode
	said := quoted(response, s.masked(string(answer)))
	why := fmt.Errorf("%s answered %s%s", s.shown, response.Status, said)
	switch {
	case status >= 200 && status < 300 && strings.HasPrefix(response.Header.Get("Content-Type"), "text/html"):
		return verdict{why: fmt.Errorf("%s answered with a web page, so it is no OTLP/HTTP receiver", s.shown)}
	case status >= 200 && status < 300:
		rejected, message := partial(response, answer)
		if rejected > 0 {
			s.watch.trouble(fmt.Errorf("%s refused %d lines: %s", s.shown, rejected, s.masked(message)))
		}
		return verdict{taken: true, rejected: rejected}
	case status == http.StatusBadRequest && strings.HasPrefix(s.url, "http:") && wantsTLS(said):
		return verdict{why: fmt.Errorf("%w (the endpoint speaks TLS: it begins with https://)", why)}
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return verdict{refused: true, why: why}
	default:
		return verdict{why: why, after: retryAfter(response.Header.Get("Retry-After"), time.Now())}
	}
}

// masked is a text without what must be shown to nobody.
func (s *sender) masked(text string) string {
	if len(s.hidden) == 0 {
		return text
	}
	return s.secrets.Mask(text, s.hidden...)
}

// wantsTLS reports whether a server says that it was spoken to without TLS, in the words of Go, nginx or Apache.
func wantsTLS(said string) bool {
	said = strings.ToLower(said)
	return strings.Contains(said, "https server") || strings.Contains(said, "https port") || strings.Contains(said, "ssl-enabled")
}

func isJSON(response *http.Response) bool {
	return strings.HasPrefix(response.Header.Get("Content-Type"), "application/json")
}

// partial reads a partial_success, if there is one.
func partial(response *http.Response, answer []byte) (rejected int64, message string) {
	var export collogspb.ExportLogsServiceResponse
	if isJSON(response) {
		if protojson.Unmarshal(answer, &export) != nil {
			return 0, ""
		}
	} else if proto.Unmarshal(answer, &export) != nil {
		return 0, ""
	}
	return export.GetPartialSuccess().GetRejectedLogRecords(), export.GetPartialSuccess().GetErrorMessage()
}

// quoted is what an answer says, for people. A protobuf Status has its message in printable bytes.
func quoted(response *http.Response, answer string) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == '\uFFFD' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(answer, " "))
	text = strings.Join(strings.Fields(text), " ")
	if text == "" || response.StatusCode < 300 {
		return ""
	}
	if len(text) > maxQuote {
		text = strings.ToValidUTF8(text[:maxQuote], "") + "…"
	}
	return ": " + text
}

// retryAfter reads the header, which holds seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(strings.TrimSpace(header)); err == nil {
		return time.Duration(max(0, seconds)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
