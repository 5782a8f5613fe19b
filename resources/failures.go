package resources

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// Detail is the text of a diagnostic about err: what the runner's errors tell at length, else the error as a sentence.
func Detail(err error) string {
	var detailed runner.Detailed
	if errors.As(err, &detailed) {
		return unwrapped(capitalized(detailed.Detail()))
	}
	return Sentence(err.Error())
}

// unwrapped indents the paragraphs that hold a link: Terraform wraps lines that do not begin with a space, and a link in
// two pieces cannot be followed.
func unwrapped(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if strings.Contains(p, "://") {
			paragraphs[i] = indent(strings.Split(p, "\n"))
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// Sentence makes an error text a sentence: "no such file" becomes "No such file.".
func Sentence(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?:\n") {
		return capitalized(text)
	}
	return capitalized(text) + "."
}

// capitalized leaves names as they are: service_name begins no sentence with a capital.
func capitalized(text string) string {
	if word, _, _ := strings.Cut(text, " "); strings.ContainsAny(word, "_.") {
		return text
	}
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// addFailure reports a failed operation, on the attribute to blame where there is one.
func addFailure(diags *diag.Diagnostics, verb, address string, err error) {
	what := strings.TrimPrefix(firstLine(err), "cannot "+verb+": ")
	var step *runner.StepError
	if errors.As(err, &step) && step.Failure.Step != "" {
		what = "step " + step.Failure.Step + " failed" // the cause opens the detail
	}
	summary := fmt.Sprintf("Cannot %s %s: %s", verb, address, what)
	if step != nil && step.Failure.Attribute != "" {
		diags.AddAttributeError(attributePath(step.Failure.Attribute), summary, Detail(err))
		return
	}
	diags.AddError(summary, Detail(err))
}

// firstLine keeps a summary on one line, whatever an error's text is made of.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSpace(line)
}

// addDetached warns that an operation goes on without Terraform. An error would taint what is being made.
func addDetached(diags *diag.Diagnostics, operation, address string, err error) {
	diags.AddWarning(fmt.Sprintf("The %s of %s goes on without Terraform", operation, address), Detail(err)+"\n\n"+
		"The state says status = \"in_progress\". The next plan or apply shows how it ended.")
}

// addAdoption warns that a create has made nothing.
func addAdoption(diags *diag.Diagnostics, address string, adopted *contract.Adoption) {
	if adopted == nil {
		return
	}
	diags.AddWarning("Adopted "+address+", which existed already",
		fmt.Sprintf("Everything was there with the same input, made on %s by run %s. It is managed by this configuration now; if another "+
			"configuration manages it too, give one of them another scope or service_name.",
			adopted.Created.UTC().Format(time.RFC3339), adopted.RunID))
}

// addKeptVolumes warns about data that outlives its service.
func addKeptVolumes(diags *diag.Diagnostics, address string, volumes []string) {
	if len(volumes) == 0 {
		return
	}
	diags.AddWarning(fmt.Sprintf("The volumes of %s were kept", address),
		"A service of the same name will find its data in them. To have them deleted with the service, set delete_volumes = true before "+
			"it is destroyed. To delete them now, run on the Docker host:\n  docker volume rm "+strings.Join(volumes, " "))
}

// addKeptImages warns about images that were built for a service and that somebody else uses.
func addKeptImages(diags *diag.Diagnostics, address string, images []string) {
	if len(images) == 0 {
		return
	}
	diags.AddWarning(fmt.Sprintf("Images that were built for %s were kept", address),
		"Somebody else uses them:\n  "+strings.Join(images, "\n  ")+"\nRemove them with `docker image rm` when they are not needed any more.")
}

// attributePath is where a diagnostic about a dotted attribute such as "loki.port" points. It stops at the first name,
// because Terraform cannot find the line of an attribute inside of another, and would quote the resource's first line.
func attributePath(attribute string) path.Path {
	first, _, _ := strings.Cut(attribute, ".")
	return path.Root(first)
}

// asWritten is a dotted attribute in Terraform's form: "prometheus.scrape_targets.0.targets" becomes
// "prometheus.scrape_targets[0].targets".
func asWritten(attribute string) string {
	parts := strings.Split(attribute, ".")
	written := parts[0]
	for _, part := range parts[1:] {
		if _, err := strconv.Atoi(part); err == nil {
			written += "[" + part + "]"
		} else {
			written += "." + part
		}
	}
	return written
}

// indent puts each line on a line of its own.
func indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") }

// list joins names as a person would: "loki", "loki and grafana", "collector, loki and grafana".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// operationName is a noun for what is being done to a service.
func operationName(op contract.Operation) string {
	switch op {
	case contract.OpCreate:
		return "creation"
	case contract.OpUpdate:
		return "update"
	case contract.OpDelete:
		return "removal"
	case contract.OpStatus:
		return "inspection"
	case contract.OpConverge:
		return "setup by another client"
	default:
		return string(op)
	}
}

func link(run runner.Run) string {
	if run.WebUIURL == "" {
		return ""
	}
	return "\n\n  " + run.WebUIURL
}

// detached reports that the operation goes on without this process, because on_interrupt asks for that.
func detached(err error) bool {
	end, ok := ending(err)
	return ok && end.Detached
}

// ending is what became of a run that was not waited for until its end.
func ending(err error) (runner.Ending, bool) {
	var interrupted *runner.InterruptedError
	var late *runner.TimeoutError
	var unknown *runner.UnknownStartError
	switch {
	case errors.As(err, &unknown):
		// As with a run that was left running on purpose: what it makes must be in the state.
		return runner.Ending{Detached: true}, true
	case errors.As(err, &interrupted):
		return interrupted.Ending, true
	case errors.As(err, &late):
		return late.Ending, true
	default:
		return runner.Ending{}, false
	}
}

// nothingLeft reports that it is certain that a failed operation has left nothing behind that was not there before.
func nothingLeft(err error) bool {
	var step *runner.StepError
	var noWorker *runner.NoWorkerError
	var task *runner.WorkflowTaskError
	var inFlight *runner.InFlightError
	if end, ok := ending(err); ok {
		return end.Clean || end.NeverStarted
	}
	switch {
	case errors.As(err, &step):
		return step.Failure.Clean
	case errors.As(err, &noWorker):
		return noWorker.Terminated
	case errors.As(err, &task):
		return task.Terminated
	default:
		return errors.As(err, &inFlight)
	}
}
