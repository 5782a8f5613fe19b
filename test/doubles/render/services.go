package render

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// failed answers with what apply found.
func (c call) failed(err error) {
	var r *refusal
	if errors.As(err, &r) {
		c.refuse(r.status, r.message)
		return
	}
	c.refuse(http.StatusInternalServerError, err.Error())
}

// find is the service of the path; it has answered when it returns nil.
func (c call) find() *service {
	id := c.r.PathValue("id")
	if found := c.services[id]; found != nil {
		return found
	}
	if _, was := c.deleted[id]; was {
		c.refuse(http.StatusGone, "gone: "+id)
		return nil
	}
	c.refuse(http.StatusNotFound, "not found: "+id)
	return nil
}

func (s *Server) list(c call) {
	if !c.query("name", "ownerId", "type", "suspended", "cursor", "limit") {
		return
	}
	query := c.r.URL.Query()
	in := func(parameter, value string) bool {
		given := query.Get(parameter)
		return given == "" || slices.Contains(strings.Split(given, ","), value)
	}
	var found []document
	for _, id := range s.order {
		doc := s.services[id].doc
		if in("name", doc.Name) && in("ownerId", doc.OwnerID) && in("type", doc.Type) && in("suspended", doc.Suspended) {
			found = append(found, doc)
		}
	}
	page(c, "service", found, func(d document) string { return "c-" + d.ID })
}

// budget takes one of the hour's creations.
func (s *Server) budget(c call) bool {
	s.creates = slices.DeleteFunc(s.creates, func(at time.Time) bool { return time.Since(at) > time.Hour })
	header := c.w.Header()
	header.Set("Ratelimit-Limit", strconv.Itoa(s.cfg.Creates))
	header.Set("Ratelimit-Remaining", strconv.Itoa(max(0, s.cfg.Creates-len(s.creates)-1)))
	if len(s.creates) >= s.cfg.Creates {
		wait := strconv.Itoa(int(time.Until(s.creates[0].Add(time.Hour)).Seconds()) + 1)
		header.Set("Ratelimit-Reset", wait)
		header.Set("Retry-After", wait)
		c.refuse(http.StatusTooManyRequests, "rate limit exceeded")
		return false
	}
	s.creates = append(s.creates, time.Now())
	return true
}

func (s *Server) create(c call) {
	var in requested
	if !s.budget(c) || !c.query() || !c.body(&in) {
		return
	}
	if in.Type == nil || in.Name == nil || in.OwnerID == nil || in.ServiceDetails == nil || in.ServiceDetails.Runtime == nil {
		c.refuse(http.StatusBadRequest, "type, name, ownerId and serviceDetails.runtime are required")
		return
	}
	if *in.Type != "web_service" {
		c.unexpected(http.StatusBadRequest, "the double knows web services only")
		return
	}
	if !slices.ContainsFunc(s.cfg.Owners, func(o Owner) bool { return o.ID == *in.OwnerID }) {
		c.refuse(http.StatusNotFound, "not found: "+*in.OwnerID)
		return
	}
	id := s.id("srv")
	doc := document{
		ID: id, OwnerID: *in.OwnerID, Type: *in.Type, AutoDeploy: "yes", Slug: s.slug(*in.Name), Suspended: "not_suspended",
		Suspenders: []string{}, NotifyOnFail: "default", DashboardURL: "https://dashboard.render.com/web/" + id, CreatedAt: now(), UpdatedAt: now(),
		ServiceDetails: details{Plan: "starter", Region: "oregon", NumInstances: 1, BuildPlan: "starter", OpenPorts: []port{}},
	}
	doc.ServiceDetails.URL = "http://" + c.r.Host + "/double/apps/" + doc.Slug
	if err := s.apply(c, &doc, in); err != nil {
		c.failed(err)
		return
	}
	if err := checkVariables(in.EnvVars); err != nil {
		c.failed(err)
		return
	}
	made := &service{doc: doc, envVars: in.EnvVars}
	s.services[id] = made
	s.order = append(s.order, id)
	first, err := s.start(c, made, "api", deployRequest{})
	if err != nil {
		c.failed(err)
		return
	}
	c.answer(http.StatusCreated, map[string]any{"service": doc, "deployId": first.ID})
}

