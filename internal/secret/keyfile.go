package secret

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// EnvKeyFile is the environment variable that names the key file.
const EnvKeyFile = "ORCH_ENCRYPTION_KEY_FILE"

// DefaultKeyFile is where the key file is looked for when none is configured: $ORCH_ENCRYPTION_KEY_FILE, else
// encryption.key in DefaultDataDir.
func DefaultKeyFile() string {
	if path := os.Getenv(EnvKeyFile); path != "" {
		return path
	}
	return filepath.Join(DefaultDataDir(), "encryption.key")
}

// DefaultDataDir is where orch keeps what belongs to a user of this machine: $XDG_DATA_HOME/orch, else
// ~/.local/share/orch. Without a home directory it is relative to the working directory.
func DefaultDataDir() string {
	// The XDG specification says that a relative path is to be ignored.
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "orch")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(".local", "share", "orch")
	}
	return filepath.Join(home, ".local", "share", "orch")
}

// EnsureKeyFile makes the key file with one new key when it is absent, mode 0600 in a directory of mode 0700. Several
// processes may do it at the same time: all end up with the same key. An existing file is only checked.
func EnsureKeyFile(path string) error {
	err := checkKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the directory of the encryption key file: %w", err)
	}
	if err := createKeyFile(path); err != nil {
		return fmt.Errorf("make encryption key file %s: %w", path, err)
	}
	return checkKeyFile(path)
}

// createKeyFile writes a new key beside path and links it there: a link fails when path exists, and nobody ever sees half
// a file.
func createKeyFile(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".encryption-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(newKeyLine())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func newKeyLine() string {
	var id [4]byte
	var key [keySize]byte
	// crypto/rand.Read never fails: it ends the process when the system has no randomness.
	_, _ = rand.Read(id[:])
	_, _ = rand.Read(key[:])
	return "key-" + hex.EncodeToString(id[:]) + ":" + base64.StdEncoding.EncodeToString(key[:]) + "\n"
}

// checkKeyFile refuses what is not a private file.
func checkKeyFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("encryption key file: %w", err)
	}
	if info.IsDir() {
		return fmt.Errorf("encryption key file %s is a directory", path)
	}
	// Windows has no such mode bits: os.Stat makes them up.
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return fmt.Errorf("encryption key file %s has mode %04o, so that others than its owner may use it; "+
			"close it with: chmod 600 %s (a mounted secret takes mode 0400 where it is mounted)", path, mode, path)
	}
	return nil
}
