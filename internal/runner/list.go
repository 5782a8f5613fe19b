package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
)

// Orders of a list.
const (
	OrderStartTime  = "start_time"
	OrderCloseTime  = "close_time"
	OrderWorkflowID = "workflow_id"
)

const (
	pageSize = 1000
	// maxSorted is how many runs are read to be sorted here: not every visibility store sorts.
	maxSorted = 10_000
)

// Listing is which runs are wanted.
type Listing struct {
	// Query is a visibility query; empty means all.
	Query string
	// Limit is how many are wanted at most.
	Limit int
	// Order is one of the Order constants; empty is the server's own: open runs first, then those that ended last.
	Order string
	// Descending turns Order round.
	Descending bool
}

// Listed is the answer to a Listing.
type Listed struct {
	Runs []Summary
	// Total is how many runs match the query; -1 when the server does not count.
	Total int64
}

// TooManyError says that more runs match a query than can be sorted.
type TooManyError struct {
	Query string
	Total int64
}

// Error implements error.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("%d workflow runs match, and at most %d can be sorted; narrow the query, for example by StartTime, or leave out order_by", e.Total, maxSorted)
}

// List lists runs. What has just been started or ended may take a moment to show: the list is eventually consistent.
func (c *Client) List(ctx context.Context, wanted Listing) (*Listed, error) {
	total, err := c.count(ctx, wanted.Query)
	if err != nil {
		return nil, err
	}
	most := wanted.Limit
	if wanted.Order != "" {
		most = maxSorted
	}
	if wanted.Order != "" && total > maxSorted {
		return nil, &TooManyError{Query: wanted.Query, Total: total}
	}
	out := &Listed{Total: total}
	for token := []byte(nil); len(out.Runs) < most; {
		page, err := ask(ctx, c, "list workflows", func(ctx context.Context) (*workflowservice.ListWorkflowExecutionsResponse, error) {
			page, err := c.sdk.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
				Namespace: c.resolved.Namespace, Query: wanted.Query, NextPageToken: token,
				PageSize: int32(min(pageSize, most-len(out.Runs))),
			})
			return page, c.invalidQuery(wanted.Query, err)
		})
		if err != nil {
			return nil, err
		}
		for _, info := range page.GetExecutions() {
			out.Runs = append(out.Runs, c.summary(info))
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			break
		}
	}
	sortRuns(out.Runs, wanted)
	out.Runs = out.Runs[:min(len(out.Runs), wanted.Limit)]
	return out, nil
}

func (c *Client) count(ctx context.Context, query string) (int64, error) {
	counted, err := ask(ctx, c, "count workflows", func(ctx context.Context) (*workflowservice.CountWorkflowExecutionsResponse, error) {
		counted, err := c.sdk.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: c.resolved.Namespace, Query: query})
		return counted, c.invalidQuery(query, err)
	})
	if withheld(err) {
		return -1, nil
	}
	return counted.GetCount(), err
}

// invalidQuery gives the server's "invalid argument" its meaning.
func (c *Client) invalidQuery(query string, err error) error {
	var invalid *serviceerror.InvalidArgument
	if errors.As(err, &invalid) {
		return &QueryError{Endpoint: c.endpoint(), Query: query, Cause: err}
	}
	return err
}

func sortRuns(runs []Summary, wanted Listing) {
	if wanted.Order == "" {
		return
	}
	slices.SortStableFunc(runs, func(a, b Summary) int {
		var by int
		switch wanted.Order {
		case OrderStartTime:
			by = a.StartTime.Compare(b.StartTime)
		case OrderCloseTime:
			// An open run will close later than all that have closed.
			by = cmp.Or(compareBool(a.CloseTime.IsZero(), b.CloseTime.IsZero()), a.CloseTime.Compare(b.CloseTime))
		case OrderWorkflowID:
			by = cmp.Compare(a.WorkflowID, b.WorkflowID)
		}
		by = cmp.Or(by, cmp.Compare(a.RunID, b.RunID))
		if wanted.Descending {
			return -by
		}
		return by
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
