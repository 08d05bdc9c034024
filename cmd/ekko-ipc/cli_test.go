package main

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

func TestPeopleGetColoursAndProgramsGetNone(t *testing.T) {
	tests := []struct {
		name     string
		terminal bool
		noColor  string
		args     []string
		want     bool
	}{
		{"terminal", true, "", nil, true},
		{"pipe", false, "", nil, false},
		{"NO_COLOR", true, "1", nil, false},
		{"always", false, "1", []string{"--color", "always"}, true},
		{"never", true, "", []string{"--color=never"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("NO_COLOR", test.noColor)
			t.Setenv("TERM", "xterm")
			stdout, _, status := session(t, test.terminal, "", append(test.args, "codes")...)
			if got := strings.Contains(stdout, "\x1b["); got != test.want || status != exitOK {
				t.Errorf("colours: %t, want %t; status %d", got, test.want, status)
			}
		})
	}
}

func TestCheckShowsTheLineAtATerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	stdout, _, status := session(t, true, "{\n  \"service\": 5\n}", "check", "-")
	if status != exitFailed || !strings.Contains(stdout, "\n    2 │   \"service\": 5\n      │              ^\n") {
		t.Errorf("status %d, got\n%s", status, stdout)
	}
}

func TestWhoTypesIsToldWhat(t *testing.T) {
	promise, err := manifest.Load("testdata/users.ekko.ipc.json")
	if err != nil {
		t.Fatal(err)
	}
	address := "unix:" + filepath.Join(t.TempDir(), "s")
	ready := make(chan struct{})
	service := ipc.NewService(promise, &ipc.ServiceOptions{Ready: func([]string) { close(ready) }})
	serveStreams(service)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- service.Serve(ctx, address) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	<-ready
	var out, said bytes.Buffer
	c := newCLI(strings.NewReader("{\"name\":\"Ada\"}\n"), &out, &said)
	c.inTerminal, c.errTerminal = true, false
	status := c.run(t.Context(), []string{"call", address, "importUsers", "staff"})
	if want := "importUsers reads a stream of {name: string}: one JSON value a line, Ctrl-D after the last\n"; status != exitOK || !strings.HasSuffix(said.String(), want) {
		t.Errorf("status %d, said %s", status, &said)
	}
	if out.String() != "\"staff: Ada\"\n" {
		t.Errorf("printed %s", &out)
	}
}

func TestShieldNumbers(t *testing.T) {
	tests := []struct{ args, want string }{
		{"call a.b -5 -2.5e3 -x -5s", "call a.b \x00-5 \x00-2.5e3 -x -5s"},
		{"-q pub a b -5", "-q pub a b \x00-5"},
		{"ls -5", "ls -5"},
		{"call a.b --count -5 -6", "call a.b --count -5 \x00-6"},
		{"call a.b -- -5", "call a.b -- -5"},
	}
	for _, test := range tests {
		if got := strings.Join(shieldNumbers(strings.Fields(test.args)), " "); got != test.want {
			t.Errorf("%s: got %q", test.args, got)
		}
	}
}

func TestEveryCodeHasAnExitStatus(t *testing.T) {
	promised := []int{exitFailed, exitUsage, exitUnreachable, exitDenied, exitTimedOut}
	for _, info := range wire.Codes() {
		err := wire.Errorf(info.Code, "x")
		if got := exitStatus(err); !slices.Contains(promised, got) {
			t.Errorf("%s: exit status %d is not promised", info.Code, got)
		}
		if got, want := exitStatus(hint(err, "try again")), exitStatus(err); got != want {
			t.Errorf("%s: a hint changes the exit status from %d to %d", info.Code, want, got)
		}
	}
}

func TestSignalsHaveTheirStatus(t *testing.T) {
	for cause, want := range map[error]int{errInterrupted: exitInterrupted, errTerminated: exitTerminated} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		var out, err strings.Builder
		c := newCLI(strings.NewReader(""), &out, &err)
		if got := c.run(ctx, []string{"ping", "unix:/nowhere/at-all.sock"}); got != want || err.Len() > 0 {
			t.Errorf("%v: status %d, want %d; said %q", cause, got, want, err.String())
		}
	}
}

func TestArgumentsTakeTheirForm(t *testing.T) {
	text := `{"service":{"name":"s","version":"1.0.0"},"methods":{
		"one":{"parameters":[{"name":"id","type":"number"}]},
		"two":{"parameters":[{"name":"a","type":"number"},{"name":"b","type":"any"}]}}}`
	promise, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ method, words, want string }{
		{"one", "", ""},
		{"one", "5", "[5]"},
		{"one", "[5]", "[[5]]"},
		{"one", "id=5", "[5]"},
		{"one", "name=Ada", `[{"name":"Ada"}]`},
		{"one", "id=5 name=Ada", `[{"id":5,"name":"Ada"}]`},
		{"two", "b=x=y a=1", `{"b":"x=y","a":1}`},
		{"two", "1 =x", `[1,"=x"]`},
		{"unknown", "a=1", `{"a":1}`},
		{"unknown", "1 two \x00-3", `[1,"two",-3]`},
	}
	for _, test := range tests {
		c := newCLI(nil, &strings.Builder{}, &strings.Builder{})
		args, err := c.parseArguments(strings.Fields(test.words))
		if err != nil {
			t.Errorf("%s %s: %v", test.method, test.words, err)
			continue
		}
		if got := string(args.data(promise.MethodByName(test.method))); got != test.want {
			t.Errorf("%s %s: got %s, want %s", test.method, test.words, got, test.want)
		}
	}
}

func TestExampleCallsCanBeTyped(t *testing.T) {
	text := `{"service":{"name":"s","version":"1.0.0"},
		"types":{"Tree":{"value":"number","left":"Tree?"}},
		"methods":{"m":{"parameters":[
			{"name":"id","type":"number"},{"name":"name","type":"string"},{"name":"tree","type":"Tree"},
			{"name":"tags","type":"string[]"},{"name":"deep","type":"boolean","required":false}]}}}`
	promise, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := `ekko-ipc call s.m 1 name '{"value":1}' '["tags"]'`
	if got := exampleCall("s", promise.MethodByName("m")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
