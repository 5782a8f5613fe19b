package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// joinInputs puts the service's input together again from what each container was made from, which stands in its label, and
// from what was copied into it since, by container ID. Where two disagree, as in the middle of an update, the newer one is
// right; what is only put aside or not finished does not count.
func joinInputs(owned []container.Summary, live map[string]json.RawMessage) (json.RawMessage, error) {
	inOrder := slices.Clone(owned)
	slices.SortStableFunc(inOrder, func(a, b container.Summary) int { return cmp.Compare(a.Created, b.Created) })
	joined, labelled := map[string]json.RawMessage{}, false
	for _, s := range inOrder {
		label := s.Labels[contract.LabelInput]
		if label == "" || label == "null" || isLeftover(s) {
			continue
		}
		var part map[string]json.RawMessage
		if err := json.Unmarshal([]byte(label), &part); err != nil {
			return nil, contract.Fail(contract.Internal, "label %s of container %s is not a JSON object: %v", contract.LabelInput, nameOf(s), err)
		}
		labelled = true
		addLive(part, live[s.ID])
		for key, value := range part {
			joined[key] = value
		}
	}
	if !labelled {
		return nil, nil
	}
	// A service of which nothing was written has an input all the same: the empty one.
	data, err := contract.Encode(joined)
	if err != nil {
		return nil, contract.Fail(contract.Internal, "put the input together: %v", err)
	}
	return data, nil
}

// addLive adds the attributes that live gives to blocks of part.
func addLive(part map[string]json.RawMessage, live json.RawMessage) {
	for key, value := range objects(live) {
		if _, has := part[key]; !has {
			// An attribute of its own: all of it is live. Absent and null are the same.
			if string(value) != "null" {
				part[key] = value
			}
			continue
		}
		var attributes map[string]json.RawMessage
		if json.Unmarshal(value, &attributes) != nil || len(attributes) == 0 {
			continue
		}
		block := map[string]json.RawMessage{}
		if err := json.Unmarshal(part[key], &block); err != nil || block == nil {
			// The block is absent, so its live attributes are all that there is.
			block = map[string]json.RawMessage{}
		}
		for attribute, value := range attributes {
			block[attribute] = value
		}
		// Raw messages that were read as JSON always have that form again.
		if merged, err := json.Marshal(block); err == nil {
			part[key] = merged
		}
	}
}

// objects reads a live input. A file that somebody has made unreadable counts as none: where it should be one, that is drift,
// and is put right by the next setup, which it must not stand in the way of.
func objects(live json.RawMessage) map[string]json.RawMessage {
	var parts map[string]json.RawMessage
	if len(live) == 0 || json.Unmarshal(live, &parts) != nil {
		return nil
	}
	return parts
}

// liveInputs collects what containers hold of the input, by container ID.
type liveInputs struct {
	mu   sync.Mutex
	byID map[string]json.RawMessage
}

// add takes the live input out of a container's files, where there is one.
func (l *liveInputs) add(id string, files map[string]contract.File) {
	file, exists := files[contract.LiveInputPath]
	if !exists {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = map[string]json.RawMessage{}
	}
	l.byID[id] = json.RawMessage(file.Content)
}

// liveInput reads the file with the live input of a container, running or not.
func (e *Engine) liveInput(ctx context.Context, s container.Summary) (map[string]contract.File, error) {
	if s.State == container.StateRemoving || s.State == container.StateDead {
		return nil, nil
	}
	return e.read(ctx, s.ID, nameOf(s), contract.LiveInputPath)
}

// sameLiveInput tells a create whether what exists differs in what can change without another container, of which the labels
// say nothing. A container without it is one that a killed run has not given its files.
func (e *Engine) sameLiveInput(ctx context.Context, st contract.Stack, all []container.Summary) error {
	for _, c := range st.Components {
		if len(c.LiveInput) == 0 {
			continue
		}
		at := locate(slices.DeleteFunc(slices.Clone(all), func(s container.Summary) bool { return !st.Ref.Owns(s.Labels) }), st.Ref, c.Name)
		if at.current == nil {
			continue
		}
		files, err := e.liveInput(ctx, *at.current)
		if err != nil {
			return err
		}
		if file, exists := files[contract.LiveInputPath]; exists && !sameJSON(file.Content, string(c.LiveInput)) {
			return otherInput(st.Ref, *at.current)
		}
	}
	return nil
}

func isLeftover(s container.Summary) bool {
	final := contract.Ref{Scope: s.Labels[contract.LabelScope], Kind: s.Labels[contract.LabelKind], Service: s.Labels[contract.LabelService]}.
		Container(s.Labels[contract.LabelComponent])
	return nameOf(s) == final+contract.IncomingSuffix || nameOf(s) == final+contract.ReplacedSuffix
}
