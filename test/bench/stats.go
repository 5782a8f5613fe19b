package main

import (
	"math"
	"slices"
	"time"
)

// sample is what one contestant took for one phase, once a round.
type sample []time.Duration

// median of an even number of values is the mean of the two in the middle. The sample must not be empty.
func (s sample) median() time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func (s sample) min() time.Duration { return slices.Min(s) }

func (s sample) max() time.Duration { return slices.Max(s) }

// mad is the median absolute deviation from the median: half of the values are at most this far from it. One slow outlier
// does not move it.
func (s sample) mad() time.Duration {
	median := s.median()
	deviations := make(sample, len(s))
	for i, v := range s {
		deviations[i] = (v - median).Abs()
	}
	return deviations.median()
}

// ratio is a over b; NaN when b is nothing.
func ratio(a, b time.Duration) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}
