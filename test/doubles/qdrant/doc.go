// Package qdrant is a strict double of Qdrant 1.19 for places where the real image cannot
// be pulled: collections and points over REST, the API key enforced, everything kept below
// /qdrant/storage.
//
// It reads config/production.yaml and QDRANT__ variables and accepts exactly those that
// orch sets; search compares with every point instead of using an index, and filters are
// unknown to it. It is stricter than Qdrant in that unknown settings, request fields and
// parameters fail. It listens on the gRPC port but does not speak gRPC.
//
// It imports the standard library, yaml.v3 and its sibling packages. A setting goes into
// config.go, a route into server.go, what happens to points into collection.go.
package qdrant
