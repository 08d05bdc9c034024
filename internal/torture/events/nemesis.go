//go:build linux

package events

import (
	"context"
	"syscall"

	"github.com/ekkojs/ipc/internal/torture/stage"
)

// fault injects one fault.
func (r *run) fault(ctx context.Context) error {
	s := r.slots[r.random.IntN(len(r.slots))]
	switch n := r.random.IntN(100); {
	case n < 50:
		r.Log("the service is killed")
		return r.killService(ctx, 20)
	case n < 55:
		r.Log("the service is killed while it stands still")
		r.service.Signal(syscall.SIGSTOP)
		stage.Pause(ctx, 60*r.random.Float64())
		return r.killService(ctx, 300)
	case n < 60:
		r.Log("the service stands still")
		r.service.Signal(syscall.SIGSTOP)
		stage.Pause(ctx, 300*r.random.Float64())
		r.service.Signal(syscall.SIGCONT)
	case n < 70:
		r.Log("%s is killed", s.process.Name)
		return r.killSlot(s)
	case n < 82:
		r.Log("%s stands still", s.process.Name)
		s.process.Signal(syscall.SIGSTOP)
		for range r.random.IntN(4) { // the others go on, and so do the faults
			stage.Pause(ctx, 250*r.random.Float64())
			if r.random.IntN(3) == 0 {
				if err := r.killService(ctx, 20); err != nil {
					return err
				}
			}
		}
		s.process.Signal(syscall.SIGCONT)
	default:
		r.Log("%s is cut off", s.process.Name)
		r.journal.Write(Event{Kind: Cut, Actor: s.number << 16})
		s.relay.cut()
		r.journal.Write(Event{Kind: Cut, Actor: s.number << 16, Flags: Over})
	}
	return nil
}

// killService kills it, and starts it again after about ms milliseconds.
func (r *run) killService(ctx context.Context, ms float64) error {
	r.journal.Write(Event{Kind: KillService})
	r.service.Kill()
	<-r.service.Ended
	r.journal.Write(Event{Kind: KillService, Flags: Over})
	r.complain(r.service.Complaint())
	r.service = nil
	r.kills++
	stage.Pause(ctx, ms*r.random.Float64())
	return r.startService()
}

// killSlot kills a process and starts the next one.
func (r *run) killSlot(s *slot) error {
	r.journal.Write(Event{Kind: KillProcess, Actor: s.number << 16})
	s.process.Kill()
	<-s.process.Ended
	r.journal.Write(Event{Kind: KillProcess, Actor: s.number << 16, Flags: Over})
	r.complain(s.process.Complaint())
	s.process = nil
	return r.startSlot(s)
}
