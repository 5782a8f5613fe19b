package activities

import (
	"context"
	"maps"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/flyio"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// Configure implements Platform.
func (p flyioPlatform) Configure(ctx context.Context, call contract.DeploymentCall, secrets map[string]string, progress engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	c, err := p.client()
	if err != nil {
		return deployed, err
	}
	progress("assigning addresses")
	if deployed, err = p.assign(ctx, c, call, deployed); err != nil {
		return deployed, err
	}
	return p.setSecrets(ctx, c, call, deployed, secrets)
}

// assign makes sure that the app has a public address of each kind. An app that ran before and has any keeps what it has:
// somebody may have made it private on purpose.
func (p flyioPlatform) assign(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, deployed contract.Deployed) (contract.Deployed, error) {
	name := call.Deployment.Ref.Service
	has, err := c.Addresses(ctx, name)
	if err != nil {
		return deployed, err
	}
	v6, v4 := false, false
	for _, a := range has {
		v6, v4 = v6 || a.V6() && !a.Private(), v4 || !a.V6()
		deployed.IDs = with(deployed.IDs, addressKey(a), a.IP)
	}
	if len(has) > 0 && len(call.Before.Deployed.Instances) > 0 && !call.Before.Continues {
		return deployed, nil
	}
	for _, missing := range []struct {
		have bool
		kind string
	}{{v6, "v6"}, {v4, "shared_v4"}} {
		if missing.have {
			continue
		}
		// When the answer is lost the activity is tried again, and begins with the list.
		a, err := c.AssignAddress(ctx, name, missing.kind)
		if err != nil {
			return deployed, err
		}
		deployed.IDs = with(deployed.IDs, addressKey(a), a.IP)
	}
	return deployed, nil
}

func addressKey(a flyio.Address) string {
	switch {
	case a.Private():
		return "address/private_v6"
	case a.V6():
		return "address/v6"
	case a.Shared:
		return "address/shared_v4"
	default:
		return "address/v4"
	}
}

// setSecrets sets what the input names, and removes what earlier inputs named. Setting is idempotent, so a lost answer needs
// no look. Nothing is set when nothing can have changed, because every change makes all machines be updated.
func (p flyioPlatform) setSecrets(ctx context.Context, c *flyio.Client, call contract.DeploymentCall, deployed contract.Deployed, secrets map[string]string) (contract.Deployed, error) {
	values := map[string]*string{}
	for name, value := range secrets {
		values[name] = &value
	}
	settled := call.Known != nil && call.Known.Release == call.Deployment.Release
	if call.Known != nil {
		for name := range call.Known.Secrets {
			if _, wanted := secrets[name]; !wanted {
				values[name] = nil
				settled = false
			}
		}
	}
	if len(values) == 0 {
		return deployed, nil
	}
	name := call.Deployment.Ref.Service
	if settled {
		now, err := c.Secrets(ctx, name)
		if err != nil {
			return deployed, err
		}
		if maps.Equal(digests(now.Secrets, secrets), call.Known.Secrets) {
			return deployed, nil
		}
	}
	set, err := c.SetSecrets(ctx, name, values)
	if err != nil {
		return deployed, err
	}
	deployed.Secrets, deployed.SecretsVersion = digests(set.Secrets, secrets), set.Version
	return deployed, nil
}

// digests are the digests of the secrets that are wanted.
func digests[V any](all []flyio.Secret, wanted map[string]V) map[string]string {
	out := map[string]string{}
	for _, s := range all {
		if _, ok := wanted[s.Name]; ok {
			out[s.Name] = s.Digest
		}
	}
	return out
}
