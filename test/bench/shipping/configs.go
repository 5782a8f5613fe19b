package main

// sinkConfig is the Collector that both ship to. It counts.
const sinkConfig = `
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:OTLP"}}}
exporters:
  debug: {verbosity: basic, sampling_initial: 1, sampling_thereafter: 100000}
service:
  telemetry:
    logs: {level: error}
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: METRICS}}}}]
  pipelines:
    logs: {receivers: [otlp], exporters: [debug]}
`

// fileLogConfig is the contestant: offsets on disk, requests of 1000 lines.
const fileLogConfig = `
extensions:
  file_storage: {directory: STORE}
receivers:
  file_log: {include: ["PATTERN"], start_at: beginning, include_file_path: true, storage: file_storage}
processors:
  resource: {attributes: [{key: service.name, value: bench, action: upsert}]}
  batch: {send_batch_size: 1000, send_batch_max_size: 1000, timeout: 200ms}
exporters:
  otlp_http: {endpoint: ENDPOINT, compression: none}
service:
  extensions: [file_storage]
  telemetry:
    logs: {level: error}
    metrics: {level: none}
  pipelines:
    logs: {receivers: [file_log], processors: [resource, batch], exporters: [otlp_http]}
`
