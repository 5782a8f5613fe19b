package grafana

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// role orders what a request may do.
type role int

const (
	nobody role = iota
	viewer
	editor
	admin
	// serverAdmin is what the admin user is beyond the admin of the organization.
	serverAdmin
)

// roles are those that a service account may have.
var roles = map[string]role{"Viewer": viewer, "Editor": editor, "Admin": admin}

// Grafana blocks a user for the rest of this window after this many wrong passwords, even
// for the right one. Code that guesses which password is in force runs into it.
const (
	loginWindow   = 5 * time.Minute
	loginAttempts = 5
)

// loginGuard counts the wrong passwords per user.
type loginGuard struct {
	now func() time.Time

	mu     sync.Mutex
	failed map[string][]time.Time
}

func newLoginGuard(now func() time.Time) *loginGuard {
	return &loginGuard{now: now, failed: make(map[string][]time.Time)}
}

func (g *loginGuard) blocked(user string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	recent := 0
	for _, at := range g.failed[user] {
		if g.now().Sub(at) < loginWindow {
			recent++
		}
	}
	return recent >= loginAttempts
}

func (g *loginGuard) record(user string, success bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if success {
		delete(g.failed, user)
		return
	}
	g.failed[user] = append(g.failed[user], g.now())
}

// require wraps a handler that needs at least the given role.
func (s *Server) require(least role, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, given := r.BasicAuth()
		token, isToken := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		has := nobody
		switch {
		case isToken:
			if has = s.store.tokenRole(token, time.Now()); has == nobody {
				s.fail(w, http.StatusUnauthorized, "Invalid API key", "api-key.invalid")
				return
			}
		case given && s.logins.blocked(user):
			s.log.Warn("too many consecutive incorrect login attempts for user - login for user temporarily blocked", "user", user)
			s.fail(w, http.StatusUnauthorized, "Invalid username or password", "password-auth.failed")
			return
		case given:
			ok := s.store.checkPassword(user, password)
			s.logins.record(user, ok)
			if !ok {
				s.fail(w, http.StatusUnauthorized, "Invalid username or password", "password-auth.failed")
				return
			}
			has = serverAdmin
		case s.cfg.Anonymous:
			has = viewer
		}
		switch {
		case has == nobody:
			s.fail(w, http.StatusUnauthorized, "Unauthorized", "auth.unauthorized")
		case has < least:
			s.answer(w, http.StatusForbidden, map[string]any{
				"accessErrorId": "ACE0000000000", "title": "Access denied", "message": "You'll need additional permissions to perform this action.",
			})
		default:
			next(w, r)
		}
	}
}

// fail answers in the form of Grafana's public errors:
//
//	{"message":"Unauthorized","messageId":"auth.unauthorized","statusCode":401,"traceID":""}
func (s *Server) fail(w http.ResponseWriter, status int, message, id string) {
	s.answer(w, status, map[string]any{"message": message, "messageId": id, "statusCode": status, "traceID": ""})
}

func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("client went away", "err", err)
	}
}
