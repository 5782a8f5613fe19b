package ingest

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestFilesThatAppearLaterAreReadFromTheirBeginning(t *testing.T) {
	d := newDesk(t)
	d.spec.StartAt = contract.StartAtEnd
	d.include("**/*.log")
	d.write("old.log", "before\n")
	d.start()
	d.looked()
	d.write("old.log", "after\n")
	require.NoError(t, os.MkdirAll(d.path("a/b"), 0o700))
	d.write("a/b/new.log", "new\n")
	d.gets("after", "new")
}

// looked waits until the checkpoint knows that the first look is over.
func (d *desk) looked() {
	d.t.Helper()
	waitFor(d.t, func() bool {
		l, err := openLedger(filepath.Join(d.store, checkpointFile))
		return err == nil && !l.filesUnseen && !l.containersUnseen
	})
}

// The first look found nothing, and what appears while no worker runs has appeared later all the same.
func TestFilesThatAppearWhileNobodyLooksAreReadFromTheirBeginning(t *testing.T) {
	d := newDesk(t)
	d.spec.StartAt = contract.StartAtEnd
	_, stop := d.start()
	d.looked()
	stop()
	d.write("app.log", "new\n")
	d.start()
	d.gets("new")
}

func TestNamesOfFilesMayBeAnyBytes(t *testing.T) {
	d := newDesk(t)
	d.include("*.log")
	d.write("caf\xe9.log", "one\n")
	d.start()
	d.gets("one")
	require.Equal(t, d.path("caf\uFFFD.log"), d.all()[0].attributes["log.file.path"])
}

func TestEndsOfLines(t *testing.T) {
	d := newDesk(t)
	d.write("app.log", "unix\nwindows\r\n\nbroken \xff utf-8 \xc3\nmany bytes: äöü €\n")
	tail, _ := d.start()
	d.gets("unix", "windows", "", "broken \uFFFD utf-8 \uFFFD", "many bytes: äöü €")
	waitFor(t, func() bool { return tail.Status().Repaired == 1 })
	d.write("app.log", "no line feed")
	d.gets("unix", "windows", "", "broken \uFFFD utf-8 \uFFFD", "many bytes: äöü €", "no line feed")
}

func TestLongLinesAreSplitBetweenCharacters(t *testing.T) {
	d := newDesk(t)
	short, long, longer := strings.Repeat("x", 100_000), strings.Repeat("äöü€", 60_000), "a"+strings.Repeat("€", 200_000)
	d.write("app.log", short+"\n"+long+"\n"+longer+"\nlast\n")
	tail, _ := d.start()
	waitFor(t, func() bool { return slices.Contains(d.texts(), "last") })
	var joined strings.Builder
	parts := 0
	for _, record := range d.all() {
		require.True(t, utf8.ValidString(record.text))
		require.LessOrEqual(t, len(record.text), maxRecord)
		joined.WriteString(record.text)
		if record.attributes[attributePart] != "" {
			parts++
		}
	}
	require.Equal(t, short+long+longer+"last", joined.String())
	require.Equal(t, 3+3, parts)
	waitFor(t, func() bool { return tail.Status().Split == 2 && tail.Status().Repaired == 0 })
}

// A writer that keeps its position after a truncation leaves a hole before what it writes next.
func TestHolesAreNoLines(t *testing.T) {
	d := newDesk(t)
	file, err := os.Create(d.path("app.log"))
	require.NoError(t, err)
	_, err = file.WriteAt([]byte("behind the hole\n"), 3<<20)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	d.start()
	d.gets("behind the hole")
}

func TestReceiverThatIsDownHoldsBackTheReader(t *testing.T) {
	d := newDesk(t)
	d.fault(func(w http.ResponseWriter, _ []received) bool {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return false
	})
	texts, text := lines(0, 20_000)
	d.write("app.log", text)
	tail, _ := d.start()
	waitFor(t, func() bool { return tail.Status().Failing })
	status := tail.Status()
	require.Contains(t, status.LastError, "503 Service Unavailable: down")
	require.Equal(t, int64(len(text)), status.LagBytes)
	require.LessOrEqual(t, len(tail.queue), queueLength)
	d.fault(nil)
	d.gets(texts...)
	waitFor(t, func() bool { return !tail.Status().Failing && tail.Status().LagBytes == 0 })
}

