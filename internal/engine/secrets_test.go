package engine

import (
	"errors"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func version(n int64) *int64 { return &n }

func TestDecidingAboutASecret(t *testing.T) {
	t.Parallel()
	stored := vault{"password": "stored", "password.version": "1"}
	generated := vault{"password": "stored", "password.version": ""}
	fetched := vault{"password": "stored", "password.version": "1 env KEY"}
	env := &contract.SecretSource{Env: "KEY"}
	cases := []struct {
		reason  string
		version *int64
		source  *contract.SecretSource
		given   string
		stored  vault
		want    decision
		value   string // empty: any generated one
		fails   bool
	}{
		{reason: "nothing is stored and nothing given: one is made up", want: makeNew},
		{reason: "an empty file is no secret", stored: vault{"password": ""}, want: makeNew},
		{reason: "nothing is stored: the given one counts", version: version(1), given: "given", want: makeNew, value: "given"},
		{reason: "the same version: the given value is ignored", version: version(1), given: "given", stored: stored, want: keepStored, value: "stored"},
		{reason: "a read knows no value", version: version(1), stored: stored, want: keepStored, value: "stored"},
		{reason: "left to orch: whatever is stored stays", stored: stored, want: keepStored, value: "stored"},
		{reason: "generated before, still left to orch", stored: generated, want: keepStored, value: "stored"},
		{reason: "a raised version changes it", version: version(2), given: "given", stored: stored, want: change, value: "given"},
		{reason: "the user takes over a generated one", version: version(1), given: "given", stored: generated, want: change, value: "given"},
		{reason: "nothing is stored: it is fetched", source: env, want: makeNew, value: "fetched"},
		{reason: "it was fetched before", version: version(1), source: env, stored: fetched, want: keepStored, value: "stored"},
		{reason: "a raised version fetches it anew", version: version(2), source: env, stored: fetched, want: change, value: "fetched"},
		{reason: "another variable", version: version(1), source: &contract.SecretSource{Env: "OTHER"}, stored: fetched, want: change, value: "fetched"},
		{reason: "a file of that name", version: version(1), source: &contract.SecretSource{File: "KEY"}, stored: fetched, want: change, value: "fetched"},
		{reason: "a source instead of a generated value", source: env, stored: generated, want: change, value: "fetched"},
		{reason: "the request has the last word", source: env, given: "given", want: makeNew, value: "given"},
		{reason: "a raised version needs a value", version: version(2), stored: stored, fails: true},
	}
	for _, tc := range cases {
		fetch := func() (string, error) { return "fetched", nil }
		what, value, err := decide(contract.Secret{Name: "password", Version: tc.version, Source: tc.source}, tc.stored, tc.given, fetch)
		if tc.fails {
			wantFailure(t, err, contract.InvalidInput, "password", "write-only")
			continue
		}
		if err != nil || what != tc.want || (tc.value != "" && value != tc.value) || (tc.value == "" && len(value) < 8) {
			t.Errorf("%s: %v %q, error %v", tc.reason, what, value, err)
		}
	}
}

func (s *service) secretComponent(v *int64, rotation contract.Rotation) contract.Component {
	c := s.component("alpha")
	c.Secrets = []contract.Secret{{Name: "password", UID: 10001, GID: 10001, Mode: 0o400, Version: v, Rotation: rotation, User: "admin"}}
	return c
}

// upWith makes the component with a write-only value, and commits.
func (s *service) upWith(c contract.Component, value string) error {
	s.t.Helper()
	_, err := s.e.Prepare(s.t.Context(), s.call(c), nil)
	must(s.t, err)
	call := s.componentCall(c)
	if value != "" {
		call.Secrets = map[string]string{"password": value}
	}
	if _, err := s.e.Ensure(s.t.Context(), call, nil); err != nil {
		return err
	}
	return s.e.Commit(s.t.Context(), s.call(c))
}

func (s *service) secret() string {
	s.t.Helper()
	value, err := s.e.Secret(s.t.Context(), s.ref, "alpha", "password")
	must(s.t, err)
	return value
}

func TestAGeneratedSecretIsKeptForGood(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.secretComponent(nil, "")
	must(t, s.upWith(c, ""))
	first := s.secret()
	if len(first) != 32 {
		t.Errorf("generated %q", first)
	}
	files, err := s.e.read(t.Context(), c.Container, c.Container, "/run/secrets/password")
	must(t, err)
	if got := files["/run/secrets/password"]; got.UID != 10001 || got.Mode != 0o400 || got.Content != first {
		t.Errorf("file %+v", got)
	}
	changed := edited(c, "two")
	must(t, s.upWith(changed, ""))
	s.noDrift(changed)
	_, err = s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	if got := s.secret(); got != first {
		t.Errorf("secret %q of the destroyed component, want %q", got, first)
	}
	must(t, s.upWith(c, ""))
	if got := s.secret(); got != first {
		t.Errorf("secret %q after the component was made again, want %q", got, first)
	}
	_, err = s.e.Secret(t.Context(), s.ref, "alpha", "token")
	wantFailure(t, err, contract.NotFound, "token", "it has: password")
	_, err = s.e.Secret(t.Context(), s.ref, "beta", "token")
	wantFailure(t, err, contract.NotFound, "beta")
}

func TestARaisedVersionRotatesAndARestoreRotatesBack(t *testing.T) {
	t.Parallel()
	s := newService(t)
	must(t, s.upWith(s.secretComponent(version(1), contract.RotateGrafana), "first-value"))
	if s.secret() != "first-value" || len(s.rotated) != 0 {
		t.Fatalf("secret %q, rotated %q", s.secret(), s.rotated)
	}
	second := s.secretComponent(version(2), contract.RotateGrafana)
	wantFailure(t, s.upWith(second, ""), contract.InvalidInput, "version of secret password is 2")

	// The predecessor was stopped by somebody: it is started to be told.
	must(t, s.api.ContainerStop(t.Context(), second.Container, container.StopOptions{}))
	must(t, s.upWith(second, "second-value"))
	if want := []string{"admin first-value>second-value"}; s.secret() != "second-value" || !slices.Equal(s.rotated, want) {
		t.Fatalf("secret %q, rotated %q", s.secret(), s.rotated)
	}
	if previous, err := s.e.Secret(t.Context(), s.ref, "alpha", "password.previous"); err == nil {
		t.Errorf("the previous value %q is still there after the commit", previous)
	}

	before := s.id(second.Container)
	third := s.secretComponent(version(3), contract.RotateGrafana)
	third.Env = map[string]string{"BOX_EXIT": "1"}
	s.run, s.rotated = "run-3", nil
	wantFailure(t, s.upWith(third, "third-value"), contract.Unhealthy)
	call := s.componentCall(third)
	call.Secrets = map[string]string{"password": "third-value"}
	_, err := s.e.Restore(t.Context(), call)
	must(t, err)
	want := []string{"admin second-value>third-value", "admin third-value>second-value"}
	if s.secret() != "second-value" || !slices.Equal(s.rotated, want) || s.id(second.Container) != before {
		t.Errorf("secret %q, rotated %q", s.secret(), s.rotated)
	}
	s.noDrift(second)
}

func TestASecretThatOnlyTheDataKnowsIsRotatedAfterTheStart(t *testing.T) {
	t.Parallel()
	s := newService(t)
	must(t, s.upWith(s.secretComponent(version(1), contract.RotateGrafana), "first-value"))
	_, err := s.e.Remove(t.Context(), s.call(), nil)
	must(t, err)
	must(t, s.upWith(s.secretComponent(version(2), contract.RotateGrafana), "second-value"))
	if want := []string{"admin first-value>second-value"}; s.secret() != "second-value" || !slices.Equal(s.rotated, want) {
		t.Errorf("secret %q, rotated %q", s.secret(), s.rotated)
	}
}

func TestARefusedRotationChangesNothing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.secretComponent(version(1), contract.RotateGrafana)
	must(t, s.upWith(first, "first-value"))
	before := s.id(first.Container)
	s.run, s.refuse = "run-2", errors.New("not this one")
	second := s.secretComponent(version(2), contract.RotateGrafana)
	if err := s.upWith(second, "second-value"); err == nil {
		t.Fatal("a refused rotation succeeded")
	}
	_, err := s.e.Restore(t.Context(), s.componentCall(second))
	must(t, err)
	if s.secret() != "first-value" || s.id(first.Container) != before {
		t.Errorf("secret %q", s.secret())
	}
	s.noDrift(first)
}

