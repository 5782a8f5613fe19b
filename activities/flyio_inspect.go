package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/flyio"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// Inspect implements Platform.
func (p flyioPlatform) Inspect(ctx context.Context, call contract.DeploymentCall, _ engine.Progress) (contract.Observed, error) {
	c, err := p.client()
	if err != nil {
		return contract.Observed{}, err
	}
	if err := c.CheckToken(ctx); err != nil {
		return contract.Observed{}, flyioToken(err)
	}
	known := call.Known
	call.Known = nil
	// Whether an app that somebody else has is drift depends on whether there ever was one of the deployment's own.
	never := known == nil || known.IDs["app"] == ""
	app, found, err := p.find(ctx, c, call)
	if never && classOf(err) == contract.NotOwned {
		return contract.Observed{}, nil
	}
	if err != nil || !found {
		return contract.Observed{}, err
	}
	machines, err := c.Machines(ctx, app.Name)
	if err != nil {
		return contract.Observed{}, err
	}
	machines = alive(machines)
	if never && flyioForeign(call, app, machines) {
		return contract.Observed{}, nil
	}
	observed := contract.Observed{Found: true, Input: flyioInput(call.Deployment.Ref, machines)}
	observed.Deployed, err = p.deployed(ctx, c, call, known, app, machines)
	if err != nil || call.Deployment.Flyio == nil {
		return observed, err
	}
	if known != nil && known.IDs["app"] != "" && app.ID != "" && known.IDs["app"] != app.ID {
		observed.Drift = append(observed.Drift, contract.Finding{About: "app", What: "was deleted and made anew elsewhere"})
	}
	observed.Deployed.Settling = slices.ContainsFunc(machines, settling)
	observed.Drift = append(observed.Drift, machineDrift(call.Deployment, known, machines)...)
	observed.Drift = append(observed.Drift, secretDrift(known, observed.Deployed.Secrets)...)
	return observed, nil
}

// flyioInput is the input that a deployment was made from; nil when orch has made no Machine of it.
func flyioInput(ref contract.Ref, machines []flyio.Machine) json.RawMessage {
	for _, m := range machines {
		metadata := flyioMetadata(m)
		if input := metadata[contract.FlyioMetadataInput]; metadata[contract.FlyioMetadataID] == ref.ID() && json.Valid([]byte(input)) {
			return json.RawMessage(input)
		}
	}
	return nil
}

// deployed is what there is. Of the secrets only those are told that are orch's to know.
func (p flyioPlatform) deployed(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, known *contract.Deployed, app flyio.App, machines []flyio.Machine) (*contract.Deployed, error) {
	addresses, err := c.Addresses(ctx, app.Name)
	if err != nil {
		return nil, err
	}
	out := &contract.Deployed{IDs: map[string]string{"app": app.ID}, Instances: flyioInstances(call.Deployment, machines)}
	for _, a := range addresses {
		out.IDs[addressKey(a)] = a.IP
	}
	for name, instance := range out.Instances {
		out.IDs["machine/"+name] = instance.ID
	}
	for _, m := range machines {
		for name, instance := range out.Instances {
			if instance.ID == m.ID {
				out.IDs[versionKey(name)] = m.InstanceID
			}
		}
		out.Release, out.Image = flyioMetadata(m)[contract.FlyioMetadataRelease], imageOf(m)
	}
	wanted := map[string]bool{}
	for name := range call.Deployment.Secrets {
		wanted[name] = true
	}
	if known != nil {
		out.URL = known.URL
		for name := range known.Secrets {
			wanted[name] = true
		}
	}
	if out.URL == "" {
		located, err := p.Locate(ctx, call, nil)
		if err != nil {
			return nil, err
		}
		out.URL = located.URL
	}
	if len(wanted) > 0 {
		secrets, err := c.Secrets(ctx, app.Name)
		if err != nil {
			return nil, err
		}
		out.Secrets = digests(secrets.Secrets, wanted)
	}
	return out, nil
}

