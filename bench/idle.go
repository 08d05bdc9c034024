package main

import (
	"cmp"
	"fmt"
	"time"
)

// An idleRow is what a connection costs while nobody uses it.
type idleRow struct {
	Peer  string `json:"peer"`
	Conns int    `json:"conns"`
	// Service is resident memory of service and broker, per connection.
	Service float64 `json:"service_kib"`
	// Client is that of the client, which has the other ends of them all.
	Client float64 `json:"client_kib"`
	// Short is why there were fewer connections than wanted.
	Short string `json:"short,omitempty"`
}

// dialling is how long opening all the connections may take.
const dialling = 2 * time.Minute

// measureIdle opens many connections to each peer in turn, on fresh processes.
func (pl *plan) measureIdle() (out []idleRow, err error) {
	if pl.idle == 0 {
		return nil, nil
	}
	for _, p := range pl.peers {
		if p.single {
			continue
		}
		fmt.Fprintf(pl.say, "\ridle %-20s", p.name)
		r, err := pl.idleOf(p)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	fmt.Fprintf(pl.say, "\r%40s\r", "")
	return out, nil
}

// idleOf measures one peer. Garbage is returned to the system before both
// readings: what is compared is what the connections hold on to.
func (pl *plan) idleOf(p *peer) (idleRow, error) {
	r := idleRow{Peer: p.name}
	conns, short := possible(pl.idle, fileLimit())
	s, err := setStage(p, pl.dir)
	if err != nil {
		return r, err
	}
	defer s.strike()
	service, client, err := s.settle()
	if err != nil {
		return r, err
	}
	a, err := s.client.do(order{Do: "idle", Conns: conns, For: dialling})
	if err != nil {
		return r, err
	}
	if r.Conns, r.Short = a.Conns, cmp.Or(a.Short, short); r.Conns == 0 {
		return r, fmt.Errorf("%s opens no second connection: %s", p.name, a.Short)
	}
	time.Sleep(pl.rest)
	serviceAfter, clientAfter, err := s.settle()
	each := func(before, after usage) float64 { return round(float64(after.RSS-before.RSS)/float64(r.Conns), 2) }
	r.Service, r.Client = each(service, serviceAfter), each(client, clientAfter)
	return r, err
}

// possible returns how many connections a process can have of those wanted,
// each of which takes a descriptor at both ends, and why they are fewer. It is
// not left to trial: a service without descriptors answers nobody.
func possible(wanted, descriptors int) (conns int, short string) {
	const others = 200 // that a process has beside its connections
	if most := max(descriptors-others, 1); wanted > most {
		return most, fmt.Sprintf("a process can have %d descriptors", descriptors)
	}
	return wanted, ""
}

// settle returns garbage to the system and reads what is used then.
func (s *stage) settle() (service, client usage, err error) {
	if service, err = ask(order{Do: "settle"}, s.servers...); err != nil {
		return service, client, err
	}
	client, err = ask(order{Do: "settle"}, s.client)
	return service, client, err
}
