package grafana

import (
	"net/http"
	"slices"
	"strings"
)

// folder is one folder of the database. Those of provisioning files are not stored.
type folder struct {
	ID    int64  `json:"id"`
	UID   string `json:"uid"`
	Title string `json:"title"`
	// fromFile marks a folder that dashboard providers own.
	fromFile bool
}

func (f folder) full() map[string]any {
	return map[string]any{
		"id": f.ID, "uid": f.UID, "orgId": 1, "title": f.Title, "url": "/dashboards/f/" + f.UID + "/" + dashboard{Title: f.Title}.slug(),
		"hasAcl": false, "canSave": true, "canEdit": true, "canAdmin": true, "canDelete": true, "version": 1,
	}
}

// folders returns the folders of the database and of the providers, by title.
func (s *Server) folders() []folder {
	var out []folder
	s.store.read(func(db *database) { out = append(out, db.Folders...) })
	for _, board := range s.provisioned() {
		known := slices.ContainsFunc(out, func(f folder) bool { return f.UID == board.Spec.FolderUID })
		if board.Spec.FolderUID != "" && !known {
			out = append(out, folder{UID: board.Spec.FolderUID, Title: board.Spec.Folder, fromFile: true})
		}
	}
	slices.SortFunc(out, func(a, b folder) int { return strings.Compare(a.Title+a.UID, b.Title+b.UID) })
	return out
}

func (s *Server) folder(uid string) (folder, bool) {
	for _, f := range s.folders() {
		if f.UID == uid {
			return f, true
		}
	}
	return folder{}, false
}

func (s *Server) listFolders(w http.ResponseWriter, _ *http.Request) {
	rows := []any{}
	for _, f := range s.folders() {
		rows = append(rows, map[string]any{"id": f.ID, "uid": f.UID, "title": f.Title})
	}
	s.answer(w, http.StatusOK, rows)
}

var errNoFolder = &problem{status: http.StatusNotFound, message: "folder not found", code: "not-found"}

func (s *Server) getFolder(w http.ResponseWriter, r *http.Request) {
	f, exists := s.folder(r.PathValue("uid"))
	if !exists {
		s.reply(w, errNoFolder, nil)
		return
	}
	s.answer(w, http.StatusOK, f.full())
}

func (s *Server) addFolder(w http.ResponseWriter, r *http.Request) {
	var form struct {
		UID       string `json:"uid"`
		Title     string `json:"title"`
		ParentUID string `json:"parentUid"`
	}
	if !s.decode(w, r, &form) {
		return
	}
	switch {
	case !uidPattern.MatchString(form.UID) || form.ParentUID != "":
		s.unknown(w, r, http.StatusBadRequest, "a folder needs a valid uid and no parent")
		return
	case form.Title == "":
		s.reply(w, &problem{status: http.StatusBadRequest, message: "folder title cannot be empty"}, nil)
		return
	}
	made := folder{UID: form.UID, Title: form.Title}
	err := s.store.update(func(db *database) error {
		if slices.ContainsFunc(db.Folders, func(f folder) bool { return f.UID == form.UID }) {
			return &problem{status: http.StatusConflict, message: "a folder with that UID already exists"}
		}
		made.ID = db.id()
		db.Folders = append(db.Folders, made)
		return nil
	})
	s.reply(w, err, made.full())
}

// renameFolder wants overwrite, because nobody here sends the version that Grafana compares otherwise.
func (s *Server) renameFolder(w http.ResponseWriter, r *http.Request) {
	var form struct {
		Title     string `json:"title"`
		Overwrite bool   `json:"overwrite"`
	}
	if !s.decode(w, r, &form) {
		return
	}
	f, exists := s.folder(r.PathValue("uid"))
	switch {
	case !exists:
		s.reply(w, errNoFolder, nil)
		return
	case f.fromFile:
		s.unknown(w, r, http.StatusBadRequest, "the double does not rename folders that come from files")
		return
	case form.Title == "":
		s.reply(w, &problem{status: http.StatusBadRequest, message: "folder title cannot be empty"}, nil)
		return
	case !form.Overwrite:
		s.reply(w, &problem{status: http.StatusPreconditionFailed, message: "the folder has been changed by someone else"}, nil)
		return
	}
	f.Title = form.Title
	err := s.store.update(func(db *database) error {
		for i := range db.Folders {
			if db.Folders[i].UID == f.UID {
				db.Folders[i].Title = f.Title
			}
		}
		return nil
	})
	s.reply(w, err, f.full())
}

// deleteFolder takes the dashboards in the folder along, as Grafana does.
func (s *Server) deleteFolder(w http.ResponseWriter, r *http.Request) {
	gone, exists := s.folder(r.PathValue("uid"))
	if !exists {
		s.reply(w, errNoFolder, nil)
		return
	}
	for _, board := range s.provisioned() {
		if board.Spec.FolderUID == gone.UID {
			s.reply(w, errProvisionedDelete, nil)
			return
		}
	}
	err := s.store.update(func(db *database) error {
		db.Folders = slices.DeleteFunc(db.Folders, func(f folder) bool { return f.UID == gone.UID })
		db.Boards = slices.DeleteFunc(db.Boards, func(b savedBoard) bool { return b.FolderUID == gone.UID })
		return nil
	})
	s.reply(w, err, map[string]any{"message": "Folder " + gone.Title + " deleted", "title": gone.Title, "id": gone.ID})
}
