package grafana

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// savedBoard is one dashboard of the database.
type savedBoard struct {
	ID        int64          `json:"id"`
	UID       string         `json:"uid"`
	Title     string         `json:"title"`
	Tags      []string       `json:"tags"`
	FolderUID string         `json:"folderUid"`
	Version   int64          `json:"version"`
	Content   map[string]any `json:"content"`
}

var errProvisionedDelete = &problem{status: http.StatusBadRequest, message: "provisioned dashboard cannot be deleted"}

func (s *store) hasBoard(uid string) bool {
	found := false
	s.read(func(db *database) {
		found = slices.ContainsFunc(db.Boards, func(b savedBoard) bool { return b.UID == uid })
	})
	return found
}

// dashboards returns those of the files and those of the database.
func (s *Server) dashboards() map[string]dashboard {
	out := maps.Clone(s.provisioned())
	if out == nil {
		out = map[string]dashboard{}
	}
	titles := map[string]string{}
	for _, f := range s.folders() {
		titles[f.UID] = f.Title
	}
	s.store.read(func(db *database) {
		for _, saved := range db.Boards {
			out[saved.UID] = dashboard{
				UID: saved.UID, Title: saved.Title, Tags: saved.Tags, Content: saved.Content, Version: saved.Version,
				Spec: dashboardSpec{FolderUID: saved.FolderUID, Folder: titles[saved.FolderUID], AllowUIUpdates: true},
			}
		}
	})
	return out
}

func (s *Server) getDashboard(w http.ResponseWriter, r *http.Request) {
	board, exists := s.dashboards()[r.PathValue("uid")]
	if !exists {
		s.answer(w, http.StatusNotFound, map[string]any{"message": "Dashboard not found", "traceID": ""})
		return
	}
	s.answer(w, http.StatusOK, board.full())
}

// saveForm is the body of /api/dashboards/db.
type saveForm struct {
	Dashboard json.RawMessage `json:"dashboard"`
	FolderUID string          `json:"folderUid"`
	Message   string          `json:"message"`
	Overwrite bool            `json:"overwrite"`
}

// saveDashboard upserts by uid. Unlike Grafana it refuses a dashboard that would not work,
// as it does with files.
func (s *Server) saveDashboard(w http.ResponseWriter, r *http.Request) {
	var form saveForm
	if !s.decode(w, r, &form) {
		return
	}
	var m model
	err := json.Unmarshal(form.Dashboard, &m)
	if err == nil {
		err = m.check(s.store.datasource)
	}
	next := savedBoard{UID: m.UID, Title: m.Title, Tags: m.Tags, FolderUID: form.FolderUID}
	if err == nil {
		err = json.Unmarshal(form.Dashboard, &next.Content)
	}
	if err != nil {
		s.unknown(w, r, http.StatusBadRequest, err.Error())
		return
	}
	if _, exists := s.folder(form.FolderUID); form.FolderUID != "" && !exists {
		s.reply(w, &problem{status: http.StatusBadRequest, message: "folder not found"}, nil)
		return
	}
	if _, owned := s.provisioned()[m.UID]; owned {
		s.reply(w, &problem{status: http.StatusBadRequest, message: "Cannot save provisioned dashboard"}, nil)
		return
	}
	err = s.store.update(func(db *database) error { return db.saveBoard(&next, form.Overwrite) })
	board := dashboard{UID: next.UID, Title: next.Title}
	s.reply(w, err, map[string]any{
		"id": next.ID, "uid": next.UID, "url": board.url(), "slug": board.slug(), "status": "success", "version": next.Version, "folderUid": next.FolderUID,
	})
}

// saveBoard fills in id and version; the version in the content is that of the client's copy.
func (db *database) saveBoard(next *savedBoard, overwrite bool) error {
	given, _ := next.Content["version"].(float64)
	i := slices.IndexFunc(db.Boards, func(b savedBoard) bool { return b.UID == next.UID })
	if i < 0 {
		next.ID, next.Version = db.id(), 1
		db.Boards = append(db.Boards, savedBoard{})
		i = len(db.Boards) - 1
	} else {
		have := db.Boards[i]
		if !overwrite && int64(given) != have.Version {
			return &problem{status: http.StatusPreconditionFailed, message: "The dashboard has been changed by someone else", code: "version-mismatch"}
		}
		next.ID, next.Version = have.ID, have.Version+1
	}
	next.Content = maps.Clone(next.Content)
	next.Content["id"], next.Content["version"] = next.ID, next.Version
	db.Boards[i] = *next
	return nil
}

func (s *Server) deleteDashboard(w http.ResponseWriter, r *http.Request) {
	uid := r.PathValue("uid")
	if _, owned := s.provisioned()[uid]; owned {
		s.reply(w, errProvisionedDelete, nil)
		return
	}
	var gone savedBoard
	err := s.store.update(func(db *database) error {
		i := slices.IndexFunc(db.Boards, func(b savedBoard) bool { return b.UID == uid })
		if i < 0 {
			return &problem{status: http.StatusNotFound, message: "Dashboard not found"}
		}
		gone = db.Boards[i]
		db.Boards = slices.Delete(db.Boards, i, i+1)
		return nil
	})
	s.reply(w, err, map[string]any{"title": gone.Title, "message": "Dashboard " + gone.Title + " deleted", "uid": gone.UID})
}

// search knows dashboards, those of given folders only if asked, folders, and everything in given folders.
func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	kind, within := query.Get("type"), query["folderUIDs"]
	query.Del("type")
	query.Del("folderUIDs")
	hits := []map[string]any{}
	switch {
	case len(query) > 0 || (kind == "" && len(within) == 0) || (kind == "dash-folder" && len(within) > 0) || !slices.Contains([]string{"", "dash-db", "dash-folder"}, kind):
		s.unknown(w, r, http.StatusBadRequest, "search knows type=dash-db, folderUIDs with or without it, and type=dash-folder only")
		return
	case kind == "dash-folder":
		for _, f := range s.folders() {
			hits = append(hits, map[string]any{"uid": f.UID, "title": f.Title, "type": kind, "url": f.full()["url"]})
		}
	default:
		// Folders have no parents here, so what is in a folder is dashboards.
		for _, board := range sortedByTitle(s.dashboards()) {
			if len(within) == 0 || slices.Contains(within, board.Spec.FolderUID) {
				hits = append(hits, board.hit())
			}
		}
	}
	s.answer(w, http.StatusOK, hits)
}
