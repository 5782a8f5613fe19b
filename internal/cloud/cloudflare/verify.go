package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Permissions that a token needs, in the words of Cloudflare's dashboard.
const (
	permitZone   = "Zone > Zone > Read"
	permitDNS    = "Zone > DNS > Read"
	permitTunnel = "Account > Cloudflare Tunnel > Read"
)

// codeAuthentication is Cloudflare's code for a token without the permission, codeAccess for one that may not see the object.
const (
	codeAuthentication = "10000"
	codeAccess         = "9109"
)

var tunnelID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// verifier is one check at work.
type verifier struct {
	client *cloud.Client
	check  contract.CloudflareCheck
}

// Verify looks at everything that the check names, in order: token, zone, record, tunnel. Errors are *contract.StepFailure that
// say what was looked at, what Cloudflare said, and which permission is missing; progress tells what is looked at.
func Verify(ctx context.Context, check contract.CloudflareCheck, secret string, progress func(format string, args ...any)) error {
	if secret == "" || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return failure(contract.InvalidInput, "token", "the Cloudflare token is empty or holds white space or other characters that no token has", "give the token alone, as Cloudflare showed it")
	}
	v := &verifier{client: newClient(check.BaseURL, secret), check: check}
	progress("checking the token of Cloudflare")
	if err := v.token(ctx); err != nil {
		return err
	}
	if check.Zone != "" {
		progress("checking zone %s of Cloudflare", check.Zone)
		if err := v.zone(ctx); err != nil {
			return err
		}
	}
	if check.Tunnel != "" {
		progress("checking tunnel %s of Cloudflare", check.Tunnel)
		return v.tunnel(ctx)
	}
	return nil
}

// token is active. A token of an account is not known where tokens of users are asked for.
func (v *verifier) token(ctx context.Context) error {
	got, _, err := get[token](ctx, v.client, "/user/tokens/verify", nil)
	asUser := refused(err)
	if asUser != nil && v.check.AccountID != "" {
		got, _, err = get[token](ctx, v.client, "/accounts/"+url.PathEscape(v.check.AccountID)+"/tokens/verify", nil)
		if asAccount := refused(err); asAccount != nil {
			return failure(contract.Denied, "token", fmt.Sprintf("Cloudflare takes the token neither for a user's (%s) nor for one of account %s (%s)",
				said(asUser), v.check.AccountID, said(asAccount)), "check the token, and that account_id is the account that it belongs to")
		}
		asUser = nil
	}
	switch {
	case asUser != nil:
		return failure(contract.Denied, "token", "Cloudflare refuses the token: "+said(asUser),
			"check the token; one that belongs to an account and not to a user (cfat_…) needs cloudflare.account_id")
	case err != nil:
		return v.unclear(err, "token", "")
	case got.Status != "active":
		text := fmt.Sprintf("the Cloudflare token is %s, not active", got.Status)
		if got.ExpiresOn != "" {
			text += ", it expires on " + got.ExpiresOn
		}
		return failure(contract.Denied, "token", text, "enable or roll the token in Cloudflare's dashboard, and give the new one")
	default:
		return nil
	}
}

// zone is there once, active, and has the record.
func (v *verifier) zone(ctx context.Context) error {
	query, where := url.Values{"name": {v.check.Zone}}, ""
	if v.check.AccountID != "" {
		query.Set("account.id", v.check.AccountID)
		where = " in account " + v.check.AccountID
	}
	found, err := list[zone](ctx, v.client, "/zones", query)
	if err != nil {
		return v.unclear(err, "zone", permitZone)
	}
	found = slices.DeleteFunc(found, func(z zone) bool { return !sameName(z.Name, v.check.Zone) })
	switch {
	case len(found) == 0:
		return failure(contract.NotFound, "zone", fmt.Sprintf("Cloudflare shows this token no zone %s%s: there is none, or the token may not read it", v.check.Zone, where),
			"add the domain to Cloudflare, or give the token the permission "+permitZone+" for it")
	case len(found) > 1:
		return failure(contract.Conflict, "zone", fmt.Sprintf("Cloudflare has %d zones %s that this token can read", len(found), v.check.Zone), "set cloudflare.account_id")
	case found[0].Status != "active":
		return failure(contract.Unhealthy, "zone", fmt.Sprintf("zone %s is %s, not active", v.check.Zone, found[0].Status), notActive(found[0]))
	case v.check.Record == "":
		return nil
	default:
		return v.record(ctx, found[0])
	}
}

func notActive(z zone) string {
	if z.Status == "pending" && len(z.NameServers) > 0 {
		return "have the domain's registrar name Cloudflare's servers: " + strings.Join(z.NameServers, ", ")
	}
	return "see the zone's overview in Cloudflare's dashboard"
}

