package sourcetree

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// secretNames are files that hold passwords or keys by their purpose. Names are compared in lower case.
var secretNames = []string{
	".env", ".env.*", "*.env", ".envrc", "id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk",
	"credentials.json", "application_default_credentials.json", "service-account*.json", "service_account*.json", "client_secret*.json",
	"secrets.json", "secrets.toml", "secrets.yaml", "secrets.yml", ".netrc", "_netrc", ".git-credentials", ".pgpass", ".pypirc",
	".dockercfg", ".htpasswd", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "terraform.tfstate", "terraform.tfstate.*",
}

// sampleEndings mark files that show what a secret file looks like.
var sampleEndings = []string{".example", ".sample", ".template", ".dist", ".defaults"}

// secretTraces are files that may hold a secret, with what gives it away.
var secretTraces = []struct {
	names  []string
	traces []string
}{
	{[]string{"*.pem", "*.key", "*.p8", "*.crt", "*.cer", "*.asc", "*.json"}, []string{"PRIVATE KEY-----", "PRIVATE KEY BLOCK-----"}},
	{[]string{"*.ppk"}, []string{"PuTTY-User-Key-File"}},
	{[]string{".npmrc"}, []string{"_authToken=", "_auth=", "_password="}},
	{[]string{".yarnrc.yml"}, []string{"npmAuthToken:", "npmAuthIdent:"}},
}

// suspicious reports whether a file of that name may hold a secret.
func suspicious(name string) bool {
	if named(name, secretNames) {
		return !sample(name)
	}
	for _, kind := range secretTraces {
		if named(name, kind.names) {
			return true
		}
	}
	return false
}

// sensitive reports whether a file holds passwords or keys, by its name and for some kinds by its content.
func sensitive(name string, content []byte) bool {
	if named(name, secretNames) {
		return !sample(name)
	}
	for _, kind := range secretTraces {
		if !named(name, kind.names) {
			continue
		}
		for _, trace := range kind.traces {
			_, value, found := bytes.Cut(content, []byte(trace))
			// A token that comes from the environment is not in the file.
			if found && !bytes.HasPrefix(bytes.TrimLeft(value, ` "'`), []byte("${")) {
				return true
			}
		}
	}
	return false
}

func named(name string, globs []string) bool {
	name = strings.ToLower(name)
	for _, glob := range globs {
		if ok, err := path.Match(glob, name); ok && err == nil {
			return true
		}
	}
	return false
}

func sample(name string) bool {
	name = strings.ToLower(name)
	for _, ending := range sampleEndings {
		if strings.HasSuffix(name, ending) || name == ending[1:]+".env" {
			return true
		}
	}
	return false
}

// refused is the failure about secrets that nobody has said belong into the repository; nil when there are none.
func refused(root string, secrets []string) error {
	if len(secrets) == 0 {
		return nil
	}
	const most = 5
	shown, more := secrets, ""
	if len(shown) > most {
		shown, more = shown[:most], fmt.Sprintf(" and %d more", len(secrets)-most)
	}
	return contract.Fail(contract.InvalidInput, "%s would be pushed with files that hold passwords or keys: %s%s", root, strings.Join(shown, ", "), more).
		On("repository.source").
		Next("name them in .gitignore; one that belongs into the repository is committed to it first, or allowed by the line !/%s in the folder's .gitignore", secrets[0])
}
