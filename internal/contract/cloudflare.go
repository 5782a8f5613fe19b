package contract

// CloudflareCheck is what a service needs of Cloudflare. It is looked at, never changed.
type CloudflareCheck struct {
	// BaseURL of the API, without a trailing slash; empty is Cloudflare's own.
	BaseURL string `json:"base_url,omitempty"`
	// Token is where the worker finds the API token when the request gives none under CloudflareToken.
	Token SecretSource `json:"token"`
	// AccountID is needed for tokens that belong to an account, and for tunnels.
	AccountID string `json:"account_id,omitempty"`
	// Zone is a domain name whose zone must be active.
	Zone string `json:"zone,omitempty"`
	// Record is a DNS name in the zone that must exist; Content, when not empty, is what it must point to.
	Record        string `json:"record,omitempty"`
	RecordContent string `json:"record_content,omitempty"`
	// Tunnel is a tunnel's name or ID that must have a connection.
	Tunnel string `json:"tunnel,omitempty"`
}

// CloudflareToken is the key of the token among a request's secrets.
const CloudflareToken = "cloudflare/token"
