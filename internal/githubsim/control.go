package githubsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

// controls lists the operations of the control API: what people, administrators and misfortune do to a GitHub. Each takes
// a JSON object and answers one. It is for the machine the simulator runs on and wants no credentials.
func controls() map[string]func(context.Context, *Server, []byte) (any, error) {
	return map[string]func(context.Context, *Server, []byte) (any, error){
		"GET requests": control(func(_ context.Context, s *Server, in Request) (any, error) {
			return orEmpty(s.Requests(in.Method, in.Path)), nil
		}),
		"GET deliveries": control(controlDeliveries),
		"POST flush":     control(func(ctx context.Context, s *Server, _ struct{}) (any, error) { return nil, s.Flush(ctx) }),
		"POST faults":    control(func(_ context.Context, s *Server, in Fault) (any, error) { return nil, s.Inject(in) }),
		"DELETE faults": control(func(_ context.Context, s *Server, _ struct{}) (any, error) {
			s.ClearFaults()
			s.ClearDeliveryFaults()
			return nil, nil
		}),
		"POST delivery-faults": control(controlDeliveryFault),
		"POST release": control(func(_ context.Context, s *Server, in target) (any, error) {
			s.ReleaseDeliveries(in.App)
			return nil, nil
		}),
		"POST push":   control(controlPush),
		"POST import": control(controlImport),
		"POST delete-branch": control(func(ctx context.Context, s *Server, in target) (any, error) {
			return nil, s.DeleteBranch(ctx, in.Repository, in.Branch)
		}),
		"POST delete-repository": control(func(_ context.Context, s *Server, in target) (any, error) {
			return nil, s.DeleteRepository(in.Repository)
		}),
		"POST press": control(func(_ context.Context, s *Server, in target) (any, error) {
			return nil, s.PressButton(in.Repository, in.CheckRun, in.Identifier, in.By)
		}),
		"POST draft": control(func(_ context.Context, s *Server, in target) (any, error) {
			return nil, s.SetDraft(in.Repository, in.Number, in.On, in.By)
		}),
		"POST enqueue": control(func(_ context.Context, s *Server, in target) (any, error) {
			return nil, s.Enqueue(in.Repository, in.Number, in.By)
		}),
		"POST dequeue": control(func(_ context.Context, s *Server, in target) (any, error) {
			return nil, s.Dequeue(in.Repository, in.Number)
		}),
		"POST role": control(func(_ context.Context, s *Server, in target) (any, error) {
			s.SetRole(in.Repository, in.By, in.Role)
			return nil, nil
		}),
		"POST suspend": control(func(_ context.Context, s *Server, in target) (any, error) {
			return nil, s.Suspend(in.Installation, in.On)
		}),
		"POST uninstall": control(func(_ context.Context, s *Server, in target) (any, error) { return nil, s.Uninstall(in.Installation) }),
		"POST select": control(func(_ context.Context, s *Server, in target) (any, error) {
			return nil, s.Select(in.Installation, in.Repository, in.On)
		}),
		"POST grant": control(func(_ context.Context, s *Server, in target) (any, error) {
			return nil, s.Grant(in.Installation, in.Permissions)
		}),
		"POST revoke-tokens": control(func(_ context.Context, s *Server, in target) (any, error) {
			s.RevokeTokens(in.Installation)
			return nil, nil
		}),
		"POST hook-url": control(func(_ context.Context, s *Server, in target) (any, error) { return nil, s.SetHookURL(in.App, in.URL) }),
		"POST advance": control(func(_ context.Context, s *Server, in target) (any, error) {
			s.Advance(time.Duration(in.Seconds) * time.Second)
			return nil, nil
		}),
		"POST mergeable-unknown": control(func(_ context.Context, s *Server, in target) (any, error) {
			s.SetMergeableUnknown(in.Number)
			return nil, nil
		}),
		"POST rate-limit": control(func(_ context.Context, s *Server, in target) (any, error) { s.SetRateLimit(in.Number); return nil, nil }),
	}
}

