package engine

import (
	"strings"
	"testing"

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

func TestAnotherEngineIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	info, err := s.e.Info(t.Context())
	must(t, err)
	must(t, s.e.CheckEngine(t.Context(), ""))
	must(t, s.e.CheckEngine(t.Context(), info.ID))
	wantFailure(t, s.e.CheckEngine(t.Context(), "ANOTHER"), contract.WrongEngine, "ANOTHER", info.ID)
}
