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

// Default images. Tags come from the projects' releases; a resolved digest is stored in state.
const (
	CollectorImage = "otel/opentelemetry-collector-contrib:0.159.0"
	LokiImage      = "grafana/loki:3.7.6"
	GrafanaImage   = "grafana/grafana:12.4.15"
)

// Names of the components, which are their DNS names on the service's network too.
const (
	CollectorName = "otel-collector"
	LokiName      = "loki"
	GrafanaName   = "grafana"
)

// GrafanaAdminSecret is the secret that holds the password of Grafana's administrator.
const GrafanaAdminSecret = "admin_password"

// Users that the upstream images run as.
const (
	collectorUID = 10001
	lokiUID      = 10001
	grafanaUID   = 472
)

//go:embed files
var files embed.FS

// file is an embedded file as it goes into a container, readable by everybody there: it holds no secret.
func file(name, path string, data any) contract.File {
	content, err := files.ReadFile("files/" + name)
	if err != nil {
		panic("catalog: " + err.Error()) // embedded at build time: a wrong name is a defect that every test meets
	}
	if data != nil {
		var b strings.Builder
		if err := template.Must(template.New(name).Option("missingkey=error").Parse(string(content))).Execute(&b, data); err != nil {
			panic("catalog: " + err.Error())
		}
		content = []byte(b.String())
	}
	return contract.File{Path: path, Content: string(content), Mode: 0o444}
}

// CollectorInput configures an OpenTelemetry Collector.
type CollectorInput struct {
	Container
	// GRPCPort and HTTPPort are the host ports that OTLP is received on.
	GRPCPort *int64 `json:"grpc_port"`
	HTTPPort *int64 `json:"http_port"`
}

// Default host ports and limits of the Collector.
const (
	CollectorGRPCPort = 4317
	CollectorHTTPPort = 4318
	CollectorMemoryMB = 256
)

func collector(ref contract.Ref, in CollectorInput) contract.Component {
	return contract.Component{
		Name: CollectorName, InputPath: "collector", StopFirst: true,
		Image: or(in.Image, CollectorImage), MemoryMB: or(in.MemoryMB, CollectorMemoryMB), CPUs: or(in.CPUs, 0),
		Ports: []contract.Port{
			{Name: "grpc", Container: 4317, Host: int(or(in.GRPCPort, CollectorGRPCPort)), Attribute: "collector.grpc_port"},
			{Name: "http", Container: 4318, Host: int(or(in.HTTPPort, CollectorHTTPPort)), Attribute: "collector.http_port"},
			{Name: "health", Container: 13133, Bind: DefaultBindAddress},
		},
		Files:       []contract.File{file("otel-collector.yaml", "/etc/otelcol-contrib/config.yaml", nil)},
		Volumes:     []contract.Volume{{Name: ref.Volume(CollectorName, "queue"), Path: "/var/lib/otelcol", UID: collectorUID, GID: collectorUID}},
		StopTimeout: 30,
		Probe:       contract.Probe{Port: "health", Path: "/", TimeoutSeconds: 60},
	}
}

// LokiInput configures a Loki.
type LokiInput struct {
	Container
	// Port is the host port of Loki's HTTP API.
	Port *int64 `json:"port"`
	// Retention is how long lines are kept, for example "168h" or "30d".
	Retention *string `json:"retention"`
	// Volume is an existing Docker volume to keep the data in; null makes one.
	Volume *string `json:"volume"`
}

// Defaults of Loki.
const (
	LokiPort      = 3100
	LokiMemoryMB  = 1024
	LokiRetention = "168h"
	// LokiMinRetention is the least that Loki's compactor accepts.
	LokiMinRetention = 24 * time.Hour
)

