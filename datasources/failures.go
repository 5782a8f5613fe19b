package datasources

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// addFailure reports that something could not be read, on the attribute to blame where there is one.
func addFailure(diags *diag.Diagnostics, what string, err error, attribute ...string) {
	line, _, _ := strings.Cut(err.Error(), "\n")
	var step *runner.StepError
	if errors.As(err, &step) && step.Failure.Step != "" {
		line = "step " + step.Failure.Step + " failed" // the cause opens the detail
	}
	summary := "Cannot read " + what + ": " + strings.TrimSpace(line)
	if len(attribute) > 0 {
		diags.AddAttributeError(path.Root(attribute[0]), summary, sentence(runner.Detail(err)))
		return
	}
	diags.AddError(summary, sentence(runner.Detail(err)))
}

// sentence begins with a capital, unless it begins with a name, and keeps links whole: Terraform wraps lines that do not
// begin with a space.
func sentence(text string) string {
	if word, _, _ := strings.Cut(text, " "); !strings.ContainsAny(word, "_.") {
		first, size := utf8.DecodeRuneInString(text)
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if !strings.HasSuffix(text, ".") && !strings.Contains(text, "\n") {
		text += "."
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.Contains(line, "://") && !strings.HasPrefix(line, " ") {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}
