package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// listEvery is how often the list is read until a run shows up: visibility is written a moment after the run.
const listEvery = 250 * time.Millisecond

// list reads the IDs on the first page of the workflow list, over the Web UI's API.
func (c cluster) list(ctx context.Context) ([]string, error) {
	where := c.webUI + "/api/v1/namespaces/" + url.PathEscape(c.namespace) + "/workflows"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, fmt.Errorf("read the workflow list: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read the workflow list: %w; does the Web UI run? make temporal-up", err)
	}
	defer func() { _ = resp.Body.Close() }() // it is read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("read the workflow list: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read the workflow list: %s answers %s: %.300s", where, resp.Status, body)
	}
	var answer struct {
		Executions []struct {
			Execution struct {
				WorkflowID string `json:"workflowId"`
			} `json:"execution"`
		} `json:"executions"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read the workflow list: %s answers no JSON: %.300s", where, body)
	}
	ids := make([]string, 0, len(answer.Executions))
	for _, e := range answer.Executions {
		ids = append(ids, e.Execution.WorkflowID)
	}
	return ids, nil
}

// listed waits until the list holds the run.
func (c cluster) listed(ctx context.Context, workflowID string) error {
	for {
		ids, err := c.list(ctx)
		if err != nil {
			return err
		}
		if slices.Contains(ids, workflowID) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the Web UI does not list workflow %s: %w", workflowID, ctx.Err())
		case <-time.After(listEvery):
		}
	}
}