// slug is the name's part of the public address, which all workspaces share.
func (s *Server) slug(name string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	for _, other := range s.services {
		if other.doc.Slug == name {
			return fmt.Sprintf("%s-%04d", name, s.next)
		}
	}
	return name
}

func (s *Server) get(c call) {
	if one := c.find(); one != nil && c.query() {
		if left := s.deleted[one.doc.ID]; left > 0 {
			s.deleted[one.doc.ID]--
			if left == 1 {
				s.drop(one.doc.ID)
			}
		}
		c.answer(http.StatusOK, one.doc)
	}
}

func (s *Server) patch(c call) {
	one := c.find()
	var in requested
	if one == nil || !c.query() || !c.body(&in) {
		return
	}
	d := in.ServiceDetails
	if in.Type != nil || in.OwnerID != nil || in.EnvVars != nil || d != nil && (d.Region != nil || d.NumInstances != nil) {
		c.unexpected(http.StatusBadRequest, "type, ownerId, envVars, region and numInstances cannot be patched")
		return
	}
	doc := one.doc
	if err := s.apply(c, &doc, in); err != nil {
		c.failed(err)
		return
	}
	doc.UpdatedAt = now()
	one.doc = doc
	c.answer(http.StatusOK, doc)
}

func (s *Server) remove(c call) {
	one := c.find()
	if one == nil || !c.query() || !c.empty() {
		return
	}
	s.deleted[one.doc.ID] = s.cfg.GoneFor
	if s.cfg.GoneFor == 0 {
		s.drop(one.doc.ID)
	}
	c.w.WriteHeader(http.StatusNoContent)
}

func (s *Server) drop(id string) {
	delete(s.services, id)
	s.order = slices.DeleteFunc(s.order, func(other string) bool { return other == id })
}

var variableName = regexp.MustCompile(`^[-._a-zA-Z][-._a-zA-Z0-9]*$`)

func checkVariables(vars []envVar) error {
	seen := map[string]bool{}
	for _, v := range vars {
		switch {
		case !variableName.MatchString(v.Key):
			return bad("invalid environment variable name %q", v.Key)
		case seen[v.Key]:
			return bad("duplicate environment variable %q", v.Key)
		}
		seen[v.Key] = true
	}
	return nil
}

func (s *Server) variables(c call) {
	if one := c.find(); one != nil && c.query("cursor", "limit") {
		page(c, "envVar", one.envVars, func(v envVar) string { return "c-" + v.Key })
	}
}

func (s *Server) putVariables(c call) {
	one := c.find()
	var in []envVar
	if one == nil || !c.query() || !c.body(&in) {
		return
	}
	if err := checkVariables(in); err != nil {
		c.failed(err)
		return
	}
	one.envVars, one.doc.UpdatedAt = in, now()
	out := []any{}
	for _, v := range in {
		out = append(out, map[string]any{"envVar": v, "cursor": "c-" + v.Key})
	}
	c.answer(http.StatusOK, out)
}

func (s *Server) scale(c call) {
	one := c.find()
	var in struct {
		NumInstances int `json:"numInstances"`
	}
	if one == nil || !c.query() || !c.body(&in) {
		return
	}
	if in.NumInstances < 1 || in.NumInstances > 100 {
		c.refuse(http.StatusBadRequest, "invalid numInstances")
		return
	}
	one.doc.ServiceDetails.NumInstances = in.NumInstances
	c.w.WriteHeader(http.StatusAccepted)
}

func (s *Server) suspend(c call) {
	if one := c.find(); one != nil && c.query() && c.empty() {
		one.doc.Suspended, one.doc.Suspenders = "suspended", []string{"user"}
		c.w.WriteHeader(http.StatusAccepted)
	}
}

func (s *Server) resume(c call) {
	if one := c.find(); one != nil && c.query() && c.empty() {
		one.doc.Suspended, one.doc.Suspenders = "not_suspended", []string{}
		if _, err := s.start(c, one, "service_resumed", deployRequest{}); err != nil {
			c.failed(err)
			return
		}
		c.w.WriteHeader(http.StatusAccepted)
	}
}
