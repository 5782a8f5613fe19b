package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/otlphttp"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// errPermanent marks an answer that must not be retried.
var errPermanent = errors.New("permanent error")

// batch is one request on its way, with its file when the queue is on disk.
type batch struct {
	path    string
	payload []byte
	items   int
}

// queue sends batches of one exporter in order, and keeps them until the backend took them.
type queue struct {
	exporter Exporter
	dir      string
	log      *slog.Logger
	sent     atomic.Int64
	dropped  atomic.Int64

	mu      sync.Mutex
	next    int
	pending []batch
	wake    chan struct{}
}

// openQueue reads back what an earlier process left in the storage directory.
func openQueue(exporter Exporter, log *slog.Logger) (*queue, error) {
	q := &queue{exporter: exporter, log: log.With("exporter", exporter.Name, "signal", exporter.Signal), wake: make(chan struct{}, 1)}
	if exporter.Storage == "" {
		return q, nil
	}
	// The storage must exist: the Collector does not make it either.
	if err := strict.Writable(exporter.Storage); err != nil {
		return nil, fmt.Errorf("file_storage: %w", err)
	}
	q.dir = filepath.Join(exporter.Storage, "exporter_"+strings.ReplaceAll(exporter.Name, "/", "_")+"_"+string(exporter.Signal))
	if err := os.MkdirAll(q.dir, 0o700); err != nil {
		return nil, fmt.Errorf("file_storage: %w", err)
	}
	paths, err := filepath.Glob(filepath.Join(q.dir, "*.otlp"))
	if err != nil {
		return nil, fmt.Errorf("file_storage: %w", err)
	}
	slices.Sort(paths)
	for _, path := range paths {
		payload, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("file_storage: %w", err)
		}
		data := exporter.Signal.message()
		if err := otlphttp.Unmarshal(otlphttp.Protobuf, payload, data); err != nil {
			return nil, fmt.Errorf("file_storage: %s: %w", path, err)
		}
		q.pending = append(q.pending, batch{path: path, payload: payload, items: count(data)})
		if _, err := fmt.Sscanf(filepath.Base(path), "%d.otlp", &q.next); err != nil {
			return nil, fmt.Errorf("file_storage: %s: %w", path, err)
		}
	}
	return q, nil
}

// put takes a batch over; after it returned, the batch survives a restart.
func (q *queue) put(payload []byte, items int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next++
	item := batch{payload: payload, items: items}
	if q.dir != "" {
		item.path = filepath.Join(q.dir, fmt.Sprintf("%012d.otlp", q.next))
		if err := os.WriteFile(item.path, payload, 0o600); err != nil {
			return fmt.Errorf("store batch: %w", err)
		}
	}
	q.pending = append(q.pending, item)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.pending)
}

// run sends until ctx ends; what is not sent stays in the storage directory.
func (q *queue) run(ctx context.Context) {
	for {
		q.mu.Lock()
		var head *batch
		if len(q.pending) > 0 {
			head = &q.pending[0]
		}
		q.mu.Unlock()
		if head == nil {
			select {
			case <-ctx.Done():
				return
			case <-q.wake:
			}
			continue
		}
		if !q.deliver(ctx, *head) {
			return
		}
		q.mu.Lock()
		q.pending = q.pending[1:]
		q.mu.Unlock()
		if head.path != "" {
			if err := os.Remove(head.path); err != nil {
				q.log.Error("remove sent batch", "err", err)
			}
		}
	}
}

// deliver tries until the backend took the batch or it has to be dropped; it returns false
// when ctx ended first.
func (q *queue) deliver(ctx context.Context, item batch) bool {
	deadline := time.Now().Add(q.exporter.MaxElapsedTime)
	for wait := q.exporter.InitialInterval; ; wait = min(2*wait, q.exporter.MaxInterval) {
		err := q.send(ctx, item.payload)
		switch {
		case err == nil:
			q.sent.Add(int64(item.items))
			return true
		case ctx.Err() != nil:
			return false
		case errors.Is(err, errPermanent) || time.Now().After(deadline):
			q.log.Error("Exporting failed. Dropping data.", "err", err, "dropped_items", item.items)
			q.dropped.Add(int64(item.items))
			return true
		}
		q.log.Info("Exporting failed. Will retry the request after interval.", "err", err, "interval", wait)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

func (q *queue) send(ctx context.Context, payload []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, q.exporter.URL, bytes.NewReader(payload))
	if err != nil {
		return fmt.Errorf("%w: %w", errPermanent, err)
	}
	req.Header.Set("Content-Type", otlphttp.Protobuf)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return err
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("%s: %s: %s", q.exporter.URL, resp.Status, body)
	default:
		return fmt.Errorf("%w: %s: %s: %s", errPermanent, q.exporter.URL, resp.Status, body)
	}
}