// machineDrift says what is not as configured.
func machineDrift(d contract.Deployment, known *contract.Deployed, machines []flyio.Machine) []contract.Finding {
	var drift []contract.Finding
	slots, rest := bySlot(d, machines)
	for slot := 1; slot <= d.Flyio.Machines; slot++ {
		about := "machine " + strconv.Itoa(slot)
		m, ok := slots[slot]
		if !ok {
			drift = append(drift, contract.Finding{About: about, What: "is not there"})
			continue
		}
		for _, what := range oneMachineDrift(d, unchanged(known, slot, m), m) {
			drift = append(drift, contract.Finding{About: about, What: what})
		}
	}
	for _, m := range rest {
		drift = append(drift, contract.Finding{About: "machine " + m.ID, What: "is one too many, in region " + m.Region})
	}
	return drift
}

func oneMachineDrift(d contract.Deployment, unchanged bool, m flyio.Machine) []string {
	var drift []string
	if !settling(m) {
		if m.State != "started" {
			drift = append(drift, "is "+m.State)
		}
		drift = append(drift, failingChecks(m)...)
	}
	metadata := flyioMetadata(m)
	if unchanged && metadata[contract.FlyioMetadataRelease] == d.Release {
		return drift
	}
	if metadata[contract.FlyioMetadataID] != d.Ref.ID() {
		drift = append(drift, "runs a release that was made elsewhere")
	} else if metadata[contract.FlyioMetadataRelease] != d.Release {
		drift = append(drift, fmt.Sprintf("runs release %s instead of %s", metadata[contract.FlyioMetadataRelease], d.Release))
	}
	return append(drift, configDrift(d.Flyio.Machine, m.Config)...)
}

// flyioStuck is how long a Machine may take to come up before it counts as stuck.
const flyioStuck = 5 * time.Minute

// settling reports that a Machine has just been changed and is coming up.
func settling(m flyio.Machine) bool {
	if time.Since(m.UpdatedAt) > flyioStuck {
		return false
	}
	switch m.State {
	case "created", "creating", "starting", "replacing", "restarting", "updating":
		return true
	case "started":
		return len(failingChecks(m)) > 0 && time.Since(m.UpdatedAt) < flyioSettle
	default:
		return false
	}
}

// configDrift compares a Machine's config with what it should be. The platform adds values of its own, so only what is wanted
// is looked at; of variables the names are told, and no value.
func configDrift(wanted, actual json.RawMessage) []string {
	var want, have map[string]any
	if json.Unmarshal(wanted, &want) != nil || json.Unmarshal(actual, &have) != nil {
		return []string{"has a config that cannot be read"}
	}
	var drift []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		switch {
		case key == "metadata": // whose the Machine is and what it runs is compared by itself
		case key == "image" && want[key] != have[key]:
			drift = append(drift, fmt.Sprintf("runs image %v instead of %v", have[key], want[key]))
		case key == "env":
			if names := differentKeys(want[key], have[key]); len(names) > 0 {
				drift = append(drift, "has other values of "+strings.Join(names, ", "))
			}
		case !contains(have[key], want[key]):
			drift = append(drift, "has other "+key)
		}
	}
	return drift
}

