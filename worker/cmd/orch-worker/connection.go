package main

import (
	"errors"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/worker"
)

// connectionFlags says where Temporal is. What is not given comes from the TEMPORAL_* environment, then from the profile.
type connectionFlags struct {
	address, namespace, apiKey, profile, configFile, keyFile string

	tls    optionalBool
	files  worker.TLS
	header map[string]string
}

// optionalBool is a flag that can be left out, which leaves the decision to environment and profile.
type optionalBool struct{ set, value bool }

func (b *optionalBool) String() string { return "" }
func (b *optionalBool) Type() string   { return "bool" }
func (b *optionalBool) Set(text string) (err error) {
	b.set = true
	b.value, err = strconv.ParseBool(text)
	return err
}

func (f *connectionFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.address, "address", "", "`host:port` of the Temporal frontend (TEMPORAL_ADDRESS; default 127.0.0.1:7233)")
	flags.StringVar(&f.namespace, "namespace", "", "Temporal `namespace` (TEMPORAL_NAMESPACE; default \"default\")")
	flags.StringVar(&f.apiKey, "api-key", "", "Temporal API `key`; better set TEMPORAL_API_KEY, which other users of this host cannot see")
	flags.StringVar(&f.profile, "profile", "", "`name` of the profile to use, which may hold certificates (TEMPORAL_PROFILE; default \"default\")")
	flags.StringVar(&f.configFile, "config-file", "", "`file` with profiles (TEMPORAL_CONFIG_FILE; default temporalio/temporal.toml in the user's configuration directory)")
	flags.Var(&f.tls, "tls", "connect with TLS, with the system's certificate authorities; =false connects without (TEMPORAL_TLS)")
	flags.Lookup("tls").NoOptDefVal = "true"
	flags.StringVar(&f.files.CACertFile, "tls-ca-cert-file", "", "PEM `file` with the authorities that the server's certificate must come from (TEMPORAL_TLS_SERVER_CA_CERT_PATH)")
	flags.StringVar(&f.files.ClientCertFile, "tls-client-cert-file", "", "PEM `file` with the client's certificate, for mutual TLS (TEMPORAL_TLS_CLIENT_CERT_PATH)")
	flags.StringVar(&f.files.ClientKeyFile, "tls-client-key-file", "", "PEM `file` with its key (TEMPORAL_TLS_CLIENT_KEY_PATH)")
	flags.StringVar(&f.files.ServerName, "tls-server-name", "", "`name` that the server's certificate must have, when it is not the host of --address (TEMPORAL_TLS_SERVER_NAME)")
	flags.StringToStringVar(&f.header, "header", nil, "`NAME=VALUE` sent with every call, for a gateway before Temporal (repeatable; TEMPORAL_GRPC_META_NAME)")
	flags.StringVar(&f.keyFile, "encryption-key-file", "", "`file` with the keys that secrets travel under; the provider needs the same (ORCH_ENCRYPTION_KEY_FILE)")
}

// check refuses what contradicts itself.
func (f *connectionFlags) check() error {
	switch {
	case (f.files.ClientCertFile == "") != (f.files.ClientKeyFile == ""):
		return errors.New("--tls-client-cert-file and --tls-client-key-file belong together; pass both or neither")
	case f.tls.set && !f.tls.value && f.files != (worker.TLS{}):
		return errors.New("--tls=false and certificates contradict each other; leave out one of them")
	default:
		return nil
	}
}

func (f *connectionFlags) connection() (worker.Connection, error) {
	if err := f.check(); err != nil {
		return worker.Connection{}, err
	}
	c := worker.Connection{
		Address: f.address, Namespace: f.namespace, APIKey: f.apiKey,
		Profile: f.profile, ConfigFile: f.configFile, EncryptionKeyFile: f.keyFile, Headers: f.header, Flags: true,
	}
	if f.tls.set || f.files != (worker.TLS{}) {
		files := f.files
		files.Disabled = f.tls.set && !f.tls.value
		c.TLS = &files
	}
	return c, nil
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
