package railway

// Arguments and inputs of the operations that the double knows: names and types are Railway's, the fields are those that orch
// may send.

type none struct{}

type byID struct {
	ID string `json:"id" gql:"String!"`
}

type page struct {
	First *int    `json:"first" gql:"Int"`
	After *string `json:"after" gql:"String"`
}

type projectsArgs struct {
	WorkspaceID string  `json:"workspaceId" gql:"String"`
	First       *int    `json:"first" gql:"Int"`
	After       *string `json:"after" gql:"String"`
}

type environmentsArgs struct {
	ProjectID string  `json:"projectId" gql:"String!"`
	First     *int    `json:"first" gql:"Int"`
	After     *string `json:"after" gql:"String"`
}

type projectCreateArgs struct {
	Input struct {
		Name                   string `json:"name" gql:"String"`
		Description            string `json:"description" gql:"String"`
		WorkspaceID            string `json:"workspaceId" gql:"String"`
		DefaultEnvironmentName string `json:"defaultEnvironmentName" gql:"String"`
	} `json:"input" gql:"ProjectCreateInput!"`
}

type environmentCreateArgs struct {
	Input struct {
		ProjectID          string `json:"projectId" gql:"String!"`
		Name               string `json:"name" gql:"String!"`
		SkipInitialDeploys bool   `json:"skipInitialDeploys" gql:"Boolean"`
	} `json:"input" gql:"EnvironmentCreateInput!"`
}

type sourceInput struct {
	Image string `json:"image" gql:"String"`
	Repo  string `json:"repo" gql:"String"`
}

type serviceCreateArgs struct {
	Input struct {
		ProjectID     string            `json:"projectId" gql:"String!"`
		EnvironmentID string            `json:"environmentId" gql:"String"`
		Name          string            `json:"name" gql:"String"`
		Branch        string            `json:"branch" gql:"String"`
		Source        *sourceInput      `json:"source" gql:"ServiceSourceInput"`
		Variables     map[string]string `json:"variables" gql:"EnvironmentVariables"`
	} `json:"input" gql:"ServiceCreateInput!"`
}

type serviceConnectArgs struct {
	ID    string `json:"id" gql:"String!"`
	Input struct {
		Branch string `json:"branch" gql:"String"`
		Image  string `json:"image" gql:"String"`
		Repo   string `json:"repo" gql:"String"`
	} `json:"input" gql:"ServiceConnectInput!"`
}

type instanceArgs struct {
	ServiceID     string `json:"serviceId" gql:"String!"`
	EnvironmentID string `json:"environmentId" gql:"String!"`
}

// settingsInput tells an absent field from a null one: Railway leaves the first as it is and clears the second.
type settingsInput struct {
	Source                  *sourceInput     `json:"source" gql:"ServiceSourceInput"`
	StartCommand            optional[string] `json:"startCommand" gql:"String"`
	Region                  optional[string] `json:"region" gql:"String"`
	NumReplicas             optional[int]    `json:"numReplicas" gql:"Int"`
	HealthcheckPath         optional[string] `json:"healthcheckPath" gql:"String"`
	HealthcheckTimeout      optional[int]    `json:"healthcheckTimeout" gql:"Int"`
	RestartPolicyType       string           `json:"restartPolicyType" gql:"RestartPolicyType" enum:"ALWAYS NEVER ON_FAILURE"`
	RestartPolicyMaxRetries *int             `json:"restartPolicyMaxRetries" gql:"Int"`
}

type serviceInstanceUpdateArgs struct {
	ServiceID     string        `json:"serviceId" gql:"String!"`
	EnvironmentID string        `json:"environmentId" gql:"String"`
	Input         settingsInput `json:"input" gql:"ServiceInstanceUpdateInput!"`
}

type variablesArgs struct {
	ProjectID     string `json:"projectId" gql:"String!"`
	EnvironmentID string `json:"environmentId" gql:"String!"`
	ServiceID     string `json:"serviceId" gql:"String"`
	Unrendered    bool   `json:"unrendered" gql:"Boolean"`
}

type variableUpsertArgs struct {
	Input struct {
		ProjectID     string            `json:"projectId" gql:"String!"`
		EnvironmentID string            `json:"environmentId" gql:"String!"`
		ServiceID     string            `json:"serviceId" gql:"String"`
		Variables     map[string]string `json:"variables" gql:"EnvironmentVariables!"`
		Replace       bool              `json:"replace" gql:"Boolean"`
		SkipDeploys   bool              `json:"skipDeploys" gql:"Boolean"`
	} `json:"input" gql:"VariableCollectionUpsertInput!"`
}

type deploymentsArgs struct {
	Input struct {
		ProjectID     string `json:"projectId" gql:"String"`
		EnvironmentID string `json:"environmentId" gql:"String"`
		ServiceID     string `json:"serviceId" gql:"String"`
	} `json:"input" gql:"DeploymentListInput!"`
	First *int `json:"first" gql:"Int"`
}

type logsArgs struct {
	DeploymentID string `json:"deploymentId" gql:"String!"`
	Limit        *int   `json:"limit" gql:"Int"`
}

type domainsArgs struct {
	ProjectID     string `json:"projectId" gql:"String!"`
	EnvironmentID string `json:"environmentId" gql:"String!"`
	ServiceID     string `json:"serviceId" gql:"String!"`
}

type domainCreateArgs struct {
	Input struct {
		EnvironmentID string `json:"environmentId" gql:"String!"`
		ServiceID     string `json:"serviceId" gql:"String!"`
		TargetPort    *int   `json:"targetPort" gql:"Int"`
	} `json:"input" gql:"ServiceDomainCreateInput!"`
}

type domainUpdateArgs struct {
	Input struct {
		EnvironmentID   string `json:"environmentId" gql:"String!"`
		ServiceID       string `json:"serviceId" gql:"String!"`
		ServiceDomainID string `json:"serviceDomainId" gql:"String!"`
		Domain          string `json:"domain" gql:"String!"`
		TargetPort      *int   `json:"targetPort" gql:"Int"`
	} `json:"input" gql:"ServiceDomainUpdateInput!"`
}
