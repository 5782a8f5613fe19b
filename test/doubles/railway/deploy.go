package railway

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// deployment is one attempt to bring an instance up. What it comes to is decided by the image's tag, so that every outcome can
// be had by hand: "crashes", "fails-build", "fails-health", "stuck" and "waits"; any other tag succeeds.
type deployment struct {
	id        string
	createdAt time.Time
	// image and variables are what a rollback brings back.
	image, repo string
	variables   map[string]string
	status      string
	pace        time.Duration
	stopped     bool
	expired     bool
}

// deploy begins a deployment of what the instance is set to, or of what an earlier one was.
func (s *state) deploy(i *instance, earlier *deployment) *deployment {
	d := &deployment{
		id: s.id(), createdAt: s.now(), image: i.settings.image, repo: i.settings.repo, variables: maps.Clone(i.variables), pace: s.cfg.Pace,
	}
	if earlier != nil {
		d.image, d.repo, d.variables = earlier.image, earlier.repo, maps.Clone(earlier.variables)
	}
	d.status = "QUEUED"
	for _, other := range i.deployments {
		if other.unfinished() {
			other.status = "REMOVED"
		}
	}
	i.deployments = append(i.deployments, d)
	return d
}

func (d *deployment) unfinished() bool {
	return slices.Contains([]string{"QUEUED", "INITIALIZING", "BUILDING", "DEPLOYING", "WAITING"}, d.status)
}

// outcome are the states that a deployment goes through, one per pace; it stays in the last.
func (d *deployment) outcome() []string {
	_, tag, _ := strings.Cut(d.image[strings.LastIndex(d.image, "/")+1:], ":")
	switch tag {
	case "fails-build":
		return []string{"QUEUED", "INITIALIZING", "BUILDING", "FAILED"}
	case "fails-health":
		return []string{"QUEUED", "INITIALIZING", "DEPLOYING", "FAILED"}
	case "crashes":
		return []string{"QUEUED", "INITIALIZING", "DEPLOYING", "CRASHED"}
	case "stuck":
		return []string{"QUEUED", "INITIALIZING", "BUILDING"}
	case "waits":
		return []string{"QUEUED", "WAITING"}
	default:
		if d.image == "" && d.repo == "" {
			return []string{"FAILED"}
		}
		return []string{"QUEUED", "INITIALIZING", "BUILDING", "DEPLOYING", "SUCCESS"}
	}
}

// advance moves the instance's deployments on to where they are at that time. The one that comes up replaces the one before.
func (i *instance) advance(now time.Time) {
	for n, d := range i.deployments {
		if !d.unfinished() {
			continue
		}
		states := d.outcome()
		step := len(states) - 1
		if d.pace > 0 {
			step = min(step, int(now.Sub(d.createdAt)/d.pace))
		}
		d.status = states[step]
		if d.status == "SUCCESS" || d.status == "CRASHED" {
			for _, older := range i.deployments[:n] {
				if older.status == "SUCCESS" {
					older.status = "REMOVED"
				}
			}
		}
	}
}

// find looks for a deployment in all projects.
func (s *state) find(id string) (*instance, *deployment, error) {
	for _, p := range s.projects {
		if p.deletedAt != nil || !s.sees(p) {
			continue
		}
		for _, svc := range p.services {
			for _, i := range svc.instances {
				for _, d := range i.deployments {
					if d.id == id {
						i.advance(s.now())
						return i, d, nil
					}
				}
			}
		}
	}
	return nil, nil, fail(noDeployment)
}

func (s *state) deployInstance(in instanceArgs) (any, error) {
	i, err := s.instance(in.ServiceID, in.EnvironmentID)
	if err != nil {
		return nil, err
	}
	return s.deploy(i, nil).id, nil
}

func (s *state) readDeployment(in byID) (any, error) {
	_, d, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	return d.object(), nil
}

func (s *state) listDeployments(in deploymentsArgs) (any, error) {
	i, err := s.instance(in.Input.ServiceID, in.Input.EnvironmentID)
	if err != nil {
		return nil, err
	}
	var rows []object
	for n := len(i.deployments) - 1; n >= 0; n-- {
		rows = append(rows, i.deployments[n].object())
	}
	return paged(rows, page{First: in.First})
}

func (s *state) rollback(in byID) (any, error) {
	i, d, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	if !d.canRollback() {
		return nil, fail(cannotRollBack)
	}
	i.variables = maps.Clone(d.variables)
	s.deploy(i, d)
	return true, nil
}

func (d *deployment) canRollback() bool {
	return !d.unfinished() && !d.expired && (d.status == "SUCCESS" || d.status == "REMOVED") && d.outcome()[len(d.outcome())-1] == "SUCCESS"
}

func (s *state) cancel(in byID) (any, error) {
	_, d, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	if !d.unfinished() {
		return nil, fail(cannotCancel)
	}
	d.status = "REMOVED"
	return true, nil
}

func (s *state) buildLogs(in logsArgs) (any, error) {
	return s.logs(in, func(d *deployment) []string {
		lines := []string{"Using Docker image " + d.image}
		if d.status == "FAILED" && strings.HasSuffix(d.image, ":fails-build") {
			lines = append(lines, "failed to pull image "+d.image+": manifest unknown")
		}
		return lines
	})
}

func (s *state) runLogs(in logsArgs) (any, error) {
	return s.logs(in, func(d *deployment) []string {
		switch {
		case strings.HasSuffix(d.image, ":fails-build"):
			return nil
		case strings.HasSuffix(d.image, ":crashes"):
			return []string{"Starting Container", "panic: no configuration", "token " + d.variables["API_KEY"]}
		default:
			return []string{"Starting Container", fmt.Sprintf("listening on port %s", d.variables["PORT"])}
		}
	})
}

func (s *state) logs(in logsArgs, lines func(*deployment) []string) (any, error) {
	_, d, err := s.find(in.DeploymentID)
	if err != nil {
		return nil, err
	}
	rows := []object{}
	for _, line := range lines(d) {
		rows = append(rows, object{typename: "Log", "message": line, "timestamp": stamp(d.createdAt), "severity": "info"})
	}
	if in.Limit != nil && len(rows) > *in.Limit {
		rows = rows[len(rows)-*in.Limit:]
	}
	return rows, nil
}
