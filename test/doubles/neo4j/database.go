package neo4j

import "slices"

// access is how a statement arrives: the database and mode it asks for.
type access struct {
	database string
	readOnly bool
}

// transaction is an explicit one: its statements run on a copy and once more at the commit.
type transaction struct {
	access access
	graph  *graph
	done   []func(*graph) *failure
}

// run parses and executes one statement, inside of tx or on its own when tx is nil.
func (s *Server) run(query string, parameters map[string]any, how access, tx *transaction) (*result, *failure) {
	if !slices.Contains([]string{"", "neo4j", "system"}, how.database) {
		return nil, &failure{codeDatabase, "Database does not exist. Database name: '" + how.database + "'."}
	}
	parsed, failed := parse(query)
	if failed != nil {
		return nil, failed
	}
	switch {
	case parsed.verb == "ALTER":
		return s.alter(parsed, parameters)
	case parsed.verb == "SHOW":
		return parsed.databases()
	case how.database == "system" && parsed.verb != "RETURN":
		return nil, &failure{codeSyntax, "the system database holds no graph"}
	case how.readOnly && parsed.writes():
		return nil, &failure{codeAccessMode, "Writing in read access mode not allowed. Attempted write to neo4j"}
	}
	var out *result
	execute := func(g *graph) *failure {
		var failed *failure
		out, failed = parsed.execute(g, parameters)
		return failed
	}
	switch {
	case tx != nil:
		failed = execute(tx.graph)
		tx.done = append(tx.done, execute)
	case parsed.writes():
		failed = s.store.commit(execute)
	default:
		failed = execute(s.store.snapshot())
	}
	return out, failed
}

func (s *Server) begin(how access) *transaction {
	return &transaction{access: how, graph: s.store.snapshot()}
}

func (s *Server) commit(tx *transaction) *failure {
	return s.store.commit(func(g *graph) *failure {
		for _, again := range tx.done {
			if failed := again(g); failed != nil {
				return failed
			}
		}
		return nil
	})
}

func (s *Server) alter(parsed statement, parameters map[string]any) (*result, *failure) {
	old, failed := parsed.old.resolve(parameters)
	if failed != nil {
		return nil, failed
	}
	next, failed := parsed.next.resolve(parameters)
	if failed != nil {
		return nil, failed
	}
	oldText, oldIsText := old.(string)
	nextText, nextIsText := next.(string)
	if !oldIsText || !nextIsText {
		return nil, &failure{codeArguments, "Expected parameter to be a String"}
	}
	if failed := s.store.changePassword(&s.cfg, oldText, nextText); failed != nil {
		return nil, failed
	}
	s.log.Info("password changed", "user", user)
	return &result{kind: "s", fields: []string{}, stats: map[string]any{"system-updates": int64(1), "contains-system-updates": true}}, nil
}
