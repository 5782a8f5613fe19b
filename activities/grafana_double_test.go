package activities_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// grafanaDouble keeps data sources, folders and dashboards as Grafana's API does. Whatever it does not know fails the test.
type grafanaDouble struct {
	t      *testing.T
	server *httptest.Server

	mu sync.Mutex
	// user, password and token open it; the token does where it is not empty.
	user, password, token string
	refused               int // logins that failed
	forbidden             bool
	datasources           map[string]map[string]any
	folders               map[string]string
	dashboards            map[string]map[string]any // {"meta": …, "dashboard": …}
	writes                []string
	// backends answer what is passed on, by data source uid.
	backends map[string]http.Handler
}

func newGrafanaDouble(t *testing.T) *grafanaDouble {
	t.Helper()
	g := &grafanaDouble{
		t: t, user: "admin", password: "right-password", datasources: map[string]map[string]any{}, folders: map[string]string{},
		dashboards: map[string]map[string]any{}, backends: map[string]http.Handler{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the login was shown before it was known who answers")
		}
		reply(w, http.StatusOK, map[string]any{"database": "ok", "version": "12.4.15"})
	})
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /api/datasources/uid/{uid}":                 g.getDatasource,
		"POST /api/datasources":                          g.writeDatasource,
		"PUT /api/datasources/uid/{uid}":                 g.writeDatasource,
		"DELETE /api/datasources/uid/{uid}":              g.deleteDatasource,
		"GET /api/datasources/proxy/uid/{uid}/{path...}": g.proxy,
		"GET /api/folders/{uid}":                         g.getFolder,
		"POST /api/folders":                              g.writeFolder,
		"PUT /api/folders/{uid}":                         g.writeFolder,
		"DELETE /api/folders/{uid}":                      g.deleteFolder,
		"GET /api/dashboards/uid/{uid}":                  g.getDashboard,
		"POST /api/dashboards/db":                        g.writeDashboard,
		"DELETE /api/dashboards/uid/{uid}":               g.deleteDashboard,
		"GET /api/search":                                g.search,
	} {
		mux.HandleFunc(pattern, g.guarded(handle))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("unexpected %s %s", r.Method, r.URL)
		http.NotFound(w, r)
	})
	g.server = httptest.NewServer(mux)
	t.Cleanup(g.server.Close)
	return g
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func say(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]any{"message": message})
}

func (g *grafanaDouble) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		user, password, _ := r.BasicAuth()
		right := user == g.user && password == g.password
		if g.token != "" {
			right = r.Header.Get("Authorization") == "Bearer "+g.token
		}
		switch {
		case !right:
			g.refused++
			say(w, http.StatusUnauthorized, "Invalid username or password")
		case g.forbidden:
			say(w, http.StatusForbidden, "You'll need additional permissions to perform this action.")
		default:
			if r.Method != http.MethodGet {
				g.writes = append(g.writes, r.Method+" "+r.URL.Path)
			}
			next(w, r)
		}
	}
}

func (g *grafanaDouble) body(r *http.Request, known ...string) map[string]any {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		g.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	for key := range body {
		if !strings.Contains(" "+strings.Join(known, " ")+" ", " "+key+" ") {
			g.t.Errorf("%s %s: unknown field %s", r.Method, r.URL, key)
		}
	}
	return body
}

func (g *grafanaDouble) getDatasource(w http.ResponseWriter, r *http.Request) {
	if d, ok := g.datasources[r.PathValue("uid")]; ok {
		reply(w, http.StatusOK, d)
		return
	}
	say(w, http.StatusNotFound, "Data source not found")
}

func (g *grafanaDouble) writeDatasource(w http.ResponseWriter, r *http.Request) {
	body := g.body(r, "uid", "name", "type", "access", "url", "jsonData", "isDefault")
	uid := fmt.Sprint(body["uid"])
	have, exists := g.datasources[uid]
	for other, d := range g.datasources {
		if other != uid && d["name"] == body["name"] || other == uid && r.Method == http.MethodPost {
			say(w, http.StatusConflict, "data source with the same name already exists")
			return
		}
	}
	switch {
	case r.Method == http.MethodPut && (!exists || r.PathValue("uid") != uid):
		say(w, http.StatusNotFound, "Data source not found")
		return
	case exists && have["readOnly"] == true:
		say(w, http.StatusForbidden, "Cannot update read-only data source")
		return
	}
	body["id"], body["version"], body["readOnly"] = 7, 1, false
	if body["isDefault"] == nil {
		body["isDefault"] = false
	}
	g.datasources[uid] = body
	reply(w, http.StatusOK, map[string]any{"message": "Datasource added", "datasource": body})
}

