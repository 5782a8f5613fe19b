package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// RotateGrafanaPassword changes the password of secret.User in a running Grafana from one value to another, by the user's
// own API (PUT /api/user/password): Grafana reads the password file only while its database is empty. It is idempotent:
// when the new password works already, nothing is done.
func RotateGrafanaPassword(ctx context.Context, baseURL string, secret contract.Secret, from, to string) error {
	g := grafana{baseURL: baseURL, client: &http.Client{Timeout: 10 * time.Second}}
	status, _, err := g.call(ctx, http.MethodGet, "/api/user", secret.User, to, nil)
	if err != nil {
		return err
	}
	if status == http.StatusOK {
		return nil
	}
	change := map[string]string{"oldPassword": from, "newPassword": to, "confirmNew": to}
	status, message, err := g.call(ctx, http.MethodPut, "/api/user/password", secret.User, from, change)
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized:
		failure := contract.Fail(contract.Denied, "Grafana refuses the stored password of %q, so it cannot be changed", secret.User)
		failure.Attribute = "grafana.admin_password_wo"
		failure.Hint = "somebody changed it outside orch: set it back in Grafana, or run grafana cli admin reset-admin-password in the container"
		return failure
	case status >= http.StatusInternalServerError:
		return contract.Fail(contract.Unavailable, "Grafana answered %d to the change of the password: %s", status, message)
	default:
		failure := contract.Fail(contract.InvalidInput, "Grafana refuses the new password: %s", message)
		failure.Attribute = "grafana.admin_password_wo"
		return failure
	}
}

type grafana struct {
	baseURL string
	client  *http.Client
}

// call sends one request with basic authentication and returns the status and Grafana's message.
func (g grafana) call(ctx context.Context, method, path, user, password string, body any) (int, string, error) {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return 0, "", fmt.Errorf("encode request to Grafana: %w", err)
		}
		payload = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, g.baseURL+path, payload)
	if err != nil {
		return 0, "", fmt.Errorf("request to Grafana: %w", err)
	}
	request.SetBasicAuth(user, password)
	request.Header.Set("Content-Type", "application/json")
	response, err := g.client.Do(request)
	if err != nil {
		return 0, "", contract.Fail(contract.Unavailable, "Grafana does not answer: %v", err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through the body
	var answer struct {
		Message string `json:"message"`
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return 0, "", contract.Fail(contract.Unavailable, "Grafana's answer broke off: %v", err)
	}
	if json.Unmarshal(data, &answer) != nil {
		answer.Message = string(data)
	}
	return response.StatusCode, answer.Message, nil
}
