package runner

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSealedValuesNeedTheKey(t *testing.T) {
	t.Parallel()
	client := func(key string) *Client {
		cfg := Config{Address: "127.0.0.1:1"}
		if key != "" {
			cfg.KeyFile = keyFile(t, key)
		}
		c, err := New(cfg)
		require.NoError(t, err)
		t.Cleanup(c.Close)
		return c
	}
	one := client("one")
	data, err := one.Seal(map[string]string{"flyio/token": "hunter2"})
	require.NoError(t, err)
	require.True(t, json.Valid(data), "private state takes JSON")
	require.NotContains(t, string(data), "hunter2")
	values, err := one.Unseal(data)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"flyio/token": "hunter2"}, values)
	_, err = client("two").Unseal(data)
	require.ErrorContains(t, err, `"one"`)
	_, err = client("").Seal(map[string]string{"flyio/token": "hunter2"})
	require.ErrorContains(t, err, "there is no encryption key")
}
