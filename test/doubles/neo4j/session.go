package neo4j

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/neo4j/bolt"
)

// Messages of Bolt 5.
const (
	msgHello     = 0x01
	msgGoodbye   = 0x02
	msgReset     = 0x0F
	msgRun       = 0x10
	msgBegin     = 0x11
	msgCommit    = 0x12
	msgRollback  = 0x13
	msgDiscard   = 0x2F
	msgPull      = 0x3F
	msgTelemetry = 0x54
	msgRoute     = 0x66
	msgLogon     = 0x6A
	msgLogoff    = 0x6B
	msgSuccess   = 0x70
	msgRecord    = 0x71
	msgIgnored   = 0x7E
	msgFailure   = 0x7F
)

// session is one Bolt connection with the state of the protocol.
type session struct {
	server *Server
	log    *slog.Logger
	id     int64
	out    *bufio.Writer

	greeted, loggedIn, failed bool
	tx                        *transaction
	// open is the result whose records the client has not taken yet.
	open   *result
	opened access
}

type handler func(s *session, fields []any) (map[string]any, *failure)

// handlers are the messages of a session that is logged in.
var handlers = map[byte]handler{
	msgRun:       (*session).run,
	msgPull:      (*session).pull,
	msgDiscard:   (*session).discard,
	msgBegin:     (*session).begin,
	msgCommit:    (*session).commit,
	msgRollback:  (*session).rollback,
	msgRoute:     (*session).route,
	msgTelemetry: func(*session, []any) (map[string]any, *failure) { return map[string]any{}, nil },
	msgLogoff: func(s *session, _ []any) (map[string]any, *failure) {
		s.loggedIn = false
		return map[string]any{}, nil
	},
}

// serveBolt speaks with one client until it says goodbye, breaks the protocol or hangs up.
func (s *Server) serveBolt(conn net.Conn, id int64) error {
	if err := bolt.Handshake(conn); err != nil {
		return err
	}
	c := &session{server: s, id: id, log: s.log.With("connection", id), out: bufio.NewWriter(conn)}
	in := bufio.NewReader(conn)
	for {
		message, err := bolt.ReadMessage(in)
		if err != nil {
			return err
		}
		if message.Tag == msgGoodbye {
			return nil
		}
		goOn, err := c.handle(message)
		if err == nil && (in.Buffered() == 0 || !goOn) {
			err = c.out.Flush()
		}
		if err != nil || !goOn {
			return err
		}
	}
}

// handle answers one message; goOn is false when the connection must be closed after it.
func (c *session) handle(message bolt.Structure) (goOn bool, err error) {
	if message.Tag == msgReset && c.loggedIn {
		c.failed, c.open, c.tx = false, nil, nil
		return true, c.send(msgSuccess, map[string]any{})
	}
	if c.failed {
		return true, c.send(msgIgnored, nil)
	}
	if !c.loggedIn {
		return c.authenticate(message)
	}
	handle, known := handlers[message.Tag]
	if !known {
		return false, c.fail(&failure{codeRequest, fmt.Sprintf("message %#x is not expected here", message.Tag)})
	}
	metadata, failed := handle(c, message.Fields)
	if failed != nil {
		c.failed, c.open = true, nil
		return true, c.fail(failed)
	}
	return true, c.send(msgSuccess, metadata)
}

// authenticate knows what may come before a session is logged in. As in Neo4j a wrong
// password ends the connection.
func (c *session) authenticate(message bolt.Structure) (goOn bool, err error) {
	switch {
	case message.Tag == msgHello && !c.greeted:
		c.greeted = true
		return true, c.send(msgSuccess, map[string]any{
			"server": "Neo4j/" + Version, "connection_id": fmt.Sprintf("bolt-%d", c.id), "hints": map[string]any{},
		})
	case message.Tag == msgLogon && c.greeted:
		if failed := c.server.logon(dictionary(message.Fields, 0)); failed != nil {
			c.log.Warn("failed to log in", "code", failed.code)
			return false, c.fail(failed)
		}
		c.loggedIn = true
		return true, c.send(msgSuccess, map[string]any{})
	}
	return false, c.fail(&failure{codeRequest, fmt.Sprintf("message %#x before the login", message.Tag)})
}

func (s *Server) logon(token map[string]any) *failure {
	scheme, _ := token["scheme"].(string)
	principal, _ := token["principal"].(string)
	credentials, _ := token["credentials"].(string)
	if scheme != "basic" {
		return errUnauthorized
	}
	return s.store.login(principal, credentials)
}

