package box

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/httpserve"
)

// maxFailures is how many failed requests are kept word by word.
const maxFailures = 20

// Polled is what `poll` has seen so far; GET /polled tells it.
type Polled struct {
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
	// Failures are the first of them.
	Failures []string `json:"failures,omitempty"`
	// Answers counts the bodies, without white space around them.
	Answers map[string]int `json:"answers"`
}

// poller asks a URL without a pause, by a new connection each time, as clients do that look a name up.
type poller struct {
	mu   sync.Mutex
	seen Polled
}

func poll(ctx context.Context, args []string, out io.Writer) int {
	set := flag.NewFlagSet("poll", flag.ContinueOnError)
	url := set.String("url", "", "address to ask without a pause")
	if !parse(set, args, out) {
		return 2
	}
	p := &poller{seen: Polled{Answers: map[string]int{}}}
	go p.run(ctx, *url)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /polled", p.tell)
	if err := httpserve.Run(ctx, map[string]http.Handler{":8080": mux}); err != nil {
		say(out, "box: %v", err)
		return 1
	}
	return 0
}

func (p *poller) run(ctx context.Context, url string) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		answer, failure := ask(ctx, client, url)
		if ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		p.seen.Requests++
		if failure == "" {
			p.seen.Answers[answer]++
		} else if p.seen.Failed++; len(p.seen.Failures) < maxFailures {
			p.seen.Failures = append(p.seen.Failures, failure)
		}
		p.mu.Unlock()
	}
}

func ask(ctx context.Context, client *http.Client, url string) (answer, failure string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err.Error()
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err.Error()
	}
	body, err := io.ReadAll(response.Body)
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	switch {
	case err != nil:
		return "", err.Error()
	case response.StatusCode != http.StatusOK:
		return "", response.Status
	}
	return strings.TrimSpace(string(body)), ""
}

func (p *poller) tell(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// The client that went away reads nothing more.
	_ = json.NewEncoder(w).Encode(p.seen)
}
