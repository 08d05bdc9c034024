package ipc_test

import (
	"log/slog"
	"os/exec"
	"testing"

	"github.com/ekkojs/ipc"
)

// TestR1_StalledSubscribers has a process with a hundred subscribers that
// never read. Whoever reads gets every event, nothing is held beyond what may
// be, the operator is told of that process once for each, and nothing is left
// when it has ended.
func TestR1_StalledSubscribers(t *testing.T) {
	for name, budget := range map[string]int64{
		"each has what a connection may": 0,
		"together they have little":      4 << 20,
	} {
		t.Run(name, func(t *testing.T) { stalledSubscribers(t, budget) })
	}
}

func stalledSubscribers(t *testing.T, budget int64) {
	const stalled, batches, batch = 100, 25, 200
	leavesNothing(t)
	told := newComplaints()
	s := torrent(&ipc.ServiceOptions{Logger: slog.New(slog.NewJSONHandler(told, nil)), MaxHeldPerUser: budget})
	address := serve(t, s)
	c := dial(t, address, nil)
	e := newEar(t, c)
	them := stalledProcess(t, address, stalled, false)
	if budget == 0 {
		budget = ipc.DefaultMaxHeldPerUser
	}
	for range batches {
		pour(t, c, e, 0, batch)
		if held := ipc.HeldForTest(s); held > budget {
			t.Errorf("%d bytes are held, of %d", held, budget)
		}
	}
	inAccount(t, c, them, stalled, batches*batch)
	end(them)
	if slow := told.of(them.Process.Pid); slow != stalled {
		t.Errorf("the operator was told of %d that do not keep up, of %d", slow, stalled)
	}
	if slow := told.of(pid()); slow != 0 {
		t.Errorf("the operator was told %d times that we do not keep up", slow)
	}
	e.sub.Close()
	settled(t, address, 1)
	if held := ipc.HeldForTest(s); held != 0 {
		t.Errorf("%d bytes are held by nobody", held)
	}
}

// inAccount checks that of all events each stalled subscriber has been sent
// some, holds some, and has lost the others.
func inAccount(t *testing.T, c *ipc.Client, them *exec.Cmd, stalled int, events uint64) {
	t.Helper()
	who, err := c.Who(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range who {
		if int(l.PID) != them.Process.Pid {
			continue
		}
		stalled--
		if l.Delivered+l.Dropped+uint64(l.Queued) != events || l.Dropped == 0 || l.Queued > ipc.DefaultQueueForTest {
			t.Errorf("of %d events: %+v", events, l)
		}
	}
	if stalled != 0 {
		t.Errorf("%d of the stalled are not subscribed any more", stalled)
	}
}

// end ends a process and waits for that.
func end(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}
