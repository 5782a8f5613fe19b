// Package cloudflare is a strict double of the part of Cloudflare's API v4 that orch reads: tokens, zones, DNS records and
// tunnels. Every other route, method and query parameter is refused and kept in the ledger.
//
// It answers in Cloudflare's envelope with Cloudflare's codes, shows a token only what its permissions allow, and knows both
// kinds of tokens. Faults (429, 5xx, latency, reset) are laid in front of it with cloudfault.
//
// It imports the standard library and its sibling package strict. A route goes into routes in server.go.
package cloudflare
