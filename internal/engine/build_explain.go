package engine

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// buildCause recognises why a build failed by the engine's message, in the words of the classic builder and of BuildKit.
type buildCause struct {
	pattern   *regexp.Regexp
	attribute string
	// cause and hint may use $1, $2 … of the pattern, and $dockerfile for the path of the Dockerfile.
	cause, hint string
}

// buildCauses are what the user's files do wrong, tried in order.
var buildCauses = []buildCause{
	{regexp.MustCompile(`(?i)dockerfile parse error(?: on)? line (\d+): (.+)`), "build.dockerfile",
		"$dockerfile has an error in line $1: $2", "correct line $1 of $dockerfile"},
	{regexp.MustCompile(`(?i)file with no instructions|the Dockerfile \(.*\) cannot be empty|no build stage in current context`), "build.dockerfile",
		"$dockerfile is no Dockerfile: $0", "a Dockerfile begins with FROM"},
	{regexp.MustCompile(`The command '(.+)' returned a non-zero code: (\d+)`), "build.dockerfile", runCause, runHint},
	{regexp.MustCompile(`process "(.+)" did not complete successfully: exit code: (\d+)`), "build.dockerfile", runCause, runHint},
	{regexp.MustCompile(`executor failed running \[(.+)\]: .*?exit code: (\d+)`), "build.dockerfile", runCause, runHint},
	{regexp.MustCompile(`(?:COPY|ADD) failed: (?:.*?: )?(?:stat |no source files were specified: )?(\S+): (?:file does not exist|no such file or directory)`), "build.context",
		"$dockerfile copies $1, which is not in the build context", copyHint},
	{regexp.MustCompile(`failed to (?:compute cache key|calculate checksum of ref).*"([^"]+)":? not found`), "build.context",
		"$dockerfile copies $1, which is not in the build context", copyHint},
	{regexp.MustCompile(`target stage "?([^" ]*)"? could not be found|failed to reach build target (\S+) in Dockerfile`), "build.target",
		"$dockerfile has no stage $1$2", "name a stage of $dockerfile: FROM … AS <name>"},
	{regexp.MustCompile(`(?i)cannot locate specified Dockerfile|failed to read dockerfile`), "build.dockerfile",
		"the build context has no $dockerfile", "name the Dockerfile by its path within the context"},
	{regexp.MustCompile(`(?i)\S+(?: option)? requires BuildKit`), "build.dockerfile",
		"$dockerfile needs BuildKit, and the Docker Engine builds with the classic builder: $0",
		"use an engine with BuildKit, unset DOCKER_BUILDKIT in the worker's environment, or do without"},
}

const (
	runCause = "command `$1` of $dockerfile ended with exit code $2"
	runHint  = "the last lines of the build's log say why; 137 means that it was killed, mostly for want of memory"
	copyHint = "paths are relative to the context; a file that .dockerignore lists is not in it"
)

var (
	// fetchFailed recognises a Git repository that the engine could not fetch.
	fetchFailed = regexp.MustCompile(`(?i)error fetching|failed to fetch remote|git fetch|git (?:init|clone|checkout)|unable to prepare context|could not read from remote|remote ref|does not contain ref`)
	// baseImage and fromLine find the image that a FROM names in a message or in a log.
	baseImage    = regexp.MustCompile(`(?:load metadata for|pull access denied for|manifest for|resolve source metadata for|resolve image config for) "?([^\s,"]+)`)
	fromLine     = regexp.MustCompile(`(?i)(?:\]|:) FROM (?:--\S+ )?(\S+)`)
	noSuchImage  = regexp.MustCompile(`(?i)pull access denied|manifest (?:for \S+ )?(?:not found|unknown)|repository does not exist|name unknown|: not found$|insufficient_scope`)
	aboutAnImage = regexp.MustCompile(`(?i)load metadata|pull access denied|manifest|/v2/|source metadata|image config|failed to do request|failed to authorize|docker-image://`)
)

// engineStopped recognises that nobody has called a build off but the engine, which stops or is restarted.
var engineStopped = regexp.MustCompile(`context canceled|code = (?:Canceled|Unavailable)|transport is closing`)