func TestRetryAfterIsObeyed(t *testing.T) {
	d := newDesk(t)
	var asked []time.Time
	d.fault(func(w http.ResponseWriter, _ []received) bool {
		asked = append(asked, time.Now())
		if len(asked) == 1 {
			w.Header().Set("Retry-After", "2")
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return false
		}
		return true
	})
	d.write("app.log", "one\n")
	d.start()
	d.gets("one")
	require.Len(t, asked, 2)
	require.GreaterOrEqual(t, asked[1].Sub(asked[0]), 2*time.Second)
	now := time.Now()
	require.Equal(t, time.Minute, retryAfter(now.Add(time.Minute).UTC().Format(http.TimeFormat), now.Truncate(time.Second)).Round(time.Second))
	require.Zero(t, retryAfter("soon", now))
}

func TestRefusedLinesAreFoundAndCounted(t *testing.T) {
	d := newDesk(t)
	d.fault(func(w http.ResponseWriter, records []received) bool {
		if slices.ContainsFunc(records, func(r received) bool { return strings.Contains(r.text, "poison") }) {
			http.Error(w, "no such thing", http.StatusBadRequest)
			return false
		}
		return true
	})
	texts, text := lines(0, 60)
	d.write("app.log", text+"poison\nafter\n")
	tail, _ := d.start()
	d.gets(append(texts, "after")...)
	waitFor(t, func() bool { return tail.Status().Rejected == 1 && tail.Status().Lines == 61 })
	require.Contains(t, tail.Status().LastError, "400 Bad Request: no such thing")
}

func TestPartialSuccessIsCounted(t *testing.T) {
	d := newDesk(t)
	d.fault(func(w http.ResponseWriter, records []received) bool {
		answer, err := proto.Marshal(&collogspb.ExportLogsServiceResponse{PartialSuccess: &collogspb.ExportLogsPartialSuccess{
			RejectedLogRecords: 2, ErrorMessage: "two are too many",
		}})
		require.NoError(t, err)
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, err = w.Write(answer)
		require.NoError(t, err)
		return false
	})
	d.write("app.log", "1\n2\n3\n")
	tail, _ := d.start()
	waitFor(t, func() bool { return tail.Status().Rejected == 2 && tail.Status().Lines == 1 })
	require.Contains(t, tail.Status().LastError, "two are too many")
}

// A wrong endpoint is no reason to drop lines.
func TestLinesWaitForAWrongEndpointToBePutRight(t *testing.T) {
	d := newDesk(t)
	d.fault(func(w http.ResponseWriter, _ []received) bool {
		http.Error(w, "who are you", http.StatusForbidden)
		return false
	})
	d.write("app.log", "one\n")
	tail, _ := d.start()
	waitFor(t, func() bool { return tail.Status().Failing })
	d.fault(nil)
	d.gets("one")
}

func TestOldestLinesComeFirstAndTheTooOldGoToTheBackfill(t *testing.T) {
	d := newDesk(t)
	d.include("*.log")
	now := time.Now().UTC()
	stamp := func(ago time.Duration) string { return now.Add(-ago).Format("2006-01-02T15:04:05.000Z") }
	d.write("b.log", fmt.Sprintf("%s ancient\n", stamp(20*24*time.Hour)))
	d.write("c.log", fmt.Sprintf("%s two hours\n  its stack trace\n", stamp(2*time.Hour)))
	d.write("a.log", fmt.Sprintf("%s now\n", stamp(0)))
	d.start()
	d.gets(stamp(20*24*time.Hour)+" ancient", stamp(2*time.Hour)+" two hours", "  its stack trace", stamp(0)+" now")
	byText := map[string]received{}
	var order []string
	for _, record := range d.all() {
		_, what, _ := strings.Cut(record.text, " ")
		byText[what], order = record, append(order, what)
	}
	require.Equal(t, backfill, byText["ancient"].attributes[attributeIngest])
	original, err := time.Parse(time.RFC3339Nano, byText["ancient"].attributes[attributeTime])
	require.NoError(t, err)
	require.WithinDuration(t, now.Add(-20*24*time.Hour), original, time.Millisecond)
	require.WithinDuration(t, now, byText["ancient"].at, patience)
	for _, what := range []string{"two hours", " its stack trace"} {
		require.WithinDuration(t, now.Add(-2*time.Hour), byText[what].at, time.Second)
		require.Empty(t, byText[what].attributes[attributeIngest])
	}
	require.Less(t, slices.Index(order, "two hours"), slices.Index(order, "now"))

	// Behind the newest line of the stream, which the checkpoint remembers.
	d.write("c.log", stamp(3*time.Hour)+" late\n")
	waitFor(t, func() bool { return len(d.texts()) == 5 })
	late := d.all()[4]
	require.Equal(t, backfill, late.attributes[attributeIngest])
}

