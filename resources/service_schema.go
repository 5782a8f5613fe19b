package resources

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

var (
	noNulls    = []validator.List{listvalidator.NoNullValues()}
	noNullsSet = []validator.Set{setvalidator.NoNullValues()}
	noNullsMap = []validator.Map{mapvalidator.NoNullValues()}
)

// serviceSchema are the attributes of every service of any image; component is the name of the one that runs it.
func serviceSchema(component string, kind contract.Kind) map[string]schema.Attribute {
	alias := contract.NewRef(kind, "", "app").Alias(component)
	return map[string]schema.Attribute{
		"image": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: "Image to run, for example `ghcr.io/example/app:1.4.2`. Either this or `build` must be set. Default: none, then `build` is set.",
		},
		"build": buildSchema(),
		"context_hash": schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "Digest of what the image was built from, by the names, permissions and content of the files. Unknown in a plan that builds " +
				"anew; null with `image`, and with a Git repository, whose content only the Docker Engine sees.",
		},
		"entrypoint": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, Validators: noNulls,
			MarkdownDescription: "Replaces the image's ENTRYPOINT. Default: the image's.",
		},
		"command": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, Validators: noNulls,
			MarkdownDescription: "Replaces the image's CMD, for example `[\"serve\", \"--port\", \"8080\"]`. Default: the image's.",
		},
		"env": schema.MapAttribute{
			Optional: true, ElementType: types.StringType, Validators: noNullsMap,
			MarkdownDescription: "Environment variables. They are no place for secrets: everybody with access to the Docker Engine can read them. A value that is " +
				"the address of another service, such as `orch_database_pipeline.app.endpoints[\"neo4j_bolt_internal\"]`, also joins that service's network. " +
				"Default: none.",
		},
		"secrets": serviceSecretsSchema(),
		"ports":   portsSchema(alias),
		"volumes": volumesSchema(),
		"networks": schema.SetAttribute{
			Optional: true, ElementType: types.StringType, Validators: noNullsSet,
			MarkdownDescription: fmt.Sprintf("Services whose networks the container joins, by their `id` or one of their endpoints that end in `_internal`, for "+
				"example `[orch_database_pipeline.app.id]`. There it is called `%s`, and on its own network `%s` as well. They must be in the same scope "+
				"and on the same Docker Engine. Default: only those of the addresses in `env`.", alias, component),
		},
		"memory_mb": schema.Int64Attribute{
			Optional: true,
			MarkdownDescription: fmt.Sprintf("Most memory that the container can use, in MiB, at least %d. With a limit, running out of memory is told as such. "+
				"Default: no limit.", catalog.MinMemoryMB),
		},
		"cpus": schema.Float64Attribute{
			Optional:            true,
			MarkdownDescription: "Most CPU time that the container can use, in CPUs, for example `0.5`. Default: no limit.",
		},
		"restart": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Docker's restart policy: `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:<times>`. " +
				fmt.Sprintf("Default: `%s`.", catalog.DefaultRestart),
		},
		"user": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "User that the process runs as, for example `1000:1000`. New volumes belong to it when it is a number. " +
				"Default: the image's.",
		},
		"read_only": schema.BoolAttribute{
			Optional:            true,
			MarkdownDescription: "Whether the container's root file system is read-only; volumes and `tmpfs` are not. Default: `false`.",
		},
		"tmpfs": schema.SetAttribute{
			Optional: true, ElementType: types.StringType, Validators: noNullsSet,
			MarkdownDescription: "Folders of the container that are kept in memory, for example `[\"/tmp\"]`. Default: none.",
		},
		"stop_timeout": schema.Int64Attribute{
			Optional: true,
			MarkdownDescription: fmt.Sprintf("Seconds that the process has between SIGTERM and SIGKILL when its container is stopped. Default: `%d`.",
				catalog.DefaultStopTimeout),
		},
		"health": healthSchema(),
		"update": updateSchema(),
	}
}

func buildSchema() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Build of the image, where none exists. The image is built when its context, Dockerfile, target or arguments have changed, and " +
			"removed with the service. Default: `image` is run.",
		Attributes: map[string]schema.Attribute{
			"context": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "Folder to build from, for example `\"${path.module}/app\"`, or the URL of a Git repository, for example " +
					"`https://example.com/app.git#v1.4.2:docker`. A folder is read where Terraform runs, and again by the worker, which must have the same " +
					"content at the same path; `.dockerignore` is honoured. A plan warns of the files that changed, so list there what changes by itself, such as " +
					"Terraform's own `.terraform` and `*.tfstate*`. A Git repository is fetched by the Docker Engine, whose host must have the login where one is " +
					"needed: a URL with a login in it is refused. That a branch has moved on is not noticed, so name a tag or commit.",
			},
			"dockerfile": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: fmt.Sprintf("Path of the Dockerfile within the context. Default: `%s`.", catalog.DefaultDockerfile),
			},
			"target": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty},
				MarkdownDescription: "Stage of the Dockerfile to build. Default: the last.",
			},
			"args": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, Validators: noNullsMap,
				MarkdownDescription: "Build arguments. They are no place for secrets: the history of the image shows them. Default: none.",
			},
		},
	}
}

