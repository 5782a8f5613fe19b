package cloudflare

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// made is when everything was made.
const made = "2026-01-25T18:22:34.317854Z"

// Base is the path that the API is under, as on api.cloudflare.com.
const Base = "/client/v4"

// Server is the double. It is safe for concurrent use.
type Server struct {
	ledger *strict.Ledger
	mux    *http.ServeMux

	mu    sync.Mutex
	state State
}

// New returns a double with that state.
func New(state State, log *slog.Logger) *Server {
	s := &Server{ledger: strict.NewLedger(log), mux: http.NewServeMux(), state: state}
	s.routes()
	return s
}

// Update changes the state.
func (s *Server) Update(change func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
}

// Unknown are the requests that the double did not know.
func (s *Server) Unknown() []strict.UnknownRequest { return s.ledger.Requests() }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// handler answers a call of a token that is known; the state is locked meanwhile.
type handler func(r *http.Request, caller Token) answer

func (s *Server) routes() {
	get := func(path string, handle handler, parameters ...string) {
		s.mux.HandleFunc("GET "+Base+path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, handle, parameters) })
	}
	get("/user/tokens/verify", s.verifyUser)
	get("/accounts/{account}/tokens/verify", s.verifyAccount)
	get("/zones", s.zones, "name", "account.id", "page", "per_page")
	get("/zones/{zone}/dns_records", s.records, "name", "type", "page", "per_page")
	get("/accounts/{account}/cfd_tunnel", s.tunnels, "name", "is_deleted", "page", "per_page")
	get("/accounts/{account}/cfd_tunnel/{tunnel}", s.tunnel)
	get("/accounts/{account}/cfd_tunnel/{tunnel}/connections", s.connections)
	s.mux.Handle("GET /double/unknown", s.ledger)
	s.mux.HandleFunc("PUT /double/state", s.replace)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.ledger.Record(r, "no such route")
		refuse(http.StatusNotFound, 7000, "No route for that URI").write(w)
	})
}

// replace takes a whole new state, for a double that runs by itself.
func (s *Server) replace(w http.ResponseWriter, r *http.Request) {
	var state State
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&state); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.Update(func(current *State) { *current = state })
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, handle handler, parameters []string) {
	for name, values := range r.URL.Query() {
		if !slices.Contains(parameters, name) || len(values) != 1 {
			s.ledger.Record(r, "unknown query parameter "+name)
			refuse(http.StatusBadRequest, 1004, "Invalid query parameter "+name).write(w)
			return
		}
	}
	value, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found || value == "" || strings.ContainsAny(value, " \t") {
		malformed := refuse(http.StatusBadRequest, 6003, "Invalid request headers")
		malformed.Errors[0].Chain = []message{{Code: 6111, Message: "Invalid format for Authorization header"}}
		malformed.write(w)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.state.Tokens, func(t Token) bool { return t.Value == value })
	verifying := strings.HasSuffix(r.URL.Path, "/tokens/verify")
	switch {
	case i < 0 && verifying:
		invalidToken().write(w)
	case i < 0, !verifying && s.state.Tokens[i].Status != "active":
		refuse(http.StatusForbidden, 9109, "Invalid access token").write(w)
	default:
		handle(r, s.state.Tokens[i]).write(w)
	}
}

var identifier = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (s *Server) verifyUser(_ *http.Request, caller Token) answer {
	if caller.AccountID != "" {
		return invalidToken()
	}
	return verified(caller)
}

func (s *Server) verifyAccount(r *http.Request, caller Token) answer {
	if !identifier.MatchString(r.PathValue("account")) {
		return unroutable(r)
	}
	if caller.AccountID == "" || caller.AccountID != r.PathValue("account") {
		return invalidToken()
	}
	return verified(caller)
}

func verified(t Token) answer {
	out := map[string]any{"id": t.ID, "status": t.Status}
	if t.ExpiresOn != "" {
		out["expires_on"] = t.ExpiresOn
	}
	a := answer{Success: true, Result: out}
	if t.Status == "active" {
		a.Messages = []message{{Code: 10000, Message: "This API Token is valid and active"}}
	}
	return a
}

// may reports whether a token has a permission for things of an account.
func (t Token) may(permission, account string) bool {
	return slices.Contains(t.Permissions, permission) && (t.AccountID == "" || t.AccountID == account)
}

