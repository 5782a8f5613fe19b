// Package cloudflare looks whether Cloudflare has what a service needs: a token that works, a zone that is active, a DNS record,
// a tunnel that is connected. It only reads.
//
// It imports the contract and the base of cloud clients. Another thing to look at is a method of verifier.
package cloudflare
