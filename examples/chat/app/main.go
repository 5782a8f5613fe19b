// Command chat is a small chat application: it answers messages, and remembers them in Neo4j.
//
//	POST /conversations/{id}  a message as plain text; the answer tells how many there are now
//	GET  /conversations/{id}  the messages, a line each
//	GET  /health              200 when Neo4j answers too
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// version is set by the build.
var version = "dev"

// Limits of the server.
const (
	maxMessage = 64 << 10
	answerTime = 5 * time.Second
	grace      = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal("chat: ", err)
	}
}

func run(ctx context.Context) error {
	password, err := os.ReadFile(os.Getenv("NEO4J_PASSWORD_FILE"))
	if err != nil {
		return fmt.Errorf("read the password of Neo4j: %w", err)
	}
	driver, err := neo4j.NewDriverWithContext(os.Getenv("NEO4J_URI"), neo4j.BasicAuth(os.Getenv("NEO4J_USER"), strings.TrimSpace(string(password)), ""))
	if err != nil {
		return fmt.Errorf("connect to Neo4j: %w", err)
	}
	server := &http.Server{Addr: ":8080", Handler: routes(driver), ReadHeaderTimeout: answerTime}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	log.Printf("chat %s: listening on %s, remembering in %s", version, server.Addr, os.Getenv("NEO4J_URI"))
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// Whoever is being answered gets the whole answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return errors.Join(server.Shutdown(ctx), driver.Close(ctx))
}

func routes(driver neo4j.DriverWithContext) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		if err := driver.VerifyConnectivity(r.Context()); err != nil {
			http.Error(w, "Neo4j: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		answer(w, "chat %s\n", version)
	})
	mux.HandleFunc("POST /conversations/{id}", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, err = query(r.Context(), driver, "CREATE (m:Message {conversation: $id, text: $text})", map[string]any{"id": r.PathValue("id"), "text": string(text)})
		if err == nil {
			var said []string
			if said, err = messages(r.Context(), driver, r.PathValue("id")); err == nil {
				answer(w, "You said %q. I remember %d messages.\n", text, len(said))
				return
			}
		}
		http.Error(w, err.Error(), http.StatusBadGateway)
	})
	mux.HandleFunc("GET /conversations/{id}", func(w http.ResponseWriter, r *http.Request) {
		said, err := messages(r.Context(), driver, r.PathValue("id"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		answer(w, "%s\n", strings.Join(said, "\n"))
	})
	return mux
}

// answer writes to a client. One that has gone away needs no answer any more.
func answer(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func messages(ctx context.Context, driver neo4j.DriverWithContext, conversation string) ([]string, error) {
	result, err := query(ctx, driver, "MATCH (m:Message {conversation: $id}) RETURN m.text AS text", map[string]any{"id": conversation})
	if err != nil {
		return nil, err
	}
	var said []string
	for _, record := range result.Records {
		text, _, err := neo4j.GetRecordValue[string](record, "text")
		if err != nil {
			return nil, err
		}
		said = append(said, text)
	}
	return said, nil
}

func query(ctx context.Context, driver neo4j.DriverWithContext, cypher string, parameters map[string]any) (*neo4j.EagerResult, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return neo4j.ExecuteQuery(ctx, driver, cypher, parameters, neo4j.EagerResultTransformer)
}
