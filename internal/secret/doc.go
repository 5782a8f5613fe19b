// Package secret keeps secrets out of Temporal histories, logs and diagnostics: the payload codec, the key file it takes
// its keys from, and the references that a worker resolves.
//
// Encryption is selective by design. Only a value whose type says that it is sensitive (a method Sensitive() bool that
// returns true) is encrypted, as are failures, which carry logs. Everything else stays plain JSON, for two reasons: the Web
// UI shows what a run was asked for without a codec server, and a trigger script that knows no codec can start a workflow
// and read its result. A secret without a key is an error, never a plain payload.
//
// Format: AES-256-GCM with a random nonce in front of the ciphertext; the plaintext is the whole marshalled payload. The
// metadata holds the encoding "binary/encrypted" and the key's ID, so that a key is rotated by putting a new line first in
// the key file and keeping the old one for as long as histories are kept.
//
// It imports contract and the Temporal SDK, nothing else of ours. Add a new kind of sensitive value by giving its type in
// contract the method; add here only what all of them need.
package secret
