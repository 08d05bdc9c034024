//go:build unix

package ipc_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc"
)

// publishJobs publishes so many messages, numbered from first on.
func publishJobs(t *testing.T, c *ipc.Client, first, n int) {
	t.Helper()
	for i := range n {
		if _, err := c.PublishWith(t.Context(), "jobs", first+i, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// takeNumbered receives so many messages, whose numbers are to be those that
// follow each other, and acknowledges them.
func takeNumbered(t *testing.T, sub *ipc.Subscription, first, n int, redelivered bool) {
	t.Helper()
	for i := range n {
		e := mustNext(t, sub)
		if e.Data.String() != fmt.Sprint(first+i) || e.Redelivered != redelivered {
			t.Errorf("message %d is %s, redelivered %t", first+i, e.Data, e.Redelivered)
		}
		if err := e.Ack(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// asPackers joins the group of the tests.
func asPackers(t *testing.T, c *ipc.Client, credit int) *ipc.Subscription {
	t.Helper()
	return mustSubscribe(t, c, "jobs", &ipc.SubscribeOptions{Group: "packers", Credit: credit})
}

// TestAServiceIsKilledWithAGroupUnderWay: what a member acknowledged before it
// left does not come again, and what was out does, as redelivered. What was
// acknowledged just before the kill may.
func TestAServiceIsKilledWithAGroupUnderWay(t *testing.T) {
	leavesNothing(t)
	dir, address := t.TempDir(), localAddress(t)
	const rounds, jobs = 5, 60
	cmd := keptProcess(t, dir, address)
	c := dial(t, address, nil)
	for range rounds {
		publishJobs(t, c, 0, jobs)
		before := asPackers(t, c, 1)
		takeNumbered(t, before, 0, 20, false)
		if err := before.Close(); err != nil {
			t.Fatal(err)
		}
		until(t, c, 0) // it has left
		sub := asPackers(t, c, 10)
		out := map[string]*ipc.Event{}
		for n := range 10 {
			e := mustNext(t, sub)
			if n < 5 {
				if err := e.Ack(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			out[e.Data.String()] = e
		}
		kill(cmd)
		cmd = keptProcess(t, dir, address)
		seen := map[string]bool{}
		for len(seen) < jobs-20 {
			e := mustNext(t, sub)
			text := e.Data.String()
			held := out[text]
			var n int
			if err := e.Decode(&n); err != nil || n < 20 || seen[text] && n >= 25 || held != nil && !e.Redelivered {
				t.Fatalf("%s comes, redelivered %t, seen %t, %v", text, e.Redelivered, seen[text], err)
			}
			if held != nil && ipc.CodeOf(held.Ack(t.Context())) != ipc.CodeNotFound {
				t.Errorf("%s was acknowledged under the connection before", text)
			}
			switch err := e.Ack(t.Context()); {
			case held == nil && ipc.CodeOf(err) == ipc.CodeNotFound:
				out[text] = e // it was on its way when the service was killed
			case err != nil:
				t.Fatal(err)
			default:
				seen[text] = true
			}
			for n := 20; n < 25; n++ {
				seen[fmt.Sprint(n)] = true // need not come
			}
		}
		if err := sub.Close(); err != nil {
			t.Fatal(err)
		}
		until(t, c, 0)
	}
	untilDone(t, c)
}

// untilDone waits until all jobs are done with, and have left the log.
func untilDone(t *testing.T, c *ipc.Client) {
	t.Helper()
	for {
		queues, err := c.Queues(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(queues, func(q ipc.QueueInfo) bool { return q.Channel == "jobs" })
		if q := queues[i]; q.Dead != 0 || q.Groups[0].Pending != 0 {
			t.Fatalf("in the end %+v", q)
		} else if q.Messages == 0 {
			return
		}
	}
}

// TestAMemberOfAGroupStops, or is killed: what it held goes to another, and
// what it says of it when it goes on again comes too late.
func TestAMemberOfAGroupStops(t *testing.T) {
	for name, end := range map[string]func(*child){
		"for a while": func(c *child) { halt(c.t, c.cmd) },
		"for good":    func(c *child) { kill(c.cmd) },
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			address := localAddress(t)
			_, _ = startKept(t, t.TempDir(), address)
			c := dial(t, address, nil)
			asPackers(t, c, 1).Close() // so that there is the group
			publishJobs(t, c, 0, takenByTask)
			member := startChild(t, taskEnv+"="+address+" take jobs")
			end(member)
			other := asPackers(t, c, 10)
			publishJobs(t, c, takenByTask, 5)
			seen := map[string]bool{}
			for range takenByTask + 5 {
				e := mustNext(t, other)
				var n int
				if err := e.Decode(&n); err != nil || seen[e.Data.String()] || !e.Redelivered && n < takenByTask {
					t.Errorf("%s comes, redelivered %t, %v", e.Data, e.Redelivered, err)
				}
				seen[e.Data.String()] = true
				if n%2 == 0 { // the others it still holds
					if err := e.Ack(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
			if name == "for good" {
				return
			}
			member.cmd.Process.Signal(syscall.SIGCONT)
			member.goOn()
			if got, want := member.hear(), strings.TrimSpace(strings.Repeat("NOT_FOUND ", takenByTask)); got != want {
				t.Errorf("its acknowledgements came to %q", got)
			}
			kill(member.cmd)
		})
	}
}

// TestAServiceStandsStillWithAGroupUnderWay has publishers and members wait:
// when it goes on, nothing has happened.
func TestAServiceStandsStillWithAGroupUnderWay(t *testing.T) {
	leavesNothing(t)
	dir, address := t.TempDir(), localAddress(t)
	cmd := keptProcess(t, dir, address)
	c := dial(t, address, nil)
	publishJobs(t, c, 0, 5)
	sub := asPackers(t, c, 100)
	const publishers = 20
	outcomes := make(chan error, publishers+5)
	held := make([]*ipc.Event, 5)
	for i := range held {
		held[i] = mustNext(t, sub)
	}
	halt(t, cmd)
	for i := range publishers {
		go func() {
			_, err := c.PublishWith(t.Context(), "jobs", 5+i, nil)
			outcomes <- err
		}()
	}
	for _, e := range held {
		go func() { outcomes <- e.Ack(t.Context()) }()
	}
	if len(outcomes) != 0 {
		t.Errorf("somebody was told %v by a service that stands still", <-outcomes)
	}
	cmd.Process.Signal(syscall.SIGCONT)
	for range cap(outcomes) {
		if err := <-outcomes; err != nil {
			t.Error(err)
		}
	}
	seen := map[string]bool{}
	for range publishers {
		e := mustNext(t, sub)
		if seen[e.Data.String()] || e.Redelivered {
			t.Errorf("%s comes again", e.Data)
		}
		seen[e.Data.String()] = true
		if err := e.Ack(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestAPublisherStandsStill within what it publishes: others go on, and it
// does so where it was.
func TestAPublisherStandsStill(t *testing.T) {
	leavesNothing(t)
	address := localAddress(t)
	_, _ = startKept(t, t.TempDir(), address)
	c := dial(t, address, nil)
	sub := asPackers(t, c, 1)
	publisher := startChild(t, taskEnv+"="+address+" publish jobs")
	publisher.goOn()
	const before = 10
	takeNumbered(t, sub, 0, before, false)
	halt(t, publisher.cmd)
	if _, err := c.PublishWith(t.Context(), "jobs", "another's", nil); err != nil {
		t.Fatal(err)
	}
	next := before
	for { // what it had published comes first
		e := mustNext(t, sub)
		if err := e.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e.Data.String() == `"another's"` {
			break
		}
		if e.Data.String() != fmt.Sprint(next) {
			t.Errorf("message %d is %s", next, e.Data)
		}
		next++
	}
	publisher.cmd.Process.Signal(syscall.SIGCONT)
	takeNumbered(t, sub, next, publishedByTask-next, false)
	if got := publisher.hear(); got != "published" {
		t.Error(got)
	}
	kill(publisher.cmd)
}
