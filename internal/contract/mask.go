package contract

import (
	"slices"
	"strings"
)

// minMasked is the shortest value that is masked: shorter ones stand in any text by chance.
const minMasked = 4

const mask = "***"

// Mask replaces every occurrence of a value by ***, and each line of a value that has several, because logs are read line
// by line. Occurrences that overlap become one, so that no end of a value is left over.
func Mask(text string, values ...string) string {
	var spans []span
	for _, value := range values {
		spans = append(spans, find(text, value)...)
		for line := range strings.Lines(value) {
			spans = append(spans, find(text, strings.TrimSpace(line))...)
		}
	}
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	var b strings.Builder
	end := 0
	for _, s := range spans {
		if s.start >= end {
			b.WriteString(text[end:s.start] + mask)
		}
		end = max(end, s.end)
	}
	b.WriteString(text[end:])
	return b.String()
}

type span struct{ start, end int }

// find lists the occurrences of value, those that overlap each other too.
func find(text, value string) []span {
	if len(value) < minMasked {
		return nil
	}
	var spans []span
	for from := 0; ; {
		i := strings.Index(text[from:], value)
		if i < 0 {
			return spans
		}
		spans = append(spans, span{start: from + i, end: from + i + len(value)})
		from += i + 1
	}
}
