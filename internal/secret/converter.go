package secret

import (
	"reflect"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// sensitive is what a type implements whose values may hold a secret.
type sensitive interface{ Sensitive() bool }

// DataConverter is Temporal's default data converter with our codec around it. A nil keyring reads every plain payload,
// so unencrypted histories replay without a key, and refuses to write a secret.
func DataConverter(keyring *Keyring) converter.DataConverter {
	return converter.NewCodecDataConverter(plainConverter(keyring), Codec(keyring))
}

// FailureConverter encrypts messages, stack traces and details of failures when there is a key. Without one they are
// plain: what they say of containers is masked where it is made.
func FailureConverter(keyring *Keyring) converter.FailureConverter {
	return temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          converter.NewCodecDataConverter(plainConverter(keyring), &codec{keyring: keyring, all: keyring != nil}),
		EncodeCommonAttributes: keyring != nil,
	})
}

// plainConverter is the SDK's default list of converters with ours in the place of JSON's.
func plainConverter(keyring *Keyring) converter.DataConverter {
	return converter.NewCompositeDataConverter(
		converter.NewNilPayloadConverter(),
		converter.NewByteSlicePayloadConverter(),
		converter.NewProtoJSONPayloadConverter(),
		converter.NewProtoPayloadConverter(),
		&markingConverter{JSONPayloadConverter: converter.NewJSONPayloadConverter(), keyring: keyring},
	)
}

// markingConverter is the JSON converter that marks sensitive values for the codec.
type markingConverter struct {
	*converter.JSONPayloadConverter
	keyring *Keyring
}

// ToPayload implements converter.PayloadConverter.
func (m *markingConverter) ToPayload(value any) (*commonpb.Payload, error) {
	payload, err := m.JSONPayloadConverter.ToPayload(value)
	if err != nil || !isSensitive(value) {
		return payload, err
	}
	if m.keyring == nil {
		if isStepFailure(value) {
			return payload, nil
		}
		return nil, &NoKeyError{}
	}
	payload.Metadata[MetadataSensitive] = []byte("true")
	return payload, nil
}

// isSensitive asks the value, whether it or its pointer has the method.
func isSensitive(value any) bool {
	v := reflect.ValueOf(value)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return false
	}
	if s, ok := value.(sensitive); ok {
		return s.Sensitive()
	}
	if !reflect.PointerTo(v.Type()).Implements(reflect.TypeFor[sensitive]()) {
		return false
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	s, ok := p.Interface().(sensitive)
	return ok && s.Sensitive()
}

func isStepFailure(value any) bool {
	switch value.(type) {
	case contract.StepFailure, *contract.StepFailure:
		return true
	default:
		return false
	}
}