func TestTimesOfLines(t *testing.T) {
	want := time.Date(2026, 11, 22, 5, 33, 43, 123_000_000, time.UTC)
	for _, text := range []string{
		"2026-11-22T05:33:43.123Z x", "[2026-11-22T05:33:43.123Z] x", "2026-11-22 05:33:43,123 x", "2026-11-22T07:33:43.123+02:00 x", "2026-11-22T00:33:43.123-0500 x",
	} {
		require.Equal(t, want.UnixNano(), lineTime(text, time.UTC), text)
	}
	for _, text := range []string{"", "x", "2026-11-22", "2026-13-22T05:33:43Z", "2026-11-22x05:33:43Z", "  2026-11-22T05:33:43Z", "abcd-ef-ghTij:kl:mn"} {
		require.Zero(t, lineTime(text, time.UTC), text)
	}
	require.Equal(t, want.Truncate(time.Second).UnixNano(), lineTime("2026-11-22T05:33:43", time.UTC))
	require.Equal(t, want.Truncate(time.Second).Add(-time.Hour).UnixNano(), lineTime("2026-11-22 05:33:43", time.FixedZone("", 3600)))
}

func TestCrashRepeatsOnlyTheBatchInFlight(t *testing.T) {
	d := newDesk(t)
	d.spec.BatchSize = 10
	taken, hold := 0, make(chan struct{})
	d.fault(func(w http.ResponseWriter, records []received) bool {
		taken++
		if taken == 5 {
			// Taken, and the acknowledgement is lost.
			d.records = append(d.records, records...)
			panic(http.ErrAbortHandler)
		}
		return taken < 5
	})
	texts, text := lines(0, 100)
	d.write("app.log", text)
	_, stop := d.start()
	waitFor(t, func() bool { return len(d.texts()) == 50 })
	stop()
	close(hold)
	d.fault(nil)
	d.start()
	waitFor(t, func() bool { return len(d.texts()) >= 110 })
	count := map[string]int{}
	for _, text := range d.texts() {
		count[text]++
	}
	twice := 0
	for _, text := range texts {
		require.NotZero(t, count[text], text)
		twice += count[text] - 1
	}
	require.Equal(t, 10, twice)
}

func TestNothingIsSentWhereNoCheckpointCanBeWritten(t *testing.T) {
	d := newDesk(t)
	d.write("app.log", "one\n")
	tail, err := NewTail(d.spec, filepath.Join(d.store, "none"), nil, Secrets{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.ErrorContains(t, tail.Run(t.Context()), "the checkpoint cannot be written")
	require.Empty(t, d.all())
}

func TestStreamsThatDecideNothingAreForgotten(t *testing.T) {
	now := time.Now()
	newest := map[string]int64{"old": now.Add(-8 * 24 * time.Hour).UnixNano(), "": now.UnixNano()}
	forgetOld(newest, now)
	require.Equal(t, map[string]int64{"": now.UnixNano()}, newest)
}

func TestBrokenCheckpointIsNoNewBeginning(t *testing.T) {
	d := newDesk(t)
	require.NoError(t, os.WriteFile(d.store+"/"+checkpointFile, []byte("{"), 0o600))
	_, err := NewTail(d.spec, d.store, nil, Secrets{}, nil)
	require.ErrorContains(t, err, "cannot be read")
	require.NoError(t, os.WriteFile(d.store+"/"+checkpointFile, []byte(`{"version":9}`), 0o600))
	_, err = openLedger(d.store + "/" + checkpointFile)
	require.ErrorContains(t, err, "version 9")
}
