package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// direct makes the stack with the fewest calls of the Docker Engine's API that can make it, all components at the same time:
// what no tool on top of the API can beat.
type direct struct {
	api   *dockerAPI
	stack contract.Stack
	label string
}

// benchLabel marks what the direct calls made.
const benchLabel = "io.orch.bench"

func newDirect(api *dockerAPI, p pipeline) *direct {
	return &direct{api: api, stack: p.Stack, label: p.Stack.Ref.Service}
}

// Name implements contestant.
func (d *direct) Name() string { return nameDirect }

// Explain implements contestant.
func (d *direct) Explain(p phase) string {
	return map[phase]string{
		create:  "the fewest Engine API calls that make it, concurrently, then the same probes: the limit",
		noOp:    "inspect each container, read its files back, probe it once",
		destroy: "stop and remove the containers concurrently, then network and volumes: the limit",
	}[p]
}

func container(c contract.Component) string { return c.Container }

func (d *direct) labels() map[string]string { return map[string]string{benchLabel: d.label} }

type object = map[string]any

// Create implements contestant.
func (d *direct) Create(ctx context.Context) error {
	network := object{"Name": d.stack.Ref.Network(), "Driver": "bridge", "CheckDuplicate": true, "Labels": d.labels()}
	if err := d.api.call(ctx, http.MethodPost, "/networks/create", nil, network, nil); err != nil {
		return err
	}
	return concurrently(d.stack.Components, func(c contract.Component) error { return d.start(ctx, c) })
}

func (d *direct) start(ctx context.Context, c contract.Component) error {
	for _, v := range volumes(c) {
		if err := d.api.call(ctx, http.MethodPost, "/volumes/create", nil, object{"Name": v.Name, "Labels": d.labels()}, nil); err != nil {
			return err
		}
	}
	var made struct{ ID string }
	query := url.Values{"name": {c.Container}}
	if err := d.api.call(ctx, http.MethodPost, "/containers/create", query, d.spec(c), &made); err != nil {
		return err
	}
	archive, err := archive(c)
	if err != nil {
		return err
	}
	if err := d.api.call(ctx, http.MethodPut, "/containers/"+made.ID+"/archive", url.Values{"path": {"/"}}, archive, nil); err != nil {
		return err
	}
	if err := d.api.call(ctx, http.MethodPost, "/containers/"+made.ID+"/start", nil, nil, nil); err != nil {
		return err
	}
	return d.api.await(ctx, made.ID, c)
}

// volumes are the component's own and the one that its secrets are kept in.
func volumes(c contract.Component) []contract.Volume {
	all := append([]contract.Volume(nil), c.Volumes...)
	if len(c.Secrets) > 0 {
		s := c.Secrets[0]
		all = append(all, contract.Volume{Name: c.Container + "-secrets", Path: contract.SecretsPath, UID: s.UID, GID: s.GID})
	}
	return all
}

func (d *direct) spec(c contract.Component) object {
	var env []string
	for name, value := range c.Env {
		env = append(env, name+"="+value)
	}
	exposed, bindings := object{}, object{}
	for _, p := range c.Ports {
		name := strconv.Itoa(p.Container) + "/tcp"
		host := ""
		if p.Host != 0 {
			host = strconv.Itoa(p.Host)
		}
		exposed[name] = object{}
		bindings[name] = []object{{"HostIp": p.Bind, "HostPort": host}}
	}
	var mounts []object
	for _, v := range volumes(c) {
		mounts = append(mounts, object{"Type": "volume", "Source": v.Name, "Target": v.Path})
	}
	return object{
		"Image": c.Image, "Cmd": c.Command, "Env": env, "User": c.User, "Hostname": c.Name, "Labels": d.labels(),
		"ExposedPorts": exposed, "StopTimeout": c.StopTimeout,
		"HostConfig": object{
			"PortBindings": bindings, "Mounts": mounts, "NetworkMode": c.Network,
			"Memory": c.MemoryMB << 20, "NanoCpus": int64(c.CPUs * 1e9),
			"RestartPolicy": object{"Name": "unless-stopped"},
			"LogConfig":     object{"Type": "json-file", "Config": object{"max-size": "10m", "max-file": "3"}},
		},
		"NetworkingConfig": object{"EndpointsConfig": object{c.Network: object{"Aliases": []string{c.Name}}}},
	}
}