func loki(ref contract.Ref, in LokiInput) contract.Component {
	data := contract.Volume{Name: ref.Volume(LokiName, "data"), Path: "/loki", UID: lokiUID, GID: lokiUID}
	if in.Volume != nil {
		data.Name, data.External = *in.Volume, true
	}
	return contract.Component{
		Name: LokiName, InputPath: "loki",
		Image: or(in.Image, LokiImage), MemoryMB: or(in.MemoryMB, LokiMemoryMB), CPUs: or(in.CPUs, 0),
		Ports: []contract.Port{{Name: "http", Container: 3100, Host: int(or(in.Port, LokiPort)), Attribute: "loki.port"}},
		Files: []contract.File{file("loki.yaml", "/etc/loki/local-config.yaml",
			map[string]string{"Retention": or(in.Retention, LokiRetention)})},
		Volumes:     []contract.Volume{data},
		StopTimeout: 60,
		Probe:       contract.Probe{Port: "http", Path: "/ready", TimeoutSeconds: 90},
	}
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

// checkLoki finds a retention that Loki would refuse at start.
func checkLoki(in LokiInput) []Problem {
	if in.Volume != nil && *in.Volume == "" {
		return []Problem{{"loki.volume", "a volume's name cannot be empty"}}
	}
	d, err := ParseRetention(or(in.Retention, LokiRetention))
	switch {
	case err != nil:
		return []Problem{{"loki.retention", err.Error()}}
	case d < LokiMinRetention:
		return []Problem{{"loki.retention", fmt.Sprintf("%s is less than 24h, which is the least that Loki accepts", *in.Retention)}}
	}
	return nil
}

// GrafanaInput configures a Grafana.
type GrafanaInput struct {
	Container
	// Port is the host port of the user interface and API.
	Port *int64 `json:"port"`
	// AdminUser is the administrator's login.
	AdminUser *string `json:"admin_user"`
	// AdminPasswordVersion is raised to change the password; the password itself is write-only and stands nowhere.
	AdminPasswordVersion *int64 `json:"admin_password_wo_version"`
}

// Defaults of Grafana. The port differs between pipelines so that they can live on one host.
const (
	GrafanaLogsPort  = 3000
	GrafanaMemoryMB  = 512
	GrafanaAdminUser = "admin"
)

func grafana(ref contract.Ref, in GrafanaInput, defaultPort int64, provisioning ...contract.File) contract.Component {
	user := or(in.AdminUser, GrafanaAdminUser)
	return contract.Component{
		Name: GrafanaName, InputPath: "grafana",
		Image: or(in.Image, GrafanaImage), MemoryMB: or(in.MemoryMB, GrafanaMemoryMB), CPUs: or(in.CPUs, 0),
		Env: map[string]string{
			"GF_SECURITY_ADMIN_USER":                user,
			"GF_SECURITY_ADMIN_PASSWORD__FILE":      contract.SecretsPath + "/" + GrafanaAdminSecret,
			"GF_USERS_ALLOW_SIGN_UP":                "false",
			"GF_AUTH_ANONYMOUS_ENABLED":             "false",
			"GF_ANALYTICS_REPORTING_ENABLED":        "false",
			"GF_ANALYTICS_CHECK_FOR_UPDATES":        "false",
			"GF_PLUGINS_PREINSTALL_DISABLED":        "true",
			"GF_PLUGINS_PREINSTALL_AUTO_UPDATE":     "false",
			"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
		},
		Ports:       []contract.Port{{Name: "http", Container: 3000, Host: int(or(in.Port, defaultPort)), Attribute: "grafana.port"}},
		Files:       append([]contract.File{file("grafana-dashboards.yaml", "/etc/grafana/provisioning/dashboards/orch.yaml", nil)}, provisioning...),
		Volumes:     []contract.Volume{{Name: ref.Volume(GrafanaName, "data"), Path: "/var/lib/grafana", UID: grafanaUID, GID: grafanaUID}},
		Secrets:     []contract.Secret{{Name: GrafanaAdminSecret, UID: grafanaUID, GID: grafanaUID, Mode: 0o400, Version: in.AdminPasswordVersion, Rotation: contract.RotateGrafana, User: user}},
		StopTimeout: 30,
		Probe:       contract.Probe{Port: "http", Path: "/api/health", Contains: `"database"`, TimeoutSeconds: 120},
	}
}
