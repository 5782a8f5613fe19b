package catalog

import (
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// JaegerName is Jaeger's component name.
const JaegerName = "jaeger"

// JaegerImage is the image that Jaeger runs by default.
const JaegerImage = "jaegertracing/jaeger:2.20.0"

// jaegerUID is the user of the upstream image.
const jaegerUID = 10001

// JaegerInput configures a Jaeger.
type JaegerInput struct {
	Container
	// Port is the host port of the user interface and query API.
	Port *int64 `json:"port"`
	// Retention is how long spans are kept, for example "168h" or "30d".
	Retention *string `json:"retention"`
}

// Defaults of Jaeger.
const (
	JaegerPort      = 16686
	JaegerMemoryMB  = 512
	JaegerRetention = "168h"
)

func jaeger(ref contract.Ref, in JaegerInput) contract.Component {
	// Validated before: what cannot be read here has been refused.
	retention, _ := ParseRetention(or(in.Retention, JaegerRetention))
	return contract.Component{
		Name: JaegerName, InputPath: "jaeger",
		Image: or(in.Image, JaegerImage), MemoryMB: or(in.MemoryMB, JaegerMemoryMB), CPUs: or(in.CPUs, 0),
		Command: []string{"--config", "/etc/jaeger/config.yaml"},
		Ports: []contract.Port{
			{Name: "http", Container: 16686, Host: int(or(in.Port, JaegerPort)), Attribute: "jaeger.port"},
			// Spans come by a Collector, over the network. This port is for the canary alone.
			{Name: "otlp", Container: 4318, Bind: DefaultBindAddress},
			{Name: "health", Container: 13133, Bind: DefaultBindAddress},
		},
		Files:       []contract.File{file("jaeger.yaml", "/etc/jaeger/config.yaml", map[string]string{"Retention": retention.String()})},
		Volumes:     []contract.Volume{{Name: ref.Volume(JaegerName, "data"), Path: "/badger", UID: jaegerUID, GID: jaegerUID}},
		StopTimeout: 30,
		Probe:       contract.Probe{Port: "health", Path: "/status", TimeoutSeconds: 60},
	}
}

func checkJaeger(in JaegerInput) []Problem {
	return checkRetention("jaeger.retention", or(in.Retention, JaegerRetention), time.Minute)
}
