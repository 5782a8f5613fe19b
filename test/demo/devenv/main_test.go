package devenv

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
)

// fakeVariable makes the test binary behave as another program.
const fakeVariable = "DEVENV_FAKE"

func TestMain(m *testing.M) {
	var err error
	switch behavior := os.Getenv(fakeVariable); behavior {
	case "":
		os.Exit(m.Run())
	case "worker":
		err = fakeWorker(os.Args[1:])
	case "broken worker":
		err = errors.New("the database is from the future")
	default:
		err = fmt.Errorf("no program behaves as %q", behavior)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(3)
	}
	os.Exit(0)
}

// fakeWorker does what the real one does that can be seen from outside: it serves its port and says when it is ready.
func fakeWorker(args []string) error {
	want := []string{"dev", "--data-dir", "--port", "--ui-port", "--encryption-key-file"}
	for _, arg := range want {
		if !slices.Contains(args, arg) {
			return fmt.Errorf("argument %s is missing in %v", arg, args)
		}
	}
	for _, entry := range os.Environ() {
		if entry == "TEMPORAL_API_KEY=secret" {
			return errors.New("a variable of the user's shell reached the worker")
		}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	l, err := net.Listen("tcp", net.JoinHostPort(Loopback, args[slices.Index(args, "--port")+1]))
	if err != nil {
		return err
	}
	fmt.Println("orch-worker dev is ready (0.0 s)")
	<-stop
	return l.Close()
}
