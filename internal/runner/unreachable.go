package runner

import (
	"fmt"
	"strings"
	"time"
)

// UnreachableError says that Temporal cannot be worked with.
type UnreachableError struct {
	Endpoint
	Reason Reason
	Cause  error
	// Waited is how long a connection that hangs was waited for.
	Waited time.Duration
	// Namespaces are those that exist, when Reason is UnknownNamespace and they may be listed.
	Namespaces []string
}

// Error implements error.
func (e *UnreachableError) Error() string {
	at := " (address from " + e.Source + ")"
	switch e.Reason {
	case Refused:
		return "Temporal at " + e.Address + " refuses the connection" + at
	case TimedOut:
		return fmt.Sprintf("Temporal at %s has not answered within %s%s", e.Address, e.Waited, at)
	case UnknownHost:
		return "the host of Temporal's address " + e.Address + " is not known" + at
	case WrongCA:
		return "the certificate of Temporal at " + e.Address + " is from an authority that is not trusted here" + at
	case CertExpired:
		return "the certificate of Temporal at " + e.Address + " has expired or is not yet valid" + at
	case WrongName:
		return fmt.Sprintf("the certificate of Temporal at %s is not made out to %q%s", e.Address, e.ServerName, at)
	case ServerWithoutTLS:
		return "Temporal at " + e.Address + " does not speak TLS, which the client is configured for" + at
	case NoClientCert:
		return "Temporal at " + e.Address + " requires a client certificate, and none is configured" + at
	case ClientCertRefused:
		return "Temporal at " + e.Address + " refuses the client certificate" + e.refusal() + at
	case TLSProblem:
		return "no secure connection to Temporal at " + e.Address + at
	case NotTemporal:
		return "what answers at " + e.Address + " is not a Temporal frontend" + at
	case UnknownNamespace:
		return fmt.Sprintf("Temporal at %s has no namespace %q%s", e.Address, e.Namespace, at)
	case Denied:
		return fmt.Sprintf("Temporal at %s denies access to namespace %q%s", e.Address, e.Namespace, at)
	case Unavailable:
		return "Temporal at " + e.Address + " is not available" + at
	default:
		return "Temporal at " + e.Address + " cannot be used" + at
	}
}

// Detail implements Detailed.
func (e *UnreachableError) Detail() string {
	return detail(e.Error()+".", "Cause: "+e.Cause.Error(), "Next: "+e.next())
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Cause }

// refusal is what the server's alert says of the client's certificate.
func (e *UnreachableError) refusal() string {
	text := e.Cause.Error()
	switch {
	case strings.Contains(text, "expired certificate"):
		return ", which has expired"
	case strings.Contains(text, "unknown certificate authority"), strings.Contains(text, "certificate required"):
		return ", which is from an authority that it does not trust"
	default:
		return ""
	}
}

func (e *UnreachableError) next() string {
	switch e.Reason {
	case Refused:
		if isLoopback(hostOf(e.Address)) {
			return "start Temporal and a worker on this machine with: orch-worker dev\nor set " + e.setting("address") + " (or TEMPORAL_ADDRESS) to the Temporal that you use."
		}
		return "check that Temporal runs there and that " + e.setting("address") + " (or TEMPORAL_ADDRESS) names its gRPC port, usually 7233."
	case WrongCA, CertExpired, WrongName, ServerWithoutTLS, NoClientCert, ClientCertRefused, TLSProblem:
		return e.nextTLS()
	case NotTemporal:
		text := "set " + e.setting("address") + " to Temporal's gRPC port, usually 7233; the Web UI has another one."
		if !e.TLS {
			text += " If it is the right port, the server may expect TLS: " + e.tlsOn() + "."
		}
		return text
	case UnknownNamespace:
		set := "set " + e.setting("namespace") + " (or TEMPORAL_NAMESPACE)"
		if len(e.Namespaces) > 0 {
			return set + " to one of: " + strings.Join(e.Namespaces, ", ") + "\nor create it with: " + e.createNamespace()
		}
		return set + ", or create it with: " + e.createNamespace()
	case Denied:
		return "check " + e.setting("api_key") + " (or TEMPORAL_API_KEY), or the client certificate (" + e.setting("client_cert_file") + "), and that it may use the namespace."
	case TimedOut, UnknownHost, Unavailable:
		return "check " + e.setting("address") + " (or TEMPORAL_ADDRESS), and whether a firewall or a proxy lies between; try: temporal operator cluster health --address " + e.Address
	default:
		return "try: temporal operator cluster health --address " + e.Address
	}
}

// nextTLS is what to do about a failed handshake.
func (e *UnreachableError) nextTLS() string {
	switch e.Reason {
	case WrongCA:
		return "set " + e.setting("ca_cert_file") + " (or TEMPORAL_TLS_SERVER_CA_CERT_PATH) to the certificate of the authority that issued the server's; look at it with:\n  openssl s_client -connect " + e.Address + " -showcerts </dev/null"
	case CertExpired:
		return "renew the server's certificate, or set this machine's clock right; see its dates with:\n  openssl s_client -connect " + e.Address + " </dev/null | openssl x509 -noout -dates"
	case WrongName:
		return "set " + e.setting("server_name") + " (or TEMPORAL_TLS_SERVER_NAME) to a name in the certificate, or use such a name in " + e.setting("address") + "."
	case ServerWithoutTLS:
		return "connect without TLS: " + e.tlsOff() + ", also next to an API key; or give the port of a frontend with TLS in " + e.setting("address") + "."
	case NoClientCert:
		return "set " + e.setting("client_cert_file") + " and " + e.setting("client_key_file") + " (or TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH)."
	case ClientCertRefused:
		return "set " + e.setting("client_cert_file") + " and " + e.setting("client_key_file") + " to a valid certificate of an authority that the server trusts; see its dates and issuer with:\n  openssl x509 -in FILE -noout -dates -issuer"
	default:
		return "check " + e.setting("ca_cert_file") + ", " + e.setting("client_cert_file") + ", " + e.setting("client_key_file") + " and " + e.setting("server_name") +
			"; for a server without TLS: " + e.tlsOff() + ", also next to an API key."
	}
}

func (e *UnreachableError) createNamespace() string {
	return "temporal operator namespace create --namespace " + e.Namespace + " --address " + e.Address
}

// setting is how the program at hand names a setting of the connection.
func (e Endpoint) setting(attribute string) string {
	tls := attribute != "address" && attribute != "namespace" && attribute != "api_key"
	switch {
	case !e.flagged && tls:
		return "tls." + attribute
	case !e.flagged:
		return attribute
	case tls:
		return "--tls-" + strings.ReplaceAll(attribute, "_", "-")
	default:
		return "--" + strings.ReplaceAll(attribute, "_", "-")
	}
}

func (e Endpoint) tlsOn() string {
	if e.flagged {
		return "pass --tls"
	}
	return "set tls = {}"
}

func (e Endpoint) tlsOff() string {
	if e.flagged {
		return "pass --tls=false"
	}
	return "set tls = { disabled = true }"
}
