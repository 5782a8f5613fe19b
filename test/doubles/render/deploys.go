package render

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// deploy is a deploy as Render answers it, and what becomes of it.
type deploy struct {
	ID         string    `json:"id"`
	Commit     *commit   `json:"commit,omitempty"`
	Image      *imageRef `json:"image,omitempty"`
	Status     string    `json:"status"`
	Trigger    string    `json:"trigger"`
	CreatedAt  string    `json:"createdAt"`
	StartedAt  string    `json:"startedAt,omitempty"`
	FinishedAt string    `json:"finishedAt,omitempty"`
	UpdatedAt  string    `json:"updatedAt"`

	ahead []string          // states to come
	env   map[string]string // the variables that it was started with
}

type commit struct {
	ID        string `json:"id"`
	Message   string `json:"message"`
	CreatedAt string `json:"createdAt"`
}

type imageRef struct {
	Ref string `json:"ref"`
	SHA string `json:"sha"`
}

type deployRequest struct {
	ClearCache *string `json:"clearCache"`
	CommitID   *string `json:"commitId"`
	ImageURL   *string `json:"imageUrl"`
}

var inProgress = []string{"created", "queued", "build_in_progress", "pre_deploy_in_progress", "update_in_progress"}

// start begins a deploy with the service as it is now; one under way is cancelled, as is Render's default.
func (s *Server) start(c call, one *service, trigger string, in deployRequest) (*deploy, error) {
	d := &deploy{ID: s.id("dep"), Status: "created", Trigger: trigger, CreatedAt: now(), UpdatedAt: now(), env: map[string]string{}}
	for _, v := range one.envVars {
		d.env[v.Key] = v.Value
	}
	doc := one.doc
	switch {
	case doc.Repo != "":
		sha, err := branchHead(c, doc.Repo, doc.Branch)
		if err != nil {
			return nil, bad("repository URL is invalid or unfetchable: %s", doc.Repo)
		}
		if in.CommitID != nil {
			sha = *in.CommitID
		}
		d.Commit = &commit{ID: sha, Message: "as pushed", CreatedAt: now()}
		d.ahead = []string{"build_in_progress", "update_in_progress"}
	default:
		ref := doc.ImagePath
		if in.ImageURL != nil {
			ref = *in.ImageURL
			if repository(ref) != repository(doc.ImagePath) {
				return nil, bad("imageUrl must be of the same repository as the service's image")
			}
		}
		d.Image = &imageRef{Ref: ref, SHA: "sha256:" + strings.Repeat("0", 64)}
		d.ahead = []string{"update_in_progress"}
	}
	s.plan(d)
	for _, other := range one.deploys {
		if slices.Contains(inProgress, other.Status) {
			other.finish("canceled")
		}
	}
	one.deploys = append(one.deploys, d)
	return d, nil
}

// plan adds the end that the service's variables ask for.
func (s *Server) plan(d *deploy) {
	switch outcome := d.env["DOUBLE_OUTCOME"]; outcome {
	case "":
		d.ahead = append(d.ahead, "live")
	case "stuck":
		d.ahead = slices.Repeat(d.ahead[len(d.ahead)-1:], 100_000)
	case "build_failed":
		d.ahead = []string{"build_in_progress", outcome}
	default:
		d.ahead = append(d.ahead, outcome)
	}
}

func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		return image[:i]
	}
	return image
}

func (d *deploy) finish(status string) {
	d.Status, d.FinishedAt, d.UpdatedAt, d.ahead = status, now(), now(), nil
}

// advance goes one state further.
func (d *deploy) advance(one *service) {
	if len(d.ahead) == 0 {
		return
	}
	next := d.ahead[0]
	d.ahead = d.ahead[1:]
	if d.StartedAt == "" {
		d.StartedAt = now()
	}
	if slices.Contains(inProgress, next) {
		d.Status, d.UpdatedAt = next, now()
		return
	}
	d.finish(next)
	if next != "live" {
		return
	}
	for _, other := range one.deploys {
		if other != d && other.Status == "live" {
			other.Status = "deactivated"
		}
	}
}

func (s *Server) deploys(c call) {
	one := c.find()
	if one == nil || !c.query("status", "limit", "cursor", "createdAfter", "createdBefore") {
		return
	}
	status := c.r.URL.Query()["status"]
	var found []*deploy
	for _, d := range slices.Backward(one.deploys) {
		if len(status) == 0 || slices.Contains(status, d.Status) {
			found = append(found, d)
		}
	}
	page(c, "deploy", found, func(d *deploy) string { return "c-" + d.ID })
}

