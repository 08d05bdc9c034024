package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
)

// fromFlag is --from: where a subscription begins.
type fromFlag struct {
	text string
	from ipc.From
	seq  uint64 // of one without an epoch; 0: none
}

func (f *fromFlag) String() string { return f.text }

func (f *fromFlag) Type() string { return "place" }

func (f *fromFlag) Set(text string) error {
	f.text, f.from, f.seq = text, ipc.From{}, 0
	switch text {
	case "new":
		return nil
	case "first":
		f.from = ipc.FromFirst()
		return nil
	case "last":
		f.from = ipc.FromLast()
		return nil
	case "snapshot":
		f.from = ipc.FromSnapshot()
		return nil
	}
	if seq, err := strconv.ParseUint(text, 10, 64); err == nil && seq > 0 {
		f.seq = seq
		return nil
	}
	if at, ok := parseMoment(text, time.Now()); ok {
		f.from = ipc.FromTime(at)
		return nil
	}
	if colon := strings.LastIndexByte(text, ':'); colon > 0 {
		if seq, err := strconv.ParseUint(text[colon+1:], 10, 64); err == nil && seq > 0 {
			f.from = ipc.FromSeq(text[:colon], seq)
			return nil
		}
	}
	return fmt.Errorf(`want new, first, last, snapshot, a number, EPOCH:NUMBER, or a time such as 10m or 2026-11-25T12:00:00Z, got %q`, text)
}

// parseMoment reads a time, or how long ago it was.
func parseMoment(text string, now time.Time) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, true
	}
	ago := strings.TrimSpace(strings.TrimSuffix(text, "ago"))
	if d, err := time.ParseDuration(ago); err == nil && d > 0 {
		return now.Add(-d), true
	}
	return time.Time{}, false
}

// resolve returns where to begin with a pattern. A number alone is one of the
// epoch that its channel is in now, which the service has to say.
func (f *fromFlag) resolve(ctx context.Context, client *ipc.Client, m *manifest.Manifest, pattern string) (ipc.From, error) {
	if f.seq == 0 {
		return f.from, nil
	}
	queues, err := client.Queues(ctx)
	if err != nil {
		return ipc.From{}, err
	}
	stream := m.StreamOf(pattern)
	for _, q := range queues {
		if q.Channel == stream {
			return ipc.FromSeq(q.Epoch, f.seq), nil
		}
	}
	return ipc.From{}, hint(
		&usageError{err: fmt.Errorf("--from %d: %s keeps no events, so there is none to begin with", f.seq, pattern)},
		`its channel needs "retention" or "persistent" in the manifest`)
}
