package engine

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/nat"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestErrorsOfTheEngineHaveTheirClass(t *testing.T) {
	t.Parallel()
	internal := func(text string) error { return fmt.Errorf("%s: %w", text, errdefs.ErrInternal) }
	cases := []struct {
		err  error
		want contract.ErrorClass
	}{
		{internal("driver failed programming external connectivity: Bind for 127.0.0.1:3100 failed: port is already allocated"), contract.Conflict},
		{internal("listen tcp4 127.0.0.1:3100: bind: address already in use"), contract.Conflict},
		{internal("failed to bind host port 127.0.0.1:3100/tcp: address already in use"), contract.Conflict},
		{internal("listen tcp4 192.0.2.1:80: bind: cannot assign requested address"), contract.InvalidInput},
		{internal("could not find an available, non-overlapping IPv4 address pool among the defaults"), contract.Conflict},
		{internal(`exec: "/nope": stat /nope: no such file or directory: unknown`), contract.InvalidInput},
		{internal("exec /app: exec format error"), contract.InvalidInput},
		{internal("write /var/lib/docker/tmp/x: no space left on device"), contract.Unavailable},
		{errors.New("toomanyrequests: You have reached your pull rate limit"), contract.Unavailable},
		{errors.New("manifest for grafana/grafana:nope not found: manifest unknown: manifest unknown"), contract.NotFound},
		{errors.New("pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"), contract.NotFound},
		{errors.New("no matching manifest for linux/arm64/v8 in the manifest list entries"), contract.NotFound},
		{errors.New("unauthorized: authentication required"), contract.Denied},
		{errors.New("denied: requested access to the resource is denied"), contract.Denied},
		{errors.New("error parsing HTTP 403 response body: 403 Forbidden"), contract.Denied},
		{internal(`Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host`), contract.Unavailable},
		{internal(`Get "https://r/v2/": x509: certificate signed by unknown authority`), contract.Unavailable},
		{internal(`Get "https://r/v2/": dial tcp 192.0.2.1:443: connect: connection refused`), contract.Unavailable},
		{internal("something that nobody has seen before"), contract.Unavailable},
		{fmt.Errorf("no such container: %w", errdefs.ErrNotFound), contract.NotFound},
		{fmt.Errorf("name in use: %w", errdefs.ErrConflict), contract.Conflict},
		{fmt.Errorf("bad parameter: %w", errdefs.ErrInvalidArgument), contract.InvalidInput},
		{fmt.Errorf("not allowed: %w", errdefs.ErrPermissionDenied), contract.Denied},
		{errors.New("invalid reference format: repository name must be lowercase"), contract.InvalidInput},
		{errors.New("client version 1.60 is too new. Maximum supported API version is 1.41"), contract.InvalidInput},
		{errors.New("unexpected EOF"), contract.Unavailable},
		{client.ErrorConnectionFailed("unix:///x.sock"), contract.Unavailable}, //nolint:staticcheck // the SDK offers no other way to make one
	}
	for _, tc := range cases {
		if got, _ := classOf(tc.err); got != tc.want {
			t.Errorf("%v: class %s, want %s", tc.err, got, tc.want)
		}
	}
}

