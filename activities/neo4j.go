package activities

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/config"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// neo4jPassword is the input attribute of the password.
const neo4jPassword = "neo4j.password_wo"

// Codes of Neo4j's errors that mean something of their own here.
const (
	neo4jUnauthorized = "Neo.ClientError.Security.Unauthorized"
	// neo4jRateLimit comes after three wrong passwords, for the right one too, and passes after five seconds.
	neo4jRateLimit  = "Neo.ClientError.Security.AuthenticationRateLimit"
	neo4jNoDatabase = "Neo.ClientError.Database.DatabaseUnavailable"
	// The beginnings of what passes, and of what the request itself is to blame for.
	neo4jTransient = "Neo.TransientError."
	neo4jClient    = "Neo.ClientError."
)

// systemDatabase is where Neo4j keeps its users.
const systemDatabase = "system"

// neo4jServer is a Neo4j and a login to it.
type neo4jServer struct{ address, user, password string }

// RotateNeo4jPassword changes the password of secret.User in a running Neo4j from one value to another: its image reads the
// password file only while the database is empty. The host and port of baseURL are those of Bolt. It is idempotent: when
// the new password works already, nothing is done.
func RotateNeo4jPassword(ctx context.Context, baseURL string, secret contract.Secret, from, to string) error {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" {
		return contract.Fail(contract.Internal, "%q is no address of a Neo4j", baseURL)
	}
	if from == to {
		return nil // Neo4j refuses to change a password to itself
	}
	// The old one first: it is the right one in all runs but a repeated one, and Neo4j counts wrong passwords.
	old := neo4jServer{address: u.Host, user: secret.User, password: from}
	_, err = old.run(ctx, systemDatabase, "ALTER CURRENT USER SET PASSWORD FROM $old TO $new", map[string]any{"old": from, "new": to})
	if classOf(err) != contract.Denied {
		return blameNeo4j(err)
	}
	changed := neo4jServer{address: u.Host, user: secret.User, password: to}
	if err = changed.login(ctx); classOf(err) != contract.Denied {
		return err
	}
	return contract.Fail(contract.Denied, "Neo4j refuses the stored password of %q, so it cannot be changed", secret.User).On(neo4jPassword).Next("somebody changed it outside orch: set it back with ALTER USER in Neo4j, then apply again")
}

// blameNeo4j names the attribute when Neo4j does not take the new password.
func blameNeo4j(err error) error {
	failure := contract.AsFailure(err)
	if failure != nil && failure.Class == contract.InvalidInput {
		failure.Attribute = neo4jPassword
		failure.Cause = "Neo4j refuses the new password: " + failure.Cause
	}
	return err
}

// login only tries whether the password is right.
func (n neo4jServer) login(ctx context.Context) error {
	return n.connect(ctx, func(ctx context.Context, driver neo4j.DriverWithContext) error { return driver.VerifyConnectivity(ctx) })
}

// run sends one statement and returns its rows. An empty database is the user's home database.
func (n neo4jServer) run(ctx context.Context, database, statement string, params map[string]any) (rows []map[string]any, err error) {
	err = n.connect(ctx, func(ctx context.Context, driver neo4j.DriverWithContext) error {
		session := driver.NewSession(ctx, neo4j.SessionConfig{DatabaseName: database})
		// The answer is complete by then: nothing can be lost by closing.
		defer func() { _ = session.Close(ctx) }()
		result, err := session.Run(ctx, statement, params)
		if err != nil {
			return err
		}
		records, err := result.Collect(ctx)
		for _, record := range records {
			rows = append(rows, record.AsMap())
		}
		return err
	})
	return rows, err
}

// connect does one thing in a connection of its own.
func (n neo4jServer) connect(ctx context.Context, do func(context.Context, neo4j.DriverWithContext) error) error {
	driver, err := neo4j.NewDriverWithContext("bolt://"+n.address, neo4j.BasicAuth(n.user, n.password, ""), func(c *config.Config) {
		c.MaxConnectionPoolSize = 1
		c.SocketConnectTimeout = 5 * time.Second
		c.TelemetryDisabled = true
		c.UserAgent = "orch"
	})
	if err != nil {
		return contract.Fail(contract.Internal, "neo4j driver: %v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	defer func() { _ = driver.Close(ctx) }()
	if err := do(ctx, driver); err != nil {
		return n.classify(err)
	}
	return nil
}

func (n neo4jServer) classify(err error) error {
	var said *neo4j.Neo4jError
	if !errors.As(err, &said) {
		return contract.Fail(contract.Unavailable, "neo4j at bolt://%s does not answer: %v", n.address, err)
	}
	told := fmt.Sprintf("%s (%s)", said.Msg, said.Code)
	switch {
	case said.Code == neo4jUnauthorized:
		return contract.Fail(contract.Denied, "it refuses the stored password of %q: %s", n.user, told).On(neo4jPassword).Next("somebody changed it outside orch: set it back with ALTER USER in Neo4j, then apply again")
	case said.Code == neo4jRateLimit:
		return contract.Fail(contract.Unavailable, "neo4j at bolt://%s has locked %q for some seconds after wrong passwords: %s", n.address, n.user, told)
	case strings.HasPrefix(said.Code, neo4jTransient) || said.Code == neo4jNoDatabase:
		return contract.Fail(contract.Unavailable, "neo4j at bolt://%s is not ready: %s", n.address, told)
	case strings.HasPrefix(said.Code, neo4jClient):
		return contract.Fail(contract.InvalidInput, "%s", told)
	default:
		return contract.Fail(contract.Unhealthy, "%s", told)
	}
}
