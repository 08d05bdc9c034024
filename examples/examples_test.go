// Package examples_test runs the examples as their readers do: as processes
// of their own, called by the ekko-ipc binary from the project's root.
package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestDatabaseService(t *testing.T) {
	w := newWorld(t)
	db := w.start(databaseService)

	w.want(w.call("database-service.getUserById", "123"), `{"id":123,"name":"Ada Lovelace","email":"ada@example.com"}`)
	w.refused("NOT_FOUND", "database-service.getUserById", "7")
	w.refused("INVALID_ARGUMENT", "database-service.createUser", "name=", "email=grace@example.com")
	w.refused("INVALID_ARGUMENT", "database-service.createUser", "name=Grace", "email=grace")
	w.refused("ALREADY_EXISTS", "database-service.createUser", "name=Ada", "email=ADA@example.com")

	heard := w.listen("database-service", "user.*")
	w.want(w.call("database-service.createUser", "name=Grace", "email=grace@example.com"), `{"id":124,"name":"Grace","email":"grace@example.com"}`)
	if got := heard(); !strings.Contains(got, `"event":"user.created","channel":"events.user.created","data":{"id":124,"name":"Grace","timestamp":"2`) {
		t.Errorf("heard %s", got)
	}

	grace := []string{"name=Grace", "email=hopper@example.com", "--idempotency-key", "signup-4711"}
	first := w.call("database-service.createUser", grace...)
	w.want(w.call("database-service.createUser", grace...), first)
	w.refused("ALREADY_EXISTS", "database-service.createUser", grace[:2]...)
	db.stop()
	w.empty()
}

