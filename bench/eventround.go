package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// An eventStage is one peer with its publisher and a number of subscribers.
type eventStage struct {
	peer        *eventPeer
	subscribers int
	version     string
	relay       []*process // one, if there is a broker
	publisher   *process
	hearers     *process
	samples     []eventSample
}

// An eventSample is one run in one round.
type eventSample struct {
	heard
	cpu, rssMiB float64
	single      load // of the events that were published one by one
	lostSingle  uint64
}

func (s eventSample) perSecond() float64     { return float64(s.Delivered) / s.Seconds }
func (s eventSample) cpuPerMillion() float64 { return s.cpu / float64(max(s.Delivered, 1)) * 1e6 }

func setEventStage(p *eventPeer, dir string, subscribers int) (*eventStage, error) {
	dir, err := os.MkdirTemp(dir, "")
	if err != nil {
		return nil, err
	}
	s := &eventStage{peer: p, subscribers: subscribers}
	if err := s.start(dir); err != nil {
		s.strike()
		return nil, err
	}
	return s, nil
}

func (s *eventStage) start(dir string) error {
	addr := ""
	if s.peer.broker != nil {
		c, a, err := startEventProcess(s.peer, roleRelay, dir, addr)
		if err != nil {
			return err
		}
		s.relay, addr = []*process{c}, a.Addr
	}
	c, a, err := startEventProcess(s.peer, rolePublish, dir, addr)
	if err != nil {
		return err
	}
	s.publisher, s.version = c, a.Version
	if s.hearers, _, err = startEventProcess(s.peer, roleHear, dir, a.Addr); err != nil {
		return err
	}
	_, err = s.hearers.do(order{Do: "subscribe", Conns: s.subscribers})
	return err
}

func startEventProcess(p *eventPeer, role, dir, addr string) (*process, answer, error) {
	program, err := executable(p.program)
	if err != nil {
		return nil, answer{}, err
	}
	return launch(program, p.name, role, dir, addr)
}

// strike ends all processes of the stage.
func (s *eventStage) strike() {
	for _, c := range s.everyone() {
		if c != nil {
			c.stop()
		}
	}
}

// everyone is in the order in which they are to be ended.
func (s *eventStage) everyone() []*process {
	return append([]*process{s.hearers, s.publisher}, s.relay...)
}

// run publishes for a while and takes the sample. With one subscriber a time
// of single events follows, which is not counted but timed.
func (s *eventStage) run(pl *plan) (x eventSample, err error) {
	before, err := ask(order{Do: "usage"}, s.everyone()...)
	if err != nil {
		return x, err
	}
	a, err := s.publisher.do(order{Do: "publish", Conns: s.subscribers, For: pl.each})
	if err != nil {
		return x, err
	}
	after, err := ask(order{Do: "usage"}, s.everyone()...)
	if err != nil {
		return x, err
	}
	x = eventSample{heard: *a.Heard, cpu: after.CPU - before.CPU, rssMiB: float64(after.RSS) / 1024}
	if s.subscribers > 1 {
		return x, nil
	}
	if a, err = s.publisher.do(order{Do: "single", Conns: s.subscribers, For: pl.each}); err != nil {
		return x, err
	}
	x.lostSingle = a.Heard.Lost
	if a, err = s.hearers.do(order{Do: "delays"}); err != nil {
		return x, err
	}
	x.single = a.Load
	return x, nil
}

// measureEvents runs every peer with each number of subscribers, interleaved
// as calls are: each number has fresh processes.
func (pl *plan) measureEvents() (rows []eventRow, err error) {
	var absent []eventRow
	for _, n := range pl.subscribers {
		part, missing, err := pl.measureSubscribers(n)
		if err != nil {
			return nil, fmt.Errorf("events, 1 → %d: %w", n, err)
		}
		rows, absent = append(rows, part...), missing
	}
	return append(rows, absent...), nil
}

func (pl *plan) measureSubscribers(n int) (rows, absent []eventRow, err error) {
	var stages []*eventStage
	defer func() {
		for _, s := range stages {
			s.strike()
		}
	}()
	for _, p := range pl.eventPeers {
		if p.absent != nil && p.absent() != "" {
			absent = append(absent, eventRow{Peer: p.name, Absent: p.absent()})
			continue
		}
		fmt.Fprintf(pl.say, "\rstarting %-20s", p.name)
		s, err := setEventStage(p, pl.dir, n)
		if err != nil {
			return nil, nil, err
		}
		stages = append(stages, s)
	}
	for round := -pl.warmUps; round < pl.rounds; round++ {
		fmt.Fprintf(pl.say, "\revents, 1 → %d, round %d of %d ", n, round+1, pl.rounds)
		for _, s := range stages {
			x, err := s.run(pl)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", s.peer.name, err)
			}
			if round >= 0 {
				s.samples = append(s.samples, x)
			}
		}
	}
	fmt.Fprintf(pl.say, "\r%40s\r", "")
	for _, s := range stages {
		rows = append(rows, s.row())
	}
	return rows, absent, pl.profileEvents(stages)
}

// profileEvents publishes once more and leaves a CPU profile of each process
// of our own in the folder, as ipc-to-100-hear.pprof.
func (pl *plan) profileEvents(stages []*eventStage) error {
	if pl.profiles == "" {
		return nil
	}
	dir, err := filepath.Abs(pl.profiles)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, s := range stages {
		if !s.peer.profiled {
			continue
		}
		for _, c := range s.everyone() {
			path := filepath.Join(dir, fmt.Sprintf("%s-to-%d-%s.pprof", s.peer.name, s.subscribers, c.role))
			if _, err := c.do(order{Do: "profile", Path: path}); err != nil {
				return err
			}
		}
		if _, err := s.publisher.do(order{Do: "publish", Conns: s.subscribers, For: pl.each}); err != nil {
			return err
		}
		if _, err := ask(order{Do: "profile"}, s.everyone()...); err != nil {
			return err
		}
	}
	return nil
}