// target is the body of most control operations; each reads the fields that it needs.
type target struct {
	Repository   string            `json:"repository"`
	Branch       string            `json:"branch"`
	Number       int               `json:"number"`
	CheckRun     int64             `json:"check_run"`
	Identifier   string            `json:"identifier"`
	By           string            `json:"by"`
	Role         string            `json:"role"`
	On           bool              `json:"on"`
	App          string            `json:"app"`
	URL          string            `json:"url"`
	Installation int64             `json:"installation"`
	Permissions  map[string]string `json:"permissions"`
	Seconds      int               `json:"seconds"`
}

// control adapts a typed operation. A key that the operation does not know is an error.
func control[T any](do func(context.Context, *Server, T) (any, error)) func(context.Context, *Server, []byte) (any, error) {
	return func(ctx context.Context, s *Server, body []byte) (any, error) {
		var in T
		if len(bytes.TrimSpace(body)) > 0 {
			dec := json.NewDecoder(bytes.NewReader(body))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&in); err != nil {
				return nil, fmt.Errorf("parse body: %w", err)
			}
		}
		return do(ctx, s, in)
	}
}

func controlDeliveries(_ context.Context, s *Server, in target) (any, error) {
	out := []object{}
	for _, d := range s.Deliveries(in.App) {
		one := deliveryItem(d)
		one["payload"] = d.Event.Payload
		out = append(out, one)
	}
	return out, nil
}

// deliveryFault is a delivery fault for one App, with the delay in milliseconds.
type deliveryFault struct {
	App    string    `json:"app"`
	Kind   hook.Kind `json:"kind"`
	Event  string    `json:"event"`
	Action string    `json:"action"`
	Times  int       `json:"times"`
	DelayM int       `json:"delay_ms"`
}

func controlDeliveryFault(_ context.Context, s *Server, in deliveryFault) (any, error) {
	return nil, s.InjectDelivery(in.App, hook.Fault{
		Kind: in.Kind, Event: in.Event, Action: in.Action, Times: in.Times, By: time.Duration(in.DelayM) * time.Millisecond,
	})
}

func controlPush(ctx context.Context, s *Server, in Push) (any, error) {
	sha, err := s.Push(ctx, in)
	return object{"sha": sha}, err
}

// importRequest copies a revision of a repository on this machine to a branch.
type importRequest struct {
	Repository string `json:"repository"`
	Dir        string `json:"dir"`
	Rev        string `json:"rev"`
	Branch     string `json:"branch"`
}

func controlImport(ctx context.Context, s *Server, in importRequest) (any, error) {
	sha, err := s.Import(ctx, in.Repository, in.Dir, in.Rev, in.Branch)
	return object{"sha": sha}, err
}

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	if !fromHere(r) {
		http.Error(w, "the control API answers this machine only", http.StatusForbidden)
		return
	}
	do := controls()[r.Method+" "+r.URL.Path[len("/_control/"):]]
	if do == nil {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<20))
	if err == nil && len(body) == 0 && r.URL.RawQuery != "" {
		body, err = queryBody(r)
	}
	var out any
	if err == nil {
		out, err = do(r.Context(), s, body)
	}
	if err != nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		json.NewEncoder(w).Encode(object{"error": err.Error()}) //nolint:errcheck,errchkjson // a client that went away is no concern of the server
		return
	}
	if out == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(out) //nolint:errcheck,errchkjson // a client that went away is no concern of the server
}

// queryBody lets a read take its fields from the query.
func queryBody(r *http.Request) ([]byte, error) {
	in := map[string]string{}
	for key, values := range r.URL.Query() {
		if len(values) != 1 {
			return nil, errors.New("parse query: a key is there twice")
		}
		in[key] = values[0]
	}
	return json.Marshal(in)
}

// fromHere also demands a Host of this machine and no Origin: a web page in a browser here must not reach the control API.
func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || r.Header.Get("Origin") != "" {
		return false
	}
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = r.Host
	}
	named := net.ParseIP(name)
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() && (name == "localhost" || (named != nil && named.IsLoopback()))
}
