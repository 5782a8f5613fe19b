// Package devserver runs a Temporal server with its Web UI inside this process, for `orch-worker dev`.
//
// It is a development server: one SQLite file, one history shard, loopback only, no authentication. It is modelled on
// the dev server of the Temporal CLI, with three differences: the database survives upgrades of its own settings
// (retention is raised where it is too short, ports may change), the schema is created atomically, and every start
// request is shown to Options.OnStart before the server handles it.
//
// It may import go.temporal.io/server, the Web UI server and gRPC; nothing of orch. Server settings go to settings.go,
// what touches the database file to database.go.
package devserver
