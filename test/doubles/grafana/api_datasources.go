package grafana

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
)

// datasourceForm is what a client may send: also everything that a GET gave it.
type datasourceForm struct {
	datasource
	TypeLogoURL    string            `json:"typeLogoUrl"`
	Database       string            `json:"database"`
	User           string            `json:"user"`
	BasicAuthUser  string            `json:"basicAuthUser"`
	SecureJSONData map[string]string `json:"secureJsonData"`
	APIVersion     string            `json:"apiVersion"`
	AccessControl  map[string]bool   `json:"accessControl"`
}

// problem is an answer other than 200 that a change of the database ends in.
type problem struct {
	status  int
	message string
	// code is the field "status" of the older answers.
	code string
}

func (p *problem) Error() string { return p.message }

// reply answers with what a change of the database came to.
func (s *Server) reply(w http.ResponseWriter, err error, body map[string]any) {
	var expected *problem
	switch {
	case err == nil:
		s.answer(w, http.StatusOK, body)
	case errors.As(err, &expected):
		answer := map[string]any{"message": expected.message}
		if expected.code != "" {
			answer["status"] = expected.code
		}
		s.answer(w, expected.status, answer)
	default:
		s.log.Error("internal error", "err", err)
		s.answer(w, http.StatusInternalServerError, map[string]any{"message": err.Error()})
	}
}

// decode reads one JSON document without unknown fields, or answers 400.
func (s *Server) decode(w http.ResponseWriter, r *http.Request, out any) bool {
	dec := json.NewDecoder(io.LimitReader(r.Body, 4<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		s.unknown(w, r, http.StatusBadRequest, "bad request data: "+err.Error())
		return false
	}
	return true
}

// readDatasource decodes and checks a form as strictly as a provisioning file.
func (s *Server) readDatasource(w http.ResponseWriter, r *http.Request) (datasource, bool) {
	var form datasourceForm
	if !s.decode(w, r, &form) {
		return datasource{}, false
	}
	spec := datasourceSpec{
		OrgID: form.OrgID, Name: form.Name, UID: form.UID, Type: form.Type, Access: form.Access, URL: form.URL, IsDefault: form.IsDefault,
		Editable: true, JSONData: form.JSONData, SecureJSONData: form.SecureJSONData,
	}
	err := spec.check()
	if form.Access == "" {
		err = errors.Join(err, errors.New("access is missing"))
	}
	if form.BasicAuth || form.WithCredentials || form.Database+form.User+form.BasicAuthUser != "" {
		err = errors.Join(err, errors.New("credentials are unknown to the Grafana double"))
	}
	if err != nil {
		s.unknown(w, r, http.StatusBadRequest, err.Error())
		return datasource{}, false
	}
	out := spec.datasource(false)
	out.Version = form.Version
	return out, true
}

func (db *database) datasourceAt(uid string) int {
	return slices.IndexFunc(db.Datasources, func(d datasource) bool { return d.UID == uid })
}

// place puts a data source at i; a new default takes the title from the old one.
func (db *database) place(i int, next datasource) {
	if next.IsDefault {
		for other := range db.Datasources {
			db.Datasources[other].IsDefault = false
		}
	}
	db.Datasources[i] = next
}

func (s *Server) addDatasource(w http.ResponseWriter, r *http.Request) {
	next, ok := s.readDatasource(w, r)
	if !ok {
		return
	}
	err := s.store.update(func(db *database) error {
		for _, have := range db.Datasources {
			switch {
			case have.Name == next.Name:
				return &problem{status: http.StatusConflict, message: "data source with the same name already exists"}
			case have.UID == next.UID:
				return &problem{status: http.StatusConflict, message: "data source with the same uid already exists"}
			}
		}
		next.ID, next.Version = db.id(), 1
		db.Datasources = append(db.Datasources, datasource{})
		db.place(len(db.Datasources)-1, next)
		return nil
	})
	s.reply(w, err, map[string]any{"id": next.ID, "name": next.Name, "message": "Datasource added", "datasource": next})
}

func (s *Server) updateDatasource(w http.ResponseWriter, r *http.Request) {
	next, ok := s.readDatasource(w, r)
	if !ok {
		return
	}
	err := s.store.update(func(db *database) error {
		i := db.datasourceAt(r.PathValue("uid"))
		if i < 0 {
			return &problem{status: http.StatusNotFound, message: "Data source not found"}
		}
		have := db.Datasources[i]
		switch {
		case have.ReadOnly:
			return &problem{status: http.StatusForbidden, message: "Cannot update read-only data source"}
		case next.UID != have.UID:
			return &problem{status: http.StatusBadRequest, message: "uid " + next.UID + " in the body, " + have.UID + " in the path"}
		case next.Version != 0 && next.Version < have.Version:
			return &problem{status: http.StatusConflict, message: "Datasource has already been updated by someone else. Please reload and try again"}
		}
		for _, other := range db.Datasources {
			if other.Name == next.Name && other.UID != have.UID {
				return &problem{status: http.StatusConflict, message: "Failed to update datasource: data source with the same name already exists"}
			}
		}
		// A secret that is not sent again stays.
		for name := range have.SecureJSONFields {
			next.SecureJSONFields[name] = true
		}
		next.ID, next.Version = have.ID, have.Version+1
		db.place(i, next)
		return nil
	})
	s.reply(w, err, map[string]any{"id": next.ID, "name": next.Name, "message": "Datasource updated", "datasource": next})
}

func (s *Server) deleteDatasource(w http.ResponseWriter, r *http.Request) {
	var gone datasource
	err := s.store.update(func(db *database) error {
		i := db.datasourceAt(r.PathValue("uid"))
		if i < 0 {
			return &problem{status: http.StatusNotFound, message: "Data source not found"}
		}
		if gone = db.Datasources[i]; gone.ReadOnly {
			return &problem{status: http.StatusForbidden, message: "Cannot delete read-only data source"}
		}
		db.Datasources = slices.Delete(db.Datasources, i, i+1)
		return nil
	})
	s.reply(w, err, map[string]any{"message": "Data source deleted", "id": gone.ID})
}
