package jaeger

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// search is a parsed request of /api/traces with Jaeger's defaults: the last hour, 100
// traces.
type search struct {
	service, operation string
	tags               map[string]string
	from, to           uint64
	minimum, maximum   time.Duration
	limit              int
}

func parseSearch(values url.Values, now time.Time) (search, error) {
	q := search{to: uint64(now.UnixMicro()), limit: 100}
	lookback := time.Hour
	for name, given := range values {
		if len(given) != 1 {
			return q, fmt.Errorf("parameter '%s' is given %d times", name, len(given))
		}
		var err error
		switch value := given[0]; name {
		case "service":
			q.service = value
		case "operation":
			q.operation = value
		case "start":
			q.from, err = strconv.ParseUint(value, 10, 64)
		case "end":
			q.to, err = strconv.ParseUint(value, 10, 64)
		case "limit":
			q.limit, err = strconv.Atoi(value)
		case "lookback":
			lookback, err = parseLookback(value)
		case "minDuration":
			q.minimum, err = optionalDuration(value)
		case "maxDuration":
			q.maximum, err = optionalDuration(value)
		case "tags":
			err = json.Unmarshal([]byte(value), &q.tags)
		default:
			err = errors.New("unknown to the Jaeger double")
		}
		if err != nil {
			return q, fmt.Errorf("unable to parse param '%s': %w", name, err)
		}
	}
	switch {
	case q.service == "":
		return q, errors.New("parameter 'service' is required")
	case q.limit < 1:
		return q, fmt.Errorf("unable to parse param 'limit': %d", q.limit)
	}
	if q.from == 0 {
		q.from = uint64(now.Add(-lookback).UnixMicro())
	}
	return q, nil
}

// parseLookback also knows days, as the web page sends them.
func parseLookback(value string) (time.Duration, error) {
	if value == "custom" {
		return time.Hour, nil
	}
	if days, found := cutDays(value); found {
		return days, nil
	}
	return time.ParseDuration(value)
}

func cutDays(value string) (time.Duration, bool) {
	if value == "" || value[len(value)-1] != 'd' {
		return 0, false
	}
	days, err := strconv.Atoi(value[:len(value)-1])
	return time.Duration(days) * 24 * time.Hour, err == nil
}

func optionalDuration(value string) (time.Duration, error) {
	if value == "" {
		return 0, nil
	}
	return time.ParseDuration(value)
}

func (q search) matches(r record) bool {
	took := time.Duration(r.Span.Duration) * time.Microsecond
	if r.Process.ServiceName != q.service || (q.operation != "" && r.Span.OperationName != q.operation) ||
		r.Span.StartTime < q.from || r.Span.StartTime > q.to || took < q.minimum || (q.maximum > 0 && took > q.maximum) {
		return false
	}
	for name, value := range q.tags {
		if !hasTag(r, name, value) {
			return false
		}
	}
	return true
}

func hasTag(r record, name, value string) bool {
	for _, tags := range [][]Tag{r.Span.Tags, r.Process.Tags} {
		for _, t := range tags {
			if t.Key == name && tagText(t) == value {
				return true
			}
		}
	}
	return false
}

func tagText(t Tag) string { return fmt.Sprint(t.Value) }
