package cloudflare

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

// message is an error or a note in an answer.
type message struct {
	Code    int       `json:"code"`
	Message string    `json:"message"`
	Chain   []message `json:"error_chain,omitempty"`
}

// answer is Cloudflare's envelope.
type answer struct {
	status     int
	Success    bool           `json:"success"`
	Errors     []message      `json:"errors"`
	Messages   []message      `json:"messages"`
	Result     any            `json:"result"`
	ResultInfo map[string]any `json:"result_info,omitempty"`
}

func (a answer) write(w http.ResponseWriter) {
	if a.Errors == nil {
		a.Errors = []message{}
	}
	if a.Messages == nil {
		a.Messages = []message{}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cf-Ray", "8f0d5e2f1c2a3b4c-DFW")
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_ = json.NewEncoder(w).Encode(a) // a caller that is gone misses nothing
}

func refuse(status, code int, text string) answer {
	return answer{status: status, Errors: []message{{Code: code, Message: text}}}
}

func invalidToken() answer { return refuse(http.StatusUnauthorized, 1000, "Invalid API Token") }

func forbidden() answer { return refuse(http.StatusForbidden, 10000, "Authentication error") }

func unroutable(r *http.Request) answer {
	return refuse(http.StatusNotFound, 7003, "Could not route to "+r.URL.Path+", perhaps your object identifier is invalid?")
}

// paged cuts a page out of a list.
func paged(query url.Values, all []any) answer {
	page, perPage := number(query, "page", 1), number(query, "per_page", 20)
	from := min((page-1)*perPage, len(all))
	part := all[from:min(from+perPage, len(all))]
	if part == nil {
		part = []any{}
	}
	return answer{Success: true, Result: part, ResultInfo: map[string]any{
		"page": page, "per_page": perPage, "count": len(part), "total_count": len(all), "total_pages": (len(all) + perPage - 1) / perPage,
	}}
}

func number(query url.Values, name string, otherwise int) int {
	if n, err := strconv.Atoi(query.Get(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}
