package otlphttp

import (
	"fmt"
	"strconv"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// Texts returns attributes with their values as text.
func Texts(attributes []*commonv1.KeyValue) map[string]string {
	out := make(map[string]string, len(attributes))
	for _, attribute := range attributes {
		out[attribute.GetKey()] = Text(attribute.GetValue())
	}
	return out
}

// Text renders a value as Loki and Prometheus do: a string as it is, everything else as JSON.
func Text(value *commonv1.AnyValue) string {
	switch kind := value.GetValue().(type) {
	case nil:
		return ""
	case *commonv1.AnyValue_StringValue:
		return kind.StringValue
	case *commonv1.AnyValue_BoolValue:
		return strconv.FormatBool(kind.BoolValue)
	case *commonv1.AnyValue_IntValue:
		return strconv.FormatInt(kind.IntValue, 10)
	case *commonv1.AnyValue_DoubleValue:
		return strconv.FormatFloat(kind.DoubleValue, 'f', -1, 64)
	default:
		raw, err := protojson.Marshal(value)
		if err != nil {
			return fmt.Sprintf("unprintable value: %v", err)
		}
		return string(raw)
	}
}
