package activities

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// lacking compares decoded JSON: it returns the path of the first thing in want that got has not got, or has otherwise, and
// "" when there is none. What got has beyond want does not count: systems add their own fields. Lists count as a whole.
func lacking(want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return "value"
		}
		for _, key := range slices.Sorted(maps.Keys(w)) {
			if _, has := g[key]; !has {
				return key
			}
			if path := lacking(w[key], g[key]); path != "" {
				return join(key, path)
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return "value"
		}
		for i := range w {
			if path := lacking(w[i], g[i]); path != "" {
				return join(fmt.Sprint(i), path)
			}
		}
		return ""
	default:
		if want != nil && !reflect.DeepEqual(want, got) {
			return "value"
		}
		return ""
	}
}

// join puts a path together, without the word that stands for a value itself.
func join(key, path string) string {
	if path == "value" {
		return key
	}
	return key + "." + path
}
