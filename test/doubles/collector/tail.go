package collector

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

const (
	pollInterval = 100 * time.Millisecond
	// fingerprintSize is how much of its beginning identifies a file, as in the Collector.
	fingerprintSize = 1000
)

// followed is one file that is being read. It stays open, so that what is written after it was renamed is read, too.
type followed struct {
	name   string
	file   *os.File
	offset int64
	// part is the beginning of a line that Docker has split.
	part string
}

// position is how far a file with that beginning was read.
type position struct {
	Fingerprint []byte `json:"fingerprint"`
	Offset      int64  `json:"offset"`
}

// tailing is one file_log receiver at work.
type tailing struct {
	Tail
	log  *slog.Logger
	emit func(*logsv1.LogsData) error
	open []*followed
	// known are the positions of files that are not open any more, and those of an earlier process.
	known []position
	first bool
}

func (t *tailing) stateFile() string {
	return filepath.Join(t.Storage, "receiver_"+strings.ReplaceAll(t.Name, "/", "_")+".json")
}

func (t *tailing) load() error {
	t.first = true
	if t.Storage == "" {
		return nil
	}
	if err := strict.Writable(t.Storage); err != nil {
		return fmt.Errorf("file_storage: %w", err)
	}
	data, err := os.ReadFile(t.stateFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, &t.known)
	}
	return err
}

// run reads until ctx ends.
func (t *tailing) run(ctx context.Context) {
	defer func() {
		for _, f := range t.open {
			_ = f.file.Close()
		}
	}()
	for {
		if err := t.poll(); err != nil {
			t.log.Error("failed to read", "receiver", t.Name, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pollInterval):
		}
	}
}

func (t *tailing) poll() error {
	names, err := t.matches()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, t.follow(name))
	}
	t.first = false
	kept := t.open[:0]
	for _, f := range t.open {
		errs = append(errs, t.read(f))
		if slices.Contains(names, f.name) && t.still(f) {
			kept = append(kept, f)
			continue
		}
		// Rotated away or deleted: read to its end, and not again under its new name.
		t.known = append(t.known, t.position(f))
		errs = append(errs, f.file.Close())
	}
	t.open = kept
	return errors.Join(append(errs, t.save())...)
}

// still reports whether the file's name still leads to it.
func (t *tailing) still(f *followed) bool {
	now, err := os.Stat(f.name)
	if err != nil {
		return false
	}
	then, err := f.file.Stat()
	return err == nil && os.SameFile(now, then)
}

// follow opens a file that is not open yet.
func (t *tailing) follow(name string) error {
	info, err := os.Stat(name)
	if err != nil || info.IsDir() || info.Size() == 0 {
		return err
	}
	for _, f := range t.open {
		if then, err := f.file.Stat(); err == nil && os.SameFile(info, then) {
			return nil
		}
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	f := &followed{name: name, file: file}
	head := t.fingerprint(f)
	for _, p := range t.known {
		if len(p.Fingerprint) > 0 && bytes.HasPrefix(head, p.Fingerprint) && p.Offset <= info.Size() {
			f.offset = max(f.offset, p.Offset)
		}
	}
	if f.offset == 0 && t.FromEnd && t.first {
		f.offset = info.Size()
	}
	t.log.Info("Started watching file", "path", name, "offset", f.offset)
	t.open = append(t.open, f)
	return nil
}

func (t *tailing) fingerprint(f *followed) []byte {
	head := make([]byte, fingerprintSize)
	n, _ := f.file.ReadAt(head, 0) // shorter files end in io.EOF
	return head[:n]
}

func (t *tailing) position(f *followed) position { return position{t.fingerprint(f), f.offset} }

// read emits the whole lines that were appended. A file that has become shorter was truncated.
func (t *tailing) read(f *followed) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < f.offset {
		f.offset = 0
	}
	reader := bufio.NewReader(io.NewSectionReader(f.file, f.offset, info.Size()-f.offset))
	for {
		line, err := reader.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil // no end of line yet
		}
		if err == nil {
			err = t.record(f, strings.TrimRight(line, "\r\n"))
		}
		if err != nil {
			return err
		}
		f.offset += int64(len(line))
	}
}

var containerID = regexp.MustCompile(`/([0-9a-f]{64})-json`)

func (t *tailing) record(f *followed, line string) error {
	name := f.name
	resource, attributes := maps.Clone(t.Resource), map[string]string{"log.file.name": filepath.Base(name)}
	if t.Path {
		attributes["log.file.path"] = name
	}
	record := &logsv1.LogRecord{ObservedTimeUnixNano: uint64(time.Now().UnixNano())} //nolint:gosec // this century
	if t.Docker {
		var entry struct {
			Log    string    `json:"log"`
			Stream string    `json:"stream"`
			Time   time.Time `json:"time"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.log.Error("not a line of Docker's", "path", name, "err", err)
			return nil
		}
		if found := containerID.FindStringSubmatch(name); found != nil {
			if resource == nil {
				resource = map[string]string{}
			}
			resource["container.id"] = found[1]
		}
		if f.part += entry.Log; !strings.HasSuffix(entry.Log, "\n") {
			return nil
		}
		attributes["log.iostream"] = entry.Stream
		line, f.part = strings.TrimSuffix(f.part, "\n"), ""
		record.TimeUnixNano = uint64(entry.Time.UnixNano()) //nolint:gosec // this century
	}
	record.Body, record.Attributes = text(line), pairs(attributes)
	return t.emit(&logsv1.LogsData{ResourceLogs: []*logsv1.ResourceLogs{{
		Resource:  &resourcev1.Resource{Attributes: pairs(resource)},
		ScopeLogs: []*logsv1.ScopeLogs{{LogRecords: []*logsv1.LogRecord{record}}},
	}}})
}

func text(value string) *commonv1.AnyValue {
	return &commonv1.AnyValue{Value: &commonv1.AnyValue_StringValue{StringValue: value}}
}

func pairs(values map[string]string) []*commonv1.KeyValue {
	var all []*commonv1.KeyValue
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, &commonv1.KeyValue{Key: name, Value: text(values[name])})
	}
	return all
}

// save keeps how far everything was read; lines that were emitted before it may come once more after a crash.
func (t *tailing) save() error {
	if t.Storage == "" {
		return nil
	}
	all := slices.Clone(t.known)
	for _, f := range t.open {
		all = append(all, t.position(f))
	}
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	next := t.stateFile() + ".next"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return err
	}
	return os.Rename(next, t.stateFile())
}

// take puts what the receivers of files have read into the queues of logs.
func (g *generation) take(data *logsv1.LogsData) error {
	payload, err := proto.Marshal(data)
	if err != nil {
		return err
	}
	for _, q := range g.queues {
		if q.exporter.Signal != Logs {
			continue
		}
		if err := q.put(payload, count(data)); err != nil {
			return err
		}
	}
	return nil
}
