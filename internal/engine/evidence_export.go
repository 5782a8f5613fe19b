package engine

import (
	"context"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// CheckEngine fails with WrongEngine when id names another engine than this one; an empty id means any.
func (e *Engine) CheckEngine(ctx context.Context, id string) error {
	_, err := e.check(ctx, id)
	return err
}

// EngineID is the engine's identity.
func (e *Engine) EngineID(ctx context.Context) (string, error) { return e.check(ctx, "") }

// Evidence is the state of a component and its last log lines, with every secret that its volume holds masked. A component
// without a container is missing, which is evidence, too.
func (e *Engine) Evidence(ctx context.Context, r contract.Ref, component string) (*contract.Evidence, error) {
	owned, err := e.owned(ctx, r)
	if err != nil {
		return nil, err
	}
	name := r.Container(component)
	best := locate(owned, r, component).best()
	if best == nil {
		return &contract.Evidence{Container: name, State: contract.StateMissing}, nil
	}
	j := &job{Engine: e, c: contract.Component{Name: component, Container: name}}
	stored, err := e.vault(ctx, best.ID, name)
	if err != nil {
		return nil, err
	}
	for file, value := range stored {
		if !strings.HasSuffix(file, versionSuffix) {
			j.masked = append(j.masked, value)
		}
	}
	return j.evidence(ctx, best.ID, nil), nil
}
