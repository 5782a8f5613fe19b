package strict

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestDecodeYAMLRefusesWhatTheShapeDoesNotKnow(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{"a known field", "name: a", ""},
		{"an unknown field", "name: a\nnome: b", "field nome not found"},
		{"a repeated field", "name: a\nname: b", "already defined"},
		{"an empty document", "", "empty"},
		{"two documents", "name: a\n---\nname: b", "more than one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out struct {
				Name string `yaml:"name"`
			}
			err := DecodeYAML([]byte(tt.document), &out)
			if tt.want == "" && err != nil {
				t.Fatalf("unexpected error: %v", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestWritableNamesTheDirectoryAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := Writable(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Fatalf("left %v behind, err %v", entries, err)
	}
	missing := dir + "/missing"
	if err := Writable(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Fatalf("error %v does not name %s", err, missing)
	}
}

func TestLedgerReportsWhatItRecorded(t *testing.T) {
	ledger := NewLedger(slog.New(slog.DiscardHandler))
	ledger.Record(httptest.NewRequest(http.MethodPost, "/nope?x=1", nil), "no such route")
	answer := httptest.NewRecorder()
	ledger.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/double/unknown", nil))
	want := `{"count":1,"requests":[{"method":"POST","url":"/nope?x=1","reason":"no such route"}]}`
	if got := strings.TrimSpace(answer.Body.String()); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}
