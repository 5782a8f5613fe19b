package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/flyio"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

const (
	// leaseSeconds is how long a Machine stays locked when this worker dies while it changes it.
	leaseSeconds = 15
	// leaseWait is how long somebody else's lease is waited for: a little longer than our own of a killed attempt lasts.
	leaseWait = 45 * time.Second
)

// slotName is a Machine's name. It is deterministic, because an app has no two Machines of one name: a create whose answer
// was lost cannot happen twice. A region is for life, so it is part of the name.
func slotName(region string, slot int) string { return fmt.Sprintf("orch-%s-%d", region, slot) }

// flyioConfig is the part of a Machine's config that is looked at here.
type flyioConfig struct {
	Image    string            `json:"image"`
	Env      map[string]string `json:"env"`
	Metadata map[string]string `json:"metadata"`
}

func flyioConfigOf(m flyio.Machine) flyioConfig {
	var config flyioConfig
	// A config that is not an object is compared as one without anything in it.
	_ = json.Unmarshal(m.Config, &config)
	return config
}

func flyioMetadata(m flyio.Machine) map[string]string { return flyioConfigOf(m).Metadata }

// alive are the Machines that are not destroyed or about to be.
func alive(machines []flyio.Machine) []flyio.Machine {
	return slices.DeleteFunc(slices.Clone(machines), func(m flyio.Machine) bool {
		return m.State == "destroyed" || m.State == "destroying" || m.State == "replaced" || m.State == "migrated"
	})
}

