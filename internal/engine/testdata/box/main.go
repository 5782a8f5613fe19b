// Box is the component of the engine's tests: a static program that serves, logs, fails and writes as its environment says.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	config, err := os.ReadFile("/etc/box/config.txt")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		fail(err)
	}
	secret, err := os.ReadFile("/run/secrets/password")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		fail(err)
	}
	fmt.Printf("box starts, config %q, secret %q\n", config, secret)
	if dir := os.Getenv("BOX_DATA"); dir != "" {
		if err := os.WriteFile(dir+"/written", config, 0o600); err != nil {
			fail(err)
		}
	}
	if os.Getenv("BOX_EAT") != "" {
		eat()
	}
	if code := os.Getenv("BOX_EXIT"); code != "" {
		number, err := strconv.Atoi(code)
		if err != nil {
			fail(err)
		}
		fmt.Fprintln(os.Stderr, "box gives up")
		os.Exit(number)
	}
	serve(config)
}

func serve(config []byte) {
	http.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("BOX_NEVER_READY") != "" {
			http.Error(w, "still thinking", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "box is ready with %s", config)
	})
	// The file is read anew for each request.
	http.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "/etc/box/live/orch.json") })
	// What this container sees of another one, for tests of networks.
	http.HandleFunc("GET /fetch", func(w http.ResponseWriter, r *http.Request) {
		client := http.Client{Timeout: 5 * time.Second}
		response, err := client.Get(r.FormValue("url"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	})
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		os.Exit(0)
	}()
	fail(http.ListenAndServe(":8080", nil))
}

// eat takes memory until there is none, in steps that the kernel has to back.
func eat() {
	var all [][]byte
	for {
		block := make([]byte, 4<<20)
		for i := range block {
			block[i] = byte(i)
		}
		all = append(all, block)
		fmt.Fprintln(io.Discard, len(all))
		time.Sleep(time.Millisecond)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "box:", err)
	os.Exit(1)
}
