package cloudflare_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/cloudflare"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
	double "github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudflare"
)

// world is a double in which everything is well until a test changes it.
type world struct {
	*double.Server
	faults *cloudfault.Faults
	url    string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Server: double.New(double.Example(), slog.New(slog.DiscardHandler))}
	w.faults = cloudfault.New(w.Server)
	server := httptest.NewServer(w.faults)
	t.Cleanup(func() {
		w.faults.Clear()
		server.Close()
		require.Empty(t, w.Unknown(), "the client asked what Cloudflare does not know")
	})
	w.url = server.URL + double.Base
	return w
}

// everything is a check of all there is to check.
func (w *world) everything() contract.CloudflareCheck {
	return contract.CloudflareCheck{
		BaseURL: w.url, AccountID: double.ExampleAccount, Zone: "example.com", Record: "Chat.example.com",
		RecordContent: double.ExampleTunnel + ".cfargotunnel.com.", Tunnel: "chat",
	}
}

func verify(t *testing.T, check contract.CloudflareCheck, token string) error {
	t.Helper()
	return cloudflare.Verify(t.Context(), check, token, func(string, ...any) {})
}

func refused(t *testing.T, err error, class contract.ErrorClass, attribute string, words ...string) {
	t.Helper()
	var failure *contract.StepFailure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, class, failure.Class, failure.Cause)
	require.Equal(t, attribute, failure.Attribute)
	for _, word := range words {
		require.Contains(t, failure.Cause+"\n"+failure.Hint, word)
	}
}

func TestEverythingIsWell(t *testing.T) {
	w := newWorld(t)
	for name, token := range map[string]string{"user": double.ExampleToken, "account": double.ExampleAccountToken} {
		require.NoError(t, verify(t, w.everything(), token), name)
	}
	byID := w.everything()
	byID.Tunnel, byID.RecordContent = double.ExampleTunnel, ""
	require.NoError(t, verify(t, byID, double.ExampleToken))
	require.NoError(t, verify(t, contract.CloudflareCheck{BaseURL: w.url}, double.ExampleToken), "the token alone")
}

func TestTokensThatDoNotWork(t *testing.T) {
	w := newWorld(t)
	alone, inAccount := contract.CloudflareCheck{BaseURL: w.url}, contract.CloudflareCheck{BaseURL: w.url, AccountID: double.ExampleAccount}
	refused(t, verify(t, alone, "nobody"), contract.Denied, "cloudflare.token", "401, Invalid API Token (code 1000)", "account_id")
	refused(t, verify(t, alone, double.ExampleAccountToken), contract.Denied, "cloudflare.token", "belongs to an account")
	refused(t, verify(t, inAccount, "nobody"), contract.Denied, "cloudflare.token", "neither for a user's", "nor for one of account "+double.ExampleAccount)
	other := inAccount
	other.AccountID = strings.Repeat("a", 32)
	refused(t, verify(t, other, double.ExampleAccountToken), contract.Denied, "cloudflare.token", "account_id is the account")
	for _, token := range []string{"", "two words", "line\n", "ümlaut"} {
		refused(t, verify(t, alone, token), contract.InvalidInput, "cloudflare.token", "white space")
	}
	for _, status := range []string{"disabled", "expired"} {
		w.Update(func(s *double.State) { s.Tokens[0].Status, s.Tokens[0].ExpiresOn = status, "2026-01-01T00:00:00Z" })
		refused(t, verify(t, alone, double.ExampleToken), contract.Denied, "cloudflare.token", "is "+status+", not active", "2026-01-01T00:00:00Z")
	}
	require.Len(t, w.faults.Calls(), 8, "what Cloudflare refuses is not asked again")
}

func TestZones(t *testing.T) {
	w := newWorld(t)
	check := contract.CloudflareCheck{BaseURL: w.url, Zone: "example.com"}
	absent := check
	absent.Zone = "example.org"
	refused(t, verify(t, absent, double.ExampleToken), contract.NotFound, "cloudflare.zone", "no zone example.org", "Zone > Zone > Read")

	w.Update(func(s *double.State) { s.Zones[0].Status = "pending" })
	refused(t, verify(t, check, double.ExampleToken), contract.Unhealthy, "cloudflare.zone", "is pending, not active", "bob.ns.cloudflare.com, lola.ns.cloudflare.com")
	w.Update(func(s *double.State) { s.Zones[0].Status = "moved" })
	refused(t, verify(t, check, double.ExampleToken), contract.Unhealthy, "cloudflare.zone", "is moved, not active")

	w.Update(func(s *double.State) {
		s.Zones[0].Status = "active"
		second := s.Zones[0]
		second.ID, second.AccountID = strings.Repeat("b", 32), strings.Repeat("c", 32)
		s.Zones = append(s.Zones, second)
	})
	refused(t, verify(t, check, double.ExampleToken), contract.Conflict, "cloudflare.zone", "2 zones", "set cloudflare.account_id")
	check.AccountID = double.ExampleAccount
	require.NoError(t, verify(t, check, double.ExampleToken))
	absent.AccountID = double.ExampleAccount
	refused(t, verify(t, absent, double.ExampleToken), contract.NotFound, "cloudflare.zone", "no zone example.org in account "+double.ExampleAccount)

	w.Update(func(s *double.State) { s.Tokens[0].Permissions = nil })
	refused(t, verify(t, check, double.ExampleToken), contract.NotFound, "cloudflare.zone", "may not read it", "Zone > Zone > Read")
}

