package engine

import (
	"context"
	"time"
)

// Progress is called at every noticeable step and at least once a second while something is waited for. It may be called
// from several goroutines at a time. Nil is allowed and tells nobody.
type Progress func(format string, args ...any)

const progressEvery = time.Second

func (p Progress) tell(format string, args ...any) {
	if p != nil {
		p(format, args...)
	}
}

// during tells what is waited for, at once and then every second, until work returns.
func (p Progress) during(ctx context.Context, what string, work func() error) error {
	p.tell("%s", what)
	if p == nil {
		return work()
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		start := time.Now()
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p("%s (%d s)", what, int(time.Since(start).Seconds()))
			case <-done:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { close(done); <-ended }()
	return work()
}
