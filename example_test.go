package ipc_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ekkojs/ipc"
)

// shop is a service of the examples, and a client of it.
func shop() (service *ipc.Service, client *ipc.Client, end func()) {
	manifest, err := ipc.ParseManifest([]byte(`{
	  "service": {"name": "shop", "version": "1.0.0"},
	  "events": {"order.placed": {"schema": {"id": "number", "total": "number"}}},
	  "channels": {"jobs": {"type": "queue"}}
	}`))
	if err != nil {
		log.Fatal(err)
	}
	service = ipc.NewService(manifest, &ipc.ServiceOptions{Logger: quiet})
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- service.Serve(ctx, "mem:shop") }()
	<-service.Ready()
	if client, err = ipc.Dial(ctx, "mem:shop", nil); err != nil {
		log.Fatal(err)
	}
	return service, client, func() {
		client.Close()
		stop()
		<-served
	}
}

func ExampleSubscription_All() {
	service, client, end := shop()
	defer end()
	ctx := context.Background()
	orders, err := client.Subscribe(ctx, "order.*", &ipc.SubscribeOptions{Filter: "total > 100", Limit: 2})
	if err != nil {
		log.Fatal(err)
	}
	for id := 1; id <= 4; id++ {
		service.Publish(ctx, "order.placed", map[string]int{"id": id, "total": 60 * id})
	}
	for event, err := range orders.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Name, event.Seq, event.Data)
	}
	// Output:
	// order.placed 2 {"id":2,"total":120}
	// order.placed 3 {"id":3,"total":180}
}

// To wait for one event, subscribe first, then do what leads to it, and then
// take it.
func ExampleSubscription_Next() {
	service, client, end := shop()
	defer end()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	placed, err := client.Subscribe(ctx, "order.placed", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer placed.Close()
	service.Publish(ctx, "order.placed", map[string]int{"id": 7, "total": 30})
	event, err := placed.Next(ctx)
	if err != nil {
		log.Fatal(err) // DEADLINE_EXCEEDED: it did not come
	}
	fmt.Println(event.Data)
	// Output: {"id":7,"total":30}
}

func ExampleSubscribe() {
	service, client, end := shop()
	defer end()
	type order struct {
		ID    int     `json:"id"`
		Total float64 `json:"total"`
	}
	ctx := context.Background()
	done := make(chan struct{})
	_, err := ipc.Subscribe(ctx, client, "order.placed", func(_ context.Context, o order, e *ipc.Event) {
		fmt.Printf("%s: order %d of %.2f\n", e.Name, o.ID, o.Total)
		close(done)
	})
	if err != nil {
		log.Fatal(err)
	}
	service.Publish(ctx, "order.placed", order{ID: 7, Total: 30})
	<-done
	// Output: order.placed: order 7 of 30.00
}

// A message of a queue goes to one of those who listen, and comes again until
// one of them has acknowledged it.
func ExampleEvent_Ack() {
	_, client, end := shop()
	defer end()
	ctx := context.Background()
	if err := client.Publish(ctx, "jobs", "pack order 7"); err != nil {
		log.Fatal(err)
	}
	jobs, err := client.Subscribe(ctx, "jobs", &ipc.SubscribeOptions{Group: "packers", Limit: 2})
	if err != nil {
		log.Fatal(err)
	}
	for job, err := range jobs.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(job.Data, job.Redelivered)
		if !job.Redelivered {
			err = job.Nak(ctx, 0) // not now
		} else {
			err = job.Ack(ctx)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// "pack order 7" false
	// "pack order 7" true
}
