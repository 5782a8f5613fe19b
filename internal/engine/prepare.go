package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Prepare finds out everything that would make the stack fail and can be known before anything is made: the engine, objects
// of the same names that are somebody else's, networks to join that are not there, a service that exists with another input,
// and ports that are taken. Only then it makes the network.
func (e *Engine) Prepare(ctx context.Context, call contract.StackCall, progress Progress) (contract.Prepared, error) {
	id, err := e.check(ctx, call.Stack.EngineID)
	if err != nil {
		return contract.Prepared{}, err
	}
	prepared := contract.Prepared{EngineID: id}
	progress.tell("checking what is on the Docker Engine")
	all, err := e.api.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return prepared, e.fail(ctx, err, "list containers")
	}
	if err := e.checkNames(ctx, call.Stack, all); err != nil {
		return prepared, err
	}
	if call.Operation == contract.OpCreate {
		if prepared.Adopted, prepared.Continues, err = adopt(call.Stack, all); err != nil {
			return prepared, err
		}
		if err := e.sameLiveInput(ctx, call.Stack, all); err != nil {
			return prepared, err
		}
	}
	if err := e.checkPorts(ctx, call.Stack, all); err != nil {
		return prepared, err
	}
	_, err = e.ensureNetwork(ctx, call.Stack.Ref, call.RunID)
	return prepared, err
}

// checkNames looks for components that cannot be made, for objects that have a name of the stack's and are not the service's,
// and for those of others that it needs.
func (e *Engine) checkNames(ctx context.Context, s contract.Stack, all []container.Summary) error {
	byName := map[string]container.Summary{}
	for _, item := range all {
		byName[nameOf(item)] = item
	}
	for _, c := range s.Components {
		if err := checkOptions(c); err != nil {
			return err
		}
		for _, suffix := range []string{"", contract.IncomingSuffix, contract.ReplacedSuffix} {
			found, exists := byName[c.Container+suffix]
			if exists && !s.Ref.Owns(found.Labels) {
				return notOwned("container", nameOf(found), "image "+found.Image, found.Labels)
			}
		}
		if err := e.checkVolumes(ctx, s.Ref, c); err != nil {
			return err
		}
		if err := e.joinable(ctx, s.Ref, c); err != nil {
			return err
		}
	}
	found, err := e.network(ctx, s.Ref.Network())
	if err != nil {
		return err
	}
	if found != nil && !s.Ref.Owns(found.Labels) {
		return notOwned("network", found.Name, "driver "+found.Driver, found.Labels)
	}
	return nil
}

// adopt tells a create what it meets: nothing, a part of the very same service (partly: a killed apply), all of it (an
// adoption), or a service with another input, which is not its to change.
func adopt(st contract.Stack, all []container.Summary) (whole *contract.Adoption, partly bool, err error) {
	var owned []container.Summary
	for _, item := range all {
		if st.Ref.Owns(item.Labels) {
			owned = append(owned, item)
		}
	}
	for _, s := range owned {
		name := s.Labels[contract.LabelComponent]
		if _, known := st.Component(name); name != "" && !known {
			return nil, false, otherInput(st.Ref, s)
		}
	}
	var oldest *container.Summary
	complete := len(st.Components) > 0
	for _, c := range st.Components {
		at := locate(owned, st.Ref, c.Name)
		found := at.current
		if found == nil && len(at.strays) > 0 {
			found = &at.strays[0]
		}
		if found == nil {
			// In the middle of an update, the replaced container is what the service was.
			found, complete = at.replaced, false
		}
		if found == nil {
			continue
		}
		if !sameJSON(found.Labels[contract.LabelInput], string(c.Input)) {
			return nil, false, otherInput(st.Ref, *found)
		}
		if oldest == nil || found.Created < oldest.Created {
			oldest = found
		}
	}
	if !complete || oldest == nil {
		return nil, oldest != nil, nil
	}
	return &contract.Adoption{RunID: oldest.Labels[contract.LabelRunID], Created: time.Unix(oldest.Created, 0).UTC()}, false, nil
}

func otherInput(r contract.Ref, found container.Summary) *contract.StepFailure {
	failure := contract.Fail(contract.Conflict, "service %q exists already with other input: container %s was made by run %s at %s",
		r.Service, nameOf(found), found.Labels[contract.LabelRunID], time.Unix(found.Created, 0).UTC().Format(time.RFC3339))
	failure.Attribute = "service_name"
	failure.Hint = fmt.Sprintf("take it over with `terraform import <resource address> %s`, or choose another service_name or scope", r.Service)
	return failure
}

// sameJSON compares two documents by meaning: white space and the order of keys do not count.
func sameJSON(a, b string) bool {
	if a == b {
		return true
	}
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
