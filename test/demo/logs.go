package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// proveLogs sends a log line with a random marker to the Collector and reads it back, from Loki and through Grafana.
func proveLogs(ctx context.Context, d *demo, all pipelines) error {
	logs := all.of(contract.LogsPipeline)
	marker := rand.Text()
	line := "hello from make demo, marker " + marker
	err := d.part("log line to the Collector", func() (string, error) {
		say("OTLP/HTTP: %s", line)
		return "OTLP/HTTP", sendLine(ctx, logs.Endpoints["otlp_http"], line, span{})
	})
	if err != nil {
		return err
	}
	err = d.part("read back from Loki", func() (string, error) {
		say("LogQL: %s", selector(marker))
		read, err := source{base: logs.Endpoints["loki"]}.readLine(ctx, selector(marker))
		return "LogQL", logs.got(read.line, line, err, catalog.CollectorName, catalog.LokiName)
	})
	if err != nil {
		return err
	}
	return d.part("read back through Grafana", func() (string, error) {
		grafana, err := d.openGrafana(ctx, all)
		if err != nil {
			return "", err
		}
		read, err := grafana.datasource(logs.DatasourceUID).readLine(ctx, selector(marker))
		return "datasource proxy", logs.got(read.line, line, err, catalog.CollectorName, catalog.LokiName)
	})
}

// got says what came back, or where to look when something did not.
func (p made) got(read, sent string, err error, components ...string) error {
	if err != nil {
		var commands []string
		for _, name := range components {
			if c, ok := p.Containers[name]; ok {
				commands = append(commands, "docker logs "+c.Name)
			}
		}
		return fmt.Errorf("%w\nlogs: %s", err, strings.Join(commands, "; "))
	}
	if read != sent {
		return fmt.Errorf("what came back is something else\nsent: %s\nread: %s", sent, read)
	}
	say("read: %s", read)
	return nil
}

func selector(marker string) string {
	return fmt.Sprintf("{service_name=%q} |= %q", probeService, marker)
}

// openGrafana is the Grafana of the demo with the generated password, which the worker's own command tells.
func (d *demo) openGrafana(ctx context.Context, all pipelines) (source, error) {
	owner := all.of(d.grafana)
	args := d.secretArguments(owner)
	cmd := exec.CommandContext(ctx, d.worker.Binary, args...)
	cmd.Env = append(os.Environ(), d.tf.Env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return source{}, fmt.Errorf("read Grafana's password: orch-worker %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	password := strings.TrimRight(stdout.String(), "\n")
	return source{owner.Endpoints["grafana"], url.UserPassword(catalog.GrafanaAdminUser, password)}, nil
}

func (d *demo) secretArguments(owner made) []string {
	return []string{"secret", d.grafana.Short, owner.Service, catalog.GrafanaName}
}
