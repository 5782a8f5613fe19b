package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/datasources"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/resources"
	"github.com/temporal-orchestrator/terraform-provider-orch/workflows"
)

const modulePath = "github.com/temporal-orchestrator/terraform-provider-orch"

// workerModule is the second module of the repository; see docs/design.md.
const workerModule = "worker/cmd/orch-worker"

// exampleModule shows users a worker of their own; they copy it, so it keeps the house rules too.
const exampleModule = "examples/custom-worker"

type layer struct {
	name      string
	mayImport []string
	why       string
}

// layers lists every room of the house and the rooms it has a door to. Imports run one way, from the Terraform side or the
// worker side down to contract. A room whose name ends in /* stands for its subdirectories.
var layers = []layer{
	{".", []string{"provider"}, "the provider binary serves, nothing else"},
	{"provider", []string{"resources", "datasources", "internal/catalog", "internal/runner", "internal/contract"}, "configuration ends in one runner.Client"},
	{"resources", []string{"internal/terraform", "internal/catalog", "internal/runner", "internal/buildcontext", "internal/sourcetree", "internal/contract"}, "resources start workflows by name: linking them would link Docker into the provider"},
	{"datasources", []string{"internal/terraform", "internal/catalog", "internal/runner", "internal/contract"}, "data sources ask workflows, as resources do"},
	{"workflows", []string{"internal/catalog", "internal/contract"}, "deterministic code reaches the world through activity names only"},
	{"activities", []string{"internal/engine", "internal/ingest", "internal/cloud", "internal/cloud/*", "internal/sourcetree", "internal/secret", "internal/buildcontext", "internal/contract"}, "side effects know nothing of the order in which they run"},
	{"worker", []string{"workflows", "activities", "internal/runner", "internal/secret", "internal/engine", "internal/cloud", "internal/cloud/*", "internal/contract"}, "the worker puts the activities' dependencies together and serves users' own binaries too"},
	{workerModule, []string{"worker", "workflows", "activities", "internal/catalog", "internal/runner", "internal/secret", "internal/engine", "internal/contract"}, "a binary may wire everything on the worker's side, and nothing of Terraform's"},
	{"internal/terraform", nil, "conversions of values know no kind of service"},
	{"internal/catalog", []string{"internal/contract"}, "components are data"},
	{"internal/runner", []string{"internal/secret", "internal/contract"}, "the only client of Temporal on the provider's side"},
	{"internal/secret", []string{"internal/contract"}, "encryption serves both sides"},
	{"internal/buildcontext", []string{"internal/contract"}, "provider and worker come to the same digest of a folder"},
	{"internal/engine", []string{"internal/contract"}, "activities translate between Temporal and Docker"},
	{"internal/ingest", []string{"internal/contract"}, "following and shipping logs knows neither Temporal nor Docker"},
	{"internal/cloud", []string{"internal/contract"}, "what all clients of platforms share: retries, errors, rates"},
	{"internal/cloud/*", []string{"internal/cloud", "internal/sourcetree", "internal/contract"}, "one client per platform, each on its own; GitHub's pushes trees"},
	{"internal/sourcetree", []string{"internal/contract"}, "the plan hashes what the worker pushes, so both sides read folders alike"},
	{"internal/contract", nil, "both binaries and any SDK language rely on it"},
	{"test", []string{"*"}, "tests and benchmarks look at everything"},
}

// fences keep third-party code in the rooms that own it. Test files are held to them as well.
var fences = []struct {
	packages []string
	only     []string
	why      string
}{
	{
		[]string{"github.com/hashicorp/terraform-plugin"},
		[]string{".", "provider", "resources", "datasources", "internal/terraform", "test"},
		"Terraform stays out of worker, workflows and runner, so that they serve any client",
	},
	{
		[]string{"github.com/hashicorp/terraform-plugin-sdk"},
		nil,
		"the provider is built on terraform-plugin-framework",
	},
	{
		[]string{"github.com/docker/", "github.com/moby/buildkit", "github.com/moby/moby", "github.com/containerd/", "github.com/opencontainers/"},
		[]string{"internal/engine", "test"},
		"only engine talks to the Docker Engine",
	},
	{
		// It is no Docker client: it reads .dockerignore as Docker does.
		[]string{"github.com/moby/patternmatcher"},
		[]string{"internal/buildcontext", "test"},
		"one room decides what belongs to a build context",
	},
	{
		[]string{"go.temporal.io/server", "github.com/temporalio/ui-server"},
		[]string{workerModule, "test"},
		"the embedded server stays out of the provider's module graph",
	},
}

