package runner

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

// Value is a payload of any worker, in any SDK language, as JSON.
type Value struct {
	// JSON is the value; nil when there is none or it cannot be read. What is no JSON is a string with its bytes in base64.
	JSON json.RawMessage
	// Encoding is how the worker has encoded it, for example "json/plain"; of what cannot be decrypted "binary/encrypted".
	Encoding string
	// Encrypted is set when it travelled encrypted.
	Encrypted bool
	// Problem is why it cannot be read; nil when it can.
	Problem error
}

// value reads a payload without knowing its type.
func (c *Client) value(p *commonpb.Payload) Value {
	if p == nil {
		return Value{}
	}
	v := Value{Encoding: encodingOf(p)}
	v.Encrypted = v.Encoding == secret.EncodingEncrypted
	decoded, err := secret.Codec(c.resolved.Keyring).Decode([]*commonpb.Payload{p})
	if err != nil {
		v.Problem = err
		return v
	}
	plain := decoded[0]
	v.Encoding = encodingOf(plain)
	switch v.Encoding {
	case converter.MetadataEncodingJSON, converter.MetadataEncodingProtoJSON:
		if !json.Valid(plain.GetData()) {
			v.Problem = fmt.Errorf("its encoding is %s, and its %d bytes are no JSON", v.Encoding, len(plain.GetData()))
			return v
		}
		v.JSON = plain.GetData()
	case converter.MetadataEncodingNil:
		v.JSON = json.RawMessage("null")
	default:
		v.JSON = json.RawMessage(`"` + base64.StdEncoding.EncodeToString(plain.GetData()) + `"`)
	}
	return v
}

func encodingOf(p *commonpb.Payload) string {
	return string(p.GetMetadata()[converter.MetadataEncoding])
}

// one reads what is a single payload wherever a workflow returns one value, as all SDKs do.
func (c *Client) one(payloads *commonpb.Payloads) Value {
	if len(payloads.GetPayloads()) == 0 {
		return Value{JSON: json.RawMessage("null"), Encoding: converter.MetadataEncodingNil}
	}
	return c.value(payloads.GetPayloads()[0])
}

// values reads named payloads.
func (c *Client) values(fields map[string]*commonpb.Payload) map[string]Value {
	out := make(map[string]Value, len(fields))
	for name, payload := range fields {
		out[name] = c.value(payload)
	}
	return out
}
