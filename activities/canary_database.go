package activities

import (
	"context"
	"fmt"
	"net/http"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// secret is the value that opens the canary's component; it is empty where none is needed.
func (v verification) secret(ctx context.Context, c contract.Canary) (string, error) {
	if c.Secret == nil {
		return "", nil
	}
	return v.engine.Secret(ctx, c.Secret.Ref, c.Secret.Component, c.Secret.Name)
}

// cypher is a node that is created over Bolt, matched, and deleted.
func (v verification) cypher(ctx context.Context, c contract.Canary) (bird, error) {
	address, err := v.engine.Address(ctx, v.stack.Ref, c.Component, c.Port)
	if err != nil {
		return bird{}, err
	}
	password, err := v.secret(ctx, c)
	if err != nil {
		return bird{}, err
	}
	db := neo4jServer{address: address, user: c.User, password: password}
	params := map[string]any{"marker": v.place(c.Signal)}
	remove := func(ctx context.Context) error {
		_, err := db.run(ctx, "", "MATCH (n:OrchProbe {marker: $marker}) DETACH DELETE n", params)
		return err
	}
	where := fmt.Sprintf("%s at bolt://%s", c.Component, address)
	return bird{
		Canary: c, into: where, from: where, prepare: remove, clean: remove,
		write: func(ctx context.Context) error {
			_, err := db.run(ctx, "", "CREATE (n:OrchProbe {marker: $marker})", params)
			return err
		},
		read: func(ctx context.Context) (bool, string, error) {
			rows, err := db.run(ctx, "", "MATCH (n:OrchProbe {marker: $marker}) RETURN n.marker AS marker", params)
			if err != nil {
				return false, "", err
			}
			return len(rows) == 1 && rows[0]["marker"] == params["marker"], fmt.Sprintf("%d nodes instead of 1", len(rows)), nil
		},
	}, nil
}

// vector is a point in a collection of its own that is found by its neighbourhood. The collection goes with it.
func (v verification) vector(ctx context.Context, c contract.Canary) (bird, error) {
	address, err := v.engine.Address(ctx, v.stack.Ref, c.Component, c.Port)
	if err != nil {
		return bird{}, err
	}
	key, err := v.secret(ctx, c)
	if err != nil {
		return bird{}, err
	}
	q := qdrant{rest{name: c.Component, base: "http://" + address, client: direct, authorize: func(r *http.Request) {
		if key != "" {
			r.Header.Set("api-key", key)
		}
	}}}
	mark, collection := marker(), "/collections/orch_probe_"+v.place(c.Signal)
	near := []float64{0.1, 0.2, 0.3, 0.4}
	where := fmt.Sprintf("%s at %s", c.Component, q.base+collection)
	return bird{
		Canary: c, into: where, from: where,
		prepare: func(ctx context.Context) error {
			// What an earlier try has left under this name is of no use.
			if err := q.do(ctx, http.MethodDelete, collection, nil, nil); err != nil {
				return err
			}
			return q.do(ctx, http.MethodPut, collection, object{"vectors": object{"size": len(near), "distance": "Cosine"}}, nil)
		},
		write: func(ctx context.Context) error {
			return q.do(ctx, http.MethodPut, collection+"/points?wait=true", object{"points": []object{
				{"id": 1, "vector": near, "payload": object{"marker": mark}},
			}}, nil)
		},
		read: func(ctx context.Context) (bool, string, error) {
			var said struct {
				Points []struct {
					Payload struct {
						Marker string `json:"marker"`
					} `json:"payload"`
				} `json:"points"`
			}
			if err := q.do(ctx, http.MethodPost, collection+"/points/query", object{"query": near, "limit": 1, "with_payload": true}, &said); err != nil {
				return false, "", err
			}
			if len(said.Points) != 1 {
				return false, fmt.Sprintf("%d points instead of 1", len(said.Points)), nil
			}
			return said.Points[0].Payload.Marker == mark, fmt.Sprintf("a point with another marker, %q", said.Points[0].Payload.Marker), nil
		},
		clean: func(ctx context.Context) error { return q.do(ctx, http.MethodDelete, collection, nil, nil) },
	}, nil
}

// qdrant is a Qdrant's REST API.
type qdrant struct{ rest }

// do sends one request and reads its result into out. To delete what is not there is success.
func (q qdrant) do(ctx context.Context, method, path string, body, out any) error {
	got, err := q.call(ctx, method, path, body)
	if err != nil {
		return err
	}
	said := struct {
		Result any `json:"result"`
	}{out}
	switch {
	case got.status == http.StatusUnauthorized || got.status == http.StatusForbidden:
		return contract.Fail(contract.Denied, "it refuses the stored API key: %s", got).On("qdrant.api_key_wo").Next("somebody changed it outside orch: apply again to put the stored key back in force")
	case got.status == http.StatusNotFound && method == http.MethodDelete:
		return nil
	case got.status == http.StatusTooManyRequests, got.status >= http.StatusInternalServerError:
		return contract.Fail(contract.Unavailable, "%s %s: %s", method, path, got)
	case !got.ok():
		return contract.Fail(contract.Unhealthy, "%s %s: %s", method, path, got)
	case out == nil:
		return nil
	}
	if err := got.decode(&said); err != nil {
		return contract.Fail(contract.Unhealthy, "%s %s: %d with something else than expected: %v", method, path, got.status, err)
	}
	return nil
}