// impure are packages of the standard library that would break the replay of a workflow. workflowcheck finds calls; this
// finds the import before somebody hides a call from it.
var impure = []string{"crypto/rand", "io/ioutil", "math/rand", "math/rand/v2", "net", "net/http", "os", "os/exec", "os/signal"}

// closures say what must not be linked into a binary or library, by whatever way.
var closures = []struct {
	dir, packages string
	never         []string
	why           string
}{
	{
		".", ".",
		[]string{"github.com/docker/", "go.temporal.io/server", modulePath + "/activities", modulePath + "/workflows", modulePath + "/worker"},
		"the provider stays small and needs no Docker",
	},
	{
		".", "./worker/... ./workflows/... ./activities/...",
		[]string{"github.com/hashicorp/terraform-plugin", "go.temporal.io/server", modulePath + "/provider", modulePath + "/resources"},
		"users build their own workers from these packages",
	},
	{
		workerModule, "./...",
		[]string{"github.com/hashicorp/terraform-plugin", modulePath + "/provider", modulePath + "/resources"},
		"the worker binary holds no Terraform",
	},
}

type goPackage struct {
	ImportPath, Name, Dir, Doc         string
	Imports, TestImports, XTestImports []string
	GoFiles                            []string
}

// layerOf returns the layer that an import path belongs to: the one with the longest matching name. ok is false for
// somebody else's package; the name is empty for one of ours that is in no layer.
func layerOf(importPath string) (name string, ok bool) {
	if importPath == modulePath {
		return ".", true
	}
	rel, ok := strings.CutPrefix(importPath, modulePath+"/")
	if !ok {
		return "", false
	}
	for _, l := range layers {
		prefix := strings.TrimSuffix(l.name, "*")
		in := rel == l.name || strings.HasPrefix(rel, strings.TrimSuffix(prefix, "/")+"/")
		if in && len(l.name) > len(name) {
			name = l.name
		}
	}
	return name, true
}

// violations returns one line per import that a rule above forbids.
func violations(packages []goPackage) []string {
	var found []string
	for _, p := range packages {
		from, _ := layerOf(p.ImportPath)
		if from == "" {
			found = append(found, p.ImportPath+" is in no layer: add it to the table in architecture_test.go")
			continue
		}
		for _, imported := range p.Imports {
			if why, ok := forbiddenEdge(from, p.ImportPath, imported); ok {
				found = append(found, fmt.Sprintf("%s imports %s: %s", p.ImportPath, imported, why))
			}
		}
		all := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
		slices.Sort(all)
		for _, imported := range slices.Compact(all) {
			if why, ok := fencedOff(from, imported); ok {
				found = append(found, fmt.Sprintf("%s imports %s: %s", p.ImportPath, imported, why))
			}
		}
	}
	return found
}

func forbiddenEdge(from, fromPath, imported string) (why string, forbidden bool) {
	if from == "workflows" && slices.Contains(impure, imported) {
		return "workflows are deterministic: what a replay would see differently belongs in an activity", true
	}
	to, ours := layerOf(imported)
	if !ours {
		standard := !strings.Contains(strings.Split(imported, "/")[0], ".")
		return "contract holds to the standard library", from == "internal/contract" && !standard
	}
	if to == from && (!strings.HasSuffix(from, "/*") || imported == fromPath) {
		return "", false
	}
	i := slices.IndexFunc(layers, func(l layer) bool { return l.name == from })
	if slices.Contains(layers[i].mayImport, to) || slices.Contains(layers[i].mayImport, "*") {
		return "", false
	}
	return layers[i].why, true
}

