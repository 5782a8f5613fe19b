package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMask(t *testing.T) {
	for name, tc := range map[string]struct {
		text   string
		values []string
		want   string
	}{
		"every occurrence":       {"a hunter2 b hunter2", []string{"hunter2"}, "a *** b ***"},
		"short values stay":      {"abc is abc", []string{"abc"}, "abc is abc"},
		"longer value wins":      {"hunter2-more", []string{"hunter2", "hunter2-more"}, "***"},
		"overlapping values":     {"xabcdefx", []string{"abcd", "cdef"}, "x***x"},
		"self overlap":           {"aaaaa", []string{"aaaa"}, "***"},
		"lines of a long secret": {"log: second line", []string{"first line\nsecond line\n"}, "log: ***"},
		"nothing to mask":        {"plain", nil, "plain"},
		"empty value":            {"plain", []string{""}, "plain"},
		"side by side":           {"abcdabcd", []string{"abcd"}, "******"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, Mask(tc.text, tc.values...))
			require.False(t, len(tc.values) > 0 && len(tc.values[0]) >= minMasked && strings.Contains(Mask(tc.text, tc.values...), tc.values[0]))
		})
	}
}