func TestASecretInAFileAloneIsReplacedAndRestored(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.secretComponent(version(1), "")
	must(t, s.upWith(first, "first-value"))
	second := s.secretComponent(version(2), "")
	call := s.componentCall(second)
	call.RunID, call.Secrets = "run-2", map[string]string{"password": "second-value"}
	_, err := s.e.Ensure(t.Context(), call, nil)
	must(t, err)
	if s.secret() != "second-value" {
		t.Errorf("secret %q", s.secret())
	}
	_, err = s.e.Restore(t.Context(), call)
	must(t, err)
	if s.secret() != "first-value" || len(s.rotated) != 0 {
		t.Errorf("secret %q, rotated %q", s.secret(), s.rotated)
	}
}

// file is what stands in the component's secrets volume under a name.
func (s *service) file(c contract.Component, name string) contract.File {
	s.t.Helper()
	at := contract.SecretsPath + "/" + name
	files, err := s.e.read(s.t.Context(), c.Container, c.Container, at)
	must(s.t, err)
	return files[at]
}

func TestARenderedSecretFollowsItsValueAndIsRotatedAtItsOwnPort(t *testing.T) {
	t.Parallel()
	s := newService(t)
	component := func(v int64) contract.Component {
		c := s.secretComponent(version(v), contract.RotateGrafana)
		c.Ports = append(c.Ports, contract.Port{Name: "bolt", Container: 7687, Bind: "127.0.0.1"})
		c.Secrets[0].Port = "bolt"
		c.Secrets[0].Rendered = &contract.Rendered{Name: "alpha_auth", Format: "neo4j/%s"}
		return c
	}
	check := func(when, value string) {
		t.Helper()
		if got := s.file(component(1), "alpha_auth"); s.secret() != value || got.Content != "neo4j/"+value || got.UID != 10001 || got.Mode != 0o400 {
			t.Errorf("%s: value %q, rendered %+v", when, s.secret(), got)
		}
	}
	must(t, s.upWith(component(1), "first-value"))
	check("first", "first-value")
	bolt, err := s.e.Address(t.Context(), s.ref, "alpha", "bolt")
	must(t, err)
	must(t, s.upWith(component(2), "second-value"))
	check("rotated", "second-value")
	if s.rotatedAt != "http://"+bolt {
		t.Errorf("rotated at %s, want port bolt at %s", s.rotatedAt, bolt)
	}

	third := component(3)
	call := s.componentCall(third)
	call.RunID, call.Secrets = "run-3", map[string]string{"password": "third-value"}
	_, err = s.e.Ensure(t.Context(), call, nil)
	must(t, err)
	check("before the commit", "third-value")
	_, err = s.e.Restore(t.Context(), call)
	must(t, err)
	check("restored", "second-value")
	want := []string{"admin first-value>second-value", "admin second-value>third-value", "admin third-value>second-value"}
	if !slices.Equal(s.rotated, want) {
		t.Errorf("rotated %q", s.rotated)
	}
	if s.rotatedAt == "http://"+bolt || s.rotatedAt == "" {
		t.Errorf("rotated back at %q", s.rotatedAt)
	}
	s.noDrift(component(2))
}

