package activities

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// RemoveGrafana takes the objects out of a Grafana that is not the stack's own, and leaves what is somebody else's. What is
// gone already is success, the Grafana itself included when it was another pipeline's.
func (d *Docker) RemoveGrafana(ctx context.Context, call contract.GrafanaCall) (contract.Undone, error) {
	return beating(ctx, func(ctx context.Context, progress engine.Progress) (contract.Undone, error) {
		// Only the right engine can tell that a service is gone.
		if err := d.Engine.CheckEngine(ctx, call.EngineID); err != nil {
			return contract.Undone{}, err
		}
		done, err := d.removeGrafana(ctx, call.Objects, progress)
		if err != nil && d.grafanaGone(ctx, call.Objects, err) {
			done, err = []string{fmt.Sprintf("Grafana at %s is gone with its pipeline, and what was in it", rest{base: call.Objects.URL}.at())}, nil
		}
		return contract.Undone{Done: done}, err
	})
}

// grafanaGone reports whether the service that keeps the login has no container any more, when that may be why the Grafana
// cannot be reached or entered.
func (d *Docker) grafanaGone(ctx context.Context, o contract.GrafanaObjects, err error) bool {
	from := loginRef(o)
	if class := classOf(err); from == nil || class != contract.NotFound && class != contract.Unavailable {
		return false
	}
	_, err = d.Engine.Address(ctx, from.Ref, from.Component, grafanaPort)
	return err != nil && classOf(err) == contract.NotFound
}

// grafanaPort is the name of the port that Grafana, and each store that keeps a login to one, answers HTTP on.
const grafanaPort = "http"

func (d *Docker) removeGrafana(ctx context.Context, spec contract.GrafanaObjects, progress engine.Progress) ([]string, error) {
	o, err := decodeObjects(spec)
	if err != nil {
		return nil, err
	}
	g, err := d.foreignGrafana(ctx, spec)
	if err != nil {
		return nil, err
	}
	if err := g.alive(ctx); err != nil {
		return nil, err
	}
	p, err := g.find(ctx, o)
	if err != nil {
		return nil, err
	}
	r := removal{grafana: g, objects: o, progress: progress, gone: map[string]bool{}}
	for _, model := range o.dashboards {
		uid := text(model, "uid")
		if found := p.dashboards[uid]; found != nil {
			r.gone[uid] = o.ownsDashboard(found)
			if err := r.remove(ctx, "dashboard "+uid, dashboardPath(uid), r.gone[uid]); err != nil {
				return r.done, err
			}
		}
	}
	if p.folder != nil {
		if err := r.removeFolder(ctx, o.ownsFolder(p)); err != nil {
			return r.done, err
		}
	}
	if p.datasource != nil {
		err = r.remove(ctx, "data source "+o.datasourceUID(), o.datasourcePath(), o.ownsDatasource(p.datasource))
	}
	return r.done, err
}

// removal is one RemoveGrafana at work.
type removal struct {
	grafana
	objects  objects
	progress engine.Progress
	// gone are the dashboards that were removed, which search may still list for a moment.
	gone map[string]bool
	done []string
}

func (r *removal) note(format string, args ...any) {
	r.done = append(r.done, fmt.Sprintf(format, args...)+" in Grafana at "+r.at())
}

func (r *removal) remove(ctx context.Context, what, path string, ours bool) error {
	if !ours {
		r.note("left %s, which is not this pipeline's,", what)
		return nil
	}
	r.progress("removing %s", what)
	got, err := r.ask(ctx, http.MethodDelete, path, nil)
	switch {
	case err != nil:
		return err
	case got.status == http.StatusNotFound:
		return nil
	case !got.ok():
		return r.unexpected(http.MethodDelete, path, got)
	}
	r.note("removed %s", what)
	return nil
}

// removeFolder removes the folder unless something is in it that is not ours: Grafana would delete that with it.
func (r *removal) removeFolder(ctx context.Context, ours bool) error {
	foreign, err := r.othersIn(ctx, r.objects.FolderUID)
	if err != nil {
		return err
	}
	what := "folder " + r.objects.FolderUID
	if ours && foreign != "" {
		r.note("left %s, which has %s,", what, foreign)
		return nil
	}
	err = r.remove(ctx, what, r.objects.folderPath(), ours)
	failure := contract.AsFailure(err)
	if failure != nil && failure.Class == contract.InvalidInput {
		// Grafana refuses to delete a folder with alert rules: they are not ours.
		r.note("left %s, which Grafana does not delete (%s),", what, failure.Cause)
		return nil
	}
	return err
}

// othersIn names something in a folder that is not ours; it is empty when there is nothing.
func (r *removal) othersIn(ctx context.Context, folderUID string) (string, error) {
	var hits []struct {
		UID   string `json:"uid"`
		Title string `json:"title"`
	}
	if _, err := r.get(ctx, "/api/search?"+url.Values{"folderUIDs": {folderUID}}.Encode(), &hits); err != nil {
		return "", err
	}
	for _, hit := range hits {
		if !r.gone[hit.UID] {
			return fmt.Sprintf("%q of somebody else's", hit.Title), nil
		}
	}
	return "", nil
}
