// Command temporal stands in for the Temporal CLI in the local admin-tools image, because the
// CLI's module cannot be built as a dependency: it needs a nested module that is not published.
// It knows the commands that deploy/temporal uses, with the CLI's names, flags and meaning, and
// refuses all others:
//
//	temporal operator namespace describe --namespace NAME
//	temporal operator namespace create --namespace NAME --retention DURATION
//
// The server's address is that of TEMPORAL_ADDRESS.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
)

const timeout = 10 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(args []string) (err error) {
	if len(args) < 3 || args[0] != "operator" || args[1] != "namespace" || args[2] != "describe" && args[2] != "create" {
		return fmt.Errorf("this stand-in knows only `operator namespace describe` and `operator namespace create`, not %q", strings.Join(args, " "))
	}
	flags := flag.NewFlagSet(strings.Join(args[:3], " "), flag.ContinueOnError)
	namespace := flags.String("namespace", "", "name of the namespace")
	retention := flags.Duration("retention", 72*time.Hour, "how long closed workflows are kept")
	if err := flags.Parse(args[3:]); err != nil {
		return err
	}
	if *namespace == "" || flags.NArg() > 0 {
		return errors.New("pass --namespace NAME and nothing but flags")
	}
	address := os.Getenv("TEMPORAL_ADDRESS")
	if address == "" {
		address = "localhost:7233"
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	service := workflowservice.NewWorkflowServiceClient(conn)
	if args[2] == "describe" {
		return describe(ctx, service, *namespace)
	}
	return create(ctx, service, *namespace, *retention)
}

func describe(ctx context.Context, service workflowservice.WorkflowServiceClient, namespace string) error {
	answer, err := service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("describe namespace %s: %w", namespace, err)
	}
	fmt.Printf("Name       %s\nRetention  %s\n", answer.GetNamespaceInfo().GetName(),
		answer.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
	return nil
}

func create(ctx context.Context, service workflowservice.WorkflowServiceClient, namespace string, retention time.Duration) error {
	_, err := service.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	if err != nil {
		return fmt.Errorf("create namespace %s: %w", namespace, err)
	}
	fmt.Printf("Namespace %s successfully registered.\n", namespace)
	return nil
}
