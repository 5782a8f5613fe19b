package collector

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// fileLog is a file_log receiver: for plain files without operators, for Docker's json-file logs with those that orch
// writes. Other operators are errors.
type fileLog struct {
	Include         []string `yaml:"include"`
	Exclude         []string `yaml:"exclude"`
	IncludeFilePath bool     `yaml:"include_file_path"`
	StartAt         string   `yaml:"start_at"`
	Storage         string   `yaml:"storage"`
	RetryOnFailure  struct {
		Enabled        bool          `yaml:"enabled"`
		MaxElapsedTime time.Duration `yaml:"max_elapsed_time"`
	} `yaml:"retry_on_failure"`
	Resource  map[string]string `yaml:"resource"`
	Operators []operator        `yaml:"operators"`
}

type operator struct {
	Type                    string `yaml:"type"`
	Format                  string `yaml:"format"`
	AddMetadataFromFilepath *bool  `yaml:"add_metadata_from_filepath"`
	ParseFrom               string `yaml:"parse_from"`
	Regex                   string `yaml:"regex"`
	CombineField            string `yaml:"combine_field"`
	CombineWith             string `yaml:"combine_with"`
	IsLastEntry             string `yaml:"is_last_entry"`
	MaxLogSize              string `yaml:"max_log_size"`
	Field                   string `yaml:"field"`
	ReplaceWith             string `yaml:"replace_with"`
	From                    string `yaml:"from"`
	To                      string `yaml:"to"`
}

// Tail is one file_log receiver of the logs pipelines.
type Tail struct {
	Name             string
	Include, Exclude []*regexp.Regexp
	// Globs are Include as written.
	Globs []string
	// FromEnd skips what is there when the receiver first sees a file at its start.
	FromEnd bool
	// Storage is the directory that keeps how far files were read; empty keeps it in memory.
	Storage  string
	Path     bool
	Resource map[string]string
	// Docker says that lines are those of Docker's json-file driver.
	Docker bool
}

var dockerOperators = []operator{
	{Type: "container", Format: "docker", AddMetadataFromFilepath: new(bool)},
	{Type: "recombine", CombineField: "body", IsLastEntry: `body endsWith "\n"`, MaxLogSize: "250KiB"},
	{Type: "regex_replace", Field: "body", Regex: `\n\z`},
	{Type: "regex_parser", ParseFrom: `attributes["log.file.path"]`, Regex: "/(?P<cid>[0-9a-f]{64})-json"},
	{Type: "move", From: "attributes.cid", To: `resource["container.id"]`},
}

func (o operator) equal(other operator) bool {
	flag := o.AddMetadataFromFilepath != nil && !*o.AddMetadataFromFilepath
	otherFlag := other.AddMetadataFromFilepath != nil && !*other.AddMetadataFromFilepath
	o.AddMetadataFromFilepath, other.AddMetadataFromFilepath = nil, nil
	return o == other && flag == otherFlag
}

func (p *parser) fileLog(name string, node yaml.Node) (Tail, error) {
	var in fileLog
	if err := decode("receivers", name, node, &in); err != nil {
		return Tail{}, err
	}
	fail := func(format string, args ...any) (Tail, error) {
		return Tail{}, fmt.Errorf("receivers::%s: "+format, append([]any{name}, args...)...)
	}
	t := Tail{Name: name, Globs: in.Include, FromEnd: in.StartAt != "beginning", Path: in.IncludeFilePath, Resource: in.Resource}
	if len(in.Include) == 0 {
		return fail("required argument `include` is empty")
	}
	if in.StartAt != "" && in.StartAt != "beginning" && in.StartAt != "end" {
		return fail("invalid start_at location '%s'", in.StartAt)
	}
	for _, set := range []struct {
		globs []string
		into  *[]*regexp.Regexp
	}{{in.Include, &t.Include}, {in.Exclude, &t.Exclude}} {
		for _, glob := range set.globs {
			if !filepath.IsAbs(glob) {
				return fail("%q is no absolute path, and the double has no working directory", glob)
			}
			*set.into = append(*set.into, globPattern(glob))
		}
	}
	if in.Storage != "" {
		if t.Storage = p.storages[in.Storage]; t.Storage == "" {
			return fail("storage %q is not a configured extension", in.Storage)
		}
	}
	switch {
	case len(in.Operators) == 0:
	case slices.EqualFunc(in.Operators, dockerOperators, operator.equal):
		if !in.IncludeFilePath {
			return fail("attributes[\"log.file.path\"] needs include_file_path")
		}
		t.Docker = true
	default:
		return fail("operators %+v: the double knows those for Docker's logs only", in.Operators)
	}
	return t, nil
}

// globPattern translates *, ** and ? as the Collector understands them.
func globPattern(glob string) *regexp.Regexp {
	replaced := strings.NewReplacer(`/\*\*/`, "/(?:.*/)?", `\*\*`, ".*", `\*`, "[^/]*", `\?`, "[^/]").Replace(regexp.QuoteMeta(glob))
	return regexp.MustCompile("^" + replaced + "$")
}

// matches lists the files that the receiver reads now.
func (t Tail) matches() ([]string, error) {
	found := map[string]bool{}
	for i, glob := range t.Globs {
		// filepath.Glob takes ** for *; what lies deeper is walked to by the pattern's own levels.
		for _, level := range levels(glob) {
			names, err := filepath.Glob(level)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				excluded := slices.ContainsFunc(t.Exclude, func(r *regexp.Regexp) bool { return r.MatchString(name) })
				if t.Include[i].MatchString(name) && !excluded {
					found[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// deepest is how many folders ** stands for at most.
const deepest = 4

// levels are the globs that a glob with ** stands for, by depth.
func levels(glob string) []string {
	if !strings.Contains(glob, "/**/") {
		return []string{glob}
	}
	var all []string
	for depth := range deepest + 1 {
		all = append(all, strings.Replace(glob, "/**/", "/"+strings.Repeat("*/", depth), 1))
	}
	return all
}
