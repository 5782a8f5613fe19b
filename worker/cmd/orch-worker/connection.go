package main

import (
	"github.com/spf13/pflag"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker"
)

// connectionFlags says where Temporal is. What is not given comes from the TEMPORAL_* environment, then from the profile.
type connectionFlags struct {
	address, namespace, apiKey, profile, configFile, keyFile string
}

func (f *connectionFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.address, "address", "", "`host:port` of the Temporal frontend (TEMPORAL_ADDRESS; default 127.0.0.1:7233)")
	flags.StringVar(&f.namespace, "namespace", "", "Temporal `namespace` (TEMPORAL_NAMESPACE; default \"default\")")
	flags.StringVar(&f.apiKey, "api-key", "", "Temporal API `key`; better set TEMPORAL_API_KEY, which other users of this host cannot see")
	flags.StringVar(&f.profile, "profile", "", "`name` of the profile to use, which may hold certificates (TEMPORAL_PROFILE; default \"default\")")
	flags.StringVar(&f.configFile, "config-file", "", "`file` with profiles (TEMPORAL_CONFIG_FILE; default temporalio/temporal.toml in the user's configuration directory)")
	flags.StringVar(&f.keyFile, "encryption-key-file", "", "`file` with the keys that secrets travel under; the provider needs the same (ORCH_ENCRYPTION_KEY_FILE)")
}

func (f *connectionFlags) connection() worker.Connection {
	return worker.Connection{
		Address: f.address, Namespace: f.namespace, APIKey: f.apiKey,
		Profile: f.profile, ConfigFile: f.configFile, EncryptionKeyFile: f.keyFile,
	}
}

// queueFlags names the queues that a command is about.
type queueFlags struct {
	serviceNames, taskQueues []string
}

func (f *queueFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.serviceNames, "service-name", nil, "`name` of a service, whose queue is NAME-queue (repeatable)")
	flags.StringArrayVar(&f.taskQueues, "task-queue", nil, "`name` of a task queue (repeatable)")
}

// queues lists the names of the queues.
func (f *queueFlags) queues() ([]string, error) {
	var queues []string
	for _, name := range f.serviceNames {
		if err := contract.ValidateServiceName(name); err != nil {
			return nil, err
		}
		queues = append(queues, contract.TaskQueue(name))
	}
	return append(queues, f.taskQueues...), nil
}
