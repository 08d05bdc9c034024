package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc/observe"
)

// told has a narrator listen to a tap while frames go by, a millisecond apart.
func told(json bool, frames ...string) string {
	var tap observe.Tap
	var lines bytes.Buffer
	defer tap.Listen(newNarrator(&lines, false, json).read)()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, frame := range frames {
		direction := observe.Sent
		if strings.HasPrefix(frame, "<") {
			direction = observe.Received
		}
		tap.Emit(&observe.Event{Time: at, Direction: direction, Peer: "users", Frame: []byte(frame[1:])})
		at = at.Add(time.Millisecond)
	}
	return lines.String()
}

var conversation = []string{
	`>{"messageId":"7f000001-0000","type":"request","channel":"users.getUserById","action":"getUserById","data":[123]}`,
	`<{"type":"event","channel":"events.user.created","data":{"id":1}}`,
	`<{"type":"response","correlationId":"7f000001-0000","data":{"id":123}}`,
	`>{"messageId":"7f000001-0001","type":"request","channel":"users.nothing"}`,
	`<{"type":"response","correlationId":"7f000001-0001","error":{"code":"METHOD_NOT_FOUND","message":"no"}}`,
	`<{"type":"event","channel":"events.user.created","metadata":{"gap":{"from":3,"to":5,"reason":"slow-consumer"}}}`,
	`>not JSON`,
}

func TestNarratorTellsAnswersWithTheirRequests(t *testing.T) {
	want := strings.Join([]string{
		`→ request      users.getUserById                 [123]`,
		`← event        user.created                      {"id":1}`,
		`← response     users.getUserById                 {"id":123}  2000 µs`,
		`→ request      users.nothing`,
		`← response     users.nothing                     {"code":"METHOD_NOT_FOUND","message":"no"}  1000 µs`,
		`← event        user.created                      missed 3 to 5: slow-consumer`,
	}, "\n") + "\n"
	if got := told(false, conversation...); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestNarratorTellsReceiptsWithTheirEvents(t *testing.T) {
	got := told(false,
		`>{"messageId":"7f000001-0000","type":"event","channel":"events.jobs","data":1,"metadata":{"confirm":true}}`,
		`>{"messageId":"7f000001-0001","type":"event","channel":"events.news","data":2}`,
		`<{"type":"response","correlationId":"7f000001-0000","data":{"seq":1}}`)
	want := strings.Join([]string{
		`→ event        jobs                              1`,
		`→ event        news                              2`,
		`← response     jobs                              {"seq":1}  2000 µs`,
	}, "\n") + "\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestNarratorWritesJSON(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(told(true, conversation...)), "\n")
	if len(lines) != 6 {
		t.Fatalf("%d lines, want 6", len(lines))
	}
	var last traceLine
	if err := json.Unmarshal([]byte(lines[4]), &last); err != nil {
		t.Fatal(err)
	}
	if last.Channel != "users.nothing" || !last.Failed || last.Micros != 1000 || last.Direction != "received" {
		t.Errorf("got %+v", last)
	}
}

func TestNarratorForgetsWhatNobodyAnswers(t *testing.T) {
	n := newNarrator(&bytes.Buffer{}, false, false)
	for i := range 2 * maxOpen {
		id := strings.Repeat("x", i+1)
		n.read(&observe.Event{Frame: []byte(`{"type":"request","channel":"a.b","messageId":"` + id + `"}`)})
	}
	if len(n.open) != maxOpen {
		t.Errorf("remembers %d requests, want %d", len(n.open), maxOpen)
	}
}
