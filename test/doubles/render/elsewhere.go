package render

import "net/http"

// What somebody does elsewhere, for example in Render's dashboard. Services are called by their names.

// Variables are a service's variables; nil when there is no such service.
func (s *Server) Variables(name string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.byName(name)
	if one == nil {
		return nil
	}
	values := map[string]string{}
	for _, v := range one.envVars {
		values[v.Key] = v.Value
	}
	return values
}

// SetVariable sets a variable, without a deploy.
func (s *Server) SetVariable(name, key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.byName(name)
	for i := range one.envVars {
		if one.envVars[i].Key == key {
			one.envVars[i].Value = value
			return
		}
	}
	one.envVars = append(one.envVars, envVar{key, value})
}

// Deploy deploys the service as it is, by hand, to its end.
func (s *Server) Deploy(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.byName(name)
	d, err := s.start(call{Server: s, r: &http.Request{}}, one, "manual", deployRequest{})
	if err != nil {
		panic("render double: " + err.Error())
	}
	for len(d.ahead) > 0 {
		d.advance(one)
	}
}

// Suspend suspends a service.
func (s *Server) Suspend(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byName(name).doc.Suspended = "suspended"
}

// SetImage has a service run another image from its next deploy on.
func (s *Server) SetImage(name, image string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byName(name).doc.ImagePath = image
}

// Delete deletes a service.
func (s *Server) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.byName(name).doc.ID)
}

// Make makes a service with an image that is live, as somebody else would have. base is the double's own address.
func (s *Server) Make(base, owner, name, image string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.id("srv")
	doc := document{
		ID: id, Name: name, OwnerID: owner, Type: "web_service", AutoDeploy: "yes", ImagePath: image, Slug: s.slug(name), Suspended: "not_suspended",
		Suspenders: []string{}, NotifyOnFail: "default", DashboardURL: "https://dashboard.render.com/web/" + id, CreatedAt: now(), UpdatedAt: now(),
		ServiceDetails: details{
			Env: "image", Runtime: "image", Plan: "starter", Region: "oregon", NumInstances: 1, BuildPlan: "starter", OpenPorts: []port{},
			EnvSpecificDetails: specific{DockerCommand: new(string), DockerContext: new(string), DockerfilePath: new(string)},
			URL:                base + "/double/apps/" + s.slug(name),
		},
	}
	s.services[id] = &service{doc: doc, deploys: []*deploy{{ID: s.id("dep"), Status: "live", Trigger: "manual", CreatedAt: now(), UpdatedAt: now(), Image: &imageRef{Ref: image}}}}
	s.order = append(s.order, id)
}

func (s *Server) byName(name string) *service {
	for _, id := range s.order {
		if s.services[id].doc.Name == name {
			return s.services[id]
		}
	}
	return nil
}

// Look is what the dashboard shows of a service.
type Look struct {
	// Instances is how many there should be, and Deploys how many deploys there have been.
	Instances, Deploys int
	// Live are the variables of the deploy that is live; nil when none is.
	Live map[string]string
}

// Look looks at a service.
func (s *Server) Look(name string) Look {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.byName(name)
	look := Look{Instances: one.doc.ServiceDetails.NumInstances, Deploys: len(one.deploys)}
	for _, d := range one.deploys {
		if d.Status == "live" {
			look.Live = d.env
		}
	}
	return look
}
