package ipc

import (
	"sync"

	"github.com/ekkojs/ipc/internal/hub"
)

// The defaults of ServiceOptions.MaxHeldPerUser and MaxHeld, in bytes.
const (
	DefaultMaxHeldPerUser = 64 << 20
	DefaultMaxHeld        = 512 << 20
)

// budgets are what the users of a service may hold of its memory by not
// reading their events. All callers that nobody knows share one.
type budgets struct {
	perUser int64
	all     *hub.Budget

	mu     sync.Mutex
	byUser map[user]*userBudget
}

type user struct {
	known       bool
	uid         uint32
	sid         string // where users have one
	certificate string // its principal
}

func userOf(c Caller) user {
	switch {
	case c.Known:
		return user{known: true, uid: c.UID, sid: c.SID}
	case c.Certificate != nil:
		return user{certificate: c.Certificate.Principal()}
	}
	return user{}
}

// userBudget is the budget of one user's connections.
type userBudget struct {
	*hub.Budget
	connections int
}

func newBudgets(perUser, all int64) *budgets {
	return &budgets{perUser: perUser, all: hub.NewBudget(all, nil), byUser: map[user]*userBudget{}}
}

// join returns the budget of the caller, for a connection that leaves again.
func (b *budgets) join(c Caller) *hub.Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.byUser[userOf(c)]
	if u == nil {
		u = &userBudget{Budget: hub.NewBudget(b.perUser, b.all)}
		b.byUser[userOf(c)] = u
	}
	u.connections++
	return u.Budget
}

func (b *budgets) leave(c Caller) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.byUser[userOf(c)]
	if u.connections--; u.connections == 0 {
		delete(b.byUser, userOf(c))
	}
}
