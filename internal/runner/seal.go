package runner

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// sealed are values that must not be stored in clear.
type sealed struct {
	Values map[string]string `json:"values"`
}

// Sensitive has the payload codec encrypt the values.
func (sealed) Sensitive() bool { return true }

// Seal encrypts values as they travel to workers, as a JSON document. Without an encryption key the error says how to make one.
func (c *Client) Seal(values map[string]string) ([]byte, error) {
	payload, err := c.data.ToPayload(sealed{values})
	if err != nil {
		return nil, err
	}
	return protojson.Marshal(payload)
}

// Unseal is the inverse of Seal. It fails when the key that was used is not there.
func (c *Client) Unseal(data []byte) (map[string]string, error) {
	var payload commonpb.Payload
	if err := protojson.Unmarshal(data, &payload); err != nil {
		return nil, fmt.Errorf("read sealed values: %w", err)
	}
	var out sealed
	if err := c.data.FromPayload(&payload, &out); err != nil {
		return nil, err
	}
	return out.Values, nil
}
