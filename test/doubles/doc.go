// Package doubles is the roof over the stand-ins that tests run in place of real software.
//
// A double here is strict: it serves exactly what orch uses, in the shape of the real
// component at the version that orch pins, and everything else fails (start-up exits 1,
// a request answers 404 or 400 and is counted under GET /double/unknown).
//
//	grafana/    Grafana 12.4: provisioning files, API, admin user and tokens, datasource proxy
//	collector/  OpenTelemetry Collector: OTLP/HTTP in, otlp_http exporters out
//	loki/       Loki 3.7: OTLP logs in, query_range out
//	prometheus/ Prometheus 3.15: OTLP metrics and scraping in, instant queries out
//	jaeger/     Jaeger 2 on badger: OTLP spans in, the query API out
//	neo4j/      Neo4j 5.26: Bolt and the Query API, a few statements
//	qdrant/     Qdrant 1.19: collections and points over REST
//	cloudflare/ Cloudflare's API v4, as far as orch reads it; cmd/cloudflare runs it by hand
//	render/     Render: services, variables, deploys, logs, the check of Blueprints
//	github/     GitHub: repositories over REST, and a real Git server
//	box/        a program with a chosen (mis)behaviour, for tests of the engine
//	otlphttp/   decoding of OTLP requests of any signal
//	otlplog/    log requests as lines, for loki
//	cloudfault/ faults and the journal in front of the doubles of cloud platforms
//	strict/     strict YAML, the ledger of unknown requests, data directories
//	httpserve/  listeners with a graceful end
//	cmd/double/ the one binary that is all of them, chosen by the name it is started as
//
// They import the standard library, yaml.v3 and the OTLP types; nothing of orch, so that a
// mistake in orch cannot hide in its own stand-in. Their tests may use the real clients. To add one: a package with a Main, a
// line in cmd/double, a stage in test/images/doubles/Dockerfile, a line in
// test/images/build.sh.
package doubles
