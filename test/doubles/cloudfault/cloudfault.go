package cloudfault

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
)

// Rule is a fault and the calls that it befalls. A call is befallen by the first rule that matches it and is not used up.
type Rule struct {
	// Method, Path and Body choose calls; empty matches all. Path and Body are regular expressions, for the path with its query.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Body   string `json:"body,omitempty"`
	// Mutating chooses the calls that are not GET or HEAD.
	Mutating bool `json:"mutating,omitempty"`
	// Call chooses the call of that number in the journal, counted from 1; 0 matches all.
	Call int `json:"call,omitempty"`
	// Skip lets that many matching calls pass first, and Times is how many are befallen after that; 0 is all of them.
	Skip  int `json:"skip,omitempty"`
	Times int `json:"times,omitempty"`

	// Latency comes before everything else.
	Latency time.Duration `json:"latency,omitempty"`
	// Done carries the call out before the fault shows: done, but the answer is lost.
	Done bool `json:"done,omitempty"`
	// Pause holds the call until Release, or until its caller is gone.
	Pause bool `json:"pause,omitempty"`
	// Reset cuts the connection instead of an answer.
	Reset bool `json:"reset,omitempty"`
	// Status, Header and Answer are what is answered instead; without a Status the call goes on as always.
	Status int               `json:"status,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Answer string            `json:"answer,omitempty"`

	path, body *regexp.Regexp
	matched    int
}

// Call is one call that was made, numbered from 1.
type Call struct {
	Number int    `json:"number"`
	Method string `json:"method"`
	// URL is the path with its query.
	URL    string `json:"url"`
	Body   string `json:"body,omitempty"`
	Status int    `json:"status"`
	Answer string `json:"answer,omitempty"`
	// Fault says what befell the call; empty means nothing.
	Fault string `json:"fault,omitempty"`
	// Done is false for a call that the double never saw.
	Done bool `json:"done"`
}

// Mutating reports that the call could change something.
func (c Call) Mutating() bool { return c.Method != http.MethodGet && c.Method != http.MethodHead }

// Exchange is a call as the double answered it, before any fault took the answer away.
type Exchange struct {
	Request             *http.Request
	RequestBody, Answer []byte
	Status              int
	Header              http.Header
}

// Faults lie in front of a double. It is safe for concurrent use.
type Faults struct {
	double http.Handler
	// observe sees every exchange with the double; nil is nobody.
	observe func(Exchange)

	mu     sync.Mutex
	rules  []*Rule
	calls  []Call
	resume chan struct{}
	paused chan Call
}

// New puts faults in front of a double; there are none at first.
func New(double http.Handler) *Faults {
	return &Faults{double: double, resume: make(chan struct{}), paused: make(chan Call, 100)}
}

// Observe has every exchange shown to see, for example to hold it against a schema. It must be called before the first call.
func (f *Faults) Observe(see func(Exchange)) { f.observe = see }

// Add lays a fault; it befalls calls that come after this.
func (f *Faults) Add(r Rule) error {
	var err error
	if r.path, err = regexp.Compile(r.Path); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	if r.body, err = regexp.Compile(r.Body); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, &r)
	return nil
}

// Clear takes all faults away and lets what is paused go on.
func (f *Faults) Clear() {
	f.mu.Lock()
	f.rules = nil
	f.mu.Unlock()
	f.Release()
}

// Release lets all calls that are paused go on.
func (f *Faults) Release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.resume)
	f.resume = make(chan struct{})
}

// Paused delivers each call that a rule holds, when it is held.
func (f *Faults) Paused() <-chan Call { return f.paused }

// Calls are the calls so far, in the order in which they came.
func (f *Faults) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// ServeHTTP implements http.Handler.
func (f *Faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if admin := f.admin(r); admin != nil {
		admin(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	number, rule := f.begin(r, body)
	if rule.Latency > 0 && !wait(r, rule.Latency) {
		return
	}
	faulty := rule.Reset || rule.Status != 0
	var answer *recorder
	if !faulty || rule.Done {
		answer = f.ask(r, body)
		f.record(number, func(c *Call) { c.Done, c.Status, c.Answer = true, answer.status, answer.body.String() })
	}
	if rule.Pause && !f.pause(r, number) {
		return
	}
	switch {
	case rule.Reset:
		cut(w)
	case rule.Status != 0:
		for name, value := range rule.Header {
			w.Header().Set(name, value)
		}
		f.record(number, func(c *Call) { c.Status, c.Answer = rule.Status, rule.Answer })
		w.WriteHeader(rule.Status)
		_, _ = io.WriteString(w, rule.Answer) // a caller that is gone misses nothing
	default:
		maps.Copy(w.Header(), answer.header)
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body.Bytes()) // a caller that is gone misses nothing
	}
}

// begin numbers the call and finds the rule that it is under; the zero rule does nothing.
func (f *Faults) begin(r *http.Request, body []byte) (int, Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	call := Call{Number: len(f.calls) + 1, Method: r.Method, URL: r.URL.RequestURI(), Body: string(body)}
	var found Rule
	for _, rule := range f.rules {
		if rule.matches(call) {
			found = *rule
			call.Fault = rule.String()
			break
		}
	}
	f.calls = append(f.calls, call)
	return call.Number, found
}

func (r *Rule) matches(c Call) bool {
	if r.Method != "" && r.Method != c.Method || r.Mutating && !c.Mutating() || r.Call != 0 && r.Call != c.Number {
		return false
	}
	if !r.path.MatchString(c.URL) || !r.body.MatchString(c.Body) {
		return false
	}
	r.matched++
	return r.matched > r.Skip && (r.Times == 0 || r.matched <= r.Skip+r.Times)
}

// String is the fault in a few words.
func (r *Rule) String() string {
	text := "as always"
	switch {
	case r.Reset:
		text = "connection reset"
	case r.Status != 0:
		text = fmt.Sprintf("status %d", r.Status)
	case r.Pause:
		return "paused"
	case r.Latency > 0:
		return "late by " + r.Latency.String()
	}
	if r.Done {
		text += " after the work was done"
	}
	return text
}

func (f *Faults) record(number int, change func(*Call)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.calls[number-1])
}

// ask has the double do its work, whatever becomes of the caller meanwhile.
func (f *Faults) ask(r *http.Request, body []byte) *recorder {
	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	inner := r.Clone(r.Context())
	inner.Body = io.NopCloser(bytes.NewReader(body))
	f.double.ServeHTTP(answer, inner)
	if f.observe != nil {
		f.observe(Exchange{Request: r, RequestBody: body, Answer: answer.body.Bytes(), Status: answer.status, Header: answer.header})
	}
	return answer
}

// pause reports whether the caller is still there when it is over.
func (f *Faults) pause(r *http.Request, number int) bool {
	f.mu.Lock()
	resume, call := f.resume, f.calls[number-1]
	f.mu.Unlock()
	select {
	case f.paused <- call:
	default: // nobody is looking
	}
	select {
	case <-resume:
		return true
	case <-r.Context().Done():
		return false
	}
}

func wait(r *http.Request, latency time.Duration) bool {
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// recorder keeps an answer back.
type recorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *recorder) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *recorder) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, true
	}
}

// Write implements http.ResponseWriter.
func (a *recorder) Write(data []byte) (int, error) {
	a.wrote = true
	return a.body.Write(data)
}
