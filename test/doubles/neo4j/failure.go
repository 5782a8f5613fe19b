package neo4j

// failure is an error with the code that drivers act upon.
type failure struct {
	code    string
	message string
}

func (f *failure) Error() string { return f.code + ": " + f.message }

// Codes of Neo4j.
const (
	codeSyntax     = "Neo.ClientError.Statement.SyntaxError"
	codeParameter  = "Neo.ClientError.Statement.ParameterMissing"
	codeAccessMode = "Neo.ClientError.Statement.AccessMode"
	codeArguments  = "Neo.ClientError.General.InvalidArguments"
	codeDatabase   = "Neo.ClientError.Database.DatabaseNotFound"
	codeRequest    = "Neo.ClientError.Request.Invalid"
	codeUnknown    = "Neo.DatabaseError.General.UnknownError"
)

var (
	errUnauthorized = &failure{"Neo.ClientError.Security.Unauthorized", "The client is unauthorized due to authentication failure."}
	errRateLimit    = &failure{
		"Neo.ClientError.Security.AuthenticationRateLimit",
		"The client has provided incorrect authentication details too many times in a row.",
	}
)
