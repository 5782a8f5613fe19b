package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// probed is a component that is asked in a way of its own.
func (s *service) probed(name string, p contract.Probe) contract.Component {
	c := s.component(name)
	if p.TimeoutSeconds == 0 {
		p.TimeoutSeconds = 20
	}
	p.Attribute = "health.path"
	c.Probe = p
	return c
}

func TestAProbeByHTTPSaysWhatCameBack(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		probe contract.Probe
		words []string // none: it is ready
	}{
		{"no content", contract.Probe{Port: "http", Path: "/answer?code=204"}, nil},
		{"created", contract.Probe{Type: contract.ProbeHTTP, Port: "http", Path: "/answer?code=201"}, nil},
		{"error", contract.Probe{Port: "http", Path: "/answer?code=500", TimeoutSeconds: 3}, []string{"500 Internal Server Error one says 500"}},
		{"redirect", contract.Probe{Port: "http", Path: "/answer?code=301&to=https://example.com/in", TimeoutSeconds: 3},
			[]string{"301 Moved Permanently redirects to https://example.com/in", "redirects are not followed"}},
		{"hang", contract.Probe{Port: "http", Path: "/answer?code=200&wait=60s", AttemptSeconds: 0.4, TimeoutSeconds: 3}, []string{"no answer came within 0.4 s"}},
		{"a long attempt", contract.Probe{Port: "http", Path: "/answer?code=200&wait=1500ms", AttemptSeconds: 5}, nil},
		{"retries", contract.Probe{Port: "http", Path: "/answer?code=500", Retries: 3, IntervalSeconds: 0.1, TimeoutSeconds: 60},
			[]string{"did not become ready in 3 attempts"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			c := s.probed("alpha", tc.probe)
			_, err := s.ensure(c)
			if tc.words == nil {
				must(t, err)
				s.noDrift(c)
				return
			}
			wantFailure(t, err, contract.Unhealthy, append(tc.words, "health.path")...)
			drift := strings.Join(s.observe(c).Drifted(), "\n")
			if !strings.Contains(drift, "does not answer its probe: GET http") {
				t.Errorf("drift %q", drift)
			}
		})
	}
}

func TestTheStartPeriodDoesNotCount(t *testing.T) {
	t.Parallel()
	p := newPace(contract.Probe{Retries: 2, StartPeriodSeconds: 5, IntervalSeconds: 3})
	for _, early := range []time.Duration{0, 3 * time.Second, 4999 * time.Millisecond} {
		if p.over(notReady("no"), early) || p.over(answer{final: true}, early) {
			t.Errorf("an attempt after %s counts", early)
		}
	}
	if p.over(notReady("no"), 6*time.Second) || !p.over(notReady("no"), 9*time.Second) {
		t.Error("not the second attempt after the start period is one too many")
	}
	if first, second := p.next(), p.next(); first != 3*time.Second || second != 3*time.Second {
		t.Error("the interval is not kept")
	}
	free := newPace(contract.Probe{})
	for range 100 {
		if free.over(notReady("no"), time.Hour) {
			t.Fatal("attempts are counted without a limit")
		}
	}
	if !free.over(answer{final: true}, time.Second) {
		t.Error("waiting goes on where it is of no use")
	}
	if strict := newPace(contract.Probe{Retries: 1}); strict.over(answer{early: true}, time.Hour) || !strict.over(notReady("no"), time.Hour) {
		t.Error("what an image's HEALTHCHECK has not looked at yet counts as an attempt")
	}
}

func TestAProbeByTCPIsNotDeceivedByTheEnginesProxy(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.probed("alpha", contract.Probe{Type: contract.ProbeTCP, Port: "http"})
	s.up(c)
	s.noDrift(c)
	deaf := s.probed("beta", contract.Probe{Type: contract.ProbeTCP, Port: "http", TimeoutSeconds: 2})
	deaf.Env = map[string]string{"BOX_DEAF": "1"}
	_, err := s.ensure(deaf)
	wantFailure(t, err, contract.Unhealthy, "connect to 127.0.0.1:", "nothing listens on the port in the container", "health.path")
	deaf.Probe.Type, deaf.Probe.Path = contract.ProbeHTTP, "/ready"
	_, err = s.ensure(deaf)
	wantFailure(t, err, contract.Unhealthy, "GET http://127.0.0.1:", "nothing listens on the port in the container", "health.path")
}

func TestAProbeByTheImagesHealthcheck(t *testing.T) {
	t.Parallel()
	s := newService(t)
	image := contract.Probe{Type: contract.ProbeImage, TimeoutSeconds: 30}
	c := s.probed("alpha", image)
	_, err := s.ensure(c)
	wantFailure(t, err, contract.InvalidInput, boxImage+" has no HEALTHCHECK", "health.path")
	if s.exists(c.Container) {
		t.Error("a container was made all the same")
	}
	c.Image = checkedImage
	s.up(c)
	s.noDrift(c)

	// The image's own intervals and retries count, not those of the probe.
	slow := s.probed("gamma", contract.Probe{Type: contract.ProbeImage, IntervalSeconds: 0.1, AttemptSeconds: 0.1, Retries: 1, TimeoutSeconds: 1})
	slow.Image = slowImage
	s.up(slow)
	s.noDrift(slow)

	sick := s.probed("beta", image)
	sick.Image, sick.Env = checkedImage, map[string]string{"BOX_NEVER_READY": "1"}
	began := time.Now()
	_, err = s.ensure(sick)
	wantFailure(t, err, contract.Unhealthy, "unhealthy (exit code 1): still thinking", "health.path")
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("an unhealthy container was waited for %s", took)
	}
	if drift := strings.Join(s.observe(sick).Drifted(), "\n"); !strings.Contains(drift, "says unhealthy") {
		t.Errorf("drift %q", drift)
	}
}
