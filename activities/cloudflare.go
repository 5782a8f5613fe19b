package activities

import (
	"context"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/cloudflare"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// VerifyCloudflare looks whether Cloudflare has what the service needs. It changes nothing.
func (d *Docker) VerifyCloudflare(ctx context.Context, call contract.CloudflareCall) error {
	_, err := beating(ctx, func(ctx context.Context, progress engine.Progress) (struct{}, error) {
		// The token may be one that only the worker next to the engine has.
		if err := d.Engine.CheckEngine(ctx, call.EngineID); err != nil {
			return struct{}{}, err
		}
		token, err := d.cloudflareToken(call)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, cloudflare.Verify(ctx, call.Check, token, progress)
	})
	return err
}

func (d *Docker) cloudflareToken(call contract.CloudflareCall) (string, error) {
	if call.Secret != "" {
		return call.Secret, nil
	}
	if call.Check.Token == (contract.SecretSource{}) {
		failure := contract.Fail(contract.InvalidInput, "there is no Cloudflare token to check with")
		failure.Attribute, failure.Hint = "cloudflare.token", "set token_wo, or token to an environment variable or a file of the worker"
		return "", failure
	}
	token, err := d.Secrets.Resolve(call.Check.Token)
	failure := contract.AsFailure(err)
	if failure != nil {
		failure.Attribute = "cloudflare.token"
	}
	return token, err
}