func TestRecords(t *testing.T) {
	w := newWorld(t)
	check := contract.CloudflareCheck{BaseURL: w.url, Zone: "example.com", Record: "www.example.com"}
	refused(t, verify(t, check, double.ExampleToken), contract.NotFound, "cloudflare.record", "zone example.com has no DNS record www.example.com")
	check.Record, check.RecordContent = "chat.example.com", "elsewhere.example.net"
	refused(t, verify(t, check, double.ExampleToken), contract.Conflict, "cloudflare.record_content",
		"points to CNAME "+double.ExampleTunnel+".cfargotunnel.com, not to elsewhere.example.net")
	w.Update(func(s *double.State) { s.Tokens[0].Permissions = []string{double.ReadZones} })
	refused(t, verify(t, check, double.ExampleToken), contract.Denied, "cloudflare.record", "403, Authentication error (code 10000)", "Zone > DNS > Read")
}

func TestRecordOnALaterPageIsFound(t *testing.T) {
	w := newWorld(t)
	w.Update(func(s *double.State) {
		for i := range 45 {
			s.Zones[0].Records = append(s.Zones[0].Records, double.Record{
				ID: fmt.Sprint(i), Type: "A", Name: "many.example.com", Content: fmt.Sprintf("198.51.100.%d", i)})
		}
	})
	check := contract.CloudflareCheck{BaseURL: w.url, Zone: "example.com", Record: "many.example.com", RecordContent: "198.51.100.44"}
	require.NoError(t, verify(t, check, double.ExampleToken))
}

func TestTunnels(t *testing.T) {
	w := newWorld(t)
	check := contract.CloudflareCheck{BaseURL: w.url, AccountID: double.ExampleAccount, Tunnel: "chat"}
	for _, absent := range []string{"other", "00000000-0000-0000-0000-000000000000"} {
		none := check
		none.Tunnel = absent
		refused(t, verify(t, none, double.ExampleToken), contract.NotFound, "cloudflare.tunnel", "has no tunnel "+absent)
	}
	noAccount := check
	noAccount.AccountID = ""
	refused(t, verify(t, noAccount, double.ExampleToken), contract.InvalidInput, "cloudflare.account_id", "belongs to an account")
	malformed := check
	malformed.AccountID = "mine"
	refused(t, verify(t, malformed, double.ExampleToken), contract.InvalidInput, "cloudflare.tunnel", "Could not route to", "7003")

	w.Update(func(s *double.State) { s.Tunnels[0].Connections = 0 })
	refused(t, verify(t, check, double.ExampleToken), contract.Unhealthy, "cloudflare.tunnel", "has no connection, Cloudflare calls it inactive", "cloudflared tunnel run chat")
	w.Update(func(s *double.State) { s.Tunnels[0].Deleted = true })
	refused(t, verify(t, check, double.ExampleToken), contract.NotFound, "cloudflare.tunnel", "has no tunnel chat")
	check.Tunnel = double.ExampleTunnel
	refused(t, verify(t, check, double.ExampleToken), contract.NotFound, "cloudflare.tunnel", "has no tunnel")
	w.Update(func(s *double.State) { s.Tokens[0].Permissions = []string{double.ReadZones, double.ReadDNS} })
	refused(t, verify(t, check, double.ExampleToken), contract.Denied, "cloudflare.tunnel", "Account > Cloudflare Tunnel > Read")
}

func TestPassingTroubleIsRiddenOut(t *testing.T) {
	for name, fault := range map[string]cloudfault.Rule{
		"too many requests": {Times: 1, Status: 429, Header: map[string]string{"Retry-After": "1"}},
		"server error":      {Times: 2, Status: 502, Answer: "<html>bad gateway</html>"},
		"connection reset":  {Times: 1, Reset: true},
		"latency":           {Times: 1, Latency: 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			require.NoError(t, w.faults.Add(fault))
			require.NoError(t, verify(t, w.everything(), double.ExampleToken))
		})
	}
}

// A block for minutes is told, not waited for with a worker's slot in hand.
func TestBlockForMinutesIsUnavailable(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.faults.Add(cloudfault.Rule{Status: 429, Header: map[string]string{"Retry-After": "300"}}))
	err := verify(t, w.everything(), double.ExampleToken)
	refused(t, err, contract.Unavailable, "cloudflare.api_url", "429", "wait for 5m0s")
	require.NotContains(t, err.Error(), double.ExampleToken)
}

// Success decides, not the status.
func TestRefusalWithStatus200(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.faults.Add(cloudfault.Rule{Path: "/zones", Status: 200,
		Answer: `{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"messages":[],"result":null}`}))
	refused(t, verify(t, w.everything(), double.ExampleToken), contract.Denied, "cloudflare.zone", "Authentication error", "Zone > Zone > Read")
}

func TestCancelledCheckEndsAtOnce(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.faults.Add(cloudfault.Rule{Pause: true}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-w.faults.Paused(); cancel() }()
	require.ErrorIs(t, cloudflare.Verify(ctx, w.everything(), double.ExampleToken, func(string, ...any) {}), context.Canceled)
}
