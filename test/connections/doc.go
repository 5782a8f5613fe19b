// Package connections holds the tests of the ways into a Temporal cluster: TLS, mutual TLS, API keys, headers, namespaces,
// profiles and the environment, and of what is said when one of them is wrong. The servers are real Temporal servers
// (bin/temporal-server, SQLite) that require client certificates or signed tokens; the certificates are made by the tests.
//
// Every case goes both ways that users have: as the provider connects (internal/runner) and as `orch-worker run` does. A new
// way to connect is an entry of TestWaysIn, a new mistake one of TestMistakes. Servers are in server_test.go, certificates
// in certificates_test.go, tokens in token_test.go.
//
// The binaries come from ORCH_BIN_DIR (default ../../bin): make build, scripts/temporal-server.sh.
package connections
