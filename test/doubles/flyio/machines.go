package flyio

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

type machine struct {
	id, name, region string
	created, updated time.Time
	// stopped is set by hand, and ended by a start.
	stopped, destroyed bool
	versions           []version
	lease              lease
	secretsVersion     int
}

type version struct {
	Version    string          `json:"version"`
	UserConfig json.RawMessage `json:"user_config"`
}

type lease struct {
	nonce   string
	expires time.Time
}

// launch is the body of a create and of an update.
type launch struct {
	Name              string          `json:"name"`
	Region            string          `json:"region"`
	Config            json.RawMessage `json:"config"`
	MinSecretsVersion int             `json:"min_secrets_version"`
}

// config is what a Machine's config may hold here: what orch sets, in the names of the API's schema.
type config struct {
	Image    string            `json:"image"`
	Env      map[string]string `json:"env"`
	Metadata map[string]string `json:"metadata"`
	Guest    struct {
		CPUKind  string `json:"cpu_kind"`
		CPUs     int    `json:"cpus"`
		MemoryMB int    `json:"memory_mb"`
	} `json:"guest"`
	Services []struct {
		Protocol           string `json:"protocol"`
		InternalPort       int    `json:"internal_port"`
		Autostart          bool   `json:"autostart"`
		Autostop           string `json:"autostop"`
		MinMachinesRunning int    `json:"min_machines_running"`
		Ports              []struct {
			Port       int      `json:"port"`
			Handlers   []string `json:"handlers"`
			ForceHTTPS bool     `json:"force_https"`
		} `json:"ports"`
		Checks []struct {
			Type        string `json:"type"`
			Method      string `json:"method"`
			Path        string `json:"path"`
			Interval    string `json:"interval"`
			Timeout     string `json:"timeout"`
			GracePeriod string `json:"grace_period"`
		} `json:"checks"`
	} `json:"services"`
}

func (a *app) alive() []*machine {
	return slices.DeleteFunc(slices.Clone(a.machines), func(m *machine) bool { return m.destroyed })
}

func (m *machine) config() config {
	var c config
	_ = json.Unmarshal(m.versions[len(m.versions)-1].UserConfig, &c) // it was checked when it came
	return c
}

func (m *machine) image() string { return m.config().Image }

func (m *machine) state(o Options) string {
	switch image := m.image(); {
	case m.destroyed:
		return "destroyed"
	case m.stopped, m.stopping(o):
		return "stopped"
	case strings.Contains(image, "stuck"):
		return "starting"
	case time.Since(m.updated) < o.Start:
		return "starting"
	case strings.Contains(image, "crash"):
		return "stopped"
	default:
		return "started"
	}
}

// stopping reports that an update has ended what ran, and not yet started what comes.
func (m *machine) stopping(o Options) bool {
	return len(m.versions) > 1 && time.Since(m.updated) < o.Start/2
}

func (m *machine) healthy(o Options) bool {
	return m.state(o) == "started" && time.Since(m.updated) >= o.Start+o.Pass && !strings.Contains(m.image(), "sick")
}

func (s *Server) tellMachine(m *machine) map[string]any {
	state := m.state(s.o)
	checks := []any{}
	for i := range m.config().Services {
		if time.Since(m.updated) < s.o.Silent {
			break
		}
		check := map[string]any{"name": fmt.Sprintf("servicecheck-%02d-http-8080", i), "status": "passing", "output": "200 OK", "updated_at": timestamp(m.updated)}
		if !m.healthy(s.o) {
			check["status"], check["output"] = "critical", "connect: connection refused"
			if strings.Contains(m.image(), "sick") {
				check["output"] = "503 Service Unavailable"
			}
		}
		checks = append(checks, check)
	}
	events := []any{map[string]any{"id": "event-launch", "type": "launch", "status": "created", "source": "user", "timestamp": m.updated.UnixMilli()}}
	exit := func(code int, asked bool) {
		events = slices.Insert(events, 0, any(map[string]any{
			"id": "event-exit", "type": "exit", "status": "stopped", "source": "flyd", "timestamp": time.Now().UnixMilli(),
			"request": map[string]any{"exit_event": map[string]any{"exit_code": code, "oom_killed": false, "requested_stop": asked}, "restart_count": 0},
		}))
	}
	switch {
	case m.stopping(s.o):
		exit(143, true)
	case state == "stopped" && strings.Contains(m.image(), "crash"):
		exit(1, false)
	}
	repository, tag, _ := strings.Cut(m.image(), ":")
	sum := sha256.Sum256([]byte(m.image()))
	return map[string]any{
		"id": m.id, "name": m.name, "state": state, "region": m.region, "instance_id": m.versions[len(m.versions)-1].Version,
		"private_ip": "fdaa:0:1::3", "created_at": timestamp(m.created), "updated_at": timestamp(m.updated),
		"config":    m.told(s.o),
		"image_ref": map[string]any{"registry": "registry-1.docker.io", "repository": repository, "tag": tag, "digest": "sha256:" + hex.EncodeToString(sum[:])},
		"checks":    checks, "events": events,
	}
}

