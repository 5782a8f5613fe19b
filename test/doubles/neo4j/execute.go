package neo4j

import (
	"fmt"
	"maps"
	"slices"
)

// Version is the release of Neo4j that the double imitates.
const Version = "5.26.26"

// result is what a statement gives back.
type result struct {
	fields  []string
	records [][]any
	// kind is r, w, rw or s, as in the summary of Bolt.
	kind  string
	stats map[string]any
}

func (r *result) count(name string, by int) {
	if by > 0 {
		n, _ := r.stats[name].(int64)
		r.stats[name] = n + int64(by)
		r.stats["contains-updates"] = true
	}
}

// writes tells whether a statement changes the graph.
func (s statement) writes() bool {
	return s.verb == "CREATE" || s.verb == "MERGE" || s.remove || len(s.set) > 0
}

// resolve replaces parameters by their values.
func (v value) resolve(parameters map[string]any) (any, *failure) {
	if v.parameter == "" {
		return v.literal, nil
	}
	given, exists := parameters[v.parameter]
	if !exists {
		return nil, &failure{codeParameter, "Expected parameter(s): " + v.parameter}
	}
	return given, nil
}

func resolveAll(values map[string]value, parameters map[string]any) (map[string]any, *failure) {
	out := make(map[string]any, len(values))
	for name, v := range values {
		resolved, failed := v.resolve(parameters)
		if failed != nil {
			return nil, failed
		}
		out[name] = resolved
	}
	return out, nil
}

// execute runs a statement on g.
func (s statement) execute(g *graph, parameters map[string]any) (*result, *failure) {
	out := &result{kind: "r", stats: map[string]any{}, fields: []string{}}
	match, failed := resolveAll(s.match, parameters)
	if failed != nil {
		return nil, failed
	}
	set, failed := resolveAll(s.set, parameters)
	if failed != nil {
		return nil, failed
	}
	var found []*node
	switch s.verb {
	case "RETURN":
		found = []*node{{}}
	case "MATCH", "MERGE":
		found = g.find(s.labels, match)
	}
	if s.verb == "CREATE" || (s.verb == "MERGE" && len(found) == 0) {
		made := g.create(s.labels, match)
		out.count("nodes-created", 1)
		out.count("labels-added", len(s.labels))
		out.count("properties-set", len(made.Props))
		found = []*node{made}
	}
	for _, n := range found {
		maps.Copy(n.Props, set)
		maps.DeleteFunc(n.Props, func(_ string, value any) bool { return value == nil })
		out.count("properties-set", len(set))
	}
	if failed := s.collect(out, found, parameters); failed != nil {
		return nil, failed
	}
	if s.remove {
		ids := map[int64]bool{}
		for _, n := range found {
			ids[n.ID] = true
		}
		g.remove(ids)
		out.count("nodes-deleted", len(ids))
	}
	switch {
	case s.writes() && len(s.returns) > 0:
		out.kind = "rw"
	case s.writes():
		out.kind = "w"
	}
	return out, nil
}

// collect makes the records; count makes one of all, as Cypher's aggregation does.
func (s statement) collect(out *result, found []*node, parameters map[string]any) *failure {
	aggregates := false
	for _, column := range s.returns {
		out.fields = append(out.fields, column.name)
		aggregates = aggregates || column.count
	}
	if aggregates && len(s.returns) > 1 {
		return &failure{codeSyntax, "the Neo4j double knows count as the only column"}
	}
	if aggregates {
		out.records = append(out.records, []any{int64(len(found))})
		return nil
	}
	if s.limit >= 0 {
		found = found[:min(len(found), s.limit)]
	}
	for _, n := range found {
		var record []any
		for _, column := range s.returns {
			cell, failed := column.cell(n, parameters)
			if failed != nil {
				return failed
			}
			record = append(record, cell)
		}
		if len(record) > 0 {
			out.records = append(out.records, record)
		}
	}
	return nil
}

func (i item) cell(n *node, parameters map[string]any) (any, *failure) {
	switch {
	case i.key != "":
		return n.Props[i.key], nil
	case i.variable != "":
		return node{ID: n.ID, Labels: slices.Clone(n.Labels), Props: maps.Clone(n.Props)}.bolt(), nil
	}
	return i.value.resolve(parameters)
}

// databases answers SHOW DATABASES.
func (s statement) databases() (*result, *failure) {
	columns := []string{"name", "type", "access", "currentStatus", "default", "home"}
	wanted := columns
	if len(s.yield) > 0 {
		wanted = s.yield
	}
	out := &result{kind: "r", fields: wanted, stats: map[string]any{}}
	for _, name := range []string{"neo4j", "system"} {
		row := map[string]any{
			"name": name, "type": "standard", "access": "read-write", "currentStatus": "online", "default": name == "neo4j", "home": name == "neo4j",
		}
		if name == "system" {
			row["type"] = "system"
		}
		var record []any
		for _, column := range wanted {
			if !slices.Contains(columns, column) {
				return nil, &failure{codeSyntax, fmt.Sprintf("Variable `%s` not defined; the Neo4j double knows %v", column, columns)}
			}
			record = append(record, row[column])
		}
		out.records = append(out.records, record)
	}
	return out, nil
}
