package loki

import "testing"

func TestSelectors(t *testing.T) {
	line := entry{Line: "hello marker", Labels: map[string]string{"service_name": "a"}, Metadata: map[string]string{"trace_id": "t1"}}
	for query, want := range map[string]bool{
		`{service_name="a"}`:                                true,
		`{service_name="b"}`:                                false,
		`{service_name="a"} |= "marker"`:                    true,
		`{service_name="a"} |= "marker" |= "other"`:         false,
		`{service_name="a"} | trace_id="t1"`:                true,
		`{service_name="a"} | trace_id="t2"`:                false,
		"{service_name=`a`} |= `hello` | trace_id = \"t1\"": true,
	} {
		s, err := parseSelector(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
		} else if got := s.matches(line); got != want {
			t.Errorf("%s: matches %t", query, got)
		}
	}
	for _, query := range []string{`{}`, `service_name="a"`, `{service_name=~"a"}`, `{service_name="a"} | json`, `{service_name="a"} != "x"`} {
		if _, err := parseSelector(query); err == nil {
			t.Errorf("%s is accepted", query)
		}
	}
}
