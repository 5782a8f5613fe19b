package bolt

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestMessagesOfEverySizeSurviveTheWire(t *testing.T) {
	long := make([]any, 70000)
	many := map[string]any{}
	for i := range long {
		long[i] = int64(i)
	}
	for i := range 300 {
		many[strings.Repeat("k", i+1)] = int64(-i)
	}
	given := Structure{Tag: 0x10, Fields: []any{
		nil, true, false, int64(-16), int64(-17), int64(127), int64(128), int64(-40000), int64(math.MaxInt32), int64(math.MinInt64), 1.5,
		"", strings.Repeat("x", 200), []any{strings.Repeat("y", 70000), long, many},
	}}
	var wire bytes.Buffer
	if err := WriteMessage(&wire, given); err != nil {
		t.Fatal(err)
	}
	got, err := ReadMessage(&wire)
	if err != nil || !reflect.DeepEqual(got, given) {
		t.Fatalf("the message changed on the wire, err %v", err)
	}
}

func TestBrokenMessagesAreErrors(t *testing.T) {
	for name, raw := range map[string][]byte{
		"nothing": {}, "no structure": {0x01}, "a short string": {0xB1, 0x10, 0x85, 'a'}, "a list that lies": {0xB1, 0x10, 0xD6, 0xFF, 0xFF, 0xFF, 0xFF},
		"bytes after it": {0xB0, 0x0F, 0x00}, "a numeric key": {0xB1, 0x10, 0xA1, 0x01, 0x01}, "an unknown marker": {0xB1, 0x10, 0xEF, 0, 0, 0, 0, 0, 0, 0, 0},
		"deep nesting": append([]byte{0xB1, 0x10}, bytes.Repeat([]byte{0x91}, 100)...),
	} {
		if got, err := Unpack(raw); err == nil {
			t.Errorf("%s decoded to %v", name, got)
		}
	}
}

// duplex is the server's end of a connection whose client has said everything already.
type duplex struct {
	io.Reader
	io.Writer
}

func TestHandshakeChoosesTheNewestCommonVersion(t *testing.T) {
	tests := []struct {
		name      string
		proposals []byte
		want      []byte
	}{
		{"the driver's ranges", []byte{0, 0, 1, 0xFF, 0, 8, 8, 5, 0, 2, 4, 4, 0, 0, 0, 3}, []byte{0, 0, 4, 5}},
		{"an older client", []byte{0, 0, 2, 5, 0, 0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0}, []byte{0, 0, 2, 5}},
		{"a newer client only", []byte{0, 1, 8, 5, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0}, nil},
		{"Bolt 4 only", []byte{0, 2, 4, 4, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var answer bytes.Buffer
			err := Handshake(duplex{bytes.NewReader(append(magic[:], tt.proposals...)), &answer})
			if tt.want == nil {
				tt.want = make([]byte, 4)
				if !errors.Is(err, ErrNoVersion) {
					t.Errorf("error %v", err)
				}
			} else if err != nil {
				t.Error(err)
			}
			if !bytes.Equal(answer.Bytes(), tt.want) {
				t.Errorf("answered % x, want % x", answer.Bytes(), tt.want)
			}
		})
	}
	if err := Handshake(duplex{strings.NewReader("GET / HTTP/1.1\r\nHost: x\r\n"), io.Discard}); !errors.Is(err, ErrNoVersion) {
		t.Errorf("an HTTP client got %v", err)
	}
}
