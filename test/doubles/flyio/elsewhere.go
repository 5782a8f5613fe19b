package flyio

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// What follows is what somebody does to an account without orch: tests of drift and adoption call it.

// Apps are the names of the apps that exist, those that cannot be seen yet included.
func (s *Server) Apps() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.apps)) {
		if !s.apps[name].gone(s.o) {
			names = append(names, name)
		}
	}
	return names
}

// Look is what there is of an app; ok is false when there is none.
func (s *Server) Look(name string) (l Look, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.apps[name]
	if !ok || a.gone(s.o) {
		return Look{}, false
	}
	l = Look{Secrets: map[string]string{}, SecretsVersion: a.secretsVersion}
	for name, value := range a.secrets {
		l.Secrets[name] = value.value
	}
	for _, address := range a.addresses {
		l.Addresses = append(l.Addresses, address.IP)
	}
	for _, m := range a.alive() {
		l.Machines = append(l.Machines, LookMachine{
			ID: m.id, Name: m.name, Region: m.region, State: m.state(s.o), Image: m.image(), Env: m.config().Env,
			Metadata: m.config().Metadata, SecretsVersion: m.secretsVersion, Versions: len(m.versions),
		})
	}
	return l, true
}

// Look is an app as only its owner sees it.
type Look struct {
	Secrets        map[string]string
	SecretsVersion int
	Addresses      []string
	Machines       []LookMachine
}

// LookMachine is a Machine of an app.
type LookMachine struct {
	ID, Name, Region, State, Image string
	Env, Metadata                  map[string]string
	// SecretsVersion is that of the secrets that it was started with, and Versions counts its configs.
	SecretsVersion, Versions int
}

// Make makes an app with that many Machines of an image.
func (s *Server) Make(name, image string, machines int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &app{id: fmt.Sprintf("app-%d", s.id()), name: name, secrets: map[string]secret{}, created: time.Time{}.Add(time.Hour)}
	for range machines {
		m := &machine{id: fmt.Sprintf("%014x", s.id()), name: fmt.Sprintf("summer-moon-%d", s.next), region: "iad", created: time.Now()}
		s.configure(a, m, launch{Config: json.RawMessage(fmt.Sprintf(`{"image":%q}`, image))})
		a.machines = append(a.machines, m)
	}
	s.apps[name] = a
}

// Delete deletes an app at once.
func (s *Server) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.apps, name)
}

// Stop stops a Machine, counted from 0.
func (s *Server) Stop(name string, index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[name].alive()[index].stopped = true
}

// Destroy destroys a Machine.
func (s *Server) Destroy(name string, index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[name].alive()[index].destroyed = true
}

// Change edits the config of a Machine, as a deployment from elsewhere does.
func (s *Server) Change(name string, index int, edit func(config map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.apps[name].alive()[index]
	current := map[string]any{}
	if err := json.Unmarshal(m.versions[len(m.versions)-1].UserConfig, &current); err != nil {
		panic("flyio double: " + err.Error()) // it was checked when it came
	}
	edit(current)
	data, err := json.Marshal(current)
	if err != nil {
		panic("flyio double: " + err.Error()) // made of JSON values
	}
	s.configure(s.apps[name], m, launch{Config: data})
}

// SetSecret sets a secret.
func (s *Server) SetSecret(name, key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[name].secrets[key] = secret{value, time.Now()}
	s.apps[name].secretsVersion++
}

// Set changes what the double is like from now on.
func (s *Server) Set(change func(o *Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.o)
}
