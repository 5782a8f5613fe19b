package contract

import (
	"bytes"
	"encoding/json"
)

// WithoutNulls removes every null member of every object in a JSON document, so that an attribute that was not written is
// absent, however the document was made. An attribute that only a newer version has then changes no label, hash or digest of
// a user who does not use it. Elements of arrays keep their places, and an empty object stays: that block was written. The
// result is nil for null and for an empty document; what is not JSON is returned as it is.
func WithoutNulls(document json.RawMessage) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber() // a float64 would round large numbers
	var value any
	if len(document) == 0 || decoder.Decode(&value) == nil && value == nil {
		return nil
	}
	if value == nil {
		return document
	}
	dropNulls(value)
	compact, err := json.Marshal(value)
	if err != nil {
		return document
	}
	return compact
}

func dropNulls(value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if member == nil {
				delete(v, name)
			}
			dropNulls(member)
		}
	case []any:
		for _, element := range v {
			dropNulls(element)
		}
	}
}

// Encode is an input as JSON, as it travels and as labels hold it: what was not written is absent.
func Encode(input any) (json.RawMessage, error) {
	data, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	return WithoutNulls(data), nil
}
