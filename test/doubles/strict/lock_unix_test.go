//go:build unix

package strict

import "testing"

func TestLockRefusesASecondUserOfTheSameData(t *testing.T) {
	dir := t.TempDir()
	first, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); err == nil {
		t.Error("a second lock was given out")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if again, err := Lock(dir); err != nil || again.Close() != nil {
		t.Errorf("the lock was not given back: %v", err)
	}
}
