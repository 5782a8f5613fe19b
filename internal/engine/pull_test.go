package engine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// registryDouble is a registry that the real engine pulls from: it knows image "pulled" with tag "1", which holds one file,
// wants the login ann:secret for image "private", and limits pulls of image "popular".
type registryDouble struct {
	t       *testing.T
	blobs   map[string][]byte
	digests struct{ manifest, config, layer string }
	content string
}

const (
	manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	configType   = "application/vnd.docker.container.image.v1+json"
	layerType    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

func newRegistry(t *testing.T, content string) (host string) {
	t.Helper()
	r := &registryDouble{t: t, blobs: map[string][]byte{}, content: content}
	r.build()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func (r *registryDouble) store(blob []byte) string {
	sum := sha256.Sum256(blob)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	r.blobs[digest] = blob
	return digest
}

func (r *registryDouble) build() {
	var root, packed bytes.Buffer
	w := tar.NewWriter(&root)
	must(r.t, w.WriteHeader(&tar.Header{Name: "pulled", Mode: 0o644, Size: int64(len(r.content)), Typeflag: tar.TypeReg}))
	_, err := w.Write([]byte(r.content))
	must(r.t, err)
	must(r.t, w.Close())
	z := gzip.NewWriter(&packed)
	_, err = z.Write(root.Bytes())
	must(r.t, err)
	must(r.t, z.Close())
	plain := sha256.Sum256(root.Bytes())
	r.digests.layer = r.store(packed.Bytes())
	encode := func(v any) []byte {
		data, err := json.Marshal(v)
		must(r.t, err)
		return data
	}
	type object = map[string]any
	config := encode(object{"architecture": runtime.GOARCH, "os": "linux", "config": object{"Cmd": []string{"/pulled"}},
		"rootfs": object{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(plain[:])}}})
	r.digests.config = r.store(config)
	r.digests.manifest = r.store(encode(object{"schemaVersion": 2, "mediaType": manifestType,
		"config": object{"mediaType": configType, "size": len(config), "digest": r.digests.config},
		"layers": []object{{"mediaType": layerType, "size": packed.Len(), "digest": r.digests.layer}}}))
}

func (r *registryDouble) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	refuse := func(status int, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, strings.ToLower(code))
	}
	user, password, _ := q.BasicAuth()
	name, what, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/v2/"), "/")
	switch {
	case q.URL.Path == "/v2/":
		// A registry with private images asks for a login here already.
		if r.content == "private" && (user != "ann" || password != "secret") {
			w.Header().Set("WWW-Authenticate", `Basic realm="double"`)
			refuse(http.StatusUnauthorized, "UNAUTHORIZED")
			return
		}
		w.WriteHeader(http.StatusOK)
	case name == "popular":
		refuse(http.StatusTooManyRequests, "TOOMANYREQUESTS")
	case name != "pulled":
		refuse(http.StatusNotFound, "NAME_UNKNOWN")
	case what == "manifests/1" || what == "manifests/"+r.digests.manifest:
		w.Header().Set("Content-Type", manifestType)
		w.Header().Set("Docker-Content-Digest", r.digests.manifest)
		_, _ = w.Write(r.blobs[r.digests.manifest])
	case strings.HasPrefix(what, "manifests/"):
		refuse(http.StatusNotFound, "MANIFEST_UNKNOWN")
	case strings.HasPrefix(what, "blobs/") && r.blobs[strings.TrimPrefix(what, "blobs/")] != nil:
		_, _ = w.Write(r.blobs[strings.TrimPrefix(what, "blobs/")])
	default:
		r.t.Errorf("the registry double does not know %s %s", q.Method, q.URL)
		refuse(http.StatusNotFound, "UNSUPPORTED")
	}
}

func TestPullingFromARegistry(t *testing.T) {
	t.Parallel()
	s := newService(t)
	host := newRegistry(t, "one")
	c := s.component("alpha")
	get := func(ref, policy string) (image.InspectResponse, error) {
		c.Image = host + "/" + ref
		return s.e.ensureImage(t.Context(), c, policy, nil)
	}
	t.Cleanup(func() { untag(s, host+"/pulled:1") })
	first, err := get("pulled:1", contract.PullMissing)
	must(t, err)
	if digest := digestOf(first, c.Image); !strings.HasPrefix(digest, "sha256:") || digest == first.ID {
		t.Errorf("digest %s of a pulled image", digest)
	}
	again, err := get("pulled:1", contract.PullAlways)
	must(t, err)
	if again.ID != first.ID {
		t.Errorf("image %s after pulling again, want %s", again.ID, first.ID)
	}
	_, err = get("pulled:2", contract.PullMissing)
	wantFailure(t, err, contract.NotFound, host+"/pulled:2", "does not exist in registry "+host, "alpha.image")
	_, err = get("nothing:1", contract.PullMissing)
	wantFailure(t, err, contract.NotFound, host+"/nothing:1", "alpha.image")
	_, err = get("popular:1", contract.PullMissing)
	wantFailure(t, err, contract.Unavailable, host, "limits pulls")
}

// TestPullingWithALogin is not parallel: it sets the environment.
func TestPullingWithALogin(t *testing.T) {
	s := newService(t)
	host := newRegistry(t, "private")
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	c := s.component("alpha")
	c.Image = host + "/pulled:1"
	_, err := s.e.ensureImage(context.Background(), c, contract.PullMissing, nil)
	wantFailure(t, err, contract.Denied, c.Image, "docker login")
	login := base64.StdEncoding.EncodeToString([]byte("ann:secret"))
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, login)
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600))
	_, err = s.e.ensureImage(context.Background(), c, contract.PullMissing, nil)
	must(t, err)
	untag(s, c.Image)
}
