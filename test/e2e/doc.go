// Package e2e holds the tests of the whole system: the real Terraform CLI, the real provider and worker binaries, the
// embedded Temporal server and a real Docker Engine. What they assert is what a user can see: exit codes, diagnostics,
// plans, state, containers, and a log line that comes out where it should.
//
// The binaries come from ORCH_BIN_DIR (default ../../bin), the images from test/images/build.sh. ORCH_TEST_IMAGES chooses
// which images the components run: "doubles" (default), "local" (the real Collector and Loki built from source, Grafana's
// double), or "upstream" (what the provider pulls by default). Something missing fails the tests and names the command
// that makes it; nothing is skipped.
//
// It imports contract and catalog for names, ports for host ports, secret to read recorded histories, and the Temporal SDK as any
// client would; Docker is asked through its command line, as a user would. A scenario goes into the file of its subject; what several
// need is in world_test.go, pipeline_test.go and cli_test.go (a directory, its HCL and its commands), worker_test.go
// (processes), docker_test.go and data_test.go.
//
// -kills and -seed make chaos_test.go look for trouble longer, see there.
// -record=DIR saves histories of the runs for workflows/replay_test.go, see histories_test.go.
package e2e
