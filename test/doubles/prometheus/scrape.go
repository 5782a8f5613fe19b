package prometheus

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxScrape bounds one answer; the real one is unlimited by default.
const maxScrape = 32 << 20

// scrape reads one target and stores its samples with up and scrape_duration_seconds.
func (s *Server) scrape(ctx context.Context, t *target) {
	s.mu.Lock()
	job, url, labels := t.job, t.url, t.labels
	s.mu.Unlock()
	begin := time.Now()
	samples, err := fetch(ctx, url, job.Timeout, labels, begin.UnixMilli())
	if ctx.Err() != nil {
		return
	}
	took, up, lastError, health := time.Since(begin), 1.0, "", "up"
	if err != nil {
		samples, up, lastError, health = nil, 0, err.Error(), "down"
	}
	scraped := len(samples)
	for name, value := range map[string]float64{"up": up, "scrape_duration_seconds": took.Seconds(), "scrape_samples_scraped": float64(scraped)} {
		samples = append(samples, sample{Labels: with(labels, name, nil), Millis: begin.UnixMilli(), Value: value})
	}
	if err := s.store.append(samples); err != nil {
		s.log.Error("Scrape commit failed", "url", url, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.scraping, t.lastScrape, t.took, t.lastError, t.health = false, begin, took, lastError, health
}

func fetch(ctx context.Context, url string, timeout time.Duration, labels map[string]string, millis int64) ([]sample, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4;q=1,*/*;q=0.1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("server returned HTTP status %s", resp.Status)
	}
	return parseExposition(io.LimitReader(resp.Body, maxScrape), labels, millis)
}

var (
	linePattern = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$`)
	pairPattern = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"\s*(?:,|$)`)
	unescape    = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")
)

// parseExposition reads Prometheus' text format. Samples that are not finite are dropped.
func parseExposition(in io.Reader, labels map[string]string, millis int64) ([]sample, error) {
	var out []sample
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		match := linePattern.FindStringSubmatch(line)
		if match == nil {
			return nil, fmt.Errorf("expected a sample, got %q", line)
		}
		own := map[string]string{}
		for rest := match[2]; strings.TrimSpace(rest) != ""; {
			pair := pairPattern.FindStringSubmatch(rest)
			if pair == nil {
				return nil, fmt.Errorf("expected a label, got %q", rest)
			}
			own[pair[1]] = unescape.Replace(pair[2])
			rest = rest[len(pair[0]):]
		}
		value, err := strconv.ParseFloat(match[3], 64)
		if err != nil {
			return nil, fmt.Errorf("expected a value, got %q: %w", match[3], err)
		}
		if math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		out = append(out, sample{Labels: with(labels, match[1], own), Millis: millis, Value: value})
	}
	return out, lines.Err()
}

// with joins the labels of a target and a sample; the target's win, as without honor_labels.
func with(target map[string]string, name string, own map[string]string) map[string]string {
	labels := maps.Clone(target)
	for label, value := range own {
		if _, taken := labels[label]; taken {
			label = "exported_" + label
		}
		labels[label] = value
	}
	labels[nameLabel] = name
	return labels
}

// endSeries marks the series of a target that is gone, so that queries do not find its
// last values for another five minutes.
func (s *Server) endSeries(gone *target) {
	now := time.Now()
	var ends []sample
	for _, last := range s.store.at(selector(gone.labels), now) {
		ends = append(ends, sample{Labels: last.Labels, Millis: max(now.UnixMilli(), last.Millis+1), Stale: true})
	}
	if err := s.store.append(ends); err != nil {
		s.log.Error("end series", "url", gone.url, "err", err)
	}
}
