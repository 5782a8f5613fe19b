package connections

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// issuer signs API keys: JSON Web Tokens, which is what a Temporal server of one's own takes for them.
type issuer struct {
	key *rsa.PrivateKey
	// keys is where the server reads the public key.
	keys string
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	set := marshal(t, map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "test",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}}})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /keys.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(set)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &issuer{key: key, keys: server.URL + "/keys.json"}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// token is an API key with permissions such as "default:write".
func (i *issuer) token(t testing.TB, permissions ...string) string {
	t.Helper()
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(marshal(t, v)) }
	signed := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": "test"}) + "." +
		part(map[string]any{"sub": "test", "permissions": permissions, "exp": time.Now().Add(time.Hour).Unix()})
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}
