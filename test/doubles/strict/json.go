package strict

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// DecodeJSON decodes the request's body, exactly one JSON document, into out and fails on every unknown field.
func DecodeJSON(r *http.Request, out any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("body: more than one JSON document")
	}
	return nil
}

// NoBody fails on a request that brings a body where none belongs.
func NoBody(r *http.Request) error {
	n, err := io.Copy(io.Discard, io.LimitReader(r.Body, 1))
	if err == nil && n > 0 {
		err = errors.New("body: none belongs here")
	}
	return err
}

// KnownQuery fails on a query parameter that is not among those allowed.
func KnownQuery(r *http.Request, allowed ...string) error {
	for name := range r.URL.Query() {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("query: unknown parameter %s", name)
		}
	}
	return nil
}