// record is there and points where it should.
func (v *verifier) record(ctx context.Context, in zone) error {
	found, err := list[record](ctx, v.client, "/zones/"+url.PathEscape(in.ID)+"/dns_records", url.Values{"name": {v.check.Record}})
	if err != nil {
		return v.unclear(err, "record", permitDNS)
	}
	var contents []string
	for _, r := range found {
		switch {
		case !sameName(r.Name, v.check.Record):
		case v.check.RecordContent == "" || sameName(r.Content, v.check.RecordContent):
			return nil
		default:
			contents = append(contents, r.Type+" "+r.Content)
		}
	}
	if len(contents) == 0 {
		return failure(contract.NotFound, "record", fmt.Sprintf("zone %s has no DNS record %s", v.check.Zone, v.check.Record),
			"add the record in Cloudflare; a tunnel's is a proxied CNAME to <tunnel id>.cfargotunnel.com")
	}
	return failure(contract.Conflict, "record_content", fmt.Sprintf("DNS record %s points to %s, not to %s",
		v.check.Record, strings.Join(contents, " and "), v.check.RecordContent), "correct the record in Cloudflare, or record_content")
}

// sameName compares names as DNS does.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// tunnel is there and connected.
func (v *verifier) tunnel(ctx context.Context) error {
	if v.check.AccountID == "" {
		return failure(contract.InvalidInput, "account_id", "a tunnel belongs to an account, and cloudflare.account_id is not set", "set cloudflare.account_id")
	}
	path := "/accounts/" + url.PathEscape(v.check.AccountID) + "/cfd_tunnel"
	found, err := v.findTunnel(ctx, path)
	if err != nil {
		return v.unclear(err, "tunnel", permitTunnel)
	}
	if found == nil {
		return failure(contract.NotFound, "tunnel", fmt.Sprintf("account %s has no tunnel %s", v.check.AccountID, v.check.Tunnel),
			"make it in Cloudflare's dashboard (Zero Trust > Networks > Tunnels), or correct its name or ID")
	}
	connectors, _, err := get[[]connector](ctx, v.client, path+"/"+url.PathEscape(found.ID)+"/connections", nil)
	if err != nil {
		return v.unclear(err, "tunnel", permitTunnel)
	}
	for _, c := range connectors {
		for _, connection := range c.Connections {
			if !connection.Pending {
				return nil
			}
		}
	}
	return failure(contract.Unhealthy, "tunnel", fmt.Sprintf("tunnel %s has no connection, Cloudflare calls it %s", v.check.Tunnel, found.Status),
		"start cloudflared where the tunnel begins: `cloudflared tunnel run "+v.check.Tunnel+"`")
}

// findTunnel returns nil when there is none.
func (v *verifier) findTunnel(ctx context.Context, path string) (*tunnel, error) {
	if tunnelID.MatchString(v.check.Tunnel) {
		found, _, err := get[tunnel](ctx, v.client, path+"/"+v.check.Tunnel, nil)
		if cloud.IsStatus(err, http.StatusNotFound) || err == nil && found.DeletedAt != nil {
			return nil, nil
		}
		return &found, err
	}
	all, err := list[tunnel](ctx, v.client, path, url.Values{"name": {v.check.Tunnel}, "is_deleted": {"false"}})
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.Name == v.check.Tunnel && t.DeletedAt == nil {
			return &t, nil
		}
	}
	return nil, nil
}

// unclear is the failure of a call that gave no answer to the question.
func (v *verifier) unclear(err error, attribute, permission string) error {
	var answer *cloud.Error
	if !errors.As(err, &answer) {
		return err // the context's own end
	}
	if refusal := refused(err); refusal != nil {
		switch {
		case permission != "" && (refusal.Status == http.StatusForbidden || refusal.Status == http.StatusUnauthorized ||
			refusal.Code == codeAuthentication || refusal.Code == codeAccess):
			return failure(contract.Denied, attribute, fmt.Sprintf("the Cloudflare token may not read the %s: %s", attribute, said(refusal)),
				"give the token the permission "+permission)
		default:
			return failure(contract.InvalidInput, attribute, "Cloudflare refuses the question for the "+attribute+": "+said(refusal), "")
		}
	}
	out := answer.Failure()
	out.Attribute = "cloudflare"
	if v.check.BaseURL != "" {
		out.Attribute = "cloudflare.api_url"
	}
	switch {
	case answer.RetryAfter > 0:
		out.Hint = fmt.Sprintf("Cloudflare asks to wait for %s: apply again after that", answer.RetryAfter)
	case answer.Status == 0:
		out.Hint = "let the worker's host reach Cloudflare's API, see https://www.cloudflarestatus.com"
	}
	return out
}

func said(answer *cloud.Error) string { return fmt.Sprintf("%d, %s", answer.Status, answer.Message) }

func failure(class contract.ErrorClass, attribute, cause, hint string) error {
	out := contract.Fail(class, "%s", cause)
	out.Attribute, out.Hint = "cloudflare."+attribute, hint
	return out
}
