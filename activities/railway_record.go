package activities

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// railwayRecord is what orch keeps about a service, in a variable of it. It holds no secret but Salt, with which alone nothing can
// be opened.
type railwayRecord struct {
	// ID is Ref.ID of the deployment that the service belongs to.
	ID string `json:"id"`
	// Release is Deployment.Release that the service is set to, and Input what it was made from.
	Release string          `json:"release,omitempty"`
	Input   json.RawMessage `json:"input,omitempty"`
	// Env and Secrets are the names of the variables that orch has set.
	Env     []string `json:"env,omitempty"`
	Secrets []string `json:"secrets,omitempty"`
	// Salt makes digests of the secrets that nobody without access to Railway can find the values from.
	Salt string `json:"salt,omitempty"`
	// Live is what was deployed successfully last.
	Live railwayLive `json:"live,omitzero"`
}

// railwayLive is a deployment that came up.
type railwayLive struct {
	Deployment string `json:"deployment"`
	// Release is empty from the moment in which a variable or setting is changed: the deployment has not got it.
	Release string    `json:"release"`
	RunID   string    `json:"run_id"`
	Created time.Time `json:"created"`
}

// recordIn is the record among variables; one that cannot be read is none.
func recordIn(variables map[string]string) railwayRecord {
	var r railwayRecord
	if json.Unmarshal([]byte(variables[contract.RailwayRecord]), &r) != nil {
		return railwayRecord{}
	}
	return r
}

// variable is the record as it is stored.
func (r railwayRecord) variable() (map[string]string, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, contract.Fail(contract.Internal, "encode the record: %v", err)
	}
	return map[string]string{contract.RailwayRecord: string(data)}, nil
}

// digests tell whether a secret is still what it was set to.
func (r railwayRecord) digests(variables map[string]string) map[string]string {
	digests := map[string]string{}
	for _, name := range r.Secrets {
		if value, ok := variables[name]; ok {
			mac := hmac.New(sha256.New, []byte(r.Salt))
			mac.Write([]byte(name + "\x00" + value))
			digests[name] = hex.EncodeToString(mac.Sum(nil)[:8])
		}
	}
	return digests
}

// next are the record and the variables that a service is to have: those of the deployment, and those that somebody else has
// set. What orch has set and no longer wants is left out. The record is not among the variables.
func (r railwayRecord) next(d contract.Deployment, secrets, current map[string]string) (railwayRecord, map[string]string) {
	to := railwayRecord{
		ID: d.Ref.ID(), Release: d.Release, Input: d.Input, Salt: r.Salt, Live: r.Live,
		Env: slices.Sorted(maps.Keys(d.Env)), Secrets: slices.Sorted(maps.Keys(secrets)),
	}
	if to.Salt == "" {
		to.Salt = rand.Text()
	}
	variables := map[string]string{}
	for name, value := range settable(current) {
		if !slices.Contains(r.Env, name) && !slices.Contains(r.Secrets, name) {
			variables[name] = value
		}
	}
	if _, set := d.Env["PORT"]; !set && d.Railway.Port != 0 {
		// Railway's health check asks the port that PORT names.
		variables["PORT"] = strconv.FormatInt(d.Railway.Port, 10)
		to.Env = append(to.Env, "PORT")
	}
	maps.Copy(variables, d.Env)
	maps.Copy(variables, secrets)
	return to, variables
}

// settable are the variables that can be set, without the record: Railway provides others, and calls them RAILWAY_….
func settable(variables map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range variables {
		if !strings.HasPrefix(name, "RAILWAY_") && name != contract.RailwayRecord {
			out[name] = value
		}
	}
	return out
}
