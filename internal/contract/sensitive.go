package contract

// The payload codec asks a value whether it must be encrypted before it leaves the process (Sensitive). What need not be
// stays readable in the Temporal Web UI and for clients that know no codec.

// Sensitive is true when the request carries secret values.
func (r Request) Sensitive() bool { return len(r.Secrets) > 0 || len(r.AppSecrets) > 0 }

// Sensitive is true when the call carries secret values.
func (c ComponentCall) Sensitive() bool { return len(c.Secrets) > 0 }

// Sensitive is true when the call carries the token itself.
func (c CloudflareCall) Sensitive() bool { return c.Secret != "" }

// Sensitive is always true: a failure quotes log lines, and what an application logs is not ours to publish.
func (f StepFailure) Sensitive() bool { return true }

// Sensitive is true when the call carries secret values.
func (c DeploymentCall) Sensitive() bool { return len(c.Secrets) > 0 || len(c.AppSecrets) > 0 }
