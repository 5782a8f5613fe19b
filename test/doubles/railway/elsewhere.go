package railway

import (
	"maps"
	"time"
)

// Project is a project as it is, for tests to look at.
type Project struct {
	ID, Name     string
	Environments []string
	Services     []Service
}

// Service is a service in the first environment of its project.
type Service struct {
	ID, Name    string
	Image, Repo string
	Replicas    int
	Variables   map[string]string
	Domains     []string
	// Ports are where the domains lead; 0 is what Railway finds out.
	Ports []int
	// Deployments counts all, Running those that are up.
	Deployments, Running int
}

// Rename renames a service of any project.
func (s *Server) Rename(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.state.projects {
		for _, svc := range p.services {
			if svc.name == from {
				svc.name = to
			}
		}
	}
}

// Projects are the projects that nobody has deleted.
func (s *Server) Projects() []Project {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Project
	for _, p := range s.state.projects {
		if p.deletedAt != nil {
			continue
		}
		one := Project{ID: p.id, Name: p.name}
		for _, e := range p.environments {
			one.Environments = append(one.Environments, e.name)
		}
		for _, svc := range p.services {
			one.Services = append(one.Services, svc.look(p.environments[0].id, s.state.now()))
		}
		out = append(out, one)
	}
	return out
}

func (svc *service) look(environmentID string, now time.Time) Service {
	i := svc.instances[environmentID]
	i.advance(now)
	out := Service{
		ID: svc.id, Name: svc.name, Image: i.settings.image, Repo: i.settings.repo, Variables: maps.Clone(i.variables), Deployments: len(i.deployments),
	}
	if i.settings.numReplicas != nil {
		out.Replicas = *i.settings.numReplicas
	}
	for _, d := range i.domains {
		port := 0
		if d.targetPort != nil {
			port = *d.targetPort
		}
		out.Domains, out.Ports = append(out.Domains, d.name), append(out.Ports, port)
	}
	for _, d := range i.deployments {
		if d.up() {
			out.Running++
		}
	}
	return out
}

func (d *deployment) up() bool { return d.status == "SUCCESS" && !d.stopped }

// Up reports that a service of that name has a deployment that is up.
func (s *Server) Up(name string) bool {
	up := false
	s.each(name, func(i *instance) {
		for _, d := range i.deployments {
			up = up || d.up()
		}
	})
	return up
}

// Stop stops what a service runs, as a person does on the dashboard.
func (s *Server) Stop(name string) {
	s.each(name, func(i *instance) {
		for _, d := range i.deployments {
			d.stopped = true
		}
	})
}

// RemoveDomains takes a service's domains away.
func (s *Server) RemoveDomains(name string) { s.each(name, func(i *instance) { i.domains = nil }) }

// Expire makes all deployments of a service so old that Railway cannot go back to them.
func (s *Server) Expire(name string) {
	s.each(name, func(i *instance) {
		for _, d := range i.deployments {
			d.expired = true
		}
	})
}

func (s *Server) each(name string, do func(*instance)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.state.projects {
		for _, svc := range p.services {
			if svc.name != name || p.deletedAt != nil {
				continue
			}
			for _, i := range svc.instances {
				i.advance(s.state.now())
				do(i)
			}
		}
	}
}
