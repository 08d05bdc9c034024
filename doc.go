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
// Events of one channel from one publisher arrive in the order in which they
// were published; between channels no order is promised. A subscriber that
// does not keep up loses the oldest events, never in silence: the next event
// of that channel says in Event.Gap what is missing. Publishing never waits
// for a subscriber.
//
// Every queue has a bound. A service runs so many handlers at once; what
// comes beyond waits in order, and what is too much is refused at once with
// QUEUE_FULL or OVERLOADED: docs/limits.md has the numbers.
//
// Every wait has an end: calls without a deadline take at most
// ClientOptions.Timeout, 30 seconds by default.
package ipc
