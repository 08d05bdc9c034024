//go:build linux

package torture

import (
	"context"
	"math/rand/v2"
	"slices"
	"syscall"

	"github.com/ekkojs/ipc/internal/torture/stage"
)

// torment is what a fault works with.
type torment struct {
	*run
	ctx    context.Context
	random *rand.Rand
}

// fault is something that happens to the process of a service. It leaves the
// place empty if it ended the process.
type fault struct {
	name   string
	inject func(*torment, *slot)
}

// faults are drawn evenly; what is wanted more often stands here more often.
var faults = []fault{
	{"kill", (*torment).kill},
	{"kill", (*torment).kill},
	{"kill and stay away", (*torment).killAndStayAway},
	{"kill while stopped", (*torment).killWhileStopped},
	{"kill while stopped", (*torment).killWhileStopped},
	{"kill after a stop", (*torment).killAfterStop},
	{"kill after a stop", (*torment).killAfterStop},
	{"kill after a stop", (*torment).killAfterStop},
	{"stop", (*torment).stop},
	{"stop", (*torment).stop},
	{"drain", (*torment).drain},
	{"drain", (*torment).drain},
	{"drain", (*torment).drain},
	{"kill a client", (*torment).killClient},
	{"kill a client", (*torment).killClient},
	{"kill a client", (*torment).killClient},
}

// faultsNamed are the faults with those names; all of them for nil.
func faultsNamed(names []string) []fault {
	if names == nil {
		return faults
	}
	var named []fault
	for _, f := range faults {
		if slices.Contains(names, f.name) {
			named = append(named, f)
		}
	}
	return named
}

// wait waits for up to ms milliseconds.
func (t *torment) wait(ms float64) { stage.Pause(t.ctx, ms*t.random.Float64()) }

func (t *torment) kill(s *slot) {
	t.kills++
	s.now.Kill()
	t.gone(s.now)
	s.now = nil
}

func (t *torment) killAndStayAway(s *slot) {
	t.kill(s)
	t.wait(30)
}

// stop leaves the service as it is, but for a moment without a processor.
func (t *torment) stop(s *slot) {
	s.now.Signal(syscall.SIGSTOP)
	t.wait(60)
	s.now.Signal(syscall.SIGCONT)
}

// killWhileStopped kills a service that has let large requests pile up in
// front of it.
func (t *torment) killWhileStopped(s *slot) {
	s.now.Signal(syscall.SIGSTOP)
	t.wait(40)
	t.kill(s)
}

// killAfterStop kills a service that has just begun to read what piled up: of
// one write of its clients it has read a part.
func (t *torment) killAfterStop(s *slot) {
	s.now.Signal(syscall.SIGSTOP)
	t.wait(60)
	s.now.Signal(syscall.SIGCONT)
	t.wait(4)
	t.kill(s)
}

func (t *torment) drain(s *slot) {
	t.drains++
	t.end(s)
}

func (t *torment) killClient(*slot) {
	if p := t.slots[t.random.IntN(len(t.slots))].now.Load(); p != nil {
		t.kills++
		p.Kill()
	}
}
