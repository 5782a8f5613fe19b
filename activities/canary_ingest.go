package activities

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// source is where a canary is looked for, and how.
type source struct {
	// from says it in words.
	from string
	// prepare is done before the write; nil where there is nothing to do.
	prepare func(ctx context.Context) error
	read    func(ctx context.Context) (found bool, seen string, err error)
}

// store reads a canary back from the component of another service that it ends up in.
func (v verification) store(ctx context.Context, at contract.Store, t telemetry, written *time.Time) (source, error) {
	address, err := v.engine.Address(ctx, at.Ref, at.Component, at.Port)
	if err != nil {
		return source{}, err
	}
	from := rest{name: at.Component, base: "http://" + address, client: direct}
	return source{
		from: fmt.Sprintf("%s of %s at %s", at.Component, at.Ref.ID(), from.base),
		read: func(ctx context.Context) (bool, string, error) {
			path, query := t.ask(*written)
			if len(query) > 0 {
				path += "?" + query.Encode()
			}
			got, err := from.call(ctx, http.MethodGet, path, nil)
			if err != nil {
				return false, "", err
			}
			return t.look(got)
		},
	}, nil
}

// look looks for the canary in an answer.
func (t telemetry) look(got answer) (found bool, seen string, err error) {
	if !got.ok() {
		return false, got.String(), nil
	}
	found, seen, err = t.found(got.body)
	if err != nil {
		return false, fmt.Sprintf("%d with something else than expected (%v): %s", got.status, err, got.said()), nil
	}
	return found, seen, nil
}

// sent asks the Collector itself how much of a signal its exporters have sent, where what lies beyond them cannot be asked.
func (v verification) sent(ctx context.Context, c contract.Canary) (source, error) {
	address, err := v.engine.Address(ctx, v.stack.Ref, c.Component, "metrics")
	if err != nil {
		return source{}, err
	}
	from := rest{name: c.Component, base: "http://" + address, client: direct}
	items := map[string]string{contract.SignalLog: "log_records", contract.SignalMetric: "metric_points", contract.SignalSpan: "spans"}[c.Signal]
	count := func(ctx context.Context) (sent, failed float64, err error) {
		got, err := from.call(ctx, http.MethodGet, "/metrics", nil)
		if err != nil {
			return 0, 0, err
		}
		if !got.ok() {
			return 0, 0, contract.Fail(contract.Unavailable, "%s", got)
		}
		text := string(got.body)
		return total(text, "otelcol_exporter_sent_"+items), total(text, "otelcol_exporter_send_failed_"+items), nil
	}
	var sentBefore, failedBefore float64
	return source{
		from: fmt.Sprintf("the exporters of %s, by its own metrics at %s/metrics", c.Component, from.base),
		prepare: func(ctx context.Context) (err error) {
			sentBefore, failedBefore, err = count(ctx)
			return err
		},
		read: func(ctx context.Context) (bool, string, error) {
			sent, failed, err := count(ctx)
			if err != nil {
				return false, "", err
			}
			if failed > failedBefore {
				return false, "", contract.Fail(contract.Unhealthy, "the endpoint has refused it: %g %s failed", failed-failedBefore, items)
			}
			return sent > sentBefore, fmt.Sprintf("no %s sent since", items), nil
		},
	}, nil
}

// total is the sum of all samples in Prometheus' text form whose name begins with prefix.
func total(text, prefix string) float64 {
	var sum float64
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, "{")
		fields := strings.Fields(line)
		if !strings.HasPrefix(name, prefix) || len(fields) < 2 {
			continue
		}
		if value, err := strconv.ParseFloat(fields[len(fields)-1], 64); err == nil {
			sum += value
		}
	}
	return sum
}

// receiver is where an OTLP canary is written.
func (v verification) receiver(ctx context.Context, c contract.Canary) (rest, error) {
	address, err := v.engine.Address(ctx, v.stack.Ref, c.Component, c.Port)
	if err != nil {
		return rest{}, err
	}
	to := rest{name: c.Component, base: "http://" + address, client: direct}
	if c.TLS == "" {
		return to, nil
	}
	certificate, err := v.engine.Secret(ctx, v.stack.Ref, c.Component, c.TLS)
	if err != nil {
		return rest{}, err
	}
	to.base = (&url.URL{Scheme: "https", Host: address}).String()
	to.client, err = pinned(certificate)
	return to, err
}

// pinned is a client that speaks to whoever shows this very certificate. Its name and root are not asked for: they are for the
// address that applications use, and this one is the host's own.
func pinned(certificate string) (*http.Client, error) {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil {
		return nil, contract.Fail(contract.InvalidInput, "the certificate is not in PEM").On("tls")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, contract.Fail(contract.InvalidInput, "the certificate cannot be read: %v", err).On("tls")
	}
	return &http.Client{
		Timeout: callTimeout, CheckRedirect: noRedirect,
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{
				InsecureSkipVerify: true, //nolint:gosec // what is shown is compared with the certificate that was given
				VerifyConnection: func(state tls.ConnectionState) error {
					if len(state.PeerCertificates) == 0 || !state.PeerCertificates[0].Equal(leaf) {
						return fmt.Errorf("another certificate is shown than the one that was given")
					}
					return nil
				},
			},
		},
	}, nil
}
