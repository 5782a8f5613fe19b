package contract

// RailwayRecord is the variable that keeps what orch knows of a service on Railway, which has no labels.
const RailwayRecord = "ORCH_DEPLOYMENT"

// RailwaySpec is what a deployment on Railway consists of.
type RailwaySpec struct {
	// Workspace is an ID or a name; empty is the only one that the token sees.
	Workspace string `json:"workspace,omitempty"`
	Project   string `json:"project"`
	// Environment is a name; empty is the one of a project token, else the one that Railway makes with a project.
	Environment string `json:"environment"`
	// Repository is "owner/name" and Branch what is built of it; both are empty where an image is deployed.
	Repository string `json:"repository,omitempty"`
	Branch     string `json:"branch,omitempty"`
	// Port is where the application listens; 0 lets Railway choose and tell it in PORT.
	Port     int64           `json:"port,omitempty"`
	Settings RailwaySettings `json:"settings"`
}

// RailwaySettings are the settings of a service in an environment, under the names of Railway's API. A null text or path
// takes the setting away; what is left out stays as it is.
type RailwaySettings struct {
	Source                  *RailwaySource `json:"source,omitempty"`
	StartCommand            *string        `json:"startCommand"`
	Region                  *string        `json:"region,omitempty"`
	NumReplicas             *int64         `json:"numReplicas,omitempty"`
	HealthcheckPath         *string        `json:"healthcheckPath"`
	HealthcheckTimeout      *int64         `json:"healthcheckTimeout"`
	RestartPolicyType       string         `json:"restartPolicyType,omitempty"`
	RestartPolicyMaxRetries *int64         `json:"restartPolicyMaxRetries,omitempty"`
}

// RailwaySource is what a service runs: an image, or a repository of the form "owner/name".
type RailwaySource struct {
	Image string `json:"image,omitempty"`
	Repo  string `json:"repo,omitempty"`
}
