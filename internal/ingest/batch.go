package ingest

import "time"

// stream is what the lines of a source have in common: the resource attributes beyond those of the ingest.
type stream struct {
	// path is a file, name and id are a container's.
	path, name, id string
	// labels are the stream in Loki that the lines go to: "" for files, which share the service's, else the container's name.
	key string
}

// line is a part of a chunk's text.
type line struct {
	start, end int32
	// part is 0 for a whole line, and counts from 1 in one that is longer than a record may be.
	part int32
	// stderr tells a container's two streams apart.
	stderr bool
	// time is when it was written, in nanoseconds since 1970; 0 is not known.
	time int64
}

// chunk is some consecutive lines of one source.
type chunk struct {
	stream *stream
	text   string
	lines  []line
	// read is when the chunk was made.
	read time.Time
	// commit tells the checkpoint that everything up to the end of the chunk was acknowledged.
	commit func()
}

func (c *chunk) of(l line) string { return c.text[l.start:l.end] }

// Bounds of what is read ahead.
const (
	// maxRecord is the longest text of a record in bytes: Loki refuses lines over 256 KiB.
	maxRecord = 250_000
	// chunkSize is how much is read of a file at once. It holds more than a record, so that a line feed after the longest
	// one is seen.
	chunkSize = 256 << 10
	// chunkLimit ends a chunk of a container's lines.
	chunkLimit = 64 << 10
	// batchBytes ends a batch before it has all its lines.
	batchBytes = 2 << 20
	// queueLength is how many chunks wait for the sender.
	queueLength = 4
)
