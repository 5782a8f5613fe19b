package strict

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Journal appends records of one type to a file, one JSON document per line, so that they
// survive the container. It is not safe for concurrent use.
type Journal[T any] struct {
	file *os.File
}

// OpenJournal makes the file or hands every record that an earlier process wrote to replay.
func OpenJournal[T any](path string, replay func(T)) (*Journal[T], error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	for dec := json.NewDecoder(bufio.NewReader(file)); ; {
		var record T
		switch err := dec.Decode(&record); {
		case errors.Is(err, io.EOF):
			return &Journal[T]{file: file}, nil
		case err != nil:
			return nil, errors.Join(fmt.Errorf("journal %s is damaged: %w", path, err), file.Close())
		}
		replay(record)
	}
}

// Append writes the records before it returns.
func (j *Journal[T]) Append(records ...T) error {
	var lines []byte
	for _, record := range records {
		raw, err := json.Marshal(record)
		if err != nil {
			return fmt.Errorf("encode record: %w", err)
		}
		lines = append(append(lines, raw...), '\n')
	}
	if _, err := j.file.Write(lines); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// Close closes the file.
func (j *Journal[T]) Close() error { return j.file.Close() }
