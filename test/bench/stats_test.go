package main

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStatistics(t *testing.T) {
	const s = time.Second
	cases := map[string]struct {
		values           sample
		median, min, max time.Duration
		mad              time.Duration
	}{
		"one value":                    {sample{3 * s}, 3 * s, 3 * s, 3 * s, 0},
		"odd, not in order":            {sample{5 * s, 1 * s, 3 * s}, 3 * s, 1 * s, 5 * s, 2 * s},
		"even takes the mean":          {sample{4 * s, 1 * s, 2 * s, 3 * s}, 2500 * time.Millisecond, 1 * s, 4 * s, 1 * s},
		"an outlier moves neither one": {sample{1 * s, 1 * s, 2 * s, 2 * s, 60 * s}, 2 * s, 1 * s, 60 * s, 1 * s},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			before := append(sample(nil), c.values...)
			require.Equal(t, c.median, c.values.median())
			require.Equal(t, c.min, c.values.min())
			require.Equal(t, c.max, c.values.max())
			require.Equal(t, c.mad, c.values.mad())
			require.Equal(t, before, c.values, "the order of the rounds is kept")
		})
	}
}

func TestRatioOfNothingIsNoNumber(t *testing.T) {
	require.InDelta(t, 0.5, ratio(time.Second, 2*time.Second), 1e-9)
	require.True(t, math.IsNaN(ratio(time.Second, 0)))
}