func (s *Server) zones(r *http.Request, caller Token) answer {
	query := r.URL.Query()
	var found []any
	for _, z := range s.state.Zones {
		// What a token may not read is not there.
		if caller.may(ReadZones, z.AccountID) && wanted(query, "name", z.Name) && wanted(query, "account.id", z.AccountID) {
			found = append(found, map[string]any{
				"id": z.ID, "name": z.Name, "status": z.Status, "paused": false, "type": "full", "name_servers": z.NameServers,
				"account": map[string]any{"id": z.AccountID, "name": "Example"}, "owner": map[string]any{"id": z.AccountID, "name": "Example", "type": "organization"},
				"meta": map[string]any{"step": 2}, "development_mode": 0, "original_dnshost": nil, "original_name_servers": nil, "original_registrar": nil,
				"created_on": made, "modified_on": made, "activated_on": made,
			})
		}
	}
	return paged(query, found)
}

func (s *Server) records(r *http.Request, caller Token) answer {
	id := r.PathValue("zone")
	i := slices.IndexFunc(s.state.Zones, func(z Zone) bool { return z.ID == id })
	switch {
	case !identifier.MatchString(id), i < 0:
		return unroutable(r)
	case !caller.may(ReadDNS, s.state.Zones[i].AccountID):
		return forbidden()
	}
	var found []any
	for _, record := range s.state.Zones[i].Records {
		if wanted(r.URL.Query(), "name", record.Name) && wanted(r.URL.Query(), "type", record.Type) {
			found = append(found, map[string]any{
				"id": record.ID, "zone_id": id, "zone_name": s.state.Zones[i].Name, "name": record.Name, "type": record.Type,
				"content": record.Content, "proxiable": true, "proxied": record.Proxied, "ttl": 1, "locked": false,
				"created_on": made, "modified_on": made,
			})
		}
	}
	return paged(r.URL.Query(), found)
}

// wanted applies one filter; names are compared as DNS does.
func wanted(query url.Values, name, value string) bool {
	return !query.Has(name) || strings.EqualFold(query.Get(name), value)
}

func (s *Server) tunnels(r *http.Request, caller Token) answer {
	account, query := r.PathValue("account"), r.URL.Query()
	if !identifier.MatchString(account) {
		return unroutable(r)
	}
	if !caller.may(ReadTunnels, account) {
		return forbidden()
	}
	var found []any
	for _, t := range s.state.Tunnels {
		if t.AccountID == account && wanted(query, "name", t.Name) && wanted(query, "is_deleted", strconv.FormatBool(t.Deleted)) {
			found = append(found, t.object())
		}
	}
	return paged(query, found)
}

func (s *Server) tunnel(r *http.Request, caller Token) answer {
	return s.withTunnel(r, caller, func(t Token, found Tunnel) answer { return answer{Success: true, Result: found.object()} })
}

func (s *Server) connections(r *http.Request, caller Token) answer {
	return s.withTunnel(r, caller, func(_ Token, found Tunnel) answer {
		if found.Connections == 0 {
			return answer{Success: true, Result: []any{}}
		}
		var connections []any
		for range found.Connections {
			connections = append(connections, map[string]any{
				"id": "1bedc50d-42b3-473c-b108-ff3d10c0d925", "uuid": "1bedc50d-42b3-473c-b108-ff3d10c0d925", "colo_name": "DFW",
				"client_id": "1bedc50d-42b3-473c-b108-ff3d10c0d925", "client_version": "2026.10.1", "is_pending_reconnect": false,
				"opened_at": made, "origin_ip": "198.51.100.1",
			})
		}
		return answer{Success: true, Result: []any{map[string]any{
			"id": "1bedc50d-42b3-473c-b108-ff3d10c0d925", "version": "2026.10.1", "arch": "linux_amd64", "conns": connections,
		}}}
	})
}

func (s *Server) withTunnel(r *http.Request, caller Token, then func(Token, Tunnel) answer) answer {
	account := r.PathValue("account")
	switch {
	case !identifier.MatchString(account):
		return unroutable(r)
	case !caller.may(ReadTunnels, account):
		return forbidden()
	}
	for _, t := range s.state.Tunnels {
		if t.AccountID == account && t.ID == r.PathValue("tunnel") {
			return then(caller, t)
		}
	}
	return refuse(http.StatusNotFound, 1002, "Tunnel not found")
}

// object is a tunnel as the API shows it. Its own list of connections is empty in today's API; a path of its own has them.
func (t Tunnel) object() map[string]any {
	status, deleted := "healthy", any(nil)
	if t.Connections == 0 {
		status = "inactive"
	}
	if t.Deleted {
		deleted = made
	}
	return map[string]any{
		"id": t.ID, "name": t.Name, "account_tag": t.AccountID, "status": status, "tun_type": "cfd_tunnel", "connections": []any{},
		"created_at": made, "deleted_at": deleted, "config_src": "cloudflare",
	}
}
