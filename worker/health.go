package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
)

// health answers whether this process really polls its queues. A worker can be up and poll nothing, so it looks for its own
// identity among the queue's pollers.
type health struct {
	identity string
	queues   []string

	mu     sync.Mutex
	client client.Client // nil until Temporal has answered
	fatal  error
}

func (h *health) connected(c client.Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.client = c
}

func (h *health) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fatal = err
}

// pollerAge is how long ago a live worker may have polled last: a long poll lasts 60 s.
const pollerAge = 90 * time.Second

func (h *health) check(ctx context.Context) error {
	h.mu.Lock()
	c, fatal := h.client, h.fatal
	h.mu.Unlock()
	switch {
	case fatal != nil:
		return fatal
	case c == nil:
		return errors.New("not connected to Temporal yet")
	}
	for _, queue := range h.queues {
		answer, err := c.DescribeTaskQueue(ctx, queue, enums.TASK_QUEUE_TYPE_WORKFLOW)
		if err != nil {
			return fmt.Errorf("temporal does not answer: %w", err)
		}
		polls := false
		for _, p := range answer.GetPollers() {
			polls = polls || p.GetIdentity() == h.identity && time.Since(p.GetLastAccessTime().AsTime()) < pollerAge
		}
		if !polls {
			return fmt.Errorf("queue %s is not polled by this worker", queue)
		}
	}
	return nil
}

// metrics collects what the Temporal SDK counts and shows it in Prometheus' format.
type metrics struct {
	handler client.MetricsHandler
	pages   http.Handler
}

func newMetrics() (*metrics, error) {
	registry := prom.NewRegistry()
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry))
	if err != nil {
		return nil, fmt.Errorf("make the metrics exporter: %w", err)
	}
	meter := metric.NewMeterProvider(metric.WithReader(exporter)).Meter("temporal-sdk-go")
	return &metrics{
		handler: opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{Meter: meter}),
		pages:   promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	}, nil
}

// Observe serves /healthz and /metrics on address until the returned function is called; an empty address serves nothing.
// /healthz answers 200 "ok", or 503 with the error of healthy. The handler collects what clients and workers count, and goes
// into their client.Options.
func Observe(address string, healthy func(context.Context) error, logger *slog.Logger) (client.MetricsHandler, func(), error) {
	m, err := newMetrics()
	if err != nil {
		return nil, nil, err
	}
	if address == "" {
		return m.handler, func() {}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("serve /healthz and /metrics on --metrics-address %s: %w", address, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := healthy(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok") // a client that has gone is nobody to tell
	})
	mux.Handle("GET /metrics", m.pages)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("health and metrics are no longer served", "error", err)
		}
	}()
	logger.Info("serving /healthz and /metrics", "address", listener.Addr().String())
	return m.handler, func() { _ = server.Close() }, nil
}