func (c *session) send(tag byte, metadata any) error {
	message := bolt.Structure{Tag: tag}
	if metadata != nil {
		message.Fields = []any{metadata}
	}
	return bolt.WriteMessage(c.out, message)
}

func (c *session) fail(f *failure) error {
	return c.send(msgFailure, map[string]any{"code": f.code, "message": f.message})
}

// dictionary returns the field at i, or an empty one.
func dictionary(fields []any, i int) map[string]any {
	if i < len(fields) {
		if out, ok := fields[i].(map[string]any); ok {
			return out
		}
	}
	return map[string]any{}
}

func accessOf(extra map[string]any) access {
	database, _ := extra["db"].(string)
	mode, _ := extra["mode"].(string)
	return access{database: database, readOnly: mode == "r"}
}

func (c *session) run(fields []any) (map[string]any, *failure) {
	if c.open != nil {
		return nil, &failure{codeRequest, "the records of the statement before were not taken"}
	}
	query, isText := "", false
	if len(fields) == 3 {
		query, isText = fields[0].(string)
	}
	if !isText {
		return nil, &failure{codeRequest, "RUN needs a statement, parameters and extra"}
	}
	c.opened = accessOf(dictionary(fields, 2))
	if c.tx != nil {
		c.opened = c.tx.access
	}
	out, failed := c.server.run(query, dictionary(fields, 1), c.opened, c.tx)
	if failed != nil {
		c.server.record(query, failed)
		return nil, failed
	}
	c.open = out
	metadata := map[string]any{"fields": out.fields, "t_first": 0}
	if c.tx != nil {
		metadata["qid"] = len(c.tx.done)
	}
	return metadata, nil
}

func (c *session) pull(fields []any) (map[string]any, *failure) {
	if c.open == nil {
		return nil, &failure{codeRequest, "there is no result to pull"}
	}
	n, given := dictionary(fields, 0)["n"].(int64)
	if !given || n < 0 || n > int64(len(c.open.records)) {
		n = int64(len(c.open.records))
	}
	for _, record := range c.open.records[:n] {
		if err := c.send(msgRecord, record); err != nil {
			return nil, &failure{codeUnknown, err.Error()}
		}
	}
	c.open.records = c.open.records[n:]
	if len(c.open.records) > 0 {
		return map[string]any{"has_more": true}, nil
	}
	return c.summary(), nil
}

func (c *session) discard([]any) (map[string]any, *failure) {
	if c.open == nil {
		return nil, &failure{codeRequest, "there is no result to discard"}
	}
	return c.summary(), nil
}

// summary ends the open result.
func (c *session) summary() map[string]any {
	database := c.opened.database
	if database == "" {
		database = "neo4j"
	}
	out := map[string]any{"type": c.open.kind, "t_last": 0, "db": database}
	if len(c.open.stats) > 0 {
		out["stats"] = c.open.stats
	}
	if c.tx == nil {
		out["bookmark"] = bookmark
	}
	c.open = nil
	return out
}

// bookmark is one for all: a single server has nothing to wait for.
const bookmark = "FB:double"

func (c *session) begin(fields []any) (map[string]any, *failure) {
	if c.tx != nil || c.open != nil {
		return nil, &failure{codeRequest, "a transaction or a result is open already"}
	}
	c.tx = c.server.begin(accessOf(dictionary(fields, 0)))
	return map[string]any{}, nil
}

func (c *session) commit([]any) (map[string]any, *failure) {
	if c.tx == nil {
		return nil, &failure{codeRequest, "there is no transaction to commit"}
	}
	tx := c.tx
	c.tx, c.open = nil, nil
	if failed := c.server.commit(tx); failed != nil {
		return nil, failed
	}
	return map[string]any{"bookmark": bookmark}, nil
}

func (c *session) rollback([]any) (map[string]any, *failure) {
	if c.tx == nil {
		return nil, &failure{codeRequest, "there is no transaction to roll back"}
	}
	c.tx, c.open = nil, nil
	return map[string]any{}, nil
}

// route answers neo4j:// clients: this server does everything, at the address they used.
func (c *session) route(fields []any) (map[string]any, *failure) {
	address, _ := dictionary(fields, 0)["address"].(string)
	database, _ := dictionary(fields, 2)["db"].(string)
	if address == "" {
		return nil, &failure{codeRequest, "the routing context has no address"}
	}
	if database == "" {
		database = "neo4j"
	}
	servers := []any{}
	for _, role := range []string{"ROUTE", "READ", "WRITE"} {
		servers = append(servers, map[string]any{"role": role, "addresses": []string{address}})
	}
	return map[string]any{"rt": map[string]any{"ttl": 300, "db": database, "servers": servers}}, nil
}
