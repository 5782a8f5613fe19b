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

// registryAuth is the login for an image's registry in the form that the engine takes. Without one the pull is anonymous.
func registryAuth(ref string) string { return authFrom(dockerConfig(), registryHost(ref)) }

// dockerConfig is the Docker configuration of the worker's user, or nothing. Only logins that stand in the file itself are
// used: a credential helper is a program of the user's desktop.
func dockerConfig() []byte {
	dir := os.Getenv("DOCKER_CONFIG")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil
		}
		dir = filepath.Join(home, ".docker")
	}
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return nil
	}
	return data
}

// authFrom finds the login for a registry in the bytes of a Docker configuration file.
func authFrom(data []byte, host string) string {
	login := loginFor(logins(data), host)
	if login.Username == "" {
		return ""
	}
	encoded, err := registry.EncodeAuthConfig(login)
	if err != nil {
		return ""
	}
	return encoded
}

// logins are those of a Docker configuration file, by the name that `docker login` files them under.
func logins(data []byte) map[string]registry.AuthConfig {
	var config struct {
		Auths map[string]struct {
			Auth string `json:"auth"`
		} `json:"auths"`
	}
	if json.Unmarshal(data, &config) != nil {
		return nil
	}
	all := map[string]registry.AuthConfig{}
	for key, entry := range config.Auths {
		plain, err := base64.StdEncoding.DecodeString(entry.Auth)
		if err != nil {
			continue
		}
		if user, password, found := strings.Cut(string(plain), ":"); found {
			all[key] = registry.AuthConfig{Username: user, Password: password, ServerAddress: key}
		}
	}
	return all
}

// loginFor is the login for a registry, empty when there is none.
func loginFor(all map[string]registry.AuthConfig, host string) registry.AuthConfig {
	keys := []string{host, "https://" + host, "https://" + host + "/v1/", "https://" + host + "/v2/"}
	if host == "docker.io" {
		keys = append([]string{hubKey}, keys...)
	}
	for _, key := range keys {
		if login, known := all[key]; known {
			return login
		}
	}
	return registry.AuthConfig{}
}
