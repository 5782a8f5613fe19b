package collector

import (
	"strings"
	"time"
)

type otlpHTTP struct {
	Endpoint       string `yaml:"endpoint"`
	Compression    string `yaml:"compression"`
	RetryOnFailure struct {
		Enabled         *bool         `yaml:"enabled"`
		InitialInterval time.Duration `yaml:"initial_interval"`
		MaxInterval     time.Duration `yaml:"max_interval"`
		MaxElapsedTime  time.Duration `yaml:"max_elapsed_time"`
	} `yaml:"retry_on_failure"`
	SendingQueue struct {
		Enabled      *bool  `yaml:"enabled"`
		Storage      string `yaml:"storage"`
		QueueSize    int    `yaml:"queue_size"`
		NumConsumers int    `yaml:"num_consumers"`
		Batch        struct {
			FlushTimeout time.Duration `yaml:"flush_timeout"`
			// Sizer is what the sizes count: items or bytes (exporterhelper's queuebatch, v0.149.0).
			Sizer   string `yaml:"sizer"`
			MinSize int    `yaml:"min_size"`
			MaxSize int    `yaml:"max_size"`
		} `yaml:"batch"`
	} `yaml:"sending_queue"`
}

// Exporter is one otlp_http exporter in the pipelines of one signal.
type Exporter struct {
	Name   string
	Signal Signal
	// URL is the endpoint with the signal's path, which the exporter appends.
	URL string
	// Storage is the directory of the queue, empty for a queue in memory.
	Storage                                      string
	InitialInterval, MaxInterval, MaxElapsedTime time.Duration
}

// add keeps an exporter once per signal, however many pipelines name it.
func (c *Config) add(next Exporter) {
	for _, have := range c.Exporters {
		if have.Name == next.Name && have.Signal == next.Signal {
			return
		}
	}
	c.Exporters = append(c.Exporters, next)
}

func (e otlpHTTP) resolve(name string, signal Signal, storages map[string]string) Exporter {
	out := Exporter{
		Name: name, Signal: signal, URL: strings.TrimSuffix(e.Endpoint, "/") + signal.path(), Storage: storages[e.SendingQueue.Storage],
		InitialInterval: e.RetryOnFailure.InitialInterval, MaxInterval: e.RetryOnFailure.MaxInterval, MaxElapsedTime: e.RetryOnFailure.MaxElapsedTime,
	}
	// Shorter than the Collector's 5 s and 30 s: tests wait for these.
	if out.InitialInterval == 0 {
		out.InitialInterval = 250 * time.Millisecond
	}
	if out.MaxInterval == 0 {
		out.MaxInterval = 2 * time.Second
	}
	if out.MaxElapsedTime == 0 {
		out.MaxElapsedTime = 5 * time.Minute
	}
	return out
}
