// Package grafana is a strict double of Grafana 12.4, for places where the real image
// cannot be pulled and which has no Go module to build it from.
//
// It does for real what orch depends on: it reads the provisioning files, keeps a database
// in the data directory (so the admin password of the environment applies to an empty
// database only), enforces basic authentication with Grafana's brute-force protection and
// the tokens of service accounts, takes data sources, folders and dashboards over the API,
// and proxies to the data sources. It is stricter than Grafana where a mistake would otherwise
// stay unseen: unknown GF_ variables, unknown fields, unset variables in provisioning
// files, dashboards that name a missing data source and missing directories all fail, and
// GET /double/links fails as long as a link between data sources leads nowhere.
//
// It imports the standard library, yaml.v3 and its sibling packages strict and httpserve.
// A route goes into routes in server.go, a data source type into kinds.go, an
// environment variable into known in config.go.
package grafana
