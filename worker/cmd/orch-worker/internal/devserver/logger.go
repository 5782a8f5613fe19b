package devserver

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// serverLogger passes what the server logs from warn up to slog, and errors only while quiet is set: at the start the server
// warns of what it is not configured for on purpose, at the end its parts warn of each other's absence.
type serverLogger struct {
	slog  *slog.Logger
	quiet *atomic.Bool
}

var (
	_ log.Logger     = serverLogger{}
	_ log.WithLogger = serverLogger{}
)

func (l serverLogger) Debug(string, ...tag.Tag)           {}
func (l serverLogger) Info(string, ...tag.Tag)            {}
func (l serverLogger) Warn(msg string, tags ...tag.Tag)   { l.log(slog.LevelWarn, msg, tags) }
func (l serverLogger) Error(msg string, tags ...tag.Tag)  { l.log(slog.LevelError, msg, tags) }
func (l serverLogger) DPanic(msg string, tags ...tag.Tag) { l.log(slog.LevelError, msg, tags) }

func (l serverLogger) Panic(msg string, tags ...tag.Tag) {
	l.log(slog.LevelError, msg, tags)
	panic(msg)
}

// Fatal must not return. It panics, so that the place that failed is shown and building the server can report it as an error.
func (l serverLogger) Fatal(msg string, tags ...tag.Tag) {
	l.log(slog.LevelError, msg, tags)
	text := msg
	for _, t := range tags {
		text += fmt.Sprintf(" %s=%v", t.Key(), t.Value())
	}
	panic(text)
}

// With implements log.WithLogger.
func (l serverLogger) With(tags ...tag.Tag) log.Logger {
	return serverLogger{slog.New(l.slog.Handler().WithAttrs(attributes(tags))), l.quiet}
}

func (l serverLogger) log(level slog.Level, msg string, tags []tag.Tag) {
	if level < slog.LevelError && l.quiet.Load() {
		return
	}
	if ctx := context.Background(); l.slog.Enabled(ctx, level) {
		l.slog.LogAttrs(ctx, level, msg, attributes(tags)...)
	}
}

func attributes(tags []tag.Tag) []slog.Attr {
	attrs := make([]slog.Attr, len(tags))
	for i, t := range tags {
		attrs[i] = slog.Any(t.Key(), t.Value())
	}
	return attrs
}
