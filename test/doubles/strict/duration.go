package strict

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Duration is Prometheus' notation: whole numbers with units from years to milliseconds,
// each at most once and in this order ("15d", "1h30m"), or a bare 0.
type Duration time.Duration

var durationPattern = regexp.MustCompile(`^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$`)

var durationUnits = []time.Duration{
	365 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second, time.Millisecond,
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*d = 0
		return nil
	}
	match := durationPattern.FindStringSubmatch(string(text))
	if len(text) == 0 || match == nil {
		return fmt.Errorf("not a valid duration string: %q", text)
	}
	*d = 0
	for i, unit := range durationUnits {
		if match[i+1] == "" {
			continue
		}
		count, err := strconv.Atoi(match[i+1])
		if err != nil {
			return fmt.Errorf("not a valid duration string: %q", text)
		}
		*d += Duration(time.Duration(count) * unit)
	}
	return nil
}
