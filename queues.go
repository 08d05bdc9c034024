package ipc

import (
	"context"
	"time"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/store"
)

// QueueInfo is what a service tells of a channel that keeps its events.
type QueueInfo struct {
	Channel    string      `json:"channel"`
	Queue      bool        `json:"queue"`      // each message goes to one member of a group
	Persistent bool        `json:"persistent"` // it outlives the service
	Epoch      string      `json:"epoch"`
	First      uint64      `json:"first"` // the oldest message that is kept
	Next       uint64      `json:"next"`  // the one that comes next
	Messages   int64       `json:"messages"`
	Bytes      int64       `json:"bytes"`
	Dead       int64       `json:"dead"`    // dead letters
	Blocked    int         `json:"blocked"` // publishers that wait for room
	Losses     []LossInfo  `json:"losses,omitempty"`
	Groups     []GroupInfo `json:"groups"`
}

// LossInfo is a run of messages that the disk has lost.
type LossInfo struct {
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Reason string `json:"reason"`
}

// GroupInfo is what a service tells of a group of readers.
type GroupInfo struct {
	Name        string `json:"name"`
	Durable     bool   `json:"durable"` // of one member, by the name of its own
	Members     int    `json:"members"`
	Waiting     uint64 `json:"waiting"` // messages that no member has been given yet
	Pending     int    `json:"pending"` // that members have and have not acknowledged
	Again       int    `json:"again"`   // that wait to be given once more
	Delivered   uint64 `json:"delivered"`
	Redelivered uint64 `json:"redelivered"`
	Acked       uint64 `json:"acked"`
	Dead        uint64 `json:"dead"`
	Missing     uint64 `json:"missing"` // that limits removed, or the disk lost, before a member had them
}

// MessageInfo is a message that a channel keeps.
type MessageInfo struct {
	Seq        uint64    `json:"seq"`
	Time       time.Time `json:"time"`
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Data       Raw       `json:"data,omitempty"`
	Group      string    `json:"group,omitempty"`     // of a dead letter: whose members could not handle it
	Deliveries int       `json:"deliveries,omitzero"` // likewise
	Reason     string    `json:"reason,omitempty"`    // likewise
	From       uint64    `json:"from,omitzero"`       // likewise: its place in the channel
}

// Queues lists the channels of the service that keep their events, with the
// groups that read them.
func (c *Client) Queues(ctx context.Context) (list []QueueInfo, err error) {
	err = c.manage(ctx, "queues", nil, &list)
	return list, err
}

// Messages returns at most max messages that a channel keeps, or its dead
// letters, from a sequence number on; with 0 from the oldest. They stay there.
func (c *Client) Messages(ctx context.Context, channel string, dead bool, from uint64, max int) (list []MessageInfo, err error) {
	err = c.manage(ctx, "messages", management{Channel: channel, Dead: dead, From: from, Max: max}, &list)
	return list, err
}

// Purge removes the messages of a channel, or its dead letters, and returns
// how many it was.
func (c *Client) Purge(ctx context.Context, channel string, dead bool) (removed uint64, err error) {
	err = c.manage(ctx, "purge", management{Channel: channel, Dead: dead}, &removed)
	return removed, err
}

// ForgetGroup removes a group, or a durable subscription, that nobody is a
// member of, with all that is waiting for it.
func (c *Client) ForgetGroup(ctx context.Context, channel, group string) error {
	return c.manage(ctx, "forget", management{Channel: channel, Group: group}, nil)
}

// Redrive gives dead letters back to the groups they come from: those with
// the sequence numbers, or all if none is named. It returns how many it was.
func (c *Client) Redrive(ctx context.Context, channel string, seqs ...uint64) (n int, err error) {
	err = c.manage(ctx, "redrive", management{Channel: channel, Seqs: seqs}, &n)
	return n, err
}

func (c *Client) manage(ctx context.Context, what string, args, result any) error {
	var data Raw
	var err error
	if args == nil {
		data, err = c.Call(ctx, "ipc."+what)
	} else {
		data, err = c.Call(ctx, "ipc."+what, args)
	}
	if err != nil || result == nil {
		return err
	}
	return data.Decode(result)
}

