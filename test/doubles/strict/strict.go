package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"

	"gopkg.in/yaml.v3"
)

// DecodeYAML decodes exactly one YAML document into out and fails on every unknown or
// repeated field, on an empty document and on a second one.
func DecodeYAML(data []byte, out any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(out); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the document is empty")
		}
		return err
	}
	var rest yaml.Node
	if err := dec.Decode(&rest); !errors.Is(err, io.EOF) {
		return errors.New("more than one YAML document")
	}
	return nil
}

// Writable proves that the process can create and remove a file in dir.
func Writable(dir string) error {
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("%s is not writable for uid %d gid %d: %w", dir, os.Getuid(), os.Getgid(), err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// UnknownRequest is one request that the double does not know.
type UnknownRequest struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Reason string `json:"reason"`
}

// Ledger keeps the unknown requests of one double. Its zero value is not usable; use
// NewLedger. It is safe for concurrent use.
type Ledger struct {
	log *slog.Logger

	mu       sync.Mutex
	requests []UnknownRequest
}

// NewLedger returns an empty ledger that also logs what it records.
func NewLedger(log *slog.Logger) *Ledger {
	return &Ledger{log: log}
}

// Record notes a request with the reason why the double refuses it.
func (l *Ledger) Record(r *http.Request, reason string) {
	entry := UnknownRequest{Method: r.Method, URL: r.URL.RequestURI(), Reason: reason}
	l.log.Warn("unknown request", "method", entry.Method, "url", entry.URL, "reason", reason)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, entry)
}

// Requests returns what was recorded so far, oldest first.
func (l *Ledger) Requests() []UnknownRequest {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]UnknownRequest{}, l.requests...)
}

// ServeHTTP answers GET /double/unknown:
//
//	{"count":1,"requests":[{"method":"GET","url":"/api/nope","reason":"no such route"}]}
func (l *Ledger) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	requests := l.Requests()
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(map[string]any{"count": len(requests), "requests": requests}); err != nil {
		l.log.Debug("client went away", "err", err)
	}
}
