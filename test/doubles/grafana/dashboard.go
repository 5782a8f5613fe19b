package grafana

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dashboard is what Grafana shows, from a file or saved through the API.
type dashboard struct {
	UID   string
	Title string
	Tags  []string
	// File is empty for a saved dashboard.
	File    string
	Spec    dashboardSpec
	Content map[string]any
	Version int64
}

// model is what the double checks of a dashboard's JSON.
type model struct {
	ID            *int64          `json:"id"`
	UID           string          `json:"uid"`
	Title         string          `json:"title"`
	Tags          []string        `json:"tags"`
	SchemaVersion int             `json:"schemaVersion"`
	Inputs        json.RawMessage `json:"__inputs"`
	Panels        []panel         `json:"panels"`
}

type panel struct {
	Type       string `json:"type"`
	Title      string `json:"title"`
	GridPos    grid   `json:"gridPos"`
	Datasource *struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	} `json:"datasource"`
	Targets []map[string]any `json:"targets"`
}

type grid struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// readDashboards reads the files of every provider; source says which data sources exist.
func readDashboards(specs []dashboardSpec, source func(uid string) (datasource, bool)) (map[string]dashboard, error) {
	out := make(map[string]dashboard)
	for _, spec := range specs {
		entries, err := os.ReadDir(spec.Options.Path)
		if err != nil {
			return nil, fmt.Errorf("dashboard provider %q: %w", spec.Name, err)
		}
		for _, entry := range entries {
			path := filepath.Join(spec.Options.Path, entry.Name())
			if entry.IsDir() || filepath.Ext(path) != ".json" {
				return nil, fmt.Errorf("dashboard provider %q: %s is not a .json file", spec.Name, path)
			}
			board, err := readDashboard(path, source)
			if err != nil {
				return nil, fmt.Errorf("dashboard %s: %w", path, err)
			}
			if other, twice := out[board.UID]; twice {
				return nil, fmt.Errorf("dashboard %s: uid %s is already used by %s", path, board.UID, other.File)
			}
			board.Spec = spec
			out[board.UID] = board
		}
	}
	return out, nil
}

func readDashboard(path string, source func(uid string) (datasource, bool)) (dashboard, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return dashboard{}, err
	}
	var m model
	if err := json.Unmarshal(raw, &m); err != nil {
		return dashboard{}, err
	}
	if err := m.check(source); err != nil {
		return dashboard{}, err
	}
	board := dashboard{UID: m.UID, Title: m.Title, Tags: m.Tags, File: filepath.Base(path), Version: 1}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return board, dec.Decode(&board.Content)
}

func (m model) check(source func(uid string) (datasource, bool)) error {
	switch {
	case !uidPattern.MatchString(m.UID):
		return fmt.Errorf("uid %q does not match %s", m.UID, uidPattern)
	case m.Title == "":
		return errors.New("title is missing")
	case m.ID != nil:
		return errors.New("id must be absent or null: it belongs to the database")
	case m.SchemaVersion < 1:
		return errors.New("schemaVersion is missing")
	case len(m.Inputs) > 0:
		return errors.New("__inputs do not resolve under file provisioning")
	case len(m.Panels) == 0:
		return errors.New("panels are missing")
	}
	for i, p := range m.Panels {
		if err := p.check(source); err != nil {
			return fmt.Errorf("panel %d (%s): %w", i, p.Title, err)
		}
	}
	return nil
}

func (p panel) check(source func(uid string) (datasource, bool)) error {
	switch {
	case p.Type == "" || p.Title == "":
		return errors.New("type or title is missing")
	case p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > 24:
		return fmt.Errorf("gridPos %+v does not fit the grid of 24 columns", p.GridPos)
	case p.Type == "row" || p.Type == "text":
		return nil
	case p.Datasource == nil:
		return errors.New("datasource is missing")
	case len(p.Targets) == 0:
		return errors.New("targets are missing")
	}
	ds, exists := source(p.Datasource.UID)
	if !exists {
		return fmt.Errorf("data source %q does not exist", p.Datasource.UID)
	}
	if ds.Type != p.Datasource.Type {
		return fmt.Errorf("data source %s is of type %s, not %s", ds.UID, ds.Type, p.Datasource.Type)
	}
	return nil
}

func (d dashboard) slug() string {
	words := strings.FieldsFunc(strings.ToLower(d.Title), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(words, "-")
}

func (d dashboard) url() string { return "/d/" + d.UID + "/" + d.slug() }

// full is the answer of /api/dashboards/uid/{uid}.
func (d dashboard) full() map[string]any {
	meta := map[string]any{
		"type": "db", "canSave": d.Spec.AllowUIUpdates, "canEdit": d.Spec.AllowUIUpdates, "slug": d.slug(), "url": d.url(),
		"provisioned": d.File != "", "provisionedExternalId": d.File, "version": d.Version, "folderTitle": d.Spec.Folder, "folderUid": d.Spec.FolderUID,
	}
	return map[string]any{"meta": meta, "dashboard": d.Content}
}

// hit is one row of /api/search.
func (d dashboard) hit() map[string]any {
	return map[string]any{
		"uid": d.UID, "title": d.Title, "type": "dash-db", "uri": "db/" + d.slug(), "url": d.url(), "slug": "",
		"tags": append([]string{}, d.Tags...), "isStarred": false, "folderUid": d.Spec.FolderUID, "folderTitle": d.Spec.Folder,
	}
}

// sortedByTitle is the order of /api/search.
func sortedByTitle(boards map[string]dashboard) []dashboard {
	out := make([]dashboard, 0, len(boards))
	for _, board := range boards {
		out = append(out, board)
	}
	slices.SortFunc(out, func(a, b dashboard) int { return strings.Compare(a.Title+a.UID, b.Title+b.UID) })
	return out
}
