package grafana

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// datasource is the JSON of /api/datasources/uid/{uid} and the row of the database.
type datasource struct {
	ID               int64           `json:"id"`
	UID              string          `json:"uid"`
	OrgID            int64           `json:"orgId"`
	Name             string          `json:"name"`
	Type             string          `json:"type"`
	TypeName         string          `json:"typeName"`
	Access           string          `json:"access"`
	URL              string          `json:"url"`
	IsDefault        bool            `json:"isDefault"`
	BasicAuth        bool            `json:"basicAuth"`
	WithCredentials  bool            `json:"withCredentials"`
	JSONData         map[string]any  `json:"jsonData"`
	SecureJSONFields map[string]bool `json:"secureJsonFields"`
	Version          int64           `json:"version"`
	ReadOnly         bool            `json:"readOnly"`

	// Prune is Grafana's own bookkeeping: provisioned by a file with prune: true.
	Prune bool `json:"doublePrune,omitempty"`
}

func (d datasource) base() (*url.URL, error) {
	base, err := url.Parse(strings.TrimSuffix(d.URL, "/"))
	if err != nil {
		return nil, fmt.Errorf("data source %s: %w", d.UID, err)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, fmt.Errorf("data source %s: url %q is not an http or https URL", d.UID, d.URL)
	}
	return base, nil
}

// health asks the backend, with Grafana's own deadline order of magnitude.
func (d datasource) health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	target := strings.TrimSuffix(d.URL, "/") + kinds[d.Type].healthPath
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, 512))
		return errors.Join(fmt.Errorf("GET %s: %s: %s", target, resp.Status, body), err)
	}
	return nil
}

// applyDatasources brings the database to what the files say: deletions first, then
// upserts by name, then pruning of what a pruning file no longer names.
func applyDatasources(db *database, files []datasourceFile) error {
	wanted := make(map[string]bool)
	for _, file := range files {
		for _, gone := range file.DeleteDatasources {
			db.Datasources = slices.DeleteFunc(db.Datasources, func(d datasource) bool { return d.Name == gone.Name })
		}
	}
	for _, file := range files {
		for _, spec := range file.Datasources {
			wanted[spec.UID] = true
			if err := upsertDatasource(db, spec.datasource(file.Prune)); err != nil {
				return err
			}
		}
	}
	db.Datasources = slices.DeleteFunc(db.Datasources, func(d datasource) bool { return d.Prune && !wanted[d.UID] })
	return nil
}

func upsertDatasource(db *database, next datasource) error {
	for i, have := range db.Datasources {
		if have.Name != next.Name {
			if have.UID == next.UID {
				return fmt.Errorf("data source %q: uid %s already belongs to %q", next.Name, next.UID, have.Name)
			}
			continue
		}
		next.ID, next.Version = have.ID, have.Version+1
		db.Datasources[i] = next
		return nil
	}
	next.ID, next.Version = db.NextID, 1
	db.NextID++
	db.Datasources = append(db.Datasources, next)
	return nil
}
