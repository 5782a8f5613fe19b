package grafana

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// databaseFile stands for grafana.db; the name tells a person what made it.
const databaseFile = "grafana-double.json"

// passwordRounds is a tenth of Grafana's: a double protects nothing, and tests log in often.
const passwordRounds = 1000

type database struct {
	AdminUser   string       `json:"adminUser"`
	Salt        []byte       `json:"salt"`
	Hash        []byte       `json:"hash"`
	NextID      int64        `json:"nextId"`
	Datasources []datasource `json:"datasources"`
	Folders     []folder     `json:"folders"`
	Boards      []savedBoard `json:"dashboards"`
	Accounts    []account    `json:"serviceAccounts"`
	Tokens      []token      `json:"tokens"`
}

// id gives out the next number of the database.
func (db *database) id() int64 {
	db.NextID++
	return db.NextID - 1
}

// store is the database in the data directory. It is safe for concurrent use.
type store struct {
	path string

	mu sync.RWMutex
	db database
}

// openStore reads the database of dir or makes one with the given admin. fresh tells which:
// the admin of the environment has no effect on an existing database.
func openStore(dir, user, password string) (s *store, fresh bool, err error) {
	s = &store{path: filepath.Join(dir, databaseFile)}
	raw, err := os.ReadFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.db = database{AdminUser: user, NextID: 1}
		return s, true, s.setPassword(password)
	case err != nil:
		return nil, false, fmt.Errorf("read database: %w", err)
	}
	if err := json.Unmarshal(raw, &s.db); err != nil {
		return nil, false, fmt.Errorf("database %s is damaged: %w", s.path, err)
	}
	return s, false, nil
}

func (s *store) checkPassword(user, password string) bool {
	s.mu.RLock()
	admin, salt, want := s.db.AdminUser, s.db.Salt, s.db.Hash
	s.mu.RUnlock()
	got, err := hash(password, salt)
	return err == nil && user == admin && subtle.ConstantTimeCompare(got, want) == 1
}

func (s *store) setPassword(password string) error {
	salt := []byte(rand.Text())
	hashed, err := hash(password, salt)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return s.update(func(db *database) error {
		db.Salt, db.Hash = salt, hashed
		return nil
	})
}

func hash(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, passwordRounds, 50)
}

func (s *store) adminUser() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.db.AdminUser
}

func (s *store) datasources() []datasource {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]datasource{}, s.db.Datasources...)
}

func (s *store) datasource(uid string) (datasource, bool) {
	for _, ds := range s.datasources() {
		if ds.UID == uid {
			return ds, true
		}
	}
	return datasource{}, false
}

// read looks at the database; what it hands out must not be changed.
func (s *store) read(look func(db *database)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	look(&s.db)
}

// update changes a copy and keeps it only once it is on disk.
func (s *store) update(change func(*database) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.db
	next.Datasources = append([]datasource{}, s.db.Datasources...)
	next.Folders = slices.Clone(s.db.Folders)
	next.Boards = slices.Clone(s.db.Boards)
	next.Accounts = slices.Clone(s.db.Accounts)
	next.Tokens = slices.Clone(s.db.Tokens)
	if err := change(&next); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return fmt.Errorf("encode database: %w", err)
	}
	if err := strict.ReplaceFile(s.path, raw); err != nil {
		return fmt.Errorf("write database: %w", err)
	}
	s.db = next
	return nil
}
