package devserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// webUI is the running Web UI.
type webUI struct {
	server *uiserver.Server
	done   chan error
}

// startWebUI returns when the Web UI answers.
func startWebUI(ctx context.Context, o Options) (ui *webUI, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("build the Web UI: %v", r)
		}
	}()
	// It ends the process when it cannot listen, so somebody who took the port meanwhile is better found out here.
	if err := checkPort(o.IP, o.UIPort, "--ui-port"); err != nil {
		return nil, err
	}
	host := o.IP
	if host == "::1" {
		host = "[::1]"
	}
	ui = &webUI{done: make(chan error, 1)}
	ui.server = uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host:                host,
		Port:                o.UIPort,
		TemporalGRPCAddress: hostPort(o.IP, o.Port),
		DefaultNamespace:    o.Namespace,
		EnableUI:            true,
		DisableNewsFetch:    true,
		// Without TLS a browser would not send a secure cookie back, and the UI could write nothing.
		CORS:     uiconfig.CORS{CookieInsecure: true},
		HideLogs: true,
	}))
	go func() { ui.done <- ui.server.Start() }()
	if err := ui.wait(ctx, "http://"+hostPort(o.IP, o.UIPort)+"/healthz"); err != nil {
		return nil, errors.Join(err, ui.stop())
	}
	return ui, nil
}

func (ui *webUI) wait(ctx context.Context, url string) error {
	return poll(ctx, "Web UI", func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		if err := resp.Body.Close(); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, resp.Status)
		}
		return nil
	})
}

func (ui *webUI) stop() error {
	ui.server.Stop()
	select {
	case err := <-ui.done:
		return err
	case <-time.After(stopTimeout):
		return fmt.Errorf("the Web UI has not stopped within %s", stopTimeout)
	}
}
