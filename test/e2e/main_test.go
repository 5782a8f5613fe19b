package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// parallel is how many tests run at the same time: they wait more than they compute.
const parallel = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if !explicit("test.parallel") {
		if err := flag.Set("test.parallel", parallel); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			return 1
		}
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer shared.stop()
	return m.Run()
}

func explicit(name string) bool {
	found := false
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// setting is what all tests have in common.
var setting struct {
	binDir string
	cli    string // terraform or tofu
	images imageSet
}

// imageSet are the images of the components; an empty one leaves it to the provider's default.
type imageSet struct{ collector, loki, grafana string }

const (
	boxImage          = "orch.local/box:1"
	grafanaDouble     = "orch.local/doubles/grafana:12.4.15"
	buildBinaries     = "make build"
	buildDoubles      = "test/images/build.sh doubles"
	buildReal         = "test/images/build.sh real"
	installTerraform  = "install terraform 1.11 or newer, or tofu, into PATH"
	installPgrep      = "apt-get install procps"
	dockerIsNeeded    = "docker info"
	environmentImages = "ORCH_TEST_IMAGES"
)

// prepare finds everything that the tests need, or says which command makes it.
func prepare() error {
	dir := os.Getenv("ORCH_BIN_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "bin")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	setting.binDir = dir
	for _, name := range []string{"terraform-provider-orch", "orch-worker"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return missing(name, err, buildBinaries)
		}
	}
	if setting.cli, err = findCLI(); err != nil {
		return err
	}
	if _, err := exec.LookPath("pgrep"); err != nil {
		return missing("pgrep", err, installPgrep)
	}
	if out, err := exec.Command("docker", "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
		return missing("a Docker Engine", fmt.Errorf("%w: %s", err, out), dockerIsNeeded)
	}
	return chooseImages(os.Getenv(environmentImages))
}

func missing(what string, err error, command string) error {
	return fmt.Errorf("%s is missing: %w\n  next: %s", what, err, command)
}

func findCLI() (string, error) {
	if path := os.Getenv("TF_ACC_TERRAFORM_PATH"); path != "" {
		return path, nil
	}
	for _, name := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", missing("a Terraform CLI", exec.ErrNotFound, installTerraform)
}

func chooseImages(choice string) error {
	sets := map[string]imageSet{
		"doubles":  {"orch.local/doubles/collector:1", "orch.local/doubles/loki:1", grafanaDouble},
		"local":    {"orch.local/opentelemetry-collector-contrib:0.149.0", "orch.local/loki:3.7.8", grafanaDouble},
		"upstream": {},
	}
	if choice == "" {
		choice = "doubles"
	}
	set, ok := sets[choice]
	if !ok {
		return fmt.Errorf("%s=%s: want doubles, local or upstream", environmentImages, choice)
	}
	setting.images = set
	// The box misbehaves on request, whatever the components are.
	needed := map[string]string{boxImage: buildDoubles}
	for _, image := range []string{set.collector, set.loki, set.grafana} {
		switch {
		case image == "":
		case strings.Contains(image, "/doubles/"):
			needed[image] = buildDoubles
		default:
			needed[image] = buildReal
		}
	}
	for image, command := range needed {
		if out, err := exec.Command("docker", "image", "inspect", image).CombinedOutput(); err != nil {
			return missing("image "+image, fmt.Errorf("%s", lastLine(string(out))), command)
		}
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// eventually asks until the answer is yes, or fails the test with what was waited for. Asking takes a quarter of the time at
// most: a command that is run over and over would keep a processor from what is waited for.
func eventually(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		asked := time.Now()
		if ok() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
		time.Sleep(max(50*time.Millisecond, 3*time.Since(asked)))
	}
}
