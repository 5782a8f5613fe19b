package main

import (
	"reflect"
	"testing"

	"go.temporal.io/sdk/testsuite"
)

func TestGreetingWorkflow(t *testing.T) {
	cases := []struct {
		name  string
		input GreetingInput
		want  []string
		fails bool
	}{
		{"two names", GreetingInput{Names: []string{"Ada", "Grace"}, Language: "de"}, []string{"Hallo, Ada!", "Hallo, Grace!"}, false},
		{"nobody", GreetingInput{}, nil, false},
		{"unknown language", GreetingInput{Names: []string{"Ada"}, Language: "xx"}, nil, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			env.RegisterActivity(Greet)
			env.ExecuteWorkflow(GreetingWorkflow, c.input)
			if failed := env.GetWorkflowError() != nil; failed != c.fails {
				t.Fatalf("error %v, want one: %v", env.GetWorkflowError(), c.fails)
			}
			if c.fails {
				return
			}
			var got GreetingResult
			if err := env.GetWorkflowResult(&got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Greetings, c.want) {
				t.Errorf("got %q, want %q", got.Greetings, c.want)
			}
		})
	}
}
