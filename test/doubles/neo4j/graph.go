package neo4j

import (
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/neo4j/bolt"
)

// graph is all nodes of the database; the double knows no relationships.
type graph struct {
	NextID int64  `json:"nextId"`
	Nodes  []node `json:"nodes"`
}

type node struct {
	ID     int64          `json:"id"`
	Labels []string       `json:"labels"`
	Props  map[string]any `json:"props"`
}

func (n node) bolt() bolt.Node {
	return bolt.Node{ID: n.ID, ElementID: "4:double:" + strconv.FormatInt(n.ID, 10), Labels: n.Labels, Props: n.Props}
}

func (g *graph) clone() *graph {
	out := &graph{NextID: g.NextID, Nodes: make([]node, len(g.Nodes))}
	for i, n := range g.Nodes {
		out.Nodes[i] = node{ID: n.ID, Labels: slices.Clone(n.Labels), Props: maps.Clone(n.Props)}
	}
	return out
}

// create adds a node; a property of null is none.
func (g *graph) create(labels []string, props map[string]any) *node {
	maps.DeleteFunc(props, func(_ string, value any) bool { return value == nil })
	g.Nodes = append(g.Nodes, node{ID: g.NextID, Labels: append([]string{}, labels...), Props: props})
	g.NextID++
	return &g.Nodes[len(g.Nodes)-1]
}

// find returns the nodes with all the labels and properties; null equals nothing.
func (g *graph) find(labels []string, props map[string]any) []*node {
	var out []*node
	for i := range g.Nodes {
		if g.Nodes[i].matches(labels, props) {
			out = append(out, &g.Nodes[i])
		}
	}
	return out
}

func (n node) matches(labels []string, props map[string]any) bool {
	for _, label := range labels {
		if !slices.Contains(n.Labels, label) {
			return false
		}
	}
	for name, want := range props {
		if have, exists := n.Props[name]; !exists || want == nil || !equal(have, want) {
			return false
		}
	}
	return true
}

// equal compares numbers by value: 1 = 1.0, and a stored integer comes back from JSON as a
// float.
func equal(a, b any) bool {
	x, xIsNumber := float(a)
	y, yIsNumber := float(b)
	if xIsNumber && yIsNumber {
		return x == y
	}
	return reflect.DeepEqual(a, b)
}

func float(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func (g *graph) remove(ids map[int64]bool) {
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n node) bool { return ids[n.ID] })
}
