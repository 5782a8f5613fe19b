package catalog

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Names of the databases' components.
const (
	Neo4jName  = "neo4j"
	QdrantName = "qdrant"
)

// Images that the databases run by default.
const (
	Neo4jImage  = "neo4j:5.26.26"
	QdrantImage = "qdrant/qdrant:v1.19.0"
)

// Secrets of the databases.
const (
	Neo4jPasswordSecret = "password"
	QdrantAPIKeySecret  = "api_key"
)

// Neo4jUser is the only user that the image can set a first password for.
const Neo4jUser = "neo4j"

// Neo4jInput configures a Neo4j.
type Neo4jInput struct {
	Container
	HTTPPort *int64 `json:"http_port"`
	BoltPort *int64 `json:"bolt_port"`
	// HeapMB and PageCacheMB divide the memory.
	HeapMB      *int64 `json:"heap_mb"`
	PageCacheMB *int64 `json:"page_cache_mb"`
	// Plugins are names that the image knows, for example "apoc".
	Plugins         []string `json:"plugins"`
	PasswordVersion *int64   `json:"password_wo_version"`
}

// Defaults of Neo4j.
const (
	Neo4jHTTPPort    = 7474
	Neo4jBoltPort    = 7687
	Neo4jMemoryMB    = 2048
	Neo4jHeapMB      = 1024
	Neo4jPageCacheMB = 512
)

func neo4j(ref contract.Ref, in Neo4jInput) contract.Component {
	heap := fmt.Sprintf("%dm", or(in.HeapMB, Neo4jHeapMB))
	env := map[string]string{
		"NEO4J_AUTH_FILE":                        contract.SecretsPath + "/neo4j_auth",
		"NEO4J_server_memory_heap_initial__size": heap,
		"NEO4J_server_memory_heap_max__size":     heap,
		"NEO4J_server_memory_pagecache_size":     fmt.Sprintf("%dm", or(in.PageCacheMB, Neo4jPageCacheMB)),
	}
	if len(in.Plugins) > 0 {
		env["NEO4J_PLUGINS"] = `["` + strings.Join(in.Plugins, `","`) + `"]`
	}
	return contract.Component{
		Name: Neo4jName, InputPath: "neo4j",
		Image: or(in.Image, Neo4jImage), MemoryMB: or(in.MemoryMB, Neo4jMemoryMB), CPUs: or(in.CPUs, 0),
		Env: env,
		Ports: []contract.Port{
			{Name: "http", Container: 7474, Host: int(or(in.HTTPPort, Neo4jHTTPPort)), Attribute: "neo4j.http_port"},
			{Name: "bolt", Container: 7687, Host: int(or(in.BoltPort, Neo4jBoltPort)), Attribute: "neo4j.bolt_port"},
		},
		// The image starts as root, gives the folders to its own user and drops to it.
		Volumes: []contract.Volume{
			{Name: ref.Volume(Neo4jName, "data"), Path: "/data"},
			{Name: ref.Volume(Neo4jName, "logs"), Path: "/logs"},
		},
		Secrets: []contract.Secret{{
			Name: Neo4jPasswordSecret, Mode: 0o400, Version: in.PasswordVersion, User: Neo4jUser, Port: "bolt", Rotation: contract.RotateNeo4j,
			// The image reads it for an empty database only; after that the password is changed over Bolt.
			Rendered: &contract.Rendered{Name: "neo4j_auth", Format: Neo4jUser + "/%s"},
		}},
		StopTimeout: 120,
		Probe:       contract.Probe{Port: "http", Path: "/", Contains: "neo4j_version", TimeoutSeconds: 180},
	}
}

// neo4jEndpoints tells where a Neo4j answers whose ports are published at host.
func neo4jEndpoints(ref contract.Ref, host string, in Neo4jInput) map[string]string {
	return map[string]string{
		"neo4j_http":          "http://" + hostPort(host, or(in.HTTPPort, Neo4jHTTPPort)),
		"neo4j_bolt":          "bolt://" + hostPort(host, or(in.BoltPort, Neo4jBoltPort)),
		"neo4j_bolt_internal": "bolt://" + ref.Alias(Neo4jName) + ":7687",
	}
}

var pluginPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func checkNeo4j(in Neo4jInput) []Problem {
	var problems []Problem
	for i, plugin := range in.Plugins {
		if !pluginPattern.MatchString(plugin) {
			problems = append(problems, Problem{fmt.Sprintf("neo4j.plugins.%d", i), fmt.Sprintf("%q is not a plugin's name such as apoc", plugin)})
		}
	}
	heap, cache, memory := or(in.HeapMB, Neo4jHeapMB), or(in.PageCacheMB, Neo4jPageCacheMB), or(in.MemoryMB, Neo4jMemoryMB)
	if heap < 1 || cache < 1 {
		problems = append(problems, Problem{"neo4j.heap_mb", "heap_mb and page_cache_mb must be positive"})
	}
	if heap+cache >= memory {
		problems = append(problems, Problem{"neo4j.memory_mb", fmt.Sprintf("%d MiB is not enough for a heap of %d and a page cache of %d MiB, "+
			"and the server itself", memory, heap, cache)})
	}
	return problems
}

// QdrantInput configures a Qdrant.
type QdrantInput struct {
	Container
	HTTPPort      *int64 `json:"http_port"`
	GRPCPort      *int64 `json:"grpc_port"`
	APIKeyVersion *int64 `json:"api_key_wo_version"`
}

// Defaults of Qdrant.
const (
	QdrantHTTPPort = 6333
	QdrantGRPCPort = 6334
	QdrantMemoryMB = 512
)

func qdrant(ref contract.Ref, in QdrantInput) contract.Component {
	return contract.Component{
		Name: QdrantName, InputPath: "qdrant",
		Image: or(in.Image, QdrantImage), MemoryMB: or(in.MemoryMB, QdrantMemoryMB), CPUs: or(in.CPUs, 0),
		// The key is in a file that only root can read, not in the environment, which everybody with the engine can inspect.
		Command: []string{"./entrypoint.sh", "--config-path", contract.SecretsPath + "/qdrant.yaml"},
		Env:     map[string]string{"QDRANT__TELEMETRY_DISABLED": "true"},
		Ports: []contract.Port{
			{Name: "http", Container: 6333, Host: int(or(in.HTTPPort, QdrantHTTPPort)), Attribute: "qdrant.http_port"},
			{Name: "grpc", Container: 6334, Host: int(or(in.GRPCPort, QdrantGRPCPort)), Attribute: "qdrant.grpc_port"},
		},
		Volumes: []contract.Volume{
			{Name: ref.Volume(QdrantName, "storage"), Path: "/qdrant/storage"},
			{Name: ref.Volume(QdrantName, "snapshots"), Path: "/qdrant/snapshots"},
		},
		Secrets: []contract.Secret{{
			Name: QdrantAPIKeySecret, Mode: 0o400, Version: in.APIKeyVersion,
			Rendered: &contract.Rendered{Name: "qdrant.yaml", Format: "service:\n  api_key: %q\n"},
		}},
		StopTimeout: 60,
		Probe:       contract.Probe{Port: "http", Path: "/readyz", TimeoutSeconds: 90},
	}
}
