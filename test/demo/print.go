package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

const margin = "    "

func heading(text string) { fmt.Printf("==> %s\n", text) }

// say prints one line of progress.
func say(format string, args ...any) {
	fmt.Println(margin + fmt.Sprintf(format, args...))
}

func indented(text string) string {
	return margin + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+margin)
}

// indent passes lines on with a margin, as soon as any of a line is there.
type indent struct {
	to     io.Writer
	inLine bool
}

// Write implements io.Writer.
func (i *indent) Write(p []byte) (int, error) {
	var out bytes.Buffer
	for line := range bytes.Lines(p) {
		if !i.inLine && len(bytes.TrimSpace(line)) > 0 {
			out.WriteString(margin)
		}
		out.Write(line)
		i.inLine = line[len(line)-1] != '\n'
	}
	if _, err := i.to.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func stream() io.Writer { return &indent{to: os.Stdout} }

// colorFlag keeps control sequences out of files and CI logs.
func colorFlag() []string {
	if info, err := os.Stdout.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" {
		return nil
	}
	return []string{"-no-color"}
}
