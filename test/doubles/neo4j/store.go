package neo4j

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// Neo4j's defaults: three wrong passwords block the user for five seconds, even the right
// password. Code that guesses which password is in force runs into it.
const (
	authAttempts = 3
	authLockTime = 5 * time.Second
)

// passwordRounds is far below the real ones: a double protects nothing.
const passwordRounds = 1000

// store is the data directory: users and graph. It is safe for concurrent use.
type store struct {
	dir  string
	lock io.Closer
	now  func() time.Time

	mu          sync.Mutex
	auth        authFile
	graph       *graph
	failed      int
	lastFailure time.Time
}

type authFile struct {
	Salt []byte `json:"salt"`
	Hash []byte `json:"hash"`
}

// openStore reads the data directory, or sets the initial password of an empty one. fresh
// tells which.
func openStore(dir, initial string) (s *store, fresh bool, err error) {
	if err := strict.Writable(dir); err != nil {
		return nil, false, err
	}
	lock, err := strict.Lock(dir)
	if err != nil {
		return nil, false, fmt.Errorf("unable to obtain lock on store lock file: %w", err)
	}
	s = &store{dir: dir, lock: lock, now: time.Now, graph: &graph{Nodes: []node{}}}
	for _, path := range []string{s.authPath(), s.graphPath()} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, false, errors.Join(err, lock.Close())
		}
	}
	fresh, err = s.load(initial)
	if err != nil {
		return nil, false, errors.Join(err, lock.Close())
	}
	return s, fresh, nil
}

func (s *store) authPath() string  { return filepath.Join(s.dir, "dbms", "double-auth.json") }
func (s *store) graphPath() string { return filepath.Join(s.dir, "databases", "double-graph.json") }

func (s *store) load(initial string) (fresh bool, err error) {
	switch err := readJSON(s.authPath(), &s.auth); {
	case errors.Is(err, fs.ErrNotExist):
		return true, s.setPassword(initial)
	case err != nil:
		return false, err
	}
	if err := readJSON(s.graphPath(), s.graph); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, n := range s.graph.Nodes {
		for name, value := range n.Props {
			n.Props[name] = fromJSON(value)
		}
	}
	return false, nil
}

func readJSON(path string, out any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(out); err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	return nil
}

// fromJSON brings numbers back to the two kinds that Cypher has.
func fromJSON(value any) any {
	switch v := value.(type) {
	case json.Number:
		if integer, err := v.Int64(); err == nil {
			return integer
		}
		float, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return float
	case []any:
		for i := range v {
			v[i] = fromJSON(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = fromJSON(v[name])
		}
	}
	return value
}

func (s *store) close() error { return s.lock.Close() }

// setPassword is called with mu held, or before anybody else knows s.
func (s *store) setPassword(password string) error {
	next := authFile{Salt: []byte(rand.Text())}
	var err error
	if next.Hash, err = hash(password, next.Salt); err != nil {
		return err
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := strict.ReplaceFile(s.authPath(), raw); err != nil {
		return fmt.Errorf("store password: %w", err)
	}
	s.auth = next
	return nil
}

func hash(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, passwordRounds, 32)
}

// is compares with the password in force; mu is held.
func (s *store) is(name, password string) bool {
	got, err := hash(password, s.auth.Salt)
	return err == nil && name == user && subtle.ConstantTimeCompare(got, s.auth.Hash) == 1
}

// login checks a password as Neo4j does, the lock after wrong ones included.
func (s *store) login(name, password string) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed >= authAttempts && s.now().Sub(s.lastFailure) < authLockTime {
		return errRateLimit
	}
	if s.is(name, password) {
		s.failed = 0
		return nil
	}
	s.failed++
	s.lastFailure = s.now()
	return errUnauthorized
}

// changePassword is ALTER CURRENT USER SET PASSWORD FROM old TO next.
func (s *store) changePassword(cfg *Config, old, next string) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch err := cfg.checkPassword(next); {
	case !s.is(user, old):
		return &failure{codeArguments, "User 'neo4j' failed to alter their own password: Invalid principal or credentials."}
	case old == next:
		return &failure{codeArguments, "User 'neo4j' failed to alter their own password: Old password and new password cannot be the same."}
	case err != nil:
		return &failure{codeArguments, err.Error()}
	}
	if err := s.setPassword(next); err != nil {
		return &failure{codeUnknown, err.Error()}
	}
	return nil
}

// snapshot returns a copy that the caller may change.
func (s *store) snapshot() *graph {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.graph.clone()
}

// commit runs change on a copy of the graph and keeps it once it is on disk.
func (s *store) commit(change func(*graph) *failure) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.graph.clone()
	if failed := change(next); failed != nil {
		return failed
	}
	raw, err := json.Marshal(next)
	if err == nil {
		err = strict.ReplaceFile(s.graphPath(), raw)
	}
	if err != nil {
		return &failure{codeUnknown, err.Error()}
	}
	s.graph = next
	return nil
}