// differentKeys are the keys whose values differ, also where one side has none.
func differentKeys(a, b any) []string {
	left, _ := a.(map[string]any)
	right, _ := b.(map[string]any)
	var names []string
	for name := range left {
		if value, ok := right[name]; !ok || value != left[name] {
			names = append(names, name)
		}
	}
	for name := range right {
		if _, ok := left[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// contains reports whether have is what is wanted, and perhaps more: objects may have further keys, lists may not be longer.
func contains(have, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := have.(map[string]any)
		if !ok {
			return false
		}
		for key, value := range want {
			if !contains(object[key], value) {
				return false
			}
		}
		return true
	case []any:
		list, ok := have.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range want {
			if !contains(list[i], want[i]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(have, want)
	}
}

// secretDrift compares the digests of secrets with those that the last setup left.
func secretDrift(known *contract.Deployed, now map[string]string) []contract.Finding {
	if known == nil {
		return nil
	}
	var drift []contract.Finding
	for _, name := range slices.Sorted(maps.Keys(known.Secrets)) {
		switch digest, ok := now[name]; {
		case !ok:
			drift = append(drift, contract.Finding{About: "secrets", What: name + " is not set any more"})
		case digest != known.Secrets[name]:
			drift = append(drift, contract.Finding{About: "secrets", What: name + " was set to something else"})
		}
	}
	return drift
}

// flyioGood is the note of a release to go back to: the version of each Machine's config by the Machine's id. Fly.io keeps the
// configs themselves.
type flyioGood map[string]string

func flyioVersions(machines []flyio.Machine) flyioGood {
	versions := flyioGood{}
	for _, m := range machines {
		versions[m.ID] = m.InstanceID
	}
	return versions
}

// Rollback implements Platform.
func (p flyioPlatform) Rollback(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Undone, error) {
	c, err := p.client()
	if err != nil {
		return contract.Undone{}, err
	}
	name := call.Deployment.Ref.Service
	if !call.Before.Found {
		call.Known = nil
		app, found, err := p.find(ctx, c, call)
		if classOf(err) == contract.NotOwned {
			return contract.Undone{}, nil // the name was taken before this run could have it
		}
		if err != nil || !found {
			return contract.Undone{}, err
		}
		progress("deleting app %s", app.Name)
		if err := p.deleteApp(ctx, c, app.Name); err != nil {
			return contract.Undone{}, err
		}
		return contract.Undone{Done: []string{"app " + app.Name + " deleted"}}, nil
	}
	if len(call.Before.LastGood) == 0 {
		return contract.Undone{}, nil
	}
	good := flyioGood{}
	if err := json.Unmarshal(call.Before.LastGood, &good); err != nil {
		return contract.Undone{}, contract.Fail(contract.Internal, "the note of the last good release cannot be read: %v", err)
	}
	machines, err := c.Machines(ctx, name)
	if err != nil {
		return contract.Undone{}, err
	}
	var undone contract.Undone
	for _, m := range alive(machines) {
		done, err := p.restore(ctx, c, call, m, good)
		if err != nil {
			return undone, err
		}
		undone.Done = append(undone.Done, done...)
	}
	if len(undone.Done) > 0 && call.Deployed.SecretsVersion != call.Before.Deployed.SecretsVersion {
		undone.Done = append(undone.Done, "secrets keep their new values, because Fly.io does not tell the old ones")
	}
	return undone, nil
}

// restore brings one Machine back to its last good version; one that the run has made goes.
func (p flyioPlatform) restore(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, m flyio.Machine, good flyioGood) ([]string, error) {
	name := call.Deployment.Ref.Service
	version, before := good[m.ID]
	switch {
	case !before && flyioMetadata(m)[contract.FlyioMetadataID] != call.Deployment.Ref.ID():
		return nil, nil // somebody has made it meanwhile
	case !before:
		if err := p.destroy(ctx, c, call, []flyio.Machine{m}); err != nil {
			return nil, err
		}
		return []string{"machine " + m.ID + " destroyed"}, nil
	case version == m.InstanceID:
		return nil, nil
	}
	versions, err := c.Versions(ctx, name, m.ID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(versions, func(v flyio.Version) bool { return v.Version == version })
	if i < 0 {
		return nil, contract.Fail(contract.NotFound, "Fly.io no longer has version %s of machine %s", version, m.ID)
	}
	if reflect.DeepEqual(canonical(versions[i].Config), canonical(m.Config)) {
		return nil, nil // an earlier attempt has done it
	}
	if _, err := p.update(ctx, c, name, m, flyio.Launch{Config: versions[i].Config}); err != nil && !cloud.IsAmbiguous(err) {
		return nil, err
	} else if err != nil {
		return nil, contract.Fail(contract.Unavailable, "whether machine %s is back is not known: %v", m.ID, err)
	}
	state := m.State
	_, err = poll(ctx, flyioSettle, func() (bool, error) {
		now, err := c.Machine(ctx, name, m.ID)
		state = now.State
		return state == "started", err
	})
	if err != nil {
		return nil, err
	}
	return []string{fmt.Sprintf("machine %s is back at version %s and %s", m.ID, version, state)}, nil
}

func canonical(config json.RawMessage) any {
	var value any
	// What cannot be read equals nothing that can.
	_ = json.Unmarshal(config, &value)
	return value
}
