package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Error is a call that did not succeed, or of which that is not known.
type Error struct {
	// Platform is its name, for example "Fly.io".
	Platform     string
	Method, Path string
	// Status is HTTP's; 0 when there was no answer.
	Status int
	// Code is the platform's own word for what is wrong, where it has one.
	Code string
	// Message is what the platform said.
	Message string
	// RequestID names the request to the platform's support.
	RequestID string
	// RetryAfter is how long the platform asks to wait; 0 when it does not.
	RetryAfter time.Duration
	// Ambiguous says that the call would have changed something, and may have: look before making it again.
	Ambiguous bool
	// Cause is why there was no answer, or none that can be read.
	Cause error
	// Class and Hint are for platforms whose status says nothing, such as those that answer every failure with 200.
	Class contract.ErrorClass
	Hint  string

	hide string
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s: ", e.Platform, e.Method, e.Path)
	switch {
	case e.Status == 0:
		fmt.Fprintf(&b, "no answer: %v", e.Cause)
	case e.Cause != nil:
		fmt.Fprintf(&b, "status %d, and an answer that cannot be read: %v", e.Status, e.Cause)
	case e.Status < http.StatusMultipleChoices:
		b.WriteString("refused") // with a status that says the opposite, as GraphQL has it
	default:
		fmt.Fprintf(&b, "%d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	if e.hide == "" {
		return b.String()
	}
	return strings.ReplaceAll(b.String(), e.hide, "***")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// IsStatus reports that err is an answer with one of these statuses.
func IsStatus(err error, statuses ...int) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	for _, status := range statuses {
		if e.Status == status {
			return true
		}
	}
	return false
}

// CodeOf is the platform's own word for what is wrong; empty where it has none.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// IsAmbiguous reports that the call that err is about may have been carried out.
func IsAmbiguous(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Ambiguous
}

// Failure is the error as a step's failure.
func (e *Error) Failure() *contract.StepFailure {
	failure := contract.Fail(e.class(), "%s", e.Error()).Next("%s", e.Hint)
	switch e.Status {
	case http.StatusUnauthorized:
		failure.Hint = "check the token of " + e.Platform + ": it may be wrong, expired, or of a kind that cannot do this"
	case http.StatusForbidden:
		failure.Hint = "the token of " + e.Platform + " is known and not allowed to do this"
	}
	if e.redirected() {
		failure.Hint = "name what it leads to: what is asked for was renamed or moved, or the base URL of " + e.Platform + " is not the one that answers"
	}
	return failure
}

// redirected reports that the answer points elsewhere. Nobody follows it: a POST would come there as a GET.
func (e *Error) redirected() bool {
	return e.Status >= http.StatusMultipleChoices && e.Status < http.StatusBadRequest
}

func (e *Error) class() contract.ErrorClass {
	switch {
	case e.Class != "":
		return e.Class
	case e.Status == 0, e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooManyRequests, e.Status >= http.StatusInternalServerError,
		e.Status == http.StatusForbidden && e.RetryAfter > 0:
		return contract.Unavailable
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusPaymentRequired, e.Status == http.StatusForbidden:
		return contract.Denied
	case e.Status == http.StatusNotFound, e.Status == http.StatusGone:
		return contract.NotFound
	case e.Status == http.StatusConflict:
		return contract.Conflict
	case e.Status >= http.StatusMultipleChoices:
		return contract.InvalidInput
	default:
		return contract.Internal
	}
}
