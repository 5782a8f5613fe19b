package engine

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// decision is what becomes of one secret.
type decision int

const (
	keepStored decision = iota
	makeNew
	change
)

// versionOf is what is kept next to a value to know that it is the one that is asked for: the user's version, and for a value that
// the worker is to fetch, from where.
func versionOf(s contract.Secret) string {
	var parts []string
	if s.Version != nil {
		parts = append(parts, strconv.FormatInt(*s.Version, 10))
	}
	if from := s.Source; from != nil {
		switch {
		case from.Service != nil:
			parts = append(parts, "service", from.Service.Ref.ID(), from.Service.Component, from.Service.Name)
		case from.File != "":
			parts = append(parts, "file", from.File)
		default:
			parts = append(parts, "env", from.Env)
		}
	}
	return strings.Join(parts, " ")
}

// decide compares a secret with what is stored of it and returns what to do and the value. Without a version, a source and a
// value the user leaves the secret to orch, whatever is stored. A value that has to be fetched is fetched only if it is needed:
// a repair must not depend on what the worker's environment is today.
func decide(s contract.Secret, stored vault, given string, fetch func() (string, error)) (decision, string, error) {
	current, has := stored[s.Name], stored[s.Name] != ""
	fresh := change
	if !has {
		fresh = makeNew
	}
	switch {
	case has && versionOf(s) == stored[s.Name+versionSuffix], has && s.Version == nil && s.Source == nil && given == "":
		return keepStored, current, nil
	case given != "":
		return fresh, given, nil
	case s.Source != nil:
		value, err := fetch()
		return fresh, value, err
	case !has:
		return makeNew, generate(), nil
	default:
		return keepStored, "", contract.Fail(contract.InvalidInput, "the version of secret %s is %s now, and its new value is missing", s.Name, versionOf(s)).Next("set the write-only value together with its version")
	}
}

// fetch gets a secret's value from where its source says.
func (j *job) fetch(ctx context.Context, s contract.Secret) (string, error) {
	var value string
	var err error
	switch from := s.Source.Service; {
	case from != nil:
		value, err = j.Secret(ctx, from.Ref, from.Component, from.Name)
	case j.resolve == nil:
		err = contract.Fail(contract.Denied, "this worker gives out neither variables nor files")
	default:
		value, err = j.resolve(*s.Source)
	}
	if err == nil && value == "" {
		err = contract.Fail(contract.NotFound, "the source of secret %s is empty", s.Name)
	}
	if err != nil {
		failure := contract.AsFailure(err)
		if failure == nil {
			return "", err
		}
		explained := *failure
		explained.Cause = fmt.Sprintf("secret %s of %s cannot be had: %s", s.Name, j.c.Name, failure.Cause)
		return "", &explained
	}
	return value, nil
}

// generate makes a secret that nobody has to think of.
func generate() string {
	random := make([]byte, 24)
	// crypto/rand never fails on a supported system: it ends the process instead.
	_, _ = rand.Read(random)
	return base64.RawURLEncoding.EncodeToString(random)
}

// blame names the attribute that a secret is given by.
func (j *job) blame(err error, s contract.Secret) error {
	failure := contract.AsFailure(err)
	if failure == nil {
		return err
	}
	failure.Attribute = j.c.InputPath
	if s.Source != nil || j.c.InputPath == "" {
		failure.Attribute = attribute(j.c, "secrets."+s.Name)
	}
	return failure
}