func TestDatabaseServiceExports(t *testing.T) {
	w := newWorld(t)
	db := w.start(databaseService)
	const more = 205 // and Ada: beyond two pages
	var calls strings.Builder
	for i := range more {
		fmt.Fprintf(&calls, `["createUser",{"name":"User","email":"user%d@example.com"}]`+"\n", i)
	}
	file := filepath.Join(t.TempDir(), "calls.jsonl")
	if err := os.WriteFile(file, []byte(calls.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run(0, "call", "database-service", "--batch", file)
	lines := strings.Split(w.call("database-service.exportUsers"), "\n")
	emails := map[string]bool{} // the calls of a batch run beside each other
	for i, line := range lines {
		var user struct {
			ID    int    `json:"id"`
			Email string `json:"email"`
		}
		if err := json.Unmarshal([]byte(line), &user); err != nil || user.ID != 123+i {
			t.Fatalf("line %d is %s (%v)", i+1, line, err)
		}
		emails[user.Email] = true
	}
	if len(lines) != 1+more || len(emails) != len(lines) || !emails["ada@example.com"] || !emails["user204@example.com"] {
		t.Errorf("%d lines with %d emails; want %d", len(lines), len(emails), 1+more)
	}
	w.want(w.call("database-service.exportUsers", "--count", "1"), `{"id":123,"name":"Ada Lovelace","email":"ada@example.com"}`)
	db.stop()
	w.empty()
}

func TestDatabaseServiceKeepsItsFile(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "what? users#1.db")
	db := w.start(databaseService, "-data", file)
	w.call("database-service.createUser", "name=Grace", "email=grace@example.com")
	db.stop()

	db = w.start(databaseService, "-data", file)
	w.want(w.call("database-service.getUserById", "124"), `{"id":124,"name":"Grace","email":"grace@example.com"}`)
	db.stop()
	w.empty()
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(left) != 1 {
		t.Errorf("beside the database there is %v (%v)", left, err)
	}
}

func TestNotificationService(t *testing.T) {
	w := newWorld(t)
	service := w.start(ekkoIPC, "run", "examples/notification-service/service.ts")

	heard := w.listen("notification-service", "notification.sent")
	w.publish("notification-service", "order.completed", `{"orderId":456,"total":99.99}`)
	if got := heard(); !strings.Contains(got, `"text":"Order 456 is complete: 99.99"`) {
		t.Errorf("heard %s", got)
	}
	w.call("notification-service.notify", "Ada", "the engine is ready")
	w.refused("INVALID_ARGUMENT", "notification-service.notify", "Ada", `" "`)
	var recent []struct{ To, Text string }
	if err := json.Unmarshal([]byte(w.call("notification-service.recent", "1")), &recent); err != nil {
		t.Fatal(err)
	}
	if len(recent) != 1 || recent[0].To != "Ada" || recent[0].Text != "the engine is ready" {
		t.Errorf("the last note is %v", recent)
	}
	if got := w.run(0, "sub", "notification-service", "notes", "--from", "first", "--count", "2"); !strings.Contains(got, `"text":"Order 456 is complete: 99.99"`) {
		t.Errorf("from the first on there is %s", got)
	}
	service.stop()
	w.empty()
}

// TestMailers has two mailers share what the service has noted, and one of
// them die.
func TestMailers(t *testing.T) {
	w := newWorld(t)
	service := w.start(ekkoIPC, "run", "examples/notification-service/service.ts")
	for _, to := range []string{"Ada", "nobody", "Grace"} {
		w.call("notification-service.notify", to, "the engine is ready")
	}
	// One takes the first note, and is gone before it has acknowledged it.
	w.run(0, "sub", "notification-service", "outbox", "--group", "mailers", "--count", "1", "--no-ack")

	mailer := w.launch(ekkoIPC, "run", "examples/notification-service/mailer.ts")
	w.want(mailer.line(), "mailer ready")
	w.want(mailer.line(), "mailed to Ada: the engine is ready")
	w.want(mailer.line(), "mailed to Grace: the engine is ready")
	dead := w.run(0, "dlq", "show", "notification-service.outbox")
	if !strings.Contains(dead, `"to":"nobody"`) || !strings.Contains(dead, `"reason":"nobody has no address"`) {
		t.Errorf("the dead letters are %s", dead)
	}
	if err := mailer.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	mailer.wait()
	service.stop()
	w.empty()
}

func TestPythonService(t *testing.T) {
	w := newWorld(t)
	python := w.startPython()

	w.want(w.call("python-service.describe", "[2,4]"), `{"count":2,"mean":3.0,"median":3.0,"deviation":1.0}`)
	w.want(w.call("python-service.countWords", "text=to be or not to be", "top=1"), `{"words":6,"distinct":4,"top":["to"]}`)
	w.refused("INVALID_ARGUMENT", "python-service.describe", "[]")
	w.refused("SCHEMA_MISMATCH", "python-service.describe", "words")
	w.refused("NOT_FOUND", "python-service.recall", "nothing")
	w.refused("METHOD_NOT_FOUND", "python-service.descrbe")

	heard := w.listen("python-service", "note.*")
	w.call("python-service.remember", "tea", "at four")
	if got := heard(); !strings.Contains(got, `"event":"note.kept"`) || !strings.Contains(got, `"data":{"name":"tea","length":7}`) {
		t.Errorf("heard %s", got)
	}
	w.want(w.call("python-service.recall", "tea"), `"at four"`)

	heard = w.listen("python-service", "text.counted")
	w.publish("python-service", "text.submitted", `{"text":"one two"}`)
	if got := heard(); !strings.Contains(got, `"words":2`) {
		t.Errorf("heard %s", got)
	}
	if got := w.run(1, "pub", "python-service", "text.submitted", `{"text":2}`); !strings.Contains(got, "SCHEMA_MISMATCH") {
		t.Errorf("a refused event says %s", got)
	}
	w.run(0, "ping", "python-service")
	w.run(0, "describe", "python-service")

	var me struct{ UID int }
	if err := json.Unmarshal([]byte(w.call("python-service.whoAmI")), &me); err != nil || me.UID != os.Getuid() {
		t.Errorf("I am %+v (%v)", me, err)
	}
	python.stop()
	w.empty()
}

// TestPythonVectors has the Python service read what the specification says
// must be read alike everywhere.
func TestPythonVectors(t *testing.T) {
	w := newWorld(t)
	cmd := exec.Command(pythonPath(t), "-B", "-m", "unittest", "discover", "examples/python-service")
	cmd.Dir, cmd.Env = w.root, w.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPythonServiceTwice starts the service while it runs, and after a crash.
func TestPythonServiceTwice(t *testing.T) {
	w := newWorld(t)
	first := w.startPython()
	second := exec.Command(pythonPath(t), pythonScript)
	second.Dir, second.Env = w.root, w.env
	if out, err := second.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("is served already")) {
		t.Errorf("the second one says %s (%v)", out, err)
	}
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.wait()
	third := w.startPython()
	w.want(w.call("python-service.countWords", "here again"), `{"words":2,"distinct":2,"top":["here","again"]}`)
	third.stop()
	w.empty()
}

// TestApp is the whole of it: three processes in two languages.
func TestApp(t *testing.T) {
	w := newWorld(t)
	db := w.start(databaseService)
	notifications := w.start(ekkoIPC, "run", "examples/notification-service/service.ts")

	got := w.run(0, "run", "examples/app/app.ts")
	want := []string{
		"Found: Ada Lovelace",
		"Noted: Order 456 is complete: 99.99",
		"New user: Grace Hopper",
		"User: Ada Lovelace",
		"User: Grace Hopper",
		"Refused: NOT_FOUND",
	}
	w.want(strings.TrimSpace(got), strings.Join(want, "\n"))
	notifications.stop()
	db.stop()
	w.empty()
}

// stop asks the process to end as a service manager does, and checks that it
// does so by itself.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if state := p.wait(); !state.Success() {
		p.t.Errorf("%s: %v after SIGTERM", p.name, state)
	}
}
