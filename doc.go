// Package ipc lets processes on one machine call each other as if they were
// modules of one program. It is all that a user imports to call a service or
// to be one.
//
// # Calling
//
// A service is found by its name, through its manifest:
//
//	db, err := ipc.Dial(ctx, "database-service", nil)
//	user, err := ipc.Call[User](ctx, db, "getUserById", 123)
//
// Client.Call is the same without types. Many goroutines may call at once;
// they share one connection, and each waits for its own answer only.
//
// # Serving
//
//	manifest, err := ipc.LoadManifest("database-service.ekko.ipc.json")
//	service := ipc.NewService(manifest, nil)
//	ipc.Handle(service, "getUserById", func(ctx context.Context, id int) (*User, error) { … })
//	err = service.Serve(ctx)
//
// Arguments are checked against the manifest before a handler sees them, and
// results before they leave. Who calls is in Request.Caller (ipc.CallerOf for
// a typed handler): the kernel's word, not the caller's.
//
// # Many values, and the other way round
//
// A method whose manifest says "stream" sends or takes many values:
//
//	for user, err := range ipc.StreamOf[User](ctx, db, "exportUsers") { … }
//
//	ipc.HandleStream(service, "exportUsers", func(ctx context.Context, _ struct{}) iter.Seq2[User, error] { … })
//
// Client.Stream, Request.Send and Request.Recv are the same without types, and
// for values that the client sends. Client.Batch makes many calls in one
// message; Client.Notify makes one that nobody answers. A service calls back
// by Request.Peer (ipc.PeerOf) what the client offers in
// ClientOptions.Methods.
//
// # Events
//
//	service.Publish(ctx, "user.created", user)
//
//	events, err := db.Subscribe(ctx, "user.*", nil)
//	for event, err := range events.All(ctx) { … }
//
// Subscription.Next takes one event, and Subscribe calls a function with the
// data of each. To wait for one event, subscribe, do what leads to it, and call
// Next.
//
// What the manifest says of a channel decides what is kept: nothing; the
// newest events in memory; all on disk (package store/disk, given in
// ServiceOptions.Store); or messages of a queue until somebody has dealt with
// them. SubscribeOptions.From goes back, Filter leaves out, Group shares the
// messages among several, Durable goes on where a name has stopped, and
// Event.Ack says that a message is done. docs/events.md has all of it.
//
// # What is promised
//
// A call gets exactly one outcome: a result or an *Error, and
// Error.Details.Executed says whether it may have run. It is sent at most
// once, but for two cases: when the error says that it did not run, and when
// the method is idempotent and the connection was lost. Then the service
// knows it by its key; see WithIdempotencyKey and ClientOptions.MaxRetries.
// Calls made
// one after the other by one goroutine arrive in that order; calls that are
// outstanding together may be answered in any order.
//
// Events of one stream, which is a channel with all that it carries or an
// event that no channel carries, arrive in the order of Event.Seq; between
// streams no order is promised. A subscription gets each event at most once.
// What it loses, because it does not keep up or its connection was down, it
// never loses in silence: Event.Gap of the next event says how many those
// were, and why. Publishing never waits for a subscriber, but on a queue that
// the manifest says so of.
//
// An event on a persistent channel is on the disk when its publisher is told
// so. A group or a durable subscription gets it at least once: until it has
// been acknowledged it comes again, whoever crashes meanwhile, at most five
// times; then it is a dead letter, which somebody has to decide about.
//
// Every queue has a bound. A service runs so many handlers at once; what
// comes beyond waits in order, and what is too much is refused at once with
// QUEUE_FULL or OVERLOADED: docs/limits.md has the numbers.
//
// Every wait has an end: calls without a deadline take at most
// ClientOptions.Timeout, 30 seconds by default.
package ipc
