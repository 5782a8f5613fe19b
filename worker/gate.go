package worker

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"golang.org/x/sync/semaphore"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Gate is a worker interceptor that makes the limit of Slots exact: an activity that came in over it waits here and sends
// heartbeats meanwhile.
type Gate struct {
	interceptor.WorkerInterceptorBase
	free  *semaphore.Weighted
	slots *Slots
}

// Gate returns the interceptor that belongs to s. All workers must share it.
func (s *Slots) Gate() *Gate {
	return &Gate{free: semaphore.NewWeighted(int64(s.limit)), slots: s}
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (g *Gate) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &gated{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, free: g.free, slots: g.slots}
}

type gated struct {
	interceptor.ActivityInboundInterceptorBase
	free  *semaphore.Weighted
	slots *Slots
}

// ExecuteActivity runs the activity once it is among the allowed number.
func (g *gated) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if activity.GetInfo(ctx).ActivityType.Name == contract.TailLogs.Name {
		return g.slots.without(func() (any, error) { return g.Next.ExecuteActivity(ctx, in) })
	}
	if !activity.GetInfo(ctx).IsLocalActivity {
		if err := g.enter(ctx); err != nil {
			return nil, activities.Ended(ctx)
		}
		defer g.free.Release(1)
	}
	return g.Next.ExecuteActivity(ctx, in)
}

// enter waits for a place. Heartbeats go out meanwhile, with the details of the last attempt, which they would erase else.
func (g *gated) enter(ctx context.Context) error {
	if g.free.TryAcquire(1) {
		return nil
	}
	timeout := activity.GetInfo(ctx).HeartbeatTimeout
	if timeout == 0 {
		return g.free.Acquire(ctx, 1)
	}
	entered := make(chan error, 1)
	go func() { entered <- g.free.Acquire(ctx, 1) }()
	tick := time.NewTicker(timeout / 3)
	defer tick.Stop()
	for {
		select {
		case err := <-entered:
			return err
		case <-tick.C:
			beat(ctx)
		}
	}
}

func beat(ctx context.Context) {
	var last converter.RawValue
	if activity.HasHeartbeatDetails(ctx) && activity.GetHeartbeatDetails(ctx, &last) == nil {
		activity.RecordHeartbeat(ctx, last)
		return
	}
	activity.RecordHeartbeat(ctx)
}
