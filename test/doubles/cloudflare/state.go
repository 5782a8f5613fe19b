package cloudflare

// Permissions of tokens.
const (
	ReadZones   = "Zone Read"
	ReadDNS     = "DNS Read"
	ReadTunnels = "Cloudflare Tunnel Read"
)

// State is all that the double knows.
type State struct {
	Tokens  []Token  `json:"tokens"`
	Zones   []Zone   `json:"zones"`
	Tunnels []Tunnel `json:"tunnels"`
}

// Token is one API token. One with an account is of the account kind, else it is a user's.
type Token struct {
	Value string `json:"value"`
	ID    string `json:"id"`
	// Status is "active", "disabled" or "expired".
	Status    string `json:"status"`
	AccountID string `json:"account_id,omitempty"`
	ExpiresOn string `json:"expires_on,omitempty"`
	// Permissions are of the constants above.
	Permissions []string `json:"permissions"`
}

// Zone is one domain.
type Zone struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Status is "initializing", "pending", "active" or "moved".
	Status      string   `json:"status"`
	AccountID   string   `json:"account_id"`
	NameServers []string `json:"name_servers"`
	Records     []Record `json:"records"`
}

// Record is one DNS record; its name is whole.
type Record struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Name    string `json:"name"`
	Content string `json:"content"`
	Proxied bool   `json:"proxied"`
}

// Tunnel is one Cloudflare Tunnel.
type Tunnel struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	AccountID string `json:"account_id"`
	// Connections is how many connections its one cloudflared has; 0 is none running.
	Connections int  `json:"connections"`
	Deleted     bool `json:"deleted,omitempty"`
}

// Identifiers of Example, in Cloudflare's form.
const (
	ExampleToken        = "example-user-token"
	ExampleAccountToken = "cfat_example-account-token"
	ExampleAccount      = "0123456789abcdef0123456789abcdef"
	ExampleTunnel       = "c1744f8b-faa1-48a4-9e5c-02ac921467fa"
	exampleZone         = "fedcba9876543210fedcba9876543210"
)

// Example is a state in which everything is well: two tokens, a zone example.com with the record chat.example.com that leads to
// the tunnel "chat".
func Example() State {
	all := []string{ReadZones, ReadDNS, ReadTunnels}
	return State{
		Tokens: []Token{
			{Value: ExampleToken, ID: "ed17574386854bf78a67040be0a770b0", Status: "active", Permissions: all},
			{Value: ExampleAccountToken, ID: "0b077a0eb04076a87fb45868347571de", Status: "active", AccountID: ExampleAccount, Permissions: all},
		},
		Zones: []Zone{{
			ID: exampleZone, Name: "example.com", Status: "active", AccountID: ExampleAccount,
			NameServers: []string{"bob.ns.cloudflare.com", "lola.ns.cloudflare.com"},
			Records: []Record{{ID: "372e67954025e0ba6aaa6d586b9e0b59", Type: "CNAME", Name: "chat.example.com",
				Content: ExampleTunnel + ".cfargotunnel.com", Proxied: true}},
		}},
		Tunnels: []Tunnel{{ID: ExampleTunnel, Name: "chat", AccountID: ExampleAccount, Connections: 4}},
	}
}
