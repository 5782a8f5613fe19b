package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// pattern recognises a failure by its message: the engine reports many of them as a plain internal error.
type pattern struct {
	text  string // in lower case
	class contract.ErrorClass
	hint  string
}

// patterns are tried in order, before the status that the engine answered with.
var patterns = []pattern{
	{"permission denied while trying to connect to the docker daemon", contract.Denied,
		"let the worker's user use the Docker Engine (group docker), or set DOCKER_HOST to an engine it may use"},
	{"client version", contract.InvalidInput, "unset DOCKER_API_VERSION, or use Docker Engine 20.10 or newer"},

	{"port is already allocated", contract.Conflict, ""},
	{"address already in use", contract.Conflict, ""},
	{"failed to bind host port", contract.Conflict, ""},
	{"ports are not available", contract.Conflict, ""},
	{"cannot assign requested address", contract.InvalidInput,
		"bind_address must be an address of the Docker Engine's host, see `ip address`"},
	{"non-overlapping ipv4 address pool", contract.Conflict,
		"the engine has no addresses left for another network: `docker network prune`"},
	{"all predefined address pools have been fully subnetted", contract.Conflict,
		"the engine has no addresses left for another network: `docker network prune`"},

	{"has active endpoints", contract.Unavailable,
		"the engine still counts a container on the network; where there is none any more it has lost count, and a restart of the engine helps"},

	{"exec format error", contract.InvalidInput, "the image is made for another processor architecture"},
	{"executable file not found", contract.InvalidInput, "the image has no such program: check image and command"},
	{"no such file or directory: unknown", contract.InvalidInput, "the image has no such program: check image and command"},

	{"unable to find user", contract.InvalidInput, "the image has no such user: name one of its own, or give a number"},
	{"unable to find group", contract.InvalidInput, "the image has no such group: name one of its own, or give a number"},

	{"no space left on device", contract.Unavailable, "free space on the engine's disk: `docker system df`"},

	{"invalid reference format", contract.InvalidInput, "an image is written [host/]repository[:tag][@digest]"},
	{"toomanyrequests", contract.Unavailable, "the registry limits pulls: log in with `docker login`, or set registry_mirror"},
	{"manifest unknown", contract.NotFound, ""},
	{"no matching manifest", contract.NotFound, ""},
	{"repository does not exist", contract.NotFound, ""},
	{"name unknown", contract.NotFound, ""},
	{"unauthorized", contract.Denied, hintLogin},
	{"authentication required", contract.Denied, hintLogin},
	{"no basic auth credentials", contract.Denied, hintLogin},
	{"requested access to the resource is denied", contract.Denied, hintLogin},
	{"403 forbidden", contract.Denied, hintLogin},
	{"401 unauthorized", contract.Denied, hintLogin},

	{"no such host", contract.Unavailable, ""},
	{"server misbehaving", contract.Unavailable, ""},
	{"connection refused", contract.Unavailable, ""},
	{"connection reset", contract.Unavailable, ""},
	{"network is unreachable", contract.Unavailable, ""},
	{"no route to host", contract.Unavailable, ""},
	{"i/o timeout", contract.Unavailable, ""},
	{"handshake timeout", contract.Unavailable, ""},
	{"request canceled while waiting for connection", contract.Unavailable, ""},
	{"x509:", contract.Unavailable, ""},
	{"unexpected eof", contract.Unavailable, ""},
}

const hintLogin = "run `docker login` for the registry as the worker's user, and check that the account may pull the image"

// classOf says what kind of failure an error of the Docker SDK is, and what to do next where that is plain.
func classOf(err error) (contract.ErrorClass, string) {
	text := strings.ToLower(err.Error())
	for _, p := range patterns {
		// "connection refused" and the like mean the engine, not a registry, when the connection itself failed.
		if p.class == contract.Unavailable && client.IsErrConnectionFailed(err) {
			break
		}
		if strings.Contains(text, p.text) {
			return p.class, p.hint
		}
	}
	switch {
	case client.IsErrConnectionFailed(err):
		return contract.Unavailable, ""
	case errdefs.IsNotFound(err):
		return contract.NotFound, ""
	case errdefs.IsConflict(err), errdefs.IsAlreadyExists(err):
		return contract.Conflict, ""
	case errdefs.IsInvalidArgument(err):
		return contract.InvalidInput, ""
	case errdefs.IsPermissionDenied(err), errdefs.IsUnauthorized(err):
		return contract.Denied, ""
	default:
		// An engine that stops or is restarted breaks answers off in many ways; all of them pass.
		return contract.Unavailable, ""
	}
}

// fail turns an error met while doing something into a StepFailure. It leaves StepFailures as they are, and prefers the
// context's own error, which no retry or class may hide.
func (e *Engine) fail(ctx context.Context, err error, doing string, args ...any) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	known := contract.AsFailure(err)
	if known != nil {
		return known
	}
	class, hint := classOf(err)
	if client.IsErrConnectionFailed(err) && class == contract.Unavailable {
		return contract.Fail(contract.Unavailable, "the Docker Engine at %s does not answer: %s", e.api.DaemonHost(), oneLine(err)).Next("check it with `DOCKER_HOST=%s docker info` on the worker's host", e.api.DaemonHost())
	}
	return contract.Fail(class, "%s: %s", fmt.Sprintf(doing, args...), oneLine(err)).Next("%s", hint)
}

// oneLine is the message of err without the phrase that the SDK puts before each of them, on one line.
func oneLine(err error) string {
	text := strings.TrimPrefix(err.Error(), "Error response from daemon: ")
	return strings.Join(strings.Fields(text), " ")
}

// anyOf returns the first error that says something, for calls that go on after one.
func anyOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
