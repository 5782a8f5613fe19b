// Command terraform-provider-orch is the Terraform provider: it serves package provider to the Terraform CLI.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/temporal-orchestrator/terraform-provider-orch/provider"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger and print the TF_REATTACH_PROVIDERS value to use")
	flag.Parse()
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/temporal-orchestrator/orch",
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
