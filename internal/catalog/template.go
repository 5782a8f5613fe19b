package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"text/template"
)

// TemplateInput is what the configuration of an ingest's Collector is made from: a template of the user's, or a default.
type TemplateInput struct {
	// TemplatePath is a file where Terraform runs, and Template the template itself; at most one of them is set.
	TemplatePath *string `json:"template_path"`
	Template     *string `json:"template"`
	// Config is the rendered configuration. Terraform renders it when it plans, so that what was reviewed is what runs; a start
	// from any other client may leave it out.
	Config *string `json:"config"`
	// TemplateText is the content of the file at TemplatePath. It stays where Terraform runs.
	TemplateText *string `json:"-"`
}

// attribute is the input attribute that the configuration comes from.
func (t TemplateInput) attribute() string {
	switch {
	case t.TemplatePath != nil:
		return "template_path"
	case t.Template != nil || t.Config == nil:
		return "template"
	default:
		return "config"
	}
}

// render is the configuration: the one that was rendered before, or the template with data filled in. def is the embedded
// file that is the template when there is no other.
func (t TemplateInput) render(def string, data any) (string, *Problem) {
	if t.Config != nil {
		return *t.Config, nil
	}
	text := t.Template
	switch {
	case t.TemplatePath != nil && t.Template != nil:
		return "", &Problem{"template", "template and template_path exclude each other"}
	case t.TemplatePath != nil && t.TemplateText == nil:
		return "", &Problem{"template_path", "the file is read where Terraform runs; a start by another client gives template or config instead"}
	case t.TemplatePath != nil:
		text = t.TemplateText
	case t.Template == nil:
		text = new(embedded(def))
	}
	out, err := fill(*text, data)
	if err != nil {
		return "", &Problem{t.attribute(), explain(err, data)}
	}
	return out, nil
}

// fill executes a template. It knows one function besides Go's own, quote.
func fill(text string, data any) (string, error) {
	parsed, err := template.New("template").Option("missingkey=error").Funcs(template.FuncMap{"quote": quote}).Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = parsed.Execute(&b, data)
	return b.String(), err
}

// quote writes a string, or the strings of a list separated by commas, as the Collector reads it back: as YAML, and with
// each "$", which would be an environment variable to it, doubled.
func quote(v any) (string, error) {
	switch v := v.(type) {
	case string:
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(strings.ReplaceAll(v, "$", "$$"))
		return strings.TrimSuffix(b.String(), "\n"), err
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			var err error
			if quoted[i], err = quote(s); err != nil {
				return "", err
			}
		}
		return strings.Join(quoted, ", "), nil
	default:
		return "", fmt.Errorf("quote takes a string or a list of strings, not %T", v)
	}
}

var templateError = regexp.MustCompile(`^template: template:(\d+)(?::\d+)?: (?s:(.*))$`)

// explain makes an error of a template one with a line number, and names the fields when one is not known.
func explain(err error, data any) string {
	text := err.Error()
	if found := templateError.FindStringSubmatch(text); found != nil {
		text = "line " + found[1] + ": " + strings.TrimPrefix(found[2], `executing "template" at `)
	}
	if before, _, unknown := strings.Cut(text, " in type "); unknown && strings.Contains(before, "can't evaluate field") {
		text = before + "; the fields are " + strings.Join(fieldsOf(data), ", ")
	}
	return text
}

func fieldsOf(data any) []string {
	var names []string
	for f := range reflect.TypeOf(data).Fields() {
		names = append(names, "."+f.Name)
	}
	return names
}
