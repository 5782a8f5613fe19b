package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Tail follows what an ingest selects and ships it.
type Tail struct {
	spec   contract.Ingest
	ledger *ledger
	watch  *watch
	sender *sender
	queue  chan *chunk
	files  *files
	docker *containers

	encoder *encoder
	batch   []*chunk
	entries []entry
	newest  map[string]int64
}

// NewTail opens the checkpoint in dir, which must be the caller's alone (Store.Lock). docker may be nil when no container
// is selected, and secrets zero when no header refers to one.
func NewTail(spec contract.Ingest, dir string, docker Docker, secrets Secrets, logger *slog.Logger) (*Tail, error) {
	l, err := openLedger(filepath.Join(dir, checkpointFile))
	if err != nil {
		return nil, err
	}
	w := &watch{log: logger.With("ingest", spec.Ref.ID())}
	s, err := newSender(spec, secrets, w)
	if err != nil {
		return nil, err
	}
	t := &Tail{spec: spec, ledger: l, watch: w, sender: s, queue: make(chan *chunk, queueLength), encoder: newEncoder(spec), newest: map[string]int64{}}
	t.files = newFiles(spec, l, w, t.queue)
	t.docker = newContainers(spec, docker, l, w, t.queue)
	maps.Copy(t.newest, l.newest)
	return t, nil
}

// Status is what the tail says of itself now. It may be called at any time.
func (t *Tail) Status() contract.TailStatus { return t.watch.status(t.spec, t.ledger) }

// Run follows and ships until ctx ends, or the checkpoint cannot be written, which is the only other error.
func (t *Tail) Run(ctx context.Context) error {
	// Where no checkpoint can be written, each attempt would send the same lines again.
	if err := t.save(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var readers sync.WaitGroup
	readers.Go(func() { t.files.run(ctx) })
	readers.Go(func() { t.docker.run(ctx) })
	err := t.ship(ctx)
	cancel(err)
	readers.Wait()
	t.sender.close()
	return err
}

// ship sends what is in the queue until ctx ends.
func (t *Tail) ship(ctx context.Context) error {
	flush := time.Duration(t.spec.FlushInterval * float64(time.Second))
	var held *chunk
	for {
		next, err := t.gather(ctx, held, flush)
		if err != nil {
			return err
		}
		held = next
		if err := t.deliver(ctx); err != nil {
			return err
		}
		for _, c := range t.batch {
			c.commit()
		}
		if err := t.save(); err != nil {
			return err
		}
		t.watch.setOldest(time.Time{})
	}
}

func (t *Tail) save() error {
	now := time.Now()
	forgetOld(t.newest, now)
	if err := t.ledger.save(now); err != nil {
		return fmt.Errorf("the checkpoint cannot be written: %w", err)
	}
	return nil
}

// gather collects a batch: the chunk that was held back from the last one, and what comes until the batch is full or its
// first line has waited for the flush interval. It returns the chunk that no longer fits.
func (t *Tail) gather(ctx context.Context, held *chunk, flush time.Duration) (*chunk, error) {
	t.batch, t.entries = t.batch[:0], t.entries[:0]
	size := 0
	timer := time.NewTimer(flush)
	defer timer.Stop()
	for {
		c := held
		held = nil
		if c == nil {
			select {
			case c = <-t.queue:
			case <-timer.C:
				if len(t.batch) > 0 {
					return nil, nil
				}
				timer.Reset(flush)
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if len(t.entries) > 0 && (len(t.entries)+len(c.lines) > t.spec.BatchSize || size+len(c.text) > batchBytes) {
			return c, nil
		}
		if len(t.batch) == 0 {
			timer.Reset(flush)
			t.watch.setOldest(c.read)
		}
		t.batch = append(t.batch, c)
		for _, l := range c.lines {
			t.entries = append(t.entries, entry{c, l})
		}
		size += len(c.text)
		if len(t.entries) >= t.spec.BatchSize || size >= batchBytes {
			return nil, nil
		}
	}
}

// deliver ships the batch. What the receiver refuses is halved until the lines that are to blame are found, and those are
// counted.
func (t *Tail) deliver(ctx context.Context) error {
	var counted totals
	err := t.deliverSome(ctx, t.entries, &counted)
	if err != nil {
		return err
	}
	t.ledger.sent(counted, t.newest)
	return nil
}

func (t *Tail) deliverSome(ctx context.Context, entries []entry, counted *totals) error {
	if len(entries) == 0 {
		return nil
	}
	body, more, err := t.encoder.encode(entries, time.Now(), t.newest)
	if err != nil {
		return errors.Join(errors.New("encode lines"), err)
	}
	v, err := t.sender.send(ctx, body)
	switch {
	case err != nil:
		return err
	case v.taken:
		more.Rejected = min(v.rejected, more.Lines)
		more.Lines -= more.Rejected
		counted.add(more)
		return nil
	case len(entries) > 1:
		half := len(entries) / 2
		if err := t.deliverSome(ctx, entries[:half], counted); err != nil {
			return err
		}
		return t.deliverSome(ctx, entries[half:], counted)
	default:
		t.watch.trouble(fmt.Errorf("a line was refused: %w", v.why))
		counted.add(totals{Rejected: 1})
		return nil
	}
}
