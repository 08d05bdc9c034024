package group

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/store"
)

// crowd is a group with goroutines around it, as a hub would have them.
type crowd struct {
	*testing.T
	g    *Group
	log  store.Log
	quit chan struct{}
	all  sync.WaitGroup

	timerMu sync.Mutex
	timer   *time.Timer

	mu   sync.Mutex
	held map[uint64]*Member // by the members' own account
	done map[uint64]int
}

// alarm sets the timer, in the way that Deadline asks for.
func (c *crowd) alarm() {
	c.timerMu.Lock()
	defer c.timerMu.Unlock()
	if at := c.g.Deadline(); !at.IsZero() {
		c.timer.Reset(time.Until(at))
	}
}

func (c *crowd) expire() {
	c.g.Expire(time.Now())
	c.alarm()
}

func (c *crowd) take(seq uint64, m *Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[seq] != nil {
		c.Errorf("record %d has two holders", seq)
	}
	c.held[seq] = m
}

func (c *crowd) give(seq uint64, done int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, seq)
	if c.done[seq] += done; c.done[seq] > 1 {
		c.Errorf("record %d was done %d times", seq, c.done[seq])
	}
}

// member takes and answers until the end. Sometimes it leaves and comes back.
func (c *crowd) member(seed uint64, wake chan struct{}, m *Member) {
	random := rand.New(rand.NewPCG(seed, 0))
	for {
		got, err := c.g.Take(m, nil, 1+random.IntN(10), 1<<20)
		if err != nil {
			c.Error(err)
			return
		}
		for _, d := range got {
			c.take(d.Seq, m)
		}
		for _, d := range got {
			c.answer(random, m, d.Seq)
		}
		if random.IntN(50) == 0 {
			c.g.Leave(m)
			c.g.Join(m)
		}
		if len(got) > 0 {
			continue
		}
		select {
		case <-wake:
		case <-c.quit:
			return
		}
	}
}

func (c *crowd) answer(random *rand.Rand, m *Member, seq uint64) {
	var unknown []uint64
	switch n := random.IntN(100); {
	case n < 80:
		c.give(seq, 1) // first: it is nobody else's before the answer
		unknown = c.g.Ack(m, []uint64{seq})
	case n < 95:
		c.give(seq, 0)
		unknown = c.g.Nak(m, []uint64{seq}, time.Duration(random.IntN(2))*time.Second)
	default:
		c.give(seq, 0)
		unknown = c.g.Reject(m, []uint64{seq}, "no")
	}
	if unknown != nil {
		c.Errorf("unknown: %v", unknown)
	}
}

func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{T: t, quit: make(chan struct{}), held: map[uint64]*Member{}, done: map[uint64]int{}}
		logs := store.NewMemory()
		c.log, _ = logs.Log("log", store.Limits{})
		dead, _ := logs.Log("dead", store.Limits{})
		c.timer = time.NewTimer(time.Hour)
		var refusals int
		var err error
		c.g, err = Open(c.log, "g", Options{
			MaxPending: 50, MaxDeliver: 3,
			Alarm: c.alarm,
			Dead: func(r store.Record, done func(store.Receipt)) {
				c.mu.Lock()
				refusals++
				refuse := refusals%3 == 0
				c.mu.Unlock()
				if refuse {
					go done(store.Receipt{Err: errStorage})
					return
				}
				c.give(r.Dead.Seq, 1)
				dead.Append(r, done)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		c.all.Go(func() {
			for {
				select {
				case <-c.timer.C:
					c.expire()
				case <-stop:
					return
				}
			}
		})
		const records, appenders = 4000, 4
		for i := range 8 {
			wake := make(chan struct{}, 1)
			m := &Member{Credit: 5, Wake: func() {
				select {
				case wake <- struct{}{}:
				default:
				}
			}}
			c.g.Join(m)
			c.all.Go(func() { c.member(uint64(i), wake, m) })
		}
		for range appenders {
			c.all.Go(func() {
				for range records / appenders {
					c.log.Append(store.Record{Name: "n"}, func(r store.Receipt) { c.g.Appended(r.Seq) })
				}
			})
		}
		time.Sleep(time.Hour) // in a bubble: until nothing happens any more
		st := c.g.Stats()
		if st.Floor != records+1 || st.Pending+st.Ready+st.Later+st.Dying != 0 || st.Waiting != 0 {
			t.Errorf("stats %+v", st)
		}
		if st.Acked+st.Dead != records || st.Dead != dead.Stats().Appended || st.Dead == 0 {
			t.Errorf("of %d records %d are acknowledged and %d dead", records, st.Acked, st.Dead)
		}
		if c.g.Floor() != records+1 {
			t.Errorf("the floor is %d", c.g.Floor())
		}
		close(c.quit)
		close(stop)
		c.all.Wait()
		if err := c.g.Close(); err != nil {
			t.Error(err)
		}
		logs.Close()
	})
}