// onlyClassic recognises what a BuildKit cannot do and the classic builder can: work without a session, and, before engine
// 23.0, build a folder of a Git repository.
var onlyClassic = regexp.MustCompile(`no active session|subdir not supported`)

// explain turns the engine's message into a failure, or nil when it knows no cause.
func (b *imageBuild) explain(message string, log []string) *contract.StepFailure {
	c := b.call.Component
	var failure *contract.StepFailure
	if b.open == nil && fetchFailed.MatchString(message) {
		failure = explainFetch(c, message, log)
	} else {
		failure = explainFiles(c, message)
	}
	switch {
	case failure != nil:
	case strings.Contains(message, "no space left on device"):
		class, hint := classOf(errors.New(message))
		failure = contract.Fail(class, "image %s cannot be built, the Docker Engine's disk is full: %s", c.Image, message)
		failure.Hint = hint
	case engineStopped.MatchString(message):
		failure = contract.Fail(contract.Unavailable, "image %s was not built to the end, the Docker Engine has given it up: %s", c.Image, message)
	case aboutAnImage.MatchString(message), noSuchImage.MatchString(message):
		failure = explainBase(c, message, log)
	default:
		return nil
	}
	failure.Evidence = &contract.Evidence{Logs: log}
	return failure
}

func explainFiles(c contract.Component, message string) *contract.StepFailure {
	for _, known := range buildCauses {
		match := known.pattern.FindStringSubmatchIndex(message)
		if match == nil {
			continue
		}
		fill := func(template string) string {
			template = strings.ReplaceAll(template, "$dockerfile", dockerfile(c))
			return string(known.pattern.ExpandString(nil, template, message, match))
		}
		failure := contract.Fail(contract.InvalidInput, "%s", fill(known.cause))
		failure.Attribute, failure.Hint = attribute(c, known.attribute), fill(known.hint)
		return failure
	}
	return nil
}

// explainFetch is about a context that is a Git repository.
func explainFetch(c contract.Component, message string, log []string) *contract.StepFailure {
	// BuildKit's message holds git's exit status alone; what git said is in the log.
	class, text := contract.InvalidInput, strings.ToLower(message+"\n"+strings.Join(log, "\n"))
	switch {
	case strings.Contains(text, "authentication failed"), strings.Contains(text, "permission denied"), strings.Contains(text, "could not read username"):
		class = contract.Denied
	case strings.Contains(text, "repository not found"), strings.Contains(text, "remote ref"), strings.Contains(text, "does not contain ref"), strings.Contains(text, "did not match any"), strings.Contains(text, "' not found"):
		class = contract.NotFound
	case strings.Contains(text, "could not resolve host"), strings.Contains(text, "unable to access"), strings.Contains(text, "connect to"), strings.Contains(text, "timed out"):
		class = contract.Unavailable
	}
	return contract.Fail(class, "the Docker Engine cannot fetch the build context %s: %s", c.Build.Context, message).On(attribute(c, "build.context")).Next("%s", "the engine itself fetches the repository: check from its host with `git ls-remote "+strings.SplitN(c.Build.Context, "#", 2)[0]+"`")
}

// explainBase is about an image that the Dockerfile needs.
func explainBase(c contract.Component, message string, log []string) *contract.StepFailure {
	name := "that it is built from"
	// The message comes last: where it names the image, that is the one.
	for _, line := range append(slices.Clone(log), message) {
		for _, pattern := range []*regexp.Regexp{fromLine, baseImage} {
			if match := pattern.FindStringSubmatch(line); match != nil {
				name = strings.TrimSuffix(match[1], ":")
			}
		}
	}
	class, hint := classOf(errors.New(message))
	if noSuchImage.MatchString(message) {
		class, hint = contract.NotFound, ""
	}
	what := "cannot be pulled"
	if class == contract.NotFound {
		what = fmt.Sprintf("does not exist in registry %s, or it needs a login", registryHost(name))
	}
	failure := contract.Fail(class, "image %s cannot be built: base image %s %s: %s", c.Image, name, what, message)
	failure.Attribute, failure.Hint = attribute(c, "build.dockerfile"), hint
	if hint == "" {
		failure.Hint = "check the FROM lines; without a registry, load the base image into the engine first (`docker load`), or set image instead of build"
	}
	return failure
}