func TestAFailureKeepsWhatIsKnownAlready(t *testing.T) {
	t.Parallel()
	e, err := New(Options{})
	must(t, err)
	known := contract.Fail(contract.NotOwned, "somebody else's")
	if got := e.fail(t.Context(), fmt.Errorf("wrapped: %w", known), "do something"); contract.AsFailure(got) != known {
		t.Errorf("failure %v", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := e.fail(ended, known, "do something"); !errors.Is(got, context.Canceled) {
		t.Errorf("error %v after the end of its context", got)
	}
}

func TestReadingAPull(t *testing.T) {
	t.Parallel()
	err := readPull(strings.NewReader(`{"status":"Pulling","id":"a"}
{"status":"Downloading","id":"a","progressDetail":{"current":1,"total":10}}
{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}`), "x", nil)
	if err == nil || err.Error() != "manifest unknown" {
		t.Errorf("error %v inside a stream that began with success", err)
	}
	if err := readPull(strings.NewReader(`{"status":"Downloading","id":"a","progressDetail":{"current":10,"total":10}}{"status":"Pull complete"}`), "x", nil); err != nil {
		t.Error(err)
	}
	if err := readPull(strings.NewReader(`{"status":"Down`), "x", nil); err == nil {
		t.Error("a stream that broke off passed for a pull")
	}
}

func TestImageReferences(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"grafana/loki:3": "docker.io", "alpine": "docker.io", "quay.io/a/b": "quay.io", "localhost/x": "localhost",
		"registry:5000/a": "registry:5000",
	} {
		if got := registryHost(ref); got != want {
			t.Errorf("%s: host %s, want %s", ref, got, want)
		}
	}
	i := image.InspectResponse{ID: "sha256:id", RepoDigests: []string{"mirror/loki@sha256:one", "r:5000/grafana/loki@sha256:two"}}
	for ref, want := range map[string]string{"r:5000/grafana/loki:3": "sha256:two", "mirror/loki": "sha256:one", "other": "sha256:one"} {
		if got := digestOf(i, ref); got != want {
			t.Errorf("%s: digest %s, want %s", ref, got, want)
		}
	}
	if got := digestOf(image.InspectResponse{ID: "sha256:id"}, "x"); got != "sha256:id" {
		t.Errorf("digest %s of an image without a registry", got)
	}
}

func TestRegistryLogins(t *testing.T) {
	t.Parallel()
	login := base64.StdEncoding.EncodeToString([]byte("ann:pass:word"))
	config := []byte(`{"auths":{"https://index.docker.io/v1/":{"auth":"` + login + `"},"quay.io":{"auth":"` + login + `"},"helped.io":{}},"credsStore":"x"}`)
	for host, want := range map[string]string{"docker.io": hubKey, "quay.io": "quay.io", "helped.io": "", "ghcr.io": ""} {
		encoded := authFrom(config, host)
		plain, err := base64.URLEncoding.DecodeString(encoded)
		must(t, err)
		if want == "" {
			if encoded != "" {
				t.Errorf("%s: login %s", host, plain)
			}
			continue
		}
		if !strings.Contains(string(plain), `"username":"ann"`) || !strings.Contains(string(plain), `"password":"pass:word"`) || !strings.Contains(string(plain), want) {
			t.Errorf("%s: login %s", host, plain)
		}
	}
	if authFrom([]byte("no json"), "docker.io") != "" {
		t.Error("a broken file gave a login")
	}
}

func TestLogLinesAreCutAfterMasking(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 600)
	j := &job{masked: []string{"", secret}}
	lines := logLines(j.mask("first\r\n" + strings.Repeat("x", 600) + "\n" + secret + "\n"))
	if len(lines) != 3 || lines[0] != "first" || len(lines[1]) != evidenceWidth+len("…") || lines[2] != "***" {
		t.Errorf("lines %q", lines)
	}
	if got := logLines(strings.Repeat("line\n", 100)); len(got) != evidenceLines {
		t.Errorf("%d lines", len(got))
	}
	if logLines("") != nil {
		t.Error("no output made a line")
	}
}

func TestPortBindingsAreComparedByMeaning(t *testing.T) {
	t.Parallel()
	binding := func(host string) nat.PortMap { return nat.PortMap{"80/tcp": {{HostIP: "127.0.0.1", HostPort: host}}} }
	for _, tc := range []struct {
		a, b string
		same bool
	}{{"", "0", true}, {"80", "80", true}, {"80", "8", false}, {"800", "80", false}, {"", "80", false}} {
		if got := sameBindings(binding(tc.a), binding(tc.b)); got != tc.same {
			t.Errorf("%q and %q: %v", tc.a, tc.b, got)
		}
	}
	if sameBindings(binding("80"), nat.PortMap{}) {
		t.Error("a missing binding passed")
	}
}
