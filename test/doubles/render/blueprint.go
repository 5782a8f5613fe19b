package render

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/strict"
)

// blueprint is the part of a render.yaml that the double knows.
type blueprint struct {
	Services []struct {
		Type              string `yaml:"type"`
		Name              string `yaml:"name"`
		Runtime           string `yaml:"runtime"`
		Repo              string `yaml:"repo"`
		Branch            string `yaml:"branch"`
		RootDir           string `yaml:"rootDir"`
		Plan              string `yaml:"plan"`
		Region            string `yaml:"region"`
		NumInstances      int    `yaml:"numInstances"`
		HealthCheckPath   string `yaml:"healthCheckPath"`
		AutoDeployTrigger string `yaml:"autoDeployTrigger"`
		PreDeployCommand  string `yaml:"preDeployCommand"`
		DockerCommand     string `yaml:"dockerCommand"`
		DockerContext     string `yaml:"dockerContext"`
		DockerfilePath    string `yaml:"dockerfilePath"`
		BuildCommand      string `yaml:"buildCommand"`
		StartCommand      string `yaml:"startCommand"`
		Image             *struct {
			URL string `yaml:"url"`
		} `yaml:"image"`
		EnvVars []struct {
			Key   string  `yaml:"key"`
			Value *string `yaml:"value"`
			Sync  *bool   `yaml:"sync"`
		} `yaml:"envVars"`
	} `yaml:"services"`
}

const maxBlueprint = 10 << 20

func (s *Server) validate(c call) {
	if !c.query() {
		return
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxBlueprint)
	if err := c.r.ParseMultipartForm(maxBlueprint); err != nil {
		c.unexpected(http.StatusBadRequest, err.Error())
		return
	}
	owner := c.r.FormValue("ownerId")
	file, _, err := c.r.FormFile("file")
	if err != nil || len(c.r.MultipartForm.Value) != 1 || len(c.r.MultipartForm.File) != 1 {
		c.unexpected(http.StatusBadRequest, fmt.Sprintf("the form must hold ownerId and file: %v", err))
		return
	}
	defer file.Close() //nolint:errcheck // nothing is written through it
	if !slices.ContainsFunc(s.cfg.Owners, func(o Owner) bool { return o.ID == owner }) {
		c.refuse(http.StatusNotFound, "not found: "+owner)
		return
	}
	content, err := io.ReadAll(file)
	if err != nil {
		c.refuse(http.StatusBadRequest, err.Error())
		return
	}
	var b blueprint
	if err := strict.DecodeYAML(content, &b); err != nil {
		c.answer(http.StatusOK, map[string]any{"valid": false, "errors": []any{map[string]any{"error": err.Error(), "line": 1, "column": 1}}})
		return
	}
	if problems := b.check(); len(problems) > 0 {
		c.answer(http.StatusOK, map[string]any{"valid": false, "errors": problems})
		return
	}
	names := []string{}
	for _, one := range b.Services {
		names = append(names, one.Name)
	}
	c.answer(http.StatusOK, map[string]any{"valid": true, "plan": map[string]any{"services": names, "totalActions": len(names)}})
}

func (b blueprint) check() []any {
	var problems []any
	for i, one := range b.Services {
		say := func(field, format string, args ...any) {
			problems = append(problems, map[string]any{"path": fmt.Sprintf("services[%d].%s", i, field), "error": fmt.Sprintf(format, args...)})
		}
		if one.Type != "web" {
			say("type", "must be web, not %q", one.Type)
		}
		if !slices.Contains(runtimes, one.Runtime) {
			say("runtime", "invalid runtime %q", one.Runtime)
		}
		if !slices.Contains(regions, one.Region) {
			say("region", "invalid region %q", one.Region)
		}
		if one.Plan != "free" && !slices.Contains(plans, strings.ReplaceAll(one.Plan, " ", "_")) {
			say("plan", "invalid plan %q", one.Plan)
		}
		if (one.Image != nil) == (one.Repo != "") {
			say("image", "exactly one of image and repo must be given")
		}
		if !slices.Contains([]string{"", "off", "commit", "checksPass"}, one.AutoDeployTrigger) {
			say("autoDeployTrigger", "invalid value %q", one.AutoDeployTrigger)
		}
		for _, v := range one.EnvVars {
			if (v.Value == nil) == (v.Sync == nil) {
				say("envVars", "%s must have either a value or sync: false", v.Key)
			}
		}
	}
	return problems
}
