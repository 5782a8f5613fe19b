package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/system"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestEvidenceOfARunningComponentHidesItsSecrets(t *testing.T) {
	t.Parallel()
	s := newService(t)
	missing, err := s.e.Evidence(t.Context(), s.ref, "alpha")
	must(t, err)
	if missing.State != contract.StateMissing || missing.Container != s.ref.Container("alpha") {
		t.Errorf("evidence of nothing: %+v", missing)
	}
	must(t, s.upWith(s.secretComponent(version(1), ""), "secret-value"))
	evidence, err := s.e.Evidence(t.Context(), s.ref, "alpha")
	must(t, err)
	logs := strings.Join(evidence.Logs, "\n")
	if evidence.State != "running" || !strings.Contains(logs, `secret "***"`) || strings.Contains(logs, "secret-value") {
		t.Errorf("evidence %+v", evidence)
	}
}

func TestASecretOfSeveralLinesIsHiddenLineByLine(t *testing.T) {
	t.Parallel()
	j := &job{masked: []string{"-----BEGIN KEY-----\nfirst half\nsecond half\n", "pw"}}
	// A log may begin in the middle of it, put something before each line, or write it as JSON.
	if got := j.mask("d half\napp: second half\n" + `{"key":"first half\nsecond half"}` + "\npw is short"); got != "d half\napp: ***\n"+`{"key":"***\n***"}`+"\n*** is short" {
		t.Errorf("masked %q", got)
	}
}

func TestALogOfNothingButASecretIsKeptWithinItsBounds(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 5*maxLogText)
	l := newBuildLog(nil, contract.ComponentCall{Secrets: map[string]string{"key": secret}})
	l.write(secret)
	l.write("\nthe end\n")
	if lines := l.lines(); len(lines) != 2 || lines[0] != "***" || lines[1] != "the end" {
		t.Errorf("lines %q", lines)
	}
}

// hung is an engine that does not answer.
type hung struct {
	dockerAPI
	asked chan struct{}
}

func (h hung) Info(ctx context.Context) (system.Info, error) {
	h.asked <- struct{}{}
	<-ctx.Done()
	return system.Info{}, ctx.Err()
}

func TestNobodyWaitsForAnothersQuestionToAnEngineThatHangs(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 2)
	e := &Engine{api: hung{asked: asked}}
	long, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { first <- e.CheckEngine(long, "") }()
	<-asked
	short, stop := context.WithCancel(t.Context())
	stop()
	if err := e.CheckEngine(short, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestAnotherEngineIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	info, err := s.e.Info(t.Context())
	must(t, err)
	must(t, s.e.CheckEngine(t.Context(), ""))
	must(t, s.e.CheckEngine(t.Context(), info.ID))
	wantFailure(t, s.e.CheckEngine(t.Context(), "ANOTHER"), contract.WrongEngine, "ANOTHER", info.ID)
}
