package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/box"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/git"
)

// containerService is the configuration of one orch_container_service on the box.
type containerService struct {
	service string
	// image is an expression; without one there is a build of the context.
	image   string
	context string
	command string
	host    int
	health  string
	// patience is how long failures of the health check do not count.
	patience string
	more     []string
}

func newContainerService(t *testing.T, name string) *containerService {
	t.Helper()
	s := &containerService{
		service: uniqueName(name), image: strconv.Quote(boxImage), command: `["serve", "--port", "8080"]`, health: `http = { port = "http", path = "/ready" }`,
		patience: "30s",
	}
	t.Cleanup(func() { purge(t, s.service); purgeImages(t, s.ref()) })
	return s
}

func (s *containerService) ref() contract.Ref {
	return contract.NewRef(contract.ContainerService, "", s.service)
}

func (s *containerService) container() string { return s.ref().Container(catalog.ServiceName) }

func (s *containerService) hcl(address string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s\nprovider \"orch\" {\n  address = %q\n}", requiredProviders, address)
	line("resource \"orch_container_service\" \"it\" {\n  service_name = %q\n  delete_volumes = true", s.service)
	if s.context == "" {
		line("  image = %s", s.image)
	} else {
		line("  build = { context = %q }", s.context)
	}
	if s.command != "" {
		line("  command = %s", s.command)
	}
	host := ""
	if s.host != 0 {
		host = fmt.Sprintf(", host = %d", s.host)
	}
	line("  ports = { http = { container = 8080%s } }", host)
	line("  health = { %s, interval = \"200ms\", start_period = %q, retries = 2, timeout = \"1s\" }", s.health, s.patience)
	line("  update = { drain_seconds = 1 }")
	for _, more := range s.more {
		line("  %s", more)
	}
	line("}")
	return b.String()
}

// useService writes the service as the world's configuration.
func (w *world) useService(s *containerService) {
	w.t.Helper()
	w.write(s.hcl(w.server.address()))
}

// images are the tags of what was built for a service.
func imagesOf(t *testing.T, ref contract.Ref) []string {
	t.Helper()
	return strings.Fields(docker(t, "images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "label="+contract.LabelImageOf+"="+ref.ID()))
}

func purgeImages(t *testing.T, ref contract.Ref) {
	if left := imagesOf(t, ref); len(left) > 0 {
		if _, err := tryDocker(append([]string{"rmi", "--force"}, left...)...); err != nil {
			t.Error("purge:", err)
		}
	}
}

// published is the address of a container's port on the host.
func published(t *testing.T, container, port string) string {
	t.Helper()
	return "http://" + strings.Fields(docker(t, "port", container, port))[0]
}

func put(t *testing.T, file, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
}

// boxContext is a folder that is built into an image which serves a file.
func boxContext(t *testing.T, words string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "Dockerfile"), "FROM "+boxImage+"\nCOPY words.txt /words.txt\nCMD [\"serve\", \"--port\", \"8080\"]\n")
	put(t, filepath.Join(dir, "words.txt"), words)
	return dir
}

