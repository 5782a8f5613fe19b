package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	evidenceLines = 30
	evidenceWidth = 500
)

// ended is the failure of a watched container whose end has come in.
func (j *job) ended(ctx context.Context, id string, w watch, result container.WaitResponse) error {
	code, oom := j.exitCode(ctx, id, w, result.StatusCode)
	return j.exited(ctx, id, code, oom)
}

// exited is the failure of a container that ended before it was ready.
func (j *job) exited(ctx context.Context, id string, code int, oom bool) error {
	evidence := j.evidence(ctx, id, &code)
	evidence.OOMKilled = evidence.OOMKilled || oom
	failure := contract.Fail(contract.Unhealthy, "%s exited with code %d before it was ready", j.c.Name, code).Next("the last log lines say why; on_failure = \"keep\" keeps the container for inspection")
	// Some engines start such a container with success, and it says so itself.
	if slices.ContainsFunc(evidence.Logs, func(line string) bool { return strings.HasSuffix(line, ": exec format error") }) {
		failure.Class, failure.Hint = classOf(errors.New("exec format error"))
		failure.Attribute = attribute(j.c, "image")
	}
	if evidence.OOMKilled {
		failure.Cause = fmt.Sprintf("%s was killed for running out of memory before it was ready (limit %s)",
			j.c.Name, memoryText(memoryBytes(j.c)))
		failure.Attribute = attribute(j.c, "memory_mb")
		failure.Hint = "raise memory_mb"
	}
	failure.Evidence = evidence
	return failure
}

// neverReady is the failure of a container that runs and does not answer as it should, when that was waited for long enough.
func (j *job) neverReady(ctx context.Context, id, enough, answer string) error {
	return contract.Fail(contract.Unhealthy, "%s did not become ready %s: last answer: %s", j.c.Name, enough, j.mask(answer)).On(j.c.Probe.Attribute).Next("the last log lines may say why; on_failure = \"keep\" keeps the container for inspection").With(j.evidence(ctx, id, nil))
}

// evidence collects what the container left. Exit code is the watched one where there is one: a container that its restart
// policy has started again reports 0. What cannot be had is left out, it must not hide the failure itself.
func (j *job) evidence(ctx context.Context, id string, code *int) *contract.Evidence {
	evidence := &contract.Evidence{Container: j.c.Container, State: contract.StateMissing}
	if found, err := j.inspect(ctx, id); err == nil && found != nil {
		evidence.Container = strings.TrimPrefix(found.Name, "/")
		evidence.State, evidence.ExitCode = found.State.Status, found.State.ExitCode
		evidence.OOMKilled, evidence.Restarts = found.State.OOMKilled, found.RestartCount
	}
	if code != nil {
		evidence.ExitCode = *code
	}
	stream, err := j.api.ContainerLogs(ctx, id, container.LogsOptions{
		ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(evidenceLines)})
	if err != nil {
		return evidence
	}
	var text bytes.Buffer
	// Whatever was read before the log broke off is evidence all the same.
	_, copyErr := stdcopy.StdCopy(&text, &text, io.LimitReader(stream, maxAnswer))
	if err := anyOf(copyErr, stream.Close()); err != nil {
		j.log.Debug("log of container broke off", "container", j.c.Container, "error", err)
	}
	evidence.Logs = logLines(j.mask(text.String()))
	return evidence
}

func logLines(text string) []string {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-evidenceLines):]
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		if len(line) > evidenceWidth {
			line = line[:evidenceWidth] + "…"
		}
		lines[i] = strings.ToValidUTF8(line, "")
	}
	return lines
}

// mask hides the component's secrets, each line of one that has several, and the shortest, too. It runs on the whole text before
// lines are cut: half a secret is one, too.
func (j *job) mask(text string) string {
	text = contract.Mask(text, j.masked...)
	for _, secret := range j.masked {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}