// archive is everything that goes into the container before it starts: owners of volumes, files, secrets.
func archive(c contract.Component) (io.Reader, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, v := range volumes(c) {
		h := &tar.Header{Typeflag: tar.TypeDir, Name: relative(v.Path) + "/", Mode: 0o755, Uid: v.UID, Gid: v.GID}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
	}
	files := append([]contract.File(nil), c.Files...)
	for _, s := range secretFiles(c) {
		files = append(files, contract.File{Path: path.Join(contract.SecretsPath, s.file), Content: s.content, UID: s.UID, GID: s.GID, Mode: s.Mode})
	}
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: relative(f.Path), Mode: f.Mode, Uid: f.UID, Gid: f.GID, Size: int64(len(f.Content))}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, f.Content); err != nil {
			return nil, err
		}
	}
	return &b, w.Close()
}

// benchSecret is the value of every secret of the containers that live for seconds.
const benchSecret = "bench-only-password"

func relative(p string) string { return strings.TrimPrefix(p, "/") }

// NoOp implements contestant.
func (d *direct) NoOp(ctx context.Context) error {
	return concurrently(d.stack.Components, func(c contract.Component) error {
		found, err := d.api.inspect(ctx, c.Container)
		if err != nil {
			return err
		}
		if found.State.Status != "running" {
			return fmt.Errorf("container %s is %s", c.Container, found.State.Status)
		}
		err = concurrently(c.Files, func(f contract.File) error { return d.sameFile(ctx, c.Container, f) })
		return errors.Join(err, d.api.await(ctx, c.Container, c))
	})
}

func (d *direct) sameFile(ctx context.Context, container string, f contract.File) error {
	var b bytes.Buffer
	if err := d.api.call(ctx, http.MethodGet, "/containers/"+container+"/archive", url.Values{"path": {f.Path}}, nil, &b); err != nil {
		return err
	}
	r := tar.NewReader(&b)
	if _, err := r.Next(); err != nil {
		return err
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if string(content) != f.Content {
		return fmt.Errorf("%s in container %s is not as it was written", f.Path, container)
	}
	return nil
}

// Destroy implements contestant.
func (d *direct) Destroy(ctx context.Context) error {
	err := concurrently(d.stack.Components, func(c contract.Component) error {
		stop := url.Values{"t": {strconv.Itoa(c.StopTimeout)}}
		if err := d.api.call(ctx, http.MethodPost, "/containers/"+c.Container+"/stop", stop, nil, nil); err != nil {
			return err
		}
		if err := d.api.call(ctx, http.MethodDelete, "/containers/"+c.Container, url.Values{"v": {"true"}}, nil, nil); err != nil {
			return err
		}
		return concurrently(volumes(c), func(v contract.Volume) error {
			return d.api.call(ctx, http.MethodDelete, "/volumes/"+v.Name, nil, nil, nil)
		})
	})
	return errors.Join(err, d.api.call(ctx, http.MethodDelete, "/networks/"+d.stack.Ref.Network(), nil, nil, nil))
}

// Verify implements contestant.
func (d *direct) Verify(ctx context.Context, exists bool) error {
	if exists {
		return d.api.awaitAll(ctx, d.stack, container)
	}
	return d.api.gone(ctx, benchLabel+"="+d.label)
}

// Sweep removes what an interrupted run left.
func (d *direct) Sweep(ctx context.Context) error { return d.api.sweep(ctx, benchLabel+"="+d.label) }
