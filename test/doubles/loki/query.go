package loki

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// selector is the part of LogQL that the double speaks: {name="value", …}, then any of |= "text" and | name="value", which
// asks structured metadata.
type selector struct {
	labels   map[string]string
	contains []string
	metadata map[string]string
}

var (
	quoted          = "(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)"
	stage           = `(?:\|=|\|\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=)\s*` + quoted + `\s*`
	selectorPattern = regexp.MustCompile(`^\s*\{([^}]*)\}\s*((?:` + stage + `)*)$`)
	matcherPattern  = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*` + quoted + `\s*(,|$)`)
	stagePattern    = regexp.MustCompile(stage)
)

func parseSelector(query string) (selector, error) {
	match := selectorPattern.FindStringSubmatch(query)
	if match == nil {
		return selector{}, fmt.Errorf("parse error: the Loki double knows {name=\"value\"}, |= \"text\" and | name=\"value\" only, not %s", query)
	}
	out := selector{labels: map[string]string{}, metadata: map[string]string{}}
	for rest := match[1]; strings.TrimSpace(rest) != ""; {
		matcher := matcherPattern.FindStringSubmatch(rest)
		if matcher == nil {
			return selector{}, fmt.Errorf("parse error: matcher %s is not name=\"value\"", rest)
		}
		value, err := strconv.Unquote(matcher[2])
		if err != nil {
			return selector{}, fmt.Errorf("parse error: %s: %w", matcher[2], err)
		}
		out.labels[matcher[1]] = value
		rest = rest[len(matcher[0]):]
	}
	if len(out.labels) == 0 {
		return selector{}, errors.New("parse error: queries require at least one regexp or equality matcher")
	}
	for _, stage := range stagePattern.FindAllStringSubmatch(match[2], -1) {
		text, err := strconv.Unquote(stage[2])
		switch {
		case err != nil:
			return selector{}, fmt.Errorf("parse error: %s: %w", stage[2], err)
		case stage[1] == "":
			out.contains = append(out.contains, text)
		default:
			out.metadata[stage[1]] = text
		}
	}
	return out, nil
}

func (s selector) matches(e entry) bool {
	for name, value := range s.labels {
		if e.Labels[name] != value {
			return false
		}
	}
	for name, value := range s.metadata {
		if e.Metadata[name] != value && e.Labels[name] != value {
			return false
		}
	}
	for _, text := range s.contains {
		if !strings.Contains(e.Line, text) {
			return false
		}
	}
	return true
}

// rangeQuery is a parsed query_range request with Loki's defaults: the last hour, 100
// lines, newest first.
type rangeQuery struct {
	selector selector
	from, to uint64
	limit    int
	forward  bool
}

func parseRangeQuery(values url.Values, now time.Time) (rangeQuery, error) {
	q := rangeQuery{from: nano(now.Add(-time.Hour)), to: nano(now), limit: 100}
	var errs []error
	for name, given := range values {
		if len(given) != 1 {
			errs = append(errs, fmt.Errorf("parameter %s is given %d times", name, len(given)))
			continue
		}
		var err error
		switch value := given[0]; name {
		case "query":
			q.selector, err = parseSelector(value)
		case "start":
			q.from, err = parseTime(value)
		case "end":
			q.to, err = parseTime(value)
		case "limit":
			q.limit, err = strconv.Atoi(value)
		case "direction":
			if q.forward = value == "forward"; !q.forward && value != "backward" {
				err = fmt.Errorf("direction %q is neither forward nor backward", value)
			}
		default:
			err = fmt.Errorf("parameter %s is unknown to the Loki double", name)
		}
		errs = append(errs, err)
	}
	switch {
	case q.selector.labels == nil:
		errs = append(errs, errors.New("query is missing or wrong"))
	case q.to < q.from:
		errs = append(errs, errors.New("end timestamp must not be before or equal to start time"))
	case q.limit < 1 || q.limit > 5000:
		errs = append(errs, fmt.Errorf("limit %d is outside 1 to 5000", q.limit))
	}
	return q, errors.Join(errs...)
}

// parseTime accepts what Loki does: seconds or nanoseconds since the epoch, or RFC 3339.
func parseTime(value string) (uint64, error) {
	if n, err := strconv.ParseUint(value, 10, 64); err == nil {
		if len(value) <= 10 {
			return n * uint64(time.Second), nil
		}
		return n, nil
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return uint64(seconds * float64(time.Second)), nil
	}
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return 0, fmt.Errorf("%q is not a timestamp", value)
	}
	return nano(at), nil
}

func nano(at time.Time) uint64 { return uint64(max(at.UnixNano(), 0)) }