func serviceSecretsSchema() schema.Attribute {
	sibling := func(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Required: true, MarkdownDescription: description}
	}
	return schema.MapNestedAttribute{
		Optional: true, Validators: noNullsMap,
		MarkdownDescription: fmt.Sprintf("Files with secrets, by name: the process finds each at `%s/<name>`, readable for every user of the container. Where a value "+
			"comes from is one of `value_wo`, `env`, `file` and `service`; without any, one is generated and kept. Many images take the path of such a file in a "+
			"variable whose name ends in `_FILE`. Default: none.", contract.SecretsPath),
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"value_wo": schema.StringAttribute{
				Optional: true, Sensitive: true, WriteOnly: true, Validators: []validator.String{notEmpty, stringvalidator.AlsoRequires(sibling("value_wo_version"))},
				MarkdownDescription: "The value. It is stored neither in plan nor in state, and travels to the worker encrypted. Needs `value_wo_version`. Default: none.",
			},
			"value_wo_version": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0), int64validator.AlsoRequires(sibling("value_wo"))},
				MarkdownDescription: "Version of `value_wo`, any number. Raise it to have a changed value applied.",
			},
			"env": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Variable of the worker's environment that holds the value. The worker must be allowed to pass it on (`--secret-env`). Default: none.",
			},
			"file": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "File on the worker's host that holds the value, as an absolute path. The worker must be allowed to pass it on (`--secret-file`). Default: none.",
			},
			"service": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "Secret of another service on the same Docker Engine, for example the password of a database. Default: none.",
				Attributes: map[string]schema.Attribute{
					"id":        text("`id` of the service, for example `orch_database_pipeline.app.id`."),
					"component": text("Component that the secret belongs to, for example `neo4j`."),
					"name":      text("Name of the secret, for example `password` of `neo4j` or `api_key` of `qdrant`."),
				},
			},
			"version": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0)},
				MarkdownDescription: "Version of what `env`, `file` or `service` refers to, any number. Raise it to have the value read again. Default: none.",
			},
		}},
	}
}

func portsSchema(alias string) schema.Attribute {
	return schema.MapNestedAttribute{
		Optional: true, Validators: noNullsMap,
		MarkdownDescription: fmt.Sprintf("Ports that the process listens on, by a name of your own, for example `http`. Each is an endpoint `<name>_internal` for "+
			"containers of other services, such as `http://%s:8080`, and with a fixed host port also an endpoint `<name>`. Default: none.", alias),
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"container": schema.Int64Attribute{
				Required:            true,
				MarkdownDescription: "Port within the container.",
			},
			"host": schema.Int64Attribute{
				Optional: true,
				MarkdownDescription: "Fixed port of the Docker host, on `bind_address`. It cannot be taken over without a gap when the container is replaced. " +
					"Default: none; the port is reached from containers, and by the health check.",
			},
			"protocol": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: fmt.Sprintf("`%s` or `%s`. Default: `%s`.", catalog.ProtocolTCP, catalog.ProtocolUDP, catalog.ProtocolTCP),
			},
			"scheme": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("Scheme of the port's endpoints, for example `bolt`. Default: `%s`, and `%s` for that protocol.",
					catalog.DefaultScheme, catalog.ProtocolUDP),
			},
		}},
	}
}

func volumesSchema() schema.Attribute {
	return schema.MapNestedAttribute{
		Optional: true, Validators: noNullsMap,
		MarkdownDescription: "Volumes by name. They survive updates, and the service unless `delete_volumes` is true. While one is written to, an update " +
			"stops the old container before it starts the new one. Default: none.",
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"path": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Folder within the container, for example `/data`.",
			},
			"read_only": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Whether the container can only read it. Default: `false`.",
			},
			"external": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether it is a volume of just this name that exists already and is never deleted. Default: `false`, a volume of the service's " +
					"own, named after it.",
			},
		}},
	}
}

