package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// discoverEvery is how often files are looked at; Prometheus watches them instead.
const discoverEvery = time.Second

// target is one endpoint that is scraped.
type target struct {
	job        Job
	url        string
	labels     map[string]string
	discovered map[string]string

	scraping   bool
	health     string
	lastError  string
	lastScrape time.Time
	took       time.Duration
}

func (t *target) key() string { return t.job.Name + " " + t.url + " " + key(t.labels) }

// fileGroups are the groups of one file_sd file with what tells whether it changed.
type fileGroups struct {
	modified time.Time
	size     int64
	groups   []group
}

// discoverAndScrape keeps the list of targets up to date and scrapes what is due, until ctx ends.
func (s *Server) discoverAndScrape(ctx context.Context) {
	tick := time.NewTicker(discoverEvery)
	defer tick.Stop()
	files := map[string]fileGroups{}
	for {
		cfg := s.cfg.Load()
		s.readTargetFiles(cfg, files)
		for _, due := range s.retarget(cfg, files) {
			go s.scrape(ctx, due)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// readTargetFiles reads the files that changed. As in Prometheus a bad file keeps its last
// good targets, and a file that is gone loses them.
func (s *Server) readTargetFiles(cfg *Config, files map[string]fileGroups) {
	present := map[string]bool{}
	for _, job := range cfg.Jobs {
		for _, path := range job.paths() {
			present[path] = true
			info, err := os.Stat(path)
			if err != nil {
				s.log.Error("Error reading file", "path", path, "err", err)
				continue
			}
			have, known := files[path]
			if known && have.modified.Equal(info.ModTime()) && have.size == info.Size() {
				continue
			}
			groups, err := readGroups(path)
			if err != nil {
				s.log.Error("Error reading file, keeping its last targets", "path", path, "err", err)
				groups = have.groups
			}
			files[path] = fileGroups{modified: info.ModTime(), size: info.Size(), groups: groups}
		}
	}
	maps.DeleteFunc(files, func(path string, _ fileGroups) bool { return !present[path] })
}

func (j Job) paths() []string {
	var out []string
	for _, pattern := range j.Files {
		// Parse checked the pattern: an asterisk is the only special character.
		if found, err := filepath.Glob(pattern); err == nil {
			out = append(out, found...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func readGroups(path string) ([]group, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var groups []group
	if strings.EqualFold(filepath.Ext(path), ".json") {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		err = dec.Decode(&groups)
	} else {
		err = strict.DecodeYAML(raw, &groups)
	}
	if err != nil {
		return nil, err
	}
	return groups, checkGroups(groups)
}

// retarget makes the list of targets what configuration and files say and returns those
// that are due. A target that is gone takes its series with it.
func (s *Server) retarget(cfg *Config, files map[string]fileGroups) []*target {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := map[string]*target{}
	for _, t := range s.targets {
		old[t.key()] = t
	}
	var due []*target
	s.targets = nil
	for _, t := range wanted(cfg, files) {
		if have := old[t.key()]; have != nil {
			delete(old, t.key())
			have.job, have.discovered = t.job, t.discovered
			t = have
		}
		s.targets = append(s.targets, t)
		if !t.scraping && time.Since(t.lastScrape) >= t.job.Interval {
			t.scraping = true
			due = append(due, t)
		}
	}
	for _, gone := range old {
		s.log.Info("target is gone", "job", gone.job.Name, "url", gone.url)
		s.endSeries(gone)
	}
	return due
}

func wanted(cfg *Config, files map[string]fileGroups) []*target {
	var out []*target
	seen := map[string]bool{}
	for _, job := range cfg.Jobs {
		sources := map[string][]group{"": job.Static}
		for _, path := range job.paths() {
			sources[path] = files[path].groups
		}
		for _, path := range slices.Sorted(maps.Keys(sources)) {
			for _, g := range sources[path] {
				for _, address := range g.Targets {
					t := newTarget(job, address, g.Labels, path)
					if !seen[t.key()] {
						seen[t.key()] = true
						out = append(out, t)
					}
				}
			}
		}
	}
	return out
}

// newTarget resolves the special labels that a group may set.
func newTarget(job Job, address string, more map[string]string, path string) *target {
	discovered := map[string]string{
		"__address__": address, "__metrics_path__": job.Path, "__scheme__": job.Scheme, "job": job.Name,
		"__scrape_interval__": job.Interval.String(), "__scrape_timeout__": job.Timeout.String(),
	}
	if path != "" {
		discovered["__meta_filepath"] = path
	}
	maps.Copy(discovered, more)
	labels := map[string]string{"instance": address}
	for name, value := range discovered {
		if !strings.HasPrefix(name, "__") {
			labels[name] = value
		}
	}
	return &target{
		job: job, labels: labels, discovered: discovered, health: "unknown",
		url: fmt.Sprintf("%s://%s%s", discovered["__scheme__"], address, discovered["__metrics_path__"]),
	}
}

func (s *Server) listTargets(w http.ResponseWriter, r *http.Request) {
	for name := range r.URL.Query() {
		if name != "state" && name != "scrapePool" {
			s.badData(w, r, fmt.Errorf("parameter %q is unknown to the Prometheus double", name))
			return
		}
	}
	state, pool := r.URL.Query().Get("state"), r.URL.Query().Get("scrapePool")
	if err := oneOf(state, "", "any", "active", "dropped"); err != nil {
		s.badData(w, r, fmt.Errorf("invalid parameter \"state\": %w", err))
		return
	}
	active := []any{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.targets {
		if state == "dropped" || (pool != "" && pool != t.job.Name) {
			continue
		}
		active = append(active, map[string]any{
			"discoveredLabels": t.discovered, "labels": t.labels, "scrapePool": t.job.Name, "scrapeUrl": t.url, "globalUrl": t.url,
			"lastError": t.lastError, "lastScrape": t.lastScrape, "lastScrapeDuration": t.took.Seconds(), "health": t.health,
			"scrapeInterval": t.job.Interval.String(), "scrapeTimeout": t.job.Timeout.String(),
		})
	}
	s.answer(w, map[string]any{"activeTargets": active, "droppedTargets": []any{}, "droppedTargetCounts": map[string]int{}})
}
