package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// defaultPause follows a 429 that does not say how long to wait.
const defaultPause = 2 * time.Second

// Limit is a platform's own rule for one kind of call, for example one change a second for each machine.
type Limit struct {
	// Key tells calls apart that are counted apart, for example "machine update/148e1". Empty means that nothing is known.
	Key string
	// Every is the time between two calls in the long run, and Burst how many may come at once.
	Every time.Duration
	Burst int
}

// Governors are the governors of a process, one for each platform and token, since that is what platforms count by.
type Governors struct {
	mu  sync.Mutex
	all map[string]*Governor
}

// For is the governor of a platform and token. Only a digest of the token is kept.
func (g *Governors) For(platform, token string) *Governor {
	sum := sha256.Sum256([]byte(platform + "\x00" + token))
	key := hex.EncodeToString(sum[:])
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil {
		g.all = map[string]*Governor{}
	}
	if g.all[key] == nil {
		g.all[key] = &Governor{until: map[string]time.Time{}, limiters: map[string]*rate.Limiter{}}
	}
	return g.all[key]
}

// Governor makes the calls with one token wait while the platform asks for that, and spaces those that it is known to count.
// What the answer to a call with a Limit asks for holds for the calls that are counted with it, since Render's budget of an
// hour for creations says nothing about reading. What any other answer asks for holds for all.
type Governor struct {
	mu       sync.Mutex
	until    map[string]time.Time // by Limit.Key; "" is for all calls
	limiters map[string]*rate.Limiter
}

// maxLimiters bounds the memory of a process that lives for months; forgetting a limiter only lets one burst through.
const maxLimiters = 1000

// Wait returns when a call may be made, or when ctx ends.
func (g *Governor) Wait(ctx context.Context, limit Limit) error {
	if l := g.limiter(limit); l != nil {
		if err := l.Wait(ctx); err != nil {
			return err
		}
	}
	for {
		pause := g.Pause(limit)
		if pause <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

func (g *Governor) limiter(limit Limit) *rate.Limiter {
	if limit.Key == "" || limit.Every <= 0 {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.limiters[limit.Key]
	if l == nil {
		if len(g.limiters) >= maxLimiters {
			clear(g.limiters)
		}
		l = rate.NewLimiter(rate.Every(limit.Every), max(limit.Burst, 1))
		g.limiters[limit.Key] = l
	}
	return l
}

// Pause is how long a call has to wait for what the platform has asked for; 0 or less is not at all.
func (g *Governor) Pause(limit Limit) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(time.Until(g.until[""]), time.Until(g.until[limit.Key]))
}

// Learn takes from an answer how long no call that is counted with it may be made.
func (g *Governor) Learn(limit Limit, response *http.Response) {
	pause := pauseOf(response)
	if pause <= 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.until) >= maxLimiters {
		clear(g.until)
	}
	if until := time.Now().Add(pause); until.After(g.until[limit.Key]) {
		g.until[limit.Key] = until
	}
}

// limited reports that the platform refused a call because there were too many. GitHub says so with 403 too.
func limited(response *http.Response) bool {
	if response.StatusCode == http.StatusTooManyRequests {
		return true
	}
	return response.StatusCode == http.StatusForbidden && (response.Header.Get("Retry-After") != "" || remaining(response.Header) == "0")
}

// pauseOf is how long an answer asks to wait. The last call that a window allows asks for that as well as the first one that
// it does not.
func pauseOf(response *http.Response) time.Duration {
	if after := retryAfter(response.Header); after > 0 {
		return after
	}
	if remaining(response.Header) == "0" {
		if after := resetAfter(response.Header); after > 0 {
			return after
		}
	}
	if limited(response) {
		return defaultPause
	}
	return 0
}

func remaining(header http.Header) string {
	return either(header, "Ratelimit-Remaining", "X-Ratelimit-Remaining")
}

func either(header http.Header, names ...string) string {
	for _, name := range names {
		if value := header.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// retryAfter is seconds or a date.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return time.Duration(seconds * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return time.Until(at)
	}
	return 0
}

// resetAfter reads a reset header, which some platforms document as a time and send as seconds that are left.
func resetAfter(header http.Header) time.Duration {
	const longAgo = 1_000_000_000 // as seconds since 1970 in 2001, as seconds that are left in 31 years
	value, err := strconv.ParseInt(either(header, "Ratelimit-Reset", "X-Ratelimit-Reset"), 10, 64)
	if err != nil {
		return 0
	}
	if value > longAgo {
		return time.Until(time.Unix(value, 0))
	}
	return time.Duration(value) * time.Second
}