func TestARenderedSecretInAFileAloneIsWrittenForOneThatWasStoredBefore(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.secretComponent(nil, "")
	must(t, s.upWith(c, ""))
	c.Secrets[0].Rendered = &contract.Rendered{Name: "box.yaml", Format: "api_key: %q\n"}
	must(t, s.upWith(c, ""))
	if got := s.file(c, "box.yaml").Content; got != "api_key: \""+s.secret()+"\"\n" {
		t.Errorf("rendered %q", got)
	}
	c.Secrets[0].Version = version(1)
	must(t, s.upWith(c, "my-own-value"))
	if got := s.file(c, "box.yaml").Content; got != "api_key: \"my-own-value\"\n" {
		t.Errorf("rendered %q after the rotation", got)
	}
}

func TestASecretOfAnotherServiceIsReadWhetherItRunsOrNot(t *testing.T) {
	t.Parallel()
	s, reader := newService(t), newService(t)
	c := s.secretComponent(version(1), "")
	must(t, s.upWith(c, "the-value"))
	read := func(r contract.Ref) (string, error) { return reader.e.Secret(t.Context(), r, "alpha", "password") }
	for _, stop := range []bool{false, true} {
		if stop {
			must(t, s.api.ContainerStop(t.Context(), c.Container, container.StopOptions{}))
		}
		if value, err := read(s.ref); err != nil || value != "the-value" {
			t.Errorf("stopped %v: value %q, error %v", stop, value, err)
		}
	}
	_, err := read(reader.ref)
	wantFailure(t, err, contract.NotFound, "alpha", reader.ref.ID())
}

