package buildcontext

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

const (
	// maxManifest is how many lines a manifest has at most, so that it fits into a state file.
	maxManifest = 1000
	// shortSum is how much of a digest tells two versions of one file apart, in hex digits.
	shortSum = 12
	// maxNamed is how many paths of a kind a sentence names.
	maxNamed = 10
)

// Manifest is the short form of a context that is kept to tell later what has changed. It has a JSON form.
type Manifest struct {
	Hash string `json:"hash"`
	// Depth is 0 when Sums has every path of the context. A large context is summed up by folders, by the first Depth parts of
	// the path.
	Depth int `json:"depth,omitempty"`
	// Sums are short digests by path.
	Sums map[string]string `json:"sums"`
}

// Difference is what one context has that another has not, as paths in order; a path that ends in a slash is a folder with
// all that is in it.
type Difference struct {
	Added   []string
	Changed []string
	Removed []string
}

// Manifest is the context's own.
func (c *Context) Manifest() Manifest {
	whole := Manifest{Hash: c.Hash, Sums: make(map[string]string, len(c.entries))}
	deepest := 1
	for _, e := range c.entries {
		name := e.path
		if e.mode.IsDir() {
			name += "/"
		}
		whole.Sums[name] = short(fmt.Sprintf("%o %q %x", e.permissions(), e.link, e.sum))
		deepest = max(deepest, strings.Count(name, "/")+1)
	}
	m := whole
	for depth := deepest; len(m.Sums) > maxManifest; depth-- {
		m = whole.summed(depth)
	}
	return m
}

// summed sums a whole manifest up by folders that are depth-1 deep at most; at depth 1 there is one line for all.
func (m Manifest) summed(depth int) Manifest {
	members := map[string][]string{}
	for name, sum := range m.Sums {
		parts := strings.Split(path.Dir(name), "/")
		folder := strings.Join(parts[:min(len(parts), depth-1)], "/") + "/"
		if folder == "/" {
			folder = "./"
		}
		members[folder] = append(members[folder], name+" "+sum)
	}
	out := Manifest{Hash: m.Hash, Depth: depth, Sums: make(map[string]string, len(members))}
	for folder, lines := range members {
		slices.Sort(lines)
		out.Sums[folder] = short(strings.Join(lines, "\n"))
	}
	return out
}

func short(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:shortSum]
}

// Changed compares two looks at a context. Where one of them is summed up by folders, both are; two that are summed up in
// different ways cannot be told apart in detail, and everything counts as changed.
func Changed(before, after Manifest) Difference {
	if before.Hash == after.Hash {
		return Difference{}
	}
	switch {
	case before.Depth == after.Depth:
	case before.Depth == 0:
		before = before.summed(after.Depth)
	case after.Depth == 0:
		after = after.summed(before.Depth)
	default:
		return Difference{Changed: []string{"./"}}
	}
	var d Difference
	for _, name := range slices.Sorted(maps.Keys(after.Sums)) {
		switch sum, known := before.Sums[name]; {
		case !known:
			d.Added = append(d.Added, name)
		case sum != after.Sums[name]:
			d.Changed = append(d.Changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before.Sums)) {
		if _, known := after.Sums[name]; !known {
			d.Removed = append(d.Removed, name)
		}
	}
	return d
}

// String names what is different, for example "changed main.go; added api/v2/; removed old.txt", the first ten of a kind.
func (d Difference) String() string {
	var parts []string
	for _, kind := range []struct {
		word  string
		names []string
	}{{"changed", d.Changed}, {"added", d.Added}, {"removed", d.Removed}} {
		if len(kind.names) == 0 {
			continue
		}
		text := kind.word + " " + strings.Join(kind.names[:min(len(kind.names), maxNamed)], ", ")
		if more := len(kind.names) - maxNamed; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}
