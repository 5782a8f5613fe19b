package grafana

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

type datasourceFile struct {
	APIVersion        int              `yaml:"apiVersion"`
	Prune             bool             `yaml:"prune"`
	DeleteDatasources []deletedSource  `yaml:"deleteDatasources"`
	Datasources       []datasourceSpec `yaml:"datasources"`
}

type deletedSource struct {
	Name  string `yaml:"name"`
	OrgID int64  `yaml:"orgId"`
}

type datasourceSpec struct {
	OrgID          int64             `yaml:"orgId"`
	Version        int64             `yaml:"version"`
	Name           string            `yaml:"name"`
	UID            string            `yaml:"uid"`
	Type           string            `yaml:"type"`
	Access         string            `yaml:"access"`
	URL            string            `yaml:"url"`
	IsDefault      bool              `yaml:"isDefault"`
	Editable       bool              `yaml:"editable"`
	JSONData       map[string]any    `yaml:"jsonData"`
	SecureJSONData map[string]string `yaml:"secureJsonData"`
}

type providerFile struct {
	APIVersion int             `yaml:"apiVersion"`
	Providers  []dashboardSpec `yaml:"providers"`
}

type dashboardSpec struct {
	Name                  string `yaml:"name"`
	OrgID                 int64  `yaml:"orgId"`
	Folder                string `yaml:"folder"`
	FolderUID             string `yaml:"folderUid"`
	Type                  string `yaml:"type"`
	DisableDeletion       bool   `yaml:"disableDeletion"`
	AllowUIUpdates        bool   `yaml:"allowUiUpdates"`
	UpdateIntervalSeconds int64  `yaml:"updateIntervalSeconds"`
	Options               struct {
		Path string `yaml:"path"`
	} `yaml:"options"`
}

