package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
)

func TestEventsForPeople(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.Local)
	event := func(change func(*ipc.Event)) *ipc.Event {
		e := &ipc.Event{Name: "order.placed", Stream: "orders", Data: ipc.Raw(`{"id":1}`), Time: at}
		change(e)
		return e
	}
	gap := func(g ipc.Gap) func(*ipc.Event) { return func(e *ipc.Event) { e.Gap = &g } }
	tests := []struct {
		event *ipc.Event
		want  string
	}{
		{event(func(*ipc.Event) {}), `12:00:00.000  order.placed  {"id":1}`},
		{event(func(e *ipc.Event) { e.Snapshot = true }), `12:00:00.000  order.placed  snapshot  {"id":1}`},
		{event(func(e *ipc.Event) { e.Redelivered = true }), `12:00:00.000  order.placed  redelivered  {"id":1}`},
		{event(func(e *ipc.Event) { e.Redelivered, e.Deliveries = true, 3 }), `12:00:00.000  order.placed  delivery 3  {"id":1}`},
		{event(gap(ipc.Gap{From: 3, To: 9, Count: 2, Reason: ipc.GapSlowConsumer})), "2 of orders missing here: read too slowly\n12:00:00.000  order.placed  {\"id\":1}"},
		{event(gap(ipc.Gap{From: 3, To: 9, Reason: ipc.GapExpired})), "7 of orders missing here: the channel keeps no more\n12:00:00.000  order.placed  {\"id\":1}"},
		{event(gap(ipc.Gap{From: 3, Reason: "odd"})), "some of orders may be missing here: odd\n12:00:00.000  order.placed  {\"id\":1}"},
	}
	for _, test := range tests {
		if got := eventText(test.event, false); got != test.want+"\n" {
			t.Errorf("got\n%swant\n%s", got, test.want)
		}
	}
	colored := eventText(event(func(e *ipc.Event) { e.Redelivered = true; e.Gap = &ipc.Gap{From: 1, To: 1, Reason: ipc.GapDataLoss} }), true)
	for _, want := range []string{"\x1b[33m1 of orders missing here: the service's disk has lost them\x1b[0m\n", "\x1b[33mredelivered\x1b[0m"} {
		if !strings.Contains(colored, want) {
			t.Errorf("%q lacks %q", colored, want)
		}
	}
}

func TestWhereToBegin(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"10m":                       now.Add(-10 * time.Minute),
		"10m ago":                   now.Add(-10 * time.Minute),
		"2026-11-25T11:00:00Z":      now.Add(-time.Hour),
		"2026-11-25T13:00:00+02:00": now.Add(-time.Hour),
	} {
		if got, ok := parseMoment(text, now); !ok || !got.Equal(want) {
			t.Errorf("%s is %s, %t; want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "0", "-5", "-5m", "e:", ":5", "e:0", "e:x", "yesterday", "NEW"} {
		var f fromFlag
		if err := f.Set(text); err == nil {
			t.Errorf("%q was taken for a place", text)
		}
	}
	var f fromFlag
	for text, want := range map[string]ipc.From{
		"new": {}, "first": ipc.FromFirst(), "last": ipc.FromLast(), "snapshot": ipc.FromSnapshot()} {
		if err := f.Set(text); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got, err := f.resolve(t.Context(), nil, nil, ""); err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
}

func TestWhatCannotBeUndoneIsAskedBefore(t *testing.T) {
	purge := &cobra.Command{Use: "purge"}
	(&cobra.Command{Use: "queue"}).AddCommand(purge)
	purge.SetContext(t.Context())
	for answer, agreed := range map[string]bool{"y\n": true, "Yes\n": true, "\n": false, "no\n": false, "": false, "yes": true} {
		var said bytes.Buffer
		c := newCLI(strings.NewReader(answer), &bytes.Buffer{}, &said)
		c.inTerminal, c.errTerminal = true, true
		err := c.confirm(purge, false, "remove it?")
		if (err == nil) != agreed || said.String() != "remove it? [y/N] " {
			t.Errorf("%q: %v; said %q", answer, err, said.String())
		}
	}
	c := newCLI(strings.NewReader("y\n"), &bytes.Buffer{}, &bytes.Buffer{})
	if err := c.confirm(purge, false, "remove it?"); exitStatus(err) != exitUsage {
		t.Errorf("nobody was there to be asked: %v", err)
	}
	if err := c.confirm(purge, true, "remove it?"); err != nil {
		t.Error(err)
	}
}

func TestTheListenersForPeople(t *testing.T) {
	n, many, uid := 0, uint64(7), uint32(4_000_000_000)
	list := []listenerJSON{
		{Pattern: "user.*", Known: true, PID: 42, UID: &uid, Exe: "/usr/bin/app", Queued: &n, Delivered: &many, Dropped: &many},
		{Pattern: "jobs", Group: "workers", Queued: &n, Delivered: &many, Dropped: &many, Behind: &many},
	}
	want := "PATTERN  GROUP    PID  PROGRAM  USER        QUEUED  DELIVERED  DROPPED  BEHIND\n" +
		"user.*   -        42   app      4000000000  0       7          7\n" +
		"jobs     workers  -    -        -           0       7          7        7\n"
	if got := whoTable(list, false); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestSizes(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_550_000: "1.6 MB", 5_000_000_000_000_000: "5000.0 TB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d is %s, want %s", bytes, got, want)
		}
	}
}
