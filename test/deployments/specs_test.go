package deployments_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
)

// specsVariable names the directory of the platforms' own schemas, which are not part of this repository; `make test-specs
// SPECS=DIR` sets it. Without it the doubles are strict by themselves only.
const specsVariable = "ORCH_SPECS"

// specs give, by the directory of a platform's schema, what holds an exchange against it. What a schema is known to be wrong
// about is counted, not failed.
var specs = map[string]func(t testing.TB, dir string) func(cloudfault.Exchange){
	"fly":     flySpec,
	"render":  renderSpec,
	"railway": railwaySpec,
}

// counted are the exchanges that were held against a schema, and the known errors of schemas that were met.
var counted = struct {
	sync.Mutex
	exchanges, known map[string]int
}{exchanges: map[string]int{}, known: map[string]int{}}

// observe has all exchanges with a double held against its platform's schema, when the schemas are there.
func observe(t testing.TB, platform string, faults *cloudfault.Faults) {
	t.Helper()
	dir := os.Getenv(specsVariable)
	if dir == "" {
		return
	}
	load, ok := specs[platform]
	require.True(t, ok, "no check of %s", platform)
	check := load(t, dir)
	faults.Observe(func(e cloudfault.Exchange) {
		counted.Lock()
		counted.exchanges[platform]++
		counted.Unlock()
		check(e)
	})
}

// knownError counts an error of a schema, told in a few words.
func knownError(what string) {
	counted.Lock()
	defer counted.Unlock()
	counted.known[what]++
}

// parallel is how many tests run at the same time: they wait more than they compute.
const parallel = "16"

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", parallel); err != nil {
			fmt.Fprintln(os.Stderr, "deployments:", err)
			os.Exit(1)
		}
	}
	code := m.Run()
	if os.Getenv(specsVariable) != "" {
		code = max(code, report())
	}
	os.Exit(code)
}

// report prints what was checked; nothing is a failure, because a check that does not look cannot fail.
func report() int {
	for _, platform := range slices.Sorted(maps.Keys(counted.exchanges)) {
		fmt.Printf("specs: %s: %d exchanges held against the schema\n", platform, counted.exchanges[platform])
	}
	for _, what := range slices.Sorted(maps.Keys(counted.known)) {
		fmt.Printf("specs: known error of a schema, met %d times: %s\n", counted.known[what], what)
	}
	if len(counted.exchanges) == 0 {
		fmt.Println("specs: no exchange was held against a schema")
		return 1
	}
	return 0
}