func TestASecretIsFetchedFromItsSourceWhenItIsNeeded(t *testing.T) {
	t.Parallel()
	other, s := newService(t), newService(t)
	database := other.secretComponent(nil, "")
	other.up(database)
	made, err := other.e.Secret(t.Context(), other.ref, "alpha", "password")
	must(t, err)

	environment := map[string]string{"KEY": "from the environment"}
	asked := 0
	s.e.resolve = func(source contract.SecretSource) (string, error) {
		asked++
		if value := environment[source.Env]; value != "" {
			return value, nil
		}
		return "", contract.Fail(contract.NotFound, "the environment variable %s is not set where the worker runs", source.Env)
	}
	stored := func(want string) {
		t.Helper()
		if got, err := s.e.Secret(t.Context(), s.ref, "alpha", "password"); err != nil || got != want {
			t.Errorf("stored %q, want %q, error %v", got, want, err)
		}
	}
	c := s.secretComponent(nil, "")
	c.InputPath = ""
	c.Secrets[0].Source = &contract.SecretSource{Env: "KEY"}
	s.up(c)
	stored("from the environment")
	delete(environment, "KEY")
	must(t, s.api.ContainerRemove(t.Context(), c.Container, container.RemoveOptions{Force: true}))
	s.up(c)
	stored("from the environment")
	if asked != 1 {
		t.Errorf("the worker's environment was asked %d times", asked)
	}

	c.Secrets = slices.Clone(c.Secrets)
	c.Secrets[0].Version = version(2)
	if drift := s.observe(c).Drifted(); len(drift) != 1 {
		t.Errorf("drift %q", drift)
	}
	s.run = "run-2"
	_, err = s.ensure(c)
	wantFailure(t, err, contract.NotFound, "secret password of alpha", "KEY is not set", "secrets.password")
	_, err = s.e.Restore(t.Context(), s.componentCall(c))
	must(t, err)
	stored("from the environment")

	c.Secrets[0].Source = &contract.SecretSource{Service: &contract.SecretRef{Ref: other.ref, Component: "alpha", Name: "password"}}
	s.up(c)
	stored(made)
	s.noDrift(c)
	c.Secrets = slices.Clone(c.Secrets)
	c.Secrets[0].Source = &contract.SecretSource{Service: &contract.SecretRef{Ref: other.ref, Component: "alpha", Name: "nothing"}}
	_, err = s.ensure(c)
	wantFailure(t, err, contract.NotFound, "secret password of alpha", `no secret "nothing"`, "secrets.password")
}
