package catalog

// All lists every pipeline. Workflows are registered from it.
func All() []Entry {
	return []Entry{
		LogsPipeline.Entry(),
		MetricsPipeline.Entry(),
		TracingPipeline.Entry(),
		DatabasePipeline.Entry(),
	}
}
