package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// bench is a directory of logs, a receiver, and a store for the checkpoint.
type desk struct {
	*receiver
	dir, store string
	spec       contract.Ingest
	docker     Docker
	secrets    Secrets
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{receiver: newReceiver(t), dir: t.TempDir(), store: t.TempDir()}
	d.spec = contract.Ingest{
		Ref: contract.NewRef(contract.StdoutIngest, "", "app"), Endpoint: d.server.URL, BatchSize: 100, FlushInterval: 0.05, Timeout: 5,
		StartAt: contract.StartAtBeginning, Files: &contract.LogFiles{Include: []string{filepath.Join(d.dir, "app.log")}},
	}
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

// write appends to a file.
func (d *desk) write(name, text string) {
	d.t.Helper()
	file, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(d.t, err)
	_, err = file.WriteString(text)
	require.NoError(d.t, err)
	require.NoError(d.t, file.Close())
}

// start runs a tail until the returned function is called.
func (d *desk) start() (tail *Tail, stop func()) {
	d.t.Helper()
	tail, err := NewTail(d.spec, d.store, d.docker, d.secrets, slog.New(slog.DiscardHandler))
	require.NoError(d.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tail.Run(ctx) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.ErrorIs(d.t, <-ended, context.Canceled)
		}
	}
	d.t.Cleanup(stop)
	return tail, stop
}

// settled waits until all that has arrived is acknowledged: what is not comes again after a stop.
func (d *desk) settled(tail *Tail) {
	d.t.Helper()
	waitFor(d.t, func() bool { return tail.Status().Lines == int64(len(d.all())) })
}

// lines are numbered ones, from the first on.
func lines(first, count int) (texts []string, text string) {
	for i := range count {
		line := fmt.Sprintf("line %06d of the test, which has some more text so that it is as long as others are", first+i)
		texts = append(texts, line)
		text += line + "\n"
	}
	return texts, text
}

func TestLinesOfAFileArriveOnceWithTheirLabels(t *testing.T) {
	d := newDesk(t)
	d.spec.Labels = map[string]string{"team": "chat"}
	first, text := lines(0, 250)
	d.write("app.log", text)
	tail, stop := d.start()
	d.gets(first...)
	second, text := lines(250, 3)
	d.write("app.log", text)
	d.gets(append(first, second...)...)
	record := d.all()[0]
	host, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, map[string]string{"service.name": "app", "host.name": host, "team": "chat", "log.file.path": d.path("app.log")}, record.attributes)
	require.WithinDuration(t, time.Now(), record.at, patience)
	require.Eventually(t, func() bool { return tail.Status().Lines == 253 && tail.Status().LagBytes == 0 }, patience, time.Millisecond)
	stop()

	third, text := lines(253, 2)
	d.write("app.log", text)
	d.start()
	d.gets(append(append(first, second...), third...)...)
}
