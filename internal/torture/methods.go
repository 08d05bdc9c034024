//go:build linux

package torture

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/torture/stage"
)

// arguments are those of every method.
type arguments struct {
	Call string  `json:"call"`
	MS   float64 `json:"ms"` // how long it takes; or which of several ways it goes
	Pad  string  `json:"pad"`

	request *ipc.Request
	items   *int // how many were sent or received, for the record of the end
}

// methods of the services, which take arguments; "typed" and "absent" are
// declared without parameters.
var methods = []string{
	"quick", "slow", "stubborn", "failing", "plain", "refusing", "panicking", "large", "mismatch",
	"unreadable", "wordy", "relay", "guarded", "spoiled", "repeatable", "mirror", "count", "gather", "echoes", "bulk",
}

// traits are what the manifest says of some methods more than their
// parameters.
var traits = map[string]string{
	"quick":      `,"returns":{"type":"string"}`,
	"mismatch":   `,"returns":{"type":"string"}`,
	"repeatable": `,"idempotent":true`,
	"count":      `,"stream":"server","returns":{"type":"any"}`,
	"echoes":     `,"stream":"both","items":{"type":"any"},"returns":{"type":"any"}`,
	"gather":     `,"stream":"client","items":{"type":"integer"}`,
}

func manifestText() []byte {
	var b strings.Builder
	b.WriteString(`{"service":{"name":"torture","version":"1.0.0"},"methods":{"typed":{},"absent":{}`)
	for _, m := range methods {
		fmt.Fprintf(&b, `,%q:{"parameters":[{"name":"call","type":"string","required":true},{"name":"ms","type":"number","required":false},{"name":"pad","type":"string","required":false}]%s}`, m, traits[m])
	}
	b.WriteString("}}")
	return []byte(b.String())
}

// handler is what a method does between the records of its begin and its end.
type handler func(ctx context.Context, in arguments) (any, error)

func (s *service) handlers() map[string]handler {
	return map[string]handler{
		"quick": func(_ context.Context, in arguments) (any, error) { return in.Call, nil },
		"slow": func(ctx context.Context, in arguments) (any, error) {
			if err := stage.Pause(ctx, in.MS); err != nil {
				return nil, err
			}
			return in.Call, nil
		},
		"stubborn": func(_ context.Context, in arguments) (any, error) {
			stage.Pause(context.Background(), in.MS)
			return in.Call, nil
		},
		"failing": func(_ context.Context, in arguments) (any, error) {
			return nil, ipc.Errorf("APP_BROKEN", "[%s]", in.Call)
		},
		"plain":    func(_ context.Context, in arguments) (any, error) { return nil, fmt.Errorf("[%s] failed", in.Call) },
		"refusing": s.refuse,
		"panicking": func(_ context.Context, in arguments) (any, error) {
			panic(in.Call)
		},
		"large":      func(context.Context, arguments) (any, error) { return s.large, nil },
		"mismatch":   func(context.Context, arguments) (any, error) { return 1, nil },
		"unreadable": func(context.Context, arguments) (any, error) { return s.deep, nil },
		"wordy": func(_ context.Context, in arguments) (any, error) {
			return nil, ipc.Errorf("APP_WORDY", "[%s] %s", in.Call, s.large)
		},
		"relay":  s.relay,
		"mirror": s.mirror,
		"count":  s.count,
		"gather": s.gather,
		"echoes": s.echo,
		"bulk":   func(_ context.Context, in arguments) (any, error) { return in.Pad + in.Call + "|", nil },
		"repeatable": func(_ context.Context, in arguments) (any, error) {
			stage.Pause(context.Background(), in.MS)
			if in.MS == 5 {
				return nil, ipc.Errorf("APP_BROKEN", "[%s]", in.Call)
			}
			return in.Call, nil
		},
		"guarded": func(_ context.Context, in arguments) (any, error) { return in.Call, nil },
		"spoiled": func(_ context.Context, in arguments) (any, error) { return in.Call, nil },
	}
}

