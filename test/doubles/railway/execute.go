package railway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// request is the body of a GraphQL request.
type request struct {
	Query         string         `json:"query"`
	Variables     map[string]any `json:"variables"`
	OperationName string         `json:"operationName"`
}

// object is a value with fields. A field that takes arguments is a nested.
type object map[string]any

// typename is the key of an object's type, for messages.
const typename = "__typename"

// nested is a field that takes arguments.
type nested field

// field is an operation or a field with arguments: the arguments are the fields of a struct, each with its name in a json tag
// and its GraphQL type in a gql tag.
type field struct {
	kind    ast.Operation
	args    reflect.Type
	resolve func(args any) (any, error)
}

// define is a field whose arguments are an In.
func define[In any](kind ast.Operation, resolve func(In) (any, error)) field {
	return field{kind, reflect.TypeFor[In](), func(args any) (any, error) {
		in, ok := args.(*In)
		if !ok {
			return nil, fmt.Errorf("arguments are a %T", args)
		}
		return resolve(*in)
	}}
}

// invalid is a request that does not fit the schema: HTTP 400.
type invalid struct{ message string }

func (e *invalid) Error() string { return e.message }

func wrong(format string, args ...any) error { return &invalid{fmt.Sprintf(format, args...)} }

// operation is a parsed request whose variables fit their declarations.
type operation struct {
	root      *ast.Field
	kind      ast.Operation
	declared  map[string]string
	used      map[string]bool
	variables map[string]any
}

// parse reads a request of exactly one operation with exactly one root field, which is all that orch sends.
func parse(req request) (*operation, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: req.Query})
	if err != nil {
		return nil, wrong("Syntax Error: %v", err)
	}
	if len(doc.Operations) != 1 || len(doc.Fragments) != 0 || len(doc.Operations[0].SelectionSet) != 1 {
		return nil, wrong("the double takes one operation with one root field")
	}
	def := doc.Operations[0]
	root, ok := def.SelectionSet[0].(*ast.Field)
	if !ok {
		return nil, wrong("the double takes no fragments")
	}
	op := &operation{root: root, kind: def.Operation, declared: map[string]string{}, used: map[string]bool{}, variables: req.Variables}
	for _, v := range def.VariableDefinitions {
		if v.DefaultValue != nil {
			return nil, wrong("the double takes no defaults of variables")
		}
		op.declared[v.Variable] = v.Type.String()
		if value := req.Variables[v.Variable]; v.Type.NonNull && value == nil {
			return nil, wrong("Variable \"$%s\" of required type \"%s\" was not provided.", v.Variable, v.Type)
		}
	}
	for name := range req.Variables {
		if op.declared[name] == "" {
			return nil, wrong("variable %q is not declared by the operation", name)
		}
	}
	return op, nil
}

// run executes the operation and checks that every declared variable was used.
func (op *operation) run(root field) (any, error) {
	if op.kind != root.kind {
		return nil, wrong("Cannot query field %q on type %q.", op.root.Name, op.kind)
	}
	args, err := op.arguments(op.root, root.args)
	if err != nil {
		return nil, err
	}
	if err := op.variablesUsed(op.root.SelectionSet); err != nil {
		return nil, err
	}
	value, err := root.resolve(args)
	if err != nil {
		return nil, err
	}
	return op.choose(value, op.root)
}

// variablesUsed looks through the selections before anything is done: a mutation must not happen for a bad request.
func (op *operation) variablesUsed(set ast.SelectionSet) error {
	op.mark(set)
	for name := range op.declared {
		if !op.used[name] {
			return wrong("Variable \"$%s\" is never used.", name)
		}
	}
	return nil
}

func (op *operation) mark(set ast.SelectionSet) {
	for _, selection := range set {
		f, ok := selection.(*ast.Field)
		if !ok {
			continue
		}
		for _, arg := range f.Arguments {
			if arg.Value.Kind == ast.Variable {
				op.used[arg.Value.Raw] = true
			}
		}
		op.mark(f.SelectionSet)
	}
}