// bySlot gives each Machine its place among the deployment's, from 1. rest are those that have none: too many, in another
// region, or of somebody else where nobody is left to take the place of.
func bySlot(d contract.Deployment, machines []flyio.Machine) (slots map[int]flyio.Machine, rest []flyio.Machine) {
	slots = map[int]flyio.Machine{}
	var foreign []flyio.Machine
	machines = slices.Clone(machines)
	slices.SortFunc(machines, func(a, b flyio.Machine) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, m := range machines {
		slot, err := strconv.Atoi(flyioMetadata(m)[contract.FlyioMetadataSlot])
		_, taken := slots[slot]
		switch {
		case m.Region != d.Flyio.Region:
			rest = append(rest, m)
		case err != nil:
			foreign = append(foreign, m)
		case slot < 1 || slot > d.Flyio.Machines || taken:
			rest = append(rest, m)
		default:
			slots[slot] = m
		}
	}
	for _, m := range foreign {
		placed := false
		for slot := 1; slot <= d.Flyio.Machines && !placed; slot++ {
			if _, taken := slots[slot]; !taken {
				slots[slot], placed = m, true
			}
		}
		if !placed {
			rest = append(rest, m)
		}
	}
	return slots, rest
}

// flyioInstances are Machines as the contract tells them.
func flyioInstances(d contract.Deployment, machines []flyio.Machine) map[string]contract.Instance {
	out := map[string]contract.Instance{}
	if d.Flyio == nil {
		for i, m := range machines {
			out[strconv.Itoa(i+1)] = flyioInstance(m)
		}
		return out
	}
	slots, rest := bySlot(d, machines)
	for slot, m := range slots {
		out[strconv.Itoa(slot)] = flyioInstance(m)
	}
	for _, m := range rest {
		out[m.ID] = flyioInstance(m)
	}
	return out
}

func flyioInstance(m flyio.Machine) contract.Instance {
	health := contract.HealthReady
	if m.State != "started" || len(failingChecks(m)) > 0 {
		health = contract.HealthNotReady
	}
	return contract.Instance{ID: m.ID, Region: m.Region, State: m.State, Health: health}
}

// failingChecks are the checks of a Machine that do not pass, with what they say.
func failingChecks(m flyio.Machine) []string {
	var failing []string
	for _, c := range m.Checks {
		if c.Status != "passing" {
			failing = append(failing, fmt.Sprintf("check %s is %s: %s", c.Name, c.Status, cloud.Quote(c.Output)))
		}
	}
	return failing
}

// launch is what a Machine of the deployment is created or updated with.
func launch(call contract.DeploymentCall, slot int) (flyio.Launch, error) {
	var config map[string]json.RawMessage
	if err := json.Unmarshal(call.Deployment.Flyio.Machine, &config); err != nil {
		return flyio.Launch{}, contract.Fail(contract.Internal, "the machine config cannot be read: %v", err)
	}
	metadata := map[string]string{}
	if err := json.Unmarshal(config["metadata"], &metadata); err != nil {
		return flyio.Launch{}, contract.Fail(contract.Internal, "the machine's metadata cannot be read: %v", err)
	}
	metadata[contract.FlyioMetadataSlot], metadata[contract.FlyioMetadataRun] = strconv.Itoa(slot), call.RunID
	metadata[contract.FlyioMetadataSecrets] = strconv.FormatInt(call.Deployed.SecretsVersion, 10)
	var err error
	if config["metadata"], err = json.Marshal(metadata); err != nil {
		return flyio.Launch{}, err
	}
	data, err := json.Marshal(config)
	return flyio.Launch{Config: data, MinSecretsVersion: call.Deployed.SecretsVersion}, err
}

// current reports that a Machine was given this release and these secrets, and that nobody has changed its config since.
func current(call contract.DeploymentCall, slot int, m flyio.Machine) bool {
	metadata := flyioMetadata(m)
	if metadata[contract.FlyioMetadataRelease] != call.Deployment.Release || metadata[contract.FlyioMetadataID] != call.Deployment.Ref.ID() ||
		metadata[contract.FlyioMetadataSecrets] != strconv.FormatInt(call.Deployed.SecretsVersion, 10) {
		return false
	}
	return metadata[contract.FlyioMetadataRun] == call.RunID || unchanged(call.Known, slot, m) ||
		len(configDrift(call.Deployment.Flyio.Machine, m.Config)) == 0
}

// flyioSecretsVersion is the newest version of the secrets that a Machine was told.
func flyioSecretsVersion(machines []flyio.Machine) int64 {
	var newest int64
	for _, m := range machines {
		// What is no number is of a Machine that orch has not made.
		if version, err := strconv.ParseInt(flyioMetadata(m)[contract.FlyioMetadataSecrets], 10, 64); err == nil {
			newest = max(newest, version)
		}
	}
	return newest
}

// versionKey is the key of the version of a Machine's config among Deployed.IDs.
func versionKey(slot string) string { return "version/" + slot }

// unchanged reports that a Machine has the version of its config that the last setup left. Then nobody has changed it, in
// whatever form the platform gives it back.
func unchanged(known *contract.Deployed, slot int, m flyio.Machine) bool {
	return known != nil && m.InstanceID != "" && known.IDs[versionKey(strconv.Itoa(slot))] == m.InstanceID
}

// Release implements Platform. Each Machine that is not of this release is updated or made; rolling waits for each before the
// next. Machines that have no place any more go when all is good (Commit).
func (p flyioPlatform) Release(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	c, err := p.client()
	if err != nil {
		return deployed, err
	}
	machines, err := c.Machines(ctx, call.Deployment.Ref.Service)
	if err != nil {
		return deployed, err
	}
	slots, rest := bySlot(call.Deployment, alive(machines))
	deployed.Instances = map[string]contract.Instance{}
	for slot := 1; slot <= call.Deployment.Flyio.Machines; slot++ {
		progress("machine %d of %d", slot, call.Deployment.Flyio.Machines)
		m, ok := slots[slot]
		if m, err = p.ensure(ctx, c, call, slot, m, ok); err != nil {
			return deployed, err
		}
		if call.Deployment.Flyio.Strategy == contract.StrategyRolling && !call.NoWait {
			if m, err = p.ready(ctx, c, call, m, progress); err != nil {
				return deployed, err
			}
		}
		deployed.Instances[strconv.Itoa(slot)] = flyioInstance(m)
		deployed.IDs = with(deployed.IDs, "machine/"+strconv.Itoa(slot), m.ID)
		deployed.IDs = with(deployed.IDs, versionKey(strconv.Itoa(slot)), m.InstanceID)
		deployed.Image = imageOf(m)
	}
	deployed.Release = call.Deployment.Release
	if call.NoWait {
		return deployed, p.destroy(ctx, c, call, rest)
	}
	return deployed, nil
}

// imageOf is what a Machine runs, with its digest.
func imageOf(m flyio.Machine) string {
	if r := m.ImageRef; r.Repository != "" && r.Digest != "" {
		return r.Registry + "/" + r.Repository + "@" + r.Digest
	}
	return flyioConfigOf(m).Image
}

// ensure makes one Machine what it should be, without waiting until it is up.
func (p flyioPlatform) ensure(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, slot int, m flyio.Machine, exists bool) (flyio.Machine, error) {
	wanted, err := launch(call, slot)
	if err != nil {
		return m, err
	}
	app := call.Deployment.Ref.Service
	switch {
	case !exists:
		return p.create(ctx, c, call, slot, wanted)
	case current(call, slot, m) && (m.State == "stopped" || m.State == "suspended"):
		err := c.StartMachine(ctx, app, m.ID)
		if cloud.IsAmbiguous(err) || cloud.IsStatus(err, http.StatusConflict, http.StatusPreconditionFailed) {
			err = nil // the wait that follows sees whether it starts
		}
		if err != nil {
			return m, err
		}
		return c.Machine(ctx, app, m.ID)
	case current(call, slot, m) && m.State != "failed":
		return m, nil
	default:
		return p.update(ctx, c, app, m, wanted)
	}
}

// create makes a Machine. When its answer is lost, or its name is taken, it is there or will be in a moment.
func (p flyioPlatform) create(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, slot int, wanted flyio.Launch) (flyio.Machine, error) {
	app := call.Deployment.Ref.Service
	wanted.Region = call.Deployment.Flyio.Region
	wanted.Name = slotName(wanted.Region, slot)
	m, created := c.CreateMachine(ctx, app, wanted)
	if strings.HasSuffix(cloud.CodeOf(created), "_capacity") {
		failure := contract.Fail(contract.Conflict, "%v", created)
		failure.Attribute, failure.Hint = "region", "choose another region or size, or apply again later: Fly.io has no room in "+wanted.Region
		return m, failure
	}
	if created == nil || !cloud.IsAmbiguous(created) && !cloud.IsStatus(created, http.StatusConflict) {
		return m, created
	}
	found, err := poll(ctx, flyioSettle/3, func() (bool, error) {
		machines, err := c.Machines(ctx, app)
		for _, candidate := range alive(machines) {
			if candidate.Name == wanted.Name && flyioMetadata(candidate)[contract.FlyioMetadataID] == call.Deployment.Ref.ID() {
				m = candidate
				return true, nil
			}
		}
		return false, err
	})
	switch {
	case err != nil:
		return m, err
	case !found && cloud.IsAmbiguous(created):
		return m, created // it was not carried out: the next attempt makes it
	case !found:
		// A conflict that is not about the name is a host without room, which another attempt may not meet.
		return m, contract.Fail(contract.Unavailable, "machine %s could not be made: %v", wanted.Name, created)
	case !current(call, slot, m):
		return p.update(ctx, c, app, m, wanted)
	default:
		return m, nil
	}
}

// update replaces a Machine's config under a lease, so that nobody else changes it at the same time.
func (p flyioPlatform) update(ctx context.Context, c *flyio.Client, app string, m flyio.Machine, wanted flyio.Launch) (flyio.Machine, error) {
	nonce, err := p.lease(ctx, c, app, m.ID)
	if err != nil {
		return m, err
	}
	wanted.Name, wanted.Region = "", ""
	updated, err := c.UpdateMachine(ctx, app, m.ID, nonce, wanted)
	// A lease that cannot be given back ends by itself.
	released := c.Release(context.WithoutCancel(ctx), app, m.ID, nonce)
	if err == nil && released != nil && !cloud.IsStatus(released, http.StatusNotFound) && !cloud.IsAmbiguous(released) {
		return updated, released
	}
	return updated, err
}

// lease waits for a lease that somebody else has: often that is an attempt of ours that was killed.
func (p flyioPlatform) lease(ctx context.Context, c *flyio.Client, app, id string) (nonce string, err error) {
	var held error
	ok, err := poll(ctx, leaseWait, func() (bool, error) {
		var err error
		nonce, err = c.Lease(ctx, app, id, "orch deployment", leaseSeconds)
		if cloud.IsStatus(err, http.StatusConflict) || cloud.IsAmbiguous(err) {
			held = err
			return false, nil
		}
		return err == nil, err
	})
	if err == nil && !ok {
		return "", contract.Fail(contract.Unavailable, "machine %s is being changed by somebody else: %v", id, held)
	}
	return nonce, err
}

// Check implements Platform.
func (p flyioPlatform) Check(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	c, err := p.client()
	if err != nil {
		return deployed, err
	}
	deployed.Instances = maps.Clone(deployed.Instances)
	for slot := 1; slot <= call.Deployment.Flyio.Machines; slot++ {
		id := deployed.Instances[strconv.Itoa(slot)].ID
		m, err := p.ready(ctx, c, call, flyio.Machine{ID: id, State: "unknown"}, progress)
		if err != nil {
			return deployed, err
		}
		deployed.Instances[strconv.Itoa(slot)] = flyioInstance(m)
	}
	return deployed, nil
}

// Commit implements committer: Machines that have no place any more are destroyed.
func (p flyioPlatform) Commit(ctx context.Context, call contract.DeploymentCall) error {
	c, err := p.client()
	if err != nil {
		return err
	}
	machines, err := c.Machines(ctx, call.Deployment.Ref.Service)
	if err != nil {
		return err
	}
	_, rest := bySlot(call.Deployment, alive(machines))
	return p.destroy(ctx, c, call, rest)
}

func (p flyioPlatform) destroy(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, machines []flyio.Machine) error {
	for _, m := range machines {
		// A lost answer is repeated by the next attempt, which finds the Machine gone.
		err := c.DeleteMachine(ctx, call.Deployment.Ref.Service, m.ID)
		switch {
		case cloud.IsStatus(err, http.StatusConflict, http.StatusPreconditionFailed):
			// Leased, or in the middle of a change: no reason to give a release up.
			return contract.Fail(contract.Unavailable, "machine %s cannot be destroyed now: %v", m.ID, err)
		case err != nil && !cloud.IsStatus(err, http.StatusNotFound):
			return err
		}
	}
	return nil
}
