package cloudfault

import (
	"encoding/json"
	"net/http"
)

// admin is the handler of a call that is about the faults themselves; nil for every other call.
//
//	POST   /double/faults   lays a Rule
//	DELETE /double/faults   takes all away
//	POST   /double/release  lets what is paused go on
//	GET    /double/calls    the journal
func (f *Faults) admin(r *http.Request) http.HandlerFunc {
	switch r.Method + " " + r.URL.Path {
	case "POST /double/faults":
		return f.addRule
	case "DELETE /double/faults":
		return func(w http.ResponseWriter, _ *http.Request) {
			f.Clear()
			w.WriteHeader(http.StatusNoContent)
		}
	case "POST /double/release":
		return func(w http.ResponseWriter, _ *http.Request) {
			f.Release()
			w.WriteHeader(http.StatusNoContent)
		}
	case "GET /double/calls":
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(f.Calls()) // a caller that is gone misses nothing
		}
	default:
		return nil
	}
}

func (f *Faults) addRule(w http.ResponseWriter, r *http.Request) {
	var rule Rule
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&rule)
	if err == nil {
		err = f.Add(rule)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
