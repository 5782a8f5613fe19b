package provider

import (
	"io"
	"log/slog"
	"strings"
)

// newLogger writes what the runner and the Temporal SDK log in the form in which Terraform reads a provider's standard
// error: JSON lines whose level TF_LOG and TF_LOG_PROVIDER select from. tflog cannot serve here, because its logger lives
// in the context of one request, and the connection outlives the requests.
func newLogger(w io.Writer) *slog.Logger {
	names := map[string]string{slog.TimeKey: "@timestamp", slog.LevelKey: "@level", slog.MessageKey: "@message"}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if name, ok := names[a.Key]; ok && len(groups) == 0 {
				a.Key = name
			}
			if a.Key == "@level" {
				a.Value = slog.StringValue(strings.ToLower(a.Value.String()))
			}
			return a
		},
	})).With("@module", "orch.runner")
}
