package activities

import (
	"context"
	"net/http"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// RotateGrafanaPassword changes the password of secret.User in a running Grafana from one value to another, by the user's
// own API (PUT /api/user/password): Grafana reads the password file only while its database is empty. It is idempotent:
// when the new password works already, nothing is done.
func RotateGrafanaPassword(ctx context.Context, baseURL string, secret contract.Secret, from, to string) error {
	probe, err := newGrafana(baseURL, direct, basic(secret.User, to)).call(ctx, http.MethodGet, "/api/user", nil)
	if err != nil {
		return err
	}
	if probe.status == http.StatusOK {
		return nil
	}
	change := map[string]string{"oldPassword": from, "newPassword": to, "confirmNew": to}
	got, err := newGrafana(baseURL, direct, basic(secret.User, from)).call(ctx, http.MethodPut, "/api/user/password", change)
	switch {
	case err != nil:
		return err
	case got.status == http.StatusOK:
		return nil
	case got.status == http.StatusUnauthorized:
		return contract.Fail(contract.Denied, "Grafana refuses the stored password of %q, so it cannot be changed", secret.User).On("grafana.admin_password_wo").Next("somebody changed it outside orch: set it back in Grafana, or run grafana cli admin reset-admin-password in the container")
	case got.status >= http.StatusInternalServerError:
		return contract.Fail(contract.Unavailable, "Grafana answered the change of the password with %s", got)
	default:
		return contract.Fail(contract.InvalidInput, "Grafana refuses the new password: %s", got.said()).On("grafana.admin_password_wo")
	}
}
