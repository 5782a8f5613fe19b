package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// dockerAPI calls the Docker Engine's API over HTTP, with nothing in between.
type dockerAPI struct {
	http *http.Client
	base string
}

// newDockerAPI connects to the engine of DOCKER_HOST, or to the local socket.
func newDockerAPI(ctx context.Context) (*dockerAPI, error) {
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		host = "unix:///var/run/docker.sock"
	}
	network, address, ok := strings.Cut(host, "://")
	if !ok || (network != "unix" && network != "tcp") || os.Getenv("DOCKER_TLS_VERIFY") != "" {
		return nil, fmt.Errorf("DOCKER_HOST=%s: the direct calls support unix:// and tcp:// without TLS; leave them out with: -only orch,compose,empty", host)
	}
	transport := &http.Transport{
		MaxIdleConnsPerHost: 20,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		},
	}
	api := &dockerAPI{http: &http.Client{Transport: transport}, base: "http://docker"}
	var version struct{ APIVersion string }
	if err := api.call(ctx, http.MethodGet, "/version", nil, nil, &version); err != nil {
		return nil, fmt.Errorf("the Docker Engine at %s does not answer: %w", host, err)
	}
	api.base += "/v" + version.APIVersion
	return api, nil
}

// statusError is an answer that says no.
type statusError struct {
	method, path string
	code         int
	message      string
}

// Error names the call and the engine's reason.
func (e *statusError) Error() string {
	return fmt.Sprintf("%s %s: %d %s", e.method, e.path, e.code, e.message)
}

func isNotFound(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.code == http.StatusNotFound
}

// call sends body (an io.Reader as a tar archive, anything else as JSON) and decodes the answer into out (an *bytes.Buffer
// takes it as it is).
func (a *dockerAPI) call(ctx context.Context, method, path string, query url.Values, body, out any) error {
	reader, contentType, err := encode(body)
	if err != nil {
		return err
	}
	target := a.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, reader)
	if err != nil {
		return err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	// 304 says that the container is started, or stopped, already.
	if resp.StatusCode >= 300 && resp.StatusCode != http.StatusNotModified {
		return &statusError{method, path, resp.StatusCode, string(bytes.TrimSpace(answer))}
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *bytes.Buffer:
		_, err = out.Write(answer)
		return err
	default:
		return json.Unmarshal(answer, out)
	}
}

func encode(body any) (reader io.Reader, contentType string, err error) {
	switch body := body.(type) {
	case nil:
		return nil, "", nil
	case io.Reader:
		return body, "application/x-tar", nil
	default:
		data, err := json.Marshal(body)
		return bytes.NewReader(data), "application/json", err
	}
}

// inspected is what the benchmark reads of a container.
type inspected struct {
	State struct {
		Status   string
		ExitCode int
	}
	NetworkSettings struct {
		Ports map[string][]struct{ HostIP, HostPort string } // the engine spells it HostIp; JSON names ignore case
	}
}

func (a *dockerAPI) inspect(ctx context.Context, container string) (inspected, error) {
	var found inspected
	err := a.call(ctx, http.MethodGet, "/containers/"+container+"/json", nil, nil, &found)
	return found, err
}

// labelled lists the containers, networks and volumes that have a label ("name=value"), as paths to delete them under.
func (a *dockerAPI) labelled(ctx context.Context, label string) ([]string, error) {
	filters, err := json.Marshal(map[string][]string{"label": {label}})
	if err != nil {
		return nil, err
	}
	query := url.Values{"all": {"true"}, "filters": {string(filters)}}
	var containers, networks []struct{ ID string }
	var volumes struct{ Volumes []struct{ Name string } }
	err = errors.Join(
		a.call(ctx, http.MethodGet, "/containers/json", query, nil, &containers),
		a.call(ctx, http.MethodGet, "/networks", query, nil, &networks),
		a.call(ctx, http.MethodGet, "/volumes", query, nil, &volumes),
	)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, c := range containers {
		paths = append(paths, "/containers/"+c.ID)
	}
	for _, n := range networks {
		paths = append(paths, "/networks/"+n.ID)
	}
	for _, v := range volumes.Volumes {
		paths = append(paths, "/volumes/"+v.Name)
	}
	return paths, nil
}

// sweep removes everything that has a label, by force.
func (a *dockerAPI) sweep(ctx context.Context, label string) error {
	paths, err := a.labelled(ctx, label)
	if err != nil {
		return err
	}
	for _, path := range paths {
		err := a.call(ctx, http.MethodDelete, path, url.Values{"force": {"true"}, "v": {"true"}}, nil, nil)
		if err != nil && !isNotFound(err) {
			return err
		}
	}
	return nil
}

// gone returns an error that lists what has a label, if anything has.
func (a *dockerAPI) gone(ctx context.Context, label string) error {
	left, err := a.labelled(ctx, label)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("still there after the destroy: %s", strings.Join(left, ", "))
	}
	return nil
}