// management is the argument of the methods by which queues are looked after.
type management struct {
	Channel string   `json:"channel"`
	Dead    bool     `json:"dead,omitzero"`
	Group   string   `json:"group,omitempty"`
	From    uint64   `json:"from,omitzero"`
	Max     int      `json:"max,omitzero"`
	Seqs    []uint64 `json:"seqs,omitempty"`
}

// The bounds of one answer to ipc.messages.
const (
	defaultMessages = 100
	maxMessages     = 1000
)

// manager is a method of the service "ipc" that looks after queues.
type manager func(s *Service, ctx context.Context, m management) (any, error)

var managers = map[string]manager{
	"queues":   (*Service).queues,
	"messages": (*Service).messages,
	"purge":    (*Service).purge,
	"forget":   (*Service).forget,
	"redrive":  (*Service).redrive,
}

// manage answers such a request, which may take the time of a disk.
func (p *peer) manage(in *session.Inbound, f manager) {
	s := p.service
	in.Go(func(in *session.Inbound) {
		args, err := positional(Raw(in.Data))
		var m management
		if err == nil && len(args) > 0 {
			err = args[0].Decode(&m)
		}
		if err != nil {
			s.fail(in, asError(err))
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), in.Left())
		defer cancel()
		answer, err := f(s, ctx, m)
		if err == nil {
			var data []byte
			if data, err = appendJSON(nil, answer); err == nil {
				in.Reply(data)
				return
			}
		}
		s.fail(in, asError(err))
	})
}

func (s *Service) queues(context.Context, management) (any, error) {
	list := []QueueInfo{}
	for _, st := range s.hub.Streams() {
		list = append(list, queueInfo(&st))
	}
	return list, nil
}

func queueInfo(st *hub.StreamInfo) QueueInfo {
	q := QueueInfo{Channel: st.Name, Queue: st.Queue, Persistent: st.Persistent, Epoch: st.Epoch, First: st.First, Next: st.Next,
		Messages: st.Messages, Bytes: st.Bytes, Dead: st.Dead, Blocked: st.Crowd, Groups: []GroupInfo{}}
	for _, l := range st.Losses {
		q.Losses = append(q.Losses, LossInfo(l))
	}
	for _, g := range st.Groups {
		q.Groups = append(q.Groups, GroupInfo{Name: g.Name, Durable: g.Exclusive, Members: g.Members, Waiting: g.Waiting, Pending: g.Pending,
			Again: g.Ready + g.Later, Delivered: g.Delivered, Redelivered: g.Redelivered, Acked: g.Acked, Dead: g.Stats.Dead, Missing: g.Missing})
	}
	return q
}

func (s *Service) messages(_ context.Context, m management) (any, error) {
	if m.Max <= 0 {
		m.Max = defaultMessages
	}
	recs, err := s.hub.Peek(m.Channel, m.Dead, m.From, min(m.Max, maxMessages))
	if err != nil {
		return nil, err
	}
	list := make([]MessageInfo, len(recs))
	for i := range recs {
		list[i] = messageInfo(&recs[i])
	}
	return list, nil
}

func messageInfo(rec *store.Record) MessageInfo {
	m := MessageInfo{Seq: rec.Seq, Time: time.UnixMilli(rec.Time).UTC(), ID: rec.ID, Name: rec.Name, Group: rec.Group}
	if len(rec.Data) > 0 {
		m.Data = Raw(rec.Data)
	}
	if d := rec.Dead; d != nil {
		m.Group, m.Deliveries, m.Reason, m.From = d.Group, d.Deliveries, d.Reason, d.Seq
	}
	return m
}

func (s *Service) purge(_ context.Context, m management) (any, error) {
	return s.hub.Purge(m.Channel, m.Dead)
}

func (s *Service) forget(_ context.Context, m management) (any, error) {
	return nil, s.hub.Forget(m.Channel, m.Group)
}

func (s *Service) redrive(ctx context.Context, m management) (any, error) {
	return s.hub.Redrive(ctx, m.Channel, m.Seqs)
}