// told is the Machine's config as the API tells it.
func (m *machine) told(o Options) json.RawMessage {
	config := m.versions[len(m.versions)-1].UserConfig
	if !o.Reword {
		return config
	}
	text := strings.ReplaceAll(string(config), `"interval":"15s"`, `"interval":"0m15s"`)
	return json.RawMessage(strings.Replace(text, "{", `{"init":{},`, 1))
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func (s *Server) listMachines(c call) answer {
	out := []any{}
	for _, m := range c.app.alive() {
		if time.Since(m.created) >= s.o.Lag {
			out = append(out, s.tellMachine(m))
		}
	}
	return answer{http.StatusOK, out}
}

// admit reads a launch and checks its config strictly.
func (s *Server) admit(c call) (launch, *answer) {
	var in launch
	if refused := s.read(c, &in); refused != nil {
		return in, refused
	}
	decoder := json.NewDecoder(strings.NewReader(string(in.Config)))
	decoder.DisallowUnknownFields()
	var known config
	var refused answer
	switch err := decoder.Decode(&known); {
	case err != nil:
		s.ledger.Record(c.Request, "config: "+err.Error())
		refused = fail(http.StatusBadRequest, "invalid config: %v", err)
	case known.Image == "" || strings.Contains(known.Image, "missing"):
		refused = fail(http.StatusBadRequest, "failed to resolve image %q: not found", known.Image)
	case in.MinSecretsVersion > c.app.secretsVersion:
		refused = fail(http.StatusBadRequest, "secrets version %d does not exist", in.MinSecretsVersion)
	default:
		return in, nil
	}
	return in, &refused
}

func (s *Server) createMachine(c call) answer {
	in, refused := s.admit(c)
	if refused != nil {
		return *refused
	}
	if slices.ContainsFunc(c.app.alive(), func(m *machine) bool { return m.name == in.Name }) {
		return fail(http.StatusConflict, "already_exists: unique machine name violation, machine with name %q exists", in.Name)
	}
	n := s.id()
	m := &machine{id: fmt.Sprintf("%014x", n), name: in.Name, region: in.Region, created: time.Now()}
	if m.name == "" {
		m.name = fmt.Sprintf("summer-moon-%d", n)
	}
	if m.region == "" {
		m.region = "iad"
	}
	s.configure(c.app, m, in)
	c.app.machines = append(c.app.machines, m)
	out := s.tellMachine(m)
	out["state"] = "created"
	return answer{http.StatusOK, out}
}

// configure gives a Machine another version of its config, which starts it.
func (s *Server) configure(a *app, m *machine, in launch) {
	m.versions = append(m.versions, version{fmt.Sprintf("01VERSION%d", s.id()), in.Config})
	m.updated, m.stopped, m.secretsVersion = time.Now(), false, a.secretsVersion
}

func (s *Server) getMachine(c call) answer { return answer{http.StatusOK, s.tellMachine(c.machine)} }

// locked refuses a change of a Machine that somebody has leased.
func (s *Server) locked(c call) *answer {
	l := c.machine.lease
	if l.nonce == "" || time.Now().After(l.expires) || c.Header.Get("Fly-Machine-Lease-Nonce") == l.nonce {
		return nil
	}
	refused := fail(http.StatusConflict, "failed to update machine: machine is leased")
	return &refused
}

func (s *Server) updateMachine(c call) answer {
	if refused := s.locked(c); refused != nil {
		return *refused
	}
	in, refused := s.admit(c)
	if refused != nil {
		return *refused
	}
	if c.machine.destroyed {
		return fail(http.StatusNotFound, "machine not found")
	}
	s.configure(c.app, c.machine, in)
	out := s.tellMachine(c.machine)
	return answer{http.StatusOK, out}
}

func (s *Server) deleteMachine(c call) answer {
	if refused := s.locked(c); refused != nil {
		return *refused
	}
	if c.machine.destroyed {
		return fail(http.StatusNotFound, "machine not found")
	}
	if c.URL.Query().Get("force") != "true" && c.machine.state(s.o) == "started" {
		return fail(http.StatusPreconditionFailed, "machine is started; stop it first, or force")
	}
	c.machine.destroyed = true
	return answer{http.StatusOK, map[string]bool{"ok": true}}
}

func (s *Server) listVersions(c call) answer {
	out := slices.Clone(c.machine.versions)
	slices.Reverse(out)
	return answer{http.StatusOK, out}
}

func (s *Server) startMachine(c call) answer {
	if refused := s.locked(c); refused != nil {
		return *refused
	}
	previous := c.machine.state(s.o)
	if previous == "started" {
		return fail(http.StatusPreconditionFailed, "machine is started")
	}
	c.machine.stopped, c.machine.updated = false, time.Now()
	return answer{http.StatusOK, map[string]any{"previous_state": previous, "migrated": false, "new_host": ""}}
}

func (s *Server) takeLease(c call) answer {
	var in struct {
		Description string `json:"description"`
		TTL         int    `json:"ttl"`
	}
	if refused := s.read(c, &in); refused != nil {
		return *refused
	}
	if refused := s.locked(c); refused != nil {
		return *refused
	}
	c.machine.lease = lease{fmt.Sprintf("nonce-%d", s.id()), time.Now().Add(time.Duration(in.TTL) * time.Second)}
	// The documents and Fly's own client know this envelope; the schema does not.
	return answer{http.StatusCreated, map[string]any{"status": "success", "data": map[string]any{
		"nonce": c.machine.lease.nonce, "expires_at": c.machine.lease.expires.Unix(), "owner": "double", "version": c.machine.versions[len(c.machine.versions)-1].Version,
		"description": in.Description,
	}}}
}

func (s *Server) releaseLease(c call) answer {
	l := c.machine.lease
	switch {
	case l.nonce == "" || time.Now().After(l.expires):
		return fail(http.StatusNotFound, "lease not found")
	case c.Header.Get("Fly-Machine-Lease-Nonce") != l.nonce:
		return fail(http.StatusConflict, "lease is held by somebody else")
	}
	c.machine.lease = lease{}
	return answer{http.StatusOK, map[string]any{"status": "success"}}
}