func healthSchema() schema.Attribute {
	text := func(what string, def fmt.Stringer) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: fmt.Sprintf("%s Default: `%s`.", what, def)}
	}
	port := schema.StringAttribute{Required: true, MarkdownDescription: "Name of the port, as in `ports`."}
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "How to find out that the service is ready: one of `http`, `tcp` and `image`. It decides when a setup is finished, when a new container " +
			"takes over, and whether the service is degraded. A container that ends is never waited for. Default: it is ready once it has stayed up for a moment.",
		Attributes: map[string]schema.Attribute{
			"http": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "A GET request whose answer must have a status from 200 to 299. Redirects are not followed. Default: none.",
				Attributes: map[string]schema.Attribute{
					"port": port,
					"path": schema.StringAttribute{
						Optional:            true,
						MarkdownDescription: fmt.Sprintf("Path to ask for, for example `/health`. Default: `%s`.", catalog.DefaultProbePath),
					},
				},
			},
			"tcp": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "A connection, which needs no answer. Default: none.",
				Attributes:          map[string]schema.Attribute{"port": port},
			},
			"image": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Whether the image's own HEALTHCHECK decides, at its own intervals and with its own retries. Default: `false`.",
			},
			"interval": text("Time between two attempts, for example `500ms`.", catalog.DefaultInterval),
			"timeout":  text("How long an answer may take.", catalog.DefaultAttempt),
			"start_period": text("How long after the start attempts may fail without counting. The first good answer ends it.",
				catalog.DefaultStartPeriod),
			"retries": schema.Int64Attribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("How many attempts in a row must fail, after the start period, until the service is given up. Default: `%d`.",
					catalog.DefaultRetries),
			},
		},
	}
}

func updateSchema() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How a new container takes over from the old one. Default: all defaults of its attributes.",
		Attributes: map[string]schema.Attribute{
			"order": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("`%s` starts the new container beside the old one, which it follows when it is healthy: clients that use its name see "+
					"no gap. `%s` stops the old one first, and starts it again when the new one does not become healthy. Default: `%s`, but `%s` with a fixed "+
					"host port or a volume that is written to.", catalog.StartFirst, catalog.StopFirst, catalog.StartFirst, catalog.StopFirst),
			},
			"drain_seconds": schema.Int64Attribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("How many seconds the old container goes on, for those who are connected to it, after the new one has taken over its "+
					"names, 2 at least. Default: `%d`.", catalog.DefaultDrain),
			},
		},
	}
}

// chatSchema are the attributes that only a chat service has.
func chatSchema() map[string]schema.Attribute {
	database, ok := neo4jSchema().(schema.SingleNestedAttribute)
	if !ok {
		panic("resources: neo4jSchema is not a nested attribute") // met by every test
	}
	database.MarkdownDescription = fmt.Sprintf("Neo4j that the application remembers conversations in: the service's own, or another's. The application finds it in the "+
		"variables `%s`, `%s` and `%s`, and its password in the file `%s/%s`, unless `env` or `secrets` say otherwise. Default: its own, with all defaults of its attributes.",
		catalog.EnvNeo4jURI, catalog.EnvNeo4jUser, catalog.EnvNeo4jPasswordFile, contract.SecretsPath, catalog.ChatNeo4jSecret)
	database.Attributes = merged(database.Attributes, map[string]schema.Attribute{
		"enabled": schema.BoolAttribute{
			Optional: true, MarkdownDescription: "Whether the application uses a Neo4j. Default: `true`.",
		},
		"pipeline_id": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "`id` of the `orch_database_pipeline` whose Neo4j is used instead of an own one. Its network is joined and its password is used; " +
				"nothing else can be set then. Default: an own Neo4j.",
		},
	})
	return map[string]schema.Attribute{"neo4j": database, "cloudflare": cloudflareSchema()}
}

func cloudflareSchema() schema.Attribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: description}
	}
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "What Cloudflare must have before anything is built or started: it is looked at with every setup and never changed. " +
			"Default: Cloudflare is not asked.",
		Attributes: merged(secretAttributes("token", "API token with the permissions to read what is verified.", "Default: `token`."), map[string]schema.Attribute{
			"token": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "Where the worker finds the API token: `env` or `file`. Default: `token_wo`.",
				Attributes: map[string]schema.Attribute{
					"env":  text("Variable of the worker's environment. The worker must be allowed to pass it on (`--secret-env`). Default: none."),
					"file": text("File on the worker's host, as an absolute path. The worker must be allowed to pass it on (`--secret-file`). Default: none."),
				},
			},
			"account_id":     text("ID of the account. Needed for tokens that belong to an account, and for `tunnel`. Default: none."),
			"zone":           text("Domain name whose zone must be active, for example `example.com`. Default: no zone is looked at."),
			"record":         text("DNS name in the zone that must exist, for example `chat.example.com`. Default: no record is looked at."),
			"record_content": text("What the record must point to. Default: anything."),
			"tunnel":         text("Name or ID of a tunnel that must have a connection. Default: no tunnel is looked at."),
			"api_url":        text("Address of the API, for a proxy or a test. Default: Cloudflare's own."),
		}),
	}
}
