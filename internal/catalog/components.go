package catalog

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

//go:embed files
var files embed.FS

// file is an embedded file as it goes into a container, readable by everybody there: it holds no secret.
func file(name, path string, data any) contract.File {
	content := embedded(name)
	if data != nil {
		var b strings.Builder
		if err := template.Must(template.New(name).Option("missingkey=error").Parse(content)).Execute(&b, data); err != nil {
			panic("catalog: " + err.Error())
		}
		content = b.String()
	}
	return contract.File{Path: path, Content: content, Mode: 0o444}
}

// embedded is the content of an embedded file.
func embedded(name string) string {
	content, err := files.ReadFile("files/" + name)
	if err != nil {
		panic("catalog: " + err.Error()) // embedded at build time: a wrong name is a defect that every test meets
	}
	return string(content)
}

// ParseRetention reads a duration in the form that Loki takes: Go's units, and d for days and w for weeks.
func ParseRetention(text string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			n, err := strconv.ParseInt(number, 10, 32)
			if err != nil || n < 0 {
				return 0, fmt.Errorf("%q is not a duration such as 168h or 30d", text)
			}
			return time.Duration(n) * unit, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 168h or 30d", text)
	}
	return d, nil
}

// checkRetention finds a retention that cannot be read or is shorter than the component can do.
func checkRetention(attribute, text string, least time.Duration) []Problem {
	d, err := ParseRetention(text)
	switch {
	case err != nil:
		return []Problem{{attribute, err.Error()}}
	case d < least:
		return []Problem{{attribute, fmt.Sprintf("%s is less than %s, which is the least that works here", text, least)}}
	}
	return nil
}
