package collector

import (
	"fmt"
	"regexp"
	"strings"
)

type otlpReceiver struct {
	Protocols struct {
		GRPC *protocol `yaml:"grpc"`
		HTTP *protocol `yaml:"http"`
	} `yaml:"protocols"`
}

type protocol struct {
	Endpoint string `yaml:"endpoint"`
	TLS      *struct {
		CertFile string `yaml:"cert_file"`
		KeyFile  string `yaml:"key_file"`
	} `yaml:"tls"`
	CORS *struct {
		AllowedOrigins []string `yaml:"allowed_origins"`
	} `yaml:"cors"`
}

// security reads what the receiver says of TLS and CORS. The double does not speak gRPC, so both protocols must agree.
func (p *parser) security(name string, otlp otlpReceiver) error {
	grpc, http := otlp.Protocols.GRPC, otlp.Protocols.HTTP
	switch {
	case grpc.CORS != nil:
		return fmt.Errorf("receivers::%s: protocols: grpc: has invalid keys: cors", name)
	case (grpc.TLS == nil) != (http.TLS == nil) || (grpc.TLS != nil && *grpc.TLS != *http.TLS):
		return fmt.Errorf("receivers::%s: the double wants the same tls for both protocols", name)
	case http.TLS != nil && (http.TLS.CertFile == "" || http.TLS.KeyFile == ""):
		return fmt.Errorf("receivers::%s: tls: provide both certificate and key, or neither", name)
	}
	if http.TLS != nil {
		p.cfg.CertFile, p.cfg.KeyFile = http.TLS.CertFile, http.TLS.KeyFile
	}
	if http.CORS != nil {
		for _, origin := range http.CORS.AllowedOrigins {
			pattern := strings.ReplaceAll(regexp.QuoteMeta(origin), `\*`, ".*")
			p.cfg.Origins = append(p.cfg.Origins, regexp.MustCompile("^"+pattern+"$"))
		}
	}
	return nil
}