func TestServiceIsBuiltUpdatedRepairedImportedAndDestroyed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	s := newContainerService(t, "svc-life")
	s.command, s.context = "", boxContext(t, "one")
	words := func() string {
		_, body, err := get(published(t, s.container(), "8080")+"/?file=/words.txt", "", "")
		require.NoError(t, err)
		return body
	}
	w.useService(s)
	w.apply()
	w.assertEmptyPlan()
	require.Equal(t, "one", words())
	require.Equal(t, "container service ready", w.attribute("message"))
	require.Len(t, imagesOf(t, s.ref()), 1)
	first := lives(t, s.service)

	// Only the content counts: a file that was written anew is the same file.
	put(t, filepath.Join(s.context, "words.txt"), "one")
	w.assertEmptyPlan()
	require.Equal(t, first, lives(t, s.service))

	put(t, filepath.Join(s.context, "words.txt"), "two")
	r := w.plan()
	require.Equal(t, 2, r.exit)
	require.Equal(t, true, w.planned().AfterUnknown["context_hash"])
	require.Contains(t, r.warnings(), "Since the image was built: changed words.txt.")
	w.apply()
	w.assertEmptyPlan()
	require.Equal(t, "two", words())
	require.Len(t, imagesOf(t, s.ref()), 1, "the replaced image is gone")

	// Another setting builds nothing.
	built := imagesOf(t, s.ref())
	s.more = []string{`env = { A = "b" }`}
	w.useService(s)
	require.NotContains(t, w.apply().warnings(), "context")
	w.assertEmptyPlan()
	require.Equal(t, built, imagesOf(t, s.ref()))

	// Without its only container the network is still there: the service is repaired.
	docker(t, "rm", "--force", s.container())
	require.Equal(t, 2, w.plan().exit)
	require.Equal(t, []string{"update"}, w.planned().Actions)
	w.applyPlan()
	w.assertEmptyPlan()
	require.Equal(t, built, imagesOf(t, s.ref()), "the image was there still")

	for reason, change := range map[string][]string{
		"changed": {"update", "--memory", "64m", "--memory-swap", "64m", s.container()}, "stopped": {"stop", "--time", "0", s.container()},
	} {
		docker(t, change...)
		r := w.plan()
		require.Equal(t, 2, r.exit, reason)
		require.Contains(t, r.warnings(), "is degraded: service", reason)
		w.applyPlan()
		w.assertEmptyPlan()
	}

	require.Zero(t, w.terraform("state", "rm", "orch_container_service.it").exit)
	require.Zero(t, w.terraform("import", "orch_container_service.it", s.service).exit)
	after := lives(t, s.service)
	w.apply() // delete_volumes is a setting of the operation
	w.assertEmptyPlan()
	require.Equal(t, after, lives(t, s.service))

	w.destroy(asUsual)
	assertNothingLeft(t, s.service)
	require.Empty(t, imagesOf(t, s.ref()))
}

// The engine fetches a repository by itself: neither Terraform nor the worker sees what is in it.
func TestServiceIsBuiltFromAGitRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	s := newContainerService(t, "svc-git")
	repository := git.Serve(t)
	repository.Commit("v1", map[string]string{
		"docker/Dockerfile": "FROM " + boxImage + "\nCOPY words.txt /words.txt\nCMD [\"serve\", \"--port\", \"8080\"]\n", "docker/words.txt": "one",
	})
	repository.Commit("v2", map[string]string{"docker/words.txt": "two"})
	serves := func(words string) {
		t.Helper()
		_, body, err := get(published(t, s.container(), "8080")+"/?file=/words.txt", "", "")
		require.NoError(t, err)
		require.Equal(t, words, body)
	}
	s.command, s.context = "", repository.URL+"#v1:docker"
	w.useService(s)
	w.apply()
	w.assertEmptyPlan()
	serves("one")
	require.Nil(t, w.attributes()["context_hash"])

	s.context = repository.URL + "#v2:docker"
	w.useService(s)
	w.apply()
	w.assertEmptyPlan()
	serves("two")
	require.Len(t, imagesOf(t, s.ref()), 1, "the replaced image is gone")

	s.context = repository.URL + "#v3:docker"
	w.useService(s)
	r := w.tryApply()
	require.Equal(t, 1, r.exit)
	require.Contains(t, r.errors(), "cannot fetch the build context "+s.context)
	require.Contains(t, r.errors(), "git ls-remote "+repository.URL)
	w.assertPointsAt(r.diagnostics("error")[0], "build = {")
	serves("two")

	s.context = strings.Replace(s.context, "http://", "http://me:token@", 1)
	w.useService(s)
	r = w.plan()
	require.Equal(t, 1, r.exit)
	require.Contains(t, r.errors(), "holds a login")

	s.context = repository.URL + "#v2:docker"
	w.useService(s)
	require.Zero(t, w.terraform("state", "rm", "orch_container_service.it").exit)
	require.Zero(t, w.terraform("import", "orch_container_service.it", s.service).exit)
	w.apply() // delete_volumes is a setting of the operation
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, s.service)
	require.Empty(t, imagesOf(t, s.ref()))
}

// polled is what the poller next to a service has seen.
func polled(t *testing.T, container string) box.Polled {
	t.Helper()
	status, body := call(t, http.MethodGet, published(t, container, "8080")+"/polled", nil, nil)
	require.Equal(t, http.StatusOK, status, body)
	var seen box.Polled
	require.NoError(t, json.Unmarshal([]byte(body), &seen))
	return seen
}

