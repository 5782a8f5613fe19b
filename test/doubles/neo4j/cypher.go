package neo4j

import (
	"fmt"
	"strconv"
	"strings"
)

// statement is one of the forms that the double knows:
//
//	RETURN item, …
//	CREATE (n:Label {key: value}) [SET n.key = value, …] [RETURN item, …]
//	MERGE  (n:Label {key: value}) [SET n.key = value, …] [RETURN item, …]
//	MATCH  (n:Label {key: value}) [WHERE n.key = value AND …]
//	       RETURN item, … [LIMIT 10] | SET n.key = value, … [RETURN …] | [DETACH] DELETE n
//	ALTER CURRENT USER SET PASSWORD FROM value TO value
//	SHOW DATABASES [YIELD name, …]
//
// where a value is a parameter or a literal and an item is a value, n, n.key, count(n) or
// count(*), with an optional AS.
type statement struct {
	verb      string
	variable  string
	labels    []string
	match     map[string]value
	set       map[string]value
	remove    bool
	returns   []item
	limit     int
	old, next value
	yield     []string
}

// value is a parameter or a literal.
type value struct {
	parameter string
	literal   any
}

// item is one column of RETURN.
type item struct {
	name     string
	count    bool
	variable string
	key      string
	value    value
}

// parser walks over the tokens of one statement; the first error sticks.
type parser struct {
	query  string
	tokens []token
	at     int
	err    error
}

func parse(query string) (statement, *failure) {
	tokens, err := lex(query)
	p := &parser{query: query, tokens: tokens, err: err}
	var out statement
	if err == nil {
		out = p.statement()
	}
	if p.err == nil && p.peek().kind != tokenEnd {
		p.fail("the end of the statement")
	}
	if p.err != nil {
		return statement{}, &failure{codeSyntax, p.err.Error()}
	}
	return out, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

func (p *parser) fail(want string) {
	if p.err == nil {
		t := p.peek()
		p.err = fmt.Errorf("Invalid input '%s': expected %s (line 1, column %d); the Neo4j double knows few statements", //nolint:staticcheck // The form of Neo4j's message.
			t.text, want, t.from+1)
	}
}

// accept takes the words, which are keywords or signs, if they come next.
func (p *parser) accept(words ...string) bool {
	for i, word := range words {
		if p.at+i >= len(p.tokens) {
			return false
		}
		t := p.tokens[p.at+i]
		if (t.kind != tokenName && t.kind != tokenSign) || !strings.EqualFold(t.text, word) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) expect(words ...string) {
	if p.err == nil && !p.accept(words...) {
		p.fail("'" + strings.Join(words, " ") + "'")
	}
}

func (p *parser) name() string {
	if t := p.peek(); t.kind == tokenName {
		return p.next().text
	}
	p.fail("a name")
	return ""
}

func (p *parser) statement() statement {
	s := statement{limit: -1}
	switch {
	case p.accept("RETURN"):
		s.verb = "RETURN"
		s.returns = p.items(&s)
	case p.accept("CREATE"), p.accept("MERGE"):
		s.verb = strings.ToUpper(p.tokens[0].text)
		p.pattern(&s)
		p.assignments(&s)
		if p.accept("RETURN") {
			s.returns = p.items(&s)
		}
	case p.accept("MATCH"):
		s.verb = "MATCH"
		p.pattern(&s)
		p.rest(&s)
	case p.accept("ALTER", "CURRENT", "USER", "SET", "PASSWORD", "FROM"):
		s.verb = "ALTER"
		s.old = p.value()
		p.expect("TO")
		s.next = p.value()
	case p.accept("SHOW", "DATABASES"):
		s.verb = "SHOW"
		for more := p.accept("YIELD"); more && p.err == nil; more = p.accept(",") {
			s.yield = append(s.yield, p.name())
		}
	default:
		p.fail("RETURN, CREATE, MERGE, MATCH, ALTER or SHOW")
	}
	return s
}

// rest is what may follow MATCH and its pattern.
func (p *parser) rest(s *statement) {
	if p.accept("WHERE") {
		for more := true; more && p.err == nil; more = p.accept("AND") {
			p.equation(s, s.match)
		}
	}
	p.assignments(s)
	switch {
	case p.accept("DETACH", "DELETE"), p.accept("DELETE"):
		s.remove = true
		p.known(s, p.name())
	case p.accept("RETURN"):
		s.returns = p.items(s)
	case len(s.set) == 0:
		p.fail("RETURN, SET or DELETE")
	}
	if p.accept("LIMIT") {
		limit, err := strconv.Atoi(p.next().text)
		if err != nil {
			p.fail("a number")
		}
		s.limit = limit
	}
}

// pattern is (n:Label:Other {key: value}).
func (p *parser) pattern(s *statement) {
	s.match, s.set = map[string]value{}, map[string]value{}
	p.expect("(")
	if p.peek().kind == tokenName {
		s.variable = p.name()
	}
	for p.err == nil && p.accept(":") {
		s.labels = append(s.labels, p.name())
	}
	if p.accept("{") && !p.accept("}") {
		for more := true; more && p.err == nil; more = p.accept(",") {
			key := p.name()
			p.expect(":")
			s.match[key] = p.value()
		}
		p.expect("}")
	}
	p.expect(")")
}

func (p *parser) assignments(s *statement) {
	if !p.accept("SET") {
		return
	}
	for more := true; more && p.err == nil; more = p.accept(",") {
		p.equation(s, s.set)
	}
}

// equation is n.key = value.
func (p *parser) equation(s *statement, into map[string]value) {
	p.known(s, p.name())
	p.expect(".")
	key := p.name()
	p.expect("=")
	into[key] = p.value()
}

func (p *parser) known(s *statement, variable string) {
	if p.err == nil && (variable == "" || variable != s.variable) {
		p.err = fmt.Errorf("Variable `%s` not defined", variable) //nolint:staticcheck // The form of Neo4j's message.
	}
}

func (p *parser) value() value {
	t := p.peek()
	out, ok := literal(t)
	if !ok {
		p.fail("a parameter or a literal")
		return value{}
	}
	p.next()
	return out
}

func literal(t token) (value, bool) {
	switch t.kind {
	case tokenParameter:
		return value{parameter: t.text}, t.text != ""
	case tokenText:
		return value{literal: t.text}, true
	case tokenNumber:
		if integer, err := strconv.ParseInt(t.text, 10, 64); err == nil {
			return value{literal: integer}, true
		}
		float, err := strconv.ParseFloat(t.text, 64)
		return value{literal: float}, err == nil
	case tokenName:
		switch strings.ToLower(t.text) {
		case "true", "false":
			return value{literal: strings.EqualFold(t.text, "true")}, true
		case "null":
			return value{}, true
		}
	}
	return value{}, false
}

func (p *parser) items(s *statement) []item {
	var out []item
	for more := true; more && p.err == nil; more = p.accept(",") {
		from := p.peek().from
		next := p.item(s)
		if p.err != nil {
			return nil
		}
		next.name = strings.TrimSpace(p.query[from:p.tokens[p.at-1].to])
		if p.accept("AS") {
			next.name = p.name()
		}
		out = append(out, next)
	}
	return out
}

func (p *parser) item(s *statement) item {
	t := p.peek()
	switch {
	case p.accept("count", "("):
		if !p.accept("*") {
			p.known(s, p.name())
		}
		p.expect(")")
		return item{count: true}
	case t.kind == tokenName && s.variable != "" && t.text == s.variable:
		out := item{variable: p.name()}
		if p.accept(".") {
			out.key = p.name()
		}
		return out
	default:
		return item{value: p.value()}
	}
}
