package ingest

import (
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Secrets is what the package needs of the worker's secrets. An ingest without secret headers does without.
type Secrets struct {
	// Resolve returns the value of a reference. Errors are *contract.StepFailure and hold no value.
	Resolve func(source contract.SecretSource) (string, error)
	// Mask takes values out of a text.
	Mask func(text string, values ...string) string
}

// Headers are the headers that the requests of an ingest carry by its configuration, and what of their values must be shown to
// nobody. An error is a *contract.StepFailure.
func (s Secrets) Headers(spec contract.Ingest) (headers map[string]string, hidden []string, err error) {
	headers = make(map[string]string, len(spec.Headers))
	for name, header := range spec.Headers {
		if header.Secret == nil {
			headers[name] = header.Value
			continue
		}
		value, err := s.Resolve(*header.Secret)
		if err == nil && strings.ContainsAny(value, "\r\n\x00") {
			err = contract.Fail(contract.InvalidInput, "the value has more than one line")
		}
		failure := contract.AsFailure(err)
		if failure != nil {
			failure.Cause, failure.Attribute = "header "+name+": "+failure.Cause, "headers"
		}
		if err != nil {
			return nil, nil, err
		}
		headers[name] = value
		// A receiver may quote the token without the scheme before it.
		_, credentials, _ := strings.Cut(value, " ")
		hidden = append(hidden, value, credentials)
	}
	return headers, hidden, nil
}
