package ingest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

const (
	// listInterval lies between two looks for containers.
	listInterval = 2 * time.Second
	// gatherTime is how long lines of a container wait for others before they go to the sender.
	gatherTime = 100 * time.Millisecond
)

// containers follows the logs of all containers that fit.
type containers struct {
	spec   contract.Ingest
	docker Docker
	ledger *ledger
	watch  *watch
	out    chan<- *chunk
	// first is true until the first look of all is over.
	first bool

	mu     sync.Mutex
	active map[string]*container
	// handed is how far each container's lines are in chunks. The checkpoint may be behind.
	handed map[string]containerPlace
	// ended are the logs of stopped containers that were read to their end, with the start that they belong to.
	ended   map[string]time.Time
	running sync.WaitGroup
}

func newContainers(spec contract.Ingest, docker Docker, l *ledger, w *watch, out chan<- *chunk) *containers {
	return &containers{
		spec: spec, docker: docker, ledger: l, watch: w, out: out, first: l.containersUnseen,
		active: map[string]*container{}, handed: map[string]containerPlace{}, ended: map[string]time.Time{},
	}
}

// run follows until ctx ends.
func (s *containers) run(ctx context.Context) {
	defer s.running.Wait()
	if s.spec.Containers == nil {
		if s.first {
			s.looked(ctx, nil)
		}
		return
	}
	list, gather := time.NewTicker(listInterval), time.NewTicker(gatherTime)
	defer list.Stop()
	defer gather.Stop()
	s.list(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-list.C:
			s.list(ctx)
		case <-gather.C:
			s.gather(ctx)
		}
	}
}

// list looks for containers and follows those that are new, or have been started again.
func (s *containers) list(ctx context.Context) {
	all, err := s.docker.LogContainers(ctx, *s.spec.Containers)
	if err != nil {
		if ctx.Err() == nil {
			s.watch.trouble(err)
		}
		return
	}
	if s.first {
		s.looked(ctx, all)
	}
	listed := make(map[string]bool, len(all))
	for _, c := range all {
		listed[c.ID] = true
		if c.Driver == "none" {
			s.watch.trouble(fmt.Errorf("container %s: its logging driver none keeps no log", c.Name))
			continue
		}
		s.follow(ctx, c)
	}
	s.ledger.keepContainers(listed)
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.ended, func(id string, _ time.Time) bool { return !listed[id] })
	maps.DeleteFunc(s.handed, func(id string, _ containerPlace) bool { return !listed[id] && s.active[id] == nil })
	s.watch.setContainers(len(s.active) + len(s.ended))
}

// looked ends the first look of all. Where what is there is not to be read, it notes where that ends.
func (s *containers) looked(ctx context.Context, all []contract.LogContainer) {
	s.first = false
	skipped := map[string]containerPlace{}
	if s.spec.StartAt == contract.StartAtEnd {
		now := mark{Time: time.Now().UnixNano()}
		for _, c := range all {
			skipped[c.ID] = containerPlace{Stdout: now, Stderr: now}
		}
	}
	s.mu.Lock()
	maps.Copy(s.handed, skipped)
	s.mu.Unlock()
	commit := func() {
		for id, p := range skipped {
			s.ledger.putContainer(id, p)
		}
		s.ledger.seen(&s.ledger.containersUnseen)
	}
	select {
	case s.out <- &chunk{commit: commit}:
	case <-ctx.Done():
	}
}

func (s *containers) follow(ctx context.Context, c contract.LogContainer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.ended[c.ID]; s.active[c.ID] != nil || ok && at.Equal(c.Started) && !c.Running {
		return
	}
	place, ok := s.handed[c.ID]
	if !ok {
		place = s.ledger.container(c.ID)
	}
	f := newContainer(c, place, s.spec.BatchSize)
	s.active[c.ID] = f
	s.running.Go(func() {
		err := s.docker.FollowLog(ctx, c, f.since(), func(frame contract.LogFrame) error { return f.frame(ctx, frame, s.deliver) })
		if ctx.Err() == nil && err == nil {
			err = f.finish(ctx, s.deliver)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.active, c.ID)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.watch.trouble(fmt.Errorf("log of container %s: %w", c.Name, err))
		case !c.Running:
			s.ended[c.ID] = c.Started
		}
	})
}

// gather hands over what has come together.
func (s *containers) gather(ctx context.Context) {
	s.mu.Lock()
	all := make([]*container, 0, len(s.active))
	for _, f := range s.active {
		all = append(all, f)
	}
	s.mu.Unlock()
	for _, f := range all {
		if err := f.flush(ctx, s.deliver); err != nil {
			return // ctx has ended
		}
	}
}

// deliver hands a chunk to the sender.
func (s *containers) deliver(ctx context.Context, f *container, c *chunk) error {
	at := f.place()
	id := f.ID
	c.commit = func() { s.ledger.putContainer(id, at) }
	select {
	case s.out <- c:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handed[id] = at
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