// uidPattern is Grafana's rule for uids of data sources and dashboards.
var uidPattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`)

// readDatasources reads provisioning/datasources and checks it as a whole.
func readDatasources(dir string) ([]datasourceFile, error) {
	files, err := readProvisioning[datasourceFile](filepath.Join(dir, "datasources"))
	if err != nil {
		return nil, err
	}
	names, uids, defaults := map[string]bool{}, map[string]bool{}, 0
	for _, file := range files {
		if file.APIVersion != 1 {
			return nil, fmt.Errorf("datasources: apiVersion %d, want 1", file.APIVersion)
		}
		for _, spec := range file.Datasources {
			if err := spec.check(); err != nil {
				return nil, fmt.Errorf("data source %q: %w", spec.Name, err)
			}
			if names[spec.Name] || uids[spec.UID] {
				return nil, fmt.Errorf("data source %q: name or uid %q is provisioned twice", spec.Name, spec.UID)
			}
			names[spec.Name], uids[spec.UID] = true, true
			if spec.IsDefault {
				defaults++
			}
		}
	}
	if defaults > 1 {
		return nil, errors.New("datasource.yaml config is invalid. Only one datasource per organization can be marked as default")
	}
	return files, nil
}

func (s datasourceSpec) check() error {
	kind, known := kinds[s.Type]
	switch {
	case s.Name == "":
		return errors.New("name is missing")
	case !uidPattern.MatchString(s.UID):
		return fmt.Errorf("uid %q does not match %s", s.UID, uidPattern)
	case !known:
		return fmt.Errorf("type %q is unknown to the Grafana double", s.Type)
	case s.Access != "" && s.Access != "proxy":
		return fmt.Errorf("access %q, want proxy", s.Access)
	case s.OrgID > 1:
		return fmt.Errorf("orgId %d does not exist", s.OrgID)
	}
	if _, err := s.datasource(false).base(); err != nil {
		return err
	}
	_, err := kind.decodeJSONData(s.JSONData)
	return err
}

func (s datasourceSpec) datasource(prune bool) datasource {
	secure := make(map[string]bool, len(s.SecureJSONData))
	for name := range s.SecureJSONData {
		secure[name] = true
	}
	jsonData := s.JSONData
	if jsonData == nil {
		jsonData = map[string]any{}
	}
	return datasource{
		UID: s.UID, OrgID: 1, Name: s.Name, Type: s.Type, TypeName: kinds[s.Type].title, Access: "proxy", URL: s.URL,
		IsDefault: s.IsDefault, JSONData: jsonData, SecureJSONFields: secure, ReadOnly: !s.Editable, Prune: prune,
	}
}

// readProviders reads provisioning/dashboards.
func readProviders(dir string) ([]dashboardSpec, error) {
	files, err := readProvisioning[providerFile](filepath.Join(dir, "dashboards"))
	if err != nil {
		return nil, err
	}
	var specs []dashboardSpec
	names := map[string]bool{}
	for _, file := range files {
		if file.APIVersion != 1 {
			return nil, fmt.Errorf("dashboards: apiVersion %d, want 1", file.APIVersion)
		}
		for _, spec := range file.Providers {
			switch {
			case spec.Name == "" || names[spec.Name]:
				return nil, fmt.Errorf("dashboard provider %q: name is missing or used twice", spec.Name)
			case spec.Type != "file":
				return nil, fmt.Errorf("dashboard provider %q: type %q, want file", spec.Name, spec.Type)
			case spec.Options.Path == "":
				return nil, fmt.Errorf("dashboard provider %q: options.path is missing", spec.Name)
			case spec.FolderUID != "" && !uidPattern.MatchString(spec.FolderUID):
				return nil, fmt.Errorf("dashboard provider %q: folderUid %q does not match %s", spec.Name, spec.FolderUID, uidPattern)
			}
			names[spec.Name] = true
			specs = append(specs, spec)
		}
	}
	return specs, nil
}

// readProvisioning decodes every file of a directory in the order of their names. A
// missing directory has no files, as in Grafana.
func readProvisioning[T any](dir string) ([]T, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read provisioning directory: %w", err)
	}
	var out []T
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if ext := filepath.Ext(path); entry.IsDir() || (ext != ".yaml" && ext != ".yml") {
			return nil, fmt.Errorf("%s would be ignored by Grafana: not a .yaml file", path)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read provisioning file: %w", err)
		}
		var decoded T
		if err := decodeExpanded(raw, &decoded); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, decoded)
	}
	return out, nil
}

// decodeExpanded expands variables in values before it decodes, as Grafana does; keys and
// comments stay as they are.
func decodeExpanded(raw []byte, out any) error {
	var document yaml.Node
	if err := strict.DecodeYAML(raw, &document); err != nil {
		return err
	}
	if err := expandNode(&document); err != nil {
		return err
	}
	expanded, err := yaml.Marshal(&document)
	if err != nil {
		return fmt.Errorf("encode expanded values: %w", err)
	}
	return strict.DecodeYAML(expanded, out)
}

func expandNode(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "$") {
		value, err := expand(node.Value)
		if err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
		node.Value = value
		if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
			node.Tag = ""
		}
		return nil
	}
	for i, child := range node.Content {
		if isKey := node.Kind == yaml.MappingNode && i%2 == 0; isKey {
			continue
		}
		if err := expandNode(child); err != nil {
			return err
		}
	}
	return nil
}

// expand replaces $NAME, ${NAME} and $__file{path}; "$$" is a literal "$":
//
//	$${__value.raw}          → ${__value.raw}
//	$__file{/run/secrets/x}  → the file's content without surrounding space
//
// A variable that is not set is an error: Grafana would silently make it empty, which is
// how a forgotten "$$" shows.
func expand(value string) (string, error) {
	parts := strings.Split(value, "$$")
	var errs []error
	for i, part := range parts {
		part, err := expandFiles(part)
		errs = append(errs, err)
		parts[i] = os.Expand(part, func(name string) string {
			text, set := os.LookupEnv(name)
			if !set {
				errs = append(errs, fmt.Errorf("variable %q in %q is not set (write $$ for a literal $)", name, value))
			}
			return text
		})
	}
	return strings.Join(parts, "$"), errors.Join(errs...)
}

var fileReference = regexp.MustCompile(`\$__file\{([^}]+)\}`)

func expandFiles(value string) (string, error) {
	var errs []error
	out := fileReference.ReplaceAllStringFunc(value, func(reference string) string {
		content, err := os.ReadFile(fileReference.FindStringSubmatch(reference)[1])
		errs = append(errs, err)
		return strings.TrimSpace(string(content))
	})
	return out, errors.Join(errs...)
}
