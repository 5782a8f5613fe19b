package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// GreetingInput is the input attribute of orch_workflow.
type GreetingInput struct {
	Names    []string `json:"names"`
	Language string   `json:"language"`
}

// GreetingResult becomes the result attribute of orch_workflow.
type GreetingResult struct {
	Greetings []string `json:"greetings"`
}

// GreetingWorkflow greets everybody, one activity each. It is deterministic: what touches the world is in activities.
func GreetingWorkflow(ctx workflow.Context, in GreetingInput) (GreetingResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 3},
	})
	var result GreetingResult
	for _, name := range in.Names {
		var greeting string
		if err := workflow.ExecuteActivity(ctx, Greet, in.Language, name).Get(ctx, &greeting); err != nil {
			return GreetingResult{}, err
		}
		result.Greetings = append(result.Greetings, greeting)
	}
	return result, nil
}

var greetings = map[string]string{"": "Hello, %s!", "en": "Hello, %s!", "de": "Hallo, %s!", "fr": "Bonjour, %s !"}

// Greet is an activity: plain Go code, tried again by Temporal when it fails.
func Greet(_ context.Context, language, name string) (string, error) {
	format, ok := greetings[language]
	if !ok {
		// Trying again cannot help.
		return "", temporal.NewNonRetryableApplicationError(fmt.Sprintf("no greeting in language %q", language), "InvalidInput", nil)
	}
	return fmt.Sprintf(format, name), nil
}
