// Package railway is a client of Railway's public GraphQL API, as far as orch needs it.
//
// The operations are written by hand in operations.go and checked against Railway's schema by `make test-specs`. Every call
// returns an *Error that says what Railway's message means: Railway answers nearly every failure with HTTP 200 and the code
// INTERNAL_SERVER_ERROR, so the message is all there is to go by.
//
// It imports the standard library, contract and the HTTP base that the platforms' clients share. A new operation is a constant
// in operations.go and a method next to its kin.
package railway
