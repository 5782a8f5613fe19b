package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	control "github.com/moby/buildkit/api/services/control"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// maxLogText is how much of the end of a build's log is kept.
const maxLogText = evidenceLines * evidenceWidth

// buildStep recognises a step of the Dockerfile in the words of either builder: "Step 2/3 : RUN make", "[2/3] RUN make",
// "[build 2/3] RUN make".
var buildStep = regexp.MustCompile(`^(?:Step \d+/\d+ : |\[(?:\S+ )?\d+/\d+\] )`)

// transport are BuildKit's names for the arrival of the context, which say nothing to a person.
var transport = map[string]bool{"[internal] load remote build context": true, "copy /context /": true}

// colour is what the classic builder paints error output with.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// buildLog reads the stream of a build: the classic builder's lines, or BuildKit's records.
type buildLog struct {
	progress Progress
	image    string
	masked   job
	text     strings.Builder
	started  map[string]bool
}

func newBuildLog(progress Progress, call contract.ComponentCall) *buildLog {
	l := &buildLog{progress: progress, image: call.Component.Image, started: map[string]bool{}}
	for _, value := range call.Secrets {
		l.masked.masked = append(l.masked.masked, value)
	}
	return l
}

// buildMessage is one message of the stream.
type buildMessage struct {
	ID     string          `json:"id"`
	Stream string          `json:"stream"`
	Status string          `json:"status"`
	Aux    json.RawMessage `json:"aux"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
}

// read reads the stream to its end and returns the engine's reason when the build has failed: the answer begins with success
// in any case.
func (l *buildLog) read(stream io.Reader) (refusal string, err error) {
	decoder := json.NewDecoder(stream)
	for {
		var message buildMessage
		switch err := decoder.Decode(&message); {
		case errors.Is(err, io.EOF):
			return refusal, nil
		case err != nil && refusal != "":
			return refusal, nil
		case err != nil:
			return "", fmt.Errorf("read the progress of the build: %w", err)
		}
		switch {
		case message.Error != nil:
			refusal = l.masked.mask(strings.Join(strings.Fields(message.Error.Message), " "))
		case message.Stream != "":
			l.write(message.Stream)
			l.step(strings.TrimSpace(message.Stream))
		case message.ID == "moby.buildkit.trace":
			l.trace(message.Aux)
		case message.Status != "" && message.ID == "":
			l.write(message.Status + "\n")
		}
	}
}

// trace takes a record of BuildKit. One that cannot be read costs log lines, not the build.
func (l *buildLog) trace(aux json.RawMessage) {
	var raw []byte
	var status control.StatusResponse
	if json.Unmarshal(aux, &raw) != nil || status.Unmarshal(raw) != nil {
		return
	}
	for _, v := range status.Vertexes {
		if v.Started != nil && !l.started[v.Digest.String()] {
			l.started[v.Digest.String()] = true
			if !transport[v.Name] {
				l.write(v.Name + "\n")
			}
			l.step(v.Name)
		}
		if v.Error != "" {
			l.write("ERROR: " + v.Error + "\n")
		}
	}
	for _, line := range status.Logs {
		l.write(string(line.Msg))
	}
}

func (l *buildLog) step(line string) {
	if buildStep.MatchString(line) {
		l.progress.tell("building image %s: %s", l.image, l.masked.mask(line))
	}
}

// write keeps the end of the log. Secrets are masked before anything is cut off.
func (l *buildLog) write(text string) {
	l.text.WriteString(text)
	if kept := l.text.String(); len(kept) > 4*maxLogText {
		kept = l.masked.mask(kept)
		l.text.Reset()
		l.text.WriteString(kept[max(0, len(kept)-maxLogText):])
	}
}

func (l *buildLog) lines() []string {
	return logLines(colour.ReplaceAllString(l.masked.mask(l.text.String()), ""))
}
