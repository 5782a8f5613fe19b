package devserver

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	// clusterName is written into the database file and must never change.
	clusterName = "active"
	storeName   = "sqlite"
	// memoryLimit keeps the garbage collector from letting a mostly idle server grow; live data stays well below it.
	memoryLimit = 512 << 20
)

// services lists the parts of the server in the order of their ports.
var services = []primitives.ServiceName{
	primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
}

func serverOptions(o Options, db *config.SQL, quiet *atomic.Bool) ([]temporal.ServerOption, error) {
	internal, err := internalPorts(o.IP, o.Port, len(services)-1)
	if err != nil {
		return nil, err
	}
	ports := append([]int{o.Port}, internal...)
	conf := serverConfig(o, db)
	hosts := make(map[primitives.ServiceName]static.Hosts, len(services))
	for i, name := range services {
		conf.Services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: ports[i], BindOnIP: o.IP}}
		hosts[name] = static.SingleLocalHost(hostPort(o.IP, ports[i]))
	}
	opts := []temporal.ServerOption{
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(serverLogger{o.Logger.With("component", "temporal-server"), quiet}),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithDynamicConfigClient(dynamicConfig()),
	}
	if o.OnStart != nil {
		opts = append(opts, temporal.WithChainedFrontendGrpcInterceptors(startInterceptor(o.OnStart)))
	}
	return opts, nil
}

func serverConfig(o Options, db *config.SQL) *config.Config {
	conf := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     storeName,
			VisibilityStore:  storeName,
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{storeName: {SQL: db}},
		},
		// The cluster ID is left out: the server makes one for a new database and reads it from an existing one.
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: hostPort(o.IP, o.Port)},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: hostPort(o.IP, o.Port)},
		Services:            map[string]config.Service{},
	}
	conf.Global.Membership = config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: o.IP}
	conf.Archival.History.State = "disabled"
	conf.Archival.Visibility.State = "disabled"
	conf.NamespaceDefaults.Archival.History.State = "disabled"
	conf.NamespaceDefaults.Archival.Visibility.State = "disabled"
	return conf
}

func dynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// A server with one shard polls its task queues at most 20 times a second by default, so every hop of a workflow would
		// cost 50 ms.
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   1000,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      1000,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 1000,
		dynamicconfig.EnableActivityEagerExecution.Key():  true,
		// Setup, update and cleanup of a service share one workflow ID and may follow each other within a second.
		dynamicconfig.WorkflowIdReuseMinimalInterval.Key(): time.Duration(0),
		// The checks of the status workflows list a lot; the default of 10 per second is meant for shared clusters.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
		dynamicconfig.EnableServerVersionCheck.Key():                     false,
		// The default caches are sized for a cluster: these keep the process small next to the pipelines it starts.
		dynamicconfig.HistoryCacheSizeBasedLimit.Key():        true,
		dynamicconfig.HistoryCacheHostLevelMaxSizeBytes.Key(): 64 << 20,
		dynamicconfig.EventsHostLevelCacheMaxSizeBytes.Key():  32 << 20,
		// One process needs one partition: with more, a poller may wait on another one than the task is in.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
	}
}

// limitMemory sets a soft limit on the heap, unless the user has set one by GOMEMLIMIT.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// newServer builds the server. The server panics through its logger on some settings it does not like.
func newServer(opts []temporal.ServerOption) (s temporal.Server, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("build the embedded Temporal server: %v", r)
		}
	}()
	return temporal.NewServer(opts...)
}
