package engine

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/docker/api/types/registry"
)

// hubKey is the name that `docker login` files Docker Hub's account under.
const hubKey = "https://index.docker.io/v1/"

// registryAuth is the login for an image's registry out of the worker user's Docker configuration, in the form that the
// engine takes. Only logins that stand in the file itself are used: a credential helper is a program of the user's desktop.
// Without one the pull is anonymous.
func registryAuth(ref string) string {
	dir := os.Getenv("DOCKER_CONFIG")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".docker")
	}
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return ""
	}
	return authFrom(data, registryHost(ref))
}

// authFrom finds the login for a registry in the bytes of a Docker configuration file.
func authFrom(data []byte, host string) string {
	var config struct {
		Auths map[string]struct {
			Auth string `json:"auth"`
		} `json:"auths"`
	}
	if json.Unmarshal(data, &config) != nil {
		return ""
	}
	keys := []string{host, "https://" + host, "https://" + host + "/v1/", "https://" + host + "/v2/"}
	if host == "docker.io" {
		keys = append([]string{hubKey}, keys...)
	}
	for _, key := range keys {
		plain, err := base64.StdEncoding.DecodeString(config.Auths[key].Auth)
		if err != nil {
			continue
		}
		user, password, found := strings.Cut(string(plain), ":")
		if !found {
			continue
		}
		encoded, err := registry.EncodeAuthConfig(registry.AuthConfig{Username: user, Password: password, ServerAddress: key})
		if err == nil {
			return encoded
		}
	}
	return ""
}
