package flyio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Options say what the double is like. Times of zero mean at once.
type Options struct {
	// Token is the only one that is good; Org is the organization that it belongs to.
	Token, Org string
	// Slug is what answers call the organization; empty is Org. The personal one may have another there.
	Slug string
	// Taken are names of apps that somebody else has.
	Taken []string
	// Appear is how long a new app cannot be seen, and Vanish how long a deleted one still can.
	Appear, Vanish time.Duration
	// Start is how long a Machine takes to start, and Pass how long its checks take to pass after that.
	Start, Pass time.Duration
	// Silent is how long a Machine's checks are not told of after its config has changed.
	Silent time.Duration
	// Lag is how long lists of Machines do not show a new one.
	Lag time.Duration
	// Reword has configs told in another form than they came in, as platforms do: durations written out, and further fields.
	Reword bool
	Log    *slog.Logger
}

// Server is the double as an http.Handler: the API under /v1, and the applications under /app/<name>.
type Server struct {
	o      Options
	ledger *strict.Ledger
	mux    *http.ServeMux

	mu   sync.Mutex
	apps map[string]*app
	next int
}

// New returns a double without any app.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Slug == "" {
		o.Slug = o.Org
	}
	s := &Server{o: o, ledger: strict.NewLedger(o.Log), apps: map[string]*app{}}
	s.mux = s.routes()
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Unknown are the requests that the double refused because it does not know them.
func (s *Server) Unknown() []strict.UnknownRequest { return s.ledger.Requests() }

// call is a request to the API with what its route has found.
type call struct {
	*http.Request
	app     *app
	machine *machine
}

// answer is what a route has to say; a nil body is an empty one.
type answer struct {
	status int
	body   any
}

// route is one route of the API: what may stand in its query, and what it does. The server is locked meanwhile.
type route struct {
	pattern string
	query   []string
	handle  func(c call) answer
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range []route{
		{"GET /v1/tokens/current", nil, s.currentToken},
		{"GET /v1/apps", []string{"org_slug"}, s.listApps},
		{"POST /v1/apps", nil, s.createApp},
		{"GET /v1/apps/{app}", nil, s.getApp},
		{"DELETE /v1/apps/{app}", nil, s.deleteApp},
		{"GET /v1/apps/{app}/ip_assignments", nil, s.listAddresses},
		{"POST /v1/apps/{app}/ip_assignments", nil, s.assignAddress},
		{"GET /v1/apps/{app}/secrets", nil, s.listSecrets},
		{"POST /v1/apps/{app}/secrets", nil, s.setSecrets},
		{"GET /v1/apps/{app}/machines", nil, s.listMachines},
		{"POST /v1/apps/{app}/machines", nil, s.createMachine},
		{"GET /v1/apps/{app}/machines/{machine}", nil, s.getMachine},
		{"POST /v1/apps/{app}/machines/{machine}", nil, s.updateMachine},
		{"DELETE /v1/apps/{app}/machines/{machine}", []string{"force"}, s.deleteMachine},
		{"GET /v1/apps/{app}/machines/{machine}/versions", nil, s.listVersions},
		{"POST /v1/apps/{app}/machines/{machine}/start", nil, s.startMachine},
		{"POST /v1/apps/{app}/machines/{machine}/lease", nil, s.takeLease},
		{"DELETE /v1/apps/{app}/machines/{machine}/lease", nil, s.releaseLease},
	} {
		mux.HandleFunc(r.pattern, s.serve(r))
	}
	mux.HandleFunc("GET /app/{app}/{path...}", s.visit)
	mux.Handle("GET /double/unknown", s.ledger)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.ledger.Record(r, "no such route")
		write(w, fail(http.StatusNotFound, "no such route: %s %s", r.Method, r.URL.Path))
	})
	return mux
}

// serve checks what all routes have in common and finds the app and Machine that the path names.
func (s *Server) serve(r route) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Header().Set("Fly-Request-Id", fmt.Sprintf("01DOUBLE-%d", s.id()))
		for name := range request.URL.Query() {
			if !slices.Contains(r.query, name) {
				s.ledger.Record(request, "unknown query parameter "+name)
				write(w, fail(http.StatusBadRequest, "unknown query parameter %s", name))
				return
			}
		}
		if !s.authorized(request) {
			write(w, fail(http.StatusUnauthorized, "unauthorized"))
			return
		}
		c, refused := s.find(request)
		if refused != nil {
			write(w, *refused)
			return
		}
		write(w, r.handle(c))
	}
}

// authorized takes the token under either scheme; which one is right follows from the token.
func (s *Server) authorized(r *http.Request) bool {
	scheme := "Bearer "
	if strings.HasPrefix(s.o.Token, "fm2_") {
		scheme = "FlyV1 "
	}
	return s.o.Token != "" && r.Header.Get("Authorization") == scheme+s.o.Token
}

func (s *Server) find(r *http.Request) (call, *answer) {
	c := call{Request: r}
	name := r.PathValue("app")
	if name == "" {
		return c, nil
	}
	if slices.Contains(s.o.Taken, name) {
		refused := fail(http.StatusForbidden, "unauthorized")
		return c, &refused
	}
	a, ok := s.apps[name]
	if !ok || !a.visible(s.o) {
		if ok && a.gone(s.o) {
			delete(s.apps, name)
		}
		refused := fail(http.StatusNotFound, "Could not find App %q", name)
		return c, &refused
	}
	c.app = a
	if id := r.PathValue("machine"); id != "" {
		i := slices.IndexFunc(a.machines, func(m *machine) bool { return m.id == id })
		if i < 0 {
			refused := fail(http.StatusNotFound, "machine not found")
			return c, &refused
		}
		c.machine = a.machines[i]
	}
	return c, nil
}

func (s *Server) id() int {
	s.next++
	return s.next
}

// read decodes the body strictly; refused is not nil when that is not possible.
func (s *Server) read(c call, out any) (refused *answer) {
	data, err := io.ReadAll(c.Body)
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err = decoder.Decode(out); err == nil && decoder.More() {
			err = errors.New("more than one JSON document")
		}
	}
	if err == nil {
		return nil
	}
	s.ledger.Record(c.Request, "body: "+err.Error())
	a := fail(http.StatusBadRequest, "invalid body: %v", err)
	return &a
}

func fail(status int, format string, args ...any) answer {
	return answer{status, map[string]string{"error": fmt.Sprintf(format, args...)}}
}

func write(w http.ResponseWriter, a answer) {
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) // a caller that is gone misses nothing
}
