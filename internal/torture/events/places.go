package events

import (
	"fmt"
	"time"
)

// Stream is a channel of the service by its number.
type Stream uint8

// The streams of the part that is kept.
const (
	Orders Stream = iota // a persistent topic
	Jobs                 // a persistent queue
	Tasks                // a queue in memory
	News                 // a topic of two events, some of which are kept in memory
	streams
)

var streamNames = [streams]string{"orders", "jobs", "tasks", "news"}

func (s Stream) String() string { return streamNames[s] }

// persistent says that its events outlive the service.
func (s Stream) persistent() bool { return s == Orders || s == Jobs }

// eventName is the name under which a publisher publishes its event n.
func (s Stream) eventName(n uint32) string {
	switch {
	case s != News:
		return s.String()
	case n%2 == 0:
		return "news.even"
	}
	return "news.odd"
}

// Role says in which way a place reads.
type Role uint8

// The roles.
const (
	roleLive    Role = iota // each event from somewhere on
	roleGroup               // what a group or a durable subscription has
	rolePublish             // nothing: it stands for the stream itself
)

// Place is one way to read a stream.
type Place struct {
	Name   string
	Stream Stream
	Role   Role

	Group   string // of roleGroup
	Durable bool
	AckWait time.Duration

	// Pattern is what is subscribed to, if it is not the stream, and Filter
	// an expression; Only says which events these leave.
	Pattern string
	Filter  string
	Only    func(publisher, counter uint32) bool
}

// evenOnly is what both the filter and the pattern of a part leave.
func evenOnly(_, counter uint32) bool { return counter%2 == 0 }

// ackWait is how long readers may take to acknowledge. Some never do.
const ackWait = 2 * time.Second

// Places are all the ways to read. The first ones are the streams themselves.
var Places = []Place{
	{Name: "orders", Stream: Orders, Role: rolePublish},
	{Name: "jobs", Stream: Jobs, Role: rolePublish},
	{Name: "tasks", Stream: Tasks, Role: rolePublish},
	{Name: "news", Stream: News, Role: rolePublish},
	{Name: "orders/fast", Stream: Orders, Role: roleGroup, Group: "fast", Durable: true, AckWait: ackWait},
	{Name: "orders/slow", Stream: Orders, Role: roleGroup, Group: "slow", Durable: true, AckWait: ackWait},
	{Name: "orders/even", Stream: Orders, Role: roleGroup, Group: "even", Durable: true, AckWait: ackWait, Filter: "k == 0", Only: evenOnly},
	{Name: "jobs/a", Stream: Jobs, Role: roleGroup, Group: "a", AckWait: ackWait},
	{Name: "jobs/b", Stream: Jobs, Role: roleGroup, Group: "b", AckWait: ackWait},
	{Name: "tasks/default", Stream: Tasks, Role: roleGroup, Group: "", AckWait: ackWait},
	{Name: "orders live", Stream: Orders, Role: roleLive},
	{Name: "orders again", Stream: Orders, Role: roleLive},
	{Name: "news live", Stream: News, Role: roleLive},
	{Name: "news even", Stream: News, Role: roleLive, Pattern: "news.even", Only: evenOnly},
	{Name: "news filter", Stream: News, Role: roleLive, Filter: "k == 0", Only: evenOnly},
}

// The numbers of some places.
const (
	placeFast   = 4
	placeSlow   = 5
	placeEven   = 6
	placeA      = 7
	placeB      = 8
	placeTasks  = 9
	placeLive   = 10
	placeAgain  = 11
	placeNews   = 12
	placeNewsE  = 13
	placeNewsF  = 14
	placeStarts = placeFast
)

// groupName is how the service calls the group of a place.
func (p *Place) groupName() string {
	if p.Group == "" {
		return "default"
	}
	return p.Group
}

// maxDeliver is how often an event is delivered to a group before it becomes a
// dead letter.
const maxDeliver = 5

// poisoned says that no member of a group ever acknowledges that event.
func poisoned(publisher, counter uint32) bool { return (counter*31+publisher)%499 == 7 }

// keptManifest declares the channels of the part that is kept.
func keptManifest() []byte {
	return []byte(`{"service":{"name":"torture","version":"1.0.0"},
"events":{"orders":{},"jobs":{},"tasks":{},"news.even":{},"news.odd":{}},
"channels":{
 "orders":{"type":"topic","persistent":true},
 "jobs":{"type":"queue","persistent":true},
 "tasks":{"type":"queue","retention":{"maxMessages":100000}},
 "news":{"type":"topic","events":["news.*"],"retention":{"maxMessages":4000}}}}`)
}

// plainManifest declares those of the part that is not.
func plainManifest() []byte {
	return []byte(`{"service":{"name":"torture","version":"1.0.0"},
"events":{"tick":{},"feed.even":{},"feed.odd":{}},
"channels":{"feed":{"type":"topic","events":["feed.*"]}}}`)
}

// payload is the data of an event: it says whose it is, with a pad that is
// different for each.
func payload(publisher, counter uint32, pad int) []byte {
	b := fmt.Appendf(make([]byte, 0, 64+pad), `{"p":%d,"n":%d,"k":%d,"pad":"`, publisher, counter, counter%2)
	for range pad {
		b = append(b, 'a'+byte((publisher+counter)%26))
	}
	return append(b, `"}`...)
}

// named reads whose event a payload is; 0, 0 is nobody's.
func named(data []byte) (publisher, counter uint32) {
	at, ok := 0, true
	number := func(before string) (n uint32) {
		if ok = ok && len(data) > at+len(before) && string(data[at:at+len(before)]) == before; !ok {
			return 0
		}
		for at += len(before); at < len(data) && '0' <= data[at] && data[at] <= '9'; at++ {
			n = n*10 + uint32(data[at]-'0')
		}
		return n
	}
	publisher, counter = number(`{"p":`), number(`,"n":`)
	if !ok {
		return 0, 0
	}
	return publisher, counter
}

// hashOf is a hash of a text.
func hashOf[T string | []byte](text T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}
