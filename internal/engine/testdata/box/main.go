// Box is the component of the engine's tests: a static program that serves, logs, fails and writes as its environment says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "health" {
		health()
	}
	config, err := os.ReadFile("/etc/box/config.txt")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		fail(err)
	}
	if len(os.Args) > 1 && os.Args[1] == "validate" {
		if strings.HasPrefix(string(config), "invalid") {
			fmt.Fprintf(os.Stderr, "Error: config %q is invalid\n", config)
			os.Exit(1)
		}
		return
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
	if size, err := strconv.Atoi(os.Getenv("BOX_SAY")); err == nil {
		fmt.Println(strings.Repeat("x", size))
		fmt.Fprintln(os.Stderr, "said")
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
	if target := os.Getenv("BOX_POLL"); target != "" {
		poll(target)
	}
	if os.Getenv("BOX_DEAF") != "" {
		time.Sleep(time.Hour)
	}
	serve(config)
}

// health is the image's HEALTHCHECK.
func health() {
	response, err := http.Get("http://127.0.0.1:8080/ready")
	if err != nil {
		fail(err)
	}
	body, _ := io.ReadAll(response.Body)
	fmt.Println(string(body))
	if response.StatusCode != http.StatusOK {
		os.Exit(1)
	}
	os.Exit(0)
}

// reload reads the configuration anew with every SIGHUP, and ends the process when it cannot work with it.
func reload(current *atomic.Pointer[loaded]) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	for range signals {
		config, err := os.ReadFile("/etc/box/config.txt")
		if err != nil {
			fail(err)
		}
		if strings.HasPrefix(string(config), "unusable") {
			fmt.Fprintf(os.Stderr, "Error: config %q cannot be used\n", config)
			os.Exit(3)
		}
		current.Store(&loaded{config, time.Now()})
	}
}

// loaded is a configuration, and since when it is in force.
type loaded struct {
	config []byte
	since  time.Time
}

func serve(config []byte) {
	var current atomic.Pointer[loaded]
	current.Store(&loaded{config, time.Now()})
	go reload(&current)
	http.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"upSince":%q,"config":%q}`, current.Load().since.Format(time.RFC3339Nano), current.Load().config)
	})
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
	// Whatever a probe may meet.
	http.HandleFunc("GET /answer", func(w http.ResponseWriter, r *http.Request) {
		wait, _ := time.ParseDuration(r.FormValue("wait"))
		time.Sleep(wait)
		if to := r.FormValue("to"); to != "" {
			w.Header().Set("Location", to)
		}
		code, _ := strconv.Atoi(r.FormValue("code"))
		w.WriteHeader(code)
		fmt.Fprintf(w, "%s says %d", config, code)
	})
	server := &http.Server{Addr: ":8080"}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	stopped := make(chan struct{})
	go func() {
		<-stop
		// Like any server that is worth a handover, it answers what it has begun with.
		_ = server.Shutdown(context.Background())
		close(stopped)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fail(err)
	}
	<-stopped
	os.Exit(0)
}

// poll asks a server without a pause, over new connections, over one that is kept, and for answers that take a while, and
// tells at /polled what came of it.
func poll(target string) {
	var mu sync.Mutex
	requests, failed, answers := 0, []string{}, map[string]int{}
	ask := func(client *http.Client, path string) {
		for {
			text, err := get(client, target+path)
			mu.Lock()
			requests++
			if err != nil {
				failed = append(failed, err.Error())
			}
			answers[text]++
			mu.Unlock()
			time.Sleep(time.Millisecond)
		}
	}
	go ask(&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}, "/ready")
	go ask(&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}, "/ready")
	go ask(&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}, "/answer?code=200&wait=500ms")
	http.HandleFunc("GET /polled", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{"requests": requests, "failed": failed, "answers": answers})
	})
}

func get(client *http.Client, target string) (string, error) {
	response, err := client.Get(target)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", target, response.Status, body)
	}
	return string(body), err
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