// refuse answers with a code of the handler's own, having done nothing.
func (s *service) refuse(_ context.Context, in arguments) (any, error) {
	codes := []ipc.Code{ipc.CodeNotFound, ipc.CodeInvalidArgument, ipc.CodeConflict, ipc.CodeAlreadyExists}
	code := codes[int(in.MS)%len(codes)]
	if s.Plant != ExecuteAndDeny {
		s.journal.Write(Event{Kind: Refused, Call: in.Call, Code: code})
	}
	return nil, ipc.Errorf(code, "[%s] refused", in.Call)
}

// relay asks the service behind and passes on what that says, errors as they
// are: the call to the service behind may not have been executed, this one
// was.
func (s *service) relay(ctx context.Context, in arguments) (any, error) {
	if s.back == nil {
		return in.Call, nil
	}
	id := in.Call + onward
	method := []string{"quick", "refusing", "failing", "nothing", "slow"}[int(in.MS)%5]
	_, err := s.back.call(ctx, plan{method: method, args: []any{id, 1}}, id)
	if err == nil {
		return in.Call, nil
	}
	if e, ok := errors.AsType[*ipc.Error](err); s.Plant == PassOn && ok {
		denied := *e // as if it were the handler's own
		denied.Details.Origin = ""
		return nil, &denied
	}
	return nil, err
}

// mirror calls back the client that called it, and passes on what that says.
func (s *service) mirror(ctx context.Context, in arguments) (any, error) {
	id := in.Call + onward
	s.journal.Write(Event{Kind: Invoke, Call: id, Method: "echo"})
	result, err := in.request.Peer().Call(ctx, "echo", id, in.MS)
	s.journal.Write(outcome(id, result, err))
	if err != nil {
		return nil, err
	}
	return in.Call, nil
}

// count streams items to its caller.
func (s *service) count(ctx context.Context, in arguments) (any, error) {
	for i := range int(in.MS) * 8 {
		if err := in.request.Send(ctx, item{in.Call, i, in.Pad}); err != nil {
			return nil, err
		}
		*in.items++
	}
	if int(in.MS) == 5 {
		return nil, ipc.Errorf("APP_BROKEN", "[%s]", in.Call)
	}
	return nil, nil
}

// item is what count streams.
type item struct {
	Call string `json:"call"`
	N    int    `json:"n"`
	Pad  string `json:"pad"`
}

// gather takes the items that its caller streams.
func (s *service) gather(ctx context.Context, in arguments) (any, error) {
	for raw, err := range in.request.Items(ctx) {
		if err != nil {
			return nil, err
		}
		e := Event{Kind: Item, Call: in.Call}
		if err := raw.Decode(&e.N); err != nil {
			return nil, err
		}
		s.journal.Write(e)
		*in.items++
	}
	return in.Call, nil
}

// echo streams back the items that its caller streams.
func (s *service) echo(ctx context.Context, in arguments) (any, error) {
	for raw, err := range in.request.Items(ctx) {
		if err == nil {
			err = in.request.Send(ctx, raw)
		}
		if err != nil {
			return nil, err
		}
		*in.items++
	}
	return nil, nil
}

// guard refuses some calls before their handlers are entered, and spoils the
// results of others after.
func (s *service) guard(next ipc.Handler) ipc.Handler {
	return func(ctx context.Context, r *ipc.Request) (any, error) {
		var in arguments
		if err := r.Decode(&in.Call, &in.MS); err != nil {
			return next(ctx, r) // not a method of these
		}
		refuses := int(in.MS)%2 == 1
		if r.Method == "guarded" && refuses {
			return nil, ipc.Errorf(ipc.CodePermissionDenied, "not you")
		}
		result, err := next(ctx, r)
		if r.Method == "spoiled" && refuses {
			return nil, ipc.Errorf(ipc.CodePermissionDenied, "not any more")
		}
		return result, err
	}
}
