package secret

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const password = "hunter2-hunter2"

func requestWithSecret() contract.Request {
	return contract.Request{ServiceName: "app", Secrets: map[string]string{"grafana/admin_password": password}}
}

// byPointer has its method on the pointer, so a value of it does not implement the interface.
type byPointer struct{ Text string }

func (*byPointer) Sensitive() bool { return true }

func TestWhatIsEncrypted(t *testing.T) {
	request := requestWithSecret()
	var noRequest *contract.Request
	for name, tc := range map[string]struct {
		value     any
		encrypted bool
	}{
		"request with a secret":           {request, true},
		"pointer to it":                   {&request, true},
		"request without":                 {contract.Request{ServiceName: "app"}, false},
		"call with a secret":              {contract.ComponentCall{Secrets: map[string]string{"a": password}}, true},
		"call without":                    {contract.ComponentCall{}, false},
		"failure":                         {contract.StepFailure{Cause: password}, true},
		"pointer to a failure":            {&contract.StepFailure{Cause: password}, true},
		"method on the pointer":           {byPointer{password}, true},
		"nil pointer":                     {noRequest, false},
		"nil":                             {nil, false},
		"result":                          {contract.Result{Message: "done"}, false},
		"bytes":                           {[]byte("x"), false},
		"what an old trigger script send": {map[string]string{"service_name": "x"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := DataConverter(mustParse(t, keyLine("a", 'a'))).ToPayload(tc.value)
			require.NoError(t, err)
			require.Equal(t, tc.encrypted, encrypted(p))
			require.NotContains(t, p.String(), password)
			if tc.encrypted {
				require.Equal(t, "a", string(p.Metadata[MetadataKeyID]))
				return
			}
			standard, err := converter.GetDefaultDataConverter().ToPayload(tc.value)
			require.NoError(t, err)
			require.True(t, proto.Equal(standard, p), "a plain payload is just what any Temporal client makes")
		})
	}
}

func TestRoundTripAndRotation(t *testing.T) {
	old := mustParse(t, keyLine("a", 'a'))
	rotated := mustParse(t, keyLine("b", 'b'), keyLine("a", 'a'))
	retired := mustParse(t, keyLine("b", 'b'))

	p, err := DataConverter(old).ToPayload(requestWithSecret())
	require.NoError(t, err)

	var got contract.Request
	require.NoError(t, DataConverter(rotated).FromPayload(p, &got), "an old key decodes")
	require.Equal(t, requestWithSecret(), got)

	again, err := DataConverter(rotated).ToPayload(got)
	require.NoError(t, err)
	require.Equal(t, "b", string(again.Metadata[MetadataKeyID]), "the first key writes")

	for name, k := range map[string]*Keyring{"key retired": retired, "no key": nil} {
		t.Run(name, func(t *testing.T) {
			err := DataConverter(k).FromPayload(p, &got)
			var undecodable *DecryptError
			require.ErrorAs(t, err, &undecodable)
			require.Equal(t, "a", undecodable.KeyID)
			require.False(t, undecodable.Known)
			require.ErrorContains(t, err, `encrypted with key "a"`)
			require.ErrorContains(t, err, "encryption_key_file")
		})
	}
}

func TestNonceIsNew(t *testing.T) {
	dc := DataConverter(mustParse(t, keyLine("a", 'a')))
	one, err := dc.ToPayload(requestWithSecret())
	require.NoError(t, err)
	two, err := dc.ToPayload(requestWithSecret())
	require.NoError(t, err)
	require.NotEqual(t, one.Data, two.Data)
}

func TestTamperingIsNoticed(t *testing.T) {
	dc := DataConverter(mustParse(t, keyLine("a", 'a'), keyLine("b", 'b')))
	fresh := func() *commonpb.Payload {
		p, err := dc.ToPayload(requestWithSecret())
		require.NoError(t, err)
		return p
	}
	for name, damage := range map[string]func(*commonpb.Payload){
		"ciphertext changed": func(p *commonpb.Payload) { p.Data[len(p.Data)/2] ^= 1 },
		"nonce changed":      func(p *commonpb.Payload) { p.Data[0] ^= 1 },
		"tag cut off":        func(p *commonpb.Payload) { p.Data = p.Data[:len(p.Data)-1] },
		"nearly nothing":     func(p *commonpb.Payload) { p.Data = p.Data[:3] },
		"another key's ID":   func(p *commonpb.Payload) { p.Metadata[MetadataKeyID] = []byte("b") },
	} {
		t.Run(name, func(t *testing.T) {
			p := fresh()
			damage(p)
			var got contract.Request
			var undecodable *DecryptError
			require.ErrorAs(t, dc.FromPayload(p, &got), &undecodable)
			require.True(t, undecodable.Known)
		})
	}
}

func TestWithoutAKey(t *testing.T) {
	dc := DataConverter(nil)
	for name, value := range map[string]any{
		"request": requestWithSecret(),
		"call":    &contract.ComponentCall{Secrets: map[string]string{"a": password}},
		"other":   byPointer{password},
	} {
		_, err := dc.ToPayload(value)
		var noKey *NoKeyError
		require.ErrorAs(t, err, &noKey, name)
	}
	_, err := Codec(nil).Encode([]*commonpb.Payload{{Metadata: map[string][]byte{MetadataSensitive: []byte("true")}}})
	var noKey *NoKeyError
	require.ErrorAs(t, err, &noKey, "a marked payload does not pass a codec that has no key")

	p, err := dc.ToPayload(&contract.StepFailure{Cause: "port taken"})
	require.NoError(t, err, "a failure has its secrets masked and may travel")
	require.Equal(t, "json/plain", string(p.Metadata[converter.MetadataEncoding]))

	plain, err := converter.GetDefaultDataConverter().ToPayload(map[string]string{"service_name": "x"})
	require.NoError(t, err)
	var got contract.Request
	require.NoError(t, dc.FromPayload(plain, &got))
	require.Equal(t, "x", got.ServiceName)
}

func TestFailures(t *testing.T) {
	keyring := mustParse(t, keyLine("a", 'a'))
	step := &contract.StepFailure{Step: "start_loki", Class: contract.Unhealthy, Cause: password}
	original := temporal.NewApplicationErrorWithOptions("cause "+password, string(contract.Unhealthy), temporal.ApplicationErrorOptions{
		Details: []any{step, []byte(password)}, Cause: errors.New("inner " + password),
	})

	failure := FailureConverter(keyring).ErrorToFailure(original)
	require.NotContains(t, failure.String(), password)
	require.Equal(t, "Unhealthy", failure.GetApplicationFailureInfo().GetType(), "the type stays readable: retries depend on it")

	decoded := FailureConverter(keyring).FailureToError(failure)
	var app *temporal.ApplicationError
	require.ErrorAs(t, decoded, &app)
	require.Contains(t, app.Message(), password)
	var got contract.StepFailure
	var raw []byte
	require.NoError(t, app.Details(&got, &raw))
	require.Equal(t, *step, got)
	require.Equal(t, password, string(raw))

	plain := FailureConverter(nil).ErrorToFailure(original)
	require.Contains(t, plain.GetMessage(), password, "without a key failures are readable in the Web UI")
	for name, k := range map[string]*Keyring{"with a key": keyring, "without": nil} {
		require.ErrorAs(t, FailureConverter(k).FailureToError(proto.CloneOf(plain)), &app, name)
		require.Contains(t, app.Message(), password, name)
		require.NoError(t, app.Details(&got), name)
	}
}
