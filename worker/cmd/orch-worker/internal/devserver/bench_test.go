package devserver_test

import (
	"fmt"
	"testing"
)

// BenchmarkStart measures from Start on an existing file until the frontend answers.
func BenchmarkStart(b *testing.B) {
	o := options(b)
	if err := start(b, o).Stop(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := start(b, o)
		b.StopTimer()
		if err := s.Stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkWorkflow measures one workflow from its start to its result, with an idle worker on the queue.
func BenchmarkWorkflow(b *testing.B) {
	s := start(b, options(b))
	c := dial(b, s.Address())
	serve(b, c, "q")
	for _, n := range []int{0, 1, 5} {
		b.Run(fmt.Sprintf("activities=%d", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				run(b, c, fmt.Sprintf("w-%d-%d", n, i), "q", n)
			}
		})
	}
}
