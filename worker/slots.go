package worker

import (
	"context"
	"fmt"
	"sync"

	"go.temporal.io/sdk/worker"
)

// Slots is a supplier of activity slots that all workers of the process share.
//
// The fixed supplier of the SDK cannot be shared: a poller takes its slot before it polls, so idle queues would hold all of
// them and a further queue would never be polled. Here only running activities count; a poller waits while the limit
// is reached. Polls that are under way when it is reached may still bring a task, which waits at the Gate.
type Slots struct {
	limit int

	mu      sync.Mutex
	used    int
	changed chan struct{}
}

// slotUse is the part of a permit that tells whether it counts.
type slotUse struct{ counted bool }

var _ worker.SlotSupplier = (*Slots)(nil)

// NewSlots returns a supplier for that many activities at a time.
func NewSlots(limit int) (*Slots, error) {
	if limit < 1 {
		return nil, fmt.Errorf("the limit on concurrent activities is %d; it must be 1 or more", limit)
	}
	return &Slots{limit: limit, changed: make(chan struct{})}, nil
}

// ReserveSlot implements worker.SlotSupplier: it blocks while the limit is reached.
func (s *Slots) ReserveSlot(ctx context.Context, _ worker.SlotReservationInfo) (*worker.SlotPermit, error) {
	for {
		s.mu.Lock()
		free, changed := s.used < s.limit, s.changed
		s.mu.Unlock()
		if free {
			return &worker.SlotPermit{UserData: &slotUse{}}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// TryReserveSlot implements worker.SlotSupplier. It is asked for tasks that come with a workflow task's answer, so the slot
// counts at once.
func (s *Slots) TryReserveSlot(worker.SlotReservationInfo) *worker.SlotPermit {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used >= s.limit {
		return nil
	}
	s.used++
	return &worker.SlotPermit{UserData: &slotUse{counted: true}}
}

// MarkSlotUsed implements worker.SlotSupplier.
func (s *Slots) MarkSlotUsed(info worker.SlotMarkUsedInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if use, ok := info.Permit().UserData.(*slotUse); ok && !use.counted {
		use.counted = true
		s.used++
	}
}

// ReleaseSlot implements worker.SlotSupplier.
func (s *Slots) ReleaseSlot(info worker.SlotReleaseInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if use, ok := info.Permit().UserData.(*slotUse); ok && use.counted {
		use.counted = false
		s.used--
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// without runs something that takes no slot: it lasts for as long as the worker does, and would keep its slot from all others.
func (s *Slots) without(work func() (any, error)) (any, error) {
	s.shift(-1)
	defer s.shift(1)
	return work()
}

func (s *Slots) shift(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used += by
	if by < 0 {
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// MaxSlots implements worker.SlotSupplier.
func (s *Slots) MaxSlots() int { return s.limit }

// Tuner returns a tuner for one worker: activities share s, everything else has slots of its own, because workflow tasks
// take milliseconds and must never wait for activities of other queues.
func (s *Slots) Tuner() (worker.WorkerTuner, error) {
	own := make([]worker.SlotSupplier, 4)
	for i := range own {
		supplier, err := worker.NewFixedSizeSlotSupplier(100)
		if err != nil {
			return nil, fmt.Errorf("make slots: %w", err)
		}
		own[i] = supplier
	}
	return worker.NewCompositeTuner(worker.CompositeTunerOptions{
		WorkflowSlotSupplier:        own[0],
		ActivitySlotSupplier:        s,
		LocalActivitySlotSupplier:   own[1],
		NexusSlotSupplier:           own[2],
		SessionActivitySlotSupplier: own[3],
	})
}
