package prometheus

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// selector is the part of PromQL that the double speaks: name{label="value", …}.
type selector map[string]string

var (
	selectorPattern = regexp.MustCompile(`^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*(?:\{(.*)\})?\s*$`)
	matcherPattern  = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*(,|$)`)
)

func parseSelector(query string) (selector, error) {
	match := selectorPattern.FindStringSubmatch(query)
	if match == nil {
		return nil, fmt.Errorf("parse error: the Prometheus double knows name{label=\"value\"} only, not %s", query)
	}
	out := selector{}
	if match[1] != "" {
		out[nameLabel] = match[1]
	}
	for rest := match[2]; strings.TrimSpace(rest) != ""; {
		matcher := matcherPattern.FindStringSubmatch(rest)
		if matcher == nil {
			return nil, fmt.Errorf("parse error: matcher %s is not label=\"value\"", rest)
		}
		value, err := unquote(matcher[2])
		if err != nil {
			return nil, fmt.Errorf("parse error: %s: %w", matcher[2], err)
		}
		if _, twice := out[matcher[1]]; twice {
			return nil, fmt.Errorf("parse error: label %s is matched twice", matcher[1])
		}
		out[matcher[1]] = value
		rest = rest[len(matcher[0]):]
	}
	for _, value := range out {
		if value != "" {
			return out, nil
		}
	}
	return nil, errors.New("parse error: vector selector must contain at least one non-empty matcher")
}

// unquote undoes both kinds of quotes that PromQL has.
func unquote(text string) (string, error) {
	if strings.HasPrefix(text, "'") {
		text = `"` + strings.ReplaceAll(strings.ReplaceAll(text[1:len(text)-1], `\'`, `'`), `"`, `\"`) + `"`
	}
	return strconv.Unquote(text)
}

func (s selector) matches(labels map[string]string) bool {
	for name, value := range s {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// instantQuery is a parsed request of /api/v1/query.
type instantQuery struct {
	// probe is Grafana's 1+1.
	probe    bool
	selector selector
	at       time.Time
}

func parseInstantQuery(form url.Values, now time.Time) (instantQuery, error) {
	q := instantQuery{at: now}
	for name, given := range form {
		if len(given) != 1 {
			return q, fmt.Errorf("parameter %q is given %d times", name, len(given))
		}
		var err error
		switch value := given[0]; name {
		case "query":
			if q.probe = strings.ReplaceAll(value, " ", "") == "1+1"; !q.probe {
				q.selector, err = parseSelector(value)
			}
		case "time":
			q.at, err = parseTime(value)
		case "timeout":
			err = new(seconds).UnmarshalText([]byte(value))
		default:
			err = errors.New("unknown to the Prometheus double")
		}
		if err != nil {
			return q, fmt.Errorf("invalid parameter %q: %w", name, err)
		}
	}
	if !q.probe && q.selector == nil {
		return q, errors.New(`invalid parameter "query": unknown position: parse error: no expression found in input`)
	}
	return q, nil
}

// seconds is the other notation of durations that the HTTP API takes.
type seconds float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *seconds) UnmarshalText(text []byte) error {
	value, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "s"), 64)
	*s = seconds(value)
	return err
}

// parseTime accepts seconds since the epoch, with a fraction, or RFC 3339.
func parseTime(value string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return time.UnixMilli(int64(seconds * 1000)), nil
	}
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", value)
	}
	return at, nil
}
