package script

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Target is a service as it was found by its name.
type Target struct {
	Name     string
	Address  string
	Manifest json.RawMessage // nil when only the address is known
	Methods  []string        // those that the manifest declares
}

// Client is a connection to one service. The app calls its methods from many
// goroutines at once. Data is JSON, and nil stands for no data.
type Client interface {
	// Call returns the result of a method. data is a JSON array of arguments.
	Call(ctx context.Context, method string, data []byte) ([]byte, error)
	// Notify makes a call that is not answered, and returns when it is on its
	// way.
	Notify(ctx context.Context, method string, data []byte) error
	// Stream calls a method that streams to the app, and returns when the
	// request is on its way. It lasts until it has ended, ctx has, or it is
	// closed. The app sends nothing on it.
	Stream(ctx context.Context, method string, data []byte) (Stream, error)
	// Publish returns when the event is on its way; what the service says of
	// it goes to the function that Dial was given.
	Publish(ctx context.Context, event string, data []byte) error
	// PublishWith returns the receipt, as JSON, when the service has one for
	// the event. id is the event's own, "" for a new one.
	PublishWith(ctx context.Context, event string, data []byte, id string) (receipt []byte, err error)
	// SetWill leaves an event with the service for when this process is gone
	// without Close; an empty event takes it back.
	SetWill(ctx context.Context, event string, data []byte) error
	// Subscribe returns when the service has agreed. The subscription
	// survives the loss of the connection.
	Subscribe(ctx context.Context, pattern string, opts SubscribeOptions) (Subscription, error)
	// Flush waits until the service has what was published.
	Flush(ctx context.Context) error
	// Close ends the connection; outstanding calls fail.
	Close() error
}

// Stream is the items that a method answers with. One goroutine calls Recv.
type Stream interface {
	// Recv waits for an item. The error after the last one is io.EOF.
	Recv(ctx context.Context) ([]byte, error)
	// Close tells a service that goes on to stop.
	Close() error
}

// SubscribeOptions are the options that an app may give to subscribe and on.
type SubscribeOptions struct {
	From    json.RawMessage `json:"from"` // as in a subscribe message
	Filter  string          `json:"filter"`
	Group   string          `json:"group"`
	Durable string          `json:"durable"`
	Credit  int             `json:"credit"`
	AckWait float64         `json:"ackWait"` // milliseconds
}

// ErrClosed ends a subscription without anything being wrong.
var ErrClosed = errors.New("script: closed")

// Subscription is a stream of events. One goroutine calls Next.
type Subscription interface {
	// Next waits for an event. An error ends the subscription: ErrClosed
	// because it was meant to end.
	Next(ctx context.Context) (*Event, error)
	Close() error
}

// Event is one event.
type Event struct {
	Name   string
	Stream string // what Seq counts the events of
	Data   []byte
	ID     string
	Time   time.Time
	Seq    uint64
	Epoch  string
	Gap    *Gap // what is missing before it; nil: nothing

	Snapshot    bool // Data is a state
	Redelivered bool // a member of the group may have had it before
	Deliveries  int  // how often it has been given to one; 0: not known

	// Settle says what became of it; nil if nobody wants to know.
	Settle func(ctx context.Context, s Settlement) error
}

// Settlement is what a reader says of an event that it has to acknowledge.
type Settlement struct {
	Verb   string  `json:"verb"`   // ack, nak or reject
	Delay  float64 `json:"delay"`  // of nak, in milliseconds
	Reason string  `json:"reason"` // of reject
}

// Gap is what a subscriber has missed. To is 0 when nobody knows how much.
type Gap struct {
	From   uint64 `json:"from"`
	To     uint64 `json:"to,omitempty"`
	Count  uint64 `json:"count,omitempty"` // how many; 0: nobody knows
	Reason string `json:"reason"`
}

// ServiceSpec is what an app serves.
type ServiceSpec struct {
	Name     string          `json:"name"`
	Manifest json.RawMessage `json:"manifest"` // nil: the one found by the name, else one made of Methods
	Methods  []string        `json:"methods"`  // those the app has functions for
	Address  string          `json:"address"`  // "": the manifest's
	MaxFrame int             `json:"maxFrame"` // 0: the default

	// Handle answers the requests. It may be called by many goroutines.
	Handle func(ctx context.Context, r *Request) ([]byte, error) `json:"-"`
}

// Request is a call that a service of the app is asked to answer.
type Request struct {
	Method string
	Args   []byte // a JSON array
	Caller []byte // JSON
	// Send sends an item of the answer, waiting until there is room for it;
	// nil for a method that answers once.
	Send func(ctx context.Context, item []byte) error
}

// Service is what an app serves.
type Service interface {
	// Serve accepts clients until Shutdown is called. It calls ready once
	// with the addresses and the manifest when it can be reached.
	Serve(ctx context.Context, ready func(addresses []string, manifest []byte)) error
	// Shutdown stops accepting and waits for running requests until ctx ends.
	Shutdown(ctx context.Context) error
	Publish(ctx context.Context, event string, data []byte) error
	// PublishWith is that of Client.
	PublishWith(ctx context.Context, event string, data []byte, id string) (receipt []byte, err error)
	// Subscribe hears what the service's clients publish to it.
	Subscribe(ctx context.Context, pattern string, opts SubscribeOptions) (Subscription, error)
}
