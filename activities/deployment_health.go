package activities

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// public asks applications by the way that anybody would, and follows them where they send visitors.
var public = &http.Client{Timeout: callTimeout}

// firstPause and longestPause lie between two attempts to reach an application.
const firstPause, longestPause = 250 * time.Millisecond, 3 * time.Second

// answers waits until the application answers a GET of its health path with 200 to 299. An empty path or URL asks nothing.
func answers(ctx context.Context, url string, health contract.HealthCheck, progress engine.Progress) error {
	if url == "" || health.Path == "" {
		return nil
	}
	address := url + health.Path
	progress("waiting for %s", address)
	deadline := time.Now().Add(health.Timeout())
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := visit(ctx, address)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().Add(pause).After(deadline) {
			return contract.Fail(contract.Unhealthy, "%s did not answer with 200 to 299 within %s; the last attempt: %v", address, health.Timeout(), err).On("health").Next("make the application answer there, or name another path in health.path, a longer health.timeout_seconds, or in public_url where it is reached")
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// visit asks once. An answer that is not good is quoted.
func visit(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := public.Do(request)
	if err != nil {
		return bare(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through the body
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxQuote))
	if err != nil {
		return fmt.Errorf("%s, and the answer broke off: %w", response.Status, err)
	}
	if text := quote(string(body)); text != "" {
		return fmt.Errorf("%s: %s", response.Status, text)
	}
	return fmt.Errorf("%s", response.Status)
}

// sleep waits, or returns why ctx ended.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