func (s *Server) deploy(c call) {
	one := c.find()
	var in deployRequest
	if one == nil || !c.query() || !c.body(&in) {
		return
	}
	if one.doc.Suspended == "suspended" {
		c.refuse(http.StatusConflict, "the service is suspended")
		return
	}
	d, err := s.start(c, one, "api", in)
	switch {
	case err != nil:
		c.failed(err)
	case s.cfg.QueueDeploys:
		c.w.WriteHeader(http.StatusAccepted)
	default:
		c.answer(http.StatusCreated, d)
	}
}

// which is the deploy of the path; it has answered when it returns nil.
func (c call) which(one *service, id string) *deploy {
	for _, d := range one.deploys {
		if d.ID == id {
			return d
		}
	}
	c.refuse(http.StatusNotFound, "not found: "+id)
	return nil
}

func (s *Server) getDeploy(c call) {
	one := c.find()
	if one == nil || !c.query() {
		return
	}
	if d := c.which(one, c.r.PathValue("deploy")); d != nil {
		d.advance(one)
		c.answer(http.StatusOK, d)
	}
}

func (s *Server) cancelDeploy(c call) {
	one := c.find()
	if one == nil || !c.query() || !c.empty() {
		return
	}
	if d := c.which(one, c.r.PathValue("deploy")); d != nil {
		if !slices.Contains(inProgress, d.Status) {
			c.refuse(http.StatusConflict, "the deploy is not in progress")
			return
		}
		d.finish("canceled")
		c.answer(http.StatusOK, d)
	}
}

func (s *Server) rollback(c call) {
	one := c.find()
	var in struct {
		DeployID string `json:"deployId"`
	}
	if one == nil || !c.query() || !c.body(&in) {
		return
	}
	old := c.which(one, in.DeployID)
	if old == nil {
		return
	}
	d, err := s.start(c, one, "rollback", deployRequest{})
	if err != nil {
		c.failed(err)
		return
	}
	d.Commit, d.Image, d.env, d.ahead = old.Commit, old.Image, old.env, []string{"update_in_progress", "live"}
	c.answer(http.StatusCreated, d)
}

func (s *Server) logs(c call) {
	if !c.query("ownerId", "resource", "type", "limit", "direction", "startTime", "endTime") {
		return
	}
	query := c.r.URL.Query()
	one := s.services[query.Get("resource")]
	if one == nil || one.doc.OwnerID != query.Get("ownerId") || len(one.deploys) == 0 {
		c.refuse(http.StatusNotFound, "not found")
		return
	}
	last := one.deploys[len(one.deploys)-1]
	lines := []any{}
	add := func(kind, message string) {
		if given := query["type"]; len(given) > 0 && !slices.Contains(given, kind) {
			return
		}
		lines = append(lines, map[string]any{
			"id": "log-" + strconv.Itoa(len(lines)), "message": message, "timestamp": now(),
			"labels": []any{map[string]any{"name": "type", "value": kind}, map[string]any{"name": "resource", "value": one.doc.ID}},
		})
	}
	// Newest first.
	if strings.HasSuffix(last.Status, "_failed") {
		add("app", "==> "+last.Status)
	}
	for key, value := range last.env {
		// Applications do print what they should not.
		if strings.Contains(key, "LEAK") {
			add("app", fmt.Sprintf("connecting with %s", value))
		}
	}
	add("build", "==> Build of "+last.ID+" started")
	c.answer(http.StatusOK, map[string]any{"hasMore": false, "nextStartTime": now(), "nextEndTime": now(), "logs": lines})
}

// app is the application: it answers once a deploy is live.
func (s *Server) app(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.services {
		if one.doc.Slug != r.PathValue("slug") || one.doc.Suspended == "suspended" {
			continue
		}
		for _, d := range one.deploys {
			if d.Status != "live" {
				continue
			}
			status := http.StatusOK
			if text := d.env["DOUBLE_HEALTH"]; text != "" {
				status, _ = strconv.Atoi(text)
			}
			http.Error(w, d.ID, status)
			return
		}
	}
	http.Error(w, "no such application, or none that is live", http.StatusNotFound)
}
