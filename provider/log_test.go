package provider

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestLogLinesAreInTheFormThatTerraformReads(t *testing.T) {
	var out bytes.Buffer
	newLogger(&out).Warn("connection lost", "address", "a:1")
	var line map[string]string
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["@timestamp"] == "" {
		t.Error("no @timestamp")
	}
	delete(line, "@timestamp")
	want := map[string]string{"@level": "warn", "@message": "connection lost", "@module": "orch.runner", "address": "a:1"}
	for key, value := range want {
		if line[key] != value {
			t.Errorf("%s is %q, want %q", key, line[key], value)
		}
	}
}