func fencedOff(from, imported string) (why string, forbidden bool) {
	for _, f := range fences {
		inside := slices.ContainsFunc(f.packages, func(prefix string) bool { return strings.HasPrefix(imported, prefix) })
		if inside && !slices.Contains(f.only, from) {
			return f.why, true
		}
	}
	return "", false
}

func TestImportsRunOneWay(t *testing.T) {
	root := listPackages(t, ".")
	worker := listPackages(t, workerModule)
	require.NotEmpty(t, worker, "go list found no package of the worker module")

	// Without these the test would have looked at the wrong tree and found nothing.
	for _, name := range []string{"", "/provider", "/resources", "/workflows", "/activities", "/worker", "/internal/contract", "/internal/engine"} {
		require.True(t, slices.ContainsFunc(root, func(p goPackage) bool { return p.ImportPath == modulePath+name }),
			"go list did not find package %q", modulePath+name)
	}
	for _, v := range violations(slices.Concat(root, worker)) {
		t.Error(v)
	}
}

// A check that cannot fail is a defect: each rule gets an import that breaks it.
func TestImportCheckFindsEachViolation(t *testing.T) {
	cases := []struct{ from, imports string }{
		{"resources", modulePath + "/activities"},
		{"workflows", modulePath + "/activities"},
		{"activities", modulePath + "/workflows"},
		{"activities", modulePath + "/provider"},
		{"activities", modulePath + "/internal/catalog"},
		{"worker", modulePath + "/provider"},
		{"worker", "github.com/hashicorp/terraform-plugin-framework/types"},
		{workerModule, "github.com/hashicorp/terraform-plugin-log/tflog"},
		{workerModule + "/internal/doctor", modulePath + "/resources"},
		{"internal/runner", "github.com/hashicorp/terraform-plugin-log/tflog"},
		{"provider", "github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"},
		{"activities", "github.com/docker/docker/client"},
		{"activities", "github.com/containerd/errdefs"},
		{"provider", "github.com/docker/docker/api/types"},
		{"resources", "github.com/moby/buildkit/session"},
		{"activities", "github.com/moby/patternmatcher"},
		{"internal/contract", "github.com/google/uuid"},
		{"internal/contract", modulePath + "/internal/catalog"},
		{"internal/engine", modulePath + "/internal/secret"},
		{"internal/cloud/flyio", modulePath + "/internal/cloud/github"},
		{"internal/cloud/flyio", modulePath + "/internal/catalog"},
		{"workflows", "net/http"},
		{"worker", "go.temporal.io/server/temporal"},
		{"provider", modulePath + "/test/doubles"},
	}
	for _, c := range cases {
		t.Run(c.from+" imports "+path.Base(c.imports), func(t *testing.T) {
			broken := []goPackage{{ImportPath: modulePath + "/" + c.from, Imports: []string{"fmt", c.imports}}}
			found := violations(broken)
			require.Len(t, found, 1)
			require.Contains(t, found[0], c.imports)
		})
	}
	t.Run("a package in no layer", func(t *testing.T) {
		require.Len(t, violations([]goPackage{{ImportPath: modulePath + "/utils"}}), 1)
	})
	t.Run("a test file over a fence", func(t *testing.T) {
		found := violations([]goPackage{{ImportPath: modulePath + "/activities", XTestImports: []string{"github.com/docker/docker/client"}}})
		require.Len(t, found, 1)
	})
	t.Run("what is allowed", func(t *testing.T) {
		require.Empty(t, violations([]goPackage{
			{ImportPath: modulePath, Imports: []string{modulePath + "/provider", "github.com/hashicorp/terraform-plugin-framework/providerserver"}},
			{ImportPath: modulePath + "/workflows", Imports: []string{"go.temporal.io/sdk/workflow", modulePath + "/internal/contract"}},
			{ImportPath: modulePath + "/internal/engine", Imports: []string{"github.com/docker/docker/client"}},
			{ImportPath: modulePath + "/activities", Imports: []string{modulePath + "/internal/cloud/flyio"}},
		}))
	})
}

