package catalog

import (
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// LokiName is Loki's component name.
const LokiName = "loki"

// LokiImage is the image that Loki runs by default.
const LokiImage = "grafana/loki:3.7.6"

// lokiUID is the user of the upstream image.
const lokiUID = 10001

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

// checkLoki finds what Loki would refuse at start.
func checkLoki(in LokiInput) []Problem {
	if in.Volume != nil && *in.Volume == "" {
		return []Problem{{"loki.volume", "a volume's name cannot be empty"}}
	}
	return checkRetention("loki.retention", or(in.Retention, LokiRetention), LokiMinRetention)
}
