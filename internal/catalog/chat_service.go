package catalog

import (
	"maps"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// ChatName is the component of orch_chat_service that runs the application.
const ChatName = "chat"

// ChatNeo4jSecret is the file, under contract.SecretsPath, that the application finds Neo4j's password in.
const ChatNeo4jSecret = "neo4j_password"

// Variables that tell the application where its Neo4j is.
const (
	EnvNeo4jURI          = "NEO4J_URI"
	EnvNeo4jUser         = "NEO4J_USER"
	EnvNeo4jPasswordFile = "NEO4J_PASSWORD_FILE"
)

// ChatServiceInput is the input of orch_chat_service as written: nil where an attribute is absent.
type ChatServiceInput struct {
	ServiceInput
	Neo4j      *ChatNeo4jInput  `json:"neo4j"`
	Cloudflare *CloudflareInput `json:"cloudflare"`
}

// ChatNeo4jInput configures the service's own Neo4j, or names the one to use.
type ChatNeo4jInput struct {
	Neo4jInput
	// Enabled is false where the application uses no Neo4j.
	Enabled *bool `json:"enabled"`
	// PipelineID is the id of the orch_database_pipeline whose Neo4j is used.
	PipelineID *string `json:"pipeline_id"`
}

// CloudflareInput tells what must be as described before anything is built.
type CloudflareInput struct {
	TokenVersion *int64      `json:"token_wo_version"`
	Token        *TokenInput `json:"token"`
	APIURL       *string     `json:"api_url"`
	AccountID    *string     `json:"account_id"`
	Zone         *string     `json:"zone"`
	Record       *string     `json:"record"`
	// RecordContent is what the record must point to.
	RecordContent *string `json:"record_content"`
	Tunnel        *string `json:"tunnel"`
}

// TokenInput is a reference that the worker resolves.
type TokenInput struct {
	Env  *string `json:"env"`
	File *string `json:"file"`
}

// ChatService runs a chat application with the Neo4j that it remembers conversations in.
var ChatService = Pipeline[ChatServiceInput]{
	Kind:           contract.ChatService,
	Message:        "chat_setup_complete",
	CleanupMessage: "chat_cleanup_complete",
	Retry:          ChatRetry,
	Minimal:        minimalService,
	Shared:         func(in ChatServiceInput) Shared { return in.Shared },
	Components:     chatComponents,
	Recorded: func(in ChatServiceInput) ChatServiceInput {
		in.ServiceInput = in.recorded()
		return in
	},
	Cloudflare: func(in ChatServiceInput) *contract.CloudflareCheck { return in.Cloudflare.check() },
	Endpoints: func(ref contract.Ref, in ChatServiceInput) map[string]string {
		endpoints := serviceEndpoints(ref, ChatName, in.ServiceInput)
		if in.ownNeo4j() {
			maps.Copy(endpoints, neo4jEndpoints(ref, in.reachable(), orZero(in.Neo4j).Neo4jInput))
		}
		return endpoints
	},
	Check: checkChat,
}

func chatComponents(ref contract.Ref, in ChatServiceInput) []contract.Component {
	var components []contract.Component
	database := orZero(in.Neo4j)
	chat := service(ref, ChatName, in.ServiceInput)
	switch {
	case in.ownNeo4j():
		components = append(components, neo4j(ref, database.Neo4jInput))
		chat.DependsOn = []string{Neo4jName}
		// With another version the password is another one, so it is read again.
		connect(&chat, ref, Neo4jName, database.PasswordVersion)
	case database.PipelineID != nil:
		// What cannot be read has been refused by the check.
		other, _ := contract.ParseID(*database.PipelineID)
		chat.Joins = addJoin(chat.Joins, ref, other, ChatName)
		connect(&chat, other, other.Alias(Neo4jName), nil)
	}
	return append(components, chat)
}

// ownNeo4j reports whether the service has a Neo4j of its own.
func (in ChatServiceInput) ownNeo4j() bool {
	database := orZero(in.Neo4j)
	return or(database.Enabled, true) && database.PipelineID == nil
}

// connect tells the application where its Neo4j is and gives it the password, unless the user tells something else.
func connect(chat *contract.Component, owner contract.Ref, host string, version *int64) {
	env := map[string]string{
		EnvNeo4jURI: "bolt://" + host + ":7687", EnvNeo4jUser: Neo4jUser, EnvNeo4jPasswordFile: contract.SecretsPath + "/" + ChatNeo4jSecret,
	}
	maps.Copy(env, chat.Env)
	chat.Env = env
	for _, s := range chat.Secrets {
		if s.Name == ChatNeo4jSecret {
			return
		}
	}
	chat.Secrets = append(chat.Secrets, contract.Secret{
		Name: ChatNeo4jSecret, Mode: 0o444, Version: version,
		Source: &contract.SecretSource{Service: &contract.SecretRef{Ref: owner, Component: Neo4jName, Name: Neo4jPasswordSecret}},
	})
}

func (c *CloudflareInput) check() *contract.CloudflareCheck {
	if c == nil {
		return nil
	}
	token := orZero(c.Token)
	return &contract.CloudflareCheck{
		BaseURL: strings.TrimSuffix(or(c.APIURL, ""), "/"), Token: contract.SecretSource{Env: or(token.Env, ""), File: or(token.File, "")},
		AccountID: or(c.AccountID, ""), Zone: or(c.Zone, ""), Record: or(c.Record, ""), RecordContent: or(c.RecordContent, ""), Tunnel: or(c.Tunnel, ""),
	}
}