// arguments decodes a field's arguments into a new struct of that type.
func (op *operation) arguments(f *ast.Field, args reflect.Type) (any, error) {
	given := map[string]any{}
	for _, arg := range f.Arguments {
		want, known := gqlType(args, arg.Name)
		if !known {
			return nil, wrong("Unknown argument %q on field %q.", arg.Name, f.Name)
		}
		if arg.Value.Kind == ast.Variable {
			op.used[arg.Value.Raw] = true
			if got := op.declared[arg.Value.Raw]; got != want && got != want+"!" {
				return nil, wrong("Variable \"$%s\" of type %q used in position expecting type %q.", arg.Value.Raw, got, want)
			}
			if _, set := op.variables[arg.Value.Raw]; !set {
				continue
			}
		}
		value, err := arg.Value.Value(op.variables)
		if err != nil {
			return nil, wrong("argument %q: %v", arg.Name, err)
		}
		given[arg.Name] = value
	}
	if err := fits(args, given, f.Name); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(given)
	if err != nil {
		return nil, wrong("argument: %v", err)
	}
	out := reflect.New(args).Interface()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		return nil, wrong("%s: %v", f.Name, err)
	}
	return out, nil
}

func gqlType(args reflect.Type, name string) (string, bool) {
	for i := range args.NumField() {
		if f := args.Field(i); f.Tag.Get("json") == name {
			return f.Tag.Get("gql"), true
		}
	}
	return "", false
}

// fits checks that what is required is given, and enumerations, in an input and the inputs in it.
func fits(in reflect.Type, given map[string]any, where string) error {
	for i := range in.NumField() {
		f := in.Field(i)
		name, want := f.Tag.Get("json"), f.Tag.Get("gql")
		value := given[name]
		if value == nil {
			if strings.HasSuffix(want, "!") {
				return wrong("Field %q of required type %q was not provided to %s.", name, want, where)
			}
			continue
		}
		if values := f.Tag.Get("enum"); values != "" && !slices.Contains(strings.Fields(values), fmt.Sprint(value)) {
			return wrong("Value %q does not exist in %q enum.", value, strings.TrimSuffix(want, "!"))
		}
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if fields, ok := value.(map[string]any); ok && inner.Kind() == reflect.Struct {
			if err := fits(inner, fields, where+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

// choose takes from a value what the query selects.
func (op *operation) choose(value any, f *ast.Field) (any, error) {
	switch v := value.(type) {
	case nested:
		args, err := op.arguments(f, v.args)
		if err != nil {
			return nil, err
		}
		inner, err := v.resolve(args)
		if err != nil {
			return nil, err
		}
		return op.choose(inner, f)
	case []object:
		out := make([]any, 0, len(v))
		for _, one := range v {
			chosen, err := op.choose(one, f)
			if err != nil {
				return nil, err
			}
			out = append(out, chosen)
		}
		return out, nil
	case object:
		return op.fields(v, f)
	default:
		if len(f.SelectionSet) > 0 && value != nil {
			return nil, wrong("Field %q must not have a selection since it has no subfields.", f.Name)
		}
		return value, nil
	}
}

func (op *operation) fields(o object, f *ast.Field) (any, error) {
	if o == nil {
		return nil, nil
	}
	if len(f.SelectionSet) == 0 {
		return nil, wrong("Field %q of type %q must have a selection of subfields.", f.Name, o[typename])
	}
	out := map[string]any{}
	for _, selection := range f.SelectionSet {
		inner, ok := selection.(*ast.Field)
		if !ok || inner.Alias != inner.Name {
			return nil, wrong("the double takes no fragments and no aliases")
		}
		value, known := o[inner.Name]
		if !known {
			return nil, wrong("Cannot query field %q on type %q.", inner.Name, o[typename])
		}
		if _, takes := value.(nested); !takes && len(inner.Arguments) > 0 {
			return nil, wrong("Unknown argument %q on field %q of type %q.", inner.Arguments[0].Name, inner.Name, o[typename])
		}
		chosen, err := op.choose(value, inner)
		if err != nil {
			return nil, err
		}
		out[inner.Name] = chosen
	}
	return out, nil
}
