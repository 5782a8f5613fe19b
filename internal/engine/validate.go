package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	// validateSuffix ends the name of the container in which a component's files are tried.
	validateSuffix = "-validate"
	validateLimit  = time.Minute
)

// validate tries the component's files in a container of their own, which has no network, no volume and nothing of the host.
// What the program says of them is the evidence.
func (j *job) validate(ctx context.Context) error {
	return inStep(contract.StepValidate, j.progress.during(ctx, "validating the configuration of "+j.c.Name, func() error {
		return j.tryFiles(ctx)
	}))
}

func (j *job) tryFiles(ctx context.Context) (err error) {
	if err := j.removeTrial(ctx); err != nil {
		return err
	}
	config := containerConfig(j.call)
	config.Cmd, config.ExposedPorts, config.Hostname = slices.Clone(j.c.Reload.Validate), nil, ""
	// Without a component's label it is nobody's container; with the service's it cannot be left behind.
	config.Labels = j.call.Ref.Labels()
	config.Labels[contract.LabelRunID] = j.call.RunID
	all := hostConfig(j.call.Ref, j.c)
	name := j.c.Container + validateSuffix
	made, err := j.api.ContainerCreate(ctx, config,
		&container.HostConfig{NetworkMode: "none", LogConfig: all.LogConfig, Resources: all.Resources}, nil, nil, name)
	if err != nil {
		return j.fail(ctx, err, "create container %s", name)
	}
	defer func() { err = anyOf(err, j.removeLent(ctx, made.ID, name)) }()
	files := newArchive()
	for _, v := range j.c.Volumes {
		files.directory(v.Path, v.UID, v.GID, directoryMode) // in the place of the volume
	}
	for _, f := range j.c.Files {
		files.file(f)
	}
	if err := j.put(ctx, made.ID, name, files); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, validateLimit)
	defer cancel()
	exit, errs := j.api.ContainerWait(waiting, made.ID, container.WaitConditionNextExit)
	if err := j.api.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		failure := j.fail(ctx, err, "start container %s", name)
		if f := contract.AsFailure(failure); f != nil {
			f.Attribute = attribute(j.c, "image")
		}
		return failure
	}
	select {
	case result := <-exit:
		return j.verdict(ctx, made.ID, name, int(result.StatusCode))
	case err := <-errs:
		if waiting.Err() != nil && ctx.Err() == nil {
			return contract.Fail(contract.Unhealthy, "validating the configuration of %s took longer than %s", j.c.Name, validateLimit)
		}
		return j.fail(ctx, err, "watch container %s", name)
	}
}

// verdict is nil for exit code 0, else the failure with what the program said.
func (j *job) verdict(ctx context.Context, id, name string, code int) error {
	if code == 0 {
		return nil
	}
	evidence := j.evidence(ctx, id, &code)
	evidence.Container = name
	failure := contract.Fail(contract.InvalidInput, "%s refuses the configuration: %s", j.c.Name, complaint(evidence))
	if evidence.OOMKilled {
		failure = contract.Fail(contract.Unhealthy, "validating the configuration of %s was killed for running out of memory (limit %s)",
			j.c.Name, memoryText(memoryBytes(j.c)))
	}
	failure.Attribute, failure.Evidence = j.c.Reload.Attribute, evidence
	failure.Hint = "correct the configuration; nothing was changed"
	return failure
}

// complaint is what the program says in the end.
func complaint(evidence *contract.Evidence) string {
	if said := lastError(evidence); said != "" {
		return said
	}
	if len(evidence.Logs) == 0 {
		return "it said nothing"
	}
	return evidence.Logs[len(evidence.Logs)-1]
}

// lastError is what a program that has ended says of it, on one line: the lines from the last one on that begins with "Error".
func lastError(evidence *contract.Evidence) string {
	if evidence == nil {
		return ""
	}
	lines := evidence.Logs
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], "Error") {
			return strings.Join(strings.Fields(strings.Join(lines[i:], " ")), " ")
		}
	}
	return ""
}

// removeTrial removes what a killed validation has left.
func (e *Engine) removeTrialOf(ctx context.Context, r contract.Ref, c contract.Component) (removed bool, err error) {
	name := c.Container + validateSuffix
	found, err := e.inspect(ctx, name)
	if err != nil || found == nil {
		return false, err
	}
	if !r.Owns(found.Config.Labels) {
		return false, notOwned("container", name, "image "+found.Config.Image, found.Config.Labels)
	}
	return true, e.remove(ctx, found.ID, name)
}

func (j *job) removeTrial(ctx context.Context) error {
	_, err := j.removeTrialOf(ctx, j.call.Ref, j.c)
	return err
}

// createFailure explains why a container could not be made: the engine says so when a folder of the host is not there, or when it has
// fewer CPUs.
func (j *job) createFailure(ctx context.Context, err error) error {
	failed := j.fail(ctx, err, "create container %s", j.c.Container)
	failure := contract.AsFailure(failed)
	if failure == nil {
		return failed
	}
	if strings.Contains(failure.Cause, "Range of CPUs") {
		failure.Attribute = attribute(j.c, "cpus")
	}
	for _, m := range j.c.Mounts {
		if strings.Contains(failure.Cause, "source path does not exist") && strings.Contains(failure.Cause+" ", m.Source+" ") {
			return contract.Fail(contract.NotFound, "the folder %s does not exist on the Docker Engine's host", m.Source).On(m.Attribute).Next("make it (`mkdir -p %s`) or correct the path; orch makes no folders on a host", m.Source)
		}
	}
	return failure
}
