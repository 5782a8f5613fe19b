//go:build real

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Prompts and traces are long. The Collector joins lines into batches, and what is over Loki's limit would be refused for ever,
// and block what comes behind it.
func TestLongLinesArrive(t *testing.T) {
	p := newPipeline(t, "long")
	w := newWorld(t, shared.get(t))
	w.use(p)
	w.apply()
	for size, lines := range map[int]int{5_000: 2_000, 200_000: 20} {
		mark := fmt.Sprintf("line of %d bytes", size)
		for n := range lines {
			sendLine(t, p, fmt.Sprintf("%s %05d %s", mark, n, strings.Repeat("x", size)))
		}
		eventually(t, 2*time.Minute, fmt.Sprintf("%d lines of %d bytes", lines, size), func() bool { return lokiCounts(t, p, mark) == lines })
	}
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, p.service)
}

// lokiCounts is how many lines of the service hold a text.
func lokiCounts(t *testing.T, p *pipeline, text string) int {
	t.Helper()
	query := url.Values{"query": {fmt.Sprintf("sum(count_over_time({service_name=%q} |= %q [1h]))", p.service, text)}}.Encode()
	_, body, err := get(localURL(p.loki, "/loki/api/v1/query?"+query), "", "")
	if err != nil {
		return 0
	}
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
	if len(answer.Data.Result) == 0 {
		return 0
	}
	count := 0
	_, err = fmt.Sscan(fmt.Sprint(answer.Data.Result[0].Value[1]), &count)
	require.NoError(t, err)
	return count
}
