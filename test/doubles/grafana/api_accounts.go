package grafana

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// account is one service account.
type account struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Disabled bool   `json:"disabled"`
}

// token is one key of a service account, by its hash: the key is shown once.
type token struct {
	ID        int64     `json:"id"`
	AccountID int64     `json:"accountId"`
	Name      string    `json:"name"`
	Hash      []byte    `json:"hash"`
	Expires   time.Time `json:"expires"`
}

// tokenPrefix is that of Grafana's service account tokens.
const tokenPrefix = "glsa_"

// tokenRole returns what a key may do, nobody for one that is not in force.
func (s *store) tokenRole(key string, now time.Time) role {
	given := sha256.Sum256([]byte(key))
	out := nobody
	s.read(func(db *database) {
		for _, t := range db.Tokens {
			if subtle.ConstantTimeCompare(t.Hash, given[:]) != 1 || (!t.Expires.IsZero() && now.After(t.Expires)) {
				continue
			}
			if i := db.accountAt(t.AccountID); i >= 0 && !db.Accounts[i].Disabled {
				out = roles[db.Accounts[i].Role]
			}
		}
	})
	return out
}

func (db *database) accountAt(id int64) int {
	return slices.IndexFunc(db.Accounts, func(a account) bool { return a.ID == id })
}

func (db *database) tokensOf(id int64) int {
	count := 0
	for _, t := range db.Tokens {
		if t.AccountID == id {
			count++
		}
	}
	return count
}

func (a account) full(tokens int) map[string]any {
	return map[string]any{
		"id": a.ID, "name": a.Name, "login": "sa-1-" + dashboard{Title: a.Name}.slug(), "orgId": 1, "isDisabled": a.Disabled, "role": a.Role,
		"tokens": tokens, "avatarUrl": "",
	}
}

func (s *Server) addAccount(w http.ResponseWriter, r *http.Request) {
	var form struct {
		Name     string `json:"name"`
		Role     string `json:"role"`
		Disabled bool   `json:"isDisabled"`
	}
	if !s.decode(w, r, &form) {
		return
	}
	if _, known := roles[form.Role]; !known || form.Name == "" {
		s.unknown(w, r, http.StatusBadRequest, "a service account needs a name and the role Viewer, Editor or Admin")
		return
	}
	made := account{Name: form.Name, Role: form.Role, Disabled: form.Disabled}
	err := s.store.update(func(db *database) error {
		if slices.ContainsFunc(db.Accounts, func(a account) bool { return a.Name == form.Name }) {
			return &problem{status: http.StatusBadRequest, message: "service account already exists"}
		}
		made.ID = db.id()
		db.Accounts = append(db.Accounts, made)
		return nil
	})
	if err != nil {
		s.reply(w, err, nil)
		return
	}
	s.answer(w, http.StatusCreated, made.full(0))
}

func (s *Server) searchAccounts(w http.ResponseWriter, r *http.Request) {
	rows := []any{}
	s.store.read(func(db *database) {
		for _, a := range db.Accounts {
			if strings.Contains(strings.ToLower(a.Name), strings.ToLower(r.URL.Query().Get("query"))) {
				rows = append(rows, a.full(db.tokensOf(a.ID)))
			}
		}
	})
	s.answer(w, http.StatusOK, map[string]any{"totalCount": len(rows), "serviceAccounts": rows, "page": 1, "perPage": 1000})
}

// withAccount changes the database at the account of the path.
func (s *Server) withAccount(r *http.Request, change func(db *database, at int) error) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return &problem{status: http.StatusBadRequest, message: "Service Account ID is invalid"}
	}
	return s.store.update(func(db *database) error {
		at := db.accountAt(id)
		if at < 0 {
			return &problem{status: http.StatusNotFound, message: "service account not found"}
		}
		return change(db, at)
	})
}

func (s *Server) deleteAccount(w http.ResponseWriter, r *http.Request) {
	err := s.withAccount(r, func(db *database, at int) error {
		id := db.Accounts[at].ID
		db.Accounts = slices.Delete(db.Accounts, at, at+1)
		db.Tokens = slices.DeleteFunc(db.Tokens, func(t token) bool { return t.AccountID == id })
		return nil
	})
	s.reply(w, err, map[string]any{"message": "Service account deleted"})
}

func (s *Server) addToken(w http.ResponseWriter, r *http.Request) {
	var form struct {
		Name          string `json:"name"`
		SecondsToLive int64  `json:"secondsToLive"`
	}
	if !s.decode(w, r, &form) {
		return
	}
	if form.Name == "" || form.SecondsToLive < 0 {
		s.unknown(w, r, http.StatusBadRequest, "a token needs a name and no negative life time")
		return
	}
	key := tokenPrefix + rand.Text()
	hash := sha256.Sum256([]byte(key))
	made := token{Name: form.Name, Hash: hash[:]}
	if form.SecondsToLive > 0 {
		made.Expires = time.Now().Add(time.Duration(form.SecondsToLive) * time.Second)
	}
	err := s.withAccount(r, func(db *database, at int) error {
		if slices.ContainsFunc(db.Tokens, func(t token) bool { return t.Name == form.Name }) {
			return &problem{status: http.StatusBadRequest, message: "service account token with given name already exists in the organization"}
		}
		made.ID, made.AccountID = db.id(), db.Accounts[at].ID
		db.Tokens = append(db.Tokens, made)
		return nil
	})
	s.reply(w, err, map[string]any{"id": made.ID, "name": made.Name, "key": key})
}