func (g *grafanaDouble) deleteDatasource(w http.ResponseWriter, r *http.Request) {
	g.remove(w, r, g.datasources)
}

func (g *grafanaDouble) deleteDashboard(w http.ResponseWriter, r *http.Request) {
	g.remove(w, r, g.dashboards)
}

func (g *grafanaDouble) remove(w http.ResponseWriter, r *http.Request, from map[string]map[string]any) {
	if _, ok := from[r.PathValue("uid")]; !ok {
		say(w, http.StatusNotFound, "not found")
		return
	}
	delete(from, r.PathValue("uid"))
	say(w, http.StatusOK, "deleted")
}

func (g *grafanaDouble) proxy(w http.ResponseWriter, r *http.Request) {
	backend, ok := g.backends[r.PathValue("uid")]
	if !ok {
		say(w, http.StatusNotFound, "Unable to find datasource")
		return
	}
	r.URL.Path = "/" + r.PathValue("path")
	backend.ServeHTTP(w, r)
}

func (g *grafanaDouble) getFolder(w http.ResponseWriter, r *http.Request) {
	uid := r.PathValue("uid")
	if title, ok := g.folders[uid]; ok {
		reply(w, http.StatusOK, map[string]any{"uid": uid, "title": title, "id": 3})
		return
	}
	say(w, http.StatusNotFound, "folder not found")
}

func (g *grafanaDouble) writeFolder(w http.ResponseWriter, r *http.Request) {
	body := g.body(r, "uid", "title", "overwrite")
	uid := r.PathValue("uid")
	if r.Method == http.MethodPost {
		uid = fmt.Sprint(body["uid"])
	}
	for other, title := range g.folders {
		if title == body["title"] && other != uid {
			say(w, http.StatusConflict, "a folder with the same name already exists in the current location")
			return
		}
	}
	if _, exists := g.folders[uid]; exists && r.Method == http.MethodPost {
		say(w, http.StatusPreconditionFailed, "the folder has been changed by someone else")
		return
	}
	g.folders[uid] = fmt.Sprint(body["title"])
	reply(w, http.StatusOK, map[string]any{"uid": uid, "title": body["title"]})
}

func (g *grafanaDouble) deleteFolder(w http.ResponseWriter, r *http.Request) {
	uid := r.PathValue("uid")
	if _, ok := g.folders[uid]; !ok {
		say(w, http.StatusNotFound, "folder not found")
		return
	}
	delete(g.folders, uid)
	// Grafana deletes what is in a folder with it.
	for id := range g.inFolder(uid) {
		delete(g.dashboards, id)
	}
	say(w, http.StatusOK, "Folder deleted")
}

func (g *grafanaDouble) inFolder(uid string) map[string]map[string]any {
	in := map[string]map[string]any{}
	for id, d := range g.dashboards {
		if meta, _ := d["meta"].(map[string]any); meta["folderUid"] == uid {
			in[id] = d
		}
	}
	return in
}

func (g *grafanaDouble) getDashboard(w http.ResponseWriter, r *http.Request) {
	if d, ok := g.dashboards[r.PathValue("uid")]; ok {
		reply(w, http.StatusOK, d)
		return
	}
	say(w, http.StatusNotFound, "Dashboard not found")
}

func (g *grafanaDouble) writeDashboard(w http.ResponseWriter, r *http.Request) {
	body := g.body(r, "dashboard", "folderUid", "overwrite", "message")
	model, _ := body["dashboard"].(map[string]any)
	if _, exists := g.folders[fmt.Sprint(body["folderUid"])]; !exists {
		say(w, http.StatusBadRequest, "folder not found")
		return
	}
	uid := fmt.Sprint(model["uid"])
	if have, exists := g.dashboards[uid]; exists {
		if meta, _ := have["meta"].(map[string]any); meta["provisioned"] == true {
			say(w, http.StatusBadRequest, "Cannot save provisioned dashboard")
			return
		}
	}
	// Grafana adds its own fields.
	model["id"], model["version"] = 11, 4
	g.dashboards[uid] = map[string]any{"meta": map[string]any{"folderUid": body["folderUid"], "provisioned": false}, "dashboard": model}
	reply(w, http.StatusOK, map[string]any{"uid": uid, "status": "success"})
}

func (g *grafanaDouble) search(w http.ResponseWriter, r *http.Request) {
	hits := []any{}
	for id, d := range g.inFolder(r.URL.Query().Get("folderUIDs")) {
		model, _ := d["dashboard"].(map[string]any)
		hits = append(hits, map[string]any{"uid": id, "title": model["title"], "type": "dash-db"})
	}
	reply(w, http.StatusOK, hits)
}
