package railway

// Operations of Railway's API. Each names exactly the fields that its result is decoded into.
const (
	queryWorkspaces = `query workspaces {
  apiToken { workspaces { id name } }
}`
	queryTokenProject = `query tokenProject {
  projectToken { projectId environmentId }
}`
	queryProjects = `query projects($workspaceId: String, $first: Int, $after: String) {
  projects(workspaceId: $workspaceId, first: $first, after: $after) {
    edges { node { id name description deletedAt } }
    pageInfo { hasNextPage endCursor }
  }
}`
	mutationProjectCreate = `mutation projectCreate($input: ProjectCreateInput!) {
  projectCreate(input: $input) { id name description deletedAt }
}`
	mutationProjectDelete = `mutation projectDelete($id: String!) {
  projectDelete(id: $id)
}`
	queryEnvironments = `query environments($projectId: String!, $first: Int, $after: String) {
  environments(projectId: $projectId, first: $first, after: $after) {
    edges { node { id name deletedAt } }
    pageInfo { hasNextPage endCursor }
  }
}`
	mutationEnvironmentCreate = `mutation environmentCreate($input: EnvironmentCreateInput!) {
  environmentCreate(input: $input) { id name deletedAt }
}`
	queryServices = `query services($projectId: String!, $first: Int, $after: String) {
  project(id: $projectId) {
    services(first: $first, after: $after) {
      edges { node { id name deletedAt } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`
	mutationServiceCreate = `mutation serviceCreate($input: ServiceCreateInput!) {
  serviceCreate(input: $input) { id name deletedAt }
}`
	mutationServiceConnect = `mutation serviceConnect($id: String!, $input: ServiceConnectInput!) {
  serviceConnect(id: $id, input: $input) { id }
}`
	mutationServiceDelete = `mutation serviceDelete($id: String!) {
  serviceDelete(id: $id)
}`
	queryServiceInstance = `query serviceInstance($serviceId: String!, $environmentId: String!) {
  serviceInstance(serviceId: $serviceId, environmentId: $environmentId) {
    source { image repo }
    startCommand region numReplicas
    healthcheckPath healthcheckTimeout
    restartPolicyType restartPolicyMaxRetries
    service { repoTriggers(first: 20) { edges { node { environmentId repository branch } } } }
  }
}`
	mutationServiceInstanceUpdate = `mutation serviceInstanceUpdate($serviceId: String!, $environmentId: String, $input: ServiceInstanceUpdateInput!) {
  serviceInstanceUpdate(serviceId: $serviceId, environmentId: $environmentId, input: $input)
}`
	queryVariables = `query variables($projectId: String!, $environmentId: String!, $serviceId: String) {
  variables(projectId: $projectId, environmentId: $environmentId, serviceId: $serviceId, unrendered: true)
}`
	mutationVariableCollectionUpsert = `mutation variableCollectionUpsert($input: VariableCollectionUpsertInput!) {
  variableCollectionUpsert(input: $input)
}`
	mutationServiceInstanceDeploy = `mutation serviceInstanceDeployV2($serviceId: String!, $environmentId: String!) {
  serviceInstanceDeployV2(serviceId: $serviceId, environmentId: $environmentId)
}`
	queryDeployment = `query deployment($id: String!) {
  deployment(id: $id) { id status createdAt deploymentStopped canRollback }
}`
	queryDeployments = `query deployments($input: DeploymentListInput!, $first: Int) {
  deployments(input: $input, first: $first) {
    edges { node { id status createdAt deploymentStopped canRollback } }
  }
}`
	mutationDeploymentRollback = `mutation deploymentRollback($id: String!) {
  deploymentRollback(id: $id)
}`
	mutationDeploymentCancel = `mutation deploymentCancel($id: String!) {
  deploymentCancel(id: $id)
}`
	queryBuildLogs = `query buildLogs($deploymentId: String!, $limit: Int) {
  buildLogs(deploymentId: $deploymentId, limit: $limit) { message timestamp }
}`
	queryDeploymentLogs = `query deploymentLogs($deploymentId: String!, $limit: Int) {
  deploymentLogs(deploymentId: $deploymentId, limit: $limit) { message timestamp }
}`
	queryDomains = `query domains($projectId: String!, $environmentId: String!, $serviceId: String!) {
  domains(projectId: $projectId, environmentId: $environmentId, serviceId: $serviceId) {
    serviceDomains { id domain targetPort }
    customDomains { id domain }
  }
}`
	mutationServiceDomainCreate = `mutation serviceDomainCreate($input: ServiceDomainCreateInput!) {
  serviceDomainCreate(input: $input) { id domain targetPort }
}`
	mutationServiceDomainUpdate = `mutation serviceDomainUpdate($input: ServiceDomainUpdateInput!) {
  serviceDomainUpdate(input: $input)
}`
)

// Operations lists the text of every operation that this client sends, for the check against Railway's schema.
func Operations() []string {
	return []string{
		queryWorkspaces, queryTokenProject,
		queryProjects, mutationProjectCreate, mutationProjectDelete,
		queryEnvironments, mutationEnvironmentCreate,
		queryServices, mutationServiceCreate, mutationServiceConnect, mutationServiceDelete,
		queryServiceInstance, mutationServiceInstanceUpdate,
		queryVariables, mutationVariableCollectionUpsert,
		mutationServiceInstanceDeploy, queryDeployment, queryDeployments, mutationDeploymentRollback, mutationDeploymentCancel,
		queryBuildLogs, queryDeploymentLogs,
		queryDomains, mutationServiceDomainCreate, mutationServiceDomainUpdate,
	}
}
