package collector

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
)

const fileLogYAML = `
extensions:
  health_check: {endpoint: "0.0.0.0:13133"}
  file_storage: {directory: /var/lib/otelcol}
receivers:
  file_log/files:
    include: ["/logs/*.log", "/srv/**/x.log"]
    include_file_path: true
    start_at: beginning
    storage: file_storage
    retry_on_failure: {enabled: true}
    resource: {service.name: app}
  file_log/docker:
    include: ["/var/lib/docker/containers/*/*-json.log"]
    exclude: ["/**/0123456789ab*-json.log"]
    include_file_path: true
    start_at: end
    storage: file_storage
    operators:
      - {type: container, format: docker, add_metadata_from_filepath: false}
      - {type: recombine, combine_field: body, is_last_entry: 'body endsWith "\n"', combine_with: "", max_log_size: 250KiB}
      - {type: regex_replace, field: body, regex: '\n\z', replace_with: ""}
      - {type: regex_parser, parse_from: 'attributes["log.file.path"]', regex: '/(?P<cid>[0-9a-f]{64})-json'}
      - {type: move, from: attributes.cid, to: 'resource["container.id"]'}
exporters:
  otlp_http/loki: {endpoint: "http://loki:3100/otlp"}
service:
  extensions: [health_check, file_storage]
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: "0.0.0.0", port: 8888}}}}]
  pipelines:
    logs: {receivers: [file_log/files, file_log/docker], exporters: [otlp_http/loki]}
`

func TestParseReadsFileLog(t *testing.T) {
	cfg, err := Parse([]byte(fileLogYAML))
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Tails) != 2 || len(cfg.Received) != 0 {
		t.Fatalf("configuration is %+v", cfg)
	}
	docker, files := cfg.Tails[0], cfg.Tails[1]
	if !docker.Docker || !docker.FromEnd || files.Docker || files.FromEnd || files.Resource["service.name"] != "app" || files.Storage != "/var/lib/otelcol" {
		t.Errorf("receivers are %+v", cfg.Tails)
	}
	own := "/var/lib/docker/containers/0123456789abcdef/0123456789abcdef-json.log"
	if !docker.Exclude[0].MatchString(own) || docker.Exclude[0].MatchString(strings.ReplaceAll(own, "0123456789ab", "9")) {
		t.Error("the exclusion of the own log does not hold")
	}
	if !files.Include[1].MatchString("/srv/a/b/x.log") || !files.Include[1].MatchString("/srv/x.log") || files.Include[0].MatchString("/logs/a/b.log") {
		t.Error("globs are not matched as the Collector does")
	}
}

func TestParseRefusesFileLog(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"no files", `include: ["/logs/*.log", "/srv/**/x.log"]`, "include: []", "`include` is empty"},
		{"an unknown start", "start_at: beginning", "start_at: middle", "invalid start_at"},
		{"an unknown operator", "type: move", "type: copy", "the double knows"},
		{"an unknown field", "include_file_path: true\n    start_at: end", "include_file: true\n    start_at: end", "include_file"},
		{"a missing storage", "storage: file_storage\n    retry", "storage: file_storage/x\n    retry", "not a configured extension"},
		{"metrics from files", "    logs: {", "    metrics: {", "not supported"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(fileLogYAML, tt.old) {
				t.Fatalf("%q is not in the configuration", tt.old)
			}
			if _, err := Parse([]byte(strings.Replace(fileLogYAML, tt.old, tt.new, 1))); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

// following follows files of a folder and keeps what it has read.
func following(t *testing.T, tail Tail) (*tailing, *[]string) {
	t.Helper()
	var lines []string
	r := &tailing{Tail: tail, log: slog.New(slog.NewTextHandler(io.Discard, nil)), emit: func(data *logsv1.LogsData) error {
		resource := data.GetResourceLogs()[0]
		for _, record := range resource.GetScopeLogs()[0].GetLogRecords() {
			lines = append(lines, record.GetBody().GetStringValue())
		}
		return nil
	}}
	if err := r.load(); err != nil {
		t.Fatal(err)
	}
	return r, &lines
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreFollowedThroughRotationAndRestart(t *testing.T) {
	dir := t.TempDir()
	glob := filepath.Join(dir, "*.log")
	tail := Tail{Name: "file_log/x", Globs: []string{glob}, Storage: t.TempDir()}
	tail.Include = append(tail.Include, globPattern(glob))
	name := filepath.Join(dir, "a.log")
	r, lines := following(t, tail)
	step := func(r *tailing) {
		t.Helper()
		if err := r.poll(); err != nil {
			t.Fatal(err)
		}
	}
	appendTo(t, name, "one\ntwo\nhal")
	step(r)
	appendTo(t, name, "f\n")
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	appendTo(t, name, "three\n")
	step(r)
	again, more := following(t, tail)
	appendTo(t, name, "four\n")
	step(again)
	if err := os.Truncate(name, 0); err != nil {
		t.Fatal(err)
	}
	step(again)
	appendTo(t, name, "five\n")
	step(again)
	if want := []string{"one", "two", "half", "three"}; !slices.Equal(*lines, want) {
		t.Errorf("read %q, want %q", *lines, want)
	}
	if want := []string{"four", "five"}; !slices.Equal(*more, want) {
		t.Errorf("read %q after the restart, want %q", *more, want)
	}
}

func TestDockerLinesAreTakenApart(t *testing.T) {
	dir := t.TempDir()
	id := strings.Repeat("ab", 32)
	glob := filepath.Join(dir, "*-json.log")
	name := filepath.Join(dir, id+"-json.log")
	tail := Tail{Name: "file_log/x", Globs: []string{glob}, Docker: true, FromEnd: true, Path: true}
	tail.Include = append(tail.Include, globPattern(glob))
	appendTo(t, name, `{"log":"before\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}`+"\n")
	r, _ := following(t, tail)
	var got *logsv1.ResourceLogs
	r.emit = func(data *logsv1.LogsData) error { got = data.GetResourceLogs()[0]; return nil }
	if err := r.poll(); err != nil {
		t.Fatal(err)
	}
	appendTo(t, name, `{"log":"hello ","stream":"stderr","time":"2026-01-02T03:04:06Z"}`+"\n")
	appendTo(t, name, `{"log":"you\n","stream":"stderr","time":"2026-01-02T03:04:06Z"}`+"\n")
	if err := r.poll(); err != nil {
		t.Fatal(err)
	}
	if got == nil || got.GetResource().GetAttributes()[0].GetValue().GetStringValue() != id {
		t.Fatalf("emitted %v", got)
	}
	record := got.GetScopeLogs()[0].GetLogRecords()[0]
	if record.GetTimeUnixNano() != 1767323046e9 || record.GetBody().GetStringValue() != "hello you" {
		t.Errorf("record %v", record)
	}
}