func TestBinariesLinkOnlyTheirSide(t *testing.T) {
	for _, c := range closures {
		t.Run(c.dir+" "+c.packages, func(t *testing.T) {
			args := append([]string{"list", "-deps"}, strings.Fields(c.packages)...)
			deps := strings.Fields(string(goCommand(t, c.dir, args...)))
			require.True(t, slices.Contains(deps, modulePath+"/internal/contract"), "go list -deps cannot have seen everything: contract is missing")
			for _, dep := range deps {
				for _, never := range c.never {
					if dep == never || strings.HasPrefix(dep, strings.TrimSuffix(never, "/")+"/") || strings.HasPrefix(dep, never+"-") {
						t.Errorf("%s is linked in: %s; find the way with: go -C %s list -deps -f '{{.ImportPath}}: {{.Imports}}' %s", dep, c.why, c.dir, c.packages)
					}
				}
			}
		})
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	for _, p := range slices.Concat(listPackages(t, "."), listPackages(t, workerModule)) {
		if len(p.GoFiles) == 0 {
			continue
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		if p.Name != "main" && !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go: purpose, what it may import, where to add things", p.ImportPath)
		}
	}
}

const maxFileLines, maxFunctionLines = 400, 60

// schemaFile matches the files that may be longer: a schema is one literal, and splitting it hides what belongs together.
var schemaFile = regexp.MustCompile(`^(provider|resources|datasources)/([a-z_]+_)?schema\.go$`)

// oversized returns one line per non-test Go file, and per function in it, that is longer than the house rule. Generated
// files do not count, and neither do schema literals.
func oversized(fsys fs.FS) ([]string, error) {
	var found []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipForeign(fsys, name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || schemaFile.MatchString(name) {
			return nil
		}
		source, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, name, source, parser.ParseComments)
		if err != nil {
			return err
		}
		if ast.IsGenerated(parsed) {
			return nil
		}
		if lines := bytes.Count(source, []byte("\n")); lines > maxFileLines {
			found = append(found, fmt.Sprintf("%s has %d lines, more than %d: split it by what it is about", name, lines, maxFileLines))
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || strings.Contains(strings.ToLower(f.Name.Name), "schema") {
				continue
			}
			if lines := files.Position(f.End()).Line - files.Position(f.Pos()).Line - 1; lines > maxFunctionLines {
				found = append(found, fmt.Sprintf("%s: %s has %d lines, more than %d", name, f.Name.Name, lines, maxFunctionLines))
			}
		}
		return nil
	})
	return found, err
}

// skipForeign leaves out hidden directories and modules that only pin somebody else's program.
func skipForeign(fsys fs.FS, dir string) error {
	base := path.Base(dir)
	if dir != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "bin") {
		return fs.SkipDir
	}
	if dir == "." || dir == workerModule || dir == exampleModule {
		return nil
	}
	if _, err := fs.Stat(fsys, path.Join(dir, "go.mod")); !errors.Is(err, fs.ErrNotExist) {
		return fs.SkipDir
	}
	return nil
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	found, err := oversized(os.DirFS("."))
	require.NoError(t, err)
	for _, f := range found {
		t.Error(f)
	}
}

func TestSizeCheckFindsWhatIsTooLong(t *testing.T) {
	long := []byte("package p\n" + strings.Repeat("// Line.\n", maxFileLines))
	body := "package p\n\nfunc %s() {\n" + strings.Repeat("\tprintln()\n", maxFunctionLines+1) + "}\n"
	found, err := oversized(fstest.MapFS{
		"workflows/long.go":        {Data: long},
		"workflows/long_test.go":   {Data: long},
		"workflows/generated.go":   {Data: append([]byte("// Code generated by x. DO NOT EDIT.\n"), long...)},
		"resources/logs_schema.go": {Data: long},
		"activities/fn.go":         {Data: fmt.Appendf(nil, body, "provision")},
		"resources/logs.go":        {Data: fmt.Appendf(nil, body, "logsSchema")},
		"test/images/x/go.mod":     {Data: []byte("module x\n")},
		"test/images/x/long.go":    {Data: long},
	})
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Contains(t, found[0], "activities/fn.go: provision has 61 lines")
	require.Contains(t, found[1], "workflows/long.go has 401 lines")
}

