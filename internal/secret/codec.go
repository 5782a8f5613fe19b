package secret

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// Payload metadata.
const (
	// MetadataSensitive marks a payload that must not leave the process unencrypted.
	MetadataSensitive = "orch-sensitive"
	// MetadataKeyID names the key that a payload is encrypted with.
	MetadataKeyID = "encryption-key-id"
	// EncodingEncrypted is the encoding of an encrypted payload.
	EncodingEncrypted = "binary/encrypted"
)

// NoKeyError says that a secret cannot travel because there is no key to encrypt it with.
type NoKeyError struct{}

// Error says how to make a key.
func (*NoKeyError) Error() string {
	path := DefaultKeyFile()
	return "a secret is to travel, and there is no encryption key; `orch-worker dev` makes one in " + path + " when it starts; " +
		"for a cluster make one with: (umask 077 && mkdir -p " + filepath.Dir(path) + " && echo \"key-1:$(head -c 32 /dev/urandom | base64)\" > " + path + ") " +
		"and give the same file to the provider (encryption_key_file) and to the workers ($" + EnvKeyFile + ")"
}

// DecryptError says that an encrypted payload cannot be read here.
type DecryptError struct {
	// KeyID is the key that the payload was encrypted with.
	KeyID string
	// Known is false when that key is not in the key file.
	Known bool
	// Cause is why decryption failed with a known key.
	Cause error
}

// Error names the key and what to do.
func (e *DecryptError) Error() string {
	if e.Known {
		return fmt.Sprintf("decrypt payload with key %q: %v; the payload was damaged, or another key was given the same ID", e.KeyID, e.Cause)
	}
	return fmt.Sprintf("a payload is encrypted with key %q, which is not among the keys here; "+
		"set encryption_key_file (or $%s) to a key file that holds it", e.KeyID, EnvKeyFile)
}

// Unwrap returns the cause.
func (e *DecryptError) Unwrap() error { return e.Cause }

// Codec is the payload codec: it encrypts payloads that are marked sensitive and decrypts every encrypted one. A codec
// server offers the same one to the Web UI.
func Codec(keyring *Keyring) converter.PayloadCodec { return &codec{keyring: keyring} }

// codec encrypts marked payloads, or all of them, and decrypts whatever is encrypted.
type codec struct {
	keyring *Keyring
	all     bool
}

// Encode implements converter.PayloadCodec.
func (c *codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		_, marked := p.GetMetadata()[MetadataSensitive]
		if !marked && !c.all || encrypted(p) {
			return p, nil
		}
		return c.keyring.encrypt(p)
	})
}

// Decode implements converter.PayloadCodec.
func (c *codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if !encrypted(p) {
			return p, nil
		}
		return c.keyring.decrypt(p)
	})
}

func encrypted(p *commonpb.Payload) bool {
	return string(p.GetMetadata()[converter.MetadataEncoding]) == EncodingEncrypted
}

func each(payloads []*commonpb.Payload, f func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	result := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		var err error
		if result[i], err = f(p); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (k *Keyring) encrypt(p *commonpb.Payload) (*commonpb.Payload, error) {
	if k == nil {
		return nil, &NoKeyError{}
	}
	plain, err := proto.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encrypt payload: %w", err)
	}
	aead := k.keys[k.writeID]
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return &commonpb.Payload{
		Metadata: map[string][]byte{
			converter.MetadataEncoding: []byte(EncodingEncrypted),
			MetadataKeyID:              []byte(k.writeID),
		},
		Data: aead.Seal(nonce, nonce, plain, nil),
	}, nil
}

func (k *Keyring) decrypt(p *commonpb.Payload) (*commonpb.Payload, error) {
	id := string(p.GetMetadata()[MetadataKeyID])
	if k == nil || k.keys[id] == nil {
		return nil, &DecryptError{KeyID: id}
	}
	aead := k.keys[id]
	if len(p.GetData()) < aead.NonceSize() {
		return nil, &DecryptError{KeyID: id, Known: true, Cause: errors.New("it is shorter than its nonce")}
	}
	nonce, sealed := p.GetData()[:aead.NonceSize()], p.GetData()[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, &DecryptError{KeyID: id, Known: true, Cause: err}
	}
	var result commonpb.Payload
	if err := proto.Unmarshal(plain, &result); err != nil {
		return nil, &DecryptError{KeyID: id, Known: true, Cause: err}
	}
	return &result, nil
}
