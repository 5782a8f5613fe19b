package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// checkTimeout bounds one check: what takes longer would not serve a worker either.
const checkTimeout = 15 * time.Second

// Check is one thing to look at. Run returns what it has found in a few words; a Warning tells of something that need not
// stop anybody, any other error of something that does.
type Check struct {
	Name string
	Run  func(ctx context.Context) (detail string, err error)
}

// Warning is a finding that need not stop anybody.
type Warning struct{ Text string }

// Error returns the text.
func (w *Warning) Error() string { return w.Text }

// Warnf makes a Warning.
func Warnf(format string, args ...any) error {
	return &Warning{fmt.Sprintf(format, args...)}
}

// Run carries out the checks one after the other, writes a line for each, and reports how many failed. Example:
//
//	ok    temporal address   127.0.0.1:7233, server 1.32.1
//	warn  task queue         app-queue: nobody polls it
//	FAIL  docker engine      cannot connect to unix:///var/run/docker.sock
func Run(ctx context.Context, w io.Writer, checks []Check) (failed int, err error) {
	width := 0
	for _, c := range checks {
		width = max(width, len(c.Name))
	}
	for _, c := range checks {
		mark, detail := c.run(ctx)
		if mark == "FAIL" {
			failed++
		}
		// A detail is one line, whatever error it was made of.
		detail = strings.Join(strings.Fields(detail), " ")
		if _, err := fmt.Fprintf(w, "%-4s  %-*s  %s\n", mark, width, c.Name, detail); err != nil {
			return failed, err
		}
	}
	return failed, nil
}

func (c Check) run(ctx context.Context) (mark, detail string) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	detail, err := c.Run(ctx)
	var warning *Warning
	switch {
	case err == nil:
		return "ok", detail
	case errors.As(err, &warning):
		return "warn", warning.Text
	default:
		return "FAIL", err.Error()
	}
}