// A client on the service's network looks its name up for every request, and sees no failed one during two updates.
func TestUpdateOfAServiceLosesNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	s := newContainerService(t, "svc-poll")
	s.more = []string{`secrets = { words = { value_wo = "one", value_wo_version = 1 } }`}
	w.useService(s)
	w.apply()
	poller := s.container() + "-poller"
	docker(t, "run", "--detach", "--name", poller, "--network", s.ref().Network(), "--publish", "127.0.0.1::8080", boxImage,
		"poll", "--url", "http://"+catalog.ServiceName+":8080/ready")
	t.Cleanup(func() { _, _ = tryDocker("rm", "--force", poller) })
	eventually(t, time.Minute, "the poller is up", func() bool {
		_, _, err := get(published(t, poller, "8080")+"/polled", "", "")
		return err == nil
	})
	asked := func(more int) {
		before := polled(t, poller).Requests
		eventually(t, time.Minute, "the poller is answered", func() bool { return polled(t, poller).Requests > before+more })
	}
	asked(50)
	for i := range 2 {
		before := lives(t, s.service)
		s.more = []string{fmt.Sprintf(`env = { N = "%d" }`, i)}
		w.useService(s)
		r := w.apply()
		require.NotContains(t, r.warnings(), "did not answer")
		require.NotEqual(t, before[catalog.ServiceName].id, lives(t, s.service)[catalog.ServiceName].id)
		asked(50)
		w.assertEmptyPlan()
	}
	seen := polled(t, poller)
	require.Zero(t, seen.Failed, "%d requests, failures: %v", seen.Requests, seen.Failures)
	t.Logf("%d requests, none failed", seen.Requests)
	docker(t, "rm", "--force", poller)
	w.destroy()
	assertNothingLeft(t, s.service)
}

func TestGapOfAFixedHostPortIsPrinted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	s := newContainerService(t, "svc-gap")
	s.host = reservePort(t)
	w.useService(s)
	w.apply()
	s.more = []string{`env = { A = "b" }`}
	w.useService(s)
	r := w.apply()
	require.Regexp(t, `did not answer for \d+\.\d s`, r.warnings())
	require.Contains(t, r.warnings(), "a fixed host port cannot be taken over without a gap")
	w.assertEmptyPlan()
	_, body, err := get(fmt.Sprintf("http://127.0.0.1:%d/ready", s.host), "", "")
	require.NoError(t, err)
	require.Equal(t, "ready\n", body)
	w.destroy()
	assertNothingLeft(t, s.service)
}

func TestNewVersionThatDoesNotBecomeHealthyLeavesTheOldOneServing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	s := newContainerService(t, "svc-bad")
	w.useService(s)
	w.apply()
	good := lives(t, s.service)
	for reason, broken := range map[string]struct {
		change func(s *containerService)
		says   string
	}{
		"exits":            {func(s *containerService) { s.command = `["exit", "--code", "3", "--lines", "2"]` }, "line 2 of 2"},
		"never listens":    {func(s *containerService) { s.command = `["hang"]` }, "step start_service failed"},
		"answers 500":      {func(s *containerService) { s.health = `http = { port = "http", path = "/fail" }` }, "failing as asked"},
		"hangs":            {func(s *containerService) { s.health = `http = { port = "http", path = "/hang" }` }, "/hang"},
		"redirects":        {func(s *containerService) { s.health = `http = { port = "http", path = "/redirect" }` }, "https://box.example/"},
		"nobody listens":   {func(s *containerService) { s.command, s.health = `["hang"]`, `tcp = { port = "http" }` }, "step start_service failed"},
		"no HEALTHCHECK":   {func(s *containerService) { s.health = `image = true` }, "HEALTHCHECK"},
		"no such image":    {func(s *containerService) { s.image = `"orch.local/none:1"` }, "orch.local/none:1"},
		"no such network":  {func(s *containerService) { s.more = []string{`networks = ["orch/orch/database/none"]`} }, "service_name \"none\""},
		"unreadable value": {func(s *containerService) { s.more = []string{`secrets = { a = { env = "NOT_ALLOWED" } }`} }, "NOT_ALLOWED"},
	} {
		bad := *s
		bad.patience = "2s"
		broken.change(&bad)
		w.useService(&bad)
		r := w.tryApply()
		require.Equal(t, 1, r.exit, reason)
		require.Contains(t, r.errors(), broken.says, reason)
		require.Equal(t, good, lives(t, s.service), "%s: the old one serves as before", reason)
	}
	w.useService(s)
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, s.service)
}
