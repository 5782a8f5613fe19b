package flyio

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

type app struct {
	id, name         string
	created, deleted time.Time // zero while not deleted
	addresses        []address
	secrets          map[string]secret
	secretsVersion   int
	machines         []*machine
}

type address struct {
	IP          string `json:"ip"`
	Region      string `json:"region"`
	Shared      bool   `json:"shared"`
	ServiceName string `json:"service_name"`
	CreatedAt   string `json:"created_at"`
}

type secret struct {
	value   string
	changed time.Time
}

var appName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// visible reports that the API shows the app: a while after its creation, and until a while after its deletion.
func (a *app) visible(o Options) bool {
	return time.Since(a.created) >= o.Appear && !a.gone(o)
}

func (a *app) gone(o Options) bool {
	return !a.deleted.IsZero() && time.Since(a.deleted) >= o.Vanish
}

func (s *Server) tell(a *app) map[string]any {
	return map[string]any{
		"id": a.id, "name": a.name, "status": "deployed", "network": "default", "volume_count": 0,
		"machine_count": len(a.alive()), "organization": map[string]any{"name": s.o.Org, "slug": s.o.Slug},
	}
}

func (s *Server) currentToken(call) answer {
	return answer{http.StatusOK, map[string]any{"tokens": []any{map[string]any{
		"token_id": "double", "org_slug": s.o.Org, "organization": s.o.Org,
	}}}}
}

func (s *Server) listApps(c call) answer {
	if c.URL.Query().Get("org_slug") != s.o.Org {
		return fail(http.StatusNotFound, "Organization not found")
	}
	apps := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.apps)) {
		if a := s.apps[name]; a.visible(s.o) {
			apps = append(apps, s.tell(a))
		}
	}
	return answer{http.StatusOK, map[string]any{"total_apps": len(apps), "apps": apps}}
}

func (s *Server) createApp(c call) answer {
	var in struct {
		Name             string `json:"name"`
		OrgSlug          string `json:"org_slug"`
		Network          string `json:"network"`
		EnableSubdomains bool   `json:"enable_subdomains"`
	}
	if refused := s.read(c, &in); refused != nil {
		return *refused
	}
	switch existing := s.apps[in.Name]; {
	case !appName.MatchString(in.Name):
		return fail(http.StatusUnprocessableEntity, "Validation failed: Name is invalid")
	case in.OrgSlug != s.o.Org:
		return fail(http.StatusForbidden, "unauthorized")
	case slices.Contains(s.o.Taken, in.Name), existing != nil && !existing.gone(s.o):
		return answer{http.StatusUnprocessableEntity, map[string]string{
			"error": "Validation failed: Name has already been taken", "status": "name_taken",
		}}
	}
	a := &app{id: fmt.Sprintf("app-%d", s.id()), name: in.Name, created: time.Now(), secrets: map[string]secret{}}
	s.apps[in.Name] = a
	return answer{http.StatusCreated, map[string]any{"id": a.id, "created_at": a.created.UnixMilli()}}
}

func (s *Server) getApp(c call) answer { return answer{http.StatusOK, s.tell(c.app)} }

func (s *Server) deleteApp(c call) answer {
	if c.app.deleted.IsZero() {
		c.app.deleted = time.Now()
	}
	return answer{http.StatusAccepted, nil}
}

func (s *Server) listAddresses(c call) answer {
	return answer{http.StatusOK, map[string]any{"ips": append([]address{}, c.app.addresses...)}}
}

func (s *Server) assignAddress(c call) answer {
	var in struct {
		Type string `json:"type"`
	}
	if refused := s.read(c, &in); refused != nil {
		return *refused
	}
	n := s.id()
	a := address{CreatedAt: time.Now().UTC().Format(time.RFC3339), Region: "global"}
	switch in.Type {
	case "v6":
		a.IP = fmt.Sprintf("2a09:8280:1::%x", n)
	case "shared_v4":
		a.IP, a.Shared = fmt.Sprintf("66.241.124.%d", n%250), true
	default:
		return fail(http.StatusUnprocessableEntity, "unknown type %q", in.Type)
	}
	c.app.addresses = append(c.app.addresses, a)
	return answer{http.StatusOK, a}
}

func (a *app) tellSecrets() []any {
	out := []any{}
	for _, name := range slices.Sorted(maps.Keys(a.secrets)) {
		sum := sha256.Sum256([]byte(a.id + name + a.secrets[name].value))
		at := a.secrets[name].changed.UTC().Format(time.RFC3339)
		out = append(out, map[string]any{"name": name, "digest": hex.EncodeToString(sum[:8]), "created_at": at, "updated_at": at})
	}
	return out
}

func (s *Server) listSecrets(c call) answer {
	return answer{http.StatusOK, map[string]any{"secrets": c.app.tellSecrets()}}
}

func (s *Server) setSecrets(c call) answer {
	var in struct {
		Values map[string]*string `json:"values"`
	}
	if refused := s.read(c, &in); refused != nil {
		return *refused
	}
	for name, value := range in.Values {
		switch {
		case name == "" || strings.ContainsAny(name, " =-"):
			return fail(http.StatusBadRequest, "invalid secret name %q", name)
		case value == nil:
			delete(c.app.secrets, name)
		default:
			c.app.secrets[name] = secret{*value, time.Now()}
		}
	}
	c.app.secretsVersion++
	return answer{http.StatusOK, map[string]any{"secrets": c.app.tellSecrets(), "version": c.app.secretsVersion}}
}

// visit is the application itself, as its visitors see it.
func (s *Server) visit(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.apps[r.PathValue("app")]
	if !ok || !a.deleted.IsZero() || len(a.addresses) == 0 {
		http.Error(w, "no such host", http.StatusNotFound)
		return
	}
	for _, m := range a.alive() {
		if m.state(s.o) == "started" && m.healthy(s.o) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = fmt.Fprintf(w, "%s on %s\n", m.image(), m.id) // a caller that is gone misses nothing
			return
		}
	}
	http.Error(w, "no healthy machine", http.StatusServiceUnavailable)
}
