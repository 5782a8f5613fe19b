package catalog

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// collectorConfigPath is where the Collector's image looks for its configuration.
const collectorConfigPath = "/etc/otelcol-contrib/config.yaml"

// collectorState is where the Collector keeps its queue and how far it has read.
const collectorState = "/var/lib/otelcol"

// ingestCollector is a Collector that belongs to an ingest: its configuration may change while it runs. configured is the input
// attribute that the configuration comes from.
func ingestCollector(ref contract.Ref, in Container, config, configured string) contract.Component {
	return contract.Component{
		Name: CollectorName, InputPath: "collector",
		Image: or(in.Image, CollectorImage), MemoryMB: or(in.MemoryMB, CollectorMemoryMB), CPUs: or(in.CPUs, 0),
		Ports: []contract.Port{
			{Name: "health", Container: 13133, Bind: DefaultBindAddress},
			{Name: "metrics", Container: 8888, Bind: DefaultBindAddress},
		},
		Files:       []contract.File{{Path: collectorConfigPath, Content: config, Mode: 0o444, Live: true}},
		Volumes:     []contract.Volume{{Name: ref.Volume(CollectorName, "queue"), Path: collectorState, UID: collectorUID, GID: collectorUID}},
		StopTimeout: 30,
		Probe:       contract.Probe{Port: "health", Path: "/", TimeoutSeconds: 60},
		Reload: &contract.Reload{
			Validate: []string{"validate", "--config=" + collectorConfigPath}, Signal: "HUP", Changes: "upSince", Attribute: configured,
		},
		LiveKeys: []string{".template_path", ".template", ".config"},
	}
}

// checkBareURL finds URLs that hold more than scheme, host, port and path. instead is what to do about a password in one.
func checkBareURL(attribute, text, instead string) []Problem {
	u, err := url.Parse(text)
	if err == nil && u.User != nil || err != nil && strings.Contains(text, "@") {
		// Not quoted: it may hold a password.
		return []Problem{{attribute, "a URL with a user name or password would show them in the plan, in state and in configuration" + instead}}
	}
	if problems := checkURL(attribute, text); len(problems) > 0 {
		return problems
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return []Problem{{attribute, fmt.Sprintf("%q has more than scheme, host, port and path", text)}}
	}
	return nil
}

// checkReachable finds URLs that cannot lead anywhere from inside of a container.
func checkReachable(attribute, text, instead string) []Problem {
	if problems := checkBareURL(attribute, text, ""); len(problems) > 0 {
		return problems
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil // checkBareURL has parsed it
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || (ip != nil && (ip.IsLoopback() || ip.IsUnspecified())) {
		return []Problem{{attribute, fmt.Sprintf("%q leads from inside the Collector's container to the container itself: %s", text, instead)}}
	}
	return nil
}

// lokiOTLP is Loki's OTLP endpoint, as the exporter wants it, of a URL that people have of their Loki: its base, or the push
// address that Promtail wants.
func lokiOTLP(text string) string {
	base := strings.TrimRight(text, "/")
	for _, suffix := range []string{"/loki/api/v1/push", "/otlp/v1/logs", "/otlp"} {
		base = strings.TrimSuffix(base, suffix)
	}
	return strings.TrimRight(base, "/") + "/otlp"
}

// checkLokiURL finds what is no address of a Loki.
func checkLokiURL(attribute, text string) []Problem {
	if problems := checkReachable(attribute, text, "set logs_pipeline_id, or loki_endpoint to endpoints.loki_internal of a logs pipeline"); len(problems) > 0 {
		return problems
	}
	u, err := url.Parse(lokiOTLP(text))
	if err == nil && strings.Contains(u.Path, "/api/") {
		return []Problem{{attribute, fmt.Sprintf("%q is not the base URL of a Loki, such as http://loki.example.com:3100", text)}}
	}
	return nil
}

// staticDir is the folder that a glob begins in: all of it before the first wildcard, without the last name.
func staticDir(glob string) string {
	if i := strings.IndexAny(glob, `*?[{\`); i >= 0 {
		glob = glob[:i]
		return path.Clean(glob[:strings.LastIndex(glob, "/")+1])
	}
	return path.Dir(glob)
}

// within reports whether a path is a folder or something in it.
func within(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}
