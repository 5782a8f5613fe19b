package strict

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestJournalHandsBackWhatAnEarlierProcessWrote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	var got []int
	replay := func(n int) { got = append(got, n) }
	for i := range 3 {
		journal, err := OpenJournal(path, replay)
		if err != nil {
			t.Fatal(err)
		}
		if err := journal.Append(i); err != nil || journal.Close() != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, []int{0, 0, 1}) {
		t.Errorf("replayed %v over three starts, want 0 and then 0 1", got)
	}
}

func TestDurationIsThatOfPrometheus(t *testing.T) {
	for text, want := range map[string]time.Duration{"15d": 360 * time.Hour, "1h30m": 90 * time.Minute, "0": 0, "250ms": 250 * time.Millisecond} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%s is %s, %v", text, time.Duration(d), err)
		}
	}
	for _, text := range []string{"", "15", "1.5h", "30m1h", "-1s"} {
		if err := new(Duration).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q went through", text)
		}
	}
}