// What is shipped for a pipeline besides its row in the catalog. A new one that lacks a part fails here, by name.
func TestEveryKindIsComplete(t *testing.T) {
	types := resourceTypes(t.Context())
	require.NotEmpty(t, types)
	for _, v := range missingParts(contract.Kinds(), types, workflows.Types()) {
		t.Error(v)
	}
	for _, v := range missingPages(os.DirFS("."), "resources", "resource.tf", types) {
		t.Error(v)
	}
	for _, name := range types {
		// Terraform shows this file under "Import".
		require.FileExists(t, path.Join("examples", "resources", name, "import.sh"))
	}
	for _, v := range missingPages(os.DirFS("."), "data-sources", "data-source.tf", dataSourceTypes(t.Context())) {
		t.Error(v)
	}
}

// missingParts returns one line for each kind that has no resource, no workflows, or no row of its family in the catalog, and
// for each row of the catalog whose kind is in no list.
func missingParts(kinds []contract.Kind, resourceTypes []string, workflowTypes map[string]bool) []string {
	rows := map[contract.Kind]contract.Family{contract.StdoutIngest: contract.Tails}
	for _, entry := range catalog.All() {
		rows[entry.Kind] = contract.Stacks
	}
	for _, entry := range catalog.Deployments() {
		rows[entry.Kind] = contract.Deployments
	}
	var found []string
	for _, kind := range kinds {
		if name := "orch_" + kind.Name; !slices.Contains(resourceTypes, name) {
			found = append(found, "resources/all.go has no "+name)
		}
		if rows[kind] != kind.Family {
			found = append(found, fmt.Sprintf("the catalog has no %s %s", kind.Family, kind.Name))
		}
		delete(rows, kind)
		for _, name := range []string{kind.SetupWorkflow(), kind.CleanupWorkflow(), kind.StatusWorkflow()} {
			if !workflowTypes[name] {
				found = append(found, "workflows/register.go has no "+name)
			}
		}
	}
	for kind := range rows {
		found = append(found, "contract.Kinds has no "+kind.Name)
	}
	slices.Sort(found)
	return found
}

// missingPages returns one line for each type without an example or a documentation page, and for each example and page
// whose type is gone.
func missingPages(fsys fs.FS, folder, example string, types []string) []string {
	var found []string
	for _, name := range types {
		for _, file := range []string{path.Join("examples", folder, name, example), pageOf(folder, name)} {
			if _, err := fs.Stat(fsys, file); err != nil {
				found = append(found, fmt.Sprintf("%s has no %s", name, file))
			}
		}
	}
	examples, _ := fs.Glob(fsys, path.Join("examples", folder, "*"))
	for _, dir := range examples {
		if !slices.Contains(types, path.Base(dir)) {
			found = append(found, dir+" is an example of nothing that the provider has")
		}
	}
	pages, _ := fs.Glob(fsys, path.Join("docs", folder, "*.md"))
	for _, page := range pages {
		if !slices.ContainsFunc(types, func(name string) bool { return pageOf(folder, name) == page }) {
			found = append(found, page+" documents nothing that the provider has; run: make docs")
		}
	}
	return found
}

func pageOf(folder, name string) string {
	return path.Join("docs", folder, strings.TrimPrefix(name, "orch_")+".md")
}

func TestCompletenessCheckFindsEachGap(t *testing.T) {
	kinds := slices.DeleteFunc(contract.Kinds(), func(k contract.Kind) bool { return k == contract.RenderDeployment })
	kinds = append(kinds, contract.Kind{Name: "new", Stem: "New", Family: contract.Deployments})
	require.Equal(t, []string{
		"contract.Kinds has no render_deployment",
		"resources/all.go has no orch_new",
		"the catalog has no deployment new",
		"workflows/register.go has no NewCleanupWorkflow", "workflows/register.go has no NewStatusWorkflow", "workflows/register.go has no NewWorkflow",
	}, missingParts(kinds, resourceTypes(t.Context()), workflows.Types()))

	found := missingPages(fstest.MapFS{
		"examples/resources/orch_whole/resource.tf": {},
		"docs/resources/whole.md":                   {},
		"examples/resources/orch_gone/resource.tf":  {},
		"docs/resources/gone.md":                    {},
	}, "resources", "resource.tf", []string{"orch_whole", "orch_bare"})
	require.Equal(t, []string{
		"orch_bare has no examples/resources/orch_bare/resource.tf",
		"orch_bare has no docs/resources/bare.md",
		"examples/resources/orch_gone is an example of nothing that the provider has",
		"docs/resources/gone.md documents nothing that the provider has; run: make docs",
	}, found)
}

