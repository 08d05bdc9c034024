package ipc_test

import (
	"sync/atomic"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store"
)

// killable is a store that can be made to keep no more of what groups have
// done, as if the process were killed by then.
type killable struct {
	store.Store
	killed atomic.Bool
}

func (k *killable) Log(name string, limits store.Limits) (store.Log, error) {
	l, err := k.Store.Log(name, limits)
	return killableLog{l, k}, err
}

type killableLog struct {
	store.Log
	store *killable
}

func (l killableLog) SetCursor(name string, state []byte) error {
	if l.store.killed.Load() {
		return errDisk
	}
	return l.Log.SetCursor(name, state)
}

// TestADeadLetterIsKeptOnce has a service end after it has kept a dead letter
// and before its group has noted that.
func TestADeadLetterIsKeptOnce(t *testing.T) {
	kept := &killable{Store: store.NewMemory()}
	defer kept.Close()
	address := localAddress(t)
	for round := range 3 {
		s := ipc.NewService(parse(t, keptText), &ipc.ServiceOptions{Store: kept, Logger: quiet})
		stop := serveAt(t, s, address)
		c := dial(t, address, nil)
		if round == 0 {
			mustPublish(t, s, "jobs", "impossible")
		}
		sub := mustSubscribe(t, c, "jobs", nil)
		e := mustNext(t, sub)
		if e.Data.String() != `"impossible"` || e.Redelivered != (round > 0) {
			t.Fatalf("round %d: %+v with %s", round, e, e.Data)
		}
		kept.killed.Store(round < 2)
		if err := e.Reject(t.Context(), "nobody can"); err != nil {
			t.Fatal(err)
		}
		untilBuried(t, c)
		c.Close()
		stop()
		kept.killed.Store(false)
	}
}

// untilBuried waits until the group of the queue is done with its message, and
// makes sure that there is one dead letter then.
func untilBuried(t *testing.T, c *ipc.Client) {
	t.Helper()
	for {
		queues, err := c.Queues(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range queues {
			if q.Channel != "jobs" || len(q.Groups) != 1 || q.Groups[0].Dead == 0 {
				continue
			}
			if q.Dead != 1 {
				t.Errorf("%d dead letters of one message", q.Dead)
			}
			return
		}
	}
}
