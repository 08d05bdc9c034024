package ipc

import (
	"time"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// ProtocolVersion is the version of spec/protocol.md that is spoken here.
const ProtocolVersion = 1

// reserved answers the requests to the service "ipc", which every service is
// besides itself.
func (s *Service) reserved(p *peer, in *session.Inbound) {
	name := in.Action
	if len(name) == 0 {
		_, name = wire.SplitChannel(in.Channel)
	}
	if f := managers[string(name)]; f != nil {
		p.manage(in, f)
		return
	}
	var answer any
	switch string(name) {
	case "ping":
		p.ping(in)
		return
	case "ack":
		p.acknowledge(in, hub.Ack)
		return
	case "nak":
		p.acknowledge(in, hub.Nak)
		return
	case "reject":
		p.acknowledge(in, hub.Reject)
		return
	case "will":
		p.leaveWill(in)
		return
	case "who":
		answer = s.who()
	case "describe":
		answer = Raw(s.manifest.Raw())
	case "hello":
		var err *Error
		if answer, err = s.hello(p, Raw(in.Data)); err != nil {
			s.fail(in, err)
			return
		}
	case "stats":
		answer = s.stats()
	case "connections":
		answer = s.connections()
	case "health":
		answer = map[string]any{"status": "ok", "service": s.name, "uptimeMs": time.Since(s.started).Milliseconds()}
	default:
		s.fail(in, wire.Errorf(wire.CodeMethodNotFound, "the reserved service ipc has no method %q; it has hello, ping, describe, health, stats, connections, who, will, ack, nak, reject, queues, messages, purge, forget and redrive", name))
		return
	}
	data, err := appendJSON(nil, answer)
	if err != nil {
		s.fail(in, asError(err))
		return
	}
	in.Reply(data)
}

// ping answers when all that the client published before is settled.
func (p *peer) ping(in *session.Inbound) {
	if !p.published.running() {
		in.Reply(in.Data)
		return
	}
	own := in.Aside()
	if own == nil {
		return // it has been told that it has too many
	}
	pong := func() { own.Resume(func(own *session.Inbound) { own.Reply(own.Data) }) }
	if !p.published.after(pong) {
		pong()
	}
}

// hello tells a client what it may expect.
func (s *Service) hello(p *peer, data Raw) (any, *Error) {
	args, err := positional(data)
	if err != nil {
		return nil, asError(err)
	}
	if len(args) > 0 {
		var offer struct {
			Versions []int `json:"versions"`
		}
		if err := args[0].Decode(&offer); err != nil {
			return nil, asError(err)
		}
		if offer.Versions != nil && !contains(offer.Versions, ProtocolVersion) {
			e := wire.Errorf(wire.CodeUnsupportedVersion, "this is protocol version %d", ProtocolVersion)
			e.Details.More = map[string]any{"offered": offer.Versions, "supported": []int{ProtocolVersion}}
			return nil, e
		}
	}
	identity := map[string]any{}
	switch c := p.caller; {
	case c.SID != "":
		identity = map[string]any{"sid": c.SID, "pid": c.PID}
	case c.Known:
		identity = map[string]any{"uid": c.UID, "gid": c.GID, "pid": c.PID}
	}
	if c := p.caller.Certificate; c != nil {
		identity["certificate"] = c.Principal()
	}
	roles := p.caller.Roles
	if roles == nil {
		roles = []string{}
	}
	return map[string]any{
		"protocol": ProtocolVersion,
		"service":  s.name,
		"version":  s.manifest.Service.Version,
		"limits": map[string]any{
			"maxFrame":    orElse(s.opts.MaxFrame, transport.DefaultMaxFrame),
			"maxInFlight": orElse(s.opts.MaxInFlight, session.DefaultMaxInFlight),
		},
		"features": []string{"batch", "cancel", "deadline", "events", "streams"},
		"identity": identity,
		"roles":    roles,
	}, nil
}

func contains(list []int, v int) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

func orElse(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

func (s *Service) stats() any {
	h := s.hub.Stats()
	s.mu.Lock()
	connections := len(s.peers)
	s.mu.Unlock()
	return map[string]any{
		"requests":      s.counts.requests.Load(),
		"failures":      s.counts.failures.Load(),
		"panics":        s.counts.panics.Load(),
		"events":        s.counts.events.Load(),
		"connections":   connections,
		"subscriptions": h.Subscriptions,
		"running":       s.limit.running(),
		"waiting":       s.waiting(),
		"uptimeMs":      time.Since(s.started).Milliseconds(),
	}
}

func (s *Service) connections() any {
	type connection struct {
		UID uint32 `json:"uid"`
		SID string `json:"sid,omitempty"`
		PID int32  `json:"pid"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]connection, 0, len(s.peers))
	for p := range s.peers {
		list = append(list, connection{UID: p.caller.UID, SID: p.caller.SID, PID: p.caller.PID})
	}
	return list
}
