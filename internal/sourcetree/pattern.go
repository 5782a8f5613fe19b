package sourcetree

import (
	"fmt"
	"regexp"
	"strings"
)

// pattern is one line of a .gitignore.
type pattern struct {
	negated bool // what it matches is kept
	folders bool // it matches folders only
	rooted  bool // it holds a slash, so that it is about paths from the folder of its file, not about names
	name    string
	match   *regexp.Regexp // nil never matches
}

// patterns are the lines of a .gitignore.
func patterns(content string) []pattern {
	var found []pattern
	for line := range strings.SplitSeq(strings.TrimPrefix(content, "\ufeff"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		line, _, _ = strings.Cut(line, "\x00")
		if line == "" || line[0] == '#' {
			continue
		}
		found = append(found, parse(trimmed(line)))
	}
	return found
}

// trimmed is a line without the spaces at its end that no backslash keeps.
func trimmed(line string) string {
	end := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
		case '\\':
			i++
			if i == len(line) {
				return line
			}
			end = i + 1
		default:
			end = i + 1
		}
	}
	return line[:end]
}

func parse(line string) pattern {
	var p pattern
	line, p.negated = strings.CutPrefix(line, "!")
	line, p.folders = strings.CutSuffix(line, "/")
	p.rooted = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	p.name = line[strings.LastIndex(line, "/")+1:]
	if expression, ok := translate(line); ok {
		p.match = regexp.MustCompile(`^(?s:` + expression + `)$`)
	}
	return p
}

// matches reports whether the pattern is about path, which is relative to the folder of its file.
func (p pattern) matches(path string, folder bool) bool {
	if p.match == nil || p.folders && !folder {
		return false
	}
	if !p.rooted {
		path = path[strings.LastIndex(path, "/")+1:]
	}
	return p.match.MatchString(bytewise(path))
}

// names reports whether the pattern is about one name and says so without wildcards.
func (p pattern) names(name string) bool {
	return p.negated && p.name == name
}

// bytewise is text with a character for each of its bytes: git compares bytes.
func bytewise(text string) string {
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

const special = `*?[\`

// translate makes a regular expression over bytes of a glob; false when the glob is malformed, which matches nothing in git.
func translate(glob string) (string, bool) {
	var out strings.Builder
	// Git compares what comes before the first wildcard literally, and looks at the rest as if it were the whole pattern.
	first := strings.IndexAny(glob, special)
	if first < 0 {
		first = len(glob)
	}
	literal(&out, glob[:first])
	rest := glob[first:]
	for i := 0; i < len(rest); {
		switch rest[i] {
		case '*':
			i = stars(&out, rest, i)
		case '?':
			out.WriteString(`[^/]`)
			i++
		case '[':
			end, ok := class(&out, rest, i)
			if !ok {
				return "", false
			}
			i = end
		case '\\':
			if i++; i == len(rest) {
				return "", false
			}
			literal(&out, rest[i:i+1])
			i++
		default:
			literal(&out, rest[i:i+1])
			i++
		}
	}
	return out.String(), true
}

func literal(out *strings.Builder, text string) {
	out.WriteString(regexp.QuoteMeta(bytewise(text)))
}

// stars translates the asterisks at i. Two and more between slashes or ends go through folders.
func stars(out *strings.Builder, glob string, i int) int {
	end := i
	for end < len(glob) && glob[end] == '*' {
		end++
	}
	after := glob[end:]
	through := end-i > 1 && (i == 0 || glob[i-1] == '/') &&
		(after == "" || after[0] == '/' || strings.HasPrefix(after, `\/`))
	switch {
	case !through:
		out.WriteString(`[^/]*`)
	case strings.HasPrefix(after, "/"):
		out.WriteString(`(?:.*/)?`)
		end++
	default:
		out.WriteString(`.*`)
	}
	return end
}

// class translates the set of characters that begins at i.
func class(out *strings.Builder, glob string, i int) (end int, ok bool) {
	i++
	negated := i < len(glob) && (glob[i] == '!' || glob[i] == '^')
	if negated {
		i++
	}
	set, end, ok := members(glob, i)
	if !ok {
		return 0, false
	}
	set['/'] = negated // never matched, whether the set is negated or not
	out.WriteByte('[')
	empty := true
	for b := range 256 {
		if set[b] != negated {
			fmt.Fprintf(out, `\x{%02x}`, b)
			empty = false
		}
	}
	if empty {
		out.WriteString(`^\x{00}-\x{10FFFF}`)
	}
	out.WriteByte(']')
	return end, true
}

// members reads a set from i to behind its closing bracket. A bracket that comes first is a member.
func members(glob string, i int) (set [256]bool, end int, ok bool) {
	from := -1 // where a range may begin
	for first := true; ; first = false {
		if i >= len(glob) {
			return set, 0, false
		}
		c := glob[i]
		switch {
		case c == ']' && !first:
			return set, i + 1, true
		case c == '-' && from >= 0 && i+1 < len(glob) && glob[i+1] != ']':
			i++
			if glob[i] == '\\' {
				i++
			}
			if i >= len(glob) {
				return set, 0, false
			}
			for b := from; b <= int(glob[i]); b++ {
				set[b] = true
			}
			from = -1
		case c == '[' && i+1 < len(glob) && glob[i+1] == ':':
			next, named, known := characters(&set, glob, i+2)
			if !known {
				return set, 0, false
			}
			i, from = next, -1
			if !named {
				from = '['
			}
		case c == '\\':
			if i++; i >= len(glob) {
				return set, 0, false
			}
			c = glob[i]
			fallthrough
		default:
			set[c], from = true, int(c)
		}
		i++
	}
}

// characters adds what a name like [:alpha:] means, whose name begins at i, and returns the place of its last character. What does
// not end as such a name is a bracket and characters.
func characters(set *[256]bool, glob string, i int) (last int, named, ok bool) {
	length := strings.IndexByte(glob[i:], ']')
	if length < 0 {
		return 0, false, false
	}
	name, is := strings.CutSuffix(glob[i:i+length], ":")
	if !is {
		set['['] = true
		return i - 2, false, true
	}
	expression, err := regexp.Compile(`^[[:` + name + `:]]$`)
	if err != nil || name == "word" || name == "ascii" || strings.HasPrefix(name, "^") {
		return 0, false, false
	}
	for b := range 128 {
		if expression.MatchString(string(rune(b))) {
			set[b] = true
		}
	}
	return i + length, true, true
}
