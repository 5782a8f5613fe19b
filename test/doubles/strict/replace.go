package strict

import "os"

// ReplaceFile writes a file so that a reader and a restart see the old content or the new,
// never a part.
func ReplaceFile(path string, content []byte) error {
	next := path + ".next"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}