// An example that nobody applies rots. The end-to-end tests apply what they find by walking examples, which covers all, or
// name the directory, or a pattern that matches it.
func TestEveryExampleIsApplied(t *testing.T) {
	for _, v := range unapplied(t, os.DirFS(".")) {
		t.Error(v)
	}
}

var (
	examplePattern = regexp.MustCompile(`examples/[a-z_*/-]+`)
	examplesRoot   = regexp.MustCompile(`"(\.\./)+examples"`)
)

func unapplied(t *testing.T, fsys fs.FS) []string {
	t.Helper()
	var patterns []string
	walked := false
	require.NoError(t, fs.WalkDir(fsys, "test", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		source, err := fs.ReadFile(fsys, name)
		walked = walked || examplesRoot.Match(source) && bytes.Contains(source, []byte("filepath.WalkDir("))
		patterns = append(patterns, examplePattern.FindAllString(string(source), -1)...)
		return err
	}))
	var dirs []string
	require.NoError(t, fs.WalkDir(fsys, "examples", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".tf" {
			dirs = append(dirs, path.Dir(name))
		}
		return err
	}))
	var found []string
	for _, dir := range slices.Compact(dirs) {
		applied := walked || slices.ContainsFunc(patterns, func(pattern string) bool {
			matched, err := path.Match(strings.TrimSuffix(pattern, "/"), dir)
			return err == nil && matched
		})
		if !applied {
			found = append(found, fmt.Sprintf("%s is applied by no test: no file under test/ names it or a pattern like %s/*", dir, path.Dir(dir)))
		}
	}
	return found
}

func TestExampleCheckFindsWhatIsNotApplied(t *testing.T) {
	found := unapplied(t, fstest.MapFS{
		"test/e2e/examples_test.go":               {Data: []byte(`package e2e; var _ = "../../examples/resources/*"; var _ = "../../examples/demo"`)},
		"examples/resources/orch_one/a.tf":        {},
		"examples/resources/orch_one/b.tf":        {},
		"examples/resources/orch_one/import.sh":   {},
		"examples/demo/main.tf":                   {},
		"examples/forgotten/main.tf":              {},
		"examples/forgotten/modules/deep/main.tf": {},
	})
	require.Len(t, found, 2)
	require.Contains(t, found[0], "examples/forgotten is applied by no test")
}

func resourceTypes(ctx context.Context) []string {
	var names []string
	for _, construct := range resources.All() {
		var resp resource.MetadataResponse
		construct().Metadata(ctx, resource.MetadataRequest{ProviderTypeName: "orch"}, &resp)
		names = append(names, resp.TypeName)
	}
	return names
}

func dataSourceTypes(ctx context.Context) []string {
	var names []string
	for _, construct := range datasources.All() {
		var resp datasource.MetadataResponse
		construct().Metadata(ctx, datasource.MetadataRequest{ProviderTypeName: "orch"}, &resp)
		names = append(names, resp.TypeName)
	}
	return names
}

func listPackages(t *testing.T, dir string) []goPackage {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(goCommand(t, dir, "list", "-json=ImportPath,Name,Dir,Doc,Imports,TestImports,XTestImports,GoFiles", "./...")))
	var packages []goPackage
	for {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		packages = append(packages, p)
	}
}

// goCommand runs the go command in a module of this repository and returns what it printed.
func goCommand(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = dir
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	require.NoError(t, err, "go %s in %s: %s", strings.Join(args, " "), dir, stderr.String())
	return out
}
