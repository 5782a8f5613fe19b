package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// keySize is AES-256's.
const keySize = 32

var keyIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Keyring holds the keys of a key file. A nil Keyring has none. It is safe for concurrent use and never changes.
type Keyring struct {
	writeID string
	keys    map[string]cipher.AEAD
}

// WriteKeyID is the ID of the key that new payloads are encrypted with.
func (k *Keyring) WriteKeyID() string {
	if k == nil {
		return ""
	}
	return k.writeID
}

// String names the key that is written with and no key material, so that a Keyring that strays into a log is harmless.
func (k *Keyring) String() string {
	if k == nil {
		return "no keys"
	}
	return fmt.Sprintf("%d keys, writing with %q", len(k.keys), k.writeID)
}

// GoString is String, for %#v.
func (k *Keyring) GoString() string { return k.String() }

// LoadKeyring reads a key file. A file that others may read is refused, because whoever reads it reads every secret.
func LoadKeyring(path string) (*Keyring, error) {
	if err := checkKeyFile(path); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read encryption key file: %w", err)
	}
	keyring, err := ParseKeyring(data)
	if err != nil {
		return nil, fmt.Errorf("encryption key file %s: %w", path, err)
	}
	return keyring, nil
}

// ParseKeyring reads the content of a key file: one key a line, the first one to write with, the others to decode only.
//
//	# rotated in November
//	key-2:C0cv2Jp0…=
//	key-1:nS0mVb7R…=
func ParseKeyring(data []byte) (*Keyring, error) {
	k := &Keyring{keys: map[string]cipher.AEAD{}}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		id, aead, err := parseKey(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if _, taken := k.keys[id]; taken {
			return nil, fmt.Errorf("line %d: key ID %q stands in the file twice", number, id)
		}
		if k.writeID == "" {
			k.writeID = id
		}
		k.keys[id] = aead
	}
	if k.writeID == "" {
		return nil, errors.New("holds no key; a key is a line <key-id>:<base64 of 32 bytes>")
	}
	return k, nil
}

// parseKey never repeats any of the line: it is, or was meant to be, a key.
func parseKey(line string) (string, cipher.AEAD, error) {
	id, encoded, ok := strings.Cut(line, ":")
	if !ok || !keyIDPattern.MatchString(id) {
		return "", nil, errors.New("not of the form <key-id>:<base64 of 32 bytes>; a key ID takes 1 to 64 letters, digits, dots, hyphens and underscores")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", nil, fmt.Errorf("key %q is not valid base64", id)
	}
	if len(key) != keySize {
		return "", nil, fmt.Errorf("key %q has %d bytes, and %d are needed; make them with: head -c %d /dev/urandom | base64", id, len(key), keySize, keySize)
	}
	aead, err := newAEAD(key)
	if err != nil {
		return "", nil, fmt.Errorf("key %q: %w", id, err)
	}
	return id, aead, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
