package activities

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/render"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// renderMark is the value of contract.RenderMark, in JSON: whose the service is and what its settings were made from. It is
// set in the same call as all other variables, so it always tells of them. No secret is in it.
type renderMark struct {
	ID      string `json:"id"`
	Release string `json:"release"`
	// After is the deploy that was the newest when the variables were set: any newer one was started with them. It is empty
	// for a service that was created with them.
	After string `json:"after,omitempty"`
	// StandsFor is the deploy that a rollback went back to, and Live the one that it started for that.
	StandsFor string    `json:"stands_for,omitempty"`
	Live      string    `json:"live,omitempty"`
	Run       string    `json:"run"`
	Created   time.Time `json:"created"`
	// Salt is random, so that the digests of secrets tell nothing of their values to whoever cannot read the variables.
	Salt    string          `json:"salt"`
	Secrets []string        `json:"secrets,omitempty"`
	Input   json.RawMessage `json:"input,omitempty"`
	// Repository is the one that orch creates, so that a removal by name alone finds it.
	Repository *contract.Repository `json:"repository,omitempty"`
}

// newMark is the mark of what a call sets. after is the newest deploy by then.
func newMark(call contract.DeploymentCall, after string) (renderMark, error) {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return renderMark{}, err
	}
	return renderMark{
		ID: call.Deployment.Ref.ID(), Release: call.Deployment.Release, After: after, Run: call.RunID,
		Created: time.Now().UTC().Truncate(time.Second), Salt: hex.EncodeToString(salt), Input: call.Deployment.Input,
		Repository: createdRepository(call),
	}, nil
}

// markOf is the mark among a service's variables; the zero mark when there is none.
func markOf(vars []render.EnvVar) renderMark {
	for _, v := range vars {
		var mark renderMark
		if v.Key == contract.RenderMark && json.Unmarshal([]byte(v.Value), &mark) == nil {
			return mark
		}
	}
	return renderMark{}
}

// carries reports whether the deploy at index i of deploys, which are newest first, was started with the variables that the
// mark tells of.
func (m renderMark) carries(deploys []render.Deploy, i int) bool {
	after := slices.IndexFunc(deploys, func(d render.Deploy) bool { return d.ID == m.After })
	return (m.After == "" || after < 0 || i < after) && deploys[i].Trigger != "rollback"
}

// digest identifies a secret's value to whoever has the salt.
func (m renderMark) digest(name, value string) string {
	mac := hmac.New(sha256.New, []byte(m.Salt))
	mac.Write([]byte(name + "\x00" + value))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// digests are those of all secrets that the mark names.
func (m renderMark) digests(vars []render.EnvVar) map[string]string {
	var out map[string]string
	for _, v := range vars {
		if slices.Contains(m.Secrets, v.Key) {
			out = with(out, v.Key, m.digest(v.Key, v.Value))
		}
	}
	return out
}

// values are those of all secrets that the mark names.
func (m renderMark) values(vars []render.EnvVar) []string {
	var out []string
	for _, v := range vars {
		if slices.Contains(m.Secrets, v.Key) {
			out = append(out, v.Value)
		}
	}
	return out
}

// renderVariables are all variables of the service, sorted, the mark among them.
func renderVariables(call contract.DeploymentCall, secrets map[string]string, mark renderMark) ([]render.EnvVar, error) {
	values := map[string]string{}
	maps.Copy(values, call.Deployment.Env)
	maps.Copy(values, secrets)
	mark.Secrets = slices.Sorted(maps.Keys(secrets))
	text, err := json.Marshal(mark)
	if err != nil {
		return nil, err
	}
	values[contract.RenderMark] = string(text)
	return sortedVariables(values), nil
}

func sortedVariables(values map[string]string) []render.EnvVar {
	out := make([]render.EnvVar, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, render.EnvVar{Key: name, Value: values[name]})
	}
	return out
}

// applicationVariables are those that orch did not add for itself, by name.
func applicationVariables(vars []render.EnvVar) map[string]string {
	out := map[string]string{}
	for _, v := range vars {
		if v.Key != contract.RenderMark {
			out[v.Key] = v.Value
		}
	}
	return out
}

// asStepFailure is an error of a platform's client or of a step as a failure that can be added to; nil when it is neither.
func asStepFailure(err error) *contract.StepFailure {
	var failure *contract.StepFailure
	var call *cloud.Error
	switch {
	case errors.As(err, &failure):
		return failure
	case errors.As(err, &call):
		return call.Failure()
	}
	return nil
}
